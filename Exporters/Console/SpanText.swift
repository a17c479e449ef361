import OrielTelemetry

/// The parts of spans that batches keep as OTLP, and names of its numbers.
enum SpanText {
    struct Event {
        var time = Timestamp(nanoseconds: 0)
        var name = ""
        var attributes: [Attribute] = []
    }

    struct Link {
        var traceID = TraceID.zero
        var spanID = SpanID.zero
        var attributes: [Attribute] = []
    }

    /// Empty for an unspecified one.
    static func kind(_ number: Int64) -> String {
        let names = ["", "internal", "server", "client", "producer", "consumer"]
        return names.indices.contains(Int(number)) ? names[Int(number)] : ""
    }

    /// Empty for an unset one.
    static func status(_ number: Int64) -> String {
        switch number {
        case 1: "ok"
        case 2: "error"
        default: ""
        }
    }

    /// `Span.Event` messages, each with its tag.
    static func events(_ bytes: Span<UInt8>) -> [Event] {
        var events: [Event] = []
        forEachMessage(bytes) { (content) throws(WireError) in
            var event = Event()
            var reader = WireReader(start: 0, end: content.count)
            while let tag = try reader.nextTag(in: content) {
                switch (tag.number, tag.wireType) {
                case (1, 1): event.time = Timestamp(nanoseconds: Int64(clamping: try reader.fixed64(in: content)))
                case (2, 2): event.name = String(repairing: content.extracting(try reader.lengthDelimited(in: content)))
                case (3, 2): event.attributes.append(try Attribute(keyValue: content.extracting(try reader.lengthDelimited(in: content))))
                default: try reader.skip(tag, in: content)
                }
            }
            events.append(event)
        }
        return events
    }

    /// `Span.Link` messages, each with its tag.
    static func links(_ bytes: Span<UInt8>) -> [Link] {
        var links: [Link] = []
        forEachMessage(bytes) { (content) throws(WireError) in
            var link = Link()
            var reader = WireReader(start: 0, end: content.count)
            while let tag = try reader.nextTag(in: content) {
                switch (tag.number, tag.wireType) {
                case (1, 2): link.traceID = TraceID(bytes: content.extracting(try reader.lengthDelimited(in: content))) ?? .zero
                case (2, 2): link.spanID = SpanID(bytes: content.extracting(try reader.lengthDelimited(in: content))) ?? .zero
                case (4, 2): link.attributes.append(try Attribute(keyValue: content.extracting(try reader.lengthDelimited(in: content))))
                default: try reader.skip(tag, in: content)
                }
            }
            links.append(link)
        }
        return links
    }

    /// What cannot be read ends the list; the decoder has checked it before.
    private static func forEachMessage(_ bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(WireError) -> Void) {
        var reader = WireReader(start: 0, end: bytes.count)
        do throws(WireError) {
            while let tag = try reader.nextTag(in: bytes) {
                guard tag.wireType == 2 else { return }
                try body(bytes.extracting(try reader.lengthDelimited(in: bytes)))
            }
        } catch {
            return
        }
    }
}
