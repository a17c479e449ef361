import OrielStore
import OrielTelemetry

/// `GET series`: metric series with their latest values and points for a picture.
extension OrielAPI {
    static let seriesParameters = ["start", "end", "since", "name", "label", "points", "exemplars", "limit", "cursor"]

    /// Series that one request may match, and that one page may hold; more need a narrower filter.
    static let maximumSeries = 100_000
    /// Points of one series, and exemplars, in one answer.
    static let maximumPoints = 10_000
    /// Points that the series of one page may have together.
    static let maximumPagePoints = 250_000

    func series(_ parameters: RequestParameters) async throws(APIError) -> APIAnswer {
        let page = try PageRequest(parameters, list: "series", maximumLimit: Self.maximumSeries)
        let sampling = try SeriesSampling(parameters, range: page.range)
        let limit = min(page.limit, sampling.maximumSeries)
        let wantsExemplars = try parameters.bool("exemplars")
        var matchers: [StreamMatcher] = []
        for text in parameters.all("label") {
            matchers.append(try AttributeCondition(text, parameter: "label").labelMatcher(parameter: "label"))
        }
        let deadline = deadline
        let snapshot = try snapshot()
        let families = MetricFamilies(try await asking { () async throws(StoreError) in try await snapshot.families() })
        let name = try parameters.single("name")
        let list = try await list(snapshot, names: name.map { families.seriesNames(of: $0) }, matchers, page.range, deadline)
        // What is read of all of them needs no order, and is read while they are sorted.
        let isWhole = page.position == nil && list.count <= limit
        async let preparing = layout(of: list, isWhole: isWhole)
        // In the order of the list, or in that of the page.
        var rows: [SeriesRow] = []
        if isWhole { rows = try await read(list.ids, snapshot, page.range, sampling, wantsExemplars: wantsExemplars, deadline) }
        let layout = try await preparing.get()
        let rest = try Self.readable { () throws(WireError) in try layout.order.indexes(after: page.position, in: list) }
        let shown = rest.prefix(limit)
        if !isWhole {
            rows = try await read(shown.map { list.ids[Int($0)] }, snapshot, page.range, sampling, wantsExemplars: wantsExemplars, deadline)
        }

        let gathered = rows
        let size = (layout.labels?.bytes.count ?? list.descriptors.bytes.count * 2) / max(1, list.count) + Self.elementBytes
        var json = JSONWriter()
        json.beginObject()
        json.key("series")
        json.beginArray()
        let written = try await json.elements(count: shown.count, ofAbout: size, memory: memory) { range, part throws(APIError) in
            var writer = SeriesWriter(families: families, hasPoints: sampling != .none, hasExemplars: wantsExemplars)
            for position in range {
                let index = Int(shown[shown.startIndex + position])
                try Self.readable { () throws(WireError) in
                    try writer.write(index, of: list, labels: layout.labels, gathered[isWhole ? index : position], to: &part.json)
                }
                guard try part.finishElement() else { return }
            }
        }
        json.endArray()
        var next: String?
        if written < rest.count {
            let last = Int(shown[shown.startIndex + written - 1])
            next = page.next(after: try Self.readable { () throws(WireError) in try SeriesOrder.place(of: last, in: list) })
        }
        json.member("next", optional: next)
        json.endObject()
        return APIAnswer(json: json.bytes)
    }

    /// Bytes that the element of a series takes beside its labels and points, about.
    private static let elementBytes = 256

    /// The layout of a list, as a result: tasks beside throw any error.
    ///
    /// - Parameter isWhole: Whether one page is to show all of it.
    private func layout(of list: SeriesList, isWhole: Bool) async -> Result<SeriesLayout, APIError> {
        let wantsLabels = isWhole && list.descriptors.bytes.count <= LatestSeriesLayout.maximumLabelBytes
        let known = latestSeries.layout(of: list)
        if let known, known.labels != nil || known.areLabelsTooLarge || !wantsLabels { return .success(known) }
        async let labels = wantsLabels ? Self.labels(of: list) : .success(nil)
        do throws(WireError) {
            var layout: SeriesLayout
            if let known { layout = known } else { layout = SeriesLayout(order: try SeriesOrder(of: list)) }
            layout.labels = try await labels.get()
            layout.areLabelsTooLarge = wantsLabels && layout.labels == nil
            latestSeries.keep(layout)
            return .success(layout)
        } catch {
            return .failure(Self.unreadable(error))
        }
    }

    private static func labels(of list: SeriesList) async -> Result<ByteColumn?, WireError> {
        do throws(WireError) {
            return .success(try SeriesWriter.labels(of: list, limit: LatestSeriesLayout.maximumLabelBytes))
        } catch {
            return .failure(error)
        }
    }

    private static func readable<Value>(_ read: () throws(WireError) -> Value) throws(APIError) -> Value {
        do throws(WireError) {
            return try read()
        } catch {
            throw unreadable(error)
        }
    }

    private static func unreadable(_ error: WireError) -> APIError { APIError(status: 500, "the labels of a stored series cannot be read: \(error)") }

    /// The series of both kinds of samples that match.
    private func list(
        _ snapshot: any StoreSnapshot, names: [String]?, _ matchers: [StreamMatcher], _ range: TimeRange, _ deadline: Timestamp
    ) async throws(APIError) -> SeriesList {
        var list = SeriesList()
        for signal in [Signal.samples, .histograms] {
            for name in names.map({ $0.map(Optional.some) }) ?? [nil] {
                try check(deadline)
                let wanted = matchers + (name.map { [StreamMatcher(Label.metricName, .equal, $0)] } ?? [])
                let found = try await asking { () async throws(StoreError) in
                    try await snapshot.streamList(signal, matching: wanted, in: range, limit: Self.maximumSeries + 1)
                }
                list.add(found)
                guard list.count <= Self.maximumSeries else {
                    throw APIError(status: 422, "more than \(Self.maximumSeries) series match; narrow the filter with name or label")
                }
            }
        }
        return list
    }

    /// What the answer says of the samples of some series, in their order.
    private func read(
        _ series: [StreamID], _ snapshot: any StoreSnapshot, _ range: TimeRange, _ sampling: SeriesSampling, wantsExemplars: Bool, _ deadline: Timestamp
    ) async throws(APIError) -> [SeriesRow] {
        var rows = Array(repeating: SeriesRow(), count: series.count)
        guard !series.isEmpty else { return rows }
        var places = StreamPlaces(series)
        let ids = Set(series)
        // Their labels are in the list.
        var projection = Projection.everything
        projection.describesStreams = false
        var runs = try snapshot.series(ScanPlan(signal: .samples, range: range, streams: ids, projection: projection, deadline: deadline))
        while let run = try await runs.next() {
            if let samples = SampleBatch(run.batch) {
                var start = run.rows.lowerBound
                while start < run.rows.upperBound {
                    // The samples of a series follow each other.
                    let stream = samples.streamIndexes[start]
                    var end = start + 1
                    while end < run.rows.upperBound, samples.streamIndexes[end] == stream { end += 1 }
                    if let id = samples.streams.id(Int(stream)), let place = places.place(of: id) {
                        for row in start..<end {
                            rows[place].add(SeriesPoint(time: samples.times[row], value: .float(samples.values[row])), sampling)
                        }
                    }
                    start = end
                }
            } else if let histograms = HistogramBatch(run.batch) {
                for row in run.rows {
                    guard let id = histograms.streams.id(Int(histograms.streamIndexes[row])), let place = places.place(of: id) else { continue }
                    let histogram: NativeHistogram
                    do {
                        histogram = try histograms.histogram(at: row)
                    } catch {
                        throw APIError(status: 500, "a stored histogram cannot be read: \(error)")
                    }
                    rows[place].add(SeriesPoint(time: histograms.times[row], value: .histogram(histogram)), sampling)
                }
            }
        }
        guard wantsExemplars else { return rows }
        let plan = ScanPlan(
            signal: .exemplars, range: range, streams: ids, projection: projection, order: .time, limit: Self.maximumPoints, deadline: deadline)
        let cursor = try snapshot.rows(plan)
        while let batch = try await cursor.next() {
            guard let exemplars = ExemplarBatch(batch) else { continue }
            for row in 0..<exemplars.count {
                guard let id = exemplars.streams.id(Int(exemplars.streamIndexes[row])), let place = places.place(of: id) else { continue }
                rows[place].exemplars.append(
                    SeriesExemplar(
                        time: exemplars.times[row], value: exemplars.values[row], traceID: exemplars.traceIDs[row],
                        spanID: SpanID(rawValue: exemplars.spanIDs[row]), attributes: exemplars.attributes.attributes(of: row)))
            }
        }
        return rows
    }
}
