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
            return APIAnswer(json: Self.json("deletions", statuses) { $0.deletion($1) })
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
            writer.object { $0.deletion(status) }
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
                return APIAnswer(
                    json: Self.json("plan", zip(wanted, counts)) { writer, plan in
                        writer.selection(of: plan.0)
                        writer.member("rows", plan.1)
                    })
            }
            for next in wanted {
                deletion = next
                let status = try await asking { () async throws(StoreError) in try await store.delete(next) }
                note(next, status.id, nil)
                made.append(status)
            }
            var answer = APIAnswer(json: Self.json("deletions", made) { $0.deletion($1) })
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

    private static func json<Element>(_ list: String, _ elements: some Sequence<Element>, _ members: (inout JSONWriter, Element) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { $0.member(list, objects: elements, members) }
        return writer.bytes
    }
}

extension DeletionStatus {
    /// Its name in paths and lists.
    var id: String { "\(sequence.start)-\(sequence.commit)" }
}

extension JSONWriter {
    /// The members of a deletion.
    fileprivate mutating func deletion(_ status: DeletionStatus) {
        member("id", status.id)
        selection(of: status.deletion)
        time("requested", status.time)
        time("completed", status.completed)
        member("remaining_files", status.remainingFiles)
        member("remaining_bytes", status.remainingBytes)
    }

    fileprivate mutating func selection(of deletion: Deletion) {
        selection(signals: deletion.signals, range: deletion.range, filter: deletion.filterText)
    }
}
