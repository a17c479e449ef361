import OrielTelemetry

/// Writes OpenMetrics 1.0 text, which is also valid 0.0.1.
///
/// Exponential histograms have classic buckets at powers of two, since this format has no other.
public struct OpenMetricsWriter: Sendable {
    /// Whether counters and histograms have a `_created` line. Off as in Prometheus' own libraries: a Prometheus that is not told to read
    /// start times stores the lines as series.
    public var writesCreated: Bool

    public init(writesCreated: Bool = false) {
        self.writesCreated = writesCreated
    }

    /// Appends a whole exposition, the end mark included, to `output`.
    ///
    /// Complexity: linear in the number of lines.
    public func write(_ snapshot: MetricSnapshot, to output: inout [UInt8]) {
        output.reserveCapacity(output.count + snapshot.textBytes)
        for family in snapshot.families {
            let writer = SampleWriter(family, isOpenMetrics: true)
            appendMetadata("TYPE", typeName(family.kind), writer, to: &output)
            if !family.unitWord.isEmpty { appendMetadata("UNIT", family.unitWord, writer, to: &output) }
            if !family.help.isEmpty { appendMetadata("HELP", family.help, writer, to: &output) }
            let series = family.series.span
            for index in series.indices {
                writer.appendPoint(series[index].point, series[index].renderedLabels, to: &output)
                if writesCreated { writer.appendCreated(series[index].point, series[index].start, series[index].renderedLabels, to: &output) }
            }
        }
        output.append(contentsOf: "# EOF\n".utf8)
    }

    private func typeName(_ kind: MetricFamily.Kind) -> String {
        switch kind {
        case .unknown: "unknown"
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        case .gaugeHistogram: "gaugehistogram"
        case .summary: "summary"
        case .info: "info"
        case .stateSet: "stateset"
        }
    }

    private func appendMetadata(_ keyword: String, _ text: String, _ writer: SampleWriter, to output: inout [UInt8]) {
        output.append(contentsOf: "# ".utf8)
        output.append(contentsOf: keyword.utf8)
        output.append(UInt8(ascii: " "))
        writer.appendName("", to: &output)
        output.append(UInt8(ascii: " "))
        // OpenMetrics also escapes quotation marks here.
        LabelText.appendEscaped(text, quotes: true, to: &output)
        output.append(UInt8(ascii: "\n"))
    }
}
