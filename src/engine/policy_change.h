/* policy_change.h: two policies beside each other: what differs, and one that runs in the shadow of
 * the other. */
#ifndef ZAN_ENGINE_POLICY_CHANGE_H
#define ZAN_ENGINE_POLICY_CHANGE_H

#include "engine/policy.h"

/* NULL: no rule has that name. */
const struct policy_rule *policy_rule_named(const struct policy *policy, const char *name);

/* Is the rule of policy in other (NULL: no rules), and the same? Comments and order do not count.
 */
enum rules_change policy_rule_change(const struct policy *policy, const struct policy_rule *rule,
                                     const struct policy *other);

/* Is a window with that salt counted? */
bool policy_has_metric(const struct policy *policy, uint64_t salt);

/* Makes policy one that runs beside active (NULL: none) over the same windows: what active counts
 * already it only looks at, and "once per" it counts apart, for its firing has no effect. */
void policy_beside(struct policy *policy, const struct policy *active);

#endif
