import OrielClient
import OrielTelemetry

/// Bytes as they are.
struct SocketStream: ByteStream {
    private let socket: Socket

    init(_ socket: Socket) {
        self.socket = socket
    }

    func write(_ bytes: Span<UInt8>) throws(StreamError) -> Int { try socket.send(bytes) }

    func flush() -> Bool { true }

    func read(into buffer: inout [UInt8]) throws(StreamError) -> StreamReading { try socket.receive(into: &buffer) }

    func wait(reading: Bool, writing: Bool, until deadline: Deadline) throws(StreamError) -> Bool {
        try socket.wait(reading: reading, writing: writing, until: deadline)
    }

    func isStale() -> Bool { socket.isReadable }
}
