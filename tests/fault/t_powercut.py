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


def mounted(disk):
    """A block of the file system's own tables, torn, may leave nothing to mount ("group descriptors
    corrupted" before the journal is read). That is no answer about Zan: no fsck, which cuts files."""
    try:
        disk.mount()
    except AssertionError as refusal:
        if "needs cleaning" not in str(refusal):
            raise
        return False
    return True


def run():
    base = seed()
    random_ = random.Random(base)
    random.seed(base)
    cycles, acks, lost, unusable = size(16, 2000), 0, 0, 0
    server = None
    with FaultDisk(DISK_MIB) as disk:
        for number in range(cycles):
            if number % NEW_DISK == 0 or server is None:
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
                if not mounted(disk):
                    unusable += 1  # the file system lost itself; the next round makes a new one
                    server = None
                    continue
                server.start()
                judge.all(server, crowd)
            except Exception:
                server.kill()
                print("cycle %d, %s\n%s" % (number, mode, server.messages[-3000:]))
                raise
        if server is not None:
            server.stop()
            server.verify()
    print("%d cuts, %d acknowledged, %d blocks were not flushed; %d times ext4 was beyond mounting" %
          (cycles, acks, lost, unusable))
    if unusable > 1 + cycles // 50:
        raise AssertionError("void: the file system was lost too often")
    if acks < cycles * 20 or lost == 0:
        raise AssertionError("void: too little was under way")


if __name__ == "__main__":
    main(run)
