import OrielCollector
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@testable import OrielCommand

/// What a person sees, to the letter: the shop's answers rendered without colour at a fixed width.
@Suite struct RenderingTests {
    private static let wide = RenderOptions(style: .plain, width: 120, isUTC: true)
    private static let narrow = RenderOptions(style: .plain, width: 80, isUTC: true)

    private func get(_ target: String) async throws -> [UInt8] {
        let store = ReferenceStore.Place().openReference()
        _ = try await store.append(ShopRows.writeSet)
        return await OrielAPI(store: store, clock: { ShopRows.now }).respond(to: "/api/oriel/v1/" + target).bytes ?? []
    }

    private func rows<Row: Decodable>(_ list: String, _ query: String, _ type: Row.Type) async throws -> [Row] {
        try AnswerList.elements(list, of: try await get(list + query)).elements.map { try AnswerList.decode(type, $0) }
    }

    private func trace(_ options: RenderOptions, showsAttributes: Bool = false) async throws -> String {
        let trace = try AnswerList.decode(TraceAnswer.self, try await get("traces/\(ShopRows.failedTrace)"))
        return TraceRendering(trace, options, showsAttributes: showsAttributes).lines().joined(separator: "\n")
    }

    @Test func aTraceIsAWaterfall() async throws {
        #expect(
            try await trace(Self.wide) == """
                POST /checkout  trace 0af7651916cd43dd8448eb211c80319c
                2026-11-24T14:59:50.000Z · 812ms · 5 spans · 3 services · 3 logs · 3 errors

                gateway   POST /checkout       █████████████████████████████████████████████████████████████████████████████     812ms ✗
                checkout  └─ POST /orders      ████████████████████████████████████████████████████████████████████████████      803ms ✗
                             │  • +800ms ERROR {order: 4711, state: failed}
                checkout     ├─ SELECT carts   ██                                                                               12.3ms
                payment      ├─ charge card     █████████████████████████████████████████████████████████████████████████        760ms ✗
                             │     ✗ card processor did not answer
                             │     • +400ms WARN card processor is slow  waited_ms=375 processor=acme
                             │     ◆ +778ms exception  exception.type=TimeoutError exception.message="card processor did not answer in …
                             │     • +779ms ERROR charge failed
                             │         TimeoutError: no answer in 750 ms
                checkout     └─ UPDATE orders                                                                            ██      9.5ms
                """)
    }

    @Test func aTraceFitsANarrowTerminal() async throws {
        #expect(
            try await trace(Self.narrow) == """
                POST /checkout  trace 0af7651916cd43dd8448eb211c80319c
                2026-11-24T14:59:50.000Z · 812ms · 5 spans · 3 services · 3 logs · 3 errors

                gateway   POST /checkout       █████████████████████████████████████     812ms ✗
                checkout  └─ POST /orders      █████████████████████████████████████     803ms ✗
                             │  • +800ms ERROR {order: 4711, state: failed}
                checkout     ├─ SELECT carts   █                                        12.3ms
                payment      ├─ charge card    ████████████████████████████████████      760ms ✗
                             │     ✗ card processor did not answer
                             │     • +400ms WARN card processor is slow  waited_ms=375 processo…
                             │     ◆ +778ms exception  exception.type=TimeoutError exception.me…
                             │     • +779ms ERROR charge failed
                             │         TimeoutError: no answer in 750 ms
                checkout     └─ UPDATE orders                                     █      9.5ms
                """)
        #expect(try await trace(Self.narrow).split(separator: "\n").allSatisfy { TerminalText.width(String($0)) <= 80 })
    }

    @Test func spansShowTheirAttributes() async throws {
        let text = try await trace(Self.wide, showsAttributes: true)
        #expect(text.contains("   │  http.response.status_code=502\n") || text.contains("│  http.response.status_code=502\n"))
        #expect(text.contains("tags=\"[a, 1]\""))
    }

    @Test func tracesAreATable() async throws {
        let traces = try await rows("traces", "", TraceSummaryAnswer.self)
        #expect(
            TracesRendering.lines(traces, Self.wide).joined(separator: "\n") == """
                STARTED                   DURATION            SPANS  ERRORS  TRACE                             SERVICE  NAME
                2026-11-24T14:59:50.000Z     812ms  ████████      5       3  0af7651916cd43dd8448eb211c80319c  gateway  POST /checkout
                2026-11-24T14:59:40.000Z    24.6ms  ▎             2          4bf92f3577b34da6a3ce929d0e0e4736  gateway  GET /cart
                """)
        #expect(
            TracesRendering.lines(traces, Self.narrow).joined(separator: "\n") == """
                STARTED UTC     DURATION  TRACE                             SERVICE, NAME
                11-24 14:59:50     812ms  0af7651916cd43dd8448eb211c80319c  ✗ gateway: POST /ch…
                11-24 14:59:40    24.6ms  4bf92f3577b34da6a3ce929d0e0e4736  gateway: GET /cart
                """)
    }

    @Test func logsAreLines() async throws {
        let logs = try await rows("logs", "?order=oldest", LogRow.self)
        #expect(
            logs.flatMap { LogsRendering.lines($0, Self.wide) }.joined(separator: "\n") == """
                2026-11-24T14:59:30.000Z DEBUG gateway  cache warmed  entries=1200
                2026-11-24T14:59:40.001Z INFO  checkout  cart loaded  items=3  trace=4bf92f3577b34da6a3ce929d0e0e4736
                2026-11-24T14:59:50.400Z WARN  payment  card processor is slow  waited_ms=375 processor=acme  trace=0af7651916cd43dd8448eb211c80319c
                2026-11-24T14:59:50.779Z ERROR payment  charge failed  trace=0af7651916cd43dd8448eb211c80319c
                    TimeoutError: no answer in 750 ms
                2026-11-24T14:59:50.800Z ERROR checkout  {order: 4711, state: failed}  trace=0af7651916cd43dd8448eb211c80319c
                """)
    }

    @Test func metricsAreATable() async throws {
        #expect(
            MetricsRendering.lines(try await rows("metrics", "", MetricRow.self), Self.wide).joined(separator: "\n") == """
                NAME                 TYPE       UNIT   HELP
                http_requests_total  counter           Requests answered.
                queue_depth          gauge      {job}  Jobs that wait.
                request_seconds      histogram  s      Time to answer.
                rpc_seconds          unknown
                """)
    }

    @Test func seriesHaveSparklines() async throws {
        let end = ShopRows.now.nanoseconds
        let series = try await rows("series", "?points=40&since=1h&end=now", SeriesRow.self)
        #expect(
            MetricsRendering.lines(series, range: end - 3_600_000_000_000..<end, steps: 40, Self.wide).joined(separator: "\n") == """
                http_requests_total  counter
                LAST  RATE                                               RANGE  LABELS
                7080   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁        2 … 2 /s  {job="gateway",method="GET"}
                3481   ▁▁▁▁▁▂▂▂▂▂▃▃▃▃▃▄▄▄▄▅▅▅▅▅▆▆▆▆▆▇▇▇▇▇█████  0.05 … 1.95 /s  {job="gateway",method="POST"}

                queue_depth  gauge, {job}
                LAST  COURSE                                     RANGE  LABELS
                  30  ▁▁▃▄▅▆██▁▁▃▄▅▆██▁▁▃▄▅▆██▁▁▃▄▅▆██▁▁▃▄▅▆█   3 … 33  {job="checkout"}  (ended)

                request_seconds_bucket  histogram, s
                LAST  RATE                                                 RANGE  LABELS
                  59   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.017 … 0.017 /s  {le="0.5"}

                request_seconds_sum  histogram, s
                 LAST  RATE                                                     RANGE  LABELS
                14.75   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.00417 … 0.00417 /s

                rpc_seconds
                       LAST  COURSE                                    RANGE  LABELS
                6 (ø 0.417)                                        ▁█  5 … 6  {job="payment"}
                """)
    }

    @Test func coloursSurroundTextAndChangeNothingElse() async throws {
        let coloured = try await trace(RenderOptions(style: Style(isColoured: true), width: 120, isUTC: true))
        #expect(coloured.contains("\u{1B}[31m"))
        let plain = coloured.replacing(try Regex("\u{1B}\\[[0-9;]*m"), with: "")
        let expected = try await trace(Self.wide)
        #expect(plain == expected)
    }

    @Test func csvQuotesWhatItMust() async throws {
        let logs = try await rows("logs", "?severity=error&service=payment", LogRow.self)
        #expect(
            logs.map { CSV.line(LogsRendering.csvFields($0)) } == [
                "2026-11-24T14:59:50.779000000Z,ERROR,17,payment,\"charge failed\nTimeoutError: no answer in 750 ms\",,\(ShopRows.failedTrace),00000000000000a4,{}\r\n"
            ])
        #expect(CSV.line(["a", "b,c", "d\"e", ""]) == "a,\"b,c\",\"d\"\"e\",\r\n")
    }

    @Test func textFromElsewhereCannotDriveTheTerminal() {
        #expect(TerminalText.safe("a\u{1B}[2Jb\u{9B}c\td\r\ne\u{202E}") == "a␛[2Jb\u{FFFD}c d⏎e\u{FFFD}")
        #expect(TerminalText.truncate("日本語テキスト", to: 7) == "日本語…")
        #expect(TerminalText.width("日本e\u{301}") == 5)
        #expect(TerminalText.fit("ab", 4) == "ab  " && TerminalText.truncate("abc", to: 0) == "")
    }

    @Test func treesOfAnyShape() throws {
        func span(_ id: String, _ parent: String?, _ start: Int) throws -> SpanRow {
            let parentText = parent.map { "\"\($0)\"" } ?? "null"
            let text = """
                {"span_id":"\(id)","parent_span_id":\(parentText),"service":"s","name":"\(id)","kind":"server","start_time_unix_nano":"\(start)",\
                "duration_nano":"-5","status":{"code":"unset","message":""},"attributes":[],"events":[]}
                """
            return try AnswerList.decode(SpanRow.self, text.utf8)
        }
        // An orphan, a circle of two, a span that is its own parent, and one id twice.
        let spans = [
            try span("a", nil, 5), try span("b", "missing", 1), try span("c", "d", 2), try span("d", "c", 3), try span("e", "e", 4), try span("a", nil, 6),
            try span("f", "a", 7),
        ]
        let tree = SpanTree(spans)
        #expect(tree.nodes.map { spans[$0.span].name } == ["b", "e", "a", "f", "a", "c", "d"])
        #expect(tree.nodes.map(\.isOrphan) == [true, true, false, false, false, true, false])

        // A chain that would overflow a stack.
        let chain = try (0..<20_000).map { try span("\($0)", $0 == 0 ? nil : "\($0 - 1)", $0) }
        let deep = SpanTree(chain)
        #expect(deep.nodes.count == 20_000 && deep.nodes.allSatisfy { $0.hasNextSibling.count <= SpanTree.maximumIndentation })
    }

    @Test(arguments: [
        (0.0, "0"), (7_080, "7080"), (1_234_567, "1.23M"), (-2.5e9, "-2.5G"), (0.25, "0.25"), (123.456, "123.5"), (.nan, "NaN"), (-.infinity, "-∞"),
        (1e-9, "1e-09"), (3e30, "3e+30"), (999_999.9, "999999.9"),
    ])
    func numbers(value: Double, text: String) {
        #expect(NumberText.short(value) == text)
    }

    @Test func tailsGoOnWithoutRepetition() throws {
        var progress = TailProgress()
        func take(_ text: String) throws -> String {
            switch try progress.take(Array(text.utf8)[...]) {
            case .log(let record): String(decoding: record, as: UTF8.self)
            case .gap(let text): "gap " + text
            case .error(let text): "error " + text
            case .nothing: "nothing"
            }
        }
        #expect(try take(#"{"log":{"ord":"7","x":1}}"#) == #"{"ord":"7","x":1}"#)
        #expect(try take(#"{"position":"p1"}"#) == "nothing" && progress.cursor == "p1")
        #expect(try take(#"{"log":{"ord":"8"}}"#) == #"{"ord":"8"}"#)
        // The connection breaks here; the new one begins at p1 again.
        #expect(try take(#"{"log":{"ord":"8"}}"#) == "nothing")
        #expect(try take(#"{"log":{"ord":"9"}}"#) == #"{"ord":"9"}"#)
        #expect(try take(#"{"gap":"lost"}"#) == "gap lost")
        #expect(try take(#"{"error":{"message":"bad"}}"#) == "error bad")
        #expect(throws: (any Error).self) { try take("{") }
    }
}
