#!/bin/bash
# zan-test: timeout=1200 serial
# T19 at its ci size: each fuzz target for FUZZ_SECONDS (45; the whole run has 25 minutes), two at a time, in the build of t_asan.sh.
source "${ZAN_SOURCE:?}/tests/house/sanitized.sh" asan address -DZAN_FUZZ=ON
"$ZAN_SOURCE/scripts/fuzz" "$dir" "${FUZZ_SECONDS:-45}"
