/* discover_act.c: what accounts do to items, as heat, rates, interests. See discover.h.
 *
 * What a like brought is never stored: it is worked out from when it was done, what it is worth,
 * and how well it fit, and comes out as the same double each time, so what is taken away is what
 * was added. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/hook.h"
#include "readers/acts.h"
#include "readers/discover/discover_inner.h"
#include "schema/verb.h"

/* One act, as its record has it. */
struct act {
    const struct record *record;
    uint32_t row; /* of the item */
    struct item *item;
    struct exposure *exposure; /* NULL: none is kept */
    bool looked;
    bool personal;
    struct account *account;
    struct tag_row *tag[INTEREST_ITEM_TAGS];
    uint8_t pct; /* what it is credited with */
    uint8_t valid;
};

/* --- counts with their denominators --------------------------------------------------------------
 */

static uint32_t success_of(const struct exposure *exposure, enum signal signal)
{
    uint8_t act = exposure->act_pct[signal], shown = exposure->impression_pct;

    if (!(exposure->flags & EXPOSURE_IMPRESSION) || !(exposure->bits >> signal & 1))
        return 0;
    return act < shown || PLANTED("discover.weight_of_the_act") ? act : shown;
}

/* An item that was forgotten and is back has less than what is taken from it. */
static uint64_t moved(uint64_t value, int64_t by)
{
    if (by < 0 && value < (uint64_t)-by)
        return 0;
    return value + (uint64_t)by;
}

static void tally_move(struct signal_tally *tally, int raw, int valid, int credited, int success)
{
    tally->raw = (uint32_t)moved(tally->raw, raw);
    tally->valid = (uint32_t)moved(tally->valid, valid);
    tally->credited_pct = moved(tally->credited_pct, credited);
    tally->success_pct = moved(tally->success_pct, success);
}

/* What the audience of this impression did, in all stages; NULL: it was paid for, or given as a
 * compensation, and is nobody's. */
static struct signal_stage *audience_of(const struct act *act)
{
    uint8_t stage = gift_ladder_stage(act->exposure->stage);

    return stage > STAGE_OF_LADDER ? NULL : &act->item->seen[stage & STAGE_AUDIENCE ? 1 : 0];
}

/* A success of an impression that teaches: its kind, and all kinds, learn it. */
static void success_teaches(struct discover *discover, struct act *act, enum signal signal, int by)
{
    enum pool_metric metric = kind_metric(signal);
    struct kind_sums *kind = metric != POOL_METRICS ? item_kind(discover, act->item) : NULL;
    double forward = heat_forward(&discover->kinds_clock, act->item->since_us);

    if (metric == POOL_METRICS)
        return;
    by = taught_success(&act->item->taught, metric, by);
    kind_success(&discover->kinds, metric, by, forward);
    if (kind != NULL)
        kind_success(kind, metric, by, forward);
}

static void impression_teaches(struct discover *discover, struct item *item, int by)
{
    struct kind_sums *kind = item_kind(discover, item);
    double forward = heat_forward(&discover->kinds_clock, item->since_us);

    by = taught_impression(&item->taught, by);
    kind_impression(&discover->kinds, by, forward);
    if (kind != NULL)
        kind_impression(kind, by, forward);
}

static void success_move(struct discover *discover, struct act *act, enum signal signal,
                         uint32_t before)
{
    int by = (int)success_of(act->exposure, signal) - (int)before;
    struct signal_stage *stage = &act->item->stage_counts, *audience = audience_of(act);

    if (by == 0)
        return;
    tally_move(&act->item->signals.tally[signal], 0, 0, 0, by);
    tally_move(&discover->platform->tally[signal], 0, 0, 0, by);
    if (gift_ladder_stage(act->exposure->stage) == act->item->stage)
        stage->success_pct[signal] = (uint32_t)moved(stage->success_pct[signal], by);
    if (audience != NULL)
        audience->success_pct[signal] = (uint32_t)moved(audience->success_pct[signal], by);
    if (act->exposure->flags & EXPOSURE_TEACHES)
        success_teaches(discover, act, signal, by);
}

/* The account does it now (on), worth so much; or no longer. */
static void signal_set(struct discover *discover, struct act *act, enum signal signal, bool on,
                       uint8_t pct, bool valid)
{
    struct exposure *exposure = act->exposure;
    uint32_t before = success_of(exposure, signal);
    bool was = exposure->bits >> signal & 1, was_valid = was && exposure->valid >> signal & 1;
    int credited = (on ? pct : 0) - (was ? exposure->act_pct[signal] : 0);
    int raw = on - was, now_valid = (on && valid) - was_valid;

    tally_move(&act->item->signals.tally[signal], raw, now_valid, credited, 0);
    tally_move(&discover->platform->tally[signal], raw, now_valid, credited, 0);
    exposure->bits = (uint16_t)((exposure->bits & ~(1u << signal)) | (unsigned)on << signal);
    exposure->valid = (uint16_t)((exposure->valid & ~(1u << signal)) | (unsigned)valid << signal);
    if (on)
        exposure->act_pct[signal] = pct;
    success_move(discover, act, signal, before);
}

static bool does(const struct act *act, enum signal signal)
{
    return act->exposure->bits >> signal & 1;
}

static void impressions_move(struct signals *signals, uint8_t pct)
{
    signals->impressions++;
    signals->credited_impressions += pct > 0;
    signals->impressions_pct += pct;
}

/* --- heat ----------------------------------------------------------------------------------------
 */

static double forward(const struct discover *discover, int64_t time_us)
{
    return heat_forward(&discover->clock, time_us);
}

/* Whom the act is of, and the tags of what it is done to: once for each act. */
static void look_around(struct discover *discover, struct act *act)
{
    const struct record *record = act->record;
    const struct item *item = act->item;
    uint32_t row;

    if (act->looked)
        return;
    act->looked = true;
    act->personal = discover_may_personalise(discover, record->tenant, record->account);
    row = act->personal ? table_find(&discover->accounts,
                                     (struct table_key){record->account, 0, record->tenant}, true)
                        : TABLE_NONE;
    act->account = row == TABLE_NONE ? NULL : table_row(&discover->accounts, row);
    for (uint32_t i = 0; i < item->tag_count; i++)
        act->tag[i] = tag_take(discover, record->tenant, item->tag[i]);
    for (uint32_t i = 0; i < item->tag_count; i++)
        if (!act->tag[i]->head.used || act->tag[i]->head.a != item->tag[i])
            act->tag[i] = NULL;
}

/* discover_fit, with what was found already. */
static uint8_t match_of(struct discover *discover, struct act *act)
{
    const struct item *item = act->item;
    double share = 0;

    look_around(discover, act);
    if (item->tag_count == 0 || discover->interests_mass <= 0 || act->account == NULL)
        return MATCH_ONE;
    for (uint32_t i = 0; i < item->tag_count; i++)
        share += act->tag[i] != NULL ? act->tag[i]->mass : 0;
    return (uint8_t)lround(
        MATCH_ONE * interest_fit(&act->account->interest, item->tag, item->tag_count,
                                 share / discover->interests_mass,
                                 heat_forward(&discover->interests_clock, act->record->time_us)));
}

/* What the like of an exposure has brought, and still does. */
static double like_forward(const struct discover *discover, const struct act *act)
{
    const struct exposure *exposure = act->exposure;

    if (exposure->flags & EXPOSURE_HEATLESS)
        return 0;
    return discover->rules.weight[HEAT_LIKE] * exposure->act_pct[SIGNAL_LIKE] / 100 *
           exposure->like_match / MATCH_ONE *
           (exposure->flags & EXPOSURE_DEPTH ? discover->rules.depth : 1) *
           forward(discover, exposure->like_us);
}

static double favorite_forward(const struct discover *discover, const struct act *act)
{
    const struct exposure *exposure = act->exposure;

    return discover->rules.weight[HEAT_FAVORITE] * exposure->act_pct[SIGNAL_FAVORITE] / 100 *
           exposure->favorite_match / MATCH_ONE * forward(discover, exposure->favorite_us);
}

/* What an act that cannot be taken back brings. */
static void heat_once(struct discover *discover, struct act *act, enum heat_verb verb)
{
    heat_add(&act->item->heat, discover->rules.weight[verb] * act->pct / 100 *
                                   match_of(discover, act) / MATCH_ONE *
                                   forward(discover, act->record->time_us));
    item_rank(discover, act->row);
}

/* By how much it changed since before. */
static void heat_move(struct discover *discover, struct act *act, double before, double after)
{
    if (after > before)
        heat_add(&act->item->heat, after - before);
    else if (after < before)
        heat_drop(&act->item->heat, before - after);
    if (after != before)
        item_rank(discover, act->row);
}

/* --- impressions ---------------------------------------------------------------------------------
 */

/* What interests the viewer most, beside the one who saw it before. */
static void viewer_counts(struct discover *discover, struct act *act)
{
    const struct interest *interest;
    uint32_t best = 0;

    look_around(discover, act);
    if (act->pct == 0 || audience_of(act) == NULL || act->account == NULL ||
        act->account->interest.count == 0)
        return;
    interest = &act->account->interest;
    for (uint32_t i = 1; i < interest->count; i++)
        if (interest->mass[i] > interest->mass[best])
            best = i;
    health_seen(&act->item->viewed, &discover->viewed, tag_fold(interest->tag[best]));
}

/* It was shown, as its token says. Only the first time counts. */
static void impression_count(struct discover *discover, struct act *act)
{
    struct exposure *exposure = act->exposure;

    if (!(act->record->fields & RECORD_HAS_IMPRESSION) || exposure->flags & EXPOSURE_IMPRESSION)
        return;
    exposure->flags |= EXPOSURE_IMPRESSION;
    exposure->impression_pct = act->pct;
    exposure->stage = act->record->stage;
    impressions_move(&act->item->signals, act->pct);
    impressions_move(discover->platform, act->pct);
    gifts_impression(discover, act->item, act->record, act->pct);
    if (gift_ladder_stage(exposure->stage) == act->item->stage)
        act->item->stage_counts.n_pct += act->pct;
    if (audience_of(act) != NULL)
        audience_of(act)->n_pct += act->pct;
    if (audience_of(act) != NULL && act->pct > 0 && taught_has_room(&act->item->taught)) {
        exposure->flags |= EXPOSURE_TEACHES;
        impression_teaches(discover, act->item, act->pct);
    }
    viewer_counts(discover, act);
    item_trial(discover, act->row);
    for (uint32_t signal = 0; signal < SIGNAL_COUNT; signal++)
        if (does(act, signal))
            success_move(discover, act, signal, 0);
}

/* --- tags ----------------------------------------------------------------------------------------
 */

/* An act on an item of these tags, the first of its account. */
static void tags_rise(struct discover *discover, struct act *act)
{
    look_around(discover, act);
    for (uint32_t i = 0; i < act->item->tag_count; i++)
        if (act->tag[i] != NULL)
            rising_add(&act->tag[i]->rising, act->pct, act->record->time_us);
}

static void interest_learn(struct discover *discover, struct act *act, double weight)
{
    const struct item *item = act->item;
    uint32_t tenant = act->record->tenant;
    double now;

    look_around(discover, act);
    weight *= act->pct / 100.0;
    if (item->tag_count == 0 || weight <= 0 || !act->personal)
        return;
    now = heat_forward(&discover->interests_clock, act->record->time_us);
    if (act->account == NULL)
        act->account = account_take(discover, tenant, act->record->account);
    interest_add(&act->account->interest, item->tag, item->tag_count, weight, now);
    for (uint32_t i = 0; i < item->tag_count; i++)
        if (act->tag[i] != NULL)
            act->tag[i]->mass += weight * now / item->tag_count;
    discover->interests_mass += weight * now;
}

static struct live *live_of(struct discover *discover, const struct act *act)
{
    return live_take(discover, act->record->tenant, act->record->target);
}

/* --- likes ---------------------------------------------------------------------------------------
 */

static void like_worth(struct discover *discover, struct act *act, uint8_t pct, bool valid)
{
    double before = like_forward(discover, act);

    signal_set(discover, act, SIGNAL_LIKE, true, pct, valid);
    heat_move(discover, act, before, like_forward(discover, act));
}

static void like_first(struct discover *discover, struct act *act)
{
    struct exposure *exposure = act->exposure;

    exposure->flags |= EXPOSURE_LIKED;
    exposure->like_us = act->record->time_us;
    exposure->like_match = match_of(discover, act);
    signal_set(discover, act, SIGNAL_LIKE, true, act->pct, act->valid);
    heat_move(discover, act, 0, like_forward(discover, act));
    tags_rise(discover, act);
    interest_learn(discover, act, 1);
}

/* It is there again: what its un-like had taken, and no more than it is worth now. */
static void like_again(struct discover *discover, struct act *act)
{
    struct exposure *exposure = act->exposure;
    uint8_t had = exposure->act_pct[SIGNAL_LIKE];

    exposure->flags &= (uint8_t)~EXPOSURE_LIKE_OFF;
    heat_return(&act->item->heat, exposure->like_taken, like_forward(discover, act));
    signal_set(discover, act, SIGNAL_LIKE, true, had, act->valid);
    if (act->pct < had)
        like_worth(discover, act, act->pct, act->valid);
    item_rank(discover, act->row);
}

static void apply_like(struct discover *discover, struct act *act)
{
    struct exposure *exposure = act->exposure;
    struct live *live;

    item_step(discover, act->row, act->record->time_us);
    live = live_of(discover, act);
    live_add(live, LIVE_LIKE, 1, act->record->time_us);
    live_add(live, LIVE_LIKE_PCT, act->pct, act->record->time_us);
    if (does(act, SIGNAL_LIKE)) {
        like_worth(discover, act, act->pct, act->valid); /* only where the log has a hole */
    } else if (exposure->flags & EXPOSURE_LIKE_OFF) {
        like_again(discover, act);
    } else if (act->record->fields & RECORD_HAS_BEFORE) {
        exposure->flags |= EXPOSURE_LIKED | EXPOSURE_HEATLESS;
        exposure->like_us = act->record->time_us;
        signal_set(discover, act, SIGNAL_LIKE, true, act->pct, act->valid);
    } else {
        like_first(discover, act);
    }
}

/* Of a like whose exposure was forgotten: the least it can have brought, if it was worth pct. */
static double forgotten_forward(const struct discover *discover, const struct act *act, uint8_t pct)
{
    int64_t like_us = act->record->time_us - (int64_t)act->record->before_age_s * 1000000;

    if (like_us < act->item->since_us)
        return 0;
    return discover->rules.weight[HEAT_LIKE] * pct / 100 * HEAT_MATCH_MIN *
           forward(discover, like_us);
}

/* Counts of a like whose exposure was forgotten; its impression, if any, has gone with it. */
static void forgotten_count(struct discover *discover, struct act *act, int raw, int valid,
                            int credited)
{
    tally_move(&act->item->signals.tally[SIGNAL_LIKE], raw, valid, credited, 0);
    tally_move(&discover->platform->tally[SIGNAL_LIKE], raw, valid, credited, 0);
}

static void forgotten_unlike(struct discover *discover, struct act *act)
{
    struct verdict before = record_before(act->record);
    uint8_t pct = act_credited(&before);

    if (!(act->record->fields & RECORD_HAS_BEFORE))
        return;
    forgotten_count(discover, act, -1, -act_valid(&before), -pct);
    if (act->item->heatless > 0 && !PLANTED("discover.back_and_forth")) {
        act->item->heatless--; /* it may be one that had brought nothing */
        return;
    }
    (void)heat_take(&act->item->heat, forgotten_forward(discover, act, pct),
                    record_horizon_s(act->record), act->record->time_us);
}

static void apply_unlike(struct discover *discover, struct act *act)
{
    const struct record *record = act->record;
    struct exposure *exposure = act->exposure;

    item_step(discover, act->row, record->time_us);
    if (record->fields & RECORD_HAS_EXTRA && (int64_t)record->c > record->time_us)
        heat_freeze(&act->item->heat, (int64_t)record->c);
    if (exposure != NULL && does(act, SIGNAL_LIKE)) {
        exposure->like_taken = heat_take(&act->item->heat, like_forward(discover, act),
                                         record_horizon_s(record), record->time_us);
        exposure->flags |= EXPOSURE_LIKE_OFF;
        signal_set(discover, act, SIGNAL_LIKE, false, 0, exposure->valid >> SIGNAL_LIKE & 1);
    } else if (exposure == NULL || !(exposure->flags & EXPOSURE_LIKED)) {
        forgotten_unlike(discover, act);
    }
    item_rank(discover, act->row);
}

/* A void, a restore, a score made again. */
static void apply_settle(struct discover *discover, struct act *act)
{
    struct verdict before = record_before(act->record);

    if (act->exposure != NULL && does(act, SIGNAL_LIKE)) {
        like_worth(discover, act, act->pct, act->valid);
        return;
    }
    if (!(act->record->fields & RECORD_HAS_BEFORE))
        return;
    forgotten_count(discover, act, 0, act->valid - act_valid(&before),
                    act->pct - act_credited(&before));
    if (act->item->heatless == 0)
        heat_move(discover, act, forgotten_forward(discover, act, act_credited(&before)),
                  forgotten_forward(discover, act, act->pct));
}

/* --- favorites: the same, without settling
 * -------------------------------------------------------- */

static void apply_favorite(struct discover *discover, struct act *act)
{
    struct exposure *exposure = act->exposure;

    if (does(act, SIGNAL_FAVORITE))
        return;
    item_step(discover, act->row, act->record->time_us);
    if (exposure->flags & EXPOSURE_FAVORITE_OFF) {
        uint8_t had = exposure->act_pct[SIGNAL_FAVORITE];

        exposure->flags &= (uint8_t)~EXPOSURE_FAVORITE_OFF;
        heat_return(&act->item->heat, exposure->favorite_taken, favorite_forward(discover, act));
        signal_set(discover, act, SIGNAL_FAVORITE, true, had, act->valid);
    } else {
        exposure->favorite_us = act->record->time_us;
        exposure->favorite_match = match_of(discover, act);
        signal_set(discover, act, SIGNAL_FAVORITE, true, act->pct, act->valid);
        heat_add(&act->item->heat, favorite_forward(discover, act));
        tags_rise(discover, act);
    }
    item_rank(discover, act->row);
}

#define FAVORITE_HORIZON_S (24u * 3600) /* as the policies' "smooth withdrawn" has it for likes */

static void apply_unfavorite(struct discover *discover, struct act *act)
{
    struct exposure *exposure = act->exposure;

    if (exposure == NULL || !does(act, SIGNAL_FAVORITE))
        return;
    item_step(discover, act->row, act->record->time_us);
    exposure->favorite_taken = heat_take(&act->item->heat, favorite_forward(discover, act),
                                         FAVORITE_HORIZON_S, act->record->time_us);
    exposure->flags |= EXPOSURE_FAVORITE_OFF;
    signal_set(discover, act, SIGNAL_FAVORITE, false, 0, exposure->valid >> SIGNAL_FAVORITE & 1);
    item_rank(discover, act->row);
}

/* --- what cannot be taken back
 * -------------------------------------------------------------------- */

/* From the first comment on; in the sketch of the item, if there is room for one. */
static void commenter_count(struct discover *discover, struct act *act)
{
    struct item *item = act->item;

    if (item->sketch == 0 && !table_is_full(&discover->sketches))
        item->sketch =
            table_add(&discover->sketches, (struct table_key){item->head.a, 0, item->head.c}) + 1;
    if (item->sketch != 0) {
        struct sketch_row *row = table_row(&discover->sketches, item->sketch - 1);

        sketch_add(&row->sketch, act->record->account);
    }
}

static void apply_comment(struct discover *discover, struct act *act)
{
    live_add(live_of(discover, act), LIVE_COMMENT, 1, act->record->time_us);
    if (does(act, SIGNAL_COMMENT))
        return;
    commenter_count(discover, act);
    signal_set(discover, act, SIGNAL_COMMENT, true, act->pct, act->valid);
    heat_once(discover, act, HEAT_COMMENT);
    tags_rise(discover, act);
    if (does(act, SIGNAL_LIKE) && act->pct > 0) {
        double before = like_forward(discover, act);

        act->exposure->flags |= EXPOSURE_DEPTH;
        heat_move(discover, act, before, like_forward(discover, act));
    }
}

static void apply_share(struct discover *discover, struct act *act)
{
    live_add(live_of(discover, act), LIVE_SHARE, 1, act->record->time_us);
    if (does(act, SIGNAL_SHARE))
        return;
    signal_set(discover, act, SIGNAL_SHARE, true, act->pct, act->valid);
    heat_once(discover, act, HEAT_SHARE);
    tags_rise(discover, act);
}

static void apply_report(struct discover *discover, struct act *act)
{
    if (!does(act, SIGNAL_REPORT))
        signal_set(discover, act, SIGNAL_REPORT, true,
                   act->record->fields & RECORD_HAS_ARGS && act->record->a <= WEIGHT_FULL
                       ? (uint8_t)act->record->a
                       : act->pct,
                   act->valid);
}

/* Views before it that were found out with it count no longer; nobody knows which they were. */
static void views_found_out(struct discover *discover, struct act *act)
{
    uint64_t less = record_along(act->record) * 50u, *n = &act->item->signals.impressions_pct;

    if (!(act->record->fields & RECORD_HAS_IMPRESSION) || less == 0)
        return;
    *n -= less < *n ? less : *n;
    if (gift_ladder_stage(act->record->stage) > STAGE_OF_LADDER)
        return; /* paid for, or given: no gate counted them */
    n = &act->item->stage_counts.n_pct;
    *n -= less < *n ? less : *n;
    n = &act->item->seen[act->record->stage & STAGE_AUDIENCE ? 1 : 0].n_pct;
    *n -= less < *n ? less : *n;
    if (taught_has_room(&act->item->taught))
        impression_teaches(discover, act->item, -(int)less);
}

/* Whom a share brought: of whom nothing is known with this item before. Who saw it already is no
 * merit of the share. */
static void opened_count(struct act *act)
{
    if (act->record->context.source != SOURCE_SHARE || act->exposure->bits != 0)
        return;
    act->item->opened++;
    act->item->opened_pct += act->pct;
}

static void apply_view(struct discover *discover, struct act *act)
{
    const struct record *record = act->record;
    uint32_t watch_ms = (uint32_t)record->a, duration_ms = (uint32_t)record->b;
    bool first = !does(act, SIGNAL_CLICK);
    double place = quantile_place(discover->quantile, duration_ms, watch_ms, discover->record_us);
    uint16_t bits = signals_of_view(watch_ms, duration_ms, place);

    quantile_add(discover->quantile, duration_ms, watch_ms, act->pct / 100.0, discover->record_us);
    live_add(live_of(discover, act), LIVE_VIEW, 1, act->record->time_us);
    views_found_out(discover, act);
    opened_count(act);
    impression_count(discover, act);
    if (!first)
        bits &= (uint16_t) ~(1u << SIGNAL_EARLY_EXIT);
    for (uint32_t signal = 0; signal < SIGNAL_COUNT; signal++)
        if (bits >> signal & 1 && !does(act, signal))
            signal_set(discover, act, signal, true, act->pct, act->valid);
    if (bits >> SIGNAL_LONG_VIEW & 1 && !(act->exposure->flags & EXPOSURE_VIEWED_LONG)) {
        act->exposure->flags |= EXPOSURE_VIEWED_LONG;
        heat_once(discover, act, HEAT_LONG_VIEW);
        interest_learn(discover, act, INTEREST_VIEW);
    }
    look_around(discover, act);
    if (act->personal) {
        if (act->account == NULL)
            act->account = account_take(discover, record->tenant, record->account);
        act->account->last_item = record->target;
        act->account->last_creator = act->item->has_creator ? act->item->creator : 0;
        act->account->last_us = act->item->has_creator ? record->time_us : 0;
    }
}

static void apply_skip(struct discover *discover, struct act *act)
{
    impression_count(discover, act);
    if (!does(act, SIGNAL_SKIP))
        signal_set(discover, act, SIGNAL_SKIP, true, act->pct, act->valid);
}

/* A creator followed shortly after one of his items was watched: that item led to it. */
static void apply_follow(struct discover *discover, const struct record *record)
{
    struct verdict verdict = record_verdict(record);
    uint32_t at = table_find(&discover->accounts,
                             (struct table_key){record->account, 0, record->tenant}, false);

    if (at == TABLE_NONE)
        return;
    const struct account *account = table_row(&discover->accounts, at);

    if (account->last_us == 0 || account->last_creator != record->target ||
        record->time_us - account->last_us > SIGNAL_FOLLOW_US)
        return;
    uint32_t row = item_find(discover, record->tenant, account->last_item);
    uint32_t seen =
        table_find(&discover->exposures,
                   (struct table_key){account->last_item, record->account, record->tenant}, true);

    if (row == TABLE_NONE || seen == TABLE_NONE)
        return;
    struct act act = {.record = record,
                      .row = row,
                      .item = item_at(discover, row),
                      .exposure = table_row(&discover->exposures, seen),
                      .pct = act_credited(&verdict),
                      .valid = act_valid(&verdict)};

    if (!does(&act, SIGNAL_FOLLOW)) {
        struct campaign_act follow = {
            .account = record->account, .time_us = record->time_us, .pct = act.pct, .follow = true};

        campaigns_see(discover->campaigns, record->tenant, act.item->head.a, &follow);
        signal_set(discover, &act, SIGNAL_FOLLOW, true, act.pct, act.valid);
    }
}

/* --- which is which
 * ------------------------------------------------------------------------------- */

bool act_is(const struct record *record)
{
    return record->kind == VERB_FOLLOW || act_is_of_item(record);
}

static void act_dispatch(struct discover *discover, struct act *act)
{
    switch (act->record->kind) {
    case VERB_LIKE:
        apply_like(discover, act);
        break;
    case VERB_UNLIKE:
        apply_unlike(discover, act);
        break;
    case VERB_FAVORITE:
        apply_favorite(discover, act);
        break;
    case VERB_UNFAVORITE:
        apply_unfavorite(discover, act);
        break;
    case VERB_REPORT:
        apply_report(discover, act);
        break;
    case VERB_VIEW:
        apply_view(discover, act);
        break;
    case VERB_SHARE:
        apply_share(discover, act);
        break;
    case VERB_COMMENT:
        apply_comment(discover, act);
        break;
    case VERB_SKIP:
        apply_skip(discover, act);
        break;
    default: /* SETTLE, and the effect that asks for one */
        apply_settle(discover, act);
        break;
    }
}

/* The account was erased: its exposure goes with the last that stood. */
static void erased(struct discover *discover, const struct record *record)
{
    uint32_t row =
        table_find(&discover->exposures,
                   (struct table_key){record->target, record->account, record->tenant}, false);

    if (row != TABLE_NONE && !(((struct exposure *)table_row(&discover->exposures, row))->bits &
                               (1u << SIGNAL_LIKE | 1u << SIGNAL_FAVORITE)))
        exposure_drop(discover, row);
}

/* An item that was forgotten and is made again has nothing of what its older likes had brought. Not
 * told by time: records of several partitions come in no order of theirs. */
static void heat_home(struct act *act)
{
    struct exposure *exposure = act->exposure;

    if (exposure->birth == act->item->birth || PLANTED("discover.any_birth"))
        return;
    exposure->birth = act->item->birth;
    exposure->like_match = exposure->favorite_match = 0;
}

/* What the act was to a campaign of its item, by the exposure before it and after it. */
static void campaign_sees(struct discover *discover, const struct act *act,
                          const struct exposure *before)
{
    const struct exposure *after = act->exposure;
    bool did = before->bits >> SIGNAL_LIKE & 1, does_now = after->bits >> SIGNAL_LIKE & 1;
    bool was_off = before->flags & EXPOSURE_LIKE_OFF;
    struct campaign_act seen = {.account = act->record->account,
                                .time_us = act->record->time_us,
                                .like_us = after->like_us,
                                .pct = act->pct,
                                .like_pct = before->act_pct[SIGNAL_LIKE],
                                .age_min = act->record->age_min};

    seen.saw = after->flags & EXPOSURE_IMPRESSION && after->stage == PAID_STAGE;
    seen.shown = seen.saw && !(before->flags & EXPOSURE_IMPRESSION);
    seen.relike = !did && does_now && was_off;
    seen.like = !did && does_now && !was_off && !(act->record->fields & RECORD_HAS_BEFORE);
    seen.unlike = did && !does_now;
    campaigns_see(discover->campaigns, act->record->tenant, act->item->head.a, &seen);
}

void act_apply(struct discover *discover, const struct record *record)
{
    struct verdict verdict = record_verdict(record);
    struct act act = {
        .record = record, .pct = act_credited(&verdict), .valid = act_valid(&verdict)};
    struct exposure before = {0};

    if (record->kind == VERB_FOLLOW) {
        apply_follow(discover, record);
        return;
    }
    if (act_is_later(record)) {
        uint32_t at =
            table_find(&discover->exposures,
                       (struct table_key){record->target, record->account, record->tenant}, true);

        act.row = item_find(discover, record->tenant, record->target);
        if (act.row == TABLE_NONE)
            return; /* forgotten altogether: it has nothing that could be taken away */
        act.exposure = at == TABLE_NONE ? NULL : table_row(&discover->exposures, at);
    } else {
        act.row = item_take(discover, record->tenant, record->target, record->time_us);
        act.exposure = exposure_take(discover, record->tenant, record->target, record->account);
    }
    act.item = item_at(discover, act.row);
    if (act.exposure != NULL) {
        heat_home(&act);
        before = *act.exposure;
    }
    act_dispatch(discover, &act);
    if (act.exposure != NULL)
        viewer_feels(discover, record, act.item, &before, act.exposure, act.pct);
    if (act.exposure != NULL && discover->campaigns->count > 0)
        campaign_sees(discover, &act, &before);
    if (act.exposure != NULL)
        weight_fan(discover, record, act.item, &before, act.exposure);
    if (record->kind <= VERB_UNFOLLOW && record_cleanup(record) == RECORD_ERASURE)
        erased(discover, record);
}

/* Looks at every exposure: an erasure is rare. Those whose like or favorite stands go when it is
 * taken back. */
void act_forget(struct discover *discover, uint32_t tenant, uint64_t account)
{
    for (uint32_t row = 0; row < discover->exposures.fresh; row++) {
        const struct exposure *exposure = table_row(&discover->exposures, row);

        if (exposure->head.used && exposure->head.b == account && exposure->head.c == tenant &&
            !(exposure->bits & (1u << SIGNAL_LIKE | 1u << SIGNAL_FAVORITE)))
            exposure_drop(discover, row);
    }
}
