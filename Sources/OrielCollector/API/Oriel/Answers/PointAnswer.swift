import OrielTelemetry

/// One sample of a series.
struct SeriesPoint: Sendable {
    enum Value: Sendable {
        case float(Double)
        case histogram(NativeHistogram)
    }

    /// Milliseconds since 1970.
    var time: Int64
    var value: Value

    /// Whether the series ended here.
    var isStale: Bool {
        switch value {
        case .float(let value): value.isStaleMarker
        case .histogram(let histogram): histogram.sum.isStaleMarker
        }
    }

    /// - Parameter moment: Keeps the text of the point before.
    func write(to writer: inout JSONWriter, _ moment: inout MomentMembers) {
        writer.beginObject()
        defer { writer.endObject() }
        moment.write(milliseconds: time, to: &writer)
        if isStale {
            writer.key("stale")
            writer.bool(true)
            return
        }
        switch value {
        case .float(let value):
            writer.key("value")
            writer.double(value)
        case .histogram(let histogram):
            writer.key("histogram")
            writer.histogram(histogram)
        }
    }
}

extension JSONWriter {
    mutating func histogram(_ histogram: NativeHistogram) {
        object { writer in
            writer.member("schema", histogram.schema)
            writer.key("count")
            writer.double(histogram.count)
            writer.key("sum")
            writer.double(histogram.sum)
            writer.key("zero_threshold")
            writer.double(histogram.zeroThreshold)
            writer.key("zero_count")
            writer.double(histogram.zeroCount)
            for (sign, spans, buckets) in [
                ("positive", histogram.positiveSpans, histogram.positiveBuckets), ("negative", histogram.negativeSpans, histogram.negativeBuckets),
            ] {
                writer.key(sign + "_spans")
                writer.array { writer in
                    for span in spans {
                        writer.object { writer in
                            writer.member("offset", span.offset)
                            writer.member("length", span.length)
                        }
                    }
                }
                writer.key(sign + "_buckets")
                writer.doubles(buckets)
            }
            writer.key("custom_bounds")
            writer.doubles(histogram.customBounds)
            writer.key("is_float")
            writer.bool(histogram.isFloat)
        }
    }

    private mutating func doubles(_ values: [Double]) {
        array { writer in
            for value in values { writer.double(value) }
        }
    }
}
