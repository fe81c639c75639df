/* best.h: the greatest n of what is offered, in the caller's room of n.
 *
 * A heap whose root is the least of those kept, so an offer that is not among the best costs one
 * comparison; one that is O(log n). Of equal scores the smaller index is the better, so the same
 * offers give the same n in whatever order they come. */
#ifndef ZAN_READERS_RECOMMEND_BEST_H
#define ZAN_READERS_RECOMMEND_BEST_H

#include <stdbool.h>
#include <stdint.h>

struct best_one {
    float score;
    uint32_t index;
};

struct best {
    struct best_one *kept;
    uint32_t size, most; /* most > 0 */
};

static inline bool best_is_less(struct best_one a, struct best_one b)
{
    return a.score < b.score || (a.score == b.score && a.index > b.index);
}

static inline void best_sink(const struct best *best, uint32_t at, struct best_one one)
{
    for (uint32_t child; (child = 2 * at + 1) < best->size; at = child) {
        if (child + 1 < best->size && best_is_less(best->kept[child + 1], best->kept[child]))
            child++;
        if (!best_is_less(best->kept[child], one))
            break;
        best->kept[at] = best->kept[child];
    }
    best->kept[at] = one;
}

static inline void best_offer(struct best *best, struct best_one one)
{
    uint32_t at = best->size;

    if (best->size == best->most) {
        if (best_is_less(best->kept[0], one))
            best_sink(best, 0, one);
        return;
    }
    for (best->size++; at > 0 && best_is_less(one, best->kept[(at - 1) / 2]); at = (at - 1) / 2)
        best->kept[at] = best->kept[(at - 1) / 2];
    best->kept[at] = one;
}

/* The least of those kept leaves; size > 0. */
static inline struct best_one best_take_least(struct best *best)
{
    struct best_one least = best->kept[0];

    best->size--;
    if (best->size > 0)
        best_sink(best, 0, best->kept[best->size]);
    return least;
}

#endif
