/* T20: a sequence of requests, flushes and replays made from the fuzzer's bytes, against the engine
 * with small memory, and a model of likes that is an array of bools. Every byte decides something,
 * so that the fuzzer can steer. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "node/load.h"

#define ACCOUNTS 8
#define ITEMS    8

struct world {
    struct engine engine;
    struct needs needs;
    struct batch batch;
    bool on[EDGE_COUNT][ACCOUNTS][ITEMS];
    uint64_t events[COUNTER_COUNT][ITEMS];
    int64_t now_us;
};

static const struct hot_config sizes = {
    .accounts = 96, .items = 96, .edges = 64, .operations = 64, .scratch = 64};

static struct world *make(void)
{
    struct world *world = calloc(1, sizeof *world);
    struct store_config config = {.partition_count = 1, .create = true};
    char message[256];

    world->now_us = 1000000;
    world->engine = (struct engine){
        .hot = hot_open(&sizes),
        .partition_count = 1,
        .create_unknown = true,
        .operation_keep_us = INT64_MAX / 4,
        .body = malloc(ENGINE_BODY_BYTES),
        .body_max = ENGINE_BODY_BYTES,
        .effects = malloc(ENGINE_EFFECTS_MAX * sizeof(struct effect)),
        .arena = {.bytes = malloc(1 << 16), .size = 1 << 16},
    };
    world->batch.requests = calloc(64, sizeof(struct request));
    world->batch.replies = calloc(64, sizeof(struct reply));
    if (store_open(&config, &world->engine.store, message) != STATUS_OK)
        abort();
    return world;
}

static void drop(struct world *world)
{
    hot_close(world->engine.hot);
    store_close(world->engine.store);
    free(world->engine.body);
    free(world->engine.effects);
    free(world->engine.arena.bytes);
    free(world->batch.requests);
    free(world->batch.replies);
    free(world);
}

static void flush(struct world *world)
{
    struct hot_frozen frozen;
    uint64_t marks[1] = {0};
    char message[256];

    hot_freeze(world->engine.hot);
    while (!hot_collect(world->engine.hot, 3))
        ;
    hot_frozen(world->engine.hot, &frozen);
    if (store_flush(world->engine.store,
                    &(struct store_flush){.applied = world->engine.sequence,
                                          .accounts = frozen.accounts,
                                          .account_count = frozen.account_count,
                                          .items = frozen.items,
                                          .item_count = frozen.item_count,
                                          .edges = frozen.edges,
                                          .edge_count = frozen.edge_count,
                                          .operations = frozen.operations,
                                          .operation_count = frozen.operation_count,
                                          .cases = frozen.cases,
                                          .case_count = frozen.case_count,
                                          .inboxes = frozen.inboxes,
                                          .inbox_count = frozen.inbox_count,
                                          .marks = marks},
                    message) != STATUS_OK)
        abort();
    hot_rest(world->engine.hot);
}

static void check(struct world *world, const struct request *request, const struct reply *reply)
{
    const struct verb_info *info = verb_info(request->verb);

    if (info->shape == SHAPE_SET) {
        bool *on = &world->on[info->edge][request->account][request->target];

        if (*on == (info->on != 0))
            assert(reply->status == STATUS_UNCHANGED && reply->u.value == 0);
        else
            assert(reply->status == STATUS_OK && reply->u.value == 1);
        *on = info->on != 0;
    } else if (info->shape == SHAPE_EVENT) {
        assert(reply->u.value == 1);
        world->events[info->counter][request->target]++;
    } else if (info->shape == SHAPE_COUNTS) {
        for (int c = 0; c < COUNTER_COUNT; c++) {
            uint64_t expected = world->events[c][request->target];

            for (int a = 0; a < ACCOUNTS; a++)
                expected += c == COUNTER_LIKE       ? world->on[EDGE_LIKE][a][request->target]
                            : c == COUNTER_FAVORITE ? world->on[EDGE_FAVORITE][a][request->target]
                            : c == COUNTER_REPORT   ? world->on[EDGE_REPORT][a][request->target]
                                                    : 0;
            assert(reply->item->counts[c] == expected);
        }
    } else if (info->shape == SHAPE_TAKEN) {
        uint32_t expected = 0;

        for (int a = 0; a < ACCOUNTS; a++)
            expected += world->on[info->edge][a][request->target];
        assert(reply->kind == REPLY_PAGE && reply->count == expected);
    }
}

static void turn(struct world *world)
{
    struct engine *engine = &world->engine;

    for (uint32_t from = 0, to, done; from < world->batch.count; from = done) {
        hot_turn_begin(engine->hot);
        to = engine_gather(engine, &world->batch, from, &world->needs);
        if (to == from) {
            flush(world);
            done = from;
            continue;
        }
        if (load_needs(engine->store, engine->hot, &world->needs, world->now_us) != STATUS_OK)
            abort();
        done = engine_step(engine, &world->batch, from, to, world->now_us++);
        for (uint32_t i = from; i < done; i++)
            check(world, &world->batch.requests[i], &world->batch.replies[i]);
    }
    world->batch.count = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t verbs[16] = {VERB_LIKE,    VERB_UNLIKE,     VERB_FAVORITE, VERB_UNFAVORITE,
                                      VERB_FOLLOW,  VERB_UNFOLLOW,   VERB_REPORT,   VERB_SHARE,
                                      VERB_COMMENT, VERB_SKIP,       VERB_COUNTS,   VERB_LIKERS,
                                      VERB_LIKE,    VERB_FAVORITERS, VERB_LIKE,     VERB_UNLIKE};
    struct world *world = make();

    for (size_t i = 0; i + 1 < size; i += 2) {
        struct request *request = &world->batch.requests[world->batch.count++];

        *request = (struct request){.verb = verbs[bytes[i] & 15],
                                    .account = bytes[i + 1] & 7,
                                    .target = bytes[i + 1] >> 3 & 7,
                                    .count = 100};
        if ((bytes[i] & 0x10) != 0 || world->batch.count == 16)
            turn(world);
        if ((bytes[i] & 0xE0) == 0xE0) {
            turn(world);
            flush(world);
        }
    }
    turn(world);
    drop(world);
    return 0;
}
