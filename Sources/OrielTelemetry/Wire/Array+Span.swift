extension [UInt8] {
    /// Appends the bytes of a span.
    ///
    /// Complexity: O(*n*), one copy.
    @inlinable
    public mutating func append(_ span: Span<UInt8>) {
        // Safe: the pointer is used within the closure only, and `append` copies.
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends `range` of a span; the range is checked against the span once.
    @inlinable
    public mutating func append(_ span: Span<UInt8>, _ range: Range<Int>) {
        append(span.extracting(range))
    }
}

extension String {
    /// The text of UTF-8 bytes; invalid sequences become U+FFFD.
    @inlinable
    public init(repairing bytes: Span<UInt8>) {
        // Safe: the pointer is used within the closure only, and the string copies.
        self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension Span<UInt8> {
    /// A copy of the bytes.
    @inlinable
    public var array: [UInt8] {
        // Safe: the pointer is used within the closure only, and the array copies.
        unsafe withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// Whether both spans hold the same bytes.
    ///
    /// Complexity: O(*n*).
    @inlinable
    public func isEqual(to other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        let left = unsafe bytes
        let right = unsafe other.bytes
        var offset = 0
        while offset &+ 8 <= count {
            // Checked by the loop's condition: eight bytes are left in both.
            let leftWord = unsafe left.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let rightWord = unsafe right.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if leftWord != rightWord { return false }
            offset &+= 8
        }
        while offset < count {
            if self[offset] != other[offset] { return false }
            offset &+= 1
        }
        return true
    }

    /// Whether these bytes come before others in the order of bytes.
    ///
    /// Complexity: O(*n*) in what both begin with alike.
    @inlinable
    public func precedes(_ other: Span<UInt8>) -> Bool {
        let shared = Swift.min(count, other.count)
        let left = unsafe bytes
        let right = unsafe other.bytes
        var offset = 0
        while offset &+ 8 <= shared {
            // Checked by the loop's condition: eight bytes are left in both.
            let leftWord = unsafe left.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let rightWord = unsafe right.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            // The first byte is the greatest of a big-endian number.
            if leftWord != rightWord { return leftWord.bigEndian < rightWord.bigEndian }
            offset &+= 8
        }
        while offset < shared {
            if self[offset] != other[offset] { return self[offset] < other[offset] }
            offset &+= 1
        }
        return count < other.count
    }
}
