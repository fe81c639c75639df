#!/usr/bin/python3
# zan-test: timeout=180
"""A model is served: trained from the directory of a node that runs and is written to, taken into use, replaced and
damaged while pages are asked for, refused by name, of one tenant only, and there again after a start."""
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import as_map  # noqa: E402
from server import Server, directory, main  # noqa: E402

GROUPS, ITEMS = 4, 20  # items 1000 g .. 1000 g + 19 are of group g; nobody tags them


def zan(*words, code=0):
    done = subprocess.run([os.environ["ZAN"], "recommend", *words, "--quiet"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == code, (words, done.returncode, done.stderr)
    return json.loads(done.stdout) if code == 0 and "--json" in words else done.stdout + done.stderr


def items_of(group):
    return range(1000 * group, 1000 * group + ITEMS)


def world(client):
    for group in range(1, GROUPS + 1):
        for item in items_of(group):
            client.call("ITEM", "SET", item, "CREATOR", 50000 + item)
        for account in range(100 * group, 100 * group + 40):
            client.many([("LIKE", account, item) for item in items_of(group) if (item * 7 + account) % 3])


def until(client, what):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        lag = as_map(client.call("LAG"))
        if what(lag):
            return lag
        time.sleep(0.02)
    raise AssertionError(lag)


def similar(client, item):
    told = as_map(client.call("SIMILAR", item, "COUNT", 10))
    return told["by"], told["model"], [int(as_map(one)["item"]) for one in told["items"]]


def info(client):
    text = client.call("INFO", "readers")
    text = text.decode() if isinstance(text, bytes) else text
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def is_served(client, version):
    by, model, items = similar(client, 1003)
    assert by == "model" and int(model) == version and len(items) >= 8, (by, model, items)
    assert all(item // 1000 == 1 for item in items), items
    feed = as_map(client.call("FEED", 105, "COUNT", 20))
    entries = [as_map(one) for one in feed["items"]]
    assert int(feed["model"]) == version and not set(items_of(1)) & {
        int(one["item"]) for one in entries if (int(one["item"]) * 7 + 105) % 3}, feed
    until(client, lambda _: int(info(client)["discover_model"]) == version)


def train_beside(server, words):
    """While likes go on; not so many that discovery's memory forgets what it is asked about afterwards."""
    stop, done = threading.Event(), []

    def write():
        with server.client() as client:
            while not stop.is_set():
                client.many([("LIKE", 7000 + len(done) % 50, 90000 + len(done) // 50 * 20 + i) for i in range(20)])
                done.append(1)
                time.sleep(0.005)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        told = [zan("train", *words, "--fixed", "--threads", "1", "--json") for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    assert len(done) > 3 and told[-1]["pairs"] > told[0]["pairs"] > 500, (len(done), told)
    return told[-1]["version"]


def damaged(server, client, path, version):
    """One after the other; each is refused by name, once, and the good one goes on."""
    whole = open(path, "rb").read()
    bad = ((b"nonsense" * 40, "is no model"), (whole[:len(whole) // 2], "cut off"),
           (whole[:400] + bytes([whole[400] ^ 1]) + whole[401:-1] + b"\1", "checksum"), (b"", "too short"))
    refused = int(info(client)["discover_models_refused"])
    for count, (contents, why) in enumerate(bad, 1):
        if why == "checksum":  # its head is as ever: it is seen as another file, for the one before was
            assert contents[:128] == whole[:128]
        with open(path + ".bad", "wb") as file:
            file.write(contents)
        os.rename(path + ".bad", path)
        lag = until(client, lambda lag: why in (lag["model_message"] or ""))
        assert path in lag["model_message"] and int(lag["model"]) == version, lag
        until(client, lambda _: int(info(client)["discover_models_refused"]) == refused + count)
        assert why in info(client)["discover_model_message"]
        is_served(client, version)
    os.unlink(path)
    time.sleep(1.2)
    is_served(client, version)
    with open(path, "wb") as file:
        file.write(whole)
    until(client, lambda lag: lag["model_message"] is None)
    is_served(client, version)


def of_another_tenant(at, client, path):
    edges = os.path.join(at, "edges")
    with open(edges, "w") as file:
        for account in range(100, 160):
            file.write("%d %s\n" % (account, " ".join(str(item) for item in items_of(1))))
    zan("train", "--edges", edges, "--tenant", "9", "--out", path, "--fixed", "--threads", "1")
    taken = int(info(client)["discover_models_taken"])
    until(client, lambda _: int(info(client)["discover_models_taken"]) > taken or
          similar(client, 1003)[0] == "tags")
    assert similar(client, 1003) == ("tags", None, [])
    assert as_map(client.call("FEED", 105))["model"] is None


def rates(partitions):
    """A log with impressions enough teaches rates, which pages tell and go by: what all watched to the end comes
    before what all left, also for who wants no profile; what is read of them says nothing of accounts."""
    with Server(partitions=partitions, trust="off") as server:
        client = server.client(resp=3)
        for group in (1, 2):
            for item in items_of(group):
                client.call("ITEM", "SET", item, "CREATOR", 50000 + item)
                client.call("ITEM", "TAG", item, "both")
        acts = [("VIEW", account, item, 30000 if item < 2000 else 900, 30000)
                for account in range(100, 160) for item in list(items_of(1)) + list(items_of(2))]
        client.many(acts + [("LIKE", account, item) for account in range(100, 130) for item in items_of(1)])
        client.call("ACCOUNT", "SET", 8, "PERSONAL", "off")
        assert as_map(as_map(client.call("FEED", 9))["items"][0])["like"] is None
        told = zan("train", "--data", server.data, "--partitions", str(partitions), "--fixed", "--json",
                   "--threads", "1")
        assert told["impressions"] == 60 * 2 * ITEMS, told
        until(client, lambda lag: int(lag["model"]) == told["version"])
        for account, personal in ((7, 1), (8, 0), (120, 1)):
            feed = as_map(client.call("FEED", account, "COUNT", 2 * ITEMS))
            page = {int(one["item"]): (float(one["long_view"]), float(one["like"]))
                    for one in map(as_map, feed["items"])}
            assert int(feed["personal"]) == personal
            if account == 120:   # it has seen all there is
                assert not page, page
                continue
            assert len(page) == 2 * ITEMS, page
            watched, left = list(page)[:ITEMS // 2], [item for item in page if item >= 2000]
            # one place in twenty is a newcomer's, whatever is expected of it
            assert sum(item >= 2000 for item in watched) <= 2, page
            watched = [item for item in page if item < 2000]
            assert min(page[item] for item in watched) > max(page[item] for item in left), page
            assert all(page[item][0] > 0.6 and 0.2 < page[item][1] < 0.9 for item in watched), page


def run():
    rates(1)
    rates(2)
    at = directory()
    for partitions in (1, 2):
        path = os.path.join(at, "model-%d" % partitions)
        settings = {"discover_model": path} if partitions == 2 else {}
        with Server(partitions=partitions, trust="off", **settings) as server:
            client = server.client(resp=3)
            world(client)
            assert similar(client, 1003) == ("tags", None, []) and int(as_map(client.call("LAG"))["model"]) == 0
            words = ["--data", server.data, "--partitions", str(partitions)]
            if partitions == 2:
                words += ["--discover-model", path]
            else:
                path = os.path.join(server.data, "readers", "recommend.model")
            version = train_beside(server, words)
            until(client, lambda lag: int(lag["model"]) == version)
            is_served(client, version)
            if partitions == 1:
                damaged(server, client, path, version)
                assert server.client().call("PING") == "PONG"
            server.stop()
            server.start()
            client = server.client(resp=3)
            until(client, lambda lag: int(lag["model"]) == version)
            is_served(client, version)
            of_another_tenant(at, client, path)


if __name__ == "__main__":
    main(run)
