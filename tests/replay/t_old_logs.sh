#!/bin/bash
# Old logs replay to the same state: tests/replay/VERSION.tar.gz holds one copy of a log as that version
# wrote it (make.py), VERSION.txt the state hash, the chain and what is in it. The second copy, the locks
# and the store are made again from it.
set -eu
zan=${ZAN:?}
here=${ZAN_SOURCE:?}/tests/replay
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for archive in "$here"/v*.tar.gz; do
    name=$(basename "$archive" .tar.gz)
    data=$work/$name
    mkdir -p "$data"
    tar -xzf "$archive" -C "$data"
    partitions=$(sed -n 's/^partitions //p' "$here/$name.txt")
    "$zan" rebuild --data "$data" --partitions "${partitions:-1}" --quiet >/dev/null
    "$zan" verify --data "$data" --partitions "${partitions:-1}" --quiet --json >"$work/$name.json"
    /usr/bin/python3 - "$work/$name.json" "$here/$name.txt" <<'END'
import json, sys
got = json.load(open(sys.argv[1]))
for line in open(sys.argv[2]):
    key, value = line.split()
    if key != "partitions" and str(got[key]) != value:
        sys.exit("%s: %s is %s, was %s" % (sys.argv[2], key, got[key], value))
END
    echo "$name: as it was"
done
