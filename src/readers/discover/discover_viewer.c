/* discover_viewer.c: what feeds are made of: who likes and follows what lately, what is in trial.
 */
#include <string.h>

#include "readers/discover/discover_inner.h"
#include "schema/verb.h"

static uint32_t find(const struct discover *discover, uint32_t tenant, uint64_t account)
{
    return table_find((struct table *)&discover->viewers, (struct table_key){account, 0, tenant},
                      false);
}

const struct viewer *discover_viewer(const struct discover *discover, uint32_t tenant,
                                     uint64_t account)
{
    uint32_t row = find(discover, tenant, account);

    return row == TABLE_NONE ? NULL : table_row(&discover->viewers, row);
}

uint64_t discover_region(const struct discover *discover, uint32_t tenant, uint64_t account)
{
    uint32_t row = table_find((struct table *)&discover->creators,
                              (struct table_key){account, 0, tenant}, false);

    return row == TABLE_NONE
               ? 0
               : ((const struct creator *)table_row(&discover->creators, row))->region;
}

/* NULL: there is none, and make is false. */
static struct viewer *viewer_of(struct discover *discover, const struct record *record, bool make)
{
    struct table *table = &discover->viewers;
    struct table_key key = {record->account, 0, record->tenant};
    uint32_t row = table_find(table, key, true);

    if (row == TABLE_NONE && make) {
        uint32_t victim = table_victim(table);

        if (victim != TABLE_NONE) {
            table_remove(table, victim);
            table->evicted++;
        }
        row = table_add(table, key);
    }
    return row == TABLE_NONE ? NULL : table_row(table, row);
}

/* Only what is believed teaches: a like that weighs nothing says nothing of who gave it. */
static bool is_believed(const struct record *record)
{
    struct verdict verdict = record_verdict(record);

    return (verdict.mark == MARK_PLAIN && verdict.weight_pct > 0) || verdict.mark == MARK_HELD;
}

static bool watched_long(const struct discover *discover, const struct record *record)
{
    struct table_key key = {record->target, record->account, record->tenant};
    uint32_t row = table_find((struct table *)&discover->exposures, key, false);

    return row != TABLE_NONE &&
           ((const struct exposure *)table_row(&discover->exposures, row))->flags &
               EXPOSURE_VIEWED_LONG;
}

static bool is_new(const struct discover *discover, const struct record *record)
{
    if (record->kind == VERB_VIEW)
        return is_believed(record) && watched_long(discover, record);
    return (record->kind == VERB_LIKE || record->kind == VERB_FOLLOW) && is_believed(record);
}

void viewer_learn(struct discover *discover, const struct record *record)
{
    bool news = is_new(discover, record);
    struct viewer *viewer;

    if (!news && record->kind != VERB_UNLIKE && record->kind != VERB_UNFOLLOW)
        return;
    if (!discover_may_personalise(discover, record->tenant, record->account))
        return;
    viewer = viewer_of(discover, record, news);
    if (viewer == NULL)
        return;
    if (record->kind == VERB_FOLLOW)
        viewer_follows(viewer, record->target);
    else if (record->kind == VERB_UNFOLLOW)
        viewer_unfollows(viewer, record->target);
    else if (record->kind == VERB_UNLIKE)
        viewer_unlikes(viewer, record->target);
    else
        viewer_likes(viewer, record->target);
}

struct taste_item discover_taste_item(const struct item *item)
{
    return (struct taste_item){.tag = item->tag,
                               .tag_count = item->tag_count,
                               .creator = item->creator,
                               .has_creator = item->has_creator,
                               .length = taste_length(item->duration_ms)};
}

/* How much of what the viewer was shown it did not want. */
static double unwanted(const struct record *record, uint16_t news, const struct exposure *after)
{
    double sum = 0;

    if (news >> SIGNAL_SKIP & 1)
        sum += record->context.source == SOURCE_MENU ? TASTE_STRONG : 1;
    if (news >> SIGNAL_EARLY_EXIT & 1)
        sum += TASTE_EARLY;
    if (news >> SIGNAL_REPORT & 1)
        sum += TASTE_STRONG * after->act_pct[SIGNAL_REPORT] / WEIGHT_FULL;
    return sum;
}

void viewer_feels(struct discover *discover, const struct record *record, const struct item *item,
                  const struct exposure *before, const struct exposure *after, uint8_t pct)
{
    const uint16_t seen = 1u << SIGNAL_CLICK | 1u << SIGNAL_SKIP;
    uint16_t news = (uint16_t)(after->bits & ~before->bits);
    struct taste_item about = discover_taste_item(item);
    struct taste_event event = {.weight = (double)pct / WEIGHT_FULL,
                                .shown = !(before->bits & seen) && after->bits & seen,
                                .clicked = news >> SIGNAL_CLICK & 1,
                                .watched = news >> SIGNAL_LONG_VIEW & 1,
                                .liked =
                                    news >> SIGNAL_LIKE & 1 && !(before->flags & EXPOSURE_LIKED),
                                .unwanted = unwanted(record, news, after)};

    if (news == 0 || !(event.shown || event.watched || event.liked || event.unwanted > 0) ||
        !discover_may_personalise(discover, record->tenant, record->account))
        return;
    taste_learn(&viewer_of(discover, record, true)->taste, &about, &event, record->time_us);
}

void viewer_forget(struct discover *discover, uint32_t tenant, uint64_t account)
{
    uint32_t row = find(discover, tenant, account);

    if (row != TABLE_NONE)
        table_remove(&discover->viewers, row);
}

static bool has_tag(const struct item *item, uint64_t tag)
{
    for (uint32_t i = 0; i < item->tag_count; i++)
        if (item->tag[i] == tag)
            return true;
    return false;
}

void viewer_forget_tag(struct discover *discover, uint32_t tenant, uint64_t account, uint64_t tag)
{
    uint32_t row = find(discover, tenant, account);
    struct viewer *viewer = row == TABLE_NONE ? NULL : table_row(&discover->viewers, row);

    if (viewer != NULL)
        taste_forget(&viewer->taste, TASTE_TAG, tag);
    for (uint32_t i = 0; viewer != NULL && i < viewer->liked_count;) {
        const struct item *item = discover_item(discover, tenant, viewer->liked[i]);

        if (item != NULL && has_tag(item, tag))
            viewer_unlikes(viewer, viewer->liked[i]);
        else
            i++;
    }
}

void item_trial(struct discover *discover, uint32_t row)
{
    const struct item *item = item_at(discover, row);
    bool in = item->state == ITEM_PUBLISHED &&
              item->stage_counts.n_pct < (uint64_t)item->budget * WEIGHT_FULL;

    trial_set(&discover->trial, row, in);
}
