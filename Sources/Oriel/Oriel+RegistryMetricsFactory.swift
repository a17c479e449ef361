public import CoreMetrics
public import OrielClient

extension Oriel {
    /// A swift-metrics backend that keeps all metrics in a registry.
    ///
    /// ```swift
    /// let registry = Oriel.MetricRegistry()
    /// MetricsSystem.bootstrap(Oriel.RegistryMetricsFactory(registry: registry))
    /// ```
    ///
    /// Labels become metric names by Prometheus' rules (`http.requests` is `http_requests_total`). Timers are histograms in seconds,
    /// recorders are histograms, or gauges when they do not aggregate, meters are gauges. The instruments of the registry are the
    /// handlers themselves, so a call costs no more than one on them; nothing traps, see ``MetricRegistry``.
    public struct RegistryMetricsFactory: MetricsFactory {
        public let registry: MetricRegistry
        private let timerBuckets: HistogramBuckets
        private let recorderBuckets: HistogramBuckets

        /// - Parameters:
        ///   - timerBuckets: in seconds.
        ///   - recorderBuckets: exponential if not given, since nothing is known about the values.
        public init(
            registry: MetricRegistry,
            timerBuckets: HistogramBuckets = .seconds,
            recorderBuckets: HistogramBuckets = .exponential()
        ) {
            self.registry = registry
            self.timerBuckets = timerBuckets
            self.recorderBuckets = recorderBuckets
        }

        public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
            registry.counter(label, labels: MetricLabels(dimensions))
        }

        public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
            registry.counter(label, labels: MetricLabels(dimensions))
        }

        public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
            registry.gauge(label, labels: MetricLabels(dimensions))
        }

        public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
            aggregate
                ? registry.histogram(label, labels: MetricLabels(dimensions), buckets: recorderBuckets)
                : registry.gauge(label, labels: MetricLabels(dimensions))
        }

        public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
            registry.histogram(label, labels: MetricLabels(dimensions), unit: "s", buckets: timerBuckets)
        }

        public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
        public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
        public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
        public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
        public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

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
}
