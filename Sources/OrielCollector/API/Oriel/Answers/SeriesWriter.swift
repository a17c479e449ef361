import OrielStore
import OrielTelemetry

/// Writes series as elements of an answer.
struct SeriesWriter {
    private let families: MetricFamilies
    private let hasPoints: Bool
    private let hasExemplars: Bool
    /// Of the series before: series of one name follow each other.
    private var latest: Metric?
    private var moment = MomentMembers()

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

    /// Writes one series whose texts are known.
    ///
    /// - Parameter index: In the list that the texts were made of.
    mutating func write(_ index: Int, of texts: SeriesTexts, _ row: SeriesRow, to writer: inout JSONWriter) {
        let name = texts.names[Int(texts.metrics[index])]
        let metric = metric(name.span)
        writer.beginObject()
        writer.raw(metric.before.span)
        writer.raw(texts.labels.bytes.span.extracting(texts.labels.range(of: index)))
        writeRest(metric, row, to: &writer)
    }

    /// Writes one series from its descriptor.
    mutating func write(_ series: Span<UInt8>, _ row: SeriesRow, to writer: inout JSONWriter) throws(WireError) {
        let metric = metric(series.extracting(try series.metricName() ?? 0..<0))
        writer.beginObject()
        writer.raw(metric.before.span)
        _ = try SeriesTexts.writeLabels(of: series, to: &writer)
        writeRest(metric, row, to: &writer)
    }

    private mutating func writeRest(_ metric: Metric, _ row: SeriesRow, to writer: inout JSONWriter) {
        writer.raw(metric.after.span)
        writer.key("last")
        if let last = row.last { last.write(to: &writer, &moment) } else { writer.null() }
        writer.member("stale", row.isStale)
        if hasPoints { write(row.points, areAll: row.hasAllPoints, to: &writer) }
        if hasExemplars { write(row.exemplars, to: &writer) }
        writer.endObject()
    }

    private mutating func write(_ points: [SeriesPoint], areAll: Bool, to writer: inout JSONWriter) {
        writer.key("points")
        writer.beginArray()
        for point in points { point.write(to: &writer, &moment) }
        writer.endArray()
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
