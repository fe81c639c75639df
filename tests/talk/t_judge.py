"""Rules in force: what is refused is told so, a restart gives nobody a second quota, held likes are
settled, and a policy that cannot be read is named by line and column.
# zan-test: timeout=120
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
from client import Error  # noqa: E402
from server import Server, directory, main  # noqa: E402

RULES = """policy here version 7
undo 1s
settle 1s
rule few  when count(like, account, 1h) > 5 then refuse
rule held on favorite when count(favorite, account, 1h) > 100 then hold
rule slow on like when count(like, account, 24h) > 3 then hold
"""

SHADOW = """policy here version 8
rule few   when count(like, account, 1h) > 9 then refuse
rule tried shadow when count(like, account, 1h) > 2 then refuse
"""


def policy(text):
    path = os.path.join(directory(), "rules.policy")
    with open(path, "w") as file:
        file.write(text)
    return path


def likes(client, item):
    counts = client.call("COUNTS", item)
    counts = counts if isinstance(counts, dict) else dict(zip(counts[::2], counts[1::2]))
    worth = counts["likes"]
    return worth if isinstance(worth, dict) else dict(zip(worth[::2], worth[1::2]))


def refused(answer, code):
    assert isinstance(answer, Error) and answer.code == code, answer


def quota_survives(path):
    with Server(policy=path, trust="on", flush_seconds=1) as server:
        with server.client() as client:
            for item in range(1, 4):
                assert client.call("LIKE", 7, item) == 1
        time.sleep(1.5)  # a flush, and with it the signals
        with server.client() as client:
            assert client.call("LIKE", 7, 4) == 1
        server.kill()  # the fourth is in the log alone
        server.start()
        with server.client() as client:
            assert client.call("LIKE", 7, 5) == 1
            refused(client.call("LIKE", 7, 6), "RATE")
            assert client.call("LIKE", 7, 5) == 0
            assert client.call("LIKES", 6) == [0]
            assert client.call("LIKE", 8, 6) == 1
            # The fourth and the fifth were held; they count once they are settled.
            deadline = time.monotonic() + 20
            while likes(client, 4)["held"] + likes(client, 5)["held"] > 0:
                assert time.monotonic() < deadline, likes(client, 4)
                time.sleep(0.1)
            assert likes(client, 4)["raw"] == 1 and likes(client, 4)["credited"] == "1.00"
        assert server.stop() == 0, server.messages
        server.verify()


def pending_is_not_full():
    """Without the scorer likes are held, and count when it is back."""
    server = Server(policy=policy("policy quick version 1\nsettle 1s\n"), trust="pending",
                    flush_seconds=1).start()
    with server.client() as client:
        assert client.call("LIKE", 7, 1) == 1
        worth = likes(client, 1)
        assert worth["raw"] == 1 and worth["held"] == 1 and worth["credited"] == "0.00", worth
        time.sleep(2.5)
        assert likes(client, 1)["held"] == 1
        assert "risk-degraded" in client.call("INFO"), client.call("INFO")
    assert server.stop() == 0
    server.settings["trust"] = "on"
    server.start()
    with server.client() as client:
        deadline = time.monotonic() + 20
        while likes(client, 1)["credited"] != "1.00":
            assert time.monotonic() < deadline, likes(client, 1)
            time.sleep(0.1)
    assert server.stop() == 0
    assert "ANEW" not in server.messages, server.messages
    server.verify()


def facts(client, section):
    text = client.call("INFO", section)
    text = text.decode() if isinstance(text, bytes) else text
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


def shadow_rules_are_counted(path):
    with Server(policy=path) as server:
        with server.client() as client:
            for item in range(1, 6):
                assert client.call("LIKE", 7, item) == 1
            deadline = time.monotonic() + 20
            told = facts(client, "Policy")
            while "fired=3" not in told["rule_tried"] and time.monotonic() < deadline:
                time.sleep(0.05)  # facts are told some times a second
                told = facts(client, "Policy")
            assert told["policy"] == "here" and told["policy_version"] == "8", told
            assert len(told["policy_digest"]) == 64, told
            assert told["rule_tried"] == "shadow=yes,fired=3,refused=3,held=0,cut=0", told
            assert told["rule_few"] == "shadow=no,fired=0,refused=0,held=0,cut=0", told


def bad_policy_is_named():
    path = policy("policy here version 1\nrule few whenever count(like, account, 1h) > 5 then refuse\n")
    server = Server(policy=path)
    try:
        server.start(patience=20)
    except Exception:
        pass
    assert not server.alive() and "line 2, column" in server.messages, server.messages
    server = Server(policy="dfault")
    try:
        server.start(patience=20)
    except Exception:
        pass
    assert not server.alive() and "channels" in server.messages, server.messages


def run():
    quota_survives(policy(RULES))
    pending_is_not_full()
    shadow_rules_are_counted(policy(SHADOW))
    bad_policy_is_named()


main(run)
