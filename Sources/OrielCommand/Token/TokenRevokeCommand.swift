import ArgumentParser
import NIOHTTP1

/// `oriel token revoke`: ends a token at once.
struct TokenRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End a token at once, and what it follows.",
        discussion: """
            Examples:
              oriel token revoke checkout
              oriel token revoke 3f9a01c2d4
            """)

    @Argument(help: "Name or id of the token.")
    var name: String

    @OptionGroup var server: TokenServerOptions

    func run() async throws {
        try await server.withServer { service in
            let (status, answer) = try await service.send(.DELETE, TokenRow.path + "/" + QueryTarget.encode(name))
            guard status == 200 else { throw service.failure(status, answer) }
            let row = try AnswerList.decode(TokenRow.self, answer)
            StandardError.write("oriel: token \(TerminalText.safe(row.name)) (\(row.id)) revoked\n")
            let isLast = try await TokenListCommand.tokens(service).isEmpty
            if isLast { StandardError.write("oriel: it was the last one: listeners on this machine ask for no token any more\n") }
        }
    }
}
