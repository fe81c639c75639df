/* taste.c: see taste.h. */
#include "readers/discover/taste.h"

#include <math.h>
#include <string.h>

#define DAY_US      86400000000LL
#define MINUTE_US   60000000LL
#define USUAL       0.2  /* share that is unwanted, before anything is known of the viewer */
#define USUAL_PRIOR 10.0 /* impressions of it */
#define USUAL_MOST  0.9
#define RECENT      20.0
#define LONG_AGO    200.0
#define PAUSE_MIN   360.0 /* after so long half of a tiredness is gone */
#define BUCKETS     63

uint32_t taste_length(uint32_t duration_ms)
{
    double third = duration_ms == 0 ? 0 : 3 * log2(duration_ms / 1000.0 + 1);

    return third >= BUCKETS ? BUCKETS : (uint32_t)third + (duration_ms > 0);
}

/* --- counts --------------------------------------------------------------------------------------
 */

static void scale(struct taste_counts *counts, double factor)
{
    counts->shown = (uint16_t)(counts->shown * factor);
    counts->clicked = (uint16_t)(counts->clicked * factor);
    counts->watched = (uint16_t)(counts->watched * factor);
    counts->liked = (uint16_t)(counts->liked * factor);
    counts->unwanted = (uint16_t)(counts->unwanted * factor);
}

static double faded(const struct taste *taste, int64_t now_us)
{
    uint16_t days = (uint16_t)((uint16_t)(now_us / DAY_US) - taste->day_low);

    /* A record of a moment before the day's last one: it is the day before, not 65,535 days on. */
    return days > 32767 ? 1 : exp2(-(double)days / TASTE_HALF_LIFE);
}

static void let_fade(struct taste *taste, int64_t now_us)
{
    double factor = faded(taste, now_us);

    if (factor == 1)
        return;
    taste->day_low = (uint16_t)(now_us / DAY_US);
    scale(&taste->all, factor);
    for (uint32_t i = 0; i < TASTE_TRAITS; i++) {
        scale(&taste->at[i].counts, factor);
        if (taste->at[i].counts.shown == 0)
            taste->at[i] = (struct taste_trait){0};
    }
}

static void count(struct taste_counts *counts, const struct taste_event *event)
{
    double one = event->weight * TASTE_ONE;
    /* What is said strongly counts as so many impressions: a share stays a share. */
    double shown = fmax(event->shown ? 1 : 0, event->unwanted > 1 ? event->unwanted : 0);

    if (counts->shown + shown * one > UINT16_MAX)
        scale(counts, 0.5);
    counts->shown = (uint16_t)(counts->shown + shown * one);
    counts->clicked = (uint16_t)fmin(counts->shown, counts->clicked + event->clicked * one);
    counts->watched = (uint16_t)fmin(counts->shown, counts->watched + event->watched * one);
    counts->liked = (uint16_t)fmin(counts->shown, counts->liked + event->liked * one);
    counts->unwanted = (uint16_t)fmin(counts->shown, counts->unwanted + event->unwanted * one);
}

/* --- traits --------------------------------------------------------------------------------------
 */

const struct taste_trait *taste_find(const struct taste *taste, enum taste_kind kind, uint64_t id)
{
    for (uint32_t i = 0; i < TASTE_TRAITS; i++)
        if (taste->at[i].id == id && taste->at[i].kind == kind)
            return &taste->at[i];
    return NULL;
}

void taste_forget(struct taste *taste, enum taste_kind kind, uint64_t id)
{
    for (uint32_t i = 0; i < TASTE_TRAITS; i++)
        if (taste->at[i].id == id && taste->at[i].kind == kind)
            taste->at[i] = (struct taste_trait){0};
}

/* How much would be lost with it. */
static uint32_t tells(const struct taste_trait *trait)
{
    return trait->kind == TASTE_NONE
               ? 0
               : 1u + trait->counts.shown + 4u * (trait->counts.unwanted + trait->counts.liked);
}

static struct taste_trait *take(struct taste *taste, enum taste_kind kind, uint64_t id)
{
    const struct taste_trait *found = taste_find(taste, kind, id);
    uint32_t least = 0;

    if (found != NULL)
        return &taste->at[found - taste->at];
    for (uint32_t i = 1; i < TASTE_TRAITS; i++)
        if (tells(&taste->at[i]) < tells(&taste->at[least]))
            least = i;
    taste->at[least] = (struct taste_trait){.id = id, .kind = (uint8_t)kind};
    return &taste->at[least];
}

/* --- tiredness -----------------------------------------------------------------------------------
 */

static double rested(const struct taste *taste, int64_t now_us)
{
    double minutes = (double)(now_us / MINUTE_US) - taste->minute;

    return minutes <= 0 ? 1 : exp2(-minutes / PAUSE_MIN);
}

/* What is still felt of the last impressions, now. */
static double recent_of(const struct taste *taste, int64_t now_us)
{
    double usual = (double)taste->usual;

    return usual + ((double)taste->recent - usual) * rested(taste, now_us);
}

static void feel(struct taste *taste, bool pleased, double weight, int64_t now_us)
{
    double n = taste->impressions < LONG_AGO ? taste->impressions + 1.0 : LONG_AGO;
    double recent = recent_of(taste, now_us), usual = (double)taste->usual;

    recent += weight * (pleased - recent) / fmin(n, RECENT);
    usual += weight * (pleased - usual) / n;
    taste->recent = (float)recent;
    taste->usual = (float)usual;
    taste->minute = (uint32_t)(now_us / MINUTE_US);
    taste->impressions += taste->impressions < UINT32_MAX;
}

double taste_tired(const struct taste *taste, int64_t now_us)
{
    double usual = (double)taste->usual;
    /* An average that forgets by 1/20 each has the variance of 39 impressions. */
    double error = sqrt(usual * (1 - usual) / (2 * RECENT - 1));

    if (taste->impressions < 2 * RECENT || error <= 0)
        return 0;
    return fmin(1, fmax(0, ((usual - recent_of(taste, now_us)) / error - 1) / 2));
}

/* --- learning, and what it comes to --------------------------------------------------------------
 */

void taste_learn(struct taste *taste, const struct taste_item *item,
                 const struct taste_event *event, int64_t now_us)
{
    assert(event->weight >= 0 && event->weight <= 1 && item->tag_count <= TAGS_MAX);
    let_fade(taste, now_us);
    count(&taste->all, event);
    for (uint32_t i = 0; i < item->tag_count; i++)
        count(&take(taste, TASTE_TAG, item->tag[i])->counts, event);
    if (item->has_creator)
        count(&take(taste, TASTE_CREATOR, item->creator)->counts, event);
    if (item->length != 0)
        count(&take(taste, TASTE_LENGTH, item->length)->counts, event);
    if (event->shown)
        feel(taste, event->watched || event->liked, event->weight, now_us);
}

static double usual_of(const struct taste *taste, double fade)
{
    double shown = taste->all.shown * fade / TASTE_ONE,
           unwanted = taste->all.unwanted * fade / TASTE_ONE;

    return fmin(USUAL_MOST, (unwanted + USUAL_PRIOR * USUAL) / (shown + USUAL_PRIOR));
}

static double factor_of(const struct taste_trait *trait, double fade, double usual)
{
    double shown = trait->counts.shown * fade / TASTE_ONE,
           unwanted = trait->counts.unwanted * fade / TASTE_ONE;
    double rate = (unwanted + TASTE_PRIOR * usual) / (shown + TASTE_PRIOR);

    return fmin(1, fmax(TASTE_FLOOR, (1 - rate) / (1 - usual)));
}

double taste_factor_of(const struct taste *taste, const struct taste_trait *trait, int64_t now_us)
{
    double fade = faded(taste, now_us);

    return factor_of(trait, fade, usual_of(taste, fade));
}

double taste_factor(const struct taste *taste, const struct taste_item *item, int64_t now_us)
{
    double fade = faded(taste, now_us), usual = usual_of(taste, fade), sum = 0, factor = 1;
    const struct taste_trait *trait;

    for (uint32_t i = 0; i < item->tag_count; i++) {
        trait = taste_find(taste, TASTE_TAG, item->tag[i]);
        sum += trait == NULL ? 1 : factor_of(trait, fade, usual);
    }
    if (item->tag_count > 0)
        factor = sum / item->tag_count;
    trait = item->has_creator ? taste_find(taste, TASTE_CREATOR, item->creator) : NULL;
    if (trait != NULL)
        factor *= factor_of(trait, fade, usual);
    return fmax(TASTE_FLOOR, factor);
}
