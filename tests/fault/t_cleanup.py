#!/usr/bin/python3
# zan-test: timeout=120
"""A clean-up of some thousand likes, killed in the middle, several times: called again it does the rest, the counts
are exact after every start, zan verify finds nothing, and undoing all parts gives the state from before. With one
partition and with three."""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
import server as twin_server
from client import Client, Gone, as_map

LIKES = int(os.environ.get("ZAN_LIKES", "4000"))


def fill(client):
    ops = []
    for item in range(LIKES):
        ops.append(("ITEM", "SET", item, "CREATOR", 90 + item % 5))
        ops.append(("LIKE", 7, item))
        ops.append(("LIKE", 8, item))
    client.many(ops)


def totals(client):
    likes = []
    for begin in range(0, LIKES, 500):
        likes += client.call("LIKES", *range(begin, begin + 500))
    return likes


def received_of(client):
    return sum(as_map(client.call("RECEIVED", creator))["like"] for creator in range(90, 95))


def settled(client, left):
    """With several partitions what others get follows a start in a moment."""
    end = time.monotonic() + 20
    while (received_of(client) != LIKES + left or sum(totals(client)) != LIKES + left) and \
            time.monotonic() < end:
        time.sleep(0.02)
    check(client, left)


def check(client, left):
    """Everything agrees on how many likes account 7 still gives."""
    on = []
    for begin in range(0, LIKES, 500):
        on += client.call("LIKED", 7, *range(begin, begin + 500))
    assert sum(on) == left, (sum(on), left)
    assert totals(client) == [1 + mine for mine in on]
    assert received_of(client) == LIKES + left
    assert int(client.call("CLEANUP", "PREVIEW", 7, "COUNT", 1)[0]) == left


def left_of(client):
    return as_map(as_map(client.call("ACCOUNT", "GET", 7))["given"])["like"]


def undo_all(client):
    """Every clean-up so far; all likes are back."""
    for each in range(1, 20):
        number, _, more = client.call("CLEANUP", "UNDO", 7, each)
        assert (number, more) == (each, 0)
    settled(client, LIKES)


def kill_while_running(server, after):
    """Starts a clean-up and kills the node after so many seconds."""
    answers, caller = [], Client(server.port)

    def run():
        try:
            answers.append(caller.call("CLEANUP", "RUN", 7))
        except (OSError, Gone):
            pass

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(after)
    server.kill()
    thread.join()


def case(partitions, draw):
    server = twin_server.Server(partitions=partitions, flush_seconds=1).start()
    client = Client(server.port)
    fill(client)
    settled(client, LIKES)
    broken, before = 0, LIKES
    for _ in range(5):
        kill_while_running(server, draw.uniform(0.0, 0.03))
        server.start()
        client = Client(server.port)
        left = left_of(client)
        settled(client, left)
        assert left <= before
        broken += 0 < left < before
        before = left
        if left < LIKES / 8: # it got far: from the beginning again
            undo_all(client)
            before = LIKES
    number, changed, more = client.call("CLEANUP", "RUN", 7)
    assert more == 0 and changed == before, (number, changed, more, before)
    settled(client, 0)
    assert as_map(client.call("ACCOUNT", "GET", 7))["taken_back"] == 0
    assert client.call("CLEANUP", "RUN", 7) == [0, 0, 0]
    undo_all(client)
    settled(client, LIKES)
    server.stop()
    server.verify()
    return broken


def main():
    draw = random.Random(twin_server.seed())
    for partitions in (1, 3):
        print("%d partitions: killed in the middle %d times" % (partitions, case(partitions, draw)))


twin_server.main(main)
