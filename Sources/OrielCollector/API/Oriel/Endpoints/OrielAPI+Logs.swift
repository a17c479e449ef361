import OrielStore
import OrielTelemetry

/// Which log records a request asks for.
struct LogFilter: Sendable {
    var matchers: [StreamMatcher] = []
    var traceIDs: Set<TraceID>?
    var predicate: Predicate

    static let parameters = ["service", "severity", "text", "words", "trace_id", "attribute"]

    init(_ parameters: RequestParameters) throws(APIError) {
        if let service = try parameters.single("service") { matchers.append(StreamMatcher("service.name", .equal, service)) }
        if let id = try parameters.traceID("trace_id") { traceIDs = [id] }
        var parts: [Predicate] = []
        if let text = try parameters.single("severity") {
            let number = try SeverityName.number(of: text, parameter: "severity")
            parts.append(.compare(.column(.severityNumber), .greaterOrEqual, .int(number), missing: .isFalse))
        }
        if let text = try parameters.single("text") { parts.append(.contains(.column(.body), text, caseSensitive: false, missing: .isFalse)) }
        // Engines find whole words by their filters, so that rare ones cost little; a part of a word they have to look for in all texts.
        for text in parameters.all("words") { parts.append(.containsWords(.column(.body), text, caseSensitive: false, missing: .isFalse)) }
        for text in parameters.all("attribute") { parts.append(try AttributeCondition(text, parameter: "attribute").predicate) }
        predicate = .all(of: parts)
    }

    func plan(range: TimeRange, order: ScanOrder, limit: Int, position: ScanPosition?, deadline: Timestamp) -> ScanPlan {
        ScanPlan(
            signal: .logs, range: range, streamMatchers: matchers, traceIDs: traceIDs, predicate: predicate, order: order, limit: limit, position: position,
            deadline: deadline)
    }
}

/// `GET logs`: log records, newest first unless told otherwise.
extension OrielAPI {
    static let logsParameters = ["start", "end", "since"] + LogFilter.parameters + ["order", "limit", "cursor", "follow"]

    func logs(_ parameters: RequestParameters) async throws(APIError) -> APIAnswer {
        // A trace is looked up wherever it lies.
        let page = try PageRequest(parameters, list: "logs", defaultStart: try parameters.single("trace_id") == nil ? nil : TimeRange.all.start)
        let filter = try LogFilter(parameters)
        let orders: KeyValuePairs<String, ScanOrder> = ["newest": .timeDescending, "oldest": .time]
        let order = try parameters.choice("order", orders) ?? .timeDescending
        var position: ScanPosition?
        if let text = page.position {
            guard let found = ScanPosition(text) else { throw PageCursor.damaged }
            position = found
        }
        let snapshot = try snapshot()
        let cursor = try snapshot.rows(
            filter.plan(range: page.range, order: order, limit: page.limit + 1, position: position, deadline: deadline))

        var writer = JSONWriter()
        var next: String?
        var count = 0
        writer.beginObject()
        writer.key("logs")
        writer.beginArray()
        reading: while let found = try await cursor.next() {
            guard let batch = LogBatch(found) else { throw APIError(status: 500, "the store answered with rows that are no log records") }
            var answer = LogAnswer(batch)
            for row in 0..<batch.count {
                let isFull = try isFull(writer)
                if count == page.limit || isFull {
                    next = position.map { page.next(after: $0.description) }
                    break reading
                }
                answer.write(row, to: &writer)
                position = batch.position(of: row)
                count += 1
            }
        }
        writer.endArray()
        writer.member("next", optional: next)
        writer.endObject()
        return APIAnswer(json: writer.bytes)
    }
}

extension LogBatch {
    /// Where a row stands in every order. A store's rows have stream ids and ords.
    func position(of row: Int) -> ScanPosition {
        ScanPosition(
            time: times[row], stream: streams.id(Int(streamIndexes[row])) ?? StreamID(high: 0, low: 0), ord: ords.isEmpty ? 0 : ords[row])
    }
}
