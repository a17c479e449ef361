import OrielTelemetry

/// Writes settings as the configuration file that they could be read from.
enum YAMLText {
    private struct Line {
        var text: String
        var origin: String?
    }

    /// A text as a scalar, in quotes where it needs them.
    static func scalar(_ text: String) -> String {
        let isPlain = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"),
                UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        let mayFollow = { (byte: UInt8) in isPlain(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ":") }
        if let first = text.utf8.first, isPlain(first), text.utf8.allSatisfy(mayFollow), !text.hasSuffix(":") { return text }
        return quoted(text)
    }

    /// A text in double quotes, with JSON's escapes, which are YAML's too.
    static func quoted(_ text: String) -> String {
        var writer = JSONWriter()
        writer.string(text)
        return writer.text
    }

    /// Settings by their paths, each with its origin as a comment.
    static func settings(_ values: [ResolvedConfiguration.Value]) -> String {
        let lines = block(values.map { (path: $0.name.split(separator: "."), value: $0) }, indentation: "")
        let width = lines.filter { $0.origin != nil }.map(\.text.count).filter { $0 <= 60 }.max() ?? 0
        return lines.map { line in
            guard let origin = line.origin else { return line.text }
            return line.text + String(repeating: " ", count: max(2, width - line.text.count + 2)) + "# \(origin)"
        }.joined(separator: "\n")
    }

    /// The settings of one mapping: those with the same first key come together, where the first of them stands.
    private static func block(_ values: [(path: [Substring], value: ResolvedConfiguration.Value)], indentation: String) -> [Line] {
        var lines: [Line] = []
        var done: Set<Substring> = []
        for (path, value) in values {
            guard let key = path.first, done.insert(key).inserted else { continue }
            if path.count > 1 {
                lines.append(Line(text: "\(indentation)\(key):"))
                let members = values.filter { $0.path.first == key }.map { (path: Array($0.path.dropFirst()), value: $0.value) }
                lines += block(members, indentation: indentation + "  ")
            } else if let items = value.items {
                lines.append(Line(text: "\(indentation)\(key):\(items.isEmpty ? " []" : "")", origin: value.origin))
                lines += items.map { Line(text: "\(indentation)  - \($0)") }
            } else if value.value.isEmpty {
                lines.append(Line(text: "\(indentation)# \(key):", origin: value.origin))
            } else {
                lines.append(Line(text: "\(indentation)\(key): \(scalar(value.value))", origin: value.origin))
            }
        }
        return lines
    }
}

extension ListenerConfiguration {
    /// The listener as an element of `listeners`.
    var yaml: String {
        if self == ListenerConfiguration(address: address) { return YAMLText.scalar(address.description) }
        var parts = ["address: \(YAMLText.quoted(address.description))"]
        parts.append("roles: [\(ListenerRole.allCases.filter(roles.contains).map(\.rawValue).joined(separator: ", "))]")
        if let tls {
            var files = ["certificate: \(YAMLText.quoted(tls.certificate))", "key: \(YAMLText.quoted(tls.key))"]
            if let authorities = tls.clientAuthorities { files.append("client_ca: \(YAMLText.quoted(authorities))") }
            parts.append("tls: {\(files.joined(separator: ", "))}")
        }
        if isOptional { parts.append("optional: true") }
        return "{\(parts.joined(separator: ", "))}"
    }
}
