#include "engine/notice.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "engine/inner.h"
#include "engine/policy.h"

static_assert(POLICY_EXPLICIT < 4, "two bits for how loud");

/* --- which verbs --------------------------------------------------------------------------------
 */

/* Views and skips are totals; a report is between who reports and the platform. */
static bool is_told(uint8_t verb)
{
    return verb <= VERB_UNFOLLOW || verb == VERB_SHARE || verb == VERB_COMMENT;
}

/* Sets an edge to off. */
static bool is_off(uint8_t verb)
{
    return verb_info(verb)->edge != EDGE_NONE && !verb_info(verb)->on;
}

/* LIKE of UNLIKE, and so on: they stand in pairs. */
static uint8_t taken_back_by(uint8_t verb)
{
    return (uint8_t)(verb - 1);
}

static_assert(VERB_UNLIKE == VERB_LIKE + 1 && VERB_UNFAVORITE == VERB_FAVORITE + 1 &&
                  VERB_UNFOLLOW == VERB_FOLLOW + 1 && VERB_UNFOLLOW < VERB_REPORT,
              "what is taken back stands before what takes it back");

static uint8_t louder(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

/* --- decided ------------------------------------------------------------------------------------
 */

static uint8_t level_at(uint8_t notify, int shift)
{
    return notify >> shift & 3;
}

/* Does it depend on who follows whom? */
static bool is_relative(uint8_t notify)
{
    uint8_t anybody = level_at(notify, NOTIFY_ANYBODY_SHIFT);

    return level_at(notify, NOTIFY_FOLLOWER_SHIFT) != anybody ||
           level_at(notify, NOTIFY_MUTUAL_SHIFT) != anybody;
}

static uint8_t level(const struct policy *policy, uint32_t place, enum policy_relation relation,
                     uint8_t verb)
{
    return (uint8_t)policy_notify_of(policy, place, relation, (enum verb)verb);
}

/* Of an act of an account of the region at that place. */
static uint8_t levels_of(const struct policy *policy, uint32_t place, uint8_t verb)
{
    uint8_t anybody = louder(level(policy, place, POLICY_ITEM_CREATOR, verb),
                             level(policy, place, POLICY_STRANGER, verb));

    return (uint8_t)(anybody << NOTIFY_ANYBODY_SHIFT |
                     louder(anybody, level(policy, place, POLICY_FOLLOWER, verb))
                         << NOTIFY_FOLLOWER_SHIFT |
                     louder(anybody, level(policy, place, POLICY_MUTUAL, verb))
                         << NOTIFY_MUTUAL_SHIFT);
}

uint8_t notice_levels(const struct engine *engine, uint8_t verb)
{
    const struct policy *policy = engine->judges != NULL ? engine->judges->policy : NULL;
    uint8_t most;

    if (policy == NULL || !is_told(verb))
        return 0;
    most = levels_of(policy, POLICY_REGIONS_MAX, verb);
    for (uint32_t place = 0; place < policy->region_count && !is_relative(most); place++) {
        uint8_t levels = levels_of(policy, place, verb);

        if (most == 0 || is_relative(levels))
            most = levels;
    }
    return most;
}

static const struct policy *regional_policy(const struct engine *engine)
{
    const struct policy *policy = engine->judges != NULL ? engine->judges->policy : NULL;

    return policy != NULL && policy->region_count > 0 ? policy : NULL;
}

/* What holds for this account; its row is in memory, for its own act is decided here. */
static uint8_t levels_for(const struct engine *engine, const struct record *record, uint8_t verb)
{
    const struct policy *policy = regional_policy(engine);
    uint32_t slot;

    if (policy == NULL || !is_told(verb))
        return notice_levels(engine, verb);
    slot = hot_account_find(engine->hot, record->tenant, record->account);
    return levels_of(
        policy,
        policy_region(policy, slot == HOT_NONE ? 0 : hot_account(engine->hot, slot)->region), verb);
}

/* Where acts of others are counted in a digest, those of this account are not. */
static bool is_uncounted(const struct engine *engine, const struct record *record)
{
    uint8_t levels;

    if (regional_policy(engine) == NULL || PLANTED("engine.digest_of_another_region"))
        return false;
    levels = levels_for(engine, record, taken_back_by(record->kind));
    return level_at(levels, NOTIFY_ANYBODY_SHIFT) == POLICY_SILENT;
}

/* Is there somebody to tell? Where the item lives elsewhere, that is known there. */
static bool has_recipient(struct engine *engine, const struct record *record)
{
    uint32_t slot;

    if (edge_target_is_account(verb_info(record->kind)->edge))
        return record->target != record->account;
    if (!is_home(engine, record->target))
        return true;
    slot = hot_item_find(engine->hot, record->tenant, record->target);
    return slot != HOT_NONE && hot_item(engine->hot, slot)->has_creator &&
           hot_item(engine->hot, slot)->creator != record->account;
}

void notice_decide(struct engine *engine, struct record *record, const struct edge_row *old)
{
    bool import = record->fields & RECORD_HAS_CONTEXT && record->context.source == SOURCE_IMPORT;
    uint16_t cleanup = record_cleanup(record);
    uint8_t notify = import ? 0 : levels_for(engine, record, record->kind);

    if (cleanup != 0)
        notify = is_off(record->kind) || notify == 0 ? 0 : (uint8_t)(notify | NOTIFY_AGAIN);
    if (is_off(record->kind) && old != NULL && !PLANTED("engine.notice_stays"))
        notify |= is_uncounted(engine, record) ? NOTIFY_BACK | NOTIFY_AGAIN : NOTIFY_BACK;
    if (notify == 0 || !has_recipient(engine, record))
        return;
    record->fields |= RECORD_HAS_NOTICE;
    record->notify = notify;
    record->since_us = old != NULL && notify & NOTIFY_BACK ? old->time_us : 0;
}

/* --- the inbox ----------------------------------------------------------------------------------
 */

static struct inbox_row *inbox_change(struct engine *engine, uint16_t tenant, uint64_t account)
{
    uint32_t slot = hot_inbox_find(engine->hot, tenant, account);

    if (slot == HOT_NONE) {
        struct inbox_row row;

        memset(&row, 0, sizeof row);
        row.id = account;
        row.tenant = tenant;
        slot = hot_inbox_add(engine->hot, &row);
    }
    return hot_inbox_change(engine->hot, slot);
}

static void drop(struct inbox_row *inbox, uint32_t at)
{
    inbox->count--;
    memmove(&inbox->at[at], &inbox->at[at + 1], (inbox->count - at) * sizeof *inbox->at);
    memset(&inbox->at[inbox->count], 0, sizeof *inbox->at);
}

static bool is_act(const struct notice *notice)
{
    return notice->kind == NOTICE_DIGEST || notice->kind == NOTICE_ACT;
}

/* Room for one more: the oldest act goes, without any the oldest of all. */
static void make_room(struct inbox_row *inbox)
{
    uint32_t at = 0;

    if (inbox->count < NOTICES_MAX)
        return;
    while (at < inbox->count && !is_act(&inbox->at[at]))
        at++;
    drop(inbox, at < inbox->count && !PLANTED("engine.acts_push_decisions_out") ? at : 0);
}

static void put(struct inbox_row *inbox, struct notice notice)
{
    if (inbox->last == UINT32_MAX)
        return; /* four milliards: the account is told no more */
    make_room(inbox);
    notice.id = ++inbox->last;
    inbox->at[inbox->count++] = notice;
}

static bool is_same(const struct inbox_row *inbox, uint32_t i, uint8_t kind, uint8_t verb,
                    uint64_t item)
{
    const struct notice *at = &inbox->at[i];

    return at->id > inbox->read && at->kind == kind && at->verb == verb && at->target == item;
}

/* The unread digest that is still open; NULL: none. */
static struct notice *digest_of(struct inbox_row *inbox, uint8_t verb, uint64_t item,
                                int64_t now_us)
{
    for (uint32_t i = inbox->count; i > 0; i--)
        if (is_same(inbox, i - 1, NOTICE_DIGEST, verb, item))
            return now_us - inbox->at[i - 1].time_us < NOTICE_PERIOD_US ? &inbox->at[i - 1] : NULL;
    return NULL;
}

/* How many unread notices of single acts; oldest: the place of the first of them. */
static uint32_t acts_of(const struct inbox_row *inbox, uint8_t verb, uint64_t item,
                        uint32_t *oldest)
{
    uint32_t count = 0;

    for (uint32_t i = inbox->count; i > 0; i--) {
        if (!is_same(inbox, i - 1, NOTICE_ACT, verb, item))
            continue;
        *oldest = i - 1;
        count++;
    }
    return count;
}

/* One act: who, when, how. */
struct act_told {
    uint64_t account, item;
    int64_t time_us;
    uint8_t verb, anybody, level; /* level: for this account; anybody: for all */
};

static void count_up(struct inbox_row *inbox, struct notice *digest, const struct act_told *act)
{
    if (digest == NULL) {
        put(inbox, (struct notice){.kind = NOTICE_DIGEST,
                                   .verb = act->verb,
                                   .target = act->item,
                                   .time_us = act->time_us,
                                   .until_us = act->time_us,
                                   .count = 1,
                                   .quiet = act->level == POLICY_DIGEST});
        return;
    }
    if (digest->count < UINT32_MAX)
        digest->count++;
    digest->until_us = act->time_us;
    if (act->level == POLICY_EXPLICIT)
        digest->quiet = 0;
}

static void tell_act(struct inbox_row *inbox, const struct act_told *act)
{
    struct notice *digest = digest_of(inbox, act->verb, act->item, act->time_us);
    bool pooled =
        act->anybody != POLICY_SILENT; /* everybody's acts are told: they may be counted */
    uint32_t oldest = 0, acts = acts_of(inbox, act->verb, act->item, &oldest);

    /* While a digest is open every act is in it: so one that is taken back is known to be there. */
    if (pooled && (act->level == POLICY_DIGEST || digest != NULL || acts >= NOTICE_EACH)) {
        count_up(inbox, digest, act);
        return;
    }
    if (acts >= NOTICE_EACH)
        drop(inbox, oldest);
    put(inbox, (struct notice){.kind = NOTICE_ACT,
                               .verb = act->verb,
                               .target = act->item,
                               .other = act->account,
                               .time_us = act->time_us,
                               .count = 1,
                               .quiet = act->level == POLICY_DIGEST});
}

/* The unread notice of an act set at since_us goes; counted: it may be one of a digest. False:
 * there is none. */
static bool take_back(struct inbox_row *inbox, uint8_t verb, uint64_t account, uint64_t item,
                      int64_t since_us, bool counted)
{
    for (uint32_t i = inbox->count; i > 0; i--) {
        if (!is_same(inbox, i - 1, NOTICE_ACT, verb, item) || inbox->at[i - 1].other != account)
            continue;
        drop(inbox, i - 1);
        return true;
    }
    for (uint32_t i = inbox->count; counted && i > 0; i--) {
        if (!is_same(inbox, i - 1, NOTICE_DIGEST, verb, item) ||
            inbox->at[i - 1].time_us > since_us)
            continue;
        if (--inbox->at[i - 1].count == 0)
            drop(inbox, i - 1);
        return true;
    }
    return false;
}

/* --- applied: acts ------------------------------------------------------------------------------
 */

static bool follows(struct engine *engine, uint16_t tenant, uint64_t account, uint64_t other)
{
    const struct edge_row *edge = hot_edge_find(engine->hot, tenant, EDGE_FOLLOW, account, other);

    return edge != NULL && edge->on;
}

static uint8_t level_of(struct engine *engine, uint16_t tenant, uint64_t account,
                        uint64_t recipient, uint8_t notify)
{
    if (!is_relative(notify) || !follows(engine, tenant, recipient, account))
        return level_at(notify, NOTIFY_ANYBODY_SHIFT);
    return level_at(notify, follows(engine, tenant, account, recipient) ? NOTIFY_MUTUAL_SHIFT
                                                                        : NOTIFY_FOLLOWER_SHIFT);
}

/* Who is erased is told nothing more. */
static bool is_erased(struct engine *engine, uint16_t tenant, uint64_t account)
{
    uint32_t slot = hot_account_find(engine->hot, tenant, account);

    return slot != HOT_NONE && hot_account(engine->hot, slot)->state == ACCOUNT_ERASED;
}

/* At the home of the recipient. */
static void tell(struct engine *engine, const struct record *record, uint8_t verb,
                 uint64_t recipient, uint64_t item)
{
    struct act_told act = {
        .account = record->account,
        .item = item,
        .time_us = record->time_us,
        .verb = verb,
        .anybody = level_at(record->notify, NOTIFY_ANYBODY_SHIFT),
        .level = level_of(engine, record->tenant, record->account, recipient, record->notify),
    };
    bool back = record->notify & NOTIFY_BACK, marked = record->notify & NOTIFY_AGAIN;
    bool again = marked && !back;
    uint32_t slot = hot_inbox_find(engine->hot, record->tenant, recipient);
    struct notice *digest;

    if (is_erased(engine, record->tenant, recipient))
        return;
    if (slot == HOT_NONE && (act.level == POLICY_SILENT || again))
        return;
    if (back && slot != HOT_NONE &&
        take_back(hot_inbox_change(engine->hot, slot), taken_back_by(verb), record->account, item,
                  record->since_us, !marked))
        return;
    if (act.level == POLICY_SILENT)
        return;
    if (!again) {
        tell_act(inbox_change(engine, record->tenant, recipient), &act);
        return;
    }
    digest = digest_of(hot_inbox_change(engine->hot, slot), verb, item, record->time_us);
    if (digest != NULL && act.anybody != POLICY_SILENT)
        count_up(hot_inbox_change(engine->hot, slot), digest, &act);
}

void notice_ride(struct engine *engine, const struct record *record)
{
    struct record *effect = &engine->effects[engine->effect_count - 1].record;

    if (!(record->fields & RECORD_HAS_NOTICE))
        return;
    effect->fields |= RECORD_HAS_NOTICE;
    effect->notify = record->notify;
    effect->since_us = record->since_us;
}

void notice_act(struct engine *engine, const struct record *record, uint8_t verb,
                uint64_t recipient, uint64_t item)
{
    if (!(record->fields & RECORD_HAS_NOTICE) || recipient == record->account)
        return;
    if (is_home(engine, recipient)) {
        tell(engine, record, verb, recipient, item);
        return;
    }
    effect_emit(engine, record, hash_partition(recipient, engine->partition_count), EFFECT_NOTICE,
                verb, record->account, recipient, (int64_t)item, NULL);
    notice_ride(engine, record);
}

/* --- applied: decisions -------------------------------------------------------------------------
 */

/* As an effect: of is the case; the kind is above the verbs, what belongs to it in the verdict. */
#define TELL_KINDS 0x80

static void tell_order(struct engine *engine, int64_t time_us, const struct notice_order *order)
{
    if (is_erased(engine, order->tenant, order->account))
        return;
    put(inbox_change(engine, order->tenant, order->account),
        (struct notice){.kind = order->kind,
                        .how = order->how,
                        .target = order->target,
                        .other = order->case_id,
                        .time_us = time_us,
                        .until_us = order->until_us});
}

void notice_tell(struct engine *engine, const struct record *cause,
                 const struct notice_order *order)
{
    struct record *effect;

    if (is_home(engine, order->account)) {
        tell_order(engine, cause->time_us, order);
        return;
    }
    effect_emit(engine, cause, hash_partition(order->account, engine->partition_count),
                EFFECT_NOTICE, (uint8_t)(TELL_KINDS | order->kind), order->case_id, order->account,
                (int64_t)order->target, NULL);
    effect = &engine->effects[engine->effect_count - 1].record;
    effect->fields |= RECORD_HAS_NOTICE;
    effect->notify = (uint8_t)(NOTIFY_BACK | order->how);
    effect->since_us = order->until_us;
}

void notice_take(struct engine *engine, const struct record *effect)
{
    uint8_t verb = (uint8_t)(effect->b >> 16);
    uint64_t item = effect->c >> 1 ^ (0 - (effect->c & 1));

    if (!(verb & TELL_KINDS)) {
        tell(engine, effect, verb, effect->target, item);
        return;
    }
    tell_order(engine, effect->time_us,
               &(struct notice_order){.tenant = effect->tenant,
                                      .kind = verb & (TELL_KINDS - 1),
                                      .how = effect->notify & NOTIFY_LEVELS,
                                      .account = effect->target,
                                      .target = item,
                                      .case_id = effect->account,
                                      .until_us = effect->since_us});
}

static_assert(VERB_COUNT < TELL_KINDS && (int)DECISION_COUNT <= (int)NOTIFY_LEVELS &&
                  (int)SANCTION_COUNT <= (int)NOTIFY_LEVELS,
              "an effect tells a kind of notice apart from a verb, and holds how");

void notice_tell_creator(struct engine *engine, const struct record *cause, uint64_t item,
                         struct notice_order order)
{
    uint32_t slot = hot_item_find(engine->hot, cause->tenant, item);

    if (slot == HOT_NONE || !hot_item(engine->hot, slot)->has_creator)
        return;
    order.tenant = cause->tenant;
    order.account = hot_item(engine->hot, slot)->creator;
    order.target = item;
    notice_tell(engine, cause, &order);
}

/* A restriction that has ended since the inbox was read is news. */
static bool is_unread(const struct inbox_row *inbox, const struct notice *notice, int64_t now_us)
{
    return notice->id > inbox->read ||
           (notice->kind == NOTICE_SANCTION && notice->until_us != 0 &&
            notice->until_us <= now_us && notice->until_us > inbox->read_us);
}

bool notice_reads(const struct inbox_row *inbox, uint64_t id, int64_t now_us)
{
    for (uint32_t i = 0; i < inbox->count; i++)
        if (inbox->at[i].id <= id && is_unread(inbox, &inbox->at[i], now_us))
            return true;
    return false;
}

void notice_read(struct engine *engine, const struct record *record)
{
    struct inbox_row *inbox = inbox_change(engine, record->tenant, record->account);
    uint32_t id = record->a < inbox->last ? (uint32_t)record->a : inbox->last;

    if (id > inbox->read)
        inbox->read = id;
    inbox->read_us = record->time_us;
}

/* --- what has to be in memory -------------------------------------------------------------------
 */

void notice_need_inbox(struct engine *engine, struct needs *needs, uint16_t tenant,
                       uint64_t account)
{
    if (is_home(engine, account) && hot_inbox_find(engine->hot, tenant, account) == HOT_NONE &&
        store_may_have_inbox(engine->store, tenant, account))
        needs->inboxes[needs->inbox_count++] = (struct inbox_key){.id = account, .tenant = tenant};
}

void notice_need(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t account,
                 uint64_t recipient, uint8_t levels)
{
    if (recipient == account || !is_home(engine, recipient))
        return;
    notice_need_inbox(engine, needs, tenant, recipient);
    if (!is_relative(levels))
        return;
    need_edge(engine, needs, tenant, EDGE_FOLLOW, recipient, account);
    need_edge(engine, needs, tenant, EDGE_FOLLOW, account, recipient);
}

bool notice_may(const struct engine *engine, uint8_t verb)
{
    if (verb == VERB_LIKE && engine->judges != NULL && engine->judges->trust != NULL)
        return true; /* a quarantine may open */
    return (verb <= VERB_UNFOLLOW && is_off(verb)) || notice_levels(engine, verb) != 0;
}

bool notice_may_sanction(const struct engine *engine, uint8_t verb)
{
    const uint32_t deeds =
        1u << POLICY_LIKE_BAN | 1u << POLICY_LIMIT | 1u << POLICY_WEIGHT | 1u << POLICY_POINTS;
    const struct policy *policy = engine->judges != NULL ? engine->judges->policy : NULL;

    if (policy == NULL || verb >= VERB_COUNT)
        return false;
    for (uint16_t i = policy->by_verb.first[verb]; i < policy->by_verb.first[verb + 1]; i++) {
        const struct policy_rule *rule = &policy->rules[policy->by_verb.at[i]];

        for (uint32_t k = 0; !rule->shadow && k < rule->deed_count; k++)
            if (deeds >> rule->deeds[k].action & 1 && !rule->deeds[k].proposed &&
                (rule->deeds[k].action == POLICY_POINTS || rule->deeds[k].for_us > 0))
                return true;
    }
    return false;
}

/* --- answers ------------------------------------------------------------------------------------
 */

/* A few that were taken back could be told apart: nothing is shown of them. */
static bool is_shown(const struct notice *notice)
{
    return notice->kind != NOTICE_DIGEST || !is_off(notice->verb) ||
           notice->count >= NOTICE_CROWD || PLANTED("engine.single_unlike_is_told");
}

static struct notice_view view_of(const struct inbox_row *inbox, const struct notice *notice,
                                  int64_t now_us)
{
    struct notice_view view = {.notice = *notice,
                               .unread = is_unread(inbox, notice, now_us),
                               .over = notice->until_us != 0 && notice->until_us <= now_us &&
                                       !is_act(notice)};

    /* Likes and favorites are their holders' affair (docs/activity.md); who takes something back is
     * nobody's. A comment, a share and a follow name their author. */
    view.named =
        notice->kind == NOTICE_ACT &&
        (notice->verb == VERB_FOLLOW || notice->verb == VERB_COMMENT || notice->verb == VERB_SHARE);
    if (notice->kind == NOTICE_ACT && !view.named)
        view.notice.other = 0;
    return view;
}

bool notice_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    uint32_t slot = hot_inbox_find(engine->hot, request->tenant, request->account);
    uint32_t max = request->count < NOTICES_MAX ? request->count : NOTICES_MAX, count = 0;
    struct notice_view *views = arena_take(&engine->arena, max * sizeof *views);
    uint64_t below = request->flags & REQUEST_HAS_CURSOR ? request->u.cursor : UINT64_MAX;
    const struct inbox_row *inbox;

    if (views == NULL)
        return false;
    reply->kind = REPLY_NOTICES;
    reply->u.notices = views;
    if (slot == HOT_NONE)
        return true;
    inbox = hot_inbox(engine->hot, slot);
    for (uint32_t i = inbox->count; i > 0; i--) {
        const struct notice *at = &inbox->at[i - 1];

        if (!is_shown(at))
            continue;
        reply->unread += is_unread(inbox, at, engine->now_us);
        if (at->id >= below)
            continue;
        if (count < max)
            views[count++] = view_of(inbox, at, engine->now_us);
        else
            reply->cursor = views[count - 1].notice.id;
    }
    reply->count = (uint16_t)count;
    return true;
}
