#!/usr/bin/python3
# zan-test: timeout=900
"""T03: the process dies at every named point of the source, once each (deep: also later passes).

A run walks through stages until the point is reached: a new data directory, load with small segments
and a flush every second, a clean stop, a start, a kill, a start with a damaged copy of the log, a
start without the store. A point no stage reaches is a failure, unless tests/crash_points_elsewhere.txt
says which other test reaches it.
"""
import glob
import os
import random
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Gone
from crowd import Crowd, Judge
from hooks import hooks_build, named, table
from server import DEEP, Server, directory, main, seed


class Reached(Exception):
    """The process died where it was told to."""


def quiet_policy():
    """Without a rule: nothing is refused or cut, and the judges' file is written all the same."""
    path = os.path.join(directory(), "quiet.policy")
    with open(path, "w") as file:
        file.write("policy quiet version 1\n")
    return path


class Run:
    """One data directory and one crash point."""

    def __init__(self, program, point, nth, seed_):
        self.server = Server(data=directory(), program=program, flush_seconds=1, segment_mb=1,
                             policy=quiet_policy(),
                             environment={"ZAN_CRASH": "%s:%d" % (point, nth)})
        self.crowd, self.judge = Crowd(seed_, 3), Judge()

    def start(self):
        try:
            self.server.start()
        except Gone:
            raise Reached

    def load(self, seconds):
        self.crowd.load(self.server, seconds=seconds)
        if not self.server.alive():
            raise Reached
        self.confirm()

    def confirm(self):
        """Nothing was lost so far. Dying while it is asked is a crash like any other."""
        try:
            with self.server.client() as client:
                self.judge.settle(client, self.crowd)
        except Gone:
            raise Reached

    def stop(self):
        code = self.server.stop()
        if code == -9:
            raise Reached
        if code != 0:
            raise AssertionError("a clean stop ended with %d\n%s" % (code, self.server.messages))

    def stages(self):
        self.start()
        self.load(1.3)
        self.stop()
        self.start()
        self.load(0.3)
        self.server.kill()
        tear_tail(self.server.data)
        self.start()
        self.server.kill()
        harm_copy(self.server.data + "/log.a/p0")
        self.start()
        self.load(0.2)
        self.server.kill()
        shutil.rmtree(self.server.data + "/log.b", ignore_errors=True)
        for name in glob.glob(self.server.data + "/store*"):
            shutil.rmtree(name, ignore_errors=True)
        self.start()
        self.load(1.3)
        self.stop()

    def verify(self):
        self.server.kill()
        self.server.environment.pop("ZAN_CRASH")
        self.server.start()
        self.judge.all(self.server, self.crowd)
        code = self.server.stop()
        if code != 0:
            raise AssertionError("the stop after the recovery ended with %d" % code)
        self.server.verify()


def harm_copy(path):
    """One copy of the log loses the last segment, the header of the first and a bit in the middle."""
    segments = sorted(glob.glob(path + "/*.zlog"))
    for name, at in zip(segments, (100, 50000)):
        with open(name, "r+b") as file:
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 64]))
    if len(segments) > 2:
        os.truncate(segments[-1], os.path.getsize(segments[-1]) // 3)
        os.unlink(segments[-2])


def tear_tail(data):
    """Both copies end in a batch that was half written: there is something to cut off."""
    for copy in ("log.a", "log.b"):
        segments = sorted(glob.glob(data + "/" + copy + "/p0/*.zlog"))
        ends = [(name, len(open(name, "rb").read().rstrip(b"\0"))) for name in segments]
        name, end = [pair for pair in ends if pair[1] > 12288][-1]
        with open(name, "r+b") as file:
            file.seek((end + 63) // 8 * 8)
            file.write(b"torn" * 30)


def one(program, point, nth, seed_):
    """True if the point was reached (and nothing was lost)."""
    run = Run(program, point, nth, seed_)
    reached = False
    try:
        run.stages()
    except Reached:
        reached = True
    try:
        run.verify()
    except Exception:
        run.server.kill()
        print("point %s:%d, data %s\n%s" % (point, nth, run.server.data, run.server.messages))
        raise
    shutil.rmtree(run.server.data, ignore_errors=True)
    return reached


def run():
    base = seed()
    random.seed(base)
    program = os.path.join(hooks_build("zan"), "zan")
    elsewhere = dict(table("crash_points_elsewhere.txt"))
    points = [p for p in named("CRASH_POINT") if p not in elsewhere]
    only = os.environ.get("ZAN_ONLY")
    missed = []
    for number, point in enumerate(points):
        if only and only not in point:
            continue
        passes = [1] + [random.randint(2, 40) for _ in range(10 if DEEP else 0)]
        for nth in passes:
            reached = one(program, point, nth, base + number)
            if nth == 1 and not reached:
                missed.append(point)
        print("%-40s %s" % (point, "survived" if point not in missed else "NOT REACHED"),
              flush=True)
    for name in elsewhere:
        if name not in named("CRASH_POINT"):
            missed.append(name + " (in crash_points_elsewhere.txt but not in src)")
    if not points:
        raise AssertionError("there is no crash point in src")
    if missed:
        raise AssertionError("never reached: %s" % ", ".join(missed))


if __name__ == "__main__":
    main(run)
