#!/usr/bin/python3
# zan-test: timeout=120
"""What depends on time: restrictions expire by themselves, operation ids are kept for their time and no
longer, a client's clock that is ahead is refused, lists carry times that can be. Real time, seconds."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error, as_map
from drive import Differs, check, uuid7, walk
from server import Server, main

HOUR_MS = 3600 * 1000


def ms():
    return time.time_ns() // 1000000


def restrictions(client, server):
    def expect(expected, *op):
        check(op, expected, client.call(*op))

    until = ms() + 2500
    expect(1, "ACCOUNT", "STATE", 1, "suspended", "UNTIL", until)
    expect(Error("SUSPENDED"), "LIKE", 1, 2)
    expect(Error("SUSPENDED"), "UNLIKE", 1, 2)
    refusal = client.call("LIKE", 1, 2)
    if str(until) not in refusal.text:
        raise Differs("a refusal must tell until when: %r" % refusal)
    expect(1, "ACCOUNT", "STATE", 3, "like-banned", "UNTIL", until)
    expect(Error("SUSPENDED"), "LIKE", 3, 2)
    expect(1, "FAVORITE", 3, 2)
    expect(Error("SUSPENDED"), "ACT", 3, 2, "SHARE", "LIKE")
    expect([0], "SHARES", 2)
    expect({"state": "suspended"}, "ACCOUNT", "GET", 1)
    for wrong in (ms() - 1000, ms() + 400 * 24 * HOUR_MS):
        expect(Error("BADVALUE"), "ACCOUNT", "STATE", 1, "suspended", "UNTIL", wrong)
    while ms() <= until + 50:
        time.sleep(0.05)
    expect(1, "LIKE", 1, 2)
    expect(1, "LIKE", 3, 2)
    expect({"state": "active"}, "ACCOUNT", "GET", 1)
    expect(1, "ACCOUNT", "STATE", 4, "suspended")
    shown = as_map(client.call("ACCOUNT", "GET", 4))
    if not 6 * 24 * HOUR_MS < int(shown["until_ms"]) - ms() < 8 * 24 * HOUR_MS:
        raise Differs("a restriction without UNTIL must expire after 7 days: %r" % shown)
    expect(1, "ACCOUNT", "STATE", 4, "active")
    expect(0, "ACCOUNT", "STATE", 4, "active")
    expect(1, "LIKE", 4, 2)


def operation_ids(client, server):
    old = uuid7(ms() - 2 * HOUR_MS)
    check(("old",), Error("EXPIREDID"), client.call("LIKE", 10, 11, "OPID", old))
    check(("old",), [0], client.call("LIKED", 10, 11))
    fresh = uuid7(ms() - HOUR_MS // 2)
    for _ in range(2):
        check(("fresh",), 1, client.call("LIKE", 10, 11, "OPID", fresh))
    check(("upper",), 1, client.call("LIKE", 10, 11, "OPID", fresh.upper()))
    check(("bare",), 1, client.call("LIKE", 10, 11, "OPID", fresh.replace("-", "")))
    check(("other",), Error("CONFLICT"), client.call("UNLIKE", 10, 11, "OPID", fresh))


def clocks(client, server):
    check(("ahead",), Error("BADTIME"), client.call("LIKE", 20, 21, "CTX", "TIME", ms() + HOUR_MS))
    check(("behind",), 1, client.call("LIKE", 20, 21, "CTX", "TIME", ms() - HOUR_MS))


def flips(client, server):
    """A like that is turned 70,000 times: the count of turns stops at its bound, the rest does not."""
    ops = [("UNLIKE" if i % 2 else "LIKE", 30, 31) for i in range(70000)]
    answers = client.many(ops)
    if answers != [1] * len(ops):
        raise Differs("a turn had no effect")
    check(("flips",), {"applied": 1, "on": 1, "flips": 65535}, client.call("LIKE", 30, 31, "RETURN"))
    check(("taken back",), {"taken_back": 35000}, client.call("ACCOUNT", "GET", 30))
    check(("count",), [1], client.call("LIKES", 31))
    if walk(client, ("LIKERS", 31), 10) != [30]:
        raise Differs("the list is wrong after many turns")


def run():
    with Server(operation_hours=1, flush_seconds=1) as server:
        for part in (restrictions, operation_ids, clocks, flips):
            with server.client(resp=2 if part is flips else 3) as client:
                part(client, server)
            print(part.__name__)


if __name__ == "__main__":
    main(run)
