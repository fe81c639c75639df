#!/usr/bin/python3
# zan-test: timeout=400
"""T09: the disk fills up, by us or by a stranger, and gets room again, without a restart.

While it is full, writes answer NOSPACE (or BUSY for a moment) and every read answers. Once there is
room, writes come back by themselves; the test waits for that up to a minute and prints how long it
took (the promise is 5 s; a slow machine must not make this test red).
"""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error
from crowd import Crowd, Judge
from drive import check
from server import Server, directory, main, seed, size, skip

MIB = 1 << 20


class Tmpfs:
    """A small file system in memory; it can be made larger while in use."""

    def __init__(self, mib):
        self.path, self.mib = directory("zan-full-"), mib
        sh("mount", "-t", "tmpfs", "-o", "size=%dm" % mib, "none", self.path)

    def grow(self, mib):
        sh("mount", "-o", "remount,size=%dm" % mib, self.path)

    def close(self):
        subprocess.run(["umount", "-l", self.path])


class Loop:
    """A real ext4 on a file."""

    def __init__(self, mib):
        self.path, self.image = directory("zan-full-"), directory("zan-image-") + "/image"
        with open(self.image, "wb") as file:
            file.truncate(mib * MIB)
        sh("mkfs.ext4", "-q", "-F", self.image)
        sh("mount", "-o", "loop", self.image, self.path)

    def close(self):
        subprocess.run(["umount", "-l", self.path])


def sh(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        skip("%s: %s" % (" ".join(words), done.stdout.strip()))


def fill(path):
    """A stranger writes until nothing fits."""
    name = os.path.join(path, "stranger")
    with open(name, "ab", buffering=0) as file:
        block = bytes(MIB)
        while len(block) >= 4096:
            try:
                if file.write(block) < len(block):
                    block = block[:len(block) // 2]
            except OSError:
                block = block[:len(block) // 2]
    return name


def load_until_full(server, crowd, judge, rounds):
    """Rounds of writes until NOSPACE is heard; the judge keeps up between them."""
    for _ in range(rounds):
        crowd.load(server, limit=5000)
        codes = crowd.refused()
        strange = set(codes) - {"NOSPACE", "BUSY"}
        if strange:
            raise AssertionError("answers on a full disk: %r" % codes)
        if "NOSPACE" in codes:
            return codes
        with server.client() as client:
            judge.settle(client, crowd)
    raise AssertionError("the disk never filled up")


def reads_go_on(server, judge):
    """Everything can still be read: the state before is the state now, whatever was refused."""
    ops = [("COUNTS", item) for item in list(judge.twin.items)[:200]]
    ops += [("LIKEDBY", account) for account in list(judge.twin.accounts)[:200]]
    with server.client() as client:
        wrong = [got for got in client.many(ops) if isinstance(got, Error)]
    if wrong:
        raise AssertionError("%d of %d reads failed on a full disk: %r" %
                             (len(wrong), len(ops), wrong[0]))


def comes_back(server, judge):
    """Seconds until writes are taken again: batch after batch for two seconds, for some may still
    fit into the rest of a segment before the next one has been tried for again."""
    began = good_since = time.monotonic()
    with server.client() as client:
        while True:
            ops = [(verb, (1 << 60) + i, 1 << 60) for i in range(1000) for verb in ("LIKE", "UNLIKE")]
            answers = client.many(ops)
            for op, got in zip(ops, answers):
                if not isinstance(got, Error):
                    check(op, judge.twin.apply(op), got)
            codes = {got.code for got in answers if isinstance(got, Error)}
            if not codes and time.monotonic() - good_since > 2:
                return good_since - began
            if codes:
                good_since = time.monotonic()
            if codes - {"NOSPACE", "BUSY"} or time.monotonic() - began > 60:
                raise AssertionError("no writes %.0f s after there was room: %r" %
                                     (time.monotonic() - began, codes))
            time.sleep(0.1)


def cycle(disk, make_room, base, by_us):
    with Server(data=disk.path + "/data", flush_seconds=1, segment_mb=1,
                memory="32MiB") as server:
        pid = server.process.pid
        crowd, judge = Crowd(base, 3), Judge()
        crowd.load(server, limit=2000)
        with server.client() as client:
            judge.settle(client, crowd)
        if not by_us:
            fill(disk.path)
        codes = load_until_full(server, crowd, judge, 60)
        reads_go_on(server, judge)
        make_room()
        seconds = comes_back(server, judge)
        judge.all(server, crowd)
        crowd.load(server, limit=1000)
        judge.all(server, crowd)
        if server.process.pid != pid or not server.alive():
            raise AssertionError("it was restarted")
        if server.stop() != 0:
            raise AssertionError("the stop failed\n%s" % server.messages[-1000:])
        server.start()
        judge.all(server, crowd)
        server.stop()
    return codes, seconds


def run():
    base = seed()
    random.seed(base)
    if os.geteuid() != 0:
        skip("mounting needs root")
    for number in range(size(1, 50)):
        for make, by_us in ((Tmpfs, False), (Loop, False), (Tmpfs, True)):
            disk = make(24 if by_us else 64)
            try:
                room = (lambda: disk.grow(96)) if by_us else \
                    (lambda: os.unlink(disk.path + "/stranger"))
                codes, seconds = cycle(disk, room, base + number, by_us)
                print("%s filled by %s: %r, writes again after %.1f s" %
                      (make.__name__, "us" if by_us else "a stranger", codes, seconds), flush=True)
            finally:
                disk.close()


if __name__ == "__main__":
    main(run)
