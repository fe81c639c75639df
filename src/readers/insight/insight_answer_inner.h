/* insight_answer_inner.h: what the files that answer share.
 *
 *   insight_answer.c           who may ask; pieces; INSIGHT ITEM
 *   insight_answer_time.c      TIMELINE, ROLLUP, INSIGHT PLATFORM
 *   insight_answer_audience.c  INSIGHT CREATOR, INSIGHT AUDIENCE
 *   insight_answer_diagnose.c  DIAGNOSE
 */
#ifndef ZAN_READERS_INSIGHT_ANSWER_INNER_H
#define ZAN_READERS_INSIGHT_ANSWER_INNER_H

#include "readers/insight/compare.h"
#include "readers/insight/insight_answer.h"
#include "readers/insight/stats.h"
#include "schema/tree.h"

struct insight_asked {
    const struct insight *insight;
    struct call *call;
    const struct reader_now *now;
    int64_t now_us;    /* the clock's, or the latest record's, whichever is later */
    uint64_t withheld; /* accounts in parts that were left out so far */
    struct tree_builder tree;
};

/* --- insight_answer.c: pieces */
void asked_begin(struct insight_asked *asked);
void asked_finish(struct insight_asked *asked);
/* To so many places, within what a tree can say. */
void asked_number(struct insight_asked *asked, const char *name, double value, uint8_t places);
void asked_ms(struct insight_asked *asked, const char *name, int64_t time_us); /* 0: null */
void asked_tag(struct insight_asked *asked, const char *name, uint64_t tag);   /* 0: null */
/* rate, low, high of s by n, both in percent. */
void asked_rate(struct insight_asked *asked, double s, double n);
/* The same with the first of them called share. */
void asked_share(struct insight_asked *asked, double s, double n);
void asked_bands(struct insight_asked *asked, const char *name, const char *const *names,
                 const uint32_t *accounts, uint32_t count);
void asked_hours(struct insight_asked *asked, const struct insight_map *map);
void asked_regions(struct insight_asked *asked, enum map_kind kind, uint64_t id);
void asked_comparable(struct insight_asked *asked, const struct insight_item *item,
                      const struct comparison *comparison);
void asked_met(struct insight_asked *asked, const char *name, uint32_t met_new,
               uint32_t met_returning);

/* --- insight_answer_time.c */
void insight_tell_timeline(struct insight_asked *asked);
void insight_tell_rollup(struct insight_asked *asked);
void insight_tell_platform(struct insight_asked *asked);

/* --- insight_answer_diagnose.c */
void insight_tell_diagnosis(struct insight_asked *asked);

/* --- insight_answer_audience.c */
void insight_tell_creator(struct insight_asked *asked);
void insight_tell_audience(struct insight_asked *asked);

#endif
