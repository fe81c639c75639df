#!/usr/bin/python3
"""Cases over RESP and HTTP: roles, four eyes, sanctions that end, a sweep killed in the middle.

zan-test: timeout=120
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_client import twin_server
from client import Error
from people import People, code

PEOPLE = {"backend": "backend", "ann": "operator", "ben": "operator", "bea": "approver",
          "cid": "approver", "eve": "auditor"}
LIKES = 3000
HOUR_MS = 3600 * 1000


def number(name):
    return subprocess.run([os.environ["ZAN"], "key", "number", name], check=True,
                          capture_output=True, text=True).stdout.strip()


class World(People):
    def __init__(self, **settings):
        super().__init__(PEOPLE, **settings)

    def wait(self, case, state):
        for _ in range(2000):
            row = self("ann", "CASE", "GET", case)
            assert not isinstance(row, Error), (case, row)
            if row["state"] == state:
                return row
            time.sleep(0.01)
        raise AssertionError("case %s is %s, not %s" % (case, row["state"], state))


def in_ms(ms):
    return int(time.time() * 1000) + ms


def a_sanction_needs_two_and_ends(world):
    world("backend", "ACCOUNT", "SET", 7)
    case = world("ann", "CASE", "OPEN", "review", "account", 7, "takes likes back all day")
    assert code(world("bea", "CASE", "APPROVE", case, "yes")) == "CASESTATE"
    soon = in_ms(3000)
    assert world("ann", "CASE", "PROPOSE", case, "like-ban", "too many", "UNTIL", soon) == 1
    for who, refusal in (("ann", "NOPERM"), ("eve", "NOPERM"), ("backend", "NOPERM")):
        assert code(world(who, "CASE", "APPROVE", case, "yes")) == refusal, who
    assert code(world("backend", "LIKE", 7, 1)) == "OK"
    assert world("bea", "CASE", "APPROVE", case, "agreed") == 1
    refused = world("backend", "LIKE", 7, 2)
    assert refused.code == "SUSPENDED" and "until=" in refused.text, refused
    assert world("backend", "UNLIKE", 7, 1) == 1
    row = world("eve", "CASE", "GET", case)
    assert row["state"] == "applied" and row["decision"] == "like-ban", row
    assert row["proposer"] != row["approver"] and row["approver"] != "0", row
    assert row["opened_sequence"] < row["proposed_sequence"] < row["decided_sequence"], row
    assert (row["opener"], row["proposer"], row["approver"]) == (
        number("ann"), number("ann"), number("bea")), row
    assert row["sanctions"] == "like-ban" and row["opened_text"] == "takes likes back all day", row
    while in_ms(0) < soon + 1100:
        time.sleep(0.05)
    assert world("backend", "LIKE", 7, 2) == 1  # nothing had to run for that


def an_end_is_demanded(world):
    case = world("ann", "CASE", "OPEN", "review", "account", 7, "again")
    for until in (1000, in_ms(400 * 24 * HOUR_MS)):
        assert code(world("ann", "CASE", "PROPOSE", case, "cut", "x", "UNTIL", until, "VALUE",
                          50)) == "BADVALUE"
    refused = world("ann", "CASE", "PROPOSE", case, "cut", "x", "VALUE", 100)
    assert refused.code == "BADVALUE" and "VALUE 1 to 99" in refused.text, refused
    over_http = world.ask("ann", "PUT", "/v1/cases/%d/proposal" % case,
                          {"decision": "points", "reason": "x"})
    assert over_http.code == "BADVALUE" and "points need VALUE" in over_http.json["detail"], over_http
    restrict = ("ACCOUNT", "STATE", 7, "suspended", "UNTIL")
    refused = world("backend", *restrict, in_ms(400 * 24 * HOUR_MS))
    assert refused.code == "BADVALUE" and "at most 366 days ahead" in refused.text, refused
    assert world("ann", "CASE", "PROPOSE", case, "dismiss", "nothing in it") == 1
    assert world("cid", "CASE", "APPROVE", case, "yes") == 1
    assert world("ann", "CASE", "GET", case)["state"] == "rejected"


def an_appeal_gives_it_back(world):
    case = world("ann", "CASE", "OPEN", "review", "account", 8, "x")
    assert code(case) == "NOACCOUNT"
    world("backend", "ACCOUNT", "SET", 8)
    case = world("ann", "CASE", "OPEN", "review", "account", 8, "x")
    world("ann", "CASE", "PROPOSE", case, "limit", "x", "UNTIL", in_ms(HOUR_MS))
    world("bea", "CASE", "APPROVE", case, "x")
    assert code(world("backend", "LIKE", 8, 1)) == "SUSPENDED"
    assert code(world("backend", "CASE", "APPEAL", 9, case, "not mine")) == "NOCASE"
    own = world("backend", "CASE", "OWN", 8, case)
    assert own["can_appeal"] == 1 and "proposer" not in own and "opened_text" not in own, own
    assert code(world("backend", "CASE", "OWN", 9, case)) == "NOCASE"
    assert world("backend", "CASE", "APPEAL", 8, case, "it was my brother") == 1
    assert code(world("backend", "CASE", "APPEAL", 8, case, "twice")) == "CASESTATE"
    listed = world("ann", "CASE", "LIST", "STATE", "appealed")[1]
    assert [row["case"] for row in listed] == [str(case)], listed
    assert world("ben", "CASE", "PROPOSE", case, "restore", "he is right") == 1
    assert world("bea", "CASE", "APPROVE", case, "x") == 1
    assert world("ann", "CASE", "GET", case)["state"] == "restored"
    assert world("backend", "LIKE", 8, 1) == 1
    assert [row["case"] for row in world("backend", "CASES", 8)[1]] == [str(case)]


def the_same_over_http(world):
    opened = world.ask("ann", "POST", "/v1/cases", {"kind": "quarantine", "subject": "item", "id": "1",
                                                    "reason": "a burst"})
    assert opened.status == 200, opened
    path = "/v1/cases/" + opened.json["case"]
    body = {"decision": "quarantine", "reason": "until we know", "until_ms": in_ms(HOUR_MS)}
    assert world.ask("bea", "PUT", path + "/proposal", body).code == "NOPERM"
    assert world.ask("ann", "PUT", path + "/proposal", body).json["state"] == "proposed"
    done = world.ask("bea", "PUT", path + "/approval", {"reason": "yes"})
    assert done.json["state"] == "applied" and done.json["until_ms"] is not None, done
    page = world.ask("eve", "GET", "/v1/cases/of/item/1").json
    assert [entry["case"] for entry in page["entries"]] == [opened.json["case"]], page
    assert world.ask("ann", "GET", "/v1/cases?state=applied").json["entries"], "a window is live"
    assert world.ask("ann", "GET", "/v1/cases/12345").code == "NOCASE"
    ended = world.ask("ann", "PUT", path + "/proposal", {"decision": "credit", "reason": "honest"})
    assert ended.status == 200, ended
    world.ask("bea", "PUT", path + "/approval", {"reason": "yes"})
    world.wait(int(opened.json["case"]), "applied")


def totals(world, item=5):
    return world("backend", "COUNTS", item)["likes"]


def a_sweep_survives_kill_9(world):
    for account in range(1000, 1000 + LIKES, 500):
        world.of["backend"].many([("LIKE", one, 5) for one in range(account, account + 500)])
    before = totals(world)
    assert before["raw"] == LIKES
    case = world("ann", "CASE", "OPEN", "review", "item", 5, "bought")
    world("ann", "CASE", "PROPOSE", case, "void", "invoice found")
    world("cid", "CASE", "APPROVE", case, "yes")
    kills = 0
    while world("ann", "CASE", "GET", case)["state"] == "applying" and kills < 4:
        world.server.kill()
        kills += 1
        world.server.start()
        world.login()
    row = world.wait(case, "applied")
    now = totals(world)
    assert now["voided"] == LIKES and now["valid"] == 0 and now["raw"] == LIKES, now
    assert row["likes"] == LIKES, row
    world("ben", "CASE", "PROPOSE", case, "restore", "the wrong item")
    world("cid", "CASE", "APPROVE", case, "yes")
    world.server.kill()
    world.server.start()
    world.login()
    row = world.wait(case, "restored")
    assert row["restored"] == LIKES, row
    assert totals(world) == before, (totals(world), before)
    print("%d kills" % (kills + 1))


def each_like_is_told_to_who_judges(world):
    """CASE LIKES: to operators and approvers, over both doors; to nobody else."""
    world.of["backend"].many([("LIKE", one, 50) for one in range(200, 205)])
    listed = world("ann", "CASE", "LIKES", 50, "COUNT", 3)
    assert [row["account"] for row in listed[1]] == ["204", "203", "202"] and listed[0] != "0", listed
    assert {key: listed[1][0][key] for key in ("weight_pct", "mark", "reason", "before_mark",
                                               "before_reason")} == {
        "weight_pct": 100, "mark": "plain", "reason": "none", "before_mark": None,
        "before_reason": None}, listed
    rest = world("bea", "CASE", "LIKES", 50, "CURSOR", listed[0])
    assert rest[0] == "0" and [row["account"] for row in rest[1]] == ["201", "200"], rest
    case = world("ann", "CASE", "OPEN", "review", "account", 203, "bought")
    assert code(world("ann", "CASE", "PROPOSE", case, "cut", "x", "VALUE", 10, "ONLY",
                      "young")) == "BADVALUE"
    asked = world.ask("ann", "PUT", "/v1/cases/%s/proposal" % case,
                      {"decision": "void", "reason": "found", "only": "lockstep"}).json
    assert (asked["proposed_only"], asked["only"], asked["proposed_value"]) == ("lockstep", "none",
                                                                                0), asked
    world("bea", "CASE", "APPROVE", case, "yes")
    assert world.wait(case, "applied")["likes"] == 0  # it is none of those
    assert "only" not in world("backend", "CASE", "OWN", 203, case)
    case = world("ann", "CASE", "OPEN", "review", "account", 203, "bought")
    world("ann", "CASE", "PROPOSE", case, "void", "found")
    world("bea", "CASE", "APPROVE", case, "yes")
    assert world.wait(case, "applied")["likes"] == 1
    page = world.ask("bea", "GET", "/v1/cases/likes/50?mark=voided").json
    assert page["cursor"] is None and page["entries"][0]["time_ms"] > 0, page
    assert [(row["account"], row["mark"], row["reason"], row["before_reason"])
            for row in page["entries"]] == [("203", "voided", "review", "none")], page
    assert world.ask("bea", "GET", "/v1/cases/likes/50?reason=review").json["entries"] == page["entries"]
    assert world.ask("bea", "GET", "/v1/cases/likes/50?reason=young").json["entries"] == []
    for who in ("backend", "eve"):
        assert code(world(who, "CASE", "LIKES", 50)) == "NOPERM", who
        assert world.ask(who, "GET", "/v1/cases/likes/50").code == "NOPERM", who


def reports_only_open_a_case(world):
    world("backend", "ACCOUNT", "SET", 60)
    world("backend", "ITEM", "SET", 6, "CREATOR", 60)
    before = world("backend", "ACCOUNT", "GET", 60)
    for account in range(5):
        world("backend", "REPORT", 100 + account, 6)
    assert not [row for row in world("ann", "CASE", "LIST")[1] if row["kind"] == "reports"]
    world("backend", "REPORT", 105, 6)
    listed = [row for row in world("ann", "CASE", "LIST")[1] if row["kind"] == "reports"]
    assert len(listed) == 1 and listed[0]["about"] == "6", listed
    after = world("backend", "ACCOUNT", "GET", 60)
    assert {k: after[k] for k in ("state", "until_ms")} == {k: before[k] for k in ("state", "until_ms")}
    assert world("cid", "CASE", "REJECT", int(listed[0]["case"]), "a mob") == 1
    # Who was wrong weighs less: six of them open nothing any more.
    world("backend", "ITEM", "SET", 16)
    for account in range(6):
        world("backend", "REPORT", 100 + account, 16)
    assert not [row for row in world("ann", "CASE", "LIST")[1] if row["kind"] == "reports"]


def wait_for(ask, wanted, tell=lambda: None):
    for _ in range(600):
        found = ask()
        if found == wanted:
            return
        time.sleep(0.01)
    raise AssertionError("%r, not %r; %r" % (found, wanted, tell()))


def an_item_is_liked_from_other_partitions():
    """The item's partition sweeps; the accounts' partitions decide; the copies follow."""
    world = World(partitions=3)
    likes = 600
    told = lambda words: {row["account"] for row in world("ann", "CASE", "LIKES", 5, "COUNT",
                                                           1000, *words)[1]}
    world.of["backend"].many([("LIKE", one, 5) for one in range(likes)])
    world.of["backend"].many([("LIKE", 77, item) for item in range(100, 100 + likes)])
    before = totals(world)
    for subject, about, item in (("item", 5, 5), ("account", 77, 101)):
        case = world("ann", "CASE", "OPEN", "review", subject, about, "bought")
        world("ann", "CASE", "PROPOSE", case, "void", "found")
        world("cid", "CASE", "APPROVE", case, "yes")
        world.server.kill()
        world.server.start()
        world.login()
        row = world.wait(case, "applied")
        assert row["likes"] >= likes and row["opened_text"] == "bought", row
        wait_for(lambda: totals(world, item)["valid"], 0)
        if item == 5:  # the item's partition knows of all of them, wherever they were decided
            assert told(["MARK", "voided"]) == {str(one) for one in range(likes)}
            assert told(["MARK", "plain"]) == set()
            world("ben", "CASE", "PROPOSE", case, "restore", "wrong")
            world("cid", "CASE", "APPROVE", case, "yes")
            world.wait(case, "restored")
            wait_for(lambda: totals(world), before, lambda: world("ann", "CASE", "GET", case))
    listed, cursor = [], "0"
    while True:
        cursor, page = world("ann", "CASE", "LIST", "CURSOR", cursor)
        listed += page
        if cursor == "0":
            break
    assert listed == [], listed
    world.server.stop()
    world.server.verify()


def main():
    an_item_is_liked_from_other_partitions()
    world = World()
    a_sanction_needs_two_and_ends(world)
    an_end_is_demanded(world)
    an_appeal_gives_it_back(world)
    the_same_over_http(world)
    reports_only_open_a_case(world)
    each_like_is_told_to_who_judges(world)
    a_sweep_survives_kill_9(world)
    world.server.stop()
    world.server.verify()


twin_server.main(main)
