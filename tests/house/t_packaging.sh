#!/bin/bash
# zan-test: timeout=120
# What make install lays down works from there; T34: the unit is closed enough; and scripts/setup is
# silent when nothing is missing.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

fail() {
    echo "FAILED: $*"
    bad=1
}

DESTDIR=$work/root cmake --install "${ZAN_BUILD:?}" --prefix /usr >"$work/log" 2>&1 ||
    fail "install: $(tail -n 5 "$work/log")"
root=$work/root/usr
for file in bin/zan share/man/man1/zan.1 lib/systemd/system/zan.service \
    share/bash-completion/completions/zan share/zsh/site-functions/_zan \
    share/zan/kuairand/impressions.tsv.gz share/zan/kuairand/README.md; do
    [ -s "$root/$file" ] || fail "$file was not installed"
done
conf=$(find "$work/root" -path '*/etc/zan/zan.conf')
[ -n "$conf" ] || fail "no zan.conf was installed"

# It finds the log by itself, seen from where it lies.
timeout 60 "$root/bin/zan" demo --once --json --speed 1e9 --resp 127.0.0.1:0 --http off \
    >"$work/demo" 2>&1 || fail "the installed demo: $(tail -n 3 "$work/demo")"
grep -q '"rows":228329' "$work/demo" || fail "the installed demo played nothing"

# Every line of the example, uncommented, is the default: it must be taken.
sed -n 's/^# \([a-z-]* =\)/\1/p' "$conf" >"$work/all.conf"
[ "$(wc -l <"$work/all.conf")" -ge 14 ] || fail "the example names too few settings"
timeout 20 "$root/bin/zan" serve --config "$work/all.conf" --log-b '' --credentials /nowhere/file \
    >"$work/serve" 2>&1
grep -q "/nowhere/file" "$work/serve" || fail "the example is refused: $(cat "$work/serve")"

# A second install leaves a changed configuration alone.
echo "memory = 2GiB" >>"$conf"
DESTDIR=$work/root cmake --install "$ZAN_BUILD" --prefix /usr >/dev/null 2>&1
grep -q "^memory = 2GiB" "$conf" || fail "install overwrote zan.conf"

unit=$root/lib/systemd/system/zan.service
sed "s|^ExecStart=[^ ]*|ExecStart=/bin/true|" "$unit" >"$work/zan.service"
exposure=$(systemd-analyze security --offline=true "$work/zan.service" 2>/dev/null |
    sed -n 's/.*exposure level for .*: \([0-9.]*\).*/\1/p')
[ -n "$exposure" ] && [ "$(awk "BEGIN { print ($exposure <= 1.5) }")" = 1 ] ||
    fail "the unit's exposure is '$exposure', above 1.5"
echo "exposure of the unit: $exposure"
problems=$(systemd-analyze verify "$work/zan.service" 2>&1 | grep -v 'man zan')
[ -z "$problems" ] || fail "the unit: $problems"

# Nothing missing: no word, no network, no root needed.
said=$(unshare -n "${ZAN_SOURCE:?}/scripts/setup" run 2>&1) && [ -z "$said" ] ||
    fail "setup run when all is there: $said"

# On a bare machine: one update, one install, and no server started by its package.
mkdir "$work/bare"
printf '#!/bin/sh\nexit 1\n' >"$work/bare/dpkg-query"
printf '#!/bin/sh\necho "$*" >>"%s/apt"\n[ "$1" = update ] || [ -x "%s/policy" ]\n' "$work" "$work" >"$work/bare/apt-get"
chmod +x "$work"/bare/*
for what in run test bench fuzz; do
    : >"$work/apt"
    PATH="$work/bare:$PATH" POLICY_RC="$work/policy" unshare -n "$ZAN_SOURCE/scripts/setup" $what \
        >/dev/null 2>&1
    grep -q "^install.*librocksdb-dev" "$work/apt" || fail "setup $what installs nothing: $(cat "$work/apt")"
    [ ! -e "$work/policy" ] || fail "setup $what leaves its policy behind"
done
grep -q "^update" "$work/apt" || fail "setup did not update"
"$ZAN_SOURCE/scripts/setup" everything >/dev/null 2>&1 && fail "setup takes any word"

exit $bad
