"""Input that means harm, or that something broke: each kind gets its documented answer, memory stays in its bounds, and the process lives.

Usage: hostile.py PATH_TO_ORIEL [--long] [--seed N] [--count N] [--only CASE,...] [--memory MIB]

After each case the daemon must be alive and healthy, a normal request must be stored and found, and the anonymous memory, watched all the time, must have stayed
below its bound. A run prints its seed; the same seed sends the same damage.
"""

import argparse
import base64
import gzip
import http.client
import json
import random
import resource as limits
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib

import wire
from oriel import Checks, Server

GIB = 1 << 30
DAY = 86_400_000_000_000
PROTOBUF = "application/x-protobuf"
SERVICES = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}


class Memory(threading.Thread):
    """The most anonymous memory that a process has held since the last `reset`."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process = process
        self.peak = 0

    def now(self):
        try:
            with open(f"/proc/{self.process.pid}/smaps_rollup") as file:
                return next(int(line.split()[1]) << 10 for line in file if line.startswith("Anonymous:"))
        except (OSError, StopIteration):
            return 0

    def reset(self):
        self.peak = self.now()

    def run(self):
        while self.process.poll() is None:
            self.peak = max(self.peak, self.now())
            time.sleep(0.05)


def exchange(port, data, timeout=20, half_close=False):
    """Sends bytes on a connection of their own and returns what comes back until the server closes it, and how long that took."""
    start = time.monotonic()
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        try:
            pieces = [data] if isinstance(data, bytes) else data
            for piece in pieces:
                connection.sendall(piece)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while True:
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
        except ConnectionResetError:
            pass
        except TimeoutError:
            answer += b"(still open)"
    return answer, time.monotonic() - start


def statuses(answer):
    """The status codes of the HTTP/1.1 responses in what came back."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


class Run:
    def __init__(self, arguments):
        self.arguments = arguments
        self.seed = arguments.seed
        self.random = random.Random(self.seed)
        self.checks = Checks(f"hostile input (seed {self.seed})")
        self.server = Server(arguments.binary).start()
        self.memory = Memory(self.server.process)
        self.memory.start()
        self.number = 0
        self.note = ""

    # What must hold after each case

    def normal_request(self, timeout=30):
        """A trace is taken, and found."""
        self.number += 1
        trace_id = self.random.randbytes(16)
        now = time.time_ns()
        body = wire.request("normal", [wire.span(trace_id, self.random.randbytes(8), f"normal {self.number}", now, now + 1000)])
        deadline = time.monotonic() + timeout
        while True:
            status, answer = self.server.post("/v1/traces", body, PROTOBUF)
            # Refusals of the moment may outlive what caused them a little.
            if status not in (429, 503) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if (status, answer) != (200, b""):
            return f"status {status}, {answer[:200]!r}"
        found = self.server.get("/traces/" + trace_id.hex())["spans"]
        return "" if len(found) == 1 else f"{len(found)} spans"

    def case(self, name, body):
        if self.arguments.only and name not in self.arguments.only:
            return
        self.note = ""
        self.memory.reset()
        started = time.monotonic()
        print(f"{name} ...", flush=True)
        self.checks.group(name, body)
        took = time.monotonic() - started
        alive = self.server.process.poll() is None
        self.checks.true(f"{name}: the process lives", alive, f"exit code {self.server.process.poll()}\n{self.server.log_tail()}")
        if not alive:
            # The other cases are tried all the same.
            self.server.start()
            self.memory = Memory(self.server.process)
            self.memory.start()
            return
        peak = self.memory.peak
        self.checks.true(f"{name}: anonymous memory stays below {self.arguments.memory} MiB", peak < self.arguments.memory << 20, f"peak {peak >> 20} MiB")
        try:
            with_problem = self.normal_request()
        except (OSError, http.client.HTTPException, urllib.error.URLError) as error:
            with_problem = repr(error)
        self.checks.equal(f"{name}: a normal request works afterwards", with_problem, "")
        self.checks.equal(f"{name}: /-/healthy", self.health(), 200)
        print(f"{name}: {took:.1f} s, peak {peak >> 20} MiB{'; ' + self.note if self.note else ''}", flush=True)

    def health(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=20)
            connection.request("GET", "/-/healthy")
            return connection.getresponse().status
        except OSError as error:
            return repr(error)

    # Damaged requests

    def samples(self):
        """A good request of each kind: (signal, format, bytes)."""
        random_bytes = self.random.randbytes
        now = time.time_ns()
        pairs = [("http.route", "/cart"), ("user", "ü"), ("n", "42")]
        spans = [wire.span(random_bytes(16), random_bytes(8), f"op {n}", now, now + n, pairs, random_bytes(8)) for n in range(4)]
        records = [wire.log_record(now + n, f"line {n}", pairs, random_bytes(16)) for n in range(4)]
        metrics = [wire.gauge("damaged.gauge", now, 1.5, pairs), wire.delta_histogram("damaged.histogram", now - 1000, now)]
        attributes = [
            {"key": "a", "value": {"stringValue": "x\u00fc\n"}}, {"key": "b", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"doubleValue": 1e300}]}}},
            {"key": "c", "value": {"kvlistValue": {"values": [{"key": "d", "value": {"bytesValue": "AAEC"}}]}}},
        ]
        owner = {"attributes": [{"key": "service.name", "value": {"stringValue": "damaged"}}]}
        row = {"traceId": random_bytes(16).hex(), "spanId": random_bytes(8).hex(), "attributes": attributes}
        times = {"startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 5)}
        point = {"timeUnixNano": str(now), "asDouble": 1.25, "attributes": attributes[:1]}
        histogram = {"timeUnixNano": str(now), "count": "3", "sum": 4, "bucketCounts": ["1", "2"], "explicitBounds": [1.5]}
        texts = {
            "traces": {"resourceSpans": [{"resource": owner, "scopeSpans": [{"spans": [row | times | {"name": "op", "kind": 2, "events": [{"name": "e"}]}]}]}]},
            "logs": {"resourceLogs": [{"resource": owner, "scopeLogs": [{"logRecords": [row | {"timeUnixNano": str(now), "body": {"stringValue": "l"}}]}]}]},
            "metrics": {
                "resourceMetrics": [
                    {"resource": owner, "scopeMetrics": [{"metrics": [
                        {"name": "g", "gauge": {"dataPoints": [point]}}, {"name": "h", "histogram": {"aggregationTemporality": 2, "dataPoints": [histogram]}},
                    ]}]}
                ]
            },
        }
        return [
            ("traces", PROTOBUF, wire.request("damaged", spans)), ("logs", PROTOBUF, wire.request("damaged", records)),
            ("metrics", PROTOBUF, wire.request("damaged", metrics)),
        ] + [(signal, "application/json", json.dumps(text).encode()) for signal, text in texts.items()]

    def damaged(self):
        samples = self.samples()
        mutations = wire.Mutations(self.random)
        encodings = list(wire.COMPRESSIONS)
        answers = {}
        unexpected = []
        connection = None
        grpc = None
        for index in range(self.arguments.count):
            signal, media, good = self.random.choice(samples)
            other = self.random.choice(samples)[2]
            encoding = encodings[index % len(encodings)]
            # Damage below the compression reaches the decoder, damage above it the decompressor.
            if encoding == "identity" or self.random.random() < 0.5:
                body = wire.COMPRESSIONS[encoding](mutations.damage(good, other))
            else:
                body = mutations.damage(wire.COMPRESSIONS[encoding](good), other)
            if media == PROTOBUF and index % 3 == 0:
                how = "gRPC"
                framed = struct.pack(">BI", encoding != "identity", len(body)) + body
                if self.random.random() < 0.2:
                    framed = mutations.damage(framed)
                grpc = grpc or wire.HTTP2(self.server.grpc_port)
                try:
                    answer = grpc.grpc(SERVICES[signal], b"", encoding=encoding, frame_bytes=framed)
                except (OSError, ConnectionError) as error:
                    answer = repr(error)
                # OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED (two messages), INTERNAL (no frame).
                expected = answer in (0, 3, 8, 12, 13)
                if not expected:
                    grpc.close()
                    grpc = None
            else:
                how = "HTTP"
                headers = {"content-type": media}
                if encoding != "identity":
                    headers["content-encoding"] = encoding
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=30)
                try:
                    connection.request("POST", f"/v1/{signal}", body, headers)
                    response = connection.getresponse()
                    answer = response.status
                    response.read()
                except (OSError, http.client.HTTPException) as error:
                    answer = repr(error)
                # 415: the damage asks for a dictionary.
                expected = answer in (200, 400, 413) or answer == 415 and encoding in ("zstd", "deflate")
                if not expected:
                    connection.close()
                    connection = None
            answers[f"{how} {answer}"] = answers.get(f"{how} {answer}", 0) + 1
            if not expected:
                unexpected.append((index, how, signal, media, encoding, answer, body.hex()[:2000]))
                if self.server.process.poll() is not None:
                    break
        for each in unexpected[:5]:
            print("unexpected:", each)
        self.checks.equal("damaged: answers that are none of the documented ones", len(unexpected), 0)
        self.note = f"{self.arguments.count} requests: " + ", ".join(f"{answers[key]} x {key}" for key in sorted(answers))

    # Bodies that inflate without end

    def bombs(self):
        port = self.server.http_port
        head = f"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: {PROTOBUF}\r\ntransfer-encoding: chunked\r\ncontent-encoding: %s\r\n\r\n"

        def chunked(pieces):
            for piece in pieces:
                yield b"%x\r\n" % len(piece) + piece + b"\r\n"
            yield b"0\r\n\r\n"

        def send(name, encoding, pieces, expected):
            answer, _ = exchange(port, iter([(head % encoding).encode(), *chunked(pieces), ]), timeout=120, half_close=True)
            got = statuses(answer)
            self.checks.true(f"bombs: {name}", len(got) == 1 and got[0] in expected, f"got {got}, expected {expected}: {answer[-300:]!r}")

        gzip_bomb = list(wire.zlib_zeros(GIB, 31))
        send("1 GiB of zeros in gzip", "gzip", gzip_bomb, (413,))
        send("1 GiB of zeros in deflate", "deflate", wire.zlib_zeros(GIB, 15), (413,))
        send("1 GiB of zeros in zstd", "zstd", [wire.zstd_zeros(GIB)], (413,))
        send("gzip in gzip", "gzip, gzip", [gzip.compress(b"".join(gzip_bomb))], (413,))
        send("a snappy block that claims 4 GiB", "snappy", [wire.varint((4 << 30) - 1) + b"\0a"], (400, 413))
        send("a snappy block that claims 60 MiB and holds nothing", "snappy", [wire.varint(60 << 20) + b"\0a"], (400,))
        # A gzip trailer that lies: 64 MiB, and a real content of 1 GiB.
        lying = b"".join(gzip_bomb)
        send("a gzip trailer that says 10 bytes", "gzip", [lying[:-4] + struct.pack("<I", 10)], (400, 413))
        grpc = wire.HTTP2(self.server.grpc_port, timeout=120)
        self.checks.equal("bombs: gRPC, gzip", grpc.grpc(SERVICES["traces"], lying, True, "gzip"), 8)
        self.checks.equal("bombs: gRPC, zstd", grpc.grpc(SERVICES["logs"], wire.zstd_zeros(GIB), True, "zstd"), 8)
        grpc.close()
        # Many at once must share one budget: each is refused, as too large or for the moment.
        answers = []

        def one():
            answer, _ = exchange(port, iter([(head % "zstd").encode(), *chunked([wire.zstd_zeros(GIB)])]), timeout=120, half_close=True)
            answers.append(statuses(answer))
        threads = [threading.Thread(target=one) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.checks.true("bombs: 20 at once are refused", len(answers) == 20 and all(got in ([413], [503]) for got in answers), answers)

    # Valid, but outsized

    def attributes(self):
        random_bytes = self.random.randbytes
        now = time.time_ns()
        trace_id = random_bytes(16)
        keys = [(f"key.{n}", f"value {n}") for n in range(10_000)]
        body = wire.request("many-keys", [wire.span(trace_id, random_bytes(8), "wide", now, now + 1, keys)])
        self.checks.equal("attributes: 10,000 on one span", self.server.post("/v1/traces", body, PROTOBUF), (200, b""))
        found = self.server.get("/traces/" + trace_id.hex())["spans"][0]["attributes"]
        self.checks.equal("attributes: all 10,000 come back", {a["key"]: a["value"]["stringValue"] for a in found}, dict(keys))
        rows = [
            wire.log_record(now + n, "narrow", [(f"other.{n}.{k}", "x") for k in range(10)], trace_id) for n in range(1000)
        ]
        self.checks.equal("attributes: 10,000 keys on 1,000 records", self.server.post("/v1/logs", wire.request("many-keys", rows), PROTOBUF), (200, b""))
        logs = self.server.all("/logs", "logs", trace_id=trace_id.hex(), limit=1000)
        self.checks.equal("attributes: the 10,000 keys of 1,000 records come back", len({a["key"] for row in logs for a in row["attributes"]}), 10_000)
        metrics = [wire.gauge("wide.gauge", now, 1, [(f"label.{k}", "v") for k in range(2000)])]
        status, _ = self.server.post("/v1/metrics", wire.request("many-keys", metrics), PROTOBUF)
        self.checks.equal("attributes: a series of 2,000 labels", status, 200)

        large = "x" * (1 << 20)
        trace_id = random_bytes(16)
        body = wire.request("large", [wire.span(trace_id, random_bytes(8), "large", now, now + 1, [("large", large)])])
        self.checks.equal("attributes: a value of 1 MiB", self.server.post("/v1/traces", body, PROTOBUF), (200, b""))
        found = self.server.get("/traces/" + trace_id.hex())["spans"][0]["attributes"]
        self.checks.true("attributes: the value of 1 MiB comes back", found[0]["value"]["stringValue"] == large)
        rows = [wire.log_record(now + n, large, [("large", large)], trace_id) for n in range(20)]
        self.checks.equal("attributes: 20 bodies and values of 1 MiB", self.server.post("/v1/logs", wire.request("large", rows), PROTOBUF), (200, b""))
        # Noise, which does not compress.
        noise = base64.b64encode(random_bytes(768 << 10)).decode()
        rows = [wire.log_record(now + n, noise, [("large", noise[n:])], trace_id) for n in range(20)]
        self.checks.equal("attributes: 20 more, incompressible", self.server.post("/v1/logs", wire.request("large", rows), PROTOBUF), (200, b""))
        logs = self.server.all("/logs", "logs", trace_id=trace_id.hex(), limit=30)
        self.checks.equal("attributes: bodies of 1 MiB come back", [len(row["body"]["stringValue"]) for row in logs], [1 << 20] * 40)
        status, answer = self.server.post("/v1/metrics", wire.request("large", [wire.gauge("large.gauge", now, 1, [("large", large)])]), PROTOBUF)
        self.checks.equal("attributes: a label of 1 MiB", status, 200)

        # Invalid UTF-8 is kept, and repaired where it is read as text.
        trace_id = random_bytes(16)
        body = wire.request("utf8", [wire.span(trace_id, random_bytes(8), b"a\xff\xc3(b", now, now + 1, [("k\xfe".encode("latin-1"), b"\xed\xa0\x80v")])])
        self.checks.equal("attributes: invalid UTF-8", self.server.post("/v1/traces", body, PROTOBUF), (200, b""))
        found = self.server.get("/traces/" + trace_id.hex())["spans"][0]
        self.checks.equal("attributes: invalid UTF-8 is repaired when it is read", found["name"], "a\ufffd\ufffd(b")
        body = wire.request("utf8", [wire.log_record(now, b"\xff\xfe\x00 body", [(b"\x80", b"\xc0\xaf")], trace_id)])
        self.checks.equal("attributes: invalid UTF-8 in a record", self.server.post("/v1/logs", body, PROTOBUF), (200, b""))
        body = wire.request("utf8", [wire.gauge(b"na\xffme", now, 1, [(b"l\xff", b"\xc0")])])
        self.checks.equal("attributes: invalid UTF-8 in a metric", self.server.post("/v1/metrics", body, PROTOBUF)[0], 200)
        text = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"\xff\\ud800"}}]}]}]}' % now
        self.checks.true("attributes: invalid UTF-8 in JSON", self.server.post("/v1/logs", text)[0] in (200, 400))
        deep = b'{"arrayValue":{"values":[' * 50_000
        text = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + deep
        self.checks.equal("attributes: JSON nested 50,000 deep", self.server.post("/v1/logs", text)[0], 400)
        value = b""
        for _ in range(3000):
            value = wire.field(5, wire.field(1, value))
        record = wire.fixed64(1, now) + wire.field(5, value)
        status, answer = self.server.post("/v1/logs", wire.request("deep", [record]), PROTOBUF)
        self.checks.true("attributes: protobuf nested 3,000 deep is rejected", (status, wire.rejected(answer)) in ((200, 1), (400, 0)), (status, answer[:100]))

    def identifiers(self):
        """Rows that cannot be kept are counted as rejected, the others of the same request are kept."""
        random_bytes = self.random.randbytes
        now = time.time_ns()
        for size in (1, 7, 15, 17, 32, 1000):
            trace_id = random_bytes(16)
            rows = [
                wire.span(trace_id, random_bytes(8), "good", now, now + 1), wire.span(random_bytes(size), random_bytes(8), "bad trace id", now, now + 1),
                wire.span(trace_id, random_bytes(size), "bad span id", now, now + 1),
            ]
            status, answer = self.server.post("/v1/traces", wire.request("ids", rows), PROTOBUF)
            self.checks.equal(f"identifiers: {size} bytes", (status, wire.rejected(answer)), (200, 2))
            self.checks.equal(f"identifiers: the good span beside {size} bytes", len(self.server.get("/traces/" + trace_id.hex())["spans"]), 1)
        # 1970 lies before every retention, 2200 beyond what any clock is off by.
        old, future = DAY, 7_258_118_400_000_000_000
        for name, moment in (("1970", old), ("2200", future), ("the last moment of 64 bits", (1 << 64) - 1), ("the last moment of 63 bits", (1 << 63) - 1)):
            rows = {
                "traces": [wire.span(random_bytes(16), random_bytes(8), name, moment, min(moment + 1, (1 << 64) - 1)), wire.span(random_bytes(16), random_bytes(8), "now", now, now + 1)],
                "logs": [wire.log_record(moment, name), wire.log_record(now, "now")],
                "metrics": [wire.gauge("times.gauge", moment, 1), wire.gauge("times.gauge", now, 1)],
            }
            for signal, content in rows.items():
                status, answer = self.server.post(f"/v1/{signal}", wire.request("times", content), PROTOBUF)
                self.checks.equal(f"identifiers: {signal} of {name}", (status, wire.rejected(answer)), (200, 1))
        # A span that ends before it begins, and one that lasts for centuries.
        rows = [wire.span(random_bytes(16), random_bytes(8), "backwards", now, now - DAY), wire.span(random_bytes(16), random_bytes(8), "long", now, future)]
        self.checks.equal("identifiers: odd durations", self.server.post("/v1/traces", wire.request("times", rows), PROTOBUF)[0], 200)

    def large_trace(self):
        total = 100_000
        random_bytes = self.random.randbytes
        now = time.time_ns()
        trace_id = random_bytes(16)
        parents = [random_bytes(8)]
        for start in range(0, total, 10_000):
            rows = []
            for index in range(start, start + 10_000):
                own = parents[0] if index == 0 else random_bytes(8)
                parent = b"" if index == 0 else self.random.choice(parents)
                rows.append(wire.span(trace_id, own, f"step {index % 50}", now + index * 1000, now + index * 1000 + 500, [("index", str(index))], parent))
                if len(parents) < 2000:
                    parents.append(own)
            self.checks.equal(f"large_trace: spans from {start}", self.server.post("/v1/traces", wire.request("large-trace", rows), PROTOBUF), (200, b""))
        began = time.monotonic()
        spans = self.server.all("/traces/" + trace_id.hex(), "spans", limit=10_000)
        took = time.monotonic() - began
        self.checks.equal("large_trace: spans by the API", len({span["span_id"] for span in spans}), total)
        began = time.monotonic()
        shown = subprocess.run(
            [self.arguments.binary, "trace", trace_id.hex(), "--server", self.server.url], capture_output=True, timeout=300, check=False)
        self.note = f"API {took:.1f} s, oriel trace {time.monotonic() - began:.1f} s with {shown.stdout.count(10)} lines"
        # Several who ask for it at once share the memory for questions; who finds none left is told so.
        answers = []

        def ask():
            try:
                with urllib.request.urlopen(f"{self.server.url}/api/oriel/v1/traces/{trace_id.hex()}", timeout=300) as response:
                    response.read()
                    answers.append(response.status)
            except urllib.error.HTTPError as error:
                answers.append(error.code)
            except OSError as error:
                answers.append(repr(error))
        threads = [threading.Thread(target=ask) for _ in range(16 if self.arguments.long else 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.checks.true("large_trace: several who ask at once", all(answer in (200, 422, 429, 503) for answer in answers) and 200 in answers, answers)
        self.checks.equal("large_trace: exit code of oriel trace", shown.returncode, 0)
        self.checks.true("large_trace: oriel trace shows it", shown.stdout.count(b"\n") > 20, shown.stdout[:500] + shown.stderr[:500])

    # HTTP/1.1

    def http1(self):
        port = self.server.http_port
        post = f"POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: {PROTOBUF}\r\n".encode()

        def refused(name, data, expected, **options):
            answer, took = exchange(port, data, **options)
            got = statuses(answer)
            ok = got == [expected] if isinstance(expected, int) else any(got == each for each in expected)
            self.checks.true(f"http1: {name}", ok and b"(still open)" not in answer, f"got {got} after {took:.1f} s, expected {expected}: {answer[:300]!r}")

        refused("a header field of 1 MiB", b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * (1 << 20), 431)
        refused("a header name of 1 MiB", b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"a" * (1 << 20), ([431], [400]))
        refused("a target of 1 MiB", b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\n\r\n", ([431], [414], [400]))
        refused("a method of 1 MiB", b"A" * (1 << 20) + b" / HTTP/1.1\r\n\r\n", ([], [400]))
        refused("100,000 header fields", b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(100_000)) + b"\r\n", 431)
        refused("a header without end", iter([b"GET / HTTP/1.1\r\n"] + [b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 1000] * 1000), 431)
        for text in (b"-1", b"99999999999999999999999", b"1e9", b"0x10", b"5, 6", b"+5", b""):
            refused(f"Content-Length {text.decode()!r}", post + b"content-length: " + text + b"\r\n\r\nhello", 400, half_close=True)
        refused("Content-Length of 9 EB", post + b"content-length: 9223372036854775807\r\n\r\n", 413)
        refused("Content-Length of 1 GiB", post + b"content-length: 1073741824\r\n\r\n", 413)
        refused("two lengths", post + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!", 400, half_close=True)
        refused("length and chunks", post + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", ([400], [200]), half_close=True)
        chunked = post + b"transfer-encoding: chunked\r\n\r\n"
        refused("a chunk size that is no number", chunked + b"zz\r\nhello\r\n0\r\n\r\n", 400)
        refused("a chunk size beyond 64 bits", chunked + b"fffffffffffffffffffff\r\nhello", 400)
        refused("a negative chunk size", chunked + b"-1\r\nhello\r\n", 400)
        refused("a chunk longer than it says", chunked + b"2\r\nhello\r\n0\r\n\r\n", 400)
        refused("a chunk extension of 1 MiB", chunked + b"2;" + b"a" * (1 << 20), ([400], [431], [413], [408]))
        refused("chunks without end", iter([chunked] + [b"100000\r\n" + bytes(1 << 20) + b"\r\n"] * 200), 413)
        refused("trailers without end", iter([chunked + b"0\r\n"] + [b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 1000] * 1000), ([431], [400], [200]))
        refused("an unknown transfer coding", post + b"transfer-encoding: gzip\r\n\r\nhello", ([400], [501]), half_close=True)
        refused("HTTP/9.9", b"GET / HTTP/9.9\r\nhost: localhost\r\n\r\n", ([400], [505], []), half_close=True)
        refused("a bare line feed in a name", b"GET / HTTP/1.1\r\nho\nst: localhost\r\n\r\n", ([400], [421]), half_close=True)
        refused("NUL in a value", b"GET /-/healthy HTTP/1.1\r\nhost: localhost\r\nx: a\0b\r\n\r\n", 400, half_close=True)
        refused("no HTTP at all", self.random.randbytes(2000), ([], [400]))

        # Pipelined requests are answered in order, and a flood of them in bounded memory.
        get = b"GET /-/healthy HTTP/1.1\r\nhost: localhost\r\n\r\n"
        last = b"GET /-/healthy HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        answer, _ = exchange(port, get * 999 + last, timeout=60)
        self.checks.equal("http1: 1,000 pipelined requests", statuses(answer), [200] * 1000)
        # One that is never read: the server stops reading, and ends it when the time for unread answers is over.
        idle = socket.create_connection(("127.0.0.1", port), timeout=5)
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sent = 0
        idle.settimeout(2)
        try:
            while sent < 256 << 20:
                sent += idle.send(get * 1000)
        except (TimeoutError, ConnectionError):
            pass
        self.checks.true("http1: pipelining without reading is held back", sent < 64 << 20, f"{sent >> 20} MiB were taken")
        idle.close()
        # Upgrades that lead nowhere.
        refused("an upgrade to h2c", b"GET /-/healthy HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, http2-settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAAA\r\n\r\n", ([200], [400]), half_close=True)

    # HTTP/2

    def http2(self):
        port = self.server.grpc_port

        def until_closed(connection, limit=60):
            """What ends a connection: "goaway", "closed", or "open"."""
            deadline = time.monotonic() + limit
            connection.socket.settimeout(limit)
            try:
                while time.monotonic() < deadline:
                    if connection.read()[0] == wire.GOAWAY:
                        return "goaway"
            except TimeoutError:
                return "open"
            except OSError:
                return "closed"
            return "open"

        def flood(connection, pieces):
            """Sends until the server has had enough, reading nothing meanwhile."""
            sent = 0
            connection.socket.settimeout(10)
            try:
                for piece in pieces:
                    connection.send(piece)
                    sent += 1
            except OSError:
                pass
            return sent

        def ended(name, connection, pieces):
            sent = flood(connection, pieces)
            how = until_closed(connection, 20)
            connection.close()
            self.checks.true(f"http2: {name} ends the connection", how in ("goaway", "closed"), f"{how} after {sent} pieces")

        head = lambda connection: connection.request_head(SERVICES["logs"], [("content-type", "application/grpc"), ("te", "trailers")])

        # Rapid reset (CVE-2023-44487): streams opened and cancelled at once.
        connection = wire.HTTP2(port)

        def resets():
            for _ in range(100_000):
                stream = connection.next_stream()
                yield wire.frame(wire.HEADERS, wire.END_HEADERS, stream, head(connection)) + wire.frame(wire.RST_STREAM, 0, stream, struct.pack(">I", 8))
        ended("a flood of resets", connection, resets())
        # A header block that goes on and on.
        connection = wire.HTTP2(port)
        block = wire.literal("x-filler", "y" * 1000) * 16
        ended(
            "a flood of CONTINUATION frames", connection,
            iter([wire.frame(wire.HEADERS, 0, 1, head(connection))] + [wire.frame(wire.CONTINUATION, 0, 1, block)] * 10_000))
        connection = wire.HTTP2(port)
        ended(
            "a flood of empty CONTINUATION frames", connection,
            iter([wire.frame(wire.HEADERS, 0, 1, head(connection))] + [wire.frame(wire.CONTINUATION, 0, 1) * 100] * 10_000))
        # An HPACK bomb: one large entry in the dynamic table, referred to again and again.
        connection = wire.HTTP2(port)
        entry = b"\x40\x01x" + b"\x7f" + wire.varint(3900 - 127) + b"y" * 3900
        ended("an HPACK bomb", connection, iter([wire.frame(wire.HEADERS, wire.END_HEADERS, 1, (head(connection) + entry + b"\xbe" * 10_000)[:16384])] * 1))
        connection = wire.HTTP2(port)
        ended("a broken header block", connection, iter([wire.frame(wire.HEADERS, wire.END_HEADERS, 1, b"\xff" * 50)]))
        for name, payload in (
            ("a window update of 0", wire.frame(wire.WINDOW_UPDATE, 0, 0, struct.pack(">I", 0))),
            ("a window beyond 2^31", wire.frame(wire.WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7FFFFFFF)) * 2),
            ("a frame above the size limit", struct.pack(">I", 0xFFFFFF)[1:] + b"\0\0\0\0\0\1" + bytes(1000)),
            ("DATA on a stream that is not open", wire.frame(wire.DATA, 0, 1, b"x")),
            ("an even stream", wire.frame(wire.HEADERS, wire.END_HEADERS, 2, b"\x82")),
            ("a PING of 3 bytes", wire.frame(wire.PING, 0, 0, b"abc")),
            ("SETTINGS of 5 bytes", wire.frame(wire.SETTINGS, 0, 0, b"abcde")),
            ("a window setting beyond 2^31", wire.frame(wire.SETTINGS, 0, 0, struct.pack(">HI", 4, 0xFFFFFFFF))),
        ):
            ended(name, wire.HTTP2(port), iter([payload]))
        # Control frames that want an answer each, while nothing is read.
        for name, payload in (("PING", wire.frame(wire.PING, 0, 0, bytes(8))), ("SETTINGS", wire.frame(wire.SETTINGS, 0, 0, b""))):
            ended(f"a flood of {name}", wire.HTTP2(port), iter([payload * 1000] * 2000))
        # Frames of no length: work without progress.
        connection = wire.HTTP2(port)
        sent = flood(connection, iter([wire.frame(wire.HEADERS, wire.END_HEADERS, 1, head(connection))] + [wire.frame(wire.DATA, 0, 1) * 1000] * 1000))
        self.checks.true("http2: a flood of empty DATA ends the stream or the connection", self.stream_ended(connection, 1), f"after {sent} pieces")
        connection.close()
        # More streams than allowed: those beyond are refused, the others work.
        connection = wire.HTTP2(port)
        for _ in range(128):
            connection.send(wire.frame(wire.HEADERS, wire.END_HEADERS, connection.next_stream(), head(connection)))
        answer = connection.grpc(SERVICES["logs"], b"")
        self.checks.true("http2: a 129th stream is refused", answer in ("reset", "goaway"), answer)
        connection.close()
        # A peer that gives no window for the answer must not hold more than the answer.
        connections = []
        now = time.time_ns()
        for _ in range(20):
            connection = wire.HTTP2(self.server.http_port, settings={4: 0}.items())
            target = "/api/oriel/v1/logs?limit=10000&since=1h"
            for _ in range(20):
                connection.send(wire.frame(wire.HEADERS, wire.END_HEADERS | wire.END_STREAM, connection.next_stream(), connection.request_head(target, method="GET")))
            connections.append(connection)
        time.sleep(3)
        for connection in connections:
            connection.close()
        # Damaged frames of an ordinary exchange.
        mutations = wire.Mutations(self.random)
        rows = wire.request("damaged", [wire.log_record(now, "x")])
        for _ in range(max(50, self.arguments.count // 20)):
            connection = wire.HTTP2(port, timeout=10)
            stream = connection.next_stream()
            frames = wire.frame(wire.HEADERS, wire.END_HEADERS, stream, head(connection)) + wire.frame(
                wire.DATA, wire.END_STREAM, stream, struct.pack(">BI", 0, len(rows)) + rows)
            try:
                connection.send(mutations.damage(frames))
                connection.socket.shutdown(socket.SHUT_WR)
                while connection.read():
                    pass
            except OSError:
                pass
            connection.close()

    def stream_ended(self, connection, stream):
        connection.socket.settimeout(20)
        try:
            while True:
                kind, flags, at, _ = connection.read()
                if kind == wire.GOAWAY or at == stream and (kind == wire.RST_STREAM or flags & wire.END_STREAM and kind in (wire.HEADERS, wire.DATA)):
                    return True
        except TimeoutError:
            return False
        except OSError:
            return True

    # Slow and idle peers

    def slow(self):
        """One byte a second: closed when the documented time is over, and nobody else notices."""
        port = self.server.http_port
        head = f"POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: {PROTOBUF}\r\ncontent-length: 1000000\r\n\r\n".encode()
        h2_head = wire.HTTP2(self.server.grpc_port)
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        request = wire.frame(wire.SETTINGS, 0, 0) + wire.frame(wire.HEADERS, wire.END_HEADERS, 1, h2_head.request_head(SERVICES["logs"], [("content-type", "application/grpc")]))
        h2_head.close()
        # What is sent at once, what follows byte by byte, the time in which it must be over.
        peers = {
            "nothing": (b"", b"", 5), "a request line": (b"", b"GET /-/healthy HTTP/1.1\r\nhost: localhost\r\n", 15),
            "a header": (b"GET / HTTP/1.1\r\nx: ", b"y" * 60, 15), "a body": (head, b"y" * 60, 5), "the preface of HTTP/2": (b"", preface, 24),
            "a gRPC message": (preface + request, None, 5),
        }
        results = {}

        def peer(name, at_once, then):
            connection = socket.create_connection(("127.0.0.1", port), timeout=1)
            start = time.monotonic()
            answer = b""
            connection.sendall(at_once)
            for index in range(60):
                try:
                    if then is None:
                        connection.sendall(wire.frame(wire.DATA, 0, 1, b"y"))
                    elif then:
                        connection.sendall(then[index % len(then):][:1])
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    answer += piece
                    # An HTTP/2 connection stays; the stream is what ends.
                    if then is None and any(wire.grpc_status(answer[at:]) is not None for at in (0,)):
                        break
                except TimeoutError:
                    pass
                except OSError:
                    break
            results[name] = (time.monotonic() - start, answer)
            connection.close()

        threads = [threading.Thread(target=peer, args=(name, once, then)) for name, (once, then, _) in peers.items() for _ in range(20)]
        for thread in threads:
            thread.start()
        slowest = 0
        problems = []
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            problem = self.normal_request()
            slowest = max(slowest, time.monotonic() - began)
            if problem:
                problems.append(problem)
            time.sleep(0.5)
        self.checks.equal("slow: others work meanwhile", problems, [])
        for name, (_, _, allowed) in peers.items():
            took, answer = results[name]
            # The limit, the second in which a refusal may be read, and the granularity of this test.
            self.checks.true(f"slow: {name} ends after {allowed} s", took < allowed + 8, f"took {took:.1f} s")
        self.checks.equal("slow: a slow body is told so", statuses(results["a body"][1]), [408])
        self.note = ", ".join(f"{name} {took:.1f} s" for name, (took, _) in results.items()) + f"; slowest request of others {slowest:.2f} s"

    def idle(self):
        """10,000 connections that say nothing, then as many that once asked something."""
        total = 10_000
        soft, hard = limits.getrlimit(limits.RLIMIT_NOFILE)
        wanted = total + 500
        if hard < wanted:
            wanted, total = hard, hard - 500
        limits.setrlimit(limits.RLIMIT_NOFILE, (max(soft, wanted), hard))
        client = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=30)
        client.request("GET", "/-/healthy")
        client.getresponse().read()
        for name, first in (("silent", b""), ("kept alive", b"GET /-/healthy HTTP/1.1\r\nhost: localhost\r\n\r\n")):
            connections = []
            for _ in range(total):
                connection = socket.socket()
                connection.setblocking(False)
                try:
                    connection.connect(("127.0.0.1", self.server.http_port))
                except BlockingIOError:
                    pass
                connections.append(connection)
            time.sleep(1)
            if first:
                for connection in connections:
                    try:
                        connection.send(first)
                    except OSError:
                        pass
                time.sleep(2)
            # One that was there before, and one that comes now.
            began = time.monotonic()
            # The oldest idle connections make room, so the first attempt may find its connection closed; every client then opens another.
            for _ in range(2):
                try:
                    client.request("GET", "/-/healthy")
                    known = client.getresponse()
                    known.read()
                    known = known.status
                    break
                except (OSError, http.client.HTTPException) as error:
                    known = repr(error)
                    client.close()
            self.checks.equal(f"idle: a client of before, beside {total} {name}", known, 200)
            took_known = time.monotonic() - began
            began = time.monotonic()
            try:
                problem = self.normal_request()
            except (OSError, urllib.error.URLError) as error:
                problem = repr(error)
            self.checks.equal(f"idle: a new client, beside {total} {name}", problem, "")
            self.note += f"{name}: known client {took_known:.2f} s, new client {time.monotonic() - began:.2f} s; "
            for connection in connections:
                connection.close()
        client.close()
        limits.setrlimit(limits.RLIMIT_NOFILE, (soft, hard))

    # Questions

    def queries(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=120)

        def ask(name, target, expected):
            nonlocal connection
            began = time.monotonic()
            try:
                connection.request("GET", "/api/oriel/v1" + target)
                response = connection.getresponse()
                response.read()
                got = response.status
            except (OSError, http.client.HTTPException) as error:
                got = repr(error)
            if got not in (200, 400, 404):
                connection.close()
                connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=120)
            self.checks.true(f"queries: {name}", got in expected, f"got {got}, expected {expected}, {time.monotonic() - began:.1f} s")

        quote = urllib.parse.quote
        lists = ("logs", "traces", "series", "metrics", "services")
        for path in lists:
            for value in ("0", "-1", "100001", "99999999999999999999999", "1e3", "NaN", "%00", "%F0%9F%A6%8A"):
                ask(f"{path}, limit {value}", f"/{path}?limit={value}", (400,))
            for value in ("x", "MXxsb2dzfDB8MHwwfA", "A" * 5000, "%ff%fe", "=", quote(base64.b64encode(b"1|logs|0|-9223372036854775808|9223372036854775807|x"))):
                ask(f"{path}, cursor {value[:20]}", f"/{path}?cursor={value}", (400,))
            ask(f"{path}, an unknown parameter", f"/{path}?nothing=1", (400,))
            ask(f"{path}, 201 parameters", f"/{path}?" + "&".join(["limit=1"] * 201), (400,))
            ask(f"{path}, a start that is a novel", f"/{path}?start=" + "9" * 5000, (400,))
            if path != "services":
                ask(f"{path}, an empty range", f"/{path}?start=2030-01-01T00:00:00Z&end=2020-01-01T00:00:00Z", (400,))
                ask(f"{path}, all times", f"/{path}?start=0&limit=1", (200,))
            ask(f"{path}, broken percent code", f"/{path}?limit=%4", (400,))
        many = "&".join(f"attribute={quote(f'key{n}=value{n}')}" for n in range(190))
        ask("190 conditions", f"/logs?{many}", (200, 400))
        ask("190 conditions on spans", f"/traces?{many}", (200, 400))
        for operator in ("=~", "!~", ">=", "<", "!=", "=", "~", "=="):
            for value in ("(" * 1000, "(a+)+$" * 50, "a{1000}{1000}", "[" * 5000, "\\" * 999, "99999999999999999999", "NaN", "🦊" * 500, ".*" * 2000, '"' * 500):
                ask(f"attribute {operator}{value[:12]}", f"/logs?attribute={quote('k' + operator + value)}", (200, 400, 414, 431))
        ask("a text of 12 KiB", "/logs?text=" + "x" * 12_000, (200, 400))
        ask("a trace id of 10 KiB", "/traces/" + "a" * 10_000, (400, 404, 431))
        ask("a trace that is not there", "/traces/" + "a" * 32, (404,))
        ask("a path upwards", "/traces/..%2f..%2f..%2fetc%2fpasswd", (400, 404))
        ask("a duration beyond 64 bits", "/traces?min_duration=99999999999999999h", (400,))
        ask("a duration below zero", "/traces?min_duration=-5s", (200, 400))
        ask("points without end", "/series?points=99999999999", (400,))
        # As large as an answer may be, several at once, and not read.
        sockets = []
        for _ in range(20):
            peer = socket.create_connection(("127.0.0.1", self.server.http_port), timeout=10)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.sendall(b"GET /api/oriel/v1/logs?limit=10000&start=0 HTTP/1.1\r\nhost: localhost\r\n\r\n")
            sockets.append(peer)
        time.sleep(5)
        for peer in sockets:
            peer.close()
        pieces = ["since=", "1h", "&", "=", "%", "%41", "attribute=", ">=", '"', "cursor=", "limit=", "-1", "start=", "end=", "|", "%00", "service=", "text=", "~", "("]
        for _ in range(max(100, self.arguments.count // 10)):
            query = "".join(self.random.choice(pieces) for _ in range(self.random.randrange(10)))
            path = self.random.choice([*lists, "traces/0", "logs/follow", "nothing"])
            if path != "logs/follow":
                ask(f"{path}?{query}", f"/{path}?{quote(query, safe='&=%~|()')}".replace('"', "%22"), (200, 400, 404))

    def all(self):
        for name in ("identifiers", "attributes", "damaged", "bombs", "http1", "http2", "slow", "large_trace", "queries", "idle"):
            self.case(name, getattr(self, name))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int)
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--memory", type=int, default=600)
    arguments = parser.parse_args()
    arguments.count = arguments.count or (200_000 if arguments.long else 2_000)
    run = Run(arguments)
    try:
        run.all()
    finally:
        code = run.server.stop()
    run.checks.equal("exit code of the daemon", code, 0)
    return run.checks.finish()


if __name__ == "__main__":
    sys.exit(main())
