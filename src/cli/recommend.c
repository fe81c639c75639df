/* recommend.c: zan recommend: trains a model, measures one, and looks into one. */
#include "readers/recommend/recommend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/impressions.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/sets.h"
#include "node/learn.h"
#include "readers/recommend/train.h"

#define LOOK_MAX   100
#define PATH_BYTES 512

struct values {
    const char *train, *test, *edges, *out, *model, *impressions;
    uint64_t seed, threads, memory_mib, n, tenant, cut_pct;
    bool fixed, json, quiet;
};

#define AT(field)            offsetof(struct values, field), 0, 0
#define BETWEEN(field, a, b) offsetof(struct values, field), a, b

static const struct option_row rows[] = {
    {"train", "FILE", "eval: what to learn from: a line an account, account item item ...",
     OPTION_TEXT, AT(train)},
    {"test", "FILE", "eval: what to find, the same way", OPTION_TEXT, AT(test)},
    {"edges", "FILE", "train, for: such a file in place of the log of --data", OPTION_TEXT,
     AT(edges)},
    {"out", "FILE",
     "train: the model [the setting discover-model, which a node serves]; an older one is replaced "
     "when the new one is whole",
     OPTION_TEXT, AT(out)},
    {"model", "FILE", "similar, for: the model", OPTION_TEXT, AT(model)},
    {"impressions", "FILE", "rank: what was shown, by time, as data/kuairand has it", OPTION_TEXT,
     AT(impressions)},
    {"cut", "PERCENT", "rank: learns from the first so many, ranks the rest [80]", OPTION_NUMBER,
     BETWEEN(cut_pct, 1, 99)},
    {"tenant", "N", "train, for: whose likes and views [0]", OPTION_NUMBER,
     BETWEEN(tenant, 0, UINT16_MAX)},
    {"n", "N", "similar, for: so many items [10]", OPTION_NUMBER, BETWEEN(n, 1, LOOK_MAX)},
    {"memory-mib", "N", "training refuses what would take more [1024]", OPTION_NUMBER,
     BETWEEN(memory_mib, 1, 1 << 24)},
    {"threads", "N", "[as many as there are cores]", OPTION_NUMBER,
     BETWEEN(threads, 1, WORK_THREADS_MAX)},
    {"seed", "N", "of what is held back, and of the first vectors [1]", OPTION_NUMBER,
     BETWEEN(seed, 0, UINT64_MAX)},
    {"fixed", NULL, "takes the default setting as it is, and holds nothing back to choose by",
     OPTION_FLAG, AT(fixed)},
    {"json", NULL, "prints JSON", OPTION_FLAG, AT(json)},
    {"quiet", NULL, "no progress bar", OPTION_FLAG, AT(quiet)},
};

struct task {
    const struct values *values;
    const struct config *config;
    struct progress progress;
    struct work work;
    struct sets sets;
    struct learn learn; /* what the log has, where it was read */
};

static int usage(const char *what)
{
    fprintf(stderr, "zan: recommend: %s\n", what);
    return EXIT_USAGE;
}

static uint64_t peak_mib(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss / 1024 : 0;
}

/* --- training ------------------------------------------------------------------------------------
 */

static struct train_options options_of(const struct task *task)
{
    return (struct train_options){.seed = task->values->seed,
                                  .tune = !task->values->fixed,
                                  .start = train_default(),
                                  .memory_bytes = task->values->memory_mib << 20,
                                  .work = task->work};
}

static int train_failed(enum status status, const struct train_report *report,
                        const struct values *values)
{
    char message[160];

    if (status == STATUS_NOSPACE) {
        fprintf(stderr,
                "zan: recommend: training on this would take %llu MiB, and --memory-mib is %llu\n",
                (unsigned long long)(report->bytes >> 20) + 1,
                (unsigned long long)values->memory_mib);
        return EXIT_FAILED;
    }
    snprintf(message, sizeof message, "%s",
             status == STATUS_BADDATA ? "there is nothing to learn from" : "training ended early");
    fprintf(stderr, "zan: recommend: %s (%s)\n", message, status_info(status)->code);
    return EXIT_FAILED;
}

static void print_setting(const struct train_setting *setting)
{
    printf("setting    account-power %.2f, item-power %.2f, penalty %.2f, neighbours %u, "
           "rank %u, share %.3f\n",
           setting->account_power, setting->item_power, setting->penalty,
           (unsigned)setting->neighbours, (unsigned)setting->rank, setting->share);
}

static void report_setting(struct report *to, const struct train_setting *setting)
{
    report_real(to, "account_power", setting->account_power);
    report_real(to, "item_power", setting->item_power);
    report_real(to, "penalty", setting->penalty);
    report_number(to, "neighbours", setting->neighbours);
    report_number(to, "rank", setting->rank);
    report_real(to, "share", setting->share);
}

/* --- eval ----------------------------------------------------------------------------------------
 */

enum method { METHOD_POPULAR, METHOD_KNN, METHOD_LOWPASS, METHOD_RIDGE, METHOD_ZAN, METHOD_COUNT };

static const char *const method_names[METHOD_COUNT] = {"popularity", "item-knn", "low-pass",
                                                       "ridge", "zan"};

struct evaluation {
    struct evaluate_figures figures[METHOD_COUNT];
    struct train_report report;
    int64_t train_us, evaluate_us;
};

static enum status figures_of(const struct task *task, const struct model *model, uint32_t rank,
                              float share, struct evaluate_figures *figures)
{
    const struct evaluate_setting setting = {rank, share};
    const struct evaluate_task of = {.model = model,
                                     .seen = &task->sets.train,
                                     .held = &task->sets.test,
                                     .settings = &setting,
                                     .setting_count = 1};

    return evaluate(&of, &task->work, figures);
}

static enum status evaluate_baselines(const struct task *task, struct evaluation *evaluation)
{
    struct model model = {0};
    enum status status = train_popularity(&task->sets.train, &model);

    if (status != STATUS_OK)
        return status;
    status = figures_of(task, &model, 1, 1, &evaluation->figures[METHOD_POPULAR]);
    model_free(&model);
    if (status == STATUS_OK)
        status = train_item_knn(&task->sets.train, &task->work, &model);
    if (status != STATUS_OK)
        return status;
    status = figures_of(task, &model, 0, 0, &evaluation->figures[METHOD_KNN]);
    model_free(&model);
    return status;
}

/* The model, and its two parts each alone. */
static enum status evaluate_model(const struct task *task, struct model *model,
                                  struct evaluation *evaluation)
{
    uint32_t rank = model->head->rank, links = model->head->links;
    int64_t from_us = progress_now_us();
    enum status status =
        figures_of(task, model, rank, model->head->share, &evaluation->figures[METHOD_ZAN]);

    evaluation->evaluate_us = progress_now_us() - from_us;
    if (status == STATUS_OK)
        status = figures_of(task, model, 0, 0, &evaluation->figures[METHOD_RIDGE]);
    if (status == STATUS_OK) {
        for (uint32_t i = 0; i < links; i++)
            model->link_weight[i] = 0;
        status = figures_of(task, model, rank, 1, &evaluation->figures[METHOD_LOWPASS]);
    }
    return status;
}

static void print_evaluation(const struct task *task, const struct evaluation *evaluation)
{
    const struct evaluate_figures *held = &evaluation->report.held;
    char a[32], b[32], c[32];

    printf("train      %s accounts, %s items, %s pairs\n", progress_number(task->sets.accounts, a),
           progress_number(task->sets.items, b), progress_number(task->sets.train.pairs, c));
    printf("test       %s accounts, %s pairs\n\n",
           progress_number(evaluation->figures[0].accounts, a),
           progress_number(task->sets.test.pairs, b));
    printf("%-12s %10s %10s\n", "", "recall@20", "ndcg@20");
    for (int i = 0; i < METHOD_COUNT; i++)
        printf("%-12s %10.4f %10.4f\n", method_names[i], evaluation->figures[i].recall,
               evaluation->figures[i].ndcg);
    printf("\n");
    print_setting(&evaluation->report.setting);
    if (!task->values->fixed)
        printf("chosen     on a fifth of train, held back: %.4f %.4f\n", held->recall, held->ndcg);
    printf("training   %.1f s on %u threads, %u fits; ranking all test accounts %.1f s\n",
           (double)evaluation->train_us / 1e6, (unsigned)task->work.threads,
           (unsigned)evaluation->report.fits, (double)evaluation->evaluate_us / 1e6);
    printf("memory     %llu MiB at most, by the kernel's count\n", (unsigned long long)peak_mib());
}

static void report_evaluation(const struct task *task, const struct evaluation *evaluation)
{
    struct report *report = report_new();

    report_number(report, "accounts", task->sets.accounts);
    report_number(report, "items", task->sets.items);
    report_number(report, "train_pairs", task->sets.train.pairs);
    report_number(report, "test_pairs", task->sets.test.pairs);
    report_number(report, "test_accounts", evaluation->figures[0].accounts);
    for (int i = 0; i < METHOD_COUNT; i++) {
        struct report *method = report_object(report, method_names[i]);

        report_real(method, "recall_20", evaluation->figures[i].recall);
        report_real(method, "ndcg_20", evaluation->figures[i].ndcg);
    }
    report_setting(report_object(report, "setting"), &evaluation->report.setting);
    report_real(report, "held_recall_20", evaluation->report.held.recall);
    report_real(report, "held_ndcg_20", evaluation->report.held.ndcg);
    report_number(report, "fits", evaluation->report.fits);
    report_number(report, "threads", task->work.threads);
    report_real(report, "train_seconds", (double)evaluation->train_us / 1e6);
    report_real(report, "evaluate_seconds", (double)evaluation->evaluate_us / 1e6);
    report_number(report, "peak_mib", peak_mib());
    report_print(report, stdout);
}

static int eval(struct task *task)
{
    const struct values *values = task->values;
    struct train_options options = options_of(task);
    struct sets_list train = {0}, test = {0};
    struct evaluation evaluation = {0};
    char message[LINES_MESSAGE] = "";
    struct model model = {0};
    enum status status;
    int64_t from_us;

    if (values->train == NULL || values->test == NULL)
        return usage("eval takes --train FILE and --test FILE");
    status = sets_read(values->train, &train, message);
    if (status == STATUS_OK)
        status = sets_read(values->test, &test, message);
    if (status == STATUS_OK)
        status = sets_make(&train, &test, &task->sets);
    free(train.pair);
    free(test.pair);
    if (status != STATUS_OK) {
        progress_end(&task->progress);
        return command_failed(status, message);
    }
    from_us = progress_now_us();
    status = train_model(&task->sets.train, task->sets.item, &options, &model, &evaluation.report);
    evaluation.train_us = progress_now_us() - from_us;
    if (status == STATUS_OK)
        status = evaluate_model(task, &model, &evaluation);
    if (status == STATUS_OK)
        status = evaluate_baselines(task, &evaluation);
    model_free(&model);
    progress_end(&task->progress);
    if (status != STATUS_OK)
        return train_failed(status, &evaluation.report, values);
    if (values->json)
        report_evaluation(task, &evaluation);
    else
        print_evaluation(task, &evaluation);
    return EXIT_DONE;
}

/* --- what a model is made of ---------------------------------------------------------------------
 */

/* Pairs of a file of --edges, or of the log; the message is printed. */
static int read_pairs(struct task *task, struct sets_list *list)
{
    struct node_progress told = {.argument = &task->progress, .report = progress_report};
    char message[LINES_MESSAGE] = "";
    struct learn *learn = &task->learn;
    enum status status;

    if (task->values->edges != NULL) {
        status = sets_read(task->values->edges, list, message);
        return status == STATUS_OK ? OPTIONS_GO : command_failed(status, message);
    }
    status = learn_read(task->config, (uint16_t)task->values->tenant,
                        task->values->memory_mib << 20, &told, learn);
    if (status != STATUS_OK)
        return command_failed(status, learn->message);
    for (uint64_t i = 0; i < learn->count && status == STATUS_OK; i++)
        if (!sets_add(list, learn->taste[i].account, learn->taste[i].item))
            status = STATUS_NOMEMORY;
    return status == STATUS_OK ? OPTIONS_GO : command_failed(status, "memory ran out");
}

static void print_trained(const struct task *task, const struct model *model,
                          const struct train_report *report, int64_t train_us)
{
    char a[32], b[32], c[32];

    if (task->values->json) {
        struct report *to = report_new();

        report_number(to, "version", model->head->version);
        report_number(to, "accounts", model->head->accounts);
        report_number(to, "items", model->head->items);
        report_number(to, "pairs", model->head->pairs);
        report_number(to, "links", model->head->links);
        report_number(to, "bytes", model->bytes);
        report_number(to, "impressions",
                      model->head->rates_bytes > 0 ? task->learn.impressions : 0);
        report_setting(report_object(to, "setting"), &report->setting);
        report_real(to, "held_recall_20", report->held.recall);
        report_real(to, "held_ndcg_20", report->held.ndcg);
        report_real(to, "train_seconds", (double)train_us / 1e6);
        report_number(to, "peak_mib", peak_mib());
        report_print(to, stdout);
        return;
    }
    printf("model      version %u, %s accounts, %s items, %s pairs\n",
           (unsigned)model->head->version, progress_number(model->head->accounts, a),
           progress_number(model->head->items, b), progress_number(model->head->pairs, c));
    print_setting(&report->setting);
    if (model->head->rates_bytes > 0)
        printf("rates      of clicks, long views and likes, from %s impressions\n",
               progress_number(task->learn.impressions, a));
    if (!task->values->fixed)
        printf("chosen     on a fifth of it, held back: recall@20 %.4f, ndcg@20 %.4f\n",
               report->held.recall, report->held.ndcg);
    printf("training   %.1f s, %llu MiB at most; the file has %s bytes\n", (double)train_us / 1e6,
           (unsigned long long)peak_mib(), progress_number(model->bytes, a));
}

#define RATES_LEAST 1000 /* impressions; of fewer no rates are learnt */

/* Rates of clicks, long views and likes, from the impressions of the log, into the model's file. */
static enum status add_rates(struct task *task, struct model *model)
{
    struct rank *rank;
    enum status status;

    if (task->learn.impressions < RATES_LEAST)
        return STATUS_OK;
    status = impressions_learn(task->learn.impression, task->learn.impressions, task->values->seed,
                               &task->work, &rank);
    if (status != STATUS_OK)
        return status;
    status = model_add_rates(model, rank_bytes(rank));
    if (status == STATUS_OK)
        rank_write(rank, model->rates);
    rank_close(rank);
    return status;
}

static int train_and_save(struct task *task)
{
    struct train_options options = options_of(task);
    struct train_report report;
    char message[MODEL_MESSAGE];
    char path[PATH_BYTES];
    struct model model = {0};
    int64_t from_us = progress_now_us();
    enum status status = train_model(&task->sets.train, task->sets.item, &options, &model, &report);
    int64_t train_us;

    if (status == STATUS_OK && (status = add_rates(task, &model)) != STATUS_OK)
        model_free(&model);
    train_us = progress_now_us() - from_us;
    progress_end(&task->progress);
    if (status != STATUS_OK)
        return train_failed(status, &report, task->values);
    config_model_path(task->config, path, sizeof path);
    model.head->version = (uint32_t)time(NULL);
    model.head->tenant = (uint16_t)task->values->tenant;
    status = model_save(&model, &disk_posix, task->values->out != NULL ? task->values->out : path,
                        message);
    if (status == STATUS_OK)
        print_trained(task, &model, &report, train_us);
    model_free(&model);
    return status == STATUS_OK ? EXIT_DONE : command_failed(status, message);
}

static int train(struct task *task)
{
    struct sets_list list = {0};
    enum status status;
    int code;

    if (task->values->out == NULL && task->values->edges != NULL)
        return usage("train with --edges takes --out FILE");
    code = read_pairs(task, &list);
    if (code != OPTIONS_GO) {
        free(list.pair);
        return code;
    }
    status = sets_make(&list, NULL, &task->sets);
    return status == STATUS_OK ? train_and_save(task) : command_failed(status, "too much to learn");
}

/* --- rank ----------------------------------------------------------------------------------------
 */

static void print_impressions(const struct impressions *result)
{
    char a[32], b[32];

    printf("learnt     %s impressions; ranked the %s after them\n\n",
           progress_number(result->learnt, a), progress_number(result->ranked, b));
    printf("%-12s", "AUC / nDCG@10");
    for (int o = 0; o < RANK_OUTCOMES; o++)
        printf(" %17s", rank_outcome_names[o]);
    printf("\n");
    for (int m = 0; m < IMPRESSIONS_METHODS; m++) {
        printf("%-13s", impressions_method_names[m]);
        for (int o = 0; o < RANK_OUTCOMES; o++)
            printf("   %.4f / %.4f", result->figures[m][o].auc, result->figures[m][o].ndcg);
        printf("\n");
    }
    for (int o = 0; o < RANK_OUTCOMES; o++) {
        printf("\n%s: %s happened; predicted / observed %.3f; calibration error %.4f\n",
               rank_outcome_names[o], progress_number(result->hits[o], a), result->bias[o],
               result->calibration_error[o]);
        for (int i = 0; i < IMPRESSIONS_BINS; i++)
            printf("   predicted %.4f  observed %.4f\n", result->bin[o][i].predicted,
                   result->bin[o][i].observed);
    }
    printf("\none prediction of the three: %.2f us\n", result->predict_us);
}

static void report_impressions(const struct impressions *result)
{
    struct report *report = report_new();

    report_number(report, "learnt", result->learnt);
    report_number(report, "ranked", result->ranked);
    for (int o = 0; o < RANK_OUTCOMES; o++) {
        struct report *outcome = report_object(report, rank_outcome_names[o]);

        report_number(outcome, "happened", result->hits[o]);
        for (int m = 0; m < IMPRESSIONS_METHODS; m++) {
            struct report *method = report_object(outcome, impressions_method_names[m]);

            report_real(method, "auc", result->figures[m][o].auc);
            report_real(method, "ndcg_10", result->figures[m][o].ndcg);
            report_number(method, "accounts", result->figures[m][o].groups);
        }
        report_real(outcome, "predicted_by_observed", result->bias[o]);
        report_real(outcome, "calibration_error", result->calibration_error[o]);
        for (int i = 0; i < IMPRESSIONS_BINS; i++) {
            struct report *bin = report_element(outcome, "bins");

            report_real(bin, "predicted", result->bin[o][i].predicted);
            report_real(bin, "observed", result->bin[o][i].observed);
        }
    }
    report_real(report, "predict_us", result->predict_us);
    report_print(report, stdout);
}

static int rank_impressions(struct task *task)
{
    const struct values *values = task->values;
    struct impressions result;
    enum status status;

    if (values->impressions == NULL)
        return usage("rank takes --impressions FILE");
    status = impressions_evaluate(values->impressions, (double)values->cut_pct / 100, values->seed,
                                  &task->work, &result);
    progress_end(&task->progress);
    if (status != STATUS_OK)
        return command_failed(status, result.message);
    if (values->json)
        report_impressions(&result);
    else
        print_impressions(&result);
    return EXIT_DONE;
}

/* --- looks ---------------------------------------------------------------------------------------
 */

static bool id_from(const char *text, uint64_t *id)
{
    char *end;

    errno = 0;
    *id = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static void print_found(const struct task *task, const struct recommend *recommend,
                        const struct recommend_found *found, uint32_t count, uint32_t known)
{
    struct recommend_about about;
    char id[24];

    recommend_about(recommend, &about);
    if (!task->values->json) {
        printf("model %u; %u items of the history are in it\n", (unsigned)about.version,
               (unsigned)known);
        for (uint32_t i = 0; i < count; i++)
            printf("%20llu %10.5f\n", (unsigned long long)found[i].item, (double)found[i].score);
        return;
    }
    struct report *report = report_new();
    report_number(report, "version", about.version);
    report_number(report, "known", known);
    for (uint32_t i = 0; i < count; i++) {
        struct report *item = report_element(report, "items");

        snprintf(id, sizeof id, "%llu", (unsigned long long)found[i].item);
        report_text(item, "item", id);
        report_real(item, "score", (double)found[i].score);
    }
    report_print(report, stdout);
}

/* The account's own pairs. */
static uint32_t history_of(struct sets_list *list, uint64_t account, uint64_t *history)
{
    uint32_t count = 0;

    for (uint64_t i = list->count; i > 0 && count < RECOMMEND_HISTORY_MAX; i--)
        if (list->pair[i - 1].account == account)
            history[count++] = list->pair[i - 1].item;
    return count;
}

static int look_with(struct task *task, const struct recommend *recommend, bool similar,
                     uint64_t id)
{
    uint64_t history[RECOMMEND_HISTORY_MAX] = {id};
    struct recommend_found found[LOOK_MAX];
    struct recommend_view *view;
    struct sets_list list = {0};
    uint32_t count = 1, known;
    int code = OPTIONS_GO;

    if (!similar) {
        code = read_pairs(task, &list);
        count = code == OPTIONS_GO ? history_of(&list, id, history) : 0;
        free(list.pair);
    }
    if (code != OPTIONS_GO)
        return code;
    if ((view = recommend_view_open(recommend)) == NULL)
        return command_failed(STATUS_NOMEMORY, "memory ran out");
    known = recommend_look(view, history, count);
    if (similar && known == 0) {
        fprintf(stderr, "zan: recommend: the model does not know item %llu\n",
                (unsigned long long)id);
        code = EXIT_FAILED;
    } else {
        count = recommend_best(view, (uint32_t)task->values->n, found);
        print_found(task, recommend, found, count, known);
        code = EXIT_DONE;
    }
    recommend_view_close(view);
    return code;
}

static int look(struct task *task, bool similar, const char *word)
{
    char message[RECOMMEND_MESSAGE] = "memory ran out";
    struct recommend *recommend;
    enum status status;
    uint64_t id;
    int code;

    if (task->values->model == NULL || word == NULL || !id_from(word, &id))
        return usage(similar
                         ? "similar takes --model FILE and an ITEM"
                         : "for takes --model FILE, an ACCOUNT, and --edges FILE or --data DIR");
    status = recommend_open(&disk_posix, task->values->model, &recommend, message);
    if (status != STATUS_OK)
        return command_failed(status, message);
    code = look_with(task, recommend, similar, id);
    recommend_close(recommend);
    return code;
}

static int run(struct task *task, const struct options_words *words)
{
    const char *action = words->word[0], *word = words->count == 2 ? words->word[1] : NULL;

    if (strcmp(action, "eval") == 0 && word == NULL)
        return eval(task);
    if (strcmp(action, "train") == 0 && word == NULL)
        return train(task);
    if (strcmp(action, "rank") == 0 && word == NULL)
        return rank_impressions(task);
    if (strcmp(action, "similar") == 0)
        return look(task, true, word);
    if (strcmp(action, "for") == 0)
        return look(task, false, word);
    return usage("the first word is eval, train, rank, similar or for");
}

static int recommend(int argc, char **argv)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct values values = {.seed = 1,
                            .memory_mib = 1024,
                            .n = 10,
                            .cut_pct = 80,
                            .threads = cores < 1                  ? 1
                                       : cores > WORK_THREADS_MAX ? WORK_THREADS_MAX
                                                                  : (uint64_t)cores};
    struct options_words words;
    struct config config;
    int code = options_parse(&cli_command_recommend, argc, argv, &values, &config, &words);
    struct task task = {.values = &values, .config = &config};

    if (code != OPTIONS_GO)
        return code;
    progress_begin(&task.progress, "training", "pieces", values.quiet);
    task.work = (struct work){(uint32_t)values.threads, progress_report, &task.progress};
    code = run(&task, &words);
    progress_end(&task.progress);
    sets_free(&task.sets);
    learn_free(&task.learn);
    return code;
}

const struct command cli_command_recommend = {
    .name = "recommend",
    .words = "eval | train | rank | similar ITEM | for ACCOUNT",
    .summary = "trains a model of who likes what, measures one, looks into one",
    .details =
        "  zan recommend eval --train FILE --test FILE      figures on a set of the literature\n"
        "  zan recommend train --data DIR [--out MODEL]     from valid likes and long views of the "
        "log\n"
        "  zan recommend rank --impressions FILE            who will click, watch, like: by time\n"
        "  zan recommend similar --model MODEL ITEM         who likes it likes these\n"
        "  zan recommend for --model MODEL --data DIR ACCOUNT\n"
        "\n"
        "The log is only read; the node may run. It serves what is trained from its directory "
        "seconds\n"
        "later. A file\n"
        "of --train, --test and --edges has a line an account: account item item ... (or the same "
        "as .gz).\n"
        "docs/recommend.md tells the model, and what it reaches.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .settings = SETTINGS_TAKEN,
    .words_min = 1,
    .words_max = 2,
    .run = recommend,
};
