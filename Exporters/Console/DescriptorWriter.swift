#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import OrielClient

/// Writes to a descriptor that others may have open too, up to a deadline.
struct DescriptorWriter {
    enum Outcome {
        case written
        /// These many bytes were written, and no more for now.
        case stopped(written: Int, reason: String)
        /// Nobody will ever read it.
        case gone(reason: String)
    }

    let descriptor: Int32
    let deadline: Deadline

    /// What a pipe takes at once and without waiting when it says that it takes anything (POSIX `PIPE_BUF`): 4096 bytes on Linux, 512 at least.
    private static let pipeBytes = Int(PIPE_BUF)
    private static let newline = UInt8(ascii: "\n")

    /// Writes all bytes, in pieces that end at line ends where possible, so that lines of several writers do not mix.
    func write(_ bytes: Span<UInt8>) -> Outcome {
        guard descriptor >= 0 else { return .gone(reason: "there is no descriptor \(descriptor)") }
        let isFile = isRegularFile
        var offset = 0
        while offset < bytes.count {
            if !isFile, let reason = waitUntilWritable() { return .stopped(written: offset, reason: reason) }
            let piece = isFile ? bytes.count - offset : pieceLength(bytes.extracting(offset..<bytes.count))
            // The pointer is valid for the call, and holds as many bytes as are to be written.
            let count = unsafe bytes.extracting(offset..<(offset + piece)).withUnsafeBytes { unsafe systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                offset += count
                continue
            }
            switch errno {
            // Both are tried again, the latter when there is room.
            case EINTR, EAGAIN: if isOver { return .stopped(written: offset, reason: "interrupted until the deadline") }
            case EPIPE: return .gone(reason: "its reader has gone")
            case EBADF: return .gone(reason: "descriptor \(descriptor) is not open for writing")
            case let code: return .stopped(written: offset, reason: "error \(code) of the system")
            }
        }
        return .written
    }

    private var isOver: Bool { deadline.isOver }

    /// Waits up to the deadline; says why when it is over.
    private func waitUntilWritable() -> String? {
        while true {
            var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let rest = deadline.rest
            // The deadline is by the wall clock, which may be set or run on while the process is frozen, and others may make it earlier: it is looked at now and then.
            let milliseconds = Int32(min(rest ?? .zero, .milliseconds(100)).nanoseconds / 1_000_000)
            // The pointer is valid for the call.
            let count = unsafe poll(&request, 1, milliseconds)
            // An error or a hang-up is told by the write that follows.
            if count > 0 { return nil }
            if rest == nil { return "nobody reads it" }
        }
    }

    /// As many whole lines as a pipe takes at once, else a part of the first one.
    private func pieceLength(_ bytes: Span<UInt8>) -> Int {
        guard bytes.count > Self.pipeBytes else { return bytes.count }
        var length = Self.pipeBytes
        while length > 0, bytes[length - 1] != Self.newline { length -= 1 }
        return length > 0 ? length : Self.pipeBytes
    }

    private var isRegularFile: Bool {
        var information = stat()
        // The pointer is valid for the call.
        guard unsafe fstat(descriptor, &information) == 0 else { return false }
        return information.st_mode & S_IFMT == S_IFREG
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, bytes, count)
}
