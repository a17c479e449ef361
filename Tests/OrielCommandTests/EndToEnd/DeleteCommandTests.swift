import Foundation
import Testing

@testable import OrielCommand

/// `oriel delete` against a running daemon and on a stopped store.
@Suite(.serialized) final class DeleteCommandTests {
    private let place: ProgramHome
    private var home: URL { place.url }
    private var data: String { place.data }

    init() throws { place = try ProgramHome("delete") }

    /// Whether a text is anywhere in the store's files.
    private func holds(_ text: String) throws -> Bool {
        let folder = URL(fileURLWithPath: data + "/data")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey]))
        for case let file as URL in files where try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true {
            if try Data(contentsOf: file).range(of: Data(text.utf8)) != nil { return true }
        }
        return false
    }

    private func oriel(_ arguments: String...) throws -> BuiltProgram.Outcome {
        try BuiltProgram.run(arguments + ["--data", data], home: home)
    }

    @Test func deletesAndShowsTheReceipt() async throws {
        let server = try await place.serve()
        #expect(try oriel("delete", "--list").status == 3)
        try server.log("XYZZYSECRET of a customer", service: "shop")
        try server.log("harmless words", service: "cart")

        for arguments in [
            ["delete", "--since", "1h"], ["delete", "logs"], ["delete", "log", "--since", "1h"], ["delete", "logs", "--since", "1h", "--label", "a=b"],
            ["delete", "--list", "--yes"], ["delete", "logs", "--since", "1h", "--dry-run", "--wait"], ["delete", "logs", "--since", "soon"],
            // Nobody is there to confirm it.
            ["delete", "logs", "--since", "1h"],
        ] {
            let refused = try BuiltProgram.run(arguments + ["--data", data], home: home)
            #expect(refused.status == 2 && !refused.errors.isEmpty, "\(arguments): \(refused)")
        }
        #expect(try oriel("delete", "logs", "--since", "1h", "--service", "nobody", "--dry-run").status == 3)
        let plan = try oriel("delete", "logs", "--since", "1h", "--service", "shop", "--dry-run")
        #expect(plan.status == 0 && plan.output.contains("shop") && plan.output.contains("logs"), "\(plan)")
        #expect(try oriel("logs").output.contains("XYZZYSECRET"))

        let gone = try oriel("delete", "logs", "--since", "1h", "--service", "shop", "--yes", "--wait", "--output", "json")
        #expect(gone.status == 0, "\(gone)")
        let receipt = try JSONDecoder().decode(DeletionAnswer.self, from: Data(gone.output.utf8))
        #expect(receipt.completed != nil && receipt.remainingFiles == 0 && receipt.filter.contains("shop"), "\(gone)")
        let logs = try oriel("logs")
        #expect(logs.output.contains("harmless") && !logs.output.contains("XYZZYSECRET"), "\(logs)")
        #expect(try !holds("XYZZYSECRET"))
        let list = try oriel("delete", "--list")
        #expect(list.status == 0 && list.output.contains(receipt.id) && list.output.contains("gone"), "\(list)")
        let csv = try oriel("delete", "--list", "--output", "csv")
        #expect(csv.output.hasPrefix("id,signals,start,end,filter") && csv.output.contains(receipt.id), "\(csv)")
        #expect(server.terminate() == 0)
        #expect(try server.output().contains("store.delete"))

        // The stopped store takes deletions too.
        let stopped = try oriel("delete", "logs", "--end", "now", "--text", "HARMLESS", "--yes", "--wait")
        #expect(stopped.status == 0 && stopped.output.contains("gone"), "\(stopped)")
        #expect(try oriel("logs").status == 3)
        #expect(try oriel("delete", "--list", "--output", "json").output.split(separator: "\n").count == 2)
    }
}
