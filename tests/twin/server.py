"""server.py: a real `zan serve` under test: start, wait, stop, kill, look at how it ended.

Environment: ZAN is the binary. ZAN_TOY=1 takes toy_server.py in its place (the harness's own test).
ZAN_KEEP=1 leaves the data directories of a failed test where they are and says so.
"""
import atexit
import ctypes
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from client import Gone, connect

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZAN_SOURCE", os.path.dirname(os.path.dirname(HERE)))
SKIPPED = 77
DEEP = bool(os.environ.get("ZAN_DEEP"))
TOY = bool(os.environ.get("ZAN_TOY"))


def skip(why):
    print("skipped: %s" % why)
    sys.exit(SKIPPED)


def binary():
    path = os.environ.get("ZAN", "")
    if not TOY and not os.access(path, os.X_OK):
        skip("no binary: set ZAN to the zan program")
    return path


def seed():
    """The seed of this run; ZAN_SEED repeats one. Without: that of the commit (scripts/check), or a
    fresh one."""
    value = int(os.environ.get("ZAN_SEED") or os.environ.get("ZAN_COMMIT_SEED") or
                random.SystemRandom().randrange(1 << 32))
    print("seed %d" % value, flush=True)
    return value


def size(ci, deep):
    """How many rounds: the ci figure, the deep one, or ZAN_ROUNDS."""
    return int(os.environ.get("ZAN_ROUNDS") or (deep if DEEP else ci))


_ports = {}       # number: its lock; the oldest first
PORTS_MAX = 300   # that one process holds: a lock is a descriptor


def _binds(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _lock(port):
    """None: another test has it."""
    folder = os.path.join(tempfile.gettempdir(), "zan-ports")
    try:
        os.makedirs(folder, exist_ok=True)
        lock = open(os.path.join(folder, str(port)), "ab")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    except OSError:
        return None


def free_port():
    """A port that no other test uses until this process ends, and below those the kernel gives to callers:
    a server that is down for a moment must not find another on its port, nor its client another server."""
    while len(_ports) >= PORTS_MAX:
        port = next(iter(_ports))
        _ports[port] = _ports.pop(port)
        if _binds(port):
            return port
    fresh = random.SystemRandom()
    while True:
        port = fresh.randrange(12000, 32000)
        lock = _lock(port) if port not in _ports and _binds(port) else None
        if lock is not None:
            _ports[port] = lock
            return port


_libc = ctypes.CDLL(None)


def die_with_the_test():
    """For a child: ctest kills a test that takes too long, and nothing of it may stay behind."""
    _libc.prctl(1, signal.SIGKILL)   # PR_SET_PDEATHSIG


_directories = []
_processes = []


def directory(prefix="zan-test-", parent=None):
    path = tempfile.mkdtemp(prefix=prefix, dir=parent)
    _directories.append(path)
    return path


def _clean():
    for process in _processes:
        if process.poll() is None:
            process.kill()
            process.wait()
    if os.environ.get("ZAN_KEEP") and _directories:
        print("kept: %s" % " ".join(_directories))
        return
    for path in _directories:
        shutil.rmtree(path, ignore_errors=True)


atexit.register(_clean)
for _signal in (signal.SIGTERM, signal.SIGINT):
    signal.signal(_signal, lambda number, frame: sys.exit(128 + number))


def check_failed_stop(code, messages):
    """How a server may end that met a failing disk: its own word and a code of its own."""
    # RocksDB's destructors assert that what failed did not fail (Debian builds it so). It is only
    # the index, and it comes after our own message.
    if code == -signal.SIGABRT and "rocksdb::" in messages and "zan:" in messages:
        return
    if code <= 0 or "zan:" not in messages:
        raise AssertionError("it ended with code %d and said:\n%s" % (code, messages[-2000:]))


class Server:
    """One server on one data directory; it may be started again after it ended.

    settings are command line options without the dashes: memory="64mb", flush_seconds=1.
    environment is added to the process's own (LD_PRELOAD, ZAN_CRASH, ...)."""

    def __init__(self, data=None, environment=None, program=None, **settings):
        self.data = data or directory()
        self.environment = dict(environment or {})
        self.settings = settings
        self.program = program or binary()
        self.process = None
        self.port = None
        self.messages = ""

    def command(self):
        own = {"data": self.data, "resp": "127.0.0.1:%d" % self.port}
        own.update({name.replace("_", "-"): value for name, value in self.settings.items()})
        own.setdefault("http", "off")
        # A twin that judged as the engine does would be the engine: most tests ask what is exact
        # whatever is judged. Those of the judges say which rules.
        own.setdefault("policy", "none")
        own.setdefault("trust", "off")
        words = [sys.executable, os.path.join(HERE, "toy_server.py")] if TOY else \
            [self.program, "serve"]
        for name, value in own.items():
            words += ["--" + name, str(value)]
        return words

    def spawn(self):
        """Starts the process and does not wait."""
        assert self.process is None
        self.port = self.port or free_port()
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                        stdout=self.output, stderr=subprocess.STDOUT,
                                        env={**os.environ, **self.environment},
                                        preexec_fn=die_with_the_test)
        _processes.append(self.process)
        return self

    def start(self, patience=60.0):
        """Starts, and waits until it answers. Gone if it ended before that (see .messages)."""
        self.spawn()
        began = time.monotonic()
        try:
            connect(self.port, patience=patience, alive=self.alive).close()
        except Gone:
            self.code = self.kill()
            raise
        self.start_seconds = time.monotonic() - began
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def client(self, resp=2, timeout=30.0):
        return connect(self.port, resp=resp, alive=self.alive, timeout=timeout)

    def wait(self, timeout=60.0):
        """Waits for the process to end; its code (negative: the signal)."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the server did not end within %.0f s\n%s" %
                                 (timeout, self.messages))
        self.output.seek(0)
        self.messages = self.output.read().decode("utf-8", "replace")
        self.output.close()
        _processes.remove(self.process)
        self.process = None
        return code

    def end(self, cut_short, may_hang=False):
        """The code of the process after a load. One that was cut short is given time to end by
        itself: told to stop in the middle of that, it would just be gone. One that may hang is
        told to stop, and killed half a minute later; its code is that of the kill then."""
        if cut_short:
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        if not self.alive():
            return self.wait()
        if may_hang:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
            return self.wait()
        return self.stop()

    def stop(self, timeout=60.0):
        """A clean stop, as an operator does it."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout)

    def verify(self):
        """zan verify on the stopped data directory: chain, both copies, index, every count."""
        assert self.process is None
        if TOY:
            return
        words = [self.program, "verify", "--data", self.data]
        for name in ("log_a", "log_b", "partitions"):
            if name in self.settings:
                words += ["--" + name.replace("_", "-"), str(self.settings[name])]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise AssertionError("zan verify ended with %d\n%s" %
                                 (done.returncode, done.stdout[-3000:]))

    def until_said(self, text, patience=60.0):
        """Waits until it has said that: it serves before its banner is out."""
        ends = time.monotonic() + patience
        while text.encode() not in os.pread(self.output.fileno(), 1 << 20, 0):
            assert time.monotonic() < ends, "it never said %r" % text
            time.sleep(0.01)

    def kill(self):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.kill()
        return self.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        if self.process is not None:
            self.kill()
        if kind not in (None, SystemExit):
            print("--- the server's last messages\n%s" % self.messages[-3000:])


def started(**settings):
    return Server(**settings).start()


def main(run):
    """Runs a test's main function; makes its end the process's. A failed one tells why at once."""
    began = time.monotonic()
    binary()
    run()
    print("ok: %.1f s" % (time.monotonic() - began))
