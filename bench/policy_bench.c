/* policy_bench POLICY [ACTS]: what judging costs, on one core.
 *
 * Prints nanoseconds per act under POLICY (policies/default.policy), windows in cache; then with
 * 100 rules: over all verbs; all asked at a like, with 20 windows; the same with 100 windows. A
 * verdict is policy_judge and policy_observe. With CALLGRIND=1 it runs only the likes, for valgrind
 * --tool=callgrind --toggle-collect=policy_judge --toggle-collect=policy_observe Built by cmake
 * --build BUILD --target policy_bench. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/hash.h"
#include "engine/policy_parse.h"

#define HUGE     (2u << 20)
#define ACCOUNTS 1000 /* few enough to stay in cache */
#define ITEMS    5000
#define BLOCKS   1000000

static struct policy policy;
static struct policy_table *state;

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void state_new(uint64_t blocks)
{
    size_t bytes = policy_bytes(blocks);

    free(state);
    bytes = (bytes + HUGE - 1) / HUGE * HUGE;
    state = aligned_alloc(HUGE, bytes);
    if (state == NULL)
        exit(1);
    madvise(state, bytes, MADV_HUGEPAGE); /* as the node does: windows lie far apart */
    memset(state, 0, bytes);
    policy_open(state, bytes, NULL);
}

static void load(const char *text, size_t size)
{
    struct policy_problem problem;

    if (policy_parse(text, size, &policy, &problem))
        return;
    fprintf(stderr, "%u:%u: %s\n", problem.line, problem.column, problem.text);
    exit(2);
}

static void load_file(const char *path)
{
    static char text[POLICY_TEXT_MAX];
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        exit(2);
    }
    load(text, fread(text, 1, sizeof text, file));
    fclose(file);
}

/* One act a millisecond; everybody acts every second. */
static struct act act_at(uint8_t verb, uint64_t i)
{
    return (struct act){.verb = verb,
                        .tier = TIER_ORDINARY,
                        .has_creator = 1,
                        .now_us = 1700000000000000LL + (int64_t)i * 1000,
                        .account = i % ACCOUNTS,
                        .target = hash_mix(i) % ITEMS,
                        .creator = hash_mix(i) % (ITEMS / 10),
                        .device = i % ACCOUNTS + 1,
                        .network = i % ACCOUNTS / 20 + 1};
}

static void run(uint8_t verb, uint64_t acts, bool prefetch, const char *what)
{
    struct policy_verdict verdict;
    uint64_t refused = 0, fired = 0;
    double start = seconds(), end;

    for (uint64_t i = 0; i < acts; i++) {
        struct act act = act_at(verb, i), later;

        if (prefetch) { /* as the engine does, over its batch */
            later = act_at(verb, i + 2);
            policy_prefetch(&policy, state, &later);
            later = act_at(verb, i + 1);
            policy_prefetch_windows(&policy, state, &later);
        }
        policy_judge(&policy, state, &act, &verdict);
        refused += verdict.refused;
        fired += verdict.fired_count;
        if (!verdict.refused)
            policy_observe(&policy, state, &act);
    }
    end = seconds();
    printf("%-28s %7.1f ns, %10.0f verdicts/s  (%llu refused, %llu rules fired)\n", what,
           (end - start) / (double)acts * 1e9, (double)acts / (end - start),
           (unsigned long long)refused, (unsigned long long)fired);
}

static const char *const scopes[] = {"account", "pair",    "item",   "creator",
                                     "device",  "network", "account"};

/* 100 rules over all verbs, each with a window of its own: what a platform might have. */
static void load_spread(void)
{
    static char text[POLICY_TEXT_MAX];
    static const char *const verbs[] = {"like",   "unlike", "view", "comment",  "share",
                                        "follow", "report", "skip", "favorite", "unfavorite"};
    size_t size = (size_t)snprintf(text, sizeof text, "policy spread version 1\n");

    for (unsigned i = 0; i < 100; i++)
        size += (size_t)snprintf(
            text + size, sizeof text - size, "rule r%u when count(%s, %s, %um) > %u then alert\n",
            i, verbs[i % 10], i % 10 == 5 && i / 10 % 7 == 2 ? "creator" : scopes[i / 10 % 7],
            10 + i, i % 3 == 0 ? 20 : 50000);
    load(text, size);
}

/* 100 rules that are all asked at a like, over that many different windows. */
static void load_hundred(unsigned windows)
{
    static char text[POLICY_TEXT_MAX];
    size_t size = (size_t)snprintf(text, sizeof text, "policy hundred version 1\n");

    for (unsigned i = 0; i < 100; i++) {
        unsigned w = i % windows;

        size += (size_t)snprintf(
            text + size, sizeof text - size,
            w % 10 == 9 ? "rule r%u when distinct(network, like, %s, %um) > %u then alert\n"
                        : "rule r%u when count(like, %s, %um) > %u then alert\n",
            i, w % 10 == 9 ? "account" : scopes[w % 7], 10 + w, (w % 10 == 9 ? 900 : 50000) + i);
    }
    load(text, size);
}

int main(int count, char **words)
{
    uint64_t acts = count > 2 ? strtoull(words[2], NULL, 10) : 4000000;

    load_file(count > 1 ? words[1] : "policies/default.policy");
    state_new(BLOCKS / 10);
    run(VERB_LIKE, acts, false, "a like");
    if (getenv("CALLGRIND") != NULL)
        return 0;
    run(VERB_UNLIKE, acts, false, "an un-like");
    run(VERB_REPORT, acts, false, "a report");
    run(VERB_VIEW, acts, false, "a view");
    load_spread();
    state_new(BLOCKS);
    run(VERB_LIKE, acts / 4, true, "100 rules over all verbs");
    load_hundred(20);
    state_new(BLOCKS);
    run(VERB_LIKE, acts / 4, true, "100 on like, 20 windows");
    load_hundred(100);
    state_new(BLOCKS);
    run(VERB_LIKE, acts / 10, true, "100 on like, 100 windows");
    free(state);
    return 0;
}
