#include "serve/push.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hook.h"
#include "wire/text.h"

#define TICK_NS (PUSH_TICK_MS * 1000000L)

/* What is told of an item, under which name; the first at every second tick. */
static const struct {
    enum verb verb;
    const char *name;
} totals[] = {{VERB_LIKES, "like"},
              {VERB_FAVORITES, "favorite"},
              {VERB_VIEWS, "view"},
              {VERB_COMMENTS, "comment"},
              {VERB_SHARES, "share"}};

#define TOTALS (sizeof totals / sizeof *totals)

struct push_stream {
    struct push *push;
    struct push_stream *next;
    void *owner;
    struct identity who;
    uint64_t ids[PUSH_IDS_MAX];
    uint32_t count;
    uint64_t told[TOTALS][PUSH_IDS_MAX];
    bool known[TOTALS];
    /* guarded by push->lock from here on */
    struct call call;
    uint32_t asked; /* which of totals */
    bool asking, answered;
    bool asleep; /* wants to be woken */
    bool over;   /* nothing follows what is in out */
    bool ended;  /* nobody's any more; freed when nothing is under way */
    struct text out;
    size_t out_taken;
    int64_t told_ms; /* monotonic; when something was last taken */
    _Alignas(16) uint8_t storage[PUSH_IDS_MAX * sizeof(uint64_t) + 64];
};

struct push {
    struct push_config config;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct push_stream *streams;
    uint32_t count; /* that are somebody's */
    uint64_t tick;
    bool stopped, closing;
};

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- what a stream is told ----------------------------------------------------------------------
 */

static bool is_drained(const struct push_stream *stream)
{
    return stream->out_taken == stream->out.size;
}

static void start_text(struct push_stream *stream)
{
    assert(is_drained(stream));
    stream->out.size = 0;
    stream->out_taken = 0;
}

/* data: {"like":{"9":12}}: those that differ from what was told; all, the first time. */
static void tell_values(struct push_stream *stream, const uint64_t *values)
{
    uint64_t *told = stream->told[stream->asked];
    bool first = true;

    for (uint32_t i = 0; i < stream->count; i++) {
        if (stream->known[stream->asked] && told[i] == values[i])
            continue;
        if (first) {
            start_text(stream);
            text_puts(&stream->out, "data: {\"");
            text_puts(&stream->out, totals[stream->asked].name);
            text_puts(&stream->out, "\":{");
        }
        text_puts(&stream->out, first ? "\"" : ",\"");
        text_u64(&stream->out, stream->ids[i]);
        text_puts(&stream->out, "\":");
        text_u64(&stream->out, values[i]);
        told[i] = values[i];
        first = false;
    }
    if (!first)
        text_puts(&stream->out, "}}\n\n");
    stream->known[stream->asked] = true;
}

static void tell_end(struct push_stream *stream, enum status status)
{
    start_text(stream);
    text_puts(&stream->out, "event: end\ndata: \"");
    text_puts(&stream->out, status_info(status)->code);
    text_puts(&stream->out, "\"\n\n");
    stream->over = true;
}

/* Refusals that pass by themselves: the numbers come a little later. */
static bool passes(const struct reply *reply)
{
    return reply->retry_ms > 0 || reply->status == STATUS_BUSY;
}

static void take_answer(struct push_stream *stream)
{
    const struct reply *reply = &stream->call.reply;

    stream->asking = stream->answered = false;
    if (stream->ended || stream->over)
        return;
    if (reply->kind == REPLY_INTEGERS && reply->count == stream->count)
        tell_values(stream, reply->u.values);
    else if (reply->kind != REPLY_ERROR || !passes(reply))
        tell_end(stream, reply->kind == REPLY_ERROR ? (enum status)reply->status : STATUS_UNKNOWN);
}

/* --- asking -------------------------------------------------------------------------------------
 */

/* On a partition's thread. */
static void on_done(struct call *call)
{
    struct push_stream *stream = call->owner;
    struct push *push = stream->push;

    pthread_mutex_lock(&push->lock);
    stream->answered = true;
    pthread_cond_broadcast(&push->changed);
    pthread_mutex_unlock(&push->lock);
}

static uint32_t total_of(uint64_t tick)
{
    return tick % 2 == 0 ? 0 : (uint32_t)(1 + tick / 2 % (TOTALS - 1));
}

/* False: the stream is over instead, or has no time for it. */
static bool ready_call(struct push_stream *stream)
{
    const struct push_config *config = &stream->push->config;
    struct request *request = &stream->call.request;
    enum status status;

    if (stream->asking || stream->over || stream->ended || !is_drained(stream))
        return false;
    stream->asked = total_of(stream->push->tick);
    memset(&stream->call, 0, sizeof stream->call);
    request->verb = (uint8_t)totals[stream->asked].verb;
    request->count = (uint16_t)stream->count;
    request->u.ids = stream->ids;
    status = access_judge(&stream->who, config->now_us(config->now_context), request);
    if (status != STATUS_OK) {
        tell_end(stream, status);
        return false;
    }
    stream->call.done = on_done;
    stream->call.owner = stream;
    stream->call.storage = stream->storage;
    stream->call.storage_size = sizeof stream->storage;
    stream->asking = true;
    return true;
}

/* --- the thread ---------------------------------------------------------------------------------
 */

static void beat(struct push_stream *stream, int64_t now_ms)
{
    if (stream->over || !is_drained(stream) || now_ms - stream->told_ms < PUSH_BEAT_S * 1000)
        return;
    start_text(stream);
    text_puts(&stream->out, ":\n\n");
}

static void free_ended(struct push *push)
{
    for (struct push_stream **at = &push->streams; *at != NULL;) {
        struct push_stream *stream = *at;

        if (!stream->ended || stream->asking) {
            at = &stream->next;
            continue;
        }
        *at = stream->next;
        text_free(&stream->out);
        free(stream);
    }
}

/* A stream with something to say whose reader sleeps, and he is to be woken; or NULL. */
static struct push_stream *find_sleeper(struct push *push)
{
    for (struct push_stream *stream = push->streams; stream != NULL; stream = stream->next)
        if (stream->asleep && !stream->ended && (stream->over || !is_drained(stream)))
            return stream;
    return NULL;
}

/* The lock is given up while others are called. A sleeper stays until he is woken, and a stream
 * under way until it is answered, so what was found is still there. */
static void wake_sleepers(struct push *push)
{
    struct push_stream *stream;

    while ((stream = find_sleeper(push)) != NULL) {
        void *owner = stream->owner;

        stream->asleep = false;
        pthread_mutex_unlock(&push->lock);
        push->config.wake(owner);
        pthread_mutex_lock(&push->lock);
    }
}

/* Each stream's question of this tick. While the lock is given up the streams asked for stay,
 * because they are under way. */
static void ask_all(struct push *push)
{
    struct push_stream *ready[PUSH_STREAMS_MAX];
    uint32_t count = 0;

    for (struct push_stream *stream = push->streams; stream != NULL; stream = stream->next)
        if (count < PUSH_STREAMS_MAX && ready_call(stream))
            ready[count++] = stream;
    push->tick++;
    pthread_mutex_unlock(&push->lock);
    for (uint32_t i = 0; i < count; i++)
        push->config.submit(push->config.submit_context, &ready[i]->call);
    pthread_mutex_lock(&push->lock);
}

static void take_answers(struct push *push)
{
    int64_t now_ms = monotonic_ms();

    for (struct push_stream *stream = push->streams; stream != NULL; stream = stream->next) {
        if (stream->answered)
            take_answer(stream);
        beat(stream, now_ms);
    }
}

/* Until the next tick, or an answer. Without streams: until there is one. Returns whether a tick is
 * due. */
static bool wait_for_more(struct push *push, struct timespec *tick)
{
    if (push->streams == NULL) {
        if (!push->closing)
            pthread_cond_wait(&push->changed, &push->lock);
        clock_gettime(CLOCK_MONOTONIC, tick);
        return false;
    }
    if (pthread_cond_timedwait(&push->changed, &push->lock, tick) != ETIMEDOUT)
        return false;
    clock_gettime(CLOCK_MONOTONIC, tick); /* a late one is not made up for */
    tick->tv_nsec += TICK_NS;
    if (tick->tv_nsec >= 1000000000L) {
        tick->tv_nsec -= 1000000000L;
        tick->tv_sec++;
    }
    return true;
}

static void *run(void *context)
{
    struct push *push = context;
    struct timespec tick;

    clock_gettime(CLOCK_MONOTONIC, &tick);
    pthread_mutex_lock(&push->lock);
    while (!push->closing || push->streams != NULL) {
        bool due = wait_for_more(push, &tick);

        take_answers(push);
        if (due && !push->stopped)
            ask_all(push);
        wake_sleepers(push);
        free_ended(push);
    }
    pthread_mutex_unlock(&push->lock);
    return NULL;
}

enum status push_open(const struct push_config *config, struct push **out)
{
    struct push *push = calloc(1, sizeof *push);
    pthread_condattr_t attributes;

    if (push == NULL)
        return STATUS_NOMEMORY;
    push->config = *config;
    if (pthread_condattr_init(&attributes) != 0 ||
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0 ||
        pthread_mutex_init(&push->lock, NULL) != 0 ||
        pthread_cond_init(&push->changed, &attributes) != 0 ||
        pthread_create(&push->thread, NULL, run, push) != 0) {
        free(push);
        return STATUS_NOMEMORY;
    }
    pthread_condattr_destroy(&attributes);
    *out = push;
    return STATUS_OK;
}

void push_stop(struct push *push)
{
    pthread_mutex_lock(&push->lock);
    push->stopped = true;
    for (struct push_stream *stream = push->streams; stream != NULL; stream = stream->next)
        stream->over = true;
    pthread_cond_broadcast(&push->changed);
    pthread_mutex_unlock(&push->lock);
}

void push_close(struct push *push)
{
    if (push == NULL)
        return;
    pthread_mutex_lock(&push->lock);
    assert(push->stopped && push->count == 0);
    push->closing = true;
    pthread_cond_broadcast(&push->changed);
    pthread_mutex_unlock(&push->lock);
    pthread_join(push->thread, NULL);
    pthread_cond_destroy(&push->changed);
    pthread_mutex_destroy(&push->lock);
    free(push);
}

/* --- streams ------------------------------------------------------------------------------------
 */

/* One number; *text moves behind it. */
static bool read_id(const char **text, uint64_t *id)
{
    const char *at = *text;

    for (*id = 0; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (*id > (UINT64_MAX - digit) / 10)
            return false;
        *id = *id * 10 + digit;
    }
    if (at == *text)
        return false;
    *text = at;
    return true;
}

uint32_t push_read_ids(const char *text, uint64_t ids[PUSH_IDS_MAX])
{
    uint32_t count = 0;

    for (;;) {
        if (count == PUSH_IDS_MAX || !read_id(&text, &ids[count]))
            return 0;
        count++;
        if (*text == '\0')
            return count;
        if (*text++ != ',')
            return 0;
    }
}

struct push_stream *push_begin(struct push *push, const struct identity *who, const uint64_t *ids,
                               uint32_t count, void *owner)
{
    struct push_stream *stream = calloc(1, sizeof *stream);
    bool taken = false;

    assert(count > 0 && count <= PUSH_IDS_MAX);
    if (stream == NULL)
        return NULL;
    stream->push = push;
    stream->owner = owner;
    stream->who = *who;
    stream->count = count;
    stream->told_ms = monotonic_ms();
    memcpy(stream->ids, ids, count * sizeof *ids);
    pthread_mutex_lock(&push->lock);
    if (!push->stopped && (push->count < PUSH_STREAMS_MAX || PLANTED("push.without_bound"))) {
        taken = true;
        push->count++;
        stream->next = push->streams;
        push->streams = stream;
        pthread_cond_broadcast(&push->changed);
    }
    pthread_mutex_unlock(&push->lock);
    if (taken)
        return stream;
    free(stream);
    return NULL;
}

ssize_t push_take(struct push_stream *stream, char *bytes, size_t size)
{
    struct push *push = stream->push;
    size_t left;
    bool over;

    pthread_mutex_lock(&push->lock);
    left = stream->out.size - stream->out_taken;
    if (left > size)
        left = size;
    if (left > 0) {
        memcpy(bytes, stream->out.bytes + stream->out_taken, left);
        stream->out_taken += left;
        stream->told_ms = monotonic_ms();
    }
    if (stream->out.failed)
        stream->over = true;
    over = stream->over && left == 0;
    pthread_mutex_unlock(&push->lock);
    return over ? -1 : (ssize_t)left;
}

bool push_sleep(struct push_stream *stream)
{
    struct push *push = stream->push;
    bool sleeps;

    pthread_mutex_lock(&push->lock);
    sleeps = is_drained(stream) && !stream->over;
    stream->asleep = sleeps;
    pthread_mutex_unlock(&push->lock);
    return sleeps;
}

void push_end(struct push_stream *stream)
{
    struct push *push;

    if (stream == NULL)
        return;
    push = stream->push;
    pthread_mutex_lock(&push->lock);
    assert(!stream->asleep);
    stream->ended = true;
    push->count--;
    pthread_cond_broadcast(&push->changed);
    pthread_mutex_unlock(&push->lock);
}

uint32_t push_count(struct push *push)
{
    uint32_t count;

    pthread_mutex_lock(&push->lock);
    count = push->count;
    pthread_mutex_unlock(&push->lock);
    return count;
}
