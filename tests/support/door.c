#include "support/door.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE         8000
#define PATIENCE_PLANTED 1500 /* a bug was planted: waiting in vain is what is expected */

static int patience(void)
{
    return getenv("ZAN_PLANT") != NULL ? PATIENCE_PLANTED : PATIENCE;
}

static void answer_target(const struct request *request, struct reply *reply)
{
    *reply = (struct reply){.kind = REPLY_INTEGER, .u.value = (int64_t)request->target};
}

void door_open(struct test_door *door, struct serve_config config)
{
    char message[256] = "";

    memset(door, 0, sizeof *door);
    if (config.address == NULL)
        config.address = "127.0.0.1:0";
    if (config.connections_max == 0)
        config.connections_max = 64;
    if (serve_open(&config, &door->serve, message) != STATUS_OK)
        fail_msg("serve_open: %s", message);
    door->batch.requests = calloc(BATCH_MAX, sizeof *door->batch.requests);
    door->batch.replies = calloc(BATCH_MAX, sizeof *door->batch.replies);
    door->batch.origins = calloc(BATCH_MAX, sizeof *door->batch.origins);
    door->batch.arena.bytes = malloc(BATCH_ARENA_BYTES);
    door->batch.arena.size = BATCH_ARENA_BYTES;
    door->answer = answer_target;
    door->patience = patience();
}

void door_close(struct test_door *door)
{
    serve_close(door->serve);
    free(door->batch.requests);
    free(door->batch.replies);
    free(door->batch.origins);
    free(door->batch.arena.bytes);
}

uint32_t door_take(struct test_door *door, int wait_ms)
{
    uint32_t count;

    door->batch.count = 0;
    arena_reset(&door->batch.arena);
    serve_wait(door->serve, serve_has_input(door->serve) ? 0 : wait_ms);
    count = serve_take(door->serve, &door->batch, 1700000000000000);
    assert_int_equal(count, door->batch.count);
    door->taken += count;
    return count;
}

void door_reply(struct test_door *door)
{
    for (uint32_t i = 0; i < door->batch.count; i++) {
        if (door->batch.origins[i].prepared == NULL)
            door->answer(&door->batch.requests[i], &door->batch.replies[i]);
    }
    serve_reply(door->serve, &door->batch, ++door->turn);
}

uint32_t door_turn(struct test_door *door, int wait_ms)
{
    uint32_t count = door_take(door, wait_ms);

    if (count > 0)
        door->patience = patience();
    else if ((door->patience -= wait_ms) <= 0)
        fail_msg("waited long enough: what should come does not come");
    door_reply(door);
    if (!door->held)
        serve_release(door->serve, door->turn);
    return count;
}

int door_call(struct test_door *door)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct serve_stats stats;
    uint64_t before;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons(serve_port(door->serve));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    serve_stats(door->serve, &stats);
    before = stats.connections_total + stats.connections_refused;
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    do {
        door_turn(door, 10);
        serve_stats(door->serve, &stats);
    } while (stats.connections_total + stats.connections_refused == before);
    return fd;
}

void door_say(struct test_door *door, int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size > 0) {
        ssize_t part = send(fd, at, size, MSG_NOSIGNAL);

        if (part < 0) {
            if (errno != EAGAIN)
                fail_msg("send: %s", strerror(errno));
            door_turn(door, 1);
            continue;
        }
        at += part;
        size -= (size_t)part;
    }
}

void door_says(struct test_door *door, int fd, const char *text)
{
    door_say(door, fd, text, strlen(text));
}

void door_hear(struct test_door *door, int fd, void *bytes, size_t size)
{
    uint8_t *at = bytes;

    while (size > 0) {
        ssize_t part = recv(fd, at, size, 0);

        if (part == 0)
            fail_msg("the door has closed, %zu bytes are missing", size);
        if (part < 0) {
            if (errno != EAGAIN)
                fail_msg("recv: %s, %zu bytes are missing", strerror(errno), size);
            door_turn(door, 1);
            continue;
        }
        door->patience = patience();
        at += part;
        size -= (size_t)part;
    }
}

void door_hears(struct test_door *door, int fd, const char *text)
{
    size_t size = strlen(text);
    char *bytes = calloc(1, size + 1);

    door_hear(door, fd, bytes, size);
    assert_string_equal(bytes, text);
    free(bytes);
}

void door_talk(struct test_door *door, int fd, const char *said, const char *heard)
{
    door_says(door, fd, said);
    door_hears(door, fd, heard);
}

void door_line(struct test_door *door, int fd, char *text, size_t size)
{
    size_t at = 0;

    do {
        assert_true(at + 1 < size);
        door_hear(door, fd, text + at++, 1);
    } while (text[at - 1] != '\n');
    text[at] = '\0';
}

void door_hears_end(struct test_door *door, int fd)
{
    char byte;
    ssize_t got;

    while ((got = recv(fd, &byte, 1, 0)) < 0 && errno == EAGAIN)
        door_turn(door, 5);
    if (got > 0)
        fail_msg("expected the end, got byte '%c'", byte);
    close(fd);
}

void door_hears_nothing(struct test_door *door, int fd)
{
    char byte;

    for (int i = 0; i < 20; i++) {
        ssize_t got;

        door_turn(door, i % 4);
        got = recv(fd, &byte, 1, 0);
        if (got >= 0)
            fail_msg("expected nothing, got %zd bytes ('%c')", got, byte);
        assert_int_equal(errno, EAGAIN);
    }
}
