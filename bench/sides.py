"""sides.py: what is measured: Zan, Redis, PostgreSQL, the null server; started, fed, paused, killed.

Servers run on the first processor, the load generator on the last, for every side alike. A side that
is not being measured is stopped with SIGSTOP, so that its background work neither disturbs the
other side nor goes uncounted: it goes on in its own next round.
"""
import contextlib
import ctypes
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPUS, CLIENT_CPUS = set(CPUS), set(CPUS)


class Failure(Exception):
    """A measurement that cannot be used; the message says why."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def pin():
    """Servers on the first processor, load on the last: a server's threads share one with each
    other, and what they are worth is not seen."""
    SERVER_CPUS.intersection_update(CPUS[:1])
    CLIENT_CPUS.intersection_update(CPUS[-1:])


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def pinned(cpus):
    """For preexec_fn: on these processors, and never outliving bench/run, however that ends."""
    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, cpus)
    return prepare


def run_client(words, timeout=900):
    """A program on the client's processor that prints one JSON object. Exit code 3 is a wrong
    answer: then there is no result."""
    done = subprocess.run(words, preexec_fn=pinned(CLIENT_CPUS), capture_output=True, text=True,
                          timeout=timeout)
    if done.returncode == 0:
        return json.loads(done.stdout)
    # The program by its name: where it stands is this machine's own affair.
    shown = " ".join([os.path.basename(words[0])] + words[1:])
    raise Failure("%s: exit code %d\n%s%s" % (shown, done.returncode, done.stdout,
                                               done.stderr))


def tree_bytes(path):
    """Bytes on disk, as du counts them."""
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(os.path.join(folder, name)).st_blocks * 512
    return total


class Server:
    """A process that speaks RESP on a port of its own, in a directory of its own."""

    side = "zan"  # the language of zan bench load

    def __init__(self, bench, name):
        self.bench, self.name = bench, name
        self.path = os.path.join(bench.data, name)
        self.port = free_port()
        self.process = None
        self.stored = 0  # likes of the plan that are in it
        self.plan = bench.plan
        bench.servers.append(self)

    # What a kind of server has to say: words() and, if it likes, settings.
    settings = ""

    def words(self):
        raise NotImplementedError

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    # --- life -----------------------------------------------------------------------------------

    def start(self, wait_s=60):
        """Starts; returns the seconds until it answered its first question."""
        os.makedirs(self.path, exist_ok=True)
        self.log = open(os.path.join(self.bench.data, self.name + ".out"), "ab")
        begin = time.monotonic()
        self.process = subprocess.Popen(self.words(), preexec_fn=pinned(SERVER_CPUS), cwd=self.path,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        while not self.answers():
            if self.process.poll() is not None:
                raise Failure("%s ended with %d; see %s" % (self.name, self.process.returncode,
                                                            self.log.name))
            if time.monotonic() - begin > wait_s:
                raise Failure("%s does not answer" % self.name)
            time.sleep(0.002)
        return time.monotonic() - begin

    def answers(self):
        """Is the first question about a like answered, and is it answered right?"""
        word = b"*2\r\n$5\r\nLIKES\r\n$1\r\n1\r\n" if self.side == "zan" else \
            b"*2\r\n$4\r\nMGET\r\n$3\r\nc:1\r\n"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as peer:
                peer.sendall(word)
                return peer.recv(64).startswith(b"*1\r\n")
        except OSError:
            return False

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """As a crash: at once, nothing is written."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def drop(self):
        self.kill()
        if self in self.bench.servers:
            self.bench.servers.remove(self)
        shutil.rmtree(self.path, ignore_errors=True)

    # --- figures --------------------------------------------------------------------------------

    def cpu_seconds(self):
        """Of each of its threads, in the scheduler's nanoseconds."""
        threads, folder = {}, "/proc/%d/task" % self.process.pid
        for task in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError), \
                    open(os.path.join(folder, task, "schedstat")) as file:
                threads[task] = int(file.read().split()[0]) / 1e9
        return threads

    def resident_bytes(self):
        with open("/proc/%d/status" % self.process.pid) as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise Failure("no VmRSS")

    def disk_bytes(self):
        return tree_bytes(self.path)

    # --- loads ----------------------------------------------------------------------------------

    def load(self, count, connections, pipeline=1, work="like", **options):
        """One load; returns its figures, with the server's own CPU time in it."""
        words = [self.bench.zan, "bench", "load", "--json", "--to", self.address, "--side",
                 self.side, "--work", work, "--count", str(count), "--connections",
                 str(connections), "--pipeline", str(pipeline)]
        for name, value in {**self.plan, **options}.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        if work == "like":
            words += ["--first", str(self.stored)]
        else:
            words += ["--stored", str(self.stored)]
        before = self.cpu_seconds()
        figures = run_client(words)
        spent = [(after - before.get(task, 0)) * 1e6 / count
                 for task, after in self.cpu_seconds().items()]
        figures["server_us"], figures["thread_us"] = sum(spent), max(spent)
        figures["client_us"] = (figures["client_user_us"] + figures["client_system_us"]) / count
        figures["client_busy"] = figures["client_us"] * figures["per_second"] / 1e6
        if work == "like":
            self.stored += count
        return figures

    def check(self):
        """Every item's count against the plan."""
        words = [self.bench.zan, "bench", "check", "--json", "--to", self.address, "--side",
                 self.side, "--stored", str(self.stored)]
        for name, value in self.plan.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        return run_client(words)


class Zan(Server):
    settings = ("--sync always, both copies of the log on this disk, --memory 4GiB (Redis has no "
                "bound) but for the rows on size, which have the default of 1 GiB; no rules and no "
                "scoring (the others have none), but for the row that says so")

    def __init__(self, bench, name, plan=None, extra=("--memory", "4GiB"), judged=False):
        super().__init__(bench, name)
        self.plan = plan or bench.plan
        self.extra = list(extra) + ([] if judged else ["--policy", "none", "--trust", "off"])

    def words(self):
        return [self.bench.zan, "serve", "--data", self.path, "--resp", self.address, "--http",
                "off", "--sync", "always", *self.extra]


class Redis(Server):
    side = "redis"

    def __init__(self, bench, name, fsync):
        super().__init__(bench, name)
        self.fsync = fsync
        self.settings = ("appendonly yes, appendfsync %s, save '', no automatic rewrite of the AOF "
                         "(that helps it)" % fsync)

    def words(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.path,
                "--appendonly", "yes", "--appendfsync", self.fsync, "--save", "",
                "--auto-aof-rewrite-percentage", "0", "--daemonize", "no"]

    def cli(self, *words):
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True,
                              text=True, timeout=60, check=True)
        return done.stdout

    def shrink(self, wait_s=1800):
        """Rewrites its log, as it would from time to time; waits for the end."""
        self.cli("BGREWRITEAOF")
        end = time.monotonic() + wait_s
        while "aof_rewrite_in_progress:1" in self.cli("INFO", "persistence"):
            if time.monotonic() > end:
                raise Failure("redis does not finish its AOF rewrite")
            time.sleep(0.2)


class Null(Server):
    """Parses and answers, does nothing: what sockets and protocol alone cost."""

    def words(self):
        return [self.bench.null, self.address]

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as peer:
                peer.sendall(b"*3\r\n$4\r\nLIKE\r\n$1\r\n1\r\n$1\r\n1\r\n")
                return peer.recv(64).startswith(b":1")
        except OSError:
            return False


class Postgres:
    """A cluster of its own. As root it runs as the user postgres, because it refuses root."""

    settings = ("synchronous_commit on, shared_buffers 1GB, max_wal_size 8GB, checkpoint_timeout "
                "30min, jit off; one statement a batch of 1000 over 4 connections, so that one "
                "works while another waits for the disk")
    connections, batch = 4, 1000

    def __init__(self, bench):
        self.bench, self.name = bench, "postgres"
        self.path = os.path.join(bench.data, "postgres")
        self.port = free_port()
        self.process = None
        self.stored = 0
        bench.servers.append(self)

    def bin(self, name):
        for folder in ("/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin",
                       "/usr/lib/postgresql/17/bin"):
            if os.path.exists(os.path.join(folder, name)):
                return os.path.join(folder, name)
        found = shutil.which(name)
        if found is None:
            raise Failure("PostgreSQL is not installed (scripts/setup bench)")
        return found

    def as_user(self):
        user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None

        def prepare():
            os.sched_setaffinity(0, SERVER_CPUS)
            if user is not None:
                os.setgroups([])
                os.setgid(user.pw_gid)
                os.setuid(user.pw_uid)
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)  # after setuid, which clears it
        return prepare

    def start(self):
        self.log = open(os.path.join(self.bench.data, "postgres.out"), "ab")
        os.makedirs(self.path)
        if os.geteuid() == 0:
            shutil.chown(self.path, "postgres")
        subprocess.run([self.bin("initdb"), "-D", self.path, "-A", "trust", "-U", "bench", "-N",
                        "--no-locale", "-E", "UTF8"], preexec_fn=self.as_user(), cwd="/",
                       stdout=self.log, stderr=self.log, check=True)
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "synchronous_commit": "on",
                   "unix_socket_directories": "", "shared_buffers": "1GB", "max_wal_size": "8GB",
                   "checkpoint_timeout": "30min", "jit": "off", "max_connections": 20}
        words = [self.bin("postgres"), "-D", self.path]
        for name, value in options.items():
            words += ["-c", "%s=%s" % (name, value)]
        self.process = subprocess.Popen(words, preexec_fn=self.as_user(), cwd="/",
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                break
            if time.monotonic() > end or self.process.poll() is not None:
                raise Failure("PostgreSQL does not start; see %s" % self.log.name)
            time.sleep(0.05)
        time.sleep(0.5)

    def load(self, count):
        plan = self.bench.plan
        words = [self.bench.pg_load,
                 "host=127.0.0.1 port=%d user=bench dbname=postgres" % self.port,
                 str(count // self.batch), str(self.batch), str(self.connections),
                 str(self.stored), str(plan["account_bits"]), str(plan["item_bits"]),
                 str(plan["seed"])]
        figures = run_client(words + (["setup"] if self.stored == 0 else []))
        if figures["new"] != figures["likes"]:
            raise Failure("PostgreSQL took %(new)d of %(likes)d likes" % figures)
        self.stored += figures["likes"]
        return figures

    def processes(self):
        """The server and its children, each of which is in a session of its own."""
        if self.process is None or self.process.poll() is not None:
            return []
        found = [self.process.pid]
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open("/proc/%s/stat" % name) as file:
                if int(file.read().rpartition(")")[2].split()[1]) == self.process.pid:
                    found.append(int(name))
        return found

    def signal(self, number):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        self.resume()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # its immediate shutdown
            self.process.wait()
        self.process = None

    def drop(self):
        self.kill()
        if self in self.bench.servers:
            self.bench.servers.remove(self)
        shutil.rmtree(self.path, ignore_errors=True)
