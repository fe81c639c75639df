#!/usr/bin/python3
# zan-test: timeout=600
"""T01, T02: kill -9 at a random moment under load, again and again, also while it recovers."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from crowd import Crowd, Judge
from server import Server, directory, main, seed, size

NEW_DIRECTORY = 100   # cycles on one data directory


def recover(server, random_):
    """Starts again; one time in four it is killed while it does (T02). Returns how often."""
    kills = 0
    while random_.random() < 0.25 and kills < 3:
        server.spawn()
        time.sleep(random_.random() ** 2 * 0.15)
        server.kill()
        kills += 1
    server.start()
    return kills


def finish(server):
    """The chain, both copies, the index and every count once more, by the product's own tool."""
    server.kill()
    server.start()
    server.stop()
    server.verify()


def run():
    base = seed()
    random_ = random.Random(base)
    random.seed(base)
    cycles, acks, kills, slowest, server = size(200, 3000), 0, 0, 0.0, None
    for cycle in range(cycles):
        if cycle % NEW_DIRECTORY == 0:
            if server:
                finish(server)
            server = Server(data=directory(), flush_seconds=1, segment_mb=1).start()
            crowd, judge = Crowd(base + cycle), Judge()
        crowd.load(server, after=random_.uniform(0.001, 0.25), act=server.process.kill)
        server.kill()
        acks += crowd.acknowledged()
        try:
            kills += recover(server, random_)
            slowest = max(slowest, server.start_seconds)
            judge.all(server, crowd)
        except Exception:
            server.kill()
            print("cycle %d, data %s\n%s" % (cycle, server.data, server.messages[-2000:]))
            raise
        if cycle % 20 == 19:
            print("%d cycles, %d kills while recovering, %d acknowledged, slowest start %.2f s" %
                  (cycle + 1, kills, acks, slowest), flush=True)
    finish(server)
    if acks < cycles * 20:
        raise AssertionError("void: only %d acknowledged writes in %d cycles" % (acks, cycles))


if __name__ == "__main__":
    main(run)
