import OrielStore
import OrielTelemetry

extension Deletion {
    /// The conditions in words, for people and the log; `every row` when the time alone decides.
    var filterText: String {
        var parts = streamMatchers.map { "\($0.name) \($0.operation == .equal ? "=" : "!=") \"\($0.value)\"" }
        if let traceIDs {
            let ids = traceIDs.map(\.hexadecimal).sorted()
            parts.append(ids.count == 1 ? "trace_id = \(ids[0])" : "trace_id is one of \(ids.joined(separator: ", "))")
        }
        switch predicate {
        case .all: break
        case .and(let conditions): parts += conditions.map(\.text)
        default: parts.append(predicate.text)
        }
        return parts.isEmpty ? "every row" : parts.joined(separator: " and ")
    }
}

extension Predicate {
    fileprivate var text: String {
        switch self {
        case .all: "everything"
        case .and(let parts): "(" + parts.map(\.text).joined(separator: " and ") + ")"
        case .or(let parts): "(" + parts.map(\.text).joined(separator: " or ") + ")"
        case .not(let part): "not \(part.text)"
        case .compare(let field, let comparison, let literal, _): "\(field.text) \(comparison.symbol) \(literal.text)"
        case .isOneOf(let field, let literals, _): "\(field.text) is one of \(literals.map(\.text).joined(separator: ", "))"
        case .exists(let field): "\(field.text) exists"
        case .contains(let field, let text, _, _): "\(field.text) contains \"\(text)\""
        case .containsWords(let field, let text, _, _): "\(field.text) contains the words \"\(text)\""
        }
    }
}

extension Predicate.Comparison {
    fileprivate var symbol: String {
        switch self {
        case .equal: "="
        case .notEqual: "!="
        case .less: "<"
        case .lessOrEqual: "<="
        case .greater: ">"
        case .greaterOrEqual: ">="
        }
    }
}

extension Predicate.Literal {
    fileprivate var text: String {
        switch self {
        case .string(let text): "\"\(text)\""
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .bool(let flag): "\(flag)"
        case .traceID(let id): id.hexadecimal
        case .spanID(let id): id.hexadecimal
        }
    }
}

extension Field {
    fileprivate var text: String {
        switch self {
        case .time: "time"
        case .column(.severityNumber): "severity"
        case .column(.statusCode): "status"
        case .column(.statusMessage): "status message"
        case .column(.traceID): "trace_id"
        case .column(let id): "\(id)"
        case .attribute(let key), .resourceAttribute(let key), .scopeAttribute(let key), .anyAttribute(let key): key
        }
    }
}
