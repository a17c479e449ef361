import OrielTelemetry

extension Span<UInt8> {
    /// Whether these are the bytes of `__name__`.
    var isMetricName: Bool { count == 8 && isEqual(to: metricNameBytes.span) }

    /// Where in an encoded series the metric's name lies.
    func metricName() throws(WireError) -> Range<Int>? {
        var reader = try SeriesLabelReader(self)
        while let label = try reader.next(in: self) {
            if extracting(label.name).isMetricName { return label.value }
        }
        return nil
    }
}

private let metricNameBytes = Array(Label.metricName.utf8)
