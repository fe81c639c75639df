#!/usr/bin/python3
"""T38: what is kept of an account is told to it whole (against a twin), and goes when it is asked for; who may
ask, who carries it out; what is left, and where: exactly what docs/security.md says. With one partition and three.

zan-test: timeout=120
"""
import hashlib
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_client import twin_server
from client import Client, Error, as_map
from people import People, code, key_of

PEOPLE = {"app": "backend", "paula": "privacy", "ann": "operator", "ben": "approver", "adam": "administrator"}
HOLDER, OTHER = 0xE1A5ED0FC0DEFACE, 8   # no other number has these bytes
ADDRESS, DEVICE = "198.51.100.231", "planted-device-7719"
ITEMS = 220


class World(People):
    def __init__(self, tenant=0, **settings):
        super().__init__({name: "%s tenant=%d" % (role, tenant) for name, role in PEOPLE.items()},
                         sync="none", segment_mb=1, **settings)


class Twin:
    """What the account has done, as the test did it."""

    def __init__(self):
        self.edges, self.cleared = {"like": {}, "favorite": {}, "follow": {}}, set()

    def lines(self):
        return sorted([(kind, target) for kind in self.edges for target in self.edges[kind]] +
                      [("cleared", target) for target in self.cleared])


def live(world, twin, random):
    """Likes, favorites, follows, some taken back, by hand and by a clean-up."""
    for item in range(1, ITEMS + 1):
        world("app", "ITEM", "SET", item, "CREATOR", 90 + item % 3)
        world("app", "LIKE", OTHER, item)
    for item in range(1, 21):
        world("app", "LIKE", HOLDER, item)
    assert world("paula", "CLEANUP", "RUN", HOLDER)[1] == 20
    twin.cleared.update(range(1, 21))
    for _ in range(2 * ITEMS):
        item = random.randrange(21, ITEMS + 1)
        verb, kind = random.choice([("LIKE", "like")] * 3 + [("FAVORITE", "favorite")])
        if random.random() < 0.15:
            world("app", "UN" + verb, HOLDER, item)
            twin.edges[kind].pop(item, None)
        else:
            answer = world("app", verb, HOLDER, item, "CTX", "ADDRESS", ADDRESS, "DEVICE", DEVICE)
            assert code(answer) == "OK", answer
            twin.edges[kind][item] = True
    for creator in (90, 91):
        world("app", "FOLLOW", HOLDER, creator)
        twin.edges["follow"][creator] = True
    world("app", "ACCOUNT", "SET", HOLDER, "VISIBLE", "all", "PERSONAL", "off")
    # All the rest that leaves a record with an account in it, on either side.
    for words in (("REPORT", HOLDER, 5), ("VIEW", HOLDER, 6, 1000, 2000), ("SHARE", HOLDER, 6, "OPID", "x-1"),
                  ("ACT", HOLDER, 7, "COMMENT", "SKIP"), ("ITEM", "SET", 501, "CREATOR", HOLDER),
                  ("LIKE", OTHER, 501), ("FOLLOW", OTHER, HOLDER), ("ACCOUNT", "REVOKE", HOLDER),
                  ("LIKE", HOLDER, 5, "OPID", "x-2"), ("UNLIKE", HOLDER, 5), ("LIKE", HOLDER, 5)):
        answer = world("app", *words)
        assert not isinstance(answer, Error), (words, answer)
    twin.edges["like"][5] = True


def decide(world):
    """A case about the account, by two people: a weight cut with an end, and a void of one like's item."""
    case = world("ann", "CASE", "OPEN", "review", "account", HOLDER, "planted-reason-5512")
    until = int(time.time() * 1000) + 3600000
    assert code(world("ann", "CASE", "PROPOSE", case, "cut", "too fast", "VALUE", 40, "UNTIL", until)) == "OK"
    assert code(world("ben", "CASE", "APPROVE", case, "seen")) == "OK"
    shown = world("paula", "ACCOUNT", "GET", HOLDER)
    assert shown["standing"]["cut_pct"] == 40, shown
    assert abs(shown["standing"]["cut_until_ms"] - until) <= 1000 and shown["standing"]["personal"] == 0, shown
    assert int(shown["case"]["case"]) == int(case) and shown["case"]["decision"] == "cut", shown
    assert shown["case"]["policy"] == 0 and "opened_text" not in shown["case"], shown
    return case


def export(world, count):
    """All pages over RESP."""
    lines, cursor = [], 0
    for _ in range(10000):
        cursor, page = world("paula", "ACCOUNT", "EXPORT", HOLDER, "CURSOR", cursor, "COUNT", count)
        lines += page
        if cursor in ("0", b"0", 0):
            return lines
    raise AssertionError("the export does not end")


def export_http(world):
    lines, cursor = [], None
    while True:
        path = "/v1/accounts/%d/export?count=50" % HOLDER + ("&cursor=" + cursor if cursor else "")
        answer = world.ask("paula", "GET", path).json
        lines += answer["entries"]
        cursor = answer["cursor"]
        if cursor is None:
            return lines


def round_trip(world, twin, case):
    """The export is what the twin did: nothing more, nothing twice; the same over both doors."""
    wanted = twin.lines()
    for count in (7, 1000):
        lines = export(world, count)
        edges = sorted((line["kind"], int(line["target"])) for line in lines if "target" in line)
        assert edges == wanted, (len(edges), len(wanted), set(edges) ^ set(wanted))
        told = [line for line in lines if "target" not in line]
        assert [line["kind"] for line in told][:2] == ["account", "case"], told
        assert int(told[1]["case"]["case"]) == int(case) and told[1]["case"]["decided_text"] == "too fast"
        notices = [line["notice"] for line in told[2:]]
        assert notices == world("app", "NOTICES", HOLDER, "COUNT", 48)[2] and len(notices) > 0, told
        for line in lines:
            if line["kind"] == "like":
                assert line["mark"] in ("plain", "held") and 0 <= line["weight_pct"] <= 100, line
                assert line["time_ms"] > 0, line
    over_http = export_http(world)
    assert sorted((line["kind"], int(line["target"])) for line in over_http if "target" in line) == wanted
    assert over_http[0]["account"]["standing"]["personal"] is False
    assert [line["notice"]["notice"] for line in over_http if line["kind"] == "notice"] == \
        [notice["notice"] for notice in notices]
    for name in ("ann", "ben", "adam"):
        assert code(world(name, "ACCOUNT", "EXPORT", HOLDER)) == "NOPERM", name


def only_the_privacy_officer(world):
    for name in ("app", "ann", "ben", "adam"):
        assert code(world(name, "ACCOUNT", "PURGE", HOLDER)) == "NOPERM", name
    for name in ("ann", "ben", "adam"):
        assert code(world(name, "ACCOUNT", "ERASE", HOLDER)) == "NOPERM", name
    assert code(world("paula", "ACCOUNT", "PURGE", HOLDER)) == "NOTDUE"   # nobody asked


def totals(world):
    return world("app", "LIKES", *range(1, ITEMS + 1))


def erase(world, twin):
    before = totals(world)
    assert world("app", "ACCOUNT", "ERASE", HOLDER) == 1
    assert world.ask("app", "DELETE", "/v1/accounts/%d/erasure" % HOLDER).json["applied"]
    assert code(world("paula", "ACCOUNT", "PURGE", HOLDER)) == "NOTDUE"   # thought again
    assert world("app", "ACCOUNT", "ERASE", HOLDER) == 1
    assert world("app", "ACCOUNT", "GET", HOLDER)["standing"]["erase_ms"] > 0
    _, changed, more = world("paula", "ACCOUNT", "PURGE", HOLDER)
    assert (changed, more) == (sum(map(len, twin.edges.values())), 0), (changed, more)
    deadline = time.monotonic() + 20   # with partitions what others got follows in a moment
    wanted = [count - (item in twin.edges["like"]) for item, count in enumerate(before, 1)]
    while totals(world) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    assert totals(world) == wanted == [1] * ITEMS
    for answer in (world("app", "LIKE", HOLDER, 1), world("app", "ACCOUNT", "SET", HOLDER, "VISIBLE", "all"),
                   world("app", "UNLIKE", HOLDER, 1)):
        assert code(answer) == "ERASED", answer
    answer = world.ask("app", "PUT", "/v1/items/1/likes/%d" % HOLDER)
    assert (answer.status, answer.code) == (410, "ERASED"), answer
    assert world("app", "LIKEDBY", HOLDER)[1] == [] and world("app", "FAVORITEDBY", HOLDER)[1] == []
    left = [line["kind"] for line in export(world, 100)]
    assert [kind for kind in left if kind != "cleared"] == ["account"], left
    tomb = world("paula", "ACCOUNT", "GET", HOLDER)
    assert (tomb["state"], tomb["until_ms"], tomb["case"], tomb["first_ms"]) == ("erased", None, None, 0), tomb
    assert tomb["standing"]["points"] == 0 and tomb["standing"]["personal"] == 1, tomb
    for number in (1, 2):
        assert code(world("paula", "CLEANUP", "UNDO", HOLDER, number)) == "ERASED"


def varint(number):
    out = b""
    while number >= 0x80:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def residue(folder):
    """{what: {first part of the path}} of everything planted, in every file."""
    planted = {"text": str(HOLDER).encode(), "little": HOLDER.to_bytes(8, "little"),
               "big": HOLDER.to_bytes(8, "big"), "varint": varint(HOLDER), "hex": b"%x" % HOLDER,
               "address": ADDRESS.encode(), "device": DEVICE.encode()}
    found = {name: set() for name in planted}
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                bytes_ = file.read()
            place = os.path.relpath(os.path.join(path, name), folder)
            for what, needle in planted.items():
                if needle in bytes_:
                    found[what].add(place)
    return found


def nothing_is_left_where_it_may_not_be(world):
    """After the erasure and a restart: the log and the index are what docs/security.md says, all else is clean."""
    said = repr(world("adam", "INFO")) + repr(world("adam", "CONFIG", "GET", "*"))
    said += world.ask("adam", "GET", "/metrics").body.decode()
    for words in (("LIKE", str(HOLDER) + "x", 1), ("NOSUCH", str(HOLDER)), ("LIKE", HOLDER)):
        said += repr(world("app", *words))
    for secret in (ADDRESS, DEVICE, "planted-reason-5512", "%x" % HOLDER):
        assert secret not in said, secret
    assert str(HOLDER) not in repr(world("adam", "INFO")), "an id in INFO"
    assert world.server.stop() == 0, world.server.messages
    found = residue(world.server.data)
    for what in ("text", "hex", "address", "device"):
        assert not found[what], (what, found[what])
    places = set().union(*found.values())
    for place in places:   # docs/security.md, "What erasing leaves, and where"
        assert place.split(os.sep)[0] in ("log.a", "log.b", "store") or \
            place in ("readers/discover.checkpoint", "readers/insight.checkpoint"), places
        assert "signals" not in place and "keys" not in place, places
    assert any(place.startswith("log.a") for place in found["varint"]), "the scan is blind"
    assert str(HOLDER) not in world.server.messages and ADDRESS not in world.server.messages
    world.server.verify()


def redacted(world, partitions):
    """zan redact: nothing planted is left in any file; zan verify finds nothing; every count is as it was."""
    before = world.server.data
    after = os.path.join(world.folder, "redacted")
    counted = json.loads(zan("redact", "--quiet", "--json", "--data", before, "--partitions", partitions,
                             "--segment-mb", 1, after))
    assert counted["accounts"] == 1 and 0 < counted["redacted"] < counted["records"], counted
    found = residue(after)
    assert not any(found.values()), found
    assert "records=" in open(os.path.join(after, "redacted.txt")).read()
    assert any(residue(before).values()), "the scan is blind"
    again = subprocess.run([os.environ["ZAN"], "redact", "--quiet", "--data", before, "--partitions",
                            str(partitions), after], capture_output=True, text=True)
    assert again.returncode == 6 and "is not empty" in again.stderr, again   # nothing is written over
    world.server.data = after
    world.server.verify()
    world.server.start()
    world.login()
    assert totals(world) == [1] * ITEMS
    assert [int(entry[0]) for entry in world("app", "LIKERS", 30)[1]] == [OTHER]
    assert len(world("app", "LIKEDBY", OTHER, "COUNT", 1000)[1]) == ITEMS + 1
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        received = sum(world("app", "RECEIVED", creator)["like"] for creator in (90, 91, 92))
        if received == ITEMS:
            break
        time.sleep(0.05)
    assert world("app", "REPORTS", 5) == [1] and world("app", "LIKES", 501) == [1]
    assert received == ITEMS and world("app", "RECEIVED", 90)["follow"] == 0
    assert code(world("paula", "ACCOUNT", "GET", HOLDER)) == "NOACCOUNT"   # nobody knows the id any more
    assert world.server.stop() == 0, world.server.messages


def play(partitions, tenant, seed):
    world, twin = World(tenant, partitions=partitions, erase_wait_hours=0), Twin()
    live(world, twin, random.Random(seed))
    case = decide(world)
    round_trip(world, twin, case)
    only_the_privacy_officer(world)
    erase(world, twin)
    nothing_is_left_where_it_may_not_be(world)
    world.server.start()
    world.login()
    assert code(world("app", "LIKE", HOLDER, 1)) == "ERASED"
    assert totals(world) == [1] * ITEMS
    assert world.server.stop() == 0
    redacted(world, partitions)


def judged():
    """With rules and scoring on: what they remember by holds no id once nothing of the account is held any more."""
    world = World(policy="default", trust="on", erase_wait_hours=0)
    for item in range(1, 9):
        world("app", "LIKE", HOLDER, item, "CTX", "ADDRESS", ADDRESS, "DEVICE", DEVICE)
    assert world("app", "ACCOUNT", "ERASE", HOLDER) == 1
    assert world("paula", "ACCOUNT", "PURGE", HOLDER)[2] == 0
    assert world.server.stop() == 0
    found = residue(world.server.data)
    files = [name for _, _, names in os.walk(world.server.data) for name in names]
    assert any("signals" in name for name in files), files
    for place in set().union(*found.values()):
        assert place.split(os.sep)[0] in ("log.a", "log.b", "store") and "signals" not in place, found
    assert not found["address"] and not found["device"]


def waits(seed):
    """As it is set without a word: a week, and nobody can shorten it."""
    world = World()
    world("app", "LIKE", HOLDER, 1)
    assert world("paula", "ACCOUNT", "ERASE", HOLDER) == 1
    week = world("app", "ACCOUNT", "GET", HOLDER)["standing"]["erase_ms"] - time.time() * 1000
    assert abs(week - 7 * 86400000) < 60000, week
    assert code(world("paula", "ACCOUNT", "PURGE", HOLDER)) == "NOTDUE"
    assert totals(world)[0] == 1
    assert world.server.stop() == 0


def zan(*words):
    return subprocess.run([os.environ["ZAN"], *map(str, words)], check=True, capture_output=True,
                          text=True).stdout.strip()


def viewers():
    """Small totals and late ones: for viewers, over both doors; the platform is told what is. And lists have a
    budget that no cursor goes around."""
    folder = twin_server.directory()
    issuers, pair = os.path.join(folder, "issuers"), os.path.join(folder, "pair")
    with open(issuers, "w") as file:
        file.write(zan("key", "pair", "kid", pair) + "\n")
    world = World(assertion_keys=issuers, small_counts=5, display_delay="0:900", list_budget=120,
                  export_budget=12, cleanup_budget=300)
    token = zan("key", "sign", pair, 42, "user")
    user = Client(world.server.port)
    assert user.call("AUTH", "assertion", token) == "OK"
    world("app", "ITEM", "SET", 1, "CREATOR", 77)
    for account in range(1, 5):
        world("app", "LIKE", account, 1)
    assert user.call("LIKES", 1) == [0] and world("app", "LIKES", 1) == [4]
    world("app", "LIKE", 5, 1)
    assert user.call("LIKES", 1) == [0] and world("app", "LIKES", 1) == [5]   # not yet: 15 minutes
    body = {"verb": "like", "items": ["1", "2"]}
    assert world.ask(token, "POST", "/v1/batch/counts", body).json["counts"] == [0, 0]
    assert world.ask("app", "POST", "/v1/batch/counts", body).json["counts"] == [5, 0]
    maker = Client(world.server.port)
    assert maker.call("AUTH", "assertion", zan("key", "sign", pair, 77, "creator")) == "OK"
    assert maker.call("LIKES", 1) == [5]   # his own
    for account in range(10, 90):
        world("app", "LIKE", account, 2)
    assert user.call("LIKES", 2) == [0] and user.call("LIKES", 3) == [0]
    for client in (user, maker):
        assert code(client.call("LIKERS", 1)) == "NOPERM"
        assert code(client.call("ACCOUNT", "EXPORT", 43)) == "NOPERM"
    told, cursor = 0, 0
    for _ in range(100):
        answer = world("ann", "LIKERS", 2, "CURSOR", cursor, "COUNT", 10)
        if code(answer) == "RATE":
            break
        told, cursor = told + len(answer[1]), answer[0]
    assert told == 120 and code(world("ann", "FAVORITERS", 1)) == "RATE", told
    assert len(world("ben", "LIKERS", 2, "COUNT", 10)[1]) == 10   # another's budget
    again = Client(world.server.port)   # a new connection is the same caller
    assert again.call("AUTH", "ann", key_of("ann")) == "OK" and code(again.call("LIKERS", 2)) == "RATE"
    assert len(world("app", "LIKERS", 2, "COUNT", 1000)[1]) == 80
    copies_and_clean_ups_end(world, user, token)
    assert world.server.stop() == 0


def copies_and_clean_ups_end(world, user, token):
    """By account, at whatever door, by holder or backend; and the refusal says when."""
    world("app", "LIKE", 42, 1)
    assert len(user.call("ACCOUNT", "EXPORT", 42)[1]) == 1
    for _ in range(20):
        answer = world.ask(token, "GET", "/v1/accounts/42/export")
        if answer.status != 200:
            break
    assert (answer.status, answer.code) == (429, "RATE"), answer
    assert 0 < answer.json["retry_ms"] <= 3600000 and int(answer.headers["retry-after"]) > 0, answer
    for asks in (user.call, lambda *words: world("app", *words)):
        refused = asks("ACCOUNT", "EXPORT", 42)
        assert code(refused) == "RATE" and "retry_ms=" in refused.text, refused
    assert len(world("paula", "ACCOUNT", "EXPORT", 42)[1]) == 1   # whose work it is
    assert len(world("app", "ACCOUNT", "EXPORT", 10)[1]) == 1     # another account's
    runs = [code(user.call("CLEANUP", "RUN", 42)) for _ in range(4)]
    assert runs == ["OK", "OK", "OK", "RATE"], runs
    assert code(user.call("CLEANUP", "UNDO", 42, 1)) == "RATE" == code(user.call("CLEANUP", "PREVIEW", 42))
    assert code(user.call("UNLIKE", 42, 1)) == "OK" and code(user.call("LIKE", 42, 1)) == "OK"


def main():
    seed = twin_server.seed()
    play(1, 0, seed)
    play(3, 6, seed + 1)
    waits(seed)
    judged()
    viewers()


twin_server.main(main)
