#!/usr/bin/python3
# zan-test: timeout=600
"""T06: the disk fails the nth flush and forgets what it should have made durable; then it is well.

Linux marks the pages of a failed fsync clean: a second fsync that says OK proves nothing. So the
server must end at the first failure, with a message and a code that is not 0; after a restart the
state is what the medium holds, and nothing acknowledged is missing.

Both copies of the log and the store are on the one disk here, and a failed flush takes with it
whatever any file had written and not flushed. When the log asked, its own answer holds back what was
under way. When the store asked, the log's next flush succeeds over bytes that are gone from both
copies: two copies damaged at once, which no promise covers and separate disks prevent
(docs/operating.md). Then Zan must start with a state that verifies, or refuse by name.
"""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Gone
from crowd import Crowd, Judge
from faultdisk import FaultDisk
from server import Server, check_failed_stop, main, seed, size


def others_flush(nth, server):
    print("n = %d: the flush of another file failed" % nth)
    try:
        server.start()
    except Gone:
        if "damaged in both copies" not in server.messages:
            raise
        return
    server.stop()
    server.verify()


def one(disk, nth, base):
    disk.format()
    server = Server(data=disk.path + "/data", flush_seconds=1, segment_mb=1).start()
    crowd, judge = Crowd(base + nth, 3), Judge()
    disk.control("flush_eio %d %d" % (nth, 1 + nth % 3))
    crowd.load(server, seconds=3.0)
    try:
        code = server.wait(timeout=20)
        check_failed_stop(code, server.messages)
        own = ".zlog" in server.messages.strip().splitlines()[-1]
        disk.control("heal")
        if not disk.remount():
            print("n = %d: the file system itself did not survive; void" % nth)
            return 0
        if not own:
            others_flush(nth, server)
            return 0
        server.start()
        judge.all(server, crowd)
        server.stop()
        server.verify()
    except Exception:
        server.kill()
        print("n = %d\n%s" % (nth, server.messages[-3000:]))
        raise
    return 1


def run():
    base = seed()
    random.seed(base)
    count = size(20, 500)
    with FaultDisk(96) as disk:
        judged = sum(one(disk, n, base) for n in range(1, count + 1))
    print("%d of %d flush failures judged" % (judged, count))
    if judged < count / 4:
        raise AssertionError("void: too few of them were the log's own")


if __name__ == "__main__":
    main(run)
