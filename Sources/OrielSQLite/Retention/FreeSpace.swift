import OrielTelemetry
import Synchronization

/// How much the disk has left, asked not more often than those who want to know need.
final class FreeSpace: Sendable {
    private struct Known {
        var bytes: Int64?
        var time = Timestamp(nanoseconds: .min)
    }

    private let known = Mutex(Known())

    /// Free bytes; `nil` when the system does not say.
    ///
    /// - Parameter age: How old the answer may be, in nanoseconds.
    func bytes(_ core: StoreCore, age: Int64 = 1_000_000_000) -> Int64? {
        let now = Timestamp.now
        return known.withLock { known in
            if known.time.nanoseconds <= now.nanoseconds.subtractingSaturating(age) || known.time > now {
                do {
                    known.bytes = try core.files.freeSpace(core.folder)
                } catch {
                    // A system that cannot say is no reason to refuse; a full disk still fails the commit.
                    known.bytes = nil
                }
                known.time = now
            }
            return known.bytes
        }
    }
}
