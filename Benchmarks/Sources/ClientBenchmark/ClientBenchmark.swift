import Glibc
import Oriel

/// Prints what calls of the client library cost, each above the same call with a backend that does nothing.
@main
enum ClientBenchmark {
    static func main() throws {
        guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
            print(Options.usage)
            exit(2)
        }
        var report = Report()
        StartBenchmark.run(options, &report)
        let pipeline = try Oriel.DeliveryPipeline.toNowhere()
        let second = try Oriel.DeliveryPipeline.toNowhere()
        let tracer = Oriel.Tracer(queues: [pipeline.spans])
        LogBenchmark(pipelines: [pipeline, second], tracer: tracer, options: options).run(&report)
        MetricBenchmark(tracer: tracer, options: options).run(&report)
        SpanBenchmark(pipeline: pipeline, tracer: tracer, options: options).run(&report)
        DeliveryBenchmark(pipeline: pipeline, tracer: tracer, options: options).run(&report)
        // A dropped record costs less than one that is kept: figures of a run that dropped some are worth nothing.
        let dropped = [pipeline, second].reduce(0) { $0 + $1.statistics[.logs].droppedTotal + $1.statistics[.spans].droppedTotal }
        report.add("records dropped in this run", Double(dropped), "", aim: 0)
        print(options.isJSON ? report.json : report.table)
        if !options.isJSON { print("\nBenchmarks/Peers compares with swift-prometheus and swift-otel.") }
    }
}
