/* JSON in: what is taken and what is refused, and with which word. JSON out: exact bytes. */
#include <stdio.h>
#include <string.h>

#include "support.h"
#include "wire/json.h"

#define NOW_US 1700000000000000LL

static struct json_request request;
static struct problem_error error;

static bool ask(enum route_method method, const char *path, const char *body,
                const struct json_headers *headers)
{
    struct json_input input = {.match = route_find(method, path), .now_us = NOW_US};
    static const struct json_headers none;

    assert_non_null(input.match.route);
    input.body = body;
    input.body_size = strlen(body);
    input.headers = headers != NULL ? *headers : none;
    error = (struct problem_error){0};
    return json_read(&input, &request, &error);
}

static bool post(const char *path, const char *body)
{
    return ask(METHOD_POST, path, body, NULL);
}

static bool query(const char *path, const char *name, const char *value)
{
    struct json_pair pair = {name, value};
    struct json_input input = {.match = route_find(METHOD_GET, path), .query = &pair,
                               .query_count = 1};

    error = (struct problem_error){0};
    return json_read(&input, &request, &error);
}

static void a_path_is_a_like(void **state)
{
    (void)state;
    assert_true(ask(METHOD_PUT, "/v1/items/18446744073709551615/likes/7", "", NULL));
    assert_int_equal(request.request.verb, VERB_LIKE);
    assert_int_equal(request.request.account, 7);
    assert_true(request.request.target == UINT64_MAX);
    assert_int_equal(request.request.flags, REQUEST_RETURN);
    assert_true(ask(METHOD_PUT, "/v1/accounts/5/followers/7", "{}", NULL));
    assert_int_equal(request.request.verb, VERB_FOLLOW);
    assert_int_equal(request.request.target, 5);
    assert_int_equal(request.request.account, 7);
}

static void a_view_takes_ids_as_text_or_number(void **state)
{
    (void)state;
    assert_true(post("/v1/items/9/views",
                     "{\"account\":\"7\",\"watch_ms\":1500,\"duration_ms\":86400000}"));
    assert_int_equal(request.request.u.view.watch_ms, 1500);
    assert_int_equal(request.request.u.view.duration_ms, REQUEST_MS_MAX);
    assert_true(post("/v1/items/9/views", "{\"account\":7,\"watch_ms\":0,\"duration_ms\":0}"));
    assert_int_equal(request.request.account, 7);
}

static void actions_become_verbs(void **state)
{
    (void)state;
    assert_true(post("/v1/items/9/actions",
                     "{\"account\":7,\"actions\":[\"like\",\"favorite\",\"skip\"]}"));
    assert_int_equal(request.request.count, 3);
    assert_int_equal(request.request.u.actions[0], VERB_LIKE);
    assert_int_equal(request.request.u.actions[1], VERB_FAVORITE);
    assert_int_equal(request.request.u.actions[2], VERB_SKIP);
}

static void batches_choose_their_verb(void **state)
{
    (void)state;
    assert_true(post("/v1/batch/states",
                     "{\"verb\":\"follow\",\"targets\":[\"1\",2],\"account\":\"7\"}"));
    assert_int_equal(request.request.verb, VERB_FOLLOWED);
    assert_int_equal(request.request.count, 2);
    assert_ptr_equal(request.request.u.ids, request.ids);
    assert_int_equal(request.ids[1], 2);
    assert_true(post("/v1/batch/counts", "{\"verb\":\"view\",\"items\":[3]}"));
    assert_int_equal(request.request.verb, VERB_VIEWS);
}

static void settings_carry_their_flags(void **state)
{
    (void)state;
    assert_true(ask(METHOD_PUT, "/v1/items/9",
                    "{\"creator\":\"5\",\"duration_ms\":61000,\"state\":\"private\"}", NULL));
    assert_int_equal(request.request.flags, REQUEST_RETURN | REQUEST_HAS_CREATOR |
                                                REQUEST_HAS_DURATION | REQUEST_HAS_STATE);
    assert_int_equal(request.request.u.item.creator, 5);
    assert_int_equal(request.request.u.item.duration_ms, 61000);
    assert_int_equal(request.request.u.item.state, ITEM_PRIVATE);
    assert_true(ask(METHOD_PUT, "/v1/accounts/9/state",
                    "{\"state\":\"like-banned\",\"until_ms\":1700000001000}", NULL));
    assert_int_equal(request.request.u.restriction.state, ACCOUNT_LIKE_BANNED);
    assert_true(request.request.u.restriction.until_us == 1700000001000000LL);
    assert_true(ask(METHOD_PUT, "/v1/items/9/state", "{\"state\":\"removed\"}", NULL));
    assert_int_equal(request.request.u.item.state, ITEM_REMOVED);
}

static void lists_have_a_page_size(void **state)
{
    (void)state;
    assert_true(ask(METHOD_GET, "/v1/items/9/likes", "", NULL));
    assert_int_equal(request.request.count, REQUEST_PAGE);
    assert_int_equal(request.request.flags, 0);
    assert_true(query("/v1/items/9/likes", "count", "1000"));
    assert_int_equal(request.request.count, 1000);
    assert_true(query("/v1/items/9/likes", "cursor", "77"));
    assert_int_equal(request.request.flags, REQUEST_HAS_CURSOR);
    assert_int_equal(request.request.u.cursor, 77);
    assert_true(query("/v1/items/9/likes", "cursor", "0"));
    assert_int_equal(request.request.flags, 0);
}

static void context_comes_from_headers_and_body(void **state)
{
    struct json_headers headers = {.source = "button", .device = "d-1", .client_ms = "1700000000000",
                                   .opid = "\"0190a6a8-0000-7000-8000-000000000001\""};
    uint64_t first;

    (void)state;
    assert_true(ask(METHOD_PUT, "/v1/items/9/likes/7",
                    "{\"context\":{\"source\":\"double-tap\",\"address\":\"203.0.113.7\"}}",
                    &headers));
    assert_int_equal(request.request.flags, REQUEST_RETURN | REQUEST_CONTEXT | REQUEST_OPID);
    assert_int_equal(request.request.context.source, SOURCE_DOUBLE_TAP);
    assert_true(request.request.context.client_us == NOW_US);
    assert_string_equal(request.address, "203.0.113.7");
    assert_string_equal(request.device, "d-1");
    first = request.request.opid[0];
    headers.opid = "0190a6a8-0000-7000-8000-000000000001"; /* the quotes are no part of it */
    assert_true(ask(METHOD_PUT, "/v1/items/9/likes/7", "", &headers));
    assert_true(request.request.opid[0] == first);
    assert_true(request.request.issued_us == 0);
    headers.issued_ms = "1700000000001";
    assert_true(ask(METHOD_PUT, "/v1/items/9/likes/7", "", &headers));
    assert_true(request.request.issued_us == 1700000000001000);
    assert_true(ask(METHOD_PUT, "/v1/items/9/likes/7", "{\"context\":{\"issued_ms\":5}}", &headers));
    assert_true(request.request.issued_us == 5000);
    headers.issued_ms = "0";
    assert_false(ask(METHOD_PUT, "/v1/items/9/likes/7", "", &headers));
    assert_int_equal(error.problem, STATUS_BADVALUE);
}

struct refused {
    const char *body;
    uint32_t problem;
};

static void refuse_all(enum route_method method, const char *path, const struct refused *cases,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ask(method, path, cases[i].body, NULL))
            fail_msg("taken: %s", cases[i].body);
        if (error.problem != cases[i].problem)
            fail_msg("%s: %s, not %s (%s)", cases[i].body, problem_info(error.problem).code,
                     problem_info(cases[i].problem).code, error.detail);
    }
}

static void a_wrong_view_names_its_fault(void **state)
{
    static const struct refused cases[] = {
        {"", STATUS_ARITY},
        {"{}", STATUS_ARITY},
        {"{\"account\":7,\"watch_ms\":1}", STATUS_ARITY},
        {"[]", PROBLEM_BADJSON},
        {"7", PROBLEM_BADJSON},
        {"\"account\"", PROBLEM_BADJSON},
        {"{", PROBLEM_BADJSON},
        {"{\"account\":7,}", PROBLEM_BADJSON},
        {"{\"account\":7}{}", PROBLEM_BADJSON},
        {"{\"account\":7,\"account\":8}", PROBLEM_BADJSON},
        {"{\"account\":07}", PROBLEM_BADJSON},
        {"{'account':7}", PROBLEM_BADJSON},
        {"{\"account\":NaN}", PROBLEM_BADJSON},
        {"{\"a\":\"\\u0000\"}", PROBLEM_BADJSON},
        {"{\"a\":\"\xff\"}", PROBLEM_BADJSON},
        {"{\"account\":18446744073709551616}", PROBLEM_BADJSON},
        {"{\"a\":[[[[[[[[1]]]]]]]]}", PROBLEM_BADJSON},
        {"{\"account\":\"7\",\"watch_ms\":1,\"duration_ms\":1,\"more\":1}", STATUS_UNKNOWNFIELD},
        {"{\"Account\":\"7\",\"watch_ms\":1,\"duration_ms\":1}", STATUS_UNKNOWNFIELD},
        {"{\"item\":\"7\",\"watch_ms\":1,\"duration_ms\":1}", STATUS_UNKNOWNFIELD},
        {"{\"account\":-7,\"watch_ms\":1,\"duration_ms\":1}", STATUS_BADID},
        {"{\"account\":7.0,\"watch_ms\":1,\"duration_ms\":1}", STATUS_BADID},
        {"{\"account\":\"7 \",\"watch_ms\":1,\"duration_ms\":1}", STATUS_BADID},
        {"{\"account\":\"\",\"watch_ms\":1,\"duration_ms\":1}", STATUS_BADID},
        {"{\"account\":\"18446744073709551616\",\"watch_ms\":1,\"duration_ms\":1}", STATUS_BADID},
        {"{\"account\":true,\"watch_ms\":1,\"duration_ms\":1}", STATUS_BADID},
        {"{\"account\":null,\"watch_ms\":1,\"duration_ms\":1}", STATUS_BADID},
        {"{\"account\":[7],\"watch_ms\":1,\"duration_ms\":1}", STATUS_BADID},
        {"{\"account\":7,\"watch_ms\":\"1\",\"duration_ms\":1}", STATUS_BADVALUE},
        {"{\"account\":7,\"watch_ms\":1.5,\"duration_ms\":1}", STATUS_BADVALUE},
        {"{\"account\":7,\"watch_ms\":86400001,\"duration_ms\":1}", STATUS_BADWATCH},
        {"{\"account\":7,\"watch_ms\":1,\"duration_ms\":86400001}", STATUS_BADWATCH},
        {"{\"account\":7,\"watch_ms\":1,\"duration_ms\":1,\"context\":7}", STATUS_BADVALUE},
        {"{\"account\":7,\"watch_ms\":1,\"duration_ms\":1,\"context\":{\"x\":7}}",
         STATUS_UNKNOWNFIELD},
        {"{\"account\":7,\"watch_ms\":1,\"duration_ms\":1,\"context\":{\"source\":\"foot\"}}",
         STATUS_BADVALUE},
        {"{\"account\":7,\"watch_ms\":1,\"duration_ms\":1,\"context\":{\"source\":1}}",
         STATUS_BADVALUE},
        {"{\"account\":7,\"watch_ms\":1,\"duration_ms\":1,\"context\":{\"client_ms\":1700000300001}}",
         STATUS_BADTIME},
        {"{\"account\":7,\"watch_ms\":1,\"duration_ms\":1,\"context\":{\"device\":1}}",
         STATUS_BADVALUE},
    };

    (void)state;
    refuse_all(METHOD_POST, "/v1/items/9/views", cases, sizeof cases / sizeof *cases);
}

static void a_wrong_batch_names_its_fault(void **state)
{
    static const struct refused cases[] = {
        {"{\"account\":1,\"targets\":[1]}", STATUS_ARITY},
        {"{\"verb\":\"LIKE\",\"account\":1,\"targets\":[1]}", STATUS_BADVALUE},
        {"{\"verb\":7,\"account\":1,\"targets\":[1]}", STATUS_BADVALUE},
        {"{\"verb\":\"like\",\"targets\":[1]}", STATUS_ARITY},
        {"{\"verb\":\"like\",\"account\":1}", STATUS_ARITY},
        {"{\"verb\":\"like\",\"account\":1,\"targets\":[]}", STATUS_BADVALUE},
        {"{\"verb\":\"like\",\"account\":1,\"targets\":7}", STATUS_BADVALUE},
        {"{\"verb\":\"like\",\"account\":1,\"targets\":[1,\"x\"]}", STATUS_BADID},
        {"{\"verb\":\"like\",\"account\":1,\"targets\":[1],\"context\":{}}", STATUS_UNKNOWNFIELD},
    };
    char many[8192] = "{\"verb\":\"like\",\"account\":1,\"targets\":[1";

    (void)state;
    refuse_all(METHOD_POST, "/v1/batch/states", cases, sizeof cases / sizeof *cases);
    for (unsigned i = 1; i < REQUEST_IDS_MAX; i++)
        strncat(many, ",1", sizeof many - strlen(many) - 1);
    strncat(many, "]}", sizeof many - strlen(many) - 1);
    assert_true(post("/v1/batch/states", many));
    assert_int_equal(request.request.count, REQUEST_IDS_MAX);
    memcpy(many + strlen(many) - 2, ",1]}", 5);
    assert_false(post("/v1/batch/states", many));
    assert_int_equal(error.problem, STATUS_TOOMANY);
}

static void a_wrong_act_or_state_names_its_fault(void **state)
{
    static const struct refused acts[] = {
        {"{\"account\":1,\"actions\":[\"view\"]}", STATUS_BADVALUE},
        {"{\"account\":1,\"actions\":[\"lik\"]}", STATUS_BADVALUE},
        {"{\"account\":1,\"actions\":[\"like|unlike\"]}", STATUS_BADVALUE},
        {"{\"account\":1,\"actions\":[]}", STATUS_BADVALUE},
        {"{\"account\":1,\"actions\":[7]}", STATUS_BADVALUE},
        {"{\"account\":1,\"actions\":[\"like\",\"like\",\"like\",\"like\",\"like\",\"like\","
         "\"like\",\"like\",\"like\"]}",
         STATUS_TOOMANY},
    };
    static const struct refused states[] = {
        {"{}", STATUS_ARITY},
        {"{\"state\":\"gone\"}", STATUS_BADVALUE},
        {"{\"state\":1}", STATUS_BADVALUE},
        {"{\"state\":\"suspended\",\"until_ms\":-1}", STATUS_BADVALUE},
        {"{\"state\":\"suspended\",\"until_ms\":9223372036854775807}", STATUS_BADVALUE},
        {"{\"state\":\"suspended\",\"UNTIL\":1}", STATUS_UNKNOWNFIELD},
    };

    (void)state;
    refuse_all(METHOD_POST, "/v1/items/9/actions", acts, sizeof acts / sizeof *acts);
    refuse_all(METHOD_PUT, "/v1/accounts/9/state", states, sizeof states / sizeof *states);
}

static void wrong_queries_and_headers_name_their_fault(void **state)
{
    struct json_headers bad_key = {.opid = ""}, long_key = {.opid = NULL};
    char text[66];

    (void)state;
    assert_false(query("/v1/items/9/likes", "count", "0"));
    assert_int_equal(error.problem, STATUS_BADVALUE);
    assert_false(query("/v1/items/9/likes", "count", "1001"));
    assert_int_equal(error.problem, STATUS_BADVALUE);
    assert_false(query("/v1/items/9/likes", "cursor", "x"));
    assert_int_equal(error.problem, STATUS_BADCURSOR);
    assert_false(query("/v1/items/9/likes", "Count", "1"));
    assert_int_equal(error.problem, STATUS_UNKNOWNFIELD);
    assert_false(query("/v1/items/9", "count", "1"));
    assert_int_equal(error.problem, STATUS_UNKNOWNFIELD);
    assert_false(ask(METHOD_GET, "/v1/items/9", "{}", NULL));
    assert_int_equal(error.problem, PROBLEM_NOBODY);
    assert_false(ask(METHOD_GET, "/v1/items/x", "", NULL));
    assert_int_equal(error.problem, STATUS_BADID);
    assert_false(ask(METHOD_PUT, "/v1/items/9/likes/7", "", &bad_key));
    assert_int_equal(error.problem, STATUS_BADOPID);
    memset(text, 'k', 65);
    text[65] = 0;
    long_key.opid = text;
    assert_false(ask(METHOD_PUT, "/v1/items/9/likes/7", "", &long_key));
    assert_int_equal(error.problem, STATUS_BADOPID);
    text[64] = 0;
    assert_true(ask(METHOD_PUT, "/v1/items/9/likes/7", "", &long_key));
}

static void long_strings_are_refused_before_they_are_parsed(void **state)
{
    static char body[JSON_STRING_MAX + 64];
    size_t used;

    (void)state;
    for (int over = 0; over < 2; over++) {
        used = (size_t)snprintf(body, sizeof body, "{\"account\":\"");
        memset(body + used, '1', JSON_STRING_MAX + (size_t)over);
        used += JSON_STRING_MAX + (size_t)over;
        snprintf(body + used, sizeof body - used, "\"}");
        assert_false(post("/v1/items/9/shares", body));
        assert_int_equal(error.problem, over ? PROBLEM_BADJSON : STATUS_BADID);
    }
}

/* Random bytes and random damage to a good body never do more than be refused. */
static void damage_is_refused_or_understood_but_never_worse(void **state)
{
    static const char good[] = "{\"verb\":\"like\",\"account\":\"1\",\"targets\":[\"1\",22,333]}";
    struct test_random random = {test_seed(20240607)};
    char body[sizeof good];
    unsigned taken = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t size = sizeof good - 1;

        memcpy(body, good, sizeof good);
        for (uint64_t n = test_random_below(&random, 3) + 1; n > 0; n--)
            body[test_random_below(&random, size)] =
                (char)(test_random_below(&random, 2) == 0 ? '0' + test_random_below(&random, 10)
                                                          : test_random_below(&random, 256));
        body[test_random_below(&random, 20) == 0 ? test_random_below(&random, size) : size] = 0;
        if (post("/v1/batch/states", body))
            taken++;
        else
            assert_int_not_equal(error.problem, 0);
    }
    assert_true(taken > 100); /* a digit for a digit */
}

/* --- out -------------------------------------------------------------------------------------- */

static void reply_is(const struct reply *reply, const char *expected)
{
    struct text text = {0};

    json_reply(&text, &request, reply);
    assert_false(text.failed);
    assert_string_equal(text.bytes, expected);
    text_free(&text);
}

static void writes_tell_what_became(void **state)
{
    struct item_row item = {.id = 9, .counts = {[COUNTER_LIKE] = 3, [COUNTER_VIEW] = 40},
                            .views_lost_pct = 25};
    struct reply reply = {.kind = REPLY_WRITE, .applied = 1, .flips = 1, .on = 1, .item = &item};

    (void)state;
    reply.sequence = UINT64_MAX;
    assert_true(ask(METHOD_PUT, "/v1/items/9/likes/7", "", NULL));
    reply_is(&reply, "{\"applied\":true,\"sequence\":\"18446744073709551615\",\"on\":true,"
                     "\"flips\":1,\"replayed\":false,\"counts\":{\"like\":3,\"favorite\":0,"
                     "\"view\":40,\"share\":0,\"comment\":0,\"skip\":0,\"report\":0,"
                     "\"likes\":{\"raw\":3,\"valid\":3,\"credited\":0.00,\"held\":0,\"quarantined\":0,"
                     "\"voided\":0,\"fading\":0.00,\"frozen\":0.00,"
                     "\"peak\":0,\"reasons\":{}},\"views\":{\"raw\":40,\"credited\":39.75},\"paused\":null}}\n");
    reply = (struct reply){.kind = REPLY_WRITE, .intent = INTENT_UNDO};
    reply_is(&reply, "{\"applied\":false,\"sequence\":\"0\",\"on\":false,\"flips\":0,"
                     "\"intent\":\"undo\",\"replayed\":false,\"counts\":null}\n");
    reply = (struct reply){.kind = REPLY_WRITE, .applied = 5, .count = 3, .sequence = 4,
                           .replayed = 1};
    assert_true(post("/v1/items/9/actions",
                     "{\"account\":7,\"actions\":[\"like\",\"favorite\",\"skip\"]}"));
    reply_is(&reply, "{\"applied\":true,\"sequence\":\"4\",\"actions\":[true,false,true],"
                     "\"replayed\":true,\"counts\":null}\n");
}

static void reads_tell_what_is(void **state)
{
    uint64_t values[3] = {1, 0, UINT64_MAX};
    struct reply_entry page[2] = {{7, 90, 1700000000123456LL}, {8, 80, 1700000000000000LL}};
    struct reply integers = {.kind = REPLY_INTEGERS, .count = 2, .u.values = values};
    struct reply one = {.kind = REPLY_INTEGER, .u.value = 1};
    uint64_t totals[4] = {10, 20, 0, 1700000000000};
    struct reply held = {.kind = REPLY_INTEGERS, .count = 2, .held = 1, .u.values = totals};
    struct reply list = {.kind = REPLY_PAGE, .count = 2, .cursor = 80, .u.page = page};

    (void)state;
    assert_true(ask(METHOD_GET, "/v1/accounts/5/followers/7", "", NULL));
    reply_is(&one, "{\"account\":\"7\",\"creator\":\"5\",\"on\":true}\n");
    assert_true(post("/v1/batch/states", "{\"verb\":\"like\",\"account\":7,\"targets\":[1,2]}"));
    reply_is(&integers, "{\"account\":\"7\",\"verb\":\"like\",\"on\":[true,false]}\n");
    integers.count = 3;
    assert_true(post("/v1/batch/counts", "{\"verb\":\"share\",\"items\":[1,2,3]}"));
    reply_is(&integers, "{\"verb\":\"share\",\"counts\":[1,0,18446744073709551615],\"paused\":[]}\n");
    assert_true(post("/v1/batch/counts", "{\"verb\":\"like\",\"items\":[9,8]}"));
    reply_is(&held, "{\"verb\":\"like\",\"counts\":[10,20],\"paused\":"
                    "[{\"item\":\"8\",\"until_ms\":1700000000000}]}\n");
    assert_true(ask(METHOD_GET, "/v1/sequence", "", NULL));
    reply_is(&integers, "{\"sequences\":[\"1\",\"0\",\"18446744073709551615\"]}\n");
    assert_true(ask(METHOD_GET, "/v1/items/9/likes", "", NULL));
    reply_is(&list, "{\"entries\":[{\"account\":\"7\",\"time_ms\":1700000000123},"
                    "{\"account\":\"8\",\"time_ms\":1700000000000}],\"cursor\":\"80\"}\n");
    list.count = 0;
    list.cursor = 0;
    assert_true(ask(METHOD_GET, "/v1/accounts/7/following", "", NULL));
    reply_is(&list, "{\"entries\":[],\"cursor\":null}\n");
}

static void rows_have_all_their_members(void **state)
{
    struct item_row item = {.id = 9, .state = ITEM_PRIVATE, .duration_ms = 5, .first_us = 7000,
                            .watch_ms = 8, .taken_back = 1};
    struct account_row account = {.id = 7, .state = ACCOUNT_SUSPENDED, .until_us = 9000};
    struct reply reply = {.kind = REPLY_ITEM, .item = &item};

    (void)state;
    assert_true(ask(METHOD_GET, "/v1/items/9", "", NULL));
    reply_is(&reply, "{\"item\":\"9\",\"state\":\"private\",\"creator\":null,\"duration_ms\":5,"
                     "\"first_ms\":7,\"watch_ms\":8,\"taken_back\":1,\"original\":true,"
                     "\"published_ms\":null,\"campaign\":null,\"counts\":{\"like\":0,"
                     "\"favorite\":0,\"view\":0,\"share\":0,\"comment\":0,\"skip\":0,"
                     "\"report\":0,"
                     "\"likes\":{\"raw\":0,\"valid\":0,\"credited\":0.00,\"held\":0,\"quarantined\":0,"
                     "\"voided\":0,\"fading\":0.00,\"frozen\":0.00,"
                     "\"peak\":0,\"reasons\":{}},\"views\":{\"raw\":0,\"credited\":0.00},\"paused\":null}}\n");
    assert_true(ask(METHOD_PUT, "/v1/accounts/7", "{\"region\":\"CN\"}", NULL));
    assert_true(request.request.u.portrait.region == 899);
    assert_false(ask(METHOD_PUT, "/v1/accounts/7", "{\"region\":\"c-\"}", NULL));
    assert_false(ask(METHOD_PUT, "/v1/accounts/7", "{\"region\":7}", NULL));
    reply = (struct reply){.kind = REPLY_ACCOUNT, .account = &account};
    assert_true(ask(METHOD_GET, "/v1/accounts/7", "", NULL));
    reply_is(&reply, "{\"account\":\"7\",\"state\":\"suspended\",\"until_ms\":9,"
             "\"first_ms\":0,\"visible\":\"nobody\",\"tier\":\"ordinary\",\"epoch\":0,"
             "\"taken_back\":0,\"standing\":{\"limited\":\"\",\"limit_until_ms\":null,"
             "\"cut_pct\":100,\"cut_until_ms\":null,\"points\":0,\"erase_ms\":null,"
             "\"minor\":false,\"personal\":true,\"region\":\"\"},\"case\":null,\"given\":{\"like\":0,\"favorite\":0,\"follow\":0,\"view\":0,"
                     "\"share\":0,\"comment\":0,\"skip\":0,\"report\":0},\"received\":{\"like\":0,"
                     "\"favorite\":0,\"follow\":0,\"view\":0,\"share\":0,\"comment\":0,\"skip\":0,"
                     "\"report\":0,"
                     "\"likes\":{\"raw\":0,\"valid\":0,\"credited\":0.00,\"held\":0,\"quarantined\":0,"
                     "\"voided\":0}}}\n");
}

static void text_escapes_what_json_must_escape(void **state)
{
    static const char raw[] = "a\"b\\c\n\x01\x7f\xc3\xa9\xff\xed\xa0\x80\xf0\x9f\x98\x80\xc3";
    struct text text = {0};

    (void)state;
    text_json(&text, raw, sizeof raw - 1);
    assert_string_equal(text.bytes, "\"a\\\"b\\\\c\\u000a\\u0001\\u007f\xc3\xa9????"
                                    "\xf0\x9f\x98\x80?\"");
    text_free(&text);
    text_i64(&text, INT64_MIN);
    text_u64(&text, 0);
    assert_string_equal(text.bytes, "-92233720368547758080");
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_a_like),
        cmocka_unit_test(a_view_takes_ids_as_text_or_number),
        cmocka_unit_test(actions_become_verbs),
        cmocka_unit_test(batches_choose_their_verb),
        cmocka_unit_test(settings_carry_their_flags),
        cmocka_unit_test(lists_have_a_page_size),
        cmocka_unit_test(context_comes_from_headers_and_body),
        cmocka_unit_test(a_wrong_view_names_its_fault),
        cmocka_unit_test(a_wrong_batch_names_its_fault),
        cmocka_unit_test(a_wrong_act_or_state_names_its_fault),
        cmocka_unit_test(wrong_queries_and_headers_name_their_fault),
        cmocka_unit_test(long_strings_are_refused_before_they_are_parsed),
        cmocka_unit_test(damage_is_refused_or_understood_but_never_worse),
        cmocka_unit_test(writes_tell_what_became),
        cmocka_unit_test(reads_tell_what_is),
        cmocka_unit_test(rows_have_all_their_members),
        cmocka_unit_test(text_escapes_what_json_must_escape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
