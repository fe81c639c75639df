#!/usr/bin/python3
# zan-test: timeout=600
"""G14, T10: a node in operation finds what is wrong with itself.

With a bug planted in the engine the self-audit sees that a count is not its edges: it tells where,
writes end, reads go on, and the next start makes the state again from the log. A bit that flips in a
sealed segment of the running node is mended from the other copy; one lost in both copies ends writes."""
import glob
import json
import os
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error
from hooks import hooks_build
from server import Server, free_port, main

DATA = 12288   # where the frames of a segment begin


def info(client):
    lines = client.call("INFO", "zan").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def until(what, server, true, patience=60):
    client = server.client()
    end = time.monotonic() + patience
    while True:
        seen = info(client)
        if true(seen):
            return seen
        assert time.monotonic() < end, "%s did not come: %r" % (what, seen)
        time.sleep(0.05)


def readyz(server):
    try:
        with urllib.request.urlopen("http://%s/readyz" % server.settings["http"]) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def metric(server, name):
    with urllib.request.urlopen("http://%s/metrics" % server.settings["http"]) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith("zan_%s " % name):
                return int(line.split()[1])
    raise AssertionError("no metric %s" % name)


def refuses_writes(server):
    client = server.client()
    end = time.monotonic() + 30
    for account in range(1000000, 2000000):   # every partition hears of it at its next turn
        answer = client.call("LIKE", account, 1)
        if isinstance(answer, Error):
            break
        assert time.monotonic() < end, "a write was taken"
        time.sleep(0.05)
    for account in range(2000000, 2000010):
        answer = client.call("LIKE", account, 1)
        assert isinstance(answer, Error) and answer.code == "READONLY", answer
    assert client.call("LIKES", 1)[0] >= 0
    status, body = readyz(server)
    assert status == 503 and body["mode"] == "readonly" and not body["ready"], body


def fill(server, likes, items=37):
    client = server.client()
    answers = client.many([("LIKE", i % 997, i % items) for i in range(likes)])
    assert not any(isinstance(answer, Error) for answer in answers)
    return client


def a_bug_of_the_engine(program, partitions):
    server = Server(program=program, http="127.0.0.1:%d" % free_port(), flush_seconds=1,
                    audit_rate=1000, partitions=partitions,
                    environment={"ZAN_PLANT": "engine.given_only_grows"})
    with server:
        client = fill(server, 2000)
        client.many([("UNLIKE", i, i % 37) for i in range(500)])
        seen = until("the alarm", server, lambda seen: int(seen["audit_differences"]) > 0)
        assert seen["mode"] == "readonly" and "given by account" in seen["alarm"], seen
        assert metric(server, "audit_differences_total") > 0
        refuses_writes(server)
        assert server.stop() == 0
    assert "ALARM: self-audit" in server.messages, server.messages
    server.environment = {}
    with server:   # the state is made again, and all is well
        seen = until("a round", server, lambda seen: int(seen["audit_rounds"]) >= partitions)
        assert seen["audit_differences"] == "0" and seen["mode"] == "normal", seen
        assert int(seen["audit_records"]) > 0
        assert server.client().call("LIKE", 5, 5000) == 1
        assert server.stop() == 0
    assert "REBUILT" in server.messages, server.messages
    server.verify()


def flip(path, offset):
    with open(path, "r+b", buffering=0) as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 4]))


def rot_under_a_running_node(program):
    server = Server(program=program, http="127.0.0.1:%d" % free_port(), segment_mb=1, scrub_mb_s=200)
    with server:
        segment = [glob.glob(os.path.join(server.data, "log.%s" % copy, "**", "%016d.zlog" % 1),
                             recursive=True)[0] for copy in "ab"]
        fill(server, 220000, 331)
        until("a round", server, lambda seen: int(seen["scrub_bytes"]) > 2 << 20)
        for number, (path, offset) in enumerate(
                [(segment[0], DATA + 40000), (segment[1], DATA + 300000), (segment[0], 20),
                 (segment[1], 4096 + 30)], 1):
            with open(path, "rb") as file:
                before = file.read(4096)
            flip(path, offset)
            until("the repair", server, lambda seen: int(seen["scrub_repaired"]) == number)
            with open(path, "rb") as file:
                assert offset >= 4096 or file.read(4096) == before
        with open(segment[0], "rb") as a, open(segment[1], "rb") as b:
            assert a.read()[DATA:] == b.read()[DATA:]
        assert metric(server, "scrub_repaired_total") == 4
        assert server.client().call("LIKE", 1, 10 ** 6) == 1
        assert server.stop() == 0
    assert "was mended" in server.messages
    server.verify()
    with server:
        fill(server, 100)
        for path in segment:
            flip(path, DATA + 40000)
        seen = until("the loss", server, lambda seen: int(seen["scrub_lost"]) > 0)
        assert os.path.basename(segment[0]) in seen["alarm"], seen
        refuses_writes(server)
        for path in segment:
            flip(path, DATA + 40000)
        server.stop()
    server.verify()


def run():
    program = os.path.join(hooks_build("zan"), "zan")
    a_bug_of_the_engine(program, 1)
    a_bug_of_the_engine(program, 2)
    rot_under_a_running_node(program)


main(run)
