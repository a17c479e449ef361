import OrielStore
import OrielTelemetry

/// Writes series as elements of an answer.
struct SeriesWriter {
    private let families: MetricFamilies
    private let hasPoints: Bool
    private let hasExemplars: Bool
    /// Of the series before: series of one name follow each other.
    private var latest: Metric?

    /// What all series of one name have in common, as JSON.
    private struct Metric {
        let name: [UInt8]
        /// The member `name`.
        let before: [UInt8]
        /// The members `type` and `unit`.
        let after: [UInt8]

        init(_ name: Span<UInt8>, _ family: MetricFamily) {
            self.name = name.array
            before = Self.members { writer in
                writer.key("name")
                writer.string(name)
            }
            after = Self.members { writer in
                writer.member("type", family.kind.name)
                writer.member("unit", family.unit)
            }
        }

        private static func members(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
            var writer = JSONWriter()
            write(&writer)
            return writer.bytes
        }
    }

    init(families: MetricFamilies, hasPoints: Bool, hasExemplars: Bool) {
        self.families = families
        self.hasPoints = hasPoints
        self.hasExemplars = hasExemplars
    }

    /// The labels of each series of a list, as a member of its element; `nil` when they take more than `limit` bytes.
    static func labels(of list: SeriesList, limit: Int) throws(WireError) -> ByteColumn? {
        var labels = ByteColumn()
        labels.reserveCapacity(list.count, bytes: min(limit, list.descriptors.bytes.count * 2))
        var writer = JSONWriter()
        for index in 0..<list.count {
            writer.removeAll()
            try writeLabels(list.descriptors.bytes.span.extracting(list.descriptors.range(of: index)), to: &writer)
            guard labels.bytes.count + writer.bytes.count <= limit else { return nil }
            labels.append(writer.bytes.span)
        }
        return labels
    }

    private static func writeLabels(_ series: Span<UInt8>, to writer: inout JSONWriter) throws(WireError) {
        writer.key("labels")
        writer.beginObject()
        var reader = try SeriesLabelReader(series)
        while let label = try reader.next(in: series) {
            let name = series.extracting(label.name)
            if name.isMetricName { continue }
            writer.member(name, series.extracting(label.value))
        }
        writer.endObject()
    }

    /// Writes one series of a list.
    ///
    /// - Parameter labels: What ``labels(of:limit:)`` made of the list; `nil` to make those of this series now.
    mutating func write(_ index: Int, of list: SeriesList, labels: ByteColumn?, _ row: SeriesRow, to writer: inout JSONWriter) throws(WireError) {
        let series = list.descriptors.bytes.span.extracting(list.descriptors.range(of: index))
        let metric = metric(series.extracting(try series.metricName() ?? 0..<0))
        writer.beginObject()
        writer.raw(metric.before.span)
        if let labels {
            writer.raw(labels.bytes.span.extracting(labels.range(of: index)))
        } else {
            try Self.writeLabels(series, to: &writer)
        }
        writer.raw(metric.after.span)
        writer.key("last")
        if let last = row.last { last.write(to: &writer) } else { writer.null() }
        writer.member("stale", row.isStale)
        if hasPoints { write(row.points, areAll: row.hasAllPoints, to: &writer) }
        if hasExemplars { write(row.exemplars, to: &writer) }
        writer.endObject()
    }

    private func write(_ points: [SeriesPoint], areAll: Bool, to writer: inout JSONWriter) {
        writer.key("points")
        writer.array { writer in
            for point in points { point.write(to: &writer) }
        }
        writer.member("points_complete", areAll)
    }

    private func write(_ exemplars: [SeriesExemplar], to writer: inout JSONWriter) {
        writer.member("exemplars", objects: exemplars) { writer, exemplar in
            writer.time("time", Timestamp(milliseconds: exemplar.time))
            writer.key("value")
            writer.double(exemplar.value)
            writer.member("trace_id", exemplar.traceID)
            writer.member("span_id", exemplar.spanID)
            writer.member("attributes", attributes: exemplar.attributes)
        }
    }

    private mutating func metric(_ name: Span<UInt8>) -> Metric {
        if let latest, latest.name.span.isEqual(to: name) { return latest }
        let metric = Metric(name, families.family(ofSeries: String(repairing: name)))
        latest = metric
        return metric
    }
}
