#!/usr/bin/python3
"""Exposure that creators are given, the whole way through the front door: likes taken back by arrangement, a case, two
people, places in feeds that say what they are, views that use it up, nothing left; and the credit of a newcomer. Each
impression is told once, over kills and a lost checkpoint, with one partition and two.

zan-test: timeout=180
"""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import as_map  # noqa: E402
from people import People  # noqa: E402
from server import Server, directory, main  # noqa: E402

PEOPLE = {"backend": "backend", "ann": "operator", "bea": "approver"}
SECOND, DAY = 1000, 86400000
CROWD = 200
A_LIKE, ITS_VIEWS = 100, 50     # what one like is worth: percent, impressions
RULES = """policy here version 1
undo 30s
smooth withdrawn 24h
freeze withdrawn 1h
compensate 1000
"""


def until(what, wait=40):
    end = time.monotonic() + wait
    while time.monotonic() < end:
        found = what()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("never so")


def partition(account, count):
    """As base/hash.h: who sees a flood is who has the accounts."""
    mask = (1 << 64) - 1
    x = (account ^ account >> 30) * 0xBF58476D1CE4E5B9 & mask
    x = (x ^ x >> 27) * 0x94D049BB133111EB & mask
    return ((x ^ x >> 31) >> 32) * count >> 32


def some(start, how_many, count, where=-1):
    found = []
    while len(found) < how_many:
        if partition(start, count) == where % count:
            found.append(start)
        start += 1
    return found


class World(People):
    """Its time is that of the requests, and ends at about now: what is granted is open for 30 days."""

    def __init__(self, partitions):
        self.partitions = partitions
        # Who loses the likes lives elsewhere: what he is given has a way to go.
        (self.item,), (self.creator,) = some(1, 1, partitions), some(777, 1, partitions, 0)
        self.now = int(time.time() * 1000) - 11 * DAY
        path = os.path.join(directory(), "rules.policy")
        with open(path, "w") as file:
            file.write(RULES)
        super().__init__(PEOPLE, http=None, clock="requests", policy=path, trust="on", partitions=partitions,
                         newcomer_credits=0)

    def act(self, verb, account, item, *more):
        return self("backend", verb, account, item, *more, "CTX", "TIME", self.now)

    def page(self, account):
        return [as_map(one) for one in as_map(self("backend", "FEED", account, "COUNT", 20))["items"]]

    def gifts(self):
        """As the reader knows it."""
        return {one["gift"]: one for one in map(as_map, as_map(self("ann", "WHY", self.item))["gifts"])}

    def balance(self):
        """In percent of a like."""
        return round(100 * float(as_map(self("backend", "BUDGET", self.creator))["balance"]))


def sabotage(world):
    """A platform with a past; then a crowd takes back, within ten minutes and by ten devices, likes a week old."""
    crowd = some(1000, CROWD, world.partitions)
    more = crowd + some(crowd[-1] + 1, CROWD, world.partitions)
    world("backend", "ITEM", "SET", world.item, "CREATOR", world.creator, "CTX", "TIME", world.now)
    for at, account in enumerate(more):
        world.act("LIKE", account, 5000 + at)
    for at, account in enumerate(more):
        world.now += 300 * SECOND
        world("backend", "LIKE", account, world.item, "CTX", "TIME", world.now, "DEVICE", "d%d" % (9000 + at))
    world.now += 8 * DAY
    for at, account in enumerate(more):
        world.now += 60 * SECOND
        world.act("UNLIKE", account, 5000 + at)
    world.now += DAY
    for at, account in enumerate(crowd):
        world.now += 3 * SECOND
        world("backend", "UNLIKE", account, world.item, "CTX", "TIME", world.now, "DEVICE", "d%d" % (70 + at % 10))


def compensate(world, likes):
    for account in range(1, 9):  # the clock of every partition
        world.act("VIEW", account, 999999, 1, 1)
    cursor, cases = world("ann", "CASE", "LIST")
    while not cases:  # a page a partition
        cursor, cases = world("ann", "CASE", "LIST", "CURSOR", cursor)
    (case,) = [row["case"] for row in cases if str(row["about"]) == str(world.item)]
    assert world("ann", "CASE", "PROPOSE", case, "compensate", "by arrangement", "VALUE", likes) == 1
    assert world.gifts()["compensation"]["state"] == "none" and world.balance() == 0
    assert world("bea", "CASE", "APPROVE", case, "agreed") == 1
    until(lambda: True if world.gifts()["compensation"]["state"] == "open" else None)
    assert world.balance() == likes * A_LIKE


def given(world, account):
    """The token of the place it has on the account's page; None: it has none."""
    found = [one for one in world.page(account) if one["source"] == "compensation"]
    for one in found:
        assert int(one["item"]) == world.item and int(one["stage"]) == 254, one
        assert one["label"] == "given to its creator as a compensation", one
    assert len(found) <= 1, found
    return found[0]["token"] if found else None


def show(world, accounts):
    """How many were shown it."""
    shown = 0
    for account in accounts:
        token = given(world, account)
        if token is None:
            continue
        world.act("VIEW", account, world.item, 20000, 30000)  # without its token it is no impression
        for _ in range(2):                              # and one impression, however often it comes
            world.act("VIEW", account, world.item, 20000, 30000, "TOKEN", token)
        shown += 1
    return shown


def told(world, views):
    """The engine's balance and the reader's books, once everything was told."""
    left = A_LIKE - A_LIKE // ITS_VIEWS * views
    until(lambda: True if world.balance() == left else None)
    gift = world.gifts()["compensation"]
    assert float(gift["spent"]) == views and float(gift["left"]) == ITS_VIEWS - views, gift


def compensation(partitions):
    world = World(partitions)
    sabotage(world)
    assert given(world, 49999) is None
    before = as_map(world("backend", "COUNTS", world.item))["likes"]
    compensate(world, 1)
    assert show(world, range(50000, 50012)) == 12
    world.again()                                       # what is owed is perhaps not written down
    told(world, 12)
    assert world.server.stop() == 0, world.server.messages
    shutil.rmtree(os.path.join(world.server.data, "readers"))    # made again from the log
    world.server.start()
    world.login()
    until(lambda: True if float(world.gifts()["compensation"]["spent"]) == 12 else None)
    time.sleep(5.5)                                     # a turn of who tells: nothing is told again
    told(world, 12)
    assert show(world, range(50100, 50130)) == 30
    told(world, 42)
    # Many pages at once: places that wait for their view are not given twice.
    tokens = [(account, given(world, account)) for account in range(50200, 50230)]
    assert sum(token is not None for _, token in tokens) == 8, tokens
    for account, token in tokens:
        if token is not None:
            world.act("VIEW", account, world.item, 20000, 30000, "TOKEN", token)
    told(world, 50)
    assert show(world, range(50300, 50320)) == 0
    assert world.gifts()["compensation"]["state"] == "used-up", world.gifts()
    world.again(kill=False)
    assert show(world, range(50400, 50410)) == 0 and world.balance() == 0
    # Exposure alone changes nothing of what was counted.
    assert as_map(world("backend", "COUNTS", world.item))["likes"]["raw"] == before["raw"]
    assert world.server.stop() == 0, world.server.messages
    world.server.verify()


def credit_of(client, item):
    gifts = {one["gift"]: one for one in map(as_map, as_map(client.call("WHY", item))["gifts"])}
    return gifts["credit"]


def credits(partitions):
    """A purse for two: the first two creators are given 500 impressions, the third is told why he is not."""
    with Server(partitions=partitions, newcomer_credits=1000) as server:
        client = server.client(resp=3)
        for item in range(1, 4):
            client.call("ITEM", "SET", item, "CREATOR", 50 + item)
            until(lambda: as_map(client.call("WHY", item)).get("known") or None)
        assert [credit_of(client, item)["state"] for item in (1, 2, 3)] == ["open", "open", "purse-empty"]
        seen = {1: 0, 2: 0}
        for account in range(100, 130):
            entries = [as_map(one) for one in as_map(client.call("FEED", account, "COUNT", 20))["items"]]
            for one in entries:
                if one["source"] != "credit":
                    continue
                assert one["label"] == "given to a new creator" and int(one["stage"]) == 0, one
                for _ in range(2):
                    client.call("VIEW", account, int(one["item"]), 20000, 30000, "TOKEN", one["token"])
                seen[int(one["item"])] += 1
        assert all(seen.values()) and sum(seen.values()) == 30, seen
        for again in (server.kill, server.stop):
            for item, views in seen.items():
                credit = until(lambda: (lambda one: one if float(one["spent"]) == views else None)(credit_of(client, item)))
                assert float(credit["left"]) == 500 - views and credit["until_ms"] > time.time() * 1000, credit
            again()
            server.start()
            client = server.client(resp=3)
        assert credit_of(client, 3)["state"] == "purse-empty"


def run():
    for partitions in (1, 2):
        compensation(partitions)
        credits(partitions)


if __name__ == "__main__":
    main(run)
