#include "store/key.h"

#include <assert.h>

#include "base/bytes.h"
#include "base/hash.h"

static_assert(KEY_EDGE_BYTES <= KEY_BYTES_MAX && KEY_LIST_BYTES <= KEY_BYTES_MAX, "room for a key");

static void put_head(uint8_t *key, enum key_table table, uint16_t partition, uint16_t tenant)
{
    key[0] = (uint8_t)table;
    put_u16_big(key + 1, partition);
    put_u16_big(key + 3, tenant);
}

static bool has_head(const uint8_t *key, enum key_table table, uint16_t partition)
{
    return key[0] == (uint8_t)table && get_u16_big(key + 1) == partition;
}

size_t key_meta(uint8_t *key, uint16_t partition)
{
    key[0] = KEY_META;
    put_u16_big(key + 1, partition);
    return KEY_META_BYTES;
}

static size_t key_id(uint8_t *key, enum key_table table, uint16_t partition, uint16_t tenant,
                     uint64_t id)
{
    put_head(key, table, partition, tenant);
    put_u64_big(key + 5, id);
    return KEY_ID_BYTES;
}

size_t key_account(uint8_t *key, uint16_t partition, uint16_t tenant, uint64_t id)
{
    return key_id(key, KEY_ACCOUNT, partition, tenant, id);
}

size_t key_item(uint8_t *key, uint16_t partition, uint16_t tenant, uint64_t id)
{
    return key_id(key, KEY_ITEM, partition, tenant, id);
}

size_t key_case(uint8_t *key, enum key_table table, uint16_t partition, uint16_t tenant,
                uint64_t id)
{
    return key_id(key, table, partition, tenant, id);
}

size_t key_edge(uint8_t *key, uint16_t partition, const struct edge_row *row)
{
    put_head(key, KEY_EDGE, partition, row->tenant);
    key[5] = row->kind;
    put_u64_big(key + 6, row->account);
    put_u64_big(key + 14, row->target);
    return KEY_EDGE_BYTES;
}

size_t key_operation(uint8_t *key, uint16_t partition, uint16_t tenant, const uint64_t id[2])
{
    put_head(key, KEY_OPERATION, partition, tenant);
    put_u64_big(key + 5, id[0]);
    put_u64_big(key + 13, id[1]);
    return KEY_OPERATION_BYTES;
}

size_t key_list(uint8_t *key, uint16_t partition, enum store_side side, uint16_t tenant,
                uint8_t kind, uint64_t id, uint64_t lowest)
{
    put_head(key, side == STORE_GIVEN ? KEY_GIVEN : KEY_TAKEN, partition, tenant);
    key[5] = kind;
    put_u64_big(key + 6, id);
    put_u64_big(key + KEY_LIST_PREFIX, ~lowest);
    return KEY_LIST_BYTES;
}

bool key_read_id(const uint8_t *key, size_t size, enum key_table table, uint16_t partition,
                 uint16_t *tenant, uint64_t *id)
{
    if (size != KEY_ID_BYTES || !has_head(key, table, partition))
        return false;
    *tenant = get_u16_big(key + 3);
    *id = get_u64_big(key + 5);
    return true;
}

bool key_read_edge(const uint8_t *key, size_t size, uint16_t partition, struct edge_row *row)
{
    if (size != KEY_EDGE_BYTES || !has_head(key, KEY_EDGE, partition) || key[5] >= EDGE_COUNT)
        return false;
    row->tenant = get_u16_big(key + 3);
    row->kind = key[5];
    row->account = get_u64_big(key + 6);
    row->target = get_u64_big(key + 14);
    return true;
}

bool key_read_operation(const uint8_t *key, size_t size, uint16_t partition, uint16_t *tenant,
                        uint64_t id[2])
{
    if (size != KEY_OPERATION_BYTES || !has_head(key, KEY_OPERATION, partition))
        return false;
    *tenant = get_u16_big(key + 3);
    id[0] = get_u64_big(key + 5);
    id[1] = get_u64_big(key + 13);
    return true;
}

uint64_t key_list_lowest(const uint8_t *key)
{
    return ~get_u64_big(key + KEY_LIST_PREFIX);
}

size_t key_prefix_bytes(const uint8_t *key, size_t size)
{
    bool list = size == KEY_LIST_BYTES && (key[0] == KEY_GIVEN || key[0] == KEY_TAKEN);

    return list ? KEY_LIST_PREFIX : size;
}

uint64_t key_hash(uint64_t seed, enum key_table table, uint16_t tenant, uint8_t kind, uint64_t a,
                  uint64_t b)
{
    uint64_t where = (uint64_t)table << 24 | (uint64_t)kind << 16 | tenant;

    return hash_two(hash_two(a, b), seed ^ where * 0x9E3779B97F4A7C15ULL);
}
