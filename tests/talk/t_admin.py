#!/usr/bin/python3
"""A door for administration: who may come in where, over RESP and HTTP; what is told on which; and that
the platform's callers cannot keep administration out.

zan-test: timeout=60
"""
import hashlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import access_table as table
from http_client import Connection, request, twin_server
from client import Client, Error, Gone

DATA = ("backend", "user", "creator")
ADMIN = [role for role in table.ROLES if role not in DATA]
CONNECTIONS = 40


def zan(*arguments):
    return subprocess.run([os.environ["ZAN"], *map(str, arguments)], check=True, capture_output=True,
                          text=True).stdout.strip()


class World:
    def __init__(self, **settings):
        folder = twin_server.directory()
        self.secret, issuers = os.path.join(folder, "pair"), os.path.join(folder, "issuers")
        credentials = os.path.join(folder, "credentials")
        with open(issuers, "w") as file:
            file.write(zan("key", "--tenant", 0, "pair", "kid", self.secret) + "\n")
        with open(credentials, "w") as file:
            os.chmod(credentials, 0o600)
            for role in table.ROLES:
                if role not in ("user", "creator"):
                    digest = hashlib.sha256(("key-of-" + role).encode()).hexdigest()
                    file.write("%s %s %s\n" % (role, role, digest))
        self.ports = {door: twin_server.free_port() for door in ("http", "admin_resp", "admin_http")}
        self.settings = {door: "127.0.0.1:%d" % port for door, port in self.ports.items()}
        self.settings.update(settings)
        self.server = twin_server.Server(credentials=credentials, assertion_keys=issuers,
                                         connections=CONNECTIONS, **self.settings).start()

    def key(self, role):
        return zan("key", "sign", self.secret, 42, role) if role in ("user", "creator") else \
            "key-of-" + role

    def resp(self, role, admin):
        """What a login there is answered, and what comes after it."""
        client = Client(self.ports["admin_resp"] if admin else self.server.port)
        try:
            answer = client.call("AUTH", self.key(role))
            return answer, client.call("LIKES", 1)
        finally:
            client.close()

    def get(self, role, path, admin):
        headers = {"Authorization": "Bearer " + self.key(role)} if role else {}
        connection = Connection(self.ports["admin_http" if admin else "http"])
        try:
            connection.send(request("GET", path, None, headers))
            return connection.answer()
        finally:
            connection.close()


def code(answer):
    return answer.code if isinstance(answer, Error) else "OK"


def every_role_has_its_door(world):
    rules = table.rules()["TOTALS"]
    for role in table.ROLES:
        own = role in ADMIN
        login, answer = world.resp(role, own)
        assert login == "OK" and code(answer) == ("OK" if rules[role] == "TENANT" else "NOPERM"), \
            (role, login, answer)
        login, answer = world.resp(role, not own)
        assert code(login) == "NOPERM" and "address" in login.text, (role, login)
        assert code(answer) == "NOAUTH", (role, answer)  # it has proved nothing here
        if rules[role] == "TENANT":
            assert world.get(role, "/v1/items/1/likes/1", own).code in (None, "", "NOPERM"), role
        answer = world.get(role, "/v1/items/1/counts", not own)
        assert (answer.status, answer.code) == (403, "NOPERM"), (role, answer)
    assert world.get("operator", "/v1/cases", True).status == 200
    assert world.get("operator", "/v1/cases", False).code == "NOPERM"
    assert world.get("backend", "/v1/items/1/counts", False).status == 200


def what_is_told_where(world):
    for role in (None, "backend", "administrator", "auditor"):
        assert world.get(role, "/metrics", False).status in (401, 403), role
    text = world.get("auditor", "/metrics", True).body.decode()
    # Both doors' figures: those that were refused at the other one, too.
    line = [line for line in text.split("\n") if line.startswith('zan_http_denied_total{code="NOPERM"}')]
    assert line and float(line[0].split()[1]) >= len(table.ROLES), line
    for admin in (False, True):
        assert world.get(None, "/healthz", admin).status == 200
        assert world.get(None, "/readyz", admin).status == 200
    client = Client(world.ports["admin_resp"])
    assert client.call("AUTH", "administrator", "key-of-administrator") == "OK"
    assert "mode:" in client.call("INFO")
    assert code(client.call("NODE", "MODE")) == "OK"
    client.close()


def administration_is_not_kept_out(world):
    crowd = []
    for _ in range(CONNECTIONS + 5):
        try:
            client = Client(world.server.port)
            if client.call("AUTH", "backend", "key-of-backend") != "OK":
                break
            crowd.append(client)
        except (Gone, OSError):
            break
    assert 16 <= len(crowd) < CONNECTIONS, len(crowd)
    client = Client(world.ports["admin_resp"])
    assert client.call("AUTH", "administrator", "key-of-administrator") == "OK"
    assert "connected_clients" in client.call("INFO")
    for one in crowd + [client]:
        one.close()


def what_makes_no_sense_is_refused(world):
    for settings, word in (({"admin-resp": "127.0.0.1:%d" % twin_server.free_port()}, "credentials"),
                           ({"admin-http": "127.0.0.1:1", "http": "127.0.0.1:1",
                             "credentials": world.server.settings["credentials"]}, "other addresses")):
        words = [os.environ["ZAN"], "serve", "--data", twin_server.directory()]
        for name, value in settings.items():
            words += ["--" + name, value]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 2 and word in done.stderr, (done.returncode, done.stderr)


def run():
    world = World(partitions=2)
    every_role_has_its_door(world)
    what_is_told_where(world)
    what_makes_no_sense_is_refused(world)
    assert world.server.stop() == 0, world.server.messages
    assert "admin " in world.server.messages
    world = World()
    administration_is_not_kept_out(world)
    assert world.server.stop() == 0, world.server.messages


twin_server.main(run)
