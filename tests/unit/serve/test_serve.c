/* The door, spoken to over real sockets, in one thread. */
#include "support/door.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALLERS 8

static struct serve_stats stats_of(const struct test_door *door)
{
    struct serve_stats stats;

    serve_stats(door->serve, &stats);
    return stats;
}

/* --- commands and their answers ------------------------------------------------------------------
 */

static void answers_a_command_however_it_is_cut(void **state)
{
    static const char said[] = "*3\r\n$4\r\nLIKE\r\n$1\r\n7\r\n$2\r\n42\r\n";
    struct test_door door;
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){0});
    fd = door_call(&door);
    door_talk(&door, fd, said, ":42\r\n");
    for (size_t i = 0; i + 1 < sizeof said; i++) {
        door_say(&door, fd, said + i, 1);
        door_turn(&door, 5);
    }
    door_hears(&door, fd, ":42\r\n");
    door_talk(&door, fd, "LIKE 1 5\r\nPING\nECHO \"a b\"\r\n", ":5\r\n+PONG\r\n$3\r\na b\r\n");
    assert_int_equal(stats_of(&door).buffer_bytes, 0);
    assert_int_equal(stats_of(&door).requests[VERB_LIKE], 3);
    assert_int_equal(stats_of(&door).requests[VERB_PING], 1);
    close(fd);
    door_close(&door);
}

static void answers_in_the_order_of_the_questions(void **state)
{
    static char said[200000], heard[100000];
    size_t said_size = 0, heard_size = 0;
    struct test_door door;
    int fd;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        const char *question = i % 3 == 0   ? "LIKE 1 %d\r\n"
                               : i % 3 == 1 ? "ECHO %d\r\n"
                                            : "LIKE one %d\r\n";
        char digits[16];

        said_size += (size_t)snprintf(said + said_size, 64, question, i);
        if (i % 3 == 0)
            heard_size += (size_t)snprintf(heard + heard_size, 64, ":%d\r\n", i);
        if (i % 3 == 1) {
            int length = snprintf(digits, sizeof digits, "%d", i);
            heard_size += (size_t)snprintf(heard + heard_size, 64, "$%d\r\n%s\r\n", length, digits);
        }
    }
    door_open(&door, (struct serve_config){0});
    fd = door_call(&door);
    door_say(&door, fd, said, said_size);
    for (size_t at = 0; at < heard_size;) {
        char line[512];

        door_line(&door, fd, line, sizeof line);
        if (strncmp(line, "-BADID ", 7) == 0)
            continue;
        assert_memory_equal(line, heard + at, strlen(line));
        at += strlen(line);
    }
    assert_int_equal(door.taken, 5000);
    assert_int_equal(stats_of(&door).answered[STATUS_BADID], 1666);
    close(fd);
    door_close(&door);
}

static void answer_count(const struct request *request, struct reply *reply)
{
    static uint64_t values[REQUEST_IDS_MAX];

    for (uint32_t i = 0; i < request->count; i++)
        values[i] = request->u.ids[i] % 2;
    *reply = (struct reply){.kind = REPLY_INTEGERS, .count = request->count, .u.values = values};
}

static void takes_long_lists(void **state)
{
    static char said[65536], heard[8192];
    struct test_door door;
    size_t size, at = 0;
    int fd;

    (void)state;
    size = (size_t)snprintf(said, sizeof said, "*1026\r\n$5\r\nLIKED\r\n$1\r\n1\r\n");
    at = (size_t)snprintf(heard, sizeof heard, "*1024\r\n");
    for (unsigned i = 0; i < 1024; i++) {
        size += (size_t)snprintf(said + size, 64, "$20\r\n%020u\r\n", i);
        at += (size_t)snprintf(heard + at, 8, ":%u\r\n", i % 2);
    }
    door_open(&door, (struct serve_config){0});
    door.answer = answer_count;
    fd = door_call(&door);
    door_say(&door, fd, said, size);
    door_hears(&door, fd, heard);
    for (size_t from = 0; from < size; from += 999) {
        door_say(&door, fd, said + from, size - from < 999 ? size - from : 999);
        door_turn(&door, 5);
    }
    door_hears(&door, fd, heard);
    assert_int_equal(stats_of(&door).buffer_bytes, 0);
    close(fd);
    door_close(&door);
}

static void shares_a_turn_fairly(void **state)
{
    struct test_door door;
    uint32_t taken[3] = {0};
    int fd[3];

    (void)state;
    door_open(&door, (struct serve_config){.pipeline_max = 10});
    for (int i = 0; i < 3; i++)
        fd[i] = door_call(&door);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 100; j++) {
            char text[32];

            snprintf(text, sizeof text, "LIKE 1 %d\r\n", i);
            door_say(&door, fd[i], text, strlen(text));
        }
    }
    while (!serve_has_input(door.serve))
        serve_wait(door.serve, 10);
    while (door_take(&door, 10) < 30)
        door_reply(&door);
    for (uint32_t i = 0; i < 30; i++)
        taken[door.batch.requests[i].target]++;
    for (int i = 0; i < 3; i++)
        assert_int_equal(taken[i], 10);
    door_reply(&door);
    assert_true(serve_has_input(door.serve));
    serve_release(door.serve, door.turn);
    while (door.taken < 300)
        door_turn(&door, 10);
    assert_false(serve_has_input(door.serve));
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    door_close(&door);
}

static void leaves_what_the_batch_has_no_room_for(void **state)
{
    struct test_door door;
    char text[64];
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){.pipeline_max = 100000});
    fd = door_call(&door);
    for (int i = 0; i < 6000; i++) {
        snprintf(text, sizeof text, "LIKE 1 %d\r\n", i);
        door_say(&door, fd, text, strlen(text));
    }
    for (int i = 0; i < 6000; i++) {
        snprintf(text, sizeof text, ":%d\r\n", i);
        door_hears(&door, fd, text);
    }
    /* The same with an arena that is soon used up: two ids take sixteen bytes of it. */
    door.batch.arena.size = 8192;
    for (int i = 0; i < 2000; i++)
        door_says(&door, fd, "LIKES 1 2\r\n");
    door.taken = 0;
    while (door.taken < 2000) {
        door_turn(&door, 10);
        assert_true(door.batch.count <= 8192 / 16);
    }
    close(fd);
    door_close(&door);
}

/* --- held back until released --------------------------------------------------------------------
 */

static void holds_answers_back_until_their_turn_is_released(void **state)
{
    struct test_door door;
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){0});
    fd = door_call(&door);
    door.held = true;
    uint64_t turns[3];
    for (int i = 0; i < 3; i++) {
        char text[32];

        snprintf(text, sizeof text, "LIKE 1 %d\r\n", i + 10);
        door_says(&door, fd, text);
        while (door_turn(&door, 10) == 0) {
        }
        turns[i] = door.turn;
    }
    door_hears_nothing(&door, fd);
    assert_false(serve_idle(door.serve));
    serve_release(door.serve, turns[0] - 1);
    door_hears_nothing(&door, fd);
    serve_release(door.serve, turns[1]);
    door_hears(&door, fd, ":10\r\n:11\r\n");
    door_hears_nothing(&door, fd);
    serve_release(door.serve, turns[2]);
    door_hears(&door, fd, ":12\r\n");
    assert_true(serve_idle(door.serve));
    /* What the door says by itself waits in the same line. */
    door_says(&door, fd, "LIKE 1 1\r\nPING\r\n");
    door_hears_nothing(&door, fd);
    serve_release(door.serve, door.turn);
    door_hears(&door, fd, ":1\r\n+PONG\r\n");
    close(fd);
    door_close(&door);
}

static void tells_a_stranger_nothing(void **state)
{
    struct test_door door;
    int first, second;

    (void)state;
    door_open(&door, (struct serve_config){.connections_max = 1});
    first = door_call(&door);
    door_says(&door, first, "LIKE 1 99\r\n");
    while (door_take(&door, 10) == 0)
        door_reply(&door);
    /* Taken and not answered, when its asker leaves and another takes his place. */
    struct batch taken = door.batch;
    door.batch.requests = calloc(BATCH_MAX, sizeof *door.batch.requests);
    door.batch.origins = calloc(BATCH_MAX, sizeof *door.batch.origins);
    door.batch.replies = calloc(BATCH_MAX, sizeof *door.batch.replies);
    struct linger hard = {.l_onoff = 1};
    setsockopt(first, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(first);
    while (stats_of(&door).connections_open > 0)
        door_turn(&door, 10);
    second = door_call(&door);
    taken.replies[0] = (struct reply){.kind = REPLY_INTEGER, .u.value = 99};
    serve_reply(door.serve, &taken, ++door.turn);
    serve_release(door.serve, door.turn);
    door_hears_nothing(&door, second);
    door_talk(&door, second, "LIKE 1 3\r\n", ":3\r\n");
    /* The same once the answer is written but not released. */
    door.held = true;
    door_says(&door, second, "LIKE 1 98\r\n");
    while (door_turn(&door, 10) == 0) {
    }
    setsockopt(second, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(second);
    while (stats_of(&door).connections_open > 0)
        door_turn(&door, 10);
    assert_true(serve_idle(door.serve));
    first = door_call(&door);
    serve_release(door.serve, door.turn);
    door_hears_nothing(&door, first);
    close(first);
    free(taken.requests);
    free(taken.origins);
    free(taken.replies);
    door_close(&door);
}

/* --- endings -------------------------------------------------------------------------------------
 */

static void answers_a_caller_who_has_shut_his_side(void **state)
{
    struct test_door door;
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){0});
    fd = door_call(&door);
    door_says(&door, fd, "LIKE 1 4\r\nPING\r\nLIKE 1");
    shutdown(fd, SHUT_WR);
    door_hears(&door, fd, ":4\r\n+PONG\r\n");
    door_hears_end(&door, fd);
    fd = door_call(&door);
    door.held = true;
    door_says(&door, fd, "LIKE 1 4\r\n");
    shutdown(fd, SHUT_WR);
    door_hears_nothing(&door, fd);
    serve_release(door.serve, door.turn);
    door_hears(&door, fd, ":4\r\n");
    door_hears_end(&door, fd);
    assert_int_equal(stats_of(&door).connections_open, 0);
    door_close(&door);
}

static void says_the_last_word_before_it_closes(void **state)
{
    static char junk[100000];
    struct test_door door;
    char line[512];
    int fd;

    (void)state;
    memset(junk, 'x', sizeof junk);
    door_open(&door, (struct serve_config){0});
    fd = door_call(&door);
    /* What follows a QUIT is thrown away, and must not destroy the answer on its way. */
    door_says(&door, fd, "LIKE 1 4\r\nQUIT\r\nLIKE 1 5\r\n");
    door_say(&door, fd, junk, sizeof junk);
    door_hears(&door, fd, ":4\r\n+OK\r\n");
    door_hears_end(&door, fd);
    fd = door_call(&door);
    door_says(&door, fd, "PING\r\n*1\r\n$4\rxPING\r\n");
    door_say(&door, fd, junk, sizeof junk);
    door_hears(&door, fd, "+PONG\r\n");
    door_line(&door, fd, line, sizeof line);
    assert_memory_equal(line, "-PROTO ", 7);
    door_hears_end(&door, fd);
    fd = door_call(&door);
    door_says(&door, fd, "*2\r\n$4\r\nECHO\r\n$65537\r\n");
    door_line(&door, fd, line, sizeof line);
    assert_memory_equal(line, "-TOOBIG ", 8);
    door_hears_end(&door, fd);
    assert_int_equal(stats_of(&door).closed_hostile, 2);
    assert_int_equal(stats_of(&door).requests[VERB_LIKE], 1);
    door_close(&door);
}

static void answer_unknown(const struct request *request, struct reply *reply)
{
    (void)request;
    *reply = (struct reply){.kind = REPLY_ERROR, .status = STATUS_UNKNOWN};
}

static void closes_when_the_answer_says_so(void **state)
{
    struct test_door door;
    char line[512];
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){0});
    door.answer = answer_unknown;
    fd = door_call(&door);
    door_says(&door, fd, "LIKE 1 4\r\n");
    door_line(&door, fd, line, sizeof line);
    assert_memory_equal(line, "-UNKNOWN ", 9);
    door_hears_end(&door, fd);
    assert_int_equal(stats_of(&door).answered[STATUS_UNKNOWN], 1);
    door_close(&door);
}

static void turns_browsers_away(void **state)
{
    static const char *const said[] = {"POST / HTTP/1.1\r\n",
                                       "post /x HTTP/1.1\r\n",
                                       "Host: 127.0.0.1:6390\r\n",
                                       "hOsT: evil\r\n",
                                       "POST\r\n",
                                       "*1\r\n$4\r\nPOST\r\n",
                                       "PING\r\nhost:x\r\n"};
    struct credentials credentials = {.count = 0};

    (void)state;
    for (int fresh = 0; fresh < 2; fresh++) {
        for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
            struct test_door door;
            int fd;

            if (fresh && said[i][0] == 'P' && said[i][1] == 'I')
                continue; /* Inline is an error before login. */
            door_open(&door, (struct serve_config){.credentials = fresh ? &credentials : NULL});
            fd = door_call(&door);
            door_says(&door, fd, said[i]);
            door_says(&door, fd, "LIKE 1 2\r\n");
            while (stats_of(&door).connections_open > 0)
                door_turn(&door, 5);
            assert_int_equal(stats_of(&door).requests[VERB_LIKE], 0);
            assert_int_equal(stats_of(&door).closed_hostile, 1);
            assert_int_equal(stats_of(&door).bytes_out, 0);
            close(fd);
            door_close(&door);
        }
    }
}

/* --- who does not read ---------------------------------------------------------------------------
 */

static void closes_who_never_reads(void **state)
{
    struct test_door door;
    char *text = malloc(60001);
    int fd, small = 4096;

    (void)state;
    memset(text, 'x', 60000);
    text[60000] = '\0';
    door_open(&door, (struct serve_config){.stall_ms = 300});
    fd = door_call(&door);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    /* He asks until nobody takes his questions any more. */
    while (stats_of(&door).connections_open > 0) {
        char head[64];
        size_t size = (size_t)snprintf(head, sizeof head, "*2\r\n$4\r\nECHO\r\n$60000\r\n");

        if (send(fd, head, size, MSG_NOSIGNAL) == (ssize_t)size) {
            for (size_t at = 0; at < 60002 && stats_of(&door).connections_open > 0;) {
                ssize_t part = send(fd, at < 60000 ? text + at : &"\r\n"[at - 60000],
                                    at < 60000 ? 60000 - at : 60002 - at, MSG_NOSIGNAL);
                if (part > 0)
                    at += (size_t)part;
                door_turn(&door, 1);
                assert_true(stats_of(&door).buffer_bytes < (2u << 20));
            }
        } else {
            door_turn(&door, 5);
        }
    }
    assert_int_equal(stats_of(&door).closed_slow, 1);
    assert_int_equal(stats_of(&door).buffer_bytes, 0);
    assert_true(serve_idle(door.serve));
    close(fd);
    free(text);
    door_close(&door);
}

static void waits_for_who_reads_slowly(void **state)
{
    enum { TEXTS = 300, BYTES = 50000 };
    static char command[64 + BYTES + 2];
    struct test_door door;
    char *got = malloc(BYTES);
    int fd, small = 65536, asked = 0;
    size_t at = 0, size = 0;

    (void)state;
    door_open(&door, (struct serve_config){.half_ms = 300000});
    fd = door_call(&door);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    /* Fifteen megabytes of answers, asked for as fast as the door lets us: not by door_say, which
     * would wait for room without reading, and so for ever. */
    for (int heard = 0; heard < TEXTS;) {
        if (at == size && asked < TEXTS) {
            size = (size_t)snprintf(command, 64, "*2\r\n$4\r\nECHO\r\n$%d\r\n", BYTES);
            memset(command + size, 'a' + asked % 26, BYTES);
            memcpy(command + size + BYTES, "\r\n", 2);
            size += BYTES + 2;
            asked++;
            at = 0;
        }
        while (at < size) {
            ssize_t part = send(fd, command + at, size - at, MSG_NOSIGNAL);

            if (part <= 0)
                break;
            at += (size_t)part;
        }
        door_turn(&door, 0);
        assert_true(stats_of(&door).buffer_bytes <= (2u << 20));
        /* Reads only once the door has stopped taking. */
        if (at < size || asked == TEXTS) {
            char line[32];

            door_line(&door, fd, line, sizeof line);
            assert_string_equal(line, "$50000\r\n");
            door_hear(&door, fd, got, BYTES);
            for (int i = 0; i < BYTES; i++)
                assert_int_equal(got[i], 'a' + heard % 26);
            door_hears(&door, fd, "\r\n");
            heard++;
        }
    }
    assert_int_equal(stats_of(&door).closed_slow, 0);
    close(fd);
    free(got);
    door_close(&door);
}

/* --- limits in time and number -------------------------------------------------------------------
 */

static void closes_who_is_late(void **state)
{
    struct credentials credentials = {.count = 0};
    struct test_door door;
    int idle, half, held;

    (void)state;
    door_open(&door, (struct serve_config){.idle_ms = 400, .half_ms = 200});
    idle = door_call(&door);
    half = door_call(&door);
    held = door_call(&door);
    door.held = true;
    door_says(&door, held, "LIKE 1 8\r\n");
    door_says(&door, half, "*2\r\n$4\r\nEC");
    door_hears_end(&door, half);
    door_hears_end(&door, idle);
    assert_int_equal(stats_of(&door).closed_late, 2);
    /* Who waits for our answer is not idle, however long we take. */
    for (int i = 0; i < 8; i++)
        door_turn(&door, 100);
    serve_release(door.serve, door.turn);
    door_hears(&door, held, ":8\r\n");
    door_hears_end(&door, held);
    door_close(&door);

    door_open(&door, (struct serve_config){.credentials = &credentials, .auth_ms = 200});
    idle = door_call(&door);
    door_talk(&door, idle, "*1\r\n$4\r\nPING\r\n", "+PONG\r\n");
    door_hears_end(&door, idle); /* A PING does not make the time longer. */
    assert_int_equal(stats_of(&door).closed_late, 1);
    door_close(&door);
}

static void blames_nobody_for_not_being_heard(void **state)
{
    struct test_door door;
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){.idle_ms = 150, .half_ms = 150});
    fd = door_call(&door);
    door_says(&door, fd, "LIKE 1 ");
    door_turn(&door, 10);
    door_says(&door, fd, "66\r\n");
    for (int i = 0; i < 6; i++)
        serve_wait(door.serve, 100); /* A node that has no time to take anything. */
    door_hears(&door, fd, ":66\r\n");
    door_hears_end(&door, fd);
    door_close(&door);
}

static void stops_although_somebody_does_not_read(void **state)
{
    struct test_door door;
    char text[20001];
    int fd, small = 4096;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    door_open(&door, (struct serve_config){0});
    fd = door_call(&door);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    while (serve_idle(door.serve)) {
        door_says(&door, fd, "*2\r\n$4\r\nECHO\r\n$20000\r\n");
        door_says(&door, fd, text);
        door_says(&door, fd, "\r\n");
        door_turn(&door, 1);
    }
    serve_stop_listening(door.serve);
    while (!serve_idle(door.serve))
        door_turn(&door, 50);
    assert_int_equal(stats_of(&door).closed_slow, 1);
    close(fd);
    door_close(&door);
}

static void refuses_who_is_one_too_many(void **state)
{
    enum { MANY = 100 };
    struct test_door door;
    char line[512], text[32];
    int fd[MANY], extra;

    (void)state;
    door_open(&door, (struct serve_config){.connections_max = MANY});
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++)
            fd[i] = door_call(&door);
        extra = door_call(&door);
        door_line(&door, extra, line, sizeof line);
        assert_memory_equal(line, "-BUSY ", 6);
        door_hears_end(&door, extra);
        for (int i = 0; i < MANY; i++) {
            snprintf(text, sizeof text, "LIKE 1 %d\r\n", i);
            door_says(&door, fd[i], text);
        }
        for (int i = 0; i < MANY; i++) {
            snprintf(text, sizeof text, ":%d\r\n", i);
            door_hears(&door, fd[i], text);
        }
        assert_int_equal(stats_of(&door).buffer_bytes, 0);
        for (int i = 0; i < MANY; i++)
            close(fd[i]);
        while (stats_of(&door).connections_open > 0)
            door_turn(&door, 5);
    }
    assert_int_equal(stats_of(&door).connections_total, 3 * MANY);
    assert_int_equal(stats_of(&door).connections_refused, 3);
    door_close(&door);
}

static void survives_without_descriptors(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct test_door door;
    struct rlimit before, low;
    int fd, late;

    (void)state;
    door_open(&door, (struct serve_config){0});
    fd = door_call(&door);
    late = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    getrlimit(RLIMIT_NOFILE, &before);
    low = before;
    low.rlim_cur = (rlim_t)late + 1;
    setrlimit(RLIMIT_NOFILE, &low);
    address.sin_port = htons(serve_port(door.serve));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(late, (struct sockaddr *)&address, sizeof address);
    while (stats_of(&door).connections_refused == 0)
        door_turn(&door, 5);
    setrlimit(RLIMIT_NOFILE, &before);
    door_talk(&door, fd, "LIKE 1 2\r\n", ":2\r\n");
    close(late);
    late = door_call(&door);
    door_talk(&door, late, "LIKE 1 2\r\n", ":2\r\n");
    close(late);
    close(fd);
    door_close(&door);
}

static void hands_socket_settings_on(void **state)
{
    struct serve_config config = {.address = "127.0.0.1:0", .connections_max = 4};
    struct serve *second = NULL;
    struct test_door door;
    char message[256], address[32];

    (void)state;
    door_open(&door, (struct serve_config){.share_port = true});
    snprintf(address, sizeof address, "127.0.0.1:%u", serve_port(door.serve));
    config.address = address;
    assert_int_equal(serve_open(&config, &second, message), STATUS_BADCONFIG);
    assert_non_null(strstr(message, address));
    config.share_port = true;
    assert_int_equal(serve_open(&config, &second, message), STATUS_OK);
    assert_int_equal(serve_port(second), serve_port(door.serve));
    serve_close(second);
    config.address = "nowhere";
    assert_int_equal(serve_open(&config, &second, message), STATUS_BADCONFIG);
    config.address = "127.0.0.1:99999";
    assert_int_equal(serve_open(&config, &second, message), STATUS_BADCONFIG);
    door_close(&door);
}

static void wakes_for_others(void **state)
{
    struct test_door door;
    uint64_t one = 1;
    int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    (void)state;
    door_open(&door, (struct serve_config){0});
    assert_int_equal(serve_watch(door.serve, event), STATUS_OK);
    assert_false(serve_wait(door.serve, 0));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(event, &one, sizeof one), sizeof one);
        assert_true(serve_wait(door.serve, -1));
        assert_false(serve_wait(door.serve, 0));
    }
    serve_stop_listening(door.serve);
    assert_false(serve_wait(door.serve, 1));
    close(event);
    door_close(&door);
}

/* --- anything, cut anywhere ----------------------------------------------------------------------
 */

struct caller {
    int fd;
    char *said, *heard;
    size_t said_size, heard_size, said_at, heard_at;
};

static void put(char *text, size_t *size, const char *format, uint64_t a, uint64_t b)
{
    *size += (size_t)sprintf(text + *size, format, (unsigned long long)a, (unsigned long long)b);
}

/* One command and what its answer must be. */
static void invent(struct test_random *random, struct caller *caller)
{
    uint64_t a = test_random_below(random, 1000), b = test_random_below(random, 1u << 30);
    uint64_t kind = test_random_below(random, 7);
    char *said = caller->said, digits[32];
    size_t *size = &caller->said_size;
    int length;

    if (kind <= 2) {
        length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)b);
        *size +=
            (size_t)sprintf(said + *size, "*3\r\n$4\r\n%s\r\n$3\r\n%03llu\r\n$%d\r\n%s\r\n",
                            kind == 0 ? "LIKE" : "like", (unsigned long long)a, length, digits);
        put(caller->heard, &caller->heard_size, ":%llu\r\n", b, 0);
    } else if (kind == 3) {
        put(said, size, "unlike %llu %llu\r\n", a, b);
        put(caller->heard, &caller->heard_size, ":%llu\r\n", b, 0);
    } else if (kind == 4) {
        size_t bytes =
            (size_t)test_random_below(random, test_random_below(random, 20) == 0 ? 60000 : 50);
        for (int i = 0; i < 2; i++) {
            char *text = i == 0 ? said : caller->heard;
            size_t *at = i == 0 ? size : &caller->heard_size;

            put(text, at, i == 0 ? "*2\r\n$4\r\nEcho\r\n$%llu\r\n" : "$%llu\r\n", bytes, 0);
            for (size_t j = 0; j < bytes; j++)
                text[(*at)++] = (char)(a + j);
            put(text, at, "\r\n", 0, 0);
        }
    } else if (kind == 5) {
        put(said, size, "ping\n\r\n", 0, 0);
        put(caller->heard, &caller->heard_size, "+PONG\r\n", 0, 0);
    } else {
        put(said, size, "ping %llu%llu\r\n", a + 1, 1000000000 + b);
        length = snprintf(digits, sizeof digits, "%llu%llu", (unsigned long long)(a + 1),
                          (unsigned long long)(1000000000 + b));
        put(caller->heard, &caller->heard_size, "$%llu\r\n", (uint64_t)length, 0);
        caller->heard_size += (size_t)sprintf(caller->heard + caller->heard_size, "%s\r\n", digits);
    }
}

static void speak_and_listen(struct test_random *random, struct caller *caller)
{
    static char bytes[100000];
    size_t part =
        (size_t)test_random_below(random, test_random_below(random, 4) == 0 ? 70000 : 100);
    ssize_t size;

    if (part > caller->said_size - caller->said_at)
        part = caller->said_size - caller->said_at;
    if (part > 0) {
        size = send(caller->fd, caller->said + caller->said_at, part, MSG_NOSIGNAL);
        if (size > 0)
            caller->said_at += (size_t)size;
    }
    size = recv(caller->fd, bytes, 1 + test_random_below(random, sizeof bytes - 1), 0);
    if (size <= 0) {
        assert_int_equal(size, -1);
        assert_int_equal(errno, EAGAIN);
        return;
    }
    assert_true(caller->heard_at + (size_t)size <= caller->heard_size);
    assert_memory_equal(bytes, caller->heard + caller->heard_at, (size_t)size);
    caller->heard_at += (size_t)size;
}

static void says_the_same_however_it_is_cut(void **state)
{
    struct test_random random = {test_seed(20261122)};
    struct caller callers[CALLERS] = {0};
    struct test_door door;
    bool done = false;

    (void)state;
    door_open(&door, (struct serve_config){.pipeline_max = 37});
    for (int i = 0; i < CALLERS; i++) {
        callers[i].fd = door_call(&door);
        callers[i].said = malloc(6u << 20);
        callers[i].heard = malloc(6u << 20);
        for (int j = 0; j < 3000 && callers[i].said_size < (5u << 20); j++)
            invent(&random, &callers[i]);
    }
    door.held = true;
    while (!done) {
        struct caller *caller = &callers[test_random_below(&random, CALLERS)];

        speak_and_listen(&random, caller);
        if (test_random_below(&random, 3) == 0)
            door_turn(&door, 0);
        if (test_random_below(&random, 5) == 0)
            serve_release(door.serve,
                          door.turn - test_random_below(&random, door.turn < 3 ? 1 : 3));
        done = true;
        for (int i = 0; i < CALLERS; i++)
            done = done && callers[i].heard_at == callers[i].heard_size;
    }
    serve_release(door.serve, door.turn);
    assert_true(serve_idle(door.serve));
    assert_int_equal(stats_of(&door).buffer_bytes, 0);
    for (int i = 0; i < CALLERS; i++) {
        close(callers[i].fd);
        free(callers[i].said);
        free(callers[i].heard);
    }
    door_close(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_a_command_however_it_is_cut),
        cmocka_unit_test(answers_in_the_order_of_the_questions),
        cmocka_unit_test(takes_long_lists),
        cmocka_unit_test(shares_a_turn_fairly),
        cmocka_unit_test(leaves_what_the_batch_has_no_room_for),
        cmocka_unit_test(holds_answers_back_until_their_turn_is_released),
        cmocka_unit_test(tells_a_stranger_nothing),
        cmocka_unit_test(answers_a_caller_who_has_shut_his_side),
        cmocka_unit_test(says_the_last_word_before_it_closes),
        cmocka_unit_test(closes_when_the_answer_says_so),
        cmocka_unit_test(turns_browsers_away),
        cmocka_unit_test(closes_who_never_reads),
        cmocka_unit_test(waits_for_who_reads_slowly),
        cmocka_unit_test(closes_who_is_late),
        cmocka_unit_test(blames_nobody_for_not_being_heard),
        cmocka_unit_test(stops_although_somebody_does_not_read),
        cmocka_unit_test(refuses_who_is_one_too_many),
        cmocka_unit_test(survives_without_descriptors),
        cmocka_unit_test(hands_socket_settings_on),
        cmocka_unit_test(wakes_for_others),
        cmocka_unit_test(says_the_same_however_it_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
