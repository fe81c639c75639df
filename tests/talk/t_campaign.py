#!/usr/bin/python3
# zan-test: timeout=180
"""Campaigns pay for valid impressions, each once: over stops, kills and a lost checkpoint, and never more than was bought;
one whose likes are taken back is stopped by the node; what was held out is told beside the rest."""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error, as_map  # noqa: E402
from server import Server, main  # noqa: E402

ITEM = 1199


def until(what):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = last = what()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("never so: %r" % (last,))


def told(client, item=ITEM):
    return as_map(client.call("CAMPAIGN", "GET", item))


def spent(client, want, item=ITEM):
    """As the reader knows it from records, and as the engine keeps it."""
    until(lambda: int(told(client, item)["spent"]) == want or None)
    row = as_map(as_map(client.call("ITEM", "GET", item))["campaign"])
    assert int(row["spent"]) == want, row


def token_of(client, account):
    """Of the paid entry on the account's page; None: there is none."""
    for entry in map(as_map, as_map(client.call("FEED", account, "COUNT", 60))["items"]):
        if entry["source"] == "campaign" and int(entry["item"]) == ITEM:
            return entry["token"]
    return None


def show(client, accounts):
    seen = []
    for account in accounts:
        token = token_of(client, account)
        if token is None:
            continue
        for _ in range(2):  # the second is not another impression
            client.call("VIEW", account, ITEM, 20000, 30000, "TOKEN", token)
        client.call("VIEW", account, ITEM, 20000, 30000)  # nor is one without a token
        seen.append(account)
    return seen


def world(client):
    for item in list(range(1000, 1080)) + [ITEM, 1200]:
        client.call("ITEM", "SET", item, "CREATOR", 50 + item % 30)
        client.call("ITEM", "TAG", item, "music" if item % 2 else "news")
    for account in range(300, 420):
        client.many([("LIKE", account, item) for item in range(1001, 1080, 16)])


def open_campaign(client, item, budget, holdout):
    until_ms = int((time.time() + 3600) * 1000)
    assert client.call("CAMPAIGN", "OPEN", item, budget, until_ms, "paid by Acme", "music", "HOLDOUT", holdout) == 1


def pays(server, again):
    client = server.client(resp=3)
    world(client)
    open_campaign(client, ITEM, 30, 20)
    first = until(lambda: show(client, range(300, 312)) or None)
    # A fifth is held out; with two logs, whom depends on how they were written.
    assert 4 <= len(first) and (len(first) < 12 or not again), first
    # What is owed is perhaps not written down. With two logs that are read again from the first record, views may
    # come before their campaign, and are then given away (campaigns.h): there it is a stop, with a checkpoint.
    (server.kill if again else server.stop)()
    server.start()
    client = server.client(resp=3)
    spent(client, len(first))
    second = show(client, range(312, 324))
    spent(client, len(first) + len(second))
    server.stop()
    if again:
        shutil.rmtree(os.path.join(server.data, "readers"))  # made again from the log
    server.start()
    client = server.client(resp=3)
    want = len(first) + len(second)
    until(lambda: True if int(told(client)["shown"]) == want else None)
    time.sleep(5.5)  # it owes nothing: another turn tells nothing
    spent(client, want)
    show(client, range(324, 420))
    spent(client, 30)  # all that was bought, and no more
    state = told(client)
    assert state["state"] == "spent" and int(state["shown"]) >= 30 == int(state["budget"]), state
    assert show(client, range(420, 440)) == []
    assert int(told(client)["paid_likes"]) == 0
    return client


def guarded(client):
    open_campaign(client, 1200, 500, 50)
    for account in range(600, 624):
        client.call("LIKE", account, 1200)
    state = told(client, 1200)
    assert state["state"] == "running" and float(state["likes"]) > 20, state
    groups = [as_map(one) for one in state["groups"]]
    assert sum(int(one["likes"]) for one in groups) == 24 and int(groups[1]["likes"]) >= 3, groups
    assert [bool(one["held_out"]) for one in groups] == [False, True], groups
    assert abs(float(state["lift"]) - int(groups[0]["likes"]) / int(groups[1]["likes"])) < 0.001, state
    for account in range(600, 604):
        client.call("UNLIKE", account, 1200)
    time.sleep(0.5)
    assert told(client, 1200)["state"] == "running"
    for account in range(604, 613):
        client.call("UNLIKE", account, 1200)
    until(lambda: True if told(client, 1200)["state"] == "stopped" else None)
    assert as_map(client.call("CAMPAIGN", "GET", 1000))["known"] in (0, False)


def looked_at_beforehand():
    """How many are interested, about; always the same about; nothing of few; nobody who wants no profile."""
    with Server(trust="off") as server:
        client = server.client(resp=3)
        for item, tag in ((1, "cats,pets"), (2, "news"), (3, "rare")):
            client.call("ITEM", "SET", item)
            client.call("ITEM", "TAG", item, tag)
        client.many([("LIKE", account, 1) for account in range(100, 400)] +
                    [("LIKE", account, 2) for account in range(300, 500)] +
                    [("LIKE", account, 3) for account in range(30)])
        ask = lambda tags: as_map(client.call("CAMPAIGN", "REACH", tags))
        told = {tags: ask(tags) for tags in ("cats", "news", "cats,news", "pets,cats", "rare", "nothing")}
        for tags, true in (("cats", 300), ("news", 200), ("cats,news", 400), ("pets,cats", 300)):
            accounts = int(told[tags]["accounts"])
            # rounded down by at most 10; noise of 30 is once in three million
            assert true - 40 <= accounts <= true + 30 and accounts % 10 == 0, told[tags]
        assert told["rare"]["accounts"] is None and told["nothing"]["accounts"] is None, told
        assert all(390 <= int(one["of"]) <= 460 for one in told.values()), told
        for tags in ("cats", "cats,news"):
            assert {ask(tags)["accounts"] for _ in range(20)} == {told[tags]["accounts"]}
        assert ask("news,cats")["accounts"] == told["cats,news"]["accounts"], "another order, another noise"
        client.many([("ACCOUNT", "SET", account, "PERSONAL", "off") for account in range(100, 300)])
        until(lambda: True if 60 <= int(ask("cats")["accounts"] or 0) <= 130 else None)
        assert isinstance(client.call("CAMPAIGN", "REACH", "a,,b"), Error)


def run():
    looked_at_beforehand()
    for partitions in (1, 2):
        with Server(partitions=partitions, trust="off") as server:
            guarded(pays(server, partitions == 1))
            server.stop()
            server.verify()
            if partitions == 1:
                server.start()
                assert told(server.client(resp=3), 1200)["state"] == "stopped"


if __name__ == "__main__":
    main(run)
