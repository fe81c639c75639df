"""The operations page in a real browser: figures that move, the dashboard for Grafana, languages, large
text, narrow screens; an administrator sees it, a user does not.

zan-test: timeout=120
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import platform, secured, started, twin_server, walk


def metrics(door):
    """Every name the node tells, with its labels."""
    names = {}
    for line in door.text("/metrics").splitlines():
        told = re.match(r"# TYPE (\w+) (\w+)", line)
        if told:
            names[told[1]] = set()
        told = re.match(r"(\w+?)(?:_bucket)?\{(.*)\}", line)
        if told:
            names[told[1]] |= set(re.findall(r"(\w+)=\"", told[2]))
    return names


def dashboard(door):
    """Each figure that the dashboard asks for is told by the node, with the label it is grouped by."""
    board, names = json.loads(door.text("/console/grafana.json")), metrics(door)
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(asked) > 20
    for query in asked:
        used = {re.sub("_bucket$", "", name) for name in re.findall(r"\bzan_\w+", query)}
        assert used and used <= set(names), (query, used - set(names))
        for label in re.findall(r"by \((\w+)\)", query):
            assert label == "le" or any(label in names[name] for name in used), (query, label)


def run():
    server, door = started(policy="default")
    items = platform(door)
    dashboard(door)
    other, other_door, proofs = secured()
    walk("operations.mjs", port=door.port, items=items, secured={"port": other_door.port, "proofs": proofs})
    assert server.stop() == 0, server.messages
    assert other.stop() == 0, other.messages


twin_server.main(run)
