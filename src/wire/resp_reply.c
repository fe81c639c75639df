/* Replies to RESP. Maps have all their keys in every reply of a kind, so that a client may rely on
 * them; ids are bulk strings, because RESP integers are signed and ids are not. */
#include "wire/resp.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "schema/access.h"
#include "wire/case_map.h"
#include "wire/policy_map.h"
#include "wire/resp_out.h"
#include "wire/tree_out.h"

#define INTEGER_BYTES_MAX 23   /* ':' sign 19 digits CR LF, and one to spare */
#define MAP_BYTES_MAX     2304 /* the largest map, an item with every reason, needs less than 1400 */
#define PAGE_HEAD_BYTES   48   /* *2, the cursor, the head of the entries */
#define ENTRY_BYTES_MAX   (4 + 27 + INTEGER_BYTES_MAX)
#define CASE_BYTES_MAX    3584 /* 36 members, half a KiB of them texts */
#define BRIEF_BYTES_MAX   512
#define EXPORT_BYTES_MAX  320 /* 7 members */
#define WEIGHED_BYTES_MAX 320 /* 7 members */
#define NOTICE_BYTES_MAX  640 /* 14 members, less than 100 bytes of words */
#define DETAIL_BYTES_MAX  200
#define POLICY_DETAIL_MAX                                                                          \
    360 /* line, column and a sentence or two: status text and advice are short */

/* --- errors ----------------------------------------------------------------------------------- */

/* A reply is one line: whatever detail came from outside must not end it. */
static void put_detail(struct resp_out *out, enum status status, const char *detail)
{
    size_t size =
        strnlen(detail, status == STATUS_BADPOLICY ? POLICY_DETAIL_MAX : DETAIL_BYTES_MAX);

    resp_out_raw(out, ": ", 2);
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)detail[i];

        bool harmful = byte < ' ' || byte == 0x7F;

        resp_out_raw(out, harmful && !PLANTED("wire.error_of_two_lines") ? "?" : &detail[i], 1);
    }
}

static void put_text(struct resp_out *out, const char *text)
{
    resp_out_raw(out, text, strlen(text));
}

static void put_number(struct resp_out *out, const char *name, uint64_t value)
{
    char digits[20];

    put_text(out, name);
    resp_out_raw(out, digits, resp_out_digits(value, digits));
}

static void put_error(struct resp_out *out, enum status status, const char *detail)
{
    const struct status_info *info = status_info(status);

    put_text(out, "-");
    put_text(out, info->code);
    put_text(out, " ");
    put_text(out, info->text);
    if (detail != NULL && detail[0] != '\0')
        put_detail(out, status, detail);
    put_text(out, "; ");
    put_text(out, info->advice);
}

size_t resp_error(enum status status, const char *detail, uint8_t *bytes)
{
    struct resp_out out = {.bytes = bytes, .size = RESP_ERROR_BYTES_MAX, .protocol = 2};

    put_error(&out, status, detail);
    put_text(&out, "\r\n");
    assert(out.used <= RESP_ERROR_BYTES_MAX);
    return out.used;
}

static void put_refusal(struct resp_out *out, const struct reply *reply)
{
    put_error(out, (enum status)reply->status, reply_detail(reply));
    if (reply->status == STATUS_SUSPENDED)
        put_number(out, "; until=", reply->until_us > 0 ? (uint64_t)reply->until_us / 1000 : 0);
    if (reply->status == STATUS_BUSY || (reply->status == STATUS_RATE && reply->retry_ms > 0))
        put_number(out, "; retry_ms=", reply->retry_ms);
    put_text(out, "\r\n");
}

/* --- maps ------------------------------------------------------------------------------------- */

static void put_counter_of(struct resp_out *out, const char *name, uint64_t value)
{
    resp_out_text(out, name);
    resp_out_counter(out, value);
}

/* 0: there is none. */
static void put_moment(struct resp_out *out, const char *name, int64_t time_ms)
{
    resp_out_text(out, name);
    if (time_ms == 0)
        resp_out_null(out);
    else
        resp_out_counter(out, (uint64_t)time_ms);
}

/* Raw, valid and credited are never told apart from each other, nor without why they differ. item:
 * NULL for the sum over a creator's items. */
static void put_likes(struct resp_out *out, uint64_t raw, const struct credit *credit,
                      const struct item_row *item)
{
    uint32_t reasons = 0;

    resp_out_text(out, "likes");
    resp_out_map(out, item != NULL ? 10 : 6);
    put_counter_of(out, "raw", raw);
    put_counter_of(out, "valid", credit_valid(raw, credit));
    resp_out_text(out, "credited");
    resp_out_hundredths(out, credit->credited_pct);
    put_counter_of(out, "held", credit->held);
    put_counter_of(out, "quarantined", credit->quarantined);
    put_counter_of(out, "voided", credit->voided);
    if (item == NULL)
        return;
    resp_out_text(out, "fading");
    resp_out_hundredths(out, item->withdrawn.fading_q16 >> 16);
    resp_out_text(out, "frozen");
    resp_out_hundredths(out, item->withdrawn.frozen_pct);
    put_counter_of(out, "peak", item->peak);
    for (int i = 0; i < REASON_COUNT; i++)
        reasons += item->reasons[i] != 0;
    resp_out_text(out, "reasons");
    resp_out_map(out, reasons);
    for (int i = 0; i < REASON_COUNT; i++)
        if (item->reasons[i] != 0)
            put_counter_of(out, reason_name((enum reason)i), item->reasons[i]);
}

static void put_counters(struct resp_out *out, const uint64_t counts[COUNTER_COUNT],
                         bool with_follow)
{
    for (uint32_t i = 0; i < COUNTER_COUNT; i++)
        if (i != COUNTER_FOLLOW || with_follow)
            put_counter_of(out, counter_name((enum counter)i), counts[i]);
}

static void put_views(struct resp_out *out, const struct item_row *item)
{
    resp_out_text(out, "views");
    resp_out_map(out, 2);
    put_counter_of(out, "raw", item->counts[COUNTER_VIEW]);
    resp_out_text(out, "credited");
    resp_out_hundredths(out, item_views_pct(item));
}

/* What is shown of the item while its growth is not; null: all is shown as it is. */
static void put_paused(struct resp_out *out, const struct item_row *item)
{
    resp_out_text(out, "paused");
    if (item->pause.until_s == 0) {
        resp_out_null(out);
        return;
    }
    resp_out_map(out, 2 + PAUSE_COUNTERS);
    put_moment(out, "until_ms", item->pause.until_s * 1000LL);
    resp_out_text(out, "by");
    resp_out_text(out, pause_by_name((enum pause_by)item->pause.by));
    for (uint32_t i = 0; i < PAUSE_COUNTERS; i++)
        put_counter_of(out, counter_name((enum counter)pause_counter[i]), pause_total(item, i));
}

/* Nobody follows an item: its map leaves that counter out. */
static void put_item_counts(struct resp_out *out, const struct item_row *item)
{
    resp_out_map(out, COUNTER_COUNT - 1 + 3);
    put_counters(out, item->counts, false);
    put_likes(out, item->counts[COUNTER_LIKE], &item->credit, item);
    put_views(out, item);
    put_paused(out, item);
}

static void put_given(struct resp_out *out, const struct account_row *account)
{
    resp_out_map(out, COUNTER_COUNT);
    put_counters(out, account->given, true);
}

static void put_received(struct resp_out *out, const struct account_row *account)
{
    resp_out_map(out, COUNTER_COUNT + 1);
    put_counters(out, account->received, true);
    put_likes(out, account->received[COUNTER_LIKE], &account->received_credit, NULL);
}

static void put_pct(struct resp_out *out, const char *name, uint64_t pct)
{
    resp_out_text(out, name);
    resp_out_hundredths(out, pct);
}

static void put_budget(struct resp_out *out, const struct account_row *account)
{
    const struct compensation *row = &account->compensation;

    resp_out_map(out, 5);
    put_pct(out, "balance", row->balance_pct);
    put_pct(out, "granted", row->granted_pct);
    put_pct(out, "spent", row->spent_pct);
    put_pct(out, "owed", row->owed_pct);
    put_moment(out, "until_ms", (int64_t)row->until_s * 1000);
}

static void put_applied(struct resp_out *out, const struct request *request,
                        const struct reply *reply)
{
    if (verb_info((enum verb)request->verb)->shape != SHAPE_ACT) {
        resp_out_integer(out, reply->applied & 1);
        return;
    }
    assert(request->count <= REQUEST_ACTIONS_MAX);
    resp_out_array(out, request->count);
    for (uint32_t i = 0; i < request->count; i++)
        resp_out_integer(out, PLANTED("wire.act_tells_the_first") ? reply->applied & 1
                                                                  : reply->applied >> i & 1);
}

/* Counters of what was acted on, if the engine told them. */
static void put_counts_of_target(struct resp_out *out, const struct request *request,
                                 const struct reply *reply)
{
    bool told = access_tells_counts(request);

    resp_out_text(out, "counts");
    if (told && reply->item != NULL)
        put_item_counts(out, reply->item);
    else if (told && reply->account != NULL)
        put_received(out, reply->account);
    else
        resp_out_null(out);
}

static void put_write(struct resp_out *out, const struct request *request,
                      const struct reply *reply)
{
    bool edge = verb_info((enum verb)request->verb)->shape == SHAPE_SET;

    resp_out_map(out, (edge ? 6u : 4u) + (reply->intent != 0) + (reply->attested != ATTESTED_NONE));
    resp_out_text(out, "applied");
    put_applied(out, request, reply);
    put_counter_of(out, "sequence", reply->sequence);
    if (edge) {
        put_counter_of(out, "on", reply->on);
        put_counter_of(out, "flips", reply->flips);
    }
    if (reply->intent != 0) {
        resp_out_text(out, "intent");
        resp_out_text(out, intent_name((enum intent)reply->intent));
    }
    if (reply->attested != ATTESTED_NONE)
        put_counter_of(out, "attested", reply->attested == ATTESTED_YES);
    put_counter_of(out, "replayed", reply->replayed);
    put_counts_of_target(out, request, reply);
}

static void put_campaign(struct resp_out *out, const struct campaign *campaign)
{
    if (campaign->budget == 0) {
        resp_out_null(out);
        return;
    }
    resp_out_map(out, 4);
    put_counter_of(out, "budget", campaign->budget);
    put_counter_of(out, "spent", campaign->spent);
    put_moment(out, "until_ms", campaign->until_s * 1000LL);
    put_counter_of(out, "holdout_pct", campaign->holdout_pct);
}

static void put_item(struct resp_out *out, const struct item_row *item)
{
    resp_out_map(out, 11);
    resp_out_text(out, "id");
    resp_out_id(out, item->id);
    resp_out_text(out, "state");
    resp_out_text(out, item_state_name((enum item_state)item->state));
    resp_out_text(out, "creator");
    if (item->has_creator)
        resp_out_id(out, item->creator);
    else
        resp_out_null(out);
    put_counter_of(out, "duration_ms", item->duration_ms);
    put_counter_of(out, "first_ms", (uint64_t)item->first_us / 1000);
    put_counter_of(out, "watch_ms", item->watch_ms);
    put_counter_of(out, "taken_back", item->taken_back);
    put_counter_of(out, "original", !item->repost);
    put_moment(out, "published_ms", item->published_s * 1000LL);
    resp_out_text(out, "campaign");
    put_campaign(out, &item->campaign);
    resp_out_text(out, "counts");
    put_item_counts(out, item);
}

/* --- cases ------------------------------------------------------------------------------------ */

static void put_fields(struct resp_out *out, const struct case_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct case_field *field = &fields[i];

        resp_out_text(out, field->name);
        switch ((enum case_field_type)field->type) {
        case CASE_FIELD_ID:
            resp_out_id(out, field->value);
            break;
        case CASE_FIELD_TIME:
            if (field->value == 0)
                resp_out_null(out);
            else
                resp_out_counter(out, field->value / 1000);
            break;
        case CASE_FIELD_SIGNED:
            resp_out_integer(out, (int64_t)field->value);
            break;
        case CASE_FIELD_COUNT:
        case CASE_FIELD_BOOL:
            resp_out_counter(out, field->value);
            break;
        case CASE_FIELD_NONE:
            resp_out_null(out);
            break;
        case CASE_FIELD_WORD:
        case CASE_FIELD_TEXT:
            resp_out_bulk(out, field->text, field->size);
            break;
        }
    }
}

static void put_case_fields(struct resp_out *out, const struct case_field *fields, uint32_t count)
{
    resp_out_map(out, count);
    put_fields(out, fields, count);
}

static void put_case(struct resp_out *out, const struct reply *reply)
{
    struct case_field fields[CASE_FIELDS_MAX];
    char words[CASE_WORDS_MAX];
    uint32_t count = case_fields(reply->cased, reply->own, fields, words);

    put_case_fields(out, fields, count);
}

static void put_account(struct resp_out *out, const struct reply *reply)
{
    const struct account_row *account = reply->account;
    struct case_field fields[CASE_FIELDS_MAX];
    char words[STANDING_WORDS_MAX];

    resp_out_map(out, 12);
    resp_out_text(out, "id");
    resp_out_id(out, account->id);
    resp_out_text(out, "state");
    resp_out_text(out, account_state_name((enum account_state)account->state));
    resp_out_text(out, "until_ms");
    if (account->state != ACCOUNT_ACTIVE && account->state != ACCOUNT_ERASED)
        resp_out_integer(out, account->until_us / 1000);
    else
        resp_out_null(out);
    put_counter_of(out, "first_ms", (uint64_t)account->first_us / 1000);
    resp_out_text(out, "visible");
    resp_out_text(out, visibility_name((enum visibility)account->visibility));
    resp_out_text(out, "tier");
    resp_out_text(out, tier_name((enum tier)account->tier));
    put_counter_of(out, "epoch", account->epoch);
    put_counter_of(out, "taken_back", account->taken_back);
    resp_out_text(out, "standing");
    put_case_fields(out, fields, standing_fields(account, fields, words));
    resp_out_text(out, "case");
    if (reply->cased != NULL)
        put_case(out, reply);
    else
        resp_out_null(out);
    resp_out_text(out, "given");
    put_given(out, account);
    resp_out_text(out, "received");
    put_received(out, account);
}

/* --- lists ------------------------------------------------------------------------------------ */

static void put_integers(struct resp_out *out, const struct reply *reply)
{
    static const char one_digit[10][5] = {":0\r\n", ":1\r\n", ":2\r\n", ":3\r\n", ":4\r\n",
                                          ":5\r\n", ":6\r\n", ":7\r\n", ":8\r\n", ":9\r\n"};
    const uint64_t *values = reply->u.values;
    size_t used;

    resp_out_array(out, reply->count);
    used = out->used;
    for (uint32_t i = 0; i < reply->count; i++) {
        /* LIKED answers nothing but 0 and 1: a fifth of its instructions were spent on digits. */
        if (values[i] <= 9 && used + 4 <= out->size) {
            memcpy(out->bytes + used, one_digit[values[i]], 4);
            used += 4;
            continue;
        }
        out->used = used;
        resp_out_counter(out, values[i]);
        used = out->used;
    }
    out->used = used;
}

/* As SCAN answers: the cursor first, "0" when this was the last page. */
static void put_page(struct resp_out *out, const struct reply *reply)
{
    resp_out_array(out, 2);
    resp_out_id(out, PLANTED("wire.page_cursor_lost") ? 0 : reply->cursor);
    resp_out_array(out, reply->count);
    for (uint32_t i = 0; i < reply->count; i++) {
        resp_out_array(out, 2);
        resp_out_id(out, reply->u.page[i].id);
        resp_out_integer(out, reply->u.page[i].time_us / 1000);
    }
}

static void put_cases(struct resp_out *out, const struct reply *reply)
{
    resp_out_array(out, 2);
    resp_out_id(out, reply->cursor);
    resp_out_array(out, reply->count);
    for (uint32_t i = 0; i < reply->count; i++) {
        struct case_field fields[CASE_FIELDS_MAX];

        put_case_fields(out, fields, case_brief_fields(&reply->u.cases[i], fields));
    }
}

static void put_weighed(struct resp_out *out, const struct reply *reply)
{
    resp_out_array(out, 2);
    resp_out_id(out, reply->cursor);
    resp_out_array(out, reply->count);
    for (uint32_t i = 0; i < reply->count; i++) {
        struct case_field fields[CASE_FIELDS_MAX];

        put_case_fields(out, fields, weighed_fields(&reply->u.edges[i], fields));
    }
}

/* --- an export: an account, a case, notices, or edges
 * ---------------------------------------------
 */

static void put_noticed(struct resp_out *out, const struct reply *reply)
{
    struct case_field fields[CASE_FIELDS_MAX];

    resp_out_array(out, reply->count);
    for (uint32_t i = 0; i < reply->count; i++) {
        resp_out_map(out, 2);
        resp_out_text(out, "kind");
        resp_out_text(out, "notice");
        resp_out_text(out, "notice");
        put_case_fields(out, fields, notice_fields(&reply->u.notices[i], fields));
    }
}

static void put_export(struct resp_out *out, const struct reply *reply)
{
    struct case_field fields[CASE_FIELDS_MAX];

    resp_out_array(out, 2);
    resp_out_id(out, reply->cursor);
    if (reply->noticed) {
        put_noticed(out, reply);
        return;
    }
    if (reply->account == NULL && reply->cased == NULL) {
        resp_out_array(out, reply->count);
        for (uint32_t i = 0; i < reply->count; i++)
            put_case_fields(out, fields, export_fields(&reply->u.edges[i], fields));
        return;
    }
    resp_out_array(out, 1);
    resp_out_map(out, 2);
    resp_out_text(out, "kind");
    resp_out_text(out, reply->account != NULL ? "account" : "case");
    resp_out_text(out, reply->account != NULL ? "account" : "case");
    if (reply->account != NULL)
        put_account(out, reply);
    else
        put_case(out, reply);
}

/* --- rules ------------------------------------------------------------------------------------ */

static void put_head(struct resp_out *out, const struct policy_head *head)
{
    struct case_field fields[POLICY_FIELDS_MAX];
    char digits[POLICY_DIGITS];

    put_case_fields(out, fields, policy_head_fields(head, fields, digits));
}

static void put_policies(struct resp_out *out, const struct reply *reply)
{
    resp_out_array(out, reply->count);
    for (uint32_t i = 0; i < reply->count; i++)
        put_head(out, &reply->u.policies[i]);
}

static void put_policy(struct resp_out *out, const struct policy_view *view)
{
    struct case_field fields[POLICY_FIELDS_MAX];
    char digits[POLICY_DIGITS];
    uint32_t count = policy_fields(view, fields, digits);

    resp_out_map(out, count + view->has_lines);
    put_fields(out, fields, count);
    if (!view->has_lines)
        return;
    resp_out_text(out, "rules");
    resp_out_array(out, view->line_count);
    for (uint32_t i = 0; i < view->line_count; i++)
        put_case_fields(out, fields, policy_line_fields(&view->lines[i], fields));
}

static void put_notices(struct resp_out *out, const struct reply *reply)
{
    resp_out_array(out, 3);
    resp_out_id(out, reply->cursor);
    resp_out_counter(out, reply->unread);
    resp_out_array(out, reply->count);
    for (uint32_t i = 0; i < reply->count; i++) {
        struct case_field fields[CASE_FIELDS_MAX];

        put_case_fields(out, fields, notice_fields(&reply->u.notices[i], fields));
    }
}

static void put_quality(struct resp_out *out, const struct quality *quality)
{
    resp_out_text(out, "quality");
    if (quality == NULL) {
        resp_out_null(out);
        return;
    }
    resp_out_map(out, 1 + QUALITY_BANDS);
    put_counter_of(out, "looked", quality->looked);
    for (uint32_t band = 0; band < QUALITY_BANDS; band++) {
        resp_out_text(out, quality_name(band));
        if (quality->hidden >> band & 1)
            resp_out_null(out);
        else
            resp_out_counter(out, quality->likes[band]);
    }
}

static void put_own_cases(struct resp_out *out, const char *name, const struct reply *reply)
{
    resp_out_text(out, name);
    resp_out_array(out, reply->count);
    for (uint32_t i = 0; i < reply->count; i++) {
        struct reply one = {.cased = &reply->u.shields[i], .own = 1};

        put_case(out, &one);
    }
    resp_out_text(out, "cursor");
    resp_out_id(out, reply->cursor);
}

static void put_points(struct resp_out *out, const struct reply *reply)
{
    resp_out_map(out, 4);
    resp_out_text(out, "account");
    resp_out_id(out, reply->account->id);
    resp_out_text(out, "balance");
    resp_out_integer(out, reply->account->points);
    put_own_cases(out, "entries", reply);
}

static void put_shield(struct resp_out *out, const struct reply *reply)
{
    resp_out_map(out, 5);
    resp_out_text(out, "item");
    put_item(out, reply->item);
    put_moment(out, "window_until_ms", reply->item->window_until_us / 1000);
    put_quality(out, reply->quality);
    put_own_cases(out, "cases", reply);
}

/* --- all of it -------------------------------------------------------------------------------- */

size_t resp_reply_bound(const struct request *request, const struct reply *reply)
{
    (void)request;
    switch ((enum reply_kind)reply->kind) {
    case REPLY_INTEGER:
        return INTEGER_BYTES_MAX;
    case REPLY_ERROR:
        return RESP_ERROR_BYTES_MAX;
    case REPLY_INTEGERS:
        return INTEGER_BYTES_MAX + (size_t)reply->count * INTEGER_BYTES_MAX;
    case REPLY_PAGE:
        return PAGE_HEAD_BYTES + (size_t)reply->count * ENTRY_BYTES_MAX;
    case REPLY_WRITE:
    case REPLY_COUNTS:
    case REPLY_BUDGET:
    case REPLY_RECEIVED:
    case REPLY_ITEM:
        return MAP_BYTES_MAX;
    case REPLY_ACCOUNT:
        return MAP_BYTES_MAX + CASE_BYTES_MAX;
    case REPLY_EXPORT:
        return PAGE_HEAD_BYTES + MAP_BYTES_MAX + CASE_BYTES_MAX +
               (size_t)reply->count * (reply->noticed ? NOTICE_BYTES_MAX + 64 : EXPORT_BYTES_MAX);
    case REPLY_WEIGHED:
        return PAGE_HEAD_BYTES + (size_t)reply->count * WEIGHED_BYTES_MAX;
    case REPLY_CASE:
        return CASE_BYTES_MAX;
    case REPLY_CASES:
        return PAGE_HEAD_BYTES + (size_t)reply->count * BRIEF_BYTES_MAX;
    case REPLY_POLICY:
        return POLICY_HEAD_BYTES + reply->u.policy->head.text_size +
               (size_t)reply->u.policy->line_count * POLICY_LINE_BYTES;
    case REPLY_POLICIES:
        return PAGE_HEAD_BYTES + (size_t)reply->count * POLICY_HEAD_BYTES;
    case REPLY_NOTICES:
        return PAGE_HEAD_BYTES + 2 * INTEGER_BYTES_MAX + (size_t)reply->count * NOTICE_BYTES_MAX;
    case REPLY_SHIELD:
    case REPLY_POINTS:
        return MAP_BYTES_MAX + 512 + (size_t)reply->count * CASE_BYTES_MAX;
    case REPLY_TREE:
        return resp_tree_bound(reply->u.tree, reply->count);
    }
    assert(false && "a kind of reply nobody knows");
    return 0;
}

static void put_reply(struct resp_out *out, const struct request *request,
                      const struct reply *reply)
{
    switch ((enum reply_kind)reply->kind) {
    case REPLY_INTEGER:
        resp_out_integer(out, reply->u.value);
        return;
    case REPLY_ERROR:
        put_refusal(out, reply);
        return;
    case REPLY_INTEGERS:
        put_integers(out, reply);
        return;
    case REPLY_PAGE:
        put_page(out, reply);
        return;
    case REPLY_WRITE:
        put_write(out, request, reply);
        return;
    case REPLY_COUNTS:
        put_item_counts(out, reply->item);
        return;
    case REPLY_BUDGET:
        put_budget(out, reply->account);
        return;
    case REPLY_RECEIVED:
        put_received(out, reply->account);
        return;
    case REPLY_ITEM:
        put_item(out, reply->item);
        return;
    case REPLY_ACCOUNT:
        put_account(out, reply);
        return;
    case REPLY_CASE:
        put_case(out, reply);
        return;
    case REPLY_CASES:
        put_cases(out, reply);
        return;
    case REPLY_WEIGHED:
        put_weighed(out, reply);
        return;
    case REPLY_EXPORT:
        put_export(out, reply);
        return;
    case REPLY_POLICY:
        put_policy(out, reply->u.policy);
        return;
    case REPLY_POLICIES:
        put_policies(out, reply);
        return;
    case REPLY_NOTICES:
        put_notices(out, reply);
        return;
    case REPLY_SHIELD:
        put_shield(out, reply);
        return;
    case REPLY_POINTS:
        put_points(out, reply);
        return;
    case REPLY_TREE:
        resp_out_tree(out, reply->u.tree, reply->count);
        return;
    }
    assert(false && "a kind of reply nobody knows");
}

size_t resp_reply(const struct request *request, const struct reply *reply, uint8_t protocol,
                  uint8_t *bytes)
{
    struct resp_out out = {.bytes = bytes, .protocol = protocol};

    /* Nearly every answer to a write is one of these two. */
    if (reply->kind == REPLY_INTEGER && (uint64_t)reply->u.value <= 1) {
        memcpy(bytes, reply->u.value == 1 ? ":1\r\n" : ":0\r\n", 4);
        return 4;
    }
    out.size = resp_reply_bound(request, reply);
    put_reply(&out, request, reply);
    assert(out.used <= out.size);
    return out.used;
}
