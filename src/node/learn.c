/* learn.c: one pass over the log notes what changed of whom by what; sorted by pair and time, the
 * last word on each like counts.
 *
 * An account's records stand in its own partition's log in order, and nowhere else, so sequence
 * numbers of one partition order what is said of one pair. */
#include "node/learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "node/inner.h"
#include "schema/batch.h"

enum note { NOTE_LIKED, NOTE_NOT, NOTE_WATCHED };

/* account, item, and what: sequence * 4 + enum note. */
struct noted {
    uint64_t account, item, what;
};

struct id_list {
    uint64_t *id;
    uint64_t count, room;
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

static enum status see(struct pass *pass, const struct record *record)
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
        return is_long(record) && counts(&verdict) ? note(pass, record, NOTE_WATCHED) : STATUS_OK;
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

    (void)time_us;
    for (uint32_t i = 0; i < count; i++) {
        size_t used = record_decode(body + at, size - at, &record);
        enum status status;

        if (used == 0)
            return STATUS_CORRUPT;
        at += used;
        record.sequence = first_sequence + i;
        if ((status = see(pass, &record)) != STATUS_OK)
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

static int by_id(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* One pair, of notes from..to-1. */
static void conclude(struct pass *pass, uint64_t from, uint64_t to)
{
    const struct noted *first = &pass->noted[from];
    struct learn *learn = pass->learn;
    bool liked = false, watched = false;
    uint64_t time = 0;

    if (pass->out.count > 0 &&
        bsearch(&first->account, pass->out.id, pass->out.count, sizeof first->account, by_id))
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
    learn->taste[learn->count++] = (struct learn_taste){first->account, first->item, time};
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

enum status learn_read(const struct config *config, uint16_t tenant, uint64_t bytes_max,
                       const struct node_progress *progress, struct learn *learn)
{
    struct pass pass = {.learn = learn,
                        .progress = progress,
                        .tenant = tenant,
                        .room_max = bytes_max / (2 * sizeof(struct noted))};
    enum status status = STATUS_OK;

    *learn = (struct learn){0};
    for (uint16_t i = 0; status == STATUS_OK && i < config->partitions; i++)
        status = read_partition(&pass, config, i);
    if (status == STATUS_OK)
        status = conclude_all(&pass);
    free(pass.noted);
    free(pass.out.id);
    if (status != STATUS_OK && learn->message[0] == '\0')
        snprintf(learn->message, sizeof learn->message, "%s", status_info(status)->text);
    return status;
}

void learn_free(struct learn *learn)
{
    free(learn->taste);
    *learn = (struct learn){0};
}
