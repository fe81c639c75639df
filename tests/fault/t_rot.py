#!/usr/bin/python3
# zan-test: timeout=900
"""T10, T11: damage to the files of a stopped data directory.

Bits are flipped; files are cut, deleted, swapped, duplicated, rolled back to an older copy; in one file,
or in both copies of a piece of the log. Then the server is started and its whole state compared with
the twin. It must be equal; or, if both copies of the log were hit or the file cannot be made again,
the server must refuse by name. A wrong answer is never allowed, nor is refusing what one good copy of
the log could have repaired.
"""
import os
import random
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error, Gone
from drive import Differs, Generator, check_state, now_us, play
from server import DEEP, Server, directory, main, seed, size
from twin import Twin

FRAMES_FROM = 12288   # of a segment: after its header and the two head slots
SETTINGS = dict(flush_seconds=1, segment_mb=1)
NAMED = re.compile(r"\b(BADDATA|CORRUPT|IOFAIL|BADCONFIG|LOCKED)\b")
OPERATIONS = ("truncate", "delete", "swap", "duplicate", "roll back", "zero", "append")


class Original:
    """A data directory with something of everything in it, an older copy of it, and its twin."""

    def __init__(self, base):
        self.path, self.older, self.work = directory(), directory() + "/older", directory()
        self.generator = Generator(base, accounts=150, items=100)
        self.twin = Twin()
        server = Server(data=self.path, **SETTINGS).start()
        with server.client() as client:
            self.grow(client, 60000)
        server.stop()
        shutil.copytree(self.path, self.older)
        server.start()
        with server.client() as client:
            self.grow(client, 60000)
        server.kill()   # so that the end of the log is not in the store
        self.files = sorted(self.list(self.path))

    def grow(self, client, count):
        play(client, self.twin, [self.generator.next() for _ in range(count)])

    @staticmethod
    def list(path):
        for folder, _, files in os.walk(path):
            for file in files:
                name = os.path.relpath(os.path.join(folder, file), path)
                if os.path.getsize(os.path.join(path, name)) > 0:
                    yield name

    def restore(self):
        shutil.rmtree(self.work)
        shutil.copytree(self.path, self.work)
        return self.work


def copy_of(name):
    """'a' or 'b' for the two copies of the log, else the kind of file."""
    match = re.match(r"log\.([ab])/", name)
    return match.group(1) if match else "other"


def must_start(names):
    """One copy of the log, or any file of the store: repaired or made again, never refused."""
    copies = {copy_of(name) for name in names}
    if "other" in copies:
        return all(name.startswith("store") for name in names if copy_of(name) == "other") and \
            len(copies) == 1
    return len(copies) == 1


def compare(original, names, what):
    """Starts the damaged copy. "equal" or "refused"; anything else is raised."""
    server = Server(data=original.work, **SETTINGS)
    try:
        server.start()
    except Gone:
        if "is ready" in server.messages:  # it met the damage by itself before the first question
            return again(original, server, what)
        if must_start(names):
            raise Differs("%s: refused, though a good copy is there\n%s" %
                          (what, server.messages[-1500:]))
        return refused_by_name(server, what)
    try:
        with server.client() as client:
            check_state(client, original.twin, original.generator.random, lists=30, edges=1000)
        server.kill()
        return "equal"
    except Differs as differs:
        if "CORRUPT" in str(differs):
            return again(original, server, what)
        raise Differs("%s: %s" % (what, differs))
    except Gone:
        return again(original, server, what)
    finally:
        server.kill()


def again(original, server, what):
    """Damage was met while reading: it was named. The next start must put it right."""
    server.kill()
    if "CORRUPT" not in server.messages and server.messages.count("\n") < 2:
        raise Differs("%s: it ended without a word\n%s" % (what, server.messages))
    for remedy in ("at the second start", "after zan rebuild"):
        try:
            server.start()
            with server.client() as client:
                check_state(client, original.twin, original.generator.random, 30, 1000)
            return "equal " + remedy
        except (Differs, Gone) as differs:
            if isinstance(differs, Differs) and "CORRUPT" not in str(differs):
                raise
        finally:
            server.kill()
        rebuild(server)
    raise Differs("%s: zan rebuild does not mend it" % what)


def rebuild(server):
    done = subprocess.run([server.program, "rebuild", "--data", server.data],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Differs("zan rebuild ended with %d: %s" % (done.returncode, done.stdout[-500:]))


def refused_by_name(server, what):
    if not NAMED.search(server.messages):
        raise Differs("%s: it did not start and gave no name to it:\n%s" %
                      (what, server.messages[-1500:]))
    return "refused"


# --- damage --------------------------------------------------------------------------------------
def flip(original, random_, names):
    """One bit in each of the files; half of the flips near the beginning, where the headers are. In
    both copies of one piece: half of the time at the same place."""
    told, together, at = [], random_.random() < 0.5, None
    for name in names:
        path = os.path.join(original.work, name)
        size_ = os.path.getsize(path)
        full = used(path, size_)  # before the flip: a bit set in the empty rest is no damage
        limit = min(size_, 16384) if random_.random() < 0.5 else full
        at = at if together and at is not None else random_.randrange(limit)
        bit = random_.randrange(8)
        with open(path, "r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << bit)]))
        told.append("%s byte %d bit %d" % (name, at, bit))
        if name.endswith(".zlog") and FRAMES_FROM <= at < full and \
                random_.random() < 0.1:
            must_be_found(original, told[-1])
    return "flip " + ", ".join(told)


def must_be_found(original, what):
    """zan verify changes nothing and sees a bit that turned inside a batch of the log."""
    done = subprocess.run([os.environ["ZAN"], "verify", "--data", original.work],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode == 0:
        raise Differs("zan verify finds nothing: %s\n%s" % (what, done.stdout))


def used(path, size_):
    """Up to the last byte that is not 0: most of a fresh segment is nothing."""
    with open(path, "rb") as file:
        return max(1, len(file.read().rstrip(b"\0"))) if size_ < (8 << 20) else size_


def harm(original, random_, operation, name):
    path = os.path.join(original.work, name)
    size_ = os.path.getsize(path)
    if operation == "truncate":
        os.truncate(path, random_.randrange(size_))
    elif operation == "delete":
        os.unlink(path)
    elif operation == "zero":
        at = random_.randrange(size_)
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(bytes(min(512, size_ - at)))
    elif operation == "append":
        with open(path, "ab") as file:
            file.write(bytes(random_.randrange(256) for _ in range(64)))
    elif operation == "roll back":
        older = os.path.join(original.older, name)
        if not os.path.exists(older):
            return None
        shutil.copyfile(older, path)
    else:
        folder = os.path.dirname(name)
        others = [n for n in original.files if os.path.dirname(n) == folder and n != name]
        if not others:
            return None
        other = os.path.join(original.work, random_.choice(others))
        if operation == "swap":
            os.rename(path, path + ".swap")
            os.rename(other, path)
            os.rename(path + ".swap", other)
            return "swap %s with %s" % (name, os.path.basename(other)), \
                [name, os.path.relpath(other, original.work)]
        shutil.copyfile(path, other)
        return "%s in place of %s" % (name, os.path.basename(other)), \
            [os.path.relpath(other, original.work)]
    return "%s %s" % (operation, name), [name]


def weighted(original, random_):
    """Every kind of file has the same chance, however many of it there are."""
    kinds = {}
    for name in original.files:
        kinds.setdefault(re.sub(r"[0-9a-f]{4,}|\d+", "N", name), []).append(name)
    return random_.choice(kinds[random_.choice(sorted(kinds))])


def run():
    base = seed()
    random_ = random.Random(base)
    original = Original(base)
    print("%d files: %s" % (len(original.files), " ".join(original.files)), flush=True)
    came, wrong = {}, []

    def look(kind, names, what):
        """All of the damage is tried before the test fails: one cause has many faces."""
        try:
            result = compare(original, names, what)
        except Differs as differs:
            wrong.append(str(differs))
            result = "WRONG"
            if len(wrong) > 40:
                raise
        came[kind, result] = came.get((kind, result), 0) + 1

    original.restore()
    look("none", ["log.a/x"], "no damage")
    for number in range(size(300, 10000)):
        original.restore()
        names = [weighted(original, random_)]
        if number % 10 == 9 and copy_of(names[0]) != "other":   # both copies of one piece
            names.append(names[0].replace("log.a", "log.X").replace("log.b", "log.a")
                         .replace("log.X", "log.b"))
            names = [n for n in names if n in original.files]
        try:
            what = flip(original, random_, names)
        except Differs as differs:
            wrong.append(str(differs))
            continue
        look("flip" if len(names) == 1 else "flip in both", names, what)
    for _ in range(20 if DEEP else 1):
        for name in original.files:
            for operation in OPERATIONS:
                original.restore()
                done = harm(original, random_, operation, name)
                if done is not None:
                    look(operation, done[1], done[0])
    for (kind, result), number in sorted(came.items()):
        print("%-12s %-26s %d" % (kind, result, number))
    if wrong:
        raise Differs("%d of them wrong:\n%s" % (len(wrong), "\n".join(wrong)))


if __name__ == "__main__":
    main(run)
