#include "support/test_judges.h"

#include <stdlib.h>
#include <string.h>

#include "engine/policy_parse.h"
#include "support.h"

void test_judges_open(struct test_judges *judged, struct engine *engine, const char *rules,
                      bool scored)
{
    struct policy_problem problem;

    *judged = (struct test_judges){.region = aligned_alloc(64, JUDGE_BYTES_MIN)};
    if (rules != NULL) {
        judged->policy = calloc(1, sizeof *judged->policy);
        if (!policy_parse(rules, strlen(rules), judged->policy, &problem))
            fail_msg("line %u: %s", problem.line, problem.text);
    }
    assert_true(judges_open(&judged->judges, judged->region, JUDGE_BYTES_MIN, judged->policy, NULL,
                            scored, false));
    engine->judges = &judged->judges;
}

void test_judges_close(struct test_judges *judged)
{
    free(judged->policy);
    free(judged->region);
    *judged = (struct test_judges){0};
}
