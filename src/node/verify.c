/* verify.c: is everything in a data directory as it must be?
 *
 * Three independent looks: every byte of both copies of the log (log_verify); a replay of the whole
 * log into a store made for the purpose, held against the store at rest at the sequence that one
 * stands for; and the sums of that state: every count against its edges.
 *
 * Sums are compared, not sorted lists: the sum over all edges of a hash of their target must be the
 * sum over all targets of count times the same hash. Two wrongs that cancel out by chance: 1 in
 * 2^64. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/hash.h"
#include "node/audit.h"
#include "node/inner.h"
#include "node/tree.h"

/* --- the sums of a state -------------------------------------------------------------------------
 */

#define CREDITS 4 /* numbers in a struct credit */

struct sums {
    uint16_t partition, count;
    uint64_t accounts, items, edges, operations; /* how many */
    uint64_t hash[2];                            /* of all rows, whatever their order */
    uint64_t edge_taken[EDGE_COUNTED], edge_given[EDGE_COUNTED];
    uint64_t count_taken[EDGE_COUNTED], count_given[EDGE_COUNTED];
    uint64_t received[COUNTER_COUNT], owed[COUNTER_COUNT];
    /* What likes are worth, by the numbers of struct credit: by edges, items, creators, and what
     * creators should have by their items. */
    uint64_t credit_edges[CREDITS], credit_items[CREDITS];
    uint64_t credit_creators[CREDITS], credit_owed[CREDITS];
    uint64_t reason_edges, reason_items;
};

static bool home(const struct sums *sums, uint64_t id)
{
    return hash_partition(id, sums->count) == sums->partition;
}

static uint64_t mark_of(uint16_t tenant, uint64_t id, uint64_t what)
{
    return hash_two(id + ((uint64_t)tenant << 48), what);
}

static void add_row(struct sums *sums, char table, const uint64_t *words, int count)
{
    uint64_t hash = (uint64_t)table;

    for (int i = 0; i < count; i++)
        hash = hash_two(hash, words[i]);
    sums->hash[0] += hash;
    sums->hash[1] += hash_mix(hash ^ 0xA5A5A5A5A5A5A5A5ULL);
}

static void credit_words(const struct credit *credit, uint64_t words[CREDITS])
{
    words[0] = credit->credited_pct;
    words[1] = credit->held;
    words[2] = credit->quarantined;
    words[3] = credit->voided;
}

static void add_credit(uint64_t sums[CREDITS], const uint64_t words[CREDITS], uint64_t mark)
{
    for (int i = 0; i < CREDITS; i++)
        sums[i] += words[i] * mark;
}

/* What came to rows after the first version goes into the hash one number at a time, where it is
 * not what it was then: a later addition leaves the hash of older states alone. */
static void add_extra(struct sums *sums, char table, uint16_t tenant, uint64_t id, uint64_t what,
                      uint64_t value)
{
    const uint64_t words[4] = {id, tenant, what, value};

    if (value != 0)
        add_row(sums, table, words, 4);
}

static void add_extras(struct sums *sums, char table, uint16_t tenant, uint64_t id,
                       const uint64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_extra(sums, table, tenant, id, i, values[i]);
}

static void see_standing(struct sums *sums, const struct account_row *row)
{
    const uint64_t extras[] = {row->tier,
                               row->epoch,
                               row->cut_pct,
                               row->visibility,
                               row->limit_verbs,
                               (uint64_t)row->cut_until_us,
                               (uint64_t)row->limit_until_us,
                               (uint64_t)row->points,
                               row->case_id,
                               row->reports_upheld,
                               row->reports_dismissed,
                               row->erase_s,
                               row->switches};
    const uint64_t budget[] = {row->compensation.balance_pct, row->compensation.granted_pct,
                               row->compensation.spent_pct,   row->compensation.owed_pct,
                               row->compensation.from_s,      row->compensation.until_s};
    uint64_t credit[CREDITS];

    add_extras(sums, 'A', row->tenant, row->id, extras, sizeof extras / sizeof *extras);
    add_extras(sums, 'B', row->tenant, row->id, budget, sizeof budget / sizeof *budget);
    add_extra(sums, 'R', row->tenant, row->id, 0, row->region);
    credit_words(&row->received_credit, credit);
    add_credit(sums->credit_creators, credit, mark_of(row->tenant, row->id, 'c'));
    credit[0] -= WEIGHT_FULL * row->received[COUNTER_LIKE];
    add_extras(sums, 'C', row->tenant, row->id, credit, CREDITS);
}

static void see_worth(struct sums *sums, const struct item_row *row)
{
    const uint64_t extras[] = {row->peak - row->counts[COUNTER_LIKE], (uint64_t)row->peak_us,
                               (uint64_t)row->window_until_us, row->case_id};
    const uint64_t withdrawn[] = {row->withdrawn.fading_q16,
                                  (uint64_t)row->withdrawn.fading_us,
                                  row->withdrawn.horizon_s,
                                  row->withdrawn.frozen_likes,
                                  row->withdrawn.frozen_pct,
                                  (uint64_t)row->withdrawn.freeze_from_us,
                                  (uint64_t)row->withdrawn.freeze_until_us,
                                  row->withdrawn.loss_pct,
                                  row->withdrawn.paid_pct};
    const uint64_t exposure[] = {row->published_s,      row->repost,
                                 row->campaign.budget,  row->campaign.spent,
                                 row->campaign.until_s, row->campaign.holdout_pct};
    const uint64_t pause[] = {row->pause.until_s, row->pause.by,      row->pause.held[0],
                              row->pause.held[1], row->pause.held[2], row->pause.held[3],
                              row->pause.held[4]};
    uint64_t credit[CREDITS];

    add_extras(sums, 'I', row->tenant, row->id, extras, sizeof extras / sizeof *extras);
    add_extras(sums, 'F', row->tenant, row->id, withdrawn, sizeof withdrawn / sizeof *withdrawn);
    add_extra(sums, 'V', row->tenant, row->id, 0, row->views_lost_pct);
    add_extras(sums, 'P', row->tenant, row->id, exposure, sizeof exposure / sizeof *exposure);
    add_extras(sums, 'H', row->tenant, row->id, pause, sizeof pause / sizeof *pause);
    for (int i = 0; i < REASON_COUNT; i++) {
        add_extra(sums, 'N', row->tenant, row->id, (uint64_t)i, row->reasons[i]);
        sums->reason_items += row->reasons[i] * mark_of(row->tenant, row->id, (uint64_t)i);
    }
    credit_words(&row->credit, credit);
    add_credit(sums->credit_items, credit, mark_of(row->tenant, row->id, 'c'));
    if (row->has_creator)
        add_credit(sums->credit_owed, credit, mark_of(row->tenant, row->creator, 'c'));
    credit[0] -= WEIGHT_FULL * row->counts[COUNTER_LIKE];
    add_extras(sums, 'W', row->tenant, row->id, credit, CREDITS);
}

static void see_weight(struct sums *sums, const struct edge_row *row)
{
    uint64_t mark = mark_of(row->tenant, row->target, 'c');
    uint64_t usual = row->on && row->kind == EDGE_LIKE ? WEIGHT_FULL : 0;

    add_extra(sums, 'E', row->tenant, hash_two(row->account, row->target), row->kind,
              (row->weight_pct ^ usual) | (uint64_t)row->marks << 8);
    if (!row->on || row->kind != EDGE_LIKE || !home(sums, row->target))
        return;
    if (edge_mark(row) == MARK_PLAIN)
        sums->credit_edges[0] += row->weight_pct * mark;
    else
        sums->credit_edges[edge_mark(row)] += mark;
    if (edge_reason(row) != REASON_NONE)
        sums->reason_edges += mark_of(row->tenant, row->target, edge_reason(row));
}

static enum status see_case(void *argument, const struct case_row *row)
{
    const uint64_t words[] = {row->id,
                              row->tenant,
                              row->about,
                              row->before,
                              row->proposer,
                              row->approver,
                              row->decided_sequence,
                              row->ended_sequence,
                              row->cursor,
                              row->likes,
                              row->restored,
                              (uint64_t)row->due_us,
                              (uint64_t)row->until_us,
                              (uint64_t)row->points,
                              row->weight,
                              (uint64_t)row->kind | (uint64_t)row->state << 8 |
                                  (uint64_t)row->decision << 16 | (uint64_t)row->proposed << 24 |
                                  (uint64_t)row->appealed << 32 | (uint64_t)row->sanctions << 40};

    add_row(argument, 'C', words, sizeof words / sizeof *words);
    add_extra(argument, 'G', row->tenant, row->id, 0, row->granted_pct);
    return STATUS_OK;
}

static enum status see_inbox(void *argument, const struct inbox_row *row)
{
    const uint64_t head[] = {row->id,   row->tenant, row->last, row->read, (uint64_t)row->read_us,
                             row->count};

    add_row(argument, 'n', head, sizeof head / sizeof *head);
    for (uint32_t i = 0; i < row->count; i++) {
        const struct notice *at = &row->at[i];
        const uint64_t words[] = {row->id,
                                  row->tenant,
                                  at->id,
                                  at->target,
                                  at->other,
                                  (uint64_t)at->time_us,
                                  (uint64_t)at->until_us,
                                  at->count,
                                  (uint64_t)at->kind | (uint64_t)at->verb << 8 |
                                      (uint64_t)at->how << 16 | (uint64_t)at->quiet << 24};

        add_row(argument, 'o', words, sizeof words / sizeof *words);
    }
    return STATUS_OK;
}

static uint64_t text_hash(const char *text, size_t size)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < size; i++)
        hash = hash_two(hash, (uint8_t)text[i]);
    return hash;
}

/* Field by field, so that a state whose rules nobody changed has the hash it always had. */
static enum status see_policy(void *argument, const struct policy_row *row)
{
    const struct policy_head *head = &row->head;
    uint64_t digest[4];

    memcpy(digest, head->digest, sizeof digest);
    const uint64_t extras[] = {
        head->version,
        head->text_size,
        head->shadow,
        head->last,
        head->proposer,
        head->decider,
        head->proposed_sequence,
        head->decided_sequence,
        (uint64_t)head->proposed_us,
        (uint64_t)head->decided_us,
        (uint64_t)head->ended_us,
        (uint64_t)head->shadow_us,
        digest[0],
        digest[1],
        digest[2],
        digest[3],
        (uint64_t)head->state | (uint64_t)head->by_setting << 8,
        text_hash(head->reason, head->reason_size),
        text_hash(head->decision, head->decision_size),
        text_hash(row->text, head->text_size),
    };

    add_extras(argument, 'P', 0, head->slot, extras, sizeof extras / sizeof *extras);
    return STATUS_OK;
}

static enum status see_account(void *argument, const struct account_row *row)
{
    struct sums *sums = argument;
    uint64_t words[6 + 2 * COUNTER_COUNT] = {row->id,
                                             row->tenant,
                                             row->state,
                                             row->taken_back,
                                             (uint64_t)row->until_us,
                                             (uint64_t)row->first_us};

    memcpy(words + 6, row->given, sizeof row->given);
    memcpy(words + 6 + COUNTER_COUNT, row->received, sizeof row->received);
    add_row(sums, 'a', words, 6 + 2 * COUNTER_COUNT);
    see_standing(sums, row);
    sums->accounts++;
    for (int kind = 0; kind < EDGE_COUNTED; kind++)
        sums->count_given[kind] +=
            row->given[audit_counter[kind]] * mark_of(row->tenant, row->id, (uint64_t)kind);
    sums->count_taken[EDGE_FOLLOW] +=
        row->received[COUNTER_FOLLOW] * mark_of(row->tenant, row->id, EDGE_FOLLOW);
    for (int c = 0; c < COUNTER_COUNT; c++)
        if (c != COUNTER_FOLLOW)
            sums->received[c] += row->received[c] * mark_of(row->tenant, row->id, (uint64_t)c);
    return STATUS_OK;
}

static enum status see_item(void *argument, const struct item_row *row)
{
    struct sums *sums = argument;
    uint64_t words[9 + COUNTER_COUNT] = {row->id,
                                         row->tenant,
                                         row->state,
                                         row->has_creator,
                                         row->duration_ms,
                                         row->creator,
                                         (uint64_t)row->first_us,
                                         row->watch_ms,
                                         row->taken_back};

    memcpy(words + 9, row->counts, sizeof row->counts);
    add_row(sums, 'i', words, 9 + COUNTER_COUNT);
    see_worth(sums, row);
    sums->items++;
    for (int kind = 0; kind < EDGE_COUNTED; kind++)
        if (kind != EDGE_FOLLOW)
            sums->count_taken[kind] +=
                row->counts[audit_counter[kind]] * mark_of(row->tenant, row->id, (uint64_t)kind);
    for (int c = 0; c < COUNTER_COUNT && row->has_creator; c++)
        sums->owed[c] += row->counts[c] * mark_of(row->tenant, row->creator, (uint64_t)c);
    return STATUS_OK;
}

static enum status see_edge(void *argument, const struct edge_row *row)
{
    struct sums *sums = argument;
    uint64_t words[8] = {row->account, row->target, row->sequence, (uint64_t)row->time_us,
                         row->tenant,  row->flips,  row->kind,     row->on};

    add_row(sums, 'e', words, 8);
    see_weight(sums, row);
    sums->edges++;
    if (row->on && row->kind < EDGE_COUNTED) {
        if (home(sums, row->target))
            sums->edge_taken[row->kind] += mark_of(row->tenant, row->target, row->kind);
        if (home(sums, row->account))
            sums->edge_given[row->kind] += mark_of(row->tenant, row->account, row->kind);
    }
    return STATUS_OK;
}

static enum status see_operation(void *argument, const struct operation_row *row)
{
    /* Not part of the state's hash: when an expired one disappears is the store's affair. */
    ((struct sums *)argument)->operations++;
    (void)row;
    return STATUS_OK;
}

static enum status sums_of(struct store *store, uint16_t partition, uint16_t count,
                           struct sums *sums)
{
    struct store_visitor visitor = {.argument = sums,
                                    .account = see_account,
                                    .item = see_item,
                                    .edge = see_edge,
                                    .operation = see_operation,
                                    .cased = see_case,
                                    .inbox = see_inbox,
                                    .policy = see_policy};

    *sums = (struct sums){.partition = partition, .count = count};
    return store_scan(store, &visitor);
}

/* --- one partition -------------------------------------------------------------------------------
 */

struct verifying {
    const struct config *config;
    const struct node_progress *progress;
    void (*finding)(void *argument, const char *text);
    void *argument;
    struct node_verification *result;
    uint16_t index;
    struct sums at_rest; /* of the store as it is */
};

static void find(struct verifying *verifying, const char *text)
{
    char line[440];

    verifying->result->findings++;
    snprintf(line, sizeof line, "partition %u: %s", (unsigned)verifying->index, text);
    verifying->finding(verifying->argument, line);
}

static void log_finding(void *argument, const char *text)
{
    find(argument, text);
}

static void log_progress(void *argument, uint64_t done, uint64_t total)
{
    struct verifying *verifying = argument;

    if (verifying->progress != NULL)
        verifying->progress->report(verifying->progress->argument, "reading the log", done, total);
}

static void replay_progress(void *argument, uint64_t done, uint64_t total)
{
    struct verifying *verifying = argument;

    if (verifying->progress != NULL)
        verifying->progress->report(verifying->progress->argument, "replaying the log", done,
                                    total);
}

/* The replay has come to where the store stands: they must be the same. */
static enum status compare(void *argument, struct store *replayed)
{
    struct verifying *verifying = argument;
    struct sums sums;
    enum status status = sums_of(replayed, verifying->index, verifying->at_rest.count, &sums);
    char text[256];

    if (status != STATUS_OK)
        return status;
    if (memcmp(sums.hash, verifying->at_rest.hash, sizeof sums.hash) != 0) {
        snprintf(text, sizeof text,
                 "the store is not what the log says: %llu accounts, %llu items, %llu edges at "
                 "rest, %llu, %llu, %llu by the log; run zan rebuild",
                 (unsigned long long)verifying->at_rest.accounts,
                 (unsigned long long)verifying->at_rest.items,
                 (unsigned long long)verifying->at_rest.edges, (unsigned long long)sums.accounts,
                 (unsigned long long)sums.items, (unsigned long long)sums.edges);
        find(verifying, text);
    }
    return STATUS_OK;
}

/* What likes are worth: the items' numbers are those of the edges, the creators' those of the
 * items.
 */
static void check_credit(struct verifying *verifying, const struct sums *sums)
{
    static const char *const name[CREDITS] = {"credited", "held", "quarantined", "voided"};
    char text[128];

    for (int i = 0; i < CREDITS; i++) {
        if (sums->credit_edges[i] != sums->credit_items[i]) {
            snprintf(text, sizeof text, "the %s likes of items are not those of their edges",
                     name[i]);
            find(verifying, text);
        }
        if (sums->count == 1 && sums->credit_creators[i] != sums->credit_owed[i]) {
            snprintf(text, sizeof text, "the %s likes of creators are not those of their items",
                     name[i]);
            find(verifying, text);
        }
    }
    if (sums->reason_edges != sums->reason_items)
        find(verifying, "the totals by reason of items are not those of their edges");
}

static void check_counts(struct verifying *verifying, const struct sums *sums)
{
    char text[128];

    for (int kind = 0; kind < EDGE_COUNTED; kind++) {
        const char *name = counter_name(audit_counter[kind]);

        if (sums->edge_taken[kind] != sums->count_taken[kind]) {
            snprintf(text, sizeof text, "the %s counts of targets are not their edges", name);
            find(verifying, text);
        }
        if (sums->edge_given[kind] != sums->count_given[kind]) {
            snprintf(text, sizeof text, "the %s counts of accounts are not their edges", name);
            find(verifying, text);
        }
    }
    check_credit(verifying, sums);
    /* With several partitions effects may be on their way; then this holds only together. */
    for (int c = 0; c < COUNTER_COUNT && sums->count == 1; c++)
        if (sums->received[c] != sums->owed[c]) {
            snprintf(text, sizeof text, "the %s counts of creators are not those of their items",
                     counter_name((enum counter)c));
            find(verifying, text);
        }
}

/* The sums of the store at rest; one that cannot be read is a finding, no more: it can be made
 * again. */
static uint64_t look_at_rest(struct verifying *verifying, const struct partition_config *config,
                             const uint8_t log_id[16])
{
    struct store_config store = {
        .path = config->store_dir,
        .partition = config->index,
        .partition_count = config->count,
        .operation_keep_us = config->operation_keep_us,
        .read_only = true,
    };
    struct store *at_rest;
    char message[256] = "", text[400];
    uint64_t applied = 0;
    enum status status;

    memcpy(store.log_id, log_id, sizeof store.log_id);
    status = store_open(&store, &at_rest, message);
    if (status == STATUS_OK) {
        applied = store_applied(at_rest);
        status = sums_of(at_rest, config->index, config->count, &verifying->at_rest);
        store_close(at_rest);
    }
    if (status != STATUS_OK) {
        snprintf(text, sizeof text, "the store cannot be read (%s); zan rebuild makes it again",
                 message);
        find(verifying, text);
        return 0;
    }
    return applied;
}

static enum status replay_into_copy(struct verifying *verifying, struct partition_config *config,
                                    uint64_t applied, uint64_t last, struct sums *sums)
{
    struct partition_open_hooks hooks = {.argument = verifying,
                                         .progress = replay_progress,
                                         .outbox = partition_no_outbox,
                                         .pause_at = applied,
                                         .paused = compare};
    struct partition *partition = malloc(sizeof *partition);
    struct partition_report report;
    char text[400];
    enum status status;

    if (partition == NULL)
        return STATUS_NOMEMORY;
    if (applied > last)
        find(verifying, "the store is ahead of the log: the log has lost records");
    snprintf(config->store_dir, sizeof config->store_dir, "%.300s/verify.p%u",
             verifying->config->data, (unsigned)config->index);
    tree_remove(config->store_dir);
    status = partition_open(partition, config, &hooks, &report);
    if (status == STATUS_OK)
        status = partition_flush_all(partition);
    if (status == STATUS_OK)
        status = sums_of(partition->store, config->index, config->count, sums);
    if (status != STATUS_OK) {
        snprintf(text, sizeof text, "the log cannot be replayed: %s",
                 report.message[0] != '\0' ? report.message : status_info(status)->text);
        find(verifying, text);
    } else {
        partition_close(partition);
    }
    tree_remove(config->store_dir);
    free(partition);
    return status;
}

/* A node that runs changes what is looked at: damage would be seen where there is none. */
enum status node_check_stopped(const struct partition_config *config, char message[256])
{
    char path[sizeof config->log_dir[0] + 8];
    enum status status = STATUS_OK;
    int lock;

    path_join(path, sizeof path, config->log_dir[0], "lock");
    lock = open(path, O_RDONLY | O_CLOEXEC);
    if (lock < 0)
        return STATUS_OK; /* no log: told further on */
    if (flock(lock, LOCK_SH | LOCK_NB) != 0) {
        snprintf(message, 256, "a node is running on this data directory: stop it first");
        status = STATUS_LOCKED;
    }
    close(lock);
    return status;
}

static enum status verify_partition(struct verifying *verifying, uint64_t hash[4])
{
    struct node_verification *result = verifying->result;
    struct partition_config config;
    struct log_report found;
    struct sums sums;
    enum status status =
        partition_config_from(verifying->config, verifying->index, true, &config, result->message);
    struct log_config log = {
        .disk = config.disk,
        .dir = {config.log_dir[0], config.log_dir[1]},
        .witness = config.mirror_dir,
        .partition = config.index,
        .partition_count = config.count,
        .read_only = true,
    };

    if (status == STATUS_OK)
        status = node_check_stopped(&config, result->message);
    found = (struct log_report){0};
    if (status == STATUS_OK)
        status = log_verify(&log, &found, log_progress, log_finding, verifying);
    if (status != STATUS_OK) {
        if (result->message[0] == '\0')
            memcpy(result->message, found.message, sizeof result->message);
        return status;
    }
    result->batches += found.batches;
    result->records += found.last_sequence;
    if (verifying->index == 0)
        memcpy(result->chain, found.chain, sizeof result->chain);
    status = replay_into_copy(verifying, &config, look_at_rest(verifying, &config, found.log_id),
                              found.last_sequence, &sums);
    if (status != STATUS_OK)
        return STATUS_OK; /* told as a finding */
    check_counts(verifying, &sums);
    result->accounts += sums.accounts;
    result->items += sums.items;
    result->edges += sums.edges;
    result->operations += sums.operations;
    hash[0] += sums.hash[0];
    hash[1] += sums.hash[1];
    return STATUS_OK;
}

enum status node_verify(const struct config *config, const struct node_progress *progress,
                        void (*finding)(void *argument, const char *text), void *argument,
                        struct node_verification *verification)
{
    struct verifying verifying = {.config = config,
                                  .progress = progress,
                                  .finding = finding,
                                  .argument = argument,
                                  .result = verification};
    uint64_t hash[4] = {0};
    enum status status = STATUS_OK;

    *verification = (struct node_verification){0};
    for (uint16_t i = 0; status == STATUS_OK && i < config->partitions; i++) {
        verifying.index = i;
        status = verify_partition(&verifying, hash);
    }
    hash[2] = verification->accounts ^ verification->items << 32;
    hash[3] = verification->edges;
    digest_sha256(hash, sizeof hash, NULL, 0, verification->state_hash);
    return status;
}
