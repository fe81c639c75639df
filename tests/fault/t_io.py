#!/usr/bin/python3
# zan-test: timeout=900
"""T06, T07: the nth call on a file of the data directory fails; once, or from then on.

Whatever fails, the server may answer "not now", or end with a message and a code that is not 0; it may
not acknowledge what the medium does not hold, and after a restart on a healthy disk everything
acknowledged is there. A failed sync must end it, and takes back what was not synced (see
tests/shim/preload_fault.c). Interrupted and short calls must do no harm at all.
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
from server import DEEP, Server, check_failed_stop, directory, main, seed, size

# kind, errno, once or sticky, short, what may come of it: "ends", "lives", "any"
CASES = [
    ("sync", errno.EIO, False, False, "ends"),
    ("sync", errno.EIO, True, False, "ends"),
    # No room is no failure while a new segment or a file of the store is made: nobody was told anything
    # yet, and it is tried again. Which sync is the nth, timing decides.
    ("sync", errno.ENOSPC, False, False, "any"),
    ("write", errno.EIO, False, False, "any"),
    ("write", errno.EIO, True, False, "any"),
    ("write", errno.ENOSPC, False, False, "any"),
    ("write", errno.ENOSPC, True, False, "any"),
    ("write", errno.EDQUOT, True, False, "any"),
    ("write", errno.EINTR, False, False, "lives"),
    ("write", 0, True, True, "lives"),
    ("read", errno.EIO, False, False, "any"),
    ("read", errno.EIO, True, False, "any"),
    ("read", errno.EINTR, False, False, "lives"),
    ("read", 0, True, True, "lives"),
    ("open", errno.EIO, False, False, "any"),
    ("open", errno.EMFILE, True, False, "any"),
    ("open", errno.ENOSPC, True, False, "any"),
    ("rename", errno.EIO, False, False, "any"),
    ("rename", errno.ENOSPC, True, False, "any"),
    ("truncate", errno.ENOSPC, True, False, "any"),
    ("truncate", errno.EIO, False, False, "any"),
    ("unlink", errno.EIO, True, False, "any"),
    ("mkdir", errno.EIO, False, False, "any"),
]
SYNC_EVERY = 20   # T06: n = 1..20


class Trial:
    """One case at one n: load, fault, end or not, restart, judge."""

    def __init__(self, case, nth, at_start, seed_):
        self.case, self.nth, self.at_start = case, nth, at_start
        data = directory()
        self.faults = Faults(data)
        self.server = Server(data=data, flush_seconds=1, segment_mb=1,
                             environment=self.faults.environment)
        self.crowd, self.judge = Crowd(seed_, 2), Judge()

    def __str__(self):
        kind, error, sticky, short, _ = self.case
        return "%s number %d%s: %s%s" % (
            kind, self.nth, " from the start" if self.at_start else "",
            "short" if short else errno.errorcode.get(error, "?"), ", and on" if sticky else "")

    def arm(self):
        kind, error, sticky, short, _ = self.case
        self.faults.arm([kind], self.nth, error, sticky, short, undo=kind == "sync")

    def run(self):
        """What came of it: ends, lives, refused (did not start), unreached."""
        self.prepare()
        if self.at_start:
            self.arm()
        try:
            self.server.start()
        except Gone:
            self.code = self.server.code
            self.ended(self.server.messages)
            return "refused"
        if not self.at_start:
            self.arm()
        self.crowd.load(self.server, limit=4000, seconds=1.4)
        fired = self.faults.get("fired")
        return self.outcome(fired)

    def prepare(self):
        """Something is there already: half of the starts are restarts after a kill."""
        if not self.at_start or self.nth % 2:
            return
        self.server.start()
        self.crowd.load(self.server, limit=1000)
        self.server.kill()
        self.server.start()
        self.judge.all(self.server, self.crowd)
        self.server.kill()

    def outcome(self, fired):
        if self.case[4] == "ends" and fired and not self.at_start:
            self.code = self.server.wait(timeout=20)
        else:
            self.code = self.server.end(self.crowd.cut_short())
            if self.code == 0:
                return "lives" if fired else "unreached"
        self.ended(self.server.messages)
        return "ends"

    def ended(self, messages):
        if self.case[4] == "lives":
            raise AssertionError("an interrupted or short call must do no harm, but it ended")
        check_failed_stop(self.code, messages)

    def judged(self):
        self.faults.heal()
        self.server.start()
        self.judge.all(self.server, self.crowd)
        if self.server.stop() != 0:
            raise AssertionError("the stop on a healthy disk failed")
        self.server.verify()
        shutil.rmtree(self.server.data, ignore_errors=True)


def trial(case, nth, at_start, seed_):
    one = Trial(case, nth, at_start, seed_)
    try:
        came = one.run()
        if case[4] == "lives" and one.crowd.refused():
            raise AssertionError("refused: %r" % one.crowd.refused())
        one.judged()
    except Exception:
        one.server.kill()
        print("%s\n%s" % (one, one.server.messages[-3000:]))
        raise
    return came


def plan(random_):
    """(case, n, at the start?). ci samples; deep takes every n until it is no longer reached."""
    if DEEP:
        return None
    trials = [(CASES[0], n, False) for n in range(1, SYNC_EVERY + 1)]
    # RocksDB reads what it ingests, and 7.8.3 takes a failing read for an empty file.
    trials += [(case, n, False) for case in CASES if case[:3] == ("read", errno.EIO, False)
               for n in range(1, 9)]
    for case in CASES[1:]:
        trials.append((case, int(random_.paretovariate(0.5)) % 300 + 1, False))
        trials.append((case, int(random_.paretovariate(0.7)) % 60 + 1, True))
    return trials[:size(len(trials), 0)]


def run():
    base = seed()
    random_ = random.Random(base)
    random.seed(base)
    came = {}
    trials = plan(random_)
    if trials is not None:
        for number, (case, nth, at_start) in enumerate(trials):
            result = trial(case, nth, at_start, base + number)
            came[result] = came.get(result, 0) + 1
    else:
        for case in CASES:
            for at_start in (True, False):
                for nth in range(1, 100000):
                    result = trial(case, nth, at_start, base + nth)
                    came[result] = came.get(result, 0) + 1
                    if result == "unreached":
                        break
    print(came)
    if came.get("ends", 0) + came.get("lives", 0) + came.get("refused", 0) < 10:
        raise AssertionError("void: hardly any fault was reached: %r" % came)


if __name__ == "__main__":
    main(run)
