import OrielTelemetry
import Synchronization
import Tracing

/// Where a span was started.
struct SourceLocation: Sendable {
    let function: String
    let file: String
    let line: UInt
}

/// What is recorded of a span until it ends.
///
/// All that changes lies behind one lock, under which nothing of users runs: what is replaced is released after the lock.
final class SpanRecording: Sendable {
    struct Link: Sendable {
        let context: SpanContextReference
        let attributes: SpanAttributes
    }

    struct State: Sendable {
        var operationName: String
        var attributes = SpanAttributes()
        var events: [SpanEvent] = []
        var links: [Link] = []
        var status: SpanStatus?
        var droppedAttributes: UInt32 = 0
        var droppedEvents: UInt32 = 0
        var droppedLinks: UInt32 = 0
        /// By the wall clock; `nil` before the end.
        var end: Int64?
        /// How many changes of the attributes are under way.
        var loans = 0
    }

    /// Attributes that were taken out to be changed.
    struct Loan {
        enum Kind {
            /// The recording has none until they come back.
            case moved
            /// The recording was full and kept them, so that what is new can be told from what is not.
            case copied
            /// The span had ended.
            case void
        }

        var attributes: SpanAttributes
        let kind: Kind
    }

    /// Room that the first attribute makes.
    private static let firstCapacity = 6

    private let tracer: Oriel.Tracer
    let reference: SpanContextReference
    let parent: SpanContextReference?
    let kind: SpanKind
    let start: SpanClock.Start
    let location: SourceLocation?
    private let state: Mutex<State>

    init(
        tracer: Oriel.Tracer, reference: SpanContextReference, parent: SpanContextReference?, operationName: String, kind: SpanKind, start: SpanClock.Start,
        location: SourceLocation?
    ) {
        self.tracer = tracer
        self.reference = reference
        self.parent = parent
        self.kind = kind
        self.start = start
        self.location = location
        state = Mutex(State(operationName: operationName))
    }

    var isRecording: Bool { state.withLock { $0.end == nil } }

    var operationName: String {
        get { state.withLock { $0.operationName } }
        set {
            var name = newValue
            state.withLock { state in
                if state.end == nil { swap(&state.operationName, &name) }
            }
        }
    }

    // MARK: Attributes

    var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set {
            var (attributes, dropped) = newValue.limited(to: tracer.limits.attributes, preferring: self.attributes)
            state.withLock { state in
                guard state.end == nil else { return }
                swap(&state.attributes, &attributes)
                state.droppedAttributes &+= dropped
            }
        }
    }

    func lendAttributes() -> Loan {
        var loan = state.withLock { state -> Loan in
            guard state.end == nil else { return Loan(attributes: state.attributes, kind: .void) }
            state.loans += 1
            guard state.attributes.count < tracer.limits.attributes else { return Loan(attributes: state.attributes, kind: .copied) }
            var taken = SpanAttributes()
            swap(&taken, &state.attributes)
            return Loan(attributes: taken, kind: .moved)
        }
        if loan.kind == .moved, loan.attributes.isEmpty { loan.attributes.reserveCapacity(Self.firstCapacity) }
        return loan
    }

    /// Ends a change. The last one hands the span over if it ended meanwhile.
    func takeBack(_ loan: Loan) {
        if loan.kind == .void { return }
        var mine = loan.attributes
        var dropped: UInt32 = 0
        if loan.kind == .copied || mine.count > tracer.limits.attributes {
            (mine, dropped) = mine.limited(to: tracer.limits.attributes, preferring: loan.kind == .copied ? attributes : SpanAttributes())
        }
        var mayReplace = loan.kind == .copied
        while true {
            var others = SpanAttributes()
            var isBack = false
            let finished = state.withLock { state -> State? in
                guard mayReplace || state.attributes.isEmpty else {
                    swap(&state.attributes, &others)
                    return nil
                }
                swap(&state.attributes, &mine)
                isBack = true
                state.droppedAttributes &+= dropped
                state.loans -= 1
                return state.loans == 0 && state.end != nil ? state : nil
            }
            if let finished { tracer.add(self, finished) }
            if isBack { return }
            // Another thread set some meanwhile.
            mayReplace = false
            mine.merge(others)
            let (limited, further) = mine.limited(to: tracer.limits.attributes, preferring: others)
            mine = limited
            dropped &+= further
        }
    }

    // MARK: Events, links, status

    func addEvent(_ event: SpanEvent) {
        state.withLock { state in
            guard state.end == nil else { return }
            if state.events.count < tracer.limits.events { state.events.append(event) } else { state.droppedEvents &+= 1 }
        }
    }

    func addLink(_ link: SpanLink) {
        guard let context = link.context.spanContextReference else { return }
        let link = Link(context: context, attributes: link.attributes)
        state.withLock { state in
            guard state.end == nil else { return }
            if state.links.count < tracer.limits.links { state.links.append(link) } else { state.droppedLinks &+= 1 }
        }
    }

    func setStatus(_ status: SpanStatus) {
        state.withLock { state in
            guard state.end == nil, state.status?.code != .ok else { return }
            state.status = status
        }
    }

    func recordError(_ error: any Error, _ attributes: SpanAttributes, at instant: some TracerInstant) {
        var attributes = attributes
        if attributes.get("exception.type") == nil { attributes.set("exception.type", value: .string(String(reflecting: type(of: error)))) }
        if attributes.get("exception.message") == nil { attributes.set("exception.message", value: .string("\(error)")) }
        addEvent(SpanEvent(name: "exception", at: instant, attributes: attributes))
        state.withLock { state in
            if state.end == nil, state.status == nil { state.status = SpanStatus(code: .error) }
        }
    }

    // MARK: Ending

    func end(_ given: Int64, mayBeNow: Bool) {
        let end = tracer.clock.end(given, of: start, mayBeNow: mayBeNow)
        let finished = state.withLock { state -> State? in
            guard state.end == nil else { return nil }
            state.end = end
            return state.loans == 0 ? state : nil
        }
        if let finished { tracer.add(self, finished) }
    }
}

extension SpanAttributes {
    /// At most so many of these attributes, and how many were left out: those of keys that `known` has stay, of the others the first by name.
    fileprivate func limited(to limit: Int, preferring known: SpanAttributes) -> (SpanAttributes, dropped: UInt32) {
        guard count > limit else { return (self, 0) }
        var keys: [(isNew: Bool, key: String)] = []
        forEach { key, _ in keys.append((known.get(key) == nil, key)) }
        keys.sort { $0.isNew == $1.isNew ? $0.key < $1.key : $1.isNew }
        var limited = self
        for (_, key) in keys.dropFirst(max(limit, 0)) { limited.set(key, value: nil) }
        return (limited, UInt32(clamping: count - limited.count))
    }
}
