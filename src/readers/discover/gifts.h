/* gifts.h: exposure that creators are given: what each still has, and what was shown of it.
 *
 *   compensation  for likes that were taken back by arrangement, granted by two people
 *                 (engine/compensate.h). What is left is the engine's to say: CASE APPROVE names
 * the creator, SPEND BUDGET says what is left and until when. One like is worth GIFT_IMPRESSIONS of
 * full credit credit        GIFT_CREDIT impressions for a newcomer, once, for 14 days (pool.h: who,
 * how long), out of a purse of so many in GIFT_PERIOD_US. Nobody decides: it follows from the
 *                 records of his items, the first of them at which he may have it
 *
 * Both are used up by valid impressions: an account's first attested one of an item, whose token
 * says that it was given (its stage), by what the viewer is credited with. So viewers nobody
 * believes use nothing up.
 *
 *   unit     percent of an impression
 *   pct      percent of a like, as the engine's budget
 *
 * Holds always: sums of what was shown and what was spent are sums, so between partitions the order
 *               of records does not matter for a compensation, and what was shown and not told yet
 *               (gift_owes) is the same whoever stopped in between. Shown beyond what there was, it
 *               is owed to the next compensation. Of credits: granted = spent + lapsed + left.
 *               Waiting (places given out, no view yet) is beside the rows, in no checkpoint; it
 *               only keeps more from being given than there is.
 * Bounds:       rows; when all are taken, that goes which ends first. A purse never does.
 * Memory:       gifts_bytes(), the caller's, 64 byte aligned, zeroed. Pure. */
#ifndef ZAN_READERS_DISCOVER_GIFTS_H
#define ZAN_READERS_DISCOVER_GIFTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "readers/discover/pool.h"
#include "readers/discover/table.h"
#include "readers/discover/trial.h"
#include "schema/record.h"

/* One like, in impressions: at 2 likes of 100, more than KuaiRand's log has (3,915 of 228,329), so
 * what is given back is on the average less than what was lost. */
#define GIFT_IMPRESSIONS 50u
#define GIFT_UNITS       100u /* an impression of full credit */
#define GIFT_ASKS        5 /* how often it is asked what a decision gave, while that is nothing */
#define GIFT_PERIOD_US   (30LL * 24 * 3600 * 1000000)
#define GIFT_WAITS_US    (10LL * 60 * 1000000) /* a place given out and not viewed is forgotten */

enum gift { GIFT_COMPENSATION, GIFT_CREDIT, GIFTS, GIFT_NONE = GIFTS };

/* What pays, in the stage of a token. Compensation is of no stage of the ladder, so no gate counts
 * it; a credit is a bit beside the item's stage: it is for being tried. */
#define STAGE_COMPENSATION 254
#define STAGE_CREDIT       128
#define STAGE_OF_LADDER    127 /* what a stage of the ladder may be, the audience's bit included */

static inline enum gift gift_of_stage(uint8_t stage)
{
    if (stage == STAGE_COMPENSATION)
        return GIFT_COMPENSATION;
    return stage > STAGE_OF_LADDER && stage < STAGE_COMPENSATION ? GIFT_CREDIT : GIFT_NONE;
}

/* The stage whose gates count it; of what no gate counts, as it is. */
static inline uint8_t gift_ladder_stage(uint8_t stage)
{
    return gift_of_stage(stage) == GIFT_CREDIT ? stage & STAGE_OF_LADDER : stage;
}

/* Of a creator; or {0, 1, tenant}: the purse. Written as it is into checkpoints. */
struct gift_row {
    struct table_head head;
    /* compensation */
    uint64_t named;             /* sequence of the decision that named him last; 0: none did */
    uint64_t shown_units;       /* ever */
    uint64_t spent_pct;         /* ever: told by SPEND BUDGET */
    uint32_t left_pct, until_s; /* as the last SPEND BUDGET said */
    uint32_t tells;             /* SPEND BUDGET records of him, refused ones too */
    uint32_t asks;              /* how often it is still to be asked what there is */
    /* credit */
    struct pool_credit credit;
    struct pool_purse purse; /* of this period */
    int64_t period;
};

struct gift_book {
    struct table rows;
    struct trial open[GIFTS]; /* rows there may be something left of */
    uint32_t (*waiting)[GIFTS];
    int64_t *waits_us; /* when waiting began anew */
};

size_t gifts_bytes(uint32_t rows);
void gifts_open(struct gift_book *book, void *memory, uint32_t rows);
/* After the rows were put back: what is open, from them. */
void gifts_index(struct gift_book *book);

/* NULL: he was never given anything. */
const struct gift_row *gifts_find(const struct gift_book *book, uint32_t tenant, uint64_t creator);

/* --- records */
/* CASE APPROVE: of a compensation, or of its end. Others are passed over. */
void gifts_decided(struct gift_book *book, const struct record *record);
/* SPEND BUDGET, decided or refused. */
void gifts_told(struct gift_book *book, const struct record *record);
/* The account was erased. */
void gifts_forget(struct gift_book *book, uint32_t tenant, uint64_t creator);
/* What decides whether he may have a credit: items, of all he published; age of the first. */
struct gift_newcomer {
    uint64_t creator;
    int64_t age_us, now_us;
    double limit; /* of the purse, in impressions; 0: no credits */
    uint32_t tenant, items;
    bool restricted;
};
void gifts_newcomer(struct gift_book *book, const struct gift_newcomer *who);
/* What another item of his would bring now. */
enum pool_credit_answer gifts_would(const struct gift_book *book, const struct gift_newcomer *who);
/* A valid impression, or several. */
void gifts_shown(struct gift_book *book, enum gift gift, uint32_t tenant, uint64_t creator,
                 uint32_t units, int64_t time_us);

/* --- what there is; now_us: the wall clock where nothing else is said */
/* Impressions that may still be shown, what is owed and waiting taken off. */
double gifts_left(const struct gift_book *book, const struct gift_row *row, enum gift gift,
                  int64_t now_us);
/* Percent of a like that are to be told by SPEND BUDGET: never more than there is. */
uint32_t gift_owes(const struct gift_row *row, int64_t now_us);
/* Somebody of the tenant who has a whole impression left; NULL: none of those looked at has. */
const struct gift_row *gifts_pick(struct gift_book *book, enum gift gift, uint32_t tenant,
                                  uint64_t random, int64_t now_us);
/* A place was given out for it. */
void gifts_given(struct gift_book *book, const struct gift_row *row, enum gift gift,
                 int64_t now_us);

#endif
