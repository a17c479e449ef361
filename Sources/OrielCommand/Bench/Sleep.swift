import Glibc

/// Waits on the calling thread.
enum Sleep {
    static func seconds(_ seconds: Double) {
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int((seconds - seconds.rounded(.down)) * 1e9))
        // A signal ends the wait early, which no caller minds.
        unsafe nanosleep(&time, nil)
    }
}
