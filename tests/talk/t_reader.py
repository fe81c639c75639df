#!/usr/bin/python3
# zan-test: timeout=120
"""What follows the log: it is asked without holding up anybody, it sees what was acknowledged, and after
any end of the process it holds the same as if it had read the log in one go: from its checkpoint, or, where
that is gone, damaged, or not of this log, from the first record."""
import os
import shutil
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from client import Error, Gone, as_map
from http_client import Connection, request
from server import Server, directory, free_port, main, seed
import random


def lag(client, digest=False):
    return as_map(client.call(*(["LAG", "DIGEST", "yes"] if digest else ["LAG"])))


def state(client):
    """A hash of all it holds, once all there is was read. (Effects of other partitions may still come in; they
    are passed over.)"""
    while True:
        answer = lag(client, digest=True)
        parts = [as_map(part) for part in answer["partitions"]]
        if all(part["applied"] == part["durable"] for part in parts):
            return answer["digest"]


def likes(client, first, count=300):
    for answer in client.many([("LIKE", first + i, 7 + i % 50) for i in range(count)]):
        assert answer in (0, 1), answer


def checkpoint(server):
    return os.path.join(server.data, "readers", "discover.checkpoint")


def order_and_neighbours(partitions):
    """LIKE, LAG, LIKE on one connection, many of them at once; each answer in its place, and LAG knows what
    was acknowledged before it was asked."""
    with Server(partitions=partitions) as server:
        client = server.client(resp=2)
        ops = []
        for i in range(100):
            ops += [("LIKE", 1000 + i, 5), ("LAG",), ("LIKED", 1000 + i, 5), ("LAG", "DIGEST", "no"), ("LAG", "x")]
        answers = client.many(ops)
        for i in range(100):
            like, first, liked, second, wrong = answers[5 * i:5 * i + 5]
            assert like == 1 and liked == [1] and isinstance(wrong, Error), answers[5 * i:5 * i + 5]
            assert first[:2] == second[:2] == ["reader", "discover"], first
        for i in range(200):
            client.call("LIKE", i, 6)
            parts = [as_map(part) for part in lag(client)["partitions"]]
            assert len(parts) == partitions
            assert all(part["applied"] == part["durable"] and part["late_ms"] == 0 for part in parts), parts
        client.close()


def closing_in_the_middle(partitions):
    """Callers that ask and go, again and again, beside one that stays."""
    with Server(partitions=partitions) as server:
        stays = server.client(resp=2)
        for i in range(100):
            sock = socket.create_connection(("127.0.0.1", server.port))
            sock.sendall(b"LAG\r\nLIKE 1 2\r\nLAG DIGEST yes\r\nLAG\r\n" * (1 + i % 3))
            if i % 2:
                sock.recv(10)
            sock.close()
            assert stays.call("LIKE", i, 9) == 1
        assert lag(stays)["state"] == "following"
        stays.close()


def ask_on(server, asked):
    client = server.client(resp=2)
    try:
        while True:
            client.many([("LAG",)] * 20)
            asked.append(20)
    except (Gone, OSError):
        pass


def stop_while_parked(partitions):
    with Server(partitions=partitions) as server:
        asked = []
        threads = [threading.Thread(target=ask_on, args=(server, asked)) for _ in range(8)]
        for thread in threads:
            thread.start()
        while len(asked) < 50:
            pass
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
        for thread in threads:
            thread.join()


def every_end(partitions, generator, ways):
    """kill -9 at any time, stops, checkpoints old, gone and damaged: the state is always that of reading
    it all at once."""
    damages = [lambda path: os.remove(path), flip(generator), cut(generator)]
    with Server(partitions=partitions) as server:
        first = 1
        for round, how in enumerate(ways):
            client = server.client(resp=2)
            likes(client, first, generator.randrange(50, 400))
            first += 1000
            before = state(client)
            client.close()
            if how == "kill":
                likes_while_killed(server, first)
                first += 100000
            else:
                server.stop()
            server.start()
            client = server.client(resp=2)
            now = state(client)
            assert how == "kill" or now == before, "round %d: %s, was %s" % (round, now, before)
            client.close()
            server.stop()
            damages[(round + partitions) % 3](checkpoint(server))
            server.start()
            client = server.client(resp=2)
            again = state(client)
            assert again == now, "round %d: made again %s, was %s" % (round, again, now)
            client.close()


def likes_while_killed(server, first):
    def go():
        client = server.client(resp=2)
        try:
            while True:
                likes(client, go.first, 50)
                go.first += 50
        except (Gone, OSError):
            pass
    go.first = first
    thread = threading.Thread(target=go)
    thread.start()
    while go.first < first + 500:
        pass
    server.kill()
    thread.join()


def flip(random):
    def damage(path):
        with open(path, "r+b") as file:
            size = file.seek(0, 2)
            at = random.randrange(size)
            file.seek(at)
            byte = file.read(1)[0] ^ 1 << random.randrange(8)
            file.seek(at)
            file.write(bytes([byte]))
    return damage


def cut(random):
    def damage(path):
        os.truncate(path, random.randrange(os.path.getsize(path)))
    return damage


def put_back(server, backup):
    for name in ("log.a", "log.b", "store"):
        shutil.rmtree(os.path.join(server.data, name))
        shutil.copytree(os.path.join(backup, name), os.path.join(server.data, name))


def a_checkpoint_of_another_log():
    """The log is older than the checkpoint (restored from a backup), or another one of the same length."""
    with Server() as server:
        client = server.client(resp=2)
        likes(client, 1, 100)
        client.close()
        server.stop()
        backup = directory()
        for name in ("log.a", "log.b", "store"):
            shutil.copytree(os.path.join(server.data, name), os.path.join(backup, name))
        server.start()
        client = server.client(resp=2)
        likes(client, 1000, 100)
        client.close()
        server.stop()
        kept = os.path.join(backup, "checkpoint")
        shutil.copy(checkpoint(server), kept)
        put_back(server, backup)
        for again in (False, True):   # shorter; then longer, with other likes of the same numbers
            if again:
                server.settings["discover_memory"] = "0"
                server.start()
                client = server.client(resp=2)
                likes(client, 5000, 300)
                client.close()
                server.stop()
                del server.settings["discover_memory"]
            server.start()
            client = server.client(resp=2)
            now = state(client)
            client.close()
            server.stop()
            refused = "checkpoint of discover is refused: it is not of this log" in server.messages
            assert refused, server.messages
            os.remove(checkpoint(server))
            server.start()
            client = server.client(resp=2)
            assert state(client) == now
            client.close()
            server.stop()
            put_back(server, backup)
            shutil.copy(kept, checkpoint(server))


def turned_off():
    http = free_port()
    with Server(discover_memory="0", http="127.0.0.1:%d" % http) as server:
        client = server.client(resp=2)
        answer = client.many([("LIKE", 1, 2), ("LAG",), ("LIKED", 1, 2)])
        assert answer[0] == 1 and answer[1].code == "OFF" and answer[2] == [1], answer
        client.close()
        connection = Connection(http)
        connection.send(request("GET", "/v1/lag", None, {}))
        answer = connection.answer()
        assert answer.status == 501 and answer.code == "OFF", answer
        connection.close()
        assert not os.path.exists(checkpoint(server))


def over_http(partitions):
    """The door checks every answer against the OpenAPI document."""
    http = free_port()
    with Server(partitions=partitions, http="127.0.0.1:%d" % http) as server:
        connection = Connection(http)
        for path in ("/v1/lag", "/v1/lag?digest=yes", "/readyz", "/healthz"):
            connection.send(request("GET", path, None, {}))
            answer = connection.answer()
            assert answer.status == 200, answer
            if path.startswith("/v1"):
                assert answer.json["state"] == "following" and len(answer.json["partitions"]) == partitions
                assert (answer.json["digest"] is None) == ("digest" not in path)
        connection.close()


def run():
    generator = random.Random(seed())
    for partitions in (1, 3):
        order_and_neighbours(partitions)
        closing_in_the_middle(partitions)
        stop_while_parked(partitions)
        over_http(partitions)
        every_end(partitions, generator, ["kill", "stop", "kill"] if partitions == 1 else ["kill", "stop"])
    a_checkpoint_of_another_log()
    turned_off()


main(run)
