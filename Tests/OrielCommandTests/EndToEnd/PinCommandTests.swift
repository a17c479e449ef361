import Foundation
import Testing

@testable import OrielCommand

/// `oriel pin`, `oriel pins` and `oriel unpin` against a running daemon and on a stopped store.
@Suite(.serialized) final class PinCommandTests {
    private let place: ProgramHome
    private var home: URL { place.url }
    private var data: String { place.data }

    init() throws { place = try ProgramHome("pin") }

    private func oriel(_ arguments: String...) throws -> BuiltProgram.Outcome {
        try BuiltProgram.run(arguments + ["--data", data], home: home)
    }

    private func pin(_ arguments: String...) throws -> PinAnswer {
        let outcome = try BuiltProgram.run(["pin"] + arguments + ["--output", "json", "--data", data], home: home)
        #expect(outcome.status == 0, "\(arguments): \(outcome)")
        return try JSONDecoder().decode(PinAnswer.self, from: Data(outcome.output.utf8))
    }

    @Test func pinsAreMadeListedAndGivenUp() async throws {
        let server = try await place.serve()
        #expect(try oriel("pins").status == 3)
        let trace = "0af7651916cd43dd8448eb211c80319c"
        try server.span(trace: trace, service: "shop")
        try server.log("words, of a customer", service: "shop")
        try server.log("other words", service: "cart")

        for arguments in [
            ["pin"], ["pin", "--note", "why"], ["pin", "xyz"], ["pin", trace, "--since", "1h"], ["pin", "--since", "1h", "--start", "1h"],
            ["pin", "--since", "soon"], ["pin", "--since", "1h", "--signal", "log"], ["pin", "--since", "1h", "--signal", "metrics", "--service", "shop"],
            ["unpin"],
        ] {
            let refused = try BuiltProgram.run(arguments + ["--data", data], home: home)
            #expect(refused.status == 2 && refused.errors.hasPrefix("oriel: "), "\(arguments): \(refused)")
        }
        #expect(try oriel("pin", "--since", "1h", "--service", "nobody").status == 3)
        #expect(try oriel("pin", "1af76519").status == 3)
        #expect(try oriel("unpin", "1").status == 3)

        // The first digits are enough.
        let first = try pin(String(trace.prefix(8)), "--note", "ticket \"4711\", a")
        #expect(first.filter == "trace_id = \(trace)" && first.rows == 1 && first.note == "ticket \"4711\", a")
        let window = try pin("--since", "1h", "--service", "cart")
        #expect(window.signals == ["logs", "spans"] && window.rows == 1 && window.start != nil && window.end == nil)

        let table = try oriel("pins", "--utc")
        #expect(table.status == 0 && table.output.contains(trace) && table.output.contains("service.name = \"cart\"") && table.output.contains("Z "))
        let csv = try oriel("pins", "--output", "csv")
        #expect(csv.output.hasPrefix("id,signals,start,end,filter,note,created,rows,bytes\r\n") && csv.output.contains(#""ticket ""4711"", a""#), "\(csv)")
        let doctor = try oriel("doctor", "--quick")
        #expect(doctor.output.contains("kept by pins"), "\(doctor)")

        let given = try oriel("unpin", first.id, "77", window.id, "--output", "json")
        #expect(given.status == 3 && given.errors.contains("no pin \"77\"") && given.output.contains(trace), "\(given)")
        #expect(try oriel("pins", "--output", "json").output.split(separator: "\n").count == 1)
        #expect(server.terminate() == 0)
        let log = try server.output()
        #expect(log.contains("store.pin") && log.contains("store.unpin") && log.contains("unix:\(data)/oriel.sock") && !log.contains("[UDS]"), "\(log)")

        // The stopped store has them too.
        #expect(try oriel("unpin", window.id).status == 0)
        #expect(try oriel("pins").status == 3)
        let stopped = try pin(trace)
        #expect(stopped.id != first.id && stopped.id != window.id && stopped.rows == 1)
        #expect(try oriel("pins").output.contains(trace))
    }
}
