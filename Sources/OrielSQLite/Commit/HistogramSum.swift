import OrielTelemetry

extension NativeHistogram {
    /// Adds the observations of `other`. Both are brought to the coarser schema and the wider zero bucket; of custom bounds only equal ones add up.
    ///
    /// - Returns: Whether they could be added; if not, this is unchanged.
    mutating func add(_ other: NativeHistogram) -> Bool {
        let custom: Int8 = -53
        guard (schema == custom) == (other.schema == custom), schema != custom || customBounds == other.customBounds else { return false }
        let schema = min(self.schema, other.schema)
        let threshold = max(zeroThreshold, other.zeroThreshold)
        var positive = SparseBuckets()
        var negative = SparseBuckets()
        var zero = 0.0
        for histogram in [self, other] {
            zero += histogram.zeroCount
            let shift = Int(histogram.schema) - Int(schema)
            guard positive.add(histogram.positiveSpans, histogram.positiveBuckets, shift: shift),
                negative.add(histogram.negativeSpans, histogram.negativeBuckets, shift: shift)
            else { return false }
        }
        if schema != custom, zeroThreshold != other.zeroThreshold {
            zero += positive.removeBuckets(through: threshold, schema: schema)
            zero += negative.removeBuckets(through: threshold, schema: schema)
        }
        self.schema = schema
        zeroThreshold = threshold
        zeroCount = zero
        isFloat = isFloat || other.isFloat
        count += other.count
        sum += other.sum
        (positiveSpans, positiveBuckets) = positive.spans
        (negativeSpans, negativeBuckets) = negative.spans
        return true
    }
}

/// Bucket counts by their index.
private struct SparseBuckets {
    private var counts: [Int: Double] = [:]

    /// Spans cover at most so many buckets; more is nothing that a client means.
    private static let limit = 1 << 16

    mutating func add(_ spans: [NativeHistogram.BucketSpan], _ buckets: [Double], shift: Int) -> Bool {
        guard buckets.count <= Self.limit, shift >= 0, shift < 32 else { return false }
        var index = 0
        var next = 0
        for span in spans {
            index += Int(span.offset)
            guard Int(span.length) <= buckets.count - next else { return false }
            for _ in 0..<span.length {
                // Bucket i ends at 2^(i * 2^-schema); one schema coarser, two neighbours share the end of the upper one.
                let target = shift == 0 ? index : ((index - 1) >> shift) + 1
                counts[target, default: 0] += buckets[next]
                next += 1
                index += 1
            }
        }
        return next == buckets.count
    }

    /// Takes out the buckets that end at or below `threshold`; returns their observations.
    mutating func removeBuckets(through threshold: Double, schema: Int8) -> Double {
        // 2^(i * 2^-schema) <= threshold, with the powers of two for each schema found by multiplying or dividing the exponent.
        let logarithm = threshold > 0 ? Self.logarithm(threshold) : -.infinity
        let scale = schema >= 0 ? Double(1 << Int(schema)) : 1 / Double(1 << Int(-schema))
        var removed = 0.0
        for (index, count) in counts where Double(index) <= logarithm * scale {
            removed += count
            counts[index] = nil
        }
        return removed
    }

    /// The logarithm to the base 2, rounded down in the 16th binary digit: by the exponent and repeated squaring of the significand.
    private static func logarithm(_ value: Double) -> Double {
        guard value.isFinite else { return .infinity }
        var result = Double(value.exponent)
        var significand = value.significand
        var digit = 0.5
        for _ in 0..<24 {
            significand *= significand
            if significand >= 2 {
                significand /= 2
                result += digit
            }
            digit /= 2
        }
        return result
    }

    /// The buckets as runs of consecutive indexes.
    var spans: ([NativeHistogram.BucketSpan], [Double]) {
        var spans: [NativeHistogram.BucketSpan] = []
        var buckets: [Double] = []
        var end = 0
        for (index, count) in counts.sorted(by: { $0.key < $1.key }) {
            if index == end, !spans.isEmpty {
                spans[spans.count - 1].length += 1
            } else {
                spans.append(.init(offset: Int32(clamping: index - end), length: 1))
            }
            buckets.append(count)
            end = index + 1
        }
        return (spans, buckets)
    }
}
