/* Replies to JSON, written directly: a page of a thousand entries would cost jansson three thousand
 * allocations. Objects have all their members in every reply of a kind (null where there is
 * nothing to tell), so that a client may rely on them. openapi.c describes what is written here;
 * the talk tests hold the two together. */
#include "wire/json.h"

#include "wire/case_map.h"
#include "wire/policy_map.h"
#include "wire/tree_out.h"

#include <assert.h>
#include <string.h>

#include "schema/access.h"

/* Begins a member: `{"name":` or `,"name":`. */
static void key(struct text *text, char before, const char *name)
{
    char mark[2] = {before, '"'};

    text_put(text, mark, 2);
    text_puts(text, name);
    text_put(text, "\":", 2);
}

static void put_bool(struct text *text, bool value)
{
    text_puts(text, value ? "true" : "false");
}

static void member(struct text *text, char before, const char *name, uint64_t value)
{
    key(text, before, name);
    text_u64(text, value);
}

static void hundredths(struct text *text, const char *name, uint64_t value)
{
    member(text, ',', name, value / 100);
    text_put(text, ".", 1);
    text_u64(text, value / 10 % 10);
    text_u64(text, value % 10);
}

/* See resp_reply.c. credited is a number with two places. */
static void put_likes(struct text *text, uint64_t raw, const struct credit *credit,
                      const struct item_row *item)
{
    char before = '{';

    key(text, ',', "likes");
    member(text, '{', "raw", raw);
    member(text, ',', "valid", credit_valid(raw, credit));
    hundredths(text, "credited", credit->credited_pct);
    member(text, ',', "held", credit->held);
    member(text, ',', "quarantined", credit->quarantined);
    member(text, ',', "voided", credit->voided);
    if (item != NULL) {
        hundredths(text, "fading", item->withdrawn.fading_q16 >> 16);
        hundredths(text, "frozen", item->withdrawn.frozen_pct);
        member(text, ',', "peak", item->peak);
        key(text, ',', "reasons");
        for (unsigned i = 0; i < REASON_COUNT; i++)
            if (item->reasons[i] != 0) {
                member(text, before, reason_name((enum reason)i), item->reasons[i]);
                before = ',';
            }
        text_puts(text, before == '{' ? "{}" : "}");
    }
    text_put(text, "}", 1);
}

/* Nobody follows an item: its map leaves that counter out. */
static void put_counters(struct text *text, const uint64_t counts[COUNTER_COUNT], bool with_follow)
{
    char before = '{';

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        if (i == COUNTER_FOLLOW && !with_follow)
            continue;
        member(text, before, counter_name((enum counter)i), counts[i]);
        before = ',';
    }
}

static void put_paused(struct text *text, const struct item_row *item)
{
    key(text, ',', "paused");
    if (item->pause.until_s == 0) {
        text_puts(text, "null");
        return;
    }
    member(text, '{', "until_ms", item->pause.until_s * 1000ULL);
    key(text, ',', "by");
    text_json(text, pause_by_name(item->pause.by), strlen(pause_by_name(item->pause.by)));
    for (uint32_t i = 0; i < PAUSE_COUNTERS; i++)
        member(text, ',', counter_name((enum counter)pause_counter[i]), pause_total(item, i));
    text_put(text, "}", 1);
}

static void put_item_counts(struct text *text, const struct item_row *item)
{
    put_counters(text, item->counts, false);
    put_likes(text, item->counts[COUNTER_LIKE], &item->credit, item);
    key(text, ',', "views");
    member(text, '{', "raw", item->counts[COUNTER_VIEW]);
    hundredths(text, "credited", item_views_pct(item));
    text_put(text, "}", 1);
    put_paused(text, item);
    text_put(text, "}", 1);
}

static void put_given(struct text *text, const struct account_row *account)
{
    put_counters(text, account->given, true);
    text_put(text, "}", 1);
}

static void put_all_received(struct text *text, const struct account_row *account)
{
    put_counters(text, account->received, true);
    put_likes(text, account->received[COUNTER_LIKE], &account->received_credit, NULL);
    text_put(text, "}", 1);
}

/* "item", "account" or "creator": what the verb calls the target. */
static const char *target_name(enum verb verb)
{
    return verb_info(verb)->edge == EDGE_FOLLOW ? "creator" : "item";
}

/* --- writes --------------------------------------------------------------------------------- */

/* As many as were asked for: a replayed answer knows the bits and not their number. */
static void put_actions(struct text *text, const struct request *request, const struct reply *reply)
{
    key(text, ',', "actions");
    text_put(text, "[", 1);
    for (unsigned i = 0; i < request->count; i++) {
        text_put(text, ",", i > 0);
        put_bool(text, reply->applied >> i & 1);
    }
    text_put(text, "]", 1);
}

static void put_counts_of_target(struct text *text, const struct request *request,
                                 const struct reply *reply)
{
    bool told = access_tells_counts(request);

    key(text, ',', "counts");
    if (told && reply->item != NULL)
        put_item_counts(text, reply->item);
    else if (told && reply->account != NULL)
        put_all_received(text, reply->account);
    else
        text_puts(text, "null");
}

static void put_write(struct text *text, const struct request *request, const struct reply *reply)
{
    uint8_t shape = verb_info((enum verb)request->verb)->shape;

    key(text, '{', "applied");
    put_bool(text, reply->applied != 0);
    key(text, ',', "sequence");
    text_json_id(text, reply->sequence);
    if (shape == SHAPE_SET) {
        key(text, ',', "on");
        put_bool(text, reply->on);
        key(text, ',', "flips");
        text_u64(text, reply->flips);
        if (reply->intent != 0) {
            const char *intent = intent_name((enum intent)reply->intent);

            key(text, ',', "intent");
            text_json(text, intent, strlen(intent));
        }
    }
    if (shape == SHAPE_ACT)
        put_actions(text, request, reply);
    if (reply->attested != ATTESTED_NONE) {
        key(text, ',', "attested");
        put_bool(text, reply->attested == ATTESTED_YES);
    }
    key(text, ',', "replayed");
    put_bool(text, reply->replayed);
    put_counts_of_target(text, request, reply);
    text_put(text, "}\n", 2);
}

/* --- reads ---------------------------------------------------------------------------------- */

/* {"account":"7","item":"9","on":true} for one; {"account":"7","verb":"like","on":[...]} for many.
 */
static void put_states(struct text *text, const struct json_request *request,
                       const struct reply *reply)
{
    bool many = request->route->choice[0] != 0;

    key(text, '{', "account");
    text_json_id(text, request->request.account);
    key(text, ',', many ? "verb" : target_name(request->route->verb));
    if (many)
        text_json(text, request->route->choice, strlen(request->route->choice));
    else
        text_json_id(text, request->ids[0]);
    key(text, ',', "on");
    text_put(text, "[", many);
    for (unsigned i = 0; i < reply->count; i++) {
        text_put(text, ",", i > 0);
        put_bool(text, reply->u.values[i] != 0);
    }
    text_put(text, "]", many);
    text_put(text, "}\n", 2);
}

/* Which of the items' totals are told without their growth, and until when. */
static void put_held(struct text *text, const struct json_request *request,
                     const struct reply *reply)
{
    const uint64_t *until_ms = reply->u.values + reply->count;
    bool first = true;

    key(text, ',', "paused");
    text_put(text, "[", 1);
    for (unsigned i = 0; reply->held && i < reply->count; i++) {
        if (until_ms[i] == 0)
            continue;
        text_put(text, ",", !first);
        key(text, '{', "item");
        text_json_id(text, request->ids[i]);
        member(text, ',', "until_ms", until_ms[i]);
        text_put(text, "}", 1);
        first = false;
    }
    text_put(text, "]", 1);
}

static void put_totals(struct text *text, const struct json_request *request,
                       const struct reply *reply)
{
    key(text, '{', "verb");
    text_json(text, request->route->choice, strlen(request->route->choice));
    key(text, ',', "counts");
    text_put(text, "[", 1);
    for (unsigned i = 0; i < reply->count; i++) {
        text_put(text, ",", i > 0);
        text_u64(text, reply->u.values[i]);
    }
    text_put(text, "]", 1);
    put_held(text, request, reply);
    text_put(text, "}\n", 2);
}

static void put_sequences(struct text *text, const struct reply *reply)
{
    key(text, '{', "sequences");
    text_put(text, "[", 1);
    for (unsigned i = 0; i < reply->count; i++) {
        text_put(text, ",", i > 0);
        text_json_id(text, reply->u.values[i]);
    }
    text_put(text, "]}\n", 3);
}

static void put_integers(struct text *text, const struct json_request *request,
                         const struct reply *reply)
{
    switch (verb_info(request->route->verb)->shape) {
    case SHAPE_STATES:
        put_states(text, request, reply);
        return;
    case SHAPE_CLEANUP:
        member(text, '{', "cleanup", reply->u.values[0]);
        member(text, ',', "changed", reply->u.values[1]);
        key(text, ',', "more");
        put_bool(text, reply->u.values[2] != 0);
        text_put(text, "}\n", 2);
        return;
    case SHAPE_TOTALS:
        put_totals(text, request, reply);
        return;
    default:
        put_sequences(text, reply);
    }
}

/* A reply of one number is a reply of one-element arrays here. */
static void put_integer(struct text *text, const struct json_request *request,
                        const struct reply *reply)
{
    uint64_t value = (uint64_t)reply->u.value;
    struct reply copy = *reply;

    if (verb_info(request->route->verb)->group == GROUP_WRITE) {
        copy.applied = value != 0;
        put_write(text, &request->request, &copy);
        return;
    }
    copy.count = 1;
    copy.u.values = &value;
    put_integers(text, request, &copy);
}

static void put_page(struct text *text, enum verb verb, const struct reply *reply)
{
    const char *name = verb_info(verb)->shape == SHAPE_TAKEN ? "account" : target_name(verb);

    key(text, '{', "entries");
    text_put(text, "[", 1);
    for (unsigned i = 0; i < reply->count; i++) {
        const struct reply_entry *entry = &reply->u.page[i];

        text_put(text, ",", i > 0);
        key(text, '{', name);
        text_json_id(text, entry->id);
        key(text, ',', "time_ms");
        text_i64(text, entry->time_us / 1000);
        text_put(text, "}", 1);
    }
    text_put(text, "]", 1);
    if (verb_info(verb)->shape == SHAPE_CLEANUP_PREVIEW) {
        member(text, ',', "count", reply->cursor);
        text_put(text, "}\n", 2);
        return;
    }
    key(text, ',', "cursor");
    if (reply->cursor == 0)
        text_puts(text, "null");
    else
        text_json_id(text, reply->cursor);
    text_put(text, "}\n", 2);
}

static void put_exposure(struct text *text, const struct item_row *item)
{
    const struct campaign *campaign = &item->campaign;

    key(text, ',', "original");
    put_bool(text, !item->repost);
    key(text, ',', "published_ms");
    if (item->published_s != 0)
        text_u64(text, item->published_s * 1000ULL);
    else
        text_puts(text, "null");
    key(text, ',', "campaign");
    if (campaign->budget == 0) {
        text_puts(text, "null");
        return;
    }
    member(text, '{', "budget", campaign->budget);
    member(text, ',', "spent", campaign->spent);
    member(text, ',', "until_ms", campaign->until_s * 1000ULL);
    member(text, ',', "holdout_pct", campaign->holdout_pct);
    text_put(text, "}", 1);
}

static void put_item_map(struct text *text, const struct item_row *item)
{
    key(text, '{', "item");
    text_json_id(text, item->id);
    key(text, ',', "state");
    text_json(text, item_state_name(item->state), strlen(item_state_name(item->state)));
    key(text, ',', "creator");
    if (item->has_creator)
        text_json_id(text, item->creator);
    else
        text_puts(text, "null");
    key(text, ',', "duration_ms");
    text_u64(text, item->duration_ms);
    key(text, ',', "first_ms");
    text_i64(text, item->first_us / 1000);
    key(text, ',', "watch_ms");
    text_u64(text, item->watch_ms);
    key(text, ',', "taken_back");
    text_u64(text, item->taken_back);
    put_exposure(text, item);
    key(text, ',', "counts");
    put_item_counts(text, item);
    text_put(text, "}", 1);
}

static void put_item(struct text *text, const struct item_row *item)
{
    put_item_map(text, item);
    text_put(text, "\n", 1);
}

static void put_fields(struct text *text, const struct case_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct case_field *field = &fields[i];

        key(text, i == 0 ? '{' : ',', field->name);
        switch ((enum case_field_type)field->type) {
        case CASE_FIELD_ID:
            text_json_id(text, field->value);
            break;
        case CASE_FIELD_TIME:
            if (field->value == 0)
                text_puts(text, "null");
            else
                text_u64(text, field->value / 1000);
            break;
        case CASE_FIELD_SIGNED:
            text_i64(text, (int64_t)field->value);
            break;
        case CASE_FIELD_COUNT:
            text_u64(text, field->value);
            break;
        case CASE_FIELD_BOOL:
            put_bool(text, field->value != 0);
            break;
        case CASE_FIELD_NONE:
            text_puts(text, "null");
            break;
        case CASE_FIELD_WORD:
        case CASE_FIELD_TEXT:
            text_json(text, field->text, field->size);
            break;
        }
    }
}

static void put_case_fields(struct text *text, const struct case_field *fields, uint32_t count)
{
    put_fields(text, fields, count);
    text_put(text, "}", 1);
}

static void put_case(struct text *text, const struct reply *reply)
{
    struct case_field fields[CASE_FIELDS_MAX];
    char words[CASE_WORDS_MAX];

    put_case_fields(text, fields, case_fields(reply->cased, reply->own, fields, words));
    text_put(text, "\n", 1);
}

static void put_account(struct text *text, const struct reply *reply)
{
    const struct account_row *account = reply->account;
    struct case_field fields[CASE_FIELDS_MAX];
    char words[STANDING_WORDS_MAX];
    const char *state = account_state_name(account->state);
    const char *visible = visibility_name(account->visibility), *tier = tier_name(account->tier);

    key(text, '{', "account");
    text_json_id(text, account->id);
    key(text, ',', "state");
    text_json(text, state, strlen(state));
    key(text, ',', "until_ms");
    if (account->state != ACCOUNT_ACTIVE && account->state != ACCOUNT_ERASED)
        text_i64(text, account->until_us / 1000);
    else
        text_puts(text, "null");
    key(text, ',', "first_ms");
    text_i64(text, account->first_us / 1000);
    key(text, ',', "visible");
    text_json(text, visible, strlen(visible));
    key(text, ',', "tier");
    text_json(text, tier, strlen(tier));
    key(text, ',', "epoch");
    text_u64(text, account->epoch);
    key(text, ',', "taken_back");
    text_u64(text, account->taken_back);
    key(text, ',', "standing");
    put_case_fields(text, fields, standing_fields(account, fields, words));
    key(text, ',', "case");
    if (reply->cased != NULL)
        put_case(text, reply);
    else
        text_puts(text, "null");
    key(text, ',', "given");
    put_given(text, account);
    key(text, ',', "received");
    put_all_received(text, account);
    text_put(text, "}\n", 2);
}

static void put_counts(struct text *text, const struct json_request *request,
                       const struct reply *reply)
{
    key(text, '{', "item");
    text_json_id(text, request->request.target);
    key(text, ',', "counts");
    put_item_counts(text, reply->item);
    text_put(text, "}\n", 2);
}

static void put_received(struct text *text, const struct json_request *request,
                         const struct reply *reply)
{
    key(text, '{', "creator");
    text_json_id(text, request->request.account);
    key(text, ',', "received");
    put_all_received(text, reply->account);
    text_put(text, "}\n", 2);
}

/* 0: there is none. */
static void moment(struct text *text, const char *name, int64_t time_ms)
{
    key(text, ',', name);
    if (time_ms == 0)
        text_puts(text, "null");
    else
        text_u64(text, (uint64_t)time_ms);
}

static void put_budget(struct text *text, const struct json_request *request,
                       const struct reply *reply)
{
    const struct compensation *row = &reply->account->compensation;

    key(text, '{', "creator");
    text_json_id(text, request->request.account);
    hundredths(text, "balance", row->balance_pct);
    hundredths(text, "granted", row->granted_pct);
    hundredths(text, "spent", row->spent_pct);
    hundredths(text, "owed", row->owed_pct);
    moment(text, "until_ms", (int64_t)row->until_s * 1000);
    text_put(text, "}\n", 2);
}

/* The end of a page. */
static void put_end(struct text *text, const struct reply *reply)
{
    text_put(text, "]", 1);
    key(text, ',', "cursor");
    if (reply->cursor == 0)
        text_puts(text, "null");
    else
        text_json_id(text, reply->cursor);
    text_put(text, "}\n", 2);
}

/* What is told of one entry of the reply; words: for texts that are put together. */
typedef uint32_t (*entry_fields)(const struct reply *reply, uint32_t i,
                                 struct case_field fields[CASE_FIELDS_MAX],
                                 char words[CASE_WORDS_MAX]);

static uint32_t brief_of(const struct reply *reply, uint32_t i,
                         struct case_field fields[CASE_FIELDS_MAX], char words[CASE_WORDS_MAX])
{
    (void)words;
    return case_brief_fields(&reply->u.cases[i], fields);
}

static uint32_t weighed_of(const struct reply *reply, uint32_t i,
                           struct case_field fields[CASE_FIELDS_MAX], char words[CASE_WORDS_MAX])
{
    (void)words;
    return weighed_fields(&reply->u.edges[i], fields);
}

static uint32_t notice_of(const struct reply *reply, uint32_t i,
                          struct case_field fields[CASE_FIELDS_MAX], char words[CASE_WORDS_MAX])
{
    (void)words;
    return notice_fields(&reply->u.notices[i], fields);
}

static uint32_t shield_of(const struct reply *reply, uint32_t i,
                          struct case_field fields[CASE_FIELDS_MAX], char words[CASE_WORDS_MAX])
{
    return case_fields(&reply->u.shields[i], 1, fields, words);
}

/* The list of that name, and the end of the reply. */
static void put_entries(struct text *text, const struct reply *reply, char before,
                        const char *name, entry_fields of)
{
    struct case_field fields[CASE_FIELDS_MAX];
    char words[CASE_WORDS_MAX];

    key(text, before, name);
    text_put(text, "[", 1);
    for (unsigned i = 0; i < reply->count; i++) {
        text_put(text, ",", i > 0);
        put_case_fields(text, fields, of(reply, i, fields, words));
    }
    put_end(text, reply);
}

static void put_notices(struct text *text, const struct reply *reply)
{
    member(text, '{', "unread", reply->unread);
    put_entries(text, reply, ',', "entries", notice_of);
}

static void put_quality(struct text *text, const struct quality *quality)
{
    key(text, ',', "quality");
    if (quality == NULL) {
        text_puts(text, "null");
        return;
    }
    member(text, '{', "looked", quality->looked);
    for (uint32_t band = 0; band < QUALITY_BANDS; band++) {
        key(text, ',', quality_name(band));
        if (quality->hidden >> band & 1)
            text_puts(text, "null");
        else
            text_u64(text, quality->likes[band]);
    }
    text_put(text, "}", 1);
}

static void put_points(struct text *text, const struct reply *reply)
{
    key(text, '{', "account");
    text_json_id(text, reply->account->id);
    key(text, ',', "balance");
    text_i64(text, reply->account->points);
    put_entries(text, reply, ',', "entries", shield_of);
}

static void put_shield(struct text *text, const struct reply *reply)
{
    key(text, '{', "item");
    put_item_map(text, reply->item);
    moment(text, "window_until_ms", reply->item->window_until_us / 1000);
    put_quality(text, reply->quality);
    put_entries(text, reply, ',', "cases", shield_of);
}

static void put_export(struct text *text, const struct reply *reply)
{
    struct case_field fields[CASE_FIELDS_MAX];

    key(text, '{', "entries");
    text_put(text, "[", 1);
    if (reply->account != NULL) {
        text_puts(text, "{\"kind\":\"account\",\"account\":");
        put_account(text, reply);
        text_put(text, "}", 1);
    } else if (reply->cased != NULL) {
        text_puts(text, "{\"kind\":\"case\",\"case\":");
        put_case(text, reply);
        text_put(text, "}", 1);
    } else if (reply->noticed) {
        for (unsigned i = 0; i < reply->count; i++) {
            text_puts(text, i > 0 ? ",{\"kind\":\"notice\",\"notice\":"
                                  : "{\"kind\":\"notice\",\"notice\":");
            put_case_fields(text, fields, notice_fields(&reply->u.notices[i], fields));
            text_put(text, "}", 1);
        }
    } else {
        for (unsigned i = 0; i < reply->count; i++) {
            text_put(text, ",", i > 0);
            put_case_fields(text, fields, export_fields(&reply->u.edges[i], fields));
        }
    }
    text_put(text, "]", 1);
    key(text, ',', "cursor");
    if (reply->cursor == 0)
        text_puts(text, "null");
    else
        text_json_id(text, reply->cursor);
    text_put(text, "}\n", 2);
}

/* --- rules ------------------------------------------------------------------------------------ */

static void put_head(struct text *text, const struct policy_head *head)
{
    struct case_field fields[POLICY_FIELDS_MAX];
    char digits[POLICY_DIGITS];

    put_case_fields(text, fields, policy_head_fields(head, fields, digits));
}

static void put_policies(struct text *text, const struct reply *reply)
{
    key(text, '{', "entries");
    text_put(text, "[", 1);
    for (uint32_t i = 0; i < reply->count; i++) {
        text_put(text, ",", i > 0);
        put_head(text, &reply->u.policies[i]);
    }
    text_puts(text, "]}\n");
}

static void put_policy(struct text *text, const struct policy_view *view)
{
    struct case_field fields[POLICY_FIELDS_MAX];
    char digits[POLICY_DIGITS];

    put_fields(text, fields, policy_fields(view, fields, digits));
    if (view->has_lines) {
        key(text, ',', "rules");
        text_put(text, "[", 1);
        for (uint32_t i = 0; i < view->line_count; i++) {
            text_put(text, ",", i > 0);
            put_case_fields(text, fields, policy_line_fields(&view->lines[i], fields));
        }
        text_put(text, "]", 1);
    }
    text_puts(text, "}\n");
}

void json_reply(struct text *text, const struct json_request *request, const struct reply *reply)
{
    assert(reply->kind != REPLY_ERROR);
    switch ((enum reply_kind)reply->kind) {
    case REPLY_INTEGER:
        put_integer(text, request, reply);
        return;
    case REPLY_INTEGERS:
        put_integers(text, request, reply);
        return;
    case REPLY_WRITE:
        put_write(text, &request->request, reply);
        return;
    case REPLY_COUNTS:
        put_counts(text, request, reply);
        return;
    case REPLY_BUDGET:
        put_budget(text, request, reply);
        return;
    case REPLY_RECEIVED:
        put_received(text, request, reply);
        return;
    case REPLY_PAGE:
        put_page(text, request->route->verb, reply);
        return;
    case REPLY_ITEM:
        put_item(text, reply->item);
        return;
    case REPLY_ACCOUNT:
        put_account(text, reply);
        return;
    case REPLY_CASE:
        put_case(text, reply);
        return;
    case REPLY_CASES:
        put_entries(text, reply, '{', "entries", brief_of);
        return;
    case REPLY_WEIGHED:
        put_entries(text, reply, '{', "entries", weighed_of);
        return;
    case REPLY_EXPORT:
        put_export(text, reply);
        return;
    case REPLY_POLICY:
        put_policy(text, reply->u.policy);
        return;
    case REPLY_POLICIES:
        put_policies(text, reply);
        return;
    case REPLY_NOTICES:
        put_notices(text, reply);
        return;
    case REPLY_SHIELD:
        put_shield(text, reply);
        return;
    case REPLY_POINTS:
        put_points(text, reply);
        return;
    case REPLY_TREE:
        json_out_tree(text, reply->u.tree, reply->count);
        text_put(text, "\n", 1);
        return;
    case REPLY_ERROR:
        break;
    }
    assert(false); /* a kind of reply nobody knows */
}
