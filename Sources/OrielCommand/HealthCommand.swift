import ArgumentParser
import FoundationEssentials
import OrielCollector

/// `oriel health`: whether a server is there and ready.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Ask a server whether it is ready.",
        discussion: """
            For the health checks of containers, which have no other client. Exit status 0 means ready; 1 that it starts, stops or cannot be reached.

            Examples:
              oriel health
              oriel health --data /var/lib/oriel
              oriel health --server http://localhost:4318
            """)

    @Option(
        help: ArgumentHelp(
            "Server to ask: http://HOST:PORT, HOST:PORT or unix:/PATH. Environment: ORIEL_SERVER. By default the one on the data folder's socket.",
            valueName: "url"))
    var server: String?

    @Option(help: ArgumentHelp("Ask the server of this data folder.", valueName: "dir"), completion: .directory)
    var data: String?

    func validate() throws {
        if server != nil, data != nil { throw ValidationError("--server and --data exclude each other: both name a server") }
    }

    func run() async throws {
        let server = try address()
        try await HTTPQueryService.with(try HTTPQueryService.baseURL(server), name: server) { service in
            let (status, body) = try await service.get("/-/ready")
            guard status == 200 else { throw service.failure(status, body) }
            var output = StandardOutput()
            try output.line("\(server) is ready")
            try output.flush()
        }
    }

    private func address() throws -> String {
        if data == nil, let server = server ?? Terminal.environment("ORIEL_SERVER") { return server }
        do {
            let folder = try DataFolder.choose(flag: data, file: nil, environment: ProcessInfo.processInfo.environment).path
            return "unix:" + CollectorConfiguration.socketPath(dataFolder: folder)
        } catch {
            throw CommandFailure("\(error)", .usage)
        }
    }
}
