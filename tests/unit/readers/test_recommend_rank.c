/* Rates of impressions: the figures by hand and against their definition; and that what is learnt
 * is what was there to be learnt: true rates of items and accounts, told as rates. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/recommend/rank.h"

static void auc_is_the_share_of_pairs_in_order(void **state)
{
    enum { COUNT = 200 };
    struct test_random random = {test_seed(1)};
    struct rank_case cases[COUNT];
    double right = 0, pairs = 0;

    (void)state;
    for (uint32_t i = 0; i < COUNT; i++) /* many equal scores */
        cases[i] = (struct rank_case){0, (double)test_random_below(&random, 12),
                                      test_random_below(&random, 3) == 0};
    for (uint32_t i = 0; i < COUNT; i++)
        for (uint32_t j = 0; j < COUNT; j++)
            if (cases[i].hit && !cases[j].hit) {
                pairs += 1;
                right += cases[i].score > cases[j].score   ? 1
                         : cases[i].score < cases[j].score ? 0
                                                           : 0.5;
            }
    assert_true(fabs(rank_auc(cases, COUNT) - right / pairs) < 1e-12);
    for (uint32_t i = 0; i < COUNT; i++)
        cases[i].hit = true;
    assert_true(fabs(rank_auc(cases, COUNT) - 0.5) < 1e-12);
}

static void ndcg_by_hand(void **state)
{
    struct rank_case cases[] = {
        {7, 0.9, false}, {7, 0.8, true},  {7, 0.1, true}, /* hits at ranks 2 and 3 */
        {3, 0.5, true},  {3, 0.4, false},                 /* a hit in front */
        {5, 0.5, true},                                   /* no miss: nothing to order */
        {6, 0.5, false},
    };
    double first = (1 / log2(3) + 0.5) / (1 + 1 / log2(3)), ndcg;
    uint32_t groups;

    (void)state;
    ndcg = rank_ndcg(cases, 7, 10, &groups);
    assert_int_equal(groups, 2);
    assert_true(fabs(ndcg - (first + 1) / 2) < 1e-12);
    /* Of the first alone only. */
    assert_true(fabs(rank_ndcg(cases, 7, 1, &groups) - 0.5) < 1e-12);
}

static void calibration_by_hand(void **state)
{
    struct rank_case cases[] = {{0, 0.9, true}, {0, 0.1, false}, {0, 0.7, false}, {0, 0.3, true}};
    struct rank_bin bin[2];

    (void)state;
    assert_true(fabs(rank_calibration(cases, 4, 2, bin) - 0.5 * (0.3 + 0.3)) < 1e-12);
    assert_true(fabs(bin[0].predicted - 0.2) < 1e-12 && fabs(bin[0].observed - 0.5) < 1e-12);
    assert_true(fabs(bin[1].predicted - 0.8) < 1e-12 && fabs(bin[1].observed - 0.5) < 1e-12);
}

/* A world: accounts and items have rates that multiply as odds, and a taste for a tag. */
struct world {
    struct test_random random;
    double account[300], item[60];
};

static void make_world(struct world *world, uint64_t seed)
{
    world->random.state = seed;
    for (uint32_t i = 0; i < 300; i++)
        world->account[i] = ((double)test_random_below(&world->random, 1000) / 1000 - 0.5) * 3;
    for (uint32_t i = 0; i < 60; i++)
        world->item[i] = ((double)test_random_below(&world->random, 1000) / 1000 - 0.5) * 4;
}

static double show(struct world *world, struct rank_impression *shown, bool outcome[RANK_OUTCOMES])
{
    uint64_t account = test_random_below(&world->random, 300);
    uint64_t item = test_random_below(&world->random, 60);
    uint32_t tag = (uint32_t)(item % 5 + 1);
    double odds = world->account[account] + world->item[item] + (tag == account % 5 + 1 ? 1 : 0);
    double rate = 1 / (1 + exp(-odds));

    *shown = (struct rank_impression){
        .account = account, .item = item, .creator = item / 3, .tag = tag, .duration_ms = 20000};
    outcome[RANK_CLICK] = (double)test_random_below(&world->random, 1 << 20) / (1 << 20) < rate;
    outcome[RANK_LONG_VIEW] = outcome[RANK_CLICK] && test_random_below(&world->random, 2) == 0;
    outcome[RANK_LIKE] = outcome[RANK_CLICK] && test_random_below(&world->random, 20) == 0;
    return rate;
}

static void rates_that_are_there_are_found_and_told(void **state)
{
    enum { LEARN = 40000, RANK = 10000 };
    static struct rank_case ours[RANK], truth[RANK], likes[RANK];
    struct rank *rank = rank_open(16), *twin = rank_open(16);
    double rate[RANK_OUTCOMES], again[RANK_OUTCOMES], best;
    struct rank_impression shown;
    bool outcome[RANK_OUTCOMES];
    struct rank_bin bin[10];
    struct world world;

    (void)state;
    make_world(&world, test_seed(2));
    for (uint32_t i = 0; i < LEARN; i++) {
        show(&world, &shown, outcome);
        rank_learn(rank, &shown, outcome);
        rank_learn(twin, &shown, outcome);
    }
    assert_int_equal(rank_count(rank), LEARN);
    for (uint32_t i = 0; i < RANK; i++) {
        double own = show(&world, &shown, outcome);

        rank_predict(rank, &shown, rate);
        rank_predict(twin, &shown, again);
        assert_memory_equal(rate, again, sizeof rate);
        for (int o = 0; o < RANK_OUTCOMES; o++)
            assert_true(rate[o] > 0 && rate[o] < 1);
        ours[i] = (struct rank_case){0, rate[RANK_CLICK], outcome[RANK_CLICK]};
        truth[i] = (struct rank_case){0, own, outcome[RANK_CLICK]};
        likes[i] = (struct rank_case){0, rate[RANK_LIKE], outcome[RANK_LIKE]};
    }
    best = rank_auc(truth, RANK);
    assert_true(best > 0.75);
    assert_true(rank_auc(ours, RANK) > best - 0.02);
    assert_true(rank_calibration(ours, RANK, 10, bin) < 0.03);
    assert_true(bin[0].observed < 0.25 && bin[9].observed > 0.75);
    assert_true(rank_calibration(likes, RANK, 10, bin) < 0.012);
    rank_close(rank);
    rank_close(twin);
}

/* Far more keys than places: nothing breaks, and what comes often is still known. */
static void a_full_table_keeps_what_comes_often(void **state)
{
    struct rank *rank = rank_open(10);
    struct rank_impression shown = {0};
    double good[RANK_OUTCOMES], bad[RANK_OUTCOMES];
    struct test_random random = {test_seed(3)};

    (void)state;
    for (uint32_t i = 0; i < 30000; i++) {
        bool outcome[RANK_OUTCOMES] = {false};
        uint64_t item = test_random_below(&random, 4);

        shown = (struct rank_impression){.account = 100 + i, .item = item, .creator = item};
        outcome[RANK_CLICK] = item < 2;
        rank_learn(rank, &shown, outcome);
    }
    shown.account = 5;
    shown.item = shown.creator = 0;
    rank_predict(rank, &shown, good);
    shown.item = shown.creator = 3;
    rank_predict(rank, &shown, bad);
    assert_true(good[RANK_CLICK] > 0.8 && bad[RANK_CLICK] < 0.2);
    rank_close(rank);
}

/* --- served --------------------------------------------------------------------------------------
 */

#define SHOWN 4000

static struct rank_impression shown_of(struct test_random *random, uint64_t first_account)
{
    uint64_t item = test_random_below(random, 40);

    return (struct rank_impression){.account = first_account + test_random_below(random, 50),
                                    .item = 1 + item,
                                    .creator = 900 + item % 7,
                                    .tag = 1 + (uint32_t)item % 5,
                                    .duration_ms = 1000 * (uint32_t)(item % 9)};
}

/* What is learnt of accounts first_account .., and what each of them did (sides). */
static struct rank *learnt(uint64_t first_account, uint64_t seed, struct rank_side side[50])
{
    struct test_random random = {seed};
    struct rank *rank = rank_open(20); /* so many that none of these share a place */

    memset(side, 0, 50 * sizeof *side);
    for (int i = 0; i < SHOWN; i++) {
        struct rank_impression shown = shown_of(&random, first_account);
        bool outcome[RANK_OUTCOMES] = {true, test_random_below(&random, 40) < shown.item,
                                       test_random_below(&random, 400) < shown.item};
        struct rank_side *own = &side[shown.account - first_account];

        rank_learn(rank, &shown, outcome);
        own->shown++;
        for (int o = 0; o < RANK_OUTCOMES; o++)
            own->hits[o] += outcome[o];
    }
    return rank;
}

/* Read back, it says the same of an account whose own rates are brought along, for what it knows of
 * the account with a tag, a creator, a length stays behind: as of one of which that is not known.
 */
static void what_is_served_is_what_was_learnt(void **state)
{
    static struct rank_side side[50];
    struct test_random random = {test_seed(91)};
    struct rank *rank = learnt(5000, 91, side), *served;
    size_t bytes = rank_bytes(rank);
    uint8_t *file = malloc(bytes);

    (void)state;
    assert_non_null(file);
    rank_write(rank, file);
    served = rank_read(file, bytes);
    assert_non_null(served);
    assert_int_equal(rank_count(served), SHOWN);
    for (int i = 0; i < 500; i++) {
        struct rank_impression shown = shown_of(&random, 5000);
        struct rank_side brought[RANK_SIDES] = {side[shown.account - 5000]};
        double want[RANK_OUTCOMES], got[RANK_OUTCOMES], nobody[RANK_OUTCOMES], none[RANK_OUTCOMES];

        shown.side = brought;
        rank_predict(rank, &shown, want);
        rank_predict(served, &shown, got);
        assert_memory_equal(want, got, sizeof want);
        assert_true(rank_shown(served, shown.item) > 0);
        memset(brought, 0, sizeof brought);
        rank_predict(served, &shown, nobody);
        shown.side = NULL;
        rank_predict(served, &shown, none);
        assert_memory_equal(nobody, none, sizeof none); /* it knows no account */
    }
    assert_true(rank_shown(served, 12345) == 0);
    rank_close(served);
    rank_close(rank);
    free(file);
}

/* Other accounts that did the same leave the same bytes: no word of any of them is in there. */
static void no_account_is_in_the_file(void **state)
{
    static struct rank_side side[50];
    struct rank *one = learnt(5000, 92, side), *other = learnt(770000, 92, side);
    size_t bytes = rank_bytes(one);
    uint8_t *a = malloc(bytes), *b = malloc(bytes);

    (void)state;
    assert_int_equal(bytes, rank_bytes(other));
    rank_write(one, a);
    rank_write(other, b);
    assert_memory_equal(a, b, bytes);
    rank_close(one);
    rank_close(other);
    free(a);
    free(b);
}

static void what_makes_no_sense_is_refused(void **state)
{
    static struct rank_side side[50];
    struct test_random random = {test_seed(93)};
    struct rank *rank = learnt(1, 93, side), *read;
    size_t bytes = rank_bytes(rank);
    uint8_t *file = malloc(bytes), *bad = malloc(bytes);
    double none = NAN;

    (void)state;
    rank_write(rank, file);
    for (size_t size = 0; size < bytes; size += 1 + test_random_below(&random, 200))
        assert_null(rank_read(file, size));
    for (int i = 0; i < 3000; i++) { /* any byte: refused, or rates all the same */
        struct rank_impression shown = shown_of(&random, 1);
        double rate[RANK_OUTCOMES];

        memcpy(bad, file, bytes);
        bad[test_random_below(&random, (uint32_t)bytes)] ^= 1u << test_random_below(&random, 8);
        if ((read = rank_read(bad, bytes)) == NULL)
            continue;
        rank_predict(read, &shown, rate);
        for (int o = 0; o < RANK_OUTCOMES; o++)
            assert_true(rate[o] >= 0 && rate[o] <= 1);
        rank_close(read);
    }
    memcpy(bad, file, bytes);
    memcpy(bad + 56 + 8 * 5, &none, sizeof none); /* a weight */
    assert_null(rank_read(bad, bytes));
    memcpy(bad, file, bytes);
    memmove(bad + bytes - 24, bad + bytes - 48, 24); /* a key twice */
    assert_null(rank_read(bad, bytes));
    rank_close(rank);
    free(file);
    free(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auc_is_the_share_of_pairs_in_order),
        cmocka_unit_test(ndcg_by_hand),
        cmocka_unit_test(calibration_by_hand),
        cmocka_unit_test(rates_that_are_there_are_found_and_told),
        cmocka_unit_test(a_full_table_keeps_what_comes_often),
        cmocka_unit_test(what_is_served_is_what_was_learnt),
        cmocka_unit_test(no_account_is_in_the_file),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
