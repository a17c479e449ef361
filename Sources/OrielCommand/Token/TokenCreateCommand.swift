import ArgumentParser
import FoundationEssentials
import NIOHTTP1
import OrielCollector
import OrielTelemetry

/// `oriel token create`: a new token, printed once.
struct TokenCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a token and print it, this once.",
        discussion: """
            The token alone goes to standard output. The server keeps its hash only: who loses it makes another.

            Examples:
              oriel token create checkout --scope ingest
              export ORIEL_TOKEN=$(oriel token create me --scope query)
            """)

    enum Scope: String, ExpressibleByArgument, CaseIterable {
        case ingest
        case query
        case metrics
        case admin
    }

    @Argument(help: "A name to know the token by.")
    var name: String

    @Option(help: ArgumentHelp("What it is for: ingest, query, metrics or admin. May be repeated.", valueName: "scope"))
    var scope: [Scope]

    @Option(help: ArgumentHelp("What it writes and reads is this tenant's only.", valueName: "tenant"))
    var tenant: String?

    @Option(help: ArgumentHelp("Requests in progress at most.", valueName: "number"))
    var maxRequests: Int?

    @Option(help: ArgumentHelp("Queries in progress at most.", valueName: "number"))
    var maxQueries: Int?

    @Option(help: ArgumentHelp("Telemetry a second at most, as 4MiB.", valueName: "size"))
    var ingestRate: String?

    @OptionGroup var server: TokenServerOptions

    func validate() throws {
        if scope.isEmpty { throw ValidationError("a token needs at least one --scope: ingest, query, metrics or admin") }
    }

    func run() async throws {
        let body = try body()
        try await server.withServer { service in
            let (status, answer) = try await service.send(.POST, TokenRow.path, body: body)
            guard status == 201 else { throw service.failure(status, answer) }
            let made = try AnswerList.decode(TokenRow.self, answer)
            var output = StandardOutput()
            try output.line(made.token ?? "")
            try output.flush()
            let count = try await TokenListCommand.tokens(service).count
            var note = "oriel: token \(made.name) (\(made.id)) made; it cannot be shown again\n"
            if count == 1 { note += "oriel: it is the first one: from now on TCP listeners ask for a token\n" }
            StandardError.write(note)
        }
    }

    private func body() throws -> [UInt8] {
        var rate: Int?
        if let ingestRate {
            guard let bytes = SizeText.parse(ingestRate), bytes > 0 else {
                throw CommandFailure("--ingest-rate \(TerminalText.safe(ingestRate)) is no size; expected one such as 4MiB", .usage)
            }
            rate = bytes
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("name")
            writer.string(name)
            writer.key("scopes")
            writer.array { writer in
                for scope in scope { writer.string(scope.rawValue) }
            }
            if let tenant {
                writer.key("tenant")
                writer.string(tenant)
            }
            writer.key("limits")
            writer.object { writer in
                for (name, limit) in [("requests", maxRequests), ("queries", maxQueries), ("ingest_bytes_per_second", rate)] {
                    guard let limit else { continue }
                    writer.key(name)
                    writer.integer(limit)
                }
            }
        }
        return writer.bytes
    }
}
