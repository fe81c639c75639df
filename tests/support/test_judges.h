/* test_judges.h: rules and scorer for a test_engine, of the least size there is. */
#ifndef ZAN_TESTS_JUDGES_H
#define ZAN_TESTS_JUDGES_H

#include "engine/judge.h"
#include "engine/policy.h"
#include "support/test_engine.h"

struct test_judges {
    struct judges judges;
    struct policy *policy; /* NULL: no rules */
    void *region;
};

/* rules: the text of a policy, or NULL; a text that cannot be read fails the test. */
void test_judges_open(struct test_judges *judged, struct engine *engine, const char *rules,
                      bool scored);
void test_judges_close(struct test_judges *judged);

#endif
