"""browser.py: what the tests of the console share: a server with something in it, and a real browser.

A test starts servers here, fills them by HTTP, and hands their ports to a script of node/, which walks
through the pages with playwright and holds every page against axe. Screenshots go to
$ZAN_BUILD/console-shots, to be looked at. Skipped without node, npm or chromium, and where zan was
built without its console.
"""
import gzip
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "twin"))
import server as twin_server  # noqa: E402

NODE = os.path.join(HERE, "node")
BUILD = os.environ.get("ZAN_BUILD") or twin_server.directory()
SHOTS = os.path.join(BUILD, "console-shots")


def chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    twin_server.skip("no chromium")


def installed():
    """A directory with the packages of node/package-lock.json, fetched once for each state of it."""
    place = os.path.join(BUILD, "console-browser")
    wanted = hashlib.sha256(open(os.path.join(NODE, "package-lock.json"), "rb").read()).hexdigest()
    mark = os.path.join(place, "installed")
    os.makedirs(place, exist_ok=True)
    if shutil.which("node") is None or shutil.which("npm") is None:
        twin_server.skip("no node or npm")
    with open(os.path.join(place, "lock"), "w") as lock:
        import fcntl
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in os.listdir(NODE):
            if os.path.isfile(os.path.join(NODE, name)):
                shutil.copy(os.path.join(NODE, name), place)
        if os.path.exists(mark) and open(mark).read() == wanted:
            return place
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"],
                              cwd=place, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            twin_server.skip("npm ci: %s" % done.stderr[-500:])
        with open(mark, "w") as file:
            file.write(wanted)
    return place


class Door:
    """JSON over HTTP; a refusal is an error."""

    def __init__(self, port, key=None):
        self.port, self.key = port, key

    def text(self, path):
        """What is there, of whatever form; it may be packed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, (path, answer.status)
        return (gzip.decompress(body) if answer.getheader("Content-Encoding") == "gzip" else body).decode()

    def ask(self, method, path, body=None, status=200):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self.key:
            headers["Authorization"] = "Bearer " + self.key
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == status, "%s %s: %d %s" % (method, path, answer.status, text[:300])
        return json.loads(text)


def started(**settings):
    """(server, Door) of a node with the console; skipped if zan has none."""
    port = twin_server.free_port()
    server = twin_server.started(http="127.0.0.1:%d" % port, **settings)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/console/")
    if connection.getresponse().status == 404:
        server.stop()
        twin_server.skip("zan was built without its console")
    return server, Door(port)


def platform(door):
    """A platform of a day: 24 items of creators 500 to 503, with tags; accounts 1 to 5 watch and like
    some, 6 to 9 are new, 10 likes four. Returns the items."""
    items = [str(9000 + i) for i in range(24)]
    for account in range(1, 11):
        door.ask("PUT", "/v1/accounts/%d" % account, {"visible": "nobody"})
    for i, item in enumerate(items):
        door.ask("PUT", "/v1/items/%s" % item, {"creator": str(500 + i % 4), "duration_ms": 15000})
        door.ask("PUT", "/v1/items/%s/tags" % item, {"tags": "music,tag%d" % (i % 3)})
        for account in range(1, 2 + i % 5):
            door.ask("POST", "/v1/items/%s/views" % item, {"account": str(account), "watch_ms": 9000,
                                                            "duration_ms": 15000})
            door.ask("PUT", "/v1/items/%s/likes/%d" % (item, account))
    for item in items[:4]:
        door.ask("PUT", "/v1/items/%s/likes/10" % item)
    return items


def secured(**settings):
    """A node that asks for credentials; and an assertion for user 42 and for creator 500, and the key of
    each other role."""
    folder = twin_server.directory()
    paths = {name: os.path.join(folder, name) for name in ("credentials", "keys", "issuer")}
    roles = ("backend", "operator", "approver", "privacy", "administrator", "auditor")
    with open(paths["credentials"], "w") as file:
        for role in roles:
            file.write("%s %s %s\n" % (role, role, hashlib.sha256(("key of %s" % role).encode()).hexdigest()))
    with open(paths["keys"], "w") as file:
        file.write(subprocess.check_output([twin_server.binary(), "key", "pair", "k1", paths["issuer"]], text=True))
    for name in ("credentials", "keys"):
        os.chmod(paths[name], 0o600)
    server, door = started(credentials=paths["credentials"], assertion_keys=paths["keys"], **settings)
    proofs = {role: "key of " + role for role in roles}
    for account, role in ((42, "user"), (500, "creator")):
        proofs[role] = subprocess.check_output(
            [twin_server.binary(), "key", "sign", paths["issuer"], str(account), role], text=True).strip()
    return server, Door(door.port, "key of backend"), proofs


def walk(script, timeout=170, **facts):
    """Runs node/SCRIPT, which gets the facts as JSON in FACTS."""
    os.makedirs(SHOTS, exist_ok=True)
    environment = dict(os.environ, FACTS=json.dumps(facts), SHOTS=SHOTS, CHROMIUM=chromium())
    done = subprocess.run(["node", script], cwd=installed(), env=environment, timeout=timeout)
    assert done.returncode == 0, "%s ended with %d" % (script, done.returncode)
