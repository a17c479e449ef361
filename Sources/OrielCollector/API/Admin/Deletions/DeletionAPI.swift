public import OrielStore
public import OrielTelemetry

/// The deletions of a store, as plain functions from requests to answers: the daemon serves them under ``path``, and the command line calls them in process on a store
/// without a daemon.
public struct DeletionAPI: Sendable {
    public static let path = "/api/oriel/admin/v1/deletions"

    let store: any TelemetryStore
    private let clock: @Sendable () -> Timestamp

    /// - Parameter clock: What relative times refer to; tests set it.
    public init(store: any TelemetryStore, clock: @escaping @Sendable () -> Timestamp = { .now }) {
        self.store = store
        self.clock = clock
    }

    /// The deletions that are under way and the last that are complete, oldest first: `{"deletions":[…]}`.
    public func list() async -> APIAnswer {
        do throws(APIError) {
            let statuses = try await statuses()
            return APIAnswer(json: Self.json("deletions", statuses.map { status in { $0.deletion(status) } }))
        } catch {
            return APIAnswer(error)
        }
    }

    /// One of them.
    public func deletion(_ id: String) async -> APIAnswer {
        do throws(APIError) {
            guard let status = try await statuses().first(where: { $0.id == id }) else {
                throw APIError(status: 404, "there is no deletion \"\(id.prefix(100))\", or it was complete long ago")
            }
            var writer = JSONWriter()
            writer.deletion(status)
            return APIAnswer(json: writer.bytes)
        } catch {
            return APIAnswer(error)
        }
    }

    /// Deletes what a body asks for, or counts it: `{"deletions":[…]}`, or `{"plan":[…]}` for a dry run.
    ///
    /// - Parameters:
    ///   - body: see ``DeletionRequest``.
    ///   - note: is told of each deletion, with an error when it was not made.
    public func delete(_ body: [UInt8], note: (Deletion?, _ id: String?, _ error: String?) -> Void = { _, _, _ in }) async -> APIAnswer {
        var deletion: Deletion?
        var made: [DeletionStatus] = []
        do throws(APIError) {
            let request = try DeletionRequest(body, now: clock())
            let wanted = try request.deletions(families: try await families(request))
            if request.isDryRun {
                var counts: [Int64] = []
                for deletion in wanted { counts.append(try await count(deletion)) }
                let plan = zip(wanted, counts).map { deletion, rows in { (writer: inout JSONWriter) in writer.plan(deletion, rows: rows) } }
                return APIAnswer(json: Self.json("plan", plan))
            }
            for next in wanted {
                deletion = next
                let status = try await asking { () async throws(StoreError) in try await store.delete(next) }
                note(next, status.id, nil)
                made.append(status)
            }
            var answer = APIAnswer(json: Self.json("deletions", made.map { status in { $0.deletion(status) } }))
            answer.status = 201
            return answer
        } catch {
            var error = error
            // Whoever asked for several must learn that some of them stand.
            if !made.isEmpty { error.message += "; these were made before: " + made.map(\.id).joined(separator: ", ") }
            note(deletion, nil, error.message)
            return APIAnswer(error)
        }
    }

    private func statuses() async throws(APIError) -> [DeletionStatus] {
        try await asking { () async throws(StoreError) in try await store.deletions() }
    }

    private func families(_ request: DeletionRequest) async throws(APIError) -> MetricFamilies {
        guard request.kinds.contains(.metrics), !request.parameters.all("name").isEmpty else { return MetricFamilies([]) }
        return MetricFamilies(try await asking { () async throws(StoreError) in try await store.snapshot().families() })
    }

    private func count(_ deletion: Deletion) async throws(APIError) -> Int64 {
        let deadline = Timestamp.now.advanced(by: OrielAPI.timeLimit)
        var rows: Int64 = 0
        for signal in deletion.signals.sorted() {
            let plan = ScanPlan(
                signal: signal, range: deletion.range, streamMatchers: deletion.streamMatchers, traceIDs: deletion.traceIDs, predicate: deletion.predicate,
                projection: .positions, deadline: deadline)
            let table = try await asking { () async throws(StoreError) in try await store.snapshot().aggregate(plan, by: Aggregation()) }
            for group in 0..<table.count {
                if case .count(let count) = table.measure(0, of: group) { rows += count }
            }
        }
        return rows
    }

    private static func json(_ list: String, _ elements: [(inout JSONWriter) -> Void]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key(list)
            writer.array { writer in
                for element in elements { element(&writer) }
            }
        }
        return writer.bytes
    }
}

extension DeletionStatus {
    /// Its name in paths and lists.
    var id: String { "\(sequence.start)-\(sequence.commit)" }
}

extension JSONWriter {
    fileprivate mutating func deletion(_ status: DeletionStatus) {
        object { writer in
            writer.member("id", status.id)
            writer.scope(status.deletion)
            writer.time("requested", status.time)
            writer.time("completed", status.completed)
            writer.member("remaining_files", status.remainingFiles)
            writer.member("remaining_bytes", status.remainingBytes)
        }
    }

    fileprivate mutating func plan(_ deletion: Deletion, rows: Int64) {
        object { writer in
            writer.scope(deletion)
            writer.member("rows", rows)
        }
    }

    private mutating func scope(_ deletion: Deletion) {
        key("signals")
        array { writer in
            for signal in deletion.signals.sorted() { writer.string(signal.name) }
        }
        time("start", deletion.range.start == TimeRange.all.start ? nil : deletion.range.start)
        time("end", deletion.range.end == TimeRange.all.end ? nil : deletion.range.end)
        member("filter", deletion.filterText)
    }
}
