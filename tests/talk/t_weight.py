#!/usr/bin/python3
"""A creator's weight in a running node: what it is made of is told, what two people decided weighs on it until it
ends or is lifted, the first budget follows it, strangers never lower it, and a restart changes nothing.

zan-test: timeout=120
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import as_map
from people import People
from server import main

PEOPLE = {"backend": "backend", "ann": "operator", "ben": "operator", "bea": "approver", "eve": "auditor"}
DAY_MS = 24 * 3600 * 1000
GOOD, BAD = 61, 62


def in_ms(ms):
    return int(time.time() * 1000) + ms


class World(People):
    def __init__(self, **settings):
        super().__init__(PEOPLE, **settings)

    def caught_up(self):
        wanted = self("backend", "SEQ")
        until = time.monotonic() + 20
        while time.monotonic() < until:
            lag = as_map(self("backend", "LAG"))
            if all(int(as_map(one)["applied"]) >= int(want) for one, want in zip(lag["partitions"], wanted)):
                return
            time.sleep(0.005)
        raise AssertionError("never caught up: %r" % lag)

    def weight(self, creator, who="backend"):
        self.caught_up()
        answer = as_map(self(who, "WEIGHT", creator))
        answer["parts"] = {one["part"]: float(one["value"]) for one in map(as_map, answer["parts"])}
        answer["penalties"] = [as_map(one) for one in answer["penalties"]]
        answer["recovery"] = [as_map(one) for one in answer["recovery"]]
        answer["items"] = [as_map(one) for one in answer["items"]]
        return answer


def publish(world):
    """Old works, so nobody is a newcomer; then new ones, which the weight is made of."""
    for creator in (GOOD, BAD):
        world("backend", "ACCOUNT", "SET", creator)
        for item in range(3):
            world("backend", "ITEM", "SET", creator * 100 + item, "CREATOR", creator,
                  "PUBLISHED", in_ms(-20 * DAY_MS))
    nothing = world.weight(GOOD)
    assert not int(nothing["known"]) and float(nothing["weight"]) == 50 and nothing["items"] == [], nothing
    for creator in (GOOD, BAD):
        for item in range(3, 6):
            world("backend", "ITEM", "SET", creator * 100 + item, "CREATOR", creator, "ORIGINAL",
                  "no" if creator == BAD and item == 5 else "yes")
            world("backend", "ITEM", "TAG", creator * 100 + item, "cats")
    good, bad = world.weight(GOOD), world.weight(BAD, "eve")
    assert [one["item"] for one in good["items"]] == ["6103", "6104", "6105"], good
    assert abs(good["parts"]["originality"] - 100 * 5 / 7) < 0.01, good
    assert abs(bad["parts"]["originality"] - 100 * 4 / 7) < 0.01, bad
    assert abs(good["parts"]["focus"] - 100 * 5 / 7) < 0.01 and good["parts"]["history"] == 50, good
    weight = sum(float(as_map(one)["value"]) * float(as_map(one)["share"])
                 for one in as_map(world("ann", "WEIGHT", GOOD))["parts"])
    assert abs(weight - float(good["weight"])) < 0.02, (weight, good)
    assert good["advice"] == "history", good   # it lacks most, by its share


def fans(world):
    before = world.weight(GOOD)
    for account in range(300, 310):
        world("backend", "FOLLOW", account, GOOD)
        world("backend", "LIKE", account, 6103)
        world("backend", "LIKE", account + 100, 6104)   # no follower
    after = world.weight(GOOD)
    assert float(after["fan_acts"]) == 10 and after["parts"]["fans"] > before["parts"]["fans"], after
    for account in range(300, 310):     # they go, and a mob comes: nothing falls
        world("backend", "UNLIKE", account, 6103)
        world("backend", "UNFOLLOW", account, GOOD)
        world("backend", "REPORT", account, 6103)
        world("backend", "SKIP", account + 200, 6104)
    gone = world.weight(GOOD)
    assert float(gone["weight"]) >= float(after["weight"]) - 0.01, (after, gone)


def health(world):
    """Seven measures each with what it is of, and no sum of them; the creator's are those of his items together."""
    measures = {}
    for item in (6103, 6104, 6105):
        for one in map(as_map, as_map(world("eve", "SIGNALS", item))["health"]):
            is_of = measures.setdefault(one["measure"], [0, 0])
            is_of[0] += float(one["value"]) * float(one["of"])
            is_of[1] += float(one["of"])
    assert list(measures) == ["completion", "like", "comment", "share", "negative", "authenticity", "diversity"]
    assert measures["authenticity"] == [10, 10], measures   # ten likes of 6104 are on
    for one in map(as_map, world.weight(GOOD)["health"]):
        assert float(one["of"]) == measures[one["measure"]][1] and one["band"] == "unknown", (one, measures)
        assert float(one["low"]) <= float(one["value"]) <= float(one["high"]), one


def decided(world):
    """A limit by two people: 20 points, less by the day, until it ends."""
    before, ends = world.weight(BAD), in_ms(10 * DAY_MS) // 1000 * 1000
    case = world("ann", "CASE", "OPEN", "review", "account", BAD, "copies others")
    world("ann", "CASE", "PROPOSE", case, "limit", "again", "UNTIL", ends)
    assert float(world.weight(BAD)["weight"]) == float(before["weight"]), "proposed is not decided"
    assert world("bea", "CASE", "APPROVE", case, "agreed") == 1
    after = world.weight(BAD)
    penalty, = after["penalties"]
    assert (int(penalty["case"]), float(penalty["points"]), int(penalty["ends_ms"])) == (case, 20, ends), after
    assert abs(float(before["weight"]) - float(after["weight"]) - 20) < 0.1 and "APPEAL" in penalty["appeal"], after
    step, = after["recovery"]
    assert int(step["at_ms"]) == ends and abs(float(step["weight"]) - float(before["weight"])) < 0.02, after
    assert float(after["multiplier"]) < 1 < float(step["multiplier"]), after
    return case, before


def first_budgets(world):
    told = {}
    for creator in (GOOD, BAD):
        world("backend", "ITEM", "SET", creator * 100 + 6, "CREATOR", creator)
    until = time.monotonic() + 30
    for creator in (GOOD, BAD):
        while time.monotonic() < until:
            world.caught_up()
            told[creator] = as_map(world("ann", "WHY", creator * 100 + 6))
            if told[creator]["state"] == "on-its-ladder":
                break
            time.sleep(0.1)
        one = told[creator]
        assert one["state"] == "on-its-ladder", one
        assert abs(float(one["weight"]) - float(world.weight(creator)["weight"])) < 0.05, one
        assert abs(float(one["first_budget"]) - 8 * 2 ** ((float(one["weight"]) - 50) / 50)) < 0.05, one
        assert int(one["budget"]) == int(float(one["first_budget"])), one
    assert int(told[GOOD]["budget"]) > int(told[BAD]["budget"]), told


def run():
    world = World(pool="default", partitions=2)   # cases, items and accounts live apart
    publish(world)
    fans(world)
    health(world)
    case, before = decided(world)
    first_budgets(world)
    kept = world.weight(BAD)
    world.again()
    again = world.weight(BAD)
    assert (kept["penalties"][0]["case"], kept["parts"], kept["items"]) == \
        (again["penalties"][0]["case"], again["parts"], again["items"]), (kept, again)
    assert world("backend", "CASE", "APPEAL", BAD, case, "they are mine") == 1
    world("ben", "CASE", "PROPOSE", case, "restore", "so they are")
    assert world("bea", "CASE", "APPROVE", case, "yes") == 1
    lifted = world.weight(BAD)
    assert lifted["penalties"] == lifted["recovery"] == [], lifted
    assert lifted["parts"]["originality"] >= before["parts"]["originality"], lifted
    world.server.stop()
    world.server.verify()


if __name__ == "__main__":
    main(run)
