import Foundation
import Testing

@testable import OrielCommand

/// The disk budget of a running daemon: set by a flag, told by `/metrics` and `oriel doctor`.
@Suite(.serialized) final class DiskBudgetCommandTests {
    private let place: ProgramHome
    private var home: URL { place.url }
    private var data: String { place.data }

    init() throws { place = try ProgramHome("disk") }

    @Test func theBudgetIsTold() async throws {
        let wrong = try BuiltProgram.run(["serve", "--data", data, "--disk-budget", "much"], home: home)
        #expect(wrong.status == 2 && wrong.errors.contains("--disk-budget: retention.disk: \"much\" is not a size"), "\(wrong)")
        let printed = try BuiltProgram.run(["serve", "--data", data, "--disk-budget", "64MiB", "--print-config"], home: home)
        #expect(printed.output.contains(/\n  disk: 64MiB +# --disk-budget/), "\(printed)")

        let server = try await place.serve(nil, ["--disk-budget", "64MiB"])
        let endpoint = LoadEndpoint(host: "127.0.0.1", port: try #require(try server.port()))
        try await wait(for: "the store to look at its disk") {
            var connection = try BlockingHTTPConnection(endpoint)
            let response = try connection.send(method: "GET", path: "/metrics", headers: [], body: [])
            let text = String(decoding: response.body, as: UTF8.self)
            return text.contains("\noriel_store_disk_budget_bytes 67108864\n") && text.contains("\noriel_store_disk_free_bytes ")
                && text.contains("\noriel_store_disk_full 0\n") && text.contains("\noriel_store_disk_dropped_bytes_total{signal=\"logs\"} 0\n")
        }
        let doctor = try BuiltProgram.run(["doctor", "--data", data], home: home)
        #expect(doctor.status == 0 && doctor.output.contains("of a budget of 64.0 MiB"), "\(doctor)")
        let json = try BuiltProgram.run(["doctor", "--data", data, "--output", "json"], home: home)
        let answer = try JSONDecoder().decode(ExaminationAnswer.self, from: Data(json.output.utf8))
        #expect(answer.disk?.budgetBytes == 64 << 20 && answer.disk?.full == false)
        #expect(server.terminate() == 0)
    }

    @Test func theForecastIsInWords() throws {
        let text =
            #"{"budget_bytes":214748364800,"used_bytes":1073741824,"full":false,"bytes_per_day":{"logs":1048576.0},"dropped_bytes":{},"seconds_until_full":276480}"#
        var disk = try JSONDecoder().decode(ExaminationAnswer.Disk.self, from: Data(text.utf8))
        #expect(disk.line == "1.0 GiB on the disk of a budget of 200.0 GiB, 1.0 MiB more a day; full in 3.2 days")
        disk.secondsUntilFull = 0
        disk.droppedBytes = ["logs": 2048]
        #expect(disk.line.contains("the oldest rows go first; 2.0 KiB went before their time"))
        disk.full = true
        #expect(disk.line.contains("data is refused"))
        #expect([90.0, 5400, 86_400].map(ExaminationAnswer.Disk.duration) == ["1.5 minutes", "1.5 hours", "1.0 days"])
    }
}
