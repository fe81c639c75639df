/* sets.c: see sets.h. */
#include "cli/sets.h"

#include <stdio.h>
#include <stdlib.h>

bool sets_add(struct sets_list *list, uint64_t account, uint64_t item)
{
    if (list->count == list->room) {
        uint64_t room = list->room == 0 ? 1 << 16 : list->room + list->room / 2;
        struct sets_pair *more = realloc(list->pair, room * sizeof *more);

        if (more == NULL)
            return false;
        list->pair = more;
        list->room = room;
    }
    list->pair[list->count++] = (struct sets_pair){account, item};
    return true;
}

enum status sets_read(const char *path, struct sets_list *list, char message[LINES_MESSAGE])
{
    struct lines *lines;
    enum status status = lines_open_numbers(path, &lines, message);
    uint64_t account = 0, number = 0;
    bool first = true;

    if (status != STATUS_OK)
        return status;
    for (;;) {
        enum lines_token token = lines_next_number(lines, &number, message);

        if (token == LINES_WRONG)
            status = STATUS_BADDATA;
        if (token == LINES_WRONG || token == LINES_LAST)
            break;
        if (token == LINES_ENDED) {
            first = true;
        } else if (first) {
            account = number;
            first = false;
        } else if (!sets_add(list, account, number)) {
            snprintf(message, LINES_MESSAGE, "no memory for more than %llu pairs",
                     (unsigned long long)list->count);
            status = STATUS_NOMEMORY;
            break;
        }
    }
    lines_close(lines);
    return status;
}

static int by_id(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* The ids of both lists, ascending, each once. */
static enum status collect(const struct sets_list *train, const struct sets_list *test, bool items,
                           uint64_t **result, uint32_t *count)
{
    const struct sets_list *lists[2] = {train, test};
    uint64_t all = train->count + test->count, to = 0, kept = 0;
    uint64_t *ids;

    if (all > MATRIX_PAIRS_MAX)
        return STATUS_TOOBIG;
    ids = malloc((size_t)(all + 1) * sizeof *ids);
    if (ids == NULL)
        return STATUS_NOMEMORY;
    for (int i = 0; i < 2; i++)
        for (uint64_t p = 0; p < lists[i]->count; p++)
            ids[to++] = items ? lists[i]->pair[p].item : lists[i]->pair[p].account;
    qsort(ids, (size_t)to, sizeof *ids, by_id);
    for (uint64_t i = 0; i < to; i++)
        if (kept == 0 || ids[kept - 1] != ids[i])
            ids[kept++] = ids[i];
    *result = ids;
    *count = (uint32_t)kept;
    return STATUS_OK;
}

uint32_t sets_find(const uint64_t *ids, uint32_t count, uint64_t id)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ids[low] == id ? low : UINT32_MAX;
}

static enum status make_one(const struct sets *sets, const struct sets_list *list,
                            struct matrix *matrix)
{
    struct matrix_pair *pairs = malloc((size_t)(list->count + 1) * sizeof *pairs);
    enum status status = STATUS_NOMEMORY;

    if (pairs != NULL) {
        for (uint64_t i = 0; i < list->count; i++)
            pairs[i] = (struct matrix_pair){
                sets_find(sets->account, sets->accounts, list->pair[i].account),
                sets_find(sets->item, sets->items, list->pair[i].item)};
        status = matrix_build(pairs, list->count, sets->accounts, sets->items, matrix);
    }
    free(pairs);
    return status;
}

static void list_free(struct sets_list *list)
{
    free(list->pair);
    *list = (struct sets_list){0};
}

enum status sets_make(struct sets_list *train, struct sets_list *test, struct sets *sets)
{
    struct sets_list none = {0};
    enum status status;

    *sets = (struct sets){0};
    if (test == NULL)
        test = &none;
    status = collect(train, test, false, &sets->account, &sets->accounts);
    if (status == STATUS_OK)
        status = collect(train, test, true, &sets->item, &sets->items);
    if (status == STATUS_OK)
        status = make_one(sets, train, &sets->train);
    list_free(train);
    if (status == STATUS_OK)
        status = make_one(sets, test, &sets->test);
    list_free(test);
    if (status != STATUS_OK)
        sets_free(sets);
    return status;
}

void sets_free(struct sets *sets)
{
    free(sets->account);
    free(sets->item);
    matrix_free(&sets->train);
    matrix_free(&sets->test);
    *sets = (struct sets){0};
}
