"""access_table.py: access.def, verbs.def and routes.def as Python reads them, apart from the C code that
is made from them, and requests made from what they say."""
import os
import re
import time

SOURCE = os.environ.get("ZAN_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
ROLES = ["backend", "user", "creator", "operator", "approver", "privacy", "administrator", "auditor"]


def _rows(name, macro):
    text = open(os.path.join(SOURCE, "src", name)).read()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    options = re.search(r'#define WRITE_OPTIONS "([^"]*)"', text)
    for body in re.findall(r"^%s\((.*?)\)$" % macro, text, flags=re.S | re.M):
        body = body.replace("WRITE_OPTIONS", '"%s"' % (options[1] if options else ""))
        cells, rest = [], body.strip()
        while rest:
            match = re.match(r'((?:"[^"]*"\s*)+|[^,"]+)(?:,\s*|$)', rest)
            cell = match[1].strip()
            cells.append("".join(re.findall(r'"([^"]*)"', cell)) if '"' in cell else cell)
            rest = rest[match.end():]
        yield cells


def rules():
    """{access: {role: rule}}"""
    return {row[0]: dict(zip(ROLES, row[2:10])) for row in _rows("schema/access.def", "ACCESS")}


class Verb:
    def __init__(self, row):
        self.symbol, self.name, self.group, self.access, self.shape = row[:5]
        self.arguments = []   # (name, type, multiple) of what must be given
        for word in row[-1].split():
            if word.startswith("["):
                continue
            name, kind = word.rstrip(".").split(":")
            self.arguments.append((name, kind, word.endswith("...")))


def verbs():
    found = [Verb(row) for row in _rows("schema/verbs.def", "VERB")]
    assert len(found) > 40
    return found


def routes():
    """(verb symbol, method, path, choice, renames)"""
    for row in _rows("wire/routes.def", "ROUTE"):
        renames = dict(word.split("=") for word in (row[5] if len(row) > 5 else "").split())
        yield row[0], row[1], row[2], row[4], renames


def value(kind, ids):
    """One argument, as text. ids: account, item, creator."""
    if kind in ids:
        return str(ids[kind])
    if kind == "time_ms":
        return str(int(time.time() + 86400) * 1000)
    if "|" in kind:
        return kind.split("|")[0]
    return {"ms": "1", "count": "1", "amount": "1", "cursor": "1", "case": "1", "version": "1", "opid": "x"}.get(kind, "x")


def words(verb, ids):
    return verb.name.split() + [value(kind, ids) for _, kind, _ in verb.arguments]


def request(verb, route, ids):
    """(method, path, body) of the verb over HTTP."""
    _, method, path, choice, renames = route
    body = {"verb": choice} if choice else {}
    for name, kind, multiple in verb.arguments:
        if "{%s}" % name in path:
            path = path.replace("{%s}" % name, value(kind, ids))
            continue
        one = value(kind, ids)
        if kind == "ms" or kind == "time_ms":
            one = int(one)
        if "|" in kind:
            one = one.lower()
        body[renames.get(name, name)] = [one] if multiple else one
    return method, path, body if method in ("PUT", "POST") else None
