/* compare.c: see compare.h. */
#include "readers/insight/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"
#include "readers/discover/quantile.h"

const char *const comparable_by_names[] = {"none", "tag", "length", "all"};

/* The items found so far, of each kind: rows. */
struct found {
    uint32_t count[COMPARED_TO_ALL + 1];
    uint32_t row[COMPARED_TO_ALL + 1][COMPARABLE_MAX];
};

bool compare_is_attested(const struct insight_item *item)
{
    return item->attested_n_pct >= ATTESTED_MIN * 100;
}

double compare_had(const struct insight_item *item, enum step step, int64_t age_us,
                   int64_t lived_us)
{
    double had = 0;
    int64_t from_us = 0;

    for (uint32_t bin = 0; bin < AGES && age_us > from_us; bin++) {
        int64_t end_us = age_ends_us[bin] < lived_us ? age_ends_us[bin] : lived_us;
        double part = 1;

        if (age_us < end_us && bin < AGES - 1 && !PLANTED("insight.age_is_forgotten"))
            part = (double)(age_us - from_us) / (double)(end_us - from_us);
        had += part * item->by_age[bin][step];
        from_us = age_ends_us[bin];
    }
    return had;
}

static bool is_candidate(const struct insight_item *item, const struct insight_item *other,
                         int64_t age_us, int64_t now_us)
{
    return other != item && other->head.used && other->head.c == item->head.c &&
           other->tally[STEP_SHOWN].raw > 0 && now_us - other->published_us >= age_us;
}

static void keep(struct found *found, enum comparable_by by, uint32_t row)
{
    if (found->count[by] < COMPARABLE_MAX)
        found->row[by][found->count[by]++] = row;
}

static void look_around(const struct insight *insight, const struct insight_item *item,
                        int64_t age_us, int64_t now_us, struct found *found)
{
    const struct table *items = &insight->items;
    uint32_t start = items->fresh > 0 ? (uint32_t)(hash_mix(item->head.a) % items->fresh) : 0;
    uint32_t length = quantile_bucket(item->duration_ms);

    for (uint32_t i = 0; i < items->fresh && found->count[COMPARED_BY_TAG] < COMPARABLE_MAX; i++) {
        uint32_t row = (start + i) % items->fresh;
        const struct insight_item *other = table_row(items, row);

        if (!is_candidate(item, other, age_us, now_us))
            continue;
        keep(found, COMPARED_TO_ALL, row);
        if (quantile_bucket(other->duration_ms) == length)
            keep(found, COMPARED_BY_LENGTH, row);
        if (item->tag_count > 0 && other->tag_count > 0 && other->tag[0] == item->tag[0])
            keep(found, COMPARED_BY_TAG, row);
    }
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static const struct insight_item *other_at(const struct insight *insight, const struct found *found,
                                           enum comparable_by by, uint32_t i)
{
    return table_row(&insight->items, found->row[by][i]);
}

static void expect(const struct insight *insight, const struct found *found, enum step step,
                   int64_t now_us, struct comparison *comparison)
{
    struct expected *expected = &comparison->step[step];
    double values[COMPARABLE_MAX] = {0};

    for (uint32_t i = 0; i < comparison->items; i++) {
        const struct insight_item *other = other_at(insight, found, comparison->by, i);

        values[i] =
            compare_had(other, step, comparison->age_us, now_us - other->published_us) / 100;
    }
    qsort(values, comparison->items, sizeof values[0], by_value);
    expected->middle = stats_quantile(values, comparison->items, 0.5);
    expected->low = stats_quantile(values, comparison->items, 0.25);
    expected->high = stats_quantile(values, comparison->items, 0.75);
    expected->percentile = stats_percentile(values, comparison->items, expected->had);
}

/* n and s of an item, of one basis. */
static double sums(const struct insight_item *item, bool attested, double s[STEP_COUNT])
{
    for (enum step step = 0; step < STEP_COUNT; step++)
        s[step] =
            (double)(attested ? item->tally[step].attested_pct : item->tally[step].reported_pct);
    return (double)(attested ? item->attested_n_pct : item->tally[STEP_SHOWN].reported_pct);
}

static void pool(const struct insight *insight, const struct found *found,
                 struct comparison *comparison)
{
    double stages[COMPARABLE_MAX] = {0}, budgets[COMPARABLE_MAX] = {0};
    uint32_t given = 0;

    for (uint32_t i = 0; i < comparison->items; i++) {
        const struct insight_item *other = other_at(insight, found, comparison->by, i);
        double s[STEP_COUNT];

        comparison->others_n += sums(other, comparison->attested, s);
        for (enum step step = 0; step < STEP_COUNT; step++)
            comparison->others_s[step] += s[step];
        comparison->fit += other->fit;
        comparison->fit_known += other->fit_known;
        stages[i] = other->stage & (INSIGHT_STAGES - 1);
        if (other->first_budget > 0)
            budgets[given++] = other->first_budget;
    }
    qsort(budgets, given, sizeof budgets[0], by_value);
    comparison->first_budget = given > 0 ? stats_quantile(budgets, given, 0.5) : 0;
    qsort(stages, comparison->items, sizeof stages[0], by_value);
    comparison->stage = stats_quantile(stages, comparison->items, 0.5);
}

void compare_item(const struct insight *insight, const struct insight_item *item, int64_t now_us,
                  struct comparison *comparison)
{
    struct found found;

    memset(comparison, 0, sizeof *comparison);
    memset(found.count, 0, sizeof found.count);
    comparison->age_us = now_us > item->published_us ? now_us - item->published_us : 0;
    comparison->attested = compare_is_attested(item);
    comparison->n = sums(item, comparison->attested, comparison->s);
    for (enum step step = 0; step < FUNNEL; step++)
        comparison->step[step].had = (double)item->tally[step].credited_pct / 100;
    look_around(insight, item, comparison->age_us, now_us, &found);
    for (enum comparable_by by = COMPARED_BY_TAG; by <= COMPARED_TO_ALL; by++)
        if (comparison->by == COMPARED_TO_NONE && found.count[by] >= COMPARABLE_MIN) {
            comparison->by = by;
            comparison->items = found.count[by];
        }
    if (comparison->by == COMPARED_TO_NONE)
        return;
    for (enum step step = 0; step < FUNNEL; step++)
        expect(insight, &found, step, now_us, comparison);
    pool(insight, &found, comparison);
}
