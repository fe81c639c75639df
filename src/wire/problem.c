#include "wire/problem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define YES   true
#define NO    false
#define KEEP  false
#define CLOSE true

static const struct status_info extra[PROBLEM_COUNT - STATUS_COUNT] = {
#define PROBLEM(symbol, code, http, certain, connection, text, advice)                             \
    [PROBLEM_##symbol - STATUS_COUNT] = {#symbol, code, http, certain, connection, text, advice},
#define ADVICE(symbol, advice)
#include "wire/problem.def"
#undef PROBLEM
#undef ADVICE
};

static const char *const advices[STATUS_COUNT] = {
#define PROBLEM(symbol, code, http, certain, connection, text, advice)
#define ADVICE(symbol, advice) [STATUS_##symbol] = advice,
#include "wire/problem.def"
#undef PROBLEM
#undef ADVICE
};

struct status_info problem_info(uint32_t problem)
{
    struct status_info info;

    assert(problem < PROBLEM_COUNT);
    if (problem >= STATUS_COUNT)
        return extra[problem - STATUS_COUNT];
    info = *status_info((enum status)problem);
    if (advices[problem] != NULL)
        info.advice = advices[problem];
    return info;
}

uint32_t problem_find(const char *code)
{
    uint32_t problem = 0;

    while (problem < PROBLEM_COUNT && strcmp(problem_info(problem).code, code) != 0)
        problem++;
    return problem;
}

void problem_set(struct problem_error *error, uint32_t problem, const char *format, ...)
{
    va_list arguments;

    assert(problem < PROBLEM_COUNT);
    if (error->problem != 0)
        return;
    error->problem = problem;
    va_start(arguments, format);
    vsnprintf(error->detail, sizeof error->detail, format, arguments);
    va_end(arguments);
}

static void put_member(struct text *text, const char *name, const char *value)
{
    text_put(text, "\"", 1);
    text_puts(text, name);
    text_puts(text, "\":");
    text_json(text, value, strlen(value));
}

/* The members a problem and its description share. */
static void put_common(struct text *text, uint32_t problem)
{
    struct status_info info = problem_info(problem);

    text_puts(text, "{\"type\":\"/problems/");
    text_puts(text, info.code);
    text_puts(text, "\",");
    put_member(text, "title", info.text);
    text_puts(text, ",\"status\":");
    text_i64(text, info.http);
    text_puts(text, ",");
    put_member(text, "code", info.code);
    text_puts(text, ",");
    put_member(text, "advice", info.advice);
    text_puts(text, info.certain ? ",\"certain\":true" : ",\"certain\":false");
}

uint32_t problem_retry_s(uint32_t problem, const struct reply *reply)
{
    int http = problem_info(problem).http;

    if (http != 503 && http != 429)
        return 0;
    if (reply == NULL || reply->retry_ms < 1000)
        return 1;
    return reply->retry_ms / 1000 + (reply->retry_ms % 1000 != 0);
}

void problem_write(struct text *text, uint32_t problem, const char *detail,
                   const struct reply *reply, const char *request_id)
{
    put_common(text, problem);
    if (detail[0] != 0) {
        text_puts(text, ",");
        put_member(text, "detail", detail);
    }
    if (reply != NULL && problem == STATUS_SUSPENDED) {
        text_puts(text, ",\"until_ms\":");
        text_i64(text, reply->until_us / 1000);
    }
    if (problem_retry_s(problem, reply) > 0) {
        text_puts(text, ",\"retry_ms\":");
        text_u64(text, reply != NULL && reply->retry_ms > 0 ? reply->retry_ms : 1000);
    }
    text_puts(text, ",");
    put_member(text, "request_id", request_id);
    text_puts(text, "}\n");
}

void problem_describe(struct text *text, uint32_t problem)
{
    put_common(text, problem);
    text_puts(text, problem_info(problem).close ? ",\"closes\":true}" : ",\"closes\":false}");
}

void problem_list(struct text *text)
{
    text_puts(text, "{\"problems\":[");
    for (uint32_t i = STATUS_UNCHANGED + 1; i < PROBLEM_COUNT; i++) {
        text_puts(text, i == STATUS_UNCHANGED + 1 ? "\n" : ",\n");
        problem_describe(text, i);
    }
    text_puts(text, "]}\n");
}
