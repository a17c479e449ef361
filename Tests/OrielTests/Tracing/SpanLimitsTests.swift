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
        limits.attributesPerItem = 1
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
        #expect(span.links.count == 1 && span.droppedLinksCount == 2 && span.links[0].droppedAttributesCount == 2 && span.links[0].attributes.count == 1)
        #expect(span.events[0].name == "event " && span.events[0].attributes.count == 1 && span.events[0].droppedAttributesCount == 1)
    }

    @Test func textsAreCutAtScalarsAndOddLimitsDoNoHarm() async throws {
        var limits = small
        limits.attributeValueLength = 2
        capture.tracer(limits: limits).withSpan("é日😀ab") { $0.attributes = ["t": "日本語", "s": .stringArray(["é", "abc"])] }
        limits.attributes = -1
        limits.events = -1
        limits.links = -1
        limits.attributesPerItem = -1
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
