"""A program that emits without mercy against collectors that come and go: nothing is lost without being counted, no call waits long, and memory stays within its bound.

Usage: torture.py PATH_TO_ORIEL FOLDER_OF_PROGRAMS [SECONDS]
"""

import json
import os
import subprocess
import sys
import threading
import time

from fake_collector import FakeCollector
from oriel import Checks, Server

THREADS = 8
# Rounds of the emitter in a second and thread when nothing shall be dropped.
QUIET_RATE = 400
BLOCK = 250
TRACE_HIGH = "746f727475726531"


class Emitter:
    """A run of the program; the figures come when it has ended."""

    def __init__(self, programs, endpoint, seconds, **options):
        arguments = [os.path.join(programs, "Emitter"), "--endpoint", endpoint, "--threads", str(THREADS), "--seconds", str(seconds)]
        for name, value in options.items():
            arguments += ["--" + name.replace("_", "-"), str(value)]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.warnings = []
        self.reader = threading.Thread(target=lambda: self.warnings.extend(self.process.stderr), daemon=True)
        self.reader.start()
        assert json.loads(self.process.stdout.readline())["event"] == "begun"

    def finish(self):
        """To be called when the receiver is there for the program's end."""
        self.process.stdin.close()
        text = self.process.stdout.read()
        code = self.process.wait()
        self.reader.join()
        if code != 0:
            raise SystemExit(f"the emitter ended with {code}: {''.join(self.warnings)}")
        return json.loads(text)


def print_figures(report):
    for name in ("logs", "spans", "metricPoints"):
        signal = report[name]
        print(f"  {name}: emitted {signal['emitted']}, delivered {signal['delivered']}, dropped {signal['dropped']}, waiting {signal['waiting']}")
    for name, call in sorted(report["calls"].items()):
        for clock in ("processor", "wall"):
            times = call[clock]
            print(
                f"  {name} calls, {clock} time in ns: mean {times['mean']}, p50 {times['p50']}, p99 {times['p99']}, p99.9 {times['p999']},"
                f" longest {times['longest']}, of {times['count']}")
    locks = report["locks"]
    waits = locks["waits"]
    print(
        f"  waiting calls: {locks['waitingCalls']} of {locks['calls']}, {locks['waitingCallsPerMillion']:.1f} in a million; waits in ns: p50 {waits['p50']},"
        f" p99 {waits['p99']}, longest {waits['longest']}; switches: {locks['voluntarySwitches']} voluntary, {locks['involuntarySwitches']} involuntary")
    memory = report["memory"]
    growth = memory["mostAnonymousBytes"] - memory["anonymousBytesBefore"]
    print(
        f"  memory: bound {memory['queueBytes'] >> 10} KiB, most queued {memory['longestQueuedBytes'] >> 10} KiB, anonymous memory grew by {growth >> 10} KiB"
        f" to {memory['mostAnonymousBytes'] >> 10} KiB, peak of all {memory['peakBytes'] >> 10} KiB")
    print(
        f"  {report['failedRequests']} failed requests; processor time {report['processorSeconds']:.1f} s; flush {report['flushSeconds']:.2f} s,"
        f" shutdown {report['shutdownSeconds']:.2f} s", flush=True)


def check_accounts(checks, report):
    for name in ("logs", "spans"):
        signal = report[name]
        checks.equal(f"{name}: the pipeline counted each call", signal["emitted"], signal["made"])
        accounted = signal["delivered"] + sum(signal["dropped"].values()) + signal["waiting"]
        checks.equal(f"{name}: emitted is delivered, dropped and waiting", accounted, signal["emitted"])
        checks.equal(f"{name}: nothing waits after the end", signal["waiting"], 0)
    checks.true("lines after the end are counted as dropped", report["logs"]["dropped"].get("shutdown", 0) >= 10, report["logs"]["dropped"])
    memory = report["memory"]
    checks.true("memory stays under the bound", memory["longestQueuedBytes"] <= memory["queueBytes"], memory)
    # Beside the queues there are a request in the making, one that is being sent and its compressed form, some spare memory, threads' stacks and the figures themselves.
    growth = memory["mostAnonymousBytes"] - memory["anonymousBytesBefore"]
    checks.true("the process grows by little more", growth <= memory["queueBytes"] + (12 << 20), memory)


def check_fake(checks, programs, seconds):
    """Flat out, through all that a collector can do."""
    collector = FakeCollector()
    emitter = Emitter(programs, collector.url, seconds)
    begin = time.monotonic()
    for until, mode in [
        (0.15, "fast"), (0.35, "slow"), (0.40, "busy"), (0.45, "choosy"), (0.55, "silent"), (0.75, "gone"), (1, "fast")
    ]:
        collector.mode = mode
        time.sleep(max(0, begin + until * seconds - time.monotonic()))
    report = emitter.finish()
    print(f"{THREADS} threads for {seconds} s against a collector that is fast, slow, busy, choosy, silent, gone, and back:")
    print_figures(report)
    print(f"  the collector took {collector.requests} requests, {collector.bytes >> 20} MiB, over {collector.connections} connections")
    check_accounts(checks, report)
    for name, path in (("logs", "/v1/logs"), ("spans", "/v1/traces")):
        checks.equal(f"{name}: the collector took what counts as delivered", collector.received[path], report[name]["delivered"])
        checks.equal(f"{name}: the collector rejected what counts as rejected", collector.rejected[path], report[name]["dropped"].get("rejected", 0))
    checks.equal("the collector's problems", collector.problems, [])
    # A collector's answer takes a third of a second when it is slow: a call that waited for one would show.
    checks.true("no call waits as long as a request takes", report["locks"]["waits"]["longest"] < 250_000_000, report["locks"])
    collector.close()


def check_headroom(checks, programs, seconds):
    """At a rate that a service could have nothing is dropped while the collector is well."""
    collector = FakeCollector()
    report = Emitter(programs, collector.url, seconds, rate=QUIET_RATE * 2).finish()
    print(f"{THREADS} threads for {seconds} s, {QUIET_RATE * 2} rounds a second each, against a fast collector:")
    print_figures(report)
    check_accounts(checks, report)
    for name, late in (("logs", 10), ("spans", 0)):
        checks.equal(f"{name}: nothing is dropped", report[name]["delivered"] + late, report[name]["made"])
    collector.close()


def check_daemon(checks, oriel, programs, seconds):
    """Against a real daemon that is killed in between: what was delivered is there, once."""
    server = Server(oriel).start()
    emitter = Emitter(programs, server.url, seconds, rate=QUIET_RATE)
    for pause in (0.3, 0.2, 0.1):
        time.sleep(pause * seconds)
        server.kill()
        time.sleep(0.1 * seconds / 3)
        server.start()
    report = emitter.finish()
    print(f"{THREADS} threads for {seconds} s, {QUIET_RATE} rounds a second each, against a daemon that is killed three times:")
    print_figures(report)
    check_accounts(checks, report)
    dropped = {name: sum(report[name]["dropped"].values()) - late for name, late in (("logs", 10), ("spans", 0))}
    checks.equal("nothing is dropped", dropped, {"logs": 0, "spans": 0})
    found = {"logs": 0, "spans": 0}
    wrong = []
    for thread, rounds in enumerate(report["rounds"]):
        for block in range((rounds + BLOCK - 1) // BLOCK):
            trace = f"{TRACE_HIGH}{(thread + 1) << 48 | block:016x}"
            expected = list(range(block * BLOCK, min((block + 1) * BLOCK, rounds)))
            answer = server.get("/traces/" + trace, limit=10000)
            for name in found:
                items = sorted(
                    int(attribute["value"]["intValue"]) for row in answer[name] for attribute in row["attributes"] if attribute["key"] == "item")
                found[name] += len(items)
                if items != expected:
                    wrong.append((trace, name, len(items), len(expected)))
    checks.equal("each span and each log line is in the daemon, once", wrong, [])
    checks.equal("logs: the daemon has what counts as delivered", found["logs"], report["logs"]["delivered"])
    checks.equal("spans: the daemon has what counts as delivered", found["spans"], report["spans"]["delivered"])
    series = server.all("/series", "series", name="torture_calls_total")
    sums = sorted(int(row["last"]["value"]) for row in series)
    checks.equal("the daemon's counters are the program's", sums, sorted(report["rounds"]))
    counts = [row["last"]["value"] for row in server.all("/series", "series", name="torture_step_seconds_count")]
    checks.equal("the daemon's histogram has counted each call", sum(counts), sum(report["rounds"]))
    checks.equal("exit code after SIGTERM", server.stop(), 0)
    if checks.failed:
        print(server.log_tail(40))


def main():
    oriel, programs = sys.argv[1:3]
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 8.0
    checks = Checks("torture", tells_all=True)
    checks.group("a fake collector", check_fake, checks, programs, seconds)
    checks.group("a fast collector", check_headroom, checks, programs, min(seconds, 10))
    checks.group("a real daemon", check_daemon, checks, oriel, programs, seconds)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
