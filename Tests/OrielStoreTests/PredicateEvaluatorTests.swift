import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@Suite("Compiled predicates")
struct PredicateEvaluatorTests {
    @Test("select what their meaning says", arguments: Signal.allCases)
    func randomPredicates(signal: Signal) throws {
        for seed in 1...6 as ClosedRange<UInt64> {
            var generator = TelemetryGenerator(seed: seed)
            let batch = generator.batch(signal, rows: 120)
            for number in 0..<60 {
                let predicate = generator.predicate(signal)
                let expected = try (0..<batch.count).filter { try ReferencePredicate.passes(predicate, $0, of: batch) }
                #expect(PredicateEvaluator(predicate).rows(of: batch) == expected, "seed \(seed), predicate \(number): \(predicate)")
            }
        }
    }

    @Test("need no more than they say", arguments: Signal.allCases)
    func requiredProjection(signal: Signal) throws {
        var generator = TelemetryGenerator(seed: 7)
        let batch = generator.batch(signal, rows: 100)
        for _ in 0..<100 {
            let predicate = generator.predicate(signal)
            let evaluator = PredicateEvaluator(predicate)
            var part = batch
            for id in signal.columns where !evaluator.requiredProjection.columns.contains(id) { part[id] = .absent }
            switch evaluator.requiredProjection.attributes {
            case .none: part.attributes = nil
            case .all: break
            case .keys(let keys):
                guard let table = batch.attributes else { break }
                var projected = AttributeTable()
                for row in 0..<batch.count { projected.appendRow(table.attributes(of: row).filter { keys.contains($0.key) }) }
                part.attributes = projected
            }
            #expect(evaluator.rows(of: part) == evaluator.rows(of: batch), "\(predicate)")
        }
    }

    @Test("rule a block out only when no row can pass", arguments: Signal.allCases)
    func bounds(signal: Signal) throws {
        var generator = TelemetryGenerator(seed: 8)
        var ruledOut = 0
        for _ in 0..<400 {
            let batch = generator.batch(signal, rows: 1 + generator.random.below(4))
            let evaluator = PredicateEvaluator(generator.predicate(signal))
            let canPass = evaluator.canPass { field in
                var values: [Int64] = []
                if case .time = field { values = batch.times }
                if case .column(let id) = field, case .integers(let column) = batch[id] { values = column }
                guard let low = values.min(), let high = values.max() else { return nil }
                return low...high
            }
            if !canPass { ruledOut += 1 }
            #expect(canPass || evaluator.rows(of: batch).isEmpty)
        }
        #expect(ruledOut > 5, "bounds never ruled anything out")
    }

    @Test("look at chosen rows only, and remember streams")
    func chosenRows() throws {
        var generator = TelemetryGenerator(seed: 9)
        let batch = generator.batch(.spans, rows: 50)
        var evaluator = PredicateEvaluator(.compare(.serviceName, .equal, .string("cart"), missing: .isTrue))
        var asked: [UInt32] = []
        let all = evaluator.rows(nil, of: batch) { index in
            asked.append(index)
            return StreamDescriptor.scope(Resource(attributes: [Attribute("service.name", index % 2 == 0 ? "cart" : "x")]), InstrumentationScope())
        }
        #expect(all == (0..<50).filter { batch.streamIndexes[$0] % 2 == 0 })
        #expect(asked.count == Set(asked).count)
        let odd = (0..<50).filter { $0 % 2 == 1 }
        let some = evaluator.rows(odd, of: batch) { _ in nil }
        #expect(some == odd.filter { all.contains($0) })
    }

    @Test(
        "search texts",
        arguments: [
            ("timeout", "Timeout after", false, true), ("timeout", "Timeout after", true, false), ("", "", true, true), ("", "x", false, true),
            ("aab", "aaab", true, true), ("AAB", "aaab", false, true), ("é", "É", false, true), ("É", "é", true, false), ("ß", "SS", false, false),
            ("k", "\u{212A}", false, true), ("k", "\u{212A}", true, false), ("\u{212A}", "k", false, true), ("3k", "12 3\u{212A}", false, true),
            ("abc", "ab", false, false), ("ab", "xxab", true, true), ("σ", "Σ", false, true), ("\u{0}x", "a\u{0}X", false, true),
        ])
    func search(needle: String, text: String, caseSensitive: Bool, isFound: Bool) {
        #expect(TextSearch(needle, caseSensitive: caseSensitive).occurs(in: Array(text.utf8).span) == isFound)
    }

    @Test("search bytes that are no text")
    func searchAnyBytes() {
        var random = SplitMix64(seed: 10)
        for _ in 0..<2_000 {
            let text = (0..<random.below(20)).map { _ in UInt8(random.pick([0, 0x41, 0x61, 0xC3, 0x89, 0xE2, 0x84, 0xAA, 0xFF])) }
            let needle = String(decoding: (0..<random.below(3)).map { _ in UInt8(random.pick([0x41, 0x61])) }, as: UTF8.self)
            let expected = String(decoding: text, as: UTF8.self).utf8.map { $0 == 0x41 ? 0x61 : $0 }
            let lowered = needle.utf8.map { $0 == 0x41 ? 0x61 : $0 }
            let isFound = (0...expected.count).contains { start in
                start + lowered.count <= expected.count && Array(expected[start..<(start + lowered.count)]) == lowered
            }
            #expect(TextSearch(needle, caseSensitive: false).occurs(in: text.span) == isFound, "\(needle) in \(text)")
        }
    }

    @Test("compare numbers exactly")
    func numbers() {
        let integers: [Int64] = [.min, .min + 1, -2, -1, 0, 1, 2, 1 << 53, (1 << 53) + 1, .max - 1, .max]
        let doubles: [Double] = [-.infinity, -0x1p63, -0x1p63.nextUp, -1.5, -0.0, 0.5, 1, 0x1p53, 0x1p62, 0x1p63.nextDown, 0x1p63, 1e300, .infinity, .nan]
        var batch = LogBatch()
        for value in integers {
            batch.streamIndexes.append(UInt32(batch.streams.intern(.scope(Resource(), InstrumentationScope()))))
            batch.times.append(value)
            batch.attributes.appendRow([Attribute("v", .int(value))])
        }
        let columns = ColumnBatch(
            signal: .logs, streams: batch.streams, streamIndexes: batch.streamIndexes, times: batch.times, columns: Signal.logs.columns.map { _ in .absent },
            attributes: batch.attributes)
        let comparisons: [Predicate.Comparison] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
        for comparison in comparisons {
            for literal in doubles {
                let expected = integers.indices.filter { index in
                    // A wider type than both decides.
                    if literal.isNaN { return comparison == .notEqual }
                    let order: Int
                    if literal >= 0x1p63 {
                        order = -1
                    } else if literal < -0x1p63 {
                        order = 1
                    } else {
                        let floor = Int64(literal.rounded(.down))
                        order = integers[index] > floor ? 1 : integers[index] < floor ? -1 : literal > Double(floor) ? -1 : 0
                    }
                    switch comparison {
                    case .equal: return order == 0
                    case .notEqual: return order != 0
                    case .less: return order < 0
                    case .lessOrEqual: return order <= 0
                    case .greater: return order > 0
                    case .greaterOrEqual: return order >= 0
                    }
                }
                for field in [Field.time, .attribute("v")] {
                    let found = PredicateEvaluator(.compare(field, comparison, .double(literal), missing: .unknown)).rows(of: columns)
                    #expect(found == expected, "\(field) \(comparison) \(literal)")
                }
            }
        }
    }
}
