#if TLS
import OrielClient
import OrielTelemetry

/// Bytes in TLS.
struct TLSStream: ByteStream {
    /// Bytes that are encrypted at a time.
    private static let writeBytes = 64 << 10

    private let socket: Socket
    private let channel: TLSChannel
    /// Encrypted bytes that the socket had no room for, from `sent` on.
    private var unsent: [UInt8] = []
    private var sent = 0
    /// Decrypted bytes that nobody read yet, from `taken` on.
    private var received: [UInt8] = []
    private var taken = 0
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)

    /// Agrees with the other side on keys.
    ///
    /// - Parameter host: whom the certificate must be of.
    init(_ socket: Socket, _ context: TLSContext, host: String, until deadline: Deadline) throws(StreamError) {
        self.socket = socket
        channel = try TLSChannel(context, host: host)
        while !channel.isHandshakeDone {
            let isSent = try flush()
            do throws(StreamError) {
                _ = try socket.wait(reading: true, writing: !isSent, until: deadline)
            } catch {
                throw error.kind == .timeout ? .timeout("TLS was not agreed on") : error
            }
            if try receive() == .end { throw StreamError(.closed, "the receiver closed the connection instead of agreeing on TLS") }
        }
        _ = try flush()
    }

    mutating func write(_ bytes: Span<UInt8>) throws(StreamError) -> Int {
        guard try flush() else { return 0 }
        let count = min(bytes.count, Self.writeBytes)
        try channel.write(bytes.extracting(0..<count))
        _ = try flush()
        return count
    }

    mutating func flush() throws(StreamError) -> Bool {
        while true {
            while sent < unsent.count {
                let count = try socket.send(unsent.span.extracting(sent..<unsent.count))
                if count == 0 { return false }
                sent += count
            }
            guard let next = channel.nextForNetwork() else { return true }
            unsent = next
            sent = 0
        }
    }

    mutating func read(into target: inout [UInt8]) throws(StreamError) -> StreamReading {
        while taken == received.count {
            if let next = channel.nextReceived() {
                received = next
                taken = 0
            } else if channel.isClosed {
                return .end
            } else {
                switch try receive() {
                case .bytes: continue
                case .nothingYet: return .nothingYet
                case .end: return .end
                }
            }
        }
        let count = min(target.count, received.count - taken)
        target.replaceSubrange(0..<count, with: received[taken..<(taken + count)])
        taken += count
        return .bytes(count)
    }

    /// Reads from the network what there is.
    private mutating func receive() throws(StreamError) -> StreamReading {
        let reading = try socket.receive(into: &buffer)
        if case .bytes(let count) = reading {
            do throws(StreamError) {
                try channel.receive(buffer.span.extracting(0..<count))
            } catch {
                // Tells the other side what was wrong, if it listens.
                _ = try? flush()
                throw error
            }
            // An answer of TLS itself may be due.
            _ = try flush()
        }
        return reading
    }

    func wait(reading: Bool, writing: Bool, until deadline: Deadline) throws(StreamError) -> Bool {
        if reading, taken < received.count { return true }
        return try socket.wait(reading: reading, writing: writing, until: deadline)
    }

    mutating func isStale() -> Bool {
        guard channel.isMine else { return true }
        guard taken == received.count, !channel.isClosed else { return true }
        guard socket.isReadable else { return false }
        // Tickets for later sessions may come at any time.
        var first = [UInt8](repeating: 0, count: 1)
        // A connection that fails is as stale as one with bytes that nobody asked for.
        return (try? read(into: &first)) != .nothingYet
    }
}
#endif
