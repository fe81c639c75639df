#!/bin/bash
# zan-test: timeout=1200 serial
# T21: every unit, simulation and conversation under ThreadSanitizer.
source "${ZAN_SOURCE:?}/tests/house/sanitized.sh" tsan thread
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$ZAN_SOURCE/tests/house/tsan.supp"
sanitized_tests
