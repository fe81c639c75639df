#!/usr/bin/python3
"""Likes taken back: they fade, a flood of them waits, two people compensate, likes that come back
are owed; through the front door, over one partition and three, across kill -9, and verified.

zan-test: timeout=120
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error  # noqa: E402
from people import People  # noqa: E402
from server import directory, main  # noqa: E402

PEOPLE = {"backend": "backend", "ann": "operator", "bea": "approver"}
START = 1700000000000
SECOND, HOUR, DAY = 1000, 3600000, 86400000
CROWD, CREATOR = 200, 777


RULES = """policy here version 1
undo 30s
smooth withdrawn 24h
freeze withdrawn 1h
compensate 1000
"""


def rules():
    path = os.path.join(directory(), "rules.policy")
    with open(path, "w") as file:
        file.write(RULES)
    return path


class World(People):
    def __init__(self, partitions):
        self.now = START
        super().__init__(PEOPLE, http=None, clock="requests", policy=rules(), trust="on",
                         partitions=partitions)

    def act(self, verb, account, item, device=None, returns=False):
        place = ("DEVICE", "d%d" % device) if device is not None else ()
        return self("backend", verb, account, item, *(("RETURN",) if returns else ()),
                    "CTX", "TIME", self.now, *place)

    def stands(self, item):
        """Acts that move the clock of every partition to now, then the numbers of the item."""
        for account in range(1, 13):
            self("backend", "VIEW", account, 999999, 1, 1, "CTX", "TIME", self.now)
        likes = self("backend", "COUNTS", item)["likes"]
        return {key: float(likes[key]) for key in ("raw", "credited", "fading", "frozen")}

    def end(self):
        assert self.server.stop() == 0, self.server.messages
        self.server.verify()


def near(value, wanted):
    return abs(value - wanted) <= 0.02 + abs(wanted) * 0.01


def fades(partitions):
    world = World(partitions)
    for account in range(1, 101):
        assert world.act("LIKE", account, 5) == 1
    world.now += HOUR
    for account in range(1, 51):
        assert world.act("UNLIKE", account, 5, returns=account == 9) == 1 or account == 9
    found = world.stands(5)
    assert found["raw"] == 50 and found["credited"] == 50 and near(found["fading"], 50), found
    told = world.act("UNLIKE", 51, 5, returns=True)
    assert told["intent"] == "change", told
    world.now += 2 * SECOND
    assert world.act("LIKE", 51, 5) == 1
    world.now += 2 * SECOND
    assert world.act("UNLIKE", 51, 5, returns=True)["intent"] == "undo"
    world.again()
    world.now += DAY // 7
    found = world.stands(5)
    assert found["credited"] == 49 and near(found["fading"], 25), found
    for account in range(1, 51):  # each takes back what it had left, no more
        assert world.act("LIKE", account, 5) == 1
    found = world.stands(5)
    assert found["credited"] == 99 and found["fading"] < 0.05, found
    world.end()


def live_a_while(world):
    """A platform with a past: everybody has liked, and some have taken back, one by one."""
    world("backend", "ITEM", "SET", 1, "CREATOR", CREATOR, "CTX", "TIME", world.now)
    for account in range(2 * CROWD):
        world.act("LIKE", 1000 + account, 5000 + account)
    for account in range(2 * CROWD):
        world.now += 300 * SECOND
        world.act("LIKE", 1000 + account, 1, 9000 + account)
    world.now += 8 * DAY
    for account in range(2 * CROWD):
        world.now += 60 * SECOND
        world.act("UNLIKE", 1000 + account, 5000 + account)
    world.now += DAY


def a_flood_waits_and_is_compensated():
    world = World(1)
    live_a_while(world)
    before = world.stands(1)
    for account in range(CROWD):
        world.now += 3 * SECOND
        world.act("UNLIKE", 1000 + account, 1, 70 + account % 10)
    found = world.stands(1)
    assert found["raw"] == before["raw"] - CROWD, found
    assert found["frozen"] > CROWD / 2, found
    assert sum(found[key] for key in ("credited", "fading", "frozen")) > 0.99 * before["credited"]
    _, cases = world("ann", "CASE", "LIST")
    (case,) = [row["case"] for row in cases if str(row["id" if "id" in row else "about"]) == "1"]
    assert world("ann", "CASE", "PROPOSE", case, "compensate", "by arrangement") == 1
    assert isinstance(world("ann", "CASE", "APPROVE", case, "by myself"), Error)
    budget = world("backend", "BUDGET", CREATOR)
    assert float(budget["balance"]) == 0 and budget["until_ms"] is None, budget
    assert world("bea", "CASE", "APPROVE", case, "agreed") == 1
    budget = world("backend", "BUDGET", CREATOR)
    assert budget["until_ms"] > 0, budget
    given = float(budget["balance"])
    assert 0 < given < found["frozen"] and budget["granted"] == budget["balance"], budget
    assert world("ann", "CASE", "GET", case)["granted_pct"] == round(100 * given)
    world.again()
    assert world("backend", "BUDGET", CREATOR) == budget
    for account in range(100, 110):  # of those who waited
        world.act("LIKE", 1000 + account, 1)
    left = float(world("backend", "BUDGET", CREATOR)["balance"])
    assert given - 10 <= left < given - 8, (given, left)
    world.now += 31 * DAY
    found = world.stands(1)
    assert found["frozen"] == 0 and found["fading"] < 0.01, found
    assert float(world("backend", "BUDGET", CREATOR)["balance"]) == 0
    world.end()


def run():
    fades(1)
    fades(3)
    a_flood_waits_and_is_compensated()


main(run)
