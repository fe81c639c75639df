#!/usr/bin/python3
# zan-test: timeout=120
"""The ledger of points (preset bilibili): taken by rule, told with rule and version, given back by an appeal that is
granted; taken by people, given back by a restore; over both doors, over kill -9. And a creator's bands of likers."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_client import twin_server
from people import People, code

PEOPLE = {"app": "backend", "ann": "operator", "bea": "approver", "pri": "privacy", "eve": "auditor"}
ACCOUNT = 7
BEGAN = time.time()


def ledger(world, account=ACCOUNT):
    """As HTTP tells it (held against /openapi.json); RESP tells the same."""
    told = world.ask("app", "GET", "/v1/accounts/%d/points" % account).json
    over_resp = world("app", "POINTS", account)
    assert over_resp["balance"] == told["balance"], (told, over_resp)
    assert [(one["case"], one["points"], one["state"]) for one in over_resp["entries"]] == \
        [(one["case"], one["points"], one["state"]) for one in told["entries"]], (told, over_resp)
    return told


def at(minutes):
    """So long after the test's own beginning, two hours ago: an un-like within the undo window is none."""
    return "CTX", "TIME", int(BEGAN - 7200 + 60 * minutes) * 1000


def by_rule(world):
    for item in range(100, 130):
        assert world("app", "LIKE", ACCOUNT, item, *at(item / 100)) == 1
    assert ledger(world) == {"account": str(ACCOUNT), "balance": 0, "entries": [], "cursor": None}
    for item in range(100, 112):
        world("app", "UNLIKE", ACCOUNT, item, *at(30))
    told = ledger(world)
    entry, = told["entries"]
    assert told["balance"] == -10 and entry["points"] == 10 and entry["state"] == "applied", told
    rules = world("ann", "POLICY", "SHOW")
    names = [line["rule"] if "rule" in line else line["name"] for line in rules["rules"]]
    assert names[entry["rule"] - 1] == "unlike-share" and str(entry["policy"]) == str(rules["version"]), (entry, rules)
    assert entry["can_appeal"] and entry["until_ms"] is None and entry["sanctions"] == "points", entry
    assert world("app", "LIKE", ACCOUNT, 200) == 1  # nothing is refused by it
    return entry["case"]


def by_people(world):
    case = world("ann", "CASE", "OPEN", "review", "account", ACCOUNT, "sold likes")
    world("ann", "CASE", "PROPOSE", case, "points", "sold likes", "VALUE", 25)
    world("bea", "CASE", "APPROVE", case, "yes")
    told = ledger(world)
    assert told["balance"] == -35 and [one["points"] for one in told["entries"]] == [25, 10], told
    page = world("app", "POINTS", ACCOUNT, "COUNT", 1)
    assert len(page["entries"]) == 1 and page["cursor"] != "0", page
    page = world("app", "POINTS", ACCOUNT, "CURSOR", page["cursor"])
    assert [one["points"] for one in page["entries"]] == [10] and page["cursor"] == "0", page
    return case


def given_back(world, first, second):
    world.again()  # kill -9
    assert ledger(world)["balance"] == -35
    assert world("app", "CASE", "APPEAL", ACCOUNT, first, "a slip of the thumb") == 1
    assert ledger(world)["entries"][1]["state"] == "appealed"
    for case in (first, second):
        assert world("ann", "CASE", "PROPOSE", case, "restore", "he is right") == 1
        assert world("bea", "CASE", "APPROVE", case, "yes") == 1
    told = ledger(world)
    assert told["balance"] == 0, told
    assert [(one["points"], one["state"]) for one in told["entries"]] == [(0, "restored")] * 2, told


def who_may(world):
    assert code(world("eve", "POINTS", ACCOUNT)) == "NOPERM"
    assert world("pri", "POINTS", ACCOUNT)["balance"] == world("ann", "POINTS", ACCOUNT)["balance"] == 0
    assert code(world("app", "POINTS", 999)) == "NOACCOUNT"
    assert code(world("app", "POINTS", ACCOUNT, "CURSOR", 12345)) == "BADCURSOR"


def bands(world):
    """All in full but those of two accounts, which are not told apart from the next band."""
    world("app", "ITEM", "SET", 300, "CREATOR", 42)
    for account in range(1000, 1012):
        assert world("app", "LIKE", account, 300) == 1
    case = world("ann", "CASE", "OPEN", "review", "account", 1000, "bought")
    world("ann", "CASE", "PROPOSE", case, "void", "bought")
    world("bea", "CASE", "APPROVE", case, "yes")
    end = time.monotonic() + 30
    while world("app", "COUNTS", 300)["likes"]["voided"] != 1:
        assert time.monotonic() < end
        time.sleep(0.01)
    told = world.ask("app", "GET", "/v1/items/300/shield").json["quality"]
    assert told["looked"] == 12 and told["voided"] is None and told["full"] is None, told
    assert world("app", "SHIELD", 300)["quality"]["looked"] == 12


def run():
    for partitions in (1, 3):
        world = People(PEOPLE, partitions=partitions, policy="bilibili", trust="off", clock="requests")
        first = by_rule(world)
        second = by_people(world)
        given_back(world, first, second)
        who_may(world)
        bands(world)
        assert world.server.stop() == 0, world.server.messages
        world.server.verify()


twin_server.main(run)
