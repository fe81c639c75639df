/* Streams of live totals: what is told, to whom, when it ends, and that nothing is without a bound.
 * The partitions are a function that answers at once. */
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "serve/push.h"
#include "support.h"

static _Atomic uint64_t likes[2]; /* of items 9 and 10 */
static _Atomic int refusal;       /* enum status; 0: none */
static _Atomic int woken, asked;
static const struct identity everybody = {.role = ROLE_ALL};
static const uint64_t ids[] = {9, 10};

static void answer(void *context, struct call *call)
{
    uint64_t values[2] = {0, 0};
    struct reply reply = {.kind = REPLY_INTEGERS, .count = 2, .u.values = values};

    (void)context;
    atomic_fetch_add(&asked, 1);
    assert_int_equal(call->request.count, 2);
    if (call->request.verb == VERB_LIKES)
        for (int i = 0; i < 2; i++)
            values[i] = atomic_load(&likes[i]);
    if (atomic_load(&refusal) != 0)
        reply = (struct reply){.kind = REPLY_ERROR, .status = (uint8_t)atomic_load(&refusal)};
    call_answer(call, &reply);
    call->done(call);
}

static int64_t now(void *context)
{
    (void)context;
    return 1;
}

static void wake(void *owner)
{
    atomic_fetch_add((_Atomic int *)owner, 1);
}

static struct push *open_push(void)
{
    const struct push_config config = {.submit = answer, .now_us = now, .wake = wake};
    struct push *push;

    atomic_store(&refusal, 0);
    atomic_store(&woken, 0);
    assert_int_equal(push_open(&config, &push), STATUS_OK);
    return push;
}

static void pause_a_little(void)
{
    const struct timespec moment = {.tv_nsec = 2000000};

    nanosleep(&moment, NULL);
}

/* Reads as the door does: takes, or sleeps until woken. Until text has come, or the end: false. */
static bool read_until(struct push_stream *stream, const char *wanted, char *all, size_t size)
{
    size_t used = strlen(all);

    while (strstr(all, wanted) == NULL) {
        ssize_t taken = push_take(stream, all + used, size - used - 1);
        int before = atomic_load(&woken);

        if (taken < 0)
            return false;
        used += (size_t)taken;
        all[used] = '\0';
        if (taken == 0 && push_sleep(stream))
            while (atomic_load(&woken) == before)
                pause_a_little();
    }
    return true;
}

static void what_changes_is_told_and_nothing_else(void **state)
{
    static const char *const others[] = {"favorite", "view", "comment", "share"};
    struct push *push = open_push();
    struct push_stream *stream = push_begin(push, &everybody, ids, 2, &woken);
    char all[4096] = "";

    (void)state;
    assert_true(read_until(stream, "data: {\"like\":{\"9\":0,\"10\":0}}\n\n", all, sizeof all));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) /* each total was told once */
        assert_true(read_until(stream, others[i], all, sizeof all));
    memset(all, 0, sizeof all);
    atomic_store(&likes[1], 5);
    assert_true(read_until(stream, "data: {\"like\":{\"10\":5}}\n\n", all, sizeof all));
    assert_null(strstr(all, "\"9\"")); /* did not change */
    push_end(stream);
    push_stop(push);
    push_close(push);
}

static void a_refusal_is_the_last_word(void **state)
{
    const struct identity late = {.role = ROLE_USER, .asserted = 1, .expires_us = 1};
    struct push *push = open_push();
    struct push_stream *stream = push_begin(push, &everybody, ids, 2, &woken);
    char all[4096] = "";

    (void)state;
    assert_true(read_until(stream, "share", all, sizeof all));
    atomic_store(&refusal, STATUS_BUSY); /* passes: nothing is told of it */
    for (int before = atomic_load(&asked); atomic_load(&asked) < before + 3;)
        pause_a_little();
    atomic_store(&refusal, STATUS_TOKENREVOKED);
    assert_false(read_until(stream, "nothing", all, sizeof all));
    assert_non_null(strstr(all, "event: end\ndata: \"TOKENREVOKED\"\n\n"));
    assert_null(strstr(all, "BUSY"));
    push_end(stream);
    /* An assertion that has ended is not even asked for. */
    stream = push_begin(push, &late, ids, 2, &woken);
    memset(all, 0, sizeof all);
    assert_false(read_until(stream, "nothing", all, sizeof all));
    assert_string_equal(all, "event: end\ndata: \"TOKENEXPIRED\"\n\n");
    push_end(stream);
    push_stop(push);
    push_close(push);
}

static void there_is_an_end_to_everything(void **state)
{
    struct push_stream *streams[PUSH_STREAMS_MAX];
    struct push *push = open_push();
    char all[4096] = "";

    (void)state;
    for (int i = 0; i < PUSH_STREAMS_MAX; i++)
        assert_non_null(streams[i] = push_begin(push, &everybody, ids, 2, &woken));
    assert_null(push_begin(push, &everybody, ids, 2, &woken));
    push_end(streams[0]);
    assert_int_equal(push_count(push), PUSH_STREAMS_MAX - 1);
    assert_non_null(streams[0] = push_begin(push, &everybody, ids, 2, &woken));
    push_stop(push);
    assert_false(read_until(streams[3], "nothing", all, sizeof all));
    assert_null(push_begin(push, &everybody, ids, 2, &woken));
    for (int i = 0; i < PUSH_STREAMS_MAX; i++)
        push_end(streams[i]);
    push_close(push);
}

static void ids_stand_between_commas(void **state)
{
    uint64_t read[PUSH_IDS_MAX];
    char many[4 * PUSH_IDS_MAX] = "";

    (void)state;
    assert_int_equal(push_read_ids("9", read), 1);
    assert_int_equal(push_read_ids("0,18446744073709551615", read), 2);
    assert_true(read[1] == UINT64_MAX);
    for (const char *const *bad = (const char *const[]){"", ",", "9,", ",9", "9,,1", "x", "-1",
                                                        " 9", "18446744073709551616", NULL};
         *bad != NULL; bad++)
        assert_int_equal(push_read_ids(*bad, read), 0);
    for (int i = 0; i < PUSH_IDS_MAX; i++)
        strcat(many, i == 0 ? "7" : ",7");
    assert_int_equal(push_read_ids(many, read), PUSH_IDS_MAX);
    strcat(many, ",7");
    assert_int_equal(push_read_ids(many, read), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_is_told_and_nothing_else),
        cmocka_unit_test(a_refusal_is_the_last_word),
        cmocka_unit_test(there_is_an_end_to_everything),
        cmocka_unit_test(ids_stand_between_commas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
