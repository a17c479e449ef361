import OrielStore
import OrielTelemetry

/// A condition on an attribute or a label as text: `http.status_code>=500`, `user="42"`, `retry!=true`, or a key alone (the attribute is there).
///
/// A value that begins with `=`, `<`, `>` or `~` is probably a mistyped operator, and must be quoted.
///
/// A value that reads as a number or a boolean equals attributes of that type and strings with that text; in double quotes it is a string only.
struct AttributeCondition: Sendable, Hashable {
    var key: String
    /// `nil`: the attribute only has to be there.
    var comparison: Predicate.Comparison?
    var value: String
    var isQuoted: Bool

    init(_ text: String, parameter: String) throws(APIError) {
        let operators: [(String, Predicate.Comparison)] = [
            (">=", .greaterOrEqual), ("<=", .lessOrEqual), ("!=", .notEqual), ("==", .equal), ("=", .equal), (">", .greater), ("<", .less),
        ]
        let bytes = Array(text.utf8)
        let end = bytes.firstIndex { [UInt8(ascii: "="), UInt8(ascii: "<"), UInt8(ascii: ">")].contains($0) }
        guard let end else {
            if text.contains("!~") { throw AttributeCondition.refusal(text, parameter: parameter, "there is no comparison with a pattern") }
            self.init(key: text, comparison: nil, value: "", isQuoted: false)
            return
        }
        let start = end > 0 && bytes[end] == UInt8(ascii: "=") && bytes[end - 1] == UInt8(ascii: "!") ? end - 1 : end
        let tail = String(decoding: bytes[start...], as: UTF8.self)
        guard let (symbol, comparison) = operators.first(where: { tail.hasPrefix($0.0) }), start > 0 else {
            throw .invalid(parameter, text, expected: "key=value, key!=value, key>=value, key>value, key<=value, key<value or a key alone")
        }
        var value = tail.dropFirst(symbol.count)
        let isQuoted = value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
        let key = String(decoding: bytes[..<start], as: UTF8.self)
        if isQuoted {
            value = value.dropFirst().dropLast()
        } else if let first = value.first, "=<>~".contains(first) {
            throw AttributeCondition.refusal(text, parameter: parameter, AttributeCondition.correction(of: key, symbol, value))
        }
        self.init(key: key, comparison: comparison, value: String(value), isQuoted: isQuoted)
    }

    private static func refusal(_ text: String, parameter: String, _ hint: String) -> APIError {
        APIError(status: 400, "\(parameter) \"\(text.prefix(200))\" is no condition: \(hint)", parameter: parameter)
    }

    /// What was probably meant, and how to say what stands there.
    private static func correction(of key: String, _ symbol: String, _ value: Substring) -> String {
        let rest = value.dropFirst()
        let quoted = "a value that begins with \(value.prefix(1)) is written in quotes, as in \(key)\(symbol)\"\(value)\""
        switch symbol + value.prefix(1) {
        case "=>": return "did you mean \(key)>=\(rest)? (\(quoted))"
        case "=<": return "did you mean \(key)<=\(rest)? (\(quoted))"
        case "<>": return "did you mean \(key)!=\(rest)? (\(quoted))"
        case "===": return "did you mean \(key)=\(rest)? (\(quoted))"
        case "=~", "==~": return "there is no comparison with a pattern (\(quoted))"
        default: return quoted
        }
    }

    private init(key: String, comparison: Predicate.Comparison?, value: String, isQuoted: Bool) {
        self.key = key
        self.comparison = comparison
        self.value = value
        self.isQuoted = isQuoted
    }

    /// The condition on the first attribute of this key: the row's own, the scope's, the resource's. Only `!=` holds where there is none.
    var predicate: Predicate {
        let field = Field.anyAttribute(key)
        guard let comparison else { return .exists(field) }
        let missing: Predicate.MissingRule = comparison == .notEqual ? .isTrue : .isFalse
        let tests = literals(for: comparison).map { Predicate.compare(field, comparison, $0, missing: missing) }
        if tests.count == 1 { return tests[0] }
        return comparison == .notEqual ? .and(tests) : .or(tests)
    }

    private func literals(for comparison: Predicate.Comparison) -> [Predicate.Literal] {
        if isQuoted { return [.string(value)] }
        var literals: [Predicate.Literal] = []
        if let number = Int64(value) {
            literals.append(.int(number))
        } else if let number = Double(value), number.isFinite {
            literals.append(.double(number))
        } else if value == "true" || value == "false" {
            literals.append(.bool(value == "true"))
        }
        // A number is not compared in size with a text: "9" is no more than "10".
        if literals.isEmpty || comparison == .equal || comparison == .notEqual { literals.append(.string(value)) }
        return literals
    }

    /// The condition on a label of a series, which is always text.
    func labelMatcher(parameter: String) throws(APIError) -> StreamMatcher {
        switch comparison {
        case .equal: return StreamMatcher(key, .equal, value)
        case .notEqual: return StreamMatcher(key, .notEqual, value)
        case nil: return StreamMatcher(key, .notEqual, "")
        default:
            throw APIError(status: 400, "labels are text: \"\(key)\" can be compared with = and != only", parameter: parameter)
        }
    }
}

extension Predicate {
    /// All of some conditions.
    static func all(of parts: [Predicate]) -> Predicate {
        switch parts.count {
        case 0: .all
        case 1: parts[0]
        default: .and(parts)
        }
    }
}
