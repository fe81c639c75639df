#!/usr/bin/python3
# zan-test: timeout=1800
"""T25: the test of the tests. Every bug planted on purpose must be found by the test that is named.

tests/planted*.txt holds lines  BUG<TAB>TEST  where TEST is a name as ctest knows it (unit.log.local,
model.twin), with settings before it if need be (ZAN_ROUNDS=20000 model.twin). In the build with hooks
each such test must pass as it is, and fail with ZAN_PLANT=BUG. A bug in src that no line names is a
failure; so is a line whose bug is not in src. The canary is a test that must fail without any bug.
"""
import glob
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from hooks import hooks_build, named, table
from server import SOURCE, main

SURE_TIMEOUT = 180


def planted():
    rows = []
    for path in sorted(glob.glob(os.path.join(SOURCE, "tests", "planted*.txt"))):
        rows += table(os.path.basename(path))
    return rows


def is_program(name):
    """unit.log.local is tests/unit/log/test_local.c."""
    *folders, last = name.split(".")
    return os.path.exists(os.path.join(SOURCE, "tests", *folders, "test_%s.c" % last))


def command(place, text):
    """The words and the environment that run a test without ctest around it."""
    *settings, name = text.split()
    environment = {**os.environ, "ZAN": os.path.join(place, "zan"), "ZAN_BUILD": place,
                   "ZAN_SOURCE": SOURCE}
    environment.update(setting.split("=", 1) for setting in settings)
    if is_program(name):
        return [os.path.join(place, "tests", "test." + name)], environment
    environment.setdefault("ZAN_SEED", "1")   # a program takes a seed to mean: only that one
    room, _, rest = name.partition(".")
    for suffix, interpreter in ((".py", sys.executable), (".sh", "bash")):
        script = os.path.join(SOURCE, "tests", room, "t_%s%s" % (rest, suffix))
        if os.path.exists(script):
            return [interpreter, script], environment
    raise AssertionError("there is no test %s" % name)


def outcome(place, text, bug=None):
    words, environment = command(place, text)
    if bug is not None:
        environment["ZAN_PLANT"] = bug
    environment.pop("ZAN_CRASH", None)
    try:
        done = subprocess.run(words, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SURE_TIMEOUT)
        return done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        return "timeout", ""


def check_names(rows):
    listed, present = {bug for bug, _ in rows}, set(named("PLANTED"))
    wrong = ["%s is in src but in no list" % bug for bug in sorted(present - listed)]
    wrong += ["%s is in a list but not in src" % bug for bug in sorted(listed - present)]
    return wrong


def run():
    rows, only = planted(), os.environ.get("ZAN_ONLY", "")
    wrong = check_names(rows)
    names = {text.split()[-1] for bug, text in rows if only in bug}
    place = hooks_build("zan", *["test." + name for name in sorted(names) if is_program(name)])
    healthy = {}
    if subprocess.run(["false"]).returncode == 0:
        raise AssertionError("the canary lives")
    survivors = []
    for bug, text in rows:
        if only not in bug:
            continue
        if text not in healthy:
            healthy[text], words = outcome(place, text)
            if healthy[text] != 0:
                wrong.append("%s does not pass without a bug (%s):\n%s" %
                             (text, healthy[text], words[-1500:]))
        if healthy[text] != 0:
            continue
        began = time.monotonic()
        code, _ = outcome(place, text, bug)
        found = code not in (0, 77)
        print("%-36s %-9s %s (%.1f s)" % (bug, "found" if found else "SURVIVES", text,
                                          time.monotonic() - began), flush=True)
        if not found:
            survivors.append(bug)
    print("%d planted, %d survive" % (len(rows), len(survivors)))
    if survivors:
        wrong.append("not found: %s" % ", ".join(survivors))
    if not rows:
        wrong.append("no bug is planted")
    if wrong:
        raise AssertionError("\n".join(wrong))


if __name__ == "__main__":
    main(run)
