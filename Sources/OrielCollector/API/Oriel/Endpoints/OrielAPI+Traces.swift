import OrielStore
import OrielTelemetry

/// Which spans a request asks for.
struct SpanFilter: Sendable {
    var matchers: [StreamMatcher] = []
    var traceIDs: Set<TraceID>?
    var predicate: Predicate

    static let parameters = ["service", "name", "status", "text", "attribute", "trace_id"]

    init(_ parameters: RequestParameters) throws(APIError) {
        if let service = try parameters.single("service") { matchers.append(StreamMatcher("service.name", .equal, service)) }
        if let id = try parameters.traceID("trace_id") { traceIDs = [id] }
        var parts: [Predicate] = []
        if let name = try parameters.single("name") { parts.append(.compare(.column(.name), .equal, .string(name), missing: .isFalse)) }
        let statuses: KeyValuePairs<String, Int64> = ["unset": 0, "ok": 1, "error": 2]
        if let status = try parameters.choice("status", statuses) {
            parts.append(.compare(.column(.statusCode), .equal, .int(status), missing: .isFalse))
        }
        if let text = try parameters.single("text") {
            parts.append(
                .or([
                    .contains(.column(.name), text, caseSensitive: false, missing: .isFalse),
                    .contains(.column(.statusMessage), text, caseSensitive: false, missing: .isFalse),
                ]))
        }
        for text in parameters.all("attribute") { parts.append(try AttributeCondition(text, parameter: "attribute").predicate) }
        predicate = .all(of: parts)
    }
}

/// `GET traces`: one line per trace, newest first.
extension OrielAPI {
    static let tracesParameters = [
        "start", "end", "since", "service", "name", "status", "min_duration", "max_duration", "text", "attribute", "trace_id", "limit", "cursor",
    ]

    func traces(_ parameters: RequestParameters) async throws(APIError) -> APIAnswer {
        let page = try PageRequest(parameters, list: "traces")
        var query = TraceSummaryQuery(range: page.range, limit: page.limit + 1, deadline: deadline)
        let filter = try SpanFilter(parameters)
        query.streamMatchers = filter.matchers
        query.predicate = .all(of: (filter.traceIDs ?? []).map { .compare(.column(.traceID), .equal, .traceID($0), missing: .isFalse) } + [filter.predicate])
        query.minimumDuration = try parameters.duration("min_duration")
        query.maximumDuration = try parameters.duration("max_duration")
        if let text = page.position { query.after = try Self.tracePosition(text) }
        let ready = query
        let snapshot = try snapshot()
        let summaries = try await asking { () async throws(StoreError) in try await snapshot.summaries(ready) }

        var writer = JSONWriter()
        var next: String?
        writer.beginObject()
        writer.key("traces")
        try writer.array { writer throws(APIError) in
            for (index, summary) in summaries.enumerated() {
                let isFull = try isFull(writer)
                if index == page.limit || isFull {
                    let last = summaries[index - 1]
                    next = page.next(after: "\(last.start) \(last.traceID)")
                    break
                }
                writer.summary(summary)
            }
        }
        writer.member("next", optional: next)
        writer.endObject()
        return APIAnswer(json: writer.bytes)
    }

    private static func tracePosition(_ text: String) throws(APIError) -> TraceSummaryQuery.Position {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let start = Int64(parts[0]), let id = TraceID(hexadecimal: parts[1]) else { throw PageCursor.damaged }
        return TraceSummaryQuery.Position(start: start, traceID: id)
    }
}

extension JSONWriter {
    fileprivate mutating func summary(_ summary: TraceSummary) {
        object { writer in
            writer.member("trace_id", summary.traceID)
            writer.member("root_service", summary.rootService)
            writer.member("root_name", summary.rootName)
            writer.time("start_time", Timestamp(nanoseconds: summary.start))
            writer.time("end_time", Timestamp(nanoseconds: summary.end))
            writer.key("duration_nano")
            writer.quotedInteger(summary.duration)
            writer.member("span_count", summary.spanCount)
            writer.member("error_count", summary.errorCount)
            writer.key("services")
            writer.array { writer in
                for service in summary.services { writer.string(service) }
            }
        }
    }
}
