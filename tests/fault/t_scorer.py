#!/usr/bin/python3
"""The scorer fails: its file is damaged or gone, its memory is damaged while it runs, its held likes are in
no queue any more. Nothing counts in full meanwhile, everybody is told, and all of it is scored afterwards.

zan-test: timeout=120
"""
import glob
import json
import os
import re
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import as_map  # noqa: E402
from server import Server, directory, free_port, main  # noqa: E402

RULES = "policy quick version 1\nsettle %s\n"


def rules(settle):
    path = os.path.join(directory(), "rules.policy")
    with open(path, "w") as file:
        file.write(RULES % settle)
    return path


class World:
    def __init__(self, settle="1s", trust="on", **settings):
        self.http = free_port()
        self.server = Server(policy=rules(settle), flush_seconds=1, memory="256MiB", audit_rate=0, trust=trust,
                             http="127.0.0.1:%d" % self.http, **settings).start()

    def said(self):
        """What the server has said so far."""
        return os.pread(self.server.output.fileno(), 1 << 20, 0).decode()

    def call(self, *words):
        with self.server.client() as client:
            return client.call(*words)

    def likes(self, item):
        return as_map(as_map(self.call("COUNTS", item))["likes"])

    def get(self, path):
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.http, path)) as answer:
            return answer.read().decode()

    def metric(self, name):
        return float(re.search(r"^%s(?:\{[^}]*\})? (\S+)" % re.escape(name), self.get("/metrics"), re.M)[1])

    def modes(self):
        health = json.loads(self.get("/healthz"))
        return [row["mode"] for row in health["modes"]]

    def told(self, why):
        """The mode, in all places, with its reason to those who may know it."""
        assert "risk-degraded" in self.modes()
        info = self.call("INFO")
        reason = re.search(r"mode_risk_degraded:(\d+) (.*?)\r?\n", info)
        assert reason and why in reason[2] and abs(int(reason[1]) - time.time()) < 60, info
        assert "risk-degraded" in str(self.call("NODE", "MODE")), self.call("NODE", "MODE")
        text = self.get("/metrics")
        assert re.search(r'^zan_mode\S*\{mode="risk-degraded"\} [1-9]', text, re.M), text
        assert json.loads(self.get("/readyz"))["ready"]  # it takes likes

    def wait(self, what, wanted):
        end = time.monotonic() + 50
        while (found := what()) != wanted:
            assert time.monotonic() < end, (found, wanted, self.said())
            time.sleep(0.02)

    def over(self):
        self.wait(lambda: "risk-degraded" in self.modes(), False)

    def files(self):
        return glob.glob(os.path.join(self.server.data, "**", "*signals-*"), recursive=True)

    def end(self):
        assert self.server.stop() == 0, self.server.messages
        self.server.verify()


def held(world, account, item):
    answer = as_map(world.call("LIKE", account, item, "RETURN"))
    worth = as_map(as_map(answer["counts"])["likes"])
    assert worth["held"] == 1 and worth["credited"] == "0.00", worth
    assert as_map(worth["reasons"])["unscored"] == 1, worth


def a_damaged_file(what):
    world = World()
    assert world.call("LIKE", 1, 1) == 1
    assert world.likes(1)["credited"] == "1.00"
    assert "risk-degraded" not in world.modes(), world.modes()
    assert world.server.stop() == 0
    for path in world.files():
        what(path)
    world.server.start()
    world.wait(lambda: "ANEW" in world.said(), True)
    world.told("lost what it had seen")
    held(world, 2, 2)
    assert world.likes(1)["credited"] == "1.00"  # what was scored stays
    world.wait(lambda: world.likes(2)["credited"], "1.00")
    world.over()
    assert world.call("LIKE", 3, 3) == 1 and world.likes(3)["credited"] == "1.00"
    world.end()


def flip(path):
    with open(path, "r+b") as file:
        file.seek(1 << 20)
        byte = file.read(1)
        file.seek(1 << 20)
        file.write(bytes([byte[0] ^ 1]))


def nobody_is_forgotten(partitions):
    """Likes held while nobody scored, and then their queue is lost: by a damaged file, and in the middle of
    finding them again by kill -9."""
    world = World(trust="pending", partitions=partitions)
    with world.server.client() as client:
        client.many([("LIKE", account, 5 + account % 3) for account in range(2000)])
    world.wait(lambda: sum(int(world.likes(item)["held"]) for item in (5, 6, 7)), 2000)
    world.told("no scores")
    assert world.server.stop() == 0
    for path in world.files():
        os.unlink(path)
    world.server.settings["trust"] = "on"
    world.server.start()
    assert world.call("LIKE", 1, 8) == 1
    world.told("")
    time.sleep(0.3)
    world.server.kill()
    world.server.start()
    for partition in range(4 * partitions):  # each partition's scorer has to see something
        world.call("LIKE", 5000 + partition, 9)
    world.wait(lambda: [world.likes(item)["held"] for item in (5, 6, 7)], [0, 0, 0])
    assert sum(float(world.likes(item)["credited"]) for item in (5, 6, 7)) == 2000
    world.over()
    assert world.metric("zan_holds_missed") == 0
    world.end()


def memory_of(server):
    """Where the scorer's memory begins, and its copy that is written out: it says so itself."""
    for line in open("/proc/%d/maps" % server.process.pid):
        place, access = line.split()[:2]
        if not access.startswith("rw") or "[" in line or "/" in line:
            continue
        begin, end = (int(part, 16) for part in place.split("-"))
        with open("/proc/%d/mem" % server.process.pid, "rb") as memory:
            for at in range(begin, end, 1 << 20):
                memory.seek(at)
                try:
                    found = memory.read(min(1 << 20, end - at)).find(b"ZANTRUST")
                except OSError:
                    break
                if found >= 0:
                    yield at + found


def damaged_while_it_runs():
    """Bytes of its memory change under it, as a bad chip or a stray write would."""
    world = World(sandbox="off")
    for account in range(50):
        world.call("LIKE", account, 1)
    assert "risk-degraded" not in world.modes()
    places = [at for at in memory_of(world.server)]
    assert places, "no scorer's memory found"
    with open("/proc/%d/mem" % world.server.process.pid, "r+b", buffering=0) as memory:
        for place in places:
            memory.seek(place + 20)  # of the header: how large its tables are
            memory.write(b"\xff")
    world.wait(lambda: world.metric("zan_scorer_lost_total"), 1.0)
    assert "ALARM" in world.said() and "scorer" in world.said(), world.said()
    world.told("lost what it had seen")
    held(world, 100, 2)
    world.wait(lambda: world.likes(2)["credited"], "1.00")
    world.over()
    world.end()


def run():
    a_damaged_file(flip)
    a_damaged_file(os.unlink)
    nobody_is_forgotten(3)
    damaged_while_it_runs()


main(run)
