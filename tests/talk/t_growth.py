#!/usr/bin/python3
# zan-test: timeout=120
"""Growth of an item's totals is not shown, counted all the same, and labelled wherever it is told: the creator's own
switch, a decision of two, over both doors, one partition and several, kill -9 between."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_client import twin_server
from people import People, code

PEOPLE = {"app": "backend", "ann": "operator", "bea": "approver", "eve": "auditor"}
ITEM, OTHER, CREATOR = 9, 10, 42


def in_ms(seconds):
    return int(time.time() + seconds) * 1000


def totals(world, who, verb="like"):
    """The numbers, and which of them are without their growth: as HTTP tells them; RESP tells the same."""
    ids = [OTHER, ITEM, 11, ITEM]
    told = world.ask(who, "POST", "/v1/batch/counts", {"verb": verb, "items": ids}).json
    assert world(who, verb.upper() + "S", *ids) == told["counts"], told
    until = world(who, "PAUSED", *ids)
    assert [(int(one["item"]), one["until_ms"]) for one in told["paused"]] == \
        [(item, ms) for item, ms in zip(ids, until) if ms], (told, until)
    assert told["counts"][1] == told["counts"][3], told
    return told["counts"][1], until[1]


def likes(world, first, last, verb="LIKE"):
    for account in range(first, last):
        assert world("app", verb, account, ITEM) == 1


def counts(world):
    """Raw counts beside what is shown, wherever an item is told."""
    told = world.ask("app", "GET", "/v1/items/%d/counts" % ITEM).json["counts"]
    assert world.ask("app", "GET", "/v1/items/%d" % ITEM).json["counts"] == told
    shown = world("app", "COUNTS", ITEM)
    assert shown["like"] == told["like"] and shown["paused"] == told["paused"], (shown, told)
    return told


def the_creators_own(world):
    path = "/v1/items/%d/pauses/%d" % (ITEM, CREATOR)
    likes(world, 100, 110)
    assert totals(world, "app") == (10, 0) and counts(world)["paused"] is None
    assert code(world("app", "GROWTH", "PAUSE", 43, ITEM)) == "BADVALUE"
    refused = world.ask("app", "PUT", path, {"until_ms": in_ms(8 * 86400)})
    assert refused.code == "BADVALUE" and "at most 7 days" in refused.json["detail"], refused
    until = in_ms(3600)
    written = world.ask("app", "PUT", path, {"until_ms": until}).json
    assert written["applied"] and written["counts"]["paused"]["until_ms"] == until, written
    assert world("app", "GROWTH", "PAUSE", CREATOR, ITEM, "UNTIL", until) == 0  # it is so already
    likes(world, 110, 130)
    world("app", "VIEW", 7, ITEM, 1000, 2000)
    assert totals(world, "app") == (10, until) and totals(world, "app", "view") == (0, until)
    assert totals(world, "eve") == (30, until)  # who audits is told what is, and that it is not shown
    told = counts(world)
    assert told["like"] == told["likes"]["raw"] == 30 and told["paused"] == {
        "until_ms": until, "by": "creator", "like": 10, "favorite": 0, "view": 0, "share": 0, "comment": 0}, told
    assert world("app", "LIKE", 130, ITEM, "RETURN")["counts"] == world("app", "COUNTS", ITEM)
    world.again()  # kill -9
    assert totals(world, "app") == (10, until) and counts(world)["like"] == 31
    likes(world, 100, 123, "UNLIKE")
    assert totals(world, "app") == (8, until)  # what falls is shown
    assert world.ask("app", "DELETE", path).json["applied"]
    likes(world, 100, 123)
    assert totals(world, "app") == (31, 0) and counts(world)["paused"] is None


def by_two(world):
    case = world("ann", "CASE", "OPEN", "review", "item", ITEM, "a regulator asks")
    until = in_ms(3600)
    assert world("ann", "CASE", "PROPOSE", case, "pause", "so ordered", "UNTIL", until) == 1
    assert totals(world, "app") == (31, 0)
    assert code(world("ann", "CASE", "APPROVE", case, "x")) == "NOPERM"
    assert world("bea", "CASE", "APPROVE", case, "agreed") == 1
    likes(world, 140, 150)
    assert totals(world, "app") == (31, until) and counts(world)["paused"]["by"] == "review"
    assert code(world("app", "GROWTH", "RESUME", CREATOR, ITEM)) == "PAUSESTATE"
    notice = world("app", "NOTICES", CREATOR)[2][0]
    assert (notice["kind"], notice["what"], notice["case"]) == ("decided", "pause", str(case)), notice
    own = world("app", "CASE", "OWN", CREATOR, case)
    assert own["decision"] == "pause" and own["until_ms"] == until and own["can_appeal"] == 1, own
    assert world("app", "CASE", "APPEAL", CREATOR, case, "there is nothing in it") == 1
    assert world("ann", "CASE", "PROPOSE", case, "restore", "he is right") == 1
    assert world("bea", "CASE", "APPROVE", case, "yes") == 1
    assert totals(world, "app") == (41, 0)


def no_rule_does_it(world):
    refused = world("ann", "POLICY", "PROPOSE", "policy p version 2\nrule r on like when count(like, item, 1h) > 5 then pause for 1h\n", "x")
    assert refused.code == "BADPOLICY", refused
    assert "line 2" in refused.text or "2:" in refused.text, refused


def it_ends(world):
    until = in_ms(2)
    assert world("app", "GROWTH", "PAUSE", CREATOR, ITEM, "UNTIL", until) == 1
    likes(world, 160, 161)
    while time.time() * 1000 < until + 100:
        time.sleep(0.05)
    assert totals(world, "app") == (42, 0)  # nothing had to run for that


def run():
    for partitions in (1, 3):
        world = People(PEOPLE, partitions=partitions, trust="off")
        assert world("app", "ITEM", "SET", ITEM, "CREATOR", CREATOR) == 1
        the_creators_own(world)
        by_two(world)
        no_rule_does_it(world)
        it_ends(world)
        assert world.server.stop() == 0, world.server.messages
        world.server.verify()


twin_server.main(run)
