#include "node/redact.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/hash.h"
#include "base/hook.h"
#include "engine/inner.h"
#include "node/inner.h"
#include "schema/record.h"

#define BUFFER_BYTES ((size_t)32 << 20)
#define BODY_BYTES   (BUFFER_BYTES / 2)

/* An account that was erased, or a case about one. */
struct gone {
    uint64_t id;
    uint16_t tenant;
};

struct gone_set {
    struct gone *rows; /* sorted by sort_set */
    size_t count, room;
};

struct redacting {
    struct redact_report *report;
    const struct node_progress *progress;
    uint64_t total, done; /* records, both passes */
    uint16_t index, count;
    struct gone_set accounts, cases;
    uint8_t key[DIGEST_BYTES];
    struct log *to;
    uint64_t last;
    uint8_t *body;
    uint32_t pumped;
};

/* --- sets --------------------------------------------------------------------------------------
 */

static bool set_add(struct gone_set *set, uint16_t tenant, uint64_t id)
{
    if (set->count == set->room) {
        size_t room = set->room == 0 ? 64 : 2 * set->room;
        struct gone *larger = realloc(set->rows, room * sizeof *larger);

        if (larger == NULL)
            return false;
        set->rows = larger;
        set->room = room;
    }
    set->rows[set->count++] = (struct gone){.id = id, .tenant = tenant};
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct gone *x = a, *y = b;

    if (x->tenant != y->tenant)
        return x->tenant < y->tenant ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static bool set_has(const struct gone_set *set, uint16_t tenant, uint64_t id)
{
    struct gone key = {.id = id, .tenant = tenant};

    return set->count > 0 && bsearch(&key, set->rows, set->count, sizeof key, compare) != NULL;
}

static bool is_gone(const struct redacting *redacting, uint16_t tenant, uint64_t account)
{
    return set_has(&redacting->accounts, tenant, account);
}

/* --- commitments -------------------------------------------------------------------------------
 */

/* Lives in the same partition as the account did. What: 0 for the account itself. */
static uint64_t commitment(const struct redacting *redacting, uint16_t tenant, uint64_t account,
                           uint8_t what, uint64_t target)
{
    uint16_t home = hash_partition(account, redacting->count);
    uint8_t bytes[8 + 8 + 2 + 1 + 8], digest[DIGEST_BYTES];

    for (uint64_t tries = 0;; tries++) {
        put_u64(bytes, account);
        put_u64(bytes + 8, target);
        put_u16(bytes + 16, tenant);
        bytes[18] = what;
        put_u64(bytes + 19, tries);
        digest_hmac(redacting->key, bytes, sizeof bytes, digest);
        if (hash_partition(get_u64(digest), redacting->count) == home)
            return get_u64(digest);
    }
}

static uint64_t itself(const struct redacting *redacting, uint16_t tenant, uint64_t account)
{
    return is_gone(redacting, tenant, account) ? commitment(redacting, tenant, account, 0, 0)
                                               : account;
}

/* --- one record --------------------------------------------------------------------------------
 */

/* The verb that an act, or the effect of one, is about; VERB_COUNT: none. */
static uint8_t verb_of(const struct record *record)
{
    uint64_t kind = record->b >> 32 & 0xFF;

    if (record->kind == RECORD_SETTLE)
        return VERB_LIKE;
    if (record->kind != RECORD_EFFECT)
        return record->kind <= VERB_ACT ? record->kind : VERB_COUNT;
    if (kind == EFFECT_WEIGH || kind == EFFECT_SETTLE)
        return VERB_LIKE;
    return kind == EFFECT_TARGET ? (uint8_t)(record->b >> 16) : VERB_COUNT;
}

/* Is the target of this effect an account? */
static bool is_of_account(const struct record *record)
{
    uint64_t kind = record->b >> 32 & 0xFF;

    return record->kind == RECORD_EFFECT &&
           (kind == EFFECT_RECEIVED || kind == EFFECT_ACCOUNT || kind == EFFECT_CREDIT ||
            kind == EFFECT_REPORT || kind == EFFECT_COMPENSATE);
}

static bool opens_case(const struct record *record)
{
    return record->kind == VERB_CASE_OPEN || (record->kind == RECORD_CASE && record->a == 0);
}

static bool is_of_case(const struct record *record)
{
    return record->kind == RECORD_CASE || record->kind == RECORD_SANCTION ||
           (record->kind >= VERB_CASE_PROPOSE && record->kind <= VERB_CASE_APPEAL);
}

/* What only says who and with what. */
static void strip(struct record *record)
{
    record->fields &= ~(uint32_t)(RECORD_HAS_OPID | RECORD_HAS_CONTEXT | RECORD_HAS_TEXT);
}

static void redact_act(const struct redacting *redacting, struct record *record, uint8_t verb)
{
    uint64_t target = record->target;
    bool to_account = edge_target_is_account(verb_info((enum verb)verb)->edge);

    if (to_account)
        record->target = itself(redacting, record->tenant, target);
    if (!is_gone(redacting, record->tenant, record->account))
        return;
    record->account =
        commitment(redacting, record->tenant, record->account, to_account ? 2 : 1, target);
    strip(record);
}

/* Who did it is told under the same commitment as in the act itself: it is known again when it is
 * taken back. */
static void redact_notice(const struct redacting *redacting, struct record *record)
{
    uint64_t item = record->c >> 1 ^ (0 - (record->c & 1));

    record->target = itself(redacting, record->tenant, record->target);
    if ((uint8_t)(record->b >> 16) < VERB_COUNT &&
        is_gone(redacting, record->tenant, record->account))
        record->account = commitment(redacting, record->tenant, record->account, 1, item);
}

static void redact_other(const struct redacting *redacting, struct record *record)
{
    bool about = is_gone(redacting, record->tenant, record->account);

    if (record->kind == RECORD_EFFECT && (record->b >> 32 & 0xFF) == EFFECT_NOTICE) {
        redact_notice(redacting, record);
        return;
    }
    if (is_of_account(record) || record->kind == VERB_CASE_APPROVE)
        record->target = itself(redacting, record->tenant, record->target);
    if (record->kind == VERB_ITEM_SET && record->c & REQUEST_HAS_CREATOR)
        record->a = itself(redacting, record->tenant, record->a);
    if (record->kind == RECORD_EFFECT || !about)
        return;
    record->account = itself(redacting, record->tenant, record->account);
    strip(record);
}

/* True: it is another one now. */
static bool redact(const struct redacting *redacting, struct record *record)
{
    struct record before = *record;
    uint8_t verb = verb_of(record);

    if (PLANTED("node.redact_copies"))
        return false;
    if (verb < VERB_COUNT)
        redact_act(redacting, record, verb);
    else
        redact_other(redacting, record);
    if (is_of_case(record) && set_has(&redacting->cases, record->tenant, record->a))
        strip(record);
    return record->account != before.account || record->target != before.target ||
           record->a != before.a || record->fields != before.fields;
}

/* --- batches -----------------------------------------------------------------------------------
 */

static void tell(struct redacting *redacting, uint32_t records)
{
    redacting->done += records;
    if (redacting->progress != NULL)
        redacting->progress->report(redacting->progress->argument, "writing the log anew",
                                    redacting->done, redacting->total);
}

static enum status damaged(struct redacting *redacting, uint64_t sequence)
{
    snprintf(redacting->report->message, sizeof redacting->report->message,
             "record %llu of partition %u cannot be read", (unsigned long long)sequence,
             (unsigned)redacting->index);
    return STATUS_CORRUPT;
}

/* First pass: who is gone, and which cases are about them (found once all accounts are known). */
static enum status note(struct redacting *redacting, const struct record *record)
{
    bool good = true;

    if (record->kind == VERB_ACCOUNT_PURGE && record->fields & RECORD_CHANGED)
        good = set_add(&redacting->accounts, record->tenant, record->account);
    return good ? STATUS_OK : STATUS_NOMEMORY;
}

static enum status note_case(struct redacting *redacting, const struct record *record)
{
    if (!opens_case(record) || !is_gone(redacting, record->tenant, record->account))
        return STATUS_OK;
    return set_add(&redacting->cases, record->tenant, record->sequence << 8 | redacting->index)
               ? STATUS_OK
               : STATUS_NOMEMORY;
}

struct pass {
    struct redacting *redacting;
    enum status (*each)(struct redacting *redacting, const struct record *record);
};

static enum status look(void *argument, uint64_t first, uint32_t count, int64_t time_us,
                        const uint8_t *body, size_t size)
{
    struct pass *pass = argument;

    for (uint32_t i = 0; i < count; i++) {
        struct record record = {.sequence = first + i, .time_us = time_us};
        size_t used = record_decode(body, size, &record);
        enum status status;

        if (used == 0)
            return damaged(pass->redacting, first + i);
        status = pass->each(pass->redacting, &record);
        if (status != STATUS_OK)
            return status;
        body += used;
        size -= used;
    }
    tell(pass->redacting, count);
    return STATUS_OK;
}

static enum status append(struct redacting *redacting, uint64_t first, uint32_t count,
                          int64_t time_us, size_t size)
{
    enum status status;

    while ((status = log_has_room(redacting->to, size)) == STATUS_BUSY)
        log_pump(redacting->to, redacting->pumped++);
    if (status != STATUS_OK) {
        snprintf(redacting->report->message, sizeof redacting->report->message,
                 "the new log takes no batch of %zu bytes; a larger segment-mb may", size);
        return status;
    }
    log_append(redacting->to, first, count, time_us, redacting->body, size);
    redacting->last = first + count - 1;
    return STATUS_OK;
}

/* Second pass. */
static enum status copy(void *argument, uint64_t first, uint32_t count, int64_t time_us,
                        const uint8_t *body, size_t size)
{
    struct redacting *redacting = argument;
    size_t written = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct record record = {.sequence = first + i, .time_us = time_us};
        size_t used = record_decode(body, size, &record);

        if (used == 0)
            return damaged(redacting, first + i);
        redacting->report->redacted += redact(redacting, &record);
        redacting->report->records++;
        if (written + RECORD_BYTES_MAX > BODY_BYTES)
            return STATUS_TOOBIG;
        written += record_encode(&record, redacting->body + written);
        body += used;
        size -= used;
    }
    tell(redacting, count);
    return append(redacting, first, count, time_us, written);
}

/* --- the directories ---------------------------------------------------------------------------
 */

static struct log_config log_of(const struct partition_config *config, bool create)
{
    return (struct log_config){
        .disk = &disk_posix,
        .dir = {config->log_dir[0], config->log_dir[1]},
        .witness = config->mirror_dir,
        .partition = config->index,
        .partition_count = config->count,
        .segment_bytes = config->segment_bytes,
        .buffer_bytes = create ? BUFFER_BYTES : 0,
        .create = create,
        .read_only = !create,
    };
}

static enum status open_from(struct redacting *redacting, const struct config *config,
                             struct log **log, struct log_report *found)
{
    struct partition_config partition;
    struct log_config from;
    enum status status = partition_config_from(config, redacting->index, true, &partition,
                                               redacting->report->message);

    if (status == STATUS_OK)
        status = node_check_stopped(&partition, redacting->report->message);
    if (status != STATUS_OK)
        return status;
    from = log_of(&partition, false);
    status = log_open(&from, log, found);
    if (status != STATUS_OK)
        memcpy(redacting->report->message, found->message, sizeof redacting->report->message);
    return status;
}

static enum status look_all(struct redacting *redacting, const struct config *config,
                            enum status (*each)(struct redacting *, const struct record *))
{
    struct pass pass = {redacting, each};
    enum status status = STATUS_OK;

    for (redacting->index = 0; status == STATUS_OK && redacting->index < redacting->count;
         redacting->index++) {
        struct log_report found = {0};
        struct log *log;

        status = open_from(redacting, config, &log, &found);
        if (status != STATUS_OK)
            break;
        redacting->total += 3 * found.last_sequence * (each == note);
        if (found.last_sequence > 0)
            status = log_replay(log, 1, look, &pass);
        log_close(log);
    }
    return status;
}

static void put_hex(FILE *out, const char *name, const uint8_t *bytes, size_t size)
{
    fprintf(out, " %s=", name);
    for (size_t i = 0; i < size; i++)
        fprintf(out, "%02x", bytes[i]);
}

static enum status copy_one(struct redacting *redacting, const struct config *config,
                            const struct config *target, FILE *tie)
{
    struct partition_config partition;
    struct log_report found = {0}, made = {0}, closed = {0};
    struct log_config to;
    struct log *from;
    enum status status = open_from(redacting, config, &from, &found);

    if (status != STATUS_OK)
        return status;
    status = partition_config_from(target, redacting->index, false, &partition,
                                   redacting->report->message);
    to = log_of(&partition, true);
    if (status == STATUS_OK && (status = log_open(&to, &redacting->to, &made)) != STATUS_OK)
        memcpy(redacting->report->message, made.message, sizeof made.message);
    if (status != STATUS_OK) {
        log_close(from);
        return status;
    }
    redacting->last = 0;
    if (found.last_sequence > 0)
        status = log_replay(from, 1, copy, redacting);
    while (status == STATUS_OK && log_durable(redacting->to) < redacting->last &&
           !log_failed(redacting->to, NULL))
        log_pump(redacting->to, redacting->pumped++);
    if (status == STATUS_OK && log_durable(redacting->to) < redacting->last)
        status = STATUS_IOFAIL;
    log_close(redacting->to);
    log_close(from);
    to.read_only = true;
    to.create = false;
    if (status == STATUS_OK && (status = log_open(&to, &redacting->to, &closed)) == STATUS_OK)
        log_close(redacting->to);
    if (status == STATUS_OK && closed.last_sequence != found.last_sequence)
        status = STATUS_CORRUPT;
    fprintf(tie, "partition %u records=%llu", (unsigned)redacting->index,
            (unsigned long long)found.last_sequence);
    put_hex(tie, "from-log", found.log_id, sizeof found.log_id);
    put_hex(tie, "from-chain", found.chain, sizeof found.chain);
    put_hex(tie, "to-log", closed.log_id, sizeof closed.log_id);
    put_hex(tie, "to-chain", closed.chain, sizeof closed.chain);
    fputc('\n', tie);
    return status;
}

static enum status make_empty(const char *path, char message[256])
{
    struct dirent *entry;
    bool empty = true;
    DIR *dir;

    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        snprintf(message, 256, "cannot make %.180s: %s", path, strerror(errno));
        return STATUS_IOFAIL;
    }
    dir = opendir(path);
    if (dir == NULL)
        return STATUS_IOFAIL;
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            empty = false;
    closedir(dir);
    if (!empty)
        snprintf(message, 256, "%.180s is not empty", path);
    return empty ? STATUS_OK : STATUS_BADDATA;
}

static enum status copy_all(struct redacting *redacting, const struct config *config,
                            const struct config *target)
{
    enum status status = STATUS_OK;
    char path[512];
    FILE *tie;

    path_join(path, sizeof path, target->data, "redacted.txt");
    tie = fopen(path, "w");
    if (tie == NULL) {
        snprintf(redacting->report->message, 256, "cannot write %.180s: %s", path, strerror(errno));
        return STATUS_IOFAIL;
    }
    for (redacting->index = 0; status == STATUS_OK && redacting->index < redacting->count;
         redacting->index++)
        status = copy_one(redacting, config, target, tie);
    if (fclose(tie) != 0 && status == STATUS_OK)
        status = STATUS_IOFAIL;
    return status;
}

/* So that addresses and devices of those who stay go on being called what they were. */
static enum status copy_keys(const struct config *config, const struct config *target,
                             char message[256])
{
    char path[512];
    uint8_t bytes[4096];
    size_t size;
    FILE *from, *to;

    path_join(path, sizeof path, config->data, "keys/pseudonym.epochs");
    from = fopen(path, "rb");
    if (from == NULL)
        return STATUS_OK; /* there are none yet */
    path_join(path, sizeof path, target->data, "keys");
    (void)mkdir(path, 0700);
    path_join(path, sizeof path, target->data, "keys/pseudonym.epochs");
    to = fopen(path, "wb");
    while (to != NULL && (size = fread(bytes, 1, sizeof bytes, from)) > 0)
        if (fwrite(bytes, 1, size, to) != size)
            break;
    explicit_bzero(bytes, sizeof bytes);
    fclose(from);
    if (to == NULL || chmod(path, 0600) != 0 || fclose(to) != 0) {
        snprintf(message, 256, "cannot write %.180s: %s", path, strerror(errno));
        return STATUS_IOFAIL;
    }
    return STATUS_OK;
}

static void sort_set(struct gone_set *set)
{
    if (set->count > 0)
        qsort(set->rows, set->count, sizeof *set->rows, compare);
}

enum status node_redact(const struct config *config, const char *to,
                        const struct node_progress *progress, struct redact_report *report)
{
    struct redacting redacting = {
        .report = report, .progress = progress, .count = (uint16_t)config->partitions};
    struct config target = *config;
    struct node_report rebuilt;
    enum status status;

    *report = (struct redact_report){0};
    snprintf(target.data, sizeof target.data, "%s", to);
    target.log_a[0] = target.log_b[0] = '\0';
    status = make_empty(to, report->message);
    if (status == STATUS_OK)
        status = copy_keys(config, &target, report->message);
    if (status == STATUS_OK && (redacting.body = malloc(BODY_BYTES)) == NULL)
        status = STATUS_NOMEMORY;
    if (status == STATUS_OK)
        status = look_all(&redacting, config, note);
    sort_set(&redacting.accounts);
    if (status == STATUS_OK)
        status = look_all(&redacting, config, note_case);
    sort_set(&redacting.cases);
    digest_random(redacting.key, sizeof redacting.key);
    if (status == STATUS_OK)
        status = copy_all(&redacting, config, &target);
    explicit_bzero(redacting.key, sizeof redacting.key); /* nobody links them again */
    report->accounts = redacting.accounts.count;
    free(redacting.accounts.rows);
    free(redacting.cases.rows);
    free(redacting.body);
    if (status != STATUS_OK)
        return status;
    status = node_rebuild(&target, progress, &rebuilt);
    if (status != STATUS_OK)
        memcpy(report->message, rebuilt.message, sizeof report->message);
    return status;
}
