/* bench_plan.h: which account likes which item, as a function of a number.
 *
 * A load generator has to know what the right answer is, at any size, without keeping a table of
 * what it has sent. So like number k (0, 1, 2, ...) is computed, and no two numbers give the same
 * pair; the number of answers "1" is then exact, and so is every item's count.
 *
 * Uniform (A accounts, I items, both powers of two):
 *
 *     round q = k / A, place r = k % A
 *     account = mixA(r + shuffle(q))          every account once a round, in another order each
 *     item    = mixI(q + shuffle'(account))   another item each round
 *
 *     mix is a bijection on the given number of bits, so within a round accounts differ and for one
 *     account the items of different rounds differ: pairs are distinct while q < I. It can be asked
 *     backwards: the item an account takes in round q is liked once round q is over.
 *
 * Hot: nine likes of ten go to item 0, from accounts mixA(0), mixA(1), ...; the tenth is uniform
 *     over the items from 1 on.
 * Zipf: the item's rank is drawn with p(rank) = 1 / (bits * 2^floor(log2 rank)), which is Zipf's
 * law with exponent 1 in steps of two, with integers only; the account is the item's next one, so
 *     this plan has to be walked from the beginning (taken counts how far each item is).
 *
 * Ids on the wire are the indexes plus one: short numbers, which is kind to whoever stores text.
 * Pure but for zipf's counters. The same plan is used for every side and by bench/pg_load.c. */
#ifndef ZAN_CLI_BENCH_PLAN_H
#define ZAN_CLI_BENCH_PLAN_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

enum plan_spread { PLAN_UNIFORM, PLAN_HOT, PLAN_ZIPF };

struct plan {
    enum plan_spread spread;
    uint32_t account_bits; /* 1 .. 32 */
    uint32_t item_bits;    /* 1 .. 31 */
    uint64_t seed;
    uint32_t *taken; /* PLAN_ZIPF: 1 << item_bits counters, zeroed, the caller's */
};

struct plan_pair {
    uint64_t account;
    uint64_t item;
};

static inline uint64_t plan_mask(uint32_t bits)
{
    return ((uint64_t)1 << bits) - 1;
}

/* A bijection on `bits` bits: xor with a shift of itself and multiplication by an odd number can
 * both be undone. */
static inline uint64_t plan_mix(uint64_t x, uint32_t bits)
{
    uint64_t mask = plan_mask(bits);
    uint32_t half = bits / 2 + 1;

    x ^= x >> half;
    x = (x * 0x9E3779B97F4A7C15ULL) & mask;
    x ^= x >> half;
    x = (x * 0xBF58476D1CE4E5B9ULL) & mask;
    return x ^ (x >> half);
}

static inline uint64_t plan_accounts(const struct plan *plan)
{
    return (uint64_t)1 << plan->account_bits;
}

static inline uint64_t plan_items(const struct plan *plan)
{
    return (uint64_t)1 << plan->item_bits;
}

/* Index (from 0) of the item an account takes in a round. */
static inline uint64_t plan_item_of_round(const struct plan *plan, uint64_t account, uint64_t round)
{
    uint64_t shuffle = hash_two(plan->seed ^ 0x6974656D, account);

    return plan_mix((round + shuffle) & plan_mask(plan->item_bits), plan->item_bits);
}

static inline struct plan_pair plan_uniform(const struct plan *plan, uint64_t k)
{
    uint64_t mask = plan_mask(plan->account_bits);
    uint64_t round = k >> plan->account_bits;
    uint64_t shuffle = hash_two(plan->seed, round);
    uint64_t account = plan_mix((k + shuffle) & mask, plan->account_bits);

    return (struct plan_pair){account, plan_item_of_round(plan, account, round)};
}

static inline struct plan_pair plan_zipf(const struct plan *plan, uint64_t k)
{
    uint64_t lot = hash_two(plan->seed, k);
    uint32_t power = (uint32_t)(((lot >> 32) * plan->item_bits) >> 32);
    uint64_t rank = ((uint64_t)1 << power) | (lot & plan_mask(power));
    uint64_t item = plan_mix(rank, plan->item_bits);
    uint64_t place = plan->taken[item]++ + hash_mix(item ^ plan->seed);

    return (struct plan_pair){plan_mix(place & plan_mask(plan->account_bits), plan->account_bits),
                              item};
}

static inline struct plan_pair plan_hot(const struct plan *plan, uint64_t k)
{
    struct plan_pair pair;

    if (k % 10 != 9)
        return (struct plan_pair){
            plan_mix((k - k / 10) & plan_mask(plan->account_bits), plan->account_bits), 0};
    pair = plan_uniform(plan, k / 10);
    pair.item++;
    return pair;
}

/* Pair number k, as ids. PLAN_ZIPF: only in order, each k once. */
static inline struct plan_pair plan_pair(const struct plan *plan, uint64_t k)
{
    struct plan_pair pair;

    switch (plan->spread) {
    case PLAN_HOT:
        pair = plan_hot(plan, k);
        break;
    case PLAN_ZIPF:
        pair = plan_zipf(plan, k);
        break;
    default:
        pair = plan_uniform(plan, k);
    }
    pair.account++;
    pair.item++;
    return pair;
}

/* Ids of items are 1 .. plan_item_ids. */
static inline uint64_t plan_item_ids(const struct plan *plan)
{
    return plan_items(plan) + (plan->spread == PLAN_HOT ? 1 : 0);
}

/* How many distinct pairs there are for sure. Zipf: the most liked item, of rank 1, takes one like
 * in item_bits; it must not run out of accounts. A quarter is left for chance. */
static inline uint64_t plan_size(const struct plan *plan)
{
    if (plan->spread == PLAN_HOT)
        return plan_accounts(plan) / 9 * 10;
    if (plan->spread == PLAN_ZIPF)
        return plan_accounts(plan) * plan->item_bits / 4 * 3;
    return plan_accounts(plan) << plan->item_bits;
}

#endif
