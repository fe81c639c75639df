/* From signals to a verdict, and learning.
 *
 * Points of one family are not added up twice: of two reasons in it the stronger counts, newcomers
 * a little more if both hold. A surge of the item speaks for nobody and against nobody; it is the
 * second witness only against acts that are out of step with it. */
#include "engine/trust_signals.h"

#include <string.h>

#include "base/hook.h"

#define SURGE_POINTS 300
#define SAMPLE_MAX                                                                                 \
    16                  /* acts of one item's window that teach what is usual: one item is not all \
                         */
#define PACE_MAX      6 /* of one account, as it teaches what is usual: bots do not teach */
#define NEWCOMER_SURE 360 /* half of the window is too new; above what only makes waiting */
#define LOCK_SURE     400
#define LOCK_CROWD    8   /* no company means something only where a crowd is */
#define LOCK_MAX      225 /* half of 450: a record holds an act, it does not cut it */
#define LOCK_SOME     250
#define FLOOD_ACTS    32
#define BURST_LIKES   32      /* first likes of a window that are remembered: twice a surge */
#define FLOOD_S       (3600u) /* seconds it stays open after the last reason to */
#define NEWCOMERS_MAX ((1u << 23) - 1) /* of a window, see trust_table.h */
#define BELIEVED_MAX  255u
#define FLOOD_LONGEST (TRUST_DAY_S) /* seconds after which it closes whatever comes */

void trust_prefetch(const struct trust *trust, const struct act *act)
{
    struct trust_view view = {0};

    trust_keys(act, &view);
    trust_account_prefetch(trust, view.account_key);
    trust_item_prefetch(trust, view.item_key);
    if (act->verb == VERB_LIKE)
        trust_like_prefetch(trust, view.item_key);
    if (act->device != 0) {
        trust_place_prefetch(trust, view.device_key);
        trust_place_prefetch(trust, view.device_item_key);
    }
    if (act->network != 0) {
        trust_place_prefetch(trust, view.network_key);
        trust_place_prefetch(trust, view.network_item_key);
    }
}

void trust_prefetch_deep(const struct trust *trust, const struct act *act)
{
    struct trust_view view = {.trust = trust};
    uint64_t here;

    trust_keys_main(act, &view);
    view.account = trust_account_get(trust, view.account_key);
    view.item = trust_item_get(trust, view.item_key);
    trust_look_window(&view);
    if (view.account == NULL || view.window.count < TRUST_BUSY)
        return;
    here = trust_token_id(trust_token_code(view.item_key, view.window.count, act),
                          (uint16_t)(view.window.start_s / 3600));
    for (uint32_t i = 0; i < TRUST_TOKENS; i++)
        if (view.account->token[i] != 0)
            trust_pair_prefetch(trust, trust_token_pair(act->tenant, here,
                                                        trust_token_id(view.account->token[i],
                                                                       view.account->start_h[i])));
}

static uint16_t larger(uint16_t a, uint16_t b)
{
    return a > b ? a : b;
}

/* The item's surge is a second witness against company if the company makes up much of it, and if
 * it came together on several occasions or is made of accounts that did little else. People who
 * follow one event all evening are neither. */
static bool surge_of_company(const struct trust_view *view, const struct trust_points *points)
{
    const struct trust_window *window = &view->window;

    if (points->reason[REASON_LOCKSTEP] < LOCK_SURE || window->locked * 4u < window->count)
        return false;
    return points->company.spread || (points->company.thin && window->thin * 2u >= window->locked);
}

static bool surge_witness(const struct trust_view *view, const struct trust_points *points)
{
    if (points->reason[REASON_FIRST_TIMERS] < NEWCOMER_SURE &&
        points->reason[REASON_DEVICE] < TRUST_HOLD && !surge_of_company(view, points))
        return false;
    return trust_surges(view);
}

/* What cannot be read again at settlement is taken from the first verdict, at its usual strength.
 */
static void recall(const struct trust_view *view, uint16_t first, uint16_t *reason)
{
    if (!view->settling)
        return;
    reason[REASON_VELOCITY] = first >> REASON_VELOCITY & 1 ? 300 : 0;
    reason[REASON_HOUR] = first >> REASON_HOUR & 1 ? TRUST_STRONG : 0;
    reason[REASON_DEVICE] = first >> REASON_DEVICE & 1 ? 500 : 0;
}

void trust_weigh(const struct trust_view *view, uint16_t first, struct trust_points *points)
{
    uint16_t *reason = points->reason, family[5];
    uint32_t sum = 0;

    memset(points, 0, sizeof *points);
    if (view->settling) {
        recall(view, first, reason);
        if (view->reviewing)
            reason[REASON_DEVICE] = larger(reason[REASON_DEVICE], trust_device_points(view));
    } else {
        reason[REASON_VELOCITY] = trust_velocity_points(view);
        reason[REASON_HOUR] = trust_hour_points(view);
        reason[REASON_DEVICE] = trust_device_points(view);
    }
    trust_company_look(view, &points->company);
    reason[REASON_LOCKSTEP] = points->company.points;
    reason[REASON_FIRST_TIMERS] = trust_newcomer_points(view);
    reason[REASON_YOUNG] = trust_young_points(view);
    reason[REASON_UNLIKER] = trust_unliker_points(view);
    if (reason[REASON_LOCKSTEP] >= TRUST_HOLD || reason[REASON_FIRST_TIMERS] >= TRUST_HOLD ||
        PLANTED("trust.network_alone"))
        reason[REASON_NETWORK] = trust_network_points(view);
    if (surge_witness(view, points))
        reason[REASON_VELOCITY] = larger(reason[REASON_VELOCITY], SURGE_POINTS);

    family[0] = reason[REASON_VELOCITY];
    family[1] = reason[REASON_LOCKSTEP];
    family[2] = (uint16_t)(larger(reason[REASON_FIRST_TIMERS], reason[REASON_YOUNG]) +
                           (reason[REASON_FIRST_TIMERS] > 0 ? reason[REASON_YOUNG] / 2 : 0));
    family[3] = larger(reason[REASON_HOUR], reason[REASON_UNLIKER]);
    family[4] = larger(reason[REASON_DEVICE], reason[REASON_NETWORK]);
    for (int i = 0; i < 5; i++) {
        sum += family[i];
        points->families = (uint8_t)(points->families + (family[i] >= TRUST_STRONG));
    }
    points->score = trust_at_most(sum, 1000);
}

static void explain_points(const struct trust_points *points, struct trust_verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    memcpy(verdict->points, points->reason, sizeof verdict->points);
    verdict->families = points->families;
    verdict->score = points->score;
    verdict->weight_pct = 100;
    verdict->mark = MARK_PLAIN;
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        if (points->reason[i] == 0)
            continue;
        verdict->reasons |= (uint16_t)(1u << i);
        if (verdict->reason == REASON_NONE || points->reason[i] > points->reason[verdict->reason])
            verdict->reason = (uint8_t)i;
    }
}

/* What a score is worth once nothing more is waited for. One signal alone never goes under 50. */
static uint8_t final_weight(const struct trust_points *points)
{
    bool two = points->families >= 2 || PLANTED("trust.one_signal");

    if (two && points->score >= TRUST_CUT)
        return points->score >= TRUST_SURE
                   ? 0
                   : (uint8_t)((TRUST_SURE - points->score) / 5); /* 600: 40 */
    if (two && points->score >= TRUST_HOLD)
        return 75;
    return points->families == 1 && points->score >= TRUST_CUT ? 50 : 100;
}

/* A view of a newcomer, two families against it: the window is one of newcomers. */
static bool found_out(const struct trust_view *view, const struct trust_points *points)
{
    return view->act->verb == VERB_VIEW && points->reason[REASON_FIRST_TIMERS] >= NEWCOMER_SURE &&
           final_weight(points) < 50;
}

/* A view is never scored again, so what speaks against the first of its kind is found out here. */
static uint8_t taken_along(const struct trust_view *view, const struct trust_points *points)
{
    if (!found_out(view, points) || PLANTED("trust.first_fakes_stay"))
        return 0;
    return (uint8_t)view->window.believed;
}

static bool flooded(const struct trust_item *item, uint32_t now_s)
{
    return item != NULL && item->flood_until_s > now_s;
}

void trust_judge(const struct trust *trust, const struct act *act, struct trust_verdict *verdict)
{
    struct trust_view view;
    struct trust_points points = {0};

    if (act->exempt == 0) {
        trust_look(trust, act, false, &view);
        trust_weigh(&view, 0, &points);
    }
    explain_points(&points, verdict);
    if (act->exempt != 0)
        return;
    verdict->along = taken_along(&view, &points);
    if (points.families >= 1 && flooded(view.item, view.now_s)) {
        verdict->mark = MARK_QUARANTINED;
        verdict->reasons |= 1u << REASON_QUARANTINE;
        verdict->weight_pct = final_weight(&points);
    } else if (view.kind == KIND_VIEW) { /* settled when it comes: nothing is held for a view */
        verdict->weight_pct = final_weight(&points) < 50 ? 0 : final_weight(&points);
    } else if (points.families >= 2 && points.score >= TRUST_SURE) {
        verdict->weight_pct = final_weight(&points);
    } else if (points.score >= TRUST_HOLD) {
        verdict->mark = MARK_HELD;
        verdict->weight_pct = final_weight(&points);
    }
}

static void look_again(const struct trust *trust, const struct act *act, bool reviewing,
                       struct trust_points *points, struct trust_verdict *verdict)
{
    struct trust_view view;
    uint16_t first = verdict->reasons;

    *points = (struct trust_points){0};
    if (act->exempt == 0) {
        trust_look(trust, act, true, &view);
        view.was_new = first >> REASON_FIRST_TIMERS & 1;
        view.reviewing = reviewing;
        trust_weigh(&view, first, points);
    }
    explain_points(points, verdict);
    verdict->weight_pct = final_weight(points);
}

void trust_settle(const struct trust *trust, const struct act *act, struct trust_verdict *verdict)
{
    struct trust_points points;

    look_again(trust, act, false, &points, verdict);
}

void trust_review(const struct trust *trust, const struct act *act, struct trust_verdict *verdict)
{
    struct trust_points points;

    look_again(trust, act, true, &points, verdict);
    if (points.score >= TRUST_HOLD)
        verdict->mark = MARK_HELD;
    else
        verdict->weight_pct = 100;
}

int64_t trust_flood_us(const struct trust *trust, uint16_t tenant, uint8_t verb, uint64_t target,
                       int64_t now_us)
{
    const struct trust_item *item = trust_item_get(trust, trust_key(tenant, verb, target));

    return flooded(item, trust_seconds(now_us)) ? (int64_t)item->flood_until_s * 1000000 : 0;
}

/* Surprise against the target's own rate, half of it by accounts that are out of step, and this one
 * is one of them. A crowd that changes its mind surges as well, and is made of others. */
bool trust_floods(const struct trust *trust, const struct act *act)
{
    struct trust_view view;
    struct trust_points points;
    const struct trust_window *window = &view.window;
    uint32_t odd;

    if (act->exempt != 0)
        return false;
    trust_look(trust, act, false, &view);
    if (!trust_surges(&view))
        return false;
    odd = window->locked > window->newcomers ? window->locked : window->newcomers;
    odd = window->bad > odd ? window->bad : odd;
    if (odd * 2 < window->count && !PLANTED("trust.any_surge_floods"))
        return false;
    trust_weigh(&view, 0, &points);
    return points.score >= TRUST_HOLD || PLANTED("trust.any_surge_floods");
}

/* --- learning --- */

static void count_u8(uint8_t count[2], uint32_t last_s, uint32_t now_s, uint32_t width_s,
                     uint32_t add)
{
    struct trust_count rolled = trust_roll(count[0], count[1], last_s, now_s, width_s);

    rolled.now += add;
    count[0] = (uint8_t)(rolled.now > UINT8_MAX ? UINT8_MAX : rolled.now);
    count[1] = (uint8_t)rolled.before;
}

static void count_u16(uint16_t count[2], uint32_t last_s, uint32_t now_s, uint32_t width_s,
                      uint32_t add)
{
    struct trust_count rolled = trust_roll(count[0], count[1], last_s, now_s, width_s);

    rolled.now += add;
    count[0] = (uint16_t)(rolled.now > UINT16_MAX ? UINT16_MAX : rolled.now);
    count[1] = (uint16_t)rolled.before;
}

static void count_u32(uint32_t count[2], uint32_t last_s, uint32_t now_s, uint32_t width_s,
                      uint32_t add)
{
    struct trust_count rolled = trust_roll(count[0], count[1], last_s, now_s, width_s);

    count[0] = rolled.now > UINT32_MAX - add ? UINT32_MAX : rolled.now + add;
    count[1] = rolled.before;
}

static uint32_t later(uint32_t last_s, uint32_t now_s)
{
    return now_s > last_s ? now_s : last_s;
}

/* What is learnt from one act, decided before anything is changed. */
struct lesson {
    bool first, stranger, newcomer; /* trust_signals.h */
    bool bad;
    bool surged;    /* the item's window */
    bool held_new;  /* a newcomer among too many: would be held for that alone */
    bool found_out; /* a view: takes those of newcomers before it along */
    bool rack;      /* of one device, the first that is one too many */
    bool noticed;   /* it has points for something */
    bool thin;
    uint8_t families;
    bool first_today;       /* of the account, views aside */
    bool first_here;        /* of the account in this network today */
    uint16_t lockstep, met; /* with and without what the account did before */
    uint32_t pace;
};

static void learn_platform(struct trust *trust, const struct trust_view *view,
                           const struct lesson *lesson)
{
    struct trust_platform *row = trust_platform_take(trust, view->platform_key);
    uint32_t sample = view->window.count < SAMPLE_MAX && !view->again;
    int64_t first_us = view->act->account_first_us;
    uint32_t first_s = trust_seconds(first_us);

    if (row->oldest_s == 0 || (first_s != 0 && first_s < row->oldest_s))
        row->oldest_s = first_s;
    count_u32(row->acts, row->last_s, view->now_s, TRUST_DAY_S, 1);
    count_u32(row->sampled, row->last_s, view->now_s, TRUST_DAY_S, sample);
    count_u32(row->newcomers, row->last_s, view->now_s, TRUST_DAY_S, sample && lesson->stranger);
    count_u32(row->first, row->last_s, view->now_s, TRUST_DAY_S, sample && lesson->first);
    count_u32(row->accounts, row->last_s, view->now_s, TRUST_DAY_S,
              view->kind == KIND_GIVE && lesson->first_today);
    row->typical_q20 = row->typical_q20 - row->typical_q20 / 1024 + lesson->pace * 1024;
    row->last_s = later(row->last_s, view->now_s);
}

static void add_u16(uint16_t *count, bool more)
{
    *count = (uint16_t)(*count + (more && *count < UINT16_MAX));
}

/* Opens the quarantine window, or keeps it open an hour longer, up to a day; then it stays closed
 * for another day. What comes then is weighed act by act, as ever. */
static void flood_open(struct trust_item *row, uint32_t now_s)
{
    uint32_t open_s = row->flood_until_s - row->flood_opened_s;

    if (!flooded(row, now_s)) {
        if (open_s >= FLOOD_LONGEST && now_s - row->flood_opened_s < 2 * FLOOD_LONGEST)
            return;
        row->flood_opened_s = now_s;
    }
    row->flood_until_s = now_s + FLOOD_S;
    if (row->flood_until_s - row->flood_opened_s > FLOOD_LONGEST)
        row->flood_until_s = row->flood_opened_s + FLOOD_LONGEST;
}

static bool is_power_of_four(uint32_t count)
{
    return (count & (count - 1)) == 0 && (count & 0x55555555u) != 0;
}

/* A window that is seen to surge surged from its first like on. */
static void learn_burst(struct trust *trust, const struct trust_view *view)
{
    struct trust_like likes[BURST_LIKES];
    uint32_t count = trust_recent(trust, view->act, likes, BURST_LIKES);

    for (uint32_t i = 0; i < count; i++) {
        uint64_t key = trust_account_key(likes[i].tenant, likes[i].account);
        struct trust_account *row;

        if (trust_seconds(likes[i].time_us) < view->window.start_s ||
            trust_account_get(trust, key) == NULL)
            continue;
        row = trust_account_take(trust, key);
        row->burst = (uint8_t)(row->burst + (row->burst < UINT8_MAX));
    }
}

/* What views of newcomers count, until one too many takes them along (trust_verdict). */
static void learn_believed(struct trust_window *window, const struct act *act,
                           const struct lesson *lesson)
{
    uint32_t halves = act->mark == MARK_PLAIN && lesson->newcomer ? act->weight_pct / 50u : 0;

    if (lesson->found_out)
        window->believed = 0;
    else if (window->believed + halves <= BELIEVED_MAX)
        window->believed = (window->believed + halves) & BELIEVED_MAX;
}

/* Whether the likes before it are to be looked at again: each time four times as many were bad. */
static bool learn_item(struct trust *trust, const struct trust_view *view,
                       const struct lesson *lesson)
{
    struct trust_item *row = trust_item_take(trust, view->item_key);
    struct trust_window *window = &row->window[0];

    if (view->now_s < window->start_s || view->now_s - window->start_s >= TRUST_WINDOW_S ||
        window->count == 0) {
        if (window->count > 0)
            row->window[1] = *window;
        *window = (struct trust_window){.start_s = view->now_s};
    }
    window->count += window->count < UINT32_MAX;
    if (lesson->newcomer && window->newcomers < NEWCOMERS_MAX)
        window->newcomers = (window->newcomers + 1u) & NEWCOMERS_MAX;
    if (view->act->verb == VERB_VIEW)
        learn_believed(window, view->act, lesson);
    if (lesson->surged && !window->surged && view->act->verb == VERB_LIKE) {
        window->surged = 1;
        learn_burst(trust, view);
    }
    add_u16(&window->met, lesson->met > 0);
    add_u16(&window->thin, lesson->thin);
    add_u16(&window->locked, lesson->lockstep >= LOCK_SOME);
    add_u16(&window->bad, lesson->bad);
    /* A flood that lasts does not become what the item is used to. */
    count_u32(row->days, row->last_s, view->now_s, TRUST_DAY_S, lesson->families == 0);
    row->last_s = later(row->last_s, view->now_s);
    if (lesson->bad && window->bad >= FLOOD_ACTS && window->bad * 2u >= window->count)
        flood_open(row, view->now_s);
    return !PLANTED("trust.never_reopens") &&
           (lesson->rack || (lesson->bad && is_power_of_four(window->bad)) ||
            (lesson->held_new && window->newcomers >= 4 && is_power_of_four(window->newcomers)));
}

/* The first likes of a window, and those with anything to say about them. */
static void learn_like(struct trust *trust, const struct trust_view *view,
                       const struct lesson *lesson)
{
    const struct act *act = view->act;

    if (act->verb != VERB_LIKE || (view->window.count >= BURST_LIKES && !lesson->noticed))
        return;
    trust_like_add(trust, view->item_key,
                   &(struct trust_like){
                       .account = act->account,
                       .target = act->target,
                       .address = act->address,
                       .device = act->device,
                       .network = act->network,
                       .time_us = act->now_us,
                       .tenant = act->tenant,
                       .reasons = (uint16_t)(lesson->newcomer << REASON_FIRST_TIMERS),
                       .source = act->source,
                   });
}

static void learn_hours(struct trust_account *row, uint32_t now_s)
{
    uint32_t bin = now_s % TRUST_DAY_S / (TRUST_DAY_S / 8);

    if (row->hours[bin] == UINT8_MAX)
        for (uint32_t i = 0; i < 8; i++)
            row->hours[i] /= 2;
    row->hours[bin]++;
}

/* Of the living tokens those with the smallest hash stay; a dead one goes first. */
static void learn_token(struct trust_account *row, uint32_t code, uint16_t start_h, uint32_t now_s)
{
    uint32_t worst = 0, worst_hash = 0;

    for (uint32_t i = 0; i < TRUST_TOKENS; i++) {
        uint32_t hash = row->token[i] >> 12;

        if (trust_token_id(row->token[i], row->start_h[i]) == trust_token_id(code, start_h) &&
            row->token[i] != 0)
            return;
        if (!trust_token_lives(row->token[i], row->start_h[i], now_s))
            hash = UINT32_MAX;
        if (hash > worst_hash) {
            worst = i;
            worst_hash = hash;
        }
    }
    if (code >> 12 < worst_hash) {
        row->token[worst] = code;
        row->start_h[worst] = start_h;
    }
}

static void learn_pairs(struct trust *trust, const struct trust_view *view,
                        const struct trust_account *row, uint64_t here)
{
    uint16_t hour = (uint16_t)(view->now_s / 3600);

    for (uint32_t i = 0; i < TRUST_TOKENS; i++) {
        uint64_t there = trust_token_id(row->token[i], row->start_h[i]);
        uint8_t rank = row->token[i] >> 8 & 15;
        struct trust_pair *pair;

        if (!trust_token_lives(row->token[i], row->start_h[i], view->now_s) || there == here)
            continue;
        pair = trust_pair_take(trust, trust_token_pair(view->act->tenant, here, there), hour);
        pair->count = (uint8_t)(pair->count + (pair->count < UINT8_MAX));
        pair->rank = pair->rank > rank ? pair->rank : rank;
        pair->hour = hour;
    }
}

static void learn_company(struct trust *trust, const struct trust_view *view,
                          struct trust_account *row)
{
    uint32_t code = trust_token_code(view->item_key, view->window.count, view->act);
    uint16_t start_h = (uint16_t)(view->window.start_s / 3600);

    if (view->window.count < TRUST_BUSY)
        return;
    learn_pairs(trust, view, row, trust_token_id(code, start_h));
    if (view->kind != KIND_VIEW)
        learn_token(row, code, start_h, view->now_s);
}

/* A running mean of half the points, over eight acts or so. */
static uint8_t lock_after(uint8_t lock, uint16_t met)
{
    uint32_t aim = met / 2 < LOCK_MAX ? met / 2 : LOCK_MAX;

    return (uint8_t)(aim > lock ? lock + (aim - lock + 7) / 8 : lock - (lock - aim + 7) / 8);
}

static void learn_account(struct trust *trust, const struct trust_view *view,
                          const struct lesson *lesson)
{
    struct trust_account *row = trust_account_take(trust, view->account_key);
    bool is_view = view->kind == KIND_VIEW;

    count_u8(row->fast, row->last_s, view->now_s, TRUST_FAST_S, !is_view);
    count_u8(row->views, row->last_s, view->now_s, TRUST_FAST_S, is_view);
    count_u16(row->slow, row->last_s, view->now_s, TRUST_DAY_S, !is_view);
    row->last_s = later(row->last_s, view->now_s);
    row->network = (uint16_t)(view->network_key >> 16);
    if (lesson->surged && view->act->verb == VERB_LIKE && !view->again)
        row->burst = (uint8_t)(row->burst + (row->burst < UINT8_MAX));
    if (!is_view) {
        learn_hours(row, view->now_s);
        if (lesson->met / 2 > row->lock || view->window.count >= LOCK_CROWD)
            row->lock = lock_after(row->lock, lesson->met);
    }
    if (!view->again)
        learn_company(trust, view, row);
}

static void learn_place(struct trust *trust, uint64_t key, uint32_t now_s, uint32_t width_s,
                        uint32_t add)
{
    struct trust_place *row = trust_place_take(trust, key);

    count_u8(row->fast, row->last_s, now_s, TRUST_FAST_S, 1);
    count_u16(row->slow, row->last_s, now_s, width_s, add);
    row->last_s = later(row->last_s, now_s);
}

static void learn_places(struct trust *trust, const struct trust_view *view,
                         const struct lesson *lesson)
{
    if (view->device_key != 0) {
        learn_place(trust, view->device_key, view->now_s, TRUST_DAY_S, lesson->first_today);
        learn_place(trust, view->device_item_key, view->now_s, TRUST_PLACE_S, !view->again);
    }
    if (view->network_key != 0) {
        learn_place(trust, view->network_key, view->now_s, TRUST_DAY_S, lesson->first_here);
        learn_place(trust, view->network_item_key, view->now_s, TRUST_PLACE_S, !view->again);
    }
}

static struct lesson lesson_of(const struct trust_view *view)
{
    struct lesson lesson = {.first = trust_is_first(view),
                            .stranger = trust_is_stranger(view),
                            .newcomer = trust_is_newcomer(view),
                            .first_today = true,
                            .pace = 1};
    const struct trust_account *row = view->account;
    struct trust_points points = {0};

    trust_weigh(view, 0, &points);
    lesson.lockstep = points.reason[REASON_LOCKSTEP];
    lesson.met = points.company.met;
    lesson.thin = points.company.thin;
    lesson.families = points.families;
    lesson.noticed = points.score > 0;
    lesson.found_out = found_out(view, &points);
    lesson.held_new = points.reason[REASON_FIRST_TIMERS] >= TRUST_HOLD;
    lesson.rack = points.reason[REASON_DEVICE] == TRUST_HOLD;
    lesson.surged = view->window.surged || trust_surges(view);
    lesson.bad = points.families >= 2 && points.score >= TRUST_CUT;
    if (row != NULL) {
        struct trust_count day =
            trust_roll(row->slow[0], row->slow[1], row->last_s, view->now_s, TRUST_DAY_S);
        struct trust_count fast =
            trust_roll(row->fast[0], row->fast[1], row->last_s, view->now_s, TRUST_FAST_S);

        lesson.first_today = day.now == 0;
        lesson.pace = trust_at_most(trust_sliding(fast, view->now_s, TRUST_FAST_S) + 1, PACE_MAX);
    }
    lesson.first_here =
        lesson.first_today || row == NULL || row->network != (uint16_t)(view->network_key >> 16);
    return lesson;
}

bool trust_observe(struct trust *trust, const struct act *act)
{
    struct trust_view view;
    struct lesson lesson;
    bool reopen = false;

    if (act->exempt != 0)
        return false; /* undoing and cleaning up teaches nothing about company or pace */
    trust_look(trust, act, false, &view);
    lesson = lesson_of(&view);
    learn_account(trust, &view, &lesson);
    learn_places(trust, &view, &lesson);
    learn_platform(trust, &view, &lesson);
    if (!view.again) {
        reopen = learn_item(trust, &view, &lesson);
        learn_like(trust, &view, &lesson);
    }
    return reopen;
}

uint32_t trust_recent(const struct trust *trust, const struct act *act, struct trust_like *likes,
                      uint32_t room)
{
    uint64_t key = trust_key(act->tenant, VERB_LIKE, act->target);
    const struct trust_like *like = trust_like_newest(trust, key);
    uint32_t count = 0;

    for (uint32_t i = 0; i < TRUST_RECENT_STEPS && like != NULL && count < room; i++) {
        if (act->now_us - like->time_us > TRUST_WINDOW_S * 1000000LL)
            break;
        if (like->target == act->target && like->tenant == act->tenant)
            likes[count++] = *like;
        like = trust_like_before(trust, like);
    }
    return count;
}

bool trust_recall(const struct trust *trust, uint16_t tenant, uint64_t account, uint64_t target,
                  int64_t time_us, struct trust_like *like)
{
    const struct trust_like *found = trust_like_newest(trust, trust_key(tenant, VERB_LIKE, target));

    for (uint32_t i = 0; i < TRUST_RECENT_STEPS && found != NULL; i++) {
        if (found->account == account && found->target == target && found->tenant == tenant &&
            found->time_us == time_us) {
            *like = *found;
            return true;
        }
        found = trust_like_before(trust, found);
    }
    return false;
}
