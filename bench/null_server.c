/* null_server.c: the door with nobody behind it.
 *
 * Parses every request and answers :1 at once: no engine, no log, no disk. It is the limit that the
 * socket, the parser and the writer of replies set; `make bench` prints a LIKE beside it.
 *
 *   zan-null [HOST:PORT]      until it is killed; 127.0.0.1:6399 if nothing is given */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "schema/batch.h"
#include "serve/serve.h"

#define CONNECTIONS 10000

static int64_t now_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static bool allocate(struct batch *batch)
{
    batch->requests = calloc(BATCH_MAX, sizeof *batch->requests);
    batch->replies = calloc(BATCH_MAX, sizeof *batch->replies);
    batch->origins = calloc(BATCH_MAX, sizeof *batch->origins);
    batch->arena.bytes = malloc(BATCH_ARENA_BYTES);
    batch->arena.size = BATCH_ARENA_BYTES;
    return batch->requests != NULL && batch->replies != NULL && batch->origins != NULL &&
           batch->arena.bytes != NULL;
}

static uint64_t ones[REQUEST_IDS_MAX];

/* Like the engine's answer to a LIKE; a list of ids gets a list of ones. */
static void answer(const struct request *request, struct reply *reply)
{
    uint8_t shape = request->verb < VERB_COUNT ? verb_info((enum verb)request->verb)->shape
                                               : (uint8_t)SHAPE_SERVICE;

    *reply = (struct reply){.kind = REPLY_INTEGER, .u.value = 1};
    if (shape == SHAPE_STATES || shape == SHAPE_TOTALS) {
        reply->kind = REPLY_INTEGERS;
        reply->count = request->count;
        reply->u.values = ones;
    }
}

int main(int argc, char **argv)
{
    struct serve_config config = {.address = argc > 1 ? argv[1] : "127.0.0.1:6399",
                                  .connections_max = CONNECTIONS};
    struct batch batch = {0};
    struct serve *serve;
    char message[256];

    for (uint32_t i = 0; i < REQUEST_IDS_MAX; i++)
        ones[i] = 1;
    if (!allocate(&batch) || serve_open(&config, &serve, message) != STATUS_OK) {
        fprintf(stderr, "zan-null: %s\n", message);
        return 1;
    }
    printf("null server on port %u\n", serve_port(serve));
    fflush(stdout);
    for (uint64_t turn = 1;; turn++) {
        batch.count = 0;
        arena_reset(&batch.arena);
        serve_wait(serve, serve_has_input(serve) ? 0 : -1);
        serve_take(serve, &batch, now_us());
        for (uint32_t i = 0; i < batch.count; i++)
            answer(&batch.requests[i], &batch.replies[i]);
        serve_reply(serve, &batch, turn);
        serve_release(serve, turn);
    }
}
