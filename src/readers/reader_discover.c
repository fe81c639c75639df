/* reader_discover.c: binds discovery to the contract of readers.
 *
 * Beside it a trace of what was read (trace.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "readers/discover/discover_answer.h"
#include "readers/discover/giver.h"
#include "readers/discover/spender.h"
#include "readers/discover/stager.h"
#include "readers/discover/table_save.h"
#include "readers/discover/tuning.h"
#include "readers/model_watch.h"
#include "readers/reader.h"
#include "readers/trace.h"
#include "schema/tree.h"

/* Records that were durable a moment ago may not have been seen: time passes for them first. */
#define TICK_BEHIND_US 1000000
/* Beside discover-memory, a 32nd of it is for what was served lately. */
#define SERVED_SHARE 32

struct bound {
    struct discover discover;
    struct feeder *feeder;
    struct reader_tokens tokens;
    struct model_watch *watch; /* NULL: no model is looked for */
    uint32_t model;            /* version of the one in use; 0: none */
    struct spender *spender;
    struct giver *giver;
    struct stager *stager;
    struct pool_rule rule; /* of the stager; no name: it decides nothing */
    char rule_name[TUNING_FORMULA];
    char heat_formula[TUNING_FORMULA], feed_formula[TUNING_FORMULA];
    uint16_t partitions;
    struct trace trace;
};

static enum status apply(void *self, uint16_t partition, const struct record *record)
{
    struct bound *bound = self;

    trace_read(&bound->trace, partition, record);
    discover_apply(&bound->discover, record);
    return STATUS_OK;
}

/* While there is something to read, its time is the time. */
static void tick(void *self, const struct reader_now *now)
{
    struct bound *bound = self;
    struct model_used used;

    if (bound->watch != NULL && model_watch_turn(bound->watch, now->now_us, &used)) {
        feeder_model(bound->feeder, used.view, used.tenant);
        bound->model = used.version;
    }
    for (uint16_t i = 0; i < now->partitions; i++)
        if (now->lag[i].applied < now->lag[i].durable)
            return;
    discover_tick(&bound->discover, now->now_us - TICK_BEHIND_US);
    spender_turn(bound->spender, bound->discover.campaigns, now->now_us);
    giver_turn(bound->giver, &bound->discover.gifts, now->now_us);
    stager_turn(bound->stager, &bound->discover, now->now_us);
}

static void answer(void *self, struct call *call, const struct reader_now *now)
{
    struct bound *bound = self;
    struct answerer answerer = {.discover = &bound->discover,
                                .feeder = bound->feeder,
                                .stager = bound->stager,
                                .tokens = bound->tokens,
                                .model = bound->model,
                                .heat_formula = bound->heat_formula,
                                .feed_formula = bound->feed_formula};

    if (!discover_answer(&answerer, call, now))
        tree_refuse(call, STATUS_UNKNOWNCMD);
}

static enum status save(void *self, struct reader_sink *sink)
{
    const struct bound *bound = self;
    enum status status = reader_put(sink, &bound->trace, sizeof bound->trace);

    return status == STATUS_OK ? discover_save(&bound->discover, sink) : status;
}

static enum status restore(void *self, struct reader_source *source)
{
    struct bound *bound = self;
    enum status status = reader_get(source, &bound->trace, sizeof bound->trace);

    return status == STATUS_OK ? discover_restore(&bound->discover, source) : status;
}

static void clear(void *self)
{
    struct bound *bound = self;

    bound->trace = (struct trace){0};
    discover_clear(&bound->discover);
}

static void digest(void *self, uint8_t hash[DIGEST_BYTES])
{
    const struct bound *bound = self;
    uint8_t state[DIGEST_BYTES] = {0};

    if (bound->partitions <= 1)
        discover_digest(&bound->discover, state);
    trace_digest(&bound->trace, state, hash);
}

static void about_model(const struct bound *bound, struct reader_about *out)
{
    struct model_told told = {0};

    if (bound->watch != NULL)
        model_watch_tell(bound->watch, &told);
    out->models_taken = told.taken;
    out->models_refused = told.refused;
    snprintf(out->model_message, sizeof out->model_message, "%.127s", told.message);
}

static void about(void *self, struct reader_about *out)
{
    const struct bound *bound = self;
    const struct discover *discover = &bound->discover;
    const struct table *tables[] = {&discover->items,    &discover->exposures, &discover->accounts,
                                    &discover->creators, &discover->tags,      &discover->lives};

    *out = (struct reader_about){
        .formula = DISCOVER_VERSION, .model = bound->model, .bytes_max = discover->bytes};
    about_model(bound, out);
    table_about(tables, sizeof tables / sizeof tables[0], out);
}

static void close_bound(void *self)
{
    struct bound *bound = self;

    discover_close(&bound->discover);
    feeder_close(bound->feeder);
    model_watch_close(bound->watch);
    spender_close(bound->spender);
    giver_close(bound->giver);
    stager_close(bound->stager);
    free(bound);
}

static const char *or_default(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : "default";
}

/* The weights it is to go by, and what its formulas are called with them: a page depends on heat.
 */
static bool read_weights(struct bound *bound, const struct reader_discover_config *config,
                         struct discover_rules *rules, struct feed_settings *feed)
{
    char message[TUNING_MESSAGE];
    uint32_t of_heat, of_feed;

    if (!tuning_read_heat(or_default(config->heat), rules, message) ||
        !tuning_read_feed(or_default(config->feed), feed, message))
        return false;
    of_heat = tuning_of_heat(rules);
    of_feed = tuning_of_feed(feed);
    tuning_formula(HEAT_FORMULA, of_heat, bound->heat_formula);
    tuning_formula(FEED_FORMULA,
                   of_heat != 0 || of_feed != 0 ? (uint32_t)hash_two(of_heat, of_feed) | 1 : 0,
                   bound->feed_formula);
    return true;
}

/* The rule that items climb by, with a name that tells whether it is the preset's. */
static bool read_rule(struct bound *bound, const struct reader_discover_config *config)
{
    char message[TUNING_MESSAGE];

    if (config->pool == NULL || config->pool[0] == '\0' || strcmp(config->pool, "off") == 0)
        return true;
    if (!tuning_read_pool(config->pool, &bound->rule, message))
        return false;
    tuning_formula(bound->rule.name, tuning_of_pool(&bound->rule), bound->rule_name);
    bound->rule.name = bound->rule_name;
    return true;
}

static enum status open_watch(struct bound *bound, const struct reader_discover_config *config)
{
    enum status status = model_watch_open(config->disk, config->model_path, &bound->watch);

    if (status != STATUS_OK)
        discover_close(&bound->discover);
    return status;
}

enum status reader_discover_open(const struct reader_discover_config *config, struct reader *reader)
{
    struct bound *bound = calloc(1, sizeof *bound);
    struct discover_rules rules;
    struct feed_settings feed;
    enum status status = STATUS_NOMEMORY;

    if (bound == NULL)
        return STATUS_NOMEMORY;
    if (!read_weights(bound, config, &rules, &feed) || !read_rule(bound, config)) {
        free(bound);
        return STATUS_BADVALUE;
    }
    bound->partitions = config->partitions;
    bound->tokens = config->tokens;
    bound->feeder = feeder_open((uint32_t)(config->bytes / SERVED_SHARE / FEED_SERVED_BYTES) + 16);
    bound->spender = spender_open(config->door);
    bound->giver = giver_open(config->door);
    bound->stager = stager_open(config->door, bound->rule.name != NULL ? &bound->rule : NULL);
    rules.credits = (double)config->newcomer_credits;
    if (bound->feeder != NULL && bound->spender != NULL && bound->giver != NULL &&
        bound->stager != NULL) {
        feeder_tune(bound->feeder, &feed);
        status = discover_open(&bound->discover, config->bytes, &rules);
    }
    if (status == STATUS_OK && config->disk != NULL)
        status = open_watch(bound, config);
    if (status != STATUS_OK) {
        feeder_close(bound->feeder);
        spender_close(bound->spender);
        giver_close(bound->giver);
        stager_close(bound->stager);
        free(bound);
        return status;
    }
    *reader = (struct reader){
        .name = "discover",
        .version = DISCOVER_VERSION + 1, /* 1 was a census */
        .self = bound,
        .apply = apply,
        .tick = tick,
        .answer = answer,
        .save = save,
        .restore = restore,
        .clear = clear,
        .digest = digest,
        .about = about,
        .close = close_bound,
    };
    return STATUS_OK;
}
