/* The thread that feeds a reader, on a log of its own: it answers while the log is written, goes on
 * where its checkpoint says, and where it cannot go on it says so and answers all the same. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/inner.h"
#include "node/follow.h"
#include "node/inner.h"
#include "node/shard_inner.h"
#include "schema/record.h"
#include "schema/tree.h"
#include "support.h"

static struct node node;
static char root[64];
static uint64_t next;
static struct log_report report;

static void open_log(void)
{
    static char path[2][96];
    struct log_config config = {.disk = &disk_posix,
                                .dir = {path[0], path[1]},
                                .partition_count = 1,
                                .sync = LOG_SYNC_NONE,
                                .segment_bytes = 1 << 20,
                                .threads = true,
                                .create = true,
                                .trust_sealed = true};

    for (int copy = 0; copy < 2; copy++)
        snprintf(path[copy], sizeof path[copy], "%s/log.%c", root, 'a' + copy);
    assert_int_equal(log_open(&config, &node.shards[0].partition.log, &report), STATUS_OK);
    next = report.last_sequence + 1;
}

static int setup(void **state)
{
    (void)state;
    test_dir_make(root);
    node = (struct node){.count = 1};
    config_default(&node.config);
    node.config.discover_memory = 1 << 20;
    snprintf(node.config.data, sizeof node.config.data, "%s", root);
    node.shards = calloc(1, sizeof *node.shards);
    assert_non_null(node.shards);
    open_log();
    return 0;
}

static void stop(void)
{
    follow_close(node.follow[READER_DISCOVER]);
    node.follow[READER_DISCOVER] = NULL;
    log_close(node.shards[0].partition.log);
}

static int teardown(void **state)
{
    (void)state;
    stop();
    free(node.shards);
    test_dir_remove(root);
    return 0;
}

static void start(void)
{
    char message[256] = "";

    assert_int_equal(follow_open(&node, READER_DISCOVER, &node.follow[READER_DISCOVER], message),
                     STATUS_OK);
    assert_int_equal(follow_start(node.follow[READER_DISCOVER]), STATUS_OK);
}

/* A batch of likes, and an effect, which is passed over. */
static void append(uint32_t count)
{
    struct log *log = node.shards[0].partition.log;
    static uint8_t body[100 * RECORD_BYTES_MAX];
    size_t size = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct record record = {.kind = i == 1 ? RECORD_EFFECT : VERB_LIKE,
                                .fields = RECORD_CHANGED,
                                .account = next + i,
                                .target = 7};

        size += record_encode(&record, body + size);
    }
    while (log_has_room(log, size) != STATUS_OK)
        sched_yield();
    log_append(log, next, count, (int64_t)next * 1000, body, size);
    next += count;
}

static void wait_durable(void)
{
    while (log_durable(node.shards[0].partition.log) < next - 1)
        sched_yield();
}

static _Alignas(16) uint8_t storage[CALL_STORAGE_BYTES];
static _Atomic bool answered;

static void on_done(struct call *call)
{
    (void)call;
    atomic_store(&answered, true);
}

/* What LAG tells; its members by name. */
static struct call ask_lag(bool digest)
{
    static struct call call;

    call = (struct call){.request = {.verb = VERB_LAG},
                         .done = on_done,
                         .storage = storage,
                         .storage_size = sizeof storage};
    call.request.u.ask.words[0] = digest;
    atomic_store(&answered, false);
    follow_ask(node.follow[READER_DISCOVER], &call);
    while (!atomic_load(&answered))
        sched_yield();
    assert_int_equal(call.reply.kind, REPLY_TREE);
    return call;
}

static const struct tree_node *member(const struct call *call, const char *name)
{
    for (uint32_t i = 0; i < call->reply.count; i++)
        if (call->reply.u.tree[i].name != NULL && strcmp(call->reply.u.tree[i].name, name) == 0)
            return &call->reply.u.tree[i];
    fail_msg("no member %s", name);
    return NULL;
}

static bool is_state(const struct call *call, const char *state)
{
    const struct tree_node *node_of = member(call, "state");

    return node_of->count == strlen(state) && memcmp(node_of->u.text, state, node_of->count) == 0;
}

static void digest_of_all(char text[65])
{
    struct call call = ask_lag(true);

    while (member(&call, "applied")->u.id < next - 1)
        call = ask_lag(true);
    memcpy(text, member(&call, "digest")->u.text, 64);
    text[64] = '\0';
}

static void who_asks_sees_what_is_durable(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 300; i++) {
        struct call call;

        append(1 + (uint32_t)i % 5);
        wait_durable();
        call = ask_lag(false);
        assert_true(is_state(&call, "following"));
        assert_int_equal(member(&call, "applied")->u.id, next - 1);
        assert_int_equal(member(&call, "durable")->u.id, next - 1);
        assert_int_equal(member(&call, "late_ms")->u.integer, 0);
    }
}

static void it_goes_on_where_it_was(void **state)
{
    char live[65], again[65], path[128];

    (void)state;
    for (int life = 0; life < 4; life++) {
        struct facts facts = {0};

        start();
        for (int i = 0; i < 200; i++)
            append(1 + (uint32_t)i % 50);
        wait_durable();
        digest_of_all(live);
        stop();
        open_log();
        snprintf(path, sizeof path, "%s/readers/discover.checkpoint", root);
        if (life % 2)
            assert_int_equal(unlink(path), 0);
        start();
        digest_of_all(again);
        assert_string_equal(again, live);
        do /* figures are published now and then */
            follow_facts(node.follow[READER_DISCOVER], &facts);
        while (facts.readers[READER_DISCOVER].lag_records > 0 ||
               (life % 2 && facts.readers[READER_DISCOVER].records == 0));
        assert_int_equal(facts.readers[READER_DISCOVER].records, life % 2 ? next - 1 : 0);
        stop();
        open_log();
    }
}

static void append_one(const struct record *record)
{
    static uint8_t body[RECORD_BYTES_MAX];

    log_append(node.shards[0].partition.log, next, 1, (int64_t)next * 1000, body,
               record_encode(record, body));
    next++;
    wait_durable();
}

/* An effect says again what another partition has decided, but for one that settles a like where it
 * lives: that one is told nowhere else. */
static void an_effect_is_seen_if_it_tells_what_was_before(void **state)
{
    struct record like = {.kind = VERB_LIKE, .fields = RECORD_CHANGED, .account = 1, .target = 7};
    struct record effect = {.kind = RECORD_EFFECT,
                            .fields = RECORD_CHANGED | RECORD_HAS_ARGS | RECORD_HAS_VERDICT,
                            .account = 1,
                            .target = 7,
                            .a = 1,
                            .b = (uint64_t)EFFECT_SETTLE << 32,
                            .verdict = {.mark = MARK_VOIDED, .reason = REASON_REVIEW}};
    char before[65], after[65];

    (void)state;
    start();
    append_one(&like);
    digest_of_all(before);
    append_one(&effect);
    digest_of_all(after);
    assert_string_equal(before, after);
    effect.fields |= RECORD_HAS_BEFORE;
    effect.before_pct = WEIGHT_FULL;
    append_one(&effect);
    digest_of_all(after);
    assert_string_not_equal(before, after);
}

/* Damage at a place in both copies of the first segment. */
static void damage(off_t at)
{
    for (int copy = 0; copy < 2; copy++) {
        char path[160];
        uint8_t byte;
        int fd;

        snprintf(path, sizeof path, "%s/log.%c/0000000000000001.zlog", root, 'a' + copy);
        fd = open(path, O_RDWR);
        assert_true(fd >= 0);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
    }
}

static void what_cannot_be_read_stalls_it_and_nothing_else(void **state)
{
    struct facts facts = {0};
    struct call call;

    (void)state;
    for (int i = 0; i < 1500; i++)
        append(100);
    wait_durable();
    damage(300000);
    start();
    do
        call = ask_lag(false);
    while (!is_state(&call, "stalled"));
    assert_true(member(&call, "applied")->u.id > 1000);
    assert_true(member(&call, "applied")->u.id < next - 1);
    append(10);
    wait_durable(); /* the log goes on */
    call = ask_lag(false);
    assert_int_equal(member(&call, "durable")->u.id, next - 1);
    do
        follow_facts(node.follow[READER_DISCOVER], &facts);
    while (!facts.readers[READER_DISCOVER].stalled);
    assert_non_null(strstr(facts.readers[READER_DISCOVER].reason, "partition 0, after record"));
    follow_close(node.follow[READER_DISCOVER]);
    node.follow[READER_DISCOVER] = NULL;
    call = (struct call){0};
    start(); /* and nothing it had made of a part was kept */
    damage(300000);
    do
        call = ask_lag(false);
    while (member(&call, "applied")->u.id < next - 1);
    assert_true(is_state(&call, "following"));
}

/* What the log has for good, and this program cannot read. */
static void a_record_it_cannot_read_stalls_it(void **state)
{
    static const uint8_t garbage[16] = {0xEE, 0xFF, 0xFF, 0xFF, 0xFF};
    struct log *log = node.shards[0].partition.log;
    char path[128];
    struct call call;

    (void)state;
    append(10);
    while (log_has_room(log, sizeof garbage) != STATUS_OK)
        sched_yield();
    log_append(log, next, 1, (int64_t)next * 1000, garbage, sizeof garbage);
    next++;
    append(10);
    wait_durable();
    start();
    do
        call = ask_lag(false);
    while (!is_state(&call, "stalled"));
    assert_int_equal(member(&call, "applied")->u.id, 10);
    call = (struct call){.request = {.verb = VERB_HEAT, .target = 7},
                         .done = on_done,
                         .storage = storage,
                         .storage_size = sizeof storage};
    atomic_store(&answered, false);
    follow_ask(node.follow[READER_DISCOVER], &call);
    while (!atomic_load(&answered))
        sched_yield();
    assert_int_equal(call.reply.kind, REPLY_ERROR);
    assert_int_equal(call.reply.status, STATUS_STALLED);
    follow_close(node.follow[READER_DISCOVER]);
    node.follow[READER_DISCOVER] = NULL;
    snprintf(path, sizeof path, "%s/readers/discover.checkpoint", root);
    assert_int_equal(access(path, F_OK), -1); /* of half a log none is kept */
}

/* The door of a partition has so many questions under way, and no more: one more is refused, and
 * none is lost. */
static void a_door_asks_so_many_at_a_time(void **state)
{
    struct shard *shard = &node.shards[0];
    struct serve_config config = {.address = "127.0.0.1:0", .connections_max = 4};
    struct serve_ticket ticket = {.connection = 0, .generation = 7}; /* he has gone */
    struct request request = {.verb = VERB_LAG};
    struct entry entry = {0};
    char message[256] = "";
    uint32_t taken = 0;

    (void)state;
    shard->node = &node;
    shard->entries_tail = &shard->entries;
    shard->free_entries = &entry;
    assert_int_equal(serve_open(&config, &shard->serve, message), STATUS_OK);
    assert_int_equal(shard_asks_open(shard), STATUS_OK);
    assert_int_equal(shard_ask(shard, &ticket, &request), STATUS_OFF);
    assert_int_equal(follow_open(&node, READER_DISCOVER, &node.follow[READER_DISCOVER], message),
                     STATUS_OK); /* answers nobody yet */
    while (shard_ask(shard, &ticket, &request) == STATUS_OK)
        taken++;
    assert_int_equal(taken, 64);
    assert_int_equal(shard_ask(shard, &ticket, &request), STATUS_BUSY);
    assert_int_equal(atomic_load(&node.outstanding), 64);
    assert_int_equal(follow_start(node.follow[READER_DISCOVER]), STATUS_OK);
    while (atomic_load(&node.outstanding) > 0) {
        shard_do_answers(shard);
        shard->entries = NULL; /* as if what it needs were durable */
        shard->entries_tail = &shard->entries;
        shard->free_entries = &entry;
    }
    assert_int_equal(shard_ask(shard, &ticket, &request), STATUS_OK);
    while (atomic_load(&shard->answered) == NULL)
        sched_yield();
    serve_close(shard->serve);
    shard_asks_close(shard);
}

static void off_is_nobody(void **state)
{
    char message[256];

    (void)state;
    node.config.discover_memory = 0;
    assert_int_equal(follow_open(&node, READER_DISCOVER, &node.follow[READER_DISCOVER], message),
                     STATUS_OK);
    assert_null(node.follow[READER_DISCOVER]);
    follow_facts(node.follow[READER_DISCOVER], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_asks_sees_what_is_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(an_effect_is_seen_if_it_tells_what_was_before, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(it_goes_on_where_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_stalls_it_and_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_record_it_cannot_read_stalls_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_door_asks_so_many_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(off_is_nobody, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
