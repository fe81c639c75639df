# bash completion for zan; made by zan docs bash.
_zan() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options
  if [ "$COMP_CWORD" -eq 1 ] || [ "$before" = help ]; then
    COMPREPLY=($(compgen -W "serve demo import bench info why verify rebuild redact backtest recommend certificate key simulate pool detect help version" -- "$word"))
    return
  fi
  case $before in
    --data-set) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --format) COMPREPLY=($(compgen -W "kuairand tsv" -- "$word")); return ;;
    --key-file) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --key-file) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --key-file) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --lang) COMPREPLY=($(compgen -W "en zh" -- "$word")); return ;;
    --language) COMPREPLY=($(compgen -W "en zh" -- "$word")); return ;;
    --scratch) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --train) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --test) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --edges) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --out) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --model) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --impressions) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --scratch) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --key-file) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --data-set) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --edges) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --users) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --items) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --config) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --data) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --log-a) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --log-b) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --credentials) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --assertion-keys) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --tls-cert) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --tls-key) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --tls-client-ca) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --tls-client-crl) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --tls-doors) COMPREPLY=($(compgen -W "both resp http" -- "$word")); return ;;
    --tls-least) COMPREPLY=($(compgen -W "1.3 1.2" -- "$word")); return ;;
    --plain-remote) COMPREPLY=($(compgen -W "no yes" -- "$word")); return ;;
    --mirror) COMPREPLY=($(compgen -W "degrade require" -- "$word")); return ;;
    --discover-model) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --heat) COMPREPLY=($(compgen -W "default NAME=NUMBER,..." -- "$word")); return ;;
    --feed) COMPREPLY=($(compgen -W "default NAME=NUMBER,..." -- "$word")); return ;;
    --pool) COMPREPLY=($(compgen -W "off RULE[,NAME=NUMBER,...]" -- "$word")); return ;;
    --display-delay) COMPREPLY=($(compgen -W "SECONDS TENANT:SECONDS,..." -- "$word")); return ;;
    --sandbox) COMPREPLY=($(compgen -W "on off try" -- "$word")); return ;;
    --clock) COMPREPLY=($(compgen -W "machine requests" -- "$word")); return ;;
    --policy) COMPREPLY=($(compgen -W "NAME FILE" -- "$word")); return ;;
    --trust) COMPREPLY=($(compgen -W "on off pending" -- "$word")); return ;;
    --unknown) COMPREPLY=($(compgen -W "create refuse" -- "$word")); return ;;
  esac
  case ${COMP_WORDS[1]} in
    serve) options=" --quiet --help --config --data --log-a --log-b --resp --http --admin-resp --admin-http --credentials --assertion-keys --tls-cert --tls-key --tls-client-ca --tls-client-crl --tls-doors --tls-least --plain-remote --pseudonym-days --pseudonym-keep --sync --mirror --partitions --memory --discover-memory --insight-memory --discover-model --heat --feed --pool --newcomer-credits --connections --operation-hours --erase-wait-hours --small-counts --display-delay --list-budget --export-budget --cleanup-budget --flush-seconds --segment-mb --audit-rate --scrub-mb-s --sandbox --clock --policy --trust --unknown" ;;
    demo) options=" --data --data-set --speed --once --json --quiet --help --config --log-a --log-b --resp --http --admin-resp --admin-http --credentials --assertion-keys --tls-cert --tls-key --tls-client-ca --tls-client-crl --tls-doors --tls-least --plain-remote --pseudonym-days --pseudonym-keep --sync --mirror --partitions --memory --discover-memory --insight-memory --discover-model --heat --feed --pool --newcomer-credits --connections --operation-hours --erase-wait-hours --small-counts --display-delay --list-budget --export-budget --cleanup-budget --flush-seconds --segment-mb --audit-rate --scrub-mb-s --sandbox --clock --policy --trust --unknown" ;;
    import) options=" --format --to --name --key-file --limit --speed --retry-seconds --json --quiet --help" ;;
    bench) options=" --help" ;;
    info) options=" --data --to --name --key-file --json --help --config --log-a --log-b --resp --http --admin-resp --admin-http --credentials --assertion-keys --tls-cert --tls-key --tls-client-ca --tls-client-crl --tls-doors --tls-least --plain-remote --pseudonym-days --pseudonym-keep --sync --mirror --partitions --memory --discover-memory --insight-memory --discover-model --heat --feed --pool --newcomer-credits --connections --operation-hours --erase-wait-hours --small-counts --display-delay --list-budget --export-budget --cleanup-budget --flush-seconds --segment-mb --audit-rate --scrub-mb-s --sandbox --clock --policy --trust --unknown" ;;
    why) options=" --to --name --key-file --lang --json --help" ;;
    verify) options=" --json --quiet --help --config --data --log-a --log-b --resp --http --admin-resp --admin-http --credentials --assertion-keys --tls-cert --tls-key --tls-client-ca --tls-client-crl --tls-doors --tls-least --plain-remote --pseudonym-days --pseudonym-keep --sync --mirror --partitions --memory --discover-memory --insight-memory --discover-model --heat --feed --pool --newcomer-credits --connections --operation-hours --erase-wait-hours --small-counts --display-delay --list-budget --export-budget --cleanup-budget --flush-seconds --segment-mb --audit-rate --scrub-mb-s --sandbox --clock --policy --trust --unknown" ;;
    rebuild) options=" --json --quiet --help --config --data --log-a --log-b --resp --http --admin-resp --admin-http --credentials --assertion-keys --tls-cert --tls-key --tls-client-ca --tls-client-crl --tls-doors --tls-least --plain-remote --pseudonym-days --pseudonym-keep --sync --mirror --partitions --memory --discover-memory --insight-memory --discover-model --heat --feed --pool --newcomer-credits --connections --operation-hours --erase-wait-hours --small-counts --display-delay --list-budget --export-budget --cleanup-budget --flush-seconds --segment-mb --audit-rate --scrub-mb-s --sandbox --clock --policy --trust --unknown" ;;
    redact) options=" --json --quiet --help --config --data --log-a --log-b --resp --http --admin-resp --admin-http --credentials --assertion-keys --tls-cert --tls-key --tls-client-ca --tls-client-crl --tls-doors --tls-least --plain-remote --pseudonym-days --pseudonym-keep --sync --mirror --partitions --memory --discover-memory --insight-memory --discover-model --heat --feed --pool --newcomer-credits --connections --operation-hours --erase-wait-hours --small-counts --display-delay --list-budget --export-budget --cleanup-budget --flush-seconds --segment-mb --audit-rate --scrub-mb-s --sandbox --clock --policy --trust --unknown" ;;
    backtest) options=" --from --imported --samples --top --language --scratch --json --quiet --help --config --data --log-a --log-b --resp --http --admin-resp --admin-http --credentials --assertion-keys --tls-cert --tls-key --tls-client-ca --tls-client-crl --tls-doors --tls-least --plain-remote --pseudonym-days --pseudonym-keep --sync --mirror --partitions --memory --discover-memory --insight-memory --discover-model --heat --feed --pool --newcomer-credits --connections --operation-hours --erase-wait-hours --small-counts --display-delay --list-budget --export-budget --cleanup-budget --flush-seconds --segment-mb --audit-rate --scrub-mb-s --sandbox --clock --policy --trust --unknown" ;;
    recommend) options=" --train --test --edges --out --model --impressions --cut --tenant --n --memory-mib --threads --seed --fixed --json --quiet --help --config --data --log-a --log-b --resp --http --admin-resp --admin-http --credentials --assertion-keys --tls-cert --tls-key --tls-client-ca --tls-client-crl --tls-doors --tls-least --plain-remote --pseudonym-days --pseudonym-keep --sync --mirror --partitions --memory --discover-memory --insight-memory --discover-model --heat --feed --pool --newcomer-credits --connections --operation-hours --erase-wait-hours --small-counts --display-delay --list-budget --export-budget --cleanup-budget --flush-seconds --segment-mb --audit-rate --scrub-mb-s --sandbox --clock --policy --trust --unknown" ;;
    certificate) options=" --at --tenant --scratch --json --quiet --help --config --data --log-a --log-b --resp --http --admin-resp --admin-http --credentials --assertion-keys --tls-cert --tls-key --tls-client-ca --tls-client-crl --tls-doors --tls-least --plain-remote --pseudonym-days --pseudonym-keep --sync --mirror --partitions --memory --discover-memory --insight-memory --discover-model --heat --feed --pool --newcomer-credits --connections --operation-hours --erase-wait-hours --small-counts --display-delay --list-budget --export-budget --cleanup-budget --flush-seconds --segment-mb --audit-rate --scrub-mb-s --sandbox --clock --policy --trust --unknown" ;;
    key) options=" --json --tenant --epoch --seconds --at --help" ;;
    simulate) options=" --scenario --list --seed --seeds --scale --sequences --to --name --key-file --json --quiet --help" ;;
    pool) options=" --scenario --list --seed --seeds --items --even --data-set --json --quiet --help" ;;
    detect) options=" --edges --users --items --tenant --json --tsv --quiet --help --config --data --log-a --log-b --resp --http --admin-resp --admin-http --credentials --assertion-keys --tls-cert --tls-key --tls-client-ca --tls-client-crl --tls-doors --tls-least --plain-remote --pseudonym-days --pseudonym-keep --sync --mirror --partitions --memory --discover-memory --insight-memory --discover-model --heat --feed --pool --newcomer-credits --connections --operation-hours --erase-wait-hours --small-counts --display-delay --list-budget --export-budget --cleanup-budget --flush-seconds --segment-mb --audit-rate --scrub-mb-s --sandbox --clock --policy --trust --unknown" ;;
  esac
  if [ "${word#-}" != "$word" ]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _zan zan
