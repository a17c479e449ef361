import Foundation
import OrielTelemetry
import Testing

@testable import OrielCommand

/// How the program behaves towards terminals, pipes, folders and people who mistype.
@Suite(.serialized) final class MannersTests {
    private let place: ProgramHome
    private var home: URL { place.url }
    private var data: String { place.data }
    private var socket: String { "unix:\(data)/oriel.sock" }

    init() throws { place = try ProgramHome("manners") }

    @Test func aReaderThatGoesAwayEndsATail() async throws {
        let server = try await place.serve()
        try server.log("first", severity: 17, severityText: "ERROR")
        // The tail has nothing more to write, and notices all the same.
        let outcome = try BuiltProgram.shell(#"{ "$ORIEL" logs --follow --server "$1"; echo "status $?" >&2; } | head -n 1"#, [socket], home: home)
        #expect(outcome.output.contains("first") && outcome.errors.contains("status 0"), "\(outcome)")
        #expect(server.terminate() == 0)
    }

    @Test func anOutputThatCannotBeWrittenIsAnError() async throws {
        let server = try await place.serve()
        try server.log("first", severity: 17, severityText: "ERROR")
        let outcome = try BuiltProgram.shell(#""$ORIEL" logs --server "$1" >/dev/full"#, [socket], home: home)
        #expect(outcome.status == 1 && outcome.errors.contains("No space left"), "\(outcome)")
        #expect(server.terminate() == 0)
    }

    @Test func coloursAreForTerminalsThatWantThem() async throws {
        let server = try await place.serve()
        try server.log("first", severity: 17, severityText: "ERROR")
        func print(_ environment: [String: String], _ flags: String...) throws -> String {
            let terminal = try PseudoTerminal()
            let status = try BuiltProgram.run(["logs", "--server", socket] + flags, on: terminal.terminal, environment: environment, home: home)
            let text = try terminal.readAll()
            #expect(status == 0 && text.contains("first"), "\(text)")
            return text
        }
        #expect(try print(["TERM": "xterm"]).contains("\u{1B}["))
        #expect(try !print(["TERM": "xterm", "NO_COLOR": "1"]).contains("\u{1B}"))
        #expect(try !print(["TERM": "dumb"]).contains("\u{1B}"))
        #expect(try !print(["TERM": "xterm"], "--no-color").contains("\u{1B}"))
        #expect(try !BuiltProgram.run(["logs", "--server", socket], home: home).output.contains("\u{1B}"))
        #expect(server.terminate() == 0)
    }

    @Test func timesAreReadAsPeopleWriteThem() async throws {
        let server = try await place.serve()
        try server.log("first", severity: 17, severityText: "ERROR")
        for text in ["yesterday 14:00", "2d", "today", "1h ago"] {
            let outcome = try BuiltProgram.run(["logs", "--server", socket, "--since", text], home: home)
            // Just after midnight the record may be of the day before.
            #expect(outcome.status == 0 || text == "today", "\(text): \(outcome)")
        }
        // Joined, as with head and tail.
        #expect(try BuiltProgram.run(["logs", "--server", socket, "-n1"], home: home).status == 0)
        #expect(server.terminate() == 0)
    }

    @Test func aTailSurvivesAServerThatIsKilled() async throws {
        var server = try await place.serve()
        try server.log("first", severity: 17, severityText: "ERROR")
        let tail = try BuiltProgram.start(["logs", "--follow", "--utc", "--server", socket], home: home)
        try await wait(for: "the past") { try tail.output().contains("first") }
        try server.log("second", severity: 17, severityText: "ERROR")
        try await wait(for: "a new record") { try tail.output().contains("second") }
        server.send(SIGKILL)
        _ = server.terminate()
        try await wait(for: "the loss to be told") { try tail.output().contains("connecting again") }
        server = try await place.serve()
        try server.log("third", severity: 17, severityText: "ERROR")
        try await wait(for: "a record after the restart") { try tail.output().contains("third") }
        let text = try tail.output()
        for word in ["first", "second", "third", "connecting again", "connected again"] { #expect(text.split(separator: word).count == 2, "\(text)") }
        // A stop in good order is told too, before the tail says that it is back.
        #expect(server.terminate() == 0)
        try await wait(for: "the end to be told") { try tail.output().split(separator: "connecting again").count == 3 }
    }

    @Test func shellsGetTheirCompletions() throws {
        for shell in ["bash", "zsh", "fish"] {
            let outcome = try BuiltProgram.run(["--generate-completion-script", shell], home: home)
            #expect(outcome.status == 0 && outcome.output.contains("retention-logs") && outcome.output.contains("traces"), "\(shell)")
        }
    }

    @Test func aLookMakesNoStore() throws {
        let folder = home.appendingPathComponent("other")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("a".utf8).write(to: folder.appendingPathComponent("notes"))
        let backup = home.appendingPathComponent("backup").path
        for command in [["traces"], ["logs"], ["metrics"], ["services"], ["trace", "0af7651916cd43dd"], ["doctor"], ["backup", backup]] {
            let outcome = try BuiltProgram.run(command + ["--data", folder.path], home: home)
            #expect(outcome.status == 1 && outcome.errors.contains("there is no store in \(folder.path)"), "\(command): \(outcome)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["notes"])
        #expect(!FileManager.default.fileExists(atPath: backup))
    }

    @Test func aServerThatCannotListenLeavesNothingBehind() async throws {
        let server = try await place.serve()
        let taken = try #require(try server.port())
        let folder = home.appendingPathComponent("second").path
        let outcome = try BuiltProgram.run(["serve", "--data", folder, "--listen", "tcp://127.0.0.1:\(taken)"], home: home)
        #expect(outcome.status == 1 && outcome.errors.contains("cannot listen on tcp://127.0.0.1:\(taken)"), "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: folder))
        #expect(server.terminate() == 0)
    }

    @Test func mistakesAreMetWithTheCorrection() async throws {
        // What the configuration prints is a configuration.
        let printed = try BuiltProgram.run(["serve", "--data", data, "--print-config"], environment: ["ORIEL_RETENTION_LOG": "1d"], home: home)
        #expect(printed.status == 0 && printed.errors.contains("did you mean \"ORIEL_RETENTION_LOGS\"?"), "\(printed)")
        let file = home.appendingPathComponent("printed.yaml")
        try Data(printed.output.utf8).write(to: file)
        let again = try BuiltProgram.run(["serve", "--config", file.path, "--print-config"], home: home)
        #expect(again.status == 0 && Self.settings(again.output) == Self.settings(printed.output), "\(again)")

        let server = try await place.serve()
        let condition = try BuiltProgram.run(["logs", "--server", socket, "-a", "n=>10"], home: home)
        #expect(condition.status == 2 && condition.errors.contains("did you mean n>=10?"), "\(condition)")
        // Messages of the parser look like all others.
        let endpoint = try BuiltProgram.run(["bench", "ingest", "--endpoint", "ftp://x"], home: home)
        #expect(endpoint.status == 2 && endpoint.errors.hasPrefix("oriel: --endpoint"), "\(endpoint)")
        #expect(try BuiltProgram.run(["traces", "--sevrice", "x"], home: home).errors.hasPrefix("oriel: "))
        let nobody = try BuiltProgram.run(["traces", "--server", "127.0.0.1:1"], home: home)
        #expect(nobody.status == 1 && nobody.errors.contains("cannot be reached: Connection refused"), "\(nobody)")
        #expect(server.terminate() == 0)
    }

    /// The lines of a printed configuration without where the values come from.
    private static func settings(_ text: String) -> [String] {
        text.split(separator: "\n").map { line in
            let end = line.firstRange(of: "  #")?.lowerBound ?? line.endIndex
            return line[..<end].trimmingCharacters(in: .whitespaces)
        }
    }

    @Test func theLogLevelChangesOnSIGHUP() async throws {
        let file = home.appendingPathComponent("level.yaml")
        try Data("log: {level: info}\n".utf8).write(to: file)
        let server = try BuiltProgram.start(["serve", "--data", data, "--config", file.path, "--listen", "tcp://127.0.0.1:0"], home: home)
        try await wait(for: "the server to listen") { try server.port() != nil }
        try Data("log: {level: debug}\n".utf8).write(to: file)
        server.send(SIGHUP)
        try await wait(for: "the level to change") { try server.output().contains("log level changed") }
        #expect(server.terminate() == 0)
        #expect(try server.output().contains("DEBUG"))
    }
}
