/* A connection that asks a reader waits for its own answer, and for nobody else's; nobody else
 * waits for it. The order of a connection's answers is that of its questions, whenever the reader
 * answers. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/door.h"

#define ASKED_MAX 4096

/* The reader: keeps what it is asked until the test lets it answer. */
static struct asked {
    struct serve_ticket ticket;
    struct request request;
} asked[ASKED_MAX];
static uint32_t asked_count, answered_count;
static enum status refusal;
static struct test_door door;

static enum status ask(void *context, const struct serve_ticket *ticket,
                       const struct request *request)
{
    assert_ptr_equal(context, &door);
    assert_true(asked_count < ASKED_MAX);
    if (refusal != STATUS_OK)
        return refusal;
    asked[asked_count++] = (struct asked){.ticket = *ticket, .request = *request};
    return STATUS_OK;
}

static void begin(void)
{
    asked_count = answered_count = 0;
    refusal = STATUS_OK;
    door = (struct test_door){0};
    door_open(&door, (struct serve_config){.ask = ask, .ask_context = &door});
}

static int teardown(void **state)
{
    (void)state;
    door_close(&door);
    return 0;
}

/* As the partition's thread does; the answer to the ith question is the integer 1000 + i. */
static bool answer(uint32_t i)
{
    struct reply reply = {.kind = REPLY_INTEGER, .u.value = 1000 + i};
    bool done = serve_answer(door.serve, &asked[i].ticket, &asked[i].request, &reply, ++door.turn);

    if (!door.held)
        serve_release(door.serve, door.turn);
    return done;
}

static void wait_asked(uint32_t count)
{
    for (int i = 0; i < 10000 && asked_count < count; i++)
        door_turn(&door, 1);
    assert_int_equal(asked_count, count);
}

static void answers_leave_in_the_order_of_the_questions(void **state)
{
    int fd;

    (void)state;
    begin();
    fd = door_call(&door);
    door_says(&door, fd, "LIKE 1 7\r\nLAG\r\nLIKE 1 8\r\nLAG\r\nLAG\r\nLIKE 1 9\r\n");
    wait_asked(1);
    door_hears(&door, fd, ":7\r\n");
    door_hears_nothing(&door, fd); /* the second LIKE waits for the reader */
    assert_true(answer(0));
    door_hears(&door, fd, ":1000\r\n:8\r\n");
    wait_asked(2);
    door_hears_nothing(&door, fd);
    assert_true(answer(1));
    wait_asked(3);
    door_hears(&door, fd, ":1001\r\n");
    assert_true(answer(2));
    door_hears(&door, fd, ":1002\r\n:9\r\n");
    close(fd);
}

/* What came before is judged, and its answer is not written yet: the reader's has to wait. */
static void an_answer_does_not_overtake(void **state)
{
    int fd;

    (void)state;
    begin();
    fd = door_call(&door);
    door_says(&door, fd, "LIKE 1 7\r\nLAG\r\n");
    while (asked_count == 0)
        door_take(&door, 1);
    assert_false(answer(0));
    assert_false(answer(0));
    door_reply(&door);
    assert_true(answer(0));
    door_hears(&door, fd, ":7\r\n:1000\r\n");
    close(fd);
}

static void an_answer_is_held_back_with_its_turn(void **state)
{
    int fd;

    (void)state;
    begin();
    fd = door_call(&door);
    door.held = true;
    door_says(&door, fd, "LAG\r\n");
    wait_asked(1);
    assert_true(answer(0));
    door_hears_nothing(&door, fd);
    serve_release(door.serve, door.turn);
    door_hears(&door, fd, ":1000\r\n");
    close(fd);
}

static void nobody_waits_for_who_is_parked(void **state)
{
    int parked[8], fd;

    (void)state;
    begin();
    for (int i = 0; i < 8; i++) {
        parked[i] = door_call(&door);
        door_says(&door, parked[i], "LAG\r\nLIKE 1 5\r\n");
    }
    wait_asked(8);
    fd = door_call(&door);
    for (int i = 0; i < 100; i++)
        door_talk(&door, fd, "LIKE 1 7\r\n", ":7\r\n");
    for (uint32_t i = 8; i-- > 0;) /* in any order */
        assert_true(answer(i));
    for (int i = 0; i < 8; i++) {
        char text[32];

        snprintf(text, sizeof text, ":%d\r\n:5\r\n", 1000 + i);
        door_hears(&door, parked[i], text);
        close(parked[i]);
    }
    close(fd);
}

/* He is gone; his index is another's by the time the answer comes. */
static void who_has_closed_is_not_answered(void **state)
{
    int fd;

    (void)state;
    begin();
    for (int round = 0; round < 5; round++) {
        uint32_t before = asked_count;

        fd = door_call(&door);
        door_says(&door, fd, "LAG\r\nLIKE 1 7\r\n");
        wait_asked(before + 1);
        close(fd);
        fd = door_call(&door);
        for (int i = 0; i < 5; i++)
            door_turn(&door, 1);
        assert_true(answer(before));
        door_hears_nothing(&door, fd);
        door_talk(&door, fd, "LIKE 1 8\r\n", ":8\r\n");
        close(fd);
    }
}

/* Sent all, and shut his side: he still gets everything, and then the end. */
static void who_has_shut_his_side_is_answered(void **state)
{
    int fd;

    (void)state;
    begin();
    fd = door_call(&door);
    door_says(&door, fd, "LAG\r\nLIKE 1 7\r\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    wait_asked(1);
    for (int i = 0; i < 10; i++)
        door_turn(&door, 1);
    assert_true(answer(0));
    door_hears(&door, fd, ":1000\r\n:7\r\n");
    door_hears_end(&door, fd);
}

static void a_refusal_parks_nobody(void **state)
{
    int fd;

    (void)state;
    begin();
    fd = door_call(&door);
    refusal = STATUS_OFF;
    door_says(&door, fd, "LIKE 1 7\r\nLAG\r\nLIKE 1 8\r\n");
    for (int i = 0; i < 2; i++) {
        char line[256];

        door_hears(&door, fd, i == 0 ? ":7\r\n" : ":8\r\n");
        if (i > 0)
            continue;
        door_line(&door, fd, line, sizeof line);
        assert_non_null(strstr(line, "-OFF "));
    }
    assert_int_equal(asked_count, 0);
    close(fd);
}

/* A stop: nobody new is heard, and who is parked is answered. */
static void a_stop_waits_for_no_input_of_the_parked(void **state)
{
    int fd;

    (void)state;
    begin();
    fd = door_call(&door);
    door_says(&door, fd, "LAG\r\n");
    wait_asked(1);
    serve_stop_listening(door.serve);
    assert_true(serve_idle(door.serve));
    assert_true(answer(0));
    door_hears(&door, fd, ":1000\r\n");
    assert_true(serve_idle(door.serve));
    close(fd);
}

/* --- whatever the order of things ----------------------------------------------------------------
 */

#define CALLERS 6
#define PARTS   40

struct caller {
    int fd;
    char said[PARTS * 16], heard[PARTS * 8];
    uint32_t asks[PARTS], ask_count; /* places in heard that the reader's answers have */
};

/* Of each caller, by its tickets: his questions in their order. The first callers of a new door
 * have the first places. */
static void fill_in(struct caller *callers)
{
    uint32_t next[CALLERS] = {0};

    for (uint32_t i = 0; i < asked_count; i++) {
        uint32_t place = asked[i].ticket.connection;
        struct caller *caller = &callers[place];
        char text[16];

        snprintf(text, sizeof text, "%u", 1000 + i);
        memcpy(caller->heard + caller->asks[next[place]++], text, 4);
    }
}

static void every_order_is_the_same_to_the_callers(void **state)
{
    struct test_random random = {.state = test_seed(1)};

    (void)state;
    for (int round = 0; round < 30; round++) {
        struct caller callers[CALLERS] = {0};
        uint32_t total = 0, done = 0;
        bool over[CALLERS * PARTS] = {0};

        begin();
        for (uint32_t c = 0; c < CALLERS; c++) {
            struct caller *caller = &callers[c];

            caller->fd = door_call(&door);
            for (int i = 0; i < PARTS; i++) {
                bool lag = test_random_below(&random, 3) == 0;

                if (lag)
                    caller->asks[caller->ask_count++] = (uint32_t)strlen(caller->heard) + 1;
                strcat(caller->said, lag ? "LAG\r\n" : "LIKE 1 7\r\n");
                strcat(caller->heard, lag ? ":####\r\n" : ":7\r\n");
                total += lag;
            }
            door_says(&door, caller->fd, caller->said);
        }
        while (done < total) {
            if (test_random_below(&random, 2) == 0)
                door_turn(&door, 0);
            else
                door_take(&door, 0), door_reply(&door);
            for (uint32_t i = 0; i < asked_count; i++)
                if (!over[i] && test_random_below(&random, 3) == 0 && answer(i))
                    over[i] = true, done++;
        }
        fill_in(callers);
        for (uint32_t c = 0; c < CALLERS; c++) {
            door_hears(&door, callers[c].fd, callers[c].heard);
            close(callers[c].fd);
        }
        if (round < 29)
            door_close(&door);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(answers_leave_in_the_order_of_the_questions, teardown),
        cmocka_unit_test_teardown(an_answer_does_not_overtake, teardown),
        cmocka_unit_test_teardown(an_answer_is_held_back_with_its_turn, teardown),
        cmocka_unit_test_teardown(nobody_waits_for_who_is_parked, teardown),
        cmocka_unit_test_teardown(who_has_closed_is_not_answered, teardown),
        cmocka_unit_test_teardown(who_has_shut_his_side_is_answered, teardown),
        cmocka_unit_test_teardown(a_refusal_parks_nobody, teardown),
        cmocka_unit_test_teardown(a_stop_waits_for_no_input_of_the_parked, teardown),
        cmocka_unit_test_teardown(every_order_is_the_same_to_the_callers, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
