"""redis-py, as a Python backend would use it: pool, pipeline, errors, names, threads, login.

zan-test: timeout=120
"""
import hashlib
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "twin"))
import server

try:
    import redis
except ImportError:
    redis = None


def equal(got, expected):
    assert got == expected, "expected %r, got %r" % (expected, got)


def refused(code, call, *words):
    try:
        got = call(*words)
    except redis.RedisError as error:
        # redis-py has an exception of its own for some codes, and takes the code off.
        kinds = {"NOPERM": redis.exceptions.NoPermissionError,
                 "NOAUTH": redis.AuthenticationError}
        good = isinstance(error, kinds[code]) if code in kinds else str(error).startswith(code)
        assert good, repr(error)
        return
    raise AssertionError("expected %s, got %r" % (code, got))


def commands(port):
    client = redis.Redis(port=port, decode_responses=True, client_name="backend",
                         health_check_interval=1)
    equal(client.ping(), True)
    equal(client.execute_command("LIKE", 7, 42), 1)
    equal(client.execute_command("LIKE", 7, 42), 0)
    equal(client.execute_command("LIKE", 2**64 - 1, 42), 1)
    equal(client.execute_command("LIKES", 42, 43), [2, 0])
    equal(client.execute_command("LIKED", 7, 42, 43), [1, 0])
    refused("BADID", client.execute_command, "LIKE", "x", 42)
    refused("UNKNOWNCMD", client.get, "x")
    equal(client.execute_command("LIKE", 8, 42), 1)
    equal(client.client_getname(), "backend")
    assert client.client_id() > 0
    equal(client.info("replication")["role"], "master")
    equal(client.info()["loading"], 0)
    assert client.info()["zan_version"]
    equal(client.config_get("sync"), {"sync": "always"})
    names = [one["name"] for one in client.client_list()]
    assert "backend" in names, names
    assert client.command_count() > 30
    assert "like" in client.command()
    cursor, entries = client.execute_command("LIKERS", 42, "COUNT", 2)
    equal([entry[0] for entry in entries], ["8", str(2**64 - 1)])
    rest = client.execute_command("LIKERS", 42, "CURSOR", cursor)
    equal((rest[0], [entry[0] for entry in rest[1]]), ("0", ["7"]))
    client.close()


def pipelines(port):
    client = redis.Redis(port=port)
    pipe = client.pipeline(transaction=False)
    for account in range(10000):
        pipe.execute_command("LIKE", account, 500)
    equal(sum(pipe.execute()), 10000)
    for account in range(3):
        pipe.execute_command("LIKE", account, 500)
    pipe.execute_command("LIKE", "nobody", 500)
    pipe.execute_command("LIKES", 500)
    got = pipe.execute(raise_on_error=False)
    equal(got[:3], [0, 0, 0])
    assert isinstance(got[3], redis.ResponseError), got[3]
    assert got[4] in (10000, [10000]), got[4]
    client.close()


def threads(port):
    client = redis.Redis(port=port, max_connections=50)
    made = []

    def work(first):
        made.append(sum(client.execute_command("LIKE", account, 600)
                        for account in range(first, first + 150)))

    workers = [threading.Thread(target=work, args=(100 * i,)) for i in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    equal(sum(made), 20 * 100 + 50)  # they overlap by fifty accounts
    client.close()


def login():
    path = os.path.join(server.directory(), "credentials")
    with open(path, "w") as file:
        for name, role in (("studio", "auditor"), ("backend", "backend")):
            file.write("%s %s %s\n" % (name, role,
                                       hashlib.sha256(b"key of " + name.encode()).hexdigest()))
    os.chmod(path, 0o600)
    with server.Server(credentials=path) as zan:
        writer = redis.Redis(port=zan.port, username="backend", password="key of backend")
        equal(writer.execute_command("LIKE", 1, 2), 1)
        unnamed = redis.Redis(port=zan.port, password="key of backend")
        equal(unnamed.execute_command("LIKE", 1, 2), 0)
        reader = redis.Redis(port=zan.port, username="studio", password="key of studio")
        assert reader.execute_command("LIKES", 2) in (1, [1])
        refused("NOPERM", reader.execute_command, "LIKE", 1, 2)
        stranger = redis.Redis(port=zan.port)
        refused("NOAUTH", stranger.execute_command, "LIKES", 2)
        wrong = redis.Redis(port=zan.port, username="backend", password="guess")
        refused("WRONGPASS", wrong.execute_command, "LIKES", 2)


def main():
    if redis is None:
        server.skip("no redis-py")
    with server.Server() as zan:
        commands(zan.port)
        pipelines(zan.port)
        threads(zan.port)
    login()


server.main(main)
