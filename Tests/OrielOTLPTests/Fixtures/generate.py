"""Writes GeneratedFixtures.swift with the official protobuf classes: pip install opentelemetry-proto protobuf; python3 generate.py.

Every field of OTLP 1.11 that the library knows is set. Messages are written deterministically, so that running this again changes nothing.
"""
import pathlib

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

TRACE = bytes.fromhex("0102030405060708090a0b0c0d0e0f10")
SPAN = bytes.fromhex("a1a2a3a4a5a6a7a8")
PARENT = bytes.fromhex("b1b2b3b4b5b6b7b8")
START = 1720000000000000000


def pair(key, **value):
    return KeyValue(key=key, value=AnyValue(**value))


def attributes(target):
    target.extend([
        pair("string", string_value="text é"),
        pair("true", bool_value=True),
        pair("false", bool_value=False),
        pair("int", int_value=-5),
        pair("double", double_value=2.5),
        pair("bytes", bytes_value=b"\x00\xff"),
        pair("array", array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="x"), AnyValue()])),
        pair("map", kvlist_value=KeyValueList(values=[pair("inner", bool_value=True)])),
        KeyValue(key="empty"),
    ])


def frame(group, scopes):
    attributes(group.resource.attributes)
    group.resource.attributes.append(pair("service.name", string_value="shop"))
    group.resource.dropped_attributes_count = 3
    reference = group.resource.entity_refs.add()
    reference.schema_url, reference.type = "https://entity", "service"
    reference.id_keys.append("service.name")
    reference.description_keys.append("string")
    group.schema_url = "https://resource"
    scope = getattr(group, scopes).add()
    scope.scope.name, scope.scope.version, scope.scope.dropped_attributes_count = "lib", "1.2", 4
    scope.scope.attributes.append(pair("scope.key", int_value=9))
    scope.schema_url = "https://scope"
    return scope


def traces():
    request = ExportTraceServiceRequest()
    span = frame(request.resource_spans.add(), "scope_spans").spans.add()
    span.trace_id, span.span_id, span.parent_span_id, span.trace_state = TRACE, SPAN, PARENT, "a=b"
    span.name, span.kind, span.flags = "GET /", 2, 0x301
    span.start_time_unix_nano, span.end_time_unix_nano = START, START + 5000000
    attributes(span.attributes)
    span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count = 1, 2, 3
    event = span.events.add()
    event.time_unix_nano, event.name, event.dropped_attributes_count = START + 1, "exception", 7
    attributes(event.attributes)
    link = span.links.add()
    link.trace_id, link.span_id, link.trace_state, link.dropped_attributes_count, link.flags = TRACE, PARENT, "c=d", 8, 0x100
    attributes(link.attributes)
    span.status.code, span.status.message = 2, "broken"
    return request


def logs():
    request = ExportLogsServiceRequest()
    scope = frame(request.resource_logs.add(), "scope_logs")
    record = scope.log_records.add()
    record.time_unix_nano, record.observed_time_unix_nano = START, START + 9
    record.severity_number, record.severity_text = 17, "ERROR"
    record.body.kvlist_value.values.append(pair("k", double_value=-0.5))
    attributes(record.attributes)
    record.dropped_attributes_count, record.flags = 2, 1
    record.trace_id, record.span_id, record.event_name = TRACE, SPAN, "device.crash"
    scope.log_records.add().body.string_value = "plain"
    return request


def point(target, attribute_name="attributes"):
    target.start_time_unix_nano, target.time_unix_nano = START - 1000000, START
    getattr(target, attribute_name).append(pair("route", string_value="/a"))
    return target


def exemplar(target):
    target.time_unix_nano, target.as_double, target.span_id, target.trace_id = START, 0.75, SPAN, TRACE
    target.filtered_attributes.append(pair("user", int_value=7))


def metrics():
    request = ExportMetricsServiceRequest()
    scope = frame(request.resource_metrics.add(), "scope_metrics")

    def metric(name, unit):
        result = scope.metrics.add()
        result.name, result.unit, result.description = name, unit, "help of " + name
        result.metadata.append(pair("m", bool_value=True))
        return result

    gauge = point(metric("temperature", "Cel").gauge.data_points.add())
    gauge.as_double = 21.5
    counter = metric("http.requests", "{request}").sum
    counter.aggregation_temporality, counter.is_monotonic = 2, True
    number = point(counter.data_points.add())
    number.as_int = 42
    exemplar(number.exemplars.add())
    histogram = metric("http.duration", "s").histogram
    histogram.aggregation_temporality = 2
    classic = point(histogram.data_points.add())
    classic.count, classic.sum, classic.min, classic.max = 6, 4.5, 0.1, 3
    classic.bucket_counts.extend([1, 2, 3])
    classic.explicit_bounds.extend([0.5, 1])
    exemplar(classic.exemplars.add())
    exponential = metric("rpc.duration", "s").exponential_histogram
    exponential.aggregation_temporality = 2
    native = point(exponential.data_points.add())
    native.count, native.sum, native.scale, native.zero_count, native.zero_threshold = 10, 5.5, 3, 1, 0.25
    native.positive.offset = -2
    native.positive.bucket_counts.extend([1, 2])
    native.negative.offset = 4
    native.negative.bucket_counts.extend([300])
    native.min, native.max = -9, 9
    summary = point(metric("old", "").summary.data_points.add())
    summary.count, summary.sum = 3, 1.5
    for quantile, value in ((0.5, 1), (0.99, 2)):
        entry = summary.quantile_values.add()
        entry.quantile, entry.value = quantile, value
    return request


lines = ["/// Written by Fixtures/generate.py with the official protobuf classes; every field set.", "enum GeneratedFixtures {"]
for name, make in (("traces", traces), ("logs", logs), ("metrics", metrics)):
    text = make().SerializeToString(deterministic=True).hex()
    lines.append('    static let %s = """' % name)
    lines.extend("        " + text[start:start + 120] for start in range(0, len(text), 120))
    lines.append('        """')
lines.append("}")
(pathlib.Path(__file__).parent.parent / "GeneratedFixtures.swift").write_text("\n".join(lines) + "\n")
