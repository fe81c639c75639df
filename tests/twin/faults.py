"""faults.py: the other side of tests/shim/preload_fault.c, and how to build small C helpers."""
import hashlib
import mmap
import os
import struct
import subprocess
import tempfile

from server import SOURCE, directory, skip

KINDS = ("read", "write", "sync", "open", "rename", "truncate", "unlink", "mkdir", "malloc",
         "own")
_FIELDS = ("armed", "left", "error", "sticky", "short", "undo", "fired")


def build(source, *flags, suffix=""):
    """Compiles one C file of tests/ into the build directory, once a version of it."""
    path = os.path.join(SOURCE, "tests", source)
    version = hashlib.sha256(open(path, "rb").read()).hexdigest()[:16]
    place = os.path.join(os.environ.get("ZAN_BUILD") or tempfile.gettempdir(), "helpers")
    os.makedirs(place, exist_ok=True)
    name = os.path.splitext(os.path.basename(source))[0]
    out = os.path.join(place, "%s-%s%s" % (name, version, suffix))
    if not os.path.exists(out):
        made = "%s.%d" % (out, os.getpid())
        command = ["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", path, "-o", made, *flags]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            skip("cannot compile %s: %s" % (source, done.stderr[-500:]))
        os.rename(made, out)
    return out


class Faults:
    """The page shared with a server. environment goes to Server(environment=...)."""

    def __init__(self, root):
        library = build("shim/preload_fault.c", "-shared", "-fPIC", suffix=".so")
        name = os.path.join(directory("zan-fault-"), "page")
        with open(name, "wb") as file:
            file.write(bytes(4096))
        with open(name, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)
        self.environment = {"LD_PRELOAD": library, "ZAN_FAULT_PAGE": name,
                            "ZAN_FAULT_ROOT": root}

    def set(self, **values):
        for name, value in values.items():
            struct.pack_into("q", self.page, 8 * _FIELDS.index(name), value)

    def get(self, name):
        return struct.unpack_from("q", self.page, 8 * _FIELDS.index(name))[0]

    def calls(self, kind):
        return struct.unpack_from("q", self.page, 56 + 8 * KINDS.index(kind))[0]

    def arm(self, kinds, nth, error, sticky=False, short=False, undo=False):
        """The nth call from now, of any of the kinds, fails."""
        mask = sum(1 << KINDS.index(kind) for kind in kinds)
        self.set(armed=0, left=nth, error=error, sticky=int(sticky), short=int(short),
                 undo=int(undo), fired=0)
        self.set(armed=mask)

    def heal(self):
        self.set(armed=0)
