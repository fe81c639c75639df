/* What the tables differ in: how a row is hashed for the key filter, keyed and read. */
#include "store/rocks.h"

#include "store/key.h"
#include "store/pack.h"

static uint64_t account_hash(const struct rocks *rocks, const void *at)
{
    const struct account_row *row = at;

    return key_hash(rocks->seed, KEY_ACCOUNT, row->tenant, 0, row->id, 0);
}

static size_t account_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    const struct account_row *row = at;

    return key_account(key, rocks->partition, row->tenant, row->id);
}

static bool account_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_account(bytes, size, row);
}

static uint64_t item_hash(const struct rocks *rocks, const void *at)
{
    const struct item_row *row = at;

    return key_hash(rocks->seed, KEY_ITEM, row->tenant, 0, row->id, 0);
}

static size_t item_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    const struct item_row *row = at;

    return key_item(key, rocks->partition, row->tenant, row->id);
}

static bool item_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_item(bytes, size, row);
}

static uint64_t edge_hash(const struct rocks *rocks, const void *at)
{
    const struct edge_row *row = at;
    struct edge_key key = edge_key_make(row->tenant, row->kind, row->account, row->target);

    return key_hash_edge(rocks->seed, &key);
}

static size_t edge_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    return key_edge(key, rocks->partition, at);
}

static bool edge_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_edge(bytes, size, row);
}

static uint64_t operation_hash(const struct rocks *rocks, const void *at)
{
    const struct operation_row *row = at;

    return key_hash(rocks->seed, KEY_OPERATION, row->tenant, 0, row->id[0], row->id[1]);
}

static size_t operation_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    const struct operation_row *row = at;

    return key_operation(key, rocks->partition, row->tenant, row->id);
}

static bool operation_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_operation(bytes, size, row);
}

static uint64_t case_hash(const struct rocks *rocks, const void *at)
{
    const struct case_row *row = at;

    return key_hash(rocks->seed, KEY_CASE, row->tenant, 0, row->id, 0);
}

static size_t case_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    const struct case_row *row = at;

    return key_case(key, KEY_CASE, rocks->partition, row->tenant, row->id);
}

static bool case_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_case(bytes, size, row);
}

static uint64_t inbox_hash(const struct rocks *rocks, const void *at)
{
    const struct inbox_row *row = at;

    return key_hash(rocks->seed, KEY_INBOX, row->tenant, 0, row->id, 0);
}

static size_t inbox_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    const struct inbox_row *row = at;

    return key_case(key, KEY_INBOX, rocks->partition, row->tenant, row->id);
}

static bool inbox_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_inbox(bytes, size, row);
}

const struct table rocks_inbox_table = {sizeof(struct inbox_row), inbox_hash, inbox_key,
                                        inbox_unpack};
const struct table rocks_case_table = {sizeof(struct case_row), case_hash, case_key, case_unpack};
const struct table rocks_account_table = {sizeof(struct account_row), account_hash, account_key,
                                          account_unpack};
const struct table rocks_item_table = {sizeof(struct item_row), item_hash, item_key, item_unpack};
const struct table rocks_edge_table = {sizeof(struct edge_row), edge_hash, edge_key, edge_unpack};
const struct table rocks_operation_table = {sizeof(struct operation_row), operation_hash,
                                            operation_key, operation_unpack};

bool rocks_hash_of_key(const struct rocks *rocks, const uint8_t *key, size_t size, uint64_t *hash)
{
    struct operation_row operation;
    struct account_row account;
    struct item_row item;
    struct edge_row edge;
    struct case_row cased;
    struct inbox_row inbox;

    if (key_read_edge(key, size, rocks->partition, &edge))
        *hash = edge_hash(rocks, &edge);
    else if (key_read_operation(key, size, rocks->partition, &operation.tenant, operation.id))
        *hash = operation_hash(rocks, &operation);
    else if (key_read_id(key, size, KEY_ACCOUNT, rocks->partition, &account.tenant, &account.id))
        *hash = account_hash(rocks, &account);
    else if (key_read_id(key, size, KEY_ITEM, rocks->partition, &item.tenant, &item.id))
        *hash = item_hash(rocks, &item);
    else if (key_read_id(key, size, KEY_CASE, rocks->partition, &cased.tenant, &cased.id))
        *hash = case_hash(rocks, &cased);
    else if (key_read_id(key, size, KEY_INBOX, rocks->partition, &inbox.tenant, &inbox.id))
        *hash = inbox_hash(rocks, &inbox);
    else
        return false;
    return true;
}
