"""The desk in a real browser: a case from its opening to its end by two people with keys of their own, and
rules likewise; languages, large text, narrow screens.

zan-test: timeout=150
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import secured, twin_server, walk


def run():
    server, door, proofs = secured(policy="channels")
    door.ask("PUT", "/v1/items/9000", {"creator": "500"})
    for account in range(1, 13):
        door.ask("PUT", "/v1/items/9000/likes/%d" % account)
    walk("desk.mjs", port=door.port, proofs=proofs, item="9000")
    assert server.stop() == 0, server.messages
    server.verify()


twin_server.main(run)
