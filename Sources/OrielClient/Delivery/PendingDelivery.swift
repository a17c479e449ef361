/// Telemetry that was not delivered.
struct PendingDelivery {
    enum Content {
        /// Records as the queue gave them: they become a request when it is their turn, so that memory is not moved about, nor filled twice, while the receiver is slow or gone.
        case records([RecordQueue.Chunk])
        /// Stays what it is: it may have been sent before, and a receiver which got it can tell.
        case request(ExportBatch)
    }

    let signal: ExportSignal
    var content: Content
    /// Counts what was pending since the beginning.
    let number: UInt64
    /// Of a request.
    var attempts = DeliveryAttempts()

    var itemCount: Int {
        switch content {
        case .records(let chunks): chunks.reduce(0) { $0 + $1.count }
        case .request(let batch): batch.itemCount
        }
    }

    /// What it has taken from the budget.
    var reservedBytes: Int {
        switch content {
        case .records(let chunks): chunks.reduce(0) { $0 + $1.reserved }
        case .request(let batch): batch.request.count
        }
    }

    /// Adds records that came later.
    ///
    /// - Parameter limit: bytes of records from which on it takes no more.
    /// - Returns: whether that was possible.
    mutating func append(_ chunk: RecordQueue.Chunk, limit: Int) -> Bool {
        guard case .records(var chunks) = content else { return false }
        guard chunks.reduce(chunk.bytes.count, { $0 + $1.bytes.count }) <= limit else { return false }
        content = .records([])
        chunks.append(chunk)
        content = .records(chunks)
        return true
    }
}
