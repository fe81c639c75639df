/* door.h (tests): a real door over loopback and its callers, all in one thread.
 *
 * Whoever waits for something turns the door meanwhile; nothing here depends on how long anything
 * takes. Requests are answered by `answer` (default: the integer request.target). */
#ifndef ZAN_TESTS_SUPPORT_DOOR_H
#define ZAN_TESTS_SUPPORT_DOOR_H

#include "support.h"

#include "serve/serve.h"

struct test_door {
    struct serve *serve;
    struct batch batch;
    uint64_t turn;
    bool held; /* answers are not released by door_turn */
    void (*answer)(const struct request *request, struct reply *reply);
    uint64_t taken; /* requests so far, prepared ones too */
    int patience;   /* ms in which nothing may happen, until the test fails */
};

/* config.address is filled in. */
void door_open(struct test_door *door, struct serve_config config);
void door_close(struct test_door *door);

/* wait, take, answer, reply, and release unless held; returns how many were taken. */
uint32_t door_turn(struct test_door *door, int wait_ms);

/* The parts of a turn. */
uint32_t door_take(struct test_door *door, int wait_ms);
void door_reply(struct test_door *door);

/* A caller's socket, non-blocking, already accepted. */
int door_call(struct test_door *door);

/* Sends everything, turning the door while the socket is full. */
void door_say(struct test_door *door, int fd, const void *bytes, size_t size);
void door_says(struct test_door *door, int fd, const char *text);

/* Reads exactly size bytes, turning the door until they are there. Fails at the end of the stream.
 */
void door_hear(struct test_door *door, int fd, void *bytes, size_t size);

/* The next bytes are these. */
void door_hears(struct test_door *door, int fd, const char *text);

/* Says and hears. */
void door_talk(struct test_door *door, int fd, const char *said, const char *heard);

/* Reads a line with its end into text (0-terminated). */
void door_line(struct test_door *door, int fd, char *text, size_t size);

/* Turns the door until the caller's socket is at its end; nothing may come before it. Closes fd. */
void door_hears_end(struct test_door *door, int fd);

/* Turns the door some times; nothing may come. */
void door_hears_nothing(struct test_door *door, int fd);

#endif
