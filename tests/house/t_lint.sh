#!/bin/bash
# zan-test: timeout=900 serial
# T35: the sources read without being run; and the plainest of the checks can tell.
set -u
source=${ZAN_SOURCE:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

BUILD=${ZAN_BUILD:?} "$source/scripts/lint" || bad=1

mkdir -p "$work/src/room" "$work/scripts"
cp "$source/scripts/lint" "$work/scripts/"
for line in 'strcpy(a, b);' 'x = sprintf (a, "%d", 1);' 'if (system("ls")) return;' \
    'char *p = alloca(n);' 'sscanf(a, "%d", &x);'; do
    printf 'void f(void)\n{\n    %s\n}\n' "$line" >"$work/src/room/evil.c"
    "$work/scripts/lint" banned >/dev/null 2>&1 && echo "NOT SEEN: $line" && bad=1
done
printf 'int f(int n)\n{\n    char a[n];\n    a[0] = 1;\n    return a[0];\n}\n' >"$work/src/room/evil.c"
"$work/scripts/lint" banned >/dev/null 2>&1 && echo "NOT SEEN: a variable length array" && bad=1
printf '/* strcpy(a, b) has no bound */\nint my_strcpy(int);\n' >"$work/src/room/evil.c"
"$work/scripts/lint" banned >/dev/null 2>&1 || { echo "a comment is no call"; bad=1; }

exit $bad
