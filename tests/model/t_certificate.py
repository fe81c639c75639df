#!/usr/bin/python3
# zan-test: timeout=300
"""T23: strict serializability by certificate, with kill -9 in between.

Sixteen clients write at the same time on the same few accounts and items, each with an operation id
and RETURN, so that every answer names its sequence number. That number is the certificate: in its
order, the writes must respect real time (what began after another was answered comes later) and give,
replayed on the twin, the same answers. Reads carry no number: a count that was read must be one the
item had between what was certainly done before and what can have been done until then.

After a kill, what was in the air is asked again with the same operation id. A phase in which less
than 200 answers a second came before the kill proves nothing and fails the test.
"""
import os
import selectors
import sys
import threading
import time
from bisect import bisect_left, bisect_right

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error, as_map
from drive import Differs, Generator, check_state, now_us
from server import TOY, Server, main, seed, size
from twin import Twin

CLIENTS = 16
GATE = 200


class Event:
    __slots__ = ("op", "began", "ended", "answer")

    def __init__(self, op, began):
        self.op, self.began, self.ended, self.answer = op, began, None, None


class Worker:
    """One client, one question at a time. An open question survives the server."""

    def __init__(self, number, seed_):
        self.generator = Generator(seed_ * 64 + number, states=0)
        shared = Generator(seed_, accounts=6, items=4)
        self.generator.accounts, self.generator.items = shared.accounts[5:], shared.items[5:]
        self.open = None
        self.resp = 2 + number % 2

    def ask(self, history):
        if self.open is not None and self.open.op[0] == "LIKES":
            self.open = None   # a read is not worth asking again
        if self.open is None:
            if self.generator.random.random() < 0.2:
                op = ("LIKES", self.generator.item())
            else:
                op = self.generator.write() + ("RETURN", "OPID", self.generator.opid())
            self.open = Event(op, time.monotonic_ns())
            history.append(self.open)
        self.client.send(self.open.op)

    def answered(self, value):
        self.open.ended, self.open.answer = time.monotonic_ns(), value
        self.open = None


def phase(server, workers, history, until, kill_after):
    """All clients at work until there are `until` events or the server is killed."""
    select = selectors.DefaultSelector()
    for worker in workers:
        worker.client = server.client(resp=worker.resp)
        select.register(worker.client.socket, selectors.EVENT_READ, worker)
    began, before = time.monotonic(), len(history)
    killer = threading.Timer(kill_after, server.process.kill) if kill_after else None
    if killer:
        killer.start()
    for worker in workers:
        try_ask(worker, history)
    at_work = set(workers)
    while at_work:
        for key, _ in select.select(timeout=30):
            worker = key.data
            if not take(worker) or (not killer and len(history) >= until) or \
                    not try_ask(worker, history):
                select.unregister(key.fileobj)
                worker.client.close()
                at_work.discard(worker)
    spent = min(time.monotonic() - began, kill_after or 1e9)
    if killer:
        killer.join()
    rate = (len(history) - before) / spent
    if rate < GATE:
        raise AssertionError("void: %.0f operations a second before the fault" % rate)
    return rate


def try_ask(worker, history):
    try:
        worker.ask(history)
        return True
    except Exception:
        return False


def take(worker):
    """Reads until the one answer is whole. False: the connection is over."""
    try:
        data = worker.client.socket.recv(1 << 16)
    except OSError:
        return False
    if not data:
        return False
    worker.client.reader.feed(data)
    values = worker.client.reader.take(1)
    while not values:
        data = worker.client.socket.recv(1 << 16)
        if not data:
            return False
        worker.client.reader.feed(data)
        values = worker.client.reader.take(1)
    worker.answered(values[0])
    return True


def finish(server, workers, history):
    """Asks again what is still open, one by one."""
    for worker in workers:
        if worker.open is not None:
            with server.client(resp=worker.resp) as client:
                worker.answered(client.call(*worker.open.op))


# --- the check -----------------------------------------------------------------------------------
def sequence(event):
    answer = as_map(event.answer)
    if not isinstance(answer, dict) or not isinstance(answer.get("sequence"), int):
        raise Differs("%s: no sequence number in %r" % (event.op, event.answer))
    if answer["sequence"] <= 0:
        raise Differs("%s: sequence %d" % (event.op, answer["sequence"]))
    return answer["sequence"]


def check_real_time(writes):
    """writes in the order of their numbers. Whoever comes later in it must not have been answered
    before this one was even asked."""
    first_end, who = None, None
    for number, event in reversed(writes):
        if first_end is not None and first_end < event.began:
            raise Differs("real time: %s (sequence %d) began after %s (sequence %d) was answered" %
                          (event.op, number, who[1].op, who[0]))
        if first_end is None or event.ended < first_end:
            first_end, who = event.ended, (number, event)


def check_replay(writes, twin):
    """The same answers from the twin. Gives the counts each item had, by sequence number."""
    counts = {}
    at_us = now_us()
    for number, event in writes:
        expected = twin.apply(event.op, at_us)
        answer = as_map(event.answer)
        if isinstance(expected, Error) or expected["applied"] != answer["applied"]:
            raise Differs("replay: %s at %d\n  twin:   %r\n  server: %r" %
                          (event.op, number, expected, answer))
        if not answer["replayed"]:
            for name in ("on", "flips"):
                if name in expected and expected[name] != answer[name]:
                    raise Differs("replay: %s at %d\n  twin:   %r\n  server: %r" %
                                  (event.op, number, expected, answer))
        item = event.op[2]
        if item in twin.items:
            counts.setdefault(item, []).append((number, twin.items[item].counts[0]))
    return counts


def check_reads(reads, writes, counts):
    """A count read must be one the item had in the window the read can have seen."""
    ends = sorted((event.ended, number) for number, event in writes)
    done = running_max([number for _, number in ends])
    begins = sorted((event.began, number) for number, event in writes)
    possible = running_max([number for _, number in begins])
    for event in reads:
        i = bisect_left(ends, (event.began,))
        j = bisect_right(begins, (event.ended, 1 << 63))
        lower = done[i - 1] if i else 0
        upper = possible[j - 1] if j else 0
        steps = counts.get(event.op[1], [])
        start = bisect_right(steps, (lower, 1 << 63)) - 1
        stop = bisect_right(steps, (upper, 1 << 63))
        seen = {count for _, count in steps[max(start, 0):stop]}
        if start < 0:
            seen.add(0)
        if event.answer[0] not in seen:
            raise Differs("%s read %r, but between sequences %d and %d it was one of %s" %
                          (event.op, event.answer, lower, upper, sorted(seen)))


def running_max(numbers):
    out, most = [], 0
    for number in numbers:
        most = max(most, number)
        out.append(most)
    return out


def check_history(history, twin):
    writes = sorted(((sequence(e), e) for e in history if e.op[0] != "LIKES"),
                    key=lambda pair: pair[0])
    for (a, first), (b, second) in zip(writes, writes[1:]):
        if a == b:
            raise Differs("sequence %d twice:\n  %s\n  %s" % (a, first.op, second.op))
    check_real_time(writes)
    counts = check_replay(writes, twin)
    reads = [e for e in history if e.op[0] == "LIKES" and e.ended is not None]
    check_reads(reads, writes, counts)
    return len(writes), len(reads)


def run():
    base = seed()
    total = size(100000, 10000000)
    per_run = min(total, 50000)
    writes = reads = kills = 0
    for number in range(max(1, total // per_run)):
        workers = [Worker(i, base + number) for i in range(CLIENTS)]
        history, twin = [], Twin()
        settings = dict() if TOY else dict(flush_seconds=1, segment_mb=1)
        with Server(**settings) as server:
            while len(history) < per_run * 0.8:
                pause = workers[0].generator.random.uniform(0.5, 2.0)
                rate = phase(server, workers, history, per_run, pause)
                server.kill()
                server.start()
                kills += 1
            phase(server, workers, history, len(history) + per_run // 5, None)
            finish(server, workers, history)
            w, r = check_history(history, twin)
            with server.client() as client:
                check_state(client, twin)
        writes, reads = writes + w, reads + r
        print("%d writes and %d reads in order, %d kills, last phase %.0f/s" %
              (writes, reads, kills, rate), flush=True)


if __name__ == "__main__":
    main(run)
