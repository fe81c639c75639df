/* insight_save.c: checkpoints. */
#include <assert.h>
#include <string.h>

#include "base/digest.h"
#include "readers/discover/table_save.h"
#include "readers/insight/insight_inner.h"

/* What must be the same for the bytes after it to mean the same. */
struct shape {
    char name[8];
    uint32_t version, item_bytes, exposure_bytes, bucket_bytes;
    struct insight_size size;
};

struct rest {
    int64_t record_us;
    uint64_t applied, switches_lost, lost;
    uint64_t sweep;
};

static struct shape shape_of(const struct insight *insight)
{
    struct shape shape;

    memset(&shape, 0, sizeof shape); /* no byte between members is left to chance */
    memcpy(shape.name, "insight", sizeof shape.name);
    shape.version = INSIGHT_VERSION;
    shape.item_bytes = sizeof(struct insight_item);
    shape.exposure_bytes = sizeof(struct insight_exposure);
    shape.bucket_bytes = sizeof(struct bucket);
    shape.size = insight->size;
    return shape;
}

/* In the order of the bytes. */
#define TABLES 10
static void tables_of(struct insight *insight, struct table *tables[TABLES])
{
    struct table *all[TABLES] = {&insight->items,    &insight->exposures, &insight->buckets.table,
                                 &insight->accounts, &insight->creators,  &insight->ties,
                                 &insight->maps,     &insight->tastes,    &insight->names,
                                 &insight->actives};

    memcpy(tables, all, sizeof all);
}

static enum status put_all(const struct insight *insight, struct reader_sink *sink)
{
    struct rest rest = {insight->record_us, insight->applied, insight->switches_lost,
                        insight->buckets.lost, insight->buckets.sweep};
    struct table *tables[TABLES];
    enum status status = reader_put(sink, &rest, sizeof rest);

    tables_of((struct insight *)insight, tables);
    for (uint32_t i = 0; i < TABLES && status == STATUS_OK; i++)
        status = table_put(tables[i], sink);
    return status;
}

enum status insight_save(const struct insight *insight, struct reader_sink *sink)
{
    struct shape shape = shape_of(insight);
    enum status status = reader_put(sink, &shape, sizeof shape);

    return status == STATUS_OK ? put_all(insight, sink) : status;
}

enum status insight_restore(struct insight *insight, struct reader_source *source)
{
    struct shape shape, want = shape_of(insight);
    struct table *tables[TABLES];
    struct rest rest;
    enum status status = reader_get(source, &shape, sizeof shape);

    if (status != STATUS_OK || memcmp(&shape, &want, sizeof shape) != 0)
        return STATUS_BADDATA;
    status = reader_get(source, &rest, sizeof rest);
    tables_of(insight, tables);
    for (uint32_t i = 0; i < TABLES && status == STATUS_OK; i++)
        status = table_get(tables[i], source);
    if (status != STATUS_OK)
        return status;
    insight->record_us = rest.record_us;
    insight->applied = rest.applied;
    insight->switches_lost = rest.switches_lost;
    insight->buckets.lost = rest.lost;
    insight->buckets.sweep = (uint32_t)rest.sweep;
    return rest.sweep < insight->size.buckets ? STATUS_OK : STATUS_BADDATA;
}

void insight_digest(const struct insight *insight, uint8_t digest[32])
{
    struct reader_sink sink = {.context = digest, .put = table_digest_put};

    static_assert(DIGEST_BYTES == 32, "as reader.h says");
    memset(digest, 0, DIGEST_BYTES);
    (void)put_all(insight, &sink);
}
