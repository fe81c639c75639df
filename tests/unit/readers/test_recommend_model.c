/* The model's file, and what is asked of a model: bytes that are not whole are refused by name, a
 * power cut leaves the old model or the new one, and scores are those of the definition. */
#include "support.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/recommend/evaluate.h"
#include "readers/recommend/model.h"
#include "readers/recommend/recommend.h"
#include "support/disk_sim.h"

#define ITEMS 30
#define RANK  4

/* Random links and factors, of few bits, so that sums are exact and ties are ties; ids are 7, 17,
 * 27, ... */
static struct model some_model(struct test_random *random, uint32_t version)
{
    uint32_t links = 0, of[ITEMS];
    struct model model;

    for (uint32_t i = 0; i < ITEMS; i++)
        links += of[i] = (uint32_t)test_random_below(random, 12);
    assert_int_equal(model_make(ITEMS, RANK, links, &model), STATUS_OK);
    model.head->version = version;
    model.head->share = 0.5F;
    model.head->factor_power = 0.5F;
    for (uint32_t i = 0; i < ITEMS; i++) {
        model.id[i] = 10 * i + 7;
        model.degree[i] = 1U << test_random_below(random, 4);
        model.link_start[i + 1] = model.link_start[i] + of[i];
        for (uint32_t l = 0; l < of[i]; l++) {
            uint32_t at = model.link_start[i] + l;

            model.link_item[at] = (i + 1 + 2 * l) % ITEMS; /* different ones */
            model.link_weight[at] = (float)(12 - l) / 8;
        }
        for (uint32_t k = 0; k < RANK; k++)
            model.factor[i * RANK + k] = (float)test_random_below(random, 64) / 32 - 1;
    }
    return model;
}

static double score_by_definition(const struct model *model, const uint32_t *history,
                                  uint32_t count, uint32_t item)
{
    double score = 0;

    for (uint32_t h = 0; h < count; h++) {
        uint32_t from = history[h];

        for (uint32_t l = model->link_start[from]; l < model->link_start[from + 1]; l++)
            if (model->link_item[l] == item)
                score += (double)model->link_weight[l];
        for (uint32_t k = 0; k < RANK; k++)
            score += (double)model->head->share * (double)model->factor[from * RANK + k] /
                     model->degree[from] * (double)model->factor[item * RANK + k];
    }
    return score;
}

static void what_was_saved_is_opened(void **state)
{
    struct test_random random = {test_seed(1)};
    struct disk_sim *sim = disk_sim_new(1);
    const struct disk *disk = disk_sim_disk(sim);
    struct model model = some_model(&random, 5), again;
    char message[MODEL_MESSAGE] = "";

    (void)state;
    disk->make_dir(disk->context, "/m");
    assert_int_equal(model_save(&model, disk, "/m/model", message), STATUS_OK);
    disk_sim_crash(sim); /* it is on the medium, under its name */
    assert_int_equal(model_open(disk, "/m/model", &again, message), STATUS_OK);
    assert_int_equal(model.bytes, again.bytes);
    assert_memory_equal(model.head, again.head, model.bytes);
    assert_int_equal(model_find(&again, 7), 0);
    assert_int_equal(model_find(&again, 17), 1);
    assert_int_equal(model_find(&again, 10 * (ITEMS - 1) + 7), ITEMS - 1);
    assert_int_equal(model_find(&again, 8), MODEL_NONE);
    assert_int_equal(model_find(&again, UINT64_MAX), MODEL_NONE);
    model_free(&model);
    model_free(&again);
    disk_sim_free(sim);
}

static void expect_refusal(const struct disk *disk, const char *path)
{
    char message[MODEL_MESSAGE] = "";
    struct recommend *recommend = NULL;
    struct model model;

    assert_int_equal(model_open(disk, path, &model, message), STATUS_BADDATA);
    assert_non_null(strstr(message, path)); /* by name */
    assert_int_equal(recommend_open(disk, path, &recommend, message), STATUS_BADDATA);
    assert_null(recommend);
}

static void no_flipped_bit_and_no_cut_is_taken(void **state)
{
    struct test_random random = {test_seed(2)};
    struct disk_sim *sim = disk_sim_new(1);
    const struct disk *disk = disk_sim_disk(sim);
    struct model model = some_model(&random, 5);
    char message[MODEL_MESSAGE];

    (void)state;
    disk->make_dir(disk->context, "/m");
    assert_int_equal(model_save(&model, disk, "/m/good", message), STATUS_OK);
    for (uint64_t at = 0; at < model.bytes; at += at < MODEL_HEAD ? 1 : 13) {
        disk_sim_flip(sim, "/m/good", at, (uint8_t)(1U << test_random_below(&random, 8)));
        expect_refusal(disk, "/m/good");
        assert_int_equal(model_save(&model, disk, "/m/good", message), STATUS_OK);
    }
    for (uint64_t size = 0; size < model.bytes; size += 97) {
        disk_sim_cut(sim, "/m/good", size);
        expect_refusal(disk, "/m/good");
        assert_int_equal(model_save(&model, disk, "/m/good", message), STATUS_OK);
    }
    assert_int_equal(model_open(disk, "/m/nothing", &model, message), STATUS_IOFAIL);
    assert_non_null(strstr(message, "/m/nothing"));
    model_free(&model);
    disk_sim_free(sim);
}

/* A file whose checksum is right and whose content is not: somebody else's program wrote it. */
static void content_that_makes_no_sense_is_refused(void **state)
{
    struct test_random random = {test_seed(3)};
    struct disk_sim *sim = disk_sim_new(1);
    const struct disk *disk = disk_sim_disk(sim);
    char message[MODEL_MESSAGE];

    (void)state;
    disk->make_dir(disk->context, "/m");
    for (int wrong = 0; wrong < 8; wrong++) {
        struct model model = some_model(&random, 5);

        assert_true(model.head->links > 10);
        if (wrong == 0)
            model.id[3] = model.id[2];
        if (wrong == 1)
            model.link_item[4] = ITEMS;
        if (wrong == 2)
            model.link_start[ITEMS]++;
        if (wrong == 3)
            model.link_start[5] = model.head->links + 9;
        if (wrong == 4)
            model.link_weight[0] = NAN;
        if (wrong == 5)
            model.factor[ITEMS * RANK - 1] = INFINITY;
        if (wrong == 6)
            model.head->share = NAN;
        if (wrong == 7)
            model.head->factor_power = INFINITY;
        assert_int_equal(model_save(&model, disk, "/m/odd", message), STATUS_OK);
        expect_refusal(disk, "/m/odd");
        model_free(&model);
    }
    disk_sim_free(sim);
}

/* The power is cut at each operation of saving a second model. */
static void a_power_cut_leaves_one_of_the_two(void **state)
{
    struct test_random random = {test_seed(4)};
    struct model old = some_model(&random, 1), fresh = some_model(&random, 2), found;
    char message[MODEL_MESSAGE];
    bool seen[3] = {false};

    (void)state;
    for (uint64_t nth = 1; nth < 40; nth++) {
        struct disk_sim *sim = disk_sim_new(nth);
        const struct disk *disk = disk_sim_disk(sim);

        disk->make_dir(disk->context, "/m");
        assert_int_equal(model_save(&old, disk, "/m/model", message), STATUS_OK);
        disk_sim_die(sim, nth);
        (void)model_save(&fresh, disk, "/m/model", message);
        disk_sim_crash(sim);
        disk_sim_heal(sim);
        assert_int_equal(model_open(disk, "/m/model", &found, message), STATUS_OK);
        assert_true(found.head->version == 1 || found.head->version == 2);
        seen[found.head->version] = true;
        model_free(&found);
        /* Half of a file left behind is no hindrance. */
        assert_int_equal(model_save(&fresh, disk, "/m/model", message), STATUS_OK);
        disk_sim_free(sim);
    }
    assert_true(seen[1] && seen[2]);
    model_free(&old);
    model_free(&fresh);
}

static void a_failed_write_says_so(void **state)
{
    struct test_random random = {test_seed(5)};
    struct model model = some_model(&random, 1);
    char message[MODEL_MESSAGE];

    (void)state;
    for (unsigned kind = DISK_SIM_WRITE; kind <= DISK_SIM_SYNC_DIR; kind *= 2) {
        struct disk_sim *sim = disk_sim_new(1);
        const struct disk *disk = disk_sim_disk(sim);

        disk->make_dir(disk->context, "/m");
        disk_sim_fail(sim, kind == DISK_SIM_NAME ? 2 : 1, kind, "/m", ENOSPC, true);
        assert_int_equal(model_save(&model, disk, "/m/model", message), STATUS_IOFAIL);
        assert_non_null(strstr(message, "/m"));
        disk_sim_free(sim);
    }
    model_free(&model);
}

/* --- asking --------------------------------------------------------------------------------------
 */

static struct recommend *opened(struct test_random *random, struct disk_sim *sim,
                                struct model *model)
{
    const struct disk *disk = disk_sim_disk(sim);
    struct recommend *recommend;
    char message[MODEL_MESSAGE];

    *model = some_model(random, 9);
    disk->make_dir(disk->context, "/m");
    assert_int_equal(model_save(model, disk, "/m/model", message), STATUS_OK);
    assert_int_equal(recommend_open(disk, "/m/model", &recommend, message), STATUS_OK);
    return recommend;
}

static void scores_are_those_of_the_definition(void **state)
{
    struct test_random random = {test_seed(6)};
    struct disk_sim *sim = disk_sim_new(1);
    struct model model;
    struct recommend *recommend = opened(&random, sim, &model);
    struct recommend_view *view = recommend_view_open(recommend);
    struct recommend_found found[ITEMS];

    (void)state;
    for (int round = 0; round < 50; round++) {
        uint32_t history[8], count = (uint32_t)test_random_below(&random, 7) + 1, known = 0;
        uint64_t ids[9];

        for (uint32_t i = 0; i < count; i++) { /* different ones */
            history[i] = (uint32_t)(test_random_below(&random, 3) + 3 * i);
            ids[i] = 10 * history[i] + 7;
        }
        ids[count] = 4; /* of no item */
        known = recommend_look(view, ids, count + 1);
        assert_int_equal(known, count);
        for (uint32_t item = 0; item < ITEMS; item++) {
            double own = score_by_definition(&model, history, count, item);

            assert_true(fabs(own - (double)recommend_score(view, 10 * item + 7)) < 1e-4);
        }
        assert_true(recommend_score(view, 4) == 0);
        /* All that is linked, ordered by the whole score, without the history. */
        uint32_t size = recommend_best(view, ITEMS, found), linked = 0;
        bool is_linked[ITEMS] = {false};
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t l = model.link_start[history[i]]; l < model.link_start[history[i] + 1];
                 l++)
                is_linked[model.link_item[l]] = true;
        for (uint32_t i = 0; i < count; i++)
            is_linked[history[i]] = false;
        for (uint32_t i = 0; i < ITEMS; i++)
            linked += is_linked[i];
        assert_int_equal(size, linked);
        for (uint32_t i = 0; i < size; i++) {
            assert_true(is_linked[(found[i].item - 7) / 10]);
            assert_true(i == 0 || found[i - 1].score >= found[i].score);
            assert_true(found[i].score == recommend_score(view, found[i].item));
        }
    }
    recommend_view_close(view);
    recommend_close(recommend);
    model_free(&model);
    disk_sim_free(sim);
}

static void an_unknown_history_gets_the_popular(void **state)
{
    struct test_random random = {test_seed(7)};
    struct disk_sim *sim = disk_sim_new(1);
    struct model model;
    struct recommend *recommend = opened(&random, sim, &model);
    struct recommend_view *view = recommend_view_open(recommend);
    struct recommend_found found[5];
    uint64_t stranger = 3;

    (void)state;
    assert_int_equal(recommend_look(view, &stranger, 1), 0);
    assert_int_equal(recommend_best(view, 5, found), 5);
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t more = 0, degree = model.degree[(found[i].item - 7) / 10];

        for (uint32_t j = 0; j < ITEMS; j++)
            more += model.degree[j] > degree;
        assert_true(more <= i);
    }
    assert_int_equal(recommend_similar(view, 3, 5, found), 0);
    recommend_view_close(view);
    recommend_close(recommend);
    model_free(&model);
    disk_sim_free(sim);
}

/* --- figures -------------------------------------------------------------------------------------
 */

static void metrics_by_hand(void **state)
{
    const uint8_t hit[20] = {0, 1, 0, 0, 1};
    double ideal = 1 + 1 / log2(3) + 0.5;

    (void)state;
    assert_true(fabs(evaluate_recall(hit, 20, 3) - 2.0 / 3) < 1e-12);
    assert_true(fabs(evaluate_ndcg(hit, 20, 3) - (1 / log2(3) + 1 / log2(6)) / ideal) < 1e-12);
    /* More to be found than there are places: the ideal has 20 hits, recall still all. */
    assert_true(fabs(evaluate_recall(hit, 20, 40) - 2.0 / 40) < 1e-12);
    ideal = 0;
    for (int i = 0; i < 20; i++)
        ideal += 1 / log2(i + 2);
    assert_true(fabs(evaluate_ndcg(hit, 20, 40) - (1 / log2(3) + 1 / log2(6)) / ideal) < 1e-12);
    assert_true(evaluate_ndcg(hit, 20, 0) == 0);
}

/* Each account's ranking worked out by sorting all scores. */
static void figures_are_those_of_a_full_sort(void **state)
{
    enum { ROWS = 90 }; /* more than a piece */
    struct test_random random = {test_seed(8)};
    struct model model = some_model(&random, 1);
    struct matrix_pair pairs[2][ROWS * 6];
    struct matrix seen, held;
    const struct evaluate_setting settings[3] = {{0, 0}, {2, 0.25F}, {RANK, 0.5F}};
    struct evaluate_figures figures[3];
    const struct work work = {.threads = 3};
    struct evaluate_task task = {
        .model = &model, .seen = &seen, .held = &held, .settings = settings, .setting_count = 3};
    double recall[3] = {0}, ndcg[3] = {0};
    uint32_t accounts = 0;

    (void)state;
    for (uint32_t i = 0; i < ROWS * 6; i++)
        for (int side = 0; side < 2; side++) /* even items are seen, odd ones held */
            pairs[side][i] = (struct matrix_pair){
                i / 6 + (side == 1 && i / 6 == 5), /* account 5 has nothing to be found */
                2 * (uint32_t)test_random_below(&random, ITEMS / 2) + (uint32_t)side};
    assert_int_equal(matrix_build(pairs[0], ROWS * 6, ROWS, ITEMS, &seen), STATUS_OK);
    assert_int_equal(matrix_build(pairs[1], ROWS * 6, ROWS, ITEMS, &held), STATUS_OK);
    assert_int_equal(evaluate(&task, &work, figures), STATUS_OK);
    for (uint32_t row = 0; row < ROWS; row++) {
        uint32_t size = matrix_row_size(&seen, row), out = matrix_row_size(&held, row);

        accounts += out > 0;
        for (uint32_t s = 0; s < 3 && out > 0; s++) {
            double score[ITEMS];
            uint8_t hit[EVALUATE_TOP] = {0};

            for (uint32_t i = 0; i < ITEMS; i++) {
                const uint32_t *history = seen.row_column + seen.row_start[row];
                struct model part = model;
                struct model_head head = *model.head;

                head.share = 0;
                part.head = &head;
                score[i] = score_by_definition(&part, history, size, i);
                for (uint32_t h = 0; h < size; h++)
                    for (uint32_t k = 0; k < settings[s].rank; k++)
                        score[i] += (double)settings[s].share *
                                    (double)model.factor[history[h] * RANK + k] /
                                    model.degree[history[h]] * (double)model.factor[i * RANK + k];
                for (uint32_t h = 0; h < size; h++)
                    if (history[h] == i)
                        score[i] = -1e9;
            }
            for (uint32_t i = 0; i < ITEMS; i++) {
                uint32_t before = 0;
                bool is_held = false;

                for (uint32_t j = 0; j < ITEMS; j++)
                    before +=
                        score[j] > score[i] + 1e-6 || (fabs(score[j] - score[i]) <= 1e-6 && j < i);
                for (uint32_t p = held.row_start[row]; p < held.row_start[row + 1]; p++)
                    is_held = is_held || held.row_column[p] == i;
                if (score[i] > -1e8 && before < EVALUATE_TOP)
                    hit[before] = is_held;
            }
            recall[s] += evaluate_recall(hit, EVALUATE_TOP, out);
            ndcg[s] += evaluate_ndcg(hit, EVALUATE_TOP, out);
        }
    }
    for (uint32_t s = 0; s < 3; s++) {
        assert_int_equal(figures[s].accounts, accounts);
        assert_true(fabs(figures[s].recall - recall[s] / accounts) < 1e-6);
        assert_true(fabs(figures[s].ndcg - ndcg[s] / accounts) < 1e-6);
    }
    model_free(&model);
    matrix_free(&seen);
    matrix_free(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_is_opened),
        cmocka_unit_test(no_flipped_bit_and_no_cut_is_taken),
        cmocka_unit_test(content_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_power_cut_leaves_one_of_the_two),
        cmocka_unit_test(a_failed_write_says_so),
        cmocka_unit_test(scores_are_those_of_the_definition),
        cmocka_unit_test(an_unknown_history_gets_the_popular),
        cmocka_unit_test(metrics_by_hand),
        cmocka_unit_test(figures_are_those_of_a_full_sort),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
