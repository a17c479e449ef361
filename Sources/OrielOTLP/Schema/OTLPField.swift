/// A field of an OTLP message: what JSON, error paths and the protobuf walk need to know about it. A class, since fields are looked at all
/// the time and never change.
final class OTLPField: Sendable {
    let number: UInt32
    /// The name in the `.proto` files.
    let name: String
    /// The name in lowerCamelCase, as JSON writes it, in UTF-8.
    let jsonName: [UInt8]
    let kind: Kind
    let isRepeated: Bool

    enum Kind: Sendable {
        case string
        /// Base64 in JSON.
        case bytes
        /// Trace and span ids: hexadecimal in JSON.
        case identifier
        case bool
        case uint32
        case int32
        case sint32
        case int64
        case uint64
        case fixed32
        case fixed64
        case sfixed64
        case double
        /// The names of the values, without the prefix that all share, from 0 on.
        case enumeration(prefix: String, [String])
        case message(OTLPMessage)

        /// The protobuf wire type of one value.
        var wireType: UInt32 {
            switch self {
            case .bool, .uint32, .int32, .sint32, .int64, .uint64, .enumeration: 0
            case .fixed64, .sfixed64, .double: 1
            case .string, .bytes, .identifier, .message: 2
            case .fixed32: 5
            }
        }
    }

    /// A field; `repeated` marks a list.
    init(_ number: UInt32, _ name: String, _ kind: Kind, repeated: Bool = false) {
        self.number = number
        self.name = name
        self.kind = kind
        self.isRepeated = repeated
        var camel: [UInt8] = []
        var raises = false
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                raises = true
            } else {
                camel.append(raises && byte >= UInt8(ascii: "a") ? byte - 0x20 : byte)
                raises = false
            }
        }
        jsonName = camel
    }
}

extension OTLPField.Kind {
    static let spanKind = OTLPField.Kind.enumeration(
        prefix: "SPAN_KIND_", ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"])
    static let statusCode = OTLPField.Kind.enumeration(prefix: "STATUS_CODE_", ["UNSET", "OK", "ERROR"])
    static let temporality = OTLPField.Kind.enumeration(prefix: "AGGREGATION_TEMPORALITY_", ["UNSPECIFIED", "DELTA", "CUMULATIVE"])
    static let severityNumber = OTLPField.Kind.enumeration(
        prefix: "SEVERITY_NUMBER_",
        ["UNSPECIFIED"] + ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap { level in [level, level + "2", level + "3", level + "4"] })
}
