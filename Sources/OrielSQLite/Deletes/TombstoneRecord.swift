import OrielStore
import OrielTelemetry

/// A tombstone as hot.db and app.db keep it; CRC32C at the end. Its sequence is the row's key.
///
/// ```
/// version, time, signals, range, matchers, trace ids, predicate
/// ```
/// A predicate is its kind's number and its parts; groups hold a count and their members.
enum TombstoneRecord {
    private static let version: UInt8 = 1
    /// Groups and negations within each other.
    private static let deepest = 64

    static func encode(_ tombstone: Tombstone) -> [UInt8] {
        let deletion = tombstone.deletion
        var bytes: [UInt8] = [version]
        bytes.append(zigzag: tombstone.time.nanoseconds)
        bytes.append(count: deletion.signals.count)
        for signal in deletion.signals.sorted() { bytes.append(signal.rawValue) }
        bytes.append(zigzag: deletion.range.start.nanoseconds)
        bytes.append(zigzag: deletion.range.end.nanoseconds)
        bytes.append(count: deletion.streamMatchers.count)
        for matcher in deletion.streamMatchers {
            bytes.append(counted: Array(matcher.name.utf8).span)
            bytes.append(matcher.operation.rawValue)
            bytes.append(counted: Array(matcher.value.utf8).span)
        }
        bytes.append(deletion.traceIDs == nil ? 0 : 1)
        if let ids = deletion.traceIDs {
            bytes.append(count: ids.count)
            for id in ids.sorted() {
                bytes.append(littleEndian: id.high)
                bytes.append(littleEndian: id.low)
            }
        }
        append(deletion.predicate, to: &bytes)
        BlobChecksum.seal(&bytes)
        return bytes
    }

    /// - Throws: Also for a predicate that is nested too deeply, which ``check(_:)`` refuses before it is kept.
    static func decode(_ blob: Span<UInt8>, sequence: CommitSequence) throws(ColumnError) -> Tombstone {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let found = try bytes.readByte(&offset)
        guard found == version else { throw ColumnError(.version(found), at: 0) }
        let time = Timestamp(nanoseconds: try bytes.readZigzag(&offset))
        var signals: Set<Signal> = []
        for _ in 0..<(try bytes.readCount(&offset, limit: 255)) {
            let position = offset
            guard let signal = Signal(rawValue: try bytes.readByte(&offset)) else { throw ColumnError(.malformed("unknown signal"), at: position) }
            signals.insert(signal)
        }
        let start = Timestamp(nanoseconds: try bytes.readZigzag(&offset))
        let end = Timestamp(nanoseconds: try bytes.readZigzag(&offset))
        var matchers: [StreamMatcher] = []
        for _ in 0..<(try bytes.readCount(&offset, limit: bytes.count)) {
            let name = try text(bytes, &offset)
            let position = offset
            guard let operation = StreamMatcher.Operation(rawValue: try bytes.readByte(&offset)) else {
                throw ColumnError(.malformed("unknown operation"), at: position)
            }
            matchers.append(StreamMatcher(name, operation, try text(bytes, &offset)))
        }
        var traceIDs: Set<TraceID>?
        if try bytes.readByte(&offset) != 0 {
            var ids: Set<TraceID> = []
            for _ in 0..<(try bytes.readCount(&offset, limit: bytes.count)) {
                let high = try bytes.readLittleEndian(&offset, as: UInt64.self)
                ids.insert(TraceID(high: high, low: try bytes.readLittleEndian(&offset)))
            }
            traceIDs = ids
        }
        let predicate = try predicate(bytes, &offset, depth: 0)
        return Tombstone(
            sequence: sequence, time: time,
            deletion: Deletion(
                signals: signals, range: TimeRange(start: start, end: end), streamMatchers: matchers, traceIDs: traceIDs, predicate: predicate))
    }

    /// Refuses what could not be read back.
    static func check(_ deletion: Deletion) throws(StoreError) {
        guard depth(of: deletion.predicate) <= deepest else {
            throw .unsupported("a deletion whose predicate is nested more than \(deepest) levels deep")
        }
    }

    private static func depth(of predicate: Predicate) -> Int {
        switch predicate {
        case .and(let parts), .or(let parts): 1 + (parts.map { depth(of: $0) }.max() ?? 0)
        case .not(let part): 1 + depth(of: part)
        case .all, .compare, .isOneOf, .exists, .contains, .containsWords: 0
        }
    }

    // MARK: Predicates

    private enum Kind: UInt8 {
        case all, and, or, not, compare, isOneOf, exists, contains, containsWords
    }

    private static func append(_ predicate: Predicate, to bytes: inout [UInt8]) {
        func group(_ kind: Kind, _ parts: [Predicate]) {
            bytes.append(kind.rawValue)
            bytes.append(count: parts.count)
            for part in parts { append(part, to: &bytes) }
        }
        func search(_ kind: Kind, _ field: Field, _ text: String, _ caseSensitive: Bool, _ missing: Predicate.MissingRule) {
            bytes.append(kind.rawValue)
            append(field, to: &bytes)
            bytes.append(counted: Array(text.utf8).span)
            bytes.append(caseSensitive ? 1 : 0)
            bytes.append(missing.rawValue)
        }
        switch predicate {
        case .all: bytes.append(Kind.all.rawValue)
        case .and(let parts): group(.and, parts)
        case .or(let parts): group(.or, parts)
        case .not(let part):
            bytes.append(Kind.not.rawValue)
            append(part, to: &bytes)
        case .compare(let field, let comparison, let literal, let missing):
            bytes.append(Kind.compare.rawValue)
            append(field, to: &bytes)
            bytes.append(comparison.rawValue)
            append(literal, to: &bytes)
            bytes.append(missing.rawValue)
        case .isOneOf(let field, let literals, let missing):
            bytes.append(Kind.isOneOf.rawValue)
            append(field, to: &bytes)
            bytes.append(count: literals.count)
            for literal in literals { append(literal, to: &bytes) }
            bytes.append(missing.rawValue)
        case .exists(let field):
            bytes.append(Kind.exists.rawValue)
            append(field, to: &bytes)
        case .contains(let field, let text, let caseSensitive, let missing): search(.contains, field, text, caseSensitive, missing)
        case .containsWords(let field, let text, let caseSensitive, let missing): search(.containsWords, field, text, caseSensitive, missing)
        }
    }

    private static func predicate(_ bytes: Span<UInt8>, _ offset: inout Int, depth: Int) throws(ColumnError) -> Predicate {
        guard depth <= deepest else { throw ColumnError(.malformed("a predicate nested more than \(deepest) levels deep"), at: offset) }
        let kind = try raw(Kind.self, bytes, &offset)
        switch kind {
        case .all: return .all
        case .and: return .and(try parts(bytes, &offset, depth: depth))
        case .or: return .or(try parts(bytes, &offset, depth: depth))
        case .not: return .not(try predicate(bytes, &offset, depth: depth + 1))
        case .compare:
            let field = try field(bytes, &offset)
            let comparison = try raw(Predicate.Comparison.self, bytes, &offset)
            let literal = try literal(bytes, &offset)
            return .compare(field, comparison, literal, missing: try raw(Predicate.MissingRule.self, bytes, &offset))
        case .isOneOf:
            let field = try field(bytes, &offset)
            var literals: [Predicate.Literal] = []
            for _ in 0..<(try bytes.readCount(&offset, limit: bytes.count)) { literals.append(try literal(bytes, &offset)) }
            return .isOneOf(field, literals, missing: try raw(Predicate.MissingRule.self, bytes, &offset))
        case .exists: return .exists(try field(bytes, &offset))
        case .contains, .containsWords:
            let field = try field(bytes, &offset)
            let text = try text(bytes, &offset)
            let caseSensitive = try bytes.readByte(&offset) != 0
            let missing = try raw(Predicate.MissingRule.self, bytes, &offset)
            return kind == .contains
                ? .contains(field, text, caseSensitive: caseSensitive, missing: missing)
                : .containsWords(field, text, caseSensitive: caseSensitive, missing: missing)
        }
    }

    private static func parts(_ bytes: Span<UInt8>, _ offset: inout Int, depth: Int) throws(ColumnError) -> [Predicate] {
        var parts: [Predicate] = []
        for _ in 0..<(try bytes.readCount(&offset, limit: bytes.count)) { parts.append(try predicate(bytes, &offset, depth: depth + 1)) }
        return parts
    }

    // MARK: Fields and literals

    private enum FieldKind: UInt8 {
        case time, column, attribute, resourceAttribute, scopeAttribute, anyAttribute
    }

    private static func append(_ field: Field, to bytes: inout [UInt8]) {
        func keyed(_ kind: FieldKind, _ key: String) {
            bytes.append(kind.rawValue)
            bytes.append(counted: Array(key.utf8).span)
        }
        switch field {
        case .time: bytes.append(FieldKind.time.rawValue)
        case .column(let id):
            bytes.append(FieldKind.column.rawValue)
            bytes.append(varint: UInt64(id.rawValue))
        case .attribute(let key): keyed(.attribute, key)
        case .resourceAttribute(let key): keyed(.resourceAttribute, key)
        case .scopeAttribute(let key): keyed(.scopeAttribute, key)
        case .anyAttribute(let key): keyed(.anyAttribute, key)
        }
    }

    private static func field(_ bytes: Span<UInt8>, _ offset: inout Int) throws(ColumnError) -> Field {
        switch try raw(FieldKind.self, bytes, &offset) {
        case .time: return .time
        case .column:
            let position = offset
            let number = try bytes.readVarint(&offset)
            guard let raw = ColumnID.RawValue(exactly: number), let id = ColumnID(rawValue: raw) else {
                throw ColumnError(.malformed("unknown column \(number)"), at: position)
            }
            return .column(id)
        case .attribute: return .attribute(try text(bytes, &offset))
        case .resourceAttribute: return .resourceAttribute(try text(bytes, &offset))
        case .scopeAttribute: return .scopeAttribute(try text(bytes, &offset))
        case .anyAttribute: return .anyAttribute(try text(bytes, &offset))
        }
    }

    private enum LiteralKind: UInt8 {
        case string, int, double, bool, traceID, spanID
    }

    private static func append(_ literal: Predicate.Literal, to bytes: inout [UInt8]) {
        switch literal {
        case .string(let text):
            bytes.append(LiteralKind.string.rawValue)
            bytes.append(counted: Array(text.utf8).span)
        case .int(let value):
            bytes.append(LiteralKind.int.rawValue)
            bytes.append(zigzag: value)
        case .double(let value):
            bytes.append(LiteralKind.double.rawValue)
            bytes.append(littleEndian: value.bitPattern)
        case .bool(let value):
            bytes.append(LiteralKind.bool.rawValue)
            bytes.append(value ? 1 : 0)
        case .traceID(let id):
            bytes.append(LiteralKind.traceID.rawValue)
            bytes.append(littleEndian: id.high)
            bytes.append(littleEndian: id.low)
        case .spanID(let id):
            bytes.append(LiteralKind.spanID.rawValue)
            bytes.append(littleEndian: id.rawValue)
        }
    }

    private static func literal(_ bytes: Span<UInt8>, _ offset: inout Int) throws(ColumnError) -> Predicate.Literal {
        switch try raw(LiteralKind.self, bytes, &offset) {
        case .string: return .string(try text(bytes, &offset))
        case .int: return .int(try bytes.readZigzag(&offset))
        case .double: return .double(Double(bitPattern: try bytes.readLittleEndian(&offset)))
        case .bool: return .bool(try bytes.readByte(&offset) != 0)
        case .traceID:
            let high = try bytes.readLittleEndian(&offset, as: UInt64.self)
            return .traceID(TraceID(high: high, low: try bytes.readLittleEndian(&offset)))
        case .spanID: return .spanID(SpanID(rawValue: try bytes.readLittleEndian(&offset)))
        }
    }

    private static func raw<Value: RawRepresentable>(_ type: Value.Type, _ bytes: Span<UInt8>, _ offset: inout Int) throws(ColumnError) -> Value
    where Value.RawValue == UInt8 {
        let position = offset
        let byte = try bytes.readByte(&offset)
        guard let value = Value(rawValue: byte) else { throw ColumnError(.malformed("unknown number \(byte)"), at: position) }
        return value
    }

    private static func text(_ bytes: Span<UInt8>, _ offset: inout Int) throws(ColumnError) -> String {
        let range = try bytes.readCounted(&offset)
        return String(repairing: bytes.extracting(range))
    }
}
