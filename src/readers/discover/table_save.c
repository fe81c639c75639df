/* table_save.c: see table_save.h. */
#include "readers/discover/table_save.h"

#include <string.h>

#include "base/digest.h"

/* Of a table, beside its rows. */
struct table_state {
    uint32_t count, fresh, free_row, hand;
    uint64_t evicted;
};

enum status table_put(const struct table *table, struct reader_sink *sink)
{
    struct table_state state = {table->count, table->fresh, table->free_row, table->hand,
                                table->evicted};
    enum status status = reader_put(sink, &state, sizeof state);

    if (status == STATUS_OK && table->fresh > 0)
        status = reader_put(sink, table->rows, (size_t)table->fresh * table->row_size);
    return status;
}

enum status table_get(struct table *table, struct reader_source *source)
{
    struct table_state state;
    enum status status = reader_get(source, &state, sizeof state);

    if (status != STATUS_OK)
        return status;
    if (state.fresh > table->capacity || state.count > state.fresh ||
        state.free_row > state.fresh || state.hand >= table->capacity)
        return STATUS_BADDATA;
    if (state.fresh > 0)
        status = reader_get(source, table->rows, (size_t)state.fresh * table->row_size);
    table->fresh = state.fresh;
    table->free_row = state.free_row;
    table->hand = state.hand;
    table->evicted = state.evicted;
    return status == STATUS_OK && table_index(table, state.count) ? STATUS_OK : STATUS_BADDATA;
}

void table_about(const struct table *const tables[], size_t count, struct reader_about *about)
{
    for (size_t i = 0; i < count; i++) {
        about->rows += tables[i]->count;
        about->rows_max += tables[i]->capacity;
        about->bytes += (uint64_t)tables[i]->fresh * tables[i]->row_size;
    }
}

enum status table_digest_put(void *context, const void *bytes, size_t size)
{
    uint8_t before[DIGEST_BYTES];

    memcpy(before, context, sizeof before);
    digest_sha256(before, sizeof before, bytes, size, context);
    return STATUS_OK;
}
