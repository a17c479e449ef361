import Synchronization

/// Bounds how many connections to segments the process has open: one costs about 350 KB.
final class OpenSegments: Sendable {
    static let shared = OpenSegments(limit: 64)

    private struct Member {
        weak var segment: OpenSegment?
    }

    private let limit: Int
    /// The segment of each open connection, oldest first, and perhaps of some that are closed.
    private let members = Mutex<[Member]>([])

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether a further connection makes no segment close its own.
    var hasRoom: Bool { members.withLock { $0.count < limit } }

    /// Notes that a segment opened a connection. Returns one that must close all of its own, which the caller does without holding any lock.
    func opened(_ segment: OpenSegment) -> OpenSegment? {
        members.withLock { members in
            members.removeAll { $0.segment == nil }
            members.append(Member(segment: segment))
            guard members.count > limit, let oldest = members.lazy.compactMap(\.segment).first(where: { $0 !== segment }) else { return nil }
            members.removeAll { $0.segment === oldest }
            return oldest
        }
    }
}
