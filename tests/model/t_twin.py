#!/usr/bin/python3
# zan-test: timeout=420
"""T22: random commands to a real server and to the naive twin; every answer and the whole state must
be the same, through flushes, clean restarts and kill -9 in the middle of a pipeline.

Each round is another seed and another setting. After a kill, the commands whose answer did not come
are asked again with the same operation id and must get the answer the twin gives.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Gone
from drive import Differs, Generator, check_reply, check_state, now_us, play
from server import TOY, Server, main, seed, size
from twin import Twin

WINDOW = 500
COMPARE_EVERY = 10000
# What a round is: how many accounts and items, and the server's settings.
ROUNDS = [
    dict(accounts=300, items=200, resp=2, settings=dict()),
    dict(accounts=40, items=12, resp=3, settings=dict(flush_seconds=1, segment_mb=1)),
    dict(accounts=20000, items=5000, resp=2,
         settings=dict(flush_seconds=1, segment_mb=1, memory="16MiB")),
    dict(accounts=300, items=200, resp=3, settings=dict(unknown="refuse", flush_seconds=1)),
]


def register(generator, ops):
    """unknown = refuse: most accounts and items are registered first, the rest stay unknown."""
    ops += [("ACCOUNT", "SET", account) for account in generator.accounts[::3]]
    ops += [("ACCOUNT", "SET", account) for account in generator.accounts[1::3]]
    ops += [("ITEM", "SET", item, "CREATOR", generator.accounts[0])
            for item in generator.items[::2]]


def kill_in_pipeline(server, client, twin, generator):
    """Writes with operation ids are under way when the process dies; then all are asked again."""
    ops = [generator.sure() for _ in range(WINDOW)]
    client.send(*ops)
    at_us = now_us()
    try:
        got = client.receive(generator.random.randrange(WINDOW))
        server.process.kill()
        got += client.receive(WINDOW - len(got))
    except Gone as gone:
        got += getattr(gone, "partial", [])
    client.close()
    server.kill()
    expected_before = [twin.apply(op, at_us) for op in ops]
    for op, expected, answer in zip(ops, expected_before, got):
        if expected != answer:
            raise Differs("%s\n  twin:   %r\n  server: %r" % (op, expected, answer))
    client = server.start().client(resp=client.resp)
    for op, expected, answer in zip(ops, expected_before, client.many(ops)):
        if expected != answer:
            raise Differs("asked again after a kill: %s\n  twin:   %r\n  server: %r" %
                          (op, expected, answer))
    return client


def restart(server, client, twin, generator):
    if generator.random.random() < 0.6:
        return kill_in_pipeline(server, client, twin, generator)
    client.close()
    code = server.stop()
    if code != 0 and not TOY:
        raise Differs("a clean stop ended with code %d" % code)
    return server.start().client(resp=client.resp)


def one_round(number, base_seed, count, restarts):
    shape = ROUNDS[number % len(ROUNDS)]
    generator = Generator(base_seed + number, shape["accounts"], shape["items"])
    settings = shape["settings"]
    twin = Twin(settings.get("unknown", "create"))
    restart_at = {generator.random.randrange(count) // WINDOW for _ in range(restarts)}
    with Server(**settings) as server:
        client = server.client(resp=shape["resp"])
        if "unknown" in settings:
            ops = []
            register(generator, ops)
            play(client, twin, ops)
        for turn in range(count // WINDOW):
            ops = [generator.next() for _ in range(WINDOW)]
            play(client, twin, ops)
            if turn in restart_at:
                client = restart(server, client, twin, generator)
            if (turn + 1) * WINDOW % COMPARE_EVERY == 0:
                full = len(twin.accounts) < 1000 or (turn + 1) * WINDOW == count
                if full:
                    check_state(client, twin, generator.random)
        twin.recount()
        check_state(client, twin, generator.random, lists=300, edges=20000)
        client.close()


def run():
    base_seed = seed()
    total = size(1000000, 100000000)
    rounds = max(len(ROUNDS), total // 250000)
    done, began = 0, time.monotonic()
    for number in range(rounds):
        count = total // rounds // WINDOW * WINDOW
        try:
            one_round(number, base_seed, count, restarts=2 + count // 50000)
        except Exception:
            print("round %d of seed %d: ZAN_SEED=%d repeats it" % (number, base_seed, base_seed))
            raise
        done += count
        print("round %d: %d commands, %.0f/s" % (number, done,
                                                 done / (time.monotonic() - began)), flush=True)


if __name__ == "__main__":
    main(run)
