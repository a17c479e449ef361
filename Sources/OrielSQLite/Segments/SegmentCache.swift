import OrielTelemetry
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Decoded parts of segments (directories, pages of ids), shared by all segments and bounded in bytes. What was not used since the last round goes first.
final class SegmentCache: Sendable {
    /// For all stores of the process that are not given one of their own.
    static let shared = SegmentCache(byteLimit: defaultByteLimit)

    /// A twentieth of the machine's memory, but 32 MB at least and 128 MB at most.
    private static let defaultByteLimit: Int = {
        let (memory, overflow) = Int(sysconf(Int32(_SC_PHYS_PAGES))).multipliedReportingOverflow(by: Int(sysconf(Int32(_SC_PAGESIZE))))
        return min(max(overflow ? .max : memory / 20, 32 << 20), 128 << 20)
    }()

    enum Part: Hashable, Sendable {
        case block(Int)
        case traceIDs(Int)
        case filter(block: Int, column: Int, BlockFilter.Kind)
        case traceTimes
    }

    enum Content: Sendable {
        case block(BlockDirectory, BlockBinding)
        case traceIDs([TraceID])
        case filter(BlockFilter)
        case traceTimes(TraceTimes)

        var byteCount: Int {
            switch self {
            case .block(let directory, let binding):
                directory.runs.count * 28
                    + directory.columns.reduce(400) { $0 + 200 + $1.pages.count * 64 + ($1.inline?.count ?? 0) + ($1.inlineFilters?.count ?? 0) }
                    + (binding.streams.count + binding.traces.count) * 4
            case .traceIDs(let ids): 64 + ids.count * 16
            case .filter(let filter): 64 + filter.bytes.count
            case .traceTimes(let times): 64 + times.starts.count * 16
            }
        }
    }

    private struct Key: Hashable {
        var segment: Int
        var part: Part
    }

    private struct Entry {
        var content: Content
        var isUsed: Bool
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// Keys in the order in which they are looked at next; removed segments leave keys without entries.
        var queue: [Key] = []
        var next = 0
        var byteCount = 0
    }

    private let byteLimit: Int
    private let state = Mutex(State())

    init(byteLimit: Int) {
        self.byteLimit = byteLimit
    }

    var byteCount: Int { state.withLock { $0.byteCount } }

    func content(_ part: Part, of segment: Int) -> Content? {
        state.withLock { state in
            let key = Key(segment: segment, part: part)
            guard state.entries[key] != nil else { return nil }
            state.entries[key]?.isUsed = true
            return state.entries[key]?.content
        }
    }

    func insert(_ content: Content, _ part: Part, of segment: Int) {
        let size = content.byteCount
        guard size <= byteLimit / 2 else { return }
        state.withLock { state in
            let key = Key(segment: segment, part: part)
            guard state.entries[key] == nil else { return }
            state.entries[key] = Entry(content: content, isUsed: false)
            state.queue.append(key)
            state.byteCount += size
            while state.byteCount > byteLimit, state.next < state.queue.count {
                let candidate = state.queue[state.next]
                state.next += 1
                if state.entries[candidate]?.isUsed == true {
                    state.entries[candidate]?.isUsed = false
                    state.queue.append(candidate)
                } else if let entry = state.entries.removeValue(forKey: candidate) {
                    state.byteCount -= entry.content.byteCount
                }
            }
            if state.next > 1024, state.next * 2 > state.queue.count {
                state.queue.removeFirst(state.next)
                state.next = 0
            }
        }
    }

    /// Forgets all parts of a segment.
    func remove(segment: Int) {
        state.withLock { state in
            for key in state.entries.keys.filter({ $0.segment == segment }) {
                if let entry = state.entries.removeValue(forKey: key) { state.byteCount -= entry.content.byteCount }
            }
            state.queue = Array(state.queue[state.next...].filter { state.entries[$0] != nil })
            state.next = 0
        }
    }
}
