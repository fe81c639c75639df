#!/bin/bash
# zan-test: timeout=60
# The pages made from the tables are those in the tree: `make docs` was run after the last change.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

"${ZAN_SOURCE:?}/scripts/docs" "${ZAN:?}" "$work" || exit 1
while read -r file; do
    diff -u "$ZAN_SOURCE/$file" "$work/$file" | head -n 20
    cmp -s "$ZAN_SOURCE/$file" "$work/$file" || { echo "$file is stale: make docs"; bad=1; }
done < <(cd "$work" && find . -type f | sed 's|^\./||')

# A line of docs/features.md that names a test must name one that exists.
if [ -f "$ZAN_SOURCE/docs/features.md" ]; then
    names=$(ctest --test-dir "${ZAN_BUILD:?}" -N | sed -n 's/.*: *//p')
    grep -oE '`(unit|talk|model|fault|sim|house|replay)\.[a-z0-9_.]+`' "$ZAN_SOURCE/docs/features.md" |
        tr -d '`' | sort -u | while read -r name; do
        printf '%s\n' "$names" | grep -qx "$name" || echo "$name"
    done >"$work/absent"
    [ ! -s "$work/absent" ] || { echo "docs/features.md names tests that do not exist:"; cat "$work/absent"; bad=1; }
fi
exit $bad
