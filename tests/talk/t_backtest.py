#!/usr/bin/python3
# zan-test: timeout=120
"""zan backtest: other rules over the log that is there, against a twin of these rules; the rules of
the day come to what they had come to; nothing is written to the data directory."""
import bisect
import collections
import hashlib
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error  # noqa: E402
from server import Server, directory, main, seed  # noqa: E402

# Windows of half a minute less than a whole number of minutes: acts are on whole minutes, so that
# none is where a window may forget it early (docs/policy.md, "How exactly it counts").
HOUR, DAY = 3570, 86370
RULES = """policy other version 4
undo 0s
rule few    when count(like, account, 3570s) > 3 then refuse
rule churn  when count(unlike, account, 86370s) > 3 then limit for 6h
rule busy   when count(like, account, 86370s) > 9 then weight 40
rule seen   shadow when count(like, item, 86370s) > 6 then hold
"""
LIMIT = 6 * 3600
BEGIN = 1_700_000_040
KIND = ("full", "cut", "held", "quarantined", "refused")


def digest(path):
    """Of everything in a directory: names, sizes, times, contents."""
    whole = hashlib.sha256()
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names) + ["."]:
            at = os.path.join(folder, name)
            told = os.stat(at)
            whole.update(("%s %d %d\n" % (at, told.st_size, told.st_mtime_ns)).encode())
            if os.path.isfile(at):
                with open(at, "rb") as file:
                    whole.update(file.read())
    return whole.hexdigest()


def write_policy(text, name="rules.policy"):
    path = os.path.join(directory(), name)
    with open(path, "w") as file:
        file.write(text)
    return path


def backtest(server, *options, code=0, running=False):
    """The report; the data directory and the place of the store are as before."""
    scratch, before = directory(), None if running else digest(server.data)
    words = [server.program, "backtest", "--data", server.data, "--quiet", "--json", "--scratch",
             scratch, "--partitions", str(server.settings.get("partitions", 1)), *options]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == code, (done.returncode, done.stderr, done.stdout[-500:])
    assert running or digest(server.data) == before, "something was written"
    assert os.listdir(scratch) == [], os.listdir(scratch)
    return json.loads(done.stdout) if code == 0 else done.stderr


class Twin:
    """The four rules above, the simple way."""

    def __init__(self, since=0):
        self.since = since
        self.acts = collections.defaultdict(list)  # (verb, whose) -> times, of what was done
        self.limit, self.would, self.was, self.set = {}, {}, set(), {}
        self.fired, self.refused = collections.Counter(), collections.Counter()
        self.accounts = collections.defaultdict(set)
        self.recorded = collections.Counter()
        self.moot = self.later = self.judged = self.earlier = 0

    def count(self, verb, whose, now, window):
        times = self.acts[verb, whose]
        return len(times) - bisect.bisect_right(times, now - window) + 1

    def fire(self, rule, account):
        self.fired[rule] += 1
        self.accounts[rule].add(account)

    def judge(self, verb, account, item, now):
        """Its weight, or None: refused."""
        if self.limit.get(account, 0) > now and verb == "UNLIKE":
            self.later += 1
            return None
        weight, refused = 100, False
        if verb == "LIKE":
            if self.count("LIKE", account, now, HOUR) > 3:
                self.fire("few", account)
                refused = True
            if self.count("LIKE", account, now, DAY) > 9:
                self.fire("busy", account)
                weight = 40
            if self.count("LIKE", ("item", item), now, DAY) > 6:
                self.fire("seen", account)
        elif self.count("UNLIKE", account, now, DAY) > 3:
            self.fire("churn", account)
            self.limit[account] = now + LIMIT
            refused = True
        return None if refused else weight

    def see(self, verb, account, item, now):
        pair, on = (account, item), verb == "LIKE"
        if on == (pair in self.was):
            return  # changed nothing: it is not in the log as an act
        (self.was.add if on else self.was.discard)(pair)
        at_once, self.set[pair] = not on and self.set.get(pair) == now, now
        if on == (pair in self.would):
            self.moot += 1
            return
        if now < self.since:
            weight = 100
            self.earlier += 1
        else:
            # In the same instant it is an undo, even with a window of nothing; a ban holds for it.
            weight = 100 if at_once and not self.limit.get(account, 0) > now else \
                self.judge(verb, account, item, now)
            self.judged += 1
            self.recorded["refused" if weight is None else "cut" if weight < 100 else "full"] += 1
        if weight is None:
            return
        if on:
            self.would[pair] = weight
        else:
            del self.would[pair]
        if at_once:
            return
        self.acts[verb, account].append(now)
        if on:
            self.acts[verb, ("item", item)].append(now)


def make_acts(dice, count):
    now, acts = BEGIN, []
    for _ in range(count):
        now += 60 * dice.choice((0, 0, 0, 1, 1, 2, 30))
        acts.append((dice.choice(("LIKE", "LIKE", "LIKE", "UNLIKE")), dice.randrange(1, 13),
                     dice.randrange(100, 150), now))
    return acts


def compare(report, twin):
    rules = {rule["rule"]: rule for rule in report["rules"]}
    for name in ("few", "churn", "busy", "seen"):
        assert rules[name]["fired"] == twin.fired[name], (name, rules[name], twin.fired)
        assert rules[name]["accounts"] == len(twin.accounts[name]), (name, rules[name])
        for sample in rules[name].get("samples", ()):
            assert int(sample["account"]) in twin.accounts[name], sample
            assert "version 4" in sample["text"] and name in sample["text"], sample
    assert rules["few"]["refused"] == twin.fired["few"] and rules["seen"]["shadow"], rules
    assert rules["churn"]["refused_later"] == twin.later, (rules["churn"], twin.later)
    assert rules["seen"]["held"] == twin.fired["seen"] and rules["few"]["held"] == 0, rules
    assert (report["judged"], report["moot"], report["earlier"]) == \
        (twin.judged, twin.moot, twin.earlier), (report, twin.judged, twin.moot, twin.earlier)
    assert report["recorded"]["full"] == {kind: twin.recorded[kind] for kind in KIND}, \
        (report["recorded"], twin.recorded)
    assert report["likes"]["is"]["raw"] == len(twin.was), report["likes"]
    assert report["likes"]["would_be"] == \
        {"raw": len(twin.would), "valid": len(twin.would),
         "credited_pct": sum(twin.would.values())}, (report["likes"], len(twin.would))
    by_item = collections.Counter()
    for (_, item), weight in twin.would.items():
        by_item[item] += weight
    for place, item in enumerate(sorted(by_item, key=lambda i: (-by_item[i], i))[:5], 1):
        row, = (row for row in report["top"] if int(row["item"]) == item)
        assert row["would_rank"] == place, (row, place)
        assert row["would_be"]["credited_pct"] == by_item[item], (row, by_item[item])


def as_the_twin(base, partitions):
    acts = make_acts(random.Random(base + partitions), 1500)
    rules, half = write_policy(RULES), acts[750][3]
    server = Server(partitions=partitions, flush_seconds=1).start()
    with server.client() as client:
        client.many([(verb, account, item, "CTX", "SOURCE", "import", "TIME", now * 1000)
                     for verb, account, item, now in acts])
    told = backtest(server, "--policy", rules, "--imported", code=6, running=True)
    assert "running" in told, told
    assert server.stop() == 0
    for since in (0, half):
        twin = Twin(since)
        # Each partition reads its own log, and windows of an item count what is in it.
        for act in acts:
            twin.see(*act)
        if partitions > 1:
            continue
        compare(backtest(server, "--policy", rules, "--trust", "off", "--imported", "--top", "5",
                         "--from", str(since)), twin)
        assert since or twin.moot > 5 and twin.later > 2, (twin.moot, twin.later)
        assert since or len(twin.fired) == 4 and min(twin.fired.values()) > 2, twin.fired
    if partitions > 1:
        report = backtest(server, "--policy", rules, "--trust", "off", "--imported")
        twin = Twin()
        for act in acts:
            twin.see(*act)
        rules_ = {rule["rule"]: rule["fired"] for rule in report["rules"]}
        del twin.fired["seen"], rules_["seen"]
        assert all(rules_[name] == twin.fired[name] for name in rules_), (rules_, twin.fired)
        assert report["likes"]["would_be"]["credited_pct"] == sum(twin.would.values()), report
    passed = backtest(server, "--policy", rules)
    assert passed["judged"] == 0 and passed["imports_passed_over"] == passed["acts"] > 0, passed
    told = backtest(server, "--policy", write_policy("policy x version 1\nrule r whenever likes\n"),
                    code=2)
    assert "line 2, column" in told, told
    assert "expected" in backtest(server, "--from", "yesterday", code=2)
    server.verify()


LIVE = """policy live version 2
undo 0s
rule few   when count(like, account, 1h) > 9 then refuse
rule mob   when count(report, account, 1h) > 2 then limit for 2h
rule churn on like when flips > 2 then weight 30
rule share when share(unlike, like, account, minimum 10) > 30% then weight 50 for 1d
rule slow  on like when count(like, account, 24h) > 7 then hold
rule limit when count(unlike, account, 1h) > 8 then limit for 1h
"""


def as_it_was(base):
    """The rules that were in force come to what they had come to, and others undo what they did."""
    dice, rules, refused = random.Random(base), write_policy(LIVE), 0
    server = Server(policy=rules, trust="on").start()
    with server.client() as client:
        ops = [(dice.choice(("LIKE", "LIKE", "LIKE", "UNLIKE", "UNLIKE", "REPORT", "FAVORITE")), dice.randrange(1, 40),
                dice.randrange(100, 109), "OPID", "op-%d" % i) for i in range(2000)]
        for answer in client.many(ops):
            refused += isinstance(answer, Error)
    assert server.stop() == 0 and refused > 20, refused
    same = backtest(server, "--policy", rules, "--trust", "on")
    for was in KIND:
        for would in KIND:
            assert was == would or same["recorded"][was][would] == 0, same["recorded"]
    assert same["items_changed"] == 0, same
    for kind in ("cut", "held", "refused"):
        assert same["recorded"][kind][kind] > 0, same["recorded"]
    none = backtest(server, "--policy", "none", "--trust", "off")
    assert none["recorded"]["refused"]["full"] > 0 and "rules" not in none, none
    assert none["likes"]["would_be"]["raw"] > none["likes"]["is"]["raw"], none["likes"]
    assert none["likes"]["would_be"]["credited_pct"] == 100 * none["likes"]["would_be"]["raw"], none
    done = subprocess.run([server.program, "backtest", "--data", server.data, "--policy", rules,
                           "--language", "zh"], stdout=subprocess.PIPE, text=True, check=True)
    assert "规则" in done.stdout and "as recorded" in done.stdout, done.stdout


def run():
    base = seed()
    as_the_twin(base, 1)
    as_the_twin(base, 2)
    as_it_was(base)


main(run)
