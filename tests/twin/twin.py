"""twin.py: what every command of Zan means, said a second time and as plainly as it goes.

Dicts and sets, one command at a time, no log, no batches, no flush: if the engine and this page
disagree, one of them is wrong, and this one is short enough to be read. It was written from
verbs.def, status.def, row.h and the description of the checks, never from the engine.

  apply(op, now_us)   op is a tuple of words as in client.py; gives back the value the server must
                      answer: int, list, dict or Error. Dicts hold only what must match (no times).

The order of the checks is part of the meaning:
  1. the operation id: known -> the answer given then, or CONFLICT; too old -> EXPIREDID
  2. the account: unknown (and registration is asked for) -> NOACCOUNT; restricted -> SUSPENDED
  3. the target: unknown -> NOITEM / NOACCOUNT; private or removed -> CLOSED, except for taking back
     and for REPORT
  4. the state: already so -> 0, and nothing changes
A refusal that came with an operation id is remembered like any other answer.
"""
from client import Error

COUNTERS = ("like", "favorite", "follow", "view", "share", "comment", "skip", "report")
LIKE, FAVORITE, FOLLOW, VIEW, SHARE, COMMENT, SKIP, REPORT = range(8)

#        verb: (edge and counter, state it sets)
SETS = {"LIKE": (LIKE, 1), "UNLIKE": (LIKE, 0), "FAVORITE": (FAVORITE, 1),
        "UNFAVORITE": (FAVORITE, 0), "FOLLOW": (FOLLOW, 1), "UNFOLLOW": (FOLLOW, 0),
        "REPORT": (REPORT, 1)}
EVENTS = {"SHARE": SHARE, "COMMENT": COMMENT, "SKIP": SKIP}
STATES = {"LIKED": LIKE, "FAVORITED": FAVORITE, "FOLLOWED": FOLLOW, "REPORTED": REPORT}
TOTALS = {"LIKES": LIKE, "FAVORITES": FAVORITE, "FOLLOWS": FOLLOW, "VIEWS": VIEW,
          "SHARES": SHARE, "COMMENTS": COMMENT, "SKIPS": SKIP, "REPORTS": REPORT}
TAKEN = {"LIKERS": LIKE, "FAVORITERS": FAVORITE, "FOLLOWERS": FOLLOW}
GIVEN = {"LIKEDBY": LIKE, "FAVORITEDBY": FAVORITE, "FOLLOWEDBY": FOLLOW}
# What stays possible on an item that is private or removed.
OPEN_ALWAYS = {"UNLIKE", "UNFAVORITE", "REPORT"}
FLIPS_MAX = 65535
DAY_US = 24 * 3600 * 1000000


class Account:
    __slots__ = ("state", "until_us", "taken_back", "given")

    def __init__(self):
        self.state, self.until_us, self.taken_back, self.given = "active", 0, 0, [0] * 8


class Item:
    __slots__ = ("state", "creator", "duration_ms", "watch_ms", "taken_back", "counts", "peak")

    def __init__(self):
        self.state, self.creator, self.duration_ms = "published", None, 0
        self.watch_ms, self.taken_back, self.counts, self.peak = 0, 0, [0] * 8, 0


class Twin:
    order_known = True

    def __init__(self, unknown="create", keep_hours=24):
        self.refuse_unknown = unknown == "refuse"
        self.keep_us = keep_hours * 3600 * 1000000
        self.accounts = {}
        self.items = {}
        self.edges = {}       # (edge, account, target) -> [on, flips]
        self.taken = {}       # (edge, target) -> {account: None}, oldest first
        self.given = {}       # (edge, account) -> {target: None}, oldest first
        self.followers = {}   # creator -> how many follow
        self.received = {}    # creator -> counts of all its items, kept as they change
        self.operations = {}  # operation id -> (what was asked, the answer)
        self.changes = 0      # writes that changed something

    # --- the front -----------------------------------------------------------------------------
    def apply(self, op, now_us=0):
        verb = op[0]
        done = self.FAST.get(verb)
        if done is not None and len(op) == 3:
            return done(self, verb, op[1], op[2], now_us)
        return self._any(op, now_us)

    def _any(self, op, now_us):
        words, options = split_options(op)
        opid = options.get("OPID")
        if opid is None:
            applied, answer = self._write_or_read(words, now_us)
            return self._dress(words, options, applied, answer, False)
        opid = operation_key(opid)
        asked = tuple(words)
        if opid in self.operations:
            content, applied, answer = self.operations[opid]
            if content != asked:
                return Error("CONFLICT")
            return self._dress(words, options, applied, answer, True)
        if born_us(opid) is not None and born_us(opid) < now_us - self.keep_us:
            return Error("EXPIREDID")
        applied, answer = self._write_or_read(words, now_us)
        self.operations[opid] = (asked, applied, answer)
        return self._dress(words, options, applied, answer, False)

    def _dress(self, words, options, applied, answer, replayed):
        """RETURN asks for a map in place of the number."""
        if isinstance(answer, Error) or "RETURN" not in options:
            return answer
        shown = {"applied": answer, "replayed": int(replayed)}
        if words[0] in SETS:
            kind, _ = SETS[words[0]]
            edge = self.edges.get((kind, words[1], words[2]), (0, 0))
            shown["on"], shown["flips"] = edge[0], edge[1]
        return shown

    def _write_or_read(self, words, now_us):
        verb = words[0]
        if verb in SETS:
            answer = self._set(verb, words[1], words[2], now_us)
        elif verb in EVENTS:
            answer = self._event(verb, words[1], words[2], now_us)
        elif verb == "VIEW":
            answer = self._view(*words[1:5], now_us)
        elif verb == "ACT":
            answer = self._act(words[1], words[2], words[3:], now_us)
        elif verb == "ITEM":
            answer = {"SET": self._item_set, "STATE": self._item_state,
                      "GET": self._item_get}[words[1]](*words[2:])
        elif verb == "ACCOUNT":
            if words[1] == "SET":
                answer = self._account_set(words[2])
            else:
                answer = {"STATE": self._account_state,
                          "GET": self._account_get}[words[1]](now_us, *words[2:])
        else:
            answer = self._read(verb, words)
        return answer, answer

    # --- checks: None, or why not --------------------------------------------------------------
    def _check_account(self, verb, account, now_us):
        row = self.accounts.get(account)
        if row is None:
            return Error("NOACCOUNT") if self.refuse_unknown else None
        if row.state == "active" or now_us >= row.until_us:
            return None
        if row.state == "suspended" or verb == "LIKE":
            return Error("SUSPENDED")
        return None

    def _check_target(self, verb, target):
        if verb in ("FOLLOW", "UNFOLLOW"):
            absent = self.refuse_unknown and target not in self.accounts
            return Error("NOACCOUNT") if absent else None
        row = self.items.get(target)
        if row is None:
            return Error("NOITEM") if self.refuse_unknown else None
        if row.state != "published" and verb not in OPEN_ALWAYS:
            return Error("CLOSED")
        return None

    def _check(self, verb, account, target, now_us):
        return self._check_account(verb, account, now_us) or self._check_target(verb, target)

    # --- effects: only after the checks --------------------------------------------------------
    def _account(self, account):
        row = self.accounts.get(account)
        if row is None:
            row = self.accounts[account] = Account()
        return row

    def _item(self, item):
        row = self.items.get(item)
        if row is None:
            row = self.items[item] = Item()
        return row

    def _count(self, account, item, counter, by):
        """One more, or one less, on both sides and for whoever made the item."""
        self._account(account).given[counter] += by
        row = self._item(item)
        row.counts[counter] += by
        row.peak = max(row.peak, row.counts[LIKE])
        if row.creator is not None:
            self._account(row.creator)
            self.received[row.creator][counter] += by
        return row

    def _set(self, verb, account, target, now_us):
        refused = self._check(verb, account, target, now_us)
        if refused is not None:
            return refused
        return self._turn(verb, account, target)

    def _turn(self, verb, account, target):
        kind, on = SETS[verb]
        key = (kind, account, target)
        edge = self.edges.get(key)
        if (edge[0] if edge else 0) == on:
            return 0
        if edge is None:
            edge = self.edges[key] = [0, 0]
        edge[0] = on
        edge[1] = min(edge[1] + 1, FLIPS_MAX)
        by = 1 if on else -1
        if kind == FOLLOW:
            self._account(account).given[FOLLOW] += by
            self._account(target)
            self.followers[target] = self.followers.get(target, 0) + by
        else:
            row = self._count(account, target, kind, by)
            if verb == "UNLIKE":
                row.taken_back += 1
                self.accounts[account].taken_back += 1
        if kind != REPORT:
            self._list(kind, account, target, on)
        self.changes += 1
        return 1

    def _list(self, kind, account, target, on):
        taken = self.taken.setdefault((kind, target), {})
        given = self.given.setdefault((kind, account), {})
        if on:
            taken[account] = None
            given[target] = None
        else:
            del taken[account]
            del given[target]

    def _event(self, verb, account, item, now_us):
        refused = self._check(verb, account, item, now_us)
        if refused is not None:
            return refused
        self._count(account, item, EVENTS[verb], 1)
        self.changes += 1
        return 1

    def _view(self, account, item, watch_ms, duration_ms, now_us):
        refused = self._check("VIEW", account, item, now_us)
        if refused is not None:
            return refused
        self._count(account, item, VIEW, 1).watch_ms += int(watch_ms)
        self.changes += 1
        return 1

    def _act(self, account, item, actions, now_us):
        """All or none: every action is checked before the first one takes effect."""
        for verb in actions:
            refused = self._check(verb, account, item, now_us)
            if refused is not None:
                return refused
        return [self._turn(verb, account, item) if verb in SETS
                else self._event(verb, account, item, now_us) for verb in actions]

    # --- what is known of items and accounts ---------------------------------------------------
    def _item_set(self, item, *fields):
        fields = dict(zip(fields[::2], fields[1::2]))
        known = item in self.items
        row = self._item(item)
        before = (row.creator, row.duration_ms, row.state)
        if "CREATOR" in fields:
            self._move(row, int(fields["CREATOR"]))
        row.duration_ms = int(fields.get("DURATION", row.duration_ms))
        row.state = fields.get("STATE", row.state)
        changed = not known or before != (row.creator, row.duration_ms, row.state)
        self.changes += changed
        return int(changed)

    def _move(self, row, creator):
        """What an item has received goes with it to its new creator."""
        if any(row.counts):
            self._account(creator)
        if row.creator is not None:
            old = self.received[row.creator]
            for counter in range(8):
                old[counter] -= row.counts[counter]
        new = self.received.setdefault(creator, [0] * 8)
        for counter in range(8):
            new[counter] += row.counts[counter]
        row.creator = creator

    def _item_state(self, item, state):
        if item not in self.items and self.refuse_unknown:
            return Error("NOITEM")
        if item in self.items and self.items[item].state == state:
            return 0
        self._item(item).state = state
        self.changes += 1
        return 1

    def _account_set(self, account):
        if account in self.accounts:
            return 0
        self._account(account)
        self.changes += 1
        return 1

    def _account_state(self, now_us, account, state, *until):
        """Every restriction expires: after 7 days if nothing is said, after 366 at the latest."""
        if account not in self.accounts and self.refuse_unknown:
            return Error("NOACCOUNT")
        until_us = 0
        if state != "active":
            until_us = int(until[1]) * 1000 if until else now_us + 7 * DAY_US
            if not now_us < until_us <= now_us + 366 * DAY_US:
                return Error("BADVALUE")
        row = self.accounts.get(account)
        if row is not None and (row.state, row.until_us) == (state, until_us):
            return 0
        row = self._account(account)
        row.state, row.until_us = state, until_us
        self.changes += 1
        return 1

    # --- reads ---------------------------------------------------------------------------------
    def _read(self, verb, words):
        if verb in STATES:
            kind, account = STATES[verb], words[1]
            return [self.edges.get((kind, account, target), (0,))[0] for target in words[2:]]
        if verb == "FOLLOWS":
            return [self.followers.get(creator, 0) for creator in words[1:]]
        if verb in TOTALS:
            counter = TOTALS[verb]
            return [self.items[item].counts[counter] if item in self.items else 0
                    for item in words[1:]]
        if verb == "COUNTS":
            return self._counts(words[1])
        if verb == "RECEIVED":
            return self._received(words[1])
        if verb in TAKEN:
            return self.newest(self.taken, TAKEN[verb], words[1])
        if verb in GIVEN:
            return self.newest(self.given, GIVEN[verb], words[1])
        raise KeyError(verb)

    def newest(self, lists, kind, who):
        return list(reversed(lists.get((kind, who), {})))

    def _counts(self, item):
        """Nobody follows an item: its map leaves that counter out."""
        row = self.items.get(item) or Item()
        shown = {name: count for name, count in zip(COUNTERS, row.counts) if name != "follow"}
        shown["likes"] = self._worth(row.counts[LIKE])
        shown["likes"]["reasons"] = {}
        views = row.counts[COUNTERS.index("view")]
        shown["views"] = {"raw": views, "credited": "%d.00" % views}
        shown["paused"] = None
        if self.order_known:  # of likes and un-likes that clients sent at the same time it is not
            shown["likes"]["peak"] = row.peak
        return shown

    @staticmethod
    def _worth(likes):
        """No judges here: every like counts in full."""
        return {"raw": likes, "valid": likes, "credited": "%d.00" % likes, "held": 0,
                "quarantined": 0, "voided": 0}

    def _received(self, creator):
        shown = dict(zip(COUNTERS, self.received.get(creator, [0] * 8)))
        shown["follow"] = self.followers.get(creator, 0)
        shown["likes"] = self._worth(shown["like"])
        return shown

    def _item_get(self, item):
        row = self.items.get(item)
        if row is None:
            return Error("NOITEM")
        return {"id": item, "state": row.state, "creator": row.creator,
                "duration_ms": row.duration_ms, "watch_ms": row.watch_ms,
                "taken_back": row.taken_back, "counts": self._counts(item)}

    def _account_get(self, now_us, account):
        row = self.accounts.get(account)
        if row is None:
            return Error("NOACCOUNT")
        state = row.state if now_us < row.until_us else "active"
        return {"id": account, "state": state, "taken_back": row.taken_back,
                "given": dict(zip(COUNTERS, row.given)), "received": self._received(account)}

    # --- the twin checks itself: the same numbers by counting ------------------------------------
    def recount(self):
        """Every kept number against one counted from nothing. Slow; for now and then."""
        likes, given, followers, received = {}, {}, {}, {}
        for (kind, account, target), (on, _) in self.edges.items():
            if not on:
                continue
            given[account, kind] = given.get((account, kind), 0) + 1
            if kind == FOLLOW:
                followers[target] = followers.get(target, 0) + 1
            else:
                likes[target, kind] = likes.get((target, kind), 0) + 1
        for item, row in self.items.items():
            for kind in (LIKE, FAVORITE, REPORT):
                assert row.counts[kind] == likes.get((item, kind), 0), (item, kind)
            if row.creator is not None:
                sums = received.setdefault(row.creator, [0] * 8)
                for counter in range(8):
                    sums[counter] += row.counts[counter]
        for account, row in self.accounts.items():
            for kind in (LIKE, FAVORITE, FOLLOW, REPORT):
                assert row.given[kind] == given.get((account, kind), 0), (account, kind)
        for creator, sums in self.received.items():
            assert sums == received.get(creator, [0] * 8), creator
        for creator, count in self.followers.items():
            assert count == followers.get(creator, 0), creator

    FAST = dict.fromkeys(SETS, _set) | dict.fromkeys(EVENTS, _event)


OPTION_WORDS = {"RETURN": 0, "OPID": 1}
CONTEXT_WORDS = {"SOURCE", "ADDRESS", "DEVICE", "NETWORK", "TIME"}


def split_options(op):
    """The words of a write without what every write takes, and that as a dict."""
    words, options, i = [], {}, 0
    while i < len(op):
        word = op[i]
        if word == "RETURN":
            options["RETURN"] = True
        elif word == "OPID":
            i += 1
            options["OPID"] = op[i]
        elif word == "CTX":
            while i + 2 < len(op) and op[i + 1] in CONTEXT_WORDS:
                i += 2
        else:
            words.append(word)
        i += 1
    return words, options


def operation_key(text):
    """A UUID is the same with and without dashes, in either case; any other text is itself."""
    bare = text.replace("-", "").lower()
    if len(bare) == 32 and all(c in "0123456789abcdef" for c in bare):
        return bare
    return "text:" + text


def born_us(key):
    """When a version 7 UUID was made; None for every other operation id."""
    if key.startswith("text:") or key[12] != "7" or key[16] not in "89ab":
        return None
    return int(key[:12], 16) * 1000
