/// Why bytes are no valid protobuf message of the expected kind.
public struct WireError: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        /// The bytes end inside a field.
        case truncated
        /// A varint of more than ten bytes.
        case varintTooLong
        /// A tag with field number 0 or one of the group wire types, which OTLP never uses.
        case invalidTag
        /// A field of a known number with another wire type than its definition has.
        case unexpectedWireType
        /// A string that is no valid UTF-8.
        case invalidUTF8
        /// Values nested deeper than the limit.
        case nestingTooDeep(limit: Int)
    }

    public var reason: Reason
    /// Offset of the offending byte from the start of the message that was decoded.
    public var offset: Int

    public init(_ reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension WireError: CustomStringConvertible {
    public var description: String {
        switch reason {
        case .truncated: "the message ends inside a field at byte \(offset)"
        case .varintTooLong: "a varint of more than ten bytes at byte \(offset)"
        case .invalidTag: "no valid field tag at byte \(offset)"
        case .unexpectedWireType: "a known field has an unexpected wire type at byte \(offset)"
        case .invalidUTF8: "a string that is not valid UTF-8 at byte \(offset)"
        case .nestingTooDeep(let limit): "values nested deeper than \(limit) at byte \(offset)"
        }
    }
}
