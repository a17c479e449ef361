"""Bytes written by hand, for requests that no client library would send: protobuf, compressed bodies, HTTP/2 frames."""

import gzip
import socket
import struct
import zlib


# Protobuf

def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, content):
    """A length-delimited field; text is sent as UTF-8."""
    if isinstance(content, str):
        content = content.encode()
    return varint(number << 3 | 2) + varint(len(content)) + content


def number_field(number, value):
    return varint(number << 3) + varint(value)


def fixed64(number, value):
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def attribute(key, value):
    return field(1, key) + field(2, field(1, value))


def resource(service):
    return field(1, field(1, attribute("service.name", service)))


def span(trace_id, span_id, name, start, end, attributes=(), parent=b""):
    return (
        field(1, trace_id) + field(2, span_id) + (field(4, parent) if parent else b"") + field(5, name) + number_field(6, 2) + fixed64(7, start)
        + fixed64(8, end) + b"".join(field(9, attribute(key, value)) for key, value in attributes)
    )


def log_record(time, body, attributes=(), trace_id=b""):
    return (
        fixed64(1, time) + number_field(2, 9) + field(5, field(1, body)) + b"".join(field(6, attribute(key, value)) for key, value in attributes)
        + (field(9, trace_id) if trace_id else b"")
    )


def gauge(name, time, value, attributes=()):
    point = fixed64(3, time) + varint(4 << 3 | 1) + struct.pack("<d", value) + b"".join(field(7, attribute(key, text)) for key, text in attributes)
    return field(1, name) + field(5, field(1, point))


def delta_histogram(name, start, time):
    point = (
        fixed64(2, start) + fixed64(3, time) + fixed64(4, 6) + varint(5 << 3 | 1) + struct.pack("<d", 12.5)
        + field(6, struct.pack("<3Q", 1, 2, 3)) + field(7, struct.pack("<2d", 1, 5))
    )
    return field(1, name) + field(9, field(1, point) + number_field(2, 1))


def request(service, rows):
    """An export request of any signal: the three have the same form down to their rows."""
    return field(1, resource(service) + field(2, field(1, field(1, "hostile")) + b"".join(field(2, row) for row in rows)))


def rejected(answer):
    """The number of rejected rows in an export response: the first field of the message in its first field."""
    def number(at):
        value = shift = 0
        while True:
            value |= (answer[at] & 0x7F) << shift
            shift += 7
            at += 1
            if answer[at - 1] < 0x80:
                return value, at
    if answer[:1] != b"\x0a":
        return 0
    _, at = number(1)
    return number(at + 1)[0] if answer[at:at + 1] == b"\x08" else 0


# Compressed bodies

def snappy(data):
    """A snappy block of literals only."""
    out = bytearray(varint(len(data)))
    for start in range(0, len(data), 65536):
        piece = data[start:start + 65536]
        out += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
    return bytes(out)


def zstd(data):
    """A zstd frame of raw blocks, of unknown content size, with a window of 128 KiB."""
    out = bytearray(b"\x28\xb5\x2f\xfd\x00\x38")
    pieces = [data[start:start + 131072] for start in range(0, len(data), 131072)] or [b""]
    for index, piece in enumerate(pieces):
        out += struct.pack("<I", len(piece) << 3 | (index == len(pieces) - 1))[:3] + piece
    return bytes(out)


def zstd_zeros(size):
    """A zstd frame that inflates to `size` zeros: four bytes for each 128 KiB."""
    blocks = size // 131072
    out = bytearray(b"\x28\xb5\x2f\xfd\x00\x38")
    for index in range(blocks):
        out += struct.pack("<I", 131072 << 3 | 1 << 1 | (index == blocks - 1))[:3] + b"\0"
    return bytes(out)


def zlib_zeros(size, window_bits):
    """Pieces of a gzip (31) or zlib (15) stream that inflates to `size` zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        piece = packer.compress(block)
        if piece:
            yield piece
    yield packer.flush()


COMPRESSIONS = {
    "identity": lambda data: data, "gzip": lambda data: gzip.compress(data, 1), "deflate": zlib.compress, "snappy": snappy, "zstd": zstd,
}


# HTTP/2

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1

# The name "grpc-status" in HPACK's Huffman code (RFC 7541, appendix B).
_CODES = {"g": "100110", "r": "101100", "p": "101011", "c": "00100", "-": "010110", "s": "01000", "t": "01001", "a": "00011", "u": "101101"}
_DIGITS = {"00000": "0", "00001": "1", "00010": "2", "011001": "3", "011010": "4", "011011": "5", "011100": "6", "011101": "7", "011110": "8", "011111": "9"}


def _packed(bits):
    bits += "1" * (-len(bits) % 8)
    return bytes(int(bits[index:index + 8], 2) for index in range(0, len(bits), 8))


_GRPC_STATUS = _packed("".join(_CODES[letter] for letter in "grpc-status"))


def grpc_status(block):
    """The status in a header block whose fields are all literal, as they are after a table size of 0; None if there is none."""
    for name in (bytes([0x80 | len(_GRPC_STATUS)]) + _GRPC_STATUS, b"\x0bgrpc-status"):
        at = block.find(name)
        if at < 0:
            continue
        at += len(name)
        length = block[at] & 0x7F
        value = block[at + 1:at + 1 + length]
        if not block[at] & 0x80:
            return int(value)
        bits = "".join(format(byte, "08b") for byte in value)
        text = ""
        while bits:
            for size in (5, 6):
                if bits[:size] in _DIGITS:
                    text += _DIGITS[bits[:size]]
                    bits = bits[size:]
                    break
            else:
                break
        return int(text)
    return None


def literal(name, value):
    """A header field without indexing and without Huffman code."""
    def text(content):
        content = content if isinstance(content, bytes) else content.encode()
        if len(content) < 127:
            return bytes([len(content)]) + content
        return b"\x7f" + varint(len(content) - 127) + content
    return b"\0" + text(name) + text(value)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class HTTP2:
    """One HTTP/2 connection, frame by frame."""

    def __init__(self, port, timeout=30, settings=()):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.stream = 1
        # No dynamic table, large windows.
        pairs = {1: 0, 4: (1 << 31) - 1, **dict(settings)}
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs.items())))
        self.window = 65535
        self.initial_window = 65535
        self.frame_size = 16384
        # The server's own settings come first.
        while self.read()[0] != SETTINGS:
            pass

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _take(self, count):
        while len(self.buffer) < count:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("closed by the server")
            self.buffer += data
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def read(self):
        """The next frame as (kind, flags, stream, payload); settings and pings are answered."""
        head = self._take(9)
        payload = self._take(int.from_bytes(head[:3], "big"))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big") & 0x7FFFFFFF
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload) - 5, 6):
                key, value = struct.unpack(">HI", payload[at:at + 6])
                if key == 4:
                    self.initial_window = value
                elif key == 5:
                    self.frame_size = value
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        elif kind == DATA and payload:
            # Else the server may send no more after 64 KiB of answers.
            self.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", len(payload))))
        elif kind == WINDOW_UPDATE and stream == 0:
            self.window += int.from_bytes(payload, "big")
        return kind, flags, stream, payload

    def next_stream(self):
        stream = self.stream
        self.stream += 2
        return stream

    def request_head(self, path, fields=(), method="POST"):
        return b"".join(
            literal(name, value) for name, value in [(":method", method), (":scheme", "http"), (":path", path), (":authority", "localhost"), *fields])

    def grpc(self, path, message, compressed=False, encoding=None, frame_bytes=None):
        """The status of a unary call; "reset" or "goaway" when the server ended it so, raising ConnectionError when it hung up."""
        stream = self.next_stream()
        fields = [("content-type", "application/grpc"), ("te", "trailers")]
        if encoding:
            fields.append(("grpc-encoding", encoding))
        self.send(frame(HEADERS, END_HEADERS, stream, self.request_head(path, fields)))
        body = frame_bytes if frame_bytes is not None else struct.pack(">BI", compressed, len(message)) + message
        window = self.initial_window
        at = 0
        while True:
            count = min(len(body) - at, window, self.window, self.frame_size)
            last = at + count == len(body)
            if count > 0 or last:
                try:
                    self.send(frame(DATA, END_STREAM if last else 0, stream, body[at:at + count]))
                except (BrokenPipeError, ConnectionResetError):
                    # The answer may be there although the server stopped reading.
                    pass
                at += count
                window -= count
                self.window -= count
                if last:
                    break
                continue
            answer, grown = self._answer(stream)
            if answer is not None:
                return answer
            window += grown
        while True:
            answer, _ = self._answer(stream)
            if answer is not None:
                return answer

    def _answer(self, stream):
        kind, flags, at, payload = self.read()
        if kind == GOAWAY:
            return "goaway", 0
        if at != stream:
            return None, 0
        if kind == RST_STREAM:
            return "reset", 0
        if kind == HEADERS and flags & END_STREAM:
            return grpc_status(payload), 0
        if kind == WINDOW_UPDATE:
            return None, int.from_bytes(payload, "big")
        return None, 0


# Randomness of a run

class Mutations:
    """Seeded damage: cut, flipped, overwritten, inserted, repeated, spliced."""

    def __init__(self, generator):
        self.generator = generator

    def damage(self, data, other=b""):
        random = self.generator
        data = bytearray(data)
        for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
            if not data:
                break
            at = random.randrange(len(data))
            choice = random.randrange(8)
            if choice < 3:
                data[at] ^= 1 << random.randrange(8)
            elif choice == 3:
                data[at] = random.choice((0, 0x7F, 0x80, 0xFF, random.randrange(256)))
            elif choice == 4:
                del data[at:]
            elif choice == 5:
                data[at:at] = random.randbytes(random.randrange(1, 12))
            elif choice == 6:
                data[at:at] = data[at:at + random.randrange(1, 64)] * random.choice((1, 2, 50))
            else:
                data[at:] = other[random.randrange(len(other) + 1):]
        return bytes(data)

