#!/usr/bin/python3
"""Traffic pools of a real server: whom an item in trial is shown to, what becomes of it, and by what it is judged.

zan-test: timeout=120
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import as_map
from server import Server, binary, main

TAGS = ("cats", "news", "food", "music", "sport")
TRIED = range(300, 340)
VIEWERS = range(20, 60)


def caught_up(client):
    wanted = client.call("SEQ")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        lag = as_map(client.call("LAG"))
        if all(int(as_map(one)["applied"]) >= int(want) for one, want in zip(lag["partitions"], wanted)):
            return
        time.sleep(0.005)
    raise AssertionError("never caught up: %r" % lag)


def page(client, account):
    return [as_map(one) for one in as_map(client.call("FEED", account, "COUNT", 20))["items"]]


def why(client, item):
    caught_up(client)
    return as_map(client.call("WHY", item))


def world(client):
    """Items of nobody, which are in no trial, make interests: each viewer has one tag's."""
    for item in range(1000, 1040):
        client.call("ITEM", "SET", item, "DURATION", 30000)
        assert client.call("ITEM", "TAG", item, TAGS[item % 5]) == 1
    client.many([("LIKE", viewer, item) for viewer in VIEWERS for item in range(1000, 1030) if item % 5 == viewer % 5])
    for item in TRIED:
        client.call("ITEM", "SET", item, "CREATOR", 9000 + item)
        client.call("ITEM", "TAG", item, TAGS[item % 5])
    until = time.monotonic() + 40
    while time.monotonic() < until:
        if all(why(client, item)["state"] == "on-its-ladder" for item in TRIED):
            return
        time.sleep(0.2)
    raise AssertionError("not all of them entered")


def circles(client):
    """Round after round everybody looks: only who fits, or who is to explore."""
    places, beyond = 0, 0
    for _ in range(2):   # eight of them fit each viewer
        for viewer in VIEWERS:
            for one in page(client, viewer):
                item, explore = int(one["item"]), int(one.get("explore", 0))
                if item not in TRIED:
                    assert not explore, one
                    continue
                fits = item % 5 == viewer % 5
                assert fits != bool(explore), (viewer, one)
                assert one["source"] == "pool" or not explore, one
                places += one["source"] == "pool"
                beyond += explore
    assert places > 80 and 0 < beyond < places / 3, (places, beyond)
    stranger = [one for one in page(client, 7777) if int(one["item"]) in TRIED]
    assert stranger and not any(int(one.get("explore", 0)) for one in stranger), stranger


def kinds(client):
    """Cats are liked, news are not: the next of each is judged by that before anybody saw it."""
    for account in range(20000, 20120):
        acts = []
        for one in page(client, account):
            item = int(one["item"])
            if item not in TRIED or one["token"] is None or item % 5 > 1:
                continue
            acts.append(("VIEW", account, item, 30000 if item % 5 == 0 else 500, 30000, "TOKEN", one["token"]))
            if item % 5 == 0:
                acts.append(("LIKE", account, item))
        client.many(acts)
    for item, tag in ((401, "cats"), (402, "news"), (403, "opera")):
        client.call("ITEM", "SET", item, "CREATOR", 9999)
        client.call("ITEM", "TAG", item, tag)
    cats, news, opera = why(client, 401), why(client, 402), why(client, 403)
    assert (cats["kind"], news["kind"], opera["kind"]) == ("cats", "news", None), (cats, news, opera)
    assert float(cats["kind_items"]) > 0.5 and float(news["kind_items"]) > 0.5, (cats, news)

    def likes(told):
        return next(float(gate["rate"]) for gate in map(as_map, told["gates"])
                    if (gate["audience"], gate["metric"]) == ("first", "like"))
    assert likes(cats) > likes(opera) > likes(news), (likes(cats), likes(opera), likes(news))


def a_ladder_of_ones_own():
    """What is set other than in the preset holds, and the rule's name tells that it is another."""
    with Server(pool="default,first=30,floor=30,ladder=60/600") as server:
        client = server.client(resp=3)
        client.call("ITEM", "SET", 1, "CREATOR", 9)
        until = time.monotonic() + 40
        told = why(client, 1)
        while told["state"] != "on-its-ladder" and time.monotonic() < until:
            time.sleep(0.1)
            told = why(client, 1)
        assert int(told["budget"]) == 30, told
        assert told["rule"].startswith("default+") and len(told["rule"]) == len("default+01234567"), told
    done = subprocess.run([binary(), "serve", "--pool", "default,ladder=60/20"], capture_output=True, text=True)
    assert done.returncode == 2 and "ladder=N/N/" in done.stderr, done


def run():
    a_ladder_of_ones_own()
    with Server(pool="default") as server:
        client = server.client(resp=3)
        world(client)
        circles(client)
        kinds(client)
        server.kill()
        server.start()
        again = why(server.client(resp=3), 401)
        assert again["kind"] == "cats" and float(again["kind_items"]) > 0.5, again
        server.stop()
        server.verify()


if __name__ == "__main__":
    main(run)
