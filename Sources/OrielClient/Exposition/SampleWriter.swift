import OrielTelemetry

/// Writes the lines of one family's samples, in either text format.
struct SampleWriter {
    private let name: [UInt8]
    private let isOpenMetrics: Bool

    init(_ family: MetricSnapshot.Family, isOpenMetrics: Bool) {
        name = Array(family.name.utf8)
        self.isOpenMetrics = isOpenMetrics
    }

    /// The family's name and an ending.
    func appendName(_ ending: String, to output: inout [UInt8]) {
        output.append(contentsOf: name)
        output.append(contentsOf: ending.utf8)
    }

    /// The lines of one series.
    ///
    /// - Parameter labels: as ``MetricSnapshot/Series/renderedLabels``. Not the series, whose copy would cost more than to write it.
    func appendPoint(_ point: MetricSnapshot.Point, _ labels: [UInt8], to output: inout [UInt8]) {
        switch point {
        case .counter(let value, let exemplar):
            appendStart("_total", labels, to: &output)
            NumberText.append(value, to: &output)
            appendEnd(exemplar, to: &output)
        case .gauge(let value):
            appendStart("", labels, to: &output)
            NumberText.append(value, to: &output)
            appendEnd(nil, to: &output)
        case .info:
            appendStart("_info", labels, to: &output)
            output.append(UInt8(ascii: "1"))
            appendEnd(nil, to: &output)
        case .histogram(let histogram):
            appendHistogram(ClassicBuckets(histogram), sum: histogram.sum, labels, to: &output)
        case .exponentialHistogram(let histogram):
            appendHistogram(ClassicBuckets(histogram), sum: histogram.sum, labels, to: &output)
        }
    }

    /// The start time, where a series has one.
    func appendCreated(_ point: MetricSnapshot.Point, _ start: Timestamp, _ labels: [UInt8], to output: inout [UInt8]) {
        switch point {
        case .counter, .histogram, .exponentialHistogram: break
        case .gauge, .info: return
        }
        appendStart("_created", labels, to: &output)
        NumberText.appendSeconds(start, to: &output)
        appendEnd(nil, to: &output)
    }

    private func appendHistogram(
        _ histogram: ClassicBuckets, sum: Double, _ labels: [UInt8], to output: inout [UInt8]
    ) {
        var count: UInt64 = 0
        // OpenMetrics forbids a sum where values below zero were counted, since it may go down, and a count without a sum.
        var hasNegative = false
        for (bound, cumulative, exemplar) in histogram.buckets {
            count = cumulative
            if bound < 0, cumulative > 0 { hasNegative = true }
            appendName("_bucket{", to: &output)
            if !labels.isEmpty {
                output.append(contentsOf: labels)
                output.append(UInt8(ascii: ","))
            }
            output.append(contentsOf: "le=\"".utf8)
            if isOpenMetrics { NumberText.appendCanonical(bound, to: &output) } else { NumberText.appendBound(bound, to: &output) }
            output.append(contentsOf: "\"} ".utf8)
            NumberText.append(cumulative, to: &output)
            appendEnd(exemplar, to: &output)
        }
        if isOpenMetrics, hasNegative || sum < 0 { return }
        appendStart("_sum", labels, to: &output)
        NumberText.append(sum, to: &output)
        appendEnd(nil, to: &output)
        appendStart("_count", labels, to: &output)
        NumberText.append(count, to: &output)
        appendEnd(nil, to: &output)
    }

    /// Name, labels and the blank before the value.
    private func appendStart(_ ending: String, _ labels: [UInt8], to output: inout [UInt8]) {
        appendName(ending, to: &output)
        if !labels.isEmpty {
            output.append(UInt8(ascii: "{"))
            output.append(contentsOf: labels)
            output.append(UInt8(ascii: "}"))
        }
        output.append(UInt8(ascii: " "))
    }

    private func appendEnd(_ exemplar: Exemplar?, to output: inout [UInt8]) {
        if isOpenMetrics, let exemplar {
            output.append(contentsOf: " # {".utf8)
            if !exemplar.traceID.isZero {
                output.append(contentsOf: "trace_id=\"".utf8)
                exemplar.traceID.high.appendHexadecimalDigits(to: &output)
                exemplar.traceID.low.appendHexadecimalDigits(to: &output)
                output.append(contentsOf: "\",span_id=\"".utf8)
                exemplar.spanID.rawValue.appendHexadecimalDigits(to: &output)
                output.append(UInt8(ascii: "\""))
            }
            output.append(contentsOf: "} ".utf8)
            NumberText.append(exemplar.value, to: &output)
            output.append(UInt8(ascii: " "))
            NumberText.appendSeconds(exemplar.time, to: &output)
        }
        output.append(UInt8(ascii: "\n"))
    }
}
