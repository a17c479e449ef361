import Foundation
import Testing

@testable import OrielCommand

/// `oriel token` against a running daemon, and commands that show a token.
@Suite(.serialized) final class TokenCommandTests {
    private let place: ProgramHome
    private var home: URL { place.url }
    private var data: String { place.data }

    init() throws { place = try ProgramHome("token") }

    private func serve() async throws -> (program: RunningProgram, port: Int) {
        let server = try await place.serve()
        return (server, try #require(try server.port()))
    }

    @Test func tokensAreMadeShownOnceAndRevoked() async throws {
        let (server, port) = try await serve()
        let made = try BuiltProgram.run(["token", "create", "me", "--scope", "query", "--data", data], home: home)
        #expect(made.status == 0 && made.errors.contains("from now on"), "\(made)")
        let token = made.output.trimmingCharacters(in: .newlines)
        #expect(token.hasPrefix("oriel_"))

        let url = "http://127.0.0.1:\(port)"
        let refused = try BuiltProgram.run(["services", "--server", url], home: home)
        #expect(refused.status == 1 && refused.errors.contains("ORIEL_TOKEN"), "\(refused)")
        // Nothing was sent yet, so nothing is found; but it was asked.
        #expect(try BuiltProgram.run(["services", "--server", url, "--token", token], home: home).status == 3)

        let list = try BuiltProgram.run(["token", "list", "--data", data], home: home)
        #expect(list.status == 0 && list.output.contains("me") && !list.output.contains(token))
        #expect(try BuiltProgram.run(["token", "create", "me", "--scope", "query", "--data", data], home: home).status == 1)
        #expect(try BuiltProgram.run(["token", "create", "x", "--scope", "root", "--data", data], home: home).status == 2)

        // SIGHUP has files read again and ends nothing; tokens outlive the process.
        server.send(SIGHUP)
        try await wait(for: "the server to reload") { try server.output().contains("reloaded") }
        #expect(server.terminate() == 0)
        #expect(try BuiltProgram.run(["token", "list", "--data", data], home: home).status == 1)
        let (again, newPort) = try await serve()
        #expect(try BuiltProgram.run(["services", "--server", "http://127.0.0.1:\(newPort)", "--token", token], home: home).status == 3)
        #expect(try BuiltProgram.run(["token", "revoke", "me", "--data", data], home: home).status == 0)
        #expect(try BuiltProgram.run(["services", "--server", "http://127.0.0.1:\(newPort)", "--token", token], home: home).status == 1)
        #expect(try BuiltProgram.run(["token", "revoke", "me", "--data", data], home: home).status == 3)
        #expect(again.terminate() == 0)
    }

    @Test func aTokenComesFromFlagVariableOrFile() throws {
        let file = home.appendingPathComponent("token")
        try Data("from-file\n".utf8).write(to: file)
        let environment = ["ORIEL_TOKEN": "from-variable", "ORIEL_TOKEN_FILE": file.path]
        #expect(try ClientToken.resolve(given: "from-flag", environment: environment) == "from-flag")
        #expect(try ClientToken.resolve(given: nil, environment: environment) == "from-variable")
        #expect(try ClientToken.resolve(given: nil, environment: ["ORIEL_TOKEN_FILE": file.path]) == "from-file")
        #expect(try ClientToken.resolve(given: nil, environment: [:]) == nil)
        #expect(throws: CommandFailure.self) { try ClientToken.resolve(given: "a\r\nb", environment: [:]) }
        #expect(throws: CommandFailure.self) { try ClientToken.resolve(given: nil, environment: ["ORIEL_TOKEN_FILE": "/nowhere"]) }
    }
}
