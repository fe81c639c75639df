#!/usr/bin/python3
"""zan bench load and check, against small servers that are right, wrong or slow on purpose.

A generator that calls a wrong server right would make every figure of docs/results worthless.

zan-test: timeout=120
"""
import contextlib
import json
import os
import socket
import subprocess
import threading
import time
import unittest

ZAN = os.environ["ZAN"]


class Server:
    """Likes in a set; speaks both languages; `plant` names what it does wrong."""

    def __init__(self, plant=""):
        self.plant = plant
        self.likes, self.counts, self.writes = set(), {}, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.stalled = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with contextlib.suppress(OSError), peer, peer.makefile("rwb") as stream:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.talk(stream)

    def talk(self, stream):
        try:
            while True:
                head = stream.readline()
                if not head:
                    return
                words = []
                for _ in range(int(head[1:])):
                    size = int(stream.readline()[1:])
                    words.append(stream.read(size + 2)[:-2].decode())
                with self.lock:
                    answer = self.answer(words)
                # In two pieces, so that answers come cut anywhere.
                middle = len(answer) // 2
                for piece in (answer[:middle], answer[middle:]):
                    stream.write(piece)
                    stream.flush()
        except (OSError, ValueError):
            pass

    def like(self, account, item):
        self.writes += 1
        if self.plant == "stall" and self.writes == 300:
            time.sleep(0.6)
        if self.plant == "error" and self.writes == 50:
            return b"-BUSY not now \"really\"\r\n"
        if self.plant == "twice" and self.writes == 50:
            return b":0\r\n"
        if self.plant == "forget" and self.writes == 50:
            return b":1\r\n"
        if self.plant == "close" and self.writes == 50:
            raise OSError("closed on purpose")
        if self.plant == "garbage" and self.writes == 50:
            return b"HTTP/1.1 200 OK\r\n"
        new = (account, item) not in self.likes
        self.likes.add((account, item))
        self.counts[item] = self.counts.get(item, 0) + new
        return b":%d\r\n" % new

    def unlike(self, account, item):
        new = (account, item) in self.likes
        self.likes.discard((account, item))
        self.counts[item] = self.counts.get(item, 0) - new
        return b":%d\r\n" % new

    def answer(self, words):
        verb, rest = words[0], words[1:]
        if verb == "LIKE":
            return self.like(rest[0], rest[1])
        if verb == "UNLIKE":
            return self.unlike(rest[0], rest[1])
        if verb == "SCRIPT":
            return b"$40\r\n" + (b"b" if "ZREM" in rest[1] else b"a") * 40 + b"\r\n"
        if verb == "EVALSHA":
            assert rest[1] == "0"
            return (self.like if rest[0][0] == "a" else self.unlike)(rest[2], rest[3])
        if verb == "LIKED":
            got = [b":%d\r\n" % ((rest[0], item) in self.likes) for item in rest[1:]]
            if self.plant == "blind":
                got[7] = b":0\r\n" if got[7] == b":1\r\n" else b":1\r\n"
            return b"*%d\r\n" % len(got) + b"".join(got)
        if verb == "ZMSCORE":
            got = [b"$4\r\n17e3\r\n" if (rest[0][2:], item) in self.likes else b"$-1\r\n"
                   for item in rest[1:]]
            return b"*%d\r\n" % len(got) + b"".join(got)
        if verb == "LIKES":
            off = self.plant == "miscount"
            got = [b":%d\r\n" % (self.counts.get(item, 0) + off) for item in rest]
            return b"*%d\r\n" % len(got) + b"".join(got)
        if verb == "MGET":
            got = [b"$%d\r\n%d\r\n" % (len(str(self.counts[item[2:]])), self.counts[item[2:]])
                   if item[2:] in self.counts else b"$-1\r\n" for item in rest]
            return b"*%d\r\n" % len(got) + b"".join(got)
        return b"-ERR unknown\r\n"

    def close(self):
        with contextlib.suppress(OSError):  # closed already
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept, which holds it
        self.listener.close()


SMALL = ["--account-bits", "6", "--item-bits", "6"]


class Bench(unittest.TestCase):
    def run_bench(self, server, command, *options):
        done = subprocess.run([ZAN, "bench", command, "--to", server.address, "--json", *options],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def load(self, server, *options):
        return self.run_bench(server, "load", "--connections", "4", *SMALL, *options)

    def served(self, plant=""):
        server = Server(plant)
        self.addCleanup(server.close)
        return server

    def test_a_right_server_is_right_in_both_languages(self):
        for side in ("zan", "redis"):
            for pipeline in ("1", "7", "100"):
                server = self.served()
                options = ("--side", side, "--pipeline", pipeline)
                code, got = self.load(server, "--count", "1001", *options)
                self.assertEqual((code, got["hits"], got["exact"]), (0, 1001, True), got)
                self.assertEqual(len(server.likes), 1001)
                code, got = self.load(server, "--count", "1001", "--expect", "0", *options)
                self.assertEqual((code, got["hits"]), (0, 0), got)
                code, got = self.load(server, "--first", "1001", "--count", "99", *options)
                self.assertEqual((code, got["hits"]), (0, 99), got)
                for work in ("liked", "likes"):
                    code, got = self.load(server, "--work", work, "--stored", "1100", "--count",
                                          "50", "--ids", "20", *options)
                    self.assertEqual(code, 0, got)
                code, got = self.run_bench(server, "check", "--side", side, *SMALL, "--stored",
                                           "1100")
                self.assertEqual((code, got["likes"], got["wrong"]), (0, 1100, 0))
                code, got = self.load(server, "--work", "unlike", "--count", "1100", *options)
                self.assertEqual((code, got["hits"], len(server.likes)), (0, 1100, 0), got)

    def test_every_spread_is_exact(self):
        for spread in ("uniform", "zipf", "hot"):
            server = self.served()
            bits = ["--account-bits", "11", "--item-bits", "5", "--spread", spread]
            code, got = self.load(server, "--count", "1500", "--pipeline", "9", *bits)
            self.assertEqual((code, got["hits"]), (0, 1500), got)
            code, got = self.load(server, "--first", "1500", "--count", "500", *bits)
            self.assertEqual((code, got["hits"]), (0, 500), got)
            code, got = self.run_bench(server, "check", *bits, "--stored", "2000")
            self.assertEqual((code, got["wrong"]), (0, 0), got)

    def test_one_wrong_answer_is_no_result(self):
        for plant in ("error", "twice"):
            code, got = self.load(self.served(plant), "--count", "400")
            self.assertEqual((code, got["exact"]), (3, False), plant)
        code, got = self.load(self.served("error"), "--count", "400")
        self.assertEqual(got["error"], "-BUSY not now .really.")
        server = self.served("forget")
        code, got = self.load(server, "--count", "400")
        self.assertEqual(code, 0)  # each answer is right by itself: only the counts tell
        code, got = self.run_bench(server, "check", *SMALL, "--stored", "400")
        self.assertEqual((code, got["wrong"], got["likes"]), (3, 1, 399))

    def test_wrong_reads_are_seen(self):
        for plant, work in (("blind", "liked"), ("miscount", "likes")):
            server = self.served(plant)
            self.load(server, "--count", "640")
            code, got = self.load(server, "--work", work, "--stored", "640", "--count", "3")
            self.assertEqual((code, got["exact"]), (3, False), plant)

    def test_a_broken_server_is_named(self):
        for plant in ("close", "garbage"):
            code, message = self.load(self.served(plant), "--count", "400")
            self.assertEqual(code, 4, plant)
            self.assertIn("closed" if plant == "close" else "not RESP", message)
        server = self.served()
        server.close()
        code, message = self.load(server, "--count", "4")
        self.assertEqual(code, 4)
        self.assertIn("cannot connect", message)

    def test_a_plan_that_is_too_small_is_refused(self):
        code, message = self.load(self.served(), "--count", "4097")
        self.assertEqual(code, 2)
        self.assertIn("pairs", message)

    def test_a_stall_is_counted_for_everybody_who_would_have_come(self):
        """1000 a second for 1 s and one stall of 0.6 s at the 300th: of the 700 after it, those
        due in the stall waited too. A generator that waits for the answer before it sends the
        next one (coordinated omission) would show one slow request, and a p90 without it."""
        code, got = self.load(self.served("stall"), "--count", "1000", "--rate", "1000",
                              "--connections", "4")
        self.assertEqual(code, 0, got)
        self.assertGreater(got["p90_us"], 300000)
        self.assertGreater(got["p50_us"], 10000)


if __name__ == "__main__":
    unittest.main()
