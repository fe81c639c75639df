/* learn.c: one pass over the log notes what changed of whom by what; sorted by pair and time, the
 * last word on each like counts.
 *
 * An account's records stand in its own partition's log in order, and nowhere else, so sequence
 * numbers of one partition order what is said of one pair. */
#include "node/learn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "node/inner.h"
#include "readers/recommend/rank.h"
#include "schema/batch.h"
#include "schema/tags.h"

static_assert(LEARN_PAIR_BYTES * 3 / 4 >= sizeof(struct learn_taste) + 24, "learn.h says so");

enum note { NOTE_LIKED, NOTE_NOT, NOTE_WATCHED };

/* account, item, and what: sequence * 4 + enum note. */
struct noted {
    uint64_t account, item, what;
};

struct id_list {
    uint64_t *id;
    uint64_t count, room;
};

/* What is said of an item: the newest of a kind counts. */
enum fact_kind { FACT_CREATOR, FACT_TAG };
struct fact {
    uint64_t item, kind, order, value;
};

/* The newest impressions of one partition: full, the oldest makes room. */
struct ring {
    struct learn_impression *at;
    uint64_t count, room, room_max, next;
};

struct pass {
    struct learn *learn;
    const struct node_progress *progress;
    uint16_t tenant;
    uint64_t total;
    uint64_t room_max;
    struct noted *noted;
    uint64_t count, room;
    struct id_list out; /* accounts to be left out */
    struct ring seen;   /* in the partition that is read */
    struct fact *fact;
    uint64_t facts, fact_room, facts_max;
};

/* --- the pass ------------------------------------------------------------------------------------
 */

static enum status note(struct pass *pass, const struct record *record, enum note what)
{
    if (pass->count == pass->room) {
        uint64_t room = pass->room == 0 ? 1 << 16 : pass->room + pass->room / 2;
        struct noted *more;

        room = room < pass->room_max ? room : pass->room_max;
        if (room == pass->room) {
            snprintf(pass->learn->message, sizeof pass->learn->message,
                     "the log has more likes and views than the memory allowed has room for");
            return STATUS_NOSPACE;
        }
        more = realloc(pass->noted, room * sizeof *more);
        if (more == NULL)
            return STATUS_NOMEMORY;
        pass->noted = more;
        pass->room = room;
    }
    pass->noted[pass->count++] =
        (struct noted){record->account, record->target, record->sequence * 4 + (uint64_t)what};
    return STATUS_OK;
}

static enum status leave_out(struct pass *pass, uint64_t account)
{
    struct id_list *out = &pass->out;

    if (out->count == out->room) {
        uint64_t room = out->room == 0 ? 1 << 10 : 2 * out->room;
        uint64_t *more = realloc(out->id, room * sizeof *more);

        if (more == NULL)
            return STATUS_NOMEMORY;
        out->id = more;
        out->room = room;
    }
    out->id[out->count++] = account;
    return STATUS_OK;
}

/* Is wanted again: the entries before are dropped. Rare. */
static void take_in(struct pass *pass, uint64_t account)
{
    uint64_t kept = 0;

    for (uint64_t i = 0; i < pass->out.count; i++)
        if (pass->out.id[i] != account)
            pass->out.id[kept++] = pass->out.id[i];
    pass->out.count = kept;
}

static bool counts(const struct verdict *verdict)
{
    return verdict->weight_pct > 0 && verdict->mark <= MARK_HELD;
}

static bool is_long(const struct record *record)
{
    uint64_t watch_ms = record->a, duration_ms = (uint32_t)record->b;

    if (!(record->fields & RECORD_HAS_ARGS))
        return false;
    return watch_ms >= LEARN_LONG_MS || (duration_ms > 0 && watch_ms >= duration_ms);
}

/* Room for one more in an array that grows by half up to most; false: no memory. At most already:
 * true, and *room is as it was. */
static bool grow(void **array, uint64_t *room, uint64_t count, uint64_t most, size_t size)
{
    uint64_t wanted = *room == 0 ? 1 << 12 : *room + *room / 2;
    void *more;

    if (count < *room || *room == most)
        return true;
    wanted = wanted < most ? wanted : most;
    more = realloc(*array, (size_t)wanted * size);
    if (more == NULL)
        return false;
    *array = more;
    *room = wanted;
    return true;
}

static enum status see_impression(struct pass *pass, const struct record *record, int64_t time_us)
{
    struct ring *seen = &pass->seen;
    bool view = record->kind == VERB_VIEW;
    uint64_t place;

    if (seen->room_max == 0)
        return STATUS_OK;
    if (!grow((void **)&seen->at, &seen->room, seen->count, seen->room_max, sizeof *seen->at))
        return STATUS_NOMEMORY;
    place = seen->count < seen->room ? seen->count++ : seen->next++ % seen->room;
    seen->at[place] = (struct learn_impression){
        .account = record->account,
        .item = record->target,
        .time_us = time_us,
        .duration_ms = view && record->fields & RECORD_HAS_ARGS ? (uint32_t)record->b : 0,
        .clicked = view,
        .watched = view && is_long(record)};
    return STATUS_OK;
}

/* More than there is room for are not kept: then less is known of items, and nothing is wrong. */
static enum status see_fact(struct pass *pass, const struct record *record, enum fact_kind kind,
                            uint64_t value)
{
    if (!grow((void **)&pass->fact, &pass->fact_room, pass->facts, pass->facts_max,
              sizeof *pass->fact))
        return STATUS_NOMEMORY;
    if (pass->facts < pass->fact_room)
        pass->fact[pass->facts++] = (struct fact){record->target, kind, record->sequence, value};
    return STATUS_OK;
}

static enum status see_tags(struct pass *pass, const struct record *record)
{
    struct tag tags[TAGS_MAX];

    if (!(record->fields & RECORD_HAS_TEXT) ||
        tags_read(record->text, record->text_size, tags) == 0)
        return STATUS_OK;
    return see_fact(pass, record, FACT_TAG, rank_tag(tags_id(tags[0].bytes, tags[0].size)));
}

static enum status see_look(struct pass *pass, const struct record *record, int64_t time_us)
{
    struct verdict verdict = record_verdict(record);
    enum status status = STATUS_OK;

    if (!counts(&verdict))
        return STATUS_OK;
    if (record->kind == VERB_VIEW && is_long(record))
        status = note(pass, record, NOTE_WATCHED);
    return status == STATUS_OK ? see_impression(pass, record, time_us) : status;
}

static enum status see(struct pass *pass, const struct record *record, int64_t time_us)
{
    struct verdict verdict = record_verdict(record);

    if (record->tenant != pass->tenant)
        return STATUS_OK;
    /* An item's partition asked for it: only such an effect says what was before (docs/formats.md).
     */
    if (record->kind == RECORD_EFFECT && record->fields & RECORD_HAS_BEFORE &&
        !PLANTED("node.learn_forgets_effects"))
        return note(pass, record, counts(&verdict) ? NOTE_LIKED : NOTE_NOT);
    if (!(record->fields & RECORD_CHANGED))
        return STATUS_OK;
    switch (record->kind) {
    case VERB_LIKE:
    case RECORD_SETTLE:
        return note(pass, record, counts(&verdict) ? NOTE_LIKED : NOTE_NOT);
    case VERB_UNLIKE:
        return note(pass, record, NOTE_NOT);
    case VERB_VIEW:
    case VERB_SKIP:
        return see_look(pass, record, time_us);
    case VERB_ITEM_SET:
        return record->c & REQUEST_HAS_CREATOR ? see_fact(pass, record, FACT_CREATOR, record->a)
                                               : STATUS_OK;
    case VERB_ITEM_TAG:
        return see_tags(pass, record);
    case VERB_ACCOUNT_PURGE:
        return leave_out(pass, record->account);
    case VERB_ACCOUNT_SET:
        if (!(record->c & PORTRAIT_PERSONAL))
            return STATUS_OK;
        if (record->a >> 16 & SWITCH_IMPERSONAL)
            return leave_out(pass, record->account);
        take_in(pass, record->account);
        return STATUS_OK;
    default:
        return STATUS_OK;
    }
}

static enum status look(void *argument, uint64_t first_sequence, uint32_t count, int64_t time_us,
                        const uint8_t *body, size_t size)
{
    struct pass *pass = argument;
    struct record record;
    size_t at = 0;

    for (uint32_t i = 0; i < count; i++) {
        size_t used = record_decode(body + at, size - at, &record);
        enum status status;

        if (used == 0)
            return STATUS_CORRUPT;
        at += used;
        record.sequence = first_sequence + i;
        if ((status = see(pass, &record, time_us)) != STATUS_OK)
            return status;
    }
    pass->learn->records += count;
    if (pass->progress != NULL)
        pass->progress->report(pass->progress->argument, "reading the log", pass->learn->records,
                               pass->total);
    return STATUS_OK;
}

static enum status read_partition(struct pass *pass, const struct config *config, uint16_t index)
{
    struct partition_config partition;
    struct log_report found = {0};
    struct log_config from;
    struct log *log;
    enum status status =
        partition_config_from(config, index, true, &partition, pass->learn->message);

    if (status != STATUS_OK)
        return status;
    from = (struct log_config){.disk = &disk_posix,
                               .dir = {partition.log_dir[0], partition.log_dir[1]},
                               .witness = partition.mirror_dir,
                               .partition = partition.index,
                               .partition_count = partition.count,
                               .segment_bytes = partition.segment_bytes,
                               .read_only = true};
    status = log_open(&from, &log, &found);
    if (status != STATUS_OK) {
        memcpy(pass->learn->message, found.message, sizeof pass->learn->message);
        return status;
    }
    pass->total += found.last_sequence;
    if (found.last_sequence > 0)
        status = log_replay(log, 1, look, pass);
    log_close(log);
    return status;
}

/* --- what it comes to ----------------------------------------------------------------------------
 */

static int by_pair(const void *a, const void *b)
{
    const struct noted *left = a, *right = b;

    if (left->account != right->account)
        return left->account < right->account ? -1 : 1;
    if (left->item != right->item)
        return left->item < right->item ? -1 : 1;
    return left->what < right->what ? -1 : left->what > right->what;
}

static int by_item(const void *a, const void *b)
{
    const struct fact *left = a, *right = b;

    if (left->item != right->item)
        return left->item < right->item ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

static int by_look(const void *a, const void *b)
{
    const struct learn_impression *left = a, *right = b;

    if (left->account != right->account)
        return left->account < right->account ? -1 : 1;
    if (left->item != right->item)
        return left->item < right->item ? -1 : 1;
    return left->time_us < right->time_us ? -1 : left->time_us > right->time_us;
}

/* Of the same moment, by whom and what: the same log, the same order. */
static int by_time(const void *a, const void *b)
{
    const struct learn_impression *left = a, *right = b;

    if (left->time_us != right->time_us)
        return left->time_us < right->time_us ? -1 : 1;
    return by_look(a, b);
}

static int by_taste(const void *a, const void *b)
{
    const struct learn_taste *left = a, *right = b;

    if (left->account != right->account)
        return left->account < right->account ? -1 : 1;
    return left->item < right->item ? -1 : left->item > right->item;
}

static int by_id(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static bool is_out(const struct pass *pass, uint64_t account)
{
    return pass->out.count > 0 &&
           bsearch(&account, pass->out.id, pass->out.count, sizeof account, by_id) != NULL;
}

/* One pair, of notes from..to-1. */
static void conclude(struct pass *pass, uint64_t from, uint64_t to)
{
    const struct noted *first = &pass->noted[from];
    struct learn *learn = pass->learn;
    bool liked = false, watched = false;
    uint64_t time = 0;

    if (is_out(pass, first->account))
        return;
    for (uint64_t i = from; i < to; i++) {
        enum note what = (enum note)(pass->noted[i].what % 4);

        if (what == NOTE_WATCHED)
            watched = true;
        else
            liked = what == NOTE_LIKED;
        if (what != NOTE_NOT)
            time = pass->noted[i].what / 4;
    }
    if (!liked && !watched)
        return;
    learn->taste[learn->count++] = (struct learn_taste){first->account, first->item, time, liked};
    learn->likes += liked;
    learn->views += !liked;
}

static enum status conclude_all(struct pass *pass)
{
    struct learn *learn = pass->learn;
    uint64_t from = 0;

    learn->taste = malloc((size_t)(pass->count + 1) * sizeof *learn->taste);
    if (learn->taste == NULL)
        return STATUS_NOMEMORY;
    if (pass->count > 0)
        qsort(pass->noted, (size_t)pass->count, sizeof *pass->noted, by_pair);
    if (pass->out.count > 0)
        qsort(pass->out.id, (size_t)pass->out.count, sizeof *pass->out.id, by_id);
    for (uint64_t i = 1; i <= pass->count; i++)
        if (i == pass->count || pass->noted[i].account != pass->noted[from].account ||
            pass->noted[i].item != pass->noted[from].item) {
            conclude(pass, from, i);
            from = i;
        }
    return STATUS_OK;
}

/* --- impressions ---------------------------------------------------------------------------------
 */

static enum status keep_impressions(struct pass *pass)
{
    struct learn *learn = pass->learn;
    struct learn_impression *more;

    if (pass->seen.count == 0)
        return STATUS_OK;
    more = realloc(learn->impression,
                   (size_t)(learn->impressions + pass->seen.count) * sizeof *learn->impression);
    if (more == NULL)
        return STATUS_NOMEMORY;
    memcpy(more + learn->impressions, pass->seen.at, (size_t)pass->seen.count * sizeof *more);
    learn->impression = more;
    learn->impressions += pass->seen.count;
    pass->seen.count = pass->seen.next = 0;
    return STATUS_OK;
}

/* 0: nobody said. */
static uint64_t fact_of(const struct pass *pass, uint64_t item, enum fact_kind kind)
{
    const struct fact last = {item, kind, UINT64_MAX, 0};
    uint64_t low = 0, high = pass->facts;

    while (low < high) { /* the first above it */
        uint64_t middle = low + (high - low) / 2;

        if (by_item(&pass->fact[middle], &last) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && pass->fact[low - 1].item == item && pass->fact[low - 1].kind == kind
               ? pass->fact[low - 1].value
               : 0;
}

/* The first of each pair, with what the others were. */
static void merge_looks(struct pass *pass)
{
    struct learn *learn = pass->learn;
    uint64_t kept = 0;

    for (uint64_t i = 0; i < learn->impressions; i++) {
        const struct learn_impression *one = &learn->impression[i];
        struct learn_impression *last = kept > 0 ? &learn->impression[kept - 1] : NULL;

        if (is_out(pass, one->account))
            continue;
        if (last != NULL && last->account == one->account && last->item == one->item) {
            last->watched |= one->watched;
            last->clicked &= one->clicked; /* swiped away at last */
            last->duration_ms = last->duration_ms != 0 ? last->duration_ms : one->duration_ms;
        } else {
            learn->impression[kept++] = *one;
        }
    }
    learn->impressions = kept;
}

static void conclude_impressions(struct pass *pass)
{
    struct learn *learn = pass->learn;

    if (learn->impressions == 0)
        return;
    qsort(learn->impression, (size_t)learn->impressions, sizeof *learn->impression, by_look);
    if (pass->facts > 0)
        qsort(pass->fact, (size_t)pass->facts, sizeof *pass->fact, by_item);
    merge_looks(pass);
    for (uint64_t i = 0; i < learn->impressions; i++) {
        struct learn_impression *one = &learn->impression[i];
        const struct learn_taste pair = {.account = one->account, .item = one->item};
        const struct learn_taste *taste =
            learn->count == 0
                ? NULL
                : bsearch(&pair, learn->taste, (size_t)learn->count, sizeof pair, by_taste);

        one->liked = taste != NULL && taste->liked;
        one->creator = fact_of(pass, one->item, FACT_CREATOR);
        one->tag = (uint32_t)fact_of(pass, one->item, FACT_TAG);
    }
    qsort(learn->impression, (size_t)learn->impressions, sizeof *learn->impression, by_time);
}

enum status learn_read(const struct config *config, uint16_t tenant, uint64_t bytes_max,
                       const struct node_progress *progress, struct learn *learn)
{
    struct pass pass = {.learn = learn,
                        .progress = progress,
                        .tenant = tenant,
                        .room_max = bytes_max / LEARN_PAIR_BYTES,
                        .seen.room_max = bytes_max / 16 / sizeof(struct learn_impression) /
                                         (config->partitions + 1),
                        .facts_max = bytes_max / 8 / sizeof(struct fact)};
    enum status status = STATUS_OK;

    *learn = (struct learn){0};
    for (uint16_t i = 0; status == STATUS_OK && i < config->partitions; i++)
        if ((status = read_partition(&pass, config, i)) == STATUS_OK)
            status = keep_impressions(&pass);
    if (status == STATUS_OK)
        status = conclude_all(&pass);
    if (status == STATUS_OK)
        conclude_impressions(&pass);
    free(pass.noted);
    free(pass.seen.at);
    free(pass.fact);
    free(pass.out.id);
    if (status == STATUS_OK)
        return STATUS_OK;
    free(learn->taste);
    free(learn->impression);
    learn->taste = NULL;
    learn->impression = NULL;
    if (learn->message[0] == '\0')
        snprintf(learn->message, sizeof learn->message, "%s", status_info(status)->text);
    return status;
}

void learn_free(struct learn *learn)
{
    free(learn->taste);
    free(learn->impression);
    *learn = (struct learn){0};
}
