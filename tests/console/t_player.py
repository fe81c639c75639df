"""The viewer's page in a real browser: likes, live totals, my likes, keyboard, languages, large text,
narrow screens, signing in; axe finds nothing.

zan-test: timeout=200
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import platform, secured, started, twin_server, walk


POLICY = """policy test version 1
undo 0s
rule sure on unlike when likes > 0 then confirm
"""


def run():
    server, door = started()
    items = platform(door)
    policy = os.path.join(twin_server.directory(), "sure.policy")
    with open(policy, "w") as file:
        file.write(POLICY)
    other, other_door, proofs = secured(policy=policy)
    other_door.ask("PUT", "/v1/items/1", {"creator": "500"})
    other_door.ask("PUT", "/v1/items/1/likes/42")
    walk("player.mjs", port=door.port, items=items, secured={"port": other_door.port, "proofs": proofs})
    assert server.stop() == 0, server.messages
    assert other.stop() == 0, other.messages


twin_server.main(run)
