"""redis-benchmark drives Zan, and what it reports is what the server counts.

zan-test: timeout=180
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
import server


def benchmark(port, requests, *words):
    done = subprocess.run(["redis-benchmark", "-p", str(port), "-n", str(requests), "--csv",
                           *words], text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    rate = re.search(r'^"LIKE[^"]*","([0-9.]+)"', done.stdout, re.M)
    assert rate is not None, done.stdout + done.stderr
    assert "rror" not in done.stderr, done.stderr
    print("%s: %s requests/s" % (" ".join(words), rate.group(1)))


def count_of(client, name):
    text = client.call("INFO", "zan", "stats")
    text = text.decode() if isinstance(text, bytes) else text
    found = re.search(r"^%s:(\d+)\r?$" % name, text, re.M)
    return int(found.group(1)) if found else 0


def main():
    if shutil.which("redis-benchmark") is None:
        server.skip("no redis-benchmark")
    with server.Server() as zan:
        like = ["LIKE", "__rand_int__", "__rand_int__"]
        benchmark(zan.port, 50000, "-P", "16", "-c", "50", "-r", "1000000", *like)
        benchmark(zan.port, 5000, "-c", "50", "-r", "1000000", *like)
        benchmark(zan.port, 20000, "-P", "100", "-c", "20", "-r", "100000", *like)
        # One item that everybody likes: its count is the number of different accounts.
        benchmark(zan.port, 30000, "-P", "64", "-c", "10", "-r", "1000", "LIKE", "__rand_int__",
                  "5000000")
        client = zan.client()
        likes = client.call("LIKES", "5000000")
        likes = likes[0] if isinstance(likes, list) else likes
        assert likes == 1000, likes
        client.close()


server.main(main)
