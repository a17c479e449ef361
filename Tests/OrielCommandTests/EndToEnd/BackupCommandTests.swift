import Foundation
import Testing

@testable import OrielCommand

/// `oriel backup`, `oriel restore` and `oriel doctor` against a running daemon and on stopped stores.
@Suite(.serialized) final class BackupCommandTests {
    private let place: ProgramHome
    private var home: URL { place.url }
    private var data: String { place.data }

    init() throws { place = try ProgramHome("backup") }

    @Test func backupRestoreAndDoctor() async throws {
        let server = try await place.serve()
        try server.log("first words")
        let backup = home.appendingPathComponent("backup").path
        let made = try BuiltProgram.run(["backup", backup, "--data", data], home: home)
        #expect(made.status == 0 && made.output.contains("files"), "\(made)")
        let refused = try BuiltProgram.run(["backup", home.path, "--data", data], home: home)
        #expect(refused.status == 1, "\(refused)")
        let healthy = try BuiltProgram.run(["doctor", "--data", data], home: home)
        #expect(healthy.status == 0 && healthy.output.contains("healthy"), "\(healthy)")
        try server.log("second words")
        #expect(server.terminate() == 0)
        #expect(try server.output().contains("store.backup"))

        let copy = home.appendingPathComponent("copy").path
        let restored = try BuiltProgram.run(["restore", backup, "--data", copy], home: home)
        #expect(restored.status == 0, "\(restored)")
        #expect(try BuiltProgram.run(["restore", backup, "--data", copy], home: home).status == 1)
        let logs = try BuiltProgram.run(["logs", "--data", copy], home: home)
        #expect(logs.output.contains("first words") && !logs.output.contains("second words"), "\(logs)")

        // The stopped store goes into the same backup; the doctor's JSON says what it has.
        let again = try BuiltProgram.run(["backup", backup, "--data", data], home: home)
        #expect(again.status == 0, "\(again)")
        let json = try BuiltProgram.run(["doctor", "--output", "json", "--data", data], home: home)
        #expect(json.status == 0, "\(json)")
        let answer = try JSONDecoder().decode(ExaminationAnswer.self, from: Data(json.output.utf8))
        #expect(answer.healthy && answer.signals.contains { $0.signal == "logs" && $0.rows == 2 }, "\(json)")

        let salvaged = try BuiltProgram.run(["doctor", "--salvage", "--data", data], home: home)
        #expect(salvaged.status == 0 && salvaged.output.contains("no file is damaged"), "\(salvaged)")
        #expect(try BuiltProgram.run(["doctor", "--salvage", "--quick", "--data", data], home: home).status != 0)

        // What is none of ours is a problem.
        try FileManager.default.createDirectory(atPath: data + "/data/unknown", withIntermediateDirectories: true)
        try Data([1]).write(to: URL(fileURLWithPath: data + "/data/unknown/stranger.seg"))
        let sick = try BuiltProgram.run(["doctor", "--quick", "--data", data], home: home)
        #expect(sick.status == 1 && sick.output.contains("stranger.seg"), "\(sick)")
        #expect(try BuiltProgram.run(["doctor", "--data", home.path + "/nothing"], home: home).status == 1)
    }
}
