#!/bin/bash
# sanitized.sh NAME SANITIZER [cmake options]: a build of everything with clang 14, without a
# warning, in $ZAN_BUILD/NAME; then its tests. Sourced by t_asan.sh and t_tsan.sh.
set -u
dir=${ZAN_BUILD:?}/$1
sanitizer=$2
shift 2

mkdir -p "$dir"
cmake -S "${ZAN_SOURCE:?}" -B "$dir" -G Ninja -DCMAKE_C_COMPILER=clang-14 \
    -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DZAN_SANITIZE="$sanitizer" -DZAN_CONSOLE=OFF "$@" >"$dir/configure.log" 2>&1 || {
    cat "$dir/configure.log"
    exit 1
}
cmake --build "$dir" -- --quiet || exit 1

# A tenth of the seeds: what a sanitizer finds, it finds in the first ones.
export ZAN_SEEDS=200 ZAN_BATCHES=10000 ZAN_FLIPS=100 ZAN_FILLS=10

# Not the tests of the house itself, and not those that take the binary apart from outside: kills,
# failing disks and long models find nothing more here, and take five times as long. More at once than
# there are processors, because some only wait.
# sanitized_tests [ROOMS]: without those of these rooms either (a|b.c).
sanitized_tests() {
    ctest --test-dir "$dir" --output-on-failure -j "$(($(nproc) + 2))" \
        -E "^(house|fault|model|console${1:+|$1})[.]" -LE '^(deep|plain)$'
}
