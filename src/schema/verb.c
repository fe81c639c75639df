#include "schema/verb.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "schema/reply.h"

const struct verb_info verb_table[VERB_COUNT] = {
#define VERB(symbol_, name_, group_, access_, shape_, edge_, on_, counter_, since_, summary_, args_) \
    [VERB_##symbol_] = {.name = name_,                                                             \
                        .symbol = #symbol_,                                                        \
                        .since = since_,                                                           \
                        .summary = summary_,                                                       \
                        .arguments = args_,                                                        \
                        .group = GROUP_##group_,                                                   \
                        .access = ACCESS_##access_,                                                  \
                        .shape = SHAPE_##shape_,                                                   \
                        .edge = EDGE_##edge_,                                                      \
                        .on = on_,                                                                 \
                        .counter = COUNTER_##counter_},
#include "schema/verbs.def"
#undef VERB
};

const char *counter_name(enum counter counter)
{
    static const char *const names[COUNTER_COUNT] = {
        [COUNTER_LIKE] = "like",     [COUNTER_FAVORITE] = "favorite", [COUNTER_FOLLOW] = "follow",
        [COUNTER_VIEW] = "view",     [COUNTER_SHARE] = "share",       [COUNTER_COMMENT] = "comment",
        [COUNTER_SKIP] = "skip",     [COUNTER_REPORT] = "report",
    };

    assert(counter < COUNTER_COUNT);
    return names[counter];
}

const char *account_state_name(enum account_state state)
{
    static const char *const names[ACCOUNT_STATE_COUNT] = {
        [ACCOUNT_ACTIVE] = "active",
        [ACCOUNT_LIKE_BANNED] = "like-banned",
        [ACCOUNT_SUSPENDED] = "suspended",
        [ACCOUNT_ERASED] = "erased",
    };

    assert(state < ACCOUNT_STATE_COUNT);
    return names[state];
}

const char *visibility_name(enum visibility visibility)
{
    static const char *const names[VISIBILITY_COUNT] = {
        [VISIBLE_TO_NOBODY] = "nobody",
        [VISIBLE_TO_MUTUALS] = "mutuals",
        [VISIBLE_TO_FOLLOWERS] = "followers",
        [VISIBLE_TO_ALL] = "all",
    };

    assert(visibility < VISIBILITY_COUNT);
    return names[visibility];
}

const char *tier_name(enum tier tier)
{
    static const char *const names[TIER_COUNT] = {
        [TIER_ORDINARY] = "ordinary",
        [TIER_VERIFIED] = "verified",
        [TIER_ELDER] = "elder",
    };

    assert(tier < TIER_COUNT);
    return names[tier];
}

const char *intent_name(enum intent intent)
{
    static const char *const names[INTENT_COUNT] = {
        [INTENT_NONE] = "none",     [INTENT_UNDO] = "undo",   [INTENT_CLEANUP] = "cleanup",
        [INTENT_CHANGE] = "change", [INTENT_FLOOD] = "flood",
    };

    assert(intent < INTENT_COUNT);
    return names[intent];
}

const char *mark_name(enum edge_mark mark)
{
    static const char *const names[MARK_COUNT] = {
        [MARK_PLAIN] = "plain",
        [MARK_HELD] = "held",
        [MARK_QUARANTINED] = "quarantined",
        [MARK_VOIDED] = "voided",
    };

    assert(mark < MARK_COUNT);
    return names[mark];
}

const char *reason_name(enum reason reason)
{
    static const char *const name[REASON_COUNT] = {
        [REASON_NONE] = "none",
        [REASON_VELOCITY] = "velocity",
        [REASON_LOCKSTEP] = "lockstep",
        [REASON_FIRST_TIMERS] = "first-timers",
        [REASON_YOUNG] = "young",
        [REASON_HOUR] = "hour",
        [REASON_UNLIKER] = "unliker",
        [REASON_DEVICE] = "device",
        [REASON_NETWORK] = "network",
        [REASON_POLICY] = "policy",
        [REASON_INCENTIVE] = "incentive",
        [REASON_QUARANTINE] = "quarantine",
        [REASON_REVIEW] = "review",
        [REASON_UNSCORED] = "unscored",
    };

    assert(reason < REASON_COUNT);
    return name[reason];
}

enum reason reason_of(const char *bytes, size_t size)
{
    uint8_t reason = 0;

    while (reason < REASON_COUNT &&
           (strlen(reason_name((enum reason)reason)) != size ||
            strncasecmp(reason_name((enum reason)reason), bytes, size) != 0))
        reason++;
    return (enum reason)reason;
}

const char *sanction_name(enum sanction sanction)
{
    static const char *const name[SANCTION_COUNT] = {
        [SANCTION_LIKE_BAN] = "like-ban", [SANCTION_LIMIT] = "limit",
        [SANCTION_CUT] = "cut",           [SANCTION_POINTS] = "points",
        [SANCTION_LIFT] = "lift",         [SANCTION_UPHELD] = "upheld",
        [SANCTION_DISMISSED] = "dismissed",
    };

    assert(sanction < SANCTION_COUNT);
    return name[sanction];
}

const char *policy_state_name(enum rules_state state)
{
    static const char *const name[RULES_STATE_COUNT] = {
        [RULES_DRAFT] = "draft",       [RULES_PROPOSED] = "proposed",
        [RULES_ACTIVE] = "active",     [RULES_REPLACED] = "replaced",
        [RULES_REJECTED] = "rejected", [RULES_WITHDRAWN] = "withdrawn",
    };

    assert(state < RULES_STATE_COUNT);
    return name[state];
}

const char *case_kind_name(enum case_kind kind)
{
    static const char *const name[CASE_KIND_COUNT] = {
        [CASE_REVIEW] = "review",
        [CASE_SANCTION] = "sanction",
        [CASE_QUARANTINE] = "quarantine",
        [CASE_REPORTS] = "reports",
        [CASE_DISAVOWAL] = "disavowal",
    };

    assert(kind < CASE_KIND_COUNT);
    return name[kind];
}

const char *case_decision_name(enum case_decision decision)
{
    static const char *const name[DECISION_COUNT] = {
        [DECISION_COMPENSATE] = "compensate", [DECISION_PAUSE] = "pause",
        [DECISION_NONE] = "none",           [DECISION_VOID] = "void",
        [DECISION_CREDIT] = "credit",       [DECISION_QUARANTINE] = "quarantine",
        [DECISION_LIKE_BAN] = "like-ban",   [DECISION_LIMIT] = "limit",
        [DECISION_CUT] = "cut",             [DECISION_POINTS] = "points",
        [DECISION_DISMISS] = "dismiss",     [DECISION_RESTORE] = "restore",
    };

    assert(decision < DECISION_COUNT);
    return name[decision];
}

const char *quality_name(uint32_t band)
{
    static const char *const name[QUALITY_BANDS] = {
        [QUALITY_FULL] = "full", [QUALITY_MOST] = "most",       [QUALITY_SOME] = "some",
        [QUALITY_NONE] = "none", [QUALITY_WAITING] = "waiting", [QUALITY_VOIDED] = "voided",
    };

    assert(band < QUALITY_BANDS);
    return name[band];
}

const char *pause_by_name(enum pause_by by)
{
    static const char *const name[PAUSE_BY_COUNT] = {[PAUSE_CREATOR] = "creator",
                                                     [PAUSE_REVIEW] = "review"};

    assert(by < PAUSE_BY_COUNT);
    return name[by];
}

const char *case_state_name(enum case_state state, enum case_decision proposed, int appealed)
{
    static const char *const name[CASE_STATE_COUNT] = {
        [CASE_GATHERING] = "gathering", [CASE_OPEN] = "open",
        [CASE_APPLYING] = "applying",   [CASE_APPLIED] = "applied",
        [CASE_RESTORING] = "restoring", [CASE_RESTORED] = "restored",
        [CASE_REJECTED] = "rejected",   [CASE_EXPIRED] = "expired",
    };

    assert(state < CASE_STATE_COUNT);
    if (proposed != DECISION_NONE)
        return "proposed";
    return appealed ? "appealed" : name[state];
}

const char *item_state_name(enum item_state state)
{
    static const char *const names[ITEM_STATE_COUNT] = {
        [ITEM_PUBLISHED] = "published",
        [ITEM_PRIVATE] = "private",
        [ITEM_REMOVED] = "removed",
    };

    assert(state < ITEM_STATE_COUNT);
    return names[state];
}
