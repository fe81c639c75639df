#!/usr/bin/python3
"""T17 for HTTP: callers who are slow on purpose are cut in time, and nobody else notices.

zan-test: timeout=180

Three kinds at once: heads that dribble, bodies that dribble, answers that are not taken. Each sends
or takes something all the time, so that a timeout of inactivity would never end it. No figure
is asserted but the ends: cut at last, and the server has as many sockets as before.
"""
import os
import select
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_client import Connection, Door, main, open_server

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = (b"POST /v1/items/666/shares HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100000\r\n\r\n{")
READ = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
EACH = 40
PATIENCE = 120


def sockets(server):
    """Files come and go with flushes; sockets only with callers."""
    folder, count = "/proc/%d/fd" % server.process.pid, 0
    for name in os.listdir(folder):
        try:
            count += os.readlink(os.path.join(folder, name)).startswith("socket:")
        except FileNotFoundError:
            pass
    return count


class Slow:
    def __init__(self, port, first, drip):
        self.connection = Connection(port)
        self.connection.socket.setblocking(False)
        self.connection.socket.setsockopt(1, 8, 4096)  # SO_RCVBUF: the server's answers pile up there
        self.drip = drip
        self.cut = False
        self.push(first)

    def push(self, data):
        try:
            self.connection.socket.send(data)
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self.cut = True

    def step(self):
        """One more byte in, at most a few out; notices the end."""
        if self.cut:
            return
        self.push(self.drip)
        readable, _, _ = select.select([self.connection.socket], [], [], 0)
        if not readable:
            return
        try:
            self.cut = self.connection.socket.recv(16) == b""
        except (BrokenPipeError, ConnectionResetError):
            self.cut = True


def number(door, name):
    for line in door.ask("GET", "/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return int(line.split()[1])
    raise AssertionError("no " + name)


def all_cut(crowd, door, began):
    """The server tells: a slow reader would see the end only behind all that was sent to him."""
    worst = 0.0
    while number(door, "zan_http_connections_open") > 1:
        assert time.monotonic() - began < PATIENCE, \
            "%d are still served" % (number(door, "zan_http_connections_open") - 1)
        for slow in crowd:
            slow.step()
        asked = time.monotonic()
        door.ask("PUT", "/v1/items/5/likes/7")
        worst = max(worst, time.monotonic() - asked)
        time.sleep(0.2)
    return worst


def run():
    server, port = open_server()
    door = Door(port)
    before = sockets(server) if server else 0
    began = time.monotonic()
    crowd = [Slow(port, HEAD, b"a") for _ in range(EACH)]
    crowd += [Slow(port, BODY, b" ") for _ in range(EACH)]
    crowd += [Slow(port, READ * 100, b"") for _ in range(EACH)]
    worst = all_cut(crowd, door, began)
    print("%d slow callers cut within %.0f s; others waited %.0f ms at worst" %
          (len(crowd), time.monotonic() - began, worst * 1000))
    for slow in crowd:
        slow.connection.close()
    if server is None:
        return
    for _ in range(100):
        if sockets(server) <= before:
            break
        time.sleep(0.1)
    assert sockets(server) <= before, "sockets are left over"
    assert number(door, "zan_http_connections_cut_total") >= len(crowd)
    assert server.stop() == 0, server.messages


main(run)
