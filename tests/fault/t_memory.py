#!/usr/bin/python3
# zan-test: timeout=600
"""T08: the nth allocation gives nothing; at the start, or in the middle of the work.

"own" allocations are those the program asks for itself: it must go on with an error for one request, or
end with a message and a code, and never by a signal. Of the others, the libraries', we can only ask
that nothing is lost: RocksDB, being C++, ends the process by std::terminate, LZ4 under it writes
through the null pointer, and libseccomp 2.5 never comes back from building its filter (a node that is
supervised is started again by then). Either way: no acknowledged write is missing afterwards, no effect
is partial.
"""
import errno
import os
import random
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Gone
from crowd import Crowd, Judge
from faults import Faults
from server import Server, directory, main, seed, size


def fresh():
    data = directory()
    faults = Faults(data)
    return faults, Server(data=data, flush_seconds=1, segment_mb=1,
                          environment=faults.environment)


def counted():
    """How many allocations of each kind a start and a run make: n is drawn from all of them."""
    faults, server = fresh()
    server.start()
    start = {kind: faults.calls(kind) for kind in ("malloc", "own")}
    Crowd(1, 2).load(server, limit=3000, seconds=1.4)
    server.stop()
    return start, {kind: faults.calls(kind) - start[kind] for kind in start}


def judge_end(kind, code, messages, what):
    """The banner is always there; an end must say more."""
    words = [line for line in messages.splitlines() if line.startswith(("zan:", "terminate"))]
    if kind == "own" and (code < 0 or not words):
        raise AssertionError("%s: it ended with %d and %r" % (what, code, words))


def one(kind, nth, at_start, sticky, seed_):
    faults, server = fresh()
    crowd, judge = Crowd(seed_, 2), Judge()
    what = "%s allocation %d%s%s" % (kind, nth, " of the start" if at_start else "",
                                     " and on" if sticky else "")
    came = "lives"
    if at_start:
        faults.arm([kind], nth, errno.ENOMEM, sticky)
    try:
        server.spawn()
        server.client().close()
        if not at_start:
            faults.arm([kind], nth, errno.ENOMEM, sticky)
        crowd.load(server, limit=3000, seconds=1.2)
    except Gone:
        pass
    try:
        code = server.end(crowd.cut_short(), may_hang=kind == "malloc")
        if code != 0:
            came = "ends (%d)" % code
            judge_end(kind, code, server.messages, what)
        if not faults.get("fired"):
            came = "unreached"
        faults.heal()
        server.start()
        judge.all(server, crowd)
        server.kill()
    except Exception:
        server.kill()
        print("%s, data %s\n%s" % (what, server.data, server.messages[-2000:]))
        raise
    shutil.rmtree(server.data, ignore_errors=True)
    return came


def run():
    base = seed()
    random_ = random.Random(base)
    random.seed(base)
    start, work = counted()
    print("to start %r, to work %r" % (start, work), flush=True)
    came = {}
    for number in range(size(45, 4000)):
        kind = ("own", "own", "malloc")[number % 3]
        at_start = random_.random() < 0.5 or work[kind] < 5
        nth = random_.randint(1, (start if at_start else work)[kind])
        result = one(kind, nth, at_start, random_.random() < 0.3, base + number)
        came[kind, result] = came.get((kind, result), 0) + 1
    for (kind, result), count in sorted(came.items()):
        print("%-7s %-12s %d" % (kind, result, count))


if __name__ == "__main__":
    main(run)
