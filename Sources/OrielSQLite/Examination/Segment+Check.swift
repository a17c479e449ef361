import OrielStore
import OrielTelemetry

extension Segment {
    /// Reads and checks every blob of a live file, also those behind damage, through a connection and a cache of its own, so that queries are neither held up nor
    /// displaced. Damage goes to the store's report.
    ///
    /// - Parameters:
    ///   - structure: whether SQLite checks its own pages too, which reads the file once more in one go.
    ///   - pause: called with the bytes that were read since; ends the check by throwing.
    /// - Throws: what `pause` throws, and errors that are no damage.
    static func check(_ path: String, byteCount size: Int, core: StoreCore, structure: Bool, pause: (Int) throws -> Void) throws {
        do {
            let opened = try Segment.open(
                path, fileSystem: core.fileSystem, registry: core.registry, cache: SegmentCache(byteLimit: 1 << 20),
                openSegments: OpenSegments(limit: 1), damageReport: core.damage)
            var read = 0
            if structure { try opened.verifyStructure() }
            try opened.verifyTables()
            for index in opened.blocks.indices {
                var byteCount = 0
                do throws(StoreError) {
                    byteCount = try opened.verify(block: index)
                } catch {
                    // Noted; the other blocks are checked all the same.
                    guard error.isDamage else { throw error }
                }
                read += byteCount
                try pause(byteCount)
            }
            try pause(max(0, size - read))
        } catch let error as StoreError {
            switch error {
            case .damaged: return
            case .unusable(_, let reason):
                // It opened before, so it is not what it was, unless it is gone by now.
                let isLive = Signal.allCases.contains { signal in
                    core.state[signal].files.contains { ($0 as? Segment)?.path == path }
                }
                if isLive { core.damage.note(path: path, block: nil, reason: reason) }
            default: throw error
            }
        }
    }
}
