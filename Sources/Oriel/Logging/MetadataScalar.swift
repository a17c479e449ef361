import Logging

/// What a metadata value that is neither array nor dictionary becomes.
enum MetadataScalar {
    case text(String)
    case int(Int64)
    case double(Double)
    case bool(Bool)

    /// The type in which swift-log wraps values that have attributes. It has no public name, so it is asked for once.
    private static let attributedType: ObjectIdentifier? = {
        guard case .stringConvertible(let carrier) = Logging.Logger.MetadataValue.attributed("", attributes: .init()) else { return nil }
        return ObjectIdentifier(type(of: carrier))
    }()

    static let redacted = MetadataScalar.text("[redacted]")

    /// Numbers and booleans stay what they are, all else is described.
    init(_ value: any CustomStringConvertible & Sendable) {
        self = MetadataScalar.read(value)
    }

    /// Types are told apart by their identity, which costs a comparison each; a cast would cost some 40 ns.
    private static func read<Value: CustomStringConvertible & Sendable>(_ value: Value) -> MetadataScalar {
        if Value.self == Int.self { return .int(Int64(unsafe same(value, as: Int.self))) }
        if Value.self == Double.self { return .double(unsafe same(value, as: Double.self)) }
        if Value.self == Bool.self { return .bool(unsafe same(value, as: Bool.self)) }
        if Value.self == String.self { return .text(unsafe same(value, as: String.self)) }
        if ObjectIdentifier(Value.self) == attributedType {
            let attributes = Logging.Logger.MetadataValue.stringConvertible(value).attributes
            return attributes[Oriel.Redaction.self] == .redacted ? .redacted : .text(value.description)
        }
        if Value.self == Int64.self { return .int(unsafe same(value, as: Int64.self)) }
        if Value.self == Int32.self { return .int(Int64(unsafe same(value, as: Int32.self))) }
        if Value.self == UInt.self { return whole(unsafe same(value, as: UInt.self)) }
        if Value.self == UInt64.self { return whole(unsafe same(value, as: UInt64.self)) }
        if Value.self == UInt32.self { return .int(Int64(unsafe same(value, as: UInt32.self))) }
        if Value.self == UInt16.self { return .int(Int64(unsafe same(value, as: UInt16.self))) }
        if Value.self == UInt8.self { return .int(Int64(unsafe same(value, as: UInt8.self))) }
        if Value.self == Int16.self { return .int(Int64(unsafe same(value, as: Int16.self))) }
        if Value.self == Int8.self { return .int(Int64(unsafe same(value, as: Int8.self))) }
        if Value.self == Float.self { return .double(Double(unsafe same(value, as: Float.self))) }
        return .text(value.description)
    }

    /// An OTLP integer has 64 bits with sign: a larger one is written as text, so that it is not falsified.
    private static func whole(_ value: some FixedWidthInteger) -> MetadataScalar {
        Int64(exactly: value).map { .int($0) } ?? .text(String(value))
    }

    /// The same value under another name of its type.
    ///
    /// Only to be called where both are the same type: it reads the memory of `value` as a `Same`.
    @inline(__always)
    @unsafe
    private static func same<Value, Same>(_ value: Value, as type: Same.Type) -> Same {
        unsafe withUnsafePointer(to: value) { unsafe UnsafeRawPointer($0).load(as: type) }
    }
}
