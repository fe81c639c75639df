#!/usr/bin/python3
# zan-test: timeout=600
"""T01, T02: kill -9 at a random moment under load, again and again, also while it recovers.

Several connections write with operation ids; the test keeps every answer it was given. After each
kill it asks everything of that cycle again: an acknowledged write must get the same answer at the
same sequence number, one that was in the air must now get the twin's answer. Then every count, edge
and list is compared with the twin. The accounts of two connections never meet, so that the order
between connections cannot change an answer; the order within one is kept by the server.
"""
import os
import random
import selectors
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error, Gone, as_map
from drive import Differs, Generator, check, check_state, now_us, walk
from server import TOY, Server, directory, main, seed, size
from twin import Twin

STREAMS = 4
WINDOW = 100          # writes in the air on one connection
NEW_DIRECTORY = 100   # cycles on one data directory
KEEP_ACKED = 20000    # older acknowledged writes that are asked again now and then


class Stream:
    """One connection: accounts of its own, items shared with all."""

    def __init__(self, number, seed_):
        self.generator = Generator(seed_ * 16 + number, accounts=100, items=60, states=0)
        self.generator.items = Generator(seed_, items=60).items
        base = (number + 1) << 50
        self.generator.accounts = [base + i for i in range(100)]
        self.asked, self.got = [], []

    def more(self):
        op = self.generator.write() + ("RETURN", "OPID", self.generator.opid())
        self.asked.append(op)
        return op


def load(server, streams, milliseconds):
    """Writes on all connections until the killer has killed; what was answered is kept."""
    select = selectors.DefaultSelector()
    for stream in streams:
        stream.asked, stream.got = [], []
        stream.client = server.client(resp=stream.resp)
        select.register(stream.client.socket, selectors.EVENT_READ, stream)
    killer = threading.Timer(milliseconds / 1000, server.process.kill)
    killer.start()
    try:
        for stream in streams:
            stream.client.send(*[stream.more() for _ in range(WINDOW)])
    except Gone:
        pass
    open_ = len(streams)
    while open_:
        for key, _ in select.select(timeout=30):
            if not turn(key.data):
                select.unregister(key.fileobj)
                key.data.client.close()
                open_ -= 1
    killer.join()
    server.kill()


def turn(stream):
    """Takes what has come, asks as much again. False: the connection is over."""
    try:
        data = stream.client.socket.recv(1 << 18)
        if not data:
            return False
        stream.client.reader.feed(data)
        answers = stream.client.reader.take(1 << 30)
        stream.got += answers
        if answers:
            stream.client.send(*[stream.more() for _ in answers])
        return True
    except (OSError, Gone):
        return False


def recover(server, random_):
    """Starts again; one time in four it is killed while it does (T02). Returns how often."""
    kills = 0
    while random_.random() < 0.25 and kills < 3:
        server.spawn()
        time.sleep(random_.random() ** 2 * 0.15)
        server.kill()
        kills += 1
    server.start()
    return kills


class Judge:
    """Holds the twin and every acknowledged sequence number of one data directory."""

    def __init__(self):
        self.twin = Twin()
        self.sequences = {}
        self.acked = []

    def cycle(self, client, streams):
        at_us = now_us()
        for stream in streams:
            answers = client.many(stream.asked)
            for op, again, number in zip(stream.asked, answers, range(len(answers))):
                first = stream.got[number] if number < len(stream.got) else None
                self.one(op, first, again, at_us)
        self.old(client)

    def one(self, op, first, again, at_us):
        expected = self.twin.apply(op, at_us)
        if isinstance(expected, Error):
            check(op, expected, again)
            return
        again = as_map(again)
        check(op, {"applied": expected["applied"]}, again)
        if first is not None:
            first = as_map(first)
            check(op, {"applied": first["applied"], "sequence": first["sequence"],
                       "replayed": 1}, again)
        self.sequence(op, again["sequence"])

    def sequence(self, op, number):
        """Two operations never share a record (an ACT may have several, its last is told)."""
        if number <= 0:
            raise Differs("%s: an operation id without a sequence number" % (op,))
        other = self.sequences.setdefault(number, op)
        if other != op:
            raise Differs("sequence %d was given twice:\n  %s\n  %s" % (number, other, op))
        self.acked.append((op, number))

    def old(self, client):
        """Acknowledged long ago and still so."""
        self.acked = self.acked[-KEEP_ACKED:]
        some = random.sample(self.acked, min(300, len(self.acked)))
        for (op, number), got in zip(some, client.many([op for op, _ in some])):
            check(op, {"sequence": number, "replayed": 1}, got)

    def state(self, client):
        """Lists of an item hold several connections' accounts: in the order of their sequences
        only the server knows, so here as sets; each account's own lists exactly."""
        twin = Twin()
        twin.__dict__.update(self.twin.__dict__)
        twin.taken = {}
        check_state(client, twin, lists=30, edges=500)
        for (kind, target), likers in random.sample(sorted(self.twin.taken.items()), 10):
            verb = {0: "LIKERS", 1: "FAVORITERS", 2: "FOLLOWERS"}[kind]
            got = walk(client, (verb, target), 100)
            if sorted(got) != sorted(likers):
                raise Differs("%s %d\n  twin:   %r\n  server: %r" %
                              (verb, target, sorted(likers), sorted(got)))
        highest = max(self.sequences)
        if not TOY and max(client.call("SEQ")) < highest:
            raise Differs("SEQ is below the acknowledged %d" % highest)


def run():
    base = seed()
    random_ = random.Random(base)
    random.seed(base)
    cycles, acks, kills, slowest, server = size(200, 3000), 0, 0, 0.0, None
    for cycle in range(cycles):
        if cycle % NEW_DIRECTORY == 0:
            server = Server(data=directory(), flush_seconds=1, segment_mb=1).start()
            streams = [Stream(i, base + cycle) for i in range(STREAMS)]
            judge = Judge()
        for stream in streams:
            stream.resp = random_.choice((2, 3))
        load(server, streams, random_.uniform(1, 250))
        try:
            kills += recover(server, random_)
            slowest = max(slowest, server.start_seconds)
            with server.client() as client:
                judge.cycle(client, streams)
                judge.state(client)
        except Exception:
            print("cycle %d, data %s\n%s" % (cycle, server.data, server.messages[-2000:]))
            raise
        acks += sum(len(stream.got) for stream in streams)
        if cycle % 20 == 19:
            print("%d cycles, %d kills while recovering, %d acknowledged, slowest start %.2f s" %
                  (cycle + 1, kills, acks, slowest), flush=True)
    server.kill()
    if acks < cycles * 20:
        raise AssertionError("void: only %d acknowledged writes in %d cycles" % (acks, cycles))


if __name__ == "__main__":
    main(run)
