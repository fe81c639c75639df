/* test_engine.h: an engine over memory alone, for tests: no threads, no files. */
#ifndef ZAN_TESTS_ENGINE_H
#define ZAN_TESTS_ENGINE_H

#include "engine/engine.h"

struct test_engine {
    struct engine engine;
    struct needs needs;
    struct batch batch;
    int64_t now_us;
};

/* hot: sizes, or NULL for small ones. */
void test_engine_open(struct test_engine *test, const struct hot_config *hot);
void test_engine_close(struct test_engine *test);

/* One request, one turn. The reply is valid until the next. */
const struct reply *test_engine_ask(struct test_engine *test, const struct request *request);

/* A SETTLE, in a turn of its own. */
void test_engine_settle(struct test_engine *test, const struct record *settle);

/* One step of what cases ask for (expiry, sweep), in a turn of its own; false: nothing to do. most:
 * likes it takes, as if there were no more room. */
bool test_engine_case(struct test_engine *test, uint32_t most);

/* What the last turn recorded, to be replayed later; texts are left out. At most room, or it fails.
 * Returns how many. */
uint32_t test_engine_records(const struct test_engine *test, struct record *records, uint32_t room);

/* Applies a record that another engine has made. */
void test_engine_replay(struct test_engine *test, const struct record *record);

/* Reads what needs ask for, and empties them. */
void test_engine_load(struct test_engine *test);

/* Moves what is in memory to the store. */
void test_engine_flush(struct test_engine *test);

/* The usual requests. */
struct request test_set(enum verb verb, uint64_t account, uint64_t target);

#endif
