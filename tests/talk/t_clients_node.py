"""ioredis and node-redis, in the versions of node/package-lock.json.

They are installed once into the build directory with `npm ci`. Both ask for Node 20 and work with
the 18 of Debian 12 too; without that, or without the packages, this is skipped.
zan-test: timeout=240
"""
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "twin"))
import server

FILES = ("package.json", "package-lock.json", "clients.mjs")


def node_major():
    try:
        version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
        return int(version.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError):
        return 0


def installed():
    """A directory with the packages; made at first."""
    build = os.environ.get("ZAN_BUILD") or server.directory()
    place = os.path.join(build, "node-clients")
    with open(os.path.join(HERE, "node", "package-lock.json"), "rb") as file:
        wanted = hashlib.sha256(file.read()).hexdigest()
    mark = os.path.join(place, "installed")
    os.makedirs(place, exist_ok=True)
    for name in FILES:
        shutil.copy(os.path.join(HERE, "node", name), place)
    if os.path.exists(mark) and open(mark).read() == wanted:
        return place
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=place,
                          capture_output=True, text=True, timeout=180)
    if done.returncode != 0:
        server.skip("npm ci: %s" % done.stderr[-500:])
    with open(mark, "w") as file:
        file.write(wanted)
    return place


def credentials():
    path = os.path.join(server.directory(), "credentials")
    with open(path, "w") as file:
        file.write("backend backend %s\n" % hashlib.sha256(b"key of backend").hexdigest())
    os.chmod(path, 0o600)
    return path


def main():
    if shutil.which("npm") is None or node_major() < 18:
        server.skip("no npm, or node is older than 18")
    place = installed()
    with server.Server() as zan, server.Server(credentials=credentials()) as secured:
        subprocess.run(["node", "clients.mjs", str(zan.port), str(secured.port)], cwd=place,
                       check=True, timeout=120)


server.main(main)
