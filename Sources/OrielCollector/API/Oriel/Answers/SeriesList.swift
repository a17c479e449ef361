import OrielStore
import OrielTelemetry

/// The series that a request matches: their encoded labels, which are only made texts of where a list of them is not the point.
struct SeriesList: Sendable {
    private(set) var ids: [StreamID] = []
    /// By index, ``StreamDescriptor/encoded``.
    private(set) var descriptors = ByteColumn()

    var count: Int { ids.count }

    /// Adds the series of a store's list that are not there yet.
    mutating func add(_ streams: StreamList) {
        if count == 0 {
            // Mostly all that there is.
            (ids, descriptors) = (streams.ids, streams.descriptors)
            return
        }
        let known = Set(ids)
        for (index, id) in streams.ids.enumerated() where !known.contains(id) {
            descriptors.append(streams.descriptors.bytes.span.extracting(streams.descriptors.range(of: index)))
            ids.append(id)
        }
    }
}

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
