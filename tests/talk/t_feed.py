#!/usr/bin/python3
# zan-test: timeout=120
"""Feeds of a real server, as a viewer gets them: what may be on a page, what a token attests, what is paid for,
and that a profile is looked at only where it may be."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error, as_map
from server import Server, main

TAGS = ("cats", "food,cats", "news", "music", "sport,news")
ITEMS = range(1000, 1200)


def page(client, account, count=20):
    feed = as_map(client.call("FEED", account, "COUNT", count))
    feed["items"] = [as_map(one) for one in feed["items"]]
    return feed


def ids(feed):
    return [int(one["item"]) for one in feed["items"]]


def caught_up(client):
    """Until discovery has read all that was answered so far."""
    sequence = client.call("SEQ")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        lag = as_map(client.call("LAG"))
        if all(int(as_map(one)["applied"]) >= int(want)
               for one, want in zip(lag["partitions"], sequence)):
            return
        time.sleep(0.005)
    raise AssertionError("never caught up: %r" % lag)


def impressions(client, item):
    caught_up(client)
    return int(as_map(client.call("SIGNALS", item))["impressions"])


def world(client):
    for item in ITEMS:
        client.call("ITEM", "SET", item, "CREATOR", 50 + item % 30)
        client.call("ITEM", "TAG", item, TAGS[item % 5])
    for account in range(100, 120):
        client.many([("LIKE", account, item) for item in ITEMS if item % (account % 7 + 1) == 0])
    caught_up(client)


def what_is_shown(client):
    first = page(client, 7)
    assert len(first["items"]) == 20 and len(set(ids(first))) == 20, first
    second = page(client, 7)
    assert not set(ids(first)) & set(ids(second)), "the same again at once"
    client.call("ITEM", "STATE", ids(page(client, 8))[0], "private")
    gone = ids(page(client, 9))[0]
    client.call("ITEM", "STATE", gone, "removed")
    client.call("LIKE", 9, 1100)
    caught_up(client)
    for account in range(200, 210):
        assert gone not in ids(page(client, account, 100)), gone
    assert 1100 not in ids(page(client, 9, 100)), "seen already"
    own = page(client, 210)["items"][0]
    assert own["item"] not in [one["item"] for one in page(client, own["creator"], 100)["items"]], "his own"


def what_a_token_attests(client):
    entry, other = page(client, 11)["items"][:2]
    item, token = int(entry["item"]), entry["token"]
    before = impressions(client, item)
    client.call("VIEW", 12, item, 20000, 30000, "TOKEN", token)               # somebody else's
    client.call("VIEW", 11, int(other["item"]), 20000, 30000, "TOKEN", token)   # of another item
    assert impressions(client, item) == before and impressions(client, int(other["item"])) == 0
    client.call("VIEW", 11, item, 20000, 30000, "TOKEN", token)
    assert impressions(client, item) == before + 1
    client.call("VIEW", 11, item, 20000, 30000, "TOKEN", token)               # once an account
    client.call("LIKE", 11, item)
    assert impressions(client, item) == before + 1
    signals = {one["signal"]: one for one in map(as_map, as_map(client.call("SIGNALS", item))["signals"])}
    assert float(signals["like"]["rate"]) > 0, signals["like"]
    skipped = page(client, 11)["items"][0]
    client.call("SKIP", 11, int(skipped["item"]), "TOKEN", skipped["token"])
    assert impressions(client, int(skipped["item"])) == 1


def interests(client):
    client.many([("LIKE", 21, item) for item in ITEMS if item % 5 == 3][:12])
    caught_up(client)
    music = sum(item % 5 == 3 for item in ids(page(client, 21)))
    usual = sum(item % 5 == 3 for item in ids(page(client, 22)))
    assert music > usual and music >= 6, (music, usual)
    client.call("ACCOUNT", "SET", 21, "PERSONAL", "off")
    caught_up(client)
    feed = page(client, 21)
    assert not int(feed["personal"]), feed
    assert {one["source"] for one in feed["items"]} <= {"top", "pool", "newcomer", "campaign", "credit"}, feed
    assert as_map(client.call("INTERESTS", 21))["tags"] == []


def what_is_not_wanted(client):
    """Swiped away, and "not interested": fewer of it, the holder is told, and deletes it."""
    usual = sum(item % 5 == 2 for item in ids(page(client, 24)))
    news = [item for item in ITEMS if item % 5 == 2][:12]
    client.many([("VIEW", 23, item, 20000, 30000) for item in ITEMS if item % 5 == 3][:10])
    client.many([("SKIP", 23, item) for item in news[:6]])
    client.many([("SKIP", 23, item, "CTX", "SOURCE", "menu") for item in news[6:]])
    caught_up(client)
    told = as_map(client.call("INTERESTS", 23))
    unwanted = {as_map(one)["tag"]: float(as_map(one)["factor"]) for one in told["unwanted"]
                if as_map(one)["tag"]}
    assert 0.1 <= unwanted["news"] < 0.35 and "music" not in unwanted, told
    assert float(told["tired"]) == 0, told
    assert sum(item % 5 == 2 for item in ids(page(client, 23))) < usual, usual
    assert client.call("INTEREST", "FORGET", 23, "TAGS", "news") == 1
    caught_up(client)
    told = as_map(client.call("INTERESTS", 23))
    assert "news" not in [as_map(one)["tag"] for one in told["unwanted"]], told


def what_is_paid_for(client):
    until = int((time.time() + 3600) * 1000)
    client.call("CAMPAIGN", "OPEN", 1199, 500, until, "paid by Acme", "music", "HOLDOUT", 0)
    shown = {True: 0, False: 0}
    for account in range(300, 320):
        likes = 3 if account % 2 else 2
        client.many([("LIKE", account, item) for item in ITEMS if item % 5 == likes][:5])
    caught_up(client)
    for account in range(300, 320):
        for one in page(client, account)["items"]:
            if one["source"] == "campaign":
                assert one["label"] == "paid by Acme" and int(one["stage"]) == 255, one
                shown[account % 2 == 1] += 1
            else:
                assert (one["label"] is None) == (one["source"] != "credit"), one
    assert shown[True] >= 8 and shown[False] == 0, shown
    client.call("CAMPAIGN", "STOP", 1199, "enough")
    caught_up(client)
    assert not [one for account in range(300, 320) for one in page(client, account)["items"]
                if one["source"] == "campaign"]


def alike(client):
    similar = as_map(client.call("SIMILAR", 1003, "COUNT", 5))
    assert similar["by"] == "tags" and len(similar["items"]) == 5, similar
    assert all(int(as_map(one)["item"]) % 5 == 3 for one in similar["items"]), similar
    assert as_map(client.call("SIMILAR", 77))["items"] == []


def why(client, item):
    caught_up(client)
    return as_map(client.call("WHY", item))


def until_staged(client, items):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        told = {item: why(client, item) for item in items}
        if all(one["state"] == "on-its-ladder" for one in told.values()):
            return told
        time.sleep(0.1)
    raise AssertionError(told)


def a_ladder():
    """With a rule, the node itself puts new items on their ladder; what it did stands in the log, once."""
    items = range(500, 512)
    with Server(pool="default") as server:
        client = server.client(resp=3)
        for item in items:
            client.call("ITEM", "SET", item, "CREATOR", 9000 + item)
        told = until_staged(client, items)
        assert all(int(one["budget"]) >= 1 and int(one["decides"]) for one in told.values()), told
        shown = [one for one in page(client, 7)["items"] if one["source"] == "pool"]
        assert shown and all(one["token"] for one in shown), shown
        one = shown[0]
        client.call("VIEW", 7, int(one["item"]), 20000, 20000, "TOKEN", one["token"])
        client.call("LIKE", 7, int(one["item"]))
        after = why(client, int(one["item"]))
        gates = {(gate["audience"], gate["metric"]): gate for gate in map(as_map, after["gates"])}
        assert float(after["used"]) == 1 and float(gates["first", "like"]["successes"]) == 1, after
        time.sleep(5)   # two turns of who decides: nothing is asked again
        before = client.call("SEQ")
        server.kill()
        server.start()
        client = server.client(resp=3)
        again = until_staged(client, items)
        time.sleep(5)
        assert client.call("SEQ") == before, (client.call("SEQ"), before)
        assert {item: one["budget"] for item, one in again.items()} == \
            {item: one["budget"] for item, one in told.items()}
        server.stop()
        server.verify()


def run():
    for partitions in (1, 2):
        with Server(partitions=partitions) as server:
            client = server.client(resp=3)
            world(client)
            for part in (what_is_shown, what_a_token_attests, interests, what_is_not_wanted,
                         what_is_paid_for, alike):
                part(client)
    a_ladder()
    with Server(discover_memory="0") as server:
        assert server.client(resp=3).call("FEED", 7) == Error("OFF")


if __name__ == "__main__":
    main(run)
