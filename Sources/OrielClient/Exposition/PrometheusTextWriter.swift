import OrielTelemetry

/// Writes Prometheus' text format 0.0.4.
///
/// Counters end in `_total`, info metrics in `_info` with type gauge. Exponential histograms have classic buckets at powers of two.
/// Exemplars and start times have no place in this format.
public enum PrometheusTextWriter {
    /// Appends a whole exposition to `output`, without time stamps.
    ///
    /// Complexity: linear in the number of lines.
    public static func write(_ snapshot: MetricSnapshot, to output: inout [UInt8]) {
        output.reserveCapacity(output.count + snapshot.textBytes)
        for family in snapshot.families { write(family, to: &output) }
    }

    private static func write(_ family: MetricSnapshot.Family, to output: inout [UInt8]) {
        let writer = SampleWriter(family, isOpenMetrics: false)
        let ending = family.kind == .counter ? "_total" : family.kind == .info ? "_info" : ""
        if !family.help.isEmpty {
            output.append(contentsOf: "# HELP ".utf8)
            writer.appendName(ending, to: &output)
            output.append(UInt8(ascii: " "))
            LabelText.appendEscaped(family.help, quotes: false, to: &output)
            output.append(UInt8(ascii: "\n"))
        }
        output.append(contentsOf: "# TYPE ".utf8)
        writer.appendName(ending, to: &output)
        output.append(UInt8(ascii: " "))
        output.append(contentsOf: typeName(family.kind).utf8)
        output.append(UInt8(ascii: "\n"))

        let series = family.series.span
        for index in series.indices { writer.appendPoint(series[index].point, series[index].renderedLabels, to: &output) }
    }

    private static func typeName(_ kind: MetricFamily.Kind) -> String {
        switch kind {
        case .counter: "counter"
        case .gauge, .info, .stateSet: "gauge"
        case .histogram: "histogram"
        case .summary: "summary"
        case .unknown, .gaugeHistogram: "untyped"
        }
    }
}
