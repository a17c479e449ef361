/// Byte strings one after another: the end of each, and all bytes in one array.
///
/// Holds at most 4 GiB of bytes; what is appended comes from requests and pages that are bounded far below.
public struct ByteColumn: Sendable, Equatable {
    /// All values, concatenated.
    public private(set) var bytes: [UInt8]
    /// For each value the offset behind its last byte.
    public private(set) var ends: [UInt32]

    public init() {
        bytes = []
        ends = []
    }

    /// So many values without bytes.
    init(emptyValues count: Int) {
        bytes = []
        ends = Array(repeating: 0, count: count)
    }

    /// Takes over values that were laid out elsewhere. `ends` must not decrease and must end at `bytes.count`; otherwise `nil`.
    public init?(bytes: [UInt8], ends: [UInt32]) {
        var last: UInt32 = 0
        for end in ends {
            guard end >= last else { return nil }
            last = end
        }
        guard Int(last) == bytes.count else { return nil }
        self.bytes = bytes
        self.ends = ends
    }

    @inlinable
    public var count: Int { ends.count }

    /// Where value `index` lies in ``bytes``.
    @inlinable
    public func range(of index: Int) -> Range<Int> {
        let lower = index == 0 ? 0 : Int(ends[index &- 1])
        return lower..<Int(ends[index])
    }

    /// Whether value `index` has no bytes.
    @inlinable
    public func isEmpty(at index: Int) -> Bool { range(of: index).isEmpty }

    /// A copy of value `index`.
    public subscript(index: Int) -> [UInt8] {
        Array(bytes[range(of: index)])
    }

    /// Value `index` as text, repaired where it is not valid UTF-8.
    public func string(at index: Int) -> String {
        String(decoding: bytes[range(of: index)], as: UTF8.self)
    }

    public mutating func reserveCapacity(_ count: Int, bytes byteCount: Int) {
        ends.reserveCapacity(count)
        bytes.reserveCapacity(byteCount)
    }

    public mutating func append(_ value: Span<UInt8>) {
        bytes.append(value)
        ends.append(UInt32(bytes.count))
    }

    public mutating func append(_ value: some Sequence<UInt8>) {
        bytes.append(contentsOf: value)
        ends.append(UInt32(bytes.count))
    }

    public mutating func append(_ value: String) {
        append(value.utf8)
    }

    public mutating func appendEmpty() {
        ends.append(UInt32(bytes.count))
    }

    /// Appends bytes that belong to the value that ``finishValue()`` ends: for values that arrive in pieces.
    public mutating func extendValue(_ piece: Span<UInt8>) {
        bytes.append(piece)
    }

    /// Ends the value that ``extendValue(_:)`` built.
    public mutating func finishValue() {
        ends.append(UInt32(bytes.count))
    }

    /// Drops pieces of a value that was not finished.
    public mutating func abandonValue() {
        bytes.removeLast(bytes.count - Int(ends.last ?? 0))
    }

    /// Appends value `index` of another column.
    public mutating func append(_ index: Int, of other: ByteColumn) {
        append(other.bytes.span.extracting(other.range(of: index)))
    }

    public mutating func append(contentsOf other: ByteColumn) {
        let base = UInt32(bytes.count)
        bytes.append(contentsOf: other.bytes)
        ends.reserveCapacity(ends.count + other.ends.count)
        for end in other.ends { ends.append(base + end) }
    }

    public mutating func removeAll(keepingCapacity: Bool = true) {
        bytes.removeAll(keepingCapacity: keepingCapacity)
        ends.removeAll(keepingCapacity: keepingCapacity)
    }
}
