import OrielStore
import OrielTelemetry

extension StoreConformance {
    /// Texts of log records that a predicate finds, sorted.
    private static func found(_ snapshot: any StoreSnapshot, _ predicate: Predicate) async throws -> [String] {
        try await texts(snapshot, ScanPlan(signal: .logs, predicate: predicate)).sorted()
    }

    static let selecting: [Check] = [
        check("predicates are three-valued") { factory in
            let store = try await factory.open()
            let rows: [(text: String, attributes: [Attribute])] = [
                ("int", [Attribute("v", 200)]), ("double", [Attribute("v", 200.5)]), ("string", [Attribute("v", "200")]), ("bool", [Attribute("v", true)]),
                ("array", [Attribute("v", [1, "x", 300])]), ("missing", []), ("empty", [Attribute("v", .string(""))]), ("nothing", [Attribute("v", .empty)]),
            ]
            _ = try await store.append(
                WriteSet(batches: [logs(rows.map { (start, $0.text) }, attributes: rows.map(\.attributes))]))
            let v = Field.attribute("v")
            func compare(_ comparison: Predicate.Comparison, _ literal: Predicate.Literal, _ missing: Predicate.MissingRule = .unknown) -> Predicate {
                .compare(v, comparison, literal, missing: missing)
            }
            let expectations: [(Predicate, [String])] = [
                (.all, rows.map(\.text)),
                (.not(.all), []),
                (.and([]), rows.map(\.text)),
                (.or([]), []),
                (compare(.equal, .int(200)), ["int"]),
                (compare(.equal, .double(200)), ["int"]),
                (compare(.greater, .int(200)), ["double", "array"]),
                (compare(.less, .double(200.75)), ["int", "double", "array"]),
                (compare(.equal, .string("200")), ["string"]),
                (compare(.equal, .string("x")), ["array"]),
                (compare(.equal, .bool(true)), ["bool"]),
                (compare(.notEqual, .int(200)), ["double", "string", "bool", "array", "empty", "nothing"]),
                (.not(compare(.equal, .int(200))), ["double", "string", "bool", "array", "empty", "nothing"]),
                (.not(compare(.greater, .int(200))), ["int"]),
                (.not(compare(.equal, .int(200), .isFalse)), ["double", "string", "bool", "array", "empty", "nothing", "missing"]),
                (compare(.equal, .int(200), .isTrue), ["int", "missing"]),
                (compare(.equal, .string(""), .asEmptyString), ["empty", "missing"]),
                (compare(.notEqual, .string("200"), .asEmptyString), ["int", "double", "bool", "array", "empty", "nothing", "missing"]),
                (.exists(v), ["int", "double", "string", "bool", "array", "empty", "nothing"]),
                (.not(.exists(v)), ["missing"]),
                (.isOneOf(v, [.int(300), .string("200"), .double(200.5)], missing: .unknown), ["double", "string", "array"]),
                (.or([compare(.equal, .int(200)), .not(.exists(v))]), ["int", "missing"]),
                (.and([compare(.greater, .int(0)), .not(compare(.greater, .int(250)))]), ["int", "double"]),
                (.contains(.column(.body), "IN", caseSensitive: true, missing: .unknown), []),
                (.contains(.column(.body), "IN", caseSensitive: false, missing: .unknown), ["int", "string", "missing", "nothing"]),
                (.compare(.column(.severityNumber), .greaterOrEqual, .int(9), missing: .unknown), rows.map(\.text)),
                (.compare(.column(.duration), .greaterOrEqual, .int(0), missing: .unknown), []),
                (.compare(.time, .greater, .int(start), missing: .unknown), []),
                (.compare(.serviceName, .equal, .string("cart"), missing: .unknown), rows.map(\.text)),
                (.not(.compare(.resourceAttribute("absent"), .equal, .string("x"), missing: .unknown)), []),
            ]
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                for (predicate, expected) in expectations {
                    try expectEqual(try await found(snapshot, predicate), expected.sorted(), "\(predicate) \(when)")
                }
            }
        },
        check("a row's attribute hides the scope's, which hides the resource's") { factory in
            let store = try await factory.open()
            let stream = StreamDescriptor.scope(
                Resource(attributes: [Attribute("k", "resource"), Attribute("only", "resource")]),
                InstrumentationScope(name: "lib", attributes: [Attribute("k", "scope")]))
            _ = try await store.append(WriteSet(batches: [logs([(start, "own"), (start, "none")], stream, attributes: [[Attribute("k", "row")], []])]))
            func equal(_ field: Field, _ text: String) -> Predicate { .compare(field, .equal, .string(text), missing: .unknown) }
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                try expectEqual(try await found(snapshot, equal(.anyAttribute("k"), "row")), ["own"], "the row's \(when)")
                try expectEqual(try await found(snapshot, equal(.anyAttribute("k"), "scope")), ["none"], "the scope's \(when)")
                try expectEqual(try await found(snapshot, equal(.anyAttribute("k"), "resource")), [], "the resource's \(when)")
                try expectEqual(try await found(snapshot, equal(.anyAttribute("only"), "resource")), ["none", "own"], "the resource's only \(when)")
                try expectEqual(try await found(snapshot, equal(.resourceAttribute("k"), "resource")), ["none", "own"], "asked for by place \(when)")
                try expectEqual(try await found(snapshot, equal(.attribute("only"), "resource")), [], "not the row's \(when)")
            }
        },
        check("random predicates select what their meaning says") { factory in
            var generator = TelemetryGenerator(seed: 31)
            let store = try await factory.open()
            for _ in 0..<4 {
                _ = try await store.append(WriteSet(batches: Signal.allCases.map { generator.batch($0, rows: 80) }))
            }
            let predicates = Signal.allCases.map { signal in (0..<40).map { _ in generator.predicate(signal) } }
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                for (signal, predicates) in zip(Signal.allCases, predicates) {
                    var all: [ColumnBatch] = []
                    let cursor = try snapshot.scan(ScanPlan(signal: signal))
                    while let batch = try await cursor.next() { all.append(batch) }
                    let texts = all.map(\.rowTexts)
                    for predicate in predicates {
                        let expected = try zip(all, texts).flatMap { batch, texts in
                            try ReferencePredicate.rows(passing: predicate, of: batch).map { texts[$0] }
                        }
                        try expectRows(try await rows(snapshot, ScanPlan(signal: signal, predicate: predicate)), expected, "\(predicate) \(when)")
                    }
                }
            }
        },
        check("matchers choose streams, a missing name counts as empty") { factory in
            let store = try await factory.open()
            _ = try await store.append(
                WriteSet(batches: [
                    samples([(1_700_000_000_000, 1)], series("up", [Label("zone", "eu")]))
                ]))
            _ = try await store.append(WriteSet(batches: [samples([(1_700_000_000_000, 2)], series("up"))]))
            _ = try await store.append(WriteSet(batches: [samples([(1_700_000_000_000, 3)], series("down", [Label("zone", "eu")]))]))
            _ = try await store.append(WriteSet(batches: [logs([(start, "a")], scope("a")), samples([(1_700_000_000_000, 4)], series("x"))]))
            _ = try await store.append(WriteSet(batches: [logs([(start, "b")], scope("b", [Attribute("n", 5)], library: "other"))]))
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                func samples(_ matchers: StreamMatcher...) async throws -> [Double] {
                    try await values(snapshot, ScanPlan(signal: .samples, streamMatchers: matchers)).map { $0[1] }.sorted()
                }
                func logs(_ matchers: StreamMatcher...) async throws -> [String] {
                    try await texts(snapshot, ScanPlan(signal: .logs, streamMatchers: matchers)).sorted()
                }
                try expectEqual(try await samples(StreamMatcher("__name__", .equal, "up")), [1, 2], "by name \(when)")
                try expectEqual(try await samples(StreamMatcher("zone", .equal, "")), [2, 4], "by a missing label \(when)")
                try expectEqual(try await samples(StreamMatcher("zone", .notEqual, "")), [1, 3], "by a label that is there \(when)")
                try expectEqual(
                    try await samples(StreamMatcher("zone", .equal, "eu"), StreamMatcher("__name__", .notEqual, "up")), [3], "by two labels \(when)")
                try expectEqual(try await logs(StreamMatcher("service.name", .equal, "a")), ["a"], "by service \(when)")
                try expectEqual(try await logs(StreamMatcher("n", .equal, "5")), ["b"], "by a number as text \(when)")
                try expectEqual(try await logs(StreamMatcher("otel.scope.name", .notEqual, "lib")), ["b"], "by scope \(when)")
                let streams = try await snapshot.streams(.samples, matching: [StreamMatcher("__name__", .equal, "down")], in: .all, limit: 9)
                let plan = ScanPlan(signal: .samples, streams: Set(streams.map(\.id)))
                try expectEqual(try await values(snapshot, plan).map { $0[1] }, [3], "by id \(when)")
            }
        },
        check("a set of trace ids chooses spans, log records and exemplars") { factory in
            var generator = TelemetryGenerator(seed: 33)
            let store = try await factory.open()
            for _ in 0..<4 {
                _ = try await store.append(WriteSet(batches: [Signal.logs, .spans, .exemplars].map { generator.batch($0, rows: 100) }))
                try await store.flush()
            }
            _ = try await store.append(WriteSet(batches: [Signal.logs, .spans, .exemplars].map { generator.batch($0, rows: 100) }))
            let ids = Set(generator.traceIDs.prefix(3))
            try await throughLife(factory, store) { store, when in
                let snapshot = try store.snapshot()
                for signal in [Signal.logs, .spans, .exemplars] {
                    let literals = ids.map { Predicate.Literal.traceID($0) }
                    let expected = try await rows(snapshot, ScanPlan(signal: signal, predicate: .isOneOf(.column(.traceID), literals, missing: .unknown)))
                    try expect(!expected.isEmpty, "no rows of \(signal.name) to look for")
                    try expectRows(try await rows(snapshot, ScanPlan(signal: signal, traceIDs: ids)), expected, "\(signal.name) \(when)")
                    try expectEqual(try await rows(snapshot, ScanPlan(signal: signal, traceIDs: [])), [], "\(signal.name) of no trace \(when)")
                }
            }
        },
    ]
}
