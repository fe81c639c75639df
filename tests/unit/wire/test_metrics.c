/* Metrics: every line is one Prometheus can read, and the histogram adds up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "wire/metrics.h"

static char *written(const struct facts *facts)
{
    struct metrics_http http = {.connections_open = 3, .answers = {[2] = 5}};
    struct text text = {0};

    metrics_write(&text, facts);
    metrics_http_write(&text, &http);
    assert_false(text.failed);
    return text.bytes;
}

/* The number behind a sample's name and labels. */
static double sample(const char *text, const char *name)
{
    char line[160];
    const char *at;

    snprintf(line, sizeof line, "\n%s ", name);
    at = strstr(text, line);
    if (at == NULL) {
        fail_msg("no sample %s", name);
        return 0;
    }
    return strtod(at + strlen(line), NULL);
}

static void numbers_come_through(void **state)
{
    struct facts facts = {.version = "0.1.0",
                          .sync = "always",
                          .mode = MODE_NOSPACE,
                          .turns = UINT64_MAX,
                          .log_sync_us_total = {1500001, 7}};
    char *text;

    (void)state;
    facts.requests[VERB_ITEM_GET] = 12;
    facts.answers[STATUS_BUSY] = 4;
    text = written(&facts);
    assert_true(sample(text, "zan_requests_total{verb=\"ITEM GET\"}") == 12);
    assert_true(sample(text, "zan_answers_total{code=\"BUSY\"}") == 4);
    assert_true(sample(text, "zan_mode{mode=\"nospace\"}") == 1);
    assert_true(sample(text, "zan_mode{mode=\"normal\"}") == 0);
    assert_non_null(strstr(text, "\nzan_turns_total 18446744073709551615\n"));
    assert_non_null(strstr(text, "\nzan_log_sync_seconds_total{copy=\"a\"} 1.500001\n"));
    assert_non_null(strstr(text, "\nzan_log_sync_seconds_total{copy=\"b\"} 0.000007\n"));
    assert_true(sample(text, "zan_http_answers_total{class=\"2xx\"}") == 5);
    free(text);
}

/* A reader that is off has no line; what lies beside a figure does not get into it. */
static void readers_are_told_apart(void **state)
{
    struct facts facts = {.readers = {{.on = true, .name = "first", .model = 17, .models_taken = 3},
                                      {.name = "off", .lag_records = 9},
                                      {.on = true, .name = "third", .lag_records = 5}}};
    char *text = written(&facts);

    (void)state;
    assert_true(sample(text, "zan_reader_model{reader=\"first\"}") == 17);
    assert_true(sample(text, "zan_reader_models_taken_total{reader=\"first\"}") == 3);
    assert_true(sample(text, "zan_reader_lag_records{reader=\"first\"}") == 0);
    assert_true(sample(text, "zan_reader_lag_records{reader=\"third\"}") == 5);
    assert_null(strstr(text, "reader=\"off\""));
    free(text);
}

static void rules_have_names_and_tell_whether_they_act(void **state)
{
    struct facts facts = {.rule_count = 2,
                          .rules = {{.name = "few", .fired = 7, .refused = 7},
                                    {.name = "tried", .shadow = true, .fired = 9, .cut = 9}}};
    char *text = written(&facts);

    (void)state;
    assert_true(sample(text, "zan_policy_rule_fired_total{rule=\"few\",shadow=\"no\"}") == 7);
    assert_true(sample(text, "zan_policy_rule_refused_total{rule=\"few\",shadow=\"no\"}") == 7);
    assert_true(sample(text, "zan_policy_rule_fired_total{rule=\"tried\",shadow=\"yes\"}") == 9);
    assert_true(sample(text, "zan_policy_rule_cut_total{rule=\"tried\",shadow=\"yes\"}") == 9);
    assert_true(sample(text, "zan_policy_rule_held_total{rule=\"tried\",shadow=\"yes\"}") == 0);
    free(text);
}

static void the_histogram_rises_and_ends_at_the_count(void **state)
{
    struct facts facts = {
        .latency = {[0] = 1, [3] = 4, [23] = 2}, .latency_count = 9, .latency_sum_us = 2000000};
    char *text = written(&facts);
    double last = 0;

    (void)state;
    for (const char *at = text; (at = strstr(at, "seconds_bucket{le=\"")) != NULL; at++) {
        double now = strtod(strchr(at, '}') + 1, NULL);

        assert_true(now >= last);
        last = now;
    }
    assert_true(last == 9);
    assert_true(sample(text, "zan_request_duration_seconds_bucket{le=\"0.000008\"}") == 5);
    assert_true(sample(text, "zan_request_duration_seconds_bucket{le=\"8.388608\"}") == 7);
    assert_true(sample(text, "zan_request_duration_seconds_count") == 9);
    assert_true(sample(text, "zan_request_duration_seconds_sum") == 2);
    facts.latency_count = 3; /* read while others write */
    free(text);
    text = written(&facts);
    assert_true(sample(text, "zan_request_duration_seconds_bucket{le=\"+Inf\"}") == 7);
    free(text);
}

static void promtool_has_nothing_to_say(void **state)
{
    struct facts facts = {.version = "0.1.0 \"x\"\n", .sync = "group:5"};
    char *text = written(&facts);
    FILE *tool;

    (void)state;
    if (system("command -v promtool >/dev/null") != 0) {
        free(text);
        skip();
    }
    tool = popen("promtool check metrics", "w");
    assert_non_null(tool);
    fputs(text, tool);
    free(text);
    assert_int_equal(pclose(tool), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_through),
        cmocka_unit_test(readers_are_told_apart),
        cmocka_unit_test(rules_have_names_and_tell_whether_they_act),
        cmocka_unit_test(the_histogram_rises_and_ends_at_the_count),
        cmocka_unit_test(promtool_has_nothing_to_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
