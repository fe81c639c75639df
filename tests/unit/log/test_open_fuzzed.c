#include "support/disk_sim.h"

#include "fuzz/fuzz_log_open.c"
#include "fuzz/replay.h"

static void any_content_opens_or_is_refused(void **state)
{
    (void)state;
    replay("log_open");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_content_opens_or_is_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
