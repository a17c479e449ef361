public import OrielTelemetry

/// A condition on what a stream's rows share. A missing label or attribute counts as the empty string, as in Prometheus.
public struct StreamMatcher: Hashable, Sendable {
    public enum Operation: UInt8, Hashable, Sendable {
        case equal
        case notEqual
    }

    /// A label's name; for spans and log records the key of a resource attribute, else of a scope attribute; `otel.scope.name` and `otel.scope.version` are the
    /// scope's own.
    public var name: String
    public var operation: Operation
    public var value: String

    public init(_ name: String, _ operation: Operation, _ value: String) {
        self.name = name
        self.operation = operation
        self.value = value
    }

    /// Whether a stream passes.
    public func matches(_ descriptor: StreamDescriptor) -> Bool {
        let found = descriptor.text(of: name) ?? ""
        return operation == .equal ? found == value : found != value
    }
}

extension StreamDescriptor {
    /// The value of a label, of a resource or scope attribute (as text), or of `otel.scope.name` and `otel.scope.version`; `nil` when there is none.
    public func text(of name: String) -> String? {
        switch self {
        case .series(let labels): return labels.first { $0.name == name }?.value
        case .scope(let resource, let scope):
            if let value = resource[name] { return value.text }
            if let value = scope.attributes.first(where: { $0.key == name })?.value { return value.text }
            switch name {
            case "otel.scope.name": return scope.name
            case "otel.scope.version": return scope.version
            default: return nil
            }
        }
    }

    /// The names for which ``text(of:)`` has a value.
    public var names: [String] {
        switch self {
        case .series(let labels): return labels.map(\.name)
        case .scope(let resource, let scope):
            var names = resource.attributes.map(\.key) + scope.attributes.map(\.key)
            if !scope.name.isEmpty { names.append("otel.scope.name") }
            if !scope.version.isEmpty { names.append("otel.scope.version") }
            return names
        }
    }
}

extension AttributeValue {
    /// The value as text: a string as it is, numbers and booleans printed, bytes in lower-case hexadecimal, arrays as `[a, b]`, maps as `{k: v}`, the empty value as "".
    public var text: String {
        switch self {
        case .empty: return ""
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .double(let number): return number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : "\(number)"
        case .bytes(let bytes):
            return bytes.reduce(into: "") { text, byte in
                text += String(byte >> 4, radix: 16)
                text += String(byte & 15, radix: 16)
            }
        case .array(let elements): return "[" + elements.map(\.text).joined(separator: ", ") + "]"
        case .map(let attributes): return "{" + attributes.map { "\($0.key): \($0.value.text)" }.joined(separator: ", ") + "}"
        }
    }
}
