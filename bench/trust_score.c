/* trust_score: the trust scorer as a detector for an outside judge of fake-like detectors.
 *
 *   trust_score --events TABLE [--scores FILE] [--settled FILE] [--weights FILE] [--users FILE]
 *               [--items FILE] [--delay SECONDS] [--megabytes N]
 *
 * TABLE has lines "account item seconds", by time. --scores gets for each event the score given
 * before the next event was read, --settled that of DELAY seconds later (default 3600);
 * --weights the weight in percent that counts until settlement and after it; --users and --items
 * get "id score": the mean of the settled scores. Prints how many were held, devalued, quarantined.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/trust.h"

struct event {
    uint32_t account, item;
    int64_t time_us;
    int64_t first_us;
    uint32_t given;
    uint16_t score, settled;
    uint16_t reasons;
    uint8_t pending, early_pct,
        settled_pct; /* weight that counted until settlement, and after it */
};

struct totals {
    size_t held, devalued, quarantined, settled_low;
};

static const char *option(int count, char **words, const char *name)
{
    for (int i = 1; i + 1 < count; i += 2)
        if (strcmp(words[i], name) == 0)
            return words[i + 1];
    return NULL;
}

static void fail(const char *what)
{
    fprintf(stderr, "trust_score: %s\n", what);
    exit(2);
}

static void *room(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);

    if (memory == NULL)
        fail("no memory");
    memset(memory, 0, bytes);
    return memory;
}

static struct event *read_events(const char *path, size_t *count)
{
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    struct event *events = NULL;
    size_t used = 0, size = 0;
    char line[128];

    if (file == NULL)
        fail("--events TABLE cannot be read");
    while (fgets(line, sizeof line, file) != NULL) {
        char *rest;

        if (used == size) {
            size = size * 2 + 1024;
            events = realloc(events, size * sizeof *events);
            if (events == NULL)
                fail("no memory");
        }
        events[used] = (struct event){0};
        events[used].account = (uint32_t)strtoul(line, &rest, 10);
        events[used].item = (uint32_t)strtoul(rest, &rest, 10);
        events[used].time_us = strtoll(rest, NULL, 10) * 1000000;
        used++;
    }
    fclose(file);
    *count = used;
    return events;
}

/* What the rows of accounts would have known: when first seen, how many likes given. */
static void fill_history(struct event *events, size_t count)
{
    uint32_t most = 0, *given;
    int64_t *first_us;

    for (size_t i = 0; i < count; i++)
        most = events[i].account > most ? events[i].account : most;
    given = room((most + 1ULL) * sizeof *given);
    first_us = room((most + 1ULL) * sizeof *first_us);
    for (size_t i = 0; i < count; i++) {
        uint32_t account = events[i].account;

        if (given[account] == 0)
            first_us[account] = events[i].time_us;
        events[i].first_us = first_us[account];
        events[i].given = given[account]++;
    }
    free(given);
    free(first_us);
}

static struct act act_of(const struct event *event)
{
    return (struct act){.now_us = event->time_us,
                        .account = event->account,
                        .target = event->item,
                        .account_first_us = event->first_us,
                        .given_likes = event->given,
                        .verb = VERB_LIKE};
}

static void settle(const struct trust *trust, struct event *event, struct totals *totals)
{
    struct act act = act_of(event);
    struct trust_verdict verdict = {.reasons = event->reasons};

    trust_settle(trust, &act, &verdict);
    event->settled = verdict.score;
    if (event->pending)
        event->settled_pct = verdict.weight_pct;
    totals->settled_low += event->settled_pct < 50;
}

static void run(struct trust *trust, struct event *events, size_t count, int64_t delay_us,
                struct totals *totals)
{
    size_t settled = 0;

    for (size_t i = 0; i < count; i++) {
        struct act act = act_of(&events[i]);
        struct trust_verdict verdict;

        while (settled < i && events[settled].time_us + delay_us <= act.now_us)
            settle(trust, &events[settled++], totals);
        trust_judge(trust, &act, &verdict);
        events[i].score = verdict.score;
        events[i].reasons = verdict.reasons;
        events[i].pending = verdict.mark != MARK_PLAIN;
        events[i].early_pct = events[i].pending ? 0 : verdict.weight_pct;
        events[i].settled_pct = verdict.weight_pct;
        act.weight_pct = verdict.weight_pct;
        act.mark = verdict.mark;
        trust_observe(trust, &act);
        totals->held += verdict.mark == MARK_HELD;
        totals->quarantined += verdict.mark == MARK_QUARANTINED;
        totals->devalued += verdict.mark == MARK_PLAIN && verdict.weight_pct < 100;
    }
    while (settled < count)
        settle(trust, &events[settled++], totals);
}

static void write_events(const char *path, const struct event *events, size_t count, int is_settled)
{
    FILE *file = path == NULL ? NULL : fopen(path, "w");

    if (path == NULL)
        return;
    if (file == NULL)
        fail("cannot write scores");
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%u\n", (unsigned)(is_settled ? events[i].settled : events[i].score));
    fclose(file);
}

static void write_weights(const char *path, const struct event *events, size_t count)
{
    FILE *file = path == NULL ? NULL : fopen(path, "w");

    if (path == NULL)
        return;
    if (file == NULL)
        fail("cannot write weights");
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%u\t%u\n", (unsigned)events[i].early_pct, (unsigned)events[i].settled_pct);
    fclose(file);
}

static void write_means(const char *path, const struct event *events, size_t count, int is_item)
{
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    uint64_t *sum;
    uint32_t *times, most = 0;

    if (path == NULL)
        return;
    if (file == NULL)
        fail("cannot write means");
    for (size_t i = 0; i < count; i++) {
        uint32_t id = is_item ? events[i].item : events[i].account;

        most = id > most ? id : most;
    }
    sum = room((most + 1ULL) * sizeof *sum);
    times = room((most + 1ULL) * sizeof *times);
    for (size_t i = 0; i < count; i++) {
        uint32_t id = is_item ? events[i].item : events[i].account;

        sum[id] += events[i].settled;
        times[id]++;
    }
    for (uint32_t id = 0; id <= most; id++)
        if (times[id] > 0)
            fprintf(file, "%u\t%.3f\n", id, (double)sum[id] / times[id]);
    fclose(file);
    free(sum);
    free(times);
}

int main(int count, char **words)
{
    const char *delay = option(count, words, "--delay");
    const char *megabytes = option(count, words, "--megabytes");
    size_t events_count, bytes = (megabytes == NULL ? 64 : strtoull(megabytes, NULL, 10)) << 20;
    struct event *events = read_events(option(count, words, "--events"), &events_count);
    struct trust_config config = trust_config_for(bytes);
    void *region = room(trust_bytes(&config));
    struct trust *trust = trust_open(region, trust_bytes(&config), &config);
    struct totals totals = {0};

    fill_history(events, events_count);
    run(trust, events, events_count, (delay == NULL ? 3600 : strtoll(delay, NULL, 10)) * 1000000,
        &totals);
    write_events(option(count, words, "--scores"), events, events_count, 0);
    write_events(option(count, words, "--settled"), events, events_count, 1);
    write_weights(option(count, words, "--weights"), events, events_count);
    write_means(option(count, words, "--users"), events, events_count, 0);
    write_means(option(count, words, "--items"), events, events_count, 1);
    printf(
        "%zu events: %zu held, %zu devalued at once, %zu quarantined; settled under 50 %%: %zu\n",
        events_count, totals.held, totals.devalued, totals.quarantined, totals.settled_low);
    free(region);
    free(events);
    return 0;
}
