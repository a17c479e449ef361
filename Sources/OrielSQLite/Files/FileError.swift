#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A file operation that failed.
struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    enum Operation: String, Sendable {
        case open, close, read, write, truncate, allocate, size, synchronize, lock, rename, link, unlink, createDirectory, removeDirectory
        case synchronizeDirectory, list, status, freeSpace
    }

    let operation: Operation
    let path: String
    /// The error number of the system (`errno`).
    let number: Int32

    var description: String {
        guard let text = unsafe strerror(number) else {
            return "\(operation.rawValue) \(path): error \(number)"
        }
        return "\(operation.rawValue) \(path): \(unsafe String(cString: text))"
    }

    var isMissing: Bool { number == ENOENT }
    var isExisting: Bool { number == EEXIST }
    var isLocked: Bool { number == EAGAIN || number == EACCES }
    /// The disk or the quota is full.
    var isFull: Bool { number == ENOSPC || number == EDQUOT }
}
