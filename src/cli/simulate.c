/* simulate.c: zan simulate: options, the order of runs, the table. See simulate.h. */
#include "cli/simulate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/secret.h"

struct values {
    const char *scenario, *to, *name, *key_file;
    uint64_t seed, seeds, sequences;
    double scale;
    bool list, json, quiet;
};

#define AT(field)            offsetof(struct values, field), 0, 0
#define BETWEEN(field, a, b) offsetof(struct values, field), a, b

static const struct option_row rows[] = {
    {"scenario", "NAME", "which one (--list tells them) [all]", OPTION_TEXT, AT(scenario)},
    {"list", NULL, "lists the scenarios, and ends", OPTION_FLAG, AT(list)},
    {"seed", "N", "the first seed [1]", OPTION_NUMBER, BETWEEN(seed, 0, UINT64_MAX)},
    {"seeds", "N", "plays N seeds, one after the other; the table shows the worst [1]",
     OPTION_NUMBER, BETWEEN(seeds, 1, 1000000)},
    {"scale", "X", "how large the world is [1: 12,000 people]", OPTION_RATE, AT(scale)},
    {"sequences", "N", "random sequences of third-parties [20000]", OPTION_NUMBER,
     BETWEEN(sequences, 1, 10000000)},
    {"to", "HOST:PORT", "a server that is there, fresh, with --clock requests [one of its own]",
     OPTION_TEXT, AT(to)},
    {"name", "NAME", "name of the caller, if that server wants credentials", OPTION_TEXT, AT(name)},
    {"key-file", "FILE", "file with the key; else the environment's ZAN_KEY", OPTION_TEXT,
     AT(key_file)},
    {"json", NULL, "prints the table as JSON", OPTION_FLAG, AT(json)},
    {"quiet", NULL, "no progress bar", OPTION_FLAG, AT(quiet)},
};

struct simulation {
    const struct values *values;
    struct drive_options drive;
    struct progress progress;
    struct judgement judgement;
    uint32_t runs, runs_done;
    uint64_t acts, acts_done, refused;
    char what[64];
    char message[DRIVE_MESSAGE];
};

/* --- runs --------------------------------------------------------------------------------------
 */

static uint32_t variants_of(const struct scenario *scenario)
{
    uint32_t count = 0;

    while (count < VARIANTS_MAX && scenario->variants[count] != NULL)
        count++;
    return count;
}

static bool wanted(const struct values *values, const struct scenario *scenario)
{
    return strcmp(values->scenario, "all") == 0 || strcmp(values->scenario, scenario->name) == 0;
}

static uint32_t count_runs(const struct values *values)
{
    uint32_t count = 0;

    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++)
        if (wanted(values, scenario))
            count += variants_of(scenario) + scenario->attack;
    return count;
}

static bool show(void *argument, double done, uint64_t acts)
{
    struct simulation *simulation = argument;

    progress_step(&simulation->progress, (uint64_t)((simulation->runs_done + done) * 1000),
                  (uint64_t)simulation->runs * 1000, simulation->acts_done + acts);
    return true;
}

/* A server of one's own is new for each run; one that is there takes each run in a slot of time and
 * ids of its own. */
static uint32_t slot_of(const struct simulation *simulation)
{
    return simulation->drive.to == NULL ? 0 : 1 + simulation->runs_done;
}

static enum status run(struct simulation *simulation, const struct scenario *scenario, int variant,
                       uint64_t seed, struct scene *scene, struct shown *shown)
{
    struct drive_watch watch = {.argument = simulation, .turn = show};
    enum status status;

    snprintf(simulation->what, sizeof simulation->what, "%s%s%s", scenario->name,
             variant < 0 ? ", without" : "",
             variant >= 0 && scenario->variants[variant][0] != '\0' ? scenario->variants[variant]
                                                                    : "");
    if (variant >= 0 && scenario->variants[variant][0] != '\0')
        snprintf(simulation->what, sizeof simulation->what, "%s, %s", scenario->name,
                 scenario->variants[variant]);
    simulation->progress.what = simulation->what;
    scene_make(scene, scenario, variant, seed, simulation->values->scale, slot_of(simulation),
               simulation->values->sequences);
    status = drive_scene(scene, &simulation->drive, &watch, shown, simulation->message);
    if (status != STATUS_OK) {
        scene_free(scene);
        return status;
    }
    simulation->runs_done++;
    simulation->acts_done += scene->world.events.count;
    simulation->acts += shown->acts;
    simulation->refused += shown->refused;
    return STATUS_OK;
}

static enum status run_variant(struct simulation *simulation, const struct scenario *scenario,
                               int variant, uint64_t seed, const struct shown *without,
                               uint64_t honest)
{
    struct scene scene;
    struct shown with;
    enum status status = run(simulation, scenario, variant, seed, &scene, &with);

    if (status != STATUS_OK)
        return status;
    assert(!scenario->attack || simulation->drive.to != NULL || scene.honest == honest);
    simulation->judgement.scenario = scenario;
    simulation->judgement.variant = scenario->variants[variant];
    scenario->judge(&simulation->judgement, variant, &scene, &with, without);
    shown_free(&with);
    scene_free(&scene);
    return STATUS_OK;
}

static enum status run_scenario(struct simulation *simulation, const struct scenario *scenario,
                                uint64_t seed)
{
    struct scene scene;
    struct shown without = {0};
    uint64_t honest = 0;
    enum status status = STATUS_OK;

    if (scenario->attack) {
        status = run(simulation, scenario, -1, seed, &scene, &without);
        if (status != STATUS_OK)
            return status;
        honest = scene.honest;
        scene_free(&scene);
    }
    for (uint32_t i = 0; i < variants_of(scenario) && status == STATUS_OK; i++)
        status = run_variant(simulation, scenario, (int)i, seed, scenario->attack ? &without : NULL,
                             honest);
    shown_free(&without);
    return status;
}

static enum status run_all(struct simulation *simulation)
{
    const struct values *values = simulation->values;
    enum status status = STATUS_OK;

    for (uint64_t i = 0; i < values->seeds && status == STATUS_OK; i++)
        for (const struct scenario *scenario = scenarios;
             scenario->name != NULL && status == STATUS_OK; scenario++)
            if (wanted(values, scenario))
                status = run_scenario(simulation, scenario, values->seed + i);
    return status;
}

/* --- what it says ------------------------------------------------------------------------------
 */

static void number_text(char text[32], double value, const char *unit)
{
    int places = strcmp(unit, "%") == 0 ? 2 : 0;

    snprintf(text, 32, "%.*f%s%.10s", places, value, unit[0] != '\0' ? " " : "", unit);
}

static void goal_text(char text[40], const struct measure *measure)
{
    snprintf(text, 40, "-");
    if (measure->gated)
        snprintf(text, 40, "%s %g%s%.10s", measure->at_least ? ">=" : "<=", measure->limit,
                 measure->unit[0] != '\0' ? " " : "", measure->unit);
}

static void print_row(const struct measure *measure)
{
    char goal[40], result[32], name[80], seeds[40] = "";
    enum verdict verdict = measure_verdict(measure);
    uint32_t judged = measure->met + measure->missed;

    goal_text(goal, measure);
    snprintf(result, sizeof result, "-");
    if (verdict != VERDICT_UNMEASURED)
        number_text(result, measure->worst, measure->unit);
    snprintf(name, sizeof name, "%.20s %.50s", measure->scenario->name, measure->variant);
    if (judged > 1)
        snprintf(seeds, sizeof seeds, " (%u of %u)", measure->met, judged);
    printf("%-22.60s %-55s %9s %10s  %s%s", name, measure->text, goal, result,
           verdict_names[verdict], seeds);
    if (measure->note != NULL && verdict == VERDICT_UNMEASURED)
        printf(": %s", measure->note);
    putchar('\n');
}

static const char *const remarks[] = {
    "Who attacks, and how, was made up by us (docs/simulate.md); rates, hours and the spread of",
    "activity, popularity and age are those of data/kuairand. The figures show that the mechanism",
    "works, not that real fraudsters are beaten. Addresses, devices and networks are all "
    "generated.",
    "heat: the sum of credited weights, which it is made of, stands for it. settled: three days "
    "after.",
};

static uint32_t count_verdict(const struct judgement *judgement, enum verdict verdict)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < judgement->count; i++)
        count += measure_verdict(&judgement->measure[i]) == verdict;
    return count;
}

static void print_table(const struct simulation *simulation)
{
    const struct judgement *judgement = &simulation->judgement;
    const struct values *values = simulation->values;
    char number[32];

    printf("seed %llu", (unsigned long long)values->seed);
    if (values->seeds > 1)
        printf(" to %llu (the worst is shown)",
               (unsigned long long)(values->seed + values->seeds - 1));
    printf(", scale %g\n\n", values->scale);
    printf("%-22s %-55s %9s %10s\n", "scenario", "measure", "goal", "result");
    for (uint32_t i = 0; i < judgement->count; i++)
        print_row(&judgement->measure[i]);
    printf("\n%u met, %u missed, %u not measured; %s acts", count_verdict(judgement, VERDICT_MET),
           count_verdict(judgement, VERDICT_MISSED), count_verdict(judgement, VERDICT_UNMEASURED),
           progress_number(simulation->acts, number));
    printf(", %s of them refused\n\n", progress_number(simulation->refused, number));
    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
        puts(remarks[i]);
}

static void report_measure(struct report *report, const struct measure *measure)
{
    enum verdict verdict = measure_verdict(measure);
    struct report *row = report_object(report, measure->key);

    report_text(row, "text", measure->text);
    report_text(row, "unit", measure->unit);
    report_text(row, "verdict", verdict_names[verdict]);
    if (measure->gated) {
        report_text(row, "goal_is", measure->at_least ? "at least" : "at most");
        report_real(row, "goal", measure->limit);
    }
    if (verdict != VERDICT_UNMEASURED)
        report_real(row, "result", measure->worst);
    else
        report_text(row, "why", measure->note);
    report_number(row, "seeds_met", measure->met);
    report_number(row, "seeds_missed", measure->missed);
}

static void print_json(const struct simulation *simulation)
{
    const struct judgement *judgement = &simulation->judgement;
    struct report *report = report_new(), *list = report_object(report, "scenarios"), *at = NULL;
    const struct scenario *scenario = NULL;

    report_number(report, "seed", simulation->values->seed);
    report_number(report, "seeds", simulation->values->seeds);
    report_real(report, "scale", simulation->values->scale);
    report_number(report, "acts", simulation->acts);
    report_number(report, "refused", simulation->refused);
    report_number(report, "met", count_verdict(judgement, VERDICT_MET));
    report_number(report, "missed", count_verdict(judgement, VERDICT_MISSED));
    report_number(report, "not_measured", count_verdict(judgement, VERDICT_UNMEASURED));
    for (uint32_t i = 0; i < judgement->count; i++) {
        if (judgement->measure[i].scenario != scenario)
            at = report_object(list, judgement->measure[i].scenario->name);
        scenario = judgement->measure[i].scenario;
        report_measure(at, &judgement->measure[i]);
    }
    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
        report_add(report, "remarks", remarks[i]);
    report_print(report, stdout);
}

static void print_list(void)
{
    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++) {
        printf("%-14s %s%s\n", scenario->name, scenario->what,
               scenario->attack ? " (with and without)" : "");
        if (scenario->variants[0][0] == '\0')
            continue;
        printf("%-14s ", "");
        for (uint32_t i = 0; i < variants_of(scenario); i++)
            printf("%s%s", i > 0 ? ", " : "as ", scenario->variants[i]);
        putchar('\n');
    }
}

/* --- the command -------------------------------------------------------------------------------
 */

static const char *next_name(const void *context, uint32_t i)
{
    (void)context;
    return scenarios[i].name;
}

static int wrong_scenario(const char *name)
{
    const char *nearest = options_nearest(name, next_name, NULL);

    fprintf(stderr, "zan: there is no scenario '%s'", name);
    if (nearest != NULL)
        fprintf(stderr, "; did you mean %s?", nearest);
    fprintf(stderr, "\nzan simulate --list tells them\n");
    return EXIT_USAGE;
}

static int too_many(uint32_t runs)
{
    fprintf(stderr,
            "zan: --to: %u runs, but one server takes %u: each needs ids and a time of its own; "
            "choose one scenario and one seed\n",
            runs, WORLD_SLOTS);
    return EXIT_USAGE;
}

static int end(const struct simulation *simulation, enum status status)
{
    if (status == STATUS_OK)
        return count_verdict(&simulation->judgement, VERDICT_MISSED) > 0 ? EXIT_FINDINGS
                                                                         : EXIT_DONE;
    fprintf(stderr, "zan: %s\n", simulation->message);
    if (status == STATUS_UNKNOWN)
        return EXIT_UNREACHABLE;
    return status == STATUS_BADCONFIG ? EXIT_USAGE : EXIT_FAILED;
}

static int simulate(int argc, char **argv)
{
    struct values values = {
        .scenario = "all", .seed = 1, .seeds = 1, .scale = 1, .sequences = 20000};
    struct simulation *simulation;
    struct options_words words;
    char key[SECRET_BYTES];
    enum status status;
    int code = options_parse(&cli_command_simulate, argc, argv, &values, NULL, &words);

    if (code != OPTIONS_GO)
        return code;
    if (values.list) {
        print_list();
        return EXIT_DONE;
    }
    if (count_runs(&values) == 0)
        return wrong_scenario(values.scenario);
    if (values.to != NULL && count_runs(&values) * values.seeds > WORLD_SLOTS)
        return too_many((uint32_t)(count_runs(&values) * values.seeds));
    if (!secret_read(values.key_file, key))
        return EXIT_USAGE;
    if ((simulation = calloc(1, sizeof *simulation)) == NULL)
        abort();
    simulation->values = &values;
    simulation->runs = (uint32_t)(count_runs(&values) * values.seeds);
    simulation->drive = (struct drive_options){.to = values.to,
                                               .name = values.name,
                                               .key = key[0] != '\0' ? key : NULL,
                                               .settings = words.word,
                                               .setting_count = words.count};
    progress_begin(&simulation->progress, "simulating", "acts", values.quiet);
    status = run_all(simulation);
    progress_end(&simulation->progress);
    if (status == STATUS_OK && values.json)
        print_json(simulation);
    else if (status == STATUS_OK)
        print_table(simulation);
    code = end(simulation, status);
    free(simulation);
    return code;
}

const struct command cli_command_simulate = {
    .name = "simulate",
    .words = "[-- SETTING...]",
    .summary = "plays attacks and honest crowds against a server, and compares with the goals",
    .details =
        "A seeded world, calibrated on the real log, drives a server of its own over RESP. Each "
        "attack\n"
        "is played twice from the same seed, with it and without. Time is simulated: the same "
        "seed\n"
        "ends with the same table. What stands after -- is given to that server (zan help serve).\n"
        "Ends with 3 if a goal was missed. docs/simulate.md tells what each scenario stands for.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .words_max = OPTIONS_WORDS_MAX,
    .run = simulate,
};
