"""The viewer's page in a real browser: likes, live totals, my likes, keyboard, languages, large text,
narrow screens, signing in; axe finds nothing.

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
    walk("player.mjs", port=door.port, items=items, secured={"port": other_door.port, "proofs": proofs})
    assert server.stop() == 0, server.messages
    assert other.stop() == 0, other.messages


twin_server.main(run)
