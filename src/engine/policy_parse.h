/* policy_parse.h: the text of a policy to struct policy. The language is in docs/policy.md.
 *
 * Ends: true: the policy is filled. False: problem tells the first thing that is wrong, where, and
 *       what to write instead; what is in policy then is of no use.
 * Besides what cannot be read, it refuses what would be unfair (policy_fair.c): that anybody is
 * restricted for what others did, without evidence of his own, or without an end. */
#ifndef ZAN_ENGINE_POLICY_PARSE_H
#define ZAN_ENGINE_POLICY_PARSE_H

#include "engine/policy.h"

struct policy_problem {
    uint32_t line, column; /* from 1; columns count characters */
    char text[320];        /* one sentence or two, printable, no 'line 3' in it */
};

bool policy_parse(const char *text, size_t size, struct policy *policy,
                  struct policy_problem *problem);

#endif
