#!/usr/bin/python3
"""A like takes no more than a tenth more instructions than docs/results/instr.json says.

A count by callgrind, so a busy machine does not matter. Fewer instructions are fine: run
bench/instr --save and commit the file with the change that made it so. More, and worth it: the same,
and the commit says why.

zan-test: timeout=300
"""
import json
import os
import shutil
import subprocess
import sys

SOURCE, BUILD = os.environ["ZAN_SOURCE"], os.environ["ZAN_BUILD"]
TOLERANCE = 1.10


def setting(name):
    """A variable of the build, or an empty text."""
    path = os.path.join(BUILD, "CMakeCache.txt")
    for line in open(path) if os.path.exists(path) else ():
        if line.startswith(name + ":"):
            return line.partition("=")[2].strip()
    return ""


def main():
    kept = os.path.join(SOURCE, "docs/results/instr.json")
    compiler = os.path.basename(os.path.realpath(setting("CMAKE_C_COMPILER")))
    if not shutil.which("valgrind") or not os.path.exists(kept):
        print("needs valgrind and docs/results/instr.json")
        sys.exit(77)
    if (setting("CMAKE_BUILD_TYPE") not in ("", "RelWithDebInfo") or setting("ZAN_SANITIZE") or
            setting("ZAN_HOOKS") == "ON" or "gcc" not in compiler):
        print("compares the ordinary build by gcc only, not this one (%s)" % compiler)
        sys.exit(77)
    before = json.load(open(kept))
    done = subprocess.run([sys.executable, os.path.join(SOURCE, "bench/instr"), "--build", BUILD,
                           "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    now, worse = json.loads(done.stdout), []
    for name, was in before.items():
        share = now.get(name, 0) / max(was, 1)
        whole = ":" not in name  # stages are told, wholes are judged: work may move between stages
        print("%10.1f  was %10.1f  %+6.1f %%  %s" % (now.get(name, 0), was, 100 * share - 100, name))
        if name not in now or (whole and share > TOLERANCE):
            worse.append(name)
    if worse:
        sys.exit("more instructions than before: " + ", ".join(worse))


if __name__ == "__main__":
    main()
