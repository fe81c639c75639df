#!/usr/bin/python3
# zan-test: timeout=300
"""Several partitions (--partitions N) against the same naive twin as one.

An account's and an item's partition mostly differ here, so every like is an effect that travels. What
commutes may be done in another order: the order of a target's list is compared as a set; everything else must
be the twin's, answer by answer, through kill -9 in the middle of a pipeline and clean restarts. At the end
`zan verify` must find nothing, which also says that no effect was taken twice or lost.
"""
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
import drive
from client import Gone
from drive import Differs, Generator, check_state, now_us
from server import Server, binary, main, seed, size
from twin import Twin

WINDOW = 400


def compare_page(op, whole, got):
    """A page of accounts: who, not in which order."""
    ids = {int(entry[0]) for entry in got[1]}
    if not ids <= set(whole) or (got[0] in ("0", 0) and len(whole) <= 100 and ids != set(whole)):
        raise Differs("%s\n  twin:   %r\n  server: %r" % (op, sorted(whole), sorted(ids)))


def compare_lists(client, twin, random_, sample):
    for lists, names in ((twin.taken, drive.TAKEN), (twin.given, drive.GIVEN)):
        verbs = {kind: verb for verb, kind in names.items()}
        for kind, who in random_.sample(list(lists), min(sample, len(lists))):
            got = drive.walk(client, (verbs[kind], who), 50)
            expected = twin.newest(lists, kind, who)
            if sorted(got) != sorted(expected) or len(got) != len(set(got)):
                raise Differs("%s %d\n  twin:   %r\n  server: %r" % (verbs[kind], who, expected, got))


def ask(client, twin, ops):
    client.send(*ops)
    at_us = now_us()
    for op, got in zip(ops, client.receive(len(ops))):
        drive.check_reply(twin, op, got, at_us)


def kill_and_repeat(server, client, twin, generator):
    """Each write has an operation id of its own; after the kill all are asked again, and each must
    have happened exactly once."""
    ops = []
    for i in range(WINDOW):
        verb = generator.random.choice(("LIKE", "LIKE", "UNLIKE", "SHARE", "COMMENT"))
        ops.append((verb, generator.account(), generator.item(), "OPID",
                    "p-%d-%x" % (i, generator.random.getrandbits(64))))
    client.send(*ops)
    at_us = now_us()
    try:
        client.receive(generator.random.randrange(WINDOW))
        server.process.kill()
        client.receive(WINDOW)
    except Gone:
        pass
    client.close()
    server.kill()
    client = server.start().client(resp=client.resp)
    # What was decided before the kill was decided in some order; asked again in order, an account's own
    # operations are in order, and that is all the answers depend on.
    for op, got in zip(ops, client.many(ops)):
        expected = twin.apply(op, at_us)
        if expected != got:
            raise Differs("asked again: %s\n  twin:   %r\n  server: %r" % (op, expected, got))
    return client


def one_round(partitions, base_seed, count):
    generator = Generator(base_seed + partitions, 200, 100, options=0)
    twin = Twin("create")
    twin.order_known = False
    with Server(partitions=partitions, flush_seconds=1, segment_mb=1) as server:
        client = server.client(resp=2)
        for turn in range(count // WINDOW):
            ask(client, twin, [generator.next() for _ in range(WINDOW)])
            if turn % 25 == 10:
                client = kill_and_repeat(server, client, twin, generator)
            if turn % 25 == 20:
                client.close()
                if server.stop() != 0:
                    raise Differs("a clean stop failed: %s" % server.messages)
                client = server.start().client(resp=2)
        twin.recount()
        check_state(client, twin, generator.random, lists=200, edges=5000)
        client.close()
        if server.stop() != 0:
            raise Differs("a clean stop failed: %s" % server.messages)
        found = subprocess.run([binary(), "verify", "--data", server.data, "--partitions",
                                str(partitions)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if found.returncode != 0:
            raise Differs("verify: %s" % found.stdout.decode())


def run():
    drive.check_page = compare_page
    drive.check_lists = compare_lists
    base_seed = seed()
    total = size(60000, 3000000)
    for partitions in (2, 3, 5):
        one_round(partitions, base_seed, total // 3)
        print("%d partitions: %d commands" % (partitions, total // 3), flush=True)


if __name__ == "__main__":
    main(run)
