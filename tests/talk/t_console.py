"""What the HTTP door does for the console: its files, who is calling, totals as they change.

zan-test: timeout=60
"""
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_client import Connection, Door, main, open_server, request, twin_server

BUDGET = 100 * 1024
STREAMS = 64   # PUSH_STREAMS_MAX


def files(door):
    sent = door.raw("GET", "/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert sent.status == 303 and sent.headers["location"] == "/console/", sent
    assert door.raw("GET", "/").json["name"] == "zan"
    page = door.raw("GET", "/console/")
    text = gzip.decompress(page.body).decode()
    assert page.headers["cache-control"] == "no-cache" and page.headers["content-encoding"] == "gzip"
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy, policy
    assert "unsafe" not in policy and "*" not in policy, policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", text), text
    again = door.raw("GET", "/console/", headers={"If-None-Match": page.headers["etag"]})
    assert again.status == 304 and again.body == b"" and again.headers["etag"] == page.headers["etag"]
    whole, left, seen = len(page.body), re.findall(r'/console/assets/[^"]+', text), set()
    assert left, text
    while left:
        path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        file = door.raw("GET", path)
        assert file.status == 200 and "immutable" in file.headers["cache-control"], (path, file)
        whole += len(file.body)
        left += ["/console/assets/" + name for name in
                 re.findall(r'["/]([\w-]+-[\w-]{8}\.(?:js|css))"', gzip.decompress(file.body).decode())]
    assert whole <= BUDGET, "%d bytes of console" % whole
    print("console: %d files, %d bytes" % (len(seen) + 1, whole))
    assert door.raw("GET", "/console/nothing").code == "NOROUTE"
    assert door.raw("POST", "/console/").code == "BADMETHOD"


class Stream:
    def __init__(self, port, query, key=None):
        headers = {"Authorization": "Bearer " + key} if key else {}
        self.connection = Connection(port, timeout=30)
        self.connection.send(request("GET", "/live?items=" + query, None, headers))
        self.head = b""
        while b"\r\n\r\n" not in self.head:
            self.head += self.connection.socket.recv(1)
        self.text = ""

    def until(self, wanted):
        """Everything up to it, without the chunks' sizes; None at the end."""
        while wanted not in self.text:
            data = self.connection.socket.recv(4096).decode()
            if data == "":
                return None
            self.text += re.sub(r"[0-9a-f]+\r\n|\r\n", "", data)
        at = self.text.index(wanted) + len(wanted)
        said, self.text = self.text[:at], self.text[at:]
        return said


def live(door, server):
    door.ask("PUT", "/v1/items/9/likes/7")
    stream = Stream(door.port, "9,10")
    assert b" 200 " in stream.head and b"text/event-stream" in stream.head, stream.head
    stream.until('{"like":{"9":1,"10":0}}\n\n')
    stream.until('"share":')
    door.ask("PUT", "/v1/items/10/likes/7")
    stream.until('data: {"like":{"10":1}}\n\n')
    door.ask("DELETE", "/v1/items/9/likes/7")
    stream.until('data: {"like":{"9":0}}\n\n')
    crowd = [Stream(door.port, "9") for _ in range(STREAMS - 1)]
    assert b" 200 " in crowd[-1].head
    full = Stream(door.port, "9")
    assert b" 503 " in full.head and b"retry-after" in full.head.lower(), full.head
    assert b"zan_http_streams_open %d" % STREAMS in door.raw("GET", "/metrics").body
    for one in crowd:   # who has gone makes room once the node has found out
        one.connection.close()
    return stream


def sessions(has_pages):
    folder = twin_server.directory()
    credentials, keys, issuer = (os.path.join(folder, name) for name in ("credentials", "keys", "issuer"))
    with open(credentials, "w") as file:
        file.write("desk operator %s\n" % hashlib.sha256(b"key of desk").hexdigest())
    with open(keys, "w") as file:
        file.write(subprocess.check_output([twin_server.binary(), "key", "pair", "k1", issuer], text=True))
    for path in (credentials, keys):
        os.chmod(path, 0o600)
    token = subprocess.check_output([twin_server.binary(), "key", "sign", issuer, "42", "user"], text=True).strip()
    server, port = open_server(credentials=credentials, assertion_keys=keys)

    def ask(key, path="/session"):
        door = Connection(port)
        door.send(request("GET", path, None, {"Authorization": "Bearer " + key} if key else {}))
        return door.answer()

    nobody = ask(None).json
    assert nobody["open"] is False and nobody["role"] == "nobody" and nobody["account"] is None, nobody
    assert ask("key of desk").json["role"] == "operator"
    user = ask(token).json
    assert user["role"] == "user" and user["account"] == "42" and user["expires_ms"] > 0, user
    assert ask("wrong key").code == "WRONGPASS"
    assert ask(None, "/console/").status == (200 if has_pages else 404), "the page itself tells nothing"
    assert ask(None, "/live?items=9").code == "NOAUTH"
    stream = Stream(port, "9", token)
    stream.until('"like":{"9":0}')
    assert server.stop() == 0, server.messages
    assert stream.until("nothing comes") is None


def run():
    server, port = open_server()
    door = Door(port)
    has_pages = door.raw("GET", "/console/").status != 404
    if has_pages:
        files(door)
    else:
        print("built without a console: its files are not looked at")
    stream = live(door, server)
    assert server.stop() == 0, server.messages   # a stream ends with the node, and does not hold it
    assert stream.until("nothing comes") is None
    sessions(has_pages)


main(run)
