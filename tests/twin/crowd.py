"""crowd.py: several clients that write until something breaks, and the judge that asks afterwards.

Every write carries an operation id and RETURN; the crowd keeps what it asked and what it was told. The
accounts of two clients never meet, so that the order between clients cannot change an answer (counts
add up in any order); the order within one client is the server's duty.

After the fault and the restart the judge asks everything again:
  acknowledged         the same answer at the same sequence number, marked as replayed
  certainly not done   (BUSY, NOSPACE, ...) now done, as if for the first time
  no answer            one or the other; the twin knows what it must say
and compares every count, edge and list with the twin.
"""
import random
import selectors
import threading
import time

from client import Error, Gone, as_map
from drive import Differs, Generator, check, check_state, now_us, walk
from server import TOY
from twin import Twin

WINDOW = 100          # writes in the air on one connection
KEEP_ACKED = 20000    # of older acknowledged writes, this many are kept to be asked again
NOT_NOW = {"BUSY", "NOSPACE", "READONLY", "STOPPING", "NOMEMORY"}  # certainly not applied
NOT_KNOWN = {"UNKNOWN", "IOFAIL", "INTERNAL"}


class Stream:
    """One client: accounts of its own, items shared with all."""

    def __init__(self, number, seed):
        self.generator = Generator(seed * 16 + number, accounts=100, items=60, states=0)
        self.generator.items = Generator(seed, items=60).items
        base = (number + 1) << 50
        self.generator.accounts = [base + i for i in range(100)]
        self.resp = 2 + number % 2
        self.asked, self.got = [], []

    def more(self):
        op = self.generator.write() + ("RETURN", "OPID", self.generator.opid())
        self.asked.append(op)
        return op

    def turn(self, limit):
        """Takes what has come, asks as much again. False: this connection is over, or all that was
        asked is answered and no more is to be asked."""
        try:
            data = self.client.socket.recv(1 << 18)
            if not data:
                return False
            self.client.reader.feed(data)
            answers = self.client.reader.take(1 << 30)
            self.got += answers
            room = min(len(answers), max(0, limit - len(self.asked)))
            if room:
                self.client.send(*[self.more() for _ in range(room)])
            return len(self.got) < len(self.asked) or len(self.asked) < limit
        except (OSError, Gone):
            return False


class Crowd:
    def __init__(self, seed, count=4):
        self.streams = [Stream(i, seed) for i in range(count)]

    def load(self, server, limit=1 << 60, seconds=None, after=None, act=None, patience=60.0):
        """Writes on all connections until each has `limit` answers, or `seconds` are over and what
        was asked is answered, or the connection ends. After `after` seconds act() is called, on
        another thread."""
        select = selectors.DefaultSelector()
        for stream in self.streams:
            stream.asked, stream.got = [], []
        try:
            for stream in self.streams:
                stream.client = server.client(resp=stream.resp)
                select.register(stream.client.socket, selectors.EVENT_READ, stream)
        except (Gone, OSError):
            pass   # it died at the first touch: nothing was asked of the rest
        timer = threading.Timer(after, act) if act else None
        if timer:
            timer.start()
        working = {key.data for key in select.get_map().values()}
        for stream in working:
            try:
                stream.client.send(*[stream.more() for _ in range(min(WINDOW, limit))])
            except Gone:
                pass
        began = time.monotonic()
        quiet = began + patience
        while working and time.monotonic() < quiet:
            if seconds is not None and time.monotonic() > began + seconds:
                limit = 0
            for key, _ in select.select(timeout=1):
                quiet = time.monotonic() + patience
                if not key.data.turn(limit):
                    select.unregister(key.fileobj)
                    working.discard(key.data)
        for key in list(select.get_map().values()):
            select.unregister(key.fileobj)
        for stream in self.streams:
            if getattr(stream, "client", None) is not None:
                stream.client.close()
        if timer:
            timer.join()
        if working:
            raise Differs("%d connections hang: no answer for %.0f s" % (len(working), patience))

    def acknowledged(self):
        return sum(1 for s in self.streams for got in s.got if certain(got))

    def cut_short(self):
        """Did a connection end before everything was answered?"""
        return any(len(s.asked) > len(s.got) for s in self.streams)

    def refused(self):
        """Codes of the answers that said "not now", and how many."""
        codes = {}
        for stream in self.streams:
            for got in stream.got:
                if isinstance(got, Error):
                    codes[got.code] = codes.get(got.code, 0) + 1
        return codes


def certain(answer):
    return not (isinstance(answer, Error) and answer.code in NOT_NOW | NOT_KNOWN)


class Judge:
    """Holds the twin and every acknowledged sequence number of one data directory."""

    def __init__(self):
        self.twin = Twin()
        self.sequences = {}
        self.acked = []

    def settle(self, client, crowd):
        """Asks everything of this load again, in the order in which it took effect: what was
        answered, then what was in the air, then what was certainly not done."""
        at_us = now_us()
        for stream in crowd.streams:
            pairs = list(zip(stream.asked, stream.got + [None] * len(stream.asked)))
            done = [p for p in pairs if p[1] is not None and certain(p[1])]
            air = [p for p in pairs if p[1] is None or
                   (not certain(p[1]) and p[1].code in NOT_KNOWN)]
            not_done = [p for p in pairs if isinstance(p[1], Error) and p[1].code in NOT_NOW]
            order = done + air + not_done
            answers = client.many([op for op, _ in order])
            for (op, first), again in zip(order, answers):
                self.one(op, first, again, at_us)
            stream.asked, stream.got = [], []
        self.old(client)

    def one(self, op, first, again, at_us):
        expected = self.twin.apply(op, at_us)
        if isinstance(expected, Error):
            check(op, expected, again)
            if first is not None and certain(first):
                check(op, expected, first)
            return
        if isinstance(again, Error) and again.code in NOT_NOW and isinstance(first, (list, dict)):
            again = first   # done and acknowledged; only the repetition was refused, for now
            first = None
        again = as_map(again)
        check(op, {"applied": expected["applied"]}, again)
        if isinstance(first, Error):
            if certain(first):
                raise Differs("%s: first %r, then %r" % (op, first, again))
            if first.code in NOT_NOW and again["replayed"]:
                raise Differs("%s: answered %s, which says it was not applied, but it was" %
                              (op, first.code))
        elif first is not None:
            first = as_map(first)
            check(op, {"applied": first["applied"], "sequence": first["sequence"],
                       "replayed": 1}, again)
        self.sequence(op, again["sequence"])

    def sequence(self, op, number):
        """Two operations never share a record."""
        if number <= 0:
            raise Differs("%s: an operation id without a sequence number" % (op,))
        other = self.sequences.setdefault(number, op)
        if other != op:
            raise Differs("sequence %d was given twice:\n  %s\n  %s" % (number, other, op))
        self.acked.append((op, number))

    def old(self, client):
        """Acknowledged long ago and still so."""
        self.acked = self.acked[-KEEP_ACKED:]
        some = random.sample(self.acked, min(300, len(self.acked)))
        for (op, number), got in zip(some, client.many([op for op, _ in some])):
            check(op, {"sequence": number, "replayed": 1}, got)

    def state(self, client):
        """An item's lists hold several clients' accounts, in an order only the server knows: here
        as sets. Each account's own lists exactly."""
        twin = Twin()
        twin.__dict__.update(self.twin.__dict__)
        twin.taken, twin.order_known = {}, False
        check_state(client, twin, lists=30, edges=500)
        taken = sorted(self.twin.taken.items())
        for (kind, target), likers in random.sample(taken, min(10, len(taken))):
            verb = {0: "LIKERS", 1: "FAVORITERS", 2: "FOLLOWERS"}[kind]
            got = walk(client, (verb, target), 100)
            if sorted(got) != sorted(likers):
                raise Differs("%s %d\n  twin:   %r\n  server: %r" %
                              (verb, target, sorted(likers), sorted(got)))
        if not TOY and self.sequences and max(client.call("SEQ")) < max(self.sequences):
            raise Differs("SEQ is below the acknowledged %d" % max(self.sequences))

    def all(self, server, crowd):
        with server.client() as client:
            self.settle(client, crowd)
            self.state(client)
