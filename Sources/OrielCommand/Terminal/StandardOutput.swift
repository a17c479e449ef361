import Glibc

/// The output of a command: gathered, and written in large pieces.
struct StandardOutput: ~Copyable {
    /// The reader has gone: nothing more to do.
    struct BrokenPipe: Error {}

    private var buffer: [UInt8] = []

    /// Bytes that are gathered at most.
    private static let limit = 64 << 10

    mutating func write(_ bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.limit { try flush() }
    }

    mutating func line(_ text: String) throws {
        try write(text.utf8)
        try write(CollectionOfOne(UInt8(ascii: "\n")))
    }

    mutating func lines(_ texts: [String]) throws {
        for text in texts { try line(text) }
    }

    /// Writes what was gathered; must be called at the end.
    mutating func flush() throws {
        var offset = 0
        while offset < buffer.count {
            // Safe: the pointer lies within the array for the call.
            let count = unsafe buffer.withUnsafeBytes { unsafe Glibc.write(1, $0.baseAddress?.advanced(by: offset), $0.count - offset) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE { throw BrokenPipe() }
                let reason = unsafe String(cString: strerror(errno))
                throw CommandFailure("the output cannot be written: \(reason)")
            }
            offset += count
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Returns when the reader of standard output has gone, which a writer that has nothing to write would not notice.
    static func readerGone() async throws {
        while true {
            var descriptor = pollfd(fd: 1, events: 0, revents: 0)
            // Safe: the structure is valid for the call, which does not wait.
            if unsafe poll(&descriptor, 1, 0) > 0, Int32(descriptor.revents) & (POLLERR | POLLHUP | POLLNVAL) != 0 { return }
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}
