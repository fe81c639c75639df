/* insight_read.c: what answers are made of. See insight.h. */
#include "readers/discover/discover.h"
#include "readers/insight/insight_inner.h"

/* Looking at a row makes it no warmer: what is kept is a function of the records alone. */
static const void *look(const struct table *table, uint64_t a, uint64_t b, uint32_t c)
{
    uint32_t row = table_find((struct table *)table, (struct table_key){a, b, c}, false);

    return row == TABLE_NONE ? NULL : table_row(table, row);
}

const struct insight_item *insight_item(const struct insight *insight, uint32_t tenant, uint64_t id)
{
    return look(&insight->items, id, 0, tenant);
}

const struct insight_creator *insight_creator(const struct insight *insight, uint32_t tenant,
                                              uint64_t id)
{
    return look(&insight->creators, id, 0, tenant);
}

const struct insight_account *insight_account(const struct insight *insight, uint32_t tenant,
                                              uint64_t id)
{
    return look(&insight->accounts, id, 0, tenant);
}

const struct insight_map *insight_map(const struct insight *insight, enum map_kind kind,
                                      uint32_t tenant, uint64_t id, uint64_t region)
{
    return look(&insight->maps, id, region, tenant | (uint32_t)kind << 16);
}

const struct insight_name *insight_name(const struct insight *insight, uint32_t tenant,
                                        uint64_t tag)
{
    return look(&insight->names, tag, 0, tenant);
}

const struct sketch *insight_active(const struct insight *insight, uint32_t tenant, uint32_t day)
{
    const struct insight_active *active = look(&insight->actives, day, 0, tenant);

    return active == NULL ? NULL : &active->sketch;
}

uint64_t insight_tag_id(const char *name, size_t size)
{
    return discover_tag_id(name, size);
}

bool insight_is_revoked(const struct insight *insight, uint32_t tenant, uint64_t account,
                        uint32_t epoch)
{
    const struct insight_account *row = insight_account(insight, tenant, account);

    return row != NULL && row->epoch != 0 ? epoch < row->epoch : insight->switches_lost > 0;
}

const void *insight_next(const struct table *table, uint32_t *at)
{
    while (*at < table->fresh) {
        const struct table_head *head = table_row(table, (*at)++);

        if (head->used)
            return head;
    }
    return NULL;
}
