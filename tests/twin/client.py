"""client.py: RESP2 and RESP3 over a plain socket, pipelined, written apart from the product's parser.

A test must not trust the parser it tests, nor a client library that hides what was on the wire. So
this is a second, independent reading of the protocol, small enough to be checked by eye.

  op        a tuple of words: ("LIKE", 7, 9) or ("ITEM", "SET", 9, "CREATOR", 7)
  value     what came back: int, str, None, list, dict (RESP3 maps), Error

Errors are values, not exceptions: a refusal is an answer like any other. Exceptions are for broken
connections (Gone) and for bytes that are no RESP (Garbled).
"""
import socket
import time


class Error:
    """-CODE text. Two errors are equal if their codes are; the text is for people."""
    __slots__ = ("code", "text")

    def __init__(self, code, text=""):
        self.code = code
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Error) and other.code == self.code

    def __hash__(self):
        return hash(self.code)

    def __repr__(self):
        return "Error(%s%s)" % (self.code, " " + self.text if self.text else "")


class Gone(Exception):
    """The connection ended before the answer came."""


class Garbled(Exception):
    """What came is not RESP."""


def encode(op):
    """One command as an array of bulk strings."""
    parts = ["*%d\r\n" % len(op)]
    for word in op:
        if isinstance(word, bytes):
            word = word.decode("latin-1")
        text = str(word)
        parts.append("$%d\r\n%s\r\n" % (len(text), text))
    return "".join(parts).encode("latin-1")


class Reader:
    """Replies out of a stream of bytes. feed() bytes, then take() as many values as are whole."""

    def __init__(self):
        self.buffer = b""
        self.at = 0

    def feed(self, data):
        self.buffer = self.buffer[self.at:] + data
        self.at = 0

    def take(self, most):
        """Up to `most` whole values. What is not whole stays for the next feed."""
        values = []
        while len(values) < most:
            start = self.at
            value = self._value()
            if value is _AGAIN:
                self.at = start
                break
            values.append(value)
        return values

    def _line(self):
        end = self.buffer.find(b"\r\n", self.at)
        if end < 0:
            return None
        line = self.buffer[self.at:end]
        self.at = end + 2
        return line

    def _value(self):
        line = self._line()
        if line is None:
            return _AGAIN
        if not line:
            raise Garbled("empty line")
        kind, rest = line[0], line[1:]
        if kind == 58:  # :
            return _integer(rest)
        if kind == 43:  # +
            return rest.decode("latin-1")
        if kind == 45:  # -
            code, _, text = rest.decode("latin-1").partition(" ")
            return Error(code, text)
        if kind == 36 or kind == 61:  # $ bulk, = verbatim
            return self._bulk(_integer(rest))
        if kind == 42 or kind == 126 or kind == 62:  # * array, ~ set, > push
            return self._many(_integer(rest))
        if kind == 37:  # %
            flat = self._many(2 * _integer(rest))
            if flat is _AGAIN:
                return _AGAIN
            pairs = dict(zip(flat[::2], flat[1::2]))
            if len(pairs) * 2 != len(flat):
                raise Garbled("a key stands twice in a map: %r" % (flat,))
            return pairs
        if kind == 95:  # _
            return None
        if kind == 35:  # #
            return rest == b"t"
        if kind == 44:  # ,
            return float(rest)
        raise Garbled("unknown type %r" % line[:40])

    def _bulk(self, size):
        if size < 0:
            return None
        if len(self.buffer) < self.at + size + 2:
            return _AGAIN
        data = self.buffer[self.at:self.at + size]
        if self.buffer[self.at + size:self.at + size + 2] != b"\r\n":
            raise Garbled("a bulk string does not end where it said")
        self.at += size + 2
        return data.decode("latin-1")

    def _many(self, count):
        if count < 0:
            return None
        values = []
        for _ in range(count):
            value = self._value()
            if value is _AGAIN:
                return _AGAIN
            values.append(value)
        return values


_AGAIN = object()


def _integer(text):
    try:
        return int(text)
    except ValueError:
        raise Garbled("not an integer: %r" % text[:40])


class Client:
    """One connection. call() asks and waits; send() and receive() are for pipelines."""

    def __init__(self, port, resp=2, timeout=30.0, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader()
        self.resp = resp
        self.waiting = []
        if resp == 3:
            hello = self.call("HELLO", 3)
            if not isinstance(hello, dict):
                raise Garbled("HELLO 3 answered %r" % (hello,))

    def send(self, *ops):
        self.send_bytes(b"".join(encode(op) for op in ops))

    def send_bytes(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Gone(str(error))

    def receive(self, count):
        """The next count answers; Gone carries what had come until then in .partial."""
        values = []
        while True:
            try:
                got = self.waiting or self.reader.take(count - len(values))
                self.waiting = []
                values += got
                if len(values) >= count:
                    return values
                data = self.socket.recv(1 << 18)
            except OSError as error:
                gone = Gone(str(error))
                gone.partial = values
                raise gone
            if not data:
                gone = Gone("closed by the server")
                gone.partial = values
                raise gone
            self.reader.feed(data)

    def call(self, *op):
        self.send(op)
        return self.receive(1)[0]

    def many(self, ops, window=500):
        """Answers to all ops, pipelined in windows, so that neither side's buffers fill up."""
        values = []
        for start in range(0, len(ops), window):
            part = ops[start:start + window]
            self.send(*part)
            values += self.receive(len(part))
        return values

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def connect(port, resp=2, patience=30.0, alive=None, timeout=30.0):
    """A client, as soon as the server answers PING. alive() false ends the waiting at once."""
    end = time.monotonic() + patience
    while True:
        try:
            client = Client(port, resp=resp, timeout=timeout)
            if client.call("PING") == "PONG":
                return client
            client.close()
        except (OSError, Gone):
            pass
        if alive is not None and not alive():
            raise Gone("the server ended before it was ready")
        if time.monotonic() > end:
            raise Gone("no answer on port %d within %.0f s" % (port, patience))
        time.sleep(0.005)


def as_map(value):
    """RESP2 sends a map as a flat array. The same map, whichever version it came in."""
    if isinstance(value, list) and len(value) % 2 == 0:
        return dict(zip(value[::2], value[1::2]))
    return value
