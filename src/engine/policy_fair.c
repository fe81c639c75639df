/* policy_fair.c: what a rule may do, by what it looks at.
 *
 * Anybody can make others' items, creators, networks, devices and campaigns look bad, by acting on
 * them. So what is counted there may at most lower what acts are worth, or bring a person to look
 * at it. A restriction of an account needs something the account did itself, more than once, and a
 * number that can be missed: "more than 0 un-likes" would be true of whoever just took back his
 * first like, and would make a condition on others' acts the only one that counts.
 *
 * Many people share a network, a household shares a device: that much said of a network or device
 * is true of everybody in a school. It does not even lower a weight unless something is said of the
 * account as well. An item's or creator's traffic is not that: the school watches the same video.
 */
#include "base/hook.h"
#include "engine/policy_inner.h"

#define OWN_MINIMUM 10 /* a share of fewer acts is no evidence */

static bool is_own(uint8_t scope)
{
    return scope == POLICY_ACCOUNT || scope == POLICY_PAIR;
}

static bool is_shared(uint8_t scope)
{
    return scope == POLICY_DEVICE || scope == POLICY_NETWORK || scope == POLICY_ADDRESS;
}

static bool has_window(const struct policy_condition *condition)
{
    return condition->fact <= POLICY_DISTINCT;
}

/* Is it false for value, which a single act can bring about? */
static bool is_above(const struct policy_condition *condition, uint64_t value)
{
    return (condition->op == POLICY_GREATER && condition->threshold >= value) ||
           ((condition->op == POLICY_AT_LEAST || condition->op == POLICY_EQUAL) &&
            condition->threshold > value);
}

bool policy_own_evidence(const struct policy *policy, const struct policy_condition *condition)
{
    if (has_window(condition) && !is_own(policy->metrics[condition->metric].scope) &&
        !PLANTED("policy.others_can_ban"))
        return false;
    switch (condition->fact) {
    case POLICY_COUNT:
    case POLICY_DISTINCT:
    case POLICY_TAKEBACKS:
        return is_above(condition, 1);
    case POLICY_FLIPS: /* liked and taken back once */
        return is_above(condition, 2);
    case POLICY_RATIO:
    case POLICY_SHARE:
        return condition->op <= POLICY_AT_LEAST && condition->threshold > 0 &&
               condition->minimum >= OWN_MINIMUM;
    default:
        return false;
    }
}

/* Does it say something of the account that does not hold for nearly everybody? */
static bool about_account(const struct policy *policy, const struct policy_condition *condition)
{
    switch (condition->fact) {
    case POLICY_AGE:
    case POLICY_EDGE_AGE:
    case POLICY_GIVEN:
        return condition->threshold > 0;
    default:
        return policy_own_evidence(policy, condition);
    }
}

enum policy_scope policy_subject(const struct policy *policy, const struct policy_rule *rule)
{
    const struct policy_condition *first = NULL;

    for (uint32_t i = 0; i < rule->condition_count; i++) {
        const struct policy_condition *condition = &rule->conditions[i];

        if (policy_own_evidence(policy, condition))
            return POLICY_ACCOUNT;
        if (first == NULL && has_window(condition))
            first = condition;
    }
    if (first == NULL || is_own(policy->metrics[first->metric].scope))
        return POLICY_ACCOUNT;
    return (enum policy_scope)policy->metrics[first->metric].scope;
}

/* --- the two questions ---------------------------------------------------------------------------
 */

static bool restricts(const struct policy_deed *deed)
{
    switch (deed->action) {
    case POLICY_POINTS:
    case POLICY_REFUSE:
    case POLICY_LIMIT:
    case POLICY_LIKE_BAN:
        return true;
    default:
        return deed->action == POLICY_WEIGHT && deed->for_us > 0;
    }
}

/* The scope of others that the rule counts first, for the message. */
static uint32_t others_scope(const struct policy *policy, const struct policy_rule *rule)
{
    for (uint32_t i = 0; i < rule->condition_count; i++)
        if (has_window(&rule->conditions[i]) &&
            !is_own(policy->metrics[rule->conditions[i].metric].scope))
            return policy->metrics[rule->conditions[i].metric].scope;
    return POLICY_SCOPE_COUNT;
}

static void tell_restricts(const struct policy *policy, const struct policy_rule *rule,
                           const struct policy_deed *deed, struct words *why)
{
    uint32_t scope = others_scope(policy, rule);

    words_put(why, "'");
    words_put(why, policy_action_words[deed->action]);
    if (scope < POLICY_SCOPE_COUNT) {
        words_put(why, "' restricts an account for what others did (");
        words_put(why, policy_scope_words[scope]);
        words_put(why,
                  " scope). Add what the account itself did, like count(unlike, account, 24h) > 5,"
                  " or write alert, review, hold or 'weight 50' without a time");
        return;
    }
    words_put(
        why, "' needs a condition on what the account itself did, more than once: count or distinct"
             " of account or pair above 1, takebacks above 1, flips above 2, or ratio or share"
             " with a minimum of 10 or more. Else write alert, review or hold");
}

static bool shared_alone(const struct policy *policy, const struct policy_rule *rule)
{
    bool shared = false;

    for (uint32_t i = 0; i < rule->condition_count; i++) {
        const struct policy_condition *condition = &rule->conditions[i];

        if (about_account(policy, condition))
            return false;
        shared |= has_window(condition) && is_shared(policy->metrics[condition->metric].scope);
    }
    return shared;
}

bool policy_fair(const struct policy *policy, const struct policy_rule *rule,
                 const struct policy_deed *deed, struct words *why)
{
    if (restricts(deed)) {
        for (uint32_t i = 0; i < rule->condition_count; i++)
            if (policy_own_evidence(policy, &rule->conditions[i]))
                return true;
        tell_restricts(policy, rule, deed, why);
        return false;
    }
    if ((deed->action == POLICY_WEIGHT || deed->action == POLICY_HOLD) &&
        shared_alone(policy, rule) && !PLANTED("policy.network_is_evidence")) {
        words_put(why, "'");
        words_put(why, policy_action_words[deed->action]);
        words_put(
            why, "' lowers what acts are worth, and a shared network, address or device alone is no"
                 " evidence: a school shares one. Add something of the account, like age < 7d, or"
                 " write alert, confirm or review");
        return false;
    }
    return true;
}
