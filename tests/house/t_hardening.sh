#!/bin/bash
# zan-test: timeout=60
# T34, RELIABILITY 4.7: what the compiler and the linker can do against a bug that becomes a hole is
# in the binary: position independent, relocations read-only, no executable stack, no segment both
# writable and executable, stack protector, checked copies, no search path of libraries.
set -u
zan=${ZAN:?}
bad=0

fail() {
    echo "FAILED: $*"
    bad=1
}

headers=$(readelf -hlW "$zan")
dynamic=$(readelf -dW "$zan")
symbols=$(nm -D --undefined-only "$zan")

grep -q 'Type:.*DYN' <<<"$headers" || fail "not position independent"
grep -q 'FLAGS_1.*PIE' <<<"$dynamic" || fail "a library, not a position independent program"
grep -q 'GNU_RELRO' <<<"$headers" || fail "no read-only relocations"
grep -q 'FLAGS.*BIND_NOW\|FLAGS_1.*NOW' <<<"$dynamic" || fail "relocations are not all done at start"
stack=$(grep 'GNU_STACK' <<<"$headers")
[ -n "$stack" ] && ! grep -q 'RWE' <<<"$stack" || fail "an executable stack: $stack"
! grep -E '^ +LOAD.* (RWE|WE) ' <<<"$headers" || fail "a segment that is writable and executable"
! grep -qE 'RPATH|RUNPATH|TEXTREL' <<<"$dynamic" || fail "a search path or relocations in the code"
if ! grep -q '__asan_init\|__tsan_init' <<<"$symbols"; then
    grep -q '__stack_chk_fail' <<<"$symbols" || fail "no stack protector"
    for name in memcpy snprintf; do
        grep -q "__${name}_chk" <<<"$symbols" || fail "$name is not checked (_FORTIFY_SOURCE)"
    done
fi

# The flags that leave no name in the binary are in how every file was compiled.
commands=${ZAN_BUILD:?}/compile_commands.json
[ -s "$commands" ] || fail "there is no $commands"
grep -oE '"command": "[^"]*(\\"[^"]*)*/src/[^"]*"' "$commands" >/tmp/zan-hardening.$$
[ "$(wc -l </tmp/zan-hardening.$$)" -gt 50 ] || fail "compile_commands.json names too few files"
for flag in -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=3 -fstack-clash-protection; do
    left=$(grep -vc -e "$flag" /tmp/zan-hardening.$$)
    [ "$left" = 0 ] || fail "$left files are compiled without $flag"
done
rm -f /tmp/zan-hardening.$$

exit $bad
