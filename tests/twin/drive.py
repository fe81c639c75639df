"""drive.py: random commands for a server and its twin, and the comparison of the two.

Used by every test that asks "is what the server says still what the twin says?": the model tests, the
kill loop, the damage tests.
"""
import random
import time
import uuid

from client import Error, as_map
from twin import COUNTERS, GIVEN, SETS, TAKEN, TOTALS


class Differs(AssertionError):
    """The server and the twin do not say the same."""


def same(expected, got):
    """Is got what expected asks for? Dicts may come with more fields; ids may come as text."""
    if expected is got:
        return True
    if isinstance(expected, dict):
        got = as_map(got)
        return isinstance(got, dict) and all(
            same(value, got.get(name)) for name, value in expected.items())
    if isinstance(expected, list):
        return isinstance(got, list) and len(expected) == len(got) and all(
            same(e, g) for e, g in zip(expected, got))
    if isinstance(expected, int) and isinstance(got, str):
        return got == str(expected)
    if expected is None:
        return got is None or got == ""
    return expected == got


def check(op, expected, got):
    if not same(expected, got):
        raise Differs("%s\n  twin:   %r\n  server: %r" %
                      (" ".join(map(str, op)), expected, as_map(got)))


def now_us():
    return time.time_ns() // 1000


# --- random commands -----------------------------------------------------------------------------
EDGES_OF_IDS = (0, 1, 9223372036854775807, 9223372036854775808, 18446744073709551615)
HOUR_MS = 3600 * 1000
ACTIONS = ("LIKE", "UNLIKE", "FAVORITE", "UNFAVORITE", "REPORT", "SHARE", "COMMENT", "SKIP")
EXCLUDE = (("LIKE", "UNLIKE"), ("FAVORITE", "UNFAVORITE"))


class Generator:
    """A stream of commands out of one seed. Small numbers of accounts and items make them meet."""

    def __init__(self, seed, accounts=300, items=200, options=0.15, states=0.01):
        self.random = random.Random(seed)
        pick = self.random.randrange
        spread = 1 << 40
        self.accounts = list(EDGES_OF_IDS) + [pick(spread) for _ in range(accounts)]
        self.items = list(EDGES_OF_IDS) + [pick(spread) for _ in range(items)]
        self.options, self.states = options, states
        self.used = []  # commands that had an operation id

    def account(self):
        """A few accounts do much: the square of a uniform number leans to the front."""
        return self.accounts[int(self.random.random() ** 2 * len(self.accounts))]

    def item(self):
        return self.items[int(self.random.random() ** 3 * len(self.items))]

    def opid(self):
        choice = self.random.random()
        if choice < 0.4:
            return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        if choice < 0.6:
            return uuid7(now_us() // 1000, self.random)
        return "op-%x" % self.random.getrandbits(60)

    def write(self):
        r = self.random.random()
        if r < 0.45:
            op = ("LIKE", self.account(), self.item())
        elif r < 0.62:
            op = ("UNLIKE", self.account(), self.item())
        elif r < 0.82:
            verb = self.random.choice(("FAVORITE", "UNFAVORITE", "SHARE", "COMMENT", "SKIP",
                                       "REPORT"))
            op = (verb, self.account(), self.item())
        elif r < 0.89:
            verb = "FOLLOW" if r < 0.87 else "UNFOLLOW"
            op = (verb, self.account(), self.account())
        elif r < 0.95:
            op = ("VIEW", self.account(), self.item(), self.random.randrange(90000),
                  self.random.choice((0, 15000, 60000)))
        else:
            op = ("ACT", self.account(), self.item()) + self.actions()
        return op

    def actions(self):
        """Some actions, each once, no two that contradict each other."""
        chosen = self.random.sample(ACTIONS, self.random.randint(1, 4))
        for first, second in EXCLUDE:
            if first in chosen and second in chosen:
                chosen.remove(second)
        return tuple(chosen)

    def state(self):
        """What an operator does: registers, restricts, closes, opens again."""
        r = self.random.random()
        if r < 0.3:
            return ("ITEM", "SET", self.item(), "CREATOR", self.account(), "DURATION",
                    self.random.randrange(100000))
        if r < 0.4:
            return ("ITEM", "SET", self.item(), "STATE", "published")
        if r < 0.6:
            word = self.random.choice(("published", "published", "private", "removed"))
            return ("ITEM", "STATE", self.item(), word)
        if r < 0.7:
            return ("ACCOUNT", "SET", self.account())
        if r < 0.85:
            return ("ACCOUNT", "STATE", self.account(), "active")
        hours = self.random.choice((-2, 2, 24))
        word = self.random.choice(("like-banned", "suspended"))
        return ("ACCOUNT", "STATE", self.account(), word, "UNTIL",
                now_us() // 1000 + hours * HOUR_MS)

    def read(self):
        verb = self.random.choice(READS)
        many = self.random.randint(1, 6)
        if verb == "FOLLOWED":
            return (verb, self.account()) + tuple(self.account() for _ in range(many))
        if verb in ("LIKED", "FAVORITED", "REPORTED"):
            return (verb, self.account()) + tuple(self.item() for _ in range(many))
        if verb == "FOLLOWS":
            return (verb,) + tuple(self.account() for _ in range(many))
        if verb in TOTALS:
            return (verb,) + tuple(self.item() for _ in range(many))
        if verb in ("RECEIVED", "FOLLOWERS") or verb in GIVEN:
            return (verb, self.account())
        return (verb, self.item())

    def next(self):
        r = self.random.random()
        if r < 0.2:
            return self.read()
        op = self.state() if r < 0.2 + self.states else self.write()
        r = self.random.random()
        if r > self.options:
            return op
        return self.dressed(op, r / self.options)

    def dressed(self, op, r):
        """op with an operation id, or RETURN, or both; or an earlier one again."""
        if r < 0.2 and self.used:
            return self.random.choice(self.used)
        if r < 0.25 and self.used:
            stolen = self.random.choice(self.used)
            return op + ("OPID", stolen[-1])
        if r < 0.6:
            op = op + ("OPID", self.opid())
            if len(self.used) > 2000:
                self.used = self.used[-1000:]
            self.used.append(op)
            return op
        if r < 0.7:
            return op + ("RETURN", "OPID", self.opid())
        if r < 0.8:
            return op + ("CTX", "SOURCE", "button", "DEVICE", "d%d" % self.random.randrange(99))
        return op + ("RETURN",)

    def sure(self):
        """A write with an operation id: it can be asked again after a crash."""
        return self.write() + ("OPID", self.opid())


READS = ("LIKED", "FAVORITED", "FOLLOWED", "REPORTED", "LIKES", "FAVORITES", "FOLLOWS", "VIEWS",
         "SHARES", "COMMENTS", "SKIPS", "REPORTS", "COUNTS", "RECEIVED", "LIKERS", "FAVORITERS",
         "FOLLOWERS", "LIKEDBY", "FAVORITEDBY", "FOLLOWEDBY")


def uuid7(ms, source=random):
    bits = (ms << 80) | (7 << 76) | (source.getrandbits(12) << 64) | (2 << 62) | \
        source.getrandbits(62)
    return str(uuid.UUID(int=bits))


# --- the comparison ------------------------------------------------------------------------------
PAGE = 100


def check_reply(twin, op, got, at_us):
    """Applies op to the twin and compares. Lists: the first page must be the twin's beginning."""
    expected = twin.apply(op, at_us)
    if op[0] in TAKEN or op[0] in GIVEN:
        check_page(op, expected, got)
    elif got != expected and not same(expected, got):
        check(op, expected, got)


def check_page(op, whole, got):
    """A page may be short (the server looks at so many dead entries and no more), but it must be
    the list's beginning, and the list's end may be told only at the end."""
    if not isinstance(got, list) or len(got) != 2:
        raise Differs("%s: not a page: %r" % (op, got))
    cursor, entries = got
    ids = [int(entry[0]) for entry in entries]
    last = cursor in ("0", 0)
    if ids != whole[:len(ids)] or len(ids) > PAGE or (last and len(ids) < len(whole)):
        raise Differs("%s\n  twin:   %r of %d\n  server: %r cursor %r" %
                      (op, whole[:PAGE], len(whole), ids, cursor))


def check_times(op, entries, slack_us=5000000):
    """Newest first also by time, and no time from the future."""
    times = [int(entry[1]) for entry in entries]
    limit = (now_us() + slack_us) // 1000
    if any(t > limit or t <= 0 for t in times):
        raise Differs("%s: times that cannot be: %r" % (op, times))


def walk(client, op, count):
    """All pages of a list, following the cursor."""
    ids, cursor, below = [], None, None
    while True:
        ask = op + ("COUNT", count) + (("CURSOR", cursor) if cursor is not None else ())
        got = client.call(*ask)
        if isinstance(got, Error) or not isinstance(got, list) or len(got) != 2:
            raise Differs("%s answered %r" % (ask, got))
        cursor, entries = got
        check_times(ask, entries)
        ids += [int(entry[0]) for entry in entries]
        if cursor in ("0", 0):
            return ids
        if below is not None and int(cursor) >= below:
            raise Differs("%s: the cursor does not move down" % (ask,))
        below = int(cursor)


def known(twin):
    items = set(twin.items) | {target for kind, target in twin.taken if kind != 2}
    return sorted(twin.accounts), sorted(items)


def check_lists(client, twin, random_, sample):
    """Some lists whole, page by page, with odd page sizes."""
    of_items = [k for k in twin.taken]
    of_accounts = [k for k in twin.given]
    names_taken = {kind: verb for verb, kind in TAKEN.items()}
    names_given = {kind: verb for verb, kind in GIVEN.items()}
    for lists, keys, names in ((twin.taken, of_items, names_taken),
                               (twin.given, of_accounts, names_given)):
        for kind, who in random_.sample(keys, min(sample, len(keys))):
            op = (names[kind], who)
            got = walk(client, op, random_.choice((1, 3, 7, 50, 100, 1000)) if
                       len(lists[kind, who]) < 60 else random_.choice((7, 50, 100, 1000)))
            expected = twin.newest(lists, kind, who)
            if got != expected:
                raise Differs("%s, all pages\n  twin:   %r\n  server: %r" % (op, expected, got))


def check_state(client, twin, random_=random, lists=40, edges=2000):
    """The whole state: every count of every item and account, edges, lists. Raises Differs."""
    accounts, items = known(twin)
    ops = [("COUNTS", item) for item in items]
    ops += [("RECEIVED", account) for account in accounts]
    ops += [("ACCOUNT", "GET", account) for account in accounts]
    ops += [("ITEM", "GET", item) for item in items]
    names = {0: "LIKED", 1: "FAVORITED", 2: "FOLLOWED", 7: "REPORTED"}
    keys = list(twin.edges)
    for kind, account, target in random_.sample(keys, min(edges, len(keys))):
        ops.append((names[kind], account, target))
    at_us = now_us()
    for op, got in zip(ops, client.many(ops)):
        check(op, twin.apply(op, at_us), got)
    check_lists(client, twin, random_, lists)
    return len(ops)


def play(client, twin, ops, window=500):
    """Asks all ops and compares every answer with the twin's."""
    for start in range(0, len(ops), window):
        part = ops[start:start + window]
        client.send(*part)
        at_us = now_us()
        for op, got in zip(part, client.receive(len(part))):
            check_reply(twin, op, got, at_us)
