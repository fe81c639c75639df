/* insight_act.c: what accounts do: steps of funnels, rollups, whom a creator met. See insight.h. */
#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "readers/acts.h"
#include "readers/insight/insight_inner.h"
#include "schema/verb.h"

#define PENDING 6 /* of a view: shown, view, hold, finish */

/* One act, as its record has it. */
struct act {
    struct insight *insight;
    const struct record *record;
    struct insight_item *item;
    struct insight_exposure *exposure; /* NULL: none is kept */
    struct insight_account *account;   /* NULL: nothing is known of it */
    struct insight_creator *creator;   /* NULL: nobody said */
    uint64_t region;
    uint8_t age_band;
    uint8_t pct; /* what it is credited with */
    bool valid;
    /* For the rollups of its time: all at once, when it is through. */
    struct bucket_change pending[PENDING];
    uint32_t pending_count;
};

/* By how much something changed. */
struct change {
    int32_t raw, valid, pct;
};

/* --- bands, bins
 * ---------------------------------------------------------------------------------- */

static uint8_t age_band_of(const struct insight_account *account, int64_t now_us)
{
    static const uint16_t days[BANDS_AGE - 2] = {1, 7, 30, 365};
    uint8_t band = 0;

    if (account == NULL || account->created_us == 0)
        return BANDS_AGE - 1;
    while (band < BANDS_AGE - 2 && now_us - account->created_us >= days[band] * DAY_US)
        band++;
    return band;
}

static uint8_t trust_band_of(uint8_t pct)
{
    return pct == 0 ? 0 : pct < 50 ? 1 : pct < 100 ? 2 : 3;
}

uint32_t insight_age_bin(int64_t age_us)
{
    uint32_t bin = 0;

    while (bin < AGES - 1 && age_us >= age_ends_us[bin])
        bin++;
    return bin;
}

static uint32_t hour_of(int64_t time_us)
{
    return (uint32_t)(time_us / HOUR_US % 24);
}

/* --- sums ----------------------------------------------------------------------------------------
 */

static uint64_t moved(uint64_t value, int64_t by)
{
    if (by < 0 && value < (uint64_t)-by)
        return 0; /* the row was forgotten and is back: it has less than what is taken */
    return value + (uint64_t)by;
}

static void count_move(uint32_t *value, int32_t by)
{
    *value = (uint32_t)moved(*value, by);
}

static void tally_move(struct tally *tally, struct change change)
{
    count_move(&tally->raw, change.raw);
    count_move(&tally->valid, change.valid);
    tally->credited_pct = moved(tally->credited_pct, change.pct);
}

static struct bucket_change change_of(uint32_t metric, struct change change)
{
    return (struct bucket_change){metric, change.raw, change.valid, change.pct};
}

static void rollup(struct act *act, enum bucket_scope of, uint64_t id,
                   const struct bucket_change *change, uint32_t count, int64_t at_us)
{
    struct scope scope = {.of = of, .id = id, .tenant = act->record->tenant};

    buckets_add(&act->insight->buckets, scope, change, count, at_us, act->insight->record_us);
}

/* Of every scope that the act belongs to, but the bands. A creator's follows are counted where he
 * is followed, whatever led to it. */
static void rollup_scopes(struct act *act, const struct bucket_change *change, uint32_t count,
                          int64_t at_us)
{
    const struct insight_item *item = act->item;

    rollup(act, BUCKET_ALL, 0, change, count, at_us);
    rollup(act, BUCKET_ITEM, item->head.a, change, count, at_us);
    if (item->has_creator && change[0].metric != STEP_FOLLOW)
        rollup(act, BUCKET_CREATOR, item->creator, change, count, at_us);
    for (uint32_t i = 0; i < item->tag_count && i < 2; i++)
        rollup(act, BUCKET_TAG, item->tag[i], change, count, at_us);
    if (act->region != 0)
        rollup(act, BUCKET_REGION, act->region, change, count, at_us);
}

static void rollup_later(struct act *act, uint32_t metric, struct change change)
{
    assert(act->pending_count < PENDING);
    act->pending[act->pending_count++] = change_of(metric, change);
}

static void rollup_flush(struct act *act)
{
    int64_t at_us = act->record->time_us;

    if (act->pending_count == 0)
        return;
    rollup_scopes(act, act->pending, act->pending_count, at_us);
    rollup(act, BUCKET_AGE, act->age_band, act->pending, act->pending_count, at_us);
    rollup(act, BUCKET_TRUST, trust_band_of(act->pct), act->pending, act->pending_count, at_us);
}

/* --- steps ---------------------------------------------------------------------------------------
 */

static bool does(const struct insight_exposure *exposure, enum step step)
{
    return exposure->bits >> step & 1;
}

/* What a step adds to s, where n has the weight of being shown. */
static uint8_t success(const struct insight_exposure *exposure, enum step step, uint8_t shown_pct)
{
    uint8_t pct = does(exposure, step) ? exposure->act_pct[step] : 0;

    return pct < shown_pct || PLANTED("insight.weight_of_the_act") ? pct : shown_pct;
}

struct successes {
    uint8_t reported[STEP_COUNT], attested[STEP_COUNT];
};

static struct successes successes_of(const struct insight_exposure *exposure)
{
    struct successes now;
    uint8_t shown = does(exposure, STEP_SHOWN) ? exposure->act_pct[STEP_SHOWN] : 0;
    uint8_t attested = exposure->flags & SEEN_ATTESTED ? exposure->attested_pct : 0;

    for (enum step step = 0; step < STEP_COUNT; step++) {
        now.reported[step] = success(exposure, step, shown);
        now.attested[step] = success(exposure, step, attested);
    }
    return now;
}

/* After the exposure changed: s of the item and of its creator. */
static void successes_move(struct act *act, const struct successes *before)
{
    struct successes now = successes_of(act->exposure);

    for (enum step step = 0; step < STEP_COUNT; step++) {
        int reported = now.reported[step] - before->reported[step];
        int attested = now.attested[step] - before->attested[step];
        struct tally *of[] = {&act->item->tally[step],
                              act->creator != NULL ? &act->creator->tally[step] : NULL};

        for (uint32_t i = 0; i < 2 && of[i] != NULL; i++) {
            of[i]->reported_pct = moved(of[i]->reported_pct, reported);
            of[i]->attested_pct = moved(of[i]->attested_pct, attested);
        }
    }
}

/* Sums of the item and of its creator. */
static void sums_move(struct act *act, enum step step, struct change change)
{
    struct insight_item *item = act->item;
    int64_t age_us = act->record->time_us - item->published_us;

    tally_move(&item->tally[step], change);
    if (act->creator != NULL)
        tally_move(&act->creator->tally[step], change);
    if (step < FUNNEL)
        item->by_age[insight_age_bin(age_us)][step] += change.pct;
}

/* The account does it now (on), worth so much; or no longer. Returns what changed. */
static struct change step_set(struct act *act, enum step step, bool on, uint8_t pct, bool valid)
{
    struct insight_exposure *exposure = act->exposure;
    struct successes before = successes_of(exposure);
    bool was = does(exposure, step), was_valid = was && exposure->valid >> step & 1;
    struct change change = {on - was, (on && valid) - was_valid,
                            (on ? pct : 0) - (was ? exposure->act_pct[step] : 0)};

    exposure->bits = (uint16_t)((exposure->bits & ~(1u << step)) | (unsigned)on << step);
    exposure->valid =
        (uint16_t)((exposure->valid & ~(1u << step)) | (unsigned)(on && valid) << step);
    exposure->act_pct[step] = on ? pct : 0;
    sums_move(act, step, change);
    successes_move(act, &before);
    return change;
}

/* The first time; what cannot be taken back. False: it has done it before. */
static bool step_once(struct act *act, enum step step)
{
    if (does(act->exposure, step))
        return false;
    rollup_later(act, step, step_set(act, step, true, act->pct, act->valid));
    return true;
}

/* --- hours and regions
 * --------------------------------------------------------------------------- */

/* What is counted, in one look at a map. */
enum map_what { MAP_SHOWN = 1, MAP_LIKED = 2, MAP_MET = 4 };

static void map_count(struct act *act, enum map_kind kind, uint64_t id, uint64_t region,
                      uint32_t what)
{
    struct insight_map *map = insight_take_map(act->insight, kind, act->record->tenant, id, region);
    uint32_t hour = hour_of(act->record->time_us);

    map->accounts += (what & MAP_MET) != 0;
    map->shown[hour] += (what & MAP_SHOWN) != 0;
    map->likes[hour] += (what & MAP_LIKED) != 0;
}

/* In the map of all regions, and in that of the account's own. */
static void maps_count(struct act *act, enum map_kind kind, uint64_t id, uint32_t what)
{
    map_count(act, kind, id, 0, what);
    if (act->region != 0)
        map_count(act, kind, id, act->region, what);
}

/* met: the item met the account, which is counted with it alone (its creator may have before). */
static void hours_count(struct act *act, enum map_what what, uint32_t met)
{
    map_count(act, MAP_ALL, 0, 0, what);
    maps_count(act, MAP_ITEM, act->item->head.a, what | met);
    if (act->creator != NULL)
        maps_count(act, MAP_CREATOR, act->item->creator, what);
}

/* --- whom a creator met
 * -------------------------------------------------------------------------- */

static void week_add(struct insight_creator *creator, uint64_t account, uint32_t day)
{
    uint32_t week = day / 7, at = week % CREATOR_WEEKS;

    if (creator->week[at] > week)
        return; /* a record of another partition, weeks behind */
    if (creator->week[at] != week)
        memset(&creator->met[at], 0, sizeof creator->met[at]);
    creator->week[at] = week;
    sketch_add(&creator->met[at], account);
}

/* What else they like: the tastes of who is here today. */
static void tastes_count(struct act *act)
{
    if (!insight_may_keep(act->insight, act->account))
        return;
    for (uint32_t i = 0; i < TASTES_KEPT; i++) {
        struct insight_taste *taste;

        if (act->account->taste[i] == 0)
            continue;
        taste = insight_take_taste(act->insight, act->record->tenant, act->item->creator,
                                   act->account->taste[i]);
        taste->count++;
    }
}

static void met_first(struct act *act)
{
    act->creator->met_new++;
    act->creator->met_age[act->age_band]++;
    maps_count(act, MAP_CREATOR, act->item->creator, MAP_MET);
}

/* The account meets the creator; NULL: the item has none. */
static struct insight_tie *meet(struct act *act)
{
    uint32_t day = day_of(act->record->time_us);
    struct bucket_change change;
    struct insight_tie *tie;
    bool is_new;

    if (act->creator == NULL)
        return NULL;
    tie = insight_take_tie(act->insight, act->record->tenant, act->item->creator,
                           act->record->account);
    is_new = tie->first_day == 0;
    if (!is_new && day <= tie->last_day)
        return tie;
    if (is_new) {
        tie->first_day = day;
        met_first(act);
    } else {
        act->creator->met_returning++;
    }
    tie->last_day = day;
    week_add(act->creator, act->record->account, day);
    tastes_count(act);
    change =
        change_of(is_new ? METRIC_NEW : METRIC_RETURNING, (struct change){1, act->valid, act->pct});
    rollup(act, BUCKET_CREATOR, act->item->creator, &change, 1, act->record->time_us);
    return tie;
}

static void tie_liked(struct act *act, struct insight_tie *tie)
{
    if (tie == NULL || tie->flags & TIE_LIKED)
        return;
    tie->flags |= TIE_LIKED;
    act->creator->likers++;
    if (!(tie->flags & TIE_FOLLOWS))
        tie->flags |= TIE_LIKED_FIRST;
}

/* --- one act after the other
 * ---------------------------------------------------------------------- */

/* Does the item suit what the account liked lately? Asked once, when it is shown. */
static void fits(struct act *act)
{
    const struct insight_account *account = act->account;
    uint32_t known = 0;
    bool fit = false;

    if (act->item->tag_count == 0 || !insight_may_keep(act->insight, account) || act->pct == 0)
        return;
    for (uint32_t i = 0; i < TASTES_KEPT; i++) {
        known += account->taste[i] != 0;
        for (uint32_t tag = 0; tag < act->item->tag_count && account->taste[i] != 0; tag++)
            fit = fit || account->taste[i] == act->item->tag[tag];
    }
    if (known < 2)
        return;
    act->exposure->flags |= (uint8_t)(SEEN_FIT_KNOWN | (fit ? SEEN_FIT : 0));
    act->item->fit_known++;
    act->item->fit += fit;
}

static void fit_like(struct act *act, int by)
{
    uint8_t flags = act->exposure->flags;

    if (flags & SEEN_FIT_KNOWN)
        count_move(flags & SEEN_FIT ? &act->item->fit_liked : &act->item->unfit_liked, by);
}

static void attested(struct act *act)
{
    struct insight_exposure *exposure = act->exposure;
    struct successes before;

    if (!(act->record->fields & RECORD_HAS_IMPRESSION) || exposure->flags & SEEN_ATTESTED)
        return;
    before = successes_of(exposure);
    exposure->flags |= SEEN_ATTESTED;
    exposure->attested_pct = act->pct;
    act->item->attested++;
    act->item->attested_n_pct += act->pct;
    if (act->creator != NULL)
        act->creator->attested_n_pct += act->pct;
    successes_move(act, &before);
}

static void shown(struct act *act)
{
    struct insight_tie *tie = meet(act);

    if (step_once(act, STEP_SHOWN)) {
        bool is_new = tie != NULL && tie->first_day == day_of(act->record->time_us);

        hours_count(act, MAP_SHOWN, MAP_MET);
        act->item->met_new += is_new;
        act->item->met_returning += tie != NULL && !is_new;
        fits(act);
    }
    attested(act);
}

/* Views before it that were found out with it count no longer; nobody knows which they were. */
static void found_out(struct act *act)
{
    int64_t less = -(int64_t)record_along(act->record) * 50;
    struct tally *n = &act->item->tally[STEP_SHOWN];

    n->credited_pct = moved(n->credited_pct, less);
    n->reported_pct = moved(n->reported_pct, less);
    if (act->record->fields & RECORD_HAS_IMPRESSION)
        act->item->attested_n_pct = moved(act->item->attested_n_pct, less);
}

static void retention_count(struct act *act, uint32_t watch_ms)
{
    uint32_t bin = 0;

    while (bin < RETENTION - 1 && watch_ms >= retention_ms[bin])
        bin++;
    act->item->retention[bin]++;
}

static void apply_view(struct act *act)
{
    const struct record *record = act->record;
    bool said = record->fields & RECORD_HAS_ARGS;
    uint32_t watch_ms = said ? (uint32_t)record->a : 0,
             duration_ms = said ? (uint32_t)record->b : 0;

    if (duration_ms == 0)
        duration_ms = act->item->duration_ms;
    else if (act->item->duration_ms == 0)
        act->item->duration_ms = duration_ms;
    shown(act);
    found_out(act);
    if (step_once(act, STEP_VIEW))
        retention_count(act, watch_ms);
    if (watch_ms >= STEP_HOLD_MS || (duration_ms > 0 && watch_ms >= duration_ms))
        (void)step_once(act, STEP_HOLD);
    if (duration_ms > 0 && (uint64_t)watch_ms * 100 >= (uint64_t)duration_ms * STEP_FINISH_PCT)
        (void)step_once(act, STEP_FINISH);
    if (act->account == NULL)
        return;
    act->account->last_item = record->target;
    act->account->last_creator = act->item->has_creator ? act->item->creator : 0;
    act->account->last_us = act->item->has_creator ? record->time_us : 0;
}

static void apply_skip(struct act *act)
{
    shown(act);
    (void)step_once(act, STEP_SKIP);
}

/* --- likes ---------------------------------------------------------------------------------------
 */

/* By what the likes that are on are worth, and how old who gave them was. */
static void likers_move(struct act *act, uint8_t pct, uint8_t age_band, int by)
{
    uint8_t trust = trust_band_of(pct);

    count_move(&act->item->likers_trust[trust], by);
    if (act->creator != NULL)
        count_move(&act->creator->likers_trust[trust], by);
    if (age_band < BANDS_AGE)
        count_move(&act->item->likers_age[age_band], by);
}

/* The last of the account's tastes goes, unless it is one of them already. */
static void taste_learn(struct act *act)
{
    struct insight_account *account = act->account;
    uint64_t tag = act->item->tag[0];
    uint32_t at = 0;

    if (act->item->tag_count == 0 || !insight_may_keep(act->insight, account) || act->pct == 0)
        return;
    while (at < TASTES_KEPT - 1 && account->taste[at] != tag && account->taste[at] != 0)
        at++;
    memmove(&account->taste[1], &account->taste[0], at * sizeof account->taste[0]);
    account->taste[0] = tag;
}

/* What a like that is on is worth now, and what follows from it. */
static void like_worth(struct act *act)
{
    struct insight_exposure *exposure = act->exposure;
    uint8_t had = exposure->act_pct[STEP_LIKE];
    struct bucket_change change;

    likers_move(act, had, exposure->age_band, -1);
    change = change_of(STEP_LIKE, step_set(act, STEP_LIKE, true, act->pct, act->valid));
    rollup_scopes(act, &change, 1, exposure->like_us);
    likers_move(act, act->pct, exposure->age_band, 1);
}

static void apply_like(struct act *act)
{
    struct insight_exposure *exposure = act->exposure;
    struct insight_item *item = act->item;

    if (does(exposure, STEP_LIKE)) {
        like_worth(act); /* only where the log has a hole */
        return;
    }
    exposure->like_us = act->record->time_us;
    exposure->age_band = act->age_band;
    (void)step_once(act, STEP_LIKE);
    item->likes_given++;
    likers_move(act, act->pct, act->age_band, 1);
    hours_count(act, MAP_LIKED, 0);
    fit_like(act, 1);
    tie_liked(act, meet(act));
    taste_learn(act);
    if (item->tally[STEP_LIKE].raw > item->like_peak) {
        item->like_peak = item->tally[STEP_LIKE].raw;
        item->like_peak_us = act->record->time_us;
    }
}

/* The like stays in the rollup of its own time; that it was taken back is in that of now. */
static void unlike_count(struct act *act, uint8_t pct, bool valid)
{
    act->item->likes_taken++;
    act->pct = pct;
    rollup_later(act, METRIC_UNLIKE, (struct change){1, valid, pct});
}

/* A like whose exposure was forgotten: by what its record says of it. */
static void forgotten_unlike(struct act *act)
{
    struct verdict before = record_before(act->record);
    uint8_t pct = act_credited(&before);

    if (!(act->record->fields & RECORD_HAS_BEFORE))
        return;
    sums_move(act, STEP_LIKE, (struct change){-1, -act_valid(&before), -pct});
    likers_move(act, pct, BANDS_AGE, -1);
    unlike_count(act, pct, act_valid(&before));
}

static void apply_unlike(struct act *act)
{
    struct insight_exposure *exposure = act->exposure;

    if (exposure == NULL || !does(exposure, STEP_LIKE)) {
        forgotten_unlike(act);
        return;
    }
    uint8_t had = exposure->act_pct[STEP_LIKE];
    bool was_valid = exposure->valid >> STEP_LIKE & 1;

    (void)step_set(act, STEP_LIKE, false, 0, false);
    likers_move(act, had, exposure->age_band, -1);
    fit_like(act, -1);
    unlike_count(act, had, was_valid);
}

/* A void, a restore, a score made again. */
static void apply_settle(struct act *act)
{
    struct verdict before = record_before(act->record);
    int64_t like_us = act->record->time_us - (int64_t)act->record->before_age_s * 1000000;
    struct change change = {0, act->valid - act_valid(&before), act->pct - act_credited(&before)};
    struct bucket_change rolled;

    if (act->exposure != NULL && does(act->exposure, STEP_LIKE)) {
        like_worth(act);
        return;
    }
    if (!(act->record->fields & RECORD_HAS_BEFORE))
        return;
    sums_move(act, STEP_LIKE, change);
    rolled = change_of(STEP_LIKE, change);
    rollup_scopes(act, &rolled, 1, like_us);
    likers_move(act, act_credited(&before), BANDS_AGE, -1);
    likers_move(act, act->pct, BANDS_AGE, 1);
}

/* --- the rest ------------------------------------------------------------------------------------
 */

static void apply_report(struct act *act)
{
    if (act->record->fields & RECORD_HAS_ARGS && act->record->a <= WEIGHT_FULL)
        act->pct = (uint8_t)act->record->a;
    (void)step_once(act, STEP_REPORT);
}

static void apply_unfavorite(struct act *act)
{
    if (act->exposure != NULL && does(act->exposure, STEP_FAVORITE))
        (void)step_set(act, STEP_FAVORITE, false, 0, false);
}

/* A creator followed shortly after one of his items was watched: that item led to it. */
static void follow_led(struct insight *insight, const struct record *record,
                       const struct insight_account *account)
{
    struct verdict verdict = record_verdict(record);
    struct act act = {.insight = insight,
                      .record = record,
                      .region = account->region,
                      .age_band = age_band_of(account, record->time_us),
                      .pct = act_credited(&verdict),
                      .valid = act_valid(&verdict)};

    if (account->last_us == 0 || account->last_creator != record->target ||
        record->time_us - account->last_us > STEP_FOLLOW_US)
        return;
    act.item = insight_find_item(insight, record->tenant, account->last_item);
    act.exposure =
        insight_find_exposure(insight, record->tenant, account->last_item, record->account);
    act.creator = insight_find_creator(insight, record->tenant, record->target);
    if (act.item == NULL || act.exposure == NULL)
        return;
    (void)step_once(&act, STEP_FOLLOW);
    rollup_flush(&act);
}

void insight_follow(struct insight *insight, const struct record *record)
{
    struct insight_creator *creator = insight_find_creator(insight, record->tenant, record->target);
    const struct insight_account *account =
        insight_find_account(insight, record->tenant, record->account);
    struct insight_tie *tie;
    struct verdict verdict = record_verdict(record);
    struct act act = {.insight = insight, .record = record};
    struct bucket_change change;
    bool on = record->kind == VERB_FOLLOW;

    if (creator == NULL)
        return; /* an account that makes nothing */
    (*(on ? &creator->follows_gained : &creator->follows_lost))++;
    tie = insight_take_tie(insight, record->tenant, record->target, record->account);
    if (on && tie->flags & TIE_LIKED_FIRST) {
        creator->likers_followed++;
        tie->flags &= (uint8_t)~TIE_LIKED_FIRST; /* once an account */
    }
    tie->flags = (uint8_t)((tie->flags & ~TIE_FOLLOWS) | (on ? TIE_FOLLOWS : 0));
    if (!on)
        return;
    change =
        change_of(STEP_FOLLOW, (struct change){1, act_valid(&verdict), act_credited(&verdict)});
    rollup(&act, BUCKET_CREATOR, record->target, &change, 1, record->time_us);
    if (account != NULL)
        follow_led(insight, record, account);
}

/* --- which is which
 * ------------------------------------------------------------------------------- */

static void dispatch(struct act *act)
{
    switch (act->record->kind) {
    case VERB_LIKE:
        apply_like(act);
        break;
    case VERB_UNLIKE:
        apply_unlike(act);
        break;
    case VERB_FAVORITE:
        (void)step_once(act, STEP_FAVORITE);
        break;
    case VERB_UNFAVORITE:
        apply_unfavorite(act);
        break;
    case VERB_REPORT:
        apply_report(act);
        break;
    case VERB_VIEW:
        apply_view(act);
        break;
    case VERB_SHARE:
        (void)step_once(act, STEP_SHARE);
        break;
    case VERB_COMMENT:
        (void)step_once(act, STEP_COMMENT);
        break;
    case VERB_SKIP:
        apply_skip(act);
        break;
    default: /* SETTLE, and the effect that asks for one */
        apply_settle(act);
        break;
    }
}

static bool is_gone(const struct insight_exposure *exposure)
{
    return !does(exposure, STEP_LIKE) && !does(exposure, STEP_FAVORITE);
}

static void exposure_drop(struct insight *insight, const struct insight_exposure *exposure)
{
    table_remove(&insight->exposures, table_number(&insight->exposures, exposure));
}

static void active_count(struct insight *insight, const struct record *record)
{
    sketch_add(&insight_take_active(insight, record->tenant, day_of(record->time_us))->sketch,
               record->account);
}

void insight_act(struct insight *insight, const struct record *record)
{
    struct verdict verdict = record_verdict(record);
    struct act act = {.insight = insight,
                      .record = record,
                      .pct = act_credited(&verdict),
                      .valid = act_valid(&verdict)};

    if (act_is_later(record)) {
        act.item = insight_find_item(insight, record->tenant, record->target);
        if (act.item == NULL)
            return; /* forgotten altogether: it has nothing that could be taken away */
        act.exposure =
            insight_find_exposure(insight, record->tenant, record->target, record->account);
        act.account = insight_find_account(insight, record->tenant, record->account);
    } else {
        act.item = insight_take_item(insight, record);
        act.exposure =
            insight_take_exposure(insight, record->tenant, record->target, record->account);
        act.account = insight_take_account(insight, record->tenant, record->account);
        active_count(insight, record);
    }
    if (act.item->has_creator)
        act.creator = insight_take_creator(insight, record->tenant, act.item->creator);
    act.region = act.account != NULL ? act.account->region : 0;
    act.age_band = age_band_of(act.account, record->time_us);
    dispatch(&act);
    rollup_flush(&act);
    if (record->kind <= VERB_UNFOLLOW && record_cleanup(record) == RECORD_ERASURE &&
        act.exposure != NULL && is_gone(act.exposure))
        exposure_drop(insight, act.exposure); /* the account was erased: it goes with the last */
}

/* Looks at every row: an erasure is rare. Exposures whose like or favorite stands go when it is
 * taken back. */
void insight_forget(struct insight *insight, uint32_t tenant, uint64_t account)
{
    for (uint32_t row = 0; row < insight->exposures.fresh; row++) {
        const struct insight_exposure *exposure = table_row(&insight->exposures, row);

        if (exposure->head.used && exposure->head.b == account && exposure->head.c == tenant &&
            is_gone(exposure))
            exposure_drop(insight, exposure);
    }
    for (uint32_t row = 0; row < insight->ties.fresh; row++) {
        const struct insight_tie *tie = table_row(&insight->ties, row);

        if (tie->head.used && tie->head.b == account && tie->head.c == tenant)
            table_remove(&insight->ties, row);
    }
}
