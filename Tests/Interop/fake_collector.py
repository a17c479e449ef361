"""An OTLP receiver over HTTP that behaves as told: fast, slow, silent, busy, choosy, or gone. It counts what it has taken."""

import re
import select
import socket
import threading
import time
import zlib

# `ExportLogsPartialSuccess` and its siblings: field 1 of the answer, in it field 1, how many items were rejected.
REJECTED = 2
PARTIAL = bytes([0x0A, 0x02, 0x08, REJECTED])
# What one record of the emitter holds exactly once.
MARKS = {"/v1/logs": b"torture item ", "/v1/traces": b"torture step"}


class FakeCollector:
    """Its behaviour can be changed at any time.

    fast      answers at once
    slow      reads in small pieces and takes a third of a second for each answer
    silent    takes requests and never answers
    busy      answers 503 and asks for a second of peace
    choosy    takes requests but for two items of each
    gone      does not listen, and has closed all connections
    """

    def __init__(self):
        self.mode = "fast"
        self.lock = threading.Lock()
        self.received = dict.fromkeys(MARKS, 0)
        self.rejected = dict.fromkeys(MARKS, 0)
        self.requests = 0
        self.bytes = 0
        self.connections = 0
        self.problems = []
        self.ended = False
        self.listener = None
        self.port = 0
        self.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(16)
        self.port = listener.getsockname()[1]
        self.listener = listener

    def accept(self):
        while not self.ended:
            if self.mode == "gone":
                if self.listener:
                    self.listener.close()
                    self.listener = None
                time.sleep(0.01)
                continue
            if not self.listener:
                self.listen()
            if not select.select([self.listener], [], [], 0.02)[0]:
                continue
            connection, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        with connection:
            buffer = b""
            while True:
                request = self.read(connection, buffer)
                if request is None:
                    return
                path, body, is_compressed, buffer = request
                if not self.answer(connection, path, zlib.decompress(body, 31) if is_compressed else body):
                    return

    def receive(self, connection):
        """Some bytes; None at the end of the connection, or of the collector."""
        while self.mode != "gone" and not self.ended:
            if not select.select([connection], [], [], 0.02)[0]:
                continue
            try:
                if self.mode == "slow":
                    time.sleep(0.005)
                    return connection.recv(16 << 10) or None
                return connection.recv(256 << 10) or None
            except OSError:
                return None
        return None

    def read(self, connection, buffer):
        while b"\r\n\r\n" not in buffer:
            more = self.receive(connection)
            if more is None:
                return None
            buffer += more
        head, _, rest = buffer.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
        parts = [rest]
        missing = length - len(rest)
        while missing > 0:
            more = self.receive(connection)
            if more is None:
                return None
            parts.append(more)
            missing -= len(more)
        content = b"".join(parts)
        is_compressed = re.search(rb"(?i)\r\ncontent-encoding: *gzip", head) is not None
        return head.split(b" ", 2)[1].decode(), content[:length], is_compressed, content[length:]

    def answer(self, connection, path, body):
        """Whether the connection is to be kept. What is counted as taken has been answered."""
        mode = self.mode
        if mode == "slow":
            time.sleep(0.3)
        if mode == "silent":
            while self.mode == mode and not self.ended:
                time.sleep(0.02)
            return False
        if mode == "gone":
            return False
        if mode == "busy":
            connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n")
            return True
        message = b""
        with self.lock:
            self.requests += 1
            self.bytes += len(body)
            if path in MARKS:
                count = body.count(MARKS[path])
                rejected = min(REJECTED, count) if mode == "choosy" else 0
                if rejected == REJECTED:
                    message = PARTIAL
                else:
                    rejected = 0
                self.received[path] += count - rejected
                self.rejected[path] += rejected
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: {len(message)}\r\n\r\n"
        try:
            connection.sendall(head.encode() + message)
        except OSError as error:
            self.problems.append(f"an answer was not taken: {error}")
        return True

    def close(self):
        self.ended = True
