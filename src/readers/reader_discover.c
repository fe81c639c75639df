/* reader_discover.c: binds discovery to the contract of readers.
 *
 * So far it keeps a census of what it read: how many decisions of each kind changed something, in
 * each partition, and a running hash of them all. By it one can tell that after a restart, from a
 * checkpoint or from record 1, each decision was read once and in order. Formula 0: nothing is
 * computed yet. */
#include "readers/reader.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/hash.h"
#include "schema/tree.h"

#define KINDS 256

struct census {
    uint64_t changed[READER_PARTITIONS_MAX][KINDS];
    uint64_t trace[READER_PARTITIONS_MAX];
};

struct bound {
    struct census census;
};

static enum status apply(void *self, uint16_t partition, const struct record *record)
{
    struct census *census = &((struct bound *)self)->census;
    uint64_t trace = hash_two(census->trace[partition], record->sequence);

    trace = hash_two(trace, record->account ^ (uint64_t)record->kind << 56);
    census->trace[partition] = hash_two(trace, record->target);
    census->changed[partition][record->kind] += (record->fields & RECORD_CHANGED) != 0;
    return STATUS_OK;
}

static void tick(void *self, const struct reader_now *now)
{
    (void)self;
    (void)now;
}

static void answer(void *self, struct call *call, const struct reader_now *now)
{
    (void)self;
    (void)now;
    tree_refuse(call, STATUS_UNKNOWNCMD); /* a verb of readers that is none of this one's */
}

static enum status save(void *self, struct reader_sink *sink)
{
    return reader_put(sink, self, sizeof(struct bound));
}

static enum status restore(void *self, struct reader_source *source)
{
    return reader_get(source, self, sizeof(struct bound));
}

static void clear(void *self)
{
    *(struct bound *)self = (struct bound){0};
}

static void digest(void *self, uint8_t hash[DIGEST_BYTES])
{
    digest_sha256(self, sizeof(struct bound), NULL, 0, hash);
}

static void about(void *self, struct reader_about *about_self)
{
    (void)self;
    *about_self =
        (struct reader_about){.bytes = sizeof(struct bound), .bytes_max = sizeof(struct bound)};
}

static void close_bound(void *self)
{
    free(self);
}

enum status reader_discover_open(const struct reader_discover_config *config, struct reader *reader)
{
    struct bound *bound = calloc(1, sizeof *bound);

    (void)config;
    if (bound == NULL)
        return STATUS_NOMEMORY;
    *reader = (struct reader){
        .name = "discover",
        .version = 1,
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
