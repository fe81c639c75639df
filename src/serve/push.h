/* push.h: totals of watched items, pushed to who looks at them (server-sent events).
 *
 * A stream watches up to PUSH_IDS_MAX items. One thread asks for their totals as any caller would,
 * through the door's own submit: LIKES every 50 ms, the other public totals in turn in between,
 * and tells the stream what has changed. So what is told is durable, is judged by who is calling at
 * every question, and costs the partitions a read of PUSH_IDS_MAX counters 40 times a second and
 * stream, however many likes come in; a like itself does nothing for it.
 *
 * A stream:  begun -> [ asked -> answered -> told ]... -> over
 *            A reader that is slow is not asked for: what it is told is new when it is told, and
 * the stream holds one event at most.
 *
 * Bounds: PUSH_STREAMS_MAX streams, then NULL (BUSY); one question of a stream under way. A sign of
 *         life (a comment) after PUSH_BEAT_S without an event.
 * Over:   at a refusal (its word is the last event), an expired assertion included; at push_stop.
 * Threads: any.
 * Source: WHATWG HTML, 9.2 Server-sent events. */
#ifndef ZAN_SERVE_PUSH_H
#define ZAN_SERVE_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/access.h"
#include "schema/call.h"
#include "schema/status.h"

#define PUSH_STREAMS_MAX 64
#define PUSH_IDS_MAX     64
#define PUSH_TICK_MS     25 /* LIKES at every second one */
#define PUSH_BEAT_S      10

struct push;
struct push_stream;

struct push_config {
    void (*submit)(void *context, struct call *call); /* see call.h */
    void *submit_context;
    int64_t (*now_us)(void *context);
    void *now_context;
    /* Live's own thread, no lock held: push_take has something to say now. */
    void (*wake)(void *owner);
};

/* NOMEMORY: no thread could be started. *push is owned until push_close. */
enum status push_open(const struct push_config *config, struct push **push);

/* Decimal ids between commas, 1 to PUSH_IDS_MAX of them. Returns how many; 0: it is no such list.
 */
uint32_t push_read_ids(const char *text, uint64_t ids[PUSH_IDS_MAX]);

/* NULL: there are too many already, or it has stopped. owner is for wake. The stream is the
 * caller's until push_end. */
struct push_stream *push_begin(struct push *push, const struct identity *who, const uint64_t *ids,
                               uint32_t count, void *owner);

/* Bytes for the client, size at most. 0: none yet. -1: over. */
ssize_t push_take(struct push_stream *stream, char *bytes, size_t size);

/* The caller sleeps already. True: wake comes, once. False: there is something to take by now, and
 * no wake comes. */
bool push_sleep(struct push_stream *stream);

void push_end(struct push_stream *stream); /* NULL is allowed */

uint32_t push_count(struct push *push);

/* Every stream is over, none begins. */
void push_stop(struct push *push);
/* After push_stop and push_end of every stream; waits for questions under way. NULL is allowed. */
void push_close(struct push *push);

#endif
