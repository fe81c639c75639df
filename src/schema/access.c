#include "schema/access.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"

const struct access_info access_table[ACCESS_COUNT] = {
#define ACCESS(symbol_, what_, backend_, user_, creator_, operator_, approver_, privacy_, admin_,  \
               auditor_, why_)                                                                     \
    [ACCESS_##symbol_] = {.symbol = #symbol_,                                                      \
                          .what = what_,                                                           \
                          .why = why_,                                                             \
                          .rules = {[ROLE_NONE] = RULE_NO,                                         \
                                    [ROLE_BACKEND] = RULE_##backend_,                              \
                                    [ROLE_USER] = RULE_##user_,                                    \
                                    [ROLE_CREATOR] = RULE_##creator_,                              \
                                    [ROLE_OPERATOR] = RULE_##operator_,                            \
                                    [ROLE_APPROVER] = RULE_##approver_,                            \
                                    [ROLE_PRIVACY] = RULE_##privacy_,                              \
                                    [ROLE_ADMINISTRATOR] = RULE_##admin_,                          \
                                    [ROLE_AUDITOR] = RULE_##auditor_,                              \
                                    [ROLE_ALL] = RULE_TENANT}},
#include "schema/access.def"
#undef ACCESS
};

static const char *const names[ROLE_COUNT] = {
    [ROLE_NONE] = "nobody",       [ROLE_BACKEND] = "backend",
    [ROLE_USER] = "user",         [ROLE_CREATOR] = "creator",
    [ROLE_OPERATOR] = "operator", [ROLE_APPROVER] = "approver",
    [ROLE_PRIVACY] = "privacy",   [ROLE_ADMINISTRATOR] = "administrator",
    [ROLE_AUDITOR] = "auditor",   [ROLE_ALL] = "everybody",
};

const char *role_name(enum role role)
{
    assert(role < ROLE_COUNT);
    return names[role];
}

enum role role_find(const char *name)
{
    for (int role = ROLE_BACKEND; role < ROLE_ALL; role++) {
        if (strcmp(names[role], name) == 0)
            return (enum role)role;
    }
    return ROLE_NONE;
}

enum access_rule access_rule(enum role role, enum verb verb)
{
    assert(role < ROLE_COUNT && verb < VERB_COUNT);
    const struct access_info *info = &access_table[verb_info(verb)->access];

    if (role == ROLE_NONE)
        return verb_info(verb)->access == ACCESS_OPEN ? RULE_TENANT : RULE_NO;
    return (enum access_rule)info->rules[role];
}

const char *access_rule_name(enum access_rule rule)
{
    static const char *const rules[RULE_COUNT] = {[RULE_NO] = "no",
                                                  [RULE_TENANT] = "tenant",
                                                  [RULE_ACCOUNT] = "own account",
                                                  [RULE_CREATOR] = "own",
                                                  [RULE_ITEM] = "own item",
                                                  [RULE_VIEWER] = "as himself"};

    assert(rule < RULE_COUNT);
    return rules[rule];
}

bool access_plane(enum plane plane, enum role role)
{
    bool data = role == ROLE_BACKEND || role == ROLE_USER || role == ROLE_CREATOR;

    return plane == PLANE_BOTH || data == (plane == PLANE_DATA) || PLANTED("access.any_door");
}

bool access_tells_counts(const struct request *request)
{
    return request->object_rule != RULE_ACCOUNT || PLANTED("access.counts_for_all");
}

enum status access_verb(const struct identity *who, int64_t now_us, enum verb verb)
{
    if (verb_info(verb)->access == ACCESS_OPEN)
        return STATUS_OK;
    if (who->expires_us != 0 && now_us >= who->expires_us && !PLANTED("access.token_for_ever"))
        return STATUS_TOKENEXPIRED;
    if (access_rule((enum role)who->role, verb) == RULE_NO && !PLANTED("serve.any_role"))
        return who->role == ROLE_NONE ? STATUS_NOAUTH : STATUS_NOPERM;
    return STATUS_OK;
}

static bool says_minor(const struct request *request)
{
    return request->flags & REQUEST_HAS_SWITCH &&
           request->u.portrait.switch_mask & SWITCH_MINOR;
}

/* A user looks as himself, whoever he says he is; of his own account he sets only who may see what
 * he likes, and whether he is shown what suits him. */
static enum status judge_person(enum access_rule rule, struct request *request)
{
    uint16_t platform = REQUEST_HAS_TIER | REQUEST_HAS_CREATED;

    if (rule == RULE_VIEWER) {
        if (request->flags & REQUEST_HAS_VIEWER && request->target != request->subject &&
            !PLANTED("access.any_viewer"))
            return STATUS_NOPERM;
        if (!(request->flags & REQUEST_HAS_VIEWER))
            request->target = request->subject;
        request->flags |= REQUEST_HAS_VIEWER;
    }
    if (rule == RULE_ACCOUNT && request->verb == VERB_ACCOUNT_SET &&
        (request->flags & platform || says_minor(request) || request->u.portrait.has_region) &&
        !PLANTED("access.own_tier"))
        return STATUS_NOPERM;
    return STATUS_OK;
}

enum status access_judge(const struct identity *who, int64_t now_us, struct request *request)
{
    enum status status = access_verb(who, now_us, (enum verb)request->verb);
    enum access_rule rule;

    if (status != STATUS_OK)
        return status;
    rule = access_rule((enum role)who->role, (enum verb)request->verb);
    request->tenant = PLANTED("access.one_tenant") ? 0 : who->tenant;
    request->caller = who->caller;
    request->subject = who->subject;
    request->epoch = who->epoch;
    request->role = who->role;
    request->object_rule = (uint8_t)rule;
    request->asserted = who->asserted;
    if (PLANTED("access.any_object"))
        return STATUS_OK;
    if (rule == RULE_ACCOUNT && request->account != who->subject)
        return STATUS_NOPERM;
    if (rule == RULE_CREATOR && request->target != who->subject)
        return STATUS_NOPERM;
    return judge_person(rule, request);
}
