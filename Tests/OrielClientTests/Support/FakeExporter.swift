import OrielClient
import OrielTelemetry
import OrielThreads
import Synchronization

/// An exporter whose answers a test chooses, with a gate that it can close.
final class FakeExporter: TelemetryExporter {
    struct Attempt: Sendable {
        let batch: ExportBatch
        let deadline: Timestamp
        var outcome: ExportOutcome?
    }

    private struct State {
        var attempts: [Attempt] = []
        var isHeld = false
        var preparations = 0
        var shutdowns = 0
        /// When all attempts have to end.
        var limit: Timestamp?
        var answer: @Sendable (Int, ExportBatch) -> ExportOutcome
    }

    private let state: Mutex<State>
    private let changed = ThreadSignal()
    /// Whether an attempt at a closed gate ends at its deadline, as a real exporter's does.
    private let keepsDeadlines: Bool

    /// - Parameter answer: is given how many attempts there were before.
    init(keepsDeadlines: Bool = true, answer: @escaping @Sendable (Int, ExportBatch) -> ExportOutcome = { _, _ in .delivered() }) {
        self.keepsDeadlines = keepsDeadlines
        state = Mutex(State(answer: answer))
    }

    convenience init(_ outcome: ExportOutcome) {
        self.init { _, _ in outcome }
    }

    func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome {
        let (number, answer) = state.withLock { state in
            state.attempts.append(Attempt(batch: batch, deadline: deadline))
            return (state.attempts.count - 1, state.answer)
        }
        changed.notify()
        let outcome = waitAtGate(deadline) ? answer(number, batch) : .failed(reason: "timeout")
        state.withLock { $0.attempts[number].outcome = outcome }
        return outcome
    }

    private func waitAtGate(_ deadline: Timestamp) -> Bool {
        while true {
            let ticket = changed.ticket
            guard state.withLock({ $0.isHeld }) else { return true }
            let last = min(deadline, state.withLock { $0.limit } ?? deadline)
            let rest = last.nanoseconds.subtractingSaturating(Timestamp.now.nanoseconds)
            if keepsDeadlines, rest <= 0 { return false }
            changed.wait(after: ticket, timeout: keepsDeadlines ? .nanoseconds(rest) : nil)
        }
    }

    func prepare(deadline: Timestamp) {
        state.withLock { $0.preparations += 1 }
    }

    func endExports(by deadline: Timestamp) {
        state.withLock { $0.limit = deadline }
        changed.notify()
    }

    func shutdown() {
        state.withLock { $0.shutdowns += 1 }
    }

    // MARK: For the test

    func setAnswer(_ outcome: ExportOutcome) {
        state.withLock { $0.answer = { _, _ in outcome } }
    }

    /// Closes the gate: attempts wait.
    func hold() {
        state.withLock { $0.isHeld = true }
    }

    func release() {
        state.withLock { $0.isHeld = false }
        changed.notify()
    }

    var attempts: [Attempt] { state.withLock { $0.attempts } }

    /// When all attempts have to end, if somebody said so.
    var limit: Timestamp? { state.withLock { $0.limit } }

    var preparations: Int { state.withLock { $0.preparations } }

    var shutdowns: Int { state.withLock { $0.shutdowns } }

    /// The requests that were taken.
    var delivered: [ExportBatch] {
        attempts.filter { if case .delivered = $0.outcome { true } else { false } }.map(\.batch)
    }

    /// The bodies of the log records that were taken.
    var bodies: [String] { delivered.filter { $0.signal == .logs }.flatMap(\.bodies) }
}

extension ExportBatch {
    /// The text bodies of log records.
    var bodies: [String] {
        payloads(at: [1, 2, 2, 5, 1]).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The values of the points of sums that are whole numbers.
    var sums: [Int] {
        payloads(at: [1, 2, 2, 7, 1, 6]).map { bytes in
            bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        }
    }

    /// The content of all fields that the field numbers lead to.
    func payloads(at path: [UInt32]) -> [[UInt8]] {
        path.reduce([request]) { messages, number in messages.flatMap { fields(number, of: $0) } }
    }

    private func fields(_ number: UInt32, of message: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var reader = WireReader(start: 0, end: message.count)
        let bytes = message.span
        do throws(WireError) {
            while let tag = try reader.nextTag(in: bytes) {
                let start = reader.offset
                if tag.number == number, tag.wireType == 2 {
                    found.append(bytes.extracting(try reader.lengthDelimited(in: bytes)).array)
                } else {
                    try reader.skip(tag, in: bytes)
                    if tag.number == number { found.append(bytes.extracting(start..<reader.offset).array) }
                }
            }
        } catch {
            return [Array("\(error)".utf8)]
        }
        return found
    }
}

extension RecordQueue {
    /// Adds a log record with a text as its body.
    @discardableResult
    func add(_ body: String, scope: InstrumentationScope = InstrumentationScope(name: "test")) -> Bool {
        add(self.scope(scope)) { writer in
            writer.messageField(5) { $0.stringField(1, body) }
        }
    }
}

extension Timestamp {
    static func after(_ duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return now.advanced(by: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

/// Waits until something is so, for at most a minute.
func eventually(_ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return condition()
}
