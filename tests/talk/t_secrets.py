#!/usr/bin/python3
"""T38: no secret in anything that is said or kept; and every failure to log in, every denial, is counted
by its reason.

zan-test: timeout=120

Secrets and addresses are planted in every place they can come in by, right and wrong; then everything
the node says (answers, errors, messages, metrics, INFO, CLIENT LIST) and every file it wrote is searched
for them.
"""
import base64
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_client import Connection, request, twin_server
from client import Client, Gone, encode

KEY, WRONG = "planted-right-key-5f1c", "planted-wrong-key-77aa"
ADDRESS, DEVICE, NETWORK = "203.0.113.77", "planted-device-0042", "planted-network-as64500"
SECRETS = [KEY, WRONG, ADDRESS, DEVICE, NETWORK]
said = []


def zan(*words):
    done = subprocess.run([os.environ["ZAN"], *map(str, words)], capture_output=True, text=True)
    said.append(done.stderr)
    assert done.returncode == 0, done
    return done.stdout.strip()


class Node:
    def __init__(self):
        self.folder = twin_server.directory()
        self.pair, credentials = os.path.join(self.folder, "pair"), os.path.join(self.folder, "who")
        issuers = os.path.join(self.folder, "issuers")
        with open(issuers, "w") as file:
            file.write(zan("key", "pair", "kid", self.pair) + "\n")
        secret = open(self.pair).read().split()[2]
        raw = base64.urlsafe_b64decode(secret + "=")
        SECRETS.extend([secret, raw.hex(), raw])
        with open(credentials, "w") as file:
            os.chmod(credentials, 0o600)
            digest = hashlib.sha256(KEY.encode()).hexdigest()
            file.write("app backend %s\nadmin administrator %s\n" %
                       (digest, hashlib.sha256(b"admin").hexdigest()))
        self.http = twin_server.free_port()
        self.server = twin_server.Server(credentials=credentials, assertion_keys=issuers,
                                         http="127.0.0.1:%d" % self.http, flush_seconds=1).start()

    def token(self, *options):
        token = zan("key", *options, "sign", self.pair, 42, "user")
        SECRETS.extend([token, token.split(".")[2], token.split(".")[1]])
        return token

    def resp(self, *commands, login=None):
        """Each answer's text; the connection may end."""
        client = Client(self.server.port)
        answers = [client.call("AUTH", *login)] if login else []
        try:
            for command in commands:
                answers.append(client.call(*command))
        except Gone:
            pass
        client.close()
        said.extend(map(repr, answers))
        return answers

    def raw(self, port, data):
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while more := connection.recv(65536):
                    answer += more
            except ConnectionResetError:
                pass
        said.append(answer.decode("latin-1"))

    def ask(self, method, path, body=None, **headers):
        connection = Connection(self.http)
        connection.send(request(method, path, body,
                                {name.replace("_", "-"): value for name, value in headers.items()}))
        answer = connection.answer()
        connection.close()
        said.append(repr(answer) + answer.body.decode())
        return answer


def plant(node):
    good = node.token()
    late = node.token("--at", "1000000000")
    broken = good[:-8] + "AAAAAAAA"
    SECRETS.append(broken)
    app, context = ("app", KEY), ("CTX", "ADDRESS", ADDRESS, "DEVICE", DEVICE, "NETWORK", NETWORK)
    for login in (app, ("assertion", good)):
        assert node.resp(("LIKE", 42, 1, *context), ("CLIENT", "INFO"), login=login)[0] == "OK"
    # Right ones in wrong places, wrong ones in right places.
    for words in (("AUTH", "app", WRONG), ("AUTH", KEY, "app"), ("AUTH", WRONG), ("AUTH", "app", KEY, "x"),
                  ("HELLO", 3, "AUTH", "app", WRONG), ("HELLO", KEY), ("HELLO", 3, KEY),
                  ("HELLO", 3, "AUTH", "app", KEY, KEY), ("AUTH", "assertion", late), ("AUTH", broken),
                  ("AUTH", "assertion", good + "x"), (KEY,), (good,), ("LIKE", KEY, good)):
        assert node.resp(words)[0].code, words
    for words in ((KEY,), ("LIKE", KEY, 2), ("LIKE", 1, 2, KEY), ("LIKE", 1, 2, "CTX", KEY, 3),
                  ("LIKE", 1, 2, "CTX", "ADDRESS", ADDRESS * 40), ("LIKE", ADDRESS, 2),
                  ("CLIENT", "SETNAME", KEY + " "), ("CLIENT", KEY), ("CONFIG", KEY, "x"),
                  ("COMMAND", KEY), ("SELECT", KEY), ("ITEM", KEY, 3), ("LIKERS", 1, "CURSOR", KEY),
                  ("LIKE", 1, 2, "OPID", "x" * 65 + KEY)):
        assert node.resp(words, login=app)[1].code, words
    node.raw(node.server.port, b"AUTH app " + KEY.encode() + b"\r\n")
    node.raw(node.server.port, b"*2\r\n$4\r\nAUTH\r\n$" + KEY.encode() + b"\r\n")
    node.raw(node.http, b"GET /" + KEY.encode() + b" x HTTP/9\r\n\r\n")
    for authorization in ("Bearer " + WRONG, "Bearer " + late, "Bearer " + broken, "Basic " + KEY,
                          KEY, "Bearer " + good + "x", "Bearer  "):
        assert node.ask("GET", "/v1/items/1/counts", Authorization=authorization).status == 401
    right = {"Authorization": "Bearer " + KEY}
    for method, path, body, more in (
            ("GET", "/v1/items/%s/counts" % KEY, None, {}), ("GET", "/v1/" + KEY, None, {}),
            ("GET", "/v1/items/1/likes?cursor=" + KEY, None, {}),
            ("GET", "/v1/items/1/likes?%s=1" % KEY, None, {}),
            ("POST", "/v1/items/1/views", {"account": KEY}, {}),
            ("POST", "/v1/items/1/views", {"account": "1", KEY: 1}, {}),
            ("POST", "/v1/items/1/views", ("{" + KEY).encode(), {}),
            ("PUT", "/v1/items/1/likes/2", None, {"X-Zan-Source": KEY}),
            ("PUT", "/v1/items/1/likes/2", None, {"X-Zan-Client-Ms": ADDRESS}),
            ("PUT", "/v1/items/1/likes/2", None, {"X-Zan-Address": ADDRESS * 40}),
            ("PUT", "/v1/items/1/likes/2", None, {"Idempotency-Key": KEY * 4})):
        assert node.ask(method, path, body, **right, **more).status >= 400, path
    assert node.ask("PUT", "/v1/items/1/likes/7", None, **right, **{
        "X-Zan-Address": ADDRESS, "X-Zan-Device": DEVICE, "X-Zan-Network": NETWORK}).status == 200


def count(node, name, **labels):
    text = node.ask("GET", "/metrics").body.decode()
    label = "{%s}" % ",".join('%s="%s"' % pair for pair in labels.items()) if labels else ""
    return int(re.search(r"^%s%s (\d+)$" % (name, re.escape(label)), text, re.M)[1])


def grows(node, least, name, **labels):
    """The figures are published a moment after they grow: asked until they say it."""
    end = time.monotonic() + 20
    while (now := count(node, name, **labels)) < least:
        assert time.monotonic() < end, "%s %s is %d, not %d" % (name, labels, now, least)
        time.sleep(0.05)
    return now


def settled(node, name, **labels):
    """As it is once nothing is left to be published."""
    before = None
    while (now := count(node, name, **labels)) != before:
        before = now
        time.sleep(0.5)
    return now


def failures_are_counted(node):
    resp = {"WRONGPASS": 4, "BADTOKEN": 2, "TOKENEXPIRED": 1, "NOAUTH": 3}
    for code, least in resp.items():
        grows(node, least, "zan_answers_total", code=code)
    for code, least in {"WRONGPASS": 4, "BADTOKEN": 2, "TOKENEXPIRED": 1}.items():
        assert count(node, "zan_http_denied_total", code=code) >= least, code
    grows(node, 3, "zan_logins_total")
    before = settled(node, "zan_answers_total", code="NOPERM")
    node.resp(("LIKE", 1, 2), ("LIKERS", 2), login=("admin", "admin"))
    assert grows(node, before + 2, "zan_answers_total", code="NOPERM") == before + 2


def everything_said(node):
    for section in ("everything",):
        node.resp(("INFO", section), ("CONFIG", "GET", "*"), ("CLIENT", "LIST"), login=("admin", "admin"))
    node.server.process.send_signal(signal.SIGHUP)
    assert node.server.stop() == 0
    said.append(node.server.messages)
    said.append(zan("key", "epochs", node.server.data))
    said.append(zan("verify", "--data", node.server.data, "--json"))
    assert len(said) > 60 and "zan_http_denied_total" in "".join(said)


def search(what, data):
    for secret in SECRETS:
        raw = secret if isinstance(secret, bytes) else secret.encode()
        assert raw not in data, "%s has the secret %r: %r" % (
            what, secret, data[max(0, data.find(raw) - 200):data.find(raw) + 100])


def run():
    node = Node()
    plant(node)
    failures_are_counted(node)
    everything_said(node)
    for text in said:
        search("an answer", text.encode("utf-8", "replace"))
    files = 0
    for folder, _, names in os.walk(node.server.data):
        for name in names:
            files += 1
            with open(os.path.join(folder, name), "rb") as file:
                search(os.path.join(folder, name), file.read())
    assert files > 4
    # The search can find: a pseudonym is there to be looked up by who has the keys.
    done = subprocess.run([os.environ["ZAN"], "key", "pseudonym", node.server.data, "1", "address"],
                          input=ADDRESS + "\n", capture_output=True, text=True, check=True)
    raw = int(done.stdout).to_bytes(8, "little")
    logs = b"".join(open(os.path.join(folder, name), "rb").read()
                    for folder, _, names in os.walk(os.path.join(node.server.data, "log.a"))
                    for name in names)
    assert raw in logs, "the pseudonym is not in the log"
    print("%d answers and %d files searched for %d secrets" % (len(said), files, len(SECRETS)))


twin_server.main(run)
