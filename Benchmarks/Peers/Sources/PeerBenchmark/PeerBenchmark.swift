import Glibc

/// Prints what calls cost with this library and with its peers, each above the same call with a backend that does nothing.
@main
enum PeerBenchmark {
    static func main() throws {
        guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
            print(Options.usage)
            exit(2)
        }
        var report = Report(options: options)
        let peers = try Peers()
        try MetricRows(options: options).measure(&report)
        LogRows(peers: peers, options: options).measure(&report)
        SpanRows(peers: peers, options: options).measure(&report)
        print(report.table)
        // A dropped record costs less than one that is kept: figures of a run that dropped some are worth nothing.
        if peers.dropped > 0 { print("\nOriel dropped \(peers.dropped) records in this run.") }
    }
}
