"""The OpenTelemetry SDK for Python, unmodified, against `oriel serve`: what it sent is compared with what the API returns, value by value.

Usage: python_sdk.py PATH_TO_ORIEL
"""

import logging
import math
import sys
import time

import grpc
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GRPCLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GRPCMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GRPCSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HTTPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HTTPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HTTPSpanExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter, ObservableUpDownCounter, UpDownCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from oriel import Checks, Server, attributes, plain

ALL_TYPES = {
    "text": "häufig 🌍 \"quoted\"\n\ttab",
    "empty": "",
    "yes": True,
    "no": False,
    "zero": 0,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "double": 0.1,
    "whole double": 3.0,
    "tiny": 5e-324,
    "texts": ["a", "", "ß"],
    "flags": [True, False],
    "numbers": [1, -2, 3],
    "doubles": [1.5, -0.0, 1e300],
    "nothing in it": [],
}


class Both(SpanExporter):
    """Exports and keeps what was exported."""

    def __init__(self, exporter):
        self.exporter = exporter
        self.spans = []
        self.results = []

    def export(self, spans):
        self.spans += spans
        result = self.exporter.export(spans)
        self.results.append(result)
        return result

    def shutdown(self):
        self.exporter.shutdown()


def exporters(server, transport, compressed):
    if transport == "grpc":
        options = {
            "endpoint": f"http://127.0.0.1:{server.grpc_port}", "insecure": True, "timeout": 10,
            "compression": grpc.Compression.Gzip if compressed else grpc.Compression.NoCompression,
        }
        return (
            lambda **more: GRPCSpanExporter(**options, **more), lambda **more: GRPCLogExporter(**options, **more),
            lambda **more: GRPCMetricExporter(**options, **more),
        )
    options = {"timeout": 10, "compression": Compression.Gzip if compressed else Compression.NoCompression}
    return (
        lambda **more: HTTPSpanExporter(endpoint=server.url + "/v1/traces", **options, **more),
        lambda **more: HTTPLogExporter(endpoint=server.url + "/v1/logs", **options, **more),
        lambda **more: HTTPMetricExporter(endpoint=server.url + "/v1/metrics", **options, **more),
    )


def make_resource(name):
    return Resource.create(
        {
            "service.name": name, "service.namespace": "interop", "service.instance.id": name + "-1", "service.version": "1.2.3",
            "deployment.environment.name": "test", **{"resource." + key: value for key, value in ALL_TYPES.items()},
        }
    )


def normal(value):
    """The SDK keeps sequences as tuples."""
    if isinstance(value, (tuple, list)):
        return [normal(element) for element in value]
    if hasattr(value, "items"):
        return {key: normal(element) for key, element in value.items()}
    return value


def check_spans(checks, server, resource, make_exporter):
    both = Both(make_exporter())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(both))
    tracer = provider.get_tracer("interop.tracer", "4.5.6", schema_url="https://opentelemetry.io/schemas/1.30.0", attributes={"scope.attribute": 7})
    with tracer.start_as_current_span("other trace") as other:
        linked = other.get_span_context()
    with tracer.start_as_current_span("parent", kind=SpanKind.SERVER, attributes=ALL_TYPES) as parent:
        for kind in SpanKind:
            with tracer.start_as_current_span(f"child {kind.name}", kind=kind):
                pass
        with tracer.start_as_current_span("linked", links=[Link(linked, {"why": "retry", **ALL_TYPES}), Link(parent.get_span_context())]) as span:
            span.add_event("first", ALL_TYPES, timestamp=time.time_ns())
            span.add_event("second")
            span.set_status(Status(StatusCode.OK))
        try:
            with tracer.start_as_current_span("failing"):
                raise ValueError("it is broken: ✗")
        except ValueError:
            pass
    provider.shutdown()
    checks.true("every span export succeeded", all(result == SpanExportResult.SUCCESS for result in both.results), both.results)

    trace_ids = {format(span.context.trace_id, "032x") for span in both.spans}
    stored = {}
    for trace_id in trace_ids:
        for span in server.get(f"/traces/{trace_id}")["spans"]:
            stored[span["span_id"]] = span
    checks.equal("number of spans", len(stored), len(both.spans))
    for span in both.spans:
        got = stored.get(format(span.context.span_id, "016x"))
        if got is None:
            checks.true(f"span {span.name} is there", False)
            continue
        name = f"span {span.name}: "
        checks.equal(name + "trace id", got["trace_id"], format(span.context.trace_id, "032x"))
        checks.equal(name + "parent", got["parent_span_id"], format(span.parent.span_id, "016x") if span.parent else None)
        checks.equal(name + "name", got["name"], span.name)
        checks.equal(name + "kind", got["kind"], span.kind.name.lower())
        checks.equal(name + "start", int(got["start_time_unix_nano"]), span.start_time)
        checks.equal(name + "end", int(got["end_time_unix_nano"]), span.end_time)
        checks.equal(name + "attributes", attributes(got["attributes"]), normal(span.attributes))
        checks.equal(name + "status", got["status"]["code"], span.status.status_code.name.lower())
        checks.equal(name + "status message", got["status"]["message"], span.status.description or "")
        # Which flags are sent differs between versions of the SDK.
        sent = encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]
        checks.equal(name + "flags", got["flags"], sent.flags)
        checks.equal(name + "events", len(got["events"]), len(span.events))
        for event, expected in zip(got["events"], span.events):
            checks.equal(name + "event name", event["name"], expected.name)
            checks.equal(name + "event time", int(event["time_unix_nano"]), expected.timestamp)
            checks.equal(name + "event attributes", attributes(event["attributes"]), normal(expected.attributes or {}))
        checks.equal(name + "links", len(got["links"]), len(span.links))
        for link, expected in zip(got["links"], span.links):
            checks.equal(name + "link trace", link["trace_id"], format(expected.context.trace_id, "032x"))
            checks.equal(name + "link span", link["span_id"], format(expected.context.span_id, "016x"))
            checks.equal(name + "link attributes", attributes(link["attributes"]), normal(expected.attributes or {}))
        checks.equal(name + "resource", attributes(got["resource"]["attributes"]), normal(span.resource.attributes))
        checks.equal(name + "scope", (got["scope"]["name"], got["scope"]["version"]), ("interop.tracer", "4.5.6"))
        checks.equal(name + "scope attributes", attributes(got["scope"]["attributes"]), {"scope.attribute": 7})
    return tracer


def check_logs(checks, server, resource, service, make_exporter):
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(make_exporter()))
    logger = provider.get_logger("interop.logger", "7.8.9")
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("not exported")
    bodies = [
        "plain text", "", 42, -1.5, True, ["a list", 1, None, ["nested"]], {"a": "map", "nested": {"n": 1, "list": [True]}}, b"\x00\xff bytes", None,
    ]
    sent = []
    with tracer.start_as_current_span("around") as span:
        context = span.get_span_context()
        for index, body in enumerate(bodies):
            moment = time.time_ns()
            record = LogRecord(
                timestamp=moment, observed_timestamp=moment + 5, context=trace.set_span_in_context(span), severity_number=SeverityNumber(1 + index * 2),
                severity_text=f"LEVEL{index}", body=body, attributes={"index": index, **ALL_TYPES}, event_name=f"event.{index}",
            )
            sent.append(record)
            logger.emit(record)
        handler = LoggingHandler(logger_provider=provider)
        standard = logging.getLogger("interop.standard." + service)
        standard.propagate = False
        standard.setLevel(logging.DEBUG)
        standard.addHandler(handler)
        standard.warning("from logging: %s", "a warning", extra={"extra": 5})
    provider.shutdown()
    got = server.all("/logs", "logs", service=service, limit=5)
    checks.equal("number of log records", len(got), len(sent) + 1)
    by_name = {record["event_name"]: record for record in got}
    for expected in sent:
        record = by_name.get(expected.event_name)
        if record is None:
            checks.true(f"log {expected.event_name} is there", False)
            continue
        name = f"log {expected.event_name}: "
        checks.equal(name + "time", int(record["time_unix_nano"]), expected.timestamp)
        checks.equal(name + "observed time", int(record["observed_time_unix_nano"]), expected.observed_timestamp)
        checks.equal(name + "severity", record["severity_number"], expected.severity_number.value)
        checks.equal(name + "severity text", record["severity_text"], expected.severity_text)
        checks.equal(name + "body", plain(record["body"]), expected.body)
        checks.equal(name + "attributes", attributes(record["attributes"]), normal(expected.attributes))
        checks.equal(name + "trace id", record["trace_id"], format(context.trace_id, "032x"))
        checks.equal(name + "span id", record["span_id"], format(context.span_id, "016x"))
        checks.equal(name + "resource", attributes(record["resource"]["attributes"]), normal(resource.attributes))
        checks.equal(name + "scope", (record["scope"]["name"], record["scope"]["version"]), ("interop.logger", "7.8.9"))
    standard_records = [record for record in got if plain(record["body"]) == "from logging: a warning"]
    checks.equal("records of Python's logging", len(standard_records), 1)
    for record in standard_records:
        checks.equal("logging: severity", record["severity_number"], SeverityNumber.WARN.value)
        checks.equal("logging: trace id", record["trace_id"], format(context.trace_id, "032x"))
        checks.equal("logging: extra", attributes(record["attributes"]).get("extra"), 5)
    newest_first = [int(record["time_unix_nano"]) for record in got]
    checks.equal("logs come newest first over all pages", newest_first, sorted(newest_first, reverse=True))
    same_trace = server.all("/logs", "logs", trace_id=format(context.trace_id, "032x"), limit=100)
    checks.equal("logs found by trace id", len(same_trace), len(got))


TEMPORALITIES = {
    "cumulative": {},
    "delta": {
        Counter: AggregationTemporality.DELTA, ObservableCounter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA,
        UpDownCounter: AggregationTemporality.CUMULATIVE, ObservableUpDownCounter: AggregationTemporality.CUMULATIVE,
    },
}


def check_metrics(checks, server, service, temporality, make_exporter):
    service = f"{service}-{temporality}"
    exporter = make_exporter(preferred_temporality=TEMPORALITIES[temporality])
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=math.inf)
    views = [View(instrument_name="interop.size", aggregation=ExponentialBucketHistogramAggregation(max_size=160))]
    provider = MeterProvider([reader], resource=make_resource(service), views=views, shutdown_on_exit=False)
    meter = provider.get_meter("interop.meter", "3.2.1")
    observed = {"total": 100, "level": 7, "heat": 20.5}
    counter = meter.create_counter("interop.requests", unit="{request}", description="Requests.")
    bytes_counter = meter.create_counter("interop.sent", unit="By")
    up_down = meter.create_up_down_counter("interop.queue", unit="{item}")
    gauge = meter.create_gauge("interop.voltage", unit="V")
    histogram = meter.create_histogram("interop.latency", unit="s", explicit_bucket_boundaries_advisory=[0.1, 0.5, 1.0])
    exponential = meter.create_histogram("interop.size", unit="By")
    meter.create_observable_counter("interop.observed", [lambda _: [Observation(observed["total"], {"cpu": 0})]], unit="s")
    meter.create_observable_up_down_counter("interop.observed.level", [lambda _: [Observation(observed["level"])]])
    meter.create_observable_gauge("interop.observed.heat", [lambda _: [Observation(observed["heat"], {"room": "hall"})]], unit="Cel")

    for step in range(3):
        counter.add(1, {"path": "/a", "code": 200, "ok": True})
        counter.add(2.5, {"path": "/b"})
        bytes_counter.add(1000 + step)
        up_down.add([5, -3, 4][step], {"queue": "q"})
        gauge.set([1.5, -2.25, 230.0][step])
        for value in [0.05, 0.3, 0.7, 5.0]:
            histogram.record(value * (step + 1), {"path": "/a"})
        for value in [1, 10, 100, 0]:
            exponential.record(value * (step + 1))
        observed["total"] += 11
        observed["level"] -= 2
        observed["heat"] += 0.25
        checks.true(f"{temporality} export {step} succeeded", provider.force_flush(10_000))
        time.sleep(0.02)
    provider.shutdown()

    series = server.all("/series", "series", limit=20, label="job=interop/" + service)

    def last(name, **labels):
        found = [
            row for row in series
            if row["name"] == name and all(row["labels"].get(key) == value for key, value in labels.items())
        ]
        if len(found) != 1 or found[0]["last"] is None:
            checks.true(f"{temporality} {name}{labels} is one series", False, sorted(row["name"] + str(row["labels"]) for row in found))
            return None
        row = found[0]
        checks.equal(f"{temporality} {name}: instance", row["labels"].get("instance"), service + "-1")
        return row["last"].get("value", row["last"].get("histogram"))

    def expect(value, name, **labels):
        got = last(name, **labels)
        if got is not None:
            checks.true(f"{temporality} {name}{labels}", math.isclose(got, value, rel_tol=1e-12), f"expected {value}, got {got}")

    expect(3, "interop_requests_total", path="/a", code="200", ok="true")
    expect(7.5, "interop_requests_total", path="/b")
    expect(3003, "interop_sent_bytes_total")
    expect(6, "interop_queue", queue="q")
    expect(230.0, "interop_voltage_volts")
    # Observations happen at collection, after the step's increments; `shutdown` collects once more.
    expect(133, "interop_observed_seconds_total", cpu="0")
    expect(1, "interop_observed_level")
    expect(21.25, "interop_observed_heat_celsius", room="hall")
    # 0.05 0.3 0.7 5 | 0.1 0.6 1.4 10 | 0.15 0.9 2.1 15
    for bound, count in {"0.1": 2, "0.5": 4, "1": 7, "+Inf": 12}.items():
        expect(count, "interop_latency_seconds_bucket", path="/a", le=bound)
    expect(12, "interop_latency_seconds_count", path="/a")
    expect(6.05 * 6, "interop_latency_seconds_sum", path="/a")
    native = last("interop_size_bytes")
    if native is not None:
        checks.equal(f"{temporality} native histogram: count", native["count"], 12)
        checks.true(f"{temporality} native histogram: sum", math.isclose(native["sum"], 666), native["sum"])
        checks.equal(f"{temporality} native histogram: zeros", native["zero_count"], 3)
        checks.true(f"{temporality} native histogram: schema", -4 <= native["schema"] <= 8, native["schema"])
    expect(1, "target_info", resource_text=ALL_TYPES["text"])


def main():
    server = Server(sys.argv[1]).start()
    checks = Checks("Python SDK")
    try:
        for transport in ["grpc", "http"]:
            for compressed in [False, True]:
                service = f"{transport}-{'gzip' if compressed else 'plain'}"
                spans, logs, metrics = exporters(server, transport, compressed)
                resource = make_resource(service)
                checks.group(f"{service} spans", check_spans, checks, server, resource, spans)
                checks.group(f"{service} logs", check_logs, checks, server, resource, service, logs)
                for temporality in TEMPORALITIES:
                    checks.group(f"{service} {temporality} metrics", check_metrics, checks, server, service, temporality, metrics)
        checks.equal("exit code after SIGTERM", server.stop(), 0)
    finally:
        server.stop()
        if checks.failed:
            print(server.log_tail())
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
