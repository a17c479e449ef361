extension TraceID {
    /// The id of exactly 16 bytes, big-endian; another length is `nil`.
    @inlinable
    public init?(bytes: Span<UInt8>) {
        guard bytes.count == 16 else { return nil }
        // Checked above: sixteen bytes, and a UInt64 may be loaded from any address.
        let raw = unsafe bytes.bytes
        let high = unsafe raw.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)
        let low = unsafe raw.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self)
        self.init(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
    }
}

extension SpanID {
    /// The id of exactly 8 bytes, big-endian; another length is `nil`.
    @inlinable
    public init?(bytes: Span<UInt8>) {
        guard bytes.count == 8 else { return nil }
        // Checked above: eight bytes, and a UInt64 may be loaded from any address.
        self.init(rawValue: UInt64(bigEndian: unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)))
    }
}
