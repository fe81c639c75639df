#!/usr/bin/python3
# zan-test: timeout=120
"""Heat and top lists of a real server against their definition, added up from the requests that were sent and
what was answered (docs/discovery.md): every act credited in full, no tags, so match is 1 but where it says so."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error, as_map
from server import Server, main, seed

DAY = 86400.0
WEIGHTS = {"LIKE": 1.0, "FAVORITE": 2.0, "COMMENT": 4.0, "SHARE": 2.0, "LONG": 0.05}


class Twin:
    """Remembers every act; nothing here is taken from the program."""

    def __init__(self):
        self.likes, self.once, self.views = {}, {}, {}

    def act(self, verb, account, item, now, changed):
        key = (account, item)
        if verb == "LIKE" and changed:
            if key not in self.likes:
                self.likes[key] = [now, True, False]
            self.likes[key][1] = True
        elif verb == "UNLIKE" and changed:   # without a policy it takes effect at once
            self.likes[key][1] = False
        elif verb in ("COMMENT", "SHARE"):
            self.once.setdefault((verb,) + key, now)
            if verb == "COMMENT" and self.likes.get(key, [0, False])[1] and self.once[(verb,) + key] == now:
                self.likes[key][2] = True

    def heat(self, item, now):
        age = lambda then: 2 ** (-(now - then) / DAY)
        sum_ = sum(WEIGHTS["LIKE"] * (1.5 if depth else 1) * age(then)
                   for (_, one), (then, on, depth) in self.likes.items() if one == item and on)
        return sum_ + sum(WEIGHTS[verb] * age(then) for (verb, _, one), then in self.once.items() if one == item)


def close(got, want, what):
    # An act is dated by its turn, an answer by its moment: a second apart is 8 millionths.
    assert abs(got - want) <= 2e-5 * want + 2e-6, "%s: %r, by definition %r" % (what, got, want)


def by_definition(generator, partitions):
    items, accounts, twin = range(1, 13), range(100, 140), Twin()
    with Server(partitions=partitions) as server:
        client = server.client(resp=3)
        for item in items:
            client.call("ITEM", "SET", item, "CREATOR", 50 + item % 3)
        for _ in range(30):
            ops = []
            for _ in range(40):
                verb = generator.choice(["LIKE", "LIKE", "LIKE", "UNLIKE", "COMMENT", "SHARE"])
                ops.append((verb, generator.choice(accounts), generator.choice(items)))
            now = time.time()
            for (verb, account, item), answer in zip(ops, client.many(ops)):
                assert answer in (0, 1), answer
                twin.act(verb, account, item, now, answer == 1)
            listed = [as_map(one) for one in as_map(client.call("TOP", "all", "COUNT", 100))["items"]]
            now = time.time()
            want = sorted(items, key=lambda item: -twin.heat(item, now))
            assert len(listed) == len(items), listed
            for place, one in enumerate(listed):
                close(float(one["heat"]), twin.heat(int(one["item"]), now), one)
                # whoever stands here is as warm as whoever should
                close(float(one["heat"]), twin.heat(want[place], now), (place, one, want))
            item = generator.choice(items)
            close(float(as_map(client.call("HEAT", item))["heat"]), twin.heat(item, time.time()), item)
        creator = generator.choice((50, 51, 52))
        own = [int(as_map(one)["item"]) for one in
               as_map(client.call("TOP", "creator", "OF", creator))["items"]]
        assert sorted(own) == [item for item in items if 50 + item % 3 == creator], own
        heats = {item: as_map(client.call("HEAT", item))["heat"] for item in items}
        server.stop()
        server.start()
        client = server.client(resp=3)
        for item in items:   # what it was, a few seconds older
            close(float(as_map(client.call("HEAT", item))["heat"]), float(heats[item]), "after a restart")


def lifted_and_hidden():
    """A boost, a suspended creator, a private item, an item of nobody."""
    with Server() as server:
        client = server.client(resp=3)
        top = lambda *words: [int(as_map(one)["item"]) for one in as_map(client.call("TOP", *words))["items"]]
        for item, count in ((1, 3), (2, 5), (3, 4)):
            client.call("ITEM", "SET", item, "CREATOR", 50 + item)
            client.many([("LIKE", 1000 * item + i, item) for i in range(count)])
        assert top("all") == [2, 3, 1] and top("all", "COUNT", 1) == [2]
        until = int((time.time() + 3600) * 1000)
        assert client.call("BOOST", "ITEM", 1, 190, until, "news") == 1
        assert top("all") == [1, 2, 3]
        told = as_map(client.call("HEAT", 1))
        assert float(told["boost"]) == 1.9 and told["boost_until_ms"] == until // 1000 * 1000, told
        close(float(told["ranked_by"]), 1.9 * float(told["heat"]), told)
        client.call("ACCOUNT", "STATE", 52, "suspended", "UNTIL", until)
        assert top("all") == [1, 3]
        client.call("ITEM", "STATE", 3, "private")
        assert top("all") == [1] and top("creator", "OF", 53) == []
        client.call("ACCOUNT", "SET", 51, "REGION", "eu")
        assert top("region", "OF", "EU") == [1] and top("newcomers") == [1]
        assert as_map(client.call("HEAT", 77))["known"] == 0
        for wrong in (("TOP", "tag"), ("TOP", "all", "OF", "x"), ("TOP", "region", "OF", "!"), ("TOP", "x")):
            assert isinstance(client.call(*wrong), Error), wrong


def rises():
    """Tags that gain are told when their window is over: here only that none does before, and that what a live
    room shows is what was sent."""
    with Server() as server:
        client = server.client(resp=3)
        client.many([("ITEM", "SET", item, "CREATOR", 50) for item in (5, 6)])
        assert client.call("ITEM", "TAG", 5, "fish,slow food") == 1
        client.many([("LIKE", i, 5) for i in range(200)] + [("VIEW", i, 5, 3000, 9000) for i in range(70)])
        windows = [as_map(one) for one in as_map(client.call("LIVE", 5))["windows"]]
        assert [one["likes"] for one in windows][1:] == [200, 200], windows
        assert [one["views"] for one in windows][1:] == [70, 70], windows
        listed = as_map(client.call("RISING", "WINDOW", "hour"))
        assert listed["window_s"] == 3600 and listed["until_ms"] % 300000 == 0
        known = {as_map(one)["tag"]: float(as_map(one)["share"])
                 for one in as_map(client.call("INTERESTS", 7))["tags"]}
        assert known == {"fish": 0.5, "slow food": 0.5}, known
        # Of a second item of these tags: everybody likes the same, so it fits as usual.
        client.call("ITEM", "TAG", 6, "fish")
        client.call("LIKE", 7, 6)
        close(float(as_map(client.call("HEAT", 6))["heat"]), 1.0, "match of an account like all others")


def brought_by_shares():
    """A view from what somebody shared counts once for each account that met the item so, and for nobody who
    knew it; whatever else it is, it is a view."""
    with Server() as server:
        client = server.client(resp=3)
        client.call("ITEM", "SET", 5)
        opened = lambda account: ("VIEW", account, 5, 9000, 9000, "CTX", "SOURCE", "share")
        client.many([("SHARE", 1, 5), ("VIEW", 2, 5, 9000, 9000), opened(2), opened(3), opened(3), opened(4)])
        told = as_map(client.call("SIGNALS", 5))
        assert told["opened"] == 2 and float(told["opened_credited"]) == 2, told
        clicks = {as_map(one)["signal"]: as_map(one)["raw"] for one in told["signals"]}
        assert clicks["click"] == 3 and clicks["share"] == 1, told
        assert as_map(client.call("SIGNALS", 6))["opened"] == 0
        assert server.stop() == 0
        server.start()
        assert as_map(server.client(resp=3).call("SIGNALS", 5))["opened"] == 2


def weighed_otherwise():
    """Weights are settings: they count, the formula's name tells them, and what was computed with others is
    made again from the log."""
    def heat(server):
        told = as_map(server.client(resp=3).call("HEAT", 5))
        weights = {as_map(one)["act"]: float(as_map(one)["weight"]) for one in told["weights"]}
        return float(told["heat"]), weights, told["formula"]

    with Server() as server:
        server.client().many([("ITEM", "SET", 5), ("LIKE", 1, 5), ("COMMENT", 1, 5), ("SHARE", 2, 5)])
        plain, weights, formula = heat(server)
        close(plain, 1.5 + 4 + 2, "by default")
        feed = as_map(server.client(resp=3).call("FEED", 9))["formula"]
        assert "+" not in formula + feed and weights["comment"] == 4, (formula, feed, weights)
        assert server.stop() == 0
        server.settings["heat"] = "comment=8, share=1,depth=3"
        server.start()
        other, weights, named = heat(server)
        close(other, 3 + 8 + 1, "with other weights")
        assert weights["comment"] == 8 and weights["like"] == 1 and named.startswith(formula + "+"), named
        assert as_map(server.client(resp=3).call("FEED", 9))["formula"].startswith(feed + "+")
        assert server.stop() == 0
        assert "checkpoint of discover is refused" in server.messages, server.messages
        server.settings["feed"] = "author-cap=1"   # only of pages: nothing is made again
        server.start()
        assert heat(server)[2] == named
        assert server.stop() == 0 and "refused" not in server.messages, server.messages
        server.settings["heat"] = "default"
        server.start()
        close(heat(server)[0], plain, "by default again")


def off():
    with Server(discover_memory=0) as server:
        client = server.client()
        assert client.call("LIKE", 1, 2) == 1
        assert client.call("HEAT", 2) == Error("OFF"), client.call("HEAT", 2)


def run():
    generator = random.Random(seed())
    by_definition(generator, 1)
    by_definition(generator, 3)
    lifted_and_hidden()
    rises()
    brought_by_shares()
    weighed_otherwise()
    off()


if __name__ == "__main__":
    main(run)
