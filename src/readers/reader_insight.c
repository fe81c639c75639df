/* reader_insight.c: binds insight to the contract of readers; beside it a trace of what was read
 * (trace.h). */
#include <stdlib.h>

#include "readers/discover/table_save.h"
#include "readers/insight/insight_answer.h"
#include "readers/reader.h"
#include "readers/trace.h"
#include "schema/tree.h"

struct bound {
    struct insight insight;
    uint16_t partitions;
    struct trace trace;
};

static enum status apply(void *self, uint16_t partition, const struct record *record)
{
    struct bound *bound = self;

    trace_read(&bound->trace, partition, record);
    insight_apply(&bound->insight, record);
    return STATUS_OK;
}

/* What is held changes with records alone. */
static void tick(void *self, const struct reader_now *now)
{
    (void)self;
    (void)now;
}

static void answer(void *self, struct call *call, const struct reader_now *now)
{
    struct bound *bound = self;

    if (!insight_answer(&bound->insight, call, now))
        tree_refuse(call, STATUS_UNKNOWNCMD);
}

static enum status save(void *self, struct reader_sink *sink)
{
    const struct bound *bound = self;
    enum status status = reader_put(sink, &bound->trace, sizeof bound->trace);

    return status == STATUS_OK ? insight_save(&bound->insight, sink) : status;
}

static enum status restore(void *self, struct reader_source *source)
{
    struct bound *bound = self;
    enum status status = reader_get(source, &bound->trace, sizeof bound->trace);

    return status == STATUS_OK ? insight_restore(&bound->insight, source) : status;
}

static void clear(void *self)
{
    struct bound *bound = self;

    bound->trace = (struct trace){0};
    insight_clear(&bound->insight);
}

static void digest(void *self, uint8_t hash[DIGEST_BYTES])
{
    const struct bound *bound = self;
    uint8_t state[DIGEST_BYTES] = {0};

    if (bound->partitions <= 1)
        insight_digest(&bound->insight, state);
    trace_digest(&bound->trace, state, hash);
}

static void about(void *self, struct reader_about *out)
{
    const struct bound *bound = self;
    const struct insight *insight = &bound->insight;
    const struct table *tables[] = {&insight->items,        &insight->exposures, &insight->accounts,
                                    &insight->creators,     &insight->ties,      &insight->maps,
                                    &insight->tastes,       &insight->names,     &insight->actives,
                                    &insight->buckets.table};

    *out = (struct reader_about){.formula = INSIGHT_VERSION, .bytes_max = insight->bytes};
    table_about(tables, sizeof tables / sizeof tables[0], out);
}

static void close_bound(void *self)
{
    struct bound *bound = self;

    insight_close(&bound->insight);
    free(bound);
}

enum status reader_insight_open(uint64_t bytes, uint16_t partitions, struct reader *reader)
{
    struct bound *bound = calloc(1, sizeof *bound);
    enum status status;

    if (bound == NULL)
        return STATUS_NOMEMORY;
    bound->partitions = partitions;
    status = insight_open(&bound->insight, bytes);
    if (status != STATUS_OK) {
        free(bound);
        return status;
    }
    *reader = (struct reader){
        .name = "insight",
        .version = INSIGHT_VERSION,
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
