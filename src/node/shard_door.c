/* shard_door.c: the RESP door of a partition.
 *
 * With one partition the door's requests go straight into the engine. With several, every request
 * becomes a call to the partition it belongs to (route.c), and a batch of the door is answered when
 * the last of its calls is. */
#include "node/shard.h"

#include "node/clock.h"
#include "node/inner.h"
#include "node/shard_inner.h"

/* --- the door, one partition ---------------------------------------------------------------- */

static struct batch view_of(const struct batch *batch, uint32_t from, uint32_t to)
{
    return (struct batch){
        .count = to - from,
        .requests = batch->requests + from,
        .replies = batch->replies + from,
        .origins = batch->origins + from,
    };
}

static void door_refill(struct shard *shard, int64_t now_us, int64_t steady_us)
{
    if (shard->door_from < shard->door.count)
        return; /* the last batch is not through yet */
    shard->door.count = 0;
    shard->door_from = 0;
    if (atomic_load(&shard->node->stopping))
        return; /* what was not taken was not begun; its connection is closed */
    arena_reset(&shard->door.arena);
    serve_take(shard->serve, &shard->door, now_us);
    shard->door_taken_us = steady_us;
}

/* --clock requests: days may pass within one batch. What is due is settled before the next time,
 * not at the end of the batch, when the scorer has forgotten the hour it was about; and so that the
 * same requests end the same however they came in. False: not all could be. */
static bool settled_so_far(struct shard *shard, int64_t now_us)
{
    uint64_t need;

    if (!shard->partition.config.clock_requests)
        return true;
    while (partition_has_due(&shard->partition, now_us)) {
        if (shard->free_entries == NULL || partition_settle(&shard->partition, now_us, &need) == 0)
            return false;
        shard_send_effects(shard, shard_entry_take(shard, need));
    }
    return shard->free_entries != NULL;
}

void shard_do_door(struct shard *shard, int64_t now_us, int64_t steady_us)
{
    door_refill(shard, now_us, steady_us);
    while (shard->door_from < shard->door.count && shard->free_entries != NULL &&
           settled_so_far(shard, now_us)) {
        uint64_t need;
        uint32_t from = shard->door_from;
        uint32_t to = partition_turn(&shard->partition, &shard->door, from, now_us, &need);
        struct batch view;
        struct entry *entry;

        if (to == from)
            return;
        view = view_of(&shard->door, from, to);
        entry = shard_entry_take(shard, need);
        entry->turn = ++shard->turn;
        entry->answers = to - from;
        entry->taken_us = shard->door_taken_us;
        serve_reply(shard->serve, &view, entry->turn);
        shard->door_from = to;
    }
}

/* --- the door, several partitions ----------------------------------------------------------- */

static void door_call_done(struct call *call)
{
    struct shard *shard = call->owner;

    if (atomic_fetch_sub(&shard->door_turn.open, 1) == 1)
        shard_wake(shard);
}

static size_t storage_for(const struct request *request)
{
    const struct verb_info *info = verb_info(request->verb);

    switch (info->shape) {
    case SHAPE_STATES:
        return request->count * sizeof(uint64_t) + 64;
    case SHAPE_TOTALS:
        return 2 * request->count * sizeof(uint64_t) + 64;
    case SHAPE_TAKEN:
    case SHAPE_GIVEN:
    case SHAPE_ACTIVITY:
    case SHAPE_CLEANUP_PREVIEW:
        return request->count * sizeof(struct reply_entry) + 64;
    case SHAPE_WEIGHED:
        return request->count * sizeof(struct edge_row) + 64;
    case SHAPE_EXPORT:
        return request->count * sizeof(struct edge_row) + sizeof(struct account_row) +
               sizeof(struct case_row) + 128;
    case SHAPE_ACCOUNT_GET:
        return sizeof(struct account_row) + sizeof(struct case_row) + 64;
    case SHAPE_CASE_LIST:
    case SHAPE_CASE_OF:
        return REQUEST_CASES_MAX * sizeof(struct case_brief) + 64;
    case SHAPE_NOTICES:
        return NOTICES_MAX * sizeof(struct notice_view) + 64;
    case SHAPE_SHIELD:
        return REQUEST_SHIELD_MAX * sizeof(struct case_row) + sizeof(struct item_row) +
               sizeof(struct quality) + 64;
    case SHAPE_POINTS:
        return REQUEST_SHIELD_MAX * sizeof(struct case_row) + sizeof(struct account_row) + 64;
    case SHAPE_CASE_OPEN:
    case SHAPE_CASE_STEP:
    case SHAPE_CASE_GET:
        return sizeof(struct case_row) + 64;
    case SHAPE_POLICY_PROPOSE:
    case SHAPE_POLICY_STEP:
    case SHAPE_POLICY_GET:
    case SHAPE_POLICY_LIST:
        return CALL_STORAGE_BYTES;
    default:
        return sizeof(struct item_row) + sizeof(struct account_row) +
               ENGINE_PARTITIONS_MAX * sizeof(uint64_t) + 64;
    }
}

/* Requests of one connection that are under way at the same time may overtake each other on
 * different partitions. So they go together only if nobody could tell: interactions (they commute:
 * each has its account's order, counts are sums), or reads, or all to one partition, which keeps
 * their order. */
struct wave {
    uint32_t connection; /* + 1; 0: free */
    uint16_t home;       /* HOME_SEVERAL: not all to one */
    bool interactions, reads;
};
#define WAVE_SLOTS   4096
#define HOME_SEVERAL 0xFFFF

static bool wave_join(struct wave *waves, const struct origin *origin,
                      const struct request *request, uint16_t home)
{
    const struct verb_info *info = verb_info(request->verb);
    struct wave *wave = &waves[origin->connection % WAVE_SLOTS];
    bool read = info->group == GROUP_READ;
    bool interaction = (info->shape == SHAPE_SET || info->shape == SHAPE_EVENT ||
                        info->shape == SHAPE_VIEW || info->shape == SHAPE_ACT) &&
                       !(request->flags & REQUEST_RETURN);

    /* What a creator received comes by way of the items' partitions: also from an account of its
     * own. */
    if (info->shape == SHAPE_RECEIVED || info->shape == SHAPE_ACCOUNT_GET ||
        info->shape == SHAPE_EXPORT)
        home = HOME_SEVERAL;
    if (wave->connection == 0) {
        *wave = (struct wave){origin->connection + 1, home, interaction, read};
        return true;
    }
    if (wave->connection != origin->connection + 1)
        return false;
    wave->interactions = wave->interactions && interaction;
    wave->reads = wave->reads && read;
    if (wave->home != home)
        wave->home = HOME_SEVERAL;
    return wave->interactions || wave->reads || wave->home != HOME_SEVERAL;
}

/* Sends requests from .. of the door's batch on their way, as many as may go together and as there
 * is storage for. */
static void door_send(struct shard *shard, int64_t steady_us)
{
    struct door_turn *turn = &shard->door_turn;
    struct wave waves[WAVE_SLOTS] = {0};
    uint32_t to = turn->from;

    arena_reset(&turn->storage);
    turn->taken_us = steady_us;
    atomic_store(&turn->open, 1); /* so that it cannot reach 0 before all are sent */
    for (; to < shard->door.count; to++) {
        struct request *request = &shard->door.requests[to];
        struct call *call = &turn->calls[to];
        size_t size;

        if (request->verb >= VERB_COUNT)
            continue;
        if (!wave_join(waves, &shard->door.origins[to], request, route_home(shard->node, request)))
            break;
        size = storage_for(request);
        *call = (struct call){
            .request = *request,
            .done = door_call_done,
            .owner = shard,
            .storage = arena_take(&turn->storage, size),
            .storage_size = size,
        };
        if (call->storage == NULL)
            break;
        atomic_fetch_add(&turn->open, 1);
        route_submit(shard->node, call);
    }
    turn->to = to;
    turn->under_way = true;
    atomic_fetch_sub(&turn->open, 1);
}

static void door_answer(struct shard *shard)
{
    struct door_turn *turn = &shard->door_turn;
    struct batch view = view_of(&shard->door, turn->from, turn->to);
    struct entry entry = {.answers = view.count, .taken_us = turn->taken_us};

    for (uint32_t i = turn->from; i < turn->to; i++)
        if (shard->door.requests[i].verb < VERB_COUNT)
            shard->door.replies[i] = turn->calls[i].reply;
    serve_reply(shard->serve, &view, ++shard->turn);
    serve_release(shard->serve, shard->turn);
    shard_count_latency(shard, &entry, clock_steady_us());
    turn->from = turn->to;
    turn->under_way = false;
}

void shard_do_door_calls(struct shard *shard, int64_t now_us, int64_t steady_us)
{
    struct door_turn *turn = &shard->door_turn;

    if (turn->under_way) {
        if (atomic_load(&turn->open) > 0)
            return;
        door_answer(shard);
    }
    if (turn->from == shard->door.count) {
        shard->door_from = shard->door.count;
        door_refill(shard, now_us, steady_us);
        turn->from = 0;
    }
    if (turn->from < shard->door.count)
        door_send(shard, steady_us);
}
