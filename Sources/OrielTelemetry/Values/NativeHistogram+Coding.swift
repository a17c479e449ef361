extension NativeHistogram {
    /// Everything but ``count`` and ``sum`` (which are columns of their own) in the store's encoding:
    /// flags byte (bit 0 float, bits 1-2 reset hint), schema zigzag varint, zero threshold and zero count, then positive and negative spans and buckets, then custom
    /// bounds, each list behind its varint count. Integer bucket counts are zigzag varint deltas to the bucket before, float ones 8 bytes.
    public var encodedBuckets: [UInt8] {
        var writer = WireWriter()
        writer.bytes.append((isFloat ? 1 : 0) | counterResetHint.rawValue << 1)
        writer.varint(Int64(schema).zigzag)
        writer.fixed64(zeroThreshold.bitPattern)
        write(count: zeroCount, previous: 0, to: &writer)
        for (spans, buckets) in [(positiveSpans, positiveBuckets), (negativeSpans, negativeBuckets)] {
            writer.varint(UInt64(spans.count))
            for span in spans {
                writer.varint(Int64(span.offset).zigzag)
                writer.varint(UInt64(span.length))
            }
            writer.varint(UInt64(buckets.count))
            var previous = 0.0
            for bucket in buckets {
                write(count: bucket, previous: previous, to: &writer)
                previous = bucket
            }
        }
        writer.varint(UInt64(customBounds.count))
        for bound in customBounds { writer.fixed64(bound.bitPattern) }
        return writer.bytes
    }

    private func write(count: Double, previous: Double, to writer: inout WireWriter) {
        if isFloat {
            writer.fixed64(count.bitPattern)
        } else {
            // Integer counts are below 2^63 by the time they are here: decoders take them from varints and mark larger ones as float.
            let delta = (Int64(exactly: count) ?? 0) &- (Int64(exactly: previous) ?? 0)
            writer.varint(delta.zigzag)
        }
    }

    /// Reads what ``encodedBuckets`` wrote; count and sum are left 0.
    public init(encodedBuckets bytes: Span<UInt8>) throws(WireError) {
        self.init()
        guard bytes.count > 0 else { throw WireError(.truncated, offset: 0) }
        var reader = WireReader(start: 1, end: bytes.count)
        isFloat = bytes[0] & 1 == 1
        counterResetHint = CounterResetHint(rawValue: bytes[0] >> 1 & 3) ?? .unknown
        schema = Int8(truncatingIfNeeded: Int64(zigzag: try reader.varint(in: bytes)))
        zeroThreshold = Double(bitPattern: try reader.fixed64(in: bytes))
        zeroCount = try readCount(previous: 0, &reader, bytes)
        (positiveSpans, positiveBuckets) = try readSide(&reader, bytes)
        (negativeSpans, negativeBuckets) = try readSide(&reader, bytes)
        let boundCount = try reader.varint(in: bytes)
        guard boundCount <= UInt64((reader.end - reader.offset) / 8) else { throw WireError(.truncated, offset: reader.offset) }
        for _ in 0..<boundCount { customBounds.append(Double(bitPattern: try reader.fixed64(in: bytes))) }
    }

    private func readSide(_ reader: inout WireReader, _ bytes: Span<UInt8>) throws(WireError) -> ([BucketSpan], [Double]) {
        let spanCount = try reader.varint(in: bytes)
        guard spanCount <= UInt64(reader.end - reader.offset) else { throw WireError(.truncated, offset: reader.offset) }
        var spans: [BucketSpan] = []
        for _ in 0..<spanCount {
            let offset = Int32(truncatingIfNeeded: Int64(zigzag: try reader.varint(in: bytes)))
            spans.append(BucketSpan(offset: offset, length: UInt32(truncatingIfNeeded: try reader.varint(in: bytes))))
        }
        let bucketCount = try reader.varint(in: bytes)
        guard bucketCount <= UInt64(reader.end - reader.offset) else { throw WireError(.truncated, offset: reader.offset) }
        var buckets: [Double] = []
        buckets.reserveCapacity(Int(bucketCount))
        var previous = 0.0
        for _ in 0..<bucketCount {
            previous = try readCount(previous: previous, &reader, bytes)
            buckets.append(previous)
        }
        return (spans, buckets)
    }

    private func readCount(previous: Double, _ reader: inout WireReader, _ bytes: Span<UInt8>) throws(WireError) -> Double {
        if isFloat { return Double(bitPattern: try reader.fixed64(in: bytes)) }
        return Double((Int64(exactly: previous) ?? 0) &+ Int64(zigzag: try reader.varint(in: bytes)))
    }
}
