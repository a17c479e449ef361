/// Checks values against the part of JSON Schema 2020-12 that the API's description uses; an unknown keyword is a violation, so that none goes unchecked.
struct SchemaValidator {
    /// What `$ref` refers into.
    let document: JSONTree

    /// What is wrong with a value, each with its place.
    func violations(of value: JSONTree, _ schema: JSONTree, at path: String = "$") -> [String] {
        var found: [String] = []
        for (keyword, rule) in schema.members {
            switch keyword {
            case "description", "format", "default", "example": break
            case "$ref": found += violations(of: value, resolve(rule.text ?? ""), at: path)
            case "type":
                let types = rule.text.map { [$0] } ?? rule.elements.compactMap(\.text)
                if !types.contains(where: { isOfType(value, $0) }) { found.append("\(path): \(value) is no \(types)") }
            case "enum": if !rule.elements.contains(value) { found.append("\(path): \(value) is none of \(rule.elements)") }
            case "const": if value != rule { found.append("\(path): \(value) is not \(rule)") }
            case "pattern":
                guard let text = value.text, let pattern = rule.text else { break }
                do {
                    if try Regex(pattern).firstMatch(in: text) == nil { found.append("\(path): \(text) does not match \(pattern)") }
                } catch {
                    found.append("\(path): the pattern \(pattern) is no regular expression: \(error)")
                }
            case "anyOf":
                if !rule.elements.contains(where: { violations(of: value, $0, at: path).isEmpty }) { found.append("\(path): \(value) fits none of anyOf") }
            case "required":
                guard case .object = value else { break }
                for name in rule.elements.compactMap(\.text) where value[name] == nil { found.append("\(path): \(name) is missing") }
            case "properties":
                for (name, inner) in rule.members {
                    if let member = value[name] { found += violations(of: member, inner, at: "\(path).\(name)") }
                }
            case "additionalProperties":
                let known = schema["properties"]?.members ?? [:]
                for (name, member) in value.members where known[name] == nil {
                    if rule == .bool(false) {
                        found.append("\(path): unexpected member \(name)")
                    } else {
                        found += violations(of: member, rule, at: "\(path).\(name)")
                    }
                }
            case "maxProperties": if Double(value.members.count) > rule.number ?? 0 { found.append("\(path): too many members") }
            case "minProperties": if Double(value.members.count) < rule.number ?? 0 { found.append("\(path): too few members") }
            case "items":
                for (index, element) in value.elements.enumerated() { found += violations(of: element, rule, at: "\(path)[\(index)]") }
            default: found.append("\(path): the schema has the unknown keyword \(keyword)")
            }
        }
        return found
    }

    /// What a reference such as `#/components/schemas/Span` means.
    func resolve(_ reference: String) -> JSONTree {
        reference.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] ?? .null }
    }

    private func isOfType(_ value: JSONTree, _ type: String) -> Bool {
        switch (value, type) {
        case (.null, "null"), (.bool, "boolean"), (.number, "number"), (.string, "string"), (.array, "array"), (.object, "object"): true
        case (.number(let number), "integer"): number == number.rounded()
        default: false
        }
    }
}
