"""The creator's page in a real browser: live totals, funnels, tables that are taken away, disavowal,
languages, large text, narrow screens; a creator with an assertion sees his own.

zan-test: timeout=200
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import platform, secured, started, twin_server, walk


def run():
    server, door = started()
    items = platform(door)
    other, other_door, proofs = secured()
    for item, creator in ((1, 500), (2, 501)):
        other_door.ask("PUT", "/v1/items/%d" % item, {"creator": str(creator)})
    walk("studio.mjs", port=door.port, items=items,
         secured={"port": other_door.port, "proofs": proofs, "own": "1", "foreign": "2"})
    assert server.stop() == 0, server.messages
    assert other.stop() == 0, other.messages


twin_server.main(run)
