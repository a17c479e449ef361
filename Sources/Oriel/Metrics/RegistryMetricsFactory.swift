public import CoreMetrics
public import OrielClient
import Tracing

extension Oriel {
    /// A swift-metrics backend that keeps all metrics in a registry.
    ///
    /// ```swift
    /// let registry = Oriel.MetricRegistry()
    /// var factory = Oriel.RegistryMetricsFactory(registry: registry)
    /// factory.units["response.size"] = "By"
    /// factory.buckets["db.query"] = .explicit([0.001, 0.01, 0.1, 1])
    /// MetricsSystem.bootstrap(factory)
    /// ```
    ///
    /// Labels become metric names by Prometheus' rules (`http.requests` is `http_requests_total`) in a scrape, and are what they are in a push. Timers are histograms in seconds,
    /// recorders are histograms, or gauges when they do not aggregate, meters are gauges. The instruments of the registry are the
    /// handlers themselves, so a call costs no more than one on them; nothing traps, see ``MetricRegistry``.
    ///
    /// Asking for an instrument again costs one hashed lookup and allocates nothing.
    ///
    /// What is counted or recorded inside a sampled span is kept as an exemplar, linked to its trace: for each bucket and counter the first few after each scrape or push, and then one in
    /// 64, so that most calls do not pay for it.
    public struct RegistryMetricsFactory: MetricsFactory {
        /// Where the metrics are.
        public let registry: MetricRegistry
        /// Units by the label of a counter, meter or recorder, which has no place for one: a word or UCUM's symbol. It ends the metric's name. Timers are in seconds always.
        public var units: [String: String] { didSet { index = InstrumentIndex() } }
        /// Descriptions by label.
        public var help: [String: String] { didSet { index = InstrumentIndex() } }
        /// The buckets of timers (in seconds) and recorders by label, instead of the factory's general ones.
        public var buckets: [String: HistogramBuckets] { didSet { index = InstrumentIndex() } }
        private let timerBuckets: HistogramBuckets
        private let recorderBuckets: HistogramBuckets
        private let spans: SpanSource?
        /// What brings the metrics away lives as long as the factory and its instruments, which swift-metrics has keep it; `nil` where somebody else sees to that.
        var delivery: TelemetryDelivery?
        /// All copies of a factory share it, as long as they make the same of the same label.
        private var index = InstrumentIndex()

        /// - Parameters:
        ///   - timerBuckets: in seconds.
        ///   - recorderBuckets: exponential if not given, since nothing is known about the values.
        ///   - exemplars: which observations may be kept as exemplars. Which factory made an instrument decides for it.
        public init(
            registry: MetricRegistry,
            timerBuckets: HistogramBuckets = .seconds,
            recorderBuckets: HistogramBuckets = .exponential(),
            units: [String: String] = [:],
            help: [String: String] = [:],
            buckets: [String: HistogramBuckets] = [:],
            exemplars: ExemplarFilter = .traceBased
        ) {
            self.registry = registry
            self.timerBuckets = timerBuckets
            self.recorderBuckets = recorderBuckets
            self.units = units
            self.help = help
            self.buckets = buckets
            spans =
                switch exemplars {
                case .alwaysOff: nil
                case .traceBased: { () -> SpanReference? in ServiceContext.sampledSpan }
                case .alwaysOn: { () -> SpanReference? in ServiceContext.anySpan }
                }
        }

        public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { counter(label, dimensions) }

        public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler { counter(label, dimensions) }

        public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { gauge(label, dimensions) }

        public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
            aggregate ? histogram(label, dimensions, .histogram) : gauge(label, dimensions)
        }

        public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { histogram(label, dimensions, .timer) }

        public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
        public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
        public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
        public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
        public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

        private func counter(_ label: String, _ dimensions: [(String, String)]) -> OrielClient.Counter {
            let key = InstrumentIndex.Key(.counter, label, dimensions)
            if case .counter(let known)? = index.find(key) { return known }
            let found = registry.findCounter(
                label, labels: MetricLabels(dimensions), help: help[label] ?? "", unit: units[label] ?? "", spans: spans)
            if !found.isShared { index.insert(.counter(found.instrument), under: key) }
            return found.instrument
        }

        private func gauge(_ label: String, _ dimensions: [(String, String)]) -> OrielClient.Gauge {
            let key = InstrumentIndex.Key(.gauge, label, dimensions)
            if case .gauge(let known)? = index.find(key) { return known }
            let found = registry.findGauge(label, labels: MetricLabels(dimensions), help: help[label] ?? "", unit: units[label] ?? "")
            if !found.isShared { index.insert(.gauge(found.instrument), under: key) }
            return found.instrument
        }

        private func histogram(_ label: String, _ dimensions: [(String, String)], _ kind: InstrumentIndex.Kind) -> OrielClient.Histogram {
            let key = InstrumentIndex.Key(kind, label, dimensions)
            if case .histogram(let known)? = index.find(key) { return known }
            let isTimer = kind == .timer
            let found = registry.findHistogram(
                label, labels: MetricLabels(dimensions), help: help[label] ?? "", unit: isTimer ? "s" : units[label] ?? "",
                buckets: buckets[label] ?? (isTimer ? timerBuckets : recorderBuckets), spans: spans)
            if !found.isShared { index.insert(.histogram(found.instrument), under: key) }
            return found.instrument
        }

        /// Another factory's handler is none of ours.
        private func remove(_ handler: AnyObject) {
            switch handler {
            case let counter as OrielClient.Counter: registry.remove(counter)
            case let gauge as OrielClient.Gauge: registry.remove(gauge)
            case let histogram as OrielClient.Histogram: registry.remove(histogram)
            default: break
            }
        }
    }
}

extension ServiceContext {
    /// The span that the running task or thread is in, if it is sampled.
    fileprivate static var sampledSpan: SpanReference? {
        guard let context = ServiceContext.current?.spanContextReference?.context, context.isSampled else { return nil }
        return SpanReference(traceID: context.traceID, spanID: context.spanID)
    }

    /// The span that the running task or thread is in, sampled or not; with zeros outside any.
    fileprivate static var anySpan: SpanReference {
        guard let context = ServiceContext.current?.spanContextReference?.context else { return SpanReference(traceID: .zero, spanID: .zero) }
        return SpanReference(traceID: context.traceID, spanID: context.spanID)
    }
}

extension OrielClient.Counter: CounterHandler, FloatingPointCounterHandler {
    public func increment(by amount: Int64) {
        increment(by: Int(clamping: amount))
    }
}

extension OrielClient.Gauge: MeterHandler, RecorderHandler {
    public func set(_ value: Int64) { set(Double(value)) }
    public func increment(by amount: Double) { add(amount) }
    public func decrement(by amount: Double) { add(-amount) }
    public func record(_ value: Int64) { set(Double(value)) }
    public func record(_ value: Double) { set(value) }
}

extension OrielClient.Histogram: RecorderHandler, TimerHandler {
    public func record(_ value: Int64) { record(Double(value)) }
    /// Timers count in seconds.
    public func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    /// Changes nothing: a unit for display is the dashboard's, and series of one name must not differ in theirs.
    public func preferDisplayUnit(_ unit: TimeUnit) {}
}
