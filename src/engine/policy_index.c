/* policy_index.c: which windows a policy has, and lists of rules and windows by verb.
 *
 * The salt of a metric is made of what is counted and of its shape, not of its place: a changed
 * policy finds the windows again that it shares with the one before. */
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "engine/policy_inner.h"

static bool same_metric(const struct policy_metric *a, const struct policy_metric *b)
{
    return a->fact == b->fact && a->verb == b->verb && a->scope == b->scope && a->of == b->of &&
           a->sum == b->sum && a->shape.span_us == b->shape.span_us && a->salt == b->salt;
}

uint16_t policy_metric_add(struct policy *policy, const struct policy_metric *metric)
{
    uint16_t i = 0;

    while (i < policy->metric_count && !same_metric(&policy->metrics[i], metric))
        i++;
    if (i == policy->metric_count) {
        if (i == POLICY_METRICS_MAX)
            return POLICY_NONE;
        policy->metrics[policy->metric_count++] = *metric;
    }
    if (metric->most > policy->metrics[i].most)
        policy->metrics[i].most = metric->most;
    return i;
}

/* --- shapes and keys -----------------------------------------------------------------------------
 */

static void metric_finish(struct policy_metric *metric)
{
    bool own = metric->scope == POLICY_ACCOUNT || metric->scope == POLICY_PAIR;
    int64_t span_us = metric->shape.span_us;

    if (metric->fact == POLICY_DISTINCT)
        metric->shape = window_distinct_shape(span_us, metric->most);
    else if (metric->sum)
        metric->shape = window_sum_shape(span_us, !own);
    else
        metric->shape = window_count_shape(span_us, metric->most);
    metric->salt = hash_two(
        metric->salt, (uint64_t)metric->fact | (uint64_t)metric->verb << 8 |
                          (uint64_t)metric->scope << 16 | (uint64_t)metric->of << 24 |
                          (uint64_t)metric->shape.kind << 32 | (uint64_t)metric->shape.wide << 40 |
                          (uint64_t)metric->shape.sample_bits << 48);
    metric->salt = hash_two(metric->salt, (uint64_t)span_us);
}

/* A sum for a ratio and a count above a large number can be the same window after all. */
static void metrics_join(struct policy *policy)
{
    uint16_t place[POLICY_METRICS_MAX] = {0}, kept = 0;

    for (uint16_t i = 0; i < policy->metric_count; i++) {
        uint16_t j = 0;

        while (j < kept && policy->metrics[j].salt != policy->metrics[i].salt)
            j++;
        if (j == kept)
            policy->metrics[kept++] = policy->metrics[i];
        place[i] = j;
    }
    policy->metric_count = kept;
    for (uint32_t r = 0; r < policy->rule_count; r++) {
        struct policy_rule *rule = &policy->rules[r];

        if (rule->once != POLICY_NONE)
            rule->once = place[rule->once];
        for (uint32_t i = 0; i < rule->condition_count; i++) {
            if (rule->conditions[i].fact > POLICY_DISTINCT)
                continue;
            rule->conditions[i].metric = place[rule->conditions[i].metric];
            if (rule->conditions[i].fact == POLICY_RATIO)
                rule->conditions[i].base = place[rule->conditions[i].base];
        }
    }
}

/* --- lists by verb -------------------------------------------------------------------------------
 */

/* Not the window of "once per": it is looked at only when all else holds. */
static void need(bool *needed, const struct policy_rule *rule)
{
    for (uint32_t i = 0; i < rule->condition_count; i++) {
        if (rule->conditions[i].fact > POLICY_DISTINCT)
            continue;
        needed[rule->conditions[i].metric] = true;
        if (rule->conditions[i].fact == POLICY_RATIO)
            needed[rule->conditions[i].base] = true;
    }
}

static void index_verb(struct policy *policy, uint32_t verb, uint32_t *rules, uint32_t *counted,
                       uint32_t *needed_count)
{
    bool needed[POLICY_METRICS_MAX] = {false};

    policy->has_once[verb] = 0;
    for (uint16_t r = 0; r < policy->rule_count; r++) {
        if ((policy->rules[r].verbs >> verb & 1) == 0)
            continue;
        policy->by_verb.at[(*rules)++] = r;
        policy->has_once[verb] |= policy->rules[r].once != POLICY_NONE;
        need(needed, &policy->rules[r]);
    }
    for (uint16_t m = 0; m < policy->metric_count; m++) {
        if (policy->metrics[m].verb == verb) {
            policy->counted.at[(*counted)++] = m;
            needed[m] = true;
        }
        if (needed[m])
            policy->needed.at[(*needed_count)++] = m;
    }
}

void policy_index(struct policy *policy)
{
    uint32_t rules = 0, counted = 0, needed = 0, verbs = 0;

    for (uint16_t i = 0; i < policy->metric_count; i++)
        metric_finish(&policy->metrics[i]);
    metrics_join(policy);
    for (uint32_t verb = 0; verb < VERB_COUNT; verb++) {
        policy->by_verb.first[verb] = (uint16_t)rules;
        policy->counted.first[verb] = (uint16_t)counted;
        policy->needed.first[verb] = (uint16_t)needed;
        if (!policy_verb(verb))
            continue;
        verbs++;
        assert(verb < 64 && verbs <= POLICY_VERBS_MAX);
        index_verb(policy, verb, &rules, &counted, &needed);
    }
    policy->by_verb.first[VERB_COUNT] = (uint16_t)rules;
    policy->counted.first[VERB_COUNT] = (uint16_t)counted;
    policy->needed.first[VERB_COUNT] = (uint16_t)needed;
}
