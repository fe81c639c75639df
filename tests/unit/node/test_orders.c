/* The record of orders: what is in force survives, what was never confirmed is cut off, and what
 * somebody else wrote is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/orders.h"
#include "support.h"

#define WHEN 1763820187000000

static char dir[64], path[96];
static struct orders *orders;
static char message[256];

static int setup(void **state)
{
    (void)state;
    test_dir_make(dir);
    snprintf(path, sizeof path, "%s/orders", dir);
    assert_int_equal(orders_open(path, &orders, message), STATUS_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    orders_close(orders);
    orders = NULL;
    test_dir_remove(dir);
    return 0;
}

static enum status add(const char *what, const char *reason)
{
    return orders_add(orders, WHEN, "ops", what, reason, message);
}

static enum status again(void)
{
    orders_close(orders);
    orders = NULL;
    return orders_open(path, &orders, message);
}

static size_t read_file(char *text, size_t room)
{
    FILE *file = fopen(path, "r");
    size_t size;

    assert_non_null(file);
    size = fread(text, 1, room - 1, file);
    text[size] = '\0';
    fclose(file);
    return size;
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void the_last_order_is_in_force(void **state)
{
    char text[200], all[2048];

    (void)state;
    assert_false(orders_readonly(orders));
    assert_int_equal(add("normal", "no need"), STATUS_UNCHANGED);
    assert_int_equal(add("readonly", "moving house"), STATUS_OK);
    assert_int_equal(add("readonly", "still"), STATUS_UNCHANGED);
    assert_int_equal(add("resync", "a new disk"), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        assert_true(orders_readonly(orders));
        orders_tell(orders, text);
        assert_string_equal(text, "by ops: moving house");
        assert_int_equal(again(), STATUS_OK);
    }
    assert_int_equal(add("normal", "moved"), STATUS_OK);
    assert_int_equal(again(), STATUS_OK);
    assert_false(orders_readonly(orders));
    read_file(all, sizeof all);
    assert_memory_equal(all, "2025-11-22T14:03:07Z\tops\treadonly\tmoving house\t", 47);
}

static void a_reason_is_needed(void **state)
{
    char text[ORDERS_REASON + 2];

    (void)state;
    memset(text, 'x', sizeof text);
    text[ORDERS_REASON + 1] = '\0';
    assert_int_equal(add("readonly", text), STATUS_BADVALUE);
    assert_int_equal(add("readonly", ""), STATUS_BADVALUE);
    assert_int_equal(add("readonly", "two\nlines"), STATUS_BADVALUE);
    assert_int_equal(add("readonly", "a\ttab"), STATUS_BADVALUE);
    assert_false(orders_readonly(orders));
    text[ORDERS_REASON] = '\0';
    assert_int_equal(add("readonly", text), STATUS_OK);
    assert_int_equal(again(), STATUS_OK);
}

static void a_torn_order_is_cut_off(void **state)
{
    char whole[2048], text[4096];
    size_t one;

    (void)state;
    add("readonly", "first");
    one = read_file(whole, sizeof whole);
    add("normal", "second");
    read_file(whole, sizeof whole);
    for (size_t cut = one; cut < strlen(whole); cut++) {
        snprintf(text, sizeof text, "%.*s", (int)cut, whole);
        write_file(text);
        assert_int_equal(again(), STATUS_OK);
        assert_true(orders_readonly(orders));
    }
    assert_int_equal(add("normal", "second"), STATUS_OK); /* over what was torn */
    read_file(text, sizeof text);
    assert_string_equal(text, whole);
}

static void what_was_changed_is_refused(void **state)
{
    char whole[2048], text[2048];
    size_t size;

    (void)state;
    add("readonly", "first");
    add("resync", "second");
    add("normal", "third");
    size = read_file(whole, sizeof whole);
    for (size_t at = 0; at < size; at++) {
        memcpy(text, whole, size + 1);
        text[at] ^= 1;
        if (whole[at] == '\n' && at == size - 1)
            continue; /* the last end of a line: as if never confirmed */
        write_file(text);
        if (again() == STATUS_OK)
            fail_msg("byte %zu was changed, and nobody saw", at);
        assert_non_null(strstr(message, "is not what was written"));
    }
    memmove(text, strchr(whole, '\n') + 1, strlen(strchr(whole, '\n') + 1) + 1);
    write_file(text); /* the first line is gone */
    assert_int_equal(again(), STATUS_BADDATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_order_is_in_force, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reason_is_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_torn_order_is_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_changed_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
