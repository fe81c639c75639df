/* discover_weight.c: what creators' weights are made of, from records (weight.h has the formula).
 *
 *   published   an item that is given a creator and is not yet a week old: one that is older
 *               (an import) has no first audience to be judged by, and is no part of it
 *   looked      each STAGE record about the item, with the counts as of then: what was a reason to
 *               decide is a reason to remember. With no pool there is no look, and history is 50
 *   fans        likes, favorites, comments, shares of who follows the creator, as far as they are
 *               credited above what they were before: once an account and item, also if they are
 *               taken back and given again, and when a held one is believed later. Who follows is
 *               known of the last VIEWER_FOLLOWED a viewer follows
 *   upheld      a restriction of the account that begins with a CASE APPROVE: two people decided.
 *               What a rule does by itself has a case of its own, and is none
 *   lifted      its LIFT, by appeal or restore
 *
 * A creator of whom nothing is kept counts as 50. Rows are made by publishing alone, which is the
 * platform's to say; when there are too many the one with the fewest items goes, and one on which a
 * penalty weighs last. */
#include <math.h>

#include "base/hook.h"
#include "readers/discover/discover_inner.h"
#include "schema/verb.h"

/* Points of a restriction, of 100: our own. A cut takes a fifth of what it cuts. */
#define BAN_POINTS   10.0
#define LIMIT_POINTS 20.0
#define CUT_PART     5.0

static struct weight *weight_of(struct discover *discover, uint32_t tenant, uint64_t creator)
{
    uint32_t row = table_find(&discover->weights, (struct table_key){creator, 0, tenant}, true);

    return row == TABLE_NONE ? NULL
                             : &((struct weight_row *)table_row(&discover->weights, row))->weight;
}

static struct weight *weight_of_item(struct discover *discover, const struct item *item)
{
    return item->has_creator ? weight_of(discover, item->head.c, item->creator) : NULL;
}

static uint32_t tag_of(const struct item *item)
{
    return item->tag_count > 0 ? tag_fold(item->tag[0]) : 0;
}

void weight_item_created(struct discover *discover, const struct item *item, int64_t time_us)
{
    struct table *table = &discover->weights;
    struct table_key key = {item->creator, 0, item->head.c};
    uint32_t row = table_find(table, key, true);

    if (time_us - item->published_us >= WEIGHT_CLOSED_US)
        return;
    if (row == TABLE_NONE) {
        uint32_t victim = table_victim(table);

        if (victim != TABLE_NONE) {
            table_remove(table, victim);
            table->evicted++;
        }
        row = table_add(table, key);
    }
    weight_published(&((struct weight_row *)table_row(table, row))->weight, item->head.a,
                     tag_of(item), time_us);
}

void weight_item_tagged(struct discover *discover, const struct item *item)
{
    struct weight *weight = weight_of_item(discover, item);

    if (weight != NULL)
        weight_tagged(weight, item->head.a, tag_of(item));
}

void weight_item_origin(struct discover *discover, const struct item *item, enum item_origin origin)
{
    struct weight *weight = origin != ORIGIN_UNSAID ? weight_of_item(discover, item) : NULL;

    if (weight != NULL)
        weight_original(weight, item->head.a, origin == ORIGIN_OWN);
}

/* --- what its audience did -----------------------------------------------------------------------
 */

struct pool_seen discover_seen(const struct signal_stage *stage)
{
    struct pool_seen seen = {.n = (double)stage->n_pct / 100};

    for (uint32_t signal = 0; signal < SIGNAL_COUNT; signal++) {
        enum pool_metric metric = kind_metric(signal);

        if (metric != POOL_METRICS)
            seen.s[metric] += (double)stage->success_pct[signal] / 100;
    }
    for (uint32_t m = 0; m < POOL_METRICS; m++)
        seen.s[m] = fmin(seen.s[m], seen.n); /* what was found out later left n alone */
    return seen;
}

void weight_item_looked(struct discover *discover, const struct item *item, int64_t time_us)
{
    struct weight *weight = weight_of_item(discover, item);
    struct pool_seen seen[POOL_AUDIENCES];

    if (weight == NULL)
        return;
    for (uint32_t i = 0; i < POOL_AUDIENCES; i++)
        seen[i] = discover_seen(&item->seen[i]);
    weight_looked(weight, item->head.a,
                  kind_chance(&discover->kinds,
                              heat_forward(&discover->kinds_clock, discover->record_us), seen),
                  time_us);
}

static bool follows(const struct discover *discover, uint32_t tenant, uint64_t account,
                    uint64_t creator)
{
    const struct viewer *viewer = discover_viewer(discover, tenant, account);

    for (uint32_t i = 0; viewer != NULL && i < viewer->followed_count; i++)
        if (viewer->followed[i] == creator)
            return true;
    return false;
}

void weight_fan(struct discover *discover, const struct record *record, const struct item *item,
                const struct exposure *before, const struct exposure *after)
{
    static const uint8_t signals[] = {SIGNAL_LIKE, SIGNAL_FAVORITE, SIGNAL_COMMENT, SIGNAL_SHARE};
    int more_pct = 0;
    struct weight *weight;

    for (uint32_t i = 0; i < sizeof signals; i++)
        if (after->act_pct[signals[i]] > before->act_pct[signals[i]])
            more_pct += after->act_pct[signals[i]] - before->act_pct[signals[i]];
    if (more_pct == 0 || !item->has_creator || record->account == item->creator ||
        !follows(discover, record->tenant, record->account, item->creator))
        return;
    weight = weight_of_item(discover, item);
    if (weight != NULL)
        weight_fan_act(weight, fmin(more_pct / 100.0, 1), record->time_us);
}

/* --- what people decided -------------------------------------------------------------------------
 */

static double points_of(uint64_t kind, uint64_t amount)
{
    switch (kind) {
    case SANCTION_LIKE_BAN:
        return BAN_POINTS;
    case SANCTION_LIMIT:
        return LIMIT_POINTS;
    case SANCTION_CUT:
        return amount < WEIGHT_FULL ? (double)(WEIGHT_FULL - amount) / CUT_PART : 0;
    default:
        return 0; /* points are of another purse */
    }
}

void weight_case(struct discover *discover, const struct record *record)
{
    struct weight *weight;
    uint64_t kind = record->b & 0xFF, amount = record->b >> 8 & 0xFFFF;

    if (record->kind == VERB_CASE_APPROVE) {
        discover->approved = record->a; /* what it begins is the record after it */
        return;
    }
    weight = record->a != 0 ? weight_of(discover, record->tenant, record->account) : NULL;
    if (weight == NULL)
        return;
    if (kind == SANCTION_LIFT)
        (void)weight_lifted(weight, record->a, 0);
    else if (record->a == discover->approved || PLANTED("discover.rules_weigh"))
        weight_upheld(weight, points_of(kind, amount), (int64_t)record->c, record->a, 0,
                      record->time_us);
}

/* The account was erased. */
void weight_forget(struct discover *discover, uint32_t tenant, uint64_t creator)
{
    uint32_t row = table_find(&discover->weights, (struct table_key){creator, 0, tenant}, false);

    if (row != TABLE_NONE)
        table_remove(&discover->weights, row);
}

const struct weight *discover_weight(const struct discover *discover, uint32_t tenant,
                                     uint64_t creator)
{
    uint32_t row = table_find((struct table *)&discover->weights,
                              (struct table_key){creator, 0, tenant}, false);

    return row == TABLE_NONE
               ? NULL
               : &((const struct weight_row *)table_row(&discover->weights, row))->weight;
}

double discover_weight_at(const struct discover *discover, uint32_t tenant, uint64_t creator,
                          int64_t now_us)
{
    const struct weight *weight = discover_weight(discover, tenant, creator);
    struct weight_told told;

    if (weight == NULL)
        return WEIGHT_NEUTRAL;
    weight_at(weight, now_us, &told);
    return told.weight;
}
