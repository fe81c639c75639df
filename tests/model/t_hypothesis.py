#!/usr/bin/python3
# zan-test: timeout=300
"""T22, the other way: Hypothesis looks for a short list of commands on which server and twin differ,
and shrinks what it finds. Rules include clean restarts and kill -9. Few ids, so that they meet; the
ids of each example are new, so that one server serves all examples.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from hypothesis import HealthCheck, Phase, seed as fix_seed, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, \
    run_state_machine_as_test
from drive import ACTIONS, EXCLUDE, HOUR_MS, check_reply, check_state, now_us
from server import Server, main, seed, size
from twin import Twin

SMALL = st.integers(0, 2)
SET_VERBS = st.sampled_from(("LIKE", "UNLIKE", "FAVORITE", "UNFAVORITE", "REPORT"))
EVENT_VERBS = st.sampled_from(("SHARE", "COMMENT", "SKIP"))
OPIDS = st.one_of(st.none(), st.integers(0, 5))
LISTS = st.sampled_from(("LIKERS", "FAVORITERS", "LIKEDBY", "FAVORITEDBY", "FOLLOWERS",
                         "FOLLOWEDBY"))


class Both(RuleBasedStateMachine):
    server = None
    examples = 0
    commands = 0

    @initialize()
    def begin(self):
        Both.examples += 1
        self.base = Both.examples << 32
        self.twin = Twin()
        self.client = Both.server.client(resp=2 + Both.examples % 2)

    def ask(self, *op, opid=None, back=False):
        if back:
            op += ("RETURN",)
        if opid is not None:
            op += ("OPID", "e%d-%d" % (self.base, opid))
        at_us = now_us()
        Both.commands += 1
        check_reply(self.twin, op, self.client.call(*op), at_us)

    def id(self, small):
        return self.base + small

    @rule(verb=SET_VERBS, account=SMALL, item=SMALL, opid=OPIDS, back=st.booleans())
    def set(self, verb, account, item, opid, back):
        self.ask(verb, self.id(account), self.id(item), opid=opid, back=back)

    @rule(verb=EVENT_VERBS, account=SMALL, item=SMALL, opid=OPIDS)
    def event(self, verb, account, item, opid):
        self.ask(verb, self.id(account), self.id(item), opid=opid)

    @rule(account=SMALL, item=SMALL, watch=st.integers(0, 86400000), opid=OPIDS)
    def view(self, account, item, watch, opid):
        self.ask("VIEW", self.id(account), self.id(item), watch, 15000, opid=opid)

    @rule(account=SMALL, creator=SMALL, follow=st.booleans(), opid=OPIDS, back=st.booleans())
    def follow(self, account, creator, follow, opid, back):
        self.ask("FOLLOW" if follow else "UNFOLLOW", self.id(account), self.id(creator), opid=opid,
                 back=back)

    @rule(account=SMALL, item=SMALL, opid=OPIDS, back=st.booleans(),
          actions=st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=6, unique=True))
    def act(self, account, item, actions, opid, back):
        for first, second in EXCLUDE:
            if first in actions and second in actions:
                actions = [a for a in actions if a != second]
        self.ask("ACT", self.id(account), self.id(item), *actions, opid=opid, back=back)

    @rule(item=SMALL, creator=SMALL)
    def creator(self, item, creator):
        self.ask("ITEM", "SET", self.id(item), "CREATOR", self.id(creator))

    @rule(item=SMALL, state=st.sampled_from(("published", "private", "removed")), opid=OPIDS)
    def item_state(self, item, state, opid):
        self.ask("ITEM", "STATE", self.id(item), state, opid=opid)

    @rule(account=SMALL, state=st.sampled_from(("active", "like-banned", "suspended")))
    def account_state(self, account, state):
        until = () if state == "active" else ("UNTIL", now_us() // 1000 + HOUR_MS)
        self.ask("ACCOUNT", "STATE", self.id(account), state, *until)

    @rule(verb=LISTS, who=SMALL)
    def list(self, verb, who):
        self.ask(verb, self.id(who))

    @rule(verb=st.sampled_from(("COUNTS", "RECEIVED")), who=SMALL)
    def map(self, verb, who):
        self.ask(verb, self.id(who))

    @rule(account=SMALL, first=SMALL, second=SMALL)
    def liked(self, account, first, second):
        self.ask("LIKED", self.id(account), self.id(first), self.id(second))

    @rule(kill=st.booleans(), chance=st.integers(0, 7))
    def restart(self, kill, chance):
        if chance != 3:   # a start takes as long as hundreds of commands
            return
        self.client.close()
        Both.server.kill() if kill else Both.server.stop()
        self.client = Both.server.start().client()

    def teardown(self):
        if hasattr(self, "client"):
            check_state(self.client, self.twin)
            self.client.close()


def run():
    base = seed()
    fix_seed(base)(Both)
    with Server(flush_seconds=1, segment_mb=1) as server:
        Both.server = server
        run_state_machine_as_test(
            Both, settings=settings(
                max_examples=size(150, 5000), stateful_step_count=50, deadline=None,
                database=None, derandomize=False, print_blob=True,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate] + [Phase.shrink] * (not os.environ.get("ZAN_NO_SHRINK"))))
    print("%d examples, %d commands" % (Both.examples, Both.commands))


if __name__ == "__main__":
    main(run)
