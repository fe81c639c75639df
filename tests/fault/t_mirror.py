#!/usr/bin/python3
# zan-test: timeout=300
"""One copy of the log is lost under load: the node goes on with the other, says so everywhere, brings
the copy back, and loses nothing that was acknowledged, killed wherever it stands.

The copies lie on two devices, as they must: on one, or with mirror = require, the same failure ends
the node. The judge is the crowd's twin: every acknowledged write is asked for again.
"""
import errno
import json
import os
import random
import shutil
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Gone
from crowd import Crowd, Judge
from faults import Faults
from hooks import hooks_build
from server import Server, check_failed_stop, directory, free_port, main, seed, skip

OTHER = "/dev/shm"
POINTS = ["lost", "note", "alone", "copied", "joined", "whole"]


def info(client):
    text = client.call("INFO", "zan")
    text = text.decode() if isinstance(text, bytes) else str(text)
    return dict(line.split(":", 1) for line in text.replace("\r", "").split("\n") if ":" in line)


def wait_until(what, server, patience=60):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with server.client() as client:
            now = info(client)
        if what(now):
            return now
        time.sleep(0.05)
    raise AssertionError("it never came: %r" % now)


class World:
    def __init__(self, seed_, program=None, environment=None, **settings):
        self.other = directory(parent=OTHER)
        self.faults = Faults(self.other)
        self.http = free_port()
        settings.setdefault("log_b", self.other)
        self.server = Server(program=program, segment_mb=1, flush_seconds=1,
                             http="127.0.0.1:%d" % self.http,
                             environment={**self.faults.environment, **(environment or {})},
                             **settings)
        self.crowd, self.judge = Crowd(seed_, 2), Judge()

    def load(self, limit=1500):
        """The last of several is judged by the test itself."""
        if any(stream.asked for stream in self.crowd.streams):
            self.judge.all(self.server, self.crowd)
        self.crowd.load(self.server, limit=limit)

    def lose(self):
        """Every sync and write of the second copy fails, and what was not synced is gone."""
        self.faults.arm(["sync", "write", "open"], 3, errno.EIO, sticky=True, undo=True)

    def order(self, *words):
        with self.server.client() as client:
            return client.call("NODE", *words)

    def get(self, path):
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.http, path)) as answer:
            return answer.status, answer.read().decode()

    def end(self):
        self.server.kill()
        for path in (self.server.data, self.other):
            shutil.rmtree(path, ignore_errors=True)


def seen(world):
    """The mode in INFO, /readyz, /healthz, /metrics and NODE MODE."""
    now = wait_until(lambda now: now["mode"] == "mirror-degraded", world.server)
    assert "copy b" in now["mode_mirror_degraded"] and now["mirror_losses"] == "1", now
    status, body = world.get("/readyz")
    held = {mode["mode"]: mode for mode in json.loads(body)["modes"]}
    assert status == 200 and held["mirror-degraded"]["since"] > 0, body
    _, text = world.get("/metrics")
    assert 'zan_mode{mode="mirror-degraded"} 1' in text
    assert 'zan_mode_since_seconds{mode="mirror-degraded",reason="copy b' in text
    assert any("mirror-degraded" in str(mode[0]) for mode in world.order("MODE"))


def goes_on_and_comes_back(base):
    world = World(base)
    world.server.start()
    world.load()
    world.lose()
    world.load()
    seen(world)
    assert not world.crowd.refused(), world.crowd.refused()
    world.judge.all(world.server, world.crowd)
    world.faults.heal()
    world.load(3000)     # under load, so that it has to catch up
    assert world.order("RESYNC", "the cable is back") in (0, 1)
    now = wait_until(lambda now: now["mirror_resyncs"] == "1", world.server)
    wait_until(lambda now: now["mode"] == "normal", world.server)
    assert now["mirror_losses"] == "1", now
    world.load()
    world.server.kill()
    assert "ALARM: partition 0: one copy of the log is lost" in world.server.messages
    assert "both copies of the log are whole again" in world.server.messages
    assert "order: resync, by default: the cable is back" in world.server.messages
    # The copy that came back stands for all by itself.
    shutil.rmtree(os.path.join(world.server.data, "log.a"))
    world.server.start()
    world.judge.all(world.server, world.crowd)
    assert world.server.stop() == 0
    world.server.verify()
    world.end()


def a_stale_copy_is_refused(base):
    world = World(base)
    world.server.start()
    world.load()
    world.lose()
    world.load()
    wait_until(lambda now: now["mode"] == "mirror-degraded", world.server)
    world.server.kill()
    world.faults.heal()
    kept = os.path.join(world.server.data, "log.a")
    os.rename(kept, kept + ".away")
    try:
        world.server.start()
        raise AssertionError("it took a stale copy for the truth")
    except Gone:
        assert world.server.code == 6 and "stale" in world.server.messages, world.server.messages
    shutil.rmtree(kept, ignore_errors=True)
    os.rename(kept + ".away", kept)
    world.server.start()
    world.judge.all(world.server, world.crowd)
    assert world.server.stop() == 0
    world.server.verify()
    world.end()


def starts_without_a_copy(base):
    """Its disk fails every call, or is not there: the node starts with the other, says so, and catches it up."""
    for dead in (True, False):
        world = World(base, sandbox="off" if dead else "try")
        disk = os.path.join(world.other, "disk")
        os.mkdir(disk)
        world.server.settings["log_b"] = os.path.join(disk, "zan")
        world.server.start()
        world.load()
        world.server.kill()
        if dead:
            world.faults.arm(["open", "mkdir", "read", "write", "sync"], 1, errno.EIO, sticky=True)
        else:
            os.rename(disk, disk + ".away")
        refuses_where_both_are_required(world, disk)
        world.server.start()
        seen(world)
        world.judge.all(world.server, world.crowd)
        world.load(3000)
        assert not world.crowd.refused(), world.crowd.refused()
        if dead:
            world.faults.heal()
            world.order("RESYNC", "a new cable")
        else:
            world.server.kill()
            assert "ALARM: partition 0: one copy of the log is lost" in world.server.messages
            os.rename(disk + ".away", disk)
            world.server.start()
        wait_until(lambda now: now["mode"] == "normal" and now["mirror_resyncs"] == str(int(dead)), world.server)
        world.load()
        world.server.kill()
        shutil.rmtree(os.path.join(world.server.data, "log.a"))
        world.server.start()   # what came back stands for all by itself
        world.judge.all(world.server, world.crowd)
        assert world.server.stop() == 0
        world.server.verify()
        world.end()


def refuses_where_both_are_required(world, disk):
    world.server.settings["mirror"] = "require"
    try:
        world.server.start()
        raise AssertionError("it started with one copy where both are required")
    except Gone:
        assert world.server.code == 5 and disk in world.server.messages, (world.server.code, world.server.messages)
    del world.server.settings["mirror"]


def ends_where_it_may_not(base):
    for settings in ({"mirror": "require"}, {"log_b": ""}):
        world = World(base, **settings)
        if settings.get("log_b") == "":
            world.faults = Faults(os.path.join(world.server.data, "log.b"))
            world.server.environment = world.faults.environment
            del world.server.settings["log_b"]
        world.server.start()
        world.load()
        world.lose()
        world.load()
        check_failed_stop(world.server.wait(timeout=20), world.server.messages)
        world.faults.heal()
        world.server.start()
        world.judge.all(world.server, world.crowd)
        world.end()


def dies_at(point, base, program):
    """While it goes from two copies to one, and back."""
    world = World(base, program=program,
                  environment={"ZAN_CRASH": "log.mirror.%s:%d" % (point, 3 if point == "note" else 1)})
    try:
        world.server.start()
        world.load()
        world.lose()
        world.load()
        world.faults.heal()
        world.order("RESYNC", "again")
        wait_until(lambda now: now["mirror_resyncs"] == "1", world.server)
        raise AssertionError("log.mirror.%s was never passed" % point)
    except (Gone, OSError):
        world.server.kill()
    world.faults.heal()
    world.server.environment.pop("ZAN_CRASH")
    world.server.start()
    world.judge.all(world.server, world.crowd)
    world.load()
    world.judge.all(world.server, world.crowd)
    assert world.server.stop() == 0
    world.server.verify()
    world.end()


def killed(base):
    """At any moment of it, three times over."""
    random_ = random.Random(base)
    world = World(base)
    for life in range(3):
        world.faults.heal()
        world.server.start()
        world.judge.all(world.server, world.crowd)
        world.load(500)
        world.lose()
        world.load()
        if random_.random() < 0.7:
            world.faults.heal()
            world.order("RESYNC", "again")
            time.sleep(random_.random() * 0.2)
        world.server.kill()
    world.faults.heal()
    world.server.start()
    world.judge.all(world.server, world.crowd)
    assert world.server.stop() == 0
    world.server.verify()
    world.end()


def ordered_read_only(base):
    """An order holds over a restart, and is kept; a changed record of orders is refused."""
    world = World(base)
    world.server.start()
    world.load(500)
    assert world.order("MODE", "readonly", "moving house") == 1
    assert world.order("MODE", "readonly", "moving house") == 0
    now = wait_until(lambda now: now["mode"] == "readonly", world.server)
    assert "moving house" in now["mode_readonly"]
    for again in range(2):
        with world.server.client() as client:
            assert "READONLY" in str(client.call("LIKE", 1, 2))
            assert "ERR" not in str(client.call("COUNTS", 2)).split(" ")[0]
        if again == 0:
            world.server.kill()
            world.server.start()
    assert world.order("MODE", "normal", "moved") == 1
    wait_until(lambda now: now["mode"] == "normal", world.server)
    with world.server.client() as client:
        assert "READONLY" not in str(client.call("LIKE", 1, 2))
    for words in (("MODE", "readonly"), ("MODE", "readonly", ""), ("MODE", "off", "x"),
                  ("MODE", "normal", "two\nlines"), ("RESYNC",)):
        answer = world.order(*words)
        assert isinstance(answer, Exception) or "Error" in type(answer).__name__, (words, answer)
    world.server.kill()
    path = os.path.join(world.server.data, "orders")
    lines = open(path).read()
    assert lines.count("\n") == 2 and "moving house" in lines, lines
    open(path, "a").write("2026-01-01T00:00:00Z\tcut")     # a torn order: never confirmed
    world.server.start()
    world.server.kill()
    open(path, "w").write(lines.replace("moving", "moveng"))
    try:
        world.server.start()
        raise AssertionError("a changed record of orders was taken")
    except Gone:
        assert "orders: line 1" in world.server.messages, world.server.messages
    world.end()


def run():
    base = seed()
    if not os.path.isdir(OTHER) or os.stat(OTHER).st_dev == os.stat(directory()).st_dev:
        skip("no second device at %s" % OTHER)
    ordered_read_only(base)
    goes_on_and_comes_back(base)
    a_stale_copy_is_refused(base)
    starts_without_a_copy(base)
    ends_where_it_may_not(base)
    killed(base)
    program = os.path.join(hooks_build("zan"), "zan")
    for point in POINTS:
        dies_at(point, base, program)


if __name__ == "__main__":
    main(run)
