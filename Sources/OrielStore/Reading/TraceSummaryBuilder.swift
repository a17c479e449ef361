public import OrielTelemetry

/// Sums up traces from their spans.
///
/// Of several roots the first one in the order (time, stream, ord) names the trace. A trace takes about a hundred bytes: texts and sets of services, which many traces share,
/// are kept once.
public struct TraceSummaryBuilder: Sendable {
    /// What is known of a trace.
    private struct Trace {
        var start = Int64.max
        var end = Int64.min
        /// The root's place in the order of time; means nothing without a root.
        var rootStart: Int64 = 0
        var rootOrd: UInt64 = 0
        var rootRank: UInt32 = 0
        /// Its texts; `nil` until there is a root.
        var root: (service: UInt32, name: UInt32)?
        /// A batch has no room for so many spans that these would overflow.
        var spanCount: UInt32 = 0
        var errorCount: UInt32 = 0
        /// The set of its services.
        var services: UInt32 = 0

        /// Whether a root comes before the one that is known.
        func isRoot(_ start: Int64, _ rank: UInt32, _ ord: UInt64) -> Bool {
            guard root != nil else { return true }
            if start != rootStart { return start < rootStart }
            return rank == rootRank ? ord < rootOrd : rank < rootRank
        }
    }

    /// What ``add(_:ranks:service:)`` looks at.
    public static let projection = Projection(columns: [.traceID, .parentSpanID, .name, .duration, .statusCode], attributes: .none)
    /// Most names in ``TraceSummary/services``.
    public static let maximumServices = 32

    private var places: [TraceID: UInt32] = [:]
    private var traces: [Trace] = []
    private var texts = [""]
    private var textNumbers = ["": UInt32(0)]
    /// Sets of services, as numbers of texts in the order of the texts; the first ones of a set that is too large. The first set is the empty one.
    private var sets: [[UInt32]] = [[]]
    private var setNumbers: [[UInt32]: UInt32] = [[]: 0]
    /// The set that comes of adding a service to a set: by both numbers.
    private var additions: [UInt64: UInt32] = [:]

    public init() {}

    /// Adds spans.
    ///
    /// - Parameters:
    ///   - ranks: For each row a number that orders streams by their ids; `nil` when all batches come in the order of time.
    ///   - service: The service name of an element of `streamIndexes`, empty when it has none.
    public mutating func add(_ batch: ColumnBatch, ranks: [UInt32]? = nil, service: (UInt32) -> String) {
        guard case .traceIDs(let ids) = batch[.traceID], case .identifiers(let parents) = batch[.parentSpanID], case .bytes(let names) = batch[.name],
            case .integers(let durations) = batch[.duration], case .integers(let statuses) = batch[.statusCode]
        else { return }
        // Rows of a stream mostly follow each other.
        var stream: UInt32?
        var serviceNumber: UInt32 = 0
        for row in 0..<batch.count {
            if batch.streamIndexes[row] != stream {
                stream = batch.streamIndexes[row]
                serviceNumber = number(of: service(batch.streamIndexes[row]))
            }
            let start = batch.times[row]
            let place = place(of: ids[row])
            traces[place].start = min(traces[place].start, start)
            traces[place].end = max(traces[place].end, start.addingSaturating(durations[row]))
            traces[place].spanCount += 1
            // OTLP's STATUS_CODE_ERROR.
            if statuses[row] == 2 { traces[place].errorCount += 1 }
            if parents[row] == 0 {
                let rank = ranks?[row] ?? 0
                let ord = ranks == nil ? 0 : batch.ords[row]
                if traces[place].isRoot(start, rank, ord) {
                    (traces[place].rootStart, traces[place].rootRank, traces[place].rootOrd) = (start, rank, ord)
                    traces[place].root = (serviceNumber, number(of: names.string(at: row)))
                }
            }
            if serviceNumber != 0 { traces[place].services = adding(serviceNumber, to: traces[place].services) }
        }
    }

    private mutating func place(of id: TraceID) -> Int {
        if let place = places[id] { return Int(place) }
        places[id] = UInt32(traces.count)
        traces.append(Trace())
        return traces.count - 1
    }

    private mutating func number(of text: String) -> UInt32 {
        if let number = textNumbers[text] { return number }
        let number = UInt32(texts.count)
        texts.append(text)
        textNumbers[text] = number
        return number
    }

    private mutating func adding(_ service: UInt32, to set: UInt32) -> UInt32 {
        let key = UInt64(set) << 32 | UInt64(service)
        if let known = additions[key] { return known }
        var members = sets[Int(set)]
        if !members.contains(service) {
            let text = texts[Int(service)].utf8
            members.insert(service, at: members.firstIndex { text.lexicographicallyPrecedes(texts[Int($0)].utf8) } ?? members.count)
            if members.count > TraceSummaryBuilder.maximumServices { members.removeLast() }
        }
        let number = setNumbers[members] ?? UInt32(sets.count)
        if Int(number) == sets.count {
            sets.append(members)
            setNumbers[members] = number
        }
        additions[key] = number
        return number
    }

    /// The traces in no particular order.
    public var summaries: [TraceSummary] {
        places.map { summary(of: $0.key, traces[Int($0.value)]) }
    }

    /// What is known of one trace; `nil` when it has no span here.
    public func summary(of id: TraceID) -> TraceSummary? {
        places[id].map { summary(of: id, traces[Int($0)]) }
    }

    private func summary(of id: TraceID, _ trace: Trace) -> TraceSummary {
        TraceSummary(
            traceID: id, rootService: trace.root.map { texts[Int($0.service)] } ?? "", rootName: trace.root.map { texts[Int($0.name)] } ?? "",
            start: trace.start, end: trace.end, spanCount: Int(trace.spanCount), errorCount: Int(trace.errorCount),
            services: sets[Int(trace.services)].map { texts[Int($0)] })
    }
}
