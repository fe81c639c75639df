#!/usr/bin/python3
# zan-test: timeout=300
"""Imports the real log into a real server and compares every count with a twin made of the files
alone; then again (nothing may change), again with kill -9 in the middle, again with partitions."""
import collections
import csv
import gzip
import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
import server as fixture
from client import Gone, as_map
from server import SOURCE, Server, directory, main, seed

LOG = os.path.join(SOURCE, "data", "kuairand")
COUNTERS = ["like", "favorite", "follow", "view", "share", "comment", "skip", "report"]


def rows(name):
    with gzip.open(os.path.join(LOG, name), "rt", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


class Twin:
    """What the files say, counted the simple way. limit: only so many rows of the log;
    registered: with the files that register items and accounts."""

    def __init__(self, limit=None, registered=True):
        self.creator, self.duration, self.accounts = {}, {}, set()
        self.tagged = collections.defaultdict(set)
        for row in rows("videos.tsv.gz") if registered else ():
            self.creator[int(row["video_id"])] = int(row["author_id"])
            if row["video_duration"]:
                self.duration[int(row["video_id"])] = int(float(row["video_duration"]) + 0.5)
            for tag in row["tag"].split(",") if row["tag"] != "unknown" else ():
                self.tagged[tag].add(int(row["video_id"]))
        for row in rows("accounts.tsv.gz") if registered else ():
            self.accounts.add(int(row["user_id"]))
        self.count_log(limit)

    def count_log(self, limit):
        self.rows = 0
        likes, follows = set(), set()
        self.item = collections.defaultdict(collections.Counter)
        self.given = collections.defaultdict(collections.Counter)
        self.asked = collections.Counter()
        for row in itertools.islice(rows("impressions.tsv.gz"), limit):
            self.rows += 1
            account, item = int(row["user_id"]), int(row["video_id"])
            if row["is_click"] == "1" or int(row["play_time_ms"]) > 0:
                self.event("view", account, item)
            for column, counter in (("is_comment", "comment"), ("is_forward", "share"),
                                    ("is_hate", "skip")):
                if row[column] == "1":
                    self.event(counter, account, item)
            if row["is_like"] == "1":
                self.asked["like"] += 1
                likes.add((account, item))
            if row["is_follow"] == "1":
                self.asked["follow"] += 1
                follows.add((account, int(row["author_id"])))
        self.likes, self.follows = likes, follows
        for account, item in likes:
            self.given[account]["like"] += 1
            self.item[item]["like"] += 1
        self.received = collections.defaultdict(collections.Counter)
        for item, counts in self.item.items():
            if item in self.creator:
                self.received[self.creator[item]].update(counts)
        for account, creator in follows:
            self.given[account]["follow"] += 1
            self.received[creator]["follow"] += 1
        self.accounts |= {creator for _, creator in follows} | set(self.given)

    def event(self, counter, account, item):
        self.asked[counter] += 1
        self.item[item][counter] += 1
        self.given[account][counter] += 1


def same(got, wanted, what):
    worth = got.pop("likes", None)
    if worth is not None:
        assert worth["raw"] == got["like"] >= worth["valid"] >= float(worth["credited"]), (what, worth)
    views = got.pop("views", None)
    if views is not None:  # what is imported is not judged
        assert views["raw"] == got["view"] == float(views["credited"]), (what, views)
    assert got.pop("paused", None) is None, (what, got)
    assert set(wanted) <= set(got) <= set(COUNTERS), (what, got)
    wanted = {name: wanted.get(name, 0) for name in got}
    assert got == wanted, "%s: the server says %r, the files say %r" % (what, got, wanted)


def compare(server, twin):
    """Every counter of every item, account and creator; every list of likes."""
    with server.client(resp=3) as client:
        items = sorted(set(twin.creator) | set(twin.item))
        for item, answer in zip(items, client.many([("COUNTS", i) for i in items])):
            same(as_map(answer), twin.item[item], "item %d" % item)
        for item, answer in zip(items, client.many([("ITEM", "GET", i) for i in items])):
            assert int(answer["creator"] or 0) == twin.creator.get(item, 0), answer
            assert int(answer["duration_ms"]) == twin.duration.get(item, 0), answer
        accounts = sorted(twin.accounts)
        for account, answer in zip(accounts, client.many([("ACCOUNT", "GET", a) for a in accounts])):
            assert not hasattr(answer, "code"), "account %d: %r" % (account, answer)
            same(answer["given"], twin.given[account], "given by %d" % account)
        creators = sorted(set(twin.creator.values()) | {c for _, c in twin.follows})
        for creator, answer in zip(creators, client.many([("RECEIVED", c) for c in creators])):
            same(as_map(answer), twin.received[creator], "received by %d" % creator)
        compare_lists(client, twin)


def compare_lists(client, twin):
    likers, liked = collections.defaultdict(set), collections.defaultdict(set)
    for account, item in twin.likes:
        likers[item].add(account)
        liked[account].add(item)
    for verb, wanted in (("LIKERS", likers), ("LIKEDBY", liked)):
        ids = sorted(wanted)
        for name, answer in zip(ids, client.many([(verb, i, "COUNT", 1000) for i in ids])):
            got = [int(entry[0]) for entry in answer[1]]
            assert set(got) == wanted[name] and len(got) == len(set(got)), (verb, name)


def compare_topics(server, twin):
    """What discovery made of tags and days of upload: lists by topic, and nobody is a newcomer."""
    with server.client(resp=3) as client:
        for tag in sorted(twin.tagged, key=lambda t: -len(twin.tagged[t]))[:20]:
            top = client.call("TOP", "tag", "OF", tag, "COUNT", 100)
            got = {int(entry["item"]) for entry in top["items"]}
            assert len(got) == min(100, len(twin.tagged[tag])) and got <= twin.tagged[tag], (tag, top)
        assert client.call("TOP", "newcomers")["items"] == []
        page = client.call("FEED", 7, "COUNT", 50)["items"]
        assert len(page) == 50 and not [e for e in page if e["source"] == "newcomer"], page


def run_import(server, *more, log=LOG):
    done = subprocess.run([fixture.binary(), "import", "--format", "kuairand", "--json", "--quiet",
                           "--to", "127.0.0.1:%d" % server.port, *more, log],
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def check_report(report, twin):
    verbs = report["verbs"]
    for name in ("view", "comment", "share", "skip"):
        assert verbs[name.upper()] == {"applied": twin.asked[name], "unchanged": 0, "refused": 0}
    assert verbs["LIKE"]["applied"] == len(twin.likes)
    assert verbs["LIKE"]["applied"] + verbs["LIKE"]["unchanged"] == twin.asked["like"]
    assert verbs["FOLLOW"]["applied"] == len(twin.follows)
    assert report["rows"] == twin.rows and report["bad_rows"] == 0 and report["refused"] == 0


def plain_and_twice(twin):
    with Server() as server:
        check_report(run_import(server), twin)
        compare(server, twin)
        with server.client() as client:
            sequence = client.call("SEQ")
        check_report(run_import(server), twin)  # the answers given the first time
        compare(server, twin)
        with server.client() as client:
            assert client.call("SEQ") == sequence, "a second import made new records"
        compare_topics(server, twin)
        assert server.stop() == 0, server.messages


def killed_in_the_middle(twin, rng):
    """The importer must get through by itself: same operation ids, nothing twice, nothing lost."""
    server = Server(memory="64MiB", flush_seconds=1).start()
    answer = {}
    worker = threading.Thread(target=lambda: answer.update(run_import(server)))
    worker.start()
    kills = 0
    while worker.is_alive() and kills < 6:
        time.sleep(rng.uniform(0.05, 0.4))
        if not worker.is_alive():
            break
        server.kill()
        try:
            server.start()
        except Gone:
            raise AssertionError("it did not start again:\n" + server.messages[-3000:])
        kills += 1
    worker.join()
    assert answer, "the importer failed"
    check_report(answer, twin)
    compare(server, twin)
    print("%d kills, connected again %d times" % (kills, answer["reconnects"]))
    assert kills == 0 or answer["reconnects"] > 0
    server.kill()


def in_partitions():
    """Fewer rows, and nothing registered before: with one sync for each of six copies of the log,
    three partitions on one disk are slow."""
    log, data, twin = directory(), directory(), Twin(limit=8000, registered=False)
    os.symlink(os.path.join(LOG, "impressions.tsv.gz"), os.path.join(log, "impressions.tsv.gz"))
    with Server(data=data, partitions=3) as server:
        check_report(run_import(server, "--limit", "8000", log=log), twin)
        compare(server, twin)
        assert server.stop() == 0, server.messages
    with Server(data=data, partitions=3) as server:
        compare(server, twin)
        assert server.stop() == 0
    done = subprocess.run([fixture.binary(), "verify", "--json", "--quiet", "--data", data,
                           "--partitions", "3"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def only_some():
    """--limit counts rows of the log; a table of ours comes in through the same door."""
    table = os.path.join(directory(), "own.tsv")
    with open(table, "w") as file:
        file.write("verb\taccount\ttarget\twatch_ms\tduration_ms\n"
                   "like\t1\t2\t\t\nLIKE\t1\t2\t\t\nview\t1\t2\t5\t9\nview\t1\t2\t5\t9\n"
                   "unlike\t3\t2\t\t\nsmile\t1\t2\t\t\nlike\t-1\t2\t\t\nlike\t1\n"
                   "ITEM SET\t\t2\t\t77\n")
    topics = os.path.join(directory(), "topics.tsv")
    with open(topics, "w") as file:
        file.write("verb\taccount\ttarget\tpublished_ms\ttags\n"
                   "item set\t\t2\t1650000000000\t\nITEM TAG\t\t2\t\tslow food,日常\n"
                   "ITEM TAG\t\t2\t\tcats,cats\nitem tag\t\t2\t\t\n"
                   "item set\t\t2\tyesterday\t\n")
    with Server() as server:
        report = run_import(server, "--limit", "100")
        assert report["rows"] == 100 and report["registered"] == 7583 + 27285
        done = subprocess.run([fixture.binary(), "import", "--format", "tsv", "--json", "--to",
                               "127.0.0.1:%d" % server.port, table], capture_output=True, text=True)
        assert done.returncode == 3, (done.returncode, done.stderr)
        report = json.loads(done.stdout)
        assert report["bad_rows"] == 3 and "row:7" in report["first_refusal"], report
        assert report["verbs"]["LIKE"] == {"applied": 1, "unchanged": 1, "refused": 0}
        with server.client() as client:
            assert client.call("LIKES", 2) == [1] and client.call("LIKED", 1, 2) == [1]
        done = subprocess.run([fixture.binary(), "import", "--format", "tsv", "--json", "--to",
                               "127.0.0.1:%d" % server.port, topics], capture_output=True, text=True)
        report = json.loads(done.stdout)
        assert report["bad_rows"] == 3 and "row:4" in report["first_refusal"], report
        assert report["verbs"]["ITEM TAG"] == {"applied": 1, "unchanged": 0, "refused": 0}
        with server.client(resp=3) as client:
            top = client.call("TOP", "tag", "OF", "slow food")
            assert [int(entry["item"]) for entry in top["items"]] == [2], top
            new = client.call("TOP", "newcomers")["items"]
            assert 2 not in [int(entry["item"]) for entry in new], new


def run():
    rng = random.Random(seed())
    twin = Twin()
    plain_and_twice(twin)
    killed_in_the_middle(twin, rng)
    in_partitions()
    only_some()


if __name__ == "__main__":
    main(run)
