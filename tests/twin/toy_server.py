#!/usr/bin/python3
"""toy_server.py: a server made of the twin, so that the harness can be tested without the product.

Slow, single-threaded, honest: every write is in a journal before it is answered, and the journal is
replayed at start. TOY_PLANT names a bug to plant; tests/model/t_harness.py plants each and requires
the harness to see it:

  ack_first     answers before the journal has it: a kill loses acknowledged writes
  no_sync       answers before the journal is on the medium: a power cut loses writes
  forget_opid   forgets operation ids at restart: a retried event counts twice
  lose_one      leaves out every 500th write at replay
  count_plus    says one like too many at every 50th LIKES
  wrong_order   lists oldest first
  reorder       gives sequence numbers that go back now and then
"""
import json
import os
import selectors
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from client import Error, Reader
from twin import GIVEN, TAKEN, Twin, split_options

WRITES = {"LIKE", "UNLIKE", "FAVORITE", "UNFAVORITE", "FOLLOW", "UNFOLLOW", "REPORT", "VIEW",
          "SHARE", "COMMENT", "SKIP", "ACT"}
PLANT = os.environ.get("TOY_PLANT", "")


def typed(words):
    """Ids as numbers: the first one or two of a write, all of a read."""
    out, stop = [], False
    for word in words:
        stop = stop or word == "OPID"
        out.append(int(word) if not stop and word.isdigit() else word)
        if word not in ("OPID",) and stop and len(out) > 1 and out[-2] == "OPID":
            stop = False
    return tuple(out)


class Toy:
    def __init__(self, path, unknown):
        self.path, self.unknown = path, unknown
        self.twin = Twin(unknown)
        self.sequence, self.lookups, self.pending = 0, 0, []
        self.sequences = {}
        os.makedirs(path, exist_ok=True)
        name = os.path.join(path, "journal")
        if os.path.exists(name):
            for number, line in enumerate(open(name)):
                if not line.endswith("\n") or "\0" in line:
                    break
                now_us, op = json.loads(line)
                if PLANT == "lose_one" and number % 500 == 499:
                    continue
                self.write(tuple(op), now_us)
            if PLANT == "forget_opid":
                self.twin.operations.clear()
        self.journal = open(name, "a")

    def write(self, op, now_us):
        before = self.twin.changes
        answer = self.twin.apply(op, now_us)
        _, options = split_options(op)
        key = options.get("OPID")
        if isinstance(answer, Error) and key is None:
            return answer
        if self.twin.changes != before:
            self.sequence += self.twin.changes - before
        elif key is not None and not (isinstance(answer, dict) and answer["replayed"]):
            self.sequence += 1
        if isinstance(answer, dict):
            answer = dict(answer)
            fresh = self.twin.changes != before or (key is not None and not answer["replayed"])
            number = self.sequence if fresh else 0
            if key is not None:
                number = self.sequences.setdefault(key, number)
            if PLANT == "reorder" and number % 50 == 0 and number:
                number -= 30
            answer["sequence"] = number
        elif key is not None:
            self.sequences.setdefault(key, self.sequence)
        return answer

    def answer(self, op):
        verb = op[0]
        if verb == "PING":
            return "PONG", None
        if verb == "SEQ":
            return [self.sequence], None
        if verb in WRITES or (verb in ("ITEM", "ACCOUNT") and op[1] != "GET"):
            now_us = time.time_ns() // 1000
            answer = self.write(op, now_us)
            return answer, json.dumps([now_us, op]) + "\n"
        if verb in TAKEN or verb in GIVEN:
            return self.page(op), None
        answer = self.twin.apply(op)
        if verb == "LIKES":
            self.lookups += 1
            if PLANT == "count_plus" and self.lookups % 50 == 0:
                answer = [n + 1 for n in answer]
        return answer, None

    def page(self, op):
        ids = self.twin.apply(op[:2])
        if PLANT == "wrong_order":
            ids.reverse()
        options = dict(zip(op[2::2], op[3::2]))
        left = int(options.get("CURSOR", len(ids)))  # how many are not told yet
        start = len(ids) - left
        count = int(options.get("COUNT", 100))
        more = start + count < len(ids)
        now_ms = time.time_ns() // 1000000
        return [str(left - count if more else 0),
                [[str(i), now_ms] for i in ids[start:start + count]]]


def wire(value, resp):
    if isinstance(value, Error):
        return "-%s no\r\n" % value.code
    if isinstance(value, int):
        return ":%d\r\n" % value
    if value is None:
        return "$-1\r\n" if resp == 2 else "_\r\n"
    if isinstance(value, str):
        return "$%d\r\n%s\r\n" % (len(value), value)
    if isinstance(value, dict):
        flat = [x for pair in value.items() for x in pair]
        head = "%%%d\r\n" % len(value) if resp == 3 else "*%d\r\n" % len(flat)
        return head + "".join(wire(x, resp) for x in flat)
    return "*%d\r\n" % len(value) + "".join(wire(x, resp) for x in value)


def main():
    arguments = sys.argv[1:]
    options = dict(zip(arguments[::2], arguments[1::2]))
    toy = Toy(options["--data"], options.get("--unknown", "create"))
    host, port = options["--resp"].rsplit(":", 1)
    door = socket.create_server((host, int(port)), backlog=100)
    select = selectors.DefaultSelector()
    select.register(door, selectors.EVENT_READ, None)
    while True:
        for key, _ in select.select():
            if key.data is None:
                peer, _ = door.accept()
                select.register(peer, selectors.EVENT_READ, [Reader(), 2])
                continue
            turn(toy, select, key.fileobj, key.data)


def turn(toy, select, peer, state):
    try:
        data = peer.recv(1 << 18)
    except OSError:
        data = b""
    if not data:
        select.unregister(peer)
        peer.close()
        return
    reader, _ = state
    reader.feed(data)
    out, lines = [], []
    for words in reader.take(1 << 30):
        op = typed(words)
        if op[0] == "HELLO":
            state[1] = op[1]
            out.append(wire({"server": "toy", "proto": op[1]}, op[1]))
            continue
        answer, line = toy.answer(op)
        out.append(wire(answer, state[1]))
        if line:
            lines.append(line)
    toy.pending += lines
    if PLANT == "ack_first" and len(toy.pending) < 400:
        lines = []
    if lines:
        toy.journal.write("".join(toy.pending))
        toy.journal.flush()
        if PLANT != "no_sync":
            os.fdatasync(toy.journal.fileno())
        toy.pending = []
    try:
        peer.sendall("".join(out).encode("latin-1"))
    except OSError:
        pass


if __name__ == "__main__":
    main()
