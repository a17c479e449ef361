#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A pipe of the system, to be written to by what is tested.
final class ConsolePipe {
    struct Failure: Error {}

    let readEnd: Int32
    let writeEnd: Int32
    private var isReadable = true

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw Failure() }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        closeReadEnd()
        close(writeEnd)
    }

    func closeReadEnd() {
        if isReadable { close(readEnd) }
        isReadable = false
    }

    /// Takes what is in the pipe, up to a number of bytes, without waiting for more.
    func take(upTo limit: Int = .max) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            var request = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&request, 1, 0) == 1 else { break }
            let size = min(limit - bytes.count, 4096)
            var buffer = [UInt8](repeating: 0, count: size)
            let count = unsafe read(readEnd, &buffer, size)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    /// What is in the pipe as lines.
    func lines() -> [String] { String(decoding: take(), as: UTF8.self).split(separator: "\n").map(String.init) }

    /// Writes zeros until nothing more fits.
    func fill() {
        let flags = fcntl(writeEnd, F_GETFL)
        _ = fcntl(writeEnd, F_SETFL, flags | O_NONBLOCK)
        let zeros = [UInt8](repeating: 0, count: 4096)
        for size in [4096, 1] {
            while unsafe write(writeEnd, zeros, size) > 0 {}
        }
        _ = fcntl(writeEnd, F_SETFL, flags)
    }
}
