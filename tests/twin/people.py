"""people.py: a server whose callers have names and roles, each logged in, over both doors.

    class World(People):
        def __init__(self):
            super().__init__({"backend": "backend", "ann": "operator", "tim": "operator tenant=5"})
    world("ann", "CASE", "LIST")              over RESP, as ann
    world.ask("ann", "GET", "/v1/cases")      over HTTP, as ann; held against /openapi.json
"""
import hashlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from client import Client, Error  # noqa: E402
from server import Server, directory, free_port  # noqa: E402


def code(answer):
    return answer.code if isinstance(answer, Error) else "OK"


def key_of(name):
    return "key-of-" + name


class People:
    """people: name -> what follows it in the file of credentials, "role" or "role tenant=5". Settings
    are the server's; http=None: no HTTP door."""

    def __init__(self, people, folder=None, http="on", **settings):
        self.people, self.folder = dict(people), folder or directory()
        path = os.path.join(self.folder, "credentials")
        with open(path, "w") as file:
            os.chmod(path, 0o600)
            for name, rest in self.people.items():
                role, *more = rest.split()
                digest = hashlib.sha256(key_of(name).encode()).hexdigest()
                file.write(" ".join([name, role, digest, *more]) + "\n")
        self.http = free_port() if http else None
        settings.setdefault("flush_seconds", 1)
        self.server = Server(credentials=path, http="127.0.0.1:%d" % self.http if http else "off",
                             **settings).start()
        self.login()

    def login(self):
        self.of = {}
        for name in self.people:
            client = self.of[name] = Client(self.server.port)
            assert client.call("AUTH", name, key_of(name)) == "OK"
            client.call("HELLO", 3)

    def again(self, kill=True):
        """It ends, by kill -9 or in order, and starts again."""
        if kill:
            self.server.kill()
        else:
            assert self.server.stop() == 0, self.server.messages
        self.server.start()
        self.login()

    def __call__(self, name, *words):
        return self.of[name].call(*words)

    def do(self, *words):
        """The platform does it, and is not refused."""
        answer = self("backend", *words)
        assert not isinstance(answer, Error), (words, answer)
        return answer

    def ask(self, name, method, path, body=None):
        """As one of the people, or with a token."""
        sys.path.insert(0, os.path.join(os.path.dirname(HERE), "talk"))
        from http_client import Connection, request
        connection = Connection(self.http)
        try:
            bearer = key_of(name) if name in self.people else name
            connection.send(request(method, path, body, {"Authorization": "Bearer " + bearer}))
            return connection.answer()
        finally:
            connection.close()
