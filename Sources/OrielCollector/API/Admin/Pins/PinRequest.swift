import OrielStore
import OrielTelemetry

/// What somebody asks to have kept: the body of a POST, as ``AdministrationBody`` reads it. Traces by their ids, or a window of time.
struct PinRequest: Sendable {
    let selection: PinSelection
    /// Why, in the words of whoever asks.
    let note: String

    static let members = ["trace_id", "signal", "start", "end", "since", "service", "note"]

    /// Trace ids that one pin may name.
    static let maximumTraces = 100
    /// Bytes of a note.
    static let maximumNote = 1000

    /// - Parameter now: what relative times refer to.
    init(_ body: [UInt8], now: Timestamp) throws(APIError) {
        let members = try AdministrationBody.members(body, example: #"{"trace_id": "0af7651916cd43dd8448eb211c80319c", "note": "why"} or {"since": "1h"}"#)
        let parameters = try RequestParameters(members, known: PinRequest.members, now: now)
        note = try parameters.single("note") ?? ""
        guard note.utf8.count <= PinRequest.maximumNote else {
            throw APIError(status: 400, "note has \(note.utf8.count) bytes; at most \(PinRequest.maximumNote) are kept", parameter: "note")
        }
        let traceIDs = try PinRequest.traceIDs(parameters)
        let isBounded = ["start", "since", "end"].contains { !parameters.all($0).isEmpty }
        // Somebody who forgets the time would keep everything.
        guard isBounded || !traceIDs.isEmpty else {
            throw APIError(status: 400, "say what to keep: trace_id, or from when or until when: start (or since), end, or both", parameter: "trace_id")
        }
        let matchers = try parameters.single("service").map { [StreamMatcher("service.name", .equal, $0)] } ?? []
        selection = PinSelection(
            signals: try PinRequest.signals(parameters), range: try parameters.timeRange(defaultStart: TimeRange.all.start), streamMatchers: matchers,
            traceIDs: traceIDs.isEmpty ? nil : traceIDs)
    }

    private static func traceIDs(_ parameters: RequestParameters) throws(APIError) -> Set<TraceID> {
        var ids: Set<TraceID> = []
        for text in parameters.all("trace_id") {
            guard let id = TraceID(hexadecimal: text) else { throw .invalid("trace_id", text, expected: "32 hexadecimal digits") }
            ids.insert(id)
        }
        guard ids.count <= maximumTraces else {
            throw APIError(status: 400, "trace_id names \(ids.count) traces; a pin holds \(maximumTraces) at most", parameter: "trace_id")
        }
        return ids
    }

    /// What is meant by name, or all that the rest of the request can choose from.
    private static func signals(_ parameters: RequestParameters) throws(APIError) -> Set<Signal> {
        let kinds = try SignalKind.named(in: parameters)
        let ofTraces = !parameters.all("trace_id").isEmpty
        let ofService = !parameters.all("service").isEmpty
        guard !kinds.isEmpty else {
            // Series have no service of their own, and of all that is in them exemplars alone have traces.
            if ofService { return [.logs, .spans] }
            return ofTraces ? [.logs, .spans, .exemplars] : Set(Signal.allCases)
        }
        if kinds.contains(.metrics), ofTraces || ofService {
            let name = ofTraces ? "trace_id" : "service"
            throw APIError(status: 400, "metrics cannot be chosen by \(name); leave it out, or pin logs and spans only", parameter: name)
        }
        return kinds.reduce(into: []) { $0.formUnion($1.signals) }
    }
}
