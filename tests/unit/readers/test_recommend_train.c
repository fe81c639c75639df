/* Training as a whole: what it finds in a set whose truth is known, what it refuses, and that
 * neither names nor threads change anything. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/recommend/train.h"

enum { ROWS = 500, GROUPS = 8, PER_GROUP = 12, COLUMNS = GROUPS * PER_GROUP, OWN = 7 };

/* Accounts of a group take 7 of its 12 items; column c is item number name[c]. held: one each. */
static void planted(uint64_t seed, const uint32_t *name, struct matrix *seen, struct matrix *held)
{
    static struct matrix_pair pairs[2][ROWS * OWN];
    struct test_random random = {seed};
    uint32_t count[2] = {0, 0};

    for (uint32_t row = 0; row < ROWS; row++) {
        uint32_t group = (uint32_t)test_random_below(&random, GROUPS), item[PER_GROUP];

        for (uint32_t i = 0; i < PER_GROUP; i++)
            item[i] = group * PER_GROUP + i;
        for (uint32_t i = 0; i < OWN; i++) { /* the first of a shuffle */
            uint32_t j = i + (uint32_t)test_random_below(&random, PER_GROUP - i), swap = item[i];
            int side = i == 0;

            item[i] = item[j];
            item[j] = swap;
            pairs[side][count[side]++] =
                (struct matrix_pair){row, name == NULL ? item[i] : name[item[i]]};
        }
    }
    assert_int_equal(matrix_build(pairs[0], count[0], ROWS, COLUMNS, seen), STATUS_OK);
    assert_int_equal(matrix_build(pairs[1], count[1], ROWS, COLUMNS, held), STATUS_OK);
}

static struct train_options options_for(uint32_t threads, bool tune)
{
    return (struct train_options){
        .seed = 3, .tune = tune, .start = train_default(), .work = {.threads = threads}};
}

static struct evaluate_figures figures_of(const struct model *model, const struct matrix *seen,
                                          const struct matrix *held)
{
    const struct evaluate_setting setting = {model->head->rank, model->head->share};
    const struct evaluate_task task = {
        .model = model, .seen = seen, .held = held, .settings = &setting, .setting_count = 1};
    const struct work work = {.threads = 2};
    struct evaluate_figures figures;

    assert_int_equal(evaluate(&task, &work, &figures), STATUS_OK);
    return figures;
}

static void it_finds_the_groups_and_popularity_does_not(void **state)
{
    const struct train_options options = options_for(2, true);
    struct train_report report;
    struct matrix seen, held;
    struct model model;

    (void)state;
    planted(test_seed(1), NULL, &seen, &held);
    assert_int_equal(train_model(&seen, NULL, &options, &model, &report), STATUS_OK);
    assert_true(figures_of(&model, &seen, &held).recall > 0.95);
    assert_true(report.held.recall > 0.8 && report.fits >= 2);
    assert_int_equal(model.head->pairs, seen.pairs);
    model_free(&model);
    assert_int_equal(train_popularity(&seen, &model), STATUS_OK);
    assert_true(figures_of(&model, &seen, &held).recall < 0.5);
    model_free(&model);
    matrix_free(&seen);
    matrix_free(&held);
}

static void threads_change_no_bit(void **state)
{
    struct train_report report;
    struct matrix seen, held;
    struct model model[2];

    (void)state;
    planted(test_seed(2), NULL, &seen, &held);
    for (uint32_t i = 0; i < 2; i++) {
        const struct train_options options = options_for(1 + 3 * i, true);

        assert_int_equal(train_model(&seen, NULL, &options, &model[i], &report), STATUS_OK);
    }
    assert_int_equal(model[0].bytes, model[1].bytes);
    assert_memory_equal(model[0].head, model[1].head, model[0].bytes);
    model_free(&model[0]);
    model_free(&model[1]);
    matrix_free(&seen);
    matrix_free(&held);
}

/* The same set with its items numbered otherwise: the same links under other numbers. */
static void names_change_nothing(void **state)
{
    const struct train_options options = options_for(1, false);
    uint64_t seed = test_seed(3);
    uint32_t name[COLUMNS];
    struct matrix seen[2], held[2];
    struct train_report report;
    struct model model[2];
    float weight[2][COLUMNS][COLUMNS] = {{{0}}};

    (void)state;
    for (uint32_t i = 0; i < COLUMNS; i++)
        name[i] = (i * 35 + 11) % COLUMNS; /* 35 and 96 have no common divisor */
    for (uint32_t m = 0; m < 2; m++) {
        planted(seed, m == 0 ? NULL : name, &seen[m], &held[m]);
        assert_int_equal(train_model(&seen[m], NULL, &options, &model[m], &report), STATUS_OK);
        for (uint32_t i = 0; i < COLUMNS; i++)
            for (uint32_t l = model[m].link_start[i]; l < model[m].link_start[i + 1]; l++)
                weight[m][i][model[m].link_item[l]] = model[m].link_weight[l];
    }
    for (uint32_t i = 0; i < COLUMNS; i++)
        for (uint32_t j = 0; j < COLUMNS; j++)
            assert_true(fabsf(weight[0][i][j] - weight[1][name[i]][name[j]]) < 1e-4F);
    assert_true(fabs(figures_of(&model[0], &seen[0], &held[0]).recall -
                     figures_of(&model[1], &seen[1], &held[1]).recall) < 0.02);
    for (uint32_t m = 0; m < 2; m++) {
        model_free(&model[m]);
        matrix_free(&seen[m]);
        matrix_free(&held[m]);
    }
}

static void too_little_memory_or_nothing_to_learn_is_refused(void **state)
{
    struct train_options options = options_for(1, true);
    const struct matrix_pair pair = {0, 0};
    struct train_report report;
    struct matrix seen, held, empty, one;
    struct model model;

    (void)state;
    planted(test_seed(4), NULL, &seen, &held);
    options.memory_bytes = train_bytes(&seen, &options) - 1;
    assert_int_equal(train_model(&seen, NULL, &options, &model, &report), STATUS_NOSPACE);
    assert_int_equal(report.bytes, options.memory_bytes + 1); /* and it says how much */
    options.memory_bytes++;
    assert_int_equal(train_model(&seen, NULL, &options, &model, &report), STATUS_OK);
    model_free(&model);
    assert_int_equal(matrix_build(NULL, 0, 5, 5, &empty), STATUS_OK);
    assert_int_equal(train_model(&empty, NULL, &options, &model, &report), STATUS_BADDATA);
    assert_int_equal(matrix_build(&pair, 1, 1, 1, &one), STATUS_OK);
    assert_int_equal(train_model(&one, NULL, &options, &model, &report), STATUS_BADDATA);
    matrix_free(&seen);
    matrix_free(&held);
    matrix_free(&empty);
    matrix_free(&one);
}

/* Sets that leave nothing to hold back, or nothing to decompose. */
static void tiny_sets_are_learnt_too(void **state)
{
    struct test_random random = {test_seed(5)};

    (void)state;
    for (uint32_t round = 0; round < 60; round++) {
        uint32_t rows = 1 + (uint32_t)test_random_below(&random, 8);
        uint32_t columns = 2 + (uint32_t)test_random_below(&random, 8);
        uint32_t count = 1 + (uint32_t)test_random_below(&random, 30);
        const struct train_options options = options_for(1, round % 2 == 0);
        struct matrix_pair pairs[30];
        struct train_report report;
        struct matrix matrix;
        struct model model;

        for (uint32_t i = 0; i < count; i++)
            pairs[i] = (struct matrix_pair){(uint32_t)test_random_below(&random, rows),
                                            (uint32_t)test_random_below(&random, columns)};
        assert_int_equal(matrix_build(pairs, count, rows, columns, &matrix), STATUS_OK);
        assert_int_equal(train_model(&matrix, NULL, &options, &model, &report), STATUS_OK);
        for (uint32_t i = 0; i < model.head->links; i++)
            assert_true(isfinite(model.link_weight[i]));
        for (uint32_t i = 0; i < model.head->items * model.head->rank; i++)
            assert_true(isfinite(model.factor[i]));
        model_free(&model);
        matrix_free(&matrix);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_the_groups_and_popularity_does_not),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(names_change_nothing),
        cmocka_unit_test(too_little_memory_or_nothing_to_learn_is_refused),
        cmocka_unit_test(tiny_sets_are_learnt_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
