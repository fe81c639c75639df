#include "fuzz/fuzz_log.c"
#include "fuzz/replay.h"

static void the_decoders_hold(void **state)
{
    (void)state;
    replay("log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_decoders_hold)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
