import Oriel
import OrielOTLP
import OrielTelemetry
import Testing
import Tracing

@Suite struct SpanLimitsTests {
    private let capture: SpanCapture

    init() throws { capture = try SpanCapture() }

    private var small: Oriel.SpanLimits {
        var limits = Oriel.SpanLimits()
        limits.attributes = 3
        limits.events = 2
        limits.links = 1
        limits.attributesPerEvent = 1
        limits.attributesPerLink = 2
        limits.attributeValueLength = 4
        limits.nameLength = 6
        return limits
    }

    @Test func attributesBeyondTheLimitAreCounted() async throws {
        let tracer = capture.tracer(limits: small)
        tracer.withSpan("a") { span in
            for index in 0..<5 { span.attributes["k\(index)"] = index }
            span.attributes["k1"] = "changed"
        }
        let span = try await capture.span()
        #expect(span.attributes.sorted { $0.key < $1.key } == [Attribute("k0", 0), Attribute("k1", "chan"), Attribute("k2", 2)])
        #expect(span.droppedAttributesCount == 2)
    }

    @Test func manyAttributesAtOnceAreCutToo() async throws {
        let tracer = capture.tracer(limits: small)
        tracer.withSpan("a") { span in
            span.attributes["z"] = 0
            span.updateAttributes { attributes in for index in 0..<10 { attributes["k\(index)"] = index } }
            // What was there before stays.
            #expect(span.attributes.count == 3 && span.attributes.get("z") == .int64(0))
            span.attributes = ["a": 1, "b": 2, "c": 3, "d": 4]
        }
        let span = try await capture.span()
        #expect(span.attributes.sorted { $0.key < $1.key } == [Attribute("a", 1), Attribute("b", 2), Attribute("c", 3)])
        #expect(span.droppedAttributesCount == 9)
    }

    @Test func eventsAndLinksBeyondTheLimitAreCounted() async throws {
        let tracer = capture.tracer(limits: small)
        let other = tracer.startSpan("other", context: .topLevel)
        tracer.withSpan("a long name") { span in
            for index in 0..<5 { span.addEvent(SpanEvent(name: "event \(index)", attributes: ["a": "long text", "b": 2])) }
            for _ in 0..<3 { span.addLink(other, attributes: ["a": 1, "b": 2, "c": 3]) }
        }
        let span = try await capture.span()
        #expect(span.name == "a long" && span.events.count == 2 && span.droppedEventsCount == 3)
        #expect(span.links.count == 1 && span.droppedLinksCount == 2 && span.links[0].droppedAttributesCount == 1 && span.links[0].attributes.count == 2)
        #expect(span.events[0].name == "event " && span.events[0].attributes.count == 1 && span.events[0].droppedAttributesCount == 1)
    }

    @Test func textsAreCutAtScalarsAndOddLimitsDoNoHarm() async throws {
        var limits = small
        limits.attributeValueLength = 2
        capture.tracer(limits: limits).withSpan("é日😀ab") { $0.attributes = ["t": "日本語", "s": .stringArray(["é", "abc"])] }
        limits.attributes = -1
        limits.events = -1
        limits.links = -1
        limits.attributesPerEvent = -1
        limits.attributesPerLink = -1
        limits.attributeValueLength = -1
        limits.nameLength = -1
        capture.tracer(limits: limits).withSpan("x") { span in
            span.attributes["a"] = 1
            span.addEvent("e")
            span.addLink(span)
        }
        let spans = try await capture.spans()
        #expect(spans[0].name == "é日😀ab" && spans[0]["t"] == "日本" && spans[0]["s"] == ["é", "ab"])
        #expect(spans[1].name == "" && spans[1].attributes.isEmpty && spans[1].droppedAttributesCount == 1 && spans[1].droppedEventsCount == 1)
    }

    @Test func aHugeTextIsCutAndTakesNothingFromTheRest() async throws {
        let tracer = capture.tracer()
        let other = tracer.startSpan("other", context: .topLevel)
        tracer.withSpan("huge") { span in
            span.updateAttributes { attributes in
                for index in 0..<100 { attributes["k\(index)"] = "value \(index)" }
                attributes["text"] = String(repeating: "é", count: 2 << 20)
                attributes["numbers"] = SpanAttribute.int64Array(Array(repeating: 1, count: 1 << 20))
            }
            span.addLink(other, attributes: ["why": "because"])
            for _ in 0..<2 { span.addEvent(SpanEvent(name: "event", attributes: ["text": .string(String(repeating: "x", count: 4 << 20)), "n": 1])) }
            span.addEvent(SpanEvent(name: "full", attributes: ["numbers": .int64Array(Array(repeating: 1, count: 1 << 20))]))
            span.setStatus(SpanStatus(code: .error, message: String(repeating: "m", count: 3 << 20)))
        }
        let span = try await capture.span()
        #expect(span.attributes.count == 101 && span.droppedAttributesCount == 1)
        for index in 0..<100 { #expect(span["k\(index)"] == .string("value \(index)")) }
        guard case .string(let text)? = span["text"] else {
            Issue.record("no text")
            return
        }
        #expect(text.utf8.count > 100_000 && text.allSatisfy { $0 == "é" })
        #expect(span.links.count == 1 && span.links.first?.attributes == [Attribute("why", "because")])
        #expect(span.events.map(\.name) == ["event", "event"] && span.droppedEventsCount == 1)
        for event in span.events {
            #expect(event.attributes.contains(Attribute("n", 1)))
            guard case .string(let text)? = event.attributes.first(where: { $0.key == "text" })?.value else {
                Issue.record("no text")
                return
            }
            #expect(text.utf8.count > 50_000)
        }
        #expect(span.statusMessage.utf8.count > 100_000)
        #expect(capture.pipeline.statistics[.spans].dropped.isEmpty)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func spansOfAnySizeArrive(seed: UInt64) async throws {
        struct Long: CustomStringConvertible, Sendable {
            let description: String
        }
        var generator = TracingGenerator(seed: seed)
        func text() -> String {
            String(repeating: ["x", "é", "漢", "🙂"].randomElement(using: &generator) ?? "", count: 1 << Int.random(in: 0...19, using: &generator))
        }
        func attributes(_ count: Int) -> SpanAttributes {
            var result = SpanAttributes()
            for index in 0..<count {
                let value: SpanAttribute =
                    switch Int.random(in: 0...5, using: &generator) {
                    case 0: .int64(Int64(index))
                    case 1: .stringArray([text(), text()])
                    case 2: .doubleArray(Array(repeating: 0.1, count: Int.random(in: 0...50_000, using: &generator)))
                    case 3: .stringConvertible(Long(description: text()))
                    default: .string(text())
                    }
                result.set("\(index)", value: value)
            }
            return result
        }
        let tracer = capture.tracer()
        let counts = (0..<3).map { _ in Int.random(in: 0...40, using: &generator) }
        tracer.withSpan("any") { span in
            span.attributes = attributes(counts[0])
            for _ in 0..<counts[1] { span.addEvent(SpanEvent(name: "event", attributes: attributes(3))) }
            for _ in 0..<counts[2] { span.addLink(SpanLink(context: span.context, attributes: attributes(2))) }
        }
        let span = try await capture.span()
        #expect(span.attributes.count + Int(span.droppedAttributesCount) == counts[0], "seed \(seed)")
        #expect(span.events.count + Int(span.droppedEventsCount) == counts[1], "seed \(seed)")
        #expect(span.links.count + Int(span.droppedLinksCount) == counts[2], "seed \(seed)")
    }

    @Test func theDefaultsAreThoseOfOpenTelemetry() async throws {
        capture.tracer().withSpan("full") { span in
            for index in 0..<200 {
                span.attributes["\(index)"] = index
                span.addEvent("event")
                span.addLink(span)
            }
        }
        let span = try await capture.span()
        #expect(span.attributes.count == 128 && span.events.count == 128 && span.links.count == 128)
        #expect(span.droppedAttributesCount == 72 && span.droppedEventsCount == 72 && span.droppedLinksCount == 72)
    }
}
