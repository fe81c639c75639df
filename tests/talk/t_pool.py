#!/usr/bin/python3
# zan-test: timeout=120
"""zan pool eval: the same seed ends with the same table, its figures are those of a cohort (checked against what must
hold of any policy), the literal rule is what it says, attacks change what they must and nothing else."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from server import binary, main


DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "kuairand")


def pool(*words, code=(0,)):
    if "--data-set" not in words:   # a build for the sanitizers does not lie beside it
        words += ("--data-set", DATA)
    done = subprocess.run([binary(), "pool", *map(str, words)], capture_output=True, text=True, timeout=100)
    assert done.returncode in code, "%s ended with %d:\n%s%s" % (words, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout) if "--json" in words else done.stdout + done.stderr


def race(*words):
    return pool("eval", "--items", 80, "--even", 300, "--json", "--quiet", *words, code=(0, 3))


def same_seed_same_table():
    one, two, other = race("--seeds", 2), race("--seeds", 2), race("--seeds", 2, "--seed", 7)
    assert one == two and one["race"] != other["race"]


def figures_are_of_a_cohort():
    table = race("--seeds", 4)["race"]
    for name in ("zan", "literal", "halving", "greedy", "thompson"):
        row = {key: value["mean"] for key, value in table[name].items() if isinstance(value, dict) and "mean" in value}
        assert all(0 <= value <= 1 for value in row.values()), (name, row)
        # any policy shares out everything: the best tenth and the worst half are apart
        assert row["wasted"] + row["best_share"] <= 1 + 1e-9, (name, row)
        assert row["found"] > 0.25, (name, row)  # chance finds a tenth
    # a hundred impressions of the first three hundred go to everybody
    assert table["literal"]["wasted"]["mean"] > 100 / 300 * 0.5 - 0.02
    assert table["literal"]["ended"]["mean"] <= table["literal"]["stopped"]["mean"] + 1e-9
    better = table["literal"]["zan_better_by"]
    for key in ("found", "wasted", "stopped"):
        sign = 1 if key == "found" else -1
        apart = sign * (table["zan"][key]["mean"] - table["literal"][key]["mean"])
        assert abs(apart - better[key]["mean"]) < 1e-9


def attacks():
    table = pool("eval", "--scenario", "attacks", "--seeds", 8, "--json", "--quiet", code=(0, 3))["attacks"]
    assert table["brushing, settled"]["changed"] == 0
    assert table["brushing, unweighed"]["moved_over_a_tenth"] >= 6  # the attack is one, were it not weighed
    assert table["starved"]["share_moved"] < table["starved, unweighed"]["share_moved"] / 10


def monopoly():
    table = pool("eval", "--scenario", "monopoly", "--seeds", 2, "--even", 200, "--json", "--quiet")["monopoly"]
    assert table["pool"]["top_author"]["mean"] < 0.08  # a cap of 5 % a deal, and first budgets
    assert table["pool"]["newcomers"]["mean"] > 0.1
    assert table["best so far"]["top_author"]["mean"] > table["pool"]["top_author"]["mean"]


def slips():
    assert "did you mean race" in pool("eval", "--scenario", "rase", code=(2,))
    assert "eval" in pool("evil", code=(2,))
    assert "tapes" in pool("eval", "--list")
    assert "no impressions" in pool("eval", "--data-set", "/nowhere", code=(2,))


def run():
    for test in (same_seed_same_table, figures_are_of_a_cohort, attacks, monopoly, slips):
        test()


main(run)
