#!/usr/bin/python3
# zan-test: timeout=600 labels=plain
"""zan simulate: its figures of the log are the log's, the same seed ends with the same table, what
it measures can go wrong, honest crowds go unharmed, and it leaves nothing behind.

Deep: every scenario, ten seeds of the honest ones, 10^6 sequences of third parties."""
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from server import DEEP, SOURCE, Server, binary, die_with_the_test, directory, main

SCALE = "0.1"
DAY_MS = 86400000
SLOT = 1 << 40            # the first run on a server that is there has ids above this
SLOT_MS = 315504000000    # and its scenario begins here
HONEST = ["world", "viral", "school", "nat", "live", "cleanup"]


def simulate(*options, code=0, settings=(), temporary=None):
    """Runs it; returns the report, or the output if it is no report."""
    words = [binary(), "simulate", "--scale", SCALE, "--quiet", *map(str, options)]
    if settings:
        words += ["--", *settings]
    environment = dict(os.environ, TMPDIR=temporary or directory())
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=3000,
                          preexec_fn=die_with_the_test)
    assert done.returncode in (code if isinstance(code, tuple) else (code,)), \
        "%s ended with %d:\n%s%s" % (words, done.returncode, done.stdout, done.stderr)
    assert not os.listdir(environment["TMPDIR"]), "it left %s" % os.listdir(environment["TMPDIR"])
    return json.loads(done.stdout) if "--json" in options else done.stdout + done.stderr


def verdicts(report, scenario):
    return {key: row["verdict"] for key, row in report["scenarios"][scenario].items()}


def test_the_figures_are_the_logs():
    made = subprocess.run([os.path.join(SOURCE, "scripts", "simulate-facts")], capture_output=True,
                          text=True, check=True).stdout
    with open(os.path.join(SOURCE, "src", "cli", "simulate_facts.h")) as file:
        assert file.read() == made, "run scripts/simulate-facts >src/cli/simulate_facts.h"


def test_a_slip_is_told():
    assert "did you mean viral" in simulate("--scenario", "virral", code=2)
    assert "sabotage" in simulate("--list")
    assert "choose one scenario" in simulate("--to", "127.0.0.1:1", code=2)


def test_the_same_seed_ends_with_the_same_table():
    one, two = (simulate("--scenario", "sabotage", "--json", code=(0, 3)) for _ in "ab")
    assert one == two, (one, two)
    for key in ("x1.heat", "x10.heat", "x100.heat"):
        assert verdicts(one, "sabotage")[key] == "met", (key, one["scenarios"]["sabotage"][key])
    other = simulate("--scenario", "sabotage", "--json", "--seed", 2, code=(0, 3))
    assert other["acts"] != one["acts"], "another seed is another world"


def test_honest_people_go_unharmed():
    for scenario in HONEST if DEEP else ("world", "school"):
        report = simulate("--scenario", scenario, "--json", *(("--seeds", 10) if DEEP else ()))
        found = verdicts(report, scenario)
        assert set(found.values()) <= {"met", "told"}, (scenario, found)
        if scenario == "world":
            assert found["like-rate"] == found["taken-back"] == found["hours"] == "met", found


def test_brushing_gains_nothing():
    """The mechanism is tested in unit.engine.trust_crowd; the whole of it takes its time."""
    if DEEP:
        report = simulate("--scenario", "brushing", "--json", "--seeds", 10)
        assert set(verdicts(report, "brushing").values()) <= {"met", "told"}, report


def test_others_change_no_standing():
    sequences = 1000000 if DEEP else 20000
    report = simulate("--scenario", "third-parties", "--sequences", sequences, "--json")
    row = report["scenarios"]["third-parties"]["standing"]
    assert row["verdict"] == "met" and row["result"] == 0, row
    assert report["scenarios"]["third-parties"]["checks"]["result"] >= 1000, report


def test_a_changed_standing_is_seen():
    """Accounts that somebody has restricted before the simulator comes: it must find every one."""
    with Server(clock="requests", http="off", sync="none") as server:
        with server.client() as client:
            for account in range(SLOT + 1, SLOT + 2000):
                answer = client.call("ACCOUNT", "STATE", account, "like-banned", "UNTIL",
                                     SLOT_MS + 30 * DAY_MS, "CTX", "TIME", SLOT_MS - 30 * DAY_MS)
                assert answer == 1, answer
        report = simulate("--scenario", "live", "--to", "127.0.0.1:%d" % server.port, "--json",
                          code=3)
    found = report["scenarios"]["live"]
    assert found["sanctions"]["verdict"] == "MISSED" and found["sanctions"]["result"] > 100, found


def test_time_is_what_requests_say():
    """One pipeline, several times: each request is judged at its own, and time never goes back."""
    at = 1000000000000
    with Server(clock="requests", http="off") as server, server.client() as client:
        answers = client.many([
            ("ACCOUNT", "STATE", 1, "like-banned", "UNTIL", at + 10000, "CTX", "TIME", at),
            ("LIKE", 1, 5, "CTX", "TIME", at + 9000),
            ("LIKE", 1, 6),
            ("LIKE", 1, 5, "CTX", "TIME", at + 11000),
            ("ACCOUNT", "STATE", 1, "like-banned", "UNTIL", at + 11000, "CTX", "TIME", at + 500),
            ("LIKE", 1, 7, "CTX", "TIME", at + 600),
        ])
    codes = [getattr(answer, "code", answer) for answer in answers]
    assert codes == [1, "SUSPENDED", "SUSPENDED", 1, "BADVALUE", 1], codes


def test_no_minute_crashes_a_video():
    """What was taken back fades under the rules; without them the same mob takes it at once."""
    met = verdicts(simulate("--scenario", "mob", "--json"), "mob")
    assert met["club.minute"] == met["people.minute"] == met["club.left"] == "met", met
    bare = verdicts(simulate("--scenario", "mob", "--json", code=3,
                             settings=("--policy", "none")), "mob")
    assert bare["club.minute"] == bare["people.minute"] == "MISSED", bare


def unjudged():
    """The setting of a server that scores nothing, if there is a scorer."""
    told = subprocess.run([binary(), "serve", "--help"], capture_output=True, text=True).stdout
    found = re.search(r"--(trust|scorer|scoring) \S*\boff\b", told)
    return ("--" + found.group(1), "off") if found else ()


def test_attacks_win_where_nobody_judges():
    """The measures of attacks can fail: without a scorer every fake like counts."""
    report = simulate("--scenario", "sabotage", "--json", code=3, settings=unjudged())
    for key in ("x1.heat", "x10.heat", "x100.heat"):
        row = report["scenarios"]["sabotage"][key]
        assert row["verdict"] == "MISSED" and row["result"] > 90, (key, row)
    assert report["scenarios"]["sabotage"]["x1.standing"]["verdict"] == "met", report


def test_interrupted_it_leaves_nothing():
    temporary = directory()
    process = subprocess.Popen([binary(), "simulate", "--scale", SCALE, "--quiet"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=dict(os.environ, TMPDIR=temporary),
                               preexec_fn=die_with_the_test)
    for _ in range(600):
        if os.listdir(temporary):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode not in (0, 3), (process.returncode, errors)
    assert not os.listdir(temporary), os.listdir(temporary)


def run():
    test_the_figures_are_the_logs()
    test_a_slip_is_told()
    test_the_same_seed_ends_with_the_same_table()
    test_honest_people_go_unharmed()
    test_brushing_gains_nothing()
    test_others_change_no_standing()
    test_a_changed_standing_is_seen()
    test_time_is_what_requests_say()
    test_attacks_win_where_nobody_judges()
    test_interrupted_it_leaves_nothing()


main(run)
