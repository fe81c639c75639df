/* trust_world.h: a small platform that likes, for the tests of the trust scorer. The generators are
 * ours: they show that the mechanism works, not that it beats real fraudsters.
 *
 * Acts must come by time. Each is judged and observed at once; what counted in full is reviewed
 * when a later act asks for it; what is held or quarantined is settled TRUST_SETTLE_US later. side:
 * 0 honest, 1 attack, 2 attack that is not found yet; likes and weights are summed for each. */
#ifndef ZAN_TESTS_TRUST_WORLD_H
#define ZAN_TESTS_TRUST_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "support.h"

#include "engine/trust.h"

#define SECOND_US 1000000LL
#define HOUR_US   (3600 * SECOND_US)
#define DAY_US    (24 * HOUR_US)
#define WORLD_US  (19000 * DAY_US) /* when worlds begin */

struct world_account {
    int64_t first_us;
    uint32_t given, taken;
    uint64_t network, device;
};

struct world_wait {
    struct act act;
    int64_t from_us;
    uint16_t reasons;
    uint8_t side;
};

/* Likes that counted in full, the last of them: they may be held yet. */
#define WORLD_FULL 65536
struct world_full {
    struct act act;
    uint8_t side;
    bool held;
};

struct world_side {
    uint64_t likes, early_pct, final_pct; /* sums */
    uint64_t reopened;                    /* counted in full and were held later */
    uint64_t held, quarantined, devalued; /* likes; devalued: under 100 in the end */
    uint64_t low;                         /* under 50 in the end */
};

struct world {
    void *region;
    struct trust *trust;
    struct test_random random;
    struct world_account *accounts;
    uint32_t account_count;
    struct world_wait *waits;
    size_t wait_count, wait_done, wait_room;
    struct world_full *full;
    size_t full_count;
    struct world_side side[3];
    struct trust_verdict last;
    int64_t act_us; /* now */
};

static inline void world_open(struct world *world, uint64_t seed, uint32_t accounts)
{
    struct trust_config config = {65536, 65536, 131072, 524288, 16384};
    size_t bytes = trust_bytes(&config);

    *world = (struct world){.account_count = accounts, .random = {seed}};
    world->region = aligned_alloc(64, bytes);
    world->accounts = calloc(accounts, sizeof *world->accounts);
    world->full = calloc(WORLD_FULL, sizeof *world->full);
    assert_non_null(world->full);
    assert_non_null(world->region);
    assert_non_null(world->accounts);
    world->trust = trust_open(world->region, bytes, &config);
    for (uint32_t i = 0; i < accounts; i++) {
        uint64_t age_days = 30 + test_random_below(&world->random, 700);

        world->accounts[i] = (struct world_account){
            .first_us = WORLD_US - (int64_t)age_days * DAY_US,
            .given = (uint32_t)(1 + test_random_below(&world->random, 200)),
            .network = 1 + i / 3,
            .device = 1 + i,
        };
    }
}

static inline void world_close(struct world *world)
{
    free(world->region);
    free(world->accounts);
    free(world->waits);
    free(world->full);
}

static inline void world_count(struct world_side *side, const struct trust_verdict *verdict)
{
    assert_true(verdict->weight_pct >= 50 || verdict->families >= 2);
    assert_true(verdict->weight_pct <= 100);
    side->final_pct += verdict->weight_pct;
    side->devalued += verdict->weight_pct < 100;
    side->low += verdict->weight_pct < 50;
}

/* Settles what has waited long enough; INT64_MAX: everything. */
static inline void world_settle(struct world *world, int64_t now_us)
{
    while (world->wait_done < world->wait_count) {
        struct world_wait *wait = &world->waits[world->wait_done];
        struct trust_verdict verdict = {.reasons = wait->reasons};

        if (now_us != INT64_MAX && now_us - TRUST_SETTLE_US < wait->from_us)
            return;
        trust_settle(world->trust, &wait->act, &verdict);
        assert_int_equal(verdict.mark, MARK_PLAIN);
        world_count(&world->side[wait->side], &verdict);
        world->wait_done++;
    }
}

static inline struct act world_act(const struct world *world, int64_t now_us, uint8_t verb,
                                   uint32_t account, uint64_t item)
{
    const struct world_account *row = &world->accounts[account];

    return (struct act){
        .now_us = now_us,
        .account = account,
        .target = item,
        .creator = item / 10,
        .has_creator = 1,
        .account_first_us = row->first_us,
        .given_likes = row->given,
        .taken_back = row->taken,
        .network = row->network,
        .device = row->device,
        .verb = verb,
    };
}

static inline void world_wait(struct world *world, const struct act *act, int side)
{
    if (world->wait_count == world->wait_room) {
        world->wait_room = world->wait_room * 2 + 1024;
        world->waits = realloc(world->waits, world->wait_room * sizeof *world->waits);
        assert_non_null(world->waits);
    }
    world->waits[world->wait_count++] =
        (struct world_wait){*act, world->act_us, world->last.reasons, (uint8_t)side};
}

/* One like that counted in full, if it was one. */
static inline void world_review_one(struct world *world, const struct trust_like *like)
{
    size_t first = world->full_count > WORLD_FULL ? world->full_count - WORLD_FULL : 0;

    for (size_t i = world->full_count; i-- > first;) {
        struct world_full *full = &world->full[i % WORLD_FULL];
        struct world_side *side = &world->side[full->side];

        if (full->held || full->act.account != like->account || full->act.target != like->target ||
            full->act.now_us != like->time_us)
            continue;
        world->last = (struct trust_verdict){.reasons = like->reasons};
        trust_review(world->trust, &full->act, &world->last);
        if (world->last.mark != MARK_HELD)
            return;
        full->held = true;
        side->final_pct -= 100;
        side->held++;
        side->reopened++;
        world->last.reasons |= like->reasons;
        world_wait(world, &full->act, full->side);
        return;
    }
}

static inline void world_review(struct world *world, const struct act *act)
{
    struct trust_like likes[64];
    uint32_t count = trust_recent(world->trust, act, likes, 64);

    for (uint32_t i = 0; i < count; i++)
        world_review_one(world, &likes[i]);
}

static inline void world_do(struct world *world, const struct act *given, int side)
{
    struct world_side *sum = &world->side[side];
    struct act act = *given;
    bool review;

    world->act_us = act.now_us;
    world_settle(world, act.now_us);
    trust_judge(world->trust, &act, &world->last);
    act.weight_pct = world->last.weight_pct;
    act.mark = world->last.mark;
    review = trust_observe(world->trust, &act);
    sum->likes++;
    if (world->last.mark == MARK_PLAIN) {
        sum->early_pct += world->last.weight_pct;
        world_count(sum, &world->last);
        if (world->last.weight_pct == 100)
            world->full[world->full_count++ % WORLD_FULL] =
                (struct world_full){*given, (uint8_t)side, false};
    } else {
        sum->held += world->last.mark == MARK_HELD;
        sum->quarantined += world->last.mark == MARK_QUARANTINED;
        world_wait(world, given, side);
    }
    if (review)
        world_review(world, given);
}

static inline void world_like(struct world *world, int64_t now_us, uint32_t account, uint64_t item,
                              int side)
{
    struct act act = world_act(world, now_us, VERB_LIKE, account, item);

    world_do(world, &act, side);
    world->accounts[account].given++;
}

/* An item of the ordinary catalogue: 20,000 of them, low numbers far more often. */
static inline uint64_t world_item(struct world *world)
{
    uint64_t a = test_random_below(&world->random, 20000),
             b = test_random_below(&world->random, 20000);
    uint64_t c = test_random_below(&world->random, 20000);

    a = a < b ? a : b;
    return 1000 + (a < c ? a : c);
}

/* Planned likes: made in any order, then done by time. */
struct world_plan {
    int64_t at_us;
    uint64_t item;
    uint32_t account;
    uint8_t side;
};

static inline int world_plan_order(const void *one, const void *other)
{
    const struct world_plan *a = one, *b = other;

    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    if (a->account != b->account)
        return a->account < b->account ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

struct world_plans {
    struct world_plan *plan;
    size_t count, room;
};

static inline void plan_add(struct world_plans *plans, int64_t at_us, uint64_t account,
                            uint64_t item, int side)
{
    if (plans->count == plans->room) {
        plans->room = plans->room * 2 + 4096;
        plans->plan = realloc(plans->plan, plans->room * sizeof *plans->plan);
        assert_non_null(plans->plan);
    }
    plans->plan[plans->count++] =
        (struct world_plan){at_us, item, (uint32_t)account, (uint8_t)side};
}

/* Likes of the ordinary kind by accounts first .. first + count - 1, some of them far more active.
 */
static inline void plan_ordinary(struct world *world, struct world_plans *plans, uint32_t first,
                                 uint32_t count, int64_t from_us, int64_t until_us, uint32_t likes)
{
    for (uint32_t i = 0; i < likes; i++) {
        uint64_t a = test_random_below(&world->random, count);
        uint64_t b = test_random_below(&world->random, count);

        plan_add(plans,
                 from_us +
                     (int64_t)test_random_below(&world->random, (uint64_t)(until_us - from_us)),
                 first + (a < b ? a : b), world_item(world), 0);
    }
}

/* Each of the accounts likes the item with chance / 1000, soon after from_us, fewer and fewer. */
static inline void plan_crowd(struct world *world, struct world_plans *plans, uint32_t first,
                              uint32_t count, uint64_t item, uint32_t chance, int64_t from_us,
                              int64_t long_us, int side)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t one = (int64_t)test_random_below(&world->random, (uint64_t)long_us);
        int64_t other = (int64_t)test_random_below(&world->random, (uint64_t)long_us);

        if (test_random_below(&world->random, 1000) < chance)
            plan_add(plans, from_us + (one < other ? one : other), first + i, item, side);
    }
}

static inline void world_run(struct world *world, struct world_plans *plans)
{
    qsort(plans->plan, plans->count, sizeof *plans->plan, world_plan_order);
    for (size_t i = 0; i < plans->count; i++)
        world_like(world, plans->plan[i].at_us, plans->plan[i].account, plans->plan[i].item,
                   plans->plan[i].side);
    world_settle(world, INT64_MAX);
    free(plans->plan);
    *plans = (struct world_plans){0};
}

static inline void world_print(const char *name, const struct world *world)
{
    for (int i = 0; i < 3; i++) {
        const struct world_side *side = &world->side[i];
        uint64_t likes = side->likes > 0 ? side->likes : 1;

        if (side->likes > 0)
            print_message(
                "%-28s %s: %6llu likes, weight %5.1f %% at once, %6.2f %% in the end; %llu "
                "held, %llu of them later, %llu quarantined, %llu devalued\n",
                name,
                i == 0   ? "honest"
                : i == 1 ? "attack"
                         : "early ",
                (unsigned long long)side->likes, (double)side->early_pct / (double)likes,
                (double)side->final_pct / (double)likes, (unsigned long long)side->held,
                (unsigned long long)side->reopened, (unsigned long long)side->quarantined,
                (unsigned long long)side->devalued);
    }
}

#endif
