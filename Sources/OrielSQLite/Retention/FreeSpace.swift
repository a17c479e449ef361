import OrielTelemetry
import Synchronization

/// How much the disk has left, asked at most once a second.
final class FreeSpace: Sendable {
    private struct Known {
        var bytes: Int64?
        var time = Timestamp(nanoseconds: .min)
    }

    private let known = Mutex(Known())

    /// Free bytes; `nil` when the system does not say.
    func bytes(_ core: StoreCore) -> Int64? {
        let now = Timestamp.now
        return known.withLock { known in
            if known.time.nanoseconds < now.nanoseconds - 1_000_000_000 || known.time > now {
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
