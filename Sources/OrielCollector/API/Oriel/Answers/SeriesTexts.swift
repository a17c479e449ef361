import OrielStore
import OrielTelemetry

/// What an answer says of the series of a list besides their samples, as JSON.
struct SeriesTexts: Sendable {
    /// By index in the list, the member `labels`.
    private(set) var labels = ByteColumn()
    /// By index in the list, where in `names` the metric's name is.
    private(set) var metrics: [UInt32] = []
    /// The names of the metrics, as UTF-8.
    private(set) var names: [[UInt8]] = []

    /// The texts of a list; `nil` when they take more than `limit` bytes.
    ///
    /// - Throws: An error for bytes that are no series' labels, which no store lists for a signal of samples.
    init?(of list: StreamList, limit: Int) throws(WireError) {
        labels.reserveCapacity(list.count, bytes: min(limit, list.descriptors.bytes.count * 2))
        metrics.reserveCapacity(list.count)
        var places: [[UInt8]: UInt32] = [:]
        var nameBytes = 0
        var writer = JSONWriter()
        for index in 0..<list.count {
            let series = list.descriptors.bytes.span.extracting(list.descriptors.range(of: index))
            writer.removeAll()
            let name = series.extracting(try Self.writeLabels(of: series, to: &writer) ?? 0..<0).array
            labels.append(writer.bytes.span)
            let place = places[name] ?? UInt32(names.count)
            if place == names.count {
                places[name] = place
                names.append(name)
                nameBytes += name.count
            }
            metrics.append(place)
            guard labels.bytes.count + nameBytes <= limit else { return nil }
        }
    }

    /// Bytes of what they hold.
    var byteCount: Int { labels.bytes.count + metrics.count * 8 + names.reduce(0) { $0 + $1.count + 48 } }

    /// Writes the member `labels` of an encoded series.
    ///
    /// - Returns: Where the metric's name lies, which is no member.
    static func writeLabels(of series: Span<UInt8>, to writer: inout JSONWriter) throws(WireError) -> Range<Int>? {
        writer.key("labels")
        writer.beginObject()
        var metricName: Range<Int>?
        var reader = try SeriesLabelReader(series)
        while let label = try reader.next(in: series) {
            let name = series.extracting(label.name)
            if name.isMetricName {
                metricName = label.value
            } else {
                writer.member(name, series.extracting(label.value))
            }
        }
        writer.endObject()
        return metricName
    }
}
