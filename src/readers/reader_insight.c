/* reader_insight.c: binds insight to the contract of readers.
 *
 * As in reader_discover.c a trace of what was read of each partition; with several partitions the
 * digest is of the traces alone, for which row is the coldest depends on the order between them. */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/hash.h"
#include "readers/insight/insight_answer.h"
#include "readers/reader.h"
#include "schema/tree.h"

struct bound {
    struct insight insight;
    uint16_t partitions;
    uint64_t trace[READER_PARTITIONS_MAX];
};

static enum status apply(void *self, uint16_t partition, const struct record *record)
{
    struct bound *bound = self;
    uint64_t trace = hash_two(bound->trace[partition], record->sequence);

    trace = hash_two(trace, record->account ^ (uint64_t)record->kind << 56);
    bound->trace[partition] = hash_two(trace, record->target);
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
    enum status status = reader_put(sink, bound->trace, sizeof bound->trace);

    return status == STATUS_OK ? insight_save(&bound->insight, sink) : status;
}

static enum status restore(void *self, struct reader_source *source)
{
    struct bound *bound = self;
    enum status status = reader_get(source, bound->trace, sizeof bound->trace);

    return status == STATUS_OK ? insight_restore(&bound->insight, source) : status;
}

static void clear(void *self)
{
    struct bound *bound = self;

    memset(bound->trace, 0, sizeof bound->trace);
    insight_clear(&bound->insight);
}

static void digest(void *self, uint8_t hash[DIGEST_BYTES])
{
    const struct bound *bound = self;
    uint8_t state[DIGEST_BYTES] = {0};

    if (bound->partitions <= 1)
        insight_digest(&bound->insight, state);
    digest_sha256(bound->trace, sizeof bound->trace, state, sizeof state, hash);
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
    for (uint32_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        out->rows += tables[i]->count;
        out->rows_max += tables[i]->capacity;
        out->bytes += (uint64_t)tables[i]->fresh * tables[i]->row_size;
    }
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
