import OrielStore
import OrielTelemetry

/// `GET traces/{id}`: the spans of a trace and the log records that name it.
extension OrielAPI {
    static let traceParameters = ["limit", "cursor"]

    func trace(_ text: String, _ parameters: RequestParameters) async throws(APIError) -> APIAnswer {
        guard let id = TraceID(hexadecimal: text), !id.isZero else {
            throw APIError(status: 400, "\"\(text.prefix(100))\" is no trace id: expected 32 hexadecimal digits, not all zero", parameter: "id")
        }
        let limit = try parameters.limit(default: RequestParameters.maximumLimit)
        let list = "trace-\(id)"
        let position = try parameters.single("cursor").map { text throws(APIError) in
            try PageCursor(text, list: list, fingerprint: parameters.fingerprint).position
        }
        let deadline = deadline
        let snapshot = try snapshot()
        let found = try await asking { () async throws(StoreError) in try await snapshot.traces([id], hint: nil) }
        guard let batch = SpanBatch(found) else { throw APIError(status: 500, "the store answered with rows that are no spans") }
        guard batch.count > 0 else {
            throw APIError(status: 404, "there is no trace \(id): it was never received, or it is older than the retention", parameter: "id")
        }

        let rows = batch.rowsInOrder(after: position)
        var spans = SpanAnswer(batch)
        var writer = JSONWriter()
        var next: String?
        writer.beginObject()
        writer.member("trace_id", id)
        writer.member("span_count", batch.count)
        writer.key("spans")
        writer.beginArray()
        for (index, row) in rows.enumerated() {
            let isFull = try isFull(writer)
            if index == limit || isFull {
                next = PageCursor(list: list, fingerprint: parameters.fingerprint, range: .all, position: batch.place(of: rows[index - 1])).text
                break
            }
            spans.write(row, to: &writer)
        }
        writer.endArray()
        writer.key("logs")
        writer.beginArray()
        let isComplete = position == nil ? try await writeLogs(of: id, snapshot, deadline: deadline, to: &writer) : true
        writer.endArray()
        writer.key("logs_complete")
        writer.bool(isComplete)
        writer.member("next", optional: next)
        writer.endObject()
        return APIAnswer(json: writer.bytes)
    }

    /// Writes the log records of a trace in the order of time; whether all of them found room.
    private func writeLogs(
        of id: TraceID, _ snapshot: any StoreSnapshot, deadline: Timestamp, to writer: inout JSONWriter
    ) async throws(APIError) -> Bool {
        let plan = ScanPlan(signal: .logs, traceIDs: [id], limit: RequestParameters.maximumLimit + 1, deadline: deadline)
        let start = writer.bytes.count
        var count = 0
        let cursor = try snapshot.rows(plan)
        while let found = try await cursor.next() {
            guard let batch = LogBatch(found) else { continue }
            var answer = LogAnswer(batch)
            for row in 0..<batch.count {
                let isFull = try isFull(writer, from: start)
                if count == RequestParameters.maximumLimit || isFull { return false }
                answer.write(row, to: &writer)
                count += 1
            }
        }
        return true
    }
}

extension SpanBatch {
    /// Rows by start time, those that started together in the order of their commit.
    fileprivate func rowsInOrder(after place: String?) -> [Int] {
        let rows = (0..<count).sorted { (startTimes[$0], ord($0), $0) < (startTimes[$1], ord($1), $1) }
        guard let place else { return rows }
        guard let index = rows.firstIndex(where: { self.place(of: $0) == place }) else { return rows }
        return Array(rows[(index + 1)...])
    }

    /// Tells a row from all others of its trace.
    fileprivate func place(of row: Int) -> String { "\(startTimes[row]) \(ord(row)) \(spanIDs[row])" }

    private func ord(_ row: Int) -> UInt64 { ords.isEmpty ? 0 : ords[row] }
}
