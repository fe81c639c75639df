#!/bin/bash
# zan-test: timeout=180
# The command line as a person meets it: help, slips, exit codes, banner, stop, keys, demo.
set -u
zan=${ZAN:?the zan binary}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null; rm -rf "$work"' EXIT
bad=0

fail() {
    echo "FAILED: $*"
    bad=1
}

# ends CODE TEXT command...: must end with CODE and say TEXT (an extended regular expression).
ends() {
    local code=$1 text=$2 got
    shift 2
    timeout 60 "$@" >"$work/out" 2>&1 </dev/null
    got=$?
    [ "$got" = "$code" ] || fail "$* ended with $got, not $code: $(head -3 "$work/out")"
    grep -qE -- "$text" "$work/out" || fail "$* does not say '$text': $(head -5 "$work/out")"
}

port() {
    /usr/bin/python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import server; print(server.free_port())' \
        "${ZAN_SOURCE:?}/tests/twin"
}

# start NAME options...: a server on a free port; sets $port and $server.
start() {
    local name=$1
    shift
    port=$(port)
    "$zan" serve --data "$work/$name" --resp "127.0.0.1:$port" --http off "$@" \
        >"$work/$name.out" 2>&1 </dev/null &
    server=$!
    for _ in $(seq 300); do
        grep -q "is ready" "$work/$name.out" && return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    fail "no server: $(cat "$work/$name.out")"
}

stop() {
    kill -TERM "$server"
    wait "$server"
    local code=$?
    server=
    [ $code = 0 ] || fail "SIGTERM ended the server with $code"
}

# --- help, and slips -------------------------------------------------------------------------
ends 2 "Usage: zan COMMAND" "$zan"
for word in help --help -h; do ends 0 "Exit codes:" "$zan" $word; done
for word in version --version; do ends 0 "^zan [0-9]+\." "$zan" $word; done
for command in serve demo import bench info verify rebuild key; do
    ends 0 "$command" "$zan" help $command
    ends 0 "$command" "$zan" $command --help
    ends 0 "^  $command " "$zan" help
done
for setting in data log-a log-b resp http credentials sync partitions memory connections \
    operation-hours flush-seconds segment-mb unknown config; do
    ends 0 "^  --$setting" "$zan" help serve
done
ends 2 "did you mean 'serve'" "$zan" srve
ends 2 "did you mean 'import'" "$zan" imprt
ends 2 "there is no command 'xyzzy'" "$zan" xyzzy
ends 2 "did you mean --json" "$zan" verify --jsn
ends 2 "did you mean --memory" "$zan" serve --memroy 1g
ends 2 "unknown option -x" "$zan" serve -x
ends 2 "needs a value" "$zan" serve --data
ends 2 "takes no value" "$zan" verify --json=yes
ends 2 "takes no further words" "$zan" verify here
ends 2 "import needs DIR" "$zan" import --format tsv
ends 2 "format is needed" "$zan" import "$work"
ends 2 "expected kuairand\|tsv" "$zan" import --format csv "$work"
ends 2 "expected a number from 1" "$zan" import --format tsv --limit 0 "$work"
ends 2 "expected X" "$zan" import --format tsv --speed fast "$work"

# --- settings --------------------------------------------------------------------------------
ends 2 "a size from" "$zan" serve --memory lots
ends 2 "always, group:MS" "$zan" serve --sync sometimes
ends 2 "zan key" "$zan" serve --data "$work/no" --resp 0.0.0.0:0
ends 2 "zan key" "$zan" serve --data "$work/no" --http "[::]:0"
printf 'memory = 64MiB\nmemoryy = 1\n' >"$work/bad.conf"
ends 2 "bad.conf:2: there is no setting" "$zan" serve --config "$work/bad.conf"
ends 2 "nowhere.conf" "$zan" serve --config "$work/nowhere.conf"
[ ! -e "$work/no" ] || fail "a refused start made a directory"

# --- a node: banner, lock, port, stop --------------------------------------------------------
printf 'flush-seconds = 1\nmemory = 64MiB\nresp = 127.0.0.1:1\n' >"$work/good.conf"
start one --config "$work/good.conf" # the line's --resp wins over the file's
grep -q "sync *always" "$work/one.out" || fail "the banner hides the sync mode"
grep -q "redis-cli -p $port" "$work/one.out" || fail "no line to paste"
ends 0 "^1$" redis-cli -p "$port" LIKE 7 42
ends 0 "zan_version" "$zan" info --to "127.0.0.1:$port"
"$zan" info --json --to "127.0.0.1:$port" | /usr/bin/python3 -c \
    'import json, sys; assert json.load(sys.stdin)["Server"]["tcp_port"] == sys.argv[1]' "$port" ||
    fail "info --json is not JSON"
ends 6 "LOCKED" "$zan" serve --data "$work/one" --resp 127.0.0.1:0 --http off
ends 2 "(in use|$port)" "$zan" serve --data "$work/other" --resp "127.0.0.1:$port" --http off
stop
grep -q "everything acknowledged is durable" "$work/one.out" || fail "no word at the stop"
ends 4 "nobody answers" "$zan" info --to "127.0.0.1:$port"
ends 4 "nobody answers" "$zan" import --format kuairand --to "127.0.0.1:$port" "$ZAN_SOURCE/data/kuairand"
ends 2 "HOST:PORT" "$zan" info --to nothing

# --- a stopped directory ---------------------------------------------------------------------
ends 0 "findings +0" "$zan" verify --data "$work/one"
ends 0 '"ok":true' "$zan" verify --json --data "$work/one"
ends 0 "partition 0 +1 records" "$zan" info --data "$work/one"
ends 0 '"last_sequence":1,' "$zan" info --json --data "$work/one"
ends 6 "there is no log" "$zan" info --data "$work/absent"
ends 0 "rebuilt from" "$zan" rebuild --data "$work/one"
ends 0 '"records":' "$zan" rebuild --json --data "$work/one"
ends 0 "findings +0" "$zan" verify --data "$work/one"
ends 6 "." "$zan" verify --data "$work/absent"
[ ! -e "$work/absent" ] || fail "verify made a directory"

# --- louder when less safe -------------------------------------------------------------------
start loose --sync none
grep -q "WARNING: sync is none" "$work/loose.out" || fail "sync none is silent"
stop

# --- keys ------------------------------------------------------------------------------------
ends 0 "a backend [0-9a-f]{64}$" "$zan" key a backend
ends 0 "a operator [0-9a-f]{64} tenant=65535$" "$zan" key --tenant 65535 a operator
ends 2 "backend, operator, approver" "$zan" key a king
ends 2 "backend, operator, approver" "$zan" key a user
ends 2 "letters, digits" "$zan" key "a b" backend
ends 2 "key needs NAME ROLE" "$zan" key a
ends 0 "^5424383092545450657$" "$zan" key number app
"$zan" key app administrator >"$work/credentials" 2>"$work/key"
"$zan" key loader backend >>"$work/credentials" 2>"$work/key3"
chmod 600 "$work/credentials"
key=$(tail -n 1 "$work/key")
start locked --credentials "$work/credentials"
ends 1 "NOAUTH" "$zan" info --to "127.0.0.1:$port"
ends 0 "zan_version" env ZAN_KEY="$key" "$zan" info --name app --to "127.0.0.1:$port"
ends 2 "key2" "$zan" info --key-file "$work/key2" --to "127.0.0.1:$port"
printf '%s\n' "$key" >"$work/key2"
ends 0 "zan_version" "$zan" info --key-file "$work/key2" --to "127.0.0.1:$port"
ends 2 "refused the key" env ZAN_KEY=wrong "$zan" info --to "127.0.0.1:$port"
printf 'verb\taccount\ttarget\nLIKE\t1\t2\n' >"$work/one.tsv"
ends 1 "NOAUTH" "$zan" import --format tsv --to "127.0.0.1:$port" "$work/one.tsv"
ends 0 "1 rows, 1 commands" env ZAN_KEY="$(tail -n 1 "$work/key3")" "$zan" import --format tsv --to "127.0.0.1:$port" \
    "$work/one.tsv"
stop

# --- the demo --------------------------------------------------------------------------------
ends 0 '"ok":true' "$zan" demo --once --json --speed 1e9 --data "$work/demo" --resp 127.0.0.1:0 \
    --http off --data-set "$ZAN_SOURCE/data/kuairand"
ends 0 "2303 .* 44 +1,494" "$zan" demo --once --speed 1e9 --data "$work/demo" --resp 127.0.0.1:0 \
    --http off --data-set "$ZAN_SOURCE/data/kuairand"
ends 2 "no impressions" "$zan" demo --data-set "$work"

# --- pages -----------------------------------------------------------------------------------
ends 2 "pages are:" "$zan" docs nothing
"$zan" docs bash | bash -n || fail "the bash completion is no bash"
"$zan" docs man >"$work/zan.1"
if command -v man >/dev/null; then
    warnings=$(MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z "$work/zan.1" 2>&1 >/dev/null)
    [ -z "$warnings" ] || fail "the man page: $warnings"
fi

[ $bad = 0 ] && echo "ok"
exit $bad
