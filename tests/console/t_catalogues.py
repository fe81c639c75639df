"""The words of the console: both languages have the same keys and the same {names}, every key that the
sources ask for is there, and none is there for nothing.

zan-test: timeout=20
"""
import json
import os
import re
import sys

ROOT = os.environ.get("ZAN_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCE = os.path.join(ROOT, "console", "src")
wrong = []


def catalogues():
    """Folder -> {"en": {...}, "zh": {...}}."""
    found = {}
    for folder, _, names in os.walk(SOURCE):
        for language in ("en", "zh"):
            if language + ".json" in names:
                path = os.path.join(folder, language + ".json")
                pairs = json.load(open(path, encoding="utf-8"), object_pairs_hook=list)
                keys = [key for key, _ in pairs]
                wrong.extend("%s: %s twice" % (path, key) for key in set(keys) if keys.count(key) > 1)
                found.setdefault(folder, {})[language] = dict(pairs)
    return found


def names(text):
    return sorted(set(re.findall(r"\{(\w+)\}", text)))


def compare(folder, both):
    for language, other in (("en", "zh"), ("zh", "en")):
        for key in sorted(set(both.get(language, {})) - set(both.get(other, {}))):
            wrong.append("%s: %s is in %s only" % (os.path.relpath(folder, ROOT), key, language))
    for key in set(both["en"]) & set(both["zh"]):
        if names(both["en"][key]) != names(both["zh"][key]):
            wrong.append("%s: %s names other things" % (folder, key))
        for language in ("en", "zh"):
            if both[language][key].strip() == "":
                wrong.append("%s: %s is empty in %s" % (folder, key, language))
        # Left in English by oversight? (Names and marks of the trade are the same in both.)
        if not re.search(r"[^\x00-\x7f]", both["zh"][key]) and re.search(r"[a-z]{4}", re.sub(r"\{\w+\}", "", both["zh"][key])):
            wrong.append("%s: %s is not Chinese" % (folder, key))


def sources():
    for folder, _, files in os.walk(SOURCE):
        for name in files:
            if name.endswith((".ts", ".tsx")):
                yield os.path.join(folder, name), open(os.path.join(folder, name), encoding="utf-8").read()


def main():
    books = catalogues()
    assert books, "no catalogue at all"
    for folder, both in books.items():
        compare(folder, both)
    keys = set().union(*(both["en"] for both in books.values()))
    text = "\n".join(source for _, source in sources())
    for path, source in sources():
        for many, key in re.findall(r"\b(t|many)\('([\w.-]+)'", source):
            for wanted in ([key + ".one", key + ".other"] if many == "many" else [key]):
                if wanted not in keys:
                    wrong.append("%s asks for %s" % (os.path.relpath(path, ROOT), wanted))
    # A key may be put together (`nav.${page}`): then its beginning stands in the sources.
    begins = set(re.findall(r"[`']([\w.-]+)\.\$\{", text)) | set(re.findall(r"\b(?:word|many)\('([\w.-]+)'", text)) | \
        set(re.findall(r'prefix="([\w.-]+)"', text))
    for key in sorted(keys):
        if "'%s'" % key not in text and not any(key.startswith(begin + ".") for begin in begins):
            wrong.append("%s is asked for nowhere" % key)
    for line in wrong:
        print("FAILED: " + line)
    print("%d keys in %d catalogues" % (len(keys), len(books)))
    sys.exit(bool(wrong))


main()
