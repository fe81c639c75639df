#include "node/follow.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hook.h"
#include "log/log.h"
#include "node/clock.h"
#include "node/inner.h"
#include "readers/checkpoint.h"
#include "readers/reader.h"
#include "schema/tree.h"
#include "serve/attest.h"

#define NICE        5
#define FACTS_US    50000
#define TRIES_MAX   10 /* at a batch that cannot be read, before it is given up */
#define TRY_WAIT_MS 100
#define PATH_BYTES  512

enum follow_state { FOLLOW_CATCHING_UP, FOLLOW_FOLLOWING, FOLLOW_STALLED };

static const char *const state_names[] = {"catching-up", "following", "stalled"};

/* The readers there are. bytes: 0: it is off. */
struct follow_kind {
    const char *setting;
    uint64_t (*bytes)(const struct config *config);
    enum status (*open)(struct follow *follow, uint64_t bytes);
};

/* A partition's log. */
struct followed {
    struct follow *follow;
    struct log *log;
    struct log_follow *reading;
    uint16_t partition;
    int64_t level_us; /* when it was last seen that nothing is left to be read; 0: not yet */
    bool has_next;    /* a batch that is durable and was not read yet, made at next_us */
    int64_t next_us;
};

struct follow {
    struct node *node;
    enum reader_kind kind;
    struct reader reader;
    bool has_reader;
    enum follow_state state;
    char message[200]; /* why it is stalled */
    uint16_t count;
    struct followed sources[ENGINE_PARTITIONS_MAX];
    struct reader_lag lag[ENGINE_PARTITIONS_MAX];
    uint64_t records, requests[VERB_COUNT];
    uint64_t read_bytes; /* of batches' bodies */
    int tries;
    int64_t tick_us, facts_us;
    char dir[PATH_BYTES], model_path[PATH_BYTES];
    struct checkpoint_work *work;
    struct checkpoint_place places[ENGINE_PARTITIONS_MAX];
    uint64_t saved_records; /* as of the last checkpoint */
    uint64_t checkpoints, checkpoint_bytes, checkpoint_us;
    int64_t saved_wall_us, saved_steady_us;
    bool refused; /* the checkpoint that was found */
    /* mail */
    _Atomic(struct call *) calls;
    struct call *waiting; /* oldest first */
    int wake_fd;
    _Atomic bool stop;
    bool started;
    pthread_t thread;
    pthread_mutex_t mutex;
    struct reader_facts facts; /* this and the next: under the mutex */
    uint64_t published_requests[VERB_COUNT];
};

/* --- reading ------------------------------------------------------------------------------------
 */

static void stall(struct follow *follow, const char *why)
{
    if (follow->state == FOLLOW_STALLED)
        return;
    follow->state = FOLLOW_STALLED;
    snprintf(follow->message, sizeof follow->message, "%s", why);
    fprintf(stderr, "zan: ALARM: %s has stopped: %s; likes go on\n", follow->reader.name, why);
}

static void stall_at(struct follow *follow, const struct followed *source, const char *what)
{
    char why[160];

    snprintf(why, sizeof why, "partition %u, after record %llu: %.90s", (unsigned)source->partition,
             (unsigned long long)follow->lag[source->partition].applied, what);
    stall(follow, why);
}

/* A batch of the log: each record that is a decision goes to the reader. */
static enum status read_batch(void *argument, uint64_t first_sequence, uint32_t count,
                              int64_t time_us, const uint8_t *body, size_t size)
{
    struct followed *source = argument;
    struct follow *follow = source->follow;
    struct reader_lag *lag = &follow->lag[source->partition];

    follow->read_bytes += size;
    for (uint32_t i = 0; i < count; i++) {
        struct record record;
        size_t used = record_decode(body, size, &record);
        enum status status = STATUS_OK;

        if (used == 0) {
            stall_at(follow, source, "a record that cannot be read");
            return STATUS_CORRUPT;
        }
        body += used;
        size -= used;
        record.sequence = first_sequence + i;
        record.time_us = time_us;
        if (record.kind != RECORD_EFFECT || record.fields & RECORD_HAS_BEFORE)
            status = follow->reader.apply(follow->reader.self, source->partition, &record);
        if (status != STATUS_OK) {
            stall_at(follow, source, "the next one was not taken");
            return status;
        }
        lag->applied = record.sequence;
        lag->time_us = time_us;
        follow->records++;
    }
    return STATUS_OK;
}

/* It failed: a disk may do so for a moment. */
static void try_again(struct follow *follow, const struct followed *source, enum status status)
{
    if (++follow->tries >= TRIES_MAX)
        stall_at(follow, source, status_info(status)->text);
}

/* What of each log comes next, as of a moment at which nothing older was durable in any of them.
 * Looked at are those that had nothing, until in a whole round none of them has something new:
 * whatever was durable before a batch that was found has then been found too. False: one cannot be
 * read. */
static bool look_at_next(struct follow *follow)
{
    bool found;

    do {
        found = false;
        for (uint16_t i = 0; i < follow->count; i++) {
            struct followed *source = &follow->sources[i];
            enum status status;

            if (source->has_next)
                continue;
            status = log_follow_next(source->reading, &source->next_us);
            source->has_next = status == STATUS_OK;
            found = found || source->has_next;
            if (status != STATUS_OK && status != STATUS_UNCHANGED) {
                try_again(follow, source, status);
                return false;
            }
        }
    } while (found && follow->count > 1);
    follow->tries = 0;
    return true;
}

/* The log whose next batch is the oldest; NULL: nothing is left. So who was told that something is
 * durable, and did the next thing in another partition, is read in that order. */
static struct followed *oldest(struct follow *follow)
{
    struct followed *first = NULL;

    for (uint16_t i = 0; i < follow->count; i++) {
        struct followed *source = &follow->sources[i];

        if (source->has_next && (first == NULL || source->next_us < first->next_us))
            first = source;
    }
    return PLANTED("node.follow_any_order") && follow->sources[follow->count - 1].has_next
               ? &follow->sources[follow->count - 1]
               : first;
}

static uint64_t bytes_of(struct follow *follow)
{
    return follow->count > 1 ? 1 : FOLLOW_SLICE_BYTES; /* with several, one batch at a time */
}

/* True: there is more. */
static bool read_some(struct follow *follow, struct followed *source)
{
    struct reader_lag *lag = &follow->lag[source->partition];
    enum status status = log_follow_step(source->reading, bytes_of(follow), read_batch, source);

    source->has_next = false;
    if (follow->state == FOLLOW_STALLED)
        return false;
    lag->durable = log_durable(source->log);
    if (status != STATUS_OK)
        try_again(follow, source, status);
    return status == STATUS_OK;
}

static void look_how_late(struct follow *follow, int64_t now_us)
{
    for (uint16_t i = 0; i < follow->count; i++) {
        struct reader_lag *lag = &follow->lag[i];
        struct followed *source = &follow->sources[i];
        int64_t since_us = now_us - lag->time_us, level_us = now_us - source->level_us;

        lag->durable = log_durable(source->log);
        if (lag->applied >= lag->durable) {
            source->level_us = now_us;
            lag->late_ms = 0;
            continue;
        }
        since_us = since_us < level_us ? since_us : level_us;
        since_us = since_us < 0 ? 0 : since_us;
        lag->late_ms = since_us / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(since_us / 1000 + 1);
    }
}

static struct reader_now now_of(struct follow *follow)
{
    int64_t now_us = clock_wall_us();

    look_how_late(follow, now_us);
    return (struct reader_now){.now_us = now_us, .partitions = follow->count, .lag = follow->lag};
}

/* True: there is more. */
static bool read_all(struct follow *follow)
{
    uint64_t most = follow->read_bytes + FOLLOW_SLICE_BYTES;
    struct followed *source = NULL;

    while (follow->state != FOLLOW_STALLED && follow->read_bytes < most) {
        if (!look_at_next(follow))
            return false;
        source = oldest(follow);
        if (source == NULL || !read_some(follow, source))
            break;
    }
    if (source == NULL && follow->state == FOLLOW_CATCHING_UP)
        follow->state = FOLLOW_FOLLOWING;
    return source != NULL && follow->state != FOLLOW_STALLED && follow->tries == 0;
}

static void tick(struct follow *follow, int64_t steady_us)
{
    struct reader_now now;

    if (follow->state == FOLLOW_STALLED || steady_us - follow->tick_us < READER_TICK_US)
        return;
    follow->tick_us = steady_us;
    now = now_of(follow);
    follow->reader.tick(follow->reader.self, &now);
}

/* --- answering ----------------------------------------------------------------------------------
 */

static void put_digest(struct tree_builder *tree, struct follow *follow)
{
    uint8_t digest[32];
    char text[64];

    follow->reader.digest(follow->reader.self, digest);
    hex_put(text, digest, sizeof digest);
    tree_text(tree, "digest", text, sizeof text);
}

static void put_lag(struct tree_builder *tree, const struct follow *follow)
{
    tree_list(tree, "partitions");
    for (uint16_t i = 0; i < follow->count; i++) {
        const struct reader_lag *lag = &follow->lag[i];

        tree_map(tree, NULL);
        tree_counter(tree, "partition", i);
        tree_id(tree, "applied", lag->applied);
        tree_id(tree, "durable", lag->durable);
        tree_counter(tree, "late_ms", lag->late_ms);
        tree_end(tree);
    }
    tree_end(tree);
}

static void answer_lag(struct follow *follow, struct call *call)
{
    struct tree_builder tree;
    struct reader_about about = {0};

    follow->reader.about(follow->reader.self, &about);
    tree_begin(&tree, call);
    tree_word(&tree, "reader", follow->reader.name);
    tree_word(&tree, "state", state_names[follow->state]);
    tree_counter(&tree, "formula", about.formula);
    tree_counter(&tree, "model", about.model);
    if (about.model_message[0] != '\0')
        tree_text(&tree, "model_message", about.model_message, strlen(about.model_message));
    else
        tree_null(&tree, "model_message");
    tree_counter(&tree, "rows", about.rows);
    tree_counter(&tree, "rows_max", about.rows_max);
    tree_counter(&tree, "bytes", about.bytes);
    tree_counter(&tree, "bytes_max", about.bytes_max);
    if (call->request.u.ask.words[0] == 1)
        put_digest(&tree, follow);
    else
        tree_null(&tree, "digest");
    if (follow->saved_wall_us > 0)
        tree_counter(&tree, "checkpoint_ms", (uint64_t)follow->saved_wall_us / 1000);
    else
        tree_null(&tree, "checkpoint_ms");
    put_lag(&tree, follow);
    tree_finish(&tree, call);
}

static void answer(struct follow *follow, struct call *call)
{
    struct reader_now now = now_of(follow);

    if (call->request.verb == VERB_LAG)
        answer_lag(follow, call);
    else if (follow->state == FOLLOW_STALLED)
        tree_refuse(call, STATUS_STALLED);
    else
        follow->reader.answer(follow->reader.self, call, &now);
    follow->requests[call->request.verb]++;
    call->done(call);
}

void follow_ask(struct follow *follow, struct call *call)
{
    uint64_t one = 1;

    call->next = atomic_load(&follow->calls);
    while (!atomic_compare_exchange_weak(&follow->calls, &call->next, call))
        continue;
    while (write(follow->wake_fd, &one, sizeof one) < 0)
        continue;
}

static void take_mail(struct follow *follow)
{
    struct call *call = atomic_exchange(&follow->calls, NULL), *first = NULL;
    struct call **tail = &follow->waiting;

    while (call != NULL) {
        struct call *next = call->next;

        call->next = first;
        first = call;
        call = next;
    }
    while (*tail != NULL)
        tail = &(*tail)->next;
    *tail = first;
}

/* After a slice of the logs was read: who asks now sees what was acknowledged before. */
static void answer_all(struct follow *follow)
{
    for (struct call *call = follow->waiting, *next; call != NULL; call = next) {
        next = call->next;
        answer(follow, call);
    }
    follow->waiting = NULL;
}

/* --- checkpoints --------------------------------------------------------------------------------
 */

static void save(struct follow *follow)
{
    int64_t begin_us = clock_steady_us();
    enum status status;
    uint64_t bytes;

    for (uint16_t i = 0; i < follow->count; i++) {
        log_follow_mark(follow->sources[i].reading, &follow->places[i].mark);
        follow->places[i].time_us = follow->lag[i].time_us;
    }
    status = checkpoint_write(follow->work, &disk_posix, follow->dir, &follow->reader,
                              follow->places, follow->count, &bytes);
    follow->saved_steady_us = clock_steady_us(); /* also if it failed: not again at once */
    if (status != STATUS_OK) {
        fprintf(stderr, "zan: note: no checkpoint of %s: %s\n", follow->reader.name,
                status_info(status)->text);
        return;
    }
    follow->saved_records = follow->records;
    follow->saved_wall_us = clock_wall_us();
    follow->checkpoints++;
    follow->checkpoint_bytes = bytes;
    follow->checkpoint_us = (uint64_t)(follow->saved_steady_us - begin_us);
}

static void save_now_and_then(struct follow *follow, int64_t steady_us)
{
    if (follow->state != FOLLOW_STALLED && follow->records > follow->saved_records &&
        steady_us - follow->saved_steady_us >= FOLLOW_CHECKPOINT_US)
        save(follow);
}

/* --- the thread ---------------------------------------------------------------------------------
 */

static void publish(struct follow *follow, int64_t steady_us)
{
    struct reader_about about = {0};
    struct reader_facts facts = {.on = true, .stalled = follow->state == FOLLOW_STALLED};

    if (steady_us - follow->facts_us < FACTS_US)
        return;
    follow->facts_us = steady_us;
    look_how_late(follow, clock_wall_us());
    follow->reader.about(follow->reader.self, &about);
    snprintf(facts.name, sizeof facts.name, "%s", follow->reader.name);
    snprintf(facts.state, sizeof facts.state, "%s", state_names[follow->state]);
    snprintf(facts.reason, sizeof facts.reason, "%s", follow->message);
    for (uint16_t i = 0; i < follow->count; i++) {
        const struct reader_lag *lag = &follow->lag[i];

        facts.lag_records += lag->durable > lag->applied ? lag->durable - lag->applied : 0;
        facts.late_us =
            lag->late_ms * 1000ULL > facts.late_us ? lag->late_ms * 1000ULL : facts.late_us;
    }
    facts.records = follow->records;
    facts.rows = about.rows;
    facts.rows_max = about.rows_max;
    facts.bytes = about.bytes;
    facts.bytes_max = about.bytes_max;
    facts.formula = about.formula;
    facts.model = about.model;
    facts.models_taken = about.models_taken;
    facts.models_refused = about.models_refused;
    snprintf(facts.model_message, sizeof facts.model_message, "%s", about.model_message);
    facts.checkpoints = follow->checkpoints;
    facts.checkpoint_bytes = follow->checkpoint_bytes;
    facts.checkpoint_us = follow->checkpoint_us;
    facts.checkpoint_s = (uint64_t)follow->saved_wall_us / 1000000;
    facts.checkpoint_refused = follow->refused;
    pthread_mutex_lock(&follow->mutex);
    follow->facts = facts;
    memcpy(follow->published_requests, follow->requests, sizeof follow->requests);
    pthread_mutex_unlock(&follow->mutex);
}

static void wait_for_work(struct follow *follow, bool more)
{
    struct pollfd wake = {.fd = follow->wake_fd, .events = POLLIN};
    int timeout = more                                                   ? 0
                  : follow->tries > 0 && follow->state != FOLLOW_STALLED ? TRY_WAIT_MS
                                                                         : FOLLOW_POLL_MS;
    uint64_t count;

    if (poll(&wake, 1, timeout) > 0 && read(follow->wake_fd, &count, sizeof count) < 0)
        return; /* somebody else has read it: nobody does */
}

static void *follow_main(void *argument)
{
    struct follow *follow = argument;
    bool more = true;

    pthread_setname_np(pthread_self(), "zan-reader");
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    while (!atomic_load(&follow->stop)) {
        int64_t steady_us;

        wait_for_work(follow, more);
        take_mail(follow);
        more = read_all(follow);
        steady_us = clock_steady_us();
        tick(follow, steady_us);
        answer_all(follow);
        save_now_and_then(follow, steady_us);
        publish(follow, steady_us);
    }
    return NULL;
}

/* --- opening and closing ------------------------------------------------------------------------
 */

/* A decision of the reader's own. */
static void submit_own(void *context, struct call *call)
{
    struct node *node = context;

    call->request.role = ROLE_ALL;
    call->request.caller = 0;
    if (atomic_load(&node->stopping)) {
        tree_refuse(call, STATUS_STOPPING);
        call->done(call);
        return;
    }
    route_submit(node, call);
}

static enum status follow_logs(struct follow *follow, bool from_places)
{
    for (uint16_t i = 0; i < follow->count; i++) {
        struct followed *source = &follow->sources[i];
        const struct checkpoint_place *place = from_places ? &follow->places[i] : NULL;
        enum status status =
            log_follow_open(source->log, place != NULL ? &place->mark : NULL, &source->reading);

        if (status != STATUS_OK)
            return status;
        follow->lag[i] = (struct reader_lag){
            .applied = place != NULL ? place->mark.sequence : 0,
            .durable = log_durable(source->log),
            .time_us = place != NULL ? place->time_us : 0,
        };
    }
    return STATUS_OK;
}

static void leave_logs(struct follow *follow)
{
    for (uint16_t i = 0; i < follow->count; i++) {
        log_follow_close(follow->sources[i].reading);
        follow->sources[i].reading = NULL;
    }
}

/* From the checkpoint on if there is one, and it is of these logs; else from the first record. */
static enum status begin(struct follow *follow)
{
    char why[160] = "it is not of this log: longer, or of another history";
    enum status status = checkpoint_read(follow->work, &disk_posix, follow->dir, &follow->reader,
                                         follow->places, follow->count, why);

    if (status == STATUS_OK &&
        follow_logs(follow, !PLANTED("node.follow_reads_twice")) == STATUS_OK)
        return STATUS_OK;
    leave_logs(follow);
    if (status != STATUS_UNCHANGED) {
        follow->refused = true;
        fprintf(stderr,
                "zan: note: the checkpoint of %s is refused: %s; it is made again from "
                "the log\n",
                follow->reader.name, why);
        follow->reader.clear(follow->reader.self);
    }
    return follow_logs(follow, false);
}

static void make_token(void *context, const struct impression *impression,
                       char text[IMPRESSION_TEXT])
{
    attest_make(context, impression, text);
}

static uint64_t discover_bytes(const struct config *config)
{
    return config->discover_memory;
}

static enum status open_discover(struct follow *follow, uint64_t bytes)
{
    struct reader_discover_config config = {
        .bytes = bytes < READER_DISCOVER_BYTES_MIN ? READER_DISCOVER_BYTES_MIN : bytes,
        .partitions = follow->count,
        .door = {.context = follow->node, .submit = submit_own},
        .tokens = {.context = follow->node->epochs,
                   .make = follow->node->epochs != NULL ? make_token : NULL},
        .disk = &disk_posix,
        .model_path = follow->model_path,
        .heat = follow->node->config.heat,
        .feed = follow->node->config.feed,
        .pool = follow->node->config.pool,
        .newcomer_credits = follow->node->config.newcomer_credits,
    };

    config_model_path(&follow->node->config, follow->model_path, sizeof follow->model_path);
    return reader_discover_open(&config, &follow->reader);
}

static uint64_t insight_bytes(const struct config *config)
{
    return config->insight_memory;
}

static enum status open_insight(struct follow *follow, uint64_t bytes)
{
    return reader_insight_open(bytes < READER_INSIGHT_BYTES_MIN ? READER_INSIGHT_BYTES_MIN : bytes,
                               follow->count, &follow->reader);
}

static_assert(READER_KINDS <= FACTS_READERS_MAX, "figures of each");

static const struct follow_kind kinds[READER_KINDS] = {
    [READER_DISCOVER] = {"discover-memory", discover_bytes, open_discover},
    [READER_INSIGHT] = {"insight-memory", insight_bytes, open_insight},
};

static enum status open_reader(struct follow *follow)
{
    const struct follow_kind *kind = &kinds[follow->kind];
    enum status status = kind->open(follow, kind->bytes(&follow->node->config));

    follow->has_reader = status == STATUS_OK;
    return status;
}

static enum status prepare(struct follow *follow, char message[256])
{
    enum status status = STATUS_NOMEMORY;

    path_join(follow->dir, sizeof follow->dir, follow->node->config.data, "readers");
    follow->work = calloc(1, sizeof *follow->work);
    follow->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (uint16_t i = 0; i < follow->count; i++)
        follow->sources[i] = (struct followed){
            .follow = follow, .log = follow->node->shards[i].partition.log, .partition = i};
    if (follow->work != NULL && follow->wake_fd >= 0)
        status = open_reader(follow);
    if (status != STATUS_OK) {
        snprintf(message, 256, "no memory for a reader (setting %s)", kinds[follow->kind].setting);
        return status;
    }
    if (disk_posix.make_dir(disk_posix.context, follow->dir) != 0) {
        snprintf(message, 256, "cannot make directory %.200s", follow->dir);
        return STATUS_IOFAIL;
    }
    status = begin(follow);
    if (status != STATUS_OK)
        snprintf(message, 256, "reader %s: %s", follow->reader.name, status_info(status)->text);
    return status;
}

enum status follow_open(struct node *node, enum reader_kind kind, struct follow **result,
                        char message[256])
{
    struct follow *follow;
    enum status status;

    *result = NULL;
    if (kinds[kind].bytes(&node->config) == 0)
        return STATUS_OK;
    follow = calloc(1, sizeof *follow);
    if (follow == NULL)
        return STATUS_NOMEMORY;
    follow->node = node;
    follow->kind = kind;
    follow->count = node->count;
    follow->wake_fd = -1;
    follow->saved_steady_us = clock_steady_us();
    pthread_mutex_init(&follow->mutex, NULL);
    status = prepare(follow, message);
    if (status == STATUS_OK)
        *result = follow;
    else
        follow_close(follow);
    return status;
}

enum status follow_start(struct follow *follow)
{
    if (follow == NULL)
        return STATUS_OK;
    follow->facts_us = -FACTS_US;
    publish(follow, 0);
    if (pthread_create(&follow->thread, NULL, follow_main, follow) != 0)
        return STATUS_NOMEMORY;
    follow->started = true;
    return STATUS_OK;
}

void follow_facts(struct follow *follow, struct facts *facts)
{
    if (follow == NULL)
        return;
    pthread_mutex_lock(&follow->mutex);
    facts->readers[follow->kind] = follow->facts;
    for (int verb = 0; verb < VERB_COUNT; verb++)
        facts->requests[verb] += follow->published_requests[verb];
    pthread_mutex_unlock(&follow->mutex);
}

/* What is durable and not read yet is read now, if it is not much: a start reads it otherwise. */
static void end(struct follow *follow)
{
    uint64_t one = 1;

    atomic_store(&follow->stop, true);
    while (write(follow->wake_fd, &one, sizeof one) < 0)
        continue;
    pthread_join(follow->thread, NULL);
    for (int i = 0; i < 16 && read_all(follow); i++)
        continue;
    if (follow->state != FOLLOW_STALLED && follow->records > follow->saved_records)
        save(follow);
}

void follow_close(struct follow *follow)
{
    if (follow == NULL)
        return;
    if (follow->started)
        end(follow);
    leave_logs(follow);
    if (follow->has_reader)
        follow->reader.close(follow->reader.self);
    if (follow->wake_fd >= 0)
        close(follow->wake_fd);
    free(follow->work);
    pthread_mutex_destroy(&follow->mutex);
    free(follow);
}
