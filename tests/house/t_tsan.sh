#!/bin/bash
# zan-test: timeout=1200 serial
# T21: every simulation and conversation under ThreadSanitizer, and the units of rooms that have threads.
source "${ZAN_SOURCE:?}/tests/house/sanitized.sh" tsan thread
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$ZAN_SOURCE/tests/house/tsan.supp"
sanitized_tests 'unit[.](base|schema|wire|engine)'
