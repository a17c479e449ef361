import OrielClient
import OrielTelemetry

/// Bytes to a receiver and back, without blocking; whoever uses it waits with ``wait(reading:writing:until:)``.
///
/// A stream belongs to one thread at a time.
protocol ByteStream: Sendable {
    /// Sends some of the bytes.
    ///
    /// - Returns: how many were taken; 0 when it is to be tried again after a wait.
    mutating func write(_ bytes: Span<UInt8>) throws(StreamError) -> Int

    /// Sends on what was taken.
    ///
    /// - Returns: whether all of it is on its way.
    mutating func flush() throws(StreamError) -> Bool

    /// Reads what there is, into a buffer that is not empty.
    mutating func read(into buffer: inout [UInt8]) throws(StreamError) -> StreamReading

    /// Waits until bytes may be read or written.
    ///
    /// - Returns: whether bytes may be read.
    func wait(reading: Bool, writing: Bool, until deadline: Deadline) throws(StreamError) -> Bool

    /// Whether the receiver has closed the stream, or sent something that nobody asked for.
    mutating func isStale() -> Bool
}

/// What came of an attempt to read.
enum StreamReading: Hashable, Sendable {
    /// So many bytes at the start of the buffer.
    case bytes(Int)
    case nothingYet
    case end
}

/// A stream that cannot be made or used any more.
struct StreamError: Error, Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// There is no connection.
        case unreachable
        /// The other side went away.
        case closed
        case timeout
        /// This process did not run for a while, as a frozen sandbox does not: whether the connection still is one cannot be told.
        case stopped
        /// The other side does not keep to the protocol.
        case protocolViolation
    }

    let kind: Kind
    /// For people; it tells neither the receiver's name nor that it is about telemetry.
    let reason: String

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    static func timeout(_ what: String) -> StreamError { StreamError(.timeout, "\(what) within the time given") }
}
