#!/usr/bin/python3
"""zan certificate: an item's likes at given moments, against a naive count of what was done up to then;
the chain, against the bytes of the log; likes that are taken back, voided and restored; what came later
changes nothing of what is said of an earlier moment; damage, and what is not there.

zan-test: timeout=120
"""
import collections
import hashlib
import json
import os
import random
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error  # noqa: E402
from people import People  # noqa: E402
from server import directory, main, seed  # noqa: E402

RULES = """policy certified version 1
undo 0s
rule half on like for tier verified then weight 40
"""
BEGIN, HOUR, DAY = 1_700_000_000, 3600, 86400
ITEM, OTHER, VERIFIED = 7, 8, range(1, 13)


class Twin:
    """What happened, in order; the state at a moment is counted from the beginning."""

    def __init__(self):
        self.done = []  # (time, what, account, number of its record)

    def at(self, moment):
        on, voided, counts, peak = {}, set(), collections.Counter(), 0
        for time, what, account, sequence in self.done:
            if time > moment:
                break
            counts["sequence"] = max(counts["sequence"], sequence)
            if what == "LIKE":
                on[account] = 40 if account in VERIFIED else 100
                peak = max(peak, len(on))
            elif what == "UNLIKE":
                del on[account]
                voided.discard(account)
                counts["taken_back"] += 1
            elif what == "void":
                voided = set(on)
            elif what == "restore":
                voided = set()
            elif what == "VIEW":
                counts["views"] += 1
        return {"raw": len(on), "valid": len(on) - len(voided), "held": 0, "quarantined": 0,
                "voided": len(voided), "taken_back": counts["taken_back"], "peak": peak,
                "credited_pct": sum(on[account] for account in on if account not in voided)}, \
            {name: count for name, count in (
                ("policy", sum(on[account] == 40 for account in on if account not in voided)),
                ("review", len(voided))) if count}, counts["views"], counts["sequence"]


class World(People):
    def __init__(self, partitions, dice):
        rules = os.path.join(directory(), "rules.policy")
        with open(rules, "w") as file:
            file.write(RULES)
        super().__init__({"backend": "backend", "ann": "operator", "bea": "approver"}, http=None,
                         clock="requests", partitions=partitions, policy=rules, segment_mb=1)
        self.now, self.dice, self.twin, self.likes = BEGIN, dice, Twin(), set()
        for account in VERIFIED:
            self.at("ACCOUNT", "SET", account, "TIER", "verified")
        self.at("ITEM", "SET", ITEM, "CREATOR", 99, "STATE", "private")
        self.at("ITEM", "SET", OTHER, "CREATOR", 99)
        self.now += HOUR
        self.published = self.now
        self.at("ITEM", "STATE", ITEM, "published")

    def at(self, *words, who="backend"):
        answer = self(who, *words, "CTX", "TIME", self.now * 1000)
        assert not isinstance(answer, Error), (words, answer)
        return answer

    def noted(self, what, account, answer=None):
        sequence = int(answer["sequence"]) if answer else 0
        self.twin.done.append((self.now, what, account, sequence))

    def live(self, days):
        """People like and take back, at whole minutes."""
        end = self.now + days * DAY
        while self.now < end:
            self.now += 60 * self.dice.choice((0, 0, 1, 90, 200))
            account, item = self.dice.randrange(1, 41), self.dice.choice((ITEM, ITEM, OTHER))
            verb = self.dice.choice(("LIKE", "LIKE", "UNLIKE", "VIEW"))
            words = (verb, account, item) + ((1000, 2000) if verb == "VIEW" else ())
            answer = self.at(*words, "RETURN")
            if item != ITEM or (verb != "VIEW" and not answer["applied"]):
                continue
            self.noted(verb, account, answer)

    def decide(self, what):
        self.now += 60
        if what == "void":
            self.case = self.at("CASE", "OPEN", "review", "item", ITEM, "bought", who="ann")
        self.at("CASE", "PROPOSE", self.case, what, "invoice", who="ann")
        self.at("CASE", "APPROVE", self.case, "seen", who="bea")
        for _ in range(2000):
            if self("ann", "CASE", "GET", self.case)["state"] in ("applied", "restored"):
                break
        self.noted(what, 0)
        self.now += 60

    def certificate(self, *options, code=0, item=ITEM, data=None):
        before, scratch = digest(self.server.data), directory()
        words = [self.server.program, "certificate", str(item), "--data", data or self.server.data,
                 "--quiet", "--scratch", scratch, "--partitions", str(self.server.settings["partitions"]),
                 *options]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == code, (done.returncode, done.stderr, done.stdout[-500:])
        assert digest(self.server.data) == before, "something was written"
        assert os.listdir(scratch) == [], os.listdir(scratch)
        if code != 0:
            return done.stderr
        return json.loads(done.stdout) if "--json" in options else done.stdout


def digest(path):
    whole = hashlib.sha256()
    for folder, folders, names in sorted(os.walk(path)):
        for name in sorted(names):
            with open(os.path.join(folder, name), "rb") as file:
                whole.update((os.path.join(folder, name) + "\n").encode() + file.read())
    return whole.hexdigest()


def frames(server, partition=0):
    """(first sequence, count, time, hash) of every batch, hashes made anew and held against each other."""
    folder, found, before = os.path.join(server.data, "log.a", "p%d" % partition), [], None
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".zlog")):
        with open(os.path.join(folder, name), "rb") as file:
            data, at = file.read(), 12288
        while data[at:at + 4] == b"ZFRM":
            size, count, first, time = struct.unpack_from("<IIQq", data, at + 8)
            own = hashlib.sha256(data[at:at + 80] + data[at + 112:at + size]).digest()
            assert data[at + 80:at + 112] == own, (name, at)
            assert before is None or data[at + 48:at + 80] == before, (name, at)
            found.append((first, count, time, own.hex()))
            before, at = own, at + (size + 7) // 8 * 8
    return found


def check(world, report, log):
    """Every moment that was reached, against the twin and the bytes of the log."""
    for moment in report["moments"]:
        later = [frame for frame in log if frame[2] > moment["time_us"]]
        assert moment["reached"] == (bool(later) or moment["moment"] == "end"), moment
        if not moment["reached"]:
            assert "likes" not in moment and "chain" not in moment, moment
            continue
        earlier = [frame for frame in log if frame[2] <= moment["time_us"]]
        sequence = earlier[-1][0] + earlier[-1][1] - 1 if earlier else 0
        assert int(moment["sequence"]) == sequence, (moment, earlier[-1:])
        assert moment["chain"] == (earlier[-1][3] if earlier else "0" * 64), moment
        if not moment["known"]:
            assert moment["time_us"] < BEGIN * 1000000, moment
            continue
        likes, reasons, views, last = world.twin.at(moment["time_us"] / 1e6)
        assert {name: moment["likes"][name] for name in likes} == likes, (moment, likes)
        assert moment["reasons"] == reasons, (moment, reasons)
        assert moment["views"] == {"raw": views, "credited_pct": 100 * views}, (moment, views)
        assert last <= sequence, (moment, last)


def named(report):
    return {moment["moment"]: moment for moment in report["moments"]}


def by_the_log(base):
    world = World(1, random.Random(base))
    world.live(9)
    assert world.server.stop() == 0
    early = world.certificate("--json")
    log = frames(world.server)
    check(world, early, log)
    found = named(early)
    assert found["published"]["time_us"] == world.published * 1000000 and early["published"], found
    assert found["published"]["state"] == "published" and found["7d"]["reached"], found
    assert not found["30d"]["reached"] and "not reached: the log ends" in world.certificate(), found
    assert found["7d"]["likes"]["taken_back"] > 3 and found["7d"]["reasons"], found["7d"]
    world.server.start()
    world.login()
    world.live(6)
    world.decide("void")
    voided = world.now
    world.live(10)
    world.decide("restore")
    world.live(8)
    assert world.server.stop() == 0
    dice = random.Random(base + 1)
    asked = sorted({BEGIN - 5, BEGIN, world.published - 1, voided, world.now, world.now + 1} |
                   {dice.randrange(BEGIN, world.now) for _ in range(10)} |
                   {dice.choice(world.twin.done)[0] for _ in range(10)})  # at that very moment
    report = world.certificate("--json", "--at", ",".join(map(str, asked)))
    log = frames(world.server)
    check(world, report, log)
    later = named(report)
    assert later["published"] == found["published"] and later["7d"] == found["7d"], (later, found)
    assert later["30d"]["reached"] and len(report["moments"]) == len(asked) + 4, report
    assert [moment["time_us"] for moment in report["moments"] if moment["moment"] == "asked"] == \
        [1000000 * time for time in asked], report["moments"]
    assert any(moment["reached"] and moment["known"] and moment["likes"]["voided"] > 3 and
               moment["likes"]["credited_pct"] < 100 * moment["likes"]["valid"]
               for moment in report["moments"]), report
    verified = json.loads(subprocess.run([world.server.program, "verify", "--data", world.server.data,
                                          "--quiet", "--json"], stdout=subprocess.PIPE, check=True,
                                         text=True).stdout)
    assert later["end"]["chain"] == verified["chain"], (later["end"], verified)
    assert int(later["end"]["sequence"]) == verified["records"] == int(report["records"]), report
    return world


def what_is_not_there(world):
    assert "NOITEM" in world.certificate(code=1, item=12345)
    assert "NOITEM" in world.certificate("--tenant", "3", code=1)
    assert "'yesterday'" in world.certificate("--at", "2026-01-01,yesterday", code=2)
    assert "'x7'" in world.certificate(code=2, item="x7")
    assert "at most 32" in world.certificate("--at", ",".join(map(str, range(33))), code=2)
    assert "partition 0 of 1" in world.certificate("--partitions", "2", code=6, item=10)
    text = world.certificate("--at", "2024-01-01T00:00:00Z")
    assert "2024-01-01T00:00:00Z  asked for" in text and "chain" in text, text


def flip(world, copy, offset):
    folder = os.path.join(world.server.data, copy, "p0")
    name = min(name for name in os.listdir(folder) if name.endswith(".zlog"))
    with open(os.path.join(folder, name), "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0] ^ 1
        file.seek(offset)
        file.write(bytes([byte]))


def damage(world):
    whole = world.certificate("--json")
    flip(world, "log.a", 20000)
    one = world.certificate("--json")
    assert one["damaged"] == 1 and one["moments"] == whole["moments"], one["damaged"]
    assert "one copy of the log is damaged" in world.certificate()
    flip(world, "log.b", 20000)
    told = world.certificate(code=6)
    assert "damaged in both copies" in told and "sequences" in told, told


def over_partitions(base):
    """The item's partition says it; its times are those at which it took the likes over."""
    world = World(3, random.Random(base))
    world.live(9)
    shown = world("backend", "COUNTS", ITEM)
    assert world.server.stop() == 0
    report = world.certificate("--json")
    end, (first, count, _, chain) = named(report)["end"], frames(world.server, report["partition"])[-1]
    assert (int(end["sequence"]), end["chain"]) == (first + count - 1, chain), end
    likes = {**world.twin.at(world.now)[0], "credited_pct": round(float(shown["likes"]["credited"]) * 100)}
    assert all(end["likes"][name] == likes[name] for name in likes), (end, likes)
    assert all(shown["likes"][name] == likes[name] for name in ("raw", "valid", "peak")), (shown, likes)


def run():
    base = seed()
    world = by_the_log(base)
    what_is_not_there(world)
    damage(world)
    over_partitions(base)


main(run)
