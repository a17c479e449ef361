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
        let shown = Array(all.drop { entry in page.position.map { entry.place <= $0 } ?? false }.prefix(page.limit + 1))
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
        /// Sorts by name, then by the other labels.
        var place: String
    }

    /// The series of both kinds of samples that match, sorted.
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
                    let metric = labels.first { $0.name == Label.metricName }?.value ?? ""
                    let others = labels.filter { $0.name != Label.metricName }.map { "\($0.name)\u{1}\($0.value)" }.joined(separator: "\u{1}")
                    entries[stream.id] = Entry(id: stream.id, labels: labels, place: "\(metric)\u{1}\(others)")
                }
                guard entries.count <= Self.maximumSeries else {
                    throw APIError(status: 422, "more than \(Self.maximumSeries) series match; narrow the filter with name or label")
                }
            }
        }
        return entries.values.sorted { $0.place < $1.place }
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
                for row in run.rows {
                    guard let id = samples.streams.id(Int(samples.streamIndexes[row])) else { continue }
                    rows[id]?.add(SeriesPoint(time: samples.times[row], value: .float(samples.values[row])), sampling)
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
