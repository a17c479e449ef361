public import OrielStore
import OrielThreads

extension SQLiteStore {
    public var capabilities: StoreCapabilities { .pins }

    public func pin(_ selection: PinSelection, note: String) async throws(StoreError) -> Pin {
        guard note.utf8.count <= 1000 else { throw .unsupported("a note of more than 1000 bytes") }
        guard !selection.signals.isEmpty else { throw .unsupported("a pin of no signal") }
        guard let pin = try await change(.make(selection, note: note)) else { throw .closed }
        return pin
    }

    public func unpin(_ id: UInt64) async throws(StoreError) -> Bool {
        try await change(.remove(id)) != nil
    }

    public func pins() async throws(StoreError) -> [Pin] {
        let core = try openCore
        return try await OwnThread.result("oriel-pins", path: core.folder + "/app.db") {
            try core.withAppDatabase { connection in
                var files: [UInt64: [SegmentDescription]] = [:]
                for row in try AppDatabase.pinFiles(connection) where row.state == .live {
                    if let description = row.description { files[row.pin, default: []].append(description) }
                }
                return try AppDatabase.pins(connection).map { pin in
                    let own = files[pin.id] ?? []
                    return Pin(
                        id: pin.id, selection: pin.selection, note: pin.note, created: pin.created, rowCount: own.reduce(0) { $0 + $1.rowCount },
                        byteCount: own.reduce(0) { $0 + $1.byteCount })
                }
            }
        }
    }

    private func change(_ change: MaintenanceRequests.PinOrder.Change) async throws(StoreError) -> Pin? {
        let core = try openCore
        if let reason = core.counters.current.readOnlyReason { throw .readOnly(reason: reason) }
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Pin?, any Error>, Never>) in
            requests.pin(.init(change: change) { continuation.resume(returning: $0) })
        }
        switch result {
        case .success(let pin): return pin
        case .failure(let error): throw (error as? StoreError) ?? .unusable(path: core.folder, reason: "\(error)")
        }
    }
}
