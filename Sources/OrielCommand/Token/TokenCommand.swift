import ArgumentParser
import FoundationEssentials
import OrielCollector
import OrielTelemetry

/// `oriel token`: who may send and ask.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make, list and revoke the tokens that a server asks for.",
        discussion: """
            Tokens are managed over the socket in the server's data folder, which only its user can open. As soon as there is one token, TCP listeners ask for one;
            the socket does not. A token with a tenant writes and reads that tenant's telemetry only.

            Examples:
              oriel token create checkout --scope ingest
              oriel token create acme --scope ingest --scope query --tenant acme --ingest-rate 4MiB
              oriel token list
              oriel token revoke checkout
            """,
        subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self])
}

/// The server whose tokens are meant.
struct TokenServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Data folder of the server. Environment: ORIEL_DATA.", valueName: "dir"), completion: .directory)
    var data: String?

    /// Connects to the socket in the data folder.
    func withServer(_ body: (HTTPQueryService) async throws -> Void) async throws {
        let folder: String
        do {
            folder = try DataFolder.choose(flag: data, file: nil, environment: ProcessInfo.processInfo.environment).path
        } catch {
            throw CommandFailure("\(error)", .usage)
        }
        let socket = CollectorConfiguration.socketPath(dataFolder: folder)
        guard FileManager.default.fileExists(atPath: socket) else {
            throw CommandFailure(
                "no server runs on the data folder \(folder) (there is no \(socket)); start one with `oriel serve`, or give it tokens with --tokens-file before"
            )
        }
        try await HTTPQueryService.with(try HTTPQueryService.baseURL("unix:" + socket), name: "the server at \(socket)", body)
    }
}

/// A token as the server lists it.
struct TokenRow: Decodable {
    struct Limits: Decodable {
        var requests: Int?
        var queries: Int?
        var ingestBytesPerSecond: Int?

        enum CodingKeys: String, CodingKey {
            case requests
            case queries
            case ingestBytesPerSecond = "ingest_bytes_per_second"
        }
    }

    static let path = "/api/oriel/admin/v1/tokens"

    var id: String
    var name: String
    var token: String?
    var scopes: [String]
    var tenant: String?
    var limits: Limits
    var created: String?
    var origin: String

    /// The limits in words, empty without any.
    var limitText: String {
        var parts: [String] = []
        if let requests = limits.requests { parts.append("\(requests) requests") }
        if let queries = limits.queries { parts.append("\(queries) queries") }
        if let rate = limits.ingestBytesPerSecond { parts.append("\(rate) B/s") }
        return parts.joined(separator: ", ")
    }
}
