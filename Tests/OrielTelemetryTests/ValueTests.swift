import OrielTelemetry
import Testing

@Suite struct StreamDescriptorTests {
    @Test(arguments: [UInt64(1), 2, 3, 4, 5]) func equalDescriptorsHaveEqualBytesAndReadBack(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            let attributes = random.attributes(Int.random(in: 0...6, using: &random), depth: 2)
            let resource = Resource(attributes: attributes, droppedAttributesCount: 3, entityReferences: [[0x0A, 1, 0x61]], schemaURL: random.text())
            let scope = InstrumentationScope(name: random.text(), version: random.text(), attributes: attributes, schemaURL: random.text())
            let descriptor = StreamDescriptor.scope(resource, scope)
            let encoded = descriptor.encoded
            #expect(try StreamDescriptor(encoded: encoded.span) == descriptor, "seed \(seed)")
            let shuffled = Resource(
                attributes: attributes.shuffled(using: &random), droppedAttributesCount: 3, entityReferences: resource.entityReferences,
                schemaURL: resource.schemaURL)
            #expect(StreamDescriptor.scope(shuffled, scope).encoded == encoded, "seed \(seed)")

            let labels = (0..<5).map { Label("l\($0)", random.text()) }
            let series = StreamDescriptor.series(unsorted: labels.shuffled(using: &random) + [Label("__name__", "m")])
            #expect(series.encoded == StreamDescriptor.series(unsorted: labels + [Label("__name__", "m")]).encoded, "seed \(seed)")
            #expect(try StreamDescriptor(encoded: series.encoded.span) == series, "seed \(seed)")
        }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func damagedBytesNeverCrash(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let resource = Resource(attributes: random.attributes(5, depth: 3), schemaURL: "x")
        let scope = StreamDescriptor.scope(resource, InstrumentationScope(name: "n")).encoded
        let series = StreamDescriptor.series(unsorted: [Label("__name__", "requests_total"), Label("method", "GET"), Label("path", "/é")]).encoded
        for round in 0..<(1000 * Fuzz.rounds) {
            var damaged = round % 2 == 0 ? scope : series
            for _ in 0..<2 { damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            damaged.removeLast(Int.random(in: 0...3, using: &random))
            do { _ = try StreamDescriptor(encoded: damaged.span) } catch { #expect(error.offset <= damaged.count, "seed \(seed)") }
        }
        #expect(throws: WireError.self) { try StreamDescriptor(encoded: [UInt8]().span) }
        #expect(throws: WireError.self) { try StreamDescriptor(encoded: [9].span) }
    }
}

@Suite struct AttributeValueTests {
    private func nested(_ depth: Int, map: Bool) -> AttributeValue {
        var value = AttributeValue.int(1)
        for _ in 0..<depth { value = map ? .map([Attribute("k", value)]) : .array([value]) }
        return value
    }

    /// The bytes of an `AnyValue` of `depth` arrays, without the writer's own limit.
    private func bytes(_ depth: Int) -> [UInt8] {
        func write(_ writer: inout WireWriter, _ depth: Int) {
            if depth == 0 { writer.varintField(3, 1) } else { writer.messageField(5) { $0.messageField(1) { write(&$0, depth - 1) } } }
        }
        var writer = WireWriter()
        write(&writer, depth)
        return writer.bytes
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5]) func valuesReadBackAndPassTheWalk(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let value = random.attributeValue(depth: 4)
            var writer = WireWriter()
            writer.anyValue(value)
            let bytes = writer.bytes
            #expect(try AttributeValue(anyValue: bytes.span) == value, "seed \(seed)")
            var reader = WireReader(start: 0, end: bytes.count)
            #expect(try reader.anyValue(in: bytes.span).type == value.type, "seed \(seed)")
        }
    }

    @Test func nestingIsLimitedAtTheSameDepthEverywhere() throws {
        let limit = AttributeValue.maximumNesting
        for map in [false, true] {
            var writer = WireWriter()
            writer.anyValue(nested(limit, map: map))
            let bytes = writer.bytes
            #expect(try AttributeValue(anyValue: bytes.span) == nested(limit, map: map))
            var reader = WireReader(start: 0, end: bytes.count)
            #expect(throws: Never.self) { try reader.anyValue(in: bytes.span) }
        }
        let tooDeep = bytes(limit + 1)
        #expect(throws: WireError.self) { try AttributeValue(anyValue: tooDeep.span) }
        var reader = WireReader(start: 0, end: tooDeep.count)
        #expect(throws: WireError.self) { try reader.anyValue(in: tooDeep.span) }
        // The writer leaves the innermost value empty, so that what it writes can always be read.
        var writer = WireWriter()
        writer.anyValue(nested(limit + 1, map: false))
        let written = writer.bytes
        #expect(throws: Never.self) { try AttributeValue(anyValue: written.span) }
        let bomb = bytes(2000)
        #expect(throws: WireError.self) { try AttributeValue(anyValue: bomb.span) }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func whatPassesTheWalkCanBeRead(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<(400 * Fuzz.rounds) {
            var writer = WireWriter()
            writer.anyValue(random.attributeValue(depth: 4))
            var bytes = writer.bytes
            guard !bytes.isEmpty else { continue }
            for _ in 0..<2 { bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random) }
            var reader = WireReader(start: 0, end: bytes.count)
            var passes = false
            do {
                _ = try reader.anyValue(in: bytes.span)
                passes = true
            } catch { #expect(error.offset <= bytes.count, "seed \(seed)") }
            if passes { #expect(throws: Never.self, "seed \(seed)") { try AttributeValue(anyValue: bytes.span) } }
        }
    }
}

@Suite struct NativeHistogramTests {
    private func random(_ random: inout SeededGenerator) -> NativeHistogram {
        let isFloat = Bool.random(using: &random)
        func buckets(_ count: Int) -> [Double] {
            (0..<count).map { _ in isFloat ? Double.random(in: 0...100, using: &random) : Double(UInt64.random(in: 0...(1 << 53), using: &random)) }
        }
        let isCustom = Bool.random(using: &random)
        return NativeHistogram(
            schema: isCustom ? -53 : Int8.random(in: -4...8, using: &random), isFloat: isFloat, counterResetHint: .gauge, zeroThreshold: 0.25,
            zeroCount: buckets(1)[0], positiveSpans: [.init(offset: -7, length: 2), .init(offset: 3, length: 1)], positiveBuckets: buckets(3),
            negativeSpans: isCustom ? [] : [.init(offset: .min, length: 1)], negativeBuckets: isCustom ? [] : buckets(1),
            customBounds: isCustom ? [0.5, 1, .infinity] : [])
    }

    @Test(arguments: [UInt64(1), 2, 3, 4]) func codingKeepsEverythingButCountAndSum(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let histogram = random(&generator)
            #expect(try NativeHistogram(encodedBuckets: histogram.encodedBuckets.span) == histogram, "seed \(seed)")
            var batch = HistogramBatch()
            var counted = histogram
            counted.count = 17
            counted.sum = -2.5
            batch.append(counted, stream: 0, time: 5)
            #expect(try batch.histogram(at: 0) == counted, "seed \(seed)")
        }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func damagedBytesNeverCrash(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<(500 * Fuzz.rounds) {
            var bytes = random(&generator).encodedBuckets
            for _ in 0..<2 { bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator) }
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
            do { _ = try NativeHistogram(encodedBuckets: bytes.span) } catch { #expect(error.offset <= bytes.count, "seed \(seed)") }
        }
    }
}

@Suite struct IdentifierTests {
    @Test func hexadecimalOfEitherCase() {
        let id = TraceID(hexadecimal: "0102030405060708090A0b0C0d0E0f10")
        #expect(id == TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10))
        #expect(id?.hexadecimal == "0102030405060708090a0b0c0d0e0f10")
        for wrong in ["", "0102", "0102030405060708090a0b0c0d0e0f1g", "0102030405060708090a0b0c0d0e0f1000", "é102030405060708090a0b0c0d0e0f1"] {
            #expect(TraceID(hexadecimal: wrong) == nil)
        }
        #expect(SpanID(hexadecimal: "00000000000000ff") == SpanID(rawValue: 255) && SpanID(hexadecimal: "ff") == nil)
    }

    @Test func bytesOfTheRightLengthOnly() {
        let bytes = [UInt8](1...16)
        #expect(TraceID(bytes: bytes.span)?.hexadecimal == "0102030405060708090a0b0c0d0e0f10")
        #expect(SpanID(bytes: bytes.span.extracting(0..<8))?.hexadecimal == "0102030405060708")
        #expect(TraceID(bytes: bytes.span.extracting(0..<15)) == nil && SpanID(bytes: bytes.span.extracting(0..<9)) == nil)
    }

    @Test func timesSaturate() {
        #expect(Timestamp(milliseconds: .max).nanoseconds == .max && Timestamp(milliseconds: .min).nanoseconds == .min)
        #expect(Timestamp(nanoseconds: -1).milliseconds == -1 && Timestamp(nanoseconds: 1_999_999).milliseconds == 1)
        #expect(Timestamp(nanoseconds: .max).advanced(by: 1).nanoseconds == .max)
        #expect(Int64.min.subtractingSaturating(1) == .min && Int64.max.addingSaturating(1) == .max)
    }
}
