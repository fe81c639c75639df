#!/bin/bash
# zan-test: timeout=120
# The house is built as drawn (scripts/arrows), and the check can tell: each kind of violation is
# planted in a copy and must be seen.
set -u
source=${ZAN_SOURCE:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

"$source/scripts/arrows" "${ZAN_BUILD:?}" || bad=1

# plant WHAT FILE LINE: a copy of the tree with LINE in front of FILE must be refused, by name.
plant() {
    rm -rf "$work/copy"
    mkdir -p "$work/copy"
    cp -r "$source/src" "$source/scripts" "$work/copy/"
    sed -i "1i $3" "$work/copy/src/$2"
    if ZAN_ARROWS_ROOT="$work/copy" "$source/scripts/arrows" >"$work/out" ||
        ! grep -q "src/$2:1" "$work/out"; then
        echo "NOT SEEN: $1"
        bad=1
    fi
}
plant "an arrow that goes up" wire/resp.h '#include "engine/engine.h"'
plant "the engine looks past store.h" engine/engine.c '#include "store/key.h"'
plant "log and store know each other" log/log.h '#include "store/store.h"'
plant "a foreign header where it does not belong" node/node.c '#include <zlib.h>'
plant "a foreign header in a header" store/store.h '#include <rocksdb/c.h>'
plant "a header nobody has heard of" base/hash.h '#include <curl/curl.h>'
plant "a header without its room" cli/main.c '#include "options.h"'

# object ROOM CODE WHAT: an object of a pure room that needs WHAT must be refused.
object() {
    local dir="$work/build/CMakeFiles/zan_$1.dir/src/$1"
    rm -rf "$work/build"
    mkdir -p "$dir"
    printf '%s\n' "$2" >"$work/evil.c"
    gcc -O1 -c "$work/evil.c" -o "$dir/evil.c.o"
    if "$source/scripts/arrows" "$work/build" >"$work/out" || ! grep -q "$3" "$work/out"; then
        echo "NOT SEEN: $3 in $1"
        bad=1
    fi
}
object engine '#include <time.h>
long now(void) { return time(0); }' "needs time"
object engine '#include <stdlib.h>
void *take(unsigned long n) { return malloc(n); }' "needs malloc"
object schema '#include <stdlib.h>
int draw(void) { return rand(); }' "needs rand"
object wire '#include <unistd.h>
long send_it(int fd, char *p) { return write(fd, p, 1); }' "needs write"
object engine 'double half(double x, double y) { return x * y + 0.5; }' "computes with floats"

exit $bad
