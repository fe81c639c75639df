#!/usr/bin/python3
# zan-test: timeout=120
"""One of several partitions fails: the node ends with its word and code 5, in order, and not in the middle of what the
threads of the other partitions still do; nothing that was acknowledged is lost."""
import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error, Gone
from faults import Faults
from server import Server, directory, main, seed, size

PARTITIONS, BATCH = 4, 200


def like(client, first, done):
    """Some likes; those that were acknowledged go into done."""
    wanted = [(account, account % 50) for account in range(first, first + BATCH)]
    for (account, item), answer in zip(wanted, client.many([("LIKE",) + one for one in wanted])):
        if not isinstance(answer, Error):
            assert answer == 1, (account, item, answer)
            done.append((account, item))


def still_there(server, done):
    with server.client() as client:
        for first in range(0, len(done), BATCH):
            some = done[first:first + BATCH]
            assert client.many([("LIKED",) + one for one in some]) == [[1]] * len(some)


def fails(failing):
    data = directory()
    faults = Faults(os.path.join(data, "log.b", "p%d" % failing))
    server = Server(data=data, partitions=PARTITIONS, flush_seconds=1, environment=faults.environment)
    done = []
    server.start()
    with server.client() as client:
        like(client, 1, done)
        faults.arm(["sync", "write"], 20, errno.EIO, sticky=True)
        try:
            for first in range(1000, 1000000, BATCH):
                like(client, first, done)
        except (Gone, OSError):
            pass
    code = server.wait(timeout=20)
    assert code == 5, (code, server.messages)
    assert "stopped:" in server.messages and "p%d" % failing in server.messages, server.messages
    assert len(done) >= BATCH
    faults.heal()
    server.start()
    still_there(server, done)
    assert server.stop() == 0, server.messages
    server.verify()


def run():
    base = seed()
    for i in range(size(2, 20)):
        fails((base + i) % PARTITIONS)


if __name__ == "__main__":
    main(run)
