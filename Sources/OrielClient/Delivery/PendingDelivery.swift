/// Telemetry that was not delivered.
struct PendingDelivery {
    enum Content {
        /// Records as the queue gave them: they become a request when it is their turn, so that memory is not moved about, nor filled twice, while the receiver is slow or gone.
        case records([RecordQueue.Chunk])
        case request(ExportBatch)
    }

    let signal: ExportSignal
    var content: Content
    /// Counts what was pending since the beginning.
    let number: UInt64
    /// Whether the receiver may have got it. It then stays what it is, so that a receiver which did get it can tell.
    var isTried = false

    var itemCount: Int {
        switch content {
        case .records(let chunks): chunks.reduce(0) { $0 + $1.count }
        case .request(let batch): batch.itemCount
        }
    }

    /// Bytes of telemetry.
    var byteCount: Int {
        switch content {
        case .records(let chunks): chunks.reduce(0) { $0 + $1.bytes.count }
        case .request(let batch): batch.request.count
        }
    }

    /// What it has taken from the budget.
    var reservedBytes: Int {
        switch content {
        case .records(let chunks): chunks.reduce(0) { $0 + $1.reserved }
        case .request(let batch): batch.request.count
        }
    }

    /// Adds further telemetry of the same kind and form.
    ///
    /// - Parameter limit: bytes of both together.
    /// - Returns: whether that was possible.
    mutating func merge(_ content: Content, limit: Int) -> Bool {
        guard !isTried else { return false }
        let other = PendingDelivery(signal: signal, content: content, number: number)
        guard byteCount + other.byteCount <= limit else { return false }
        switch (self.content, content) {
        case (.records(let known), .records(let chunks)): self.content = .records(known + chunks)
        case (.request(let known), .request(let batch)):
            // Two OTLP requests one behind the other are one.
            self.content = .request(
                ExportBatch(signal: signal, request: known.request + batch.request, itemCount: known.itemCount + batch.itemCount))
        default: return false
        }
        return true
    }
}
