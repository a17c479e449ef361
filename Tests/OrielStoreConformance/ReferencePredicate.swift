public import OrielStore
public import OrielTelemetry

/// Predicates row by row, written from their documentation and nothing else: what compiled forms are compared with.
public enum ReferencePredicate {
    public static func passes(_ predicate: Predicate, _ row: Int, of batch: ColumnBatch) throws -> Bool {
        try truths(of: predicate, [row], batch)[0] == true
    }

    /// Those of some rows that pass; all of a batch's rows unless `candidates` are given.
    public static func rows(passing predicate: Predicate, of batch: ColumnBatch, among candidates: [Int]? = nil) throws -> [Int] {
        let rows = candidates ?? Array(0..<batch.count)
        if case .all = predicate { return rows }
        let truths = try truths(of: predicate, rows, batch)
        return rows.indices.filter { truths[$0] == true }.map { rows[$0] }
    }

    /// A field's value, in a form that keeps ids apart from numbers.
    enum Value {
        case value(AttributeValue)
        case traceID(TraceID)
        case spanID(SpanID)
    }

    /// For each row, `nil` being unknown. Of many rows at once, so that what does not depend on the row is done once.
    private static func truths(of predicate: Predicate, _ rows: [Int], _ batch: ColumnBatch) throws -> [Bool?] {
        switch predicate {
        case .all: return Array(repeating: true, count: rows.count)
        case .and(let parts):
            let truths = try parts.map { try self.truths(of: $0, rows, batch) }
            return rows.indices.map { row in all(truths.map { $0[row] }) }
        case .or(let parts):
            let truths = try parts.map { try self.truths(of: $0, rows, batch) }
            return rows.indices.map { row in any(truths.map { $0[row] }) }
        case .not(let inner): return try truths(of: inner, rows, batch).map { $0.map { !$0 } }
        case .exists(let field): return try values(of: field, rows, batch).map { $0 != nil }
        case .compare(let field, let comparison, let literal, let missing):
            return try leaf(field, missing, rows, batch) { compare($0, comparison, literal) }
        case .isOneOf(let field, let literals, let missing):
            return try leaf(field, missing, rows, batch) { value in any(literals.map { compare(value, .equal, $0) }) }
        case .contains(let field, let text, let caseSensitive, let missing):
            let text = scalars(text, caseSensitive)
            return try leaf(field, missing, rows, batch) { contains($0, text, caseSensitive, wholeWords: false) }
        case .containsWords(let field, let text, let caseSensitive, let missing):
            let text = scalars(text, caseSensitive)
            return try leaf(field, missing, rows, batch) { contains($0, text, caseSensitive, wholeWords: true) }
        }
    }

    private static func leaf(
        _ field: Field, _ missing: Predicate.MissingRule, _ rows: [Int], _ batch: ColumnBatch, _ test: (Value) -> Bool?
    ) throws -> [Bool?] {
        let ofMissing: Bool? =
            switch missing {
            case .unknown: nil
            case .isFalse: false
            case .isTrue: true
            case .asEmptyString: test(.value(.string("")))
            }
        return try values(of: field, rows, batch).map { value in
            if let value { test(value) } else { ofMissing }
        }
    }

    private static func all(_ truths: [Bool?]) -> Bool? {
        if truths.contains(false) { return false }
        return truths.contains(nil) ? nil : true
    }

    private static func any(_ truths: [Bool?]) -> Bool? {
        if truths.contains(true) { return true }
        return truths.contains(nil) ? nil : false
    }

    /// A field's value in each of some rows.
    static func values(of field: Field, _ rows: [Int], _ batch: ColumnBatch) throws -> [Value?] {
        switch field {
        case .time: return rows.map { .value(.int(batch.times[$0])) }
        case .column(let id):
            switch batch[id] {
            case .absent: return Array(repeating: nil, count: rows.count)
            case .integers(let values): return rows.map { .value(.int(values[$0])) }
            case .doubles(let values): return rows.map { .value(.double(values[$0])) }
            case .identifiers(let values): return rows.map { .spanID(SpanID(rawValue: values[$0])) }
            case .traceIDs(let values): return rows.map { .traceID(values[$0]) }
            case .bytes(let values):
                if id == .body, let logs = LogBatch(batch) { return rows.map { .value(logs.body(at: $0)) } }
                return rows.map { .value(.string(values.string(at: $0))) }
            }
        case .attribute(let key):
            guard let attributes = batch.attributes else { return Array(repeating: nil, count: rows.count) }
            return rows.map { attributes.value(of: key, row: $0).map { .value($0) } }
        case .resourceAttribute, .scopeAttribute: return try streamValues(of: field, rows, batch)
        case .anyAttribute(let key):
            let own = try values(of: .attribute(key), rows, batch)
            let others = try streamValues(of: field, rows, batch)
            return zip(own, others).map { $0 ?? $1 }
        }
    }

    /// What the streams of some rows say.
    private static func streamValues(of field: Field, _ rows: [Int], _ batch: ColumnBatch) throws -> [Value?] {
        var known: [UInt32: Value?] = [:]
        return try rows.map { row in
            let stream = batch.streamIndexes[row]
            if let value = known[stream] { return value }
            let value = try batch.streams.decoded(Int(stream)).value(of: field).map { Value.value($0) }
            known[stream] = .some(value)
            return value
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

    /// - Parameter text: Its scalars as the comparison takes them.
    private static func contains(_ value: Value, _ text: [Unicode.Scalar], _ caseSensitive: Bool, wholeWords: Bool) -> Bool? {
        switch value {
        case .value(.string(let value)):
            guard value.utf8.count >= text.count else { return false }
            let value = scalars(value, caseSensitive)
            guard value.count >= text.count else { return false }
            guard let first = text.first, let last = text.last else { return true }
            var start = -1
            while start < value.count - text.count {
                start += 1
                guard value[start] == first else { continue }
                let end = start + text.count
                guard Array(value[start..<end]) == text else { continue }
                guard wholeWords else { return true }
                if start > 0, isWord(first), isWord(value[start - 1]) { continue }
                if end == value.count || !isWord(last) || !isWord(value[end]) { return true }
            }
            return false
        case .value(.array(let elements)): return any(elements.map { contains(.value($0), text, caseSensitive, wholeWords: wholeWords) })
        case .value(.map(let attributes)): return any(attributes.map { contains(.value($0.value), text, caseSensitive, wholeWords: wholeWords) })
        default: return false
        }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        !scalar.isASCII || scalar == "_" || ("0"..."9").contains(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private static func scalars(_ text: String, _ caseSensitive: Bool) -> [Unicode.Scalar] {
        let scalars = Array(text.unicodeScalars)
        return caseSensitive ? scalars : scalars.map { $0.isASCII ? lowercaseASCII[Int($0.value)] : lowercase($0) }
    }

    private static let lowercaseASCII = (0..<128 as Range<UInt8>).map { lowercase(Unicode.Scalar($0)) }

    private static func lowercase(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let lowered = scalar.properties.lowercaseMapping.unicodeScalars
        return lowered.count == 1 ? lowered[lowered.startIndex] : scalar
    }
}
