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
        let names = name.map { families.seriesNames(of: $0) }
        let ids = try await ids(snapshot, names: names, matchers, page.range, deadline)
        // What is read of all of them needs no order, and is read while they are sorted.
        let isWhole = page.position == nil && ids.count <= limit
        async let preparing = layout(of: ids, snapshot, isWhole: isWhole)
        // In the order of the list, or in that of the page.
        var rows: [SeriesRow] = []
        var plan = ScanPlan(signal: .samples, range: page.range, deadline: deadline)
        if isWhole {
            if let names, names.count > 1 { plan.streams = Set(ids) } else { plan.streamMatchers = Self.matchers(matchers, name: names?.first) }
            rows = try await read(ids, snapshot, plan, sampling, wantsExemplars: wantsExemplars)
        }
        let layout = try await preparing.get()
        var rest = layout.order.indexes[...]
        if let position = page.position {
            rest = try await layout.order.indexes(after: position) { id async throws(APIError) in try await Self.place(of: id, snapshot) }
        }
        let shown = rest.prefix(limit)
        let shownIDs = shown.map { ids[Int($0)] }
        if !isWhole {
            plan.streams = Set(shownIDs)
            rows = try await read(shownIDs, snapshot, plan, sampling, wantsExemplars: wantsExemplars)
        }

        let gathered = rows
        let texts = layout.texts
        let list = texts == nil ? try await Self.describe(shownIDs, snapshot) : StreamList()
        let size = (texts?.labels.bytes.count ?? list.descriptors.bytes.count * 2) / max(1, texts?.labels.count ?? list.count) + Self.elementBytes
        var parts = JSONParts(memory: memory)
        parts.json.beginObject()
        parts.json.key("series")
        parts.json.beginArray()
        let written = try await parts.elements(count: shown.count, ofAbout: size) { range, part throws(APIError) in
            var writer = SeriesWriter(families: families, hasPoints: sampling != .none, hasExemplars: wantsExemplars)
            for position in range {
                let index = Int(shown[shown.startIndex + position])
                let row = gathered[isWhole ? index : position]
                if let texts {
                    writer.write(index, of: texts, row, to: &part.json)
                } else {
                    try Self.readable { () throws(WireError) in
                        try writer.write(list.descriptors.bytes.span.extracting(list.descriptors.range(of: position)), row, to: &part.json)
                    }
                }
                guard try part.finishElement() else { return }
            }
        }
        parts.json.endArray()
        parts.json.member("next", optional: written < rest.count ? page.next(after: try await Self.place(of: shownIDs[written - 1], snapshot)) : nil)
        parts.json.endObject()
        return APIAnswer(json: parts.finish())
    }

    /// Bytes that the element of a series takes beside its labels and points, about.
    private static let elementBytes = 256

    /// The layout of some series, as a result: tasks beside throw any error.
    ///
    /// - Parameter isWhole: Whether one page is to show all of them.
    private func layout(of ids: [StreamID], _ snapshot: any StoreSnapshot, isWhole: Bool) async -> Result<SeriesLayout, APIError> {
        let known = recentSeries.layout(of: ids)
        if let known, !isWhole || known.texts != nil || known.areTextsTooLarge { return .success(known) }
        do throws(APIError) {
            let list = try await Self.describe(ids, snapshot)
            async let texts = isWhole ? Self.texts(of: list) : .success(nil)
            var layout: SeriesLayout
            if let known { layout = known } else { layout = SeriesLayout(order: try Self.readable { () throws(WireError) in try SeriesOrder(of: list) }) }
            layout.texts = try await texts.get()
            layout.areTextsTooLarge = isWhole && layout.texts == nil
            recentSeries.keep(layout)
            return .success(layout)
        } catch {
            return .failure(error)
        }
    }

    private static func texts(of list: StreamList) async -> Result<SeriesTexts?, APIError> {
        guard list.descriptors.bytes.count <= RecentSeriesLayouts.maximumTextBytes else { return .success(nil) }
        do throws(WireError) {
            return .success(try SeriesTexts(of: list, limit: RecentSeriesLayouts.maximumTextBytes))
        } catch {
            return .failure(unreadable(error))
        }
    }

    /// Where the next page begins behind a series.
    private static func place(of id: StreamID, _ snapshot: any StoreSnapshot) async throws(APIError) -> String {
        let list = try await describe([id], snapshot)
        return try readable { () throws(WireError) in
            try SeriesOrder.place(of: list.descriptors.bytes.span.extracting(list.descriptors.range(of: 0)))
        }
    }

    /// The descriptors of series that a snapshot found.
    private static func describe(_ ids: [StreamID], _ snapshot: any StoreSnapshot) async throws(APIError) -> StreamList {
        let list = try await asking { () async throws(StoreError) in try await snapshot.streamList(of: ids) }
        guard list.ids == ids else { throw APIError(status: 500, "of \(ids.count) series that the store found it knows \(list.count)") }
        return list
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
    private func ids(
        _ snapshot: any StoreSnapshot, names: [String]?, _ matchers: [StreamMatcher], _ range: TimeRange, _ deadline: Timestamp
    ) async throws(APIError) -> [StreamID] {
        var ids: [StreamID] = []
        for signal in [Signal.samples, .histograms] {
            for name in names.map({ $0.map(Optional.some) }) ?? [nil] {
                try check(deadline)
                let found = try await asking { () async throws(StoreError) in
                    try await snapshot.streamIDs(signal, matching: Self.matchers(matchers, name: name), in: range, limit: Self.maximumSeries + 1)
                }
                if ids.isEmpty {
                    // Mostly all that there is.
                    ids = found
                } else if !found.isEmpty {
                    let known = Set(ids)
                    ids += found.filter { !known.contains($0) }
                }
                guard ids.count <= Self.maximumSeries else {
                    throw APIError(status: 422, "more than \(Self.maximumSeries) series match; narrow the filter with name or label")
                }
            }
        }
        return ids
    }

    private static func matchers(_ matchers: [StreamMatcher], name: String?) -> [StreamMatcher] {
        matchers + (name.map { [StreamMatcher(Label.metricName, .equal, $0)] } ?? [])
    }

    /// What the answer says of the samples of some series, in their order.
    ///
    /// - Parameter plan: Selects these series, and perhaps others.
    private func read(
        _ series: [StreamID], _ snapshot: any StoreSnapshot, _ plan: ScanPlan, _ sampling: SeriesSampling, wantsExemplars: Bool
    ) async throws(APIError) -> [SeriesRow] {
        var rows = Array(repeating: SeriesRow(), count: series.count)
        guard !series.isEmpty else { return rows }
        var places = StreamPlaces(series)
        var plan = plan
        // Their labels are known by their ids.
        plan.projection.describesStreams = false
        var runs = try snapshot.series(plan)
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
        plan.signal = .exemplars
        plan.streams = Set(series)
        plan.streamMatchers = []
        plan.order = .time
        plan.limit = Self.maximumPoints
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
