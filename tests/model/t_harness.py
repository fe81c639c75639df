#!/usr/bin/python3
# zan-test: timeout=300
"""The test of the tests outside the product: the harness is run against toy_server.py, first honest
(it must pass), then with each bug planted in the toy (it must see every one)."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
# bug: which test must see it, with how much work
PLANTED = {
    "lose_one": ("model/t_twin.py", "20000"),
    "forget_opid": ("model/t_twin.py", "20000"),
    "count_plus": ("model/t_twin.py", "40000"),
    "wrong_order": ("model/t_hypothesis.py", "100"),
    "ack_first": ("fault/t_kill.py", "12"),
    "no_sync": ("fault/t_powercut.py", "6"),
    "reorder": ("model/t_certificate.py", "6000"),
}
HONEST = [("model/t_twin.py", "20000"), ("fault/t_kill.py", "8"),
          ("model/t_certificate.py", "6000")]


def outcome(script, rounds, plant=""):
    """(did it fail by saying so?, its last words)."""
    environment = {**os.environ, "ZAN_TOY": "1", "ZAN_ROUNDS": rounds, "TOY_PLANT": plant,
                   "ZAN_NO_SHRINK": "1", "ZAN_SEED": os.environ.get("ZAN_SEED", "7")}
    done = subprocess.run([sys.executable, os.path.join(TESTS, script)], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.returncode, done.stdout


def main():
    for script, rounds in HONEST:
        code, words = outcome(script, rounds)
        if code != 0:
            sys.exit("%s fails on an honest server:\n%s" % (script, words[-2000:]))
        print("honest: %s passes" % script, flush=True)
    for plant, (script, rounds) in PLANTED.items():
        code, words = outcome(script, rounds, plant)
        if code == 77:
            print("planted %s: %s cannot run here" % (plant, script))
            continue
        if code == 0 or "Differs" not in words:
            sys.exit("%s does not see the planted bug %s (code %d):\n%s" %
                     (script, plant, code, words[-2000:]))
        print("planted %s: seen by %s" % (plant, script), flush=True)


if __name__ == "__main__":
    main()
