/* discover_bench.c: what discovery costs for each record, without log and thread
 * (docs/discovery.md).
 *
 *     discover_bench [RECORDS [MIB [ITEMS [ACCOUNTS]]]]
 *
 * First likes of random accounts on items of a skew like that of views (item = ITEMS * u^4, about
 * as KuaiRand's), each item with a creator and two tags of a thousand; then views of the same.
 * Prints nanoseconds of CPU time; with RECORDS 0 it only fills (to be taken off a count of
 * instructions). Built by: cmake --build BUILD --target discover_bench */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "readers/discover/discover.h"
#include "schema/verb.h"

static struct discover discover;
static uint64_t sequence;

static double now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static struct record record_of(uint8_t kind, uint64_t account, uint64_t item)
{
    sequence++;
    return (struct record){.kind = kind,
                           .sequence = sequence,
                           .time_us = 1700000000000000LL + (int64_t)sequence * 20,
                           .fields = RECORD_CHANGED,
                           .account = account,
                           .target = item};
}

static void fill(uint64_t items)
{
    for (uint64_t item = 0; item < items; item++) {
        struct record record = record_of(VERB_ITEM_SET, 0, item);
        char tags[32];

        record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
        record.a = hash_mix(item) % (items / 10 + 1);
        record.c = REQUEST_HAS_CREATOR;
        discover_apply(&discover, &record);
        record = record_of(VERB_ITEM_TAG, 0, item);
        record.fields |= RECORD_HAS_TEXT;
        record.text_size = (uint8_t)snprintf(tags, sizeof tags, "t%u,u%u", (unsigned)(item % 600),
                                             (unsigned)(hash_mix(item) % 400));
        record.text = tags;
        discover_apply(&discover, &record);
    }
}

static void run(uint8_t kind, uint64_t records, uint64_t items, uint64_t accounts)
{
    double begin, spent;

    begin = now_ns();
    for (uint64_t i = 0; i < records; i++) {
        double u = (double)(hash_mix(sequence * 3) >> 11) / 9007199254740992.0;
        struct record record = record_of(kind, hash_mix(sequence * 7 + kind) % accounts,
                                         (uint64_t)((double)items * u * u * u * u));

        if (kind == VERB_VIEW) {
            record.fields |= RECORD_HAS_ARGS;
            record.a = 1000 + hash_mix(sequence) % 60000;
            record.b = 30000;
        }
        discover_apply(&discover, &record);
    }
    spent = now_ns() - begin;
    if (records > 0)
        printf("%s: %.0f ns\n", verb_info(kind)->name, spent / (double)records);
}

int main(int count, char **words)
{
    uint64_t value[4] = {2000000, 64, 50000, 200000};

    for (int i = 1; i < count && i <= 4; i++)
        value[i - 1] = strtoull(words[i], NULL, 10);
    if (discover_open(&discover, value[1] << 20, &discover_defaults) != STATUS_OK)
        return 1;
    printf("%llu MiB: room for %u items, %u exposures, %u accounts\n", (unsigned long long)value[1],
           discover.size.items, discover.size.exposures, discover.size.accounts);
    fill(value[2]);
    run(VERB_LIKE, value[0], value[2], value[3]);
    run(VERB_VIEW, value[0], value[2], value[3]);
    discover_close(&discover);
    return 0;
}
