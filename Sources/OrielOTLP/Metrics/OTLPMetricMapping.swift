/// What becomes of each field of OTLP metrics on the way to Prometheus series: the documentation and, as data, what a test checks the
/// decoder against.
///
/// Beyond the rows of ``table``:
///
/// - A point is rejected, and counted for the partial success, when its metric has no usable name, its temporality is unspecified, it has
///   no value (and no flag that says
///   so), a time is beyond `Int64`, the shape of its buckets is wrong, its scale is below -4, or its labels would take more than 16 MiB.
/// - An exemplar never costs its point: a malformed one is dropped with a warning.
/// - Of labels, point attributes come first, then promoted resource attributes where no point attribute has the name, then the scope's
///   labels, then `job` and `instance`.
///   Attribute keys that become one name are joined, their values with `;` between them in the order of the keys. A label without a value
/// is left out.
/// - `target_info` is one sample of value 1 a resource and request, at the latest time of its points that are not delta.
/// - A delta point becomes the same series as a cumulative one in ``DecodedMetrics/deltas``, with its start time; the store sums. If the
///   resource is a function (has a `faas.` attribute), its `service.instance.id` and `faas.instance` are left out, so that sandboxes add up. A delta point without recorded value is ignored.
public enum OTLPMetricMapping {
    /// What becomes of a field.
    public enum Disposition: String, Hashable, Sendable {
        /// Its value is found again, as it was or as text.
        case kept
        /// It decides something else.
        case derived
        /// It is read, checked and forgotten.
        case dropped
    }

    /// A row of the table.
    public struct Row: Hashable, Sendable {
        /// Message and field, as in the `.proto` files.
        public var field: String
        public var disposition: Disposition
        /// What it becomes.
        public var note: String

        init(_ field: String, _ disposition: Disposition, _ note: String) {
            self.field = field
            self.disposition = disposition
            self.note = note
        }
    }

    /// Every field of `metrics.v1`, and of the resource and scope around the metrics.
    public static let table: [Row] = [
        Row("Resource.attributes", .kept, "service.* as job and instance, promoted ones as labels, all others on target_info"),
        Row("Resource.dropped_attributes_count", .dropped, ""),
        Row("Resource.entity_refs", .dropped, ""),
        Row("ResourceMetrics.schema_url", .dropped, ""),
        Row("InstrumentationScope.name", .kept, "label otel_scope_name; a scope without a name has no labels"),
        Row("InstrumentationScope.version", .kept, "label otel_scope_version"),
        Row("InstrumentationScope.attributes", .kept, "labels otel_scope_<key>"),
        Row("InstrumentationScope.dropped_attributes_count", .dropped, ""),
        Row("ScopeMetrics.schema_url", .kept, "label otel_scope_schema_url"),
        Row("Metric.name", .kept, "the series' name, translated by the chosen strategy"),
        Row("Metric.description", .kept, "the family's help"),
        Row("Metric.unit", .kept, "the family's unit; with a strategy that adds suffixes also part of the name"),
        Row("Metric.metadata", .dropped, ""),
        Row("Metric.gauge", .derived, "family kind gauge; _ratio for unit 1"),
        Row("Metric.sum", .derived, "family kind counter when monotonic, else gauge"),
        Row("Metric.histogram", .derived, "family kind histogram; _bucket, _count, _sum"),
        Row("Metric.exponential_histogram", .derived, "family kind histogram; a native histogram"),
        Row("Metric.summary", .derived, "family kind summary; quantiles, _count, _sum"),
        Row("Sum.aggregation_temporality", .derived, "cumulative: samples; delta: increments; unspecified: rejected"),
        Row("Sum.is_monotonic", .derived, "counter and _total"),
        Row("Histogram.aggregation_temporality", .derived, "as for sums"),
        Row("ExponentialHistogram.aggregation_temporality", .derived, "as for sums"),
        Row("NumberDataPoint.attributes", .kept, "labels"),
        Row("NumberDataPoint.start_time_unix_nano", .derived, "of a delta point the start of the increment; of others dropped"),
        Row("NumberDataPoint.time_unix_nano", .kept, "the sample's time, in milliseconds; 0 becomes the time of receipt"),
        Row("NumberDataPoint.as_double", .kept, "the sample's value"),
        Row("NumberDataPoint.as_int", .kept, "the sample's value, as a double"),
        Row("NumberDataPoint.exemplars", .kept, "exemplars of the series"),
        Row("NumberDataPoint.flags", .derived, "bit 0: a stale marker instead of the value; other bits dropped"),
        Row("HistogramDataPoint.attributes", .kept, "labels"),
        Row("HistogramDataPoint.start_time_unix_nano", .derived, "of a delta point the start of the increment; of others dropped"),
        Row("HistogramDataPoint.time_unix_nano", .kept, "the samples' time, in milliseconds; 0 becomes the time of receipt"),
        Row("HistogramDataPoint.count", .kept, "_count, and the bucket le=\"+Inf\""),
        Row("HistogramDataPoint.sum", .kept, "_sum; absent: no sample of _sum"),
        Row("HistogramDataPoint.bucket_counts", .kept, "_bucket, summed up from the lowest bucket"),
        Row("HistogramDataPoint.explicit_bounds", .kept, "label le, shortest decimal without exponent (\"1\", \"0.005\")"),
        Row("HistogramDataPoint.exemplars", .kept, "exemplars of the lowest _bucket that holds their value"),
        Row("HistogramDataPoint.flags", .derived, "bit 0: stale markers; other bits dropped"),
        Row("HistogramDataPoint.min", .dropped, "Prometheus has no place for it"),
        Row("HistogramDataPoint.max", .dropped, "Prometheus has no place for it"),
        Row("ExponentialHistogramDataPoint.attributes", .kept, "labels"),
        Row("ExponentialHistogramDataPoint.start_time_unix_nano", .derived, "of a delta point the start of the increment; of others dropped"),
        Row("ExponentialHistogramDataPoint.time_unix_nano", .kept, "the sample's time, in milliseconds; 0 becomes the time of receipt"),
        Row("ExponentialHistogramDataPoint.count", .kept, "the histogram's count"),
        Row("ExponentialHistogramDataPoint.sum", .kept, "the histogram's sum; absent: 0"),
        Row("ExponentialHistogramDataPoint.scale", .kept, "the schema; above 8 buckets are merged down to 8, below -4 rejected"),
        Row("ExponentialHistogramDataPoint.zero_count", .kept, "the zero bucket's count"),
        Row("ExponentialHistogramDataPoint.zero_threshold", .kept, "the zero bucket's width; 0 becomes 1e-128"),
        Row("ExponentialHistogramDataPoint.positive", .kept, "positive buckets, index + 1"),
        Row("ExponentialHistogramDataPoint.negative", .kept, "negative buckets, index + 1"),
        Row("ExponentialHistogramDataPoint.exemplars", .kept, "exemplars of the series"),
        Row("ExponentialHistogramDataPoint.flags", .derived, "bit 0: a histogram whose sum is the stale marker; other bits dropped"),
        Row("ExponentialHistogramDataPoint.min", .dropped, "Prometheus has no place for it"),
        Row("ExponentialHistogramDataPoint.max", .dropped, "Prometheus has no place for it"),
        Row("Buckets.offset", .kept, "the first bucket's index, + 1"),
        Row("Buckets.bucket_counts", .kept, "absolute counts of the buckets; empty ones between runs are left out"),
        Row("SummaryDataPoint.attributes", .kept, "labels"),
        Row("SummaryDataPoint.start_time_unix_nano", .dropped, ""),
        Row("SummaryDataPoint.time_unix_nano", .kept, "the samples' time, in milliseconds; 0 becomes the time of receipt"),
        Row("SummaryDataPoint.count", .kept, "_count"),
        Row("SummaryDataPoint.sum", .kept, "_sum"),
        Row("SummaryDataPoint.quantile_values", .kept, "a sample a quantile"),
        Row("SummaryDataPoint.flags", .derived, "bit 0: stale markers; other bits dropped"),
        Row("ValueAtQuantile.quantile", .kept, "label quantile"),
        Row("ValueAtQuantile.value", .kept, "the sample's value"),
        Row("Exemplar.time_unix_nano", .kept, "the exemplar's time, in milliseconds; 0 becomes the point's time"),
        Row("Exemplar.as_double", .kept, "the exemplar's value"),
        Row("Exemplar.as_int", .kept, "the exemplar's value, as a double"),
        Row("Exemplar.span_id", .kept, "the exemplar's span; of wrong length: none"),
        Row("Exemplar.trace_id", .kept, "the exemplar's trace; of wrong length: none"),
        Row("Exemplar.filtered_attributes", .kept, "the exemplar's attributes, with their types"),
    ]
}
