#!/usr/bin/python3
# zan-test: timeout=900
"""T04, T05: the power fails under load, on a real ext4 on a disk that keeps only what was flushed.

At the cut every later write and flush fails; then of every unflushed 4 KiB block the seed decides:
lost (T04), or kept, lost or torn at 512 bytes (T05). The file system is mounted anew, the server
started: nothing acknowledged may be missing, and it must never refuse to start.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from crowd import Crowd, Judge
from faultdisk import FaultDisk
from server import Server, main, seed, size

DISK_MIB = 192
NEW_DISK = 25   # cycles on one file system


def cut(disk, server, still):
    """Some of what is on its way still reaches the disk's memory, and may be kept, lost or torn."""
    disk.control("cut %d" % still)
    time.sleep(0.02)
    disk.control("cut 0")
    server.process.kill()


def run():
    base = seed()
    random_ = random.Random(base)
    random.seed(base)
    cycles, acks, lost = size(16, 2000), 0, 0
    with FaultDisk(DISK_MIB) as disk:
        for number in range(cycles):
            if number % NEW_DISK == 0:
                disk.format()
                server = Server(data=disk.path + "/data", flush_seconds=1, segment_mb=1).start()
                crowd, judge = Crowd(base + number, 3), Judge()
            mode = "torn" if number % 4 else "drop"
            # A disk that takes its time is cut in the middle of something more often.
            disk.control("delay %d" % random_.choice((0, 2, 8)))
            still = random_.choice((0, 1, 2, 5, 30))
            crowd.load(server, after=random_.uniform(0.02, 0.9),
                       act=lambda: cut(disk, server, still))
            server.kill()
            acks += crowd.acknowledged()
            disk.control("heal")
            disk.detach()
            lost += disk.numbers()["unflushed"]
            disk.control("power %d %s" % (base + number, mode))
            try:
                disk.mount()
                server.start()
                judge.all(server, crowd)
            except Exception:
                server.kill()
                print("cycle %d, %s\n%s" % (number, mode, server.messages[-3000:]))
                raise
        server.stop()
        server.verify()
    print("%d cuts, %d acknowledged, %d blocks were not flushed" % (cycles, acks, lost))
    if acks < cycles * 20 or lost == 0:
        raise AssertionError("void: too little was under way")


if __name__ == "__main__":
    main(run)
