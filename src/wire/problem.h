/* problem.h: errors over HTTP: application/problem+json.
 *
 * Every enum status is a problem of the same number; behind them come the endings only HTTP knows
 * (problem.def).
 *
 *   {"type": "/problems/NOITEM", "title": "the item is not known", "status": 404,
 *    "detail": "...", "code": "NOITEM", "advice": "...", "certain": true, "request_id": "..."}
 *
 * type is a path of this server that tells about the problem. certain: what was asked certainly
 * did not happen. SUSPENDED adds until_ms; a wait adds retry_ms.
 *
 * Source: RFC 9457, Problem Details for HTTP APIs. */
#ifndef ZAN_WIRE_PROBLEM_H
#define ZAN_WIRE_PROBLEM_H

#include <stdint.h>

#include "schema/reply.h"
#include "schema/status.h"
#include "wire/text.h"

enum problem {
    PROBLEM_FIRST_ = STATUS_COUNT - 1,
#define PROBLEM(symbol, code, http, certain, connection, text, advice) PROBLEM_##symbol,
#define ADVICE(symbol, advice)
#include "wire/problem.def"
#undef PROBLEM
#undef ADVICE
    PROBLEM_COUNT
};

/* What was wrong with a request, before anybody judged it. */
struct problem_error {
    uint32_t problem; /* enum status or enum problem; 0: nothing */
    char detail[160]; /* printable; repeats at most 64 bytes of what came in */
};

/* Like status_info, with the advice of HTTP. problem must be below PROBLEM_COUNT. */
struct status_info problem_info(uint32_t problem);

/* The problem with this code ("NOITEM"), or PROBLEM_COUNT. */
uint32_t problem_find(const char *code);

/* Sets error; detail is printf's. Keeps the first error if there is one already. */
__attribute__((format(printf, 3, 4))) void problem_set(struct problem_error *error,
                                                       uint32_t problem, const char *format, ...);

/* A body. detail may be empty; reply may be NULL (no until, no retry). */
void problem_write(struct text *text, uint32_t problem, const char *detail,
                   const struct reply *reply, const char *request_id);

/* A body that tells about one problem; and one that lists them all. */
void problem_describe(struct text *text, uint32_t problem);
void problem_list(struct text *text);

/* Seconds for Retry-After, 0 for none: for the endings that pass by themselves. */
uint32_t problem_retry_s(uint32_t problem, const struct reply *reply);

#endif
