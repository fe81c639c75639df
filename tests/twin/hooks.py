"""hooks.py: the build with crash points and planted bugs, made once beside the ordinary one."""
import fcntl
import os
import re
import subprocess
import tempfile

from server import SOURCE, TOY, skip


def hooks_build(*targets):
    """Configures and builds in $ZAN_BUILD/hooks; gives the directory. Two tests never build at the
    same time; the second finds everything done."""
    if TOY:
        return ""
    build = os.environ.get("ZAN_BUILD") or os.path.join(tempfile.gettempdir(), "zan-build")
    place = os.environ.get("ZAN_HOOKS_BUILD") or os.path.join(build, "hooks")
    os.makedirs(place, exist_ok=True)
    with open(os.path.join(place, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(place, "build.ninja")):
            _run(["cmake", "-S", SOURCE, "-B", place, "-G", "Ninja", "-DZAN_HOOKS=ON",
                  "-DZAN_CONSOLE=OFF"])
        _run(["ninja", "-C", place, *targets])
    return place


def _run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise AssertionError("%s\n%s" % (" ".join(command), done.stdout[-3000:]))


def named(macro):
    """The names in MACRO("name") in all of src, sorted."""
    names = set()
    for folder, _, files in os.walk(os.path.join(SOURCE, "src")):
        for file in files:
            if file.endswith((".c", ".h", ".inc")) and file != "hook.h":
                text = open(os.path.join(folder, file), encoding="utf-8").read()
                names.update(re.findall(macro + r'\("([^"]*)"\)', text))
    return sorted(names)


def table(path):
    """Lines NAME<TAB>TEXT of a file in tests/; # begins a comment."""
    rows = []
    path = os.path.join(SOURCE, "tests", path)
    if os.path.exists(path):
        for line in open(path, encoding="utf-8"):
            if line.strip() and not line.startswith("#"):
                name, _, text = line.rstrip("\n").partition("\t")
                rows.append((name.strip(), text.strip()))
    return rows
