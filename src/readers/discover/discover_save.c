/* discover_save.c: checkpoints. Lists follow from the rows, and are not written. */
#include <assert.h>
#include <string.h>

#include "base/digest.h"
#include "readers/discover/discover_inner.h"
#include "readers/discover/table_save.h"

/* What must be the same for the bytes after it to mean the same. */
struct shape {
    char name[8];
    uint32_t version;
    uint32_t item_bytes, exposure_bytes, account_bytes;
    struct discover_size size;
    struct discover_rules rules;
};

struct rest {
    struct heat_clock clock, interests_clock, kinds_clock;
    struct kind_sums kinds;
    struct health_pairs viewed;
    uint32_t unused;
    double interests_mass;
    int64_t record_us;
    uint64_t applied;
    uint64_t births;
    uint64_t approved;
};

static struct shape shape_of(const struct discover *discover)
{
    struct shape shape;

    memset(&shape, 0, sizeof shape); /* no byte between members is left to chance */
    memcpy(shape.name, "discover", sizeof shape.name);
    shape.version = DISCOVER_VERSION;
    shape.item_bytes = sizeof(struct item);
    shape.exposure_bytes = sizeof(struct exposure);
    shape.account_bytes = sizeof(struct account);
    shape.size = discover->size;
    shape.rules = discover->rules;
    return shape;
}

/* In the order of the bytes. */
#define TABLES_MAX 11
static uint32_t tables_of(struct discover *discover, struct table *tables[TABLES_MAX])
{
    struct table *all[TABLES_MAX] = {&discover->items,    &discover->exposures, &discover->accounts,
                                     &discover->creators, &discover->tags,      &discover->lives,
                                     &discover->sketches, &discover->offs,      &discover->viewers,
                                     &discover->weights,  &discover->gifts.rows};

    memcpy(tables, all, sizeof all);
    return TABLES_MAX;
}

static enum status rest_put(const struct discover *discover, struct reader_sink *sink)
{
    struct rest rest = {.clock = discover->clock,
                        .interests_clock = discover->interests_clock,
                        .kinds_clock = discover->kinds_clock,
                        .kinds = discover->kinds,
                        .viewed = discover->viewed,
                        .interests_mass = discover->interests_mass,
                        .record_us = discover->record_us,
                        .applied = discover->applied,
                        .births = discover->births,
                        .approved = discover->approved};
    enum status status = reader_put(sink, &rest, sizeof rest);

    if (status == STATUS_OK)
        status = reader_put(sink, discover->quantile, sizeof *discover->quantile);
    if (status == STATUS_OK)
        status = reader_put(sink, discover->boosts, sizeof *discover->boosts);
    if (status == STATUS_OK)
        status = reader_put(sink, discover->platform, sizeof *discover->platform);
    if (status == STATUS_OK)
        status = reader_put(sink, discover->campaigns, sizeof *discover->campaigns);
    return status;
}

static enum status rest_get(struct discover *discover, struct reader_source *source)
{
    struct rest rest;
    enum status status = reader_get(source, &rest, sizeof rest);

    if (status == STATUS_OK)
        status = reader_get(source, discover->quantile, sizeof *discover->quantile);
    if (status == STATUS_OK)
        status = reader_get(source, discover->boosts, sizeof *discover->boosts);
    if (status == STATUS_OK)
        status = reader_get(source, discover->platform, sizeof *discover->platform);
    if (status == STATUS_OK)
        status = reader_get(source, discover->campaigns, sizeof *discover->campaigns);
    if (status != STATUS_OK)
        return status;
    discover->clock = rest.clock;
    discover->interests_clock = rest.interests_clock;
    discover->kinds_clock = rest.kinds_clock;
    discover->kinds = rest.kinds;
    discover->viewed = rest.viewed;
    discover->interests_mass = rest.interests_mass;
    discover->record_us = rest.record_us;
    discover->now_us = rest.record_us;
    discover->applied = rest.applied;
    discover->births = (uint16_t)rest.births;
    discover->approved = rest.approved;
    return STATUS_OK;
}

static enum status put_all(const struct discover *discover, struct reader_sink *sink)
{
    struct table *tables[TABLES_MAX];
    uint32_t count = tables_of((struct discover *)discover, tables);
    enum status status = rest_put(discover, sink);

    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = table_put(tables[i], sink);
    return status;
}

enum status discover_save(const struct discover *discover, struct reader_sink *sink)
{
    struct shape shape = shape_of(discover);
    enum status status = reader_put(sink, &shape, sizeof shape);

    return status == STATUS_OK ? put_all(discover, sink) : status;
}

enum status discover_restore(struct discover *discover, struct reader_source *source)
{
    struct shape shape, want = shape_of(discover);
    struct table *tables[TABLES_MAX];
    uint32_t count = tables_of(discover, tables);
    enum status status = reader_get(source, &shape, sizeof shape);

    if (status != STATUS_OK || memcmp(&shape, &want, sizeof shape) != 0)
        return STATUS_BADDATA;
    status = rest_get(discover, source);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = table_get(tables[i], source);
    if (status == STATUS_OK)
        items_list(discover);
    return status;
}

void discover_digest(const struct discover *discover, uint8_t digest[32])
{
    struct reader_sink sink = {.context = digest, .put = table_digest_put};

    static_assert(DIGEST_BYTES == 32, "as reader.h says");
    memset(digest, 0, DIGEST_BYTES);
    (void)put_all(discover, &sink);
}
