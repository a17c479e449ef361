/// The value of an attribute or a log body: OpenTelemetry's `AnyValue`. It keeps its type.
public indirect enum AttributeValue: Hashable, Sendable {
    /// A value that was sent without content.
    case empty
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case array([AttributeValue])
    case map([Attribute])
    case bytes([UInt8])

    /// The type, as columns store it.
    public var type: AttributeType {
        switch self {
        case .empty: .empty
        case .string: .string
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .array: .array
        case .map: .map
        case .bytes: .bytes
        }
    }
}

/// A key and its value.
public struct Attribute: Hashable, Sendable {
    public var key: String
    public var value: AttributeValue

    public init(_ key: String, _ value: AttributeValue) {
        self.key = key
        self.value = value
    }
}

/// The type of an attribute value. Raw values are the field numbers of OTLP's `AnyValue`, 0 for a value without content.
public enum AttributeType: UInt8, Sendable, CaseIterable {
    case empty = 0
    case string = 1
    case bool = 2
    case int = 3
    case double = 4
    case array = 5
    case map = 6
    case bytes = 7
}

extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: AttributeValue...) { self = .array(elements) }
}
