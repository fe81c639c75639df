/* key.h: the keys of the index, so that bytes sort as the tables are read.
 *
 *   offset size
 *   0      1    table      enum key_table
 *   1      2    partition  big endian, as every integer in a key
 *   3      2    tenant                                      (all but META)
 *   5      8    id                                          ACCOUNT, ITEM        13 bytes
 *                                                           CASE, LIVE, INBOX, POLICY
 *   5      16   id[0], id[1]                                OPERATION            21
 *   5      1    kind, then 8 account, 8 target              EDGE                 22
 *   5      1    kind, then 8 id, 8 ~lowest sequence         GIVEN, TAKEN         22
 *
 * The partition and the tenant cost nothing at rest: neighbours in a block share them and RocksDB
 * stores a shared prefix once. With them in the key, stores of several partitions can be merged.
 *
 * A row of a list holds entries of several sequences, newest first. Its key carries the *lowest* of
 * them, inverted: the rows of an id then sort newest first, and the first row that can hold an entry
 * below a cursor is found by one forward seek. With the highest one in the key it would be
 * the row before the place sought, and stepping back is the dear direction of an LSM iterator.
 *
 * Memory: the caller owns key, room for KEY_BYTES_MAX. Every builder returns the size. */
#ifndef ZAN_STORE_KEY_H
#define ZAN_STORE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/row.h"
#include "store/store.h"

/* Part of the format: never reuse a number. */
enum key_table {
    KEY_META = 1,
    KEY_ACCOUNT = 2,
    KEY_ITEM = 3,
    KEY_EDGE = 4,
    KEY_GIVEN = 5,
    KEY_TAKEN = 6,
    KEY_OPERATION = 7,
    KEY_CASE = 8,
    KEY_LIVE = 9, /* cases somebody has to see to: their rows once more, read whole at start */
    KEY_INBOX = 10,
    KEY_POLICY = 11, /* versions of the rules, and which is in force */
    KEY_TABLE_END = 12
};

#define KEY_BYTES_MAX       24
#define KEY_META_BYTES      3
#define KEY_ID_BYTES        13
#define KEY_OPERATION_BYTES 21
#define KEY_EDGE_BYTES      22
#define KEY_LIST_BYTES      22
#define KEY_LIST_PREFIX     14 /* up to and with the id: what all rows of one list share */

size_t key_meta(uint8_t *key, uint16_t partition);
size_t key_account(uint8_t *key, uint16_t partition, uint16_t tenant, uint64_t id);
size_t key_item(uint8_t *key, uint16_t partition, uint16_t tenant, uint64_t id);
size_t key_case(uint8_t *key, enum key_table table, uint16_t partition, uint16_t tenant,
                uint64_t id); /* CASE, LIVE, INBOX or POLICY (id: its slot) */
size_t key_edge(uint8_t *key, uint16_t partition, const struct edge_row *row);
size_t key_operation(uint8_t *key, uint16_t partition, uint16_t tenant, const uint64_t id[2]);
size_t key_list(uint8_t *key, uint16_t partition, enum store_side side, uint16_t tenant,
                uint8_t kind, uint64_t id, uint64_t lowest);

/* Reading back. False: not a key of that table and partition. */
bool key_read_id(const uint8_t *key, size_t size, enum key_table table, uint16_t partition,
                 uint16_t *tenant, uint64_t *id); /* ACCOUNT, ITEM, CASE, LIVE, INBOX */
bool key_read_edge(const uint8_t *key, size_t size, uint16_t partition, struct edge_row *row);
bool key_read_operation(const uint8_t *key, size_t size, uint16_t partition, uint16_t *tenant,
                        uint64_t id[2]);

/* The lowest sequence of a list row; size is KEY_LIST_BYTES. */
uint64_t key_list_lowest(const uint8_t *key);

/* What a lookup or a walk has in common with all it may find: the list prefix, or the whole key. */
size_t key_prefix_bytes(const uint8_t *key, size_t size);

/* One hash per row for the key filter. */
uint64_t key_hash(uint64_t seed, enum key_table table, uint16_t tenant, uint8_t kind, uint64_t a,
                  uint64_t b);
/* The same for an edge, whose hash has been made. */
static inline uint64_t key_hash_edge(uint64_t seed, const struct edge_key *key)
{
    return hash_mix(seed ^ key->hash);
}

#endif
