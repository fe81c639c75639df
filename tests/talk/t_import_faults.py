#!/usr/bin/python3
# zan-test: timeout=120
"""zan import against servers that misbehave: every row must be asked until it is answered, always
with the same operation id, and what was answered must not be asked again."""
import json
import os
import random
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Reader
from server import binary, directory, main, seed

ROWS = 3000


class Stub:
    """Answers 1 to everything, unless behave says otherwise.

    behave(stub, words, times) gives the bytes of the answer to the command's times-th asking, or
    None to close the connection. chunk: answers leave in pieces of so many bytes."""

    def __init__(self, behave, chunk=1 << 20):
        self.behave, self.chunk = behave, chunk
        self.asked, self.settled = {}, []
        self.connections = 0
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.door.accept()
            except OSError:
                return  # close()
            self.connections += 1
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.serve(peer)
            except OSError:
                pass
            peer.close()

    def close(self):
        self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()

    def serve(self, peer):
        reader = Reader()
        while True:
            data = peer.recv(65536)
            if not data:
                return
            reader.feed(data)
            out = b""
            for words in reader.take(1 << 20):
                answer = b"*1\r\n:0\r\n" if words == ["SEQ"] else self.answer(words)
                if answer is None:
                    self.send(peer, out)
                    return
                out += answer
            self.send(peer, out)

    def answer(self, words):
        opid = words[words.index("OPID") + 1]
        self.asked[opid] = self.asked.get(opid, 0) + 1
        answer = self.behave(self, words, self.asked[opid])
        if answer in (b":1\r\n", b":0\r\n"):
            self.settled.append(opid)
        return answer

    def send(self, peer, out):
        for at in range(0, len(out), self.chunk):
            peer.sendall(out[at:at + self.chunk])


def table():
    path = os.path.join(directory(), "rows.tsv")
    with open(path, "w") as file:
        file.write("verb\taccount\ttarget\n")
        for i in range(ROWS):
            file.write("LIKE\t%d\t%d\n" % (i, i % 7))
    return path


def play(stub, path, *more):
    done = subprocess.run([binary(), "import", "--format", "tsv", "--json", "--quiet", "--to",
                           "127.0.0.1:%d" % stub.port, *more, path],
                          capture_output=True, text=True, timeout=100)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def all_once(stub):
    assert len(stub.settled) == ROWS, len(stub.settled)
    assert len(set(stub.settled)) == ROWS, "an answered row was asked again"


def good(stub, words, times):
    return b":1\r\n"


def run():
    rng = random.Random(seed())
    path = table()

    stub = Stub(good, chunk=3)
    code, report, _ = play(stub, path)
    assert code == 0 and report["verbs"]["LIKE"]["applied"] == ROWS
    all_once(stub)
    first = list(stub.settled)

    stub = Stub(good)
    assert play(stub, path)[0] == 0
    assert stub.settled == first, "the same rows got other operation ids, or another order"

    for error in (b"-BUSY more is asked; retry\r\n", b"-NOSPACE full\r\n", b"-UNKNOWN ask again\r\n"):
        stub = Stub(lambda stub, words, times: error if times <= rng.randrange(3) else b":1\r\n")
        code, report, _ = play(stub, path)
        assert code == 0 and report["retried"] > 0 and report["refused"] == 0, (code, report)
        all_once(stub)

    # Closed at any place: half of the answers of a window may be lost, none of the questions.
    left = [rng.randrange(1, 700)]

    def closes(stub, words, times):
        left[0] -= 1
        if left[0] == 0:
            left[0] = rng.randrange(1, 700)
            return None
        return b":1\r\n"

    stub = Stub(closes)
    code, report, _ = play(stub, path)
    assert code == 0 and report["reconnects"] > 0 and report["reconnects"] == stub.connections - 1
    assert set(stub.settled) == set(first) and report["verbs"]["LIKE"]["applied"] == ROWS

    stub = Stub(lambda stub, words, times: b"-CLOSED the item is private\r\n" if int(words[2]) == 3
                else b":0\r\n")
    code, report, _ = play(stub, path)
    refused = len(range(3, ROWS, 7))
    assert code == 3 and report["refusals"] == {"CLOSED": refused}, report
    assert report["verbs"]["LIKE"] == {"applied": 0, "unchanged": ROWS - refused, "refused": refused}

    for garbage in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b":12x\r\n", b"$-5\r\n", b"*9999999999\r\n",
                    b"$99999999\r\n", b"\0\0\0\0\r\n", b":1\n", b"*2\r\n:1\r\n?\r\n"):
        stub = Stub(lambda stub, words, times: garbage)
        code, report, error = play(stub, path, "--retry-seconds", "0")
        assert code == 4 and report["verbs"] == {}, (garbage, code, error)

    # Says nothing at all: 30 s of silence are a broken connection, and --retry-seconds 0 the end.
    stub = Stub(lambda stub, words, times: b"")
    code, report, error = play(stub, path, "--retry-seconds", "0")
    assert code == 4 and "does not answer" in error, (code, error)

    stub = Stub(lambda stub, words, times: b"-NOPERM this role may not\r\n")
    code, _, error = play(stub, path)
    assert code == 1 and "NOPERM" in error, (code, error)

    stub.close()
    code, _, error = play(stub, path)
    assert code == 4 and "nobody answers" in error


if __name__ == "__main__":
    main(run)
