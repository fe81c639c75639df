#!/usr/bin/python3
"""Tokens of impressions through both doors, made here by another program from the node's key; a bad one
refuses nothing, and the log says which views answer what was shown.

zan-test: timeout=60
"""
import base64
import hashlib
import hmac
import os
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from http_client import Door, twin_server  # noqa: E402
from client import Client  # noqa: E402


def key_of(data):
    """By docs/security.md: HMAC of the newest epoch's key over a fixed text."""
    content = open(os.path.join(data, "keys", "pseudonym.epochs"), "rb").read()
    count = struct.unpack("<I", content[8:12])[0]
    newest = content[16 + 48 * (count - 1) + 16:][:32]
    return hmac.new(newest, b"zan impression\0", hashlib.sha256).digest()


def token(key, account, item, minute=None, stage=1, place=0, tenant=0):
    minute = int(time.time()) // 60 if minute is None else minute
    said = struct.pack("<cHQQqBB", b"i", tenant, account, item, minute, stage, place)
    mac = hmac.new(key, said, hashlib.sha256).digest()[:8]
    return base64.urlsafe_b64encode(struct.pack("<HBB", minute & 0xFFFF, stage, place) + mac).decode()


def views(client, item):
    return client.call("VIEWS", item)[0]


def told(client, wanted, *words):
    """What a reader says, once it has read what was written before (LAG tells how far it is)."""
    for _ in range(1000):
        answer = client.call(*words)
        if wanted(answer):
            return answer
        time.sleep(0.01)
    raise AssertionError("%s: %s" % (words, answer))


def what_counts_as_shown(client, key):
    """An account's impression counts once, however often its token comes; without one, never."""
    for account in range(1, 6):
        good = token(key, account, 77)
        for text in (good, good, token(key, account + 1, 77), "x"):
            client.call("VIEW", account, 77, 1000, 2000, "TOKEN", text)
        client.call("SKIP", account + 10, 77, "TOKEN", good)
        client.call("VIEW", account + 20, 77, 1000, 2000)
    client.call("VIEW", 6, 77, 1000, 2000, "TOKEN", token(key, 6, 77))
    answer = told(client, lambda answer: answer["impressions"] >= 6, "SIGNALS", 77)
    assert answer["impressions"] == 6, answer
    assert views(client, 77) == 4 * 5 + 5 + 1, "all of them are counted raw"


def interests_come_and_go(client):
    client.call("ITEM", "SET", 78, "CREATOR", 5)
    client.call("ITEM", "TAG", 78, "cats,dogs")
    client.call("LIKE", 3, 78)
    has = lambda *tags: lambda answer: sorted(tag["tag"] for tag in answer["tags"]) == sorted(tags)
    told(client, has("cats", "dogs"), "INTERESTS", 3)
    assert client.call("INTEREST", "FORGET", 3, "TAGS", "cats") == 1
    told(client, has("dogs"), "INTERESTS", 3)
    assert client.call("INTEREST", "FORGET", 3) == 1
    told(client, has(), "INTERESTS", 3)


def run():
    server = twin_server.Server(http="127.0.0.1:%d" % twin_server.free_port()).start()
    client = Client(server.port)
    client.call("HELLO", 3)
    key, now = key_of(server.data), int(time.time()) // 60
    good = token(key, 7, 9)

    def view(text, account=7, item=9):
        return client.call("VIEW", account, item, 1000, 2000, "TOKEN", text, "RETURN")

    assert view(good)["attested"] == 1
    assert view(good)["attested"] == 1, "a second view of the same impression; counting once is the reader's"
    for bad in (good[:-1] + ("A" if good[-1] != "A" else "B"), token(key, 8, 9), token(key, 7, 10),
                token(key, 7, 9, tenant=1), token(key, 7, 9, minute=now - 123), token(b"0" * 32, 7, 9),
                token(key, 7, 9, minute=now + 5), "x", "no token at all, but a text", good + "="):
        before, answer = views(client, 9), view(bad)
        assert answer["attested"] == 0 and answer["applied"] == 1, (bad, answer)
        assert views(client, 9) == before + 1, "the view is counted all the same"
    assert "attested" not in client.call("VIEW", 7, 9, 1, 2, "RETURN")
    assert client.call("VIEW", 7, 9, 1, 2, "TOKEN", good) == 1
    skipped = client.call("SKIP", 7, 9, "TOKEN", token(key, 7, 9, place=3), "RETURN")
    assert skipped["attested"] == 1 and skipped["applied"] == 1
    assert client.call("LIKE", 7, 9, "TOKEN", good).code == "UNKNOWNFIELD"
    what_counts_as_shown(client, key)
    interests_come_and_go(client)

    web = Door(int(server.settings["http"].split(":")[1]))
    body = {"account": "7", "watch_ms": 10, "duration_ms": 20, "token": good}
    assert web.ask("POST", "/v1/items/9/views", body).json["attested"] is True
    body["token"] = token(key, 8, 9)
    assert web.ask("POST", "/v1/items/9/views", body).json["attested"] is False
    assert web.ask("POST", "/v1/items/9/skips", {"account": "7", "token": good}).json["attested"] is True
    body["token"] = 5
    web.ask("POST", "/v1/items/9/views", body, status=422)

    client.close()
    server.kill()
    server.start()
    client = Client(server.port)
    client.call("HELLO", 3)
    assert key_of(server.data) == key
    assert client.call("VIEW", 7, 9, 1, 2, "TOKEN", good, "RETURN")["attested"] == 1
    client.close()
    server.stop()
    server.verify()


if __name__ == "__main__":
    twin_server.main(run)
