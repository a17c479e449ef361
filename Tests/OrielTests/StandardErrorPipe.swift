#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A pipe in the place of this process's standard error, until it is put back; for exit tests.
final class StandardErrorPipe: Sendable {
    private let readEnd: Int32
    private let before: Int32

    init() {
        before = dup(2)
        var ends: [Int32] = [-1, -1]
        // The array has the two places that the call fills.
        guard unsafe pipe(&ends) == 0 else { preconditionFailure("no pipe") }
        readEnd = ends[0]
        dup2(ends[1], 2)
        close(ends[1])
        // The default action, whatever the test runner has chosen.
        _ = signal(SIGPIPE, SIG_DFL)
    }

    /// Puts back what was there before: the test's own runner writes to it at the end.
    func remove() {
        dup2(before, 2)
    }

    /// Whoever read it has gone away.
    func closeReadEnd() {
        close(readEnd)
    }

    /// Takes what is in the pipe, without waiting for more.
    func take() -> String {
        var bytes: [UInt8] = []
        while true {
            var request = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&request, 1, 0) == 1 else { break }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = unsafe read(readEnd, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Fills the pipe until nothing more fits, as if nobody read it.
    func fill() {
        let flags = fcntl(2, F_GETFL)
        _ = fcntl(2, F_SETFL, flags | O_NONBLOCK)
        let zeros = [UInt8](repeating: 0, count: 4096)
        for size in [4096, 1] {
            while unsafe write(2, zeros, size) > 0 {}
        }
        _ = fcntl(2, F_SETFL, flags)
    }
}
