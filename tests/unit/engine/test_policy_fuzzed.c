/* The corpus of fuzz_policy, and each file of it with changes, in every build. */
#include "fuzz/replay.h"

#include "fuzz/fuzz_policy.c"

static void every_file_and_its_changes(void **state)
{
    (void)state;
    replay("policy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_file_and_its_changes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
