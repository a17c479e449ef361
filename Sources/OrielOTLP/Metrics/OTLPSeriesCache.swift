import OrielTelemetry

/// What earlier points and requests have been translated to: from the raw bytes of resource, scope, metric and point attributes to the
/// canonical descriptors of their series. The
/// same series come request after request, and building their labels costs a hundred times what finding them here does.
struct OTLPSeriesCache: Sendable {
    let options: OTLPMetricOptions
    let naming: MetricNaming

    private var resourceKeys = KeyTable()
    private var resources: [OTLPResourceLabels] = []
    /// Parallel to `resources`: the descriptor of the resource's `target_info`.
    private var targetInfos: [Int?] = []
    private var scopeKeys = KeyTable()
    private var scopes: [ScopeEntry] = []
    private var metricKeys = KeyTable()
    private(set) var metrics: [MetricEntry] = []
    private var familyIndexes: [MetricFamily: Int] = [:]
    private(set) var families: [MetricFamily] = []
    /// Parallel to `families`: the last request that named it.
    private var familyGenerations: [UInt32] = []
    private var seriesKeys = KeyTable()
    private(set) var series: [SeriesEntry] = []
    /// Canonical descriptors. Differently written points may mean the same series.
    private var descriptors = StreamDictionary()
    /// Indexes of descriptors; an entry of `series` owns a run of them.
    private var descriptorIndexes: [UInt32] = []
    /// For each descriptor its places in the tables of a request, one for each ``Table``.
    private var places: [Place] = []
    /// The entry that the last point had: the next one is likely the one behind it.
    private var lastSeries = -1
    /// Counts requests.
    private var generation: UInt32 = 0
    private var descriptorBytesBefore = 0

    /// Above this many bytes of keys and descriptors the cache starts anew with the next request.
    private static let byteLimit = 64 << 20
    /// The most that the new series of one request may take, in bytes of descriptors.
    private static let requestByteLimit = 256 << 20
    /// The most that the series of one point may take.
    private static let pointByteLimit = 16 << 20

    /// The stream tables of a request that series may be in.
    enum Table: Int, CaseIterable, Sendable {
        case samples, histograms, deltaSamples, deltaHistograms
    }

    /// A descriptor's index in a stream table of one request.
    private struct Place {
        var generation: UInt32 = 0
        var index: UInt32 = 0
    }

    /// A scope inside a resource.
    struct ScopeEntry: Sendable {
        var resource: Int
        var labels: [Label]
    }

    /// A metric inside a scope.
    struct MetricEntry: Sendable {
        var scope: Int
        var resource: Int
        /// The base name of its series; `nil` when the metric has no usable name.
        var name: String?
        var family: Int
        var isDelta: Bool
    }

    /// The series of one set of point attributes.
    struct SeriesEntry: Sendable {
        var firstDescriptor: Int
        var count: Int
        /// Why points of this entry are rejected.
        var fault: OTLPPointFault?
    }

    init(options: OTLPMetricOptions) {
        self.options = options
        naming = MetricNaming(translation: options.translation)
    }

    mutating func beginRequest() {
        let size = seriesKeys.keys.bytes.count + descriptors.byteCount + metricKeys.keys.bytes.count + scopeKeys.keys.bytes.count
        if size + resourceKeys.keys.bytes.count > OTLPSeriesCache.byteLimit || generation == .max { self = OTLPSeriesCache(options: options) }
        generation += 1
        descriptorBytesBefore = descriptors.byteCount
    }

    /// The labels of a resource by the raw bytes of its group.
    mutating func resource(_ key: Span<UInt8>, _ make: () throws(WireError) -> Resource) throws(WireError) -> Int {
        if let index = resourceKeys.index(of: key) { return index }
        let labels = OTLPResourceLabels(try make(), options: options, naming: naming)
        resources.append(labels)
        targetInfos.append(labels.targetInfo.map { internDescriptor($0) })
        return resourceKeys.intern(key)
    }

    /// A scope by the raw bytes of its group, behind the index of its resource.
    mutating func scope(_ key: Span<UInt8>, resource: Int, _ make: () throws(WireError) -> InstrumentationScope) throws(WireError) -> Int {
        if let index = scopeKeys.index(of: key) { return index }
        scopes.append(ScopeEntry(resource: resource, labels: OTLPResourceLabels.labels(of: try make(), naming: naming)))
        return scopeKeys.intern(key)
    }

    /// A metric by the raw bytes of what names it, behind the index of its scope.
    mutating func metric(_ key: Span<UInt8>, scope: Int, isDelta: Bool, _ make: () -> (name: String?, family: MetricFamily)) -> Int {
        if let index = metricKeys.index(of: key) { return index }
        let (name, family) = make()
        let familyIndex = familyIndexes[family] ?? families.count
        if familyIndex == families.count {
            families.append(family)
            familyGenerations.append(0)
            familyIndexes[family] = familyIndex
        }
        metrics.append(MetricEntry(scope: scope, resource: scopes[scope].resource, name: name, family: familyIndex, isDelta: isDelta))
        return metricKeys.intern(key)
    }

    /// The family of a metric, once a request.
    mutating func familyIfNew(ofMetric metric: Int) -> MetricFamily? {
        let family = metrics[metric].family
        guard familyGenerations[family] != generation else { return nil }
        familyGenerations[family] = generation
        return families[family]
    }

    /// The series of a point by the raw bytes of its attributes (and bounds), behind the index of its metric, if they were seen before.
    mutating func knownSeries(_ key: Span<UInt8>) -> Int? {
        guard let index = seriesKeys.index(of: key, hint: lastSeries + 1) else { return nil }
        lastSeries = index
        return index
    }

    /// The series of a point that ``knownSeries(_:)`` does not know. `make` tells the attributes and what the series differ in: a suffix of
    /// the name and a
    /// further label.
    mutating func series(
        _ key: Span<UInt8>, metric: Int, _ make: () throws(WireError) -> OTLPPointSeries
    ) throws(WireError) -> Int {
        var entry = SeriesEntry(firstDescriptor: descriptorIndexes.count, count: 0, fault: nil)
        do throws(WireError) {
            append(try make(), metric: metrics[metric], to: &entry)
        } catch {
            guard case .nestingTooDeep = error.reason else { throw error }
            entry.fault = .nesting
        }
        series.append(entry)
        lastSeries = seriesKeys.intern(key)
        return lastSeries
    }

    /// The index in `streams` of the `position`th series of an entry.
    ///
    /// - Parameter table: Which of the request's tables `streams` is.
    mutating func batchIndex(_ entry: Int, _ position: Int, _ table: Table, in streams: inout StreamTable) -> UInt32 {
        batchIndex(ofDescriptor: Int(descriptorIndexes[series[entry].firstDescriptor + position]), table, in: &streams)
    }

    /// The index in the samples' table of a resource's `target_info`; `nil` when it has none.
    mutating func targetInfoIndex(ofResource resource: Int, in streams: inout StreamTable) -> UInt32? {
        guard let descriptor = targetInfos[resource] else { return nil }
        return batchIndex(ofDescriptor: descriptor, .samples, in: &streams)
    }

    private mutating func batchIndex(ofDescriptor descriptor: Int, _ table: Table, in streams: inout StreamTable) -> UInt32 {
        let place = descriptor * Table.allCases.count + table.rawValue
        let known = places[place]
        if known.generation == generation { return known.index }
        let index = UInt32(streams.append(UInt32(descriptor), of: descriptors))
        places[place] = Place(generation: generation, index: index)
        return index
    }

    /// The canonical bytes of the `position`th series of an entry.
    func descriptor(_ entry: Int, _ position: Int) -> [UInt8] {
        descriptors.descriptor(descriptorIndexes[series[entry].firstDescriptor + position])
    }

    private mutating func append(_ point: OTLPPointSeries, metric: MetricEntry, to entry: inout SeriesEntry) {
        guard let name = metric.name else {
            entry.fault = .name
            return
        }
        let scope = scopes[metric.scope]
        let base = resources[metric.resource].labels(
            of: point.attributes, scope: scope.labels, isDelta: metric.isDelta, naming: naming)
        let size = base.reduce(name.utf8.count + 32) { $0 + $1.name.utf8.count + $1.value.utf8.count + 6 }
        let (bytes, overflow) = size.multipliedReportingOverflow(by: point.variants.count)
        guard !overflow, bytes <= OTLPSeriesCache.pointByteLimit,
            descriptors.byteCount - descriptorBytesBefore + bytes <= OTLPSeriesCache.requestByteLimit
        else {
            entry.fault = .tooManyLabelBytes
            return
        }
        for variant in point.variants {
            var labels = base
            OTLPResourceLabels.set(Label(Label.metricName, name + variant.suffix), in: &labels)
            if let label = variant.label { OTLPResourceLabels.set(label, in: &labels) }
            descriptorIndexes.append(UInt32(internDescriptor(StreamDescriptor.series(labels).encoded)))
        }
        entry.count = point.variants.count
    }

    private mutating func internDescriptor(_ encoded: [UInt8]) -> Int {
        let index = descriptors.intern(encoded)
        // A copy of this cache may have added some before.
        while places.count < (index + 1) * Table.allCases.count { places.append(Place()) }
        return index
    }
}

/// What a point's series have in common and what tells them apart.
struct OTLPPointSeries {
    var attributes: [Attribute]
    var variants: [Variant]

    struct Variant {
        var suffix = ""
        var label: Label?
    }
}

/// Why a point is not taken.
enum OTLPPointFault: String, Sendable {
    case name = "the metric has no name, or none but separators"
    case nesting = "an attribute is nested deeper than 64 arrays and maps"
    case tooManyLabelBytes = "its series would take too many bytes of labels"
    case time = "time_unix_nano is beyond the year 2262"
    case startTime = "start_time_unix_nano is beyond the year 2262"
    case noValue = "the point has neither as_double nor as_int"
    case bucketCount = "bucket_counts must have one element more than explicit_bounds, or both must be empty"
    case bounds = "explicit_bounds must be finite and ascending"
    case scale = "scale must be -4 or more"
    case bucketIndex = "a bucket's index does not fit 32 bits"
    case temporality = "aggregation_temporality must be delta or cumulative"
}
