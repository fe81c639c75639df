#!/usr/bin/python3
# zan-test: timeout=120
"""SIGTERM in the middle of a load ends in a clean stop, with one partition and with several, also while
callers go on sending and one never takes its answers. What was acknowledged is there afterwards."""
import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Gone
from server import Server, binary, main

PATIENCE = 60  # it takes at most 3 s; a stop that hangs is what is looked for


def hammer(server, number, acknowledged):
    client = server.client(resp=2)
    account = 0
    try:
        while True:
            ops = [("LIKE", number * 1000000 + account + i, 7) for i in range(50)]
            if any(answer != 1 for answer in client.many(ops)):
                return
            account += 50
            acknowledged[number] = account
    except (Gone, OSError):
        pass


def deaf(port):
    """Asks and never reads."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(1)
    try:
        for _ in range(2000):
            sock.sendall(b"COUNTS 7\r\n" * 20)
    except OSError:
        pass
    return sock


def stop_under_load(partitions):
    acknowledged = {}
    with Server(partitions=partitions) as server:
        server.start() if server.process is None else None
        threads = [threading.Thread(target=hammer, args=(server, n, acknowledged)) for n in range(4)]
        for thread in threads:
            thread.start()
        sock = deaf(server.port)
        while len(acknowledged) < 4:
            time.sleep(0.05)
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(PATIENCE)
        assert code == 0, "ended with code %d" % code
        for thread in threads:
            thread.join()
        sock.close()
        server.kill()
        client = server.start().client(resp=2)
        got = client.call("LIKES", 7)[0]
        least = sum(acknowledged.values())
        assert got >= least, "%d acknowledged, %d there" % (least, got)
        client.close()
        server.stop()
        found = subprocess.run([binary(), "verify", "--data", server.data, "--partitions",
                                str(partitions)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert found.returncode == 0, found.stdout.decode()
        print("%d partitions: %d acknowledged, %d there" % (partitions, least, got), flush=True)


def run():
    for partitions in (1, 3):
        stop_under_load(partitions)


if __name__ == "__main__":
    main(run)
