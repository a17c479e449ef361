import OrielStore
import OrielTelemetry

/// Log records and spans with enough text that an engine may index it.
struct TextRows {
    static let words = ["GET", "timeout", "École", "straße", "Ünïcode", "kelvin", "\u{212A}elvin", "日本語", "user_id", "a", "über-alles", "e\u{301}", "0x1F"]
    var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    mutating func word() -> String {
        switch random.below(4) {
        case 0: return random.pick(TextRows.words)
        case 1: return String(random.next(), radix: 16)
        case 2: return random.oneIn(2) ? "Request" : "request"
        default: return String(random.below(3000))
        }
    }

    mutating func text() -> String {
        switch random.below(40) {
        case 0: return ""
        case 1: return String(repeating: word() + "/", count: 60)
        default:
            var text = random.oneIn(5) ? " " : ""
            for _ in 0..<(1 + random.below(6)) { text += word() + random.pick([" ", "-", ": ", "=", "  ", "[", "] "]) }
            return text
        }
    }

    mutating func id() -> String { "\(String(random.below(1 << 30), radix: 16))-\(random.below(500))" }

    mutating func value() -> AttributeValue {
        switch random.below(6) {
        case 0: .array([.string(id()), .int(Int64(random.below(9)))])
        case 1: .map([Attribute("k", .string(text()))])
        case 2: .int(Int64(random.below(600)))
        default: .string(id())
        }
    }

    /// - Parameter keys: How many other keys there are, so that some have no column of their own.
    mutating func batch(rows: Int, at start: Int64, keys: Int) -> ColumnBatch {
        var batch = LogBatch()
        for row in 0..<rows {
            batch.streamIndexes.append(
                UInt32(batch.streams.intern(StoreConformance.scope("s\(row % 3)", [Attribute("user", .string("of resource \(row % 3)"))]))))
            batch.times.append(start + Int64(row) * 1_000_000)
            batch.traceIDs.append(.zero)
            batch.spanIDs.append(0)
            batch.severityNumbers.append(9)
            batch.severityTexts.append("INFO")
            switch random.below(20) {
            case 0: batch.appendBody(.map([Attribute("message", .string(text())), Attribute("n", 5)]))
            case 1: batch.appendBody(.array([.string(text()), .string(id())]))
            case 2: batch.appendBody(.empty)
            default: batch.appendBody(.string(text()))
            }
            batch.observedTimes.append(0)
            batch.timeOrigins.append(0)
            batch.flags.append(0)
            batch.droppedAttributesCounts.append(0)
            batch.eventNames.append("")
            var attributes: [Attribute] = []
            if !random.oneIn(4) { attributes.append(Attribute("user", .string(id()))) }
            if random.oneIn(3) { attributes.append(Attribute("path", .string("/api/v1/\(random.below(40))/\(random.pick(TextRows.words))"))) }
            if random.oneIn(3) { attributes.append(Attribute("mixed", value())) }
            if keys > 0, random.oneIn(2) { attributes.append(Attribute("key.\(random.below(keys))", value())) }
            batch.attributes.appendRow(attributes)
        }
        return batch.columnBatch
    }

    /// A predicate about what rows hold, or nearly.
    mutating func predicate(like texts: [String], ids: [String], keys: Int) -> Predicate {
        let field: Field =
            switch random.below(6) {
            case 0: .attribute("user")
            case 1: .anyAttribute("user")
            case 2: .attribute("mixed")
            case 3: keys > 0 ? .attribute("key.\(random.below(keys))") : .attribute("path")
            default: .column(.body)
            }
        let missing: Predicate.MissingRule = random.pick([.unknown, .isFalse, .isTrue, .asEmptyString])
        let isBody = field == .column(.body)
        switch random.below(4) {
        case 0:
            let value = isBody ? random.pick(texts) : random.pick(ids)
            return .compare(field, random.oneIn(6) ? .notEqual : .equal, .string(value), missing: missing)
        case 1:
            let values = (0..<random.below(4)).map { _ in Predicate.Literal.string(isBody ? random.pick(texts) : random.pick(ids)) }
            return .isOneOf(field, values + (random.oneIn(4) ? [.int(7)] : []), missing: missing)
        default:
            let needle = part(of: isBody || random.oneIn(2) ? random.pick(texts) : random.pick(ids))
            let isSensitive = random.oneIn(2)
            if random.oneIn(2) { return .contains(field, needle, caseSensitive: isSensitive, missing: missing) }
            return .containsWords(field, needle, caseSensitive: isSensitive, missing: missing)
        }
    }

    private mutating func part(of text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        guard !scalars.isEmpty else { return word() }
        let start = random.below(scalars.count)
        let end = min(scalars.count, start + 1 + random.below(24))
        var part = ""
        part.unicodeScalars.append(contentsOf: scalars[start..<end])
        switch random.below(6) {
        case 0: return part.uppercased()
        case 1: return part + "x"
        default: return part
        }
    }
}

extension StoreConformance {
    static let text: [Check] = [
        check("texts, words and values are found, none is missed") { factory in
            for (seed, keys) in [(71, 0), (72, 400)] as [(UInt64, Int)] {
                var rows = TextRows(seed: seed)
                let day = start + Int64(seed) * 86_400 * second
                let range = TimeRange(start: Timestamp(nanoseconds: day), end: Timestamp(nanoseconds: day + 86_400 * second))
                let store = try await factory.open()
                for part in 0..<3 {
                    _ = try await store.append(WriteSet(batches: [rows.batch(rows: 900, at: day + Int64(part) * 1_000 * second, keys: keys)]))
                    if part == 0 { try await store.flush() }
                }
                var all: [ColumnBatch] = []
                let cursor = try store.snapshot().scan(ScanPlan(signal: .logs, range: range))
                while let batch = try await cursor.next() { all.append(batch) }
                var texts: [String] = []
                var ids: [String] = []
                for batch in all {
                    guard case .bytes(let bodies) = batch[.body], let attributes = batch.attributes else { throw ConformanceFailure("no bodies in a batch") }
                    for row in 0..<batch.count where row % 7 == 0 {
                        if case .string(let id)? = attributes.value(of: "user", row: row) { ids.append(id) }
                        texts.append(bodies.string(at: row))
                    }
                }
                let predicates = (0..<60).map { _ in rows.predicate(like: texts, ids: ids, keys: keys) }
                let rowTexts = all.map(\.rowTexts)
                let passing = try predicates.map { predicate in try all.map { try ReferencePredicate.rows(passing: predicate, of: $0) } }
                var life = 0
                try await throughLife(factory, store) { store, when in
                    let snapshot = try store.snapshot()
                    for (number, (predicate, passing)) in zip(predicates, passing).enumerated() {
                        var plan = ScanPlan(signal: .logs, range: range, predicate: predicate)
                        let what = "seed \(seed), \(predicate) \(when)"
                        // Each predicate's rows are printed in full once; at the other times it is enough that they are the same rows.
                        if number % 3 == life {
                            let expected = zip(rowTexts, passing).flatMap { texts, rows in rows.map { texts[$0] } }
                            try expectRows(try await OrielStoreConformance.rows(snapshot, plan), expected, what)
                        } else {
                            plan.projection = .positions
                            let expected = zip(all, passing).flatMap { batch, rows in rows.map { batch.position($0) } }
                            try expectEqual(try await positions(snapshot, plan), expected, what)
                        }
                    }
                    life += 1
                }
            }
        }
    ]
}
