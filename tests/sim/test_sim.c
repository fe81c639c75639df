/* A whole partition (engine, log, flush, recovery) on a disk, a clock and clients that fail, in one
 * thread, by one seed. Same seed, same trace.
 *
 * Safety: every reply is the twin's; what was acknowledged is there after any crash; what is there
 * is a prefix of what was decided; the whole state is the twin's at that sequence. Liveness: once
 * nothing fails any more, everything asked is answered and durable.
 *
 * ZAN_SEEDS says how many seeds (default 2000), ZAN_SEED where to begin. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "node/partition.h"
#include "support/disk_sim.h"

#define ACCOUNTS 9
#define ITEMS    7
#define HISTORY  6000

/* --- the twin: the simplest thing that could be right --------------------------------------------
 */

struct answer {
    int status; /* OK, UNCHANGED, or why not */
};

struct remembered {
    uint64_t opid;
    uint64_t what; /* the request as one number */
    int64_t time_us;
    struct answer answer;
};

struct twin {
    bool on[EDGE_COUNT][ACCOUNTS][ITEMS];
    uint64_t since[EDGE_COUNT][ACCOUNTS][ITEMS];
    int flips[EDGE_COUNT][ACCOUNTS][ITEMS];
    uint64_t events[COUNTER_COUNT][ITEMS];
    uint64_t watch_ms[ITEMS];
    int item_state[ITEMS];
    bool item_known[ITEMS];
    int account_state[ACCOUNTS];
    int64_t until_us[ACCOUNTS];
    struct remembered ops[HISTORY];
    int op_count;
};

static uint64_t count_of(const struct twin *twin, int edge, uint64_t target)
{
    uint64_t count = 0;

    for (int a = 0; a < ACCOUNTS; a++)
        count += twin->on[edge][a][target];
    return count;
}

static uint64_t as_number(const struct request *request)
{
    uint64_t number = hash_two(request->verb, hash_two(request->account, request->target));

    if (request->verb == VERB_VIEW)
        number ^= request->u.view.watch_ms;
    if (request->verb == VERB_ITEM_STATE)
        number ^= request->u.item.state;
    if (request->verb == VERB_ACCOUNT_STATE)
        number ^= (uint64_t)request->u.restriction.until_us;
    return number;
}

static struct answer twin_judge(struct twin *twin, const struct request *request, int64_t now_us,
                                uint64_t sequence)
{
    const struct verb_info *info = verb_info(request->verb);
    uint64_t a = request->account, t = request->target;

    if (info->shape == SHAPE_ITEM_STATE) {
        if (twin->item_known[t] && twin->item_state[t] == request->u.item.state)
            return (struct answer){STATUS_UNCHANGED};
        twin->item_known[t] = true;
        twin->item_state[t] = request->u.item.state;
        return (struct answer){STATUS_OK};
    }
    if (info->shape == SHAPE_ACCOUNT_STATE) {
        if (request->u.restriction.until_us <= now_us)
            return (struct answer){STATUS_BADVALUE};
        if (twin->account_state[a] == request->u.restriction.state &&
            twin->until_us[a] == request->u.restriction.until_us)
            return (struct answer){STATUS_UNCHANGED};
        twin->account_state[a] = request->u.restriction.state;
        twin->until_us[a] = request->u.restriction.until_us;
        return (struct answer){STATUS_OK};
    }
    if (twin->account_state[a] == ACCOUNT_SUSPENDED && now_us < twin->until_us[a])
        return (struct answer){STATUS_SUSPENDED};
    if (info->edge != EDGE_FOLLOW && twin->item_state[t] != ITEM_PUBLISHED &&
        request->verb != VERB_UNLIKE && request->verb != VERB_UNFAVORITE &&
        request->verb != VERB_REPORT)
        return (struct answer){STATUS_CLOSED};
    if (info->edge == EDGE_NONE) {
        twin->events[info->counter][t]++;
        twin->item_known[t] = true;
        if (request->verb == VERB_VIEW)
            twin->watch_ms[t] += request->u.view.watch_ms;
        return (struct answer){STATUS_OK};
    }
    if (twin->on[info->edge][a][t] == (info->on != 0))
        return (struct answer){STATUS_UNCHANGED};
    twin->on[info->edge][a][t] = info->on != 0;
    if (info->edge != EDGE_FOLLOW)
        twin->item_known[t] = true;
    twin->since[info->edge][a][t] = sequence;
    twin->flips[info->edge][a][t]++;
    return (struct answer){STATUS_OK};
}

static struct answer twin_do(struct twin *twin, const struct request *request, int64_t now_us,
                             uint64_t sequence)
{
    struct answer answer;

    for (int i = 0; request->flags & REQUEST_OPID && i < twin->op_count; i++)
        if (twin->ops[i].opid == request->opid[0])
            return twin->ops[i].what == as_number(request) ? twin->ops[i].answer
                                                           : (struct answer){STATUS_CONFLICT};
    answer = twin_judge(twin, request, now_us, sequence);
    if (request->flags & REQUEST_OPID)
        twin->ops[twin->op_count++] =
            (struct remembered){request->opid[0], as_number(request), now_us, answer};
    return answer;
}

/* --- the world -----------------------------------------------------------------------------------
 */

struct event {
    struct request request;
    int64_t now_us;
    uint64_t sequence; /* of the partition after it */
    int status;
};

struct world {
    struct test_random random;
    struct disk_sim *sim;
    struct store *store;
    struct partition partition;
    struct batch batch;
    struct twin twin;
    struct event history[HISTORY];
    int history_count;
    uint64_t turn_end[HISTORY]; /* sequences at which turns ended */
    int turn_count;
    uint64_t acked;
    uint64_t next_opid;
    int64_t now_us;
    uint64_t trace;
    uint64_t asked, crashes, failures, refused_nospace;
};

static const struct hot_config tiny = {
    .accounts = 64, .items = 64, .edges = 96, .operations = 96, .scratch = 256};

static uint64_t below(struct world *world, uint64_t bound)
{
    return test_random_below(&world->random, bound);
}

static void note(struct world *world, uint64_t value)
{
    world->trace = hash_two(world->trace, value);
}

static enum status open_partition(struct world *world, char message[256])
{
    struct partition_config config = {
        .disk = disk_sim_disk(world->sim),
        .log_dir = {"/a", "/b"},
        .store = world->store,
        .hot = &tiny,
        .count = 1,
        .segment_bytes = 32 << 10,
        .operation_keep_us = INT64_MAX / 4,
        .flush_us = 3000000,
        .create_unknown = true,
    };
    struct partition_open_hooks hooks = {0};
    struct partition_report report;
    enum status status = partition_open(&world->partition, &config, &hooks, &report);

    snprintf(message, 256, "%s", report.message);
    return status;
}

/* What the twin knows after the restart: everything decided up to where the log reaches. */
static void rewind_twin(struct world *world, uint64_t sequence)
{
    int kept = 0, turns = 0;

    memset(&world->twin, 0, sizeof world->twin);
    while (kept < world->history_count && world->history[kept].sequence <= sequence) {
        const struct event *event = &world->history[kept++];

        twin_do(&world->twin, &event->request, event->now_us, event->sequence);
    }
    world->history_count = kept;
    while (turns < world->turn_count && world->turn_end[turns] <= sequence)
        turns++;
    assert_true(sequence == 0 || (turns > 0 && world->turn_end[turns - 1] == sequence));
    world->turn_count = turns;
}

static const struct reply *ask_one(struct world *world, const struct request *request)
{
    uint64_t need;

    for (int tries = 0; tries < 10000; tries++) {
        world->batch.requests[0] = *request;
        world->batch.count = 1;
        if (partition_turn(&world->partition, &world->batch, 0, world->now_us, &need) == 1)
            return &world->batch.replies[0];
        partition_pump(&world->partition, (uint32_t)below(world, 1000));
        assert_true(partition_tend(&world->partition, world->now_us += 100000));
    }
    fail_msg("no answer to a read");
    return NULL;
}

static void compare_edge_lists(struct world *world, uint64_t item)
{
    struct request likers = {.verb = VERB_LIKERS, .target = item, .count = REQUEST_PAGE_MAX};
    const struct reply *reply = ask_one(world, &likers);
    uint64_t last = UINT64_MAX;

    assert_int_equal(reply->kind, REPLY_PAGE);
    assert_int_equal(reply->count, count_of(&world->twin, EDGE_LIKE, item));
    for (uint32_t i = 0; i < reply->count; i++) {
        const struct reply_entry *entry = &reply->u.page[i];

        assert_true(entry->sequence < last);
        last = entry->sequence;
        assert_true(world->twin.on[EDGE_LIKE][entry->id][item]);
    }
}

static void compare_all(struct world *world)
{
    for (uint64_t item = 0; item < ITEMS; item++) {
        struct request counts = {.verb = VERB_COUNTS, .target = item};
        const struct item_row *row = ask_one(world, &counts)->item;

        assert_int_equal(row->counts[COUNTER_LIKE], count_of(&world->twin, EDGE_LIKE, item));
        assert_int_equal(row->counts[COUNTER_FAVORITE],
                         count_of(&world->twin, EDGE_FAVORITE, item));
        assert_int_equal(row->counts[COUNTER_REPORT], count_of(&world->twin, EDGE_REPORT, item));
        assert_int_equal(row->counts[COUNTER_SHARE], world->twin.events[COUNTER_SHARE][item]);
        assert_int_equal(row->counts[COUNTER_VIEW], world->twin.events[COUNTER_VIEW][item]);
        assert_int_equal(row->watch_ms, world->twin.watch_ms[item]);
        note(world, row->counts[COUNTER_LIKE]);
        compare_edge_lists(world, item);
    }
    for (uint64_t account = 0; account < ACCOUNTS; account++) {
        uint64_t ids[ITEMS];
        struct request liked = {
            .verb = VERB_LIKED, .account = account, .count = ITEMS, .u.ids = ids};

        for (uint64_t i = 0; i < ITEMS; i++)
            ids[i] = i;
        const struct reply *reply = ask_one(world, &liked);

        for (uint64_t i = 0; i < ITEMS; i++)
            assert_int_equal(reply->u.values[i], world->twin.on[EDGE_LIKE][account][i]);
    }
}

/* --- what clients ask ----------------------------------------------------------------------------
 */

static struct request random_request(struct world *world)
{
    static const enum verb verbs[] = {
        VERB_LIKE,     VERB_LIKE,       VERB_LIKE,       VERB_UNLIKE,       VERB_UNLIKE,
        VERB_FAVORITE, VERB_FOLLOW,     VERB_UNFOLLOW,   VERB_VIEW,         VERB_SHARE,
        VERB_REPORT,   VERB_UNFAVORITE, VERB_ITEM_STATE, VERB_ACCOUNT_STATE};
    /* A retry, perhaps of something long answered, perhaps of something lost. */
    if (world->history_count > 0 && below(world, 5) == 0) {
        struct request again = world->history[below(world, (uint64_t)world->history_count)].request;

        if (again.flags & REQUEST_OPID) {
            if (below(world, 20) == 0)
                again.target = (again.target + 1) % ITEMS; /* a client that is wrong */
            return again;
        }
    }
    struct request request = {.verb = (uint16_t)verbs[below(world, 14)],
                              .account = below(world, ACCOUNTS),
                              .target = below(world, ITEMS)};

    if (request.verb == VERB_VIEW)
        request.u.view.watch_ms = (uint32_t)below(world, 5000);
    if (request.verb == VERB_ITEM_STATE) {
        request.account = 0;
        request.u.item.state = (uint8_t)(below(world, 4) == 0 ? ITEM_PRIVATE : ITEM_PUBLISHED);
    }
    if (request.verb == VERB_ACCOUNT_STATE) {
        request.target = 0;
        request.flags |= REQUEST_HAS_UNTIL;
        request.u.restriction.state = ACCOUNT_SUSPENDED;
        request.u.restriction.until_us =
            world->partition.engine.now_us + 7200000000LL + (int64_t)below(world, 3000000);
    }
    if (below(world, 2) == 0) {
        request.flags |= REQUEST_OPID;
        request.opid[0] = (++world->next_opid) << 16;
    }
    return request;
}

static void check_reply(struct world *world, const struct request *request,
                        const struct reply *reply, uint64_t sequence)
{
    struct answer expected;

    if (reply->kind == REPLY_ERROR &&
        (reply->status == STATUS_NOSPACE || reply->status == STATUS_BUSY)) {
        world->refused_nospace++;
        return; /* certainly not applied: the twin is not asked */
    }
    expected = twin_do(&world->twin, request, world->partition.engine.now_us, sequence);
    if (reply->status != expected.status)
        fail_msg("verb %d account %d target %d: %s, the twin says %s", (int)request->verb,
                 (int)request->account, (int)request->target, status_info(reply->status)->code,
                 status_info((enum status)expected.status)->code);
    note(world, reply->status);
    world->history[world->history_count++] =
        (struct event){*request, world->partition.engine.now_us, sequence, reply->status};
}

static void one_turn(struct world *world)
{
    uint32_t count = (uint32_t)below(world, 12) + 1, done;
    uint64_t need = 0;

    if (world->history_count + 64 > HISTORY || world->turn_count + 2 > HISTORY)
        return;
    for (uint32_t i = 0; i < count; i++)
        world->batch.requests[i] = random_request(world);
    world->batch.count = count;
    int64_t clock_us = world->partition.engine.now_us;

    done = partition_turn(&world->partition, &world->batch, 0, world->now_us, &need);
    assert_true(world->partition.engine.now_us >= clock_us); /* whatever the machine's clock did */
    /* The records of a turn are one batch: after a crash all are there or none, so its requests
     * share the sequence it ended with. */
    for (uint32_t i = 0; i < done; i++)
        check_reply(world, &world->batch.requests[i], &world->batch.replies[i], need);
    if (done > 0 && (world->turn_count == 0 || world->turn_end[world->turn_count - 1] != need))
        world->turn_end[world->turn_count++] = need;
    world->asked += done;
}

static void move_clock(struct world *world)
{
    switch (below(world, 60)) {
    case 0:
        world->now_us += 3600000000LL;
        break;
    case 1:
        world->now_us -= 3600000000LL;
        break;
    default:
        world->now_us += (int64_t)below(world, 50000);
    }
}

/* --- what goes wrong -----------------------------------------------------------------------------
 */

static void arrange_fault(struct world *world)
{
    static const int errors[] = {EIO, ENOSPC, EIO, EDQUOT};
    unsigned kinds[] = {DISK_SIM_WRITE, DISK_SIM_SYNC, DISK_SIM_ANY, DISK_SIM_OPEN, DISK_SIM_NAME};

    switch (below(world, 4)) {
    case 0:
        disk_sim_die(world->sim, below(world, 60) + 1);
        break;
    case 1:
        disk_sim_fail(world->sim, below(world, 60) + 1, kinds[below(world, 5)],
                      below(world, 2) ? "/a" : NULL, errors[below(world, 4)], below(world, 2));
        break;
    case 2:
        disk_sim_capacity(world->sim, (64 + below(world, 200)) << 10);
        break;
    default:
        break;
    }
}

/* Bits rot in one copy while nobody looks. */
static void rot(struct world *world)
{
    char path[256];
    size_t files = 0;
    const char *copy = below(world, 2) ? "/a/" : "/b/";

    while (disk_sim_file(world->sim, files, path))
        files++;
    for (int tries = 0; tries < 50 && files > 0; tries++) {
        disk_sim_file(world->sim, below(world, files), path);
        if (strncmp(path, copy, 3) == 0 && disk_sim_bytes(world->sim, path) > 0) {
            disk_sim_flip(world->sim, path, below(world, disk_sim_bytes(world->sim, path)),
                          (uint8_t)(1 << below(world, 8)));
            return;
        }
    }
}

static void acknowledge(struct world *world)
{
    uint64_t durable = log_durable(world->partition.log);

    for (int i = 0; i < world->turn_count; i++)
        if (world->turn_end[i] <= durable && world->turn_end[i] > world->acked)
            world->acked = world->turn_end[i];
}

static void restart(struct world *world, bool power)
{
    char message[256];
    enum status status;

    world->crashes++;
    disk_sim_die(world->sim, 1); /* whatever closing would still write is not written */
    partition_close(&world->partition);
    if (power)
        disk_sim_crash(world->sim);
    else
        disk_sim_kill(world->sim);
    disk_sim_heal(world->sim);
    if (below(world, 4) == 0)
        rot(world);
    /* The recovery may be cut short itself. */
    if (below(world, 3) == 0) {
        disk_sim_die(world->sim, below(world, 40) + 1);
        status = open_partition(world, message);
        if (status == STATUS_OK) {
            disk_sim_die(world->sim, 1);
            partition_close(&world->partition);
        }
        disk_sim_crash(world->sim);
        disk_sim_heal(world->sim);
    }
    status = open_partition(world, message);
    if (status != STATUS_OK)
        fail_msg("does not start: %s: %s", status_info(status)->code, message);
    if (world->partition.engine.sequence < world->acked)
        fail_msg("acknowledged %llu, recovered %llu", (unsigned long long)world->acked,
                 (unsigned long long)world->partition.engine.sequence);
    rewind_twin(world, world->partition.engine.sequence);
    note(world, world->partition.engine.sequence);
    compare_all(world);
}

static void live(struct world *world)
{
    uint64_t rounds = 20 + below(world, 120);

    if (below(world, 3) > 0)
        arrange_fault(world);
    for (uint64_t i = 0; i < rounds; i++) {
        move_clock(world);
        if (below(world, 3) > 0)
            one_turn(world);
        for (uint64_t n = below(world, 4); n > 0; n--)
            partition_pump(&world->partition, (uint32_t)below(world, 1000));
        acknowledge(world);
        if (!partition_tend(&world->partition, world->now_us)) {
            world->failures++;
            return; /* it has stopped by itself, as it must */
        }
    }
}

/* Nothing fails any more: everything asked is answered, and becomes durable. */
static void thrive(struct world *world)
{
    disk_sim_heal(world->sim);
    for (int i = 0; i < 30; i++) {
        one_turn(world);
        for (int n = 0; n < 6; n++)
            partition_pump(&world->partition, (uint32_t)below(world, 1000));
        assert_true(partition_tend(&world->partition, world->now_us += 1100000));
    }
    for (int i = 0;
         i < 3000 && log_durable(world->partition.log) < world->partition.engine.sequence; i++)
        partition_pump(&world->partition, (uint32_t)i);
    assert_int_equal(log_durable(world->partition.log), world->partition.engine.sequence);
    compare_all(world);
}

static uint64_t run_seed(uint64_t seed, struct world *world)
{
    struct store_config store = {.partition_count = 1, .create = true};
    char message[256];
    uint64_t lives;

    memset(world, 0, sizeof *world);
    world->random.state = seed;
    world->now_us = 1700000000000000;
    world->sim = disk_sim_new(seed);
    world->batch.requests = calloc(BATCH_MAX, sizeof(struct request));
    world->batch.replies = calloc(BATCH_MAX, sizeof(struct reply));
    assert_int_equal(store_open(&store, &world->store, message), STATUS_OK);
    assert_int_equal(open_partition(world, message), STATUS_OK);
    lives = 1 + below(world, 5);
    for (uint64_t i = 0; i < lives; i++) {
        live(world);
        restart(world, below(world, 3) > 0);
    }
    thrive(world);
    note(world, disk_sim_trace(world->sim));
    partition_close(&world->partition);
    store_close(world->store);
    disk_sim_free(world->sim);
    free(world->batch.requests);
    free(world->batch.replies);
    return world->trace;
}

static void a_partition_survives_every_seed(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const char *text = getenv("ZAN_SEEDS");
    uint64_t seeds = text != NULL ? strtoull(text, NULL, 10) : 2000;
    uint64_t first = test_seed(1), asked = 0, crashes = 0, failures = 0, refused = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        uint64_t trace;

        fprintf(stderr, "\rseed %llu ", (unsigned long long)seed);
        trace = run_seed(seed, world);
        asked += world->asked;
        crashes += world->crashes;
        failures += world->failures;
        refused += world->refused_nospace;
        if (seed % 20 == 0)
            assert_int_equal(run_seed(seed, world), trace);
    }
    printf("\n%llu seeds, %llu requests, %llu restarts, %llu stops by itself, %llu refused for "
           "space\n",
           (unsigned long long)seeds, (unsigned long long)asked, (unsigned long long)crashes,
           (unsigned long long)failures, (unsigned long long)refused);
    assert_true(seeds < 200 || (failures > 0 && refused > 0));
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_partition_survives_every_seed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
