#!/usr/bin/python3
"""Decisions about exposure through the RESP door, over one partition and three, across kill -9 and
verified: what is refused, that no budget is overspent by callers who race, and that what an item
says of itself stays.

zan-test: timeout=60
"""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Client, Error, as_map  # noqa: E402
from server import Server, main, seed  # noqa: E402

ITEMS, BUDGET = range(20), 1000


def day():
    return int(time.time() + 86400) * 1000


def code(answer):
    return answer.code if isinstance(answer, Error) else answer


def race(server, item, chance):
    """Four callers take what they can; together exactly the budget."""
    taken, lock = [], threading.Lock()

    def take(seeded):
        client, mine = Client(server.port), random.Random(seeded)
        misses = 0
        while misses < 20:
            amount = mine.randint(1, 60)
            answer = client.call("SPEND", "CAMPAIGN", item, amount)
            if answer == 1:
                with lock:
                    taken.append(amount)
                misses = 0
            else:
                assert code(answer) in ("NOBUDGET", "CAMPAIGNSTATE"), answer
                misses += 1
        client.close()

    callers = [threading.Thread(target=take, args=(chance.random(),)) for _ in range(4)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    return sum(taken)


def refusals(client):
    for words, wanted in (
            (("ITEM", "TAG", 1, "cats,,dogs"), "BADTAGS"),
            (("ITEM", "TAG", 404, "cats"), "NOITEM"),
            (("INTEREST", "FORGET", 404), "NOACCOUNT"),
            (("BOOST", "ITEM", 1, 201, day(), "x"), "BADBOOST"),
            (("BOOST", "TAG", "a,b", 150, day(), "x"), "BADTAGS"),
            (("BOOST", "WORD", "cats", 150, day() + 8 * 86400000, "x"), "BADBOOST"),
            (("BOOST", "WORD", "x" * 65, 150, day(), "x"), "BADVALUE"),
            (("STAGE", 1, "up", 2, 100, "x"), "BADVALUE"),
            (("STAGE", 1, "enter", 256, 100, "x"), "BADVALUE"),
            (("STAGE", 404, "enter", 1, 100, "x"), "NOITEM"),
            (("CAMPAIGN", "OPEN", 1, 0, day(), "promoted", "cats"), "BADCAMPAIGN"),
            (("CAMPAIGN", "OPEN", 1, 1, day(), "promoted", "cats", "HOLDOUT", 51), "BADCAMPAIGN"),
            (("CAMPAIGN", "OPEN", 1, 10**9 + 1, day(), "promoted", "cats"), "BADVALUE"),
            (("CAMPAIGN", "STOP", 1, "x"), "CAMPAIGNSTATE"),
            (("SPEND", "CAMPAIGN", 1, 1), "CAMPAIGNSTATE"),
            (("SPEND", "BUDGET", 7, 1), "NOBUDGET"),
            (("SPEND", "BUDGET", 404, 1), "NOACCOUNT"),
            (("BUDGET", "SPEND"), "BADID"),
            (("ITEM", "SET", 1, "PUBLISHED", day()), "BADVALUE"),
            (("ITEM", "SET", 1, "ORIGINAL", "maybe"), "BADVALUE")):
        answer = client.call(*words)
        assert code(answer) == wanted, (words, answer)


def notes(client):
    for item in ITEMS:
        told = as_map(client.call("ITEM", "TAG", item, "cats,日常".encode(), "RETURN"))
        assert told["applied"] == 1 and told["counts"] is not None, told
    for words in (("BOOST", "TAG", "日常".encode(), 150, day(), "the day of cats"),
                  ("BOOST", "WORD", "cats, and dogs", 150, day(), "why"),
                  ("BOOST", "ITEM", 3, 100, 0, "over"), ("INTEREST", "FORGET", 7),
                  ("INTEREST", "FORGET", 7, "TAGS", "cats,dogs"),
                  ("STAGE", 3, "advance", 2, 1500, "p 0.97 over 0.03")):
        assert client.call(*words) == 1, words
        told = as_map(client.call(*words, "RETURN"))
        assert told["applied"] == 1 and told["sequence"] > 0, (words, told)
    first = client.call("STAGE", 4, "stop", 2, 0, "why", "OPID", "one")
    again = as_map(client.call("STAGE", 4, "stop", 2, 0, "why", "OPID", "one", "RETURN"))
    assert first == 1 and again["replayed"] == 1, again
    assert code(client.call("STAGE", 4, "stop", 2, 0, "other", "OPID", "one")) == "CONFLICT"


def lifted(client):
    """A boost shows in what ranks, as what it is, and ends when it is ended."""
    for factor, wanted in ((150, "1.50"), (200, "2.00"), (100, "1.00")):
        assert client.call("BOOST", "TAG", "日常".encode(), factor, day(), "the day") == 1
        for _ in range(1000):
            told = as_map(client.call("HEAT", 5))
            if told["boost"] == wanted:
                break
            time.sleep(0.01)
        assert told["boost"] == wanted, (factor, told)
        assert (told["boost_until_ms"] is None) == (factor == 100), told


def items(client):
    return [client.call("ITEM", "GET", item) for item in ITEMS]


def over(partitions, chance):
    server = Server(partitions=partitions, flush_seconds=1).start()
    client = Client(server.port)
    client.call("HELLO", 3)
    for item in ITEMS:
        assert client.call("ITEM", "SET", item, "ORIGINAL", "no" if item % 2 else "yes", "PUBLISHED",
                           1600000000000 + item * 1000) == 1
    assert client.call("ACCOUNT", "SET", 7) == 1
    refusals(client)
    notes(client)
    lifted(client)
    for item in ITEMS:
        assert client.call("CAMPAIGN", "OPEN", item, BUDGET, day(), "promoted", "cats", "HOLDOUT", item) == 1
    for item in (2, 11):
        spent = race(server, item, chance)
        told = client.call("ITEM", "GET", item)["campaign"]
        assert BUDGET - 60 < spent <= BUDGET and told["spent"] == spent, (spent, told)
    for item in ITEMS[12:15]:
        assert client.call("CAMPAIGN", "STOP", item, "enough") == 1
    before = items(client)
    client.close()
    server.kill()
    server.start()
    client = Client(server.port)
    client.call("HELLO", 3)
    assert items(client) == before
    for item, told in zip(ITEMS, before):
        assert told["original"] == 1 - item % 2 and told["published_ms"] == 1600000000000 + item * 1000
        assert told["campaign"]["holdout_pct"] == item and told["campaign"]["budget"] == BUDGET
    assert code(client.call("SPEND", "CAMPAIGN", 12, 1)) == "CAMPAIGNSTATE"
    assert code(client.call("SPEND", "CAMPAIGN", 2, 61)) in ("NOBUDGET", "CAMPAIGNSTATE")
    assert client.call("SPEND", "CAMPAIGN", 3, BUDGET) == 1
    client.close()
    server.stop()
    server.verify()


def run():
    chance = random.Random(seed())
    over(1, chance)
    over(3, chance)


main(run)
