extension NativeHistogram {
    /// The sum of two histograms of the same kind: buckets meet at the lower of both resolutions, zero buckets at the wider threshold.
    ///
    /// With custom bounds that differ the receiver is returned as `other`: a new layout begins a new histogram.
    ///
    /// Complexity: O(*buckets of both*).
    public func adding(_ other: NativeHistogram) -> NativeHistogram {
        let isCustom = schema == NativeHistogram.customSchema || other.schema == NativeHistogram.customSchema
        if isCustom, schema != other.schema || customBounds != other.customBounds { return other }
        var result = NativeHistogram(
            schema: min(schema, other.schema), isFloat: isFloat || other.isFloat, zeroThreshold: max(zeroThreshold, other.zeroThreshold),
            zeroCount: zeroCount + other.zeroCount, count: count + other.count, sum: sum + other.sum, customBounds: customBounds)
        for source in [self, other] {
            // Schemas are -4 to 8, or equal when custom, so the shift is small.
            let shift = isCustom ? 0 : Int64(source.schema) - Int64(result.schema)
            result.positiveMerged(source.positiveIndexes, shift: shift, isPositive: true)
            result.positiveMerged(source.negativeIndexes, shift: shift, isPositive: false)
        }
        return result
    }

    /// The schema of histograms with custom bounds.
    public static let customSchema: Int8 = -53

    /// The positive buckets as (index, count), ascending.
    public var positiveIndexes: [(index: Int64, count: Double)] { NativeHistogram.indexes(positiveSpans, positiveBuckets) }

    /// The negative buckets as (index, count), ascending by index (towards larger magnitude).
    public var negativeIndexes: [(index: Int64, count: Double)] { NativeHistogram.indexes(negativeSpans, negativeBuckets) }

    /// Buckets of equal index are summed; empty buckets are left out.
    public mutating func setPositive(_ buckets: [(index: Int64, count: Double)]) {
        (positiveSpans, positiveBuckets) = NativeHistogram.spans(buckets)
    }

    /// As ``setPositive(_:)`` for the negative side.
    public mutating func setNegative(_ buckets: [(index: Int64, count: Double)]) {
        (negativeSpans, negativeBuckets) = NativeHistogram.spans(buckets)
    }

    private mutating func positiveMerged(_ buckets: [(index: Int64, count: Double)], shift: Int64, isPositive: Bool) {
        // Bucket i of schema s lies in bucket ceil(i / 2^shift) of schema s - shift.
        let reduced = buckets.map { bucket in
            (index: shift > 0 ? ((bucket.index &- 1) >> shift) &+ 1 : bucket.index, count: bucket.count)
        }
        if isPositive {
            setPositive(positiveIndexes + reduced)
        } else {
            setNegative(negativeIndexes + reduced)
        }
    }

    private static func indexes(_ spans: [BucketSpan], _ buckets: [Double]) -> [(index: Int64, count: Double)] {
        var result: [(index: Int64, count: Double)] = []
        result.reserveCapacity(buckets.count)
        var index: Int64 = 0
        var position = 0
        for span in spans {
            index = index &+ Int64(span.offset)
            // Spans may claim more buckets than there are; the buckets bound the walk.
            for _ in 0..<min(Int(span.length), buckets.count - position) {
                result.append((index, buckets[position]))
                index = index &+ 1
                position += 1
            }
        }
        return result
    }

    private static func spans(_ buckets: [(index: Int64, count: Double)]) -> ([BucketSpan], [Double]) {
        var merged: [(index: Int64, count: Double)] = []
        for bucket in buckets.sorted(by: { $0.index < $1.index }) where bucket.count != 0 {
            if let last = merged.last, last.index == bucket.index {
                merged[merged.count - 1].count += bucket.count
            } else {
                merged.append(bucket)
            }
        }
        var spans: [BucketSpan] = []
        var end: Int64 = 0
        for bucket in merged {
            if !spans.isEmpty, bucket.index == end {
                spans[spans.count - 1].length += 1
            } else {
                spans.append(BucketSpan(offset: Int32(clamping: bucket.index &- end), length: 1))
            }
            end = bucket.index &+ 1
        }
        return (spans, merged.map(\.count))
    }
}
