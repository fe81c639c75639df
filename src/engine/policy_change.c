#include "engine/policy_change.h"

#include <string.h>

#include "base/hook.h"

#define APART 0x5AD0F1E55AD0F1E5ULL

const struct policy_rule *policy_rule_named(const struct policy *policy, const char *name)
{
    for (uint32_t i = 0; i < policy->rule_count; i++)
        if (strcmp(policy->rules[i].name, name) == 0)
            return &policy->rules[i];
    return NULL;
}

static bool same_window(const struct policy *a, uint16_t i, const struct policy *b, uint16_t j)
{
    if (i == POLICY_NONE || j == POLICY_NONE)
        return i == j;
    return a->metrics[i].salt == b->metrics[j].salt;
}

static bool same_condition(const struct policy *a, const struct policy_condition *x,
                           const struct policy *b, const struct policy_condition *y)
{
    if (x->fact != y->fact || x->op != y->op || x->threshold != y->threshold ||
        x->minimum != y->minimum)
        return false;
    if (x->fact > POLICY_DISTINCT)
        return true;
    return same_window(a, x->metric, b, y->metric) &&
           (x->fact != POLICY_RATIO || same_window(a, x->base, b, y->base));
}

static bool same_deed(const struct policy_deed *x, const struct policy_deed *y)
{
    return x->action == y->action && x->proposed == y->proposed && x->percent == y->percent &&
           x->points == y->points && x->for_us == y->for_us;
}

/* The places differ, the regions count. */
static bool regions_within(const struct policy *a, uint16_t x, const struct policy *b, uint16_t y)
{
    for (uint32_t i = 0; i < a->region_count; i++) {
        uint32_t j = policy_region(b, a->regions[i]);

        if ((x >> i & 1) != 0 && (j == POLICY_REGIONS_MAX || (y >> j & 1) == 0))
            return false;
    }
    return true;
}

static bool same_regions(const struct policy *a, uint16_t x, const struct policy *b, uint16_t y)
{
    return regions_within(a, x, b, y) && regions_within(b, y, a, x);
}

static bool same_rule(const struct policy *a, const struct policy_rule *x, const struct policy *b,
                      const struct policy_rule *y)
{
    if (x->verbs != y->verbs || x->shadow != y->shadow || x->tiers != y->tiers ||
        x->condition_count != y->condition_count || x->deed_count != y->deed_count ||
        !same_window(a, x->once, b, y->once) || !same_regions(a, x->regions, b, y->regions))
        return false;
    for (uint32_t i = 0; i < x->condition_count; i++)
        if (!same_condition(a, &x->conditions[i], b, &y->conditions[i]))
            return false;
    for (uint32_t i = 0; i < x->deed_count; i++)
        if (!same_deed(&x->deeds[i], &y->deeds[i]))
            return false;
    return true;
}

enum rules_change policy_rule_change(const struct policy *policy, const struct policy_rule *rule,
                                     const struct policy *other)
{
    const struct policy_rule *twin = other != NULL ? policy_rule_named(other, rule->name) : NULL;

    if (twin == NULL)
        return RULES_NEW;
    return same_rule(policy, rule, other, twin) ? RULES_SAME : RULES_CHANGED;
}

bool policy_has_metric(const struct policy *policy, uint64_t salt)
{
    for (uint32_t i = 0; i < policy->metric_count; i++)
        if (policy->metrics[i].salt == salt)
            return true;
    return false;
}

void policy_beside(struct policy *policy, const struct policy *active)
{
    uint16_t kept = 0;

    for (uint32_t i = 0; i < policy->metric_count; i++)
        if (policy->metrics[i].verb == VERB_COUNT)
            policy->metrics[i].salt ^= APART;
    for (uint32_t verb = 0; verb < VERB_COUNT; verb++) {
        uint16_t from = policy->counted.first[verb], to = policy->counted.first[verb + 1];

        policy->counted.first[verb] = kept;
        for (uint16_t at = from; at < to; at++) {
            uint16_t metric = policy->counted.at[at];

            if (active == NULL || PLANTED("policy.shadow_counts_twice") ||
                !policy_has_metric(active, policy->metrics[metric].salt))
                policy->counted.at[kept++] = metric;
        }
    }
    policy->counted.first[VERB_COUNT] = kept;
}
