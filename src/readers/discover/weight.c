/* weight.c: see weight.h. */
#include "readers/discover/weight.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/hook.h"
#include "readers/discover/pool.h"

const char *const weight_part_names[WEIGHT_PARTS] = {"history", "fans", "focus", "originality"};
const double weight_part_shares[WEIGHT_PARTS] = {0.40, 0.25, 0.15, 0.20};

static struct weight_item *find(struct weight *weight, uint64_t id)
{
    for (uint32_t i = 0; i < weight->items; i++)
        if (weight->item[i].id == id)
            return &weight->item[i];
    return NULL;
}

bool weight_is_closed(const struct weight_item *item, int64_t now_us)
{
    return now_us - item->published_us >= WEIGHT_CLOSED_US;
}

void weight_published(struct weight *weight, uint64_t item, uint32_t tag, int64_t now_us)
{
    if (find(weight, item) != NULL)
        return;
    if (weight->items == WEIGHT_ITEMS)
        memmove(weight->item, weight->item + 1, --weight->items * sizeof weight->item[0]);
    weight->item[weight->items++] =
        (struct weight_item){.id = item, .published_us = now_us, .tag = tag};
}

void weight_tagged(struct weight *weight, uint64_t item, uint32_t tag)
{
    struct weight_item *found = find(weight, item);

    if (found != NULL)
        found->tag = tag;
}

void weight_original(struct weight *weight, uint64_t item, bool original)
{
    struct weight_item *found = find(weight, item);

    if (found != NULL)
        found->copy = !original;
}

void weight_looked(struct weight *weight, uint64_t item, double chance, int64_t now_us)
{
    struct weight_item *found = find(weight, item);

    assert(chance >= 0 && chance <= 1);
    if (found != NULL && !weight_is_closed(found, now_us))
        found->best = PLANTED("discover.look_replaces") ? chance : fmax(found->best, chance);
}

double weight_fans(const struct weight *weight, int64_t now_us)
{
    double age_us = (double)(now_us - weight->fans_us);

    return weight->fan_acts * exp2(-fmax(age_us, 0) / (double)WEIGHT_FORGET_US);
}

void weight_fan_act(struct weight *weight, double credited, int64_t now_us)
{
    assert(credited >= 0 && credited <= 1);
    weight->fan_acts = weight_fans(weight, now_us) + credited;
    weight->fans_us = now_us > weight->fans_us ? now_us : weight->fans_us;
}

/* --- reviews -----------------------------------------------------------------------------------
 */

double weight_left(const struct weight_penalty *penalty, int64_t now_us)
{
    if (now_us >= penalty->expires_us)
        return 0;
    if (now_us <= penalty->from_us)
        return penalty->points;
    return penalty->points * (double)(penalty->expires_us - now_us) /
           (double)(penalty->expires_us - penalty->from_us);
}

static struct weight_penalty *mildest(struct weight *weight, int64_t now_us)
{
    struct weight_penalty *found = &weight->penalty[0];

    for (uint32_t i = 1; i < WEIGHT_PENALTIES; i++)
        if (weight_left(&weight->penalty[i], now_us) < weight_left(found, now_us))
            found = &weight->penalty[i];
    return found;
}

void weight_upheld(struct weight *weight, double points, int64_t expires_us, uint64_t case_id,
                   uint64_t copy, int64_t now_us)
{
    struct weight_penalty *place = mildest(weight, now_us);
    struct weight_item *item = copy != 0 ? find(weight, copy) : NULL;

    assert(points >= 0 && points <= 100);
    if (expires_us > now_us + WEIGHT_PENALTY_US)
        expires_us = now_us + WEIGHT_PENALTY_US;
    if (item != NULL)
        item->copy = true;
    if (points > weight_left(place, now_us) && expires_us > now_us)
        *place = (struct weight_penalty){points, now_us, expires_us, case_id};
}

bool weight_lifted(struct weight *weight, uint64_t case_id, uint64_t copy)
{
    struct weight_item *item = copy != 0 ? find(weight, copy) : NULL;
    bool any = item != NULL && item->copy;

    if (item != NULL)
        item->copy = false;
    for (uint32_t i = 0; i < WEIGHT_PENALTIES; i++) {
        if (weight->penalty[i].case_id != case_id || weight->penalty[i].expires_us == 0)
            continue;
        memset(&weight->penalty[i], 0, sizeof weight->penalty[i]);
        any = true;
    }
    return any;
}

/* --- parts ---------------------------------------------------------------------------------------
 */

static double history(const struct weight *weight, int64_t now_us, uint32_t *closed)
{
    double sum = 0;

    *closed = 0;
    for (uint32_t i = 0; i < weight->items; i++) {
        const struct weight_item *item = &weight->item[i];

        if (!weight_is_closed(item, now_us))
            continue; /* a look at it could lower the mean of the others, were it counted */
        sum += fmax(0, 2 * item->best - 1);
        *closed += 1;
    }
    return WEIGHT_NEUTRAL + WEIGHT_NEUTRAL * (*closed > 0 ? sum / *closed : 0);
}

static double alike(uint32_t tag, uint32_t other)
{
    if (tag == 0 || other == 0)
        return 0.5; /* who tags nothing is neither focused nor scattered */
    return tag == other;
}

static double focus(const struct weight *weight)
{
    double sum = 0, items = weight->items;

    for (uint32_t i = 0; i < weight->items; i++)
        for (uint32_t k = 0; k < weight->items; k++)
            sum += alike(weight->item[i].tag, weight->item[k].tag);
    /* sum / items^2 is the chance that two of its items have one tag */
    sum = items > 0 ? sum / items : 0;
    return 100 * (sum + WEIGHT_PRIOR_ITEMS * 0.5) / (items + WEIGHT_PRIOR_ITEMS);
}

static double originality(const struct weight *weight)
{
    double original = 0, items = weight->items;

    for (uint32_t i = 0; i < weight->items; i++)
        original += !weight->item[i].copy;
    return 100 * (original + WEIGHT_PRIOR_ITEMS * 0.5) / (items + WEIGHT_PRIOR_ITEMS);
}

static double penalties(const struct weight *weight, int64_t now_us)
{
    double sum = 0;

    for (uint32_t i = 0; i < WEIGHT_PENALTIES; i++)
        sum += weight_left(&weight->penalty[i], now_us);
    return sum;
}

static double sum_of(const double part[WEIGHT_PARTS], double less)
{
    double sum = -less;

    for (uint32_t p = 0; p < WEIGHT_PARTS; p++)
        sum += weight_part_shares[p] * part[p];
    return fmin(fmax(sum, 0), 100);
}

void weight_at(const struct weight *weight, int64_t now_us, struct weight_told *told)
{
    told->part[WEIGHT_HISTORY] = history(weight, now_us, &told->closed);
    told->part[WEIGHT_FANS] =
        WEIGHT_NEUTRAL +
        WEIGHT_NEUTRAL * (1 - exp2(-weight_fans(weight, now_us) / WEIGHT_FAN_ACTS));
    told->part[WEIGHT_FOCUS] = focus(weight);
    told->part[WEIGHT_ORIGINALITY] = originality(weight);
    told->penalties = penalties(weight, now_us);
    told->weight = sum_of(told->part, told->penalties);
    told->multiplier = pool_multiplier(told->weight);
    told->version = WEIGHT_VERSION;
}

uint32_t weight_recovery(const struct weight *weight, int64_t now_us,
                         struct weight_step step[WEIGHT_PENALTIES])
{
    struct weight_told told;
    uint32_t count = 0;

    weight_at(weight, now_us, &told);
    for (uint32_t i = 0; i < WEIGHT_PENALTIES; i++) {
        int64_t at_us = weight->penalty[i].expires_us;
        uint32_t k = count;

        if (at_us <= now_us)
            continue;
        for (; k > 0 && step[k - 1].at_us > at_us; k--)
            step[k] = step[k - 1];
        step[k].at_us = at_us;
        count++;
    }
    for (uint32_t k = 0; k < count; k++) {
        step[k].weight = sum_of(told.part, penalties(weight, step[k].at_us));
        step[k].multiplier = pool_multiplier(step[k].weight);
    }
    return count;
}

enum weight_part weight_advice(const struct weight_told *told)
{
    enum weight_part most = WEIGHT_HISTORY;

    for (uint32_t p = 0; p < WEIGHT_PARTS; p++)
        if (weight_part_shares[p] * (100 - told->part[p]) >
            weight_part_shares[most] * (100 - told->part[most]))
            most = (enum weight_part)p;
    return most;
}
