/* table_save.h: tables in checkpoints (reader.h): rows as they are, those that were ever used;
 * where they lie among the hashed places follows from them. */
#ifndef ZAN_READERS_DISCOVER_TABLE_SAVE_H
#define ZAN_READERS_DISCOVER_TABLE_SAVE_H

#include "readers/discover/table.h"
#include "readers/reader.h"

enum status table_put(const struct table *table, struct reader_sink *sink);
/* Into one of the same shape, newly opened. BADDATA: these are no rows of it. */
enum status table_get(struct table *table, struct reader_source *source);

/* Adds rows and bytes of so many tables to what a reader tells of itself. */
void table_about(const struct table *const tables[], size_t count, struct reader_about *about);

/* A sink whose context is 32 bytes, zeroed at first: a hash of all that is put there, in its
 * pieces. */
enum status table_digest_put(void *context, const void *bytes, size_t size);

#endif
