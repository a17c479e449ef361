import OrielStore
import OrielTelemetry
import Synchronization

/// The damage that reads of segments met since the store was opened: each block of a file once.
///
/// Files and blocks are all counted, which takes a number per damaged block; what was wrong is kept of the first ``entryLimit``.
final class DamageReport: Sendable {
    /// What was wrong at one place.
    struct Entry: Hashable, Sendable {
        var path: String
        /// The block, or `nil` when what all blocks of the file need is damaged.
        var block: Int?
        var reason: String
        var firstSeen: Timestamp
    }

    static let entryLimit = 1024
    private static let reasonLimit = 400

    private struct State {
        /// By path the damaged blocks; none for a file whose own tables are damaged.
        var files: [String: Set<Int>] = [:]
        /// Paths whose own tables are damaged.
        var tables: Set<String> = []
        var entries: [Entry] = []
    }

    private let state = Mutex(State())

    /// Notes damage at a place, unless it is known.
    func note(path: String, block: Int?, reason: String) {
        state.withLock { state in
            let isNew: Bool
            if let block {
                isNew = state.files[path, default: []].insert(block).inserted
            } else {
                isNew = state.tables.insert(path).inserted
                if state.files[path] == nil { state.files[path] = [] }
            }
            guard isNew, state.entries.count < DamageReport.entryLimit else { return }
            state.entries.append(
                Entry(path: path, block: block, reason: String(reason.prefix(DamageReport.reasonLimit)), firstSeen: .now))
        }
    }

    /// Forgets a file that is gone.
    func forget(path: String) {
        state.withLock { state in
            state.tables.remove(path)
            guard state.files.removeValue(forKey: path) != nil else { return }
            state.entries.removeAll { $0.path == path }
        }
    }

    /// Whether damage of a file is known.
    func contains(path: String) -> Bool { state.withLock { $0.files[path] != nil } }

    /// In the order in which they were met.
    var entries: [Entry] { state.withLock { $0.entries } }

    var fileCount: Int { state.withLock { $0.files.count } }

    var blockCount: Int { state.withLock { $0.files.values.reduce(0) { $0 + $1.count } } }
}

extension StoreError {
    /// Whether a reader can go on without what could not be read.
    var isDamage: Bool {
        if case .damaged = self { true } else { false }
    }
}
