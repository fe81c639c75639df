/* Problems: every ending has one, and nothing from outside can break out of it. */
#include <jansson.h>
#include <string.h>

#include "support.h"
#include "wire/problem.h"

static json_t *parsed(struct text *text)
{
    json_t *root = json_loadb(text->bytes, text->size, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(root);
    text_free(text);
    return root;
}

static void every_ending_is_a_well_formed_problem(void **state)
{
    (void)state;
    for (uint32_t i = STATUS_UNCHANGED + 1; i < PROBLEM_COUNT; i++) {
        struct status_info info = problem_info(i);
        struct text text = {0};
        json_t *root;

        problem_write(&text, i, "a \"detail\"\n", NULL, "00ff");
        root = parsed(&text);
        assert_string_equal(json_string_value(json_object_get(root, "code")), info.code);
        assert_int_equal(json_integer_value(json_object_get(root, "status")), info.http);
        assert_int_equal(json_is_true(json_object_get(root, "certain")), info.certain);
        assert_string_equal(json_string_value(json_object_get(root, "detail")), "a \"detail\"\n");
        assert_true(info.http >= 400 && info.http < 600);
        assert_true(strlen(info.advice) > 0);
        assert_int_equal(problem_find(info.code), i);
        json_decref(root);
    }
    assert_int_equal(problem_find("NOSUCH"), PROBLEM_COUNT);
}

static void the_list_has_them_all(void **state)
{
    struct text text = {0};
    json_t *root;

    (void)state;
    problem_list(&text);
    root = parsed(&text);
    assert_int_equal(json_array_size(json_object_get(root, "problems")), PROBLEM_COUNT - 2);
    json_decref(root);
}

static void waits_are_told_in_whole_seconds_rounded_up(void **state)
{
    struct reply reply = {.retry_ms = 2001};

    (void)state;
    assert_int_equal(problem_retry_s(STATUS_BUSY, &reply), 3);
    reply.retry_ms = 2000;
    assert_int_equal(problem_retry_s(STATUS_BUSY, &reply), 2);
    reply.retry_ms = 0;
    assert_int_equal(problem_retry_s(STATUS_BUSY, &reply), 1);
    assert_int_equal(problem_retry_s(STATUS_BUSY, NULL), 1);
    assert_int_equal(problem_retry_s(STATUS_NOITEM, &reply), 0);
}

static void a_restriction_tells_its_end(void **state)
{
    struct reply reply = {.until_us = 1700000000123456LL};
    struct text text = {0};
    json_t *root;

    (void)state;
    problem_write(&text, STATUS_SUSPENDED, "", &reply, "1");
    root = parsed(&text);
    assert_true(json_integer_value(json_object_get(root, "until_ms")) == 1700000000123LL);
    assert_null(json_object_get(root, "detail"));
    json_decref(root);
}

static void the_first_error_stays(void **state)
{
    struct problem_error error = {0};

    (void)state;
    problem_set(&error, STATUS_BADID, "%s", "first");
    problem_set(&error, STATUS_NOITEM, "%s", "second");
    assert_int_equal(error.problem, STATUS_BADID);
    assert_string_equal(error.detail, "first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ending_is_a_well_formed_problem),
        cmocka_unit_test(the_list_has_them_all),
        cmocka_unit_test(waits_are_told_in_whole_seconds_rounded_up),
        cmocka_unit_test(a_restriction_tells_its_end),
        cmocka_unit_test(the_first_error_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
