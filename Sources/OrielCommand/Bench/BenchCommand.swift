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
              oriel bench query --rows 1000000
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

/// Options of both measurements.
struct BenchOptions: ParsableArguments {
    @Option(help: "Rows to send: spans, log records or samples.")
    var rows = 1_000_000

    @Option(help: "Connections that send at once.")
    var connections = 4

    @Option(name: .customLong("batch-rows"), help: "Rows per request, about.")
    var batchRows = 8192

    @Option(help: "A server to send to, as http://HOST:PORT. Without it one is started and measured.")
    var endpoint: String?

    @Option(help: "How request bodies are compressed: none, gzip or zstd.")
    var compression = BenchCompression.none

    @Option(
        help: ArgumentHelp(
            "Seed of the random telemetry; the same seed makes the same ids. By default 1, or another in each run with --endpoint, since that store may "
                + "hold an earlier run.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Where the measured server's temporary folder is made.", valueName: "dir"))
    var folder: String?

    @Option(help: "How results are printed: table or json.")
    var output = BenchOutput.table

    /// The seed as given, or as chosen once for this run.
    func chosenSeed() -> UInt64 {
        seed ?? (endpoint == nil ? 1 : UInt64(bitPattern: Timestamp.now.nanoseconds) % 1_000_000_000)
    }

    func validate() throws {
        guard rows > 0 else { throw ValidationError("--rows must be at least 1") }
        guard (1...512).contains(connections) else { throw ValidationError("--connections must be from 1 to 512") }
        guard (1...1_000_000).contains(batchRows) else { throw ValidationError("--batch-rows must be from 1 to 1000000") }
    }
}

extension BenchReport {
    /// Prints what was asked for.
    func show(_ output: BenchOutput) {
        print(output == .table ? table : json)
    }
}
