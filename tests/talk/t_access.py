#!/usr/bin/python3
"""T32: every command x every role x own and other objects x own and other tenant, over RESP and HTTP.

zan-test: timeout=120

What is expected comes from access.def as access_table.py reads it; no cell is written here. Then:
tenants with the same ids do not see each other; assertions end, are revoked and rotate as said.
"""
import hashlib
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import access_table as table
from http_client import Connection, request, twin_server
from client import Client, Error, as_map

REFUSED = ("NOAUTH", "NOPERM", "WRONGPASS", "TOKENEXPIRED", "TOKENAUDIENCE", "UNKNOWNKEY", "BADTOKEN",
           "TOKENREVOKED")
KEYED = [role for role in table.ROLES if role not in ("user", "creator")]
OWN = {"account": 42, "item": 420, "creator": 42}
OTHER = {"account": 43, "item": 430, "creator": 43}
ABSENT = {"account": 44, "item": 440, "creator": 44}


def zan(*arguments):
    return subprocess.run([os.environ["ZAN"], *map(str, arguments)], check=True,
                          capture_output=True, text=True).stdout.strip()


class World:
    """A node with a caller of every role in tenants 5 and 6."""

    def __init__(self):
        self.folder = twin_server.directory()
        self.issuers, self.credentials = self.path("issuers"), self.path("credentials")
        with open(self.issuers, "w") as file:
            for tenant in (5, 6):
                file.write(zan("key", "--tenant", tenant, "pair", "kid-%d" % tenant,
                               self.path("pair%d" % tenant)) + "\n")
        with open(self.credentials, "w") as file:
            os.chmod(self.credentials, 0o600)
            for role in KEYED:
                for tenant in (5, 6):
                    digest = hashlib.sha256(self.key(role, tenant).encode()).hexdigest()
                    file.write("%s%d %s %s tenant=%d\n" % (role, tenant, role, digest, tenant))
        self.http = twin_server.free_port()
        self.server = twin_server.Server(credentials=self.credentials, assertion_keys=self.issuers,
                                         http="127.0.0.1:%d" % self.http).start()

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def key(role, tenant):
        return "key-of-%s-in-%d" % (role, tenant)

    def assertion(self, role, tenant, subject=42, **options):
        options.setdefault("epoch", 4000000000)  # the cells revoke too
        words = [word for name, value in options.items() for word in ("--" + name, value)]
        return zan("key", *words, "sign", self.path("pair%d" % tenant), subject, role)

    def proof(self, role, tenant):
        return self.key(role, tenant) if role in KEYED else self.assertion(role, tenant)

    def client(self, role=None, tenant=5):
        client = Client(self.server.port)
        if role is not None:
            name = role + str(tenant) if role in KEYED else "assertion"
            answer = client.call("AUTH", name, self.proof(role, tenant))
            assert answer == "OK", (name, answer)
        return client

    def ask(self, proof, method, path, body=None):
        headers = {"Authorization": "Bearer " + proof} if proof else {}
        connection = Connection(self.http)
        try:
            connection.send(request(method, path, body, headers))
            return connection.answer(head=method == "HEAD")
        finally:
            connection.close()


def code_of(answer):
    return answer.code if isinstance(answer, Error) else "OK"


def expected(rule, ids, tenant):
    """True: goes through. Items have their creators in tenant 5 only."""
    if rule == "ITEM":
        return ids is OWN and tenant == 5
    return rule in ("TENANT", "VIEWER") or (rule in ("ACCOUNT", "CREATOR") and ids is OWN)


def judge(what, code, wanted, absent_text, text):
    if wanted:
        assert code not in REFUSED, "%s: %s" % (what, text)
        return
    assert code == ("NOAUTH" if what[1] is None else "NOPERM"), "%s: %s" % (what, text)
    # The same words for what is another's and for what does not exist.
    assert absent_text in (None, text), "%s: %r, but absent: %r" % (what, text, absent_text)


def every_cell(world):
    rules, cells = table.rules(), 0
    by_symbol = {verb.symbol: verb for verb in table.verbs()}
    for verb in by_symbol.values():
        assert verb.access in rules, "%s has no row in access.def" % verb.name
    routes = list(table.routes())
    for role in [None] + table.ROLES:
        for tenant in (5, 6):
            client = world.client(role, tenant)
            proof = world.proof(role, tenant) if role else None
            for verb in by_symbol.values():
                rule = rules[verb.access][role] if role else "NO"
                if verb.access == "OPEN":
                    rule = "TENANT"
                cells += over_resp(world, client, verb, role, tenant, rule)
                for route in routes:
                    if route[0] == verb.symbol:
                        cells += over_http(world, proof, verb, route, role, tenant, rule)
            client.close()
    print("%d cells" % cells)
    assert cells > 2500


def over_resp(world, client, verb, role, tenant, rule):
    if verb.group == "SERVICE" and verb.access == "OPEN":
        return handshake(world, verb, role, tenant)
    absent = None
    for ids in (ABSENT, OTHER, OWN):
        answer = client.call(*(["INFO", "server"] if verb.name == "INFO" else
                               ["CONFIG", "GET", "sync"] if verb.name == "CONFIG" else
                               ["NODE", "MODE"] if verb.name == "NODE" else
                               table.words(verb, ids)))
        wanted = expected(rule, ids, tenant)
        judge((verb.name, role, tenant, ids), code_of(answer), wanted,
              absent if ids is OTHER else None, str(answer))
        absent = str(answer) if not wanted else None
    return 3


def handshake(world, verb, role, tenant):
    """On a connection of its own, for some of them end it."""
    client = world.client(role, tenant)
    words = {"HELLO": ["HELLO", "2"], "AUTH": ["AUTH", "nobody", "wrong"], "SELECT": ["SELECT", "0"],
             "CLIENT": ["CLIENT", "ID"], "COMMAND": ["COMMAND", "COUNT"], "ECHO": ["ECHO", "x"]}
    code = code_of(client.call(*words.get(verb.name, [verb.name])))
    assert code == {"AUTH": "WRONGPASS"}.get(verb.name, "NOAUTH" if verb.name == "HELLO" and not role
                                             else "OK"), (verb.name, role, code)
    if verb.name == "CLIENT":
        code = code_of(client.call("CLIENT", "LIST"))
        allowed = role and table.rules()["NODE"][role] == "TENANT"
        assert code == ("OK" if allowed else "NOPERM" if role else "NOAUTH"), (role, code)
    client.close()
    return 1


def over_http(world, proof, verb, route, role, tenant, rule):
    absent = None
    for ids in (ABSENT, OTHER, OWN):
        answer = world.ask(proof, *table.request(verb, route, ids))
        code = answer.code or "OK"
        wanted = expected(rule, ids, tenant)
        said = answer.json.get("detail", "") if code != "OK" else ""
        judge((verb.name, role, tenant, ids, route[1:3]), code, wanted,
              absent if ids is OTHER else None, said)
        assert wanted or answer.status in (401, 403), answer
        absent = said if not wanted else None
    return 3


def metrics_are_of_the_node(world):
    """Figures of all tenants together: not for a tenant's backend; and no id or name is in them."""
    counted = None
    while not counted:  # told some 50 ms later; the service verbs are the door's own to count
        text = world.ask(None, "GET", "/metrics").body.decode()
        counted = re.search(r'^zan_requests_total{verb="AUTH"} [1-9]', text, re.M)
    labels = set(re.findall(r'(\w+)="', text))
    assert not labels & {"tenant", "account", "item", "creator", "subject", "name"}, labels
    for secret in ("backend5", "kid-5", "key-of"):
        assert secret not in text, secret


def tenants_are_apart(world):
    five, six = world.client("backend", 5), world.client("backend", 6)
    opid = "the-same-in-both"
    assert five.call("LIKE", 1000, 2000, "OPID", opid) == 1
    assert six.call("LIKES", 2000) == [0]
    assert six.call("LIKED", 1000, 2000) == [0]
    assert six.call("LIKERS", 2000)[1] == [] and six.call("LIKEDBY", 1000)[1] == []
    assert code_of(six.call("ACCOUNT", "GET", 1000)) == "NOACCOUNT"
    assert code_of(six.call("ITEM", "GET", 2000)) == "NOITEM"
    # The same operation id with another content is no conflict there, and no answer of the other's.
    assert six.call("LIKE", 1001, 2000, "OPID", opid) == 1
    assert five.call("LIKERS", 2000)[1][0][0] in (1000, "1000") and five.call("LIKES", 2000) == [1]
    assert six.call("UNLIKE", 1000, 2000) == 0 and five.call("LIKED", 1000, 2000) == [1]
    assert six.call("ITEM", "STATE", 2000, "removed") == 1 and five.call("LIKE", 1002, 2000) == 1
    key = {tenant: world.key("backend", tenant) for tenant in (5, 6)}
    counts = {tenant: world.ask(key[tenant], "GET", "/v1/items/2000/counts").json["counts"]["like"]
              for tenant in (5, 6)}
    assert counts == {5: 2, 6: 1}, counts
    assert world.ask(key[6], "PUT", "/v1/items/2000/likes/7").code == "CLOSED"
    assert world.ask(key[5], "PUT", "/v1/items/2000/likes/7").json["applied"]
    five.close(), six.close()


def restart_keeps_them_apart(world):
    assert world.server.stop() == 0
    world.server.verify()
    world.server.start()
    assert world.client("backend", 5).call("LIKES", 2000) == [3]
    assert world.client("backend", 6).call("LIKES", 2000) == [1]


def assertions(world):
    client = Client(world.server.port)
    token = world.assertion("user", 5)
    assert isinstance(client.call("HELLO", 2, "AUTH", "assertion", token), list)
    assert client.call("LIKE", 42, 3000) == 1
    assert client.call("AUTH", token) == "OK"  # a key alone: known by its form
    assert code_of(client.call("LIKE", 43, 3000)) == "NOPERM"
    # Skips, reports and what likes are worth are not for users, whichever way the answer goes.
    assert as_map(client.call("LIKE", 42, 3000, "RETURN"))["counts"] is None
    assert world.ask(token, "PUT", "/v1/items/3000/likes/42").json["counts"] is None
    assert world.ask(world.key("backend", 5), "PUT", "/v1/items/3000/likes/42").json["counts"]["skip"] == 0
    # It ends while the connection goes on.
    short = world.assertion("user", 5, seconds=3)
    assert client.call("AUTH", "assertion", short) == "OK"
    end = time.monotonic() + 60
    while code_of(answer := client.call("LIKE", 42, 3000)) != "TOKENEXPIRED":
        assert answer == 0 and time.monotonic() < end, answer
        time.sleep(0.05)
    assert client.call("PING") == "PONG"
    assert code_of(client.call("LIKES", 3000)) == "TOKENEXPIRED"
    assert world.ask(short, "GET", "/v1/items/3000/likes/42").code == "TOKENEXPIRED"
    assert client.call("AUTH", "assertion", token) == "OK"  # a fresh one goes on
    assert client.call("LIKED", 42, 3000) == [1]
    wrong = {"TOKENEXPIRED": world.assertion("user", 5, at=int(time.time()) - 301),
             "BADTOKEN": world.assertion("user", 5, seconds=301), "UNKNOWNKEY": stranger(world, 5),
             "TOKENAUDIENCE": stranger(world, 6, "kid-5", known=True)}
    for code, token in wrong.items():
        assert code_of(client.call("AUTH", "assertion", token)) == code, code
        answer = world.ask(token, "GET", "/v1/items/3000/likes/42")
        assert (answer.status, answer.code) == (401, code), answer
    assert client.call("LIKED", 42, 3000) == [1]  # a refused one takes nothing away
    assert code_of(client.call("AUTH", "assertion", "x")) == "BADTOKEN"
    assert client.socket.recv(1) == b""  # the fifth
    client.close()


def revocations(world):
    """Every assertion made before is over, on connections that are open too; a new epoch works."""
    account, other = 4242, 4243
    token, others = [world.assertion("user", 5, who, epoch=0) for who in (account, other)]
    client, stranger_ = Client(world.server.port), Client(world.server.port)
    assert client.call("AUTH", "assertion", token) == "OK"
    assert stranger_.call("AUTH", "assertion", others) == "OK"
    assert client.call("LIKE", account, 3100) == 1
    with world.client("backend") as backend:
        assert backend.call("ACCOUNT", "REVOKE", account) == 1
    assert code_of(client.call("LIKE", account, 3101)) == "TOKENREVOKED"
    assert code_of(client.call("LIKED", account, 3100)) == "TOKENREVOKED"
    assert world.ask(token, "GET", "/v1/items/3100/likes/%d" % account).code == "TOKENREVOKED"
    assert stranger_.call("LIKE", other, 3101) == 1
    world.server.stop()
    world.server.start()  # it is a record like any other
    client = Client(world.server.port)
    assert client.call("AUTH", "assertion", token) == "OK"
    assert code_of(client.call("LIKE", account, 3101)) == "TOKENREVOKED"
    assert client.call("AUTH", "assertion", world.assertion("user", 5, account, epoch=1)) == "OK"
    assert client.call("LIKE", account, 3101) == 1
    client.close()
    stranger_.close()


def stranger(world, tenant, kid="kid-x", known=False):
    """An assertion of a key nobody knows; or of kid-5, that claims another tenant."""
    place = world.path("stranger%d" % tenant)
    zan("key", "--tenant", tenant, "pair", kid, place)
    if known:
        name, _, secret = open(world.path("pair5")).read().split()
        with open(place, "w") as file:
            file.write("%s %d %s\n" % (name, tenant, secret))
    return zan("key", "--epoch", 4000000000, "sign", place, 42, "user")


def keys_rotate(world):
    old = open(world.issuers).read()
    new = zan("key", "--tenant", 5, "pair", "kid-new", world.path("new"))
    token = zan("key", "--epoch", 4000000000, "sign", world.path("new"), 42, "user")
    assert world.ask(token, "GET", "/v1/items/3000/likes/42").code == "UNKNOWNKEY"
    read_again(world, old + new + "\n", token, "")
    before = world.assertion("user", 5)
    assert world.ask(before, "GET", "/v1/items/3000/likes/42").status == 200  # the two overlap
    read_again(world, new + "\n", before, "UNKNOWNKEY")
    assert world.ask(token, "GET", "/v1/items/3000/likes/42").status == 200


def read_again(world, text, token, code):
    with open(world.issuers, "w") as file:
        file.write(text)
    world.server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 60
    while world.ask(token, "GET", "/v1/items/3000/likes/42").code != code:
        assert time.monotonic() < end
        time.sleep(0.02)


def run():
    world = World()
    backend = world.client("backend", 5)
    for ids in (OWN, OTHER):
        assert backend.call("ITEM", "SET", ids["item"], "CREATOR", ids["creator"]) == 1
    backend.close()
    every_cell(world)
    metrics_are_of_the_node(world)
    tenants_are_apart(world)
    restart_keeps_them_apart(world)
    assertions(world)
    revocations(world)
    keys_rotate(world)
    assert world.server.stop() == 0, world.server.messages


twin_server.main(run)
