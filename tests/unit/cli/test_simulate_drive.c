/* How zan simulate reads what COUNTS, ACCOUNT GET and ITEM GET answer. The file is taken in whole;
 * the client it speaks through is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/simulate_drive.c"

/* --- no client ----------------------------------------------------------------------------------
 */

enum status client_open(const char *address, const char *name, const char *key,
                        struct client **client, char message[CLIENT_MESSAGE])
{
    (void)address, (void)name, (void)key, (void)client, (void)message;
    return STATUS_UNKNOWN;
}

void client_close(struct client *client)
{
    (void)client;
}

void client_add(struct client *client, const char *const *words, uint32_t count)
{
    (void)client, (void)words, (void)count;
}

enum status client_turn(struct client *client, int timeout_ms, char message[CLIENT_MESSAGE])
{
    (void)client, (void)timeout_ms, (void)message;
    return STATUS_UNKNOWN;
}

enum status client_take(struct client *client, const struct client_value **values)
{
    (void)client, (void)values;
    return STATUS_UNKNOWN;
}

enum status client_call(struct client *client, const char *const *words, uint32_t count,
                        const struct client_value **values, char message[CLIENT_MESSAGE])
{
    (void)client, (void)words, (void)count, (void)values, (void)message;
    return STATUS_UNKNOWN;
}

/* --- replies by hand ----------------------------------------------------------------------------
 */

static struct client_value values[64];
static uint32_t used;

static void text(const char *word)
{
    values[used] = (struct client_value){
        .kind = CLIENT_TEXT, .text = word, .size = strlen(word), .next = used + 1};
    used++;
}

static void number(const char *name, int64_t integer)
{
    text(name);
    values[used] =
        (struct client_value){.kind = CLIENT_INTEGER, .integer = integer, .next = used + 1};
    used++;
}

static uint32_t list(uint32_t count)
{
    values[used] = (struct client_value){.kind = CLIENT_LIST, .count = count};
    return used++;
}

static void end(uint32_t at)
{
    values[at].next = used;
}

static bool same(double a, double b)
{
    return a - b < 1e-9 && b - a < 1e-9;
}

static void three_numbers_and_why_they_differ(void **state)
{
    uint32_t all, likes, reasons, views;
    struct counts counts;

    (void)state;
    used = 0;
    all = list(8);
    number("like", 12);
    number("view", 300);
    text("likes");
    likes = list(16);
    number("raw", 12);
    number("valid", 11);
    text("credited");
    text("8.75");
    number("held", 2);
    number("quarantined", 1);
    number("voided", 0);
    number("peak", 15);
    text("reasons");
    reasons = list(4);
    number("velocity", 2);
    number("raw", 1); /* a reason is never taken for a counter, whatever it is called */
    end(reasons);
    end(likes);
    text("views"); /* their raw and credited are not those of likes */
    views = list(4);
    number("raw", 300);
    text("credited");
    text("280.50");
    end(views);
    end(all);
    counts = counts_of(values);
    assert_true(counts.three);
    assert_true(same(counts.raw, 12) && same(counts.valid, 11) && same(counts.credited, 8.75));
    assert_true(same(counts.held, 2) && same(counts.quarantined, 1) && same(counts.voided, 0));
    assert_true(same(counts.by_reason, 3) && same(counts.views, 300));
    assert_true(same(counts.views_credited, 280.5));
}

static void a_server_without_them_counts_in_full(void **state)
{
    uint32_t all;
    struct counts counts;

    (void)state;
    used = 0;
    all = list(4);
    number("like", 12);
    number("view", 300);
    end(all);
    counts = counts_of(values);
    assert_false(counts.three);
    assert_true(same(counts.raw, 12) && same(counts.valid, 12) && same(counts.credited, 12));
    assert_true(same(counts.views_credited, 300));
}

static void a_state_is_what_is_told_or_nothing(void **state)
{
    uint32_t all;

    (void)state;
    used = 0;
    all = list(6);
    number("id", 7);
    text("state");
    text("like-banned");
    number("until_ms", 5);
    end(all);
    assert_true(state_is(values, "like-banned"));
    assert_false(state_is(values, "active"));
    values[0] = (struct client_value){.kind = CLIENT_ERROR, .text = "NOACCOUNT", .size = 9};
    assert_false(state_is(values, "active")); /* an error is no state */
}

static void a_guess_is_as_good_as_the_answers_differ(void **state)
{
    struct seen seen[SEEN_MAX] = {0};

    (void)state;
    for (int i = 0; i < 100; i++)
        note_seen(seen, "1 1 +1", i % 2);
    assert_true(same(best_guess(seen), 0.5));
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 100; i++)
        note_seen(seen, i % 2 ? "1 1 +1" : "1 1 +0", i % 2);
    assert_true(same(best_guess(seen), 1));
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 1000; i++) /* the commoner verdict is worth nothing */
        note_seen(seen, "1 1 +1", i % 10 == 0);
    assert_true(same(best_guess(seen), 0.5));
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 100; i++)
        note_seen(seen, "1 1 +1", 1);
    assert_true(best_guess(seen) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_numbers_and_why_they_differ),
        cmocka_unit_test(a_server_without_them_counts_in_full),
        cmocka_unit_test(a_state_is_what_is_told_or_nothing),
        cmocka_unit_test(a_guess_is_as_good_as_the_answers_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
