#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import OrielClient

/// Tells people what concerns the telemetry itself, which telemetry cannot.
enum StandardError {
    /// What a pipe takes in one step when it says that it takes anything (POSIX `PIPE_BUF`).
    private static let longestLine = Int(PIPE_BUF)

    /// Writes a line in one step, cut if it is very long. Nobody waits for whoever reads it, and one who has gone away ends nothing.
    ///
    /// - Returns: whether it was written.
    @discardableResult
    static func print(_ line: String) -> Bool {
        let bytes = Array(line.utf8.prefix(longestLine - 1)) + [UInt8(ascii: "\n")]
        return BrokenPipe.withoutSignal {
            guard isWritable else { return false }
            // The pointer is valid for the call.
            return unsafe bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) == $0.count }
        }
    }

    private static var isWritable: Bool {
        var request = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
        // The pointer is valid for the call.
        return unsafe poll(&request, 1, 0) == 1 && Int32(request.revents) & POLLOUT != 0
    }
}
