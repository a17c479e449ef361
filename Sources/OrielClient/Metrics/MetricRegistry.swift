import OrielTelemetry
import Synchronization

/// All metrics of a process, kept once and read by whoever exports them: as Prometheus text, as OpenMetrics, as OTLP.
///
/// Asking for an instrument that exists gives the same one, whatever the order of its labels, and allocates nothing. Instruments may be
/// kept or asked for again each time; keeping them is faster.
///
/// Names follow Prometheus: a counter `http_requests` (given with or without `_total`) appears as `http_requests_total`, and a unit,
/// given as a word or by its UCUM symbol, ends the name (`request_duration` in `s` is `request_duration_seconds`). That is what a scrape
/// shows; a push has the names, the units and the keys of labels as they were given first, as long as receivers make the same series of them.
///
/// Nothing here traps. The functions named `register…` throw what is wrong with a request; the others make the best of it and count it:
/// invalid characters become underscores (the dots of OpenTelemetry's names without being counted), and where nothing fits, the instrument that comes back works but is not exported.
public final class MetricRegistry: Sendable {
    /// The bounds of a registry.
    public struct Configuration: Sendable {
        /// The most series of one metric, the one for overflow included. Label sets beyond it are counted in a series with the single label
        /// `otel_metric_overflow="true"`. 2,000 is OpenTelemetry's default.
        public var seriesLimit: Int
        /// The most metrics.
        public var familyLimit: Int
        /// Whether snapshots hold the registry's own metrics, `oriel_metric_registry_…`.
        public var reportsItself: Bool

        public init(seriesLimit: Int = 2000, familyLimit: Int = 10_000, reportsItself: Bool = true) {
            self.seriesLimit = max(seriesLimit, 2)
            self.familyLimit = max(familyLimit, 1)
            self.reportsItself = reportsItself
        }
    }

    struct Families: Sendable {
        var list: [Family] = []
        /// The family that owns each name which a line of text can begin with.
        var owners: [String: Family] = [:]
    }

    /// Its bounds.
    public let configuration: Configuration
    let faults: RegistryFaults
    let families = Mutex(Families())
    let collectors = Mutex(Collectors())
    /// Locked within a family's lock, never around it.
    let removals: Mutex<MetricRemovals>
    let start = Timestamp.now
    private let names: FamilyIndex
    private let index = SeriesIndex()

    /// What a request that cannot be met is answered with.
    let detachedCounter: Counter
    let detachedGauge: Gauge
    let detachedHistogram: Histogram

    /// An empty registry.
    ///
    /// - Parameter warn: is told of instruments that are not exported, or otherwise than asked, in sentences: once a name, and at most
    ///   32 names. Called by the thread that asks for the instrument, so it must not wait; returns whether it could pass the sentence on.
    ///   Without it they are only counted.
    public init(configuration: Configuration = Configuration(), warn: (@Sendable (String) -> Bool)? = nil) {
        self.configuration = configuration
        let faults = RegistryFaults(warn: warn)
        self.faults = faults
        names = FamilyIndex(limit: configuration.familyLimit)
        removals = Mutex(MetricRemovals(limit: configuration.seriesLimit))
        detachedCounter = Counter(family: "", faults: faults)
        detachedGauge = Gauge(family: "", faults: faults)
        detachedHistogram = Histogram(family: "", buckets: .explicit([]), faults: faults)
    }

    /// A request for a series.
    struct Request {
        var name: String
        var labels: MetricLabels
        var kind: MetricFamily.Kind
        var help: String
        var unit: String
        var buckets: HistogramBuckets?
        /// Tells a new instrument the spans for its exemplars.
        var spans: SpanSource?
        /// Whether to throw what is wrong, or to repair and count it where that is possible.
        var isStrict: Bool
    }

    /// Finds or makes a series.
    /// - Parameter makeSource: called, with a lock held, only for a new one.
    func series(_ request: Request, _ makeSource: (Family) -> Series.Source) throws(MetricRegistrationError) -> Series {
        let family = try family(request)
        let hash = request.labels.hash(in: family)
        if let found = index.find(request.labels, hash: hash, in: family) { return found }

        let (labels, spelling, keys) = try canonical(request)
        let wanted = MetricLabels(labels.map { ($0.name, $0.value) })
        let wantedHash = wanted.hash(in: family)
        // Under the family's lock, so that two threads do not make the same series.
        return family.state.withLock { state in
            if let found = index.find(wanted, hash: wantedHash, in: family) {
                if let spelling, state.aliases < configuration.seriesLimit {
                    state.aliases += 1
                    index.insert(found, under: spelling, hash: hash, in: family)
                }
                return found
            }
            if state.series.count >= configuration.seriesLimit - 1 {
                faults.overflowed.wrappingAdd(1, ordering: .relaxed)
                if let overflow = state.overflow { return overflow }
                let series = Series(labels: [overflowLabel], start: .now, source: makeSource(family))
                state.overflow = series
                return series
            }
            let series = Series(labels: labels, start: .now, source: makeSource(family))
            state.series.append(series)
            state.attributeKeys.note(labels, spelled: keys)
            index.insert(series, under: labels, hash: wantedHash, in: family)
            return series
        }
    }

    private func family(_ request: Request) throws(MetricRegistrationError) -> Family {
        let key = FamilyIndex.Key(name: request.name, unit: request.unit)
        if let entry = names.find(key), entry.isValid || !request.isStrict {
            try check(entry.family, fits: request)
            return entry.family
        }

        let isValid = MetricName.isValid(request.name)
        if !isValid {
            if request.isStrict { throw .invalidName(request.name) }
            if !MetricName.isDotted(request.name) { faults.repair(request.name, .invalidName(request.name)) }
        }
        var buckets = request.buckets
        if let fault = buckets?.fault {
            let error = MetricRegistrationError.invalidBuckets(request.name, reason: fault)
            if request.isStrict { throw error }
            faults.repair(request.name, error)
            buckets = buckets?.repaired
        }
        let name = MetricName.family(MetricName.sanitized(request.name), unit: request.unit, kind: request.kind)
        let limit = configuration.familyLimit
        let result = families.withLock { families -> Result<Family, MetricRegistrationError> in
            if let known = families.owners[name], known.name == name, known.kind == request.kind { return .success(known) }
            let reserved = MetricName.reserved(name, kind: request.kind)
            for name in reserved {
                if let owner = families.owners[name] {
                    return .failure(.nameTaken(name, by: owner.name, kind: owner.kind, requested: request.kind))
                }
            }
            guard families.list.count < limit else { return .failure(.tooManyMetrics(limit: limit)) }
            let instrument = MetricName.instrument(request.name, unit: request.unit, kind: request.kind, of: name)
            let family = Family(name: name, kind: request.kind, unit: request.unit, help: request.help, instrument: instrument, buckets: buckets)
            families.list.append(family)
            for name in reserved { families.owners[name] = family }
            return .success(family)
        }
        let family = try result.get()
        names.insert(.init(family: family, isValid: isValid), under: key)
        try check(family, fits: request)
        return family
    }

    private func check(_ family: Family, fits request: Request) throws(MetricRegistrationError) {
        guard family.kind == request.kind else {
            throw .nameTaken(request.name, by: family.name, kind: family.kind, requested: request.kind)
        }
        if request.isStrict, let buckets = request.buckets, buckets != family.buckets {
            throw .invalidBuckets(request.name, reason: "the metric exists with other ones")
        }
    }

    /// The labels as a series has them, sorted and valid, and, when they are spelled otherwise in the request, that spelling; and, by the
    /// names of the labels, the keys that differ from them and of which receivers make these names.
    private func canonical(
        _ request: Request
    ) throws(MetricRegistrationError) -> (labels: [MetricLabel], spelling: [MetricLabel]?, keys: [String: String]) {
        var labels: [MetricLabel] = []
        var keys: [String: String] = [:]
        var isRenamed = false
        var isCut = false
        for (name, value) in request.labels.pairs.sorted(by: { $0.0 < $1.0 }) {
            if value.isEmpty {
                // To Prometheus a label without a value is none.
                isRenamed = true
                continue
            }
            var label = MetricLabel(name: name, value: value)
            var fault = MetricName.labelFault(name, kind: request.kind)
            if let reason = fault, !request.isStrict {
                label.name = MetricName.sanitizedLabel(name, kind: request.kind)
                // One that got another beginning is another name, not another spelling.
                if !MetricName.isDotted(name) || label.name.utf8.count != name.utf8.count {
                    faults.repair(request.name, .invalidLabel(name, reason: reason))
                }
                isRenamed = true
                fault = nil
            }
            if labels.contains(where: { $0.name == label.name }) { fault = fault ?? "occurs twice" }
            if labels.count == MetricName.maximumLabels {
                fault = fault ?? "is one more than the \(MetricName.maximumLabels) that are kept"
            }
            if let fault {
                let error = MetricRegistrationError.invalidLabel(name, reason: fault)
                if request.isStrict { throw error }
                faults.repair(request.name, error)
                isCut = true
                continue
            }
            if value.utf8.count > MetricName.maximumValueLength {
                label.value = String(repairing: Array(value.utf8.prefix(MetricName.maximumValueLength)).span)
                isCut = true
            }
            labels.append(label)
            if label.name != name, MetricName.isLabel(label.name, of: name) { keys[label.name] = name }
        }
        if isRenamed { labels.sort() }
        let spelling = isRenamed && !isCut ? request.labels.pairs.map { MetricLabel(name: $0.0, value: $0.1) } : nil
        return (labels, spelling, keys)
    }

    /// Takes the series whose source passes `isMeant` out of a family.
    ///
    /// Complexity: linear in the number of series of the family.
    func remove(from familyName: String, where isMeant: (Series.Source) -> Bool) {
        guard let family = families.withLock({ $0.owners[familyName] }) else { return }
        family.state.withLock { state in
            guard let position = state.series.firstIndex(where: { isMeant($0.source) }) else { return }
            let series = state.series.remove(at: position)
            series.source.noteRemoved()
            keepLast(of: series, in: family)
            let hash = MetricLabels(series.labels.map { ($0.name, $0.value) }).hash(in: family)
            index.remove(series, hash: state.aliases == 0 ? hash : nil)
        }
    }
}
