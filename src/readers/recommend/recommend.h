/* recommend.h: what somebody might like, asked of a trained model while serving.
 *
 *   history   items that the account liked or watched long, the newest first; what the model
 *             does not know is passed over
 *   score     expected strength of liking; compares items for one history, and nothing else
 *
 * Lifecycle:    recommend_open -> recommend_view_open -> { recommend_look -> score, best } ... ->
 *               close. A new model is opened beside the old one; if it is refused, the old one
 *               goes on.
 * Threads:      a model is never changed and may be used by many; a view belongs to one.
 * Time:         a look costs at most HISTORY_MAX * LINKS_MAX additions, a score one product of
 *               `rank` numbers, whatever the size of the model.
 * Memory:       the model's file, and 16 bytes an item a view. All at open. */
#ifndef ZAN_READERS_RECOMMEND_RECOMMEND_H
#define ZAN_READERS_RECOMMEND_RECOMMEND_H

#include <stdint.h>

#include "base/disk.h"
#include "schema/status.h"

#define RECOMMEND_HISTORY_MAX 256  /* the newest of a longer history */
#define RECOMMEND_LINKS_MAX   512  /* the strongest of an item's links */
#define RECOMMEND_BEST_MAX    1000 /* items asked for at once */
#define RECOMMEND_MESSAGE     256

struct rank;
struct recommend;
struct recommend_view;

struct recommend_found {
    uint64_t item;
    float score;
};

struct recommend_about {
    uint32_t version; /* seconds since 1970 when it was trained; goes into answers */
    uint16_t tenant;
    uint32_t items, links, rank, accounts;
    uint64_t pairs, bytes;
    float share;
};

/* IOFAIL, NOMEMORY, BADDATA: message names the file and what is wrong with it. */
enum status recommend_open(const struct disk *disk, const char *path, struct recommend **recommend,
                           char message[RECOMMEND_MESSAGE]);
/* One of a model in memory, which is handed over (model.h). NULL: no memory; the model stays the
 * caller's. */
struct model;
struct recommend *recommend_of(struct model *model);
void recommend_close(struct recommend *recommend); /* NULL is allowed; after its views */
/* The rates that came with the model (rank.h); NULL: none did. As long as it is open. */
const struct rank *recommend_rates(const struct recommend_view *view);
void recommend_about(const struct recommend *recommend, struct recommend_about *about);

/* NULL: no memory. */
struct recommend_view *recommend_view_open(const struct recommend *recommend);
void recommend_view_close(struct recommend_view *view); /* NULL is allowed */

/* Takes this history in place of the one before. Returns how many of it the model knows: with 0 of
 * them all scores are 0, and the best are the most popular. */
uint32_t recommend_look(struct recommend_view *view, const uint64_t *history, uint32_t count);

/* Of any item, for the history last looked at; 0 if the model does not know it. */
float recommend_score(const struct recommend_view *view, uint64_t item);

/* The best items that are not in the history, best first; of equal ones the lower id. Chosen by
 * their links from the history, ordered by the whole score. Returns how many: fewer than n where
 * fewer are linked.
 */
uint32_t recommend_best(struct recommend_view *view, uint32_t n, struct recommend_found *found);

/* The best for one who has this item alone: looks at it first. */
uint32_t recommend_similar(struct recommend_view *view, uint64_t item, uint32_t n,
                           struct recommend_found *found);

#endif
