package import OrielOTLP
package import OrielTelemetry

/// SplitMix64 and what it makes of OTLP: the same messages for the same seed.
package struct RandomMessages: RandomNumberGenerator {
    private var state: UInt64
    /// Where times lie, but for one in twenty that lies anywhere; `nil` for anywhere.
    package var times: ClosedRange<Int64>?
    /// Whether doubles may be NaN, which equals nothing.
    package var hasNaN = false

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    package mutating func count(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    package mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    package mutating func text() -> String {
        guard !chance(15) else { return "" }
        guard !chance(1) else { return String(repeating: "long text ", count: count(20...500)) }
        let alphabet: [Character] = ["a", "b", "z", "0", " ", "\"", "\\", "\n", "\u{1}", "é", "日", "😀", "/", "."]
        return String((0..<count(1...14)).map { _ in alphabet.randomElement(using: &self) ?? "a" })
    }

    package mutating func list<Element>(_ range: ClosedRange<Int>, _ element: (inout RandomMessages) -> Element) -> [Element] {
        var elements: [Element] = []
        for _ in 0..<count(range) { elements.append(element(&self)) }
        return elements
    }

    package mutating func double() -> Double {
        switch count(0...7) {
        case 0: 0
        case 1: chance(50) ? .infinity : -.infinity
        case 2: -0.5
        case 3: Double(count(0...1_000_000)) / 8
        case 4: -0.0
        case 5: hasNaN ? .nan : 3
        default: Double(bitPattern: next() & 0xFFEF_FFFF_FFFF_FFFF)
        }
    }

    package mutating func value(depth: Int = 2) -> AttributeValue {
        switch count(0...(depth > 0 ? 7 : 5)) {
        case 0: .empty
        case 1: .string(text())
        case 2: .bool(Bool.random(using: &self))
        case 3: .int(chance(50) ? Int64(count(-3...300)) : Int64(bitPattern: next()))
        case 4: .double(double())
        case 5: .bytes(list(0...9) { UInt8.random(in: 0...255, using: &$0) })
        case 6: .array(list(0...4) { $0.value(depth: depth - 1) })
        default: .map(attributes(0...3, depth: depth - 1))
        }
    }

    /// Attributes of distinct keys in the order of their bytes, so that comparing needs no sorting.
    package mutating func attributes(_ range: ClosedRange<Int> = 0...6, depth: Int = 2) -> [Attribute] {
        var attributes: [Attribute] = []
        for index in 0..<count(range) { attributes.append(Attribute("key.\(index)" + (chance(50) ? "" : text()), value(depth: depth))) }
        return attributes
    }

    package mutating func uint32() -> UInt32 { chance(50) ? 0 : UInt32.random(in: 0...UInt32.max, using: &self) }

    /// A number of an enumeration, now and then one that it does not have.
    package mutating func enumeration(_ known: ClosedRange<Int>) -> Int32 {
        chance(5) ? Int32.random(in: Int32.min...Int32.max, using: &self) : Int32(count(known))
    }

    package mutating func time() -> Timestamp {
        guard !chance(10) else { return Timestamp(nanoseconds: 0) }
        guard let times, !chance(5) else { return Timestamp(nanoseconds: Int64(bitPattern: next() >> 1)) }
        return Timestamp(nanoseconds: Int64.random(in: times, using: &self))
    }

    package mutating func traceID() -> TraceID { TraceID(high: next(), low: next() | 1) }

    package mutating func spanID() -> SpanID { SpanID(rawValue: next() | 1) }

    package mutating func entityReference() -> [UInt8] {
        var writer = WireWriter()
        writer.stringField(1, "https://schema/1")
        writer.stringField(2, "service")
        writer.stringField(3, "service.name")
        writer.stringField(4, "service.version")
        return writer.bytes
    }

    package mutating func resource() -> Resource {
        Resource(
            attributes: attributes(), droppedAttributesCount: uint32(), entityReferences: chance(30) ? [entityReference()] : [], schemaURL: text())
    }

    package mutating func scope() -> InstrumentationScope {
        InstrumentationScope(name: text(), version: text(), attributes: attributes(0...2), droppedAttributesCount: uint32(), schemaURL: text())
    }

    package mutating func groups<Row>(_ row: (inout RandomMessages) -> Row) -> [OTLPScopeGroup<Row>] {
        list(1...4) { OTLPScopeGroup(resource: $0.resource(), scope: $0.scope(), rows: $0.list(1...6, row)) }
    }

    package mutating func span() -> OTLPSpan {
        OTLPSpan(
            traceID: traceID(), spanID: spanID(), parentSpanID: chance(50) ? spanID() : .zero, traceState: text(), name: text(),
            kind: enumeration(0...6), startTime: time(), endTime: time(), attributes: attributes(), droppedAttributesCount: uint32(),
            events: list(0...3) {
                OTLPSpanEvent(time: $0.time(), name: $0.text(), attributes: $0.attributes(0...3), droppedAttributesCount: $0.uint32())
            }, droppedEventsCount: uint32(),
            links: list(0...2) {
                OTLPSpanLink(
                    traceID: $0.chance(80) ? $0.traceID() : .zero, spanID: $0.chance(80) ? $0.spanID() : .zero, traceState: $0.text(),
                    attributes: $0.attributes(0...2), droppedAttributesCount: $0.uint32(), flags: $0.uint32())
            }, droppedLinksCount: uint32(), statusCode: enumeration(0...2), statusMessage: text(), flags: uint32())
    }

    package mutating func logRecord() -> OTLPLogRecord {
        OTLPLogRecord(
            time: time(), observedTime: time(), severityNumber: enumeration(0...24), severityText: text(), body: value(), attributes: attributes(),
            droppedAttributesCount: uint32(), flags: uint32(), traceID: chance(50) ? traceID() : .zero, spanID: chance(50) ? spanID() : .zero,
            eventName: text())
    }
}

extension SpanBatch {
    /// What a batch holds, in the form that requests are built from: one group a stream, in the order of their first rows.
    package func groups() throws -> [OTLPScopeGroup<OTLPSpan>] {
        try streams.groups(streamIndexes) { span(at: $0) }
    }
}

extension LogBatch {
    /// As for spans.
    package func groups() throws -> [OTLPScopeGroup<OTLPLogRecord>] {
        try streams.groups(streamIndexes) { record(at: $0) }
    }
}

extension StreamTable {
    fileprivate func groups<Row>(_ indexes: [UInt32], _ row: (Int) -> Row) throws -> [OTLPScopeGroup<Row>] {
        var groups: [OTLPScopeGroup<Row>] = []
        for stream in 0..<count {
            guard case .scope(let resource, let scope) = try decoded(stream) else { continue }
            let rows = indexes.indices.filter { Int(indexes[$0]) == stream }.map(row)
            groups.append(OTLPScopeGroup(resource: resource, scope: scope, rows: rows))
        }
        return groups
    }
}
