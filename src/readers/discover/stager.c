/* stager.c: see stager.h. */
#include "readers/discover/stager.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"
#include "readers/discover/discover_inner.h"
#include "readers/discover/weight.h"
#include "readers/errand.h"
#include "schema/verb.h"

#define LEAST_PCT     (100 * 100) /* of impressions, to teach: as pool.h says */
#define KIND_TRIES    8
#define KIND_STRENGTH 2.0 /* a kind is held to be at most so many times as alike as all items */

struct stager {
    struct errands *errands; /* basis: STAGE records of the item before */
    const struct pool_rule *rule;
    struct pool_platform platform;
    bool learnt, live;
    int64_t turned_us, learnt_us;
    uint32_t row; /* the next to be looked at */
    struct pool_past past[STAGER_PAST];
    double values[STAGER_PAST];
    struct pool_tag tags[STAGER_KINDS]; /* 0: all that found no place, and untagged ones */
    uint64_t tag_ids[STAGER_KINDS];     /* 0: a free place */
    struct deal deal;
    uint32_t dealt; /* among what is in trial, the next to be dealt to */
    double places; /* that feeds gave to what is in trial, as of placed_us: half are forgotten in */
    int64_t placed_us; /* STAGER_PLACES_US */
};

struct stager *stager_open(struct reader_door door, const struct pool_rule *rule)
{
    struct stager *stager = calloc(1, sizeof *stager);

    if (stager == NULL)
        return NULL;
    stager->errands = errands_open(door, STAGER_SLOTS);
    if (stager->errands == NULL) {
        free(stager);
        return NULL;
    }
    stager->live = rule != NULL && errands_can(stager->errands);
    stager->rule = rule != NULL ? rule : pool_rule_of("default");
    pool_unlearnt(stager->rule, &stager->platform);
    return stager;
}

void stager_close(struct stager *stager)
{
    if (stager == NULL)
        return;
    errands_close(stager->errands);
    free(stager);
}

/* --- what an audience did ------------------------------------------------------------------------
 */

static bool is_newcomer(const struct item *item)
{
    return item->newcomer_us != 0;
}

/* Of its creator, whoever that is. */
static double weight_at_now(const struct discover *discover, const struct item *item,
                            int64_t now_us)
{
    if (!item->has_creator || PLANTED("discover.weights_unused"))
        return WEIGHT_NEUTRAL;
    return discover_weight_at(discover, item->head.c, item->creator, now_us);
}

static double first_of(const struct stager *stager, const struct discover *discover,
                       const struct item *item, int64_t now_us)
{
    return pool_first(stager->rule, weight_at_now(discover, item, now_us), is_newcomer(item));
}

static struct pool_item pool_item_of(const struct stager *stager, const struct discover *discover,
                                     const struct item *item, int64_t now_us)
{
    struct pool_item out = {.first = first_of(stager, discover, item, now_us),
                            .stage = item->stage & (STAGE_AUDIENCE - 1),
                            .stopped = item->stopped_us != 0};

    for (uint32_t i = 0; i < POOL_AUDIENCES; i++)
        out.seen[i] = discover_seen(&item->seen[i]);
    return out;
}

/* Its place among the kinds that teach how alike items of one kind are. */
static uint32_t kind_place(struct stager *stager, const struct item *item)
{
    uint64_t id = item->tag_count == 0 ? 0 : hash_two(item->tag[0], item->head.c) | 1;
    uint32_t at = 1 + (uint32_t)(id >> 32) % (STAGER_KINDS - 1);

    for (uint32_t tries = 0; id != 0 && tries < KIND_TRIES; tries++) {
        if (stager->tag_ids[at] == 0)
            stager->tag_ids[at] = id;
        if (stager->tag_ids[at] == id)
            return at;
        at = at % (STAGER_KINDS - 1) + 1;
    }
    return 0;
}

static void learn(struct stager *stager, const struct discover *discover)
{
    uint32_t count = 0;

    memset(stager->tag_ids, 0, sizeof stager->tag_ids);
    for (uint32_t row = 0; row < discover->items.fresh && count < STAGER_PAST; row++) {
        const struct item *item = item_at(discover, row);

        if (!item->head.used || item->seen[0].n_pct + item->seen[1].n_pct < LEAST_PCT)
            continue;
        stager->past[count].seen =
            discover_seen(&item->seen[item->seen[1].n_pct > item->seen[0].n_pct ? 1 : 0]);
        stager->past[count++].tag = kind_place(stager, item);
    }
    stager->learnt = pool_learn(stager->rule, stager->past, count, stager->values, stager->tags,
                                STAGER_KINDS, &stager->platform);
    /* Items of one kind that look all alike so far are no proof that the next one will be: what is
     * thought of it beforehand must give way to what its own audience does. */
    for (uint32_t m = 0; m < POOL_METRICS; m++)
        stager->platform.strength[m] =
            fmin(stager->platform.strength[m],
                 KIND_STRENGTH * (stager->platform.rate[m].a + stager->platform.rate[m].b));
}

/* What to think of it before anybody saw it: what others of its kind did when they were new, beside
 * all that were new (kinds.h). NULL: nothing is known of its kind. */
static const struct tag_row *prior_of(const struct stager *stager, const struct discover *discover,
                                      const struct item *item, struct pool_tag *tag,
                                      struct gate_beta prior[POOL_METRICS])
{
    const struct tag_row *row =
        item->tag_count > 0 ? discover_tag(discover, item->head.c, item->tag[0]) : NULL;

    *tag = (struct pool_tag){.items = 0};
    if (row != NULL)
        *tag = kind_tag(&row->kind, &discover->kinds, &stager->platform, &item->taught,
                        heat_forward(&discover->kinds_clock, item->since_us),
                        heat_forward(&discover->kinds_clock, discover->record_us));
    if (tag->items <= 0 || PLANTED("discover.one_prior"))
        row = NULL;
    pool_prior(&stager->platform, row != NULL ? tag : NULL, prior);
    return row;
}

/* If it was learnt too long ago: every row is looked at. */
static void learn_anew(struct stager *stager, const struct discover *discover, int64_t now_us)
{
    if (now_us >= stager->learnt_us && now_us - stager->learnt_us < STAGER_LEARN_US)
        return;
    learn(stager, discover);
    stager->learnt_us = now_us;
}

/* --- requests ------------------------------------------------------------------------------------
 */

/* Was it taken, and its record not read yet? */
static bool is_to_be_read(const void *context, const struct errand *errand)
{
    const struct request *request = &errand->call.request;
    enum status status = errand->call.reply.status;
    const struct item *item = discover_item(context, request->tenant, request->target);

    return item != NULL && (status == STATUS_OK || status == STATUS_UNCHANGED) &&
           item->stages == errand->basis && !PLANTED("discover.stages_twice");
}

static void send(struct stager *stager, struct errand *errand, const struct item *item,
                 enum stage_step step, uint8_t stage, uint32_t budget)
{
    struct request *request =
        errand_begin(errand, VERB_STAGE, item->head.c, item->head.a, 0, item->stages);
    uint64_t id = hash_two(hash_two(item->head.a, item->stages), (uint64_t)item->published_us);

    request->u.note.word = (uint8_t)step;
    request->u.note.value = stage;
    request->u.note.amount = budget;
    errand_tell(errand);
    errands_send(stager->errands, errand, id,
                 hash_two(id, (uint64_t)budget << 32 | (uint32_t)step << 8 | stage));
}

static void write_evidence(struct errand *errand, const struct pool_decision *decision)
{
    const struct pool_gate *gate = decision->gate[decision->audience & 1];

    snprintf(errand->text, sizeof errand->text,
             "%s %u: %s; n %.0f, long %.0f, like %.0f, comment %.0f, share %.0f, negative %.0f; "
             "chance %.4f, share %.4f, value %.3f, bar %.3f",
             decision->rule, decision->rule_version, pool_verdict_names[decision->verdict],
             gate[POOL_LIKE].count.n, gate[POOL_LONG].count.s, gate[POOL_LIKE].count.s,
             gate[POOL_COMMENT].count.s, gate[POOL_SHARE].count.s, gate[POOL_NEGATIVE].count.s,
             decision->chance, decision->share, decision->value, decision->bar);
}

static bool is_stop(enum pool_verdict verdict)
{
    return verdict == POOL_STOP || verdict == POOL_STOP_NEGATIVE || verdict == POOL_STOP_LITERAL;
}

/* The share of what its stage has left; near the end of the stage, of a first budget: else the last
 * impressions would take ever smaller steps, each a record. */
static double budget_of(const struct stager *stager, const struct pool_decision *decision)
{
    return fmax(decision->budget, decision->share * stager->rule->first);
}

/* Its budget is used up: what next? */
static void decide(struct stager *stager, const struct discover *discover, struct errand *errand,
                   const struct item *item, int64_t now_us)
{
    struct pool_item state = pool_item_of(stager, discover, item, now_us);
    struct pool_decision decision;
    struct gate_beta prior[POOL_METRICS];
    struct pool_tag tag;
    uint8_t stage;

    (void)prior_of(stager, discover, item, &tag, prior);
    pool_step(stager->rule, &stager->platform, prior, &state, now_us, &decision);
    write_evidence(errand, &decision);
    stage = (uint8_t)(decision.stage | (decision.audience != 0 ? STAGE_AUDIENCE : 0));
    if (is_stop(decision.verdict))
        send(stager, errand, item, STAGE_STOP, stage, 0);
    else if (budget_of(stager, &decision) >= 1)
        send(stager, errand, item, decision.verdict == POOL_SECOND ? STAGE_AGAIN : STAGE_ADVANCE,
             stage, (uint32_t)fmin(budget_of(stager, &decision), 1e9));
}

static void enter(struct stager *stager, const struct discover *discover, struct errand *errand,
                  const struct item *item, enum stage_step step, int64_t now_us)
{
    double first = first_of(stager, discover, item, now_us);

    snprintf(errand->text, sizeof errand->text, "%s %u: %s; creator's weight %.1f%s",
             stager->rule->name, stager->rule->version,
             step == STAGE_ENTER ? "new" : "the stop has lapsed",
             weight_at_now(discover, item, now_us), is_newcomer(item) ? ", a newcomer" : "");
    send(stager, errand, item, step, item->stage, (uint32_t)fmax(1, first));
}

static void look(struct stager *stager, const struct discover *discover, const struct item *item,
                 int64_t now_us)
{
    bool is_new = item->stages == 0 && item->has_creator && item->published_us <= now_us &&
                  now_us - item->published_us < STAGER_NEW_US;
    bool is_used = item->budget > 0 && item->stage_counts.n_pct >= (uint64_t)item->budget * 100;
    bool has_lapsed = item->stopped_us != 0 && now_us - item->stopped_us >= stager->rule->stop_us;
    struct errand *errand;

    if (item->state != ITEM_PUBLISHED || !(is_new || is_used || has_lapsed))
        return;
    errand = errands_slot(stager->errands, item->head.c, item->head.a, 0);
    if (errand == NULL)
        return;
    if (is_new)
        enter(stager, discover, errand, item, STAGE_ENTER, now_us);
    else if (has_lapsed)
        enter(stager, discover, errand, item, STAGE_RESUME, now_us);
    else
        decide(stager, discover, errand, item, now_us);
}

void stager_turn(struct stager *stager, struct discover *discover, int64_t now_us)
{
    bool is_time = now_us < stager->turned_us || now_us - stager->turned_us >= STAGER_US;

    if (!stager->live)
        return;
    learn_anew(stager, discover, now_us);
    errands_collect(stager->errands, is_to_be_read, discover);
    if (!is_time)
        return;
    for (uint32_t i = 0; i < STAGER_LOOKS && i < discover->items.fresh; i++) {
        if (!errands_has_free(stager->errands))
            return; /* goes on here in the next turn, and at once */
        if (stager->row >= discover->items.fresh)
            stager->row = 0;
        const struct item *item = item_at(discover, stager->row++);

        if (item->head.used)
            look(stager, discover, item, now_us);
    }
    stager->turned_us = now_us;
}

/* --- deals ---------------------------------------------------------------------------------------
 */

/* How far it may go by its comments: towards the next circle from break_from on, into it from
 * break_sure on (pool.h). */
static void widen(const struct stager *stager, const struct gate_beta *prior,
                  const struct pool_item *state, uint32_t audience, struct deal_item *out)
{
    const struct pool_rule *rule = stager->rule;
    const struct pool_seen *own = &state->seen[audience], *other = &state->seen[1 - audience];
    double s = own->s[POOL_COMMENT] + rule->kin * other->s[POOL_COMMENT];
    double n = own->n + rule->kin * other->n;
    double sure = gate_above(gate_posterior(prior[POOL_COMMENT], (struct gate_count){n, s}),
                             rule->break_rate);

    out->widen =
        fmin(fmax((sure - rule->break_from) / (rule->break_sure - rule->break_from), 0), 1);
    out->circle = (uint8_t)(state->stage + (sure > rule->break_sure ? 1 : 0));
}

static void deal_to(struct stager *stager, const struct discover *discover, uint32_t row,
                    int64_t now_us)
{
    const struct item *item = item_at(discover, row);
    struct pool_item state = pool_item_of(stager, discover, item, now_us);
    double left = item->budget - (double)item->stage_counts.n_pct / 100;
    double seen = state.seen[0].n + state.seen[1].n;
    struct gate_beta prior[POOL_METRICS];
    struct pool_tag tag;
    struct pool_look now;
    struct deal_item to = {.item = item->head.a, .tenant = item->head.c, .row = row};
    struct pool_entry entry = {.author = item->has_creator ? hash_two(item->creator, item->head.c)
                                                           : hash_two(~item->head.a, row),
                               .newcomer = is_newcomer(item),
                               .share = 1,
                               .room = fmax(left, 0)};

    (void)prior_of(stager, discover, item, &tag, prior);
    if (seen < state.first) { /* given outright */
        entry.due = fmin(state.first - seen, entry.room);
        entry.room -= entry.due;
    }
    if (!stager->rule->literal) {
        pool_look(stager->rule, &stager->platform, prior, &state, &now);
        entry.share = now.share;
    }
    widen(stager, prior, &state, item->stage & STAGE_AUDIENCE ? 1 : 0, &to);
    deal_add(&stager->deal, &to, &entry);
}

static double places_at(const struct stager *stager, int64_t now_us)
{
    double age_us = fmax((double)(now_us - stager->placed_us), 0);

    return stager->places * exp2(-age_us / (double)STAGER_PLACES_US);
}

static void deal_anew(struct stager *stager, const struct discover *discover, int64_t now_us)
{
    const struct trial *trial = &discover->trial;

    learn_anew(stager, discover, now_us);
    deal_begin(&stager->deal, now_us);
    for (uint32_t i = 0; i < trial->count && !deal_is_full(&stager->deal); i++) {
        if (stager->dealt >= trial->count)
            stager->dealt = 0;
        deal_to(stager, discover, trial->rows[stager->dealt++], now_us);
    }
    deal_close(&stager->deal, stager->rule, fmax(places_at(stager, now_us), DEAL_SUPPLY_MIN));
}

const struct deal *stager_deal(struct stager *stager, const struct discover *discover,
                               int64_t now_us)
{
    int64_t made_us = stager->deal.made_us;

    if (!stager->live)
        return NULL;
    if (made_us == 0 || now_us < made_us || now_us - made_us >= STAGER_US)
        deal_anew(stager, discover, now_us);
    return &stager->deal;
}

void stager_placed(struct stager *stager, uint32_t places, int64_t now_us)
{
    stager->places = places_at(stager, now_us) + places;
    stager->placed_us = now_us;
}

void stager_why(struct stager *stager, const struct discover *discover, const struct item *item,
                int64_t now_us, struct stager_told *told)
{
    struct gate_beta prior[POOL_METRICS];
    struct pool_tag tag;

    learn_anew(stager, discover, now_us);
    told->item = pool_item_of(stager, discover, item, now_us);
    told->weight = weight_at_now(discover, item, now_us);
    told->learnt = stager->learnt;
    told->live = stager->live;
    told->stop_us = stager->rule->stop_us;
    told->kind = prior_of(stager, discover, item, &tag, prior);
    told->kind_items = told->kind != NULL ? tag.items : 0;
    pool_step(stager->rule, &stager->platform, prior, &told->item, now_us, &told->decision);
}
