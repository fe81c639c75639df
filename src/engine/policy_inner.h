/* policy_inner.h: what reading a policy needs of its other files. */
#ifndef ZAN_ENGINE_POLICY_INNER_H
#define ZAN_ENGINE_POLICY_INNER_H

#include "engine/policy_words.h"

/* --- policy_fair.c */

/* Is the condition about what the account itself did, more than once, and can it be false? */
bool policy_own_evidence(const struct policy *policy, const struct policy_condition *condition);

/* May this follow from the rule's conditions? If not, why tells, and what to write instead. */
bool policy_fair(const struct policy *policy, const struct policy_rule *rule,
                 const struct policy_deed *deed, struct words *why);

/* Whom the rule is about. */
enum policy_scope policy_subject(const struct policy *policy, const struct policy_rule *rule);

/* --- policy_index.c */

/* The metric that is the same as this one, made if it is new; POLICY_NONE: too many. */
uint16_t policy_metric_add(struct policy *policy, const struct policy_metric *metric);

/* After the last rule: shapes and keys of metrics, lists by verb. */
void policy_index(struct policy *policy);

#endif
