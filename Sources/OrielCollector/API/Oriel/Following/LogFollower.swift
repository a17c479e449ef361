import OrielStore
import OrielTelemetry

/// `GET logs?follow=true`: records as they are committed, as lines of JSON.
///
/// A line is an object with one member: `log` (a record), `position` (everything before this line was delivered up to here; give it as `cursor` to go on), `gap`
/// (records before the next line were missed) or `error` (the last line). A record's `ord` grows from line to line after the first `position`, so that a reader who
/// was cut off between two positions can tell what it has seen.
public struct LogFollower: Sendable {
    private let store: any TelemetryStore
    private let filter: LogFilter
    private var evaluator: PredicateEvaluator
    private let fingerprint: UInt64
    /// Lines that are ready before the first wait.
    private var pending: [UInt8]
    private var position: ChangePosition
    private var hasEnded = false

    /// How long a silent tail waits before it says that it is alive, in nanoseconds.
    static let heartbeat: Int64 = 10_000_000_000

    init(store: any TelemetryStore, filter: LogFilter, fingerprint: UInt64, pending: [UInt8], position: ChangePosition) {
        self.store = store
        self.filter = filter
        evaluator = PredicateEvaluator(filter.predicate)
        self.fingerprint = fingerprint
        self.pending = pending
        self.position = position
    }

    /// The next lines, waiting for them; `nil` at the end.
    ///
    /// Waits at most ten seconds before it returns a line that repeats the position.
    public mutating func next() async -> [UInt8]? {
        if hasEnded { return nil }
        if !pending.isEmpty {
            let lines = pending
            pending = []
            return lines
        }
        do {
            let changes = try await store.changes(after: position, signal: .logs, deadline: Timestamp.now.advanced(by: Self.heartbeat))
            if Task.isCancelled { return nil }
            position = changes.position
            var writer = LineWriter()
            if changes.hasGap { writer.line("gap") { $0.string("records were committed faster than this tail read them; some are missing here") } }
            for batch in changes.batches { write(batch, to: &writer) }
            writer.line("position") { $0.string(LogFollower.cursor(position, fingerprint: fingerprint)) }
            return writer.bytes
        } catch {
            hasEnded = true
            if error == .closed { return nil }
            var writer = JSONWriter()
            APIError(error).write(to: &writer)
            return writer.bytes + [UInt8(ascii: "\n")]
        }
    }

    private mutating func write(_ columns: ColumnBatch, to writer: inout LineWriter) {
        guard let batch = LogBatch(columns) else { return }
        let streamPasses = (0..<batch.streams.count).map { stream in
            if filter.matchers.isEmpty { return true }
            do {
                let descriptor = try batch.streams.decoded(stream)
                return filter.matchers.allSatisfy { $0.matches(descriptor) }
            } catch {
                // A descriptor that cannot be read matches nothing.
                return false
            }
        }
        evaluator = PredicateEvaluator(filter.predicate)
        var answer = LogAnswer(batch)
        for row in evaluator.rows(of: columns) where streamPasses[Int(batch.streamIndexes[row])] {
            if let ids = filter.traceIDs, !ids.contains(batch.traceIDs[row]) { continue }
            writer.line("log") { answer.write(row, to: &$0) }
        }
    }

    static func cursor(_ position: ChangePosition, fingerprint: UInt64) -> String {
        PageCursor(list: "follow", fingerprint: fingerprint, range: .all, position: String(position.sequence.rawValue)).text
    }
}

/// Objects with one member each, a line each.
struct LineWriter {
    private(set) var bytes: [UInt8] = []

    mutating func line(_ name: String, _ value: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key(name)
            value(&writer)
        }
        bytes += writer.bytes
        bytes.append(UInt8(ascii: "\n"))
    }
}

extension OrielAPI {
    /// Records that a tail shows of the past when nothing is asked for.
    private static let backlog = 10

    func followLogs(_ parameters: RequestParameters) async throws(APIError) -> APIAnswer {
        for name in ["end", "order"] where try parameters.single(name) != nil {
            throw APIError(status: 400, "\(name) makes no sense with follow=true: new records come at the end", parameter: name)
        }
        let filter = try LogFilter(parameters)
        let fingerprint = parameters.fingerprint
        if let text = try parameters.single("cursor") {
            let cursor = try PageCursor(text, list: "follow", fingerprint: fingerprint)
            guard let sequence = UInt64(cursor.position) else { throw PageCursor.damaged }
            return APIAnswer(
                lines: LogFollower(
                    store: store, filter: filter, fingerprint: fingerprint, pending: [],
                    position: ChangePosition(sequence: CommitSequence(rawValue: sequence))))
        }
        // The snapshot is one moment: what it shows is the past, what was committed after it are the changes.
        let snapshot = try snapshot()
        let position = ChangePosition(sequence: snapshot.sequence)
        let limit = try parameters.limit(default: Self.backlog)
        let range = try parameters.timeRange(defaultStart: TimeRange.all.start)
        let cursor = try snapshot.rows(filter.plan(range: range, order: .timeDescending, limit: limit, position: nil, deadline: deadline))
        var lines: [[UInt8]] = []
        while let found = try await cursor.next() {
            guard let batch = LogBatch(found) else { continue }
            var answer = LogAnswer(batch)
            for row in 0..<batch.count {
                var writer = LineWriter()
                writer.line("log") { answer.write(row, to: &$0) }
                lines.append(writer.bytes)
            }
        }
        var writer = LineWriter()
        writer.line("position") { $0.string(LogFollower.cursor(position, fingerprint: fingerprint)) }
        return APIAnswer(
            lines: LogFollower(
                store: store, filter: filter, fingerprint: fingerprint, pending: Array(lines.reversed().joined()) + writer.bytes, position: position))
    }
}
