#!/usr/bin/python3
# zan-test: timeout=600
"""T34: after its start the process is confined.

A call that is not on the list kills it, a file outside its directories cannot be opened, and what it
owns goes on: likes, flushes, segments, credentials replaced under it, a clean stop. No thread is left
out. Where the kernel does not allow it, `try` says so and goes on, and `on` refuses to start."""
import ctypes
import glob
import os
import signal
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Gone
from hooks import hooks_build
from server import Server, die_with_the_test, directory, free_port, main, skip

libc = ctypes.CDLL(None, use_errno=True)


def kernel_can():
    landlock = libc.syscall(444, None, 0, 1)
    action = ctypes.c_uint(0x80000000)   # kill the process
    return landlock >= 2 and libc.syscall(317, 2, 0, ctypes.byref(action)) == 0


def info(client, name):
    for line in client.call("INFO", "zan").splitlines():
        if line.startswith(name + ":"):
            return line.split(":", 1)[1]
    raise AssertionError("INFO has no %s" % name)


def every_thread_is_confined(program):
    server = Server(program=program, sandbox="on", http="127.0.0.1:%d" % free_port(), partitions=2)
    with server:
        client = server.client()
        for account in range(200):
            assert client.call("LIKE", account, 7) == 1
        assert info(client, "sandbox") == "on"
        seen = 0
        for path in glob.glob("/proc/%d/task/*/status" % server.process.pid):
            status = dict(line.rstrip("\n").split(":\t", 1) for line in open(path) if ":\t" in line)
            seen += 1
            for name, value in (("NoNewPrivs", "1"), ("Seccomp", "2"), ("CapEff", "0" * 16),
                                ("CapPrm", "0" * 16), ("CapInh", "0" * 16)):
                assert status[name] == value, "%s: %s is %s" % (status["Name"], name, status[name])
        assert seen > 8, seen
        limits = open("/proc/%d/limits" % server.process.pid).read()
        core = [line for line in limits.splitlines() if line.startswith("Max core")][0]
        assert core.split()[4:6] == ["0", "0"], core
        with urllib.request.urlopen("http://%s/metrics" % server.settings["http"]) as answer:
            text = answer.read().decode()
        for part in ("privileges", "files", "calls"):
            assert 'zan_sandbox{part="%s"} 1\n' % part in text
        assert server.stop() == 0
    server.verify()


def killed_by(program, what):
    """Does a node that does this on its own die of SIGSYS?"""
    server = Server(program=program, sandbox="on", environment={"ZAN_FORBIDDEN": what})
    server.spawn()
    code = server.wait(30)
    assert code == -signal.SIGSYS, "%s: it ended with %s\n%s" % (what, code, server.messages)


def denied(program, what, sandbox="on", said="Permission denied"):
    server = Server(program=program, sandbox=sandbox, environment={"ZAN_FORBIDDEN": what})
    with server:
        assert server.stop() == 0
    assert "forbidden: %s: %s\n" % (what.split(":")[-1], said) in server.messages, server.messages


def it_goes_on(program):
    """Everything a node does after its start, in directories of its own that lie apart."""
    apart = directory()
    keys = os.path.join(apart, "keys")
    os.mkdir(keys)
    server = Server(program=program, sandbox="on", log_a=os.path.join(apart, "a"),
                    log_b=os.path.join(apart, "b"), flush_seconds=1, segment_mb=1, memory="16MiB")
    with server:
        client = server.client()
        flushes = int(info(client, "store_flushes"))
        likes = [("LIKE", account, item) for account in range(40) for item in range(500)]
        assert client.many(likes) == [1] * len(likes)
        deadline = time.monotonic() + 30
        while int(info(client, "store_flushes")) < flushes + 2 and time.monotonic() < deadline:
            client.call("LIKE", 10 ** 6, int(time.monotonic() * 1000))
            time.sleep(0.05)
        assert int(info(client, "store_flushes")) >= flushes + 2
        assert server.stop() == 0, server.messages
    with server:
        assert server.client().call("LIKES", 3)[0] == 40
        assert server.stop() == 0
    server.verify()


def refused_where_it_cannot_be(program):
    """Under a filter without landlock: try goes on and says so, on does not start."""
    wrapper = os.path.join(directory(), "without")
    with open(wrapper, "w") as file:
        file.write('#!/bin/sh\nexec %s -c "%s" "$@"\n' % (sys.executable, WITHOUT_LANDLOCK % program))
    os.chmod(wrapper, 0o755)
    server = Server(program=wrapper, sandbox="on")
    try:
        server.start()
    except Gone:
        pass
    assert server.process is None and "files are not confined" in server.messages, server.messages
    assert server.code == 2, server.code
    server = Server(program=wrapper)
    with server:
        assert info(server.client(), "sandbox") == "partly"
        assert server.stop() == 0
    assert "files are not confined" in server.messages


# seccomp by hand: landlock_create_ruleset (444) is ENOSYS, all else is allowed.
WITHOUT_LANDLOCK = """
import ctypes, os, struct, sys
filter = b''.join(struct.pack('HBBI', *x) for x in (
    (0x20, 0, 0, 0), (0x15, 0, 1, 444), (6, 0, 0, 0x00050026), (6, 0, 0, 0x7fff0000)))
buffer = ctypes.create_string_buffer(filter)
class program(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_void_p)]
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, ctypes.byref(program(4, ctypes.addressof(buffer))), 0, 0) == 0
os.execv('%s', ['zan'] + sys.argv[1:])
"""


def run():
    if not kernel_can():
        skip("this kernel has no landlock 2 or no seccomp")
    program = os.path.join(hooks_build("zan"), "zan")
    outside = os.path.join(directory(), "outside")
    open(outside, "w").close()
    every_thread_is_confined(program)
    for what in ("execve", "fork", "socket", "kill", "core"):
        killed_by(program, what)
    for what in ("read:/etc/passwd", "read:" + outside, "write:" + outside, "write:/tmp/zan-new"):
        denied(program, what)
    denied(program, "memory", said="Operation not permitted")
    denied(program, "read:/etc/passwd", sandbox="off", said="opened")
    it_goes_on(program)
    refused_where_it_cannot_be(program)


main(run)
