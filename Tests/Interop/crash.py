"""`kill -9` under load, again and again: what was acknowledged is there, nothing is there twice, and an unacknowledged request is there wholly or not at all.

Usage: crash.py PATH_TO_ORIEL [ROUNDS]

Each client sends one request after the other, spans, log records and an increment of a delta counter in turn, and retries a request until it is acknowledged,
with the same bytes, as an exporter with a queue does. Spans and records of a request are one trace, so that the API can be asked for it; the sum of the
counter tells how many increments were counted.
"""

import http.client
import json
import os
import random
import sys
import threading
import time
from urllib.error import HTTPError

from oriel import Checks, Server

CLIENTS = 4
ROWS = 40


class Request:
    """The rows of one trace: spans or log records, each with its place in the request as an attribute."""

    def __init__(self, generator, kind, number):
        self.kind = kind
        self.trace_id = format(generator.getrandbits(128) | 1, "032x")
        self.state = "sent"
        self.attempts = 0
        now = time.time_ns()
        rows = []
        for index in range(ROWS):
            row = {
                "traceId": self.trace_id, "spanId": format(generator.getrandbits(64) | 1, "016x"),
                "attributes": [{"key": "index", "value": {"intValue": str(index)}}, {"key": "filler", "value": {"stringValue": "x" * generator.randrange(200)}}],
            }
            if kind == "spans":
                row |= {"name": f"request {number}", "kind": 2, "startTimeUnixNano": str(now + index), "endTimeUnixNano": str(now + index + 1000)}
            else:
                row |= {"timeUnixNano": str(now + index), "severityNumber": 9, "body": {"stringValue": f"request {number}, record {index}"}}
            rows.append(row)
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "crash-" + kind}}]}
        if kind == "spans":
            message = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": rows}]}]}
        else:
            message = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": rows}]}]}
        self.path = "/v1/traces" if kind == "spans" else "/v1/logs"
        self.body = json.dumps(message).encode()


class Increment:
    """One more on the delta counter of a client."""

    kind = "increment"
    path = "/v1/metrics"

    def __init__(self, client, start, end):
        self.state = "sent"
        self.attempts = 0
        point = {
            "attributes": [{"key": "client", "value": {"stringValue": str(client)}}], "startTimeUnixNano": str(start), "timeUnixNano": str(end), "asInt": "1",
        }
        metric = {"name": "crash.increments", "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}}
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "crash-metrics"}}]}
        self.body = json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}).encode()


class Client(threading.Thread):
    def __init__(self, index, server, seed, stop):
        super().__init__(daemon=True)
        self.index = index
        self.server = server
        self.generator = random.Random(seed)
        # Not `stop`: a thread has a private method of that name.
        self.ends = stop
        self.requests = []
        self.problems = []

    def run(self):
        number = 0
        last = time.time_ns()
        while not self.ends.is_set():
            number += 1
            if number % 3 == 0:
                now = time.time_ns()
                request = Increment(self.index, last, now)
                last = now
            else:
                request = Request(self.generator, "spans" if number % 3 == 1 else "logs", number)
            # One in five gives up after a broken connection, so that unacknowledged requests remain.
            gives_up = self.generator.random() < 0.2
            self.requests.append(request)
            while request.state == "sent" and not self.ends.is_set():
                self.attempt(request)
                if request.state == "sent" and gives_up and request.attempts > 0:
                    request.state = "abandoned"

    def attempt(self, request):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=30)
        try:
            connection.connect()
            request.attempts += 1
            connection.request("POST", request.path, request.body, {"content-type": "application/json"})
            response = connection.getresponse()
            body = response.read()
            if response.status == 200:
                if json.loads(body or b"{}").get("partialSuccess"):
                    self.problems.append(f"partial success: {body!r}")
                request.state = "acknowledged"
            elif response.status not in (429, 503):
                self.problems.append(f"status {response.status}: {body[:200]!r}")
                request.state = "abandoned"
            else:
                time.sleep(0.05)
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)
        finally:
            connection.close()


def stored_indexes(server, request):
    """The `index` attributes of the rows that are stored of a request, in order."""
    if request.kind == "spans":
        try:
            rows = server.all("/traces/" + request.trace_id, "spans", limit=1000)
        except HTTPError as error:
            if error.code == 404:
                return []
            raise
    else:
        rows = server.all("/logs", "logs", trace_id=request.trace_id, limit=1000)
    found = []
    for row in rows:
        found += [int(attribute["value"]["intValue"]) for attribute in row["attributes"] if attribute["key"] == "index"]
    return sorted(found)


def verify(checks, server, requests, when):
    complete = list(range(ROWS))
    for request in requests:
        if request.kind == "increment":
            continue
        found = stored_indexes(server, request)
        if request.state == "acknowledged":
            checks.true(f"{when}: {request.kind} {request.trace_id} is complete, once", found == complete, f"after {request.attempts} attempts: {found}")
        else:
            checks.true(f"{when}: unacknowledged {request.kind} {request.trace_id} is whole or absent", found in ([], complete), found)


def verify_counters(checks, server, clients, when):
    """No acknowledged increment is missing, and none is counted twice: the sum has no room for either."""
    series = server.all("/series", "series", name="crash_increments_total")
    sums = {row["labels"]["client"]: row["last"]["value"] for row in series}
    for client in clients:
        increments = [request for request in client.requests if request.kind == "increment"]
        acknowledged = sum(request.state == "acknowledged" for request in increments)
        total = sums.get(str(client.index), 0)
        checks.true(f"{when}: sum of counter {client.index}", acknowledged <= total <= len(increments), f"{total} is not in {acknowledged}...{len(increments)}")


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    seed = int(os.environ.get("ORIEL_CRASH_SEED", time.time_ns() % 1_000_000))
    print(f"crash test: {rounds} kills, seed {seed} (set ORIEL_CRASH_SEED to repeat)")
    generator = random.Random(seed)
    checks = Checks("kill -9 under load")
    server = Server(sys.argv[1]).start()
    stop = threading.Event()
    clients = [Client(index, server, generator.getrandbits(64), stop) for index in range(CLIENTS)]
    for client in clients:
        client.start()
    for number in range(1, rounds + 1):
        time.sleep(generator.uniform(0.05, 0.8))
        server.kill()
        server.start()
        if number % 100 == 0:
            print(f"{number} kills", flush=True)
    time.sleep(1)
    stop.set()
    for client in clients:
        client.join(60)
        checks.equal("answers that no client should see", client.problems, [])
    requests = [request for client in clients for request in client.requests]
    acknowledged = sum(request.state == "acknowledged" for request in requests)
    retried = sum(request.attempts > 1 for request in requests)
    print(f"{len(requests)} requests of up to {ROWS} rows, {acknowledged} acknowledged, {retried} sent more than once")
    checks.true("there was load in every round", acknowledged >= rounds, acknowledged)
    verify(checks, server, requests, "after the last kill")
    verify_counters(checks, server, clients, "after the last kill")
    server.kill()
    server.start()
    verify(checks, server, generator.sample(requests, min(len(requests), 200)), "after one more kill")
    checks.equal("exit code after SIGTERM", server.stop(), 0)
    server.start()
    verify(checks, server, generator.sample(requests, min(len(requests), 200)), "after a clean restart")
    verify_counters(checks, server, clients, "after a clean restart")
    server.stop()
    if checks.failed:
        print(server.log_tail())
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
