#include "serve/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum pool_size pool_size_for(size_t bytes)
{
    enum pool_size size = POOL_4K;

    while (size < POOL_SIZES && pool_bytes(size) < bytes)
        size++;
    return size;
}

void pool_open(struct pool *pool, uint64_t lent_max)
{
    memset(pool, 0, sizeof *pool);
    pool->lent_max = lent_max;
}

void pool_close(struct pool *pool)
{
    assert(pool->lent_bytes == 0);
    for (int size = 0; size < POOL_SIZES; size++) {
        while (pool->kept[size] != NULL) {
            void *buffer = pool->kept[size];

            memcpy(&pool->kept[size], buffer, sizeof(void *));
            free(buffer);
        }
    }
}

void *pool_take(struct pool *pool, enum pool_size size)
{
    void *buffer = pool->kept[size];

    if (pool->lent_bytes + pool_bytes(size) > pool->lent_max)
        return NULL;
    if (buffer != NULL) {
        memcpy(&pool->kept[size], buffer, sizeof(void *));
        pool->kept_bytes -= pool_bytes(size);
    } else if ((buffer = malloc(pool_bytes(size))) == NULL) {
        return NULL;
    }
    pool->lent_bytes += pool_bytes(size);
    return buffer;
}

void pool_give(struct pool *pool, enum pool_size size, void *buffer)
{
    assert(pool->lent_bytes >= pool_bytes(size));
    pool->lent_bytes -= pool_bytes(size);
    if (pool->kept_bytes + pool_bytes(size) > POOL_KEEP) {
        free(buffer);
        return;
    }
    memcpy(buffer, &pool->kept[size], sizeof(void *));
    pool->kept[size] = buffer;
    pool->kept_bytes += pool_bytes(size);
}
