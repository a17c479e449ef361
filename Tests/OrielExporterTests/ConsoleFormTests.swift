import OrielClient
import OrielOTLP
import OrielTelemetry
import Testing

@testable import OrielExporterConsole

@Suite struct ConsoleFormTests {
    private let pipe: ConsolePipe
    private let soon = Timestamp.now.advanced(by: 30_000_000_000)

    init() throws {
        pipe = try ConsolePipe()
    }

    private func lines(_ batch: ExportBatch, _ form: ConsoleExporter.Form = .json, usesColor: Bool = false) -> [String] {
        let exporter = ConsoleExporter(descriptor: pipe.writeEnd, form: form, usesColor: usesColor)
        #expect(exporter.export(batch, deadline: soon) == .delivered())
        return pipe.lines()
    }

    // MARK: JSON

    @Test func aRecordIsALineOfJSON() {
        let attributes: [Attribute] = [
            Attribute("user.id", "u\"1\n"), Attribute("items", .int(3)), Attribute("total", .double(1.5)), Attribute("paid", .bool(true)),
            Attribute("tags", .array(["a", .int(1)])), Attribute("address", .map([Attribute("city", "Köln")])),
        ]
        let batch = ConsoleBatches.logs([
            ConsoleBatches.record("order placed", attributes: attributes, isInSpan: true), ConsoleBatches.record("bare"),
        ])
        #expect(
            lines(batch, .auto) == [
                #"{"time":"2026-11-24T15:20:28.000000007Z","level":"INFO","message":"order placed","logger":"shop","trace_id":"0102030405060708090a0b0c0d0e0f10","span_id":"a1a2a3a4a5a6a7a8","#
                    + #""attributes":{"user.id":"u\"1\n","items":3,"total":1.5,"paid":true,"tags":["a",1],"address":{"city":"Köln"}}}"#,
                #"{"time":"2026-11-24T15:20:28.000000007Z","level":"INFO","message":"bare","logger":"shop"}"#,
            ])
    }

    @Test func aBodyNeedNotBeText() {
        let batch = ConsoleBatches.logs([ConsoleBatches.record(.map([Attribute("a", .int(1))]), level: ""), ConsoleBatches.record(.empty)], scope: "")
        let time = #"{"time":"2026-11-24T15:20:28.000000007Z","#
        #expect(lines(batch) == [time + #""message":{"a":1}}"#, time + #""level":"INFO","message":null}"#])
    }

    @Test func aSpanIsALineOfJSON() {
        let span = OTLPSpan(
            traceID: ConsoleBatches.trace, spanID: ConsoleBatches.span, parentSpanID: SpanID(rawValue: 1), name: "GET /", kind: 2,
            startTime: ConsoleBatches.time, endTime: ConsoleBatches.time.advanced(by: 12_500_000), attributes: [Attribute("n", .int(1))],
            events: [OTLPSpanEvent(time: ConsoleBatches.time, name: "e", attributes: [Attribute("k", "v")])],
            links: [OTLPSpanLink(traceID: ConsoleBatches.trace, spanID: SpanID(rawValue: 2))], statusCode: 2, statusMessage: "bad")
        #expect(
            lines(ConsoleBatches.spans([span])) == [
                #"{"time":"2026-11-24T15:20:28.000000007Z","span":"GET /","kind":"server","duration_ms":12.5,"status":"error","status_message":"bad","scope":"http","#
                    + #""trace_id":"0102030405060708090a0b0c0d0e0f10","span_id":"a1a2a3a4a5a6a7a8","parent_span_id":"0000000000000001","attributes":{"n":1},"#
                    + #""events":[{"time":"2026-11-24T15:20:28.000000007Z","name":"e","attributes":{"k":"v"}}],"#
                    + #""links":[{"trace_id":"0102030405060708090a0b0c0d0e0f10","span_id":"0000000000000002"}]}"#
            ])
    }

    @Test func aSampleIsALineOfJSON() {
        let point = OTLPNumberPoint(attributes: [Attribute("code", "200")], time: ConsoleBatches.time, value: .int(3))
        let time = #"{"time":"2026-11-24T15:20:28.000000000Z","metric":"#
        #expect(
            lines(
                ConsoleBatches.metrics([
                    OTLPMetric(name: "http.requests", points: .sum([point], temporality: .cumulative, isMonotonic: true)),
                    OTLPMetric(name: "added", points: .sum([point], temporality: .delta, isMonotonic: true)),
                ])) == [
                    time + #""http_requests_total","labels":{"code":"200"},"value":3}"#,
                    time + #""added_total","labels":{"code":"200"},"value":3,"temporality":"delta"}"#,
                ])
    }

    // MARK: For people

    @Test func aRecordIsALineForPeople() {
        let attributes: [Attribute] = [Attribute("user", "u1"), Attribute("note", "two words"), Attribute("n", .int(3)), Attribute("empty", "")]
        let lines = lines(ConsoleBatches.logs([ConsoleBatches.record("placed", attributes: attributes, isInSpan: true)]), .pretty)
        #expect(lines.count == 1)
        // The time is local.
        #expect(
            lines[0].dropFirst(8)
                == ".000 INFO     shop placed user=u1 note=\"two words\" n=3 empty=\"\" trace=0102030405060708090a0b0c0d0e0f10")
    }

    @Test func levelsAreColored() {
        let records = [(1, "TRACE", "90"), (9, "INFO", "32"), (10, "NOTICE", "36"), (13, "WARNING", "33"), (17, "ERROR", "31"), (21, "CRITICAL", "1;31")]
        let lines = lines(
            ConsoleBatches.logs(records.map { ConsoleBatches.record("m", severity: Int32($0.0), level: $0.1) }), .pretty, usesColor: true)
        #expect(lines.count == records.count)
        for (line, record) in zip(lines, records) {
            #expect(line.contains("\u{1B}[\(record.2)m\(record.1)"), "\(line)")
            #expect(line.contains("\u{1B}[2m"))
            // Nothing is coloured that is not there.
            #expect(line.hasSuffix(" m"))
        }
    }

    @Test func nothingThatIsLoggedDrivesTheTerminal() {
        let attack = "\u{1B}]0;owned\u{7}\u{9B}31m\u{7F}\r\u{0}\u{202E}\u{2028}\u{85}end"
        let record = ConsoleBatches.record(
            .string(attack), level: attack, attributes: [Attribute(attack, .string(attack)), Attribute("list", .array([.string(attack)]))])
        let text = lines(ConsoleBatches.logs([record], scope: attack), .pretty).joined(separator: "\n")
        let span = OTLPSpan(traceID: ConsoleBatches.trace, spanID: ConsoleBatches.span, name: attack, statusMessage: attack)
        let point = OTLPNumberPoint(attributes: [Attribute("l", .string(attack))], time: ConsoleBatches.time, value: .int(3))
        let others =
            lines(ConsoleBatches.spans([span]), .pretty)
            + lines(ConsoleBatches.metrics([OTLPMetric(name: "m", points: .gauge([point]))]), .pretty)
        for scalar in (text + others.joined()).unicodeScalars {
            #expect(scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value) && scalar.value != 0x202E && scalar.value != 0x2028)
        }
        #expect(text.contains(#"\u{1B}]0;owned\u{7}\u{9B}31m\u{7F}\r\u{0}\u{202E}\u{2028}\u{85}end"#))
    }

    @Test func furtherLinesOfAMessageCannotBeTakenForRecords() {
        let lines = lines(ConsoleBatches.logs([ConsoleBatches.record("one\n12:00:00.000 ERROR forged")]), .pretty)
        #expect(lines.count == 2)
        #expect(lines.last == "    | 12:00:00.000 ERROR forged")
    }

    // MARK: What is chosen

    @Test func theFormDependsOnTheDescriptor() {
        for (form, isTerminal, isPretty) in [
            (ConsoleExporter.Form.auto, true, true), (.auto, false, false), (.json, true, false), (.pretty, false, true),
        ] {
            #expect(ConsoleStyle(form: form, usesColor: nil, isTerminal: isTerminal) { _ in nil }.isPretty == isPretty)
        }
    }

    @Test func colorsFollowTheConventions() {
        let cases: [([String: String], isTerminal: Bool, Bool)] = [
            ([:], true, true), ([:], false, false), (["NO_COLOR": "1"], true, false), (["NO_COLOR": ""], true, true),
            (["NO_COLOR": "0"], true, false), (["CLICOLOR": "0"], true, false), (["CLICOLOR": "1"], true, true), (["CLICOLOR": "1"], false, false),
            (["CLICOLOR_FORCE": "1"], false, true), (["CLICOLOR_FORCE": "0"], false, false), (["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], true, false),
            (["CLICOLOR_FORCE": "1", "CLICOLOR": "0"], true, true), (["TERM": "dumb"], true, false), (["TERM": "xterm"], true, true),
        ]
        for (environment, isTerminal, expected) in cases {
            let style = ConsoleStyle(form: .pretty, usesColor: nil, isTerminal: isTerminal) { environment[$0] }
            #expect(style.usesColor == expected, "\(environment) \(isTerminal)")
            #expect(!ConsoleStyle(form: .json, usesColor: true, isTerminal: isTerminal) { environment[$0] }.usesColor)
        }
        #expect(ConsoleStyle(form: .pretty, usesColor: false, isTerminal: true) { _ in nil }.usesColor == false)
    }
}
