"""The RESP door of a real server, spoken to with bare sockets: cuts, pipelines, endings, crowds.

Once with one partition and once with two, because the door hands requests on in another way then.
zan-test: timeout=240
"""
import os
import resource
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
import server


def call(port):
    caller = socket.create_connection(("127.0.0.1", port), timeout=30)
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return caller


def hear(caller, size):
    parts = []
    while size > 0:
        part = caller.recv(min(size, 1 << 16))
        assert part, "closed, %d bytes are missing" % size
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def hear_end(caller):
    """Everything until the other side closes."""
    parts = []
    while True:
        try:
            part = caller.recv(1 << 16)
        except ConnectionResetError:
            break
        if not part:
            break
        parts.append(part)
    caller.close()
    return b"".join(parts)


def talk(caller, said, heard):
    caller.sendall(said)
    got = hear(caller, len(heard))
    assert got == heard, "%r: expected %r, got %r" % (said[:80], heard[:80], got[:80])


def like(account, item):
    words = [b"LIKE", b"%d" % account, b"%d" % item]
    return b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def cuts(port):
    caller = call(port)
    for byte in like(1, 10) + b"PING\r\n":
        caller.sendall(bytes([byte]))
    assert hear(caller, 11) == b":1\r\n+PONG\r\n"
    talk(caller, like(1, 10) + b"PING\r\nECHO x\r\n" + like(2, 10), b":0\r\n+PONG\r\n$1\r\nx\r\n:1\r\n")
    caller.close()


def pipelines(port):
    """Says everything before it listens: half a million bytes of answers wait on the way."""
    caller = call(port)
    said = b"".join(like(account, 20) for account in range(1, 60001))
    talk(caller, said + said, b":1\r\n" * 60000 + b":0\r\n" * 60000)
    talk(caller, b"LIKES 20 21\r\n", b"*2\r\n:60000\r\n:0\r\n")
    caller.close()


def endings(port):
    caller = call(port)
    caller.sendall(like(1, 30) + b"LIKE 1")
    caller.shutdown(socket.SHUT_WR)
    assert hear_end(caller) == b":1\r\n"
    caller = call(port)
    caller.sendall(like(1, 30) + b"QUIT\r\n" + like(2, 30) + b"x" * 50000)
    assert hear_end(caller) == b":0\r\n+OK\r\n"
    caller = call(port)
    caller.sendall(b"*3\r\n$4\r\nLIKE\r\n$-1\r\n" + b"x" * 50000)
    assert hear_end(caller).startswith(b"-PROTO ")
    for said in (b"POST / HTTP/1.1\r\nHost: x\r\n\r\nLIKE 9 31\r\n",
                 b"GET / HTTP/1.1\r\nHost: x\r\n\r\nLIKE 9 31\r\n"):
        caller = call(port)
        caller.sendall(said)
        assert b":1" not in hear_end(caller)
    caller = call(port)
    talk(caller, b"LIKES 30 31\r\n", b"*2\r\n:1\r\n:0\r\n")
    caller.close()


def crowds(port, many):
    callers = [call(port) for _ in range(many)]
    for i, caller in enumerate(callers):
        caller.sendall(b"".join(like(account, 1000 + i) for account in range(1, 21)))
    for i, caller in enumerate(callers):
        assert hear(caller, 80) == b":1\r\n" * 20
        if i % 3 == 0:
            caller.close()
    for i, caller in enumerate(callers):
        if i % 3 != 0:
            talk(caller, b"LIKES %d 1\r\n" % (1000 + i), b"*2\r\n:20\r\n:0\r\n")
            caller.close()


def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    many = 1000 if most < 0 or most > 3000 else 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for partitions in (1, 2):
        with server.Server(partitions=partitions) as zan:
            cuts(zan.port)
            pipelines(zan.port)
            endings(zan.port)
            crowds(zan.port, many)
            assert zan.stop() == 0, zan.messages


server.main(main)
