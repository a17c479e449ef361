"""Functions whose sandboxes are frozen as soon as an invocation has returned, and killed while they are: what each invocation made is in the daemon.

Usage: sandboxes.py PATH_TO_ORIEL FOLDER_OF_PROGRAMS [INVOCATIONS]

Several functions' platforms work at the same time, each with one sandbox. A sandbox stops itself with SIGSTOP right after an invocation has returned; the platform later lets
it go on for the next one, or kills it. Now and then the daemon is killed while all sandboxes are frozen, so that their connections are dead when they thaw.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time

from oriel import Checks, Server

PLATFORMS = 6


class Sandbox:
    def __init__(self, programs, server, number):
        environment = dict(
            os.environ, OTEL_EXPORTER_OTLP_ENDPOINT=server.url, OTEL_LOGS_EXPORTER="otlp", AWS_LAMBDA_FUNCTION_NAME="sandbox", AWS_REGION="eu-west-1",
            AWS_LAMBDA_LOG_STREAM_NAME=f"2025/01/01/[$LATEST]{number:032x}")
        self.process = subprocess.Popen(
            [os.path.join(programs, "FunctionSandbox")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, bufsize=1)
        self.is_frozen = False

    def invoke(self, identifier, traceparent):
        """The sandbox is frozen when this returns. Returns how it went and how long it took."""
        self.process.stdin.write(f"{identifier} {traceparent}\n")
        begin = time.monotonic()
        if self.is_frozen:
            self.process.send_signal(signal.SIGCONT)
        answer = self.process.stdout.readline().split()
        duration = time.monotonic() - begin
        if answer[:2] != ["done", identifier]:
            raise SystemExit(f"the sandbox answered {answer} to {identifier}")
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            raise SystemExit(f"the sandbox ended by itself: {status}")
        self.is_frozen = True
        return answer[2], duration

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Platform(threading.Thread):
    """Invokes a function again and again."""

    sandboxes = 0
    lock = threading.Lock()

    def __init__(self, programs, server, seed, invocations, gate):
        super().__init__(daemon=True)
        self.programs = programs
        self.server = server
        self.generator = random.Random(seed)
        self.identifiers = [self.trace() for _ in range(invocations)]
        self.gate = gate
        # Invocations whose telemetry had to wait for the next one.
        self.late = []
        self.durations = []
        self.error = None

    def run(self):
        try:
            self.work()
        except BaseException as error:
            self.error = error

    def work(self):
        sandbox = None
        state = None
        number = 0
        while number < len(self.identifiers) or state == "late":
            # What is late is promised for the next invocation of the same sandbox, so that this one is let live, and invoked again at the end.
            if number == len(self.identifiers):
                self.identifiers.append(self.trace())
            trace = self.identifiers[number]
            number += 1
            with self.gate:
                if not sandbox:
                    sandbox = Sandbox(self.programs, self.server, self.next_sandbox())
                state, duration = sandbox.invoke(trace, f"00-{trace}-{self.generator.getrandbits(64) | 1:016x}-01")
            self.durations.append(duration)
            if state == "late":
                self.late.append(trace)
            elif self.generator.random() < 0.15:
                # At once, or when it has been frozen for a while.
                time.sleep(self.generator.choice([0, 0, self.generator.uniform(0, 0.3)]))
                sandbox.kill()
                sandbox = None
            if self.generator.random() < 0.1:
                time.sleep(self.generator.uniform(0, 0.5))
        if sandbox:
            sandbox.kill()

    def trace(self):
        return format(self.generator.getrandbits(128) | 1, "032x")

    @classmethod
    def next_sandbox(cls):
        with cls.lock:
            cls.sandboxes += 1
            return cls.sandboxes


class Gate:
    """Many invocations at the same time, or a moment without any."""

    def __init__(self):
        self.condition = threading.Condition()
        self.inside = 0
        self.is_closed = False

    def __enter__(self):
        with self.condition:
            self.condition.wait_for(lambda: not self.is_closed)
            self.inside += 1

    def __exit__(self, *error):
        with self.condition:
            self.inside -= 1
            self.condition.notify_all()

    def close(self):
        with self.condition:
            self.is_closed = True
            self.condition.wait_for(lambda: self.inside == 0)

    def open(self):
        with self.condition:
            self.is_closed = False
            self.condition.notify_all()


def total(server, name, field="value"):
    return sum(int(row["last"][field]) for row in server.all("/series", "series", name=name))


def verify(checks, server, traces):
    wrong = {"spans": [], "logs": []}
    for trace in traces:
        answer = server.get("/traces/" + trace, limit=100)
        names = sorted(row["name"] for row in answer["spans"])
        if names != ["sandbox", "step"]:
            wrong["spans"].append((trace, names))
        bodies = [row["body"]["stringValue"] for row in answer["logs"]]
        if bodies != [f"invocation {trace}"]:
            wrong["logs"].append((trace, bodies))
    for name, list_of_wrong in wrong.items():
        checks.equal(f"the {name} of each invocation are there, once", list_of_wrong, [])


def main():
    oriel, programs = sys.argv[1:3]
    invocations = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    seed = int(os.environ.get("ORIEL_CLIENT_SEED", time.time_ns() % 1_000_000))
    print(f"{invocations} invocations on {PLATFORMS} platforms, seed {seed} (set ORIEL_CLIENT_SEED to repeat)")
    generator = random.Random(seed)
    checks = Checks("frozen functions", tells_all=True)
    server = Server(oriel).start()
    gate = Gate()
    shares = [invocations // PLATFORMS + (index < invocations % PLATFORMS) for index in range(PLATFORMS)]
    platforms = [Platform(programs, server, generator.getrandbits(64), share, gate) for share in shares]
    for platform in platforms:
        platform.start()
    kills = 0
    while any(platform.is_alive() for platform in platforms):
        time.sleep(generator.uniform(0.5, 3))
        gate.close()
        server.kill()
        server.start()
        kills += 1
        gate.open()
    for platform in platforms:
        platform.join()
    checks.equal("errors of the platforms", [str(platform.error) for platform in platforms if platform.error], [])
    durations = sorted(duration for platform in platforms for duration in platform.durations)
    late = [trace for platform in platforms for trace in platform.late]
    print(
        f"  {Platform.sandboxes} sandboxes; the daemon was killed {kills} times; an invocation took {durations[len(durations) // 2] * 1000:.1f} ms in the middle,"
        f" {durations[-1] * 1000:.0f} ms at most; late: {len(late)}", flush=True)
    traces = [trace for platform in platforms for trace in platform.identifiers]
    invocations = len(traces)
    verify(checks, server, traces)
    checks.equal("the counters of all sandboxes add up", total(server, "sandbox_increments_total"), invocations)
    checks.equal("and are one series", len(server.all("/series", "series", name="sandbox_increments_total")), 1)
    checks.equal("so do invocations", total(server, "faas_invocations_total"), invocations)
    checks.equal("and cold starts", total(server, "faas_coldstarts_total"), Platform.sandboxes)
    checks.equal("and the histogram of durations", total(server, "faas_invoke_duration_seconds_count"), invocations)
    checks.equal("exit code after SIGTERM", server.stop(), 0)
    if checks.failed:
        print(server.log_tail(40))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
