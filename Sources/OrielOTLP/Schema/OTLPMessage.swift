/// The messages of OTLP 1.11 with their fields: one table that the JSON mapping and the error paths read. Numbers and names are those of
/// the `.proto` files of
/// opentelemetry-proto.
enum OTLPMessage: Int, CaseIterable, Sendable {
    case anyValue, arrayValue, keyValueList, keyValue, instrumentationScope, entityRef, resource
    case tracesData, resourceSpans, scopeSpans, span, spanEvent, spanLink, status
    case logsData, resourceLogs, scopeLogs, logRecord
    case metricsData, resourceMetrics, scopeMetrics, metric, gauge, sum, histogram, exponentialHistogram, summary
    case numberDataPoint, histogramDataPoint, exponentialHistogramDataPoint, buckets, summaryDataPoint, valueAtQuantile, exemplar
    case exportTraceResponse, exportTracePartialSuccess
    case exportMetricsResponse, exportMetricsPartialSuccess
    case exportLogsResponse, exportLogsPartialSuccess

    /// The fields, in the order of their definition.
    var fields: [OTLPField] { OTLPMessage.tables[rawValue] }

    /// The field of a number, or `nil` when the message has none.
    func field(_ number: UInt32) -> OTLPField? {
        OTLPMessage.tables[rawValue].first { $0.number == number }
    }

    private static let tables: [[OTLPField]] = allCases.map { $0.definition }

    private var definition: [OTLPField] {
        switch self {
        case .anyValue:
            [
                OTLPField(1, "string_value", .string), OTLPField(2, "bool_value", .bool), OTLPField(3, "int_value", .int64),
                OTLPField(4, "double_value", .double), OTLPField(5, "array_value", .message(.arrayValue)),
                OTLPField(6, "kvlist_value", .message(.keyValueList)), OTLPField(7, "bytes_value", .bytes),
            ]
        case .arrayValue: [OTLPField(1, "values", .message(.anyValue), repeated: true)]
        case .keyValueList: [OTLPField(1, "values", .message(.keyValue), repeated: true)]
        case .keyValue: [OTLPField(1, "key", .string), OTLPField(2, "value", .message(.anyValue))]
        case .instrumentationScope:
            [
                OTLPField(1, "name", .string), OTLPField(2, "version", .string), OTLPField.attributes(3), OTLPField.droppedAttributes(4),
            ]
        case .entityRef:
            [
                OTLPField(1, "schema_url", .string), OTLPField(2, "type", .string), OTLPField(3, "id_keys", .string, repeated: true),
                OTLPField(4, "description_keys", .string, repeated: true),
            ]
        case .resource:
            [
                OTLPField.attributes(1), OTLPField.droppedAttributes(2), OTLPField(3, "entity_refs", .message(.entityRef), repeated: true),
            ]
        case .tracesData: [OTLPField(1, "resource_spans", .message(.resourceSpans), repeated: true)]
        case .resourceSpans: OTLPField.resourceGroup("scope_spans", .scopeSpans)
        case .scopeSpans: OTLPField.scopeGroup("spans", .span)
        case .span, .spanEvent, .spanLink, .status: traceDefinition
        case .logsData: [OTLPField(1, "resource_logs", .message(.resourceLogs), repeated: true)]
        case .resourceLogs: OTLPField.resourceGroup("scope_logs", .scopeLogs)
        case .scopeLogs: OTLPField.scopeGroup("log_records", .logRecord)
        case .logRecord:
            [
                OTLPField(1, "time_unix_nano", .fixed64), OTLPField(2, "severity_number", .severityNumber), OTLPField(3, "severity_text", .string),
                OTLPField(5, "body", .message(.anyValue)), OTLPField.attributes(6), OTLPField.droppedAttributes(7), OTLPField(8, "flags", .fixed32),
                OTLPField(9, "trace_id", .identifier), OTLPField(10, "span_id", .identifier), OTLPField(11, "observed_time_unix_nano", .fixed64),
                OTLPField(12, "event_name", .string),
            ]
        case .metricsData: [OTLPField(1, "resource_metrics", .message(.resourceMetrics), repeated: true)]
        case .resourceMetrics: OTLPField.resourceGroup("scope_metrics", .scopeMetrics)
        case .scopeMetrics: OTLPField.scopeGroup("metrics", .metric)
        case .metric, .gauge, .sum, .histogram, .exponentialHistogram, .summary: metricDefinition
        case .numberDataPoint, .histogramDataPoint, .exponentialHistogramDataPoint, .buckets, .summaryDataPoint, .valueAtQuantile, .exemplar:
            pointDefinition
        case .exportTraceResponse: [OTLPField(1, "partial_success", .message(.exportTracePartialSuccess))]
        case .exportTracePartialSuccess: [OTLPField(1, "rejected_spans", .int64), OTLPField(2, "error_message", .string)]
        case .exportMetricsResponse: [OTLPField(1, "partial_success", .message(.exportMetricsPartialSuccess))]
        case .exportMetricsPartialSuccess: [OTLPField(1, "rejected_data_points", .int64), OTLPField(2, "error_message", .string)]
        case .exportLogsResponse: [OTLPField(1, "partial_success", .message(.exportLogsPartialSuccess))]
        case .exportLogsPartialSuccess: [OTLPField(1, "rejected_log_records", .int64), OTLPField(2, "error_message", .string)]
        }
    }

    private var traceDefinition: [OTLPField] {
        switch self {
        case .span:
            [
                OTLPField(1, "trace_id", .identifier), OTLPField(2, "span_id", .identifier), OTLPField(3, "trace_state", .string),
                OTLPField(4, "parent_span_id", .identifier), OTLPField(5, "name", .string), OTLPField(6, "kind", .spanKind),
                OTLPField(7, "start_time_unix_nano", .fixed64), OTLPField(8, "end_time_unix_nano", .fixed64), OTLPField.attributes(9),
                OTLPField.droppedAttributes(10), OTLPField(11, "events", .message(.spanEvent), repeated: true),
                OTLPField(12, "dropped_events_count", .uint32), OTLPField(13, "links", .message(.spanLink), repeated: true),
                OTLPField(14, "dropped_links_count", .uint32), OTLPField(15, "status", .message(.status)), OTLPField(16, "flags", .fixed32),
            ]
        case .spanEvent:
            [OTLPField(1, "time_unix_nano", .fixed64), OTLPField(2, "name", .string), OTLPField.attributes(3), OTLPField.droppedAttributes(4)]
        case .spanLink:
            [
                OTLPField(1, "trace_id", .identifier), OTLPField(2, "span_id", .identifier), OTLPField(3, "trace_state", .string),
                OTLPField.attributes(4), OTLPField.droppedAttributes(5), OTLPField(6, "flags", .fixed32),
            ]
        default: [OTLPField(2, "message", .string), OTLPField(3, "code", .statusCode)]
        }
    }

    private var metricDefinition: [OTLPField] {
        switch self {
        case .metric:
            [
                OTLPField(1, "name", .string), OTLPField(2, "description", .string), OTLPField(3, "unit", .string),
                OTLPField(5, "gauge", .message(.gauge)), OTLPField(7, "sum", .message(.sum)), OTLPField(9, "histogram", .message(.histogram)),
                OTLPField(10, "exponential_histogram", .message(.exponentialHistogram)), OTLPField(11, "summary", .message(.summary)),
                OTLPField(12, "metadata", .message(.keyValue), repeated: true),
            ]
        case .gauge: [OTLPField.points(.numberDataPoint)]
        case .sum: [OTLPField.points(.numberDataPoint), OTLPField(2, "aggregation_temporality", .temporality), OTLPField(3, "is_monotonic", .bool)]
        case .histogram: [OTLPField.points(.histogramDataPoint), OTLPField(2, "aggregation_temporality", .temporality)]
        case .exponentialHistogram: [OTLPField.points(.exponentialHistogramDataPoint), OTLPField(2, "aggregation_temporality", .temporality)]
        default: [OTLPField.points(.summaryDataPoint)]
        }
    }

    private var pointDefinition: [OTLPField] {
        switch self {
        case .numberDataPoint:
            [
                OTLPField(2, "start_time_unix_nano", .fixed64), OTLPField(3, "time_unix_nano", .fixed64), OTLPField(4, "as_double", .double),
                OTLPField(6, "as_int", .sfixed64), OTLPField.exemplars(5), OTLPField.attributes(7), OTLPField(8, "flags", .uint32),
            ]
        case .histogramDataPoint:
            [
                OTLPField(2, "start_time_unix_nano", .fixed64), OTLPField(3, "time_unix_nano", .fixed64), OTLPField(4, "count", .fixed64),
                OTLPField(5, "sum", .double), OTLPField(6, "bucket_counts", .fixed64, repeated: true),
                OTLPField(7, "explicit_bounds", .double, repeated: true), OTLPField.exemplars(8), OTLPField.attributes(9),
                OTLPField(10, "flags", .uint32), OTLPField(11, "min", .double), OTLPField(12, "max", .double),
            ]
        case .exponentialHistogramDataPoint:
            [
                OTLPField.attributes(1), OTLPField(2, "start_time_unix_nano", .fixed64), OTLPField(3, "time_unix_nano", .fixed64),
                OTLPField(4, "count", .fixed64), OTLPField(5, "sum", .double), OTLPField(6, "scale", .sint32), OTLPField(7, "zero_count", .fixed64),
                OTLPField(8, "positive", .message(.buckets)), OTLPField(9, "negative", .message(.buckets)), OTLPField(10, "flags", .uint32),
                OTLPField.exemplars(11), OTLPField(12, "min", .double), OTLPField(13, "max", .double), OTLPField(14, "zero_threshold", .double),
            ]
        case .buckets: [OTLPField(1, "offset", .sint32), OTLPField(2, "bucket_counts", .uint64, repeated: true)]
        case .summaryDataPoint:
            [
                OTLPField(2, "start_time_unix_nano", .fixed64), OTLPField(3, "time_unix_nano", .fixed64), OTLPField(4, "count", .fixed64),
                OTLPField(5, "sum", .double), OTLPField(6, "quantile_values", .message(.valueAtQuantile), repeated: true), OTLPField.attributes(7),
                OTLPField(8, "flags", .uint32),
            ]
        case .valueAtQuantile: [OTLPField(1, "quantile", .double), OTLPField(2, "value", .double)]
        default:
            [
                OTLPField(2, "time_unix_nano", .fixed64), OTLPField(3, "as_double", .double), OTLPField(6, "as_int", .sfixed64),
                OTLPField(4, "span_id", .identifier), OTLPField(5, "trace_id", .identifier),
                OTLPField(7, "filtered_attributes", .message(.keyValue), repeated: true),
            ]
        }
    }
}

/// Fields that several messages have.
extension OTLPField {
    fileprivate static func attributes(_ number: UInt32) -> OTLPField { OTLPField(number, "attributes", .message(.keyValue), repeated: true) }

    fileprivate static func droppedAttributes(_ number: UInt32) -> OTLPField { OTLPField(number, "dropped_attributes_count", .uint32) }

    fileprivate static func exemplars(_ number: UInt32) -> OTLPField { OTLPField(number, "exemplars", .message(.exemplar), repeated: true) }

    fileprivate static func points(_ message: OTLPMessage) -> OTLPField { OTLPField(1, "data_points", .message(message), repeated: true) }

    fileprivate static func resourceGroup(_ name: String, _ scopes: OTLPMessage) -> [OTLPField] {
        [OTLPField(1, "resource", .message(.resource)), OTLPField(2, name, .message(scopes), repeated: true), OTLPField(3, "schema_url", .string)]
    }

    fileprivate static func scopeGroup(_ name: String, _ rows: OTLPMessage) -> [OTLPField] {
        [
            OTLPField(1, "scope", .message(.instrumentationScope)), OTLPField(2, name, .message(rows), repeated: true),
            OTLPField(3, "schema_url", .string),
        ]
    }
}
