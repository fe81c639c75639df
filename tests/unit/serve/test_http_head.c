/* The judgement of a head, row by row: each mends the fault of the row before and names the next.
 */
#include <string.h>

#include "base/digest.h"
#include "serve/http_head.h"
#include "support.h"

static struct credentials credentials;
static struct http_rules rules;
static struct http_head head;
static struct http_target target;
static struct problem_error error;

static void add_key(const char *key, enum role role)
{
    struct credential *one = &credentials.list[credentials.count++];

    digest_sha256(key, strlen(key), NULL, 0, one->digest);
    one->role = (uint8_t)role;
    one->has_key = true;
}

static int open_rules(void **state)
{
    (void)state;
    add_key("reader-key-reader-key-reader-key", ROLE_AUDITOR);
    add_key("writer-key-writer-key-writer-key", ROLE_BACKEND);
    return 0;
}

static void begin(const char *method, const char *path)
{
    head = (struct http_head){.method = method, .path = path, .line_bytes = 100};
    http_head_header(&head, "Host", "localhost:8090");
}

static uint32_t judge(void)
{
    http_head_judge(&head, &rules, &target, &error);
    return error.problem;
}

static void a_like_goes_through_one_check_after_the_other(void **state)
{
    (void)state;
    rules = (struct http_rules){.credentials = &credentials, .loopback = true};
    head = (struct http_head){.method = "PUT", .path = "/v1/items/9/like/7", .line_bytes = 8193};
    assert_int_equal(judge(), PROBLEM_LONGLINE);
    head.line_bytes = 8192;
    assert_int_equal(judge(), PROBLEM_BADHTTP); /* no Host */
    http_head_header(&head, "host", "zan.example");
    assert_int_equal(judge(), PROBLEM_NOROUTE);
    assert_string_equal(target.allow, "");
    head.path = "/v1/items/9/likes/7";
    head.method = "POST";
    assert_int_equal(judge(), PROBLEM_BADMETHOD);
    assert_string_equal(target.allow, "GET, HEAD, PUT, DELETE, OPTIONS");
    head.method = "PUT";
    assert_int_equal(judge(), STATUS_NOAUTH);
    head.authorization = "Basic eDp5";
    assert_int_equal(judge(), STATUS_WRONGPASS);
    head.authorization = "Bearer reader-key-reader-key-reader-ke";
    assert_int_equal(judge(), STATUS_WRONGPASS);
    head.authorization = "Bearer reader-key-reader-key-reader-key";
    assert_int_equal(judge(), STATUS_NOPERM);
    head.authorization = "bearer  writer-key-writer-key-writer-key";
    http_head_header(&head, "Content-Length", "2");
    assert_int_equal(judge(), PROBLEM_BADTYPE);
    head.content_type = "application/jsonp";
    assert_int_equal(judge(), PROBLEM_BADTYPE);
    head.content_type = "application/json; charset=latin1";
    assert_int_equal(judge(), PROBLEM_BADTYPE);
    head.content_type = "application/json; charset=utf-8";
    head.content_encoding = "gzip";
    assert_int_equal(judge(), PROBLEM_BADTYPE);
    head.content_encoding = NULL;
    assert_int_equal(judge(), 0);
    assert_int_equal(target.match.route->verb, VERB_LIKE);
}

static void lengths_must_be_one_and_plain(void **state)
{
    static const char *const bad[] = {"",    "-1",   "+1",  "1 1",
                                      "1,1", "0x10", "1e3", "99999999999999999999"};

    (void)state;
    rules = (struct http_rules){.loopback = true};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin("PUT", "/v1/items/9");
        http_head_header(&head, "Content-Length", bad[i]);
        assert_int_equal(judge(), PROBLEM_BADHTTP);
    }
    begin("PUT", "/v1/items/9");
    head.content_type = "application/json";
    http_head_header(&head, "Content-Length", "1048576");
    assert_int_equal(judge(), 0);
    http_head_header(&head, "Content-Length", "1048576");
    assert_int_equal(judge(), PROBLEM_BADHTTP); /* twice, though equal */
    begin("PUT", "/v1/items/9");
    http_head_header(&head, "Content-Length", "1048577");
    assert_int_equal(judge(), STATUS_TOOBIG);
    begin("PUT", "/v1/items/9");
    head.content_type = "application/json";
    http_head_header(&head, "Transfer-Encoding", "Chunked");
    assert_int_equal(judge(), 0);
    http_head_header(&head, "Content-Length", "5");
    assert_int_equal(judge(), PROBLEM_BADHTTP);
    begin("PUT", "/v1/items/9");
    http_head_header(&head, "Transfer-Encoding", "gzip, chunked");
    assert_int_equal(judge(), PROBLEM_BADHTTP);
}

static void headers_are_bounded_and_clean(void **state)
{
    static char big[HTTP_HEADER_BYTES_MAX];

    (void)state;
    rules = (struct http_rules){.loopback = true};
    begin("GET", "/v1/sequence");
    for (int i = 1; i < HTTP_HEADERS_MAX; i++)
        http_head_header(&head, "X-A", "1");
    assert_int_equal(judge(), 0);
    http_head_header(&head, "X-A", "1");
    assert_int_equal(judge(), PROBLEM_MANYHEADERS);
    begin("GET", "/v1/sequence");
    memset(big, 'a', sizeof big - 1);
    http_head_header(&head, "X-A", big);
    assert_int_equal(judge(), PROBLEM_MANYHEADERS);
    begin("GET", "/v1/sequence");
    http_head_header(&head, "X A", "1");
    assert_int_equal(judge(), PROBLEM_BADHTTP);
    begin("GET", "/v1/sequence");
    http_head_header(&head, "X-A", "1\x01");
    assert_int_equal(judge(), PROBLEM_BADHTTP);
    begin("GET", "/v1/sequence");
    http_head_header(&head, "Idempotency-Key", "1");
    http_head_header(&head, "idempotency-key", "2");
    assert_int_equal(judge(), PROBLEM_BADHTTP);
}

static void without_credentials_only_loopback_names_are_served(void **state)
{
    static const char *const good[] = {"localhost",   "LOCALHOST:8090", "127.0.0.1",
                                       "127.9.8.7:1", "[::1]",          "[::1]:8090"};
    static const char *const bad[] = {"evil.example",
                                      "127.evil.example",
                                      "localhost.evil.example",
                                      "10.0.0.1",
                                      "[::2]",
                                      "[::1",
                                      "[::1]x",
                                      "localhost:80a",
                                      "localhost@evil.example",
                                      "",
                                      "127.0.0.1.evil.example:80"};

    (void)state;
    rules = (struct http_rules){.loopback = true};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        begin("GET", "/v1/sequence");
        head.host = good[i];
        assert_int_equal(judge(), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin("GET", "/v1/sequence");
        head.host = bad[i];
        if (judge() != PROBLEM_MISDIRECTED)
            fail_msg("%s was served", bad[i]);
    }
    rules.credentials = &credentials; /* then a key is needed anyway */
    begin("GET", "/healthz");
    head.host = "zan.example";
    assert_int_equal(judge(), 0);
}

static void metrics_are_open_on_loopback_only(void **state)
{
    (void)state;
    rules = (struct http_rules){.credentials = &credentials, .loopback = true};
    begin("GET", "/metrics");
    assert_int_equal(judge(), 0);
    rules.loopback = false;
    assert_int_equal(judge(), STATUS_NOAUTH);
    head.authorization = "Bearer reader-key-reader-key-reader-key";
    assert_int_equal(judge(), 0);
}

static void service_paths_and_methods(void **state)
{
    (void)state;
    rules = (struct http_rules){.credentials = &credentials};
    begin("HEAD", "/readyz");
    assert_int_equal(judge(), 0);
    assert_true(target.head);
    begin("DELETE", "/readyz");
    assert_int_equal(judge(), PROBLEM_BADMETHOD);
    assert_string_equal(target.allow, "GET, HEAD, OPTIONS");
    begin("OPTIONS", "/v1/batch/states");
    assert_int_equal(judge(), 0);
    assert_string_equal(target.allow, "POST, OPTIONS");
    begin("OPTIONS", "*");
    assert_int_equal(judge(), 0);
    assert_string_equal(target.allow, "GET, HEAD, PUT, POST, DELETE, OPTIONS");
    begin("GET", "*");
    assert_int_equal(judge(), PROBLEM_NOROUTE);
    begin("GET", "/problems/NOITEM");
    assert_int_equal(judge(), 0);
    assert_int_equal(target.problem, STATUS_NOITEM);
    begin("GET", "/problems/OK");
    assert_int_equal(judge(), PROBLEM_NOROUTE); /* no problem */
    begin("GET", "/problems/noitem");
    assert_int_equal(judge(), PROBLEM_NOROUTE);
    begin("GET", "/healthz");
    http_head_header(&head, "Content-Length", "3");
    assert_int_equal(judge(), PROBLEM_NOBODY);
    begin("get", "/healthz");
    assert_int_equal(judge(), PROBLEM_BADMETHOD);
}

/* A browser says which page asks; who is no browser says nothing. */
static void only_pages_of_this_host_change_anything(void **state)
{
    (void)state;
    rules = (struct http_rules){.loopback = true};
    begin("PUT", "/v1/items/9/likes/7");
    http_head_header(&head, "Origin", "http://evil.example");
    assert_int_equal(judge(), PROBLEM_FOREIGNPAGE);
    head.origin = "null";
    assert_int_equal(judge(), PROBLEM_FOREIGNPAGE);
    head.origin = "http://localhost:8091"; /* another program of this machine */
    assert_int_equal(judge(), PROBLEM_FOREIGNPAGE);
    head.origin = "http://localhost:8090";
    assert_int_equal(judge(), 0);
    http_head_header(&head, "Sec-Fetch-Site", "same-site");
    assert_int_equal(judge(), PROBLEM_FOREIGNPAGE);
    head.fetch_site = "cross-site";
    assert_int_equal(judge(), PROBLEM_FOREIGNPAGE);
    head.fetch_site = "same-origin";
    assert_int_equal(judge(), 0);
    begin("POST", "/v1/accounts/7/erasure"); /* what an HTML form could send: no body, no Origin */
    http_head_header(&head, "Sec-Fetch-Site", "cross-site");
    assert_int_equal(judge(), PROBLEM_FOREIGNPAGE);
    begin("GET", "/v1/sequence"); /* reading it does not let the page see it */
    http_head_header(&head, "Sec-Fetch-Site", "cross-site");
    assert_int_equal(judge(), 0);
}

static void the_page_is_found_and_led_to(void **state)
{
    static const struct site_file files[] = {
        {.path = "/console/assets/a.js", .etag = "\"1\""},
        {.path = "/console/index.html", .etag = "\"2\""},
    };
    const struct site site = {files, 2};

    (void)state;
    rules = (struct http_rules){.loopback = true, .site = &site};
    begin("GET", "/console/");
    assert_int_equal(judge(), 0);
    assert_ptr_equal(target.file, &files[1]);
    begin("GET", "/console/assets/a.js");
    assert_int_equal(judge(), 0);
    assert_ptr_equal(target.file, &files[0]);
    begin("GET", "/console/assets/b.js");
    assert_int_equal(judge(), PROBLEM_NOROUTE);
    begin("GET", "/");
    assert_int_equal(judge(), 0);
    assert_int_equal(target.service, SERVICE_INDEX);
    http_head_header(&head, "Accept", "text/html,*/*;q=0.8");
    http_head_header(&head, "Accept", "text/plain"); /* may stand twice */
    assert_int_equal(judge(), 0);
    assert_int_equal(target.service, SERVICE_TO_SITE);
    rules.site = NULL; /* built without */
    assert_int_equal(judge(), 0);
    assert_int_equal(target.service, SERVICE_INDEX);
    begin("GET", "/console/");
    assert_int_equal(judge(), PROBLEM_NOROUTE);
}

static void who_asks_who_he_is_may_be_nobody(void **state)
{
    (void)state;
    rules = (struct http_rules){.credentials = &credentials};
    begin("GET", "/session");
    assert_int_equal(judge(), 0);
    assert_int_equal(target.who.role, ROLE_NONE);
    head.authorization = "Bearer writer-key-writer-key-writer-kez";
    assert_int_equal(judge(), STATUS_WRONGPASS);
    head.authorization = "Bearer writer-key-writer-key-writer-key";
    assert_int_equal(judge(), 0);
    assert_int_equal(target.who.role, ROLE_BACKEND);
    begin("GET", "/live");
    assert_int_equal(judge(), STATUS_NOAUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_like_goes_through_one_check_after_the_other),
        cmocka_unit_test(lengths_must_be_one_and_plain),
        cmocka_unit_test(headers_are_bounded_and_clean),
        cmocka_unit_test(without_credentials_only_loopback_names_are_served),
        cmocka_unit_test(metrics_are_open_on_loopback_only),
        cmocka_unit_test(service_paths_and_methods),
        cmocka_unit_test(only_pages_of_this_host_change_anything),
        cmocka_unit_test(the_page_is_found_and_led_to),
        cmocka_unit_test(who_asks_who_he_is_may_be_nobody),
    };

    return cmocka_run_group_tests(tests, open_rules, NULL);
}
