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
        let context: Oriel.SpanContext
        let attributes: SpanAttributes
    }

    struct State: Sendable {
        var operationName: String
        var attributes = SpanAttributes.none
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

    /// Attributes that were taken out to be changed; the recording has none until they come back.
    struct Loan {
        var attributes: SpanAttributes
        /// What they were before, if there may be too many afterwards: so that what is new can be told from what is not.
        let known: SpanAttributes?
        /// Whether they go nowhere, since the span had ended.
        let isVoid: Bool
    }

    /// Room that the first attribute makes.
    private static let firstCapacity = 6

    /// What is kept of a parent: contexts keep recordings, and must not keep all that came before too.
    struct Parent: Sendable {
        let spanID: SpanID
        let isRemote: Bool
    }

    private let tracer: Oriel.Tracer
    let context: Oriel.SpanContext
    let parent: Parent?
    let kind: SpanKind
    let start: SpanClock.Start
    let location: SourceLocation?
    private let state: Mutex<State>

    init(
        tracer: Oriel.Tracer, context: Oriel.SpanContext, parent: Oriel.SpanContext?, operationName: String, kind: SpanKind, start: SpanClock.Start,
        location: SourceLocation?
    ) {
        self.tracer = tracer
        self.context = context
        self.parent = parent.map { Parent(spanID: $0.spanID, isRemote: $0.isRemote) }
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

    /// - Parameter forSeveral: whether more than one may be added.
    func lendAttributes(forSeveral: Bool = false) -> Loan {
        let limit = tracer.limits.attributes
        var loan = state.withLock { state -> Loan in
            guard state.end == nil else { return Loan(attributes: state.attributes, known: nil, isVoid: true) }
            state.loans += 1
            var taken = SpanAttributes.none
            swap(&taken, &state.attributes)
            return Loan(attributes: taken, known: taken.count >= limit || forSeveral && !taken.isEmpty ? taken : nil, isVoid: false)
        }
        if loan.attributes.isEmpty, !loan.isVoid { loan.attributes = SpanAttributes([String: SpanAttribute](minimumCapacity: Self.firstCapacity)) }
        return loan
    }

    /// Ends a change. The last one hands the span over if it ended meanwhile.
    func takeBack(_ loan: consuming Loan) {
        if loan.isVoid { return }
        let limit = tracer.limits.attributes
        var dropped: UInt32 = 0
        if loan.attributes.count > limit { (loan.attributes, dropped) = loan.attributes.limited(to: limit, preferring: loan.known ?? .none) }
        // What other threads set meanwhile comes out in exchange.
        while !put(&loan.attributes, dropped) { (loan.attributes, dropped) = merged(loan.attributes, dropped) }
    }

    /// - Returns: whether they are back; not when there are others in their place.
    private func put(_ attributes: inout SpanAttributes, _ dropped: UInt32) -> Bool {
        var isFinished = false
        let isBack = state.withLock { state -> Bool in
            guard state.attributes.isEmpty else { return false }
            swap(&state.attributes, &attributes)
            state.droppedAttributes &+= dropped
            state.loans -= 1
            isFinished = state.loans == 0 && state.end != nil
            return true
        }
        if isFinished { tracer.add(self, state.withLock { Self.take(&$0) }) }
        return isBack
    }

    private func merged(_ attributes: SpanAttributes, _ dropped: UInt32) -> (SpanAttributes, UInt32) {
        var others = SpanAttributes.none
        state.withLock { swap(&$0.attributes, &others) }
        var all = attributes
        all.merge(others)
        let (limited, further) = all.limited(to: tracer.limits.attributes, preferring: others)
        return (limited, dropped &+ further)
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
        let link = Link(context: context.context, attributes: link.attributes)
        state.withLock { state in
            guard state.end == nil else { return }
            if state.links.count < tracer.limits.links { state.links.append(link) } else { state.droppedLinks &+= 1 }
        }
    }

    func setStatus(_ status: SpanStatus) {
        state.withLock { state in
            guard state.end == nil, state.status?.code != .ok else { return }
            // `withSpan` says "error" once more for what was thrown: what the user said of it stays.
            if status.message == nil, status.code == state.status?.code { return }
            state.status = status
        }
    }

    func recordError(_ error: any Error, _ attributes: SpanAttributes, at instant: some TracerInstant) {
        var attributes = attributes
        if attributes.get("exception.type") == nil { attributes.set("exception.type", value: .string(String(reflecting: type(of: error)))) }
        if attributes.get("exception.message") == nil { attributes.set("exception.message", value: .string("\(error)")) }
        addEvent(SpanEvent(name: "exception", at: instant, attributes: attributes))
    }

    // MARK: Ending

    func end(_ given: Int64, mayBeNow: Bool) {
        let end = tracer.clock.end(given, of: start, mayBeNow: mayBeNow)
        let finished = state.withLock { state -> State? in
            guard state.end == nil else { return nil }
            state.end = end
            return state.loans == 0 ? Self.take(&state) : nil
        }
        if let finished { tracer.add(self, finished) }
    }

    /// Takes out what was recorded. Contexts keep a span longer than it lasts; what it told need not stay with it.
    private static func take(_ state: inout State) -> State {
        var taken = State(operationName: state.operationName, end: state.end)
        swap(&taken, &state)
        return taken
    }
}

extension SpanAttributes {
    /// No attributes; quicker than an empty literal.
    static var none: SpanAttributes { SpanAttributes([String: SpanAttribute]()) }

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
