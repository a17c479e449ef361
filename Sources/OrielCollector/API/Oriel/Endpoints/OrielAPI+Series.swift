import OrielStore
import OrielTelemetry

/// `GET series`: metric series with their latest values and points for a picture.
extension OrielAPI {
    static let seriesParameters = ["start", "end", "since", "name", "label", "points", "exemplars", "limit", "cursor"]

    /// Series that one request may match; more need a narrower filter.
    static let maximumSeries = 100_000
    /// Points of one series, and exemplars, in one answer.
    static let maximumPoints = 10_000

    func series(_ parameters: RequestParameters) async throws(APIError) -> APIAnswer {
        let page = try PageRequest(parameters, list: "series")
        let sampling = try SeriesSampling(parameters, range: page.range)
        let wantsExemplars = try parameters.bool("exemplars")
        var matchers: [StreamMatcher] = []
        for text in parameters.all("label") {
            matchers.append(try AttributeCondition(text, parameter: "label").labelMatcher(parameter: "label"))
        }
        let deadline = deadline
        let snapshot = try snapshot()
        let families = MetricFamilies(try await asking { () async throws(StoreError) in try await snapshot.families() })
        let name = try parameters.single("name")
        let all = try await streams(snapshot, names: name.map { families.seriesNames(of: $0) }, matchers, page.range, deadline)
        let shown = Self.sorted(all, after: page.position).prefix(page.limit + 1)
        var rows: [StreamID: SeriesRow] = [:]
        for entry in shown.prefix(page.limit) { rows[entry.id] = SeriesRow() }
        try await read(&rows, snapshot, page.range, sampling, wantsExemplars: wantsExemplars, deadline)

        var writer = JSONWriter()
        var next: String?
        try writer.object { writer throws(APIError) in
            writer.key("series")
            try writer.array { writer throws(APIError) in
                for (index, entry) in shown.enumerated() {
                    let isFull = try isFull(writer)
                    if index == page.limit || isFull {
                        next = page.next(after: shown[index - 1].place)
                        break
                    }
                    guard let row = rows[entry.id] else { continue }
                    row.write(labels: entry.labels, families, hasPoints: sampling != .none, hasExemplars: wantsExemplars, to: &writer)
                }
            }
            writer.member("next", optional: next)
        }
        return APIAnswer(json: writer.bytes)
    }

    private struct Entry {
        var id: StreamID
        var labels: [Label]

        /// Appends what entries are sorted by, byte by byte: the name, then the other labels.
        func appendPlace(to bytes: inout [UInt8]) {
            if let name = labels.first(where: { $0.name == Label.metricName })?.value { bytes.append(contentsOf: name.utf8) }
            for label in labels where label.name != Label.metricName {
                bytes.append(1)
                bytes.append(contentsOf: label.name.utf8)
                bytes.append(1)
                bytes.append(contentsOf: label.value.utf8)
            }
        }

        /// Where the next page begins behind this entry.
        var place: String {
            var bytes: [UInt8] = []
            appendPlace(to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Entries behind a position, sorted by their places.
    private static func sorted(_ entries: [Entry], after position: String?) -> [Entry] {
        // All places in one array: thousands of texts would take longer to make than to sort.
        var places = ByteColumn()
        places.reserveCapacity(entries.count, bytes: entries.count * 256)
        var place: [UInt8] = []
        let start = position.map { Array($0.utf8) } ?? []
        var order: [Int] = []
        order.reserveCapacity(entries.count)
        for index in entries.indices {
            place.removeAll(keepingCapacity: true)
            entries[index].appendPlace(to: &place)
            places.append(place.span)
            if position == nil || start.span.precedes(place.span) { order.append(index) }
        }
        let bytes = places.bytes.span
        order.sort { bytes.extracting(places.range(of: $0)).precedes(bytes.extracting(places.range(of: $1))) }
        return order.map { entries[$0] }
    }

    /// The series of both kinds of samples that match, in any order.
    private func streams(
        _ snapshot: any StoreSnapshot, names: [String]?, _ matchers: [StreamMatcher], _ range: TimeRange, _ deadline: Timestamp
    ) async throws(APIError) -> [Entry] {
        var entries: [StreamID: Entry] = [:]
        for signal in [Signal.samples, .histograms] {
            for name in names.map({ $0.map(Optional.some) }) ?? [nil] {
                try check(deadline)
                let wanted = matchers + (name.map { [StreamMatcher(Label.metricName, .equal, $0)] } ?? [])
                let found = try await asking { () async throws(StoreError) in
                    try await snapshot.streams(signal, matching: wanted, in: range, limit: Self.maximumSeries + 1)
                }
                for stream in found {
                    guard case .series(let labels) = stream.descriptor else { continue }
                    entries[stream.id] = Entry(id: stream.id, labels: labels)
                }
                guard entries.count <= Self.maximumSeries else {
                    throw APIError(status: 422, "more than \(Self.maximumSeries) series match; narrow the filter with name or label")
                }
            }
        }
        return Array(entries.values)
    }

    private func read(
        _ rows: inout [StreamID: SeriesRow], _ snapshot: any StoreSnapshot, _ range: TimeRange, _ sampling: SeriesSampling, wantsExemplars: Bool,
        _ deadline: Timestamp
    ) async throws(APIError) {
        guard !rows.isEmpty else { return }
        let ids = Set(rows.keys)
        var runs = try snapshot.series(ScanPlan(signal: .samples, range: range, streams: ids, deadline: deadline))
        while let run = try await runs.next() {
            if let samples = SampleBatch(run.batch) {
                var start = run.rows.lowerBound
                while start < run.rows.upperBound {
                    // The samples of a series follow each other.
                    let stream = samples.streamIndexes[start]
                    var end = start + 1
                    while end < run.rows.upperBound, samples.streamIndexes[end] == stream { end += 1 }
                    if let id = samples.streams.id(Int(stream)), let index = rows.index(forKey: id) {
                        for row in start..<end {
                            rows.values[index].add(SeriesPoint(time: samples.times[row], value: .float(samples.values[row])), sampling)
                        }
                    }
                    start = end
                }
            } else if let histograms = HistogramBatch(run.batch) {
                for row in run.rows {
                    guard let id = histograms.streams.id(Int(histograms.streamIndexes[row])) else { continue }
                    let histogram: NativeHistogram
                    do {
                        histogram = try histograms.histogram(at: row)
                    } catch {
                        throw APIError(status: 500, "a stored histogram cannot be read: \(error)")
                    }
                    rows[id]?.add(SeriesPoint(time: histograms.times[row], value: .histogram(histogram)), sampling)
                }
            }
        }
        guard wantsExemplars else { return }
        let plan = ScanPlan(signal: .exemplars, range: range, streams: ids, order: .time, limit: Self.maximumPoints, deadline: deadline)
        let cursor = try snapshot.rows(plan)
        while let batch = try await cursor.next() {
            guard let exemplars = ExemplarBatch(batch) else { continue }
            for row in 0..<exemplars.count {
                guard let id = exemplars.streams.id(Int(exemplars.streamIndexes[row])) else { continue }
                rows[id]?.exemplars.append(
                    SeriesExemplar(
                        time: exemplars.times[row], value: exemplars.values[row], traceID: exemplars.traceIDs[row],
                        spanID: SpanID(rawValue: exemplars.spanIDs[row]), attributes: exemplars.attributes.attributes(of: row)))
            }
        }
    }
}
