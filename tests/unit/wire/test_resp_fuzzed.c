#include "fuzz/fuzz_resp.c"
#include "fuzz/replay.h"

static void what_the_fuzzer_found(void **state)
{
    (void)state;
    replay("resp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_the_fuzzer_found)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
