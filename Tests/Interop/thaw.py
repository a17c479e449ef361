"""A function whose sandbox is frozen while it sends: what was under way neither holds up the next invocation nor is lost.

Usage: thaw.py PATH_TO_ORIEL FOLDER_OF_PROGRAMS

Between the sandbox and the daemon stands a sluice. While it is shut, requests go in and no answer comes out.
"""

import os
import signal
import socket
import sys
import threading
import time
import urllib.parse

from oriel import Checks, Server
from sandboxes import Sandbox, total, verify


class Sluice:
    """Passes connections on to an address, unless it is shut."""

    def __init__(self, url):
        self.target = urllib.parse.urlsplit(url)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.is_open = threading.Event()
        self.is_open.set()
        # Set when something has come while it was shut.
        self.is_met = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            server = socket.create_connection((self.target.hostname, self.target.port))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    def copy(self, source, sink):
        try:
            while data := source.recv(65536):
                if not self.is_open.is_set():
                    self.is_met.set()
                    self.is_open.wait()
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def shut(self):
        self.is_met.clear()
        self.is_open.clear()


def main():
    oriel, programs = sys.argv[1:3]
    checks = Checks("frozen while it sends", tells_all=True)
    server = Server(oriel).start()
    sluice = Sluice(server.url)
    sandbox = Sandbox(programs, sluice, 1)
    traces = [f"{number:032x}" for number in range(1, 16)]

    def invoke(trace):
        return sandbox.invoke(trace, f"00-{trace}-00000000000000a1-01")[0]

    states = []
    for position, trace in enumerate(traces):
        if position % 3 != 1:
            states.append(invoke(trace))
            continue
        # Stopped from outside, in the middle of a request, for longer than its deadline.
        sluice.shut()
        answer = threading.Thread(target=lambda: states.append(invoke(trace)))
        answer.start()
        if not sluice.is_met.wait(20):
            raise SystemExit("no request came")
        sandbox.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        sluice.is_open.set()
        sandbox.process.send_signal(signal.SIGCONT)
        answer.join()
    # On a busy machine some are late for other reasons.
    in_time = [state for position, state in enumerate(states) if position % 3 != 1].count("in-time")
    checks.equal("the next invocations are in time, most of them", in_time > 5, True)
    verify(checks, server, traces)
    checks.equal("the counter adds up", total(server, "sandbox_increments_total"), len(traces))
    sandbox.kill()
    checks.equal("exit code after SIGTERM", server.stop(), 0)
    if checks.failed:
        print(server.log_tail(40))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
