#!/usr/bin/python3
# zan-test: timeout=120
"""zan detect: a ring put into ordinary life is told, with members, windows and scores, from a file and from a node's log;
ordinary life is not; what is wrong with a file is said by line."""
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from server import Server, directory, main, seed  # noqa: E402

ACCOUNTS, ITEMS, LIKES, DAY = 1500, 400, 9000, 86400
START = 1_700_000_000


def zan(*words, code=0, text=None):
    done = subprocess.run([os.environ["ZAN"], "detect", *words, "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, input=text)
    assert done.returncode == code, (words, done.returncode, done.stderr)
    return json.loads(done.stdout) if code == 0 and "--json" in words else done.stdout + done.stderr


def ordinary(rng):
    """(account, item, second) of people; some items and accounts are ten times as busy as others."""
    likes = {}
    for _ in range(LIKES):
        account = int(ACCOUNTS * rng.random() ** 2)
        item = int(ITEMS * rng.random() ** 2)
        likes.setdefault((account, item), START + rng.randrange(14 * DAY))
    return likes


def ring(rng, likes, size=60, items=60, density=0.12):
    """Accounts 9000.. at items 100.., each item within an hour of its own; the (account, item) that were bought."""
    bought = set()
    for item in range(100, 100 + items):
        start = START + rng.randrange(14 * DAY - 3600)
        for account in range(9000, 9000 + size):
            if rng.random() < density:
                likes[(account, item)] = start + rng.randrange(3600)
                bought.add((account, item))
    return bought


def write(path, likes, rng):
    lines = ["%d\t%d\t%d" % (account, item, at) for (account, item), at in likes.items()]
    rng.shuffle(lines)
    with open(path, "w") as file:
        file.write("account\titem\tseconds\n# a remark\n\n" + "\n".join(lines) + "\n")
    return path


def check_group(found, bought):
    assert found["group_count"] == 1, found["group_count"]
    group = found["groups"][0]
    members = {int(one["account"]) for one in group["accounts"]}
    guilty = {account for account, _ in bought}
    assert group["kind"] == "bursts" and group["class"] == "E0"
    assert len(members & guilty) >= 0.9 * len(guilty) and len(members - guilty) <= 2, (len(members), len(guilty))
    assert group["groups_by_chance_log10"] < -20 and group["likes"] > 10 * group["likes_by_chance"]
    for place in group["items"]:
        assert 100 <= int(place["item"]) < 160 and 0 <= place["last_s"] - place["first_s"] <= 2 * 3600, place
    return members


def scores(path):
    with open(path) as file:
        return {int(line.split("\t")[0]): float(line.split("\t")[1]) for line in file}


def from_a_file(rng, folder):
    likes = ordinary(rng)
    honest = write(os.path.join(folder, "honest.tsv"), likes, rng)
    assert zan("--edges", honest, "--json")["group_count"] == 0
    assert "no group" in zan("--edges", honest)
    bought = ring(rng, likes)
    path = write(os.path.join(folder, "likes.tsv"), likes, rng)
    users, items = os.path.join(folder, "users"), os.path.join(folder, "items")
    found = zan("--edges", path, "--json", "--users", users, "--items", items)
    members = check_group(found, bought)
    assert found["likes"] == len(likes) and found["timed"]

    score = scores(users)
    assert set(score) == {account for account, _ in likes}
    assert min(score[account] for account in members) > 0 >= max(s for a, s in score.items() if a not in members)
    assert set(scores(items)) == {item for _, item in likes}

    rows = [line.split("\t") for line in zan("--edges", path, "--tsv").splitlines()]
    assert rows[0][:4] == ["group", "kind", "what", "id"]
    assert {int(row[3]) for row in rows[1:] if row[2] == "account"} == members
    with open(path) as file:
        assert check_group(zan("--edges", "-", "--json", text=file.read()), bought) == members


def wrong_files(folder):
    path = os.path.join(folder, "wrong.tsv")

    def refuse(text, why):
        with open(path, "wb") as file:
            file.write(text)
        said = zan("--edges", path, code=6)
        assert why in said and path in said, said

    refuse(b"1 2 3\nx 2 3\n", "line 2: the account is not a number")
    refuse(b"1 2 3\n1\n", "line 2: the account")
    refuse(b"1 2 3\n1 -2 3\n", "line 2: the item")
    refuse(b"1 2 3\n99999999999999999999 2 3\n", "line 2: the account is not a number below 2^64")
    refuse(b"1 2 1650000000000\n", "line 1: the time is not seconds")
    refuse(b"1 2 3 4\n", "line 1: there is more on the line")
    refuse(b"1 2 3\n" + b"1" * 300000, "line 2")
    refuse(b"1 2 3\n\x00\xff\n", "line 2: the account")
    for text, likes in ((b"18446744073709551615 18446744073709551615 4294967295.9\n", 1), (b"1\t2\r\n1 3", 2),
                        (b"1 2 3\n1 2 4\n", 1)):
        with open(path, "wb") as file:
            file.write(text)
        assert zan("--edges", path, "--json")["likes"] == likes, text
    for text in (b"", b"# nothing\n\n"):
        with open(path, "wb") as file:
            file.write(text)
        assert "no likes" in zan("--edges", path, code=1)
    assert "No such file" in zan("--edges", os.path.join(folder, "none.tsv"), code=5)


def from_a_log(rng, folder, partitions):
    """Times of imports are their source's; likes taken back are looked at too; who was erased is nobody."""
    likes = ordinary(rng)
    bought = ring(rng, likes)
    table = os.path.join(folder, "import.tsv")
    with open(table, "w") as file:
        file.write("verb\taccount\ttarget\ttime_ms\n")
        for (account, item), at in sorted(likes.items(), key=lambda like: like[1]):
            file.write("like\t%d\t%d\t%d\n" % (account + 1, item + 1, at * 1000))
    server = Server(partitions=partitions, erase_wait_hours=0).start()
    subprocess.run([os.environ["ZAN"], "import", "--format", "tsv", "--quiet", "--to", "127.0.0.1:%d" % server.port, table],
                   check=True, stdout=subprocess.DEVNULL)
    with server.client() as client:
        taken_back = next(iter(sorted(bought)))
        assert client.call("UNLIKE", taken_back[0] + 1, taken_back[1] + 1) == 1
        client.call("LIKE", 99999, 1)
        assert client.call("ACCOUNT", "ERASE", 99999) == 1
        while client.call("ACCOUNT", "PURGE", 99999)[2] != 0:
            pass
    server.stop()
    found = zan("--data", server.data, "--partitions", str(partitions), "--json")
    assert found["likes"] == len(likes), (found["likes"], len(likes))
    for one in found["groups"][0]["accounts"] if found["groups"] else []:
        one["account"] = int(one["account"]) - 1
    for one in found["groups"][0]["items"] if found["groups"] else []:
        one["item"] = int(one["item"]) - 1
    check_group(found, bought)


def run():
    rng = random.Random(seed())
    folder = directory()
    from_a_file(rng, folder)
    wrong_files(folder)
    from_a_log(rng, folder, 1)
    from_a_log(rng, folder, 3)


main(run)
