"""What the scripts of this folder share: a server of their own, questions to its API, and counted checks."""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """`oriel serve` with a data folder and ports that stay the same over restarts."""

    def __init__(self, binary, folder=None):
        self.binary = binary
        self.folder = folder or tempfile.mkdtemp(prefix="oriel-interop-")
        if not folder:
            atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.grpc_port = free_port()
        self.http_port = free_port()
        self.process = None
        self.log_path = os.path.join(self.folder, "serve.log")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    def start(self, timeout=180):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [
                    self.binary, "serve", "--data", os.path.join(self.folder, "data"),
                    "--listen", f"tcp://127.0.0.1:{self.grpc_port}", "--listen", f"tcp://127.0.0.1:{self.http_port}",
                ],
                stdout=log, stderr=log,
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url + "/-/ready", timeout=5) as response:
                    if response.status == 200:
                        return self
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            time.sleep(0.02)
        raise SystemExit(f"oriel serve is not ready (exit code {self.process.poll()}). Its log:\n{self.log_tail()}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Asks the server to end and returns its exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def log_tail(self, lines=400):
        with open(self.log_path, errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def get(self, path, **parameters):
        """The JSON answer of the API; parameters with a list are repeated."""
        url = self.url + "/api/oriel/v1" + path
        if parameters:
            url += "?" + urllib.parse.urlencode(parameters, doseq=True)
        with urllib.request.urlopen(url, timeout=60) as response:
            return json.load(response)

    def all(self, path, key, **parameters):
        """The rows of all pages."""
        rows = []
        cursor = None
        while True:
            if cursor:
                parameters["cursor"] = cursor
            answer = self.get(path, **parameters)
            rows += answer[key]
            cursor = answer["next"]
            if not cursor:
                return rows

    def post(self, path, body, content_type="application/json", headers=None):
        """Status and body of a request, whatever the status is."""
        request = urllib.request.Request(self.url + path, data=body, method="POST", headers={"content-type": content_type, **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


class Checks:
    """Counts what was as expected and tells what was not."""

    def __init__(self, title, tells_all=False):
        self.title = title
        self.tells_all = tells_all
        self.passed = 0
        self.failed = 0

    def equal(self, what, got, expected):
        if got == expected and type(got) == type(expected):
            self.pass_(what)
        else:
            self.failed += 1
            print(f"FAILED {self.title}: {what}\n  expected {expected!r}\n  got      {got!r}")

    def true(self, what, condition, detail=""):
        if condition:
            self.pass_(what)
        else:
            self.failed += 1
            print(f"FAILED {self.title}: {what} {detail}")
        return bool(condition)

    def pass_(self, what):
        self.passed += 1
        if self.tells_all:
            print(f"ok {self.title}: {what}", flush=True)

    def group(self, what, body, *arguments):
        """Runs checks; an exception is one failure and does not end the others."""
        try:
            body(*arguments)
        except Exception:
            self.failed += 1
            print(f"FAILED {self.title}: {what} ended early")
            traceback.print_exc(file=sys.stdout)

    def finish(self):
        print(f"{self.title}: {self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def plain(value):
    """An OTLP/JSON `AnyValue` as a Python value of the same type."""
    if not value:
        return None
    (kind, content), = value.items()
    if kind == "intValue":
        return int(content)
    if kind == "doubleValue":
        return float(content)
    if kind == "bytesValue":
        import base64
        return base64.b64decode(content)
    if kind == "arrayValue":
        return [plain(element) for element in content.get("values", [])]
    if kind == "kvlistValue":
        return attributes(content.get("values", []))
    return content


def attributes(list_of_attributes):
    return {attribute["key"]: plain(attribute["value"]) for attribute in list_of_attributes}
