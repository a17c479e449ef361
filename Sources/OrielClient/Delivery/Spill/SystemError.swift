#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What the system said when it could not do something.
struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `errno`.
    let number: Int32

    var description: String {
        guard let text = unsafe strerror(number) else { return "error \(number)" }
        // The text stays valid until the next call on this thread.
        return unsafe String(cString: text)
    }

    var isMissing: Bool { number == ENOENT }
    var isForbidden: Bool { number == EACCES || number == EPERM }
    var isExisting: Bool { number == EEXIST }
    /// The disk or the quota is full.
    var isFull: Bool { number == ENOSPC || number == EDQUOT }
}
