#!/usr/bin/python3
# zan-test: timeout=300 labels=deep
"""T13: a disk that lingers. No write is answered before the disk has answered; what is asked meanwhile is
held within the bounds or refused with BUSY; when the disk is quick again, everything is as it should be.

The only time that is asserted is one that cannot be beaten: a disk that takes three seconds for a flush
cannot have made anything durable in one.
"""
import os
import random
import select
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from crowd import Crowd, Judge
from faultdisk import FaultDisk
from server import Server, main, seed

DELAYS_MS = (50, 500)
HANG_MS = 3000
RESIDENT_MAX = 400 << 20   # the server is given 64 MiB; the rest is buffers, threads, libraries


def resident(server):
    with open("/proc/%d/statm" % server.process.pid) as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def no_answer_before_the_disk(disk, server):
    """One write on a hanging disk: nothing may come back while the disk is still at it."""
    disk.control("delay %d" % HANG_MS)
    with server.client() as client:
        client.send(("LIKE", 1 << 61, 1 << 61))
        ready, _, _ = select.select([client.socket], [], [], HANG_MS / 3000)
        if ready:
            raise AssertionError("answered before the disk was done: %r" % client.receive(1))
        with server.client() as other:   # a door that is open, and a state that is honest
            other.send(("PING",))
            select.select([other.socket], [], [], 30)
        disk.control("heal")
        if client.receive(1) != [1]:
            raise AssertionError("the write was not applied after all")


def run():
    base = seed()
    random.seed(base)
    with FaultDisk(192) as disk:
        server = Server(data=disk.path + "/data", flush_seconds=1, segment_mb=1,
                        memory="64MiB").start()
        crowd, judge = Crowd(base, 6), Judge()
        try:
            for delay in DELAYS_MS:
                disk.control("delay %d" % delay)
                crowd.load(server, seconds=4.0)
                most = resident(server)
                disk.control("heal")
                print("%d ms: %d answers, %r, %d MiB resident" %
                      (delay, crowd.acknowledged(), crowd.refused(), most >> 20), flush=True)
                if set(crowd.refused()) - {"BUSY"}:
                    raise AssertionError("a slow disk is no reason for %r" % crowd.refused())
                if most > RESIDENT_MAX:
                    raise AssertionError("%d MiB are too much" % (most >> 20))
                judge.all(server, crowd)
            no_answer_before_the_disk(disk, server)
            judge.twin.apply(("LIKE", 1 << 61, 1 << 61))
            server.kill()
            server.start()
            judge.all(server, crowd)
            server.stop()
        except Exception:
            server.kill()
            print(server.messages[-3000:])
            raise


if __name__ == "__main__":
    main(run)
