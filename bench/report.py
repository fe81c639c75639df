"""report.py: from figures to tables: on the terminal, as Markdown, as JSON."""
import datetime
import json
import os
import platform
import statistics
import subprocess
import time


def median(values):
    return statistics.median(values)


def short(value):
    """Four figures at most, with k, M, G."""
    if value is None:
        return "-"
    for bound, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= bound:
            return "%.3g%s" % (value / bound, letter)
    return "%.3g" % value


def spread(values, unit=""):
    if len(values) == 1:
        return short(values[0]) + unit
    return "%s%s (%s .. %s)" % (short(median(values)), unit, short(min(values)), short(max(values)))


class Row:
    """One line of the table: what Zan did, what stood beside it, and the ratio in each pair."""

    def __init__(self, key, work, beside, goal=None, unit="/s", note=""):
        self.key, self.work, self.beside, self.goal = key, work, beside, goal
        self.unit, self.note = unit, note
        self.zan, self.other = [], []
        self.extra = {}

    def add(self, zan, other=None):
        self.zan.append(zan)
        if other is not None:
            self.other.append(other)

    @property
    def ratios(self):
        return [a / b for a, b in zip(self.zan, self.other) if b]

    @property
    def figure(self):
        """What the goal is about: the ratio, or the value itself if nothing stands beside it."""
        return median(self.ratios) if self.other else median(self.zan) if self.zan else None

    @property
    def met(self):
        if self.goal is None or self.figure is None:
            return None
        sign, bound = self.goal
        return self.figure >= bound if sign == ">=" else self.figure <= bound

    def goal_text(self):
        if self.goal is None:
            return ""
        times = "x" if self.other else self.unit
        return "%s %g%s" % (self.goal[0].replace(">=", "≥").replace("<=", "≤"), self.goal[1], times)

    def verdict(self):
        return {None: "", True: "met", False: "MISSED"}[self.met]

    def cells(self):
        ratio = ""
        if self.ratios:
            ratio = "%.3gx" % median(self.ratios)
            if len(self.ratios) > 1:
                ratio += " (%.3g .. %.3g)" % (min(self.ratios), max(self.ratios))
        return [self.work, spread(self.zan, self.unit) if self.zan else "-", self.beside,
                spread(self.other, self.unit) if self.other else "", ratio, self.goal_text(),
                self.verdict()]

    def as_json(self):
        return {"key": self.key, "work": self.work, "beside": self.beside, "unit": self.unit,
                "zan": self.zan, "other": self.other, "ratios": self.ratios,
                "figure": self.figure, "goal": self.goal, "met": self.met, "note": self.note,
                **self.extra}


HEAD = ["work", "Zan", "beside", "that", "ratio", "goal", ""]


def text_table(head, rows):
    widths = [max(len(row[i]) for row in [head] + rows) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in [head] + rows]
    return "\n".join([lines[0], "-" * max(map(len, lines))] + lines[1:])


def markdown_table(head, rows):
    lines = ["| " + " | ".join(row) + " |" for row in [head] + rows]
    return "\n".join([lines[0], "|" + "---|" * len(head)] + lines[1:])


# --- where and when -----------------------------------------------------------------------------

def command(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=20).stdout.strip()
    except OSError:
        return ""


def first_line(path, key):
    with open(path) as file:
        for line in file:
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    return ""


def file_system(path):
    """Kind of file system and device the path lies on, without its name."""
    return command("stat", "-f", "-c", "%T", path)


def busy_share(seconds=1.0):
    """Share of all processors that others use at the moment."""
    def read():
        with open("/proc/stat") as file:
            fields = [int(word) for word in file.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]
    total, idle = read()
    time.sleep(seconds)
    total_after, idle_after = read()
    return 1 - (idle_after - idle) / max(1, total_after - total)


def sync_rate(folder, seconds=2.0):
    """4 KiB written and synced, one after the other: what the disk makes of a durable write."""
    path = os.path.join(folder, "sync-probe")
    block, times = os.urandom(4096), []
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(handle, 0, 16 << 20)
        os.fsync(handle)
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            before = time.monotonic()
            os.pwrite(handle, block, len(times) % 4096 * 4096)
            os.fdatasync(handle)
            times.append(time.monotonic() - before)
        elapsed = time.monotonic() - begin
    finally:
        os.close(handle)
        os.unlink(path)
    times.sort()
    return {"per_second": len(times) / elapsed, "p50_us": times[len(times) // 2] * 1e6,
            "p99_us": times[len(times) * 99 // 100] * 1e6}


def machine(folder):
    return {"cpu": first_line("/proc/cpuinfo", "model name"), "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
                                1),
            "kernel": platform.release(), "system": system_name(),
            "file_system": file_system(folder), "disk_sync_before": sync_rate(folder),
            "busy_before": busy_share()}


def system_name():
    with open("/etc/os-release") as file:
        for line in file:
            if line.startswith("PRETTY_NAME="):
                return line.split("=", 1)[1].strip().strip('"')
    return ""


def commit(source):
    name = command("git", "-C", source, "rev-parse", "--short=10", "HEAD") or "unknown"
    changed = command("git", "-C", source, "status", "--porcelain", "--untracked-files=no", "--",
                      "src", "bench", "CMakeLists.txt")
    return name + ("-changed" if changed else "")


def versions():
    return {"redis": command("redis-server", "--version").partition(" sha")[0],
            "postgres": command("psql", "--version"),
            "compiler": command("cc", "--version").split("\n")[0]}


# --- the whole ----------------------------------------------------------------------------------

def sync_text(sync):
    return "%.0f a second, p50 %.2f ms, p99 %.2f ms" % (
        sync["per_second"], sync["p50_us"] / 1e3, sync["p99_us"] / 1e3)


def about(result):
    """What one has to know to judge the figures."""
    where = result["machine"]
    lines = [
        ("commit", result["commit"]),
        ("date", result["date"]),
        ("machine", "%(cpu)s, %(cores)d cores, %(memory_gib)g GiB, %(system)s, Linux %(kernel)s, "
                    "%(file_system)s" % where),
        ("disk", "4 KiB written and synced one by one: before %s; after %s" % (
            sync_text(where["disk_sync_before"]), sync_text(where["disk_sync_after"]))),
        ("others", "%.0f %% of the processors were busy before the run" %
         (100 * where["busy_before"])),
        ("processors", "servers on processors %s, load on %s, all sides alike" %
         (result["server_cpus"], result["client_cpus"])),
        ("plan", "2^%(account_bits)d accounts, 2^%(item_bits)d items, distinct pairs, uniform, "
                 "seed %(seed)d" % result["plan"]),
        ("versions", "; ".join(filter(None, result["versions"].values()))),
        ("took", "%.0f s" % result["seconds"]),
    ]
    return lines + sorted(result["settings"].items())


def tables(result, rows):
    yield "", HEAD, [row.cells() for row in rows if row.zan]
    if result.get("latency"):
        head = ["side", "offered", "p50 us", "p99 us", "p99.9 us", "largest us"]
        yield ("Times at a fixed offered load (50 connections, counted from when a request was due; "
               "medians of the rounds)", head,
               [[line["side"], "%d/s" % line["rate"]] +
                [short(line[name]) for name in ("p50_us", "p99_us", "p999_us", "max_us")]
                for line in result["latency"]])
    if result.get("memory"):
        head = ["side", "likes", "resident bytes a like", "bytes on disk a like"]
        yield "Memory and disk", head, [
            [line["side"], short(line["likes"]), "%.1f" % line["resident"], "%.1f" % line["disk"]]
            for line in result["memory"]]
    if result.get("cost"):
        head = ["side", "work", "server CPU us a request", "its busiest thread",
                "client CPU us a request", "client's processor busy"]
        yield "What it costs", head, [
            [line["side"], line["work"], "%.2f" % line["server_us"], "%.2f" % line["thread_us"],
             "%.2f" % line["client_us"], "%.0f %%" % (100 * line["client_busy"])] for line in result["cost"]]
    if result.get("instr"):
        head = ["what", "instructions a like"]
        yield "Instructions (callgrind)", head, [
            [name, "%.0f" % value] for name, value in result["instr"].items()]


def as_text(result, rows):
    parts = []
    for title, head, lines in tables(result, rows):
        parts.append((title + "\n\n" if title else "") + text_table(head, lines))
    parts.append("\n".join("%-11s %s" % pair for pair in about(result)))
    if result["failures"]:
        parts.append("NOT MEASURED:\n" + "\n".join(result["failures"]))
    return "\n\n".join(parts)


def as_markdown(result, rows):
    parts = ["# Bench %s, commit %s" % (result["date"][:10], result["commit"]),
             "Made by `make bench`; how it is measured and what each row means is in "
             "[bench.md](../bench.md). Median (smallest .. largest) of the rounds; a ratio is "
             "taken within each pair of rounds."]
    for title, head, lines in tables(result, rows):
        parts.append(("## " + title + "\n\n" if title else "") + markdown_table(head, lines))
    parts.append("## Circumstances\n\n" + markdown_table(
        ["", ""], [[name, text] for name, text in about(result)]))
    notes = ["- %s: %s" % (row.work, row.note) for row in rows if row.note and row.zan]
    if notes:
        parts.append("## Notes\n\n" + "\n".join(notes))
    if result["failures"]:
        parts.append("## Not measured\n\n" + "\n".join("- " + text.split("\n")[0]
                                                       for text in result["failures"]))
    return "\n\n".join(parts) + "\n"


def save(result, rows, folder):
    os.makedirs(folder, exist_ok=True)
    stem = os.path.join(folder, "bench-%s-%s" % (result["date"][:10], result["commit"]))
    with open(stem + ".md", "w") as file:
        file.write(as_markdown(result, rows))
    with open(stem + ".json", "w") as file:
        json.dump({**result, "rows": [row.as_json() for row in rows]}, file, indent=1)
        file.write("\n")
    return stem


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
