import ArgumentParser
import OrielCompression
import OrielTelemetry

/// `oriel bench`: how much a machine can take in and how fast it answers.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how much telemetry this machine takes in, and how fast it answers.",
        discussion: """
            Without --endpoint a server of its own is started in a temporary folder and measured from outside, so that its CPU time, memory and disk
            space are known too.

            Examples:
              oriel bench ingest --signal spans --rows 1000000 --connections 4
              oriel bench ingest --signal samples --rows 10000000 --compression zstd --output json
              oriel bench ingest --signal logs --protocol grpc --rows-per-request 100 --rate 50000
              oriel bench query --rows 1000000
              oriel bench ingest --rows 10000000 --data ./store && oriel bench query --data ./store
            """,
        subcommands: [BenchIngestCommand.self, BenchQueryCommand.self])
}

/// How results are printed.
enum BenchOutput: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
}

extension LoadRun.Signal: ExpressibleByArgument {}

/// Encodings that requests can be sent with.
enum BenchCompression: String, ExpressibleByArgument, CaseIterable {
    case none
    case gzip
    case zstd

    var encoding: ContentEncoding {
        switch self {
        case .none: .identity
        case .gzip: .gzip
        case .zstd: .zstd
        }
    }
}

extension ExportProtocol: ExpressibleByArgument {}

/// Options of both measurements.
struct BenchOptions: ParsableArguments {
    @Option(help: "Rows to send: spans, log records or samples. (default: 1000000; for questions to the store of --data none)")
    var rows: Int?

    @Option(help: "Connections that send at once.")
    var connections = 4

    @Option(name: .customLong("rows-per-request"), help: "Rows per request, about.")
    var rowsPerRequest = 8192

    @Option(name: .customLong("protocol"), help: "How OTLP is sent: http (protobuf) or grpc.")
    var transport = ExportProtocol.http

    @Option(help: "A server to send to, as http://HOST:PORT. Without it one is started and measured.")
    var endpoint: String?

    @Option(help: "How request bodies are compressed: none, gzip or zstd.")
    var compression = BenchCompression.none

    @Option(
        help: ArgumentHelp(
            "Seed of the random telemetry; the same seed makes the same ids. By default 1, or another in each run with --endpoint or --data, since that "
                + "store may hold an earlier run.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Where the measured server's temporary folder is made.", valueName: "dir"))
    var folder: String?

    @Option(
        name: [.customLong("data"), .customLong("keep")],
        help: ArgumentHelp(
            "The measured server's data folder, which stays: a store that is there already grows. Without it a temporary one is used.", valueName: "dir"))
    var data: String?

    @Option(help: "How results are printed: table or json.")
    var output = BenchOutput.table

    /// The seed as given, or as chosen once for this run.
    func chosenSeed() -> UInt64 {
        seed ?? (endpoint == nil && data == nil ? 1 : UInt64(bitPattern: Timestamp.now.nanoseconds) % 1_000_000_000)
    }

    func validate() throws {
        guard rows ?? 0 >= 0 else { throw ValidationError("--rows must be at least 0") }
        guard (1...512).contains(connections) else { throw ValidationError("--connections must be from 1 to 512") }
        guard (1...1_000_000).contains(rowsPerRequest) else { throw ValidationError("--rows-per-request must be from 1 to 1000000") }
        if let endpoint {
            do {
                _ = try LoadEndpoint(parsing: endpoint)
            } catch {
                throw ValidationError("--endpoint: \(error)")
            }
        }
        guard endpoint == nil || (data == nil && folder == nil) else {
            throw ValidationError("--endpoint names a server that runs elsewhere; --data, --keep and --folder are for one that is started here")
        }
    }

    /// A load of these options.
    func load(_ signal: LoadRun.Signal, to endpoint: LoadEndpoint, rows: Int, seed: UInt64) -> LoadRun {
        var run = LoadRun(signal: signal, endpoint: endpoint, rows: rows, connections: connections, rowsPerRequest: rowsPerRequest)
        run.transport = transport
        run.compression = compression.encoding
        run.seed = seed
        return run
    }
}

extension BenchReport {
    /// Prints what was asked for.
    func show(_ output: BenchOutput) {
        print(output == .table ? table : json)
    }
}
