/* The text of a policy, and after a zero byte acts under it: two bytes each. Whatever is taken is
 * fair, has bounds and can be judged, observed and explained; whatever is refused says where and
 * why. */
#include <assert.h>
#include <string.h>

#include "engine/policy_parse.h"

#define REGION 8192
#define HOUR   3600000000LL

static struct policy policy;
static _Alignas(64) uint8_t region[REGION], before[REGION];

static void check_problem(const struct policy_problem *problem, const char *text, size_t size)
{
    uint32_t lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    assert(problem->line >= 1 && problem->line <= lines);
    assert(problem->column >= 1 && problem->column <= size + 1);
    assert(problem->text[0] != 0 &&
           strnlen(problem->text, sizeof problem->text) < sizeof problem->text);
    for (const char *c = problem->text; *c != 0; c++)
        assert(*c >= ' ' && *c <= '~');
}

static bool counts_own_acts(const struct policy_rule *rule)
{
    for (uint32_t i = 0; i < rule->condition_count; i++) {
        const struct policy_condition *condition = &rule->conditions[i];

        if (condition->fact <= POLICY_DISTINCT &&
            policy.metrics[condition->metric].scope <= POLICY_PAIR)
            return true;
        if (condition->fact >= POLICY_SHARE && condition->fact <= POLICY_TAKEBACKS)
            return true;
    }
    return false;
}

static void check_rule(const struct policy_rule *rule)
{
    assert(rule->name[0] != 0 && rule->verbs != 0 && rule->deed_count >= 1);
    assert(rule->deed_count <= POLICY_ACTIONS_MAX &&
           rule->condition_count <= POLICY_CONDITIONS_MAX);
    for (uint32_t i = 0; i < rule->deed_count; i++) {
        const struct policy_deed *deed = &rule->deeds[i];

        if (deed->action >= POLICY_POINTS || deed->for_us > 0)
            assert(counts_own_acts(rule));
        if (deed->action == POLICY_LIMIT || deed->action == POLICY_LIKE_BAN)
            assert(deed->for_us > 0 && deed->for_us <= 366 * 24 * HOUR);
    }
}

static void check_policy(void)
{
    assert(policy.rule_count <= POLICY_RULES_MAX && policy.metric_count <= POLICY_METRICS_MAX);
    for (uint32_t i = 0; i < policy.rule_count; i++)
        check_rule(&policy.rules[i]);
}

static void check_verdict(const struct policy_verdict *verdict, const struct act *act)
{
    char text[POLICY_EXPLAIN_BYTES];

    assert(verdict->weight_pct <= 100 && verdict->account_weight_pct <= 100);
    assert(verdict->hit_count <= verdict->fired_count && verdict->fired_count <= policy.rule_count);
    for (int a = 0; a < POLICY_ACTION_COUNT; a++) {
        assert(verdict->rule[a] == POLICY_NONE || verdict->rule[a] < policy.rule_count);
        assert(verdict->until_us[a] == 0 || verdict->until_us[a] > act->now_us);
    }
    assert(!act->exempt || verdict->fired_count == 0);
    for (int i = 0; i < verdict->hit_count; i++)
        for (int language = 0; language < 2; language++)
            assert(policy_explain(&policy, &verdict->hits[i], (enum policy_language)language, text,
                                  sizeof text) < sizeof text - 1);
}

static void run_acts(const uint8_t *bytes, size_t size)
{
    struct act act = {.now_us = 1700000000000000LL};
    struct policy_verdict verdict;

    memset(region, 0, sizeof region);
    policy_open(region, sizeof region, NULL);
    for (size_t i = 0; i + 1 < size; i += 2) {
        act.now_us += (int64_t)(bytes[i] >> 4) * (bytes[i] >> 4) * 60000000LL;
        act.verb = bytes[i] % (VERB_SKIP + 1);
        act.account = bytes[i + 1] & 3;
        act.target = bytes[i + 1] >> 2 & 3;
        act.device = act.network = act.address = act.campaign = bytes[i + 1] >> 4 & 3;
        act.has_creator = bytes[i + 1] >> 6 & 1;
        act.exempt = bytes[i + 1] == 0xFF;
        act.tier = act.account == 3 ? TIER_ELDER : TIER_ORDINARY;
        act.flips = (uint16_t)i;
        act.given_likes = i;
        act.taken_back = i / 3;
        act.edge_us = act.now_us - (int64_t)i * 1000000;
        memcpy(before, region, sizeof region);
        policy_prefetch(&policy, (struct policy_table *)region, &act);
        policy_prefetch_windows(&policy, (struct policy_table *)region, &act);
        policy_judge(&policy, (struct policy_table *)region, &act, &verdict);
        assert(memcmp(before, region, sizeof region) == 0);
        check_verdict(&verdict, &act);
        if (!verdict.refused)
            policy_observe(&policy, (struct policy_table *)region, &act);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const uint8_t *zero = size > 0 ? memchr(bytes, 0, size) : NULL;
    size_t text = zero != NULL ? (size_t)(zero - bytes) : size;
    struct policy_problem problem;

    if (!policy_parse((const char *)bytes, text, &policy, &problem)) {
        check_problem(&problem, (const char *)bytes, text);
        return 0;
    }
    check_policy();
    if (zero != NULL)
        run_acts(zero + 1, size - text - 1);
    return 0;
}
