public import Logging
public import Oriel
public import OrielClient
import OrielTelemetry
import Tracing
import CoreMetrics

/// What a block of code emitted; see ``captureTelemetry(logLevel:_:)``.
///
/// Spans and log lines show up when they are finished, in the order in which they were. Its thread ends when nobody has the capture any more.
public final class TelemetryCapture: Sendable {
    /// A tracer whose spans are captured: for code that is given one.
    public let tracer: Oriel.Tracer
    /// A factory whose instruments are captured: for code that is given one.
    public let metricsFactory: Oriel.RegistryMetricsFactory
    /// A logger whose lines are captured: for code that is given one.
    public let logger: Logger

    private let registry = MetricRegistry(configuration: .init(reportsItself: false))
    private let exporter = MemoryExporter()
    private let pipeline: DeliveryPipeline

    /// How long reading waits for what was emitted just before to arrive. It is there within a few milliseconds.
    private static let patience: Int64 = 30_000_000_000

    init(logLevel: Logger.Level) throws(DeliveryError) {
        var configuration = DeliveryConfiguration()
        // A test may emit much before it looks.
        configuration.queueBytes = 256 << 20
        configuration.logDelay = .milliseconds(20)
        configuration.spanDelay = .milliseconds(20)
        let pipeline = try DeliveryPipeline(name: "oriel-testing", exporter: exporter, resource: Resource(), configuration: configuration)
        self.pipeline = pipeline
        tracer = Oriel.Tracer(queues: [pipeline.spans])
        metricsFactory = Oriel.RegistryMetricsFactory(registry: registry)
        logger = Logger(label: "test") { label in Oriel.LogHandler(label: label, queues: [pipeline.logs], logLevel: logLevel) }
    }

    private func wait() {
        pipeline.flushBlocking(deadline: Timestamp.now.advanced(by: Self.patience))
    }

    // MARK: Spans

    /// All finished spans.
    public var spans: [CapturedSpan] {
        wait()
        return exporter.spans
    }

    /// The finished spans of a name.
    public func spans(named name: String) -> [CapturedSpan] { spans.filter { $0.name == name } }

    /// The finished spans that have `parent` as their parent.
    public func children(of parent: CapturedSpan) -> [CapturedSpan] {
        spans.filter { $0.traceID == parent.traceID && $0.parentSpanID == parent.spanID }
    }

    /// Names that a span has several children of, and how many: `#expect(capture.repetitions(below: handler, atLeast: 3).isEmpty)` finds the query in a loop.
    public func repetitions(below parent: CapturedSpan, atLeast count: Int = 2) -> [String: Int] {
        Dictionary(children(of: parent).map { ($0.name, 1) }, uniquingKeysWith: +).filter { $0.value >= count }
    }

    // MARK: Log lines

    /// All log lines.
    public var logs: [CapturedLog] {
        wait()
        return exporter.logs
    }

    /// The log lines of a span.
    public func logs(of span: CapturedSpan) -> [CapturedLog] { logs.filter { $0.traceID == span.traceID && $0.spanID == span.spanID } }

    // MARK: Metrics

    /// All metrics as they are now.
    public var metrics: MetricSnapshot { registry.snapshot() }

    /// The value of a counter or a gauge; `nil` if nothing asked for it.
    ///
    /// - Parameters:
    ///   - name: as in Prometheus' text, with or without `_total`.
    ///   - labels: all labels of the series.
    public func value(of name: String, labels: [String: String] = [:]) -> Double? {
        switch point(name, labels) {
        case .counter(let value, _)?: value
        case .gauge(let value)?: value
        case .info?: 1
        case .histogram?, .exponentialHistogram?, nil: nil
        }
    }

    /// How many values a histogram, a timer or a recorder has taken; `nil` if nothing asked for it.
    public func count(of name: String, labels: [String: String] = [:]) -> Int? {
        switch point(name, labels) {
        case .histogram(let histogram)?: Int(clamping: histogram.count)
        case .exponentialHistogram(let histogram)?: Int(clamping: histogram.count)
        case .counter?, .gauge?, .info?, nil: nil
        }
    }

    private func point(_ name: String, _ labels: [String: String]) -> MetricSnapshot.Point? {
        let families = metrics.families
        // Of counters alone the ending is the text's; a gauge may be named that way.
        let family =
            families.first { $0.name == name } ?? families.first { $0.kind == .counter && $0.name + "_total" == name }
        return family?.series.first { series in
            series.labels.count == labels.count && series.labels.allSatisfy { labels[$0.name] == $0.value }
        }?.point
    }
}

/// Runs a block of code and captures the telemetry that it emits through swift-log, swift-metrics and swift-distributed-tracing.
///
/// ```swift
/// @Test func aCheckoutAsksTheDatabaseOnce() async throws {
///     let capture = try await captureTelemetry { capture in
///         try await checkout(cart)
///         return capture
///     }
///     let request = try #require(capture.spans(named: "checkout").first)
///     #expect(capture.repetitions(below: request).isEmpty)
///     #expect(capture.value(of: "orders_total") == 1)
/// }
/// ```
///
/// Within the block `Logger.current`, `MetricsSystem.factory` and the tracer of `withSpan` are those of the capture, for this task and its children only: tests may run in parallel, and what
/// the process has bootstrapped is untouched. Code that was given its logger, its instruments or its tracer before the block keeps them, so what it emits is not captured; hand it
/// ``TelemetryCapture/logger``, ``TelemetryCapture/metricsFactory`` or ``TelemetryCapture/tracer``.
///
/// - Parameter logLevel: the least severe lines that are captured.
/// - Throws: what the block throws, or that the system has no thread to give.
nonisolated(nonsending) public func captureTelemetry<Value>(
    logLevel: Logger.Level = .trace, _ body: nonisolated(nonsending) (TelemetryCapture) async throws -> Value
) async throws -> Value {
    let capture = try TelemetryCapture(logLevel: logLevel)
    return try await withLogger(capture.logger) { _ in
        try await withMetricsFactory(capture.metricsFactory) {
            try await withTracer(capture.tracer) {
                try await body(capture)
            }
        }
    }
}
