#!/usr/bin/python3
"""Rules that change while the node runs: two people, versions, shadow, kill -9, a changed setting.

zan-test: timeout=120
"""
import hashlib
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_client import twin_server
from people import People, code

PEOPLE = {"backend": "backend", "ann": "operator", "ben": "operator", "bea": "approver",
          "eve": "auditor"}

FIRST = """policy first version 7
undo 0s
rule few when count(like, account, 1h) > 3 then refuse
"""
SECOND = """policy second version 1
undo 0s
rule few  when count(like, account, 1h) > 5 then refuse
rule back when count(unlike, account, 1h) > 1 then refuse
"""
UNFAIR = "policy p version 1\nrule mob when count(report, item, 1h) > 50 then like-ban for 1d\n"


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


class World(People):
    def __init__(self, **settings):
        folder = twin_server.directory()
        self.rules = write(os.path.join(folder, "rules.policy"), FIRST)
        super().__init__({**PEOPLE, "tim": "operator tenant=5"}, folder,
                         **{"policy": self.rules, **settings})

    def policy(self, *words):
        return self("ann", "POLICY", *words)

    def state(self, version):
        return self.policy("GET", version)["state"]

    def likes(self, account, items):
        return [code(self("backend", "LIKE", account, item)) for item in items]


def a_text_is_checked_at_once(world):
    refused = world.policy("PROPOSE", "policy p version 1\nrule few whenever", "x")
    assert refused.code == "BADPOLICY", refused
    assert "line 2, column 10: expected" in refused.text, refused
    refused = world.policy("PROPOSE", UNFAIR, "x")
    assert refused.code == "BADPOLICY", refused
    assert "line 2, column 49: 'like-ban' restricts an account for what others did" in refused.text
    over_http = world.ask("ann", "POST", "/v1/policies", {"text": UNFAIR, "reason": "x"})
    assert over_http.status == 422 and over_http.code == "BADPOLICY", over_http
    assert "line 2, column 49" in over_http.json["detail"], over_http.json
    for who in ("backend", "bea", "eve"):
        assert code(world(who, "POLICY", "PROPOSE", SECOND, "x")) == "NOPERM", who
    assert code(world("tim", "POLICY", "PROPOSE", SECOND, "x")) == "ALLTENANTS"
    assert code(world("tim", "POLICY", "SHOW")) == "ALLTENANTS"
    assert [row["version"] for row in world.policy("LIST")] == ["7"], "nothing came of it"
    shown = world.policy("SHOW")
    assert shown["name"] == "first" and shown["version"] == "7" and shown["by_setting"], shown
    assert shown["digest"] == hashlib.sha256(FIRST.encode()).hexdigest()


def a_typo_is_told_the_names(world):
    refused = world.policy("PROPOSE", "chanels", "x")
    assert refused.code == "BADPOLICY", refused
    assert "there are: default, channels, douyin, bilibili, kuaishou, weibo;" in refused.text, \
        refused.text


def a_bad_file_leaves_nothing():
    """Neither as the policy nor as the credentials of a node that has no data yet."""
    folder = twin_server.directory()
    bad = write(os.path.join(folder, "bad.policy"), "policy p version 1\nrule few whenever\n")
    for option in ("--policy", "--credentials"):
        data = os.path.join(folder, "data")
        done = subprocess.run([os.environ["ZAN"], "serve", "--data", data, option, bad,
                               "--resp", "127.0.0.1:0", "--http", "off"],
                              capture_output=True, text=True)
        assert done.returncode == 2 and "BADCONFIG" in done.stderr and "line" in done.stderr, done
        assert not os.path.exists(data), os.listdir(data)


def two_people_change_it(world):
    """The quota of the old rules goes on under the new ones."""
    assert world.likes(1, range(1, 5)) == ["OK", "OK", "OK", "RATE"]
    version = world.policy("PROPOSE", SECOND, "three are too few")
    assert version == 8, version  # above every number there was, whatever the text says
    before = world.policy("GET", 8)
    assert before["state"] == "proposed" and before["text"] == SECOND, before
    assert before["reason"] == "three are too few" and before["decided_ms"] is None
    changes = world.policy("DIFF", 8)["rules"]
    assert [(rule["rule"], rule["change"]) for rule in changes] == \
        [("few", "changed"), ("back", "new")], changes
    # Killed between the two: it waits for its second person.
    world.again()
    assert world.policy("GET", 8) == before
    assert world.likes(1, [4]) == ["RATE"], "nothing is in force yet"
    for who, refusal in (("ann", "NOPERM"), ("ben", "NOPERM"), ("backend", "NOPERM")):
        assert code(world(who, "POLICY", "APPROVE", 8, "x")) == refusal, who
    assert code(world("bea", "POLICY", "APPROVE", 9, "x")) == "NOPOLICY"
    assert world("bea", "POLICY", "APPROVE", 8, "agreed") == 1
    # Killed after: it is in force.
    world.again()
    shown = world.policy("SHOW")
    assert shown["name"] == "second" and shown["version"] == "8" and not shown["by_setting"], shown
    assert shown["proposer"] != shown["decider"] != "0" != shown["proposer"], shown
    assert shown["decision"] == "agreed" and shown["decided_ms"] is not None, shown
    since = {rule["rule"]: rule["since_ms"] for rule in shown["rules"]}
    assert since == {"few": None, "back": shown["decided_ms"]}, since
    # The log has what the setting said before anybody decided, under the number it had.
    assert world.state(7) == "replaced" and world.policy("GET", 7)["text"] == FIRST
    assert world.policy("GET", 7)["by_setting"] and world.policy("GET", 7)["decided_ms"] is None
    # Three were counted under the old rules: two more fit.
    assert world.likes(1, range(4, 7)) == ["OK", "OK", "RATE"]
    assert code(world("backend", "UNLIKE", 1, 1)) == "OK"
    assert code(world("backend", "UNLIKE", 1, 2)) == "RATE", "the second, of an empty window"
    fired = {rule["rule"]: rule["refused"] for rule in world.policy("SHOW")["rules"]}
    assert fired == {"few": 1, "back": 1}, fired
    assert code(world("bea", "POLICY", "APPROVE", 8, "x")) == "POLICYSTATE"
    assert code(world("bea", "POLICY", "REJECT", 8, "x")) == "POLICYSTATE"


def shadow_has_no_effect(world):
    rules = "policy third version 1\nundo 0s\n" \
            "rule few when count(like, account, 1h) > 1 then refuse\n" \
            "rule shy when count(like, item, 1h) > 1 then alert\n"
    version = world.policy("PROPOSE", rules, "try it")
    assert version == 9
    assert world.policy("SHADOW", version, "for a day") == 1
    assert world.policy("SHADOW", version, "for a day") == 0
    assert world.likes(2, range(100, 104)) == ["OK"] * 4
    assert world.likes(3, [100, 101]) == ["OK"] * 2
    seen = world.policy("DIFF", version)
    assert seen["in_shadow"] and (seen["judged"], seen["refused"]) == (6, 4), seen
    assert [(rule["rule"], rule["fired"]) for rule in seen["rules"]] == \
        [("few", 4), ("shy", 2), ("back", 0)], seen
    world.server.until_said("version 8 as decided")
    world.again()
    assert world.policy("DIFF", version)["in_shadow"], "it goes on after a restart"
    assert world.policy("WITHDRAW", version, "no") == 1
    assert world.state(version) == "withdrawn"
    assert code(world.policy("SHADOW", version, "x")) == "POLICYSTATE"


def the_same_over_http(world):
    made = world.ask("ben", "POST", "/v1/policies", {"text": "channels", "reason": "the preset"})
    assert made.status == 200 and made.json["name"] == "channels", made
    path = "/v1/policies/" + made.json["version"]
    assert world.ask("ann", "PUT", path + "/shadow", {"reason": "x"}).status == 200
    assert world.ask("ben", "PUT", path + "/approval", {"reason": "x"}).code == "NOPERM"
    done = world.ask("bea", "PUT", path + "/rejection", {"reason": "not now"})
    assert done.json["state"] == "rejected", done
    listed = world.ask("eve", "GET", "/v1/policies").json["entries"]
    assert [row["state"] for row in listed] == ["rejected", "withdrawn", "active", "replaced"], \
        listed
    assert world.ask("eve", "GET", "/v1/policies/active").json["name"] == "second"
    text = world.ask("eve", "GET", path).json["text"]
    assert text == open(os.path.join(os.environ.get("ZAN_SOURCE", os.path.join(
        os.path.dirname(__file__), "..", "..")), "policies", "channels.policy")).read()
    assert world.ask("eve", "GET", path + "/changes").json["rules"][0]["change"] == "new"


def a_sanction_tells_its_version(world):
    rules = "policy ban version 1\nundo 0s\n" \
            "rule back when count(unlike, account, 1h) > 1 then like-ban for 1h\n"
    version = world.policy("PROPOSE", rules, "x")
    assert world("bea", "POLICY", "APPROVE", version, "x") == 1
    assert world.likes(4, [1, 2]) == ["OK"] * 2
    for item in (1, 2):
        world("backend", "UNLIKE", 4, item)
    case = int(world("backend", "CASES", 4)[1][0]["case"])
    again = world.policy("PROPOSE", "8", "as it was")  # an earlier version, by its number
    assert world("bea", "POLICY", "APPROVE", again, "x") == 1
    assert again == version + 1 and world.policy("GET", again)["text"] == SECOND
    row = world("ann", "CASE", "GET", case)
    assert row["policy"] == version, row
    assert "version %d" % version in row["opened_text"], row
    return again


def a_changed_setting_is_an_act(world, version):
    world.again(kill=False)
    assert world.policy("SHOW")["version"] == str(version), "unchanged: what people decided wins"
    write(world.rules, FIRST.replace("> 3", "> 2"))
    world.again(kill=False)
    shown = world.policy("SHOW")
    assert shown["name"] == "first" and shown["by_setting"], shown
    assert int(shown["version"]) == version + 1, shown
    assert world.policy("GET", version + 1)["text"] == FIRST.replace("> 3", "> 2")
    assert world.state(version) == "replaced"
    assert world.likes(5, [1, 2, 3]) == ["OK", "OK", "RATE"]
    world.again()
    assert "it takes the place of version %d" % version in world.server.messages
    now = world.policy("SHOW")
    assert now == dict(shown, counted_ms=now["counted_ms"], rules=now["rules"]), now
    assert world.state(version) == "replaced"


def a_rebuild_comes_to_the_same(world):
    before = [world.policy("GET", row["version"]) for row in world.policy("LIST")]
    assert world.server.stop() == 0, world.server.messages
    world.server.verify()
    subprocess.run([os.environ["ZAN"], "rebuild", "--data", world.server.data, "--policy", world.rules],
                   check=True, capture_output=True)
    a_version_can_be_backtested(world, before)
    world.server.start()
    world.login()
    assert [world.policy("GET", row["version"]) for row in world.policy("LIST")] == before
    world.server.stop()
    world.server.verify()


def a_version_can_be_backtested(world, versions):
    """The log with its changes of rules, under the text of one of the versions."""
    text = [row["text"] for row in versions if row["name"] == "third"][0]
    told = subprocess.run([os.environ["ZAN"], "backtest", "--data", world.server.data, "--trust",
                           "off", "--json", "--policy",
                           write(os.path.join(world.folder, "third.policy"), text)],
                          check=True, capture_output=True, text=True).stdout
    rules = {rule["rule"]: rule for rule in json.loads(told)["rules"]}
    assert rules["few"]["fired"] > 4, told


def every_partition_switches():
    """And a node that had neither rules nor scoring gets what they need."""
    world = World(partitions=3, policy="none", trust="off")
    assert world.policy("SHOW")["name"] == "none"
    accounts = range(30)
    assert all(world.likes(account, [1, 2, 3, 4]) == ["OK"] * 4 for account in accounts)
    version = world.policy("PROPOSE", FIRST, "x")
    assert world.policy("SHADOW", version, "x") == 1
    assert all(world.likes(account, [5, 6, 7, 8]) == ["OK"] * 4 for account in accounts)
    for _ in range(200):
        seen = world.policy("DIFF", version)
        if seen["judged"] == 120:
            break
        time.sleep(0.02)
    assert (seen["judged"], seen["refused"]) == (120, 30), seen
    assert world("bea", "POLICY", "APPROVE", version, "x") == 1
    # Answered: every partition has it, and what ran in shadow has counted already.
    assert all(world.likes(account, [9]) == ["RATE"] for account in accounts)
    world.again()
    assert all(world.likes(account, [9]) == ["RATE"] for account in accounts)
    assert world.policy("SHOW")["version"] == str(version)
    world.server.stop()
    world.server.verify()


BOTH = """policy both version 1
rule d when count(favorite, account, 1h) > 1 then limit for 1h
rule p when count(favorite, account, 1h) > 0 then alert
"""


def own_cases(world, account):
    return [world("backend", "CASE", "OWN", account, row["case"])
            for row in world("backend", "CASES", account)[1]]


def a_restriction_names_its_rule():
    """Also where another rule asks for a look at the same act; and it can be appealed at once."""
    world = World(policy=write(os.path.join(twin_server.directory(), "both.policy"), BOTH))
    assert world("backend", "FAVORITE", 7, 1) == 1
    assert code(world("backend", "FAVORITE", 7, 2)) == "SUSPENDED"
    limit, look = own_cases(world, 7)
    assert (limit["kind"], limit["state"], limit["rule"]) == ("sanction", "applied", 1), limit
    assert limit["sanctions"] == "limit" and limit["can_appeal"] == 1, limit
    assert (look["kind"], look["rule"], look["can_appeal"]) == ("review", 2, 0), look
    told = world("ann", "CASE", "GET", limit["case"])["opened_text"]
    assert told.startswith("rule d of policy both"), told
    assert world("backend", "CASE", "APPEAL", 7, limit["case"], "not me") == 1
    assert world("ann", "CASE", "PROPOSE", limit["case"], "restore", "x") == 1
    assert world("bea", "CASE", "APPROVE", limit["case"], "x") == 1
    assert world("backend", "UNFAVORITE", 7, 1) == 1
    with open(os.path.join(os.environ.get("ZAN_SOURCE", os.path.join(
            os.path.dirname(__file__), "..", "..")), "policies", "channels.policy")) as file:
        version = world.policy("PROPOSE", file.read().replace("undo 30s", "undo 0s"), "x")
    assert world("bea", "POLICY", "APPROVE", version, "x") == 1
    assert world.likes(8, range(1, 21)) == ["OK"] * 20
    for item in range(1, 8):
        assert world("backend", "UNLIKE", 8, item) == 1
    cut, look = own_cases(world, 8)
    assert (cut["kind"], cut["rule"], cut["sanctions"]) == ("sanction", 2, "cut"), cut
    assert cut["can_appeal"] == 1 and (look["kind"], look["rule"]) == ("review", 1), (cut, look)
    world.server.stop()
    world.server.verify()


def main():
    a_bad_file_leaves_nothing()
    a_restriction_names_its_rule()
    every_partition_switches()
    world = World()
    a_text_is_checked_at_once(world)
    a_typo_is_told_the_names(world)
    two_people_change_it(world)
    shadow_has_no_effect(world)
    the_same_over_http(world)
    a_changed_setting_is_an_act(world, a_sanction_tells_its_version(world))
    a_rebuild_comes_to_the_same(world)


twin_server.main(main)
