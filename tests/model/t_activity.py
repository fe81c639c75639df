#!/usr/bin/python3
# zan-test: timeout=120
"""Who sees what an account likes, against a twin written from docs/activity.md and the policy's text: random likes,
follows, settings and item states; every viewer's pages, of several sizes; through flushes, kill -9 and restarts; with the
presets, and with several partitions (where nobody has friends in common and no item's creator is known)."""
import os
import random
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from server import SOURCE, Server, main, seed, size

ACCOUNTS, ITEMS, CREATORS = range(1, 11), range(100, 130), (1, 2, 3, 99)
SETTINGS = ("nobody", "mutuals", "followers", "all")
RELATIONS = ("stranger", "follower", "mutual", "common", "creator")
SHOWN = ("hidden", "state", "trace")


def matrix(policy):
    """{relation: what it may see of likes}, by the lines of the policy in order."""
    shown = dict.fromkeys(RELATIONS, 0)
    text = open(os.path.join(SOURCE, "policies", policy + ".policy")).read()
    for who, verb, level in re.findall(r"^show (\S+) (\S+) (\S+)", text, re.M):
        if verb in ("any", "like"):
            for relation in RELATIONS if who == "any" else [who]:
                shown[relation] = SHOWN.index(level)
    return shown


class Twin:
    def __init__(self, shown, partitions):
        self.shown, self.alone = shown, partitions == 1
        self.likes = {account: [] for account in ACCOUNTS}   # oldest first
        self.follows, self.setting, self.closed, self.creator = set(), {}, set(), {}

    def friends(self, a, b):
        return (a, b) in self.follows and (b, a) in self.follows

    def relation(self, viewer, account):
        if (viewer, account) in self.follows:
            return "mutual" if (account, viewer) in self.follows else "follower"
        common = self.alone and any(self.friends(viewer, friend) and self.friends(friend, account)
                                    for friend in ACCOUNTS)
        return "common" if common else "stranger"

    def sees(self, viewer, account):
        """[(item, is its time told?)], newest first."""
        whole = [item for item in reversed(self.likes[account]) if item not in self.closed]
        if viewer == account:
            return [(item, True) for item in whole]
        relation = self.relation(viewer, account)
        let_in = {"nobody": (), "mutuals": ("mutual",), "followers": ("mutual", "follower"),
                  "all": RELATIONS}[self.setting.get(account, "nobody")]
        if relation not in let_in:
            return []
        found = []
        for item in whole:
            level = self.shown[relation]
            if self.alone and self.creator.get(item) == viewer:
                level = max(level, self.shown["creator"])
            if level > 0:
                found.append((item, level == 2))
        return found


def step(twin, client, draw):
    account, other, item = draw.choice(ACCOUNTS), draw.choice(ACCOUNTS), draw.choice(ITEMS)
    kind = draw.random()
    if kind < 0.45:
        on = draw.random() < 0.7
        answer = client.call("LIKE" if on else "UNLIKE", account, item)
        if answer == 1:
            (twin.likes[account].append if on else twin.likes[account].remove)(item)
    elif kind < 0.8:
        on = draw.random() < 0.6
        answer = client.call("FOLLOW" if on else "UNFOLLOW", account, other)
        if answer in (0, 1): # rules may refuse
            (twin.follows.add if on else twin.follows.discard)((account, other))
    elif kind < 0.9:
        twin.setting[account] = draw.choice(SETTINGS)
        client.call("ACCOUNT", "SET", account, "VISIBLE", twin.setting[account])
    elif kind < 0.96:
        state = draw.choice(("published", "published", "private", "removed"))
        client.call("ITEM", "STATE", item, state)
        (twin.closed.discard if state == "published" else twin.closed.add)(item)
    else:
        twin.creator[item] = draw.choice(CREATORS)
        client.call("ITEM", "SET", item, "CREATOR", twin.creator[item])


def check(twin, client, viewer, account, count):
    """All pages: each full but the last, and a cursor only if there is more."""
    expected, cursor, got, pages = twin.sees(viewer, account), "0", [], 0
    while True:
        cursor, page = client.call("ACTIVITY", account, "VIEWER", viewer, "CURSOR", cursor, "COUNT",
                                   count)
        got += [(int(item), time_ms != 0) for item, time_ms in page]
        pages += 1
        assert cursor == "0" or len(page) == count, (viewer, account, cursor, page)
        if cursor == "0":
            break
    assert got == expected, (viewer, account, twin.relation(viewer, account),
                             twin.setting.get(account), got, expected)
    assert pages == max(1, -(-len(expected) // count)), (pages, len(expected), count)
    return bool(expected)


def case(policy, partitions, draw, rounds):
    twin = Twin(matrix(policy), partitions)
    server = Server(policy=policy, partitions=partitions, flush_seconds=1, trust="off").start()
    client, seen = server.client(), 0
    for turn in range(rounds):
        step(twin, client, draw)
        seen += check(twin, client, draw.choice(ACCOUNTS), draw.choice(ACCOUNTS), draw.choice((1, 3, 100)))
        if turn % 400 == 399:
            server.kill()
            client = server.start().client()
    for viewer in ACCOUNTS:
        for account in ACCOUNTS:
            seen += check(twin, client, viewer, account, 2)
    cursor, page = client.call("ACTIVITY", 1)
    assert partitions > 1 or [int(item) for item, _ in page] == [
        item for item, _ in twin.sees(1000, 1)], "without a viewer: a stranger"
    server.stop()
    server.verify()
    print("%s, %d partitions: %d views that showed something" % (policy, partitions, seen))
    assert seen > rounds / 20


def run():
    draw = random.Random(seed())
    for policy, partitions in (("default", 1), ("weibo", 1), ("channels", 1), ("default", 3)):
        case(policy, partitions, draw, size(1200, 20000))


if __name__ == "__main__":
    main(run)
