import OrielTelemetry

extension MetricRegistry {
    // MARK: Requests that are met as well as possible

    /// The counter of this name and these labels, made if there is none. Invalid characters in names become underscores; a request that
    /// cannot be met is counted and answered with a counter that is not exported.
    public func counter(_ name: String, labels: MetricLabels = [:], help: String = "", unit: String = "") -> Counter {
        do {
            return try findCounter(name, labels, help, unit, isStrict: false)
        } catch {
            faults.reject(name, error)
            return detachedCounter
        }
    }

    /// The gauge of this name and these labels, with the leniency of ``counter(_:labels:help:unit:)``.
    public func gauge(_ name: String, labels: MetricLabels = [:], help: String = "", unit: String = "") -> Gauge {
        do {
            return try findGauge(name, labels, help, unit, isStrict: false)
        } catch {
            faults.reject(name, error)
            return detachedGauge
        }
    }

    /// The histogram of this name and these labels, with the leniency of ``counter(_:labels:help:unit:)``. All series of one name have
    /// the buckets that the first one asked for.
    public func histogram(
        _ name: String,
        labels: MetricLabels = [:],
        help: String = "",
        unit: String = "",
        buckets: HistogramBuckets = .seconds
    ) -> Histogram {
        do {
            return try findHistogram(name, labels, help, unit, buckets, isStrict: false)
        } catch {
            faults.reject(name, error)
            return detachedHistogram
        }
    }

    // MARK: Requests that are met exactly or not at all

    /// As ``counter(_:labels:help:unit:)``, but throws what is wrong.
    public func registerCounter(
        _ name: String,
        labels: MetricLabels = [:],
        help: String = "",
        unit: String = ""
    ) throws(MetricRegistrationError) -> Counter {
        try findCounter(name, labels, help, unit, isStrict: true)
    }

    /// As ``gauge(_:labels:help:unit:)``, but throws what is wrong.
    public func registerGauge(
        _ name: String,
        labels: MetricLabels = [:],
        help: String = "",
        unit: String = ""
    ) throws(MetricRegistrationError) -> Gauge {
        try findGauge(name, labels, help, unit, isStrict: true)
    }

    /// As ``histogram(_:labels:help:unit:buckets:)``, but throws what is wrong.
    public func registerHistogram(
        _ name: String,
        labels: MetricLabels = [:],
        help: String = "",
        unit: String = "",
        buckets: HistogramBuckets = .seconds
    ) throws(MetricRegistrationError) -> Histogram {
        try findHistogram(name, labels, help, unit, buckets, isStrict: true)
    }

    /// Adds a counter whose value is read by `reading` at each scrape. It must not go down; a negative or NaN reading is left out and
    /// counted.
    /// - Parameter reading: is called on the thread that takes a snapshot, without a lock; it should be quick.
    /// - Throws: also when the series exists.
    public func registerCounter(
        _ name: String,
        labels: MetricLabels = [:],
        help: String = "",
        unit: String = "",
        reading: @escaping @Sendable () -> Double
    ) throws(MetricRegistrationError) {
        try addSeries(.init(name: name, labels: labels, kind: .counter, help: help, unit: unit, isStrict: true), .reading(reading))
    }

    /// Adds a gauge whose value is read by `reading` at each scrape.
    /// - Parameter reading: is called on the thread that takes a snapshot, without a lock; it should be quick.
    /// - Throws: also when the series exists.
    public func registerGauge(
        _ name: String,
        labels: MetricLabels = [:],
        help: String = "",
        unit: String = "",
        reading: @escaping @Sendable () -> Double
    ) throws(MetricRegistrationError) {
        try addSeries(.init(name: name, labels: labels, kind: .gauge, help: help, unit: unit, isStrict: true), .reading(reading))
    }

    /// Adds a series with the value one whose labels are what it tells: `oriel_build_info{version="1.0"}`.
    /// - Parameter name: with or without the ending `_info`.
    /// - Throws: also when the series exists.
    public func registerInfo(_ name: String, labels: MetricLabels, help: String = "") throws(MetricRegistrationError) {
        try addSeries(.init(name: name, labels: labels, kind: .info, help: help, unit: "", isStrict: true), .info)
    }

    // MARK: Taking back

    /// Stops to export `counter`, which still works. Asking for its name and labels again makes a new one. What it has counted is pushed once more by each ``MetricPush``.
    public func remove(_ counter: Counter) {
        remove(from: counter.family) { if case .counter(let other) = $0 { other === counter } else { false } }
    }

    /// Stops to export `gauge`, as ``remove(_:)-(Counter)``.
    public func remove(_ gauge: Gauge) {
        remove(from: gauge.family) { if case .gauge(let other) = $0 { other === gauge } else { false } }
    }

    /// Stops to export `histogram`, as ``remove(_:)-(Counter)``.
    public func remove(_ histogram: Histogram) {
        remove(from: histogram.family) { if case .histogram(let other) = $0 { other === histogram } else { false } }
    }

    // MARK: Common part

    private func findCounter(
        _ name: String, _ labels: MetricLabels, _ help: String, _ unit: String, isStrict: Bool
    ) throws(MetricRegistrationError) -> Counter {
        let request = Request(name: name, labels: labels, kind: .counter, help: help, unit: unit, isStrict: isStrict)
        return try counter(request).counter
    }

    func counter(_ request: Request) throws(MetricRegistrationError) -> (counter: Counter, series: Series) {
        let series = try series(request) { .counter(Counter(family: $0.name, faults: faults, spans: request.spans)) }
        guard case .counter(let counter) = series.source else { throw .seriesTaken(request.name) }
        return (counter, series)
    }

    private func findGauge(
        _ name: String, _ labels: MetricLabels, _ help: String, _ unit: String, isStrict: Bool
    ) throws(MetricRegistrationError) -> Gauge {
        let request = Request(name: name, labels: labels, kind: .gauge, help: help, unit: unit, isStrict: isStrict)
        return try gauge(request).gauge
    }

    func gauge(_ request: Request) throws(MetricRegistrationError) -> (gauge: Gauge, series: Series) {
        let series = try series(request) { .gauge(Gauge(family: $0.name, faults: faults)) }
        guard case .gauge(let gauge) = series.source else { throw .seriesTaken(request.name) }
        return (gauge, series)
    }

    private func findHistogram(
        _ name: String, _ labels: MetricLabels, _ help: String, _ unit: String, _ buckets: HistogramBuckets, isStrict: Bool
    ) throws(MetricRegistrationError) -> Histogram {
        let request = Request(
            name: name, labels: labels, kind: .histogram, help: help, unit: unit, buckets: buckets, isStrict: isStrict)
        return try histogram(request).histogram
    }

    func histogram(_ request: Request) throws(MetricRegistrationError) -> (histogram: Histogram, series: Series) {
        let series = try series(request) {
            .histogram(Histogram(family: $0.name, buckets: $0.buckets ?? .explicit([]), faults: faults, spans: request.spans))
        }
        guard case .histogram(let histogram) = series.source else { throw .seriesTaken(request.name) }
        return (histogram, series)
    }

    private func addSeries(_ request: Request, _ source: Series.Source) throws(MetricRegistrationError) {
        var isNew = false
        _ = try series(request) { _ in
            isNew = true
            return source
        }
        guard isNew else { throw .seriesTaken(request.name) }
    }
}
