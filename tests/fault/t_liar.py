#!/usr/bin/python3
# zan-test: timeout=600
"""T12: a disk that answers well and writes somewhere else, or nowhere.

One copy of the log is on that disk, the other copy and the store on a good one. Whatever the bad disk
did, the server must start, repair the copy, and have everything acknowledged. If not even the file
system survives, the disk is replaced by an empty one: a copy that is gone is repaired too. The same when
the server says that it cannot use the disk: it must name the place, as whoever replaces it has to know.
"""
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Gone
from crowd import Crowd, Judge
from faultdisk import FaultDisk
from server import Server, directory, main, seed, size


def damage(disk, random_):
    if random_.random() < 0.5:
        disk.control("misdirect %d 1" % random_.randint(1, 60))
    else:
        disk.control("lose %d %d" % (random_.randint(1, 60), random_.choice((1, 1, 5))))


def starts(server, disk):
    """False: it refused, for want of a file system that works (bytes of which went astray as well)."""
    try:
        server.start()
        return True
    except Gone:
        if not re.search("IOFAIL: %s/\\S*: .*(Bad message|Structure needs cleaning|Input/output)" %
                         re.escape(disk.path), server.messages):
            raise
        return False


def run():
    base = seed()
    random_ = random.Random(base)
    random.seed(base)
    cycles, fired, replaced = size(12, 1000), 0, 0
    with FaultDisk(128) as disk:
        for number in range(cycles):
            if number % 20 == 0:
                disk.format()
                server = Server(data=directory(), log_a=disk.path + "/log.a", flush_seconds=1,
                                segment_mb=1).start()
                crowd, judge = Crowd(base + number, 3), Judge()
            damage(disk, random_)
            before = disk.numbers()["fired"]
            crowd.load(server, seconds=random_.uniform(0.1, 0.8))
            server.stop() if random_.random() < 0.5 else server.kill()
            subprocess.run(["sync", "-f", disk.path])
            fired += disk.numbers()["fired"] - before
            disk.control("heal")
            try:
                if not disk.remount() or not starts(server, disk):
                    disk.format()
                    replaced += 1
                    server.start()
                judge.all(server, crowd)
            except Exception:
                server.kill()
                print("cycle %d\n%s" % (number, server.messages[-3000:]))
                raise
        server.stop()
        server.verify()
    print("%d cycles, %d writes went astray, %d disks replaced" % (cycles, fired, replaced))
    if fired < cycles / 2:
        raise AssertionError("void: hardly a write went astray")


if __name__ == "__main__":
    main(run)
