public import OrielStore
public import OrielTelemetry

/// Predicates row by row, written from their documentation and nothing else: what compiled forms are compared with.
public enum ReferencePredicate {
    public static func passes(_ predicate: Predicate, _ row: Int, of batch: ColumnBatch) throws -> Bool {
        try truth(of: predicate, row, batch) == true
    }

    /// A field's value, in a form that keeps ids apart from numbers.
    enum Value {
        case value(AttributeValue)
        case traceID(TraceID)
        case spanID(SpanID)
    }

    /// `nil` is unknown.
    private static func truth(of predicate: Predicate, _ row: Int, _ batch: ColumnBatch) throws -> Bool? {
        switch predicate {
        case .all: return true
        case .and(let parts):
            let truths = try parts.map { try truth(of: $0, row, batch) }
            if truths.contains(false) { return false }
            return truths.contains(nil) ? nil : true
        case .or(let parts):
            let truths = try parts.map { try truth(of: $0, row, batch) }
            if truths.contains(true) { return true }
            return truths.contains(nil) ? nil : false
        case .not(let inner): return try truth(of: inner, row, batch).map { !$0 }
        case .exists(let field): return try value(of: field, row, batch) != nil
        case .compare(let field, let comparison, let literal, let missing):
            return try leaf(field, missing, row, batch) { compare($0, comparison, literal) }
        case .isOneOf(let field, let literals, let missing):
            return try leaf(field, missing, row, batch) { value in any(literals.map { compare(value, .equal, $0) }) }
        case .contains(let field, let text, let caseSensitive, let missing):
            return try leaf(field, missing, row, batch) { contains($0, text, caseSensitive, wholeWords: false) }
        case .containsWords(let field, let text, let caseSensitive, let missing):
            return try leaf(field, missing, row, batch) { contains($0, text, caseSensitive, wholeWords: true) }
        }
    }

    private static func leaf(
        _ field: Field, _ missing: Predicate.MissingRule, _ row: Int, _ batch: ColumnBatch, _ test: (Value) -> Bool?
    ) throws -> Bool? {
        if let value = try value(of: field, row, batch) { return test(value) }
        switch missing {
        case .unknown: return nil
        case .isFalse: return false
        case .isTrue: return true
        case .asEmptyString: return test(.value(.string("")))
        }
    }

    private static func any(_ truths: [Bool?]) -> Bool? {
        if truths.contains(true) { return true }
        return truths.contains(nil) ? nil : false
    }

    static func value(of field: Field, _ row: Int, _ batch: ColumnBatch) throws -> Value? {
        var descriptor: StreamDescriptor { get throws { try batch.streams.decoded(Int(batch.streamIndexes[row])) } }
        switch field {
        case .time: return .value(.int(batch.times[row]))
        case .column(let id):
            switch batch[id] {
            case .absent: return nil
            case .integers(let values): return .value(.int(values[row]))
            case .doubles(let values): return .value(.double(values[row]))
            case .identifiers(let values): return .spanID(SpanID(rawValue: values[row]))
            case .traceIDs(let values): return .traceID(values[row])
            case .bytes(let values):
                if id == .body, let logs = LogBatch(batch) { return .value(logs.body(at: row)) }
                return .value(.string(values.string(at: row)))
            }
        case .attribute(let key): return batch.attributes?.value(of: key, row: row).map { .value($0) }
        case .resourceAttribute, .scopeAttribute: return try descriptor.value(of: field).map { .value($0) }
        case .anyAttribute(let key):
            if let own = batch.attributes?.value(of: key, row: row) { return .value(own) }
            return try descriptor.value(of: field).map { .value($0) }
        }
    }

    private static func compare(_ value: Value, _ comparison: Predicate.Comparison, _ literal: Predicate.Literal) -> Bool? {
        switch (value, literal) {
        case (.traceID(let left), .traceID(let right)): return decide(left == right ? 0 : left < right ? -1 : 1, comparison)
        case (.spanID(let left), .spanID(let right)): return decide(left == right ? 0 : left < right ? -1 : 1, comparison)
        case (.value(.array(let elements)), _): return any(elements.map { compare(.value($0), comparison, literal) })
        case (.value(.string(let left)), .string(let right)):
            let left = Array(left.utf8)
            let right = Array(right.utf8)
            return decide(left == right ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1, comparison)
        case (.value(.bool(let left)), .bool(let right)): return decide((left ? 1 : 0) - (right ? 1 : 0), comparison)
        case (.value(.int(let left)), .int(let right)): return decide(left == right ? 0 : left < right ? -1 : 1, comparison)
        case (.value(.int(let left)), .double(let right)):
            guard let order = order(left, right) else { return comparison == .notEqual }
            return decide(order, comparison)
        case (.value(.double(let left)), .int(let right)):
            guard let order = order(right, left) else { return comparison == .notEqual }
            return decide(-order, comparison)
        case (.value(.double(let left)), .double(let right)):
            if left.isNaN || right.isNaN { return comparison == .notEqual }
            return decide(left == right ? 0 : left < right ? -1 : 1, comparison)
        default:
            switch comparison {
            case .equal: return false
            case .notEqual: return true
            default: return nil
            }
        }
    }

    /// -1, 0, 1, or `nil` for NaN.
    private static func order(_ integer: Int64, _ double: Double) -> Int? {
        if double.isNaN { return nil }
        if double >= 0x1p63 { return -1 }
        if double < -0x1p63 { return 1 }
        let whole = double.rounded(.down)
        if Int64(whole) != integer { return integer < Int64(whole) ? -1 : 1 }
        return double > whole ? -1 : 0
    }

    private static func decide(_ order: Int, _ comparison: Predicate.Comparison) -> Bool {
        switch comparison {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }

    private static func contains(_ value: Value, _ text: String, _ caseSensitive: Bool, wholeWords: Bool) -> Bool? {
        switch value {
        case .value(.string(let value)):
            let value = scalars(value, caseSensitive)
            let text = scalars(text, caseSensitive)
            guard value.count >= text.count else { return false }
            return (0...(value.count - text.count)).contains { start in
                let end = start + text.count
                guard Array(value[start..<end]) == text else { return false }
                guard wholeWords, let first = text.first, let last = text.last else { return true }
                if start > 0, isWord(first), isWord(value[start - 1]) { return false }
                return !(end < value.count && isWord(last) && isWord(value[end]))
            }
        case .value(.array(let elements)): return any(elements.map { contains(.value($0), text, caseSensitive, wholeWords: wholeWords) })
        case .value(.map(let attributes)): return any(attributes.map { contains(.value($0.value), text, caseSensitive, wholeWords: wholeWords) })
        default: return false
        }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        !scalar.isASCII || scalar == "_" || ("0"..."9").contains(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private static func scalars(_ text: String, _ caseSensitive: Bool) -> [Unicode.Scalar] {
        text.unicodeScalars.map { scalar in
            let lowered = scalar.properties.lowercaseMapping.unicodeScalars
            return !caseSensitive && lowered.count == 1 ? lowered[lowered.startIndex] : scalar
        }
    }
}
