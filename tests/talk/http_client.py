"""http_client.py: speaks HTTP to Zan byte by byte, and holds every answer against /openapi.json.

A library would hide what the corpus is about (how a connection ends, what comes twice), so this reads
answers itself: strictly, because a lenient reader would call a wrong server right.
"""
import json
import os
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "twin"))
import server as twin_server  # noqa: E402

CLOSED = "closed"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The problem's code; "" when the HTTP library answered in its own words."""
        if self.headers.get("content-type") != "application/problem+json":
            return ""
        return self.json["code"]

    def __repr__(self):
        return "%d %s %r" % (self.status, self.headers, self.body[:300])


class Connection:
    def __init__(self, port, timeout=30.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def send(self, data):
        """False if the server would not take it all (it has answered and closed)."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def done_sending(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.rest += data
        return data != b""

    def answer(self, head=False):
        """The next answer, or None if the connection ended before one."""
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                assert self.rest == b"", "half an answer: %r" % self.rest[:200]
                return None
        top, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = top.decode("ascii").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), lines[0]
        status, headers = int(status), {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            assert name.lower() not in headers, "%s twice" % name
            headers[name.lower()] = value
        if status == 100:
            return self.answer(head)
        assert "transfer-encoding" not in headers, headers
        size = 0 if head or status == 204 else int(headers["content-length"])
        while len(self.rest) < size:
            assert self._more(), "the connection ended within a body"
        body, self.rest = self.rest[:size], self.rest[size:]
        return Answer(status, headers, body)

    def is_closed(self, wait=2.0):
        """True if the server ends the connection; False if nothing happens for a while."""
        self.socket.settimeout(wait)
        try:
            return self.socket.recv(1) == b""
        except (socket.timeout, TimeoutError):
            return False
        except ConnectionResetError:
            return True
        finally:
            self.socket.settimeout(30.0)

    def close(self):
        self.socket.close()


def request(method, path, body=None, headers=None, host="localhost"):
    head = {"Host": host, **(headers or {})}
    data = b""
    if body is not None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head.setdefault("Content-Type", "application/json")
        head["Content-Length"] = str(len(data))
    lines = ["%s %s HTTP/1.1" % (method, path)] + ["%s: %s" % pair for pair in head.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + data


class Door:
    """Asks, and checks every answer against the document the server gives of itself."""

    def __init__(self, port, key=None):
        self.port, self.key = port, key
        self.connection = Connection(port)
        self.document = None
        self.seen = set()
        self.document = self.ask("GET", "/openapi.json").json

    def raw(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if self.key:
            headers.setdefault("Authorization", "Bearer " + self.key)
        self.connection.send(request(method, path, body, headers))
        answer = self.connection.answer(head=method == "HEAD")
        assert answer is not None, "%s %s: the connection ended" % (method, path)
        if answer.headers.get("connection") == "close":
            self.connection.close()
            self.connection = Connection(self.port)
        return answer

    def ask(self, method, path, body=None, headers=None, status=200):
        answer = self.raw(method, path, body, headers)
        assert answer.status == status, "%s %s: %r" % (method, path, answer)
        for name, value in (("cache-control", "no-store"), ("x-content-type-options", "nosniff")):
            assert answer.headers.get(name) == value, answer
        assert len(answer.headers["x-request-id"]) == 16
        if self.document and method in ("GET", "PUT", "POST", "DELETE"):
            self.check(method, path.split("?")[0], answer)
        return answer

    def operation(self, method, path):
        parts = path.split("/")
        for form, operations in self.document["paths"].items():
            words = form.split("/")
            if len(words) == len(parts) and method.lower() in operations and all(
                    a == b or a.startswith("{") for a, b in zip(words, parts)):
                return operations[method.lower()]
        return None

    def check(self, method, path, answer):
        operation = self.operation(method, path)
        if operation is None:
            assert answer.status in (404, 405), answer
            return
        responses = operation["responses"]
        chosen = responses.get(str(answer.status), responses["default"])
        if "$ref" in chosen:
            chosen = self.document["components"]["responses"][chosen["$ref"].split("/")[-1]]
        kind = answer.headers["content-type"].split(";")[0]
        assert kind in chosen["content"], "%s %s: %s" % (method, path, kind)
        self.seen.add(operation["operationId"])
        if kind.endswith("json"):
            validate(self.document, chosen["content"][kind]["schema"], answer.json)


def validate(document, schema, value):
    """Against JSON Schema, and more strictly: a member the document does not name is an error."""
    try:
        import jsonschema
    except ImportError:
        twin_server.skip("python3-jsonschema is not installed")
    schemas = json.loads(json.dumps(document["components"]["schemas"]))
    for one in schemas.values():
        if one.get("type") == "object":
            one["additionalProperties"] = False
    whole = dict(schema, components={"schemas": schemas})
    jsonschema.Draft202012Validator(whole).validate(value)


def open_server(**settings):
    """A server with an HTTP door; ZAN_HTTP_PORT names one that runs already."""
    if os.environ.get("ZAN_HTTP_PORT"):
        return None, int(os.environ["ZAN_HTTP_PORT"])
    port = twin_server.free_port()
    return twin_server.started(http="127.0.0.1:%d" % port, **settings), port


def main(run):
    if os.environ.get("ZAN_HTTP_PORT"):
        run()
        print("ok")
    else:
        twin_server.main(run)
