#!/usr/bin/python3
"""bench/run works from end to end, at a size that says nothing about speed.

zan-test: timeout=300 serial labels=plain
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE, BUILD = os.environ["ZAN_SOURCE"], os.environ["ZAN_BUILD"]
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "bench"))
import report

ROWS = {"pipelined", "pipelined_always", "single", "single_always", "liked_1", "liked_20", "likes_1",
        "likes_20", "hot", "zipf", "memory", "stored", "restart"}


def rows_judge_right():
    """A goal is judged by the median of the ratios of pairs, not by the ratio of medians."""
    row = report.Row("x", "work", "that", (">=", 2))
    for zan, other in ((10, 1), (12, 12), (100, 20)):
        row.add(zan, other)
    assert row.ratios == [10, 1, 5] and row.figure == 5 and row.met is True, row.as_json()
    row.goal = ("<=", 4.9)
    assert row.met is False
    alone = report.Row("y", "restart", "", ("<=", 5), unit=" s")
    assert alone.met is None
    alone.add(5.1)
    assert alone.met is False and "MISSED" in alone.cells()
    assert report.short(1234567) == "1.23 M" and report.short(999) == "999"


def main():
    rows_judge_right()
    if not shutil.which("redis-server") or not shutil.which("redis-cli"):
        print("needs redis-server")
        sys.exit(77)
    folder = tempfile.mkdtemp(prefix="zan-bench-")
    try:
        done = subprocess.run(
            [sys.executable, os.path.join(SOURCE, "bench/run"), "--tiny", "--build", BUILD,
             "--data", os.path.join(folder, "data"), "--out", os.path.join(folder, "out"),
             "--only", "pipelined,single,reads,latency,hot,size", "--json"],
            capture_output=True, text=True)
        print(done.stderr)
        assert done.returncode == 0, done.returncode
        result = json.loads(done.stdout)
        measured = {row["key"] for row in result["rows"] if row["zan"]}
        assert measured - {"pipelined_null", "single_null"} == ROWS, measured ^ ROWS
        assert not result["failures"] and len(result["latency"]) == 6
        assert not os.path.exists(os.path.join(folder, "data"))
        written = sorted(os.listdir(os.path.join(folder, "out")))
        assert [name.rpartition(".")[2] for name in written] == ["json", "md"], written
        text = open(os.path.join(folder, "out", written[1])).read()
        assert "| durable LIKE, 20 connections, pipeline 100 |" in text and folder not in text
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
