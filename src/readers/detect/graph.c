/* graph.c: see graph.h. Sorted by time (if they are not yet), then by item, both by counting; then
 * repeats go, then bursts are found item by item and their likes moved together. */
#include "readers/detect/graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "readers/detect/burst.h"

/* --- sorting --- */

static bool by_time(const struct graph_like *likes, uint64_t count)
{
    for (uint64_t i = 1; i < count; i++)
        if (likes[i].time_s < likes[i - 1].time_s)
            return false;
    return true;
}

static void sort_by_byte(const struct graph_like *from, struct graph_like *to, uint64_t count,
                         uint32_t shift)
{
    uint64_t place[256] = {0}, sum = 0;

    for (uint64_t i = 0; i < count; i++)
        place[from[i].time_s >> shift & 255]++;
    for (uint32_t i = 0; i < 256; i++) {
        uint64_t here = place[i];

        place[i] = sum;
        sum += here;
    }
    for (uint64_t i = 0; i < count; i++)
        to[place[from[i].time_s >> shift & 255]++] = from[i];
}

static enum status sort_by_time(struct graph_like *likes, uint64_t count)
{
    if (by_time(likes, count))
        return STATUS_OK;
    struct graph_like *other = malloc(count * sizeof *other);

    if (other == NULL)
        return STATUS_NOMEMORY;
    for (uint32_t shift = 0; shift < 32; shift += 16) {
        sort_by_byte(likes, other, count, shift);
        sort_by_byte(other, likes, count, shift + 8);
    }
    free(other);
    return STATUS_OK;
}

/* Puts likes into item order, each item's by time; item_like gets the items' beginnings. */
static void place_by_item(struct graph *graph, const struct graph_like *likes)
{
    uint32_t *next = graph->item_like + 1; /* where the next like of item i goes; ends as its end */

    memset(graph->item_like, 0, ((size_t)graph->items + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < graph->likes; i++)
        next[likes[i].item]++;
    for (uint32_t i = 0, sum = 0; i < graph->items; i++) {
        uint32_t here = next[i];

        next[i] = sum;
        sum += here;
    }
    for (uint32_t i = 0; i < graph->likes; i++) {
        uint32_t place = next[likes[i].item]++;

        graph->account[place] = likes[i].account;
        graph->time_s[place] = likes[i].time_s;
    }
}

/* seen[account] is the last item (plus one) it was seen at. */
static void drop_repeats(struct graph *graph, uint32_t *seen)
{
    uint32_t kept = 0;

    memset(seen, 0, graph->accounts * sizeof *seen);
    for (uint32_t item = 0, from = 0; item < graph->items; item++) {
        uint32_t end = graph->item_like[item + 1];

        for (uint32_t i = from; i < end; i++) {
            if (seen[graph->account[i]] == item + 1)
                continue;
            seen[graph->account[i]] = item + 1;
            graph->account[kept] = graph->account[i];
            graph->time_s[kept++] = graph->time_s[i];
        }
        from = end;
        graph->item_like[item + 1] = kept;
    }
    graph->repeated = graph->likes - kept;
    graph->likes = kept;
}

/* --- cells --- */

struct cells {
    struct burst_clock clock;
    struct burst *found;
    uint8_t *taken;
    uint32_t *account, *time_s; /* scratch for one item */
    uint32_t room;              /* cells there is room for */
};

static uint32_t greatest_item(const struct graph *graph)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < graph->items; i++) {
        uint32_t size = graph->item_like[i + 1] - graph->item_like[i];

        most = size > most ? size : most;
    }
    return most;
}

static uint32_t grain_of(const struct graph *graph)
{
    static const uint32_t grains[] = {86400, 3600, 60};

    for (uint32_t g = 0; g < sizeof grains / sizeof grains[0]; g++) {
        uint32_t i = 0;

        while (i < graph->likes && (graph->time_s[i] - graph->first_s) % grains[g] == 0)
            i++;
        if (i == graph->likes)
            return grains[g];
    }
    return 1;
}

static void find_span(struct graph *graph)
{
    graph->first_s = graph->last_s = graph->time_s[0];
    for (uint32_t i = 1; i < graph->likes; i++) {
        if (graph->time_s[i] < graph->first_s)
            graph->first_s = graph->time_s[i];
        if (graph->time_s[i] > graph->last_s)
            graph->last_s = graph->time_s[i];
    }
    graph->timed = graph->last_s > graph->first_s;
    graph->grain_s = grain_of(graph);
}

static void make_clock(struct graph *graph, struct burst_clock *clock)
{
    uint64_t bin[BURST_BINS] = {0};

    find_span(graph);
    for (uint32_t i = 0; i < graph->likes; i++)
        bin[burst_bin(graph->first_s, graph->last_s, graph->time_s[i])]++;
    burst_clock_make(clock, graph->first_s, graph->last_s, graph->grain_s, bin);
}

static enum status cell_add(struct graph *graph, struct cells *cells, uint32_t item, bool burst,
                            uint32_t end)
{
    if (graph->cells == cells->room) {
        uint32_t room = cells->room + cells->room / 2 + 16;
        uint32_t *like = realloc(graph->cell_like, ((size_t)room + 1) * sizeof *like);

        if (like == NULL)
            return STATUS_NOMEMORY;
        graph->cell_like = like;
        uint32_t *of = realloc(graph->cell_item, room * sizeof *of);
        if (of == NULL)
            return STATUS_NOMEMORY;
        graph->cell_item = of;
        bool *is = realloc(graph->cell_burst, room * sizeof *is);
        if (is == NULL)
            return STATUS_NOMEMORY;
        graph->cell_burst = is;
        cells->room = room;
    }
    graph->cell_item[graph->cells] = item;
    graph->cell_burst[graph->cells] = burst;
    graph->cell_like[++graph->cells] = end;
    return STATUS_OK;
}

/* The likes of bursts first, one burst after the other, then the rest; all by time. */
static void move_together(struct graph *graph, struct cells *cells, uint32_t from, uint32_t count,
                          uint32_t bursts)
{
    uint32_t at = 0, rest = 0;

    for (uint32_t b = 0; b < bursts; b++)
        rest += cells->found[b].last - cells->found[b].first + 1;
    memcpy(cells->account, graph->account + from, count * sizeof(uint32_t));
    memcpy(cells->time_s, graph->time_s + from, count * sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t to = from + (cells->taken[i] ? at++ : rest++);

        graph->account[to] = cells->account[i];
        graph->time_s[to] = cells->time_s[i];
    }
}

static enum status cut_item(struct graph *graph, struct cells *cells, uint32_t item)
{
    uint32_t from = graph->item_like[item], count = graph->item_like[item + 1] - from;
    uint32_t bursts =
        burst_find(&cells->clock, graph->time_s + from, count, cells->found, cells->taken);
    uint32_t end = from;
    enum status status = STATUS_OK;

    if (bursts > 0)
        move_together(graph, cells, from, count, bursts);
    for (uint32_t b = 0; b < bursts && status == STATUS_OK; b++) {
        end += cells->found[b].last - cells->found[b].first + 1;
        status = cell_add(graph, cells, item, true, end);
    }
    if (status == STATUS_OK && end < from + count)
        status = cell_add(graph, cells, item, false, from + count);
    return status;
}

static enum status cut_all(struct graph *graph)
{
    uint32_t most = greatest_item(graph);
    struct cells cells = {.room = graph->items + graph->items / 2 + 16};
    enum status status = STATUS_OK;

    make_clock(graph, &cells.clock);
    cells.found =
        malloc(((size_t)most * cells.clock.scales / 2 + BURST_SCALES) * sizeof *cells.found);
    cells.taken = malloc((size_t)most + 1);
    cells.account = malloc(((size_t)most + 1) * sizeof(uint32_t));
    cells.time_s = malloc(((size_t)most + 1) * sizeof(uint32_t));
    graph->cell_like = calloc((size_t)cells.room + 1, sizeof(uint32_t));
    graph->cell_item = malloc(cells.room * sizeof(uint32_t));
    graph->cell_burst = malloc(cells.room * sizeof(bool));
    if (cells.found == NULL || cells.taken == NULL || cells.account == NULL ||
        cells.time_s == NULL || graph->cell_like == NULL || graph->cell_item == NULL ||
        graph->cell_burst == NULL)
        status = STATUS_NOMEMORY;
    else
        graph->cell_like[0] = 0;
    for (uint32_t item = 0; item < graph->items && status == STATUS_OK; item++)
        status = cut_item(graph, &cells, item);
    free(cells.found);
    free(cells.taken);
    free(cells.account);
    free(cells.time_s);
    return status;
}

/* --- both directions --- */

static void link_accounts(struct graph *graph)
{
    uint32_t *next = graph->account_like + 1;

    memset(graph->account_like, 0, ((size_t)graph->accounts + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < graph->likes; i++)
        next[graph->account[i]]++;
    for (uint32_t i = 0, sum = 0; i < graph->accounts; i++) {
        uint32_t here = next[i];

        next[i] = sum;
        sum += here;
    }
    for (uint32_t i = 0; i < graph->likes; i++)
        graph->like_of[next[graph->account[i]]++] = i;
    for (uint32_t cell = 0; cell < graph->cells; cell++)
        for (uint32_t i = graph->cell_like[cell]; i < graph->cell_like[cell + 1]; i++)
            graph->cell_of[i] = cell;
}

/* --- occasions --- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* times: scratch for the account's likes, which are sorted in it. */
static void weigh_account(struct graph *graph, uint32_t account, uint32_t *times)
{
    const uint32_t *like = graph->like_of + graph->account_like[account];
    uint32_t count = graph_degree(graph, account), occasions = count > 0;

    for (uint32_t i = 0; i < count; i++)
        times[i] = graph->time_s[like[i]];
    qsort(times, count, sizeof *times, by_number);
    for (uint32_t i = 1; i < count; i++)
        occasions += times[i] != times[i - 1];
    graph->account_weight[account] = (float)occasions;
    if (occasions == count || PLANTED("detect.copies_count"))
        return;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t same = 0, low = 0, high = count;

        while (low < high) { /* the first that is not before it */
            uint32_t middle = low + (high - low) / 2;

            if (times[middle] < graph->time_s[like[i]])
                low = middle + 1;
            else
                high = middle;
        }
        while (low + same < count && times[low + same] == graph->time_s[like[i]])
            same++;
        graph->weight[like[i]] = 1.0F / (float)same;
    }
}

static enum status weigh(struct graph *graph)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < graph->likes; i++)
        graph->weight[i] = 1;
    for (uint32_t u = 0; u < graph->accounts; u++) {
        uint32_t degree = graph_degree(graph, u);

        graph->account_weight[u] = (float)degree;
        most = degree > most ? degree : most;
    }
    uint32_t *times = graph->timed ? malloc(((size_t)most + 1) * sizeof *times) : NULL;

    if (graph->timed && times == NULL)
        return STATUS_NOMEMORY;
    graph->weight_all = 0;
    for (uint32_t u = 0; u < graph->accounts; u++) {
        if (graph->timed && graph_degree(graph, u) > 1)
            weigh_account(graph, u, times);
        graph->weight_all += (double)graph->account_weight[u];
    }
    free(times);
    return STATUS_OK;
}

static bool make_room(struct graph *graph)
{
    graph->account = malloc(graph->likes * sizeof(uint32_t));
    graph->time_s = calloc(graph->likes, sizeof(uint32_t));
    graph->item_like = calloc((size_t)graph->items + 1, sizeof(uint32_t));
    graph->account_like = malloc(((size_t)graph->accounts + 1) * sizeof(uint32_t));
    return graph->account != NULL && graph->time_s != NULL && graph->item_like != NULL &&
           graph->account_like != NULL;
}

static enum status make_ends(struct graph *graph)
{
    enum status status;

    drop_repeats(graph, graph->account_like);
    if ((status = cut_all(graph)) != STATUS_OK)
        return status;
    graph->like_of = malloc(((size_t)graph->likes + 1) * sizeof(uint32_t));
    graph->cell_of = malloc(((size_t)graph->likes + 1) * sizeof(uint32_t));
    graph->weight = malloc(((size_t)graph->likes + 1) * sizeof(float));
    graph->account_weight = malloc(graph->accounts * sizeof(float));
    if (graph->like_of == NULL || graph->cell_of == NULL || graph->weight == NULL ||
        graph->account_weight == NULL)
        return STATUS_NOMEMORY;
    link_accounts(graph);
    return weigh(graph);
}

enum status graph_make(struct graph_like *likes, uint64_t count, uint32_t accounts, uint32_t items,
                       struct graph *graph)
{
    assert(count > 0 && accounts > 0 && items > 0);
    enum status status = count > GRAPH_LIKES_MAX ? STATUS_BADDATA : sort_by_time(likes, count);

    *graph = (struct graph){.likes = (uint32_t)count, .accounts = accounts, .items = items};
    if (status == STATUS_OK && !make_room(graph))
        status = STATUS_NOMEMORY;
    if (status == STATUS_OK)
        place_by_item(graph, likes);
    free(likes);
    if (status == STATUS_OK)
        status = make_ends(graph);
    if (status != STATUS_OK)
        graph_free(graph);
    return status;
}

void graph_free(struct graph *graph)
{
    free(graph->account);
    free(graph->time_s);
    free(graph->item_like);
    free(graph->cell_like);
    free(graph->cell_item);
    free(graph->cell_burst);
    free(graph->cell_of);
    free(graph->account_like);
    free(graph->like_of);
    free(graph->weight);
    free(graph->account_weight);
    *graph = (struct graph){0};
}

struct layer graph_layer(const struct graph *graph, bool items)
{
    return (struct layer){.graph = graph,
                          .nodes = items ? graph->items : graph->cells,
                          .like = items ? graph->item_like : graph->cell_like,
                          .items = items};
}
