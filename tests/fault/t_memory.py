#!/usr/bin/python3
# zan-test: timeout=600
"""T08: the nth allocation gives nothing; at the start, or in the middle of the work.

Allowed: an error for one request, or the clean stop (exit code not 0 and a message). RocksDB and
libmicrohttpd are not ours: RocksDB, being C++, ends the process by std::terminate (SIGABRT, with its
words); that is the documented stop for them. Never allowed: a wild pointer (SIGSEGV, SIGBUS), a lost
acknowledgement, a partial effect.
"""
import errno
import os
import random
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Gone
from crowd import Crowd, Judge
from faults import Faults
from server import Server, directory, main, seed, size


def counted():
    """How many allocations a start and a run make, so that n can be drawn from all of them."""
    data = directory()
    faults = Faults(data)
    server = Server(data=data, flush_seconds=1, segment_mb=1, environment=faults.environment)
    server.start()
    start = faults.calls("malloc")
    Crowd(1, 2).load(server, limit=3000, seconds=1.4)
    server.stop()
    return start, faults.calls("malloc") - start


def judge_end(code, messages, what):
    if code in (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE):
        raise AssertionError("%s: it crashed, code %d\n%s" % (what, code, messages[-2000:]))
    if not messages.strip():
        raise AssertionError("%s: it ended (%d) without a word" % (what, code))


def one(nth, at_start, sticky, seed_):
    data = directory()
    faults = Faults(data)
    server = Server(data=data, flush_seconds=1, segment_mb=1, environment=faults.environment)
    crowd, judge = Crowd(seed_, 2), Judge()
    what = "allocation %d%s%s" % (nth, " of the start" if at_start else "",
                                  " and on" if sticky else "")
    came = "lives"
    if at_start:
        faults.arm(["malloc"], nth, errno.ENOMEM, sticky)
    try:
        server.spawn()
        server.client().close()
        if not at_start:
            faults.arm(["malloc"], nth, errno.ENOMEM, sticky)
        crowd.load(server, limit=3000, seconds=1.2)
    except Gone:
        pass
    try:
        if server.alive():
            code = server.stop()
        else:
            code = server.wait()
        if code != 0:
            came = "ends (%d)" % code
            judge_end(code, server.messages, what)
        if not faults.get("fired"):
            came = "unreached"
        faults.heal()
        server.start()
        judge.all(server, crowd)
        server.kill()
    except Exception:
        server.kill()
        print("%s, data %s\n%s" % (what, data, server.messages[-2000:]))
        raise
    shutil.rmtree(data, ignore_errors=True)
    return came


def run():
    base = seed()
    random_ = random.Random(base)
    random.seed(base)
    start, work = counted()
    print("%d allocations to start, %d to work" % (start, work), flush=True)
    came = {}
    for number in range(size(60, 4000)):
        at_start = number % 2 == 0
        nth = random_.randint(1, start if at_start else max(work, 1))
        result = one(nth, at_start, random_.random() < 0.3, base + number)
        came[result] = came.get(result, 0) + 1
    print(came)


if __name__ == "__main__":
    main(run)
