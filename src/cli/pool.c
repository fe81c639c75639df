/* pool.c: zan pool eval: options, the scenarios, the tables. What is played is in pool_eval.h.
 *
 * A measure is compared seed by seed: policy and rival play the same world, and it is their
 * difference whose mean is told with 1.96 standard errors. A goal is met if that whole interval is
 * on the good side of 0. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/command.h"
#include "cli/data_set.h"
#include "cli/options.h"
#include "cli/pool_eval.h"
#include "cli/progress.h"
#include "cli/report.h"

#define SURE 1.96

struct values {
    const char *scenario, *data_set;
    uint64_t seed, seeds, items, even;
    bool list, json, quiet;
};

#define AT(field)            offsetof(struct values, field), 0, 0
#define BETWEEN(field, a, b) offsetof(struct values, field), a, b

static const struct option_row rows[] = {
    {"scenario", "NAME", "which one (--list tells them) [race]", OPTION_TEXT, AT(scenario)},
    {"list", NULL, "lists the scenarios, and ends", OPTION_FLAG, AT(list)},
    {"seed", "N", "the first seed [1]", OPTION_NUMBER, BETWEEN(seed, 0, UINT64_MAX)},
    {"seeds", "N", "plays N seeds [200]", OPTION_NUMBER, BETWEEN(seeds, 2, 1000000)},
    {"items", "N", "items of a cohort [as the scenario]", OPTION_NUMBER,
     BETWEEN(items, 20, POOL_ITEMS_MAX)},
    {"even", "N", "impressions for each item, shared out evenly [as the scenario]", OPTION_NUMBER,
     BETWEEN(even, 20, 100000)},
    {"data-set", "DIR", "the real videos [those that come with Zan]", OPTION_TEXT, AT(data_set)},
    {"json", NULL, "prints the tables as JSON", OPTION_FLAG, AT(json)},
    {"quiet", NULL, "no progress bar", OPTION_FLAG, AT(quiet)},
};

/* --- scenarios
 * ------------------------------------------------------------------------------------- */

enum kind { RACE, DESIGNS, ATTACKS, MONOPOLY };

static const struct scenario {
    const char *name, *what;
    enum kind kind;
    struct pool_world_options world;
} scenarios[] = {
    {"race",
     "200 new videos, 1,000 impressions each if shared evenly",
     RACE,
     {.items = 200, .even = 1000}},
    {"short", "the same with 500", RACE, {.items = 200, .even = 500}},
    {"long", "the same with 2,000", RACE, {.items = 200, .even = 2000}},
    {"likes",
     "race; the truly best are those with the highest true like rate",
     RACE,
     {.items = 200, .even = 1000, .truth = POOL_BY_LIKES}},
    {"likes-told",
     "likes, and ours is told so: the preset likes",
     RACE,
     {.items = 200, .even = 1000, .truth = POOL_BY_LIKES, .rule = "likes"}},
    {"long-views",
     "race; the truly best by long views alone",
     RACE,
     {.items = 200, .even = 1000, .truth = POOL_BY_LONG}},
    {"mismatch",
     "race; the first audience of one in five is the wrong one: 0.4 of its rates",
     RACE,
     {.items = 200, .even = 1000, .mismatched = 0.2}},
    {"tapes",
     "real impressions in the order they were made, of videos that were shown 250 times and more",
     RACE,
     {.items = 120, .even = 150, .tapes = true}},
    {"designs",
     "race, with what else was tried, and rivals that look at value as well",
     DESIGNS,
     {.items = 200, .even = 1000}},
    {"attacks",
     "fakes, with the weight that the scorer leaves them",
     ATTACKS,
     {.items = 200, .even = 1000}},
    {"monopoly",
     "400 videos of 160 authors and 80 newcomers",
     MONOPOLY,
     {.items = 400, .even = 500}},
};
#define SCENARIOS (sizeof scenarios / sizeof scenarios[0])

/* --- sums
 * ------------------------------------------------------------------------------------------- */

struct sum {
    double sum, square, count;
};

static void sum_add(struct sum *sum, double value)
{
    sum->sum += value;
    sum->square += value * value;
    sum->count += 1;
}

static double mean_of(const struct sum *sum)
{
    return sum->sum / sum->count;
}

/* Half the interval around the mean. */
static double around(const struct sum *sum)
{
    double mean = mean_of(sum), variance = fmax(sum->square / sum->count - mean * mean, 0);

    return SURE * sqrt(variance / (sum->count - 1));
}

enum measure { FOUND, WASTED, STOPPED, ENDED, BEST_SHARE, MEASURES };
#define GOALS 3 /* the first of them */

static const char *const measure_names[MEASURES] = {"found", "wasted", "stopped", "ended",
                                                    "best_share"};

struct table {
    struct sum of[POOL_POLICIES_MAX][MEASURES];
    struct sum better[POOL_POLICIES_MAX][GOALS]; /* ours against it; above 0 is good */
    struct pool_attack_figures attack[8];
    struct sum monopoly[POOL_MONOPOLY_KINDS][4];
    uint32_t items, cap;
};

struct evaluation {
    const struct values *values;
    struct pool_data data;
    struct pool_world world;
    struct pool_race race;
    struct progress progress;
    struct table table[SCENARIOS];
    uint64_t steps, done;
};

static bool wanted(const struct values *values, const struct scenario *scenario)
{
    return strcmp(values->scenario, "all") == 0 || strcmp(values->scenario, scenario->name) == 0;
}

/* Ours and its rivals in every race; what else was tried in a table of its own. */
static bool plays(const struct scenario *scenario, uint32_t policy)
{
    return scenario->kind == DESIGNS || policy == 0 || pool_policies[policy].rival;
}

/* --- playing
 * ------------------------------------------------------------------------------------------ */

static void play_race(struct evaluation *evaluation, const struct scenario *scenario,
                      struct table *table, uint64_t seed)
{
    double ours[MEASURES] = {0};

    for (uint32_t p = 0; p < pool_policy_count; p++) {
        struct pool_figures figures;

        if (!plays(scenario, p))
            continue;
        pool_race_run(&evaluation->world, &pool_policies[p], hash_two(seed, p), &evaluation->race,
                      &figures);
        const double value[MEASURES] = {figures.found, figures.wasted, figures.stopped,
                                        figures.ended, figures.best_share};
        for (uint32_t m = 0; m < MEASURES; m++)
            sum_add(&table->of[p][m], value[m]);
        if (p == 0)
            memcpy(ours, value, sizeof ours);
        for (uint32_t m = 0; m < GOALS; m++)
            sum_add(&table->better[p][m], m == FOUND ? ours[m] - value[m] : value[m] - ours[m]);
    }
}

static void play_monopoly(struct evaluation *evaluation, struct table *table, uint64_t seed)
{
    for (uint32_t kind = 0; kind < POOL_MONOPOLY_KINDS; kind++) {
        struct pool_monopoly figures;

        pool_monopoly_run(&evaluation->world, (enum pool_monopoly_kind)kind, seed,
                          &evaluation->race, &figures);
        sum_add(&table->monopoly[kind][0], figures.gini_items);
        sum_add(&table->monopoly[kind][1], figures.gini_authors);
        sum_add(&table->monopoly[kind][2], figures.newcomers);
        sum_add(&table->monopoly[kind][3], figures.top_author);
    }
}

static void play_seed(struct evaluation *evaluation, const struct scenario *scenario,
                      struct table *table, uint64_t seed)
{
    struct pool_world_options options = scenario->world;

    if (evaluation->values->items > 0)
        options.items = (uint32_t)evaluation->values->items;
    if (evaluation->values->even > 0)
        options.even = (uint32_t)evaluation->values->even;
    pool_world_make(&evaluation->world, &evaluation->data,
                    pool_rule_of(options.rule != NULL ? options.rule : "default"), &options, seed);
    table->items = evaluation->world.count;
    table->cap = evaluation->world.cap;
    if (scenario->kind == ATTACKS)
        for (uint32_t a = 0; a < pool_attack_count; a++)
            pool_attack_run(&evaluation->world, &pool_attacks[a], seed, &evaluation->race,
                            &table->attack[a]);
    else if (scenario->kind == MONOPOLY)
        play_monopoly(evaluation, table, seed);
    else
        play_race(evaluation, scenario, table, seed);
}

static void play(struct evaluation *evaluation)
{
    const struct values *values = evaluation->values;

    for (uint32_t s = 0; s < SCENARIOS; s++)
        evaluation->steps += wanted(values, &scenarios[s]) ? values->seeds : 0;
    for (uint32_t s = 0; s < SCENARIOS; s++)
        for (uint64_t i = 0; i < values->seeds && wanted(values, &scenarios[s]); i++) {
            evaluation->progress.what = scenarios[s].name;
            play_seed(evaluation, &scenarios[s], &evaluation->table[s], values->seed + i);
            evaluation->done++;
            progress_step(&evaluation->progress, evaluation->done, evaluation->steps,
                          evaluation->done);
        }
}

/* --- goals
 * -------------------------------------------------------------------------------------------- */

static bool is_better(const struct sum *better)
{
    return mean_of(better) - around(better) > 0;
}

static uint32_t missed_in(const struct scenario *scenario, const struct table *table)
{
    uint32_t missed = 0;

    if (scenario->kind == ATTACKS)
        for (uint32_t a = 0; a < pool_attack_count; a++)
            missed += pool_attacks[a].goal >= 0 &&
                      (double)table->attack[a].changed >
                          pool_attacks[a].goal * (double)table->attack[a].runs;
    if (scenario->kind != RACE)
        return missed;
    for (uint32_t p = 0; p < pool_policy_count; p++)
        for (uint32_t m = 0; m < GOALS && pool_policies[p].rival; m++)
            missed += !is_better(&table->better[p][m]);
    return missed;
}

/* --- tables
 * --------------------------------------------------------------------------------------------- */

static void print_percent(const struct sum *sum)
{
    printf(" %6.2f ±%4.2f", 100 * mean_of(sum), 100 * around(sum));
}

static void print_race(const struct scenario *scenario, const struct table *table)
{
    printf("%-14s %13s %13s %13s %13s   zan is better by (found, wasted, stopped)\n", "policy",
           "found %", "wasted %", "stopped %", "ended %");
    for (uint32_t p = 0; p < pool_policy_count; p++) {
        if (!plays(scenario, p))
            continue;
        printf("%-14s", pool_policies[p].name);
        for (uint32_t m = FOUND; m <= ENDED; m++)
            print_percent(&table->of[p][m]);
        for (uint32_t m = 0; m < GOALS && p > 0; m++) {
            const struct sum *better = &table->better[p][m];

            printf("%s%+.2f ±%.2f%s", m == 0 ? "   " : ", ", 100 * mean_of(better),
                   100 * around(better),
                   !pool_policies[p].rival ? ""
                   : is_better(better)     ? " met"
                                           : " MISSED");
        }
        putchar('\n');
    }
}

static void print_attacks(const struct table *table)
{
    printf("%-22s %9s %9s %12s %14s %12s\n", "attack", "changed", "goal", "share moved",
           "by over 0.1", "3 % of 100");
    for (uint32_t a = 0; a < pool_attack_count; a++) {
        const struct pool_attack_figures *figures = &table->attack[a];
        double runs = (double)figures->runs, changed = (double)figures->changed / runs;

        printf("%-22s %7.2f %% ", pool_attacks[a].name, 100 * changed);
        if (pool_attacks[a].goal >= 0)
            printf("%7.2f %% ", 100 * pool_attacks[a].goal);
        else
            printf("%9s ", "-");
        printf("%12.4f %12.2f %% %10.2f %%", figures->share_moved / runs,
               100 * (double)figures->moved_much / runs,
               100 * (double)figures->changed_literal / runs);
        printf("%s\n", pool_attacks[a].goal < 0          ? "  told"
                       : changed <= pool_attacks[a].goal ? "  met"
                                                         : "  MISSED");
    }
}

static const char *const monopoly_names[4] = {"gini_items", "gini_authors", "newcomers",
                                              "top_author"};

static void print_monopoly(const struct table *table)
{
    printf("%-16s %14s %14s %14s %14s\n", "policy", "Gini, videos", "Gini, authors", "newcomers %",
           "top author %");
    for (uint32_t kind = 0; kind < POOL_MONOPOLY_KINDS; kind++) {
        printf("%-16s", pool_monopoly_names[kind]);
        for (uint32_t m = 0; m < 4; m++) {
            const struct sum *sum = &table->monopoly[kind][m];
            double times = m < 2 ? 1 : 100;

            printf("  %6.*f ±%5.*f", m < 2 ? 3 : 2, times * mean_of(sum), m < 2 ? 3 : 2,
                   times * around(sum));
        }
        putchar('\n');
    }
}

static void print_tables(const struct evaluation *evaluation)
{
    const struct values *values = evaluation->values;

    for (uint32_t s = 0; s < SCENARIOS; s++) {
        const struct table *table = &evaluation->table[s];

        if (!wanted(values, &scenarios[s]))
            continue;
        printf("%s: %s; %u videos, seeds %llu to %llu\n", scenarios[s].name, scenarios[s].what,
               table->items, (unsigned long long)values->seed,
               (unsigned long long)(values->seed + values->seeds - 1));
        if (scenarios[s].kind == ATTACKS)
            print_attacks(table);
        else if (scenarios[s].kind == MONOPOLY)
            print_monopoly(table);
        else
            print_race(&scenarios[s], table);
        putchar('\n');
    }
}

static void report_sum(struct report *report, const char *name, const struct sum *sum)
{
    struct report *row = report_object(report, name);

    report_real(row, "mean", mean_of(sum));
    report_real(row, "around", around(sum));
}

static void report_race(struct report *report, const struct scenario *scenario,
                        const struct table *table)
{
    for (uint32_t p = 0; p < pool_policy_count; p++) {
        struct report *row, *better;

        if (!plays(scenario, p))
            continue;
        row = report_object(report, pool_policies[p].name);
        report_text(row, "what", pool_policies[p].what);
        report_flag(row, "rival", pool_policies[p].rival);
        for (uint32_t m = 0; m < MEASURES; m++)
            report_sum(row, measure_names[m], &table->of[p][m]);
        better = report_object(row, "zan_better_by");
        for (uint32_t m = 0; m < GOALS && p > 0; m++)
            report_sum(better, measure_names[m], &table->better[p][m]);
    }
}

static void report_attacks(struct report *report, const struct table *table)
{
    for (uint32_t a = 0; a < pool_attack_count; a++) {
        const struct pool_attack_figures *figures = &table->attack[a];
        struct report *row = report_object(report, pool_attacks[a].name);

        report_text(row, "what", pool_attacks[a].what);
        report_number(row, "runs", figures->runs);
        report_number(row, "changed", figures->changed);
        report_number(row, "moved_over_a_tenth", figures->moved_much);
        report_number(row, "changed_literal", figures->changed_literal);
        report_real(row, "share_moved", figures->share_moved / (double)figures->runs);
        report_real(row, "weight_of_a_fake", pool_attacks[a].weight);
        if (pool_attacks[a].goal >= 0)
            report_real(row, "goal", pool_attacks[a].goal);
    }
}

static void report_monopoly(struct report *report, const struct table *table)
{
    for (uint32_t kind = 0; kind < POOL_MONOPOLY_KINDS; kind++) {
        struct report *row = report_object(report, pool_monopoly_names[kind]);

        for (uint32_t m = 0; m < 4; m++)
            report_sum(row, monopoly_names[m], &table->monopoly[kind][m]);
    }
}

static void print_json(const struct evaluation *evaluation, uint32_t missed)
{
    struct report *report = report_new();

    report_number(report, "seed", evaluation->values->seed);
    report_number(report, "seeds", evaluation->values->seeds);
    report_number(report, "rule_version", pool_rule_of("default")->version);
    report_number(report, "missed", missed);
    for (uint32_t s = 0; s < SCENARIOS; s++) {
        const struct table *table = &evaluation->table[s];
        struct report *row;

        if (!wanted(evaluation->values, &scenarios[s]))
            continue;
        row = report_object(report, scenarios[s].name);
        report_text(row, "what", scenarios[s].what);
        report_number(row, "items", table->items);
        report_number(row, "missed", missed_in(&scenarios[s], table));
        if (scenarios[s].kind == ATTACKS)
            report_attacks(row, table);
        else if (scenarios[s].kind == MONOPOLY)
            report_monopoly(row, table);
        else
            report_race(row, &scenarios[s], table);
    }
    report_print(report, stdout);
}

/* --- the command
 * ------------------------------------------------------------------------------------------ */

static const char *next_name(const void *context, uint32_t i)
{
    (void)context;
    return i < SCENARIOS ? scenarios[i].name : NULL;
}

static int wrong_scenario(const char *name)
{
    const char *nearest = options_nearest(name, next_name, NULL);

    fprintf(stderr, "zan: there is no scenario '%s'", name);
    if (nearest != NULL)
        fprintf(stderr, "; did you mean %s?", nearest);
    fprintf(stderr, "\nzan pool eval --list tells them\n");
    return EXIT_USAGE;
}

static bool any_wanted(const struct values *values)
{
    for (uint32_t s = 0; s < SCENARIOS; s++)
        if (wanted(values, &scenarios[s]))
            return true;
    return false;
}

static int evaluate(const struct values *values, const char *directory)
{
    struct evaluation *evaluation = calloc(1, sizeof *evaluation);
    char message[LINES_MESSAGE];
    uint32_t missed = 0;
    enum status status;

    if (evaluation == NULL)
        abort();
    evaluation->values = values;
    progress_begin(&evaluation->progress, "loading", "worlds", values->quiet);
    status = pool_data_load(directory, true, &evaluation->data, message);
    if (status == STATUS_OK)
        play(evaluation);
    progress_end(&evaluation->progress);
    for (uint32_t s = 0; s < SCENARIOS && status == STATUS_OK; s++)
        missed +=
            wanted(values, &scenarios[s]) ? missed_in(&scenarios[s], &evaluation->table[s]) : 0;
    if (status == STATUS_OK && values->json)
        print_json(evaluation, missed);
    else if (status == STATUS_OK)
        print_tables(evaluation);
    pool_world_free(&evaluation->world);
    pool_data_free(&evaluation->data);
    free(evaluation);
    if (status != STATUS_OK)
        return command_failed(status, message);
    return missed > 0 ? EXIT_FINDINGS : EXIT_DONE;
}

static int pool(int argc, char **argv)
{
    struct values values = {.scenario = "race", .seed = 1, .seeds = 200};
    struct options_words words;
    char directory[DATA_SET_PATH];
    int code = options_parse(&cli_command_pool, argc, argv, &values, NULL, &words);

    if (code != OPTIONS_GO)
        return code;
    if (strcmp(words.word[0], "eval") != 0) {
        fprintf(stderr, "zan: pool takes eval, not '%s'\n", words.word[0]);
        return EXIT_USAGE;
    }
    if (values.list) {
        for (uint32_t s = 0; s < SCENARIOS; s++)
            printf("%-12s %s\n", scenarios[s].name, scenarios[s].what);
        return EXIT_DONE;
    }
    if (!any_wanted(&values))
        return wrong_scenario(values.scenario);
    if (!data_set_find(values.data_set, directory))
        return EXIT_USAGE;
    return evaluate(&values, directory);
}

const struct command cli_command_pool = {
    .name = "pool",
    .words = "eval",
    .summary = "plays staged exposure on real videos, beside what others do",
    .details = "Cohorts drawn from the real videos race for impressions; what a policy finds, "
               "wastes and stops is\n"
               "compared seed by seed with the literal 3 % rule, successive halving, "
               "epsilon-greedy and Thompson\n"
               "sampling at equal impressions. The same seed ends with the same table. Ends with 3 "
               "if a goal was\n"
               "missed. docs/discovery.md tells what is measured; docs/results has whole tables.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .words_min = 1,
    .words_max = 1,
    .run = pool,
};
