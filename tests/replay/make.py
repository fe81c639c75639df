#!/usr/bin/python3
"""make.py NAME [PARTITIONS]: writes NAME.tar.gz and NAME.txt beside itself: the log of a run through the
front door of a node that has rules, scoring, cases by people, erasures and tenants, and what replay.old_logs
holds later versions against. ZAN is the binary. Made once for each version; never made again for an old one.
"""
import collections
import json
import os
import random
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "twin"))
from client import Error  # noqa: E402
from people import People  # noqa: E402
from server import directory  # noqa: E402

RULES = """policy kept version 1
undo 30s undo 2m for tier elder
settle 10m smooth withdrawn 24h freeze withdrawn 1h compensate 1000
rule fast   when count(like, account, 1m) > 15 then refuse
rule turns  on like when flips > 4 then weight 40
rule many   when count(like, account, 1h) > 40 then hold
rule back   when count(unlike, account, 24h) > 60 then limit for 6h, review once per 24h
rule points when count(comment, account, 1h) > 12 then points -3 once per 1h
rule home   for region cn, eu on favorite then weight 80
notify any any silent
notify creator any digest
notify mutual any explicit
notify creator unlike digest in region cn
show any like state
"""
LATER = RULES.replace("version 1", "version 2").replace("> 15", "> 12")
SECOND, HOUR, DAY = 1000, 3600000, 86400000
START, ITEM, CREATOR = 1_760_000_000_000, 1, 777
WAYS = {"backend": "backend", "ann": "operator", "bea": "approver", "paula": "privacy",
        "adam": "administrator", "tim": "backend tenant=5"}


class World(People):
    def __init__(self, partitions):
        rules = os.path.join(directory(), "kept.policy")
        with open(rules, "w") as file:
            file.write(RULES)
        super().__init__(WAYS, http=None, clock="requests", policy=rules, trust="on", segment_mb=1,
                         partitions=partitions, erase_wait_hours=0)
        self.now, self.dice, self.count = START, random.Random(20), 0
        self.said = collections.Counter()

    def at(self, who, *words):
        """At the time it is; every eighth with an operation id, and of these every third asked twice."""
        self.count += 1
        words += ("CTX", "TIME", self.now)
        if isinstance(words[1], int):
            words += ("DEVICE", "d%d" % (words[1] % 10 if words[0] == "UNLIKE" else words[1]),
                      "NETWORK", "n%d" % (words[1] % 7))
        if self.count % 8 == 0 and "OPID" not in words:
            words += ("OPID", "op-%d" % self.count)
            if self.count % 24 == 0:
                self(who, *words)
        answer = self(who, *words)
        self.said[" ".join(words[:2]) if words[0].isalpha() and not str(words[1]).isdigit() else words[0],
                  answer.code if isinstance(answer, Error) else "OK"] += 1
        return answer

    def plain(self, who, *words):
        """Of what takes no circumstances."""
        answer = self(who, *words)
        self.said[" ".join(map(str, words[:2])), answer.code if isinstance(answer, Error) else "OK"] += 1
        return answer

    def decide(self, case, decision, *options):
        self.at("ann", "CASE", "PROPOSE", case, decision, "because", *options)
        self.at("bea", "CASE", "APPROVE", case, "seen")
        for _ in range(2000):  # until its likes are done
            if self("ann", "CASE", "GET", case)["state"] not in ("applying", "restoring"):
                break


def things(world):
    for item in range(1, 31):
        world.at("backend", "ITEM", "SET", item, "CREATOR", CREATOR + item % 3, "DURATION", 1000 * item)
        world.at("backend", "ITEM", "TAG", item, "cats,dogs=0.5" if item % 2 else "dogs")
    for account in range(1, 61):
        world.at("backend", "ACCOUNT", "SET", account, "TIER", ("ordinary", "verified", "elder")[account % 3],
                 "REGION", ("none", "cn", "eu-west")[account % 3 - 1], "VISIBLE", "followers",
                 "CREATED", START - 100 * DAY)
    world.at("tim", "ITEM", "SET", 1, "CREATOR", 2)
    world.at("backend", "ITEM", "STATE", 30, "private")
    world.at("backend", "ITEM", "SET", 29, "ORIGINAL", "yes", "PUBLISHED", START - HOUR)


def everyday(world, count):
    verbs = ("LIKE",) * 8 + ("UNLIKE",) * 4 + ("FAVORITE", "UNFAVORITE", "FOLLOW", "FOLLOW", "UNFOLLOW", "VIEW",
                                               "VIEW", "SHARE", "COMMENT", "SKIP", "REPORT", "ACT")
    for _ in range(count):
        world.now += SECOND * world.dice.choice((0, 0, 1, 5, 60))
        verb, account = world.dice.choice(verbs), world.dice.randrange(1, 61)
        target = CREATOR + world.dice.randrange(3) if verb.endswith("FOLLOW") else world.dice.randrange(1, 31)
        if verb == "FOLLOW" and world.dice.random() < 0.3:
            account, target = target, account
        rest = {"VIEW": (1000, 3000), "ACT": ("LIKE", "COMMENT")}.get(verb, ())
        world.at("tim" if world.dice.random() < 0.03 else "backend", verb, account, target, *rest)


def crowds(world):
    """A past; then newcomers on few devices; then a flood of un-likes by arrangement, compensated."""
    for account in range(1000, 1400):
        world.now += 300 * SECOND
        world.at("backend", "LIKE", account, 5000 + account)
        world.at("backend", "LIKE", account, ITEM)
    for account in range(3000, 3080):
        world.now += SECOND // 2
        world.at("backend", "LIKE", account, 7)
    for item in range(1, 25):
        world.at("backend", "LIKE", 55, item, "OPID", "fast-%d" % item)
    for _ in range(7):
        world.now += 300 * SECOND
        world.at("backend", "UNLIKE", 56, 11)
        world.now += 300 * SECOND
        world.at("backend", "LIKE", 56, 11)
    world.now += 8 * DAY
    for account in range(1000, 1400):
        world.now += 60 * SECOND
        world.at("backend", "UNLIKE", account, 5000 + account)
    world.now += DAY
    for account in range(1000, 1200):
        world.now += 3 * SECOND
        world.at("backend", "UNLIKE", account, ITEM)
    world.now += HOUR


def cases(world):
    listed = world("ann", "CASE", "LIST", "COUNT", 100)[1]
    for row in listed:
        if str(row["about"]) == str(ITEM) and row["subject"] == "item":
            world.decide(row["case"], "compensate", "VALUE", 50)
    for item, decision, after in ((7, "void", "restore"), (3, "void", None), (4, "quarantine", "credit")):
        until = ("UNTIL", world.now + 6 * HOUR) if decision == "quarantine" else ()
        case = world.at("ann", "CASE", "OPEN", "quarantine" if until else "review", "item", item, "bought")
        world.decide(case, decision, *until)
        everyday(world, 60)
        if after:
            world.decide(case, after)
    for account, decision, value in ((5, "like-ban", ()), (6, "cut", ("VALUE", 30)), (8, "limit", ()),
                                     (9, "points", ("VALUE", 7)), (10, "dismiss", ())):
        until = () if decision in ("points", "dismiss") else ("UNTIL", world.now + DAY)
        case = world.at("ann", "CASE", "OPEN", "review", "account", account, "too much")
        world.decide(case, decision, *until, *value)
        if decision in ("like-ban", "cut"):
            world.at("backend", "CASE", "APPEAL", account, case, "not me")
            world.at("bea", "CASE", "REJECT", case, "it was") if decision == "cut" else \
                world.decide(case, "restore")
    world.at("backend", "DISAVOW", 2, "not mine")
    for account in range(1, 10):
        world.at("backend", "REPORT", account, 28)


def rules(world):
    first = world.plain("ann", "POLICY", "PROPOSE", LATER, "fifteen are too many")
    world.plain("ann", "POLICY", "SHADOW", first, "a day")
    everyday(world, 100)
    world.plain("bea", "POLICY", "APPROVE", first, "fine")
    for step, who in (("WITHDRAW", "ann"), ("REJECT", "bea")):
        version = world.plain("ann", "POLICY", "PROPOSE", "default", "or that")
        world.plain(who, "POLICY", step, version, "no")
    everyday(world, 200)


def exposure(world):
    until = world.now + 5 * DAY
    world.at("ann", "BOOST", "ITEM", 2, 150, until, "of the day")
    world.at("ann", "BOOST", "TAG", "cats", 200, until, "cats' day")
    world.at("ann", "BOOST", "WORD", "kittens", 120, until, "searched")
    world.at("backend", "CAMPAIGN", "OPEN", 6, 1000, until, "spring", "dogs", "HOLDOUT", 10)
    world.at("backend", "CAMPAIGN", "OPEN", 8, 500, until, "summer", "cats")
    world.at("ann", "CAMPAIGN", "STOP", 8, "withdrawn")
    world.at("backend", "INTEREST", "FORGET", 11, "TAGS", "cats")
    world.at("backend", "INTEREST", "FORGET", 12)


def attested(world):
    """Views and skips that bring back the token of a feed."""
    for account in range(1, 40):
        page = world("backend", "FEED", account, "COUNT", 4)
        for entry in page["items"] if not isinstance(page, Error) else []:
            world.now += SECOND
            verb, *rest = world.dice.choice((("VIEW", 2000, 3000), ("SKIP",)))
            world.at("backend", verb, account, int(entry["item"]), *rest, "TOKEN", entry["token"])
            world.said["with a token", "OK"] += 1


def persons(world):
    for account in range(1, 60, 7):
        unread = world("backend", "NOTICES", CREATOR)[2]
        if unread:
            world.at("backend", "NOTICE", "READ", CREATOR, unread[0]["notice"])
        world.at("backend", "ACCOUNT", "SET", account, "MINOR" if account % 2 else "PERSONAL",
                 "on" if account % 2 else "off")
    world.at("backend", "ACCOUNT", "REVOKE", 4)
    world.at("bea", "ACCOUNT", "STATE", 14, "suspended", "UNTIL", world.now + HOUR)
    world.at("backend", "LIKE", 14, 2, "OPID", "while-suspended")
    world.at("bea", "ACCOUNT", "STATE", 14, "active")
    world.plain("paula", "CLEANUP", "RUN", 20)
    world.plain("paula", "CLEANUP", "RUN", 21)
    world.plain("paula", "CLEANUP", "UNDO", 20, 1)
    for account in (22, 23):
        world.at("paula", "ACCOUNT", "ERASE", account)
    world.at("paula", "ACCOUNT", "KEEP", 23)
    world.now += 2 * HOUR
    everyday(world, 20)
    world.plain("paula", "ACCOUNT", "PURGE", 22)
    everyday(world, 300)
    for account in range(4000, 4040):
        world("backend", "LIKE", account, 9, "CTX", "SOURCE", "import", "TIME", START - DAY)


def by_the_node(world):
    """Decisions that only the node makes: without credentials everybody may."""
    credentials = world.server.settings.pop("credentials")
    assert world.server.stop() == 0, world.server.messages
    world.server.start()
    with world.server.client() as client:
        for words in (("STAGE", 2, "enter", 1, 500, "first audience"), ("STAGE", 2, "advance", 2, 2000, "good"),
                      ("STAGE", 3, "enter", 1, 500, "first"), ("STAGE", 3, "stop", 1, 0, "below the bar"),
                      ("SPEND", "CAMPAIGN", 6, 300), ("SPEND", "BUDGET", CREATOR + ITEM % 3, 100)):
            answer = client.call(*words, "CTX", "TIME", world.now)
            world.said[words[0] if words[0] == "STAGE" else " ".join(words[:2]),
                       answer.code if isinstance(answer, Error) else "OK"] += 1
    assert world.server.stop() == 0, world.server.messages
    world.server.settings["credentials"] = credentials


def pack(data, path):
    def nobody(info):
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        return info

    with tarfile.open(path, "w:gz", compresslevel=9) as archive:
        archive.add(os.path.join(data, "log.a"), "log.a", filter=nobody)


def main():
    name, partitions = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    world = World(partitions)
    things(world)
    everyday(world, 1500 // partitions)
    if partitions == 1:
        crowds(world)
        everyday(world, 300)
    for part in (cases, rules, exposure, attested, persons, by_the_node):
        part(world)
    for (what, code), count in sorted(world.said.items()):
        print("%6d  %-18s %s" % (count, what, code))
    done = subprocess.run([world.server.program, "verify", "--data", world.server.data, "--quiet", "--json",
                           "--partitions", str(partitions)], stdout=subprocess.PIPE, check=True, text=True)
    found = json.loads(done.stdout)
    with open(os.path.join(HERE, name + ".txt"), "w") as file:
        if partitions > 1:
            file.write("partitions %d\n" % partitions)
        for key in ("batches", "records", "accounts", "items", "edges", "operations", "state_hash", "chain",
                    "finding_count"):
            file.write("%s %s\n" % (key, found[key]))
    pack(world.server.data, os.path.join(HERE, name + ".tar.gz"))


main()
