"""The viewer's page in a real browser: likes, live totals, my likes, keyboard, languages, large text,
narrow screens, signing in; axe finds nothing.

zan-test: timeout=90
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import secured, started, twin_server, walk

ITEMS = [str(9000 + i) for i in range(24)]


def fill(door):
    """A platform of a day: creators, items with tags, people who like some of them."""
    for account in range(1, 11):
        door.ask("PUT", "/v1/accounts/%d" % account, {"visible": "nobody"})
    for i, item in enumerate(ITEMS):
        door.ask("PUT", "/v1/items/%s" % item, {"creator": str(500 + i % 4), "duration_ms": 15000})
        door.ask("PUT", "/v1/items/%s/tags" % item, {"tags": "music,tag%d" % (i % 3)})
        for account in range(1, 2 + i % 5):
            door.ask("POST", "/v1/items/%s/views" % item, {"account": str(account), "watch_ms": 9000,
                                                            "duration_ms": 15000})
            door.ask("PUT", "/v1/items/%s/likes/%d" % (item, account))
    for item in ITEMS[:4]:
        door.ask("PUT", "/v1/items/%s/likes/10" % item)


def run():
    server, door = started()
    fill(door)
    other, other_door, proofs = secured()
    walk("player.mjs", port=door.port, items=ITEMS, secured={"port": other_door.port, "proofs": proofs})
    assert server.stop() == 0, server.messages
    assert other.stop() == 0, other.messages


twin_server.main(run)
