"""redis-cli is Zan's shell: commands, pipes, JSON, hints while typing, and help.

zan-test: timeout=120
"""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
import server


def cli(port, *words, text=None):
    done = subprocess.run(["redis-cli", "-p", str(port), *words], input=text, text=True,
                          capture_output=True, timeout=60)
    return done.stdout


def equal(got, expected):
    assert got == expected, "expected %r, got %r" % (expected, got)


def commands(port):
    equal(cli(port, "LIKE", "7", "42"), "1\n")
    equal(cli(port, "like", "7", "42"), "0\n")
    equal(cli(port, "LIKE", "8", "42"), "1\n")
    equal(cli(port, "LIKES", "42", "43"), "2\n0\n")
    equal(cli(port, "UNLIKE", "8", "42"), "1\n")
    equal(cli(port, "LIKED", "7", "42", "43"), "1\n0\n")
    equal(cli(port, "PING"), "PONG\n")
    equal(cli(port, "SELECT", "0"), "OK\n")
    equal(cli(port, "-n", "0", "ECHO", "a b"), "a b\n")
    got = cli(port, "LIKE", "seven", "42")
    assert got.startswith("BADID "), got
    got = cli(port, "GET", "x")
    assert got.startswith("UNKNOWNCMD "), got
    # Through a pipe: one inline command a line.
    equal(cli(port, text="LIKE 1 100\nLIKE 2 100\nLIKES 100\n"), "1\n1\n2\n")
    # Mass insertion: redis-cli sends raw RESP, then ECHO with a mark, and counts the answers.
    raw = "".join("*3\r\n$4\r\nLIKE\r\n$%d\r\n%d\r\n$3\r\n777\r\n" % (len(str(i)), i)
                  for i in range(1, 20001))
    got = cli(port, "--pipe", text=raw)
    assert "errors: 0, replies: 20000" in got, got
    equal(cli(port, "LIKES", "777"), "20000\n")


def resp3(port):
    counts = json.loads(cli(port, "-3", "--json", "COUNTS", "42"))
    equal(counts["like"], 1)
    equal(counts["view"], 0)
    answer = json.loads(cli(port, "-3", "--json", "LIKE", "9", "42", "RETURN"))
    equal(answer["applied"], 1)
    hello = json.loads(cli(port, "--json", "HELLO", "3"))
    equal(hello["server"], "zan")
    equal(hello["proto"], 3)
    info = cli(port, "-3", "INFO", "replication")
    assert "role:master" in info, info


def manual(port):
    equal(cli(port, "-r", "3", "PING"), "PONG\nPONG\nPONG\n")
    docs = cli(port, "COMMAND", "DOCS", "like")
    assert "Sets that an account likes an item." in docs, docs
    for first in ("item", "account", "case", "policy", "notice", "cleanup", "node", "config"):
        docs = cli(port, "COMMAND", "DOCS", first)
        assert "summary" in docs and first + "|" in docs.lower(), "%s: %r" % (first, docs)
    equal(cli(port, "COMMAND", "GETKEYS", "LIKE", "1", "2").split(" ")[0], "BADVALUE")
    assert int(cli(port, "COMMAND", "COUNT")) > 30


class Terminal:
    """redis-cli as a person sees it."""

    def __init__(self, port):
        self.fd, other = pty.openpty()
        # Without a width it asks the terminal for one, and nobody is there to answer.
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self.process = subprocess.Popen(
            ["redis-cli", "-p", str(port)], stdin=other, stdout=other, stderr=other,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "HOME": server.directory()})
        os.close(other)
        self.seen = ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, text, patience=20):
        until = time.monotonic() + patience
        while text not in self.seen:
            assert time.monotonic() < until, "never saw %r in %r" % (text, self.seen)
            if select.select([self.fd], [], [], 0.2)[0]:
                self.seen += re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "",
                                    os.read(self.fd, 65536).decode("utf-8", "replace"))
        self.seen = self.seen[self.seen.index(text) + len(text):]

    def close(self):
        self.process.wait(20)
        os.close(self.fd)


def terminal(port):
    screen = Terminal(port)
    prompt = "127.0.0.1:%d> " % port

    def ask(text):
        # What is typed before the prompt is there is thrown away by redis-cli.
        screen.wait_for(prompt)
        screen.type(text)

    ask("help like\r")
    screen.wait_for("LIKE account item")
    screen.wait_for("summary: Sets that an account likes an item.")
    screen.wait_for("since: 0.1.0")
    ask("help item set\r")
    screen.wait_for("ITEM SET item")
    ask("help policy propose\r")
    screen.wait_for("POLICY PROPOSE ")
    ask("help case\r")
    screen.wait_for("summary: What people decide")
    ask("like ")
    screen.wait_for("account item")  # the hint, in grey behind the cursor
    screen.type("11 ")
    screen.wait_for("item")
    screen.type("42\r")
    screen.wait_for("(integer) 1")
    ask("exit\r")
    screen.close()


def main():
    if shutil.which("redis-cli") is None:
        server.skip("no redis-cli")
    with server.Server() as zan:
        commands(zan.port)
        resp3(zan.port)
        manual(zan.port)
        terminal(zan.port)


server.main(main)
