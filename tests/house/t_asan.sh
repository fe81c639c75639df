#!/bin/bash
# zan-test: timeout=1200 serial
# T21: clang 14 without a warning, and every unit, simulation and conversation under ASan and UBSan.
# The build has the fuzz targets too (t_fuzz.sh).
source "${ZAN_SOURCE:?}/tests/house/sanitized.sh" asan address -DZAN_FUZZ=ON
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
sanitized_tests
