/* node.c: opening, starting and stopping; facts; what the doors are told. */
#include "node/node.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hook.h"
#include "node/clock.h"
#include "node/follow.h"
#include "node/inner.h"
#include "node/rules.h"
#include "node/shard_inner.h"
#include "node/tree.h"

/* --- opening -------------------------------------------------------------------------------------
 */

static void tell_progress(void *argument, uint64_t done, uint64_t total)
{
    struct shard *shard = argument;
    char what[64];

    if (shard->progress == NULL)
        return;
    snprintf(what, sizeof what, "replaying the log of partition %u", (unsigned)shard->index);
    shard->progress->report(shard->progress->argument, what, done, total);
}

/* Effects of replayed records are sent again; who has them already drops them. */
static void outbox(void *argument, const struct effect *effect)
{
    struct shard *shard = argument;
    struct effect_mail *mail = malloc(sizeof *mail);

    if (mail == NULL)
        abort(); /* nothing has begun yet; more memory is needed to start */
    *mail =
        (struct effect_mail){.record = effect->record, .from = shard, .entry = &shard->replayed};
    atomic_fetch_add(&shard->replayed.open, 1);
    atomic_fetch_add(&shard->node->outstanding, 1);
    shard_mail_effect(&shard->node->shards[effect->to], mail);
}

static void wake_shard(void *argument)
{
    shard_wake(argument);
}

static enum status load_rules(struct node *node, char message[256])
{
    char text[512] = "";
    enum status status = rules_read(node->config.policy, &node->policy, node->policy_digest,
                                    &node->policy_text, &node->policy_size, text);

    if (status != STATUS_OK)
        snprintf(message, 256, "%.255s", text);
    return status;
}

#define SIGNALS_BYTES_MAX ((size_t)64 << 20) /* copied in one piece: some ten milliseconds */

/* What the judges of a partition get: a thirty-second of its memory, twice (one is being saved). */
size_t node_signals_bytes(const struct partition_config *config)
{
    size_t bytes = config->memory_bytes / 32 / 64 * 64;

    if (bytes > SIGNALS_BYTES_MAX)
        bytes = SIGNALS_BYTES_MAX;
    return bytes < JUDGE_BYTES_MIN ? JUDGE_BYTES_MIN : bytes;
}

static void signals_config(const struct node *node, struct partition_config *config)
{
    bool nothing = node->policy == NULL && strcmp(node->config.trust, "off") == 0;

    config->signals_spare = node_signals_bytes(config);
    config->rules = rulebook_hooks(&node->shards[config->index]);
    config->rules_text = node->policy_text;
    config->rules_size = node->policy_size;
    rules_mark(node->config.policy, node->policy_digest, config->rules_mark);
    config->signals = (struct signals_config){
        .bytes = nothing ? 0 : node_signals_bytes(config),
        .policy = node->policy,
        .scored = strcmp(node->config.trust, "on") == 0,
        .unscored = strcmp(node->config.trust, "pending") == 0,
    };
    memcpy(config->signals.policy_digest, node->policy_digest, 32);
    snprintf(config->signals.path, sizeof config->signals.path, "%s", config->store_dir);
}

/* Who decided the rules that are in force now. */
static void tell_rules(const struct partition *partition, struct node_report *report)
{
    const struct policy_book *book = partition->engine.book;

    report->rules_unreadable = book->unreadable;
    if (book->state.version == 0)
        return;
    report->rules_version = book->state.version;
    snprintf(report->rules_name, sizeof report->rules_name, "%s",
             book->current != NULL ? book->current->name : "none");
    report->setting_takes = memcmp(book->state.digest, book->setting_mark, 32) != 0;
}

static enum status open_partition(struct node *node, uint16_t index,
                                  const struct node_progress *progress, struct node_report *report)
{
    struct partition_config config;
    struct partition_report found;
    struct partition_open_hooks hooks = {.argument = &node->shards[index],
                                         .progress = tell_progress,
                                         .outbox = outbox,
                                         .wake = wake_shard};
    enum status status;

    node->shards[index].progress = progress;
    status = partition_config_from(&node->config, index, false, &config, report->message);
    if (status != STATUS_OK)
        return status;
    signals_config(node, &config);
    status = partition_open(&node->shards[index].partition, &config, &hooks, &found);
    node->shards[index].progress = NULL;
    if (status != STATUS_OK) {
        memcpy(report->message, found.message, sizeof report->message);
        return status;
    }
    if (index == 0)
        tell_rules(&node->shards[0].partition, report);
    node->shards[index].replayed.first = found.log.last_sequence - found.replayed + 1;
    report->records += found.log.last_sequence;
    report->signals_lost = report->signals_lost || found.signals_lost;
    report->replayed += found.replayed;
    report->torn_bytes += found.log.torn_bytes;
    report->repaired_bytes += found.log.repaired_bytes;
    report->rebuilt = report->rebuilt || found.rebuilt;
    return STATUS_OK;
}

static enum status make_data_dirs(const struct config *config, char message[256])
{
    char path[512];

    if (mkdir(config->data, 0700) != 0 && access(config->data, W_OK) != 0) {
        snprintf(message, 256, "cannot use %.150s as data directory: %.64s", config->data,
                 strerror(errno));
        return STATUS_BADDATA;
    }
    path_join(path, sizeof path, config->data, "keys");
    mkdir(path, 0700); /* what is wrong with it is told when the key is read */
    return STATUS_OK;
}

static bool is_caller(const void *context, const char *name)
{
    const struct node *node = context;

    return node->has_credentials && credentials_named(&node->credentials, name) != NULL;
}

static enum status open_tls(struct node *node, char message[256])
{
    struct tls_config config = {
        .cert = node->config.tls_cert,
        .key = node->config.tls_key,
        .client_ca = node->config.tls_client_ca,
        .client_crl = node->config.tls_client_crl,
        .allow_1_2 = strcmp(node->config.tls_least, "1.2") == 0,
        .known = is_caller,
        .context = node,
    };

    return tls_open(&config, &node->tls, message);
}

/* What others wrote and this node only reads. Before anything is made: a slip in one of these files
 * leaves nothing behind. */
static enum status load_files(struct node *node, char message[256])
{
    enum status status = load_rules(node, message);

    if (status == STATUS_OK && node->config.credentials[0] != '\0') {
        status = credentials_read(node->config.credentials, &node->credentials, message);
        node->has_credentials = true;
    }
    if (status == STATUS_OK && node->config.assertion_keys[0] != '\0')
        status = vouch_open(node->config.assertion_keys, &node->vouch, message);
    if (status == STATUS_OK && node->config.tls_cert[0] != '\0')
        status = open_tls(node, message);
    return status;
}

enum status node_check(const struct config *config, char message[256])
{
    struct node *node = calloc(1, sizeof *node);
    enum status status;

    if (node == NULL)
        return STATUS_NOMEMORY;
    node->config = *config;
    status = load_rules(node, message);
    if (status == STATUS_OK && config->credentials[0] != '\0')
        status = credentials_read(config->credentials, &node->credentials, message);
    free(node->policy);
    free(node->policy_text);
    free(node);
    return status;
}

static enum status open_epochs(struct node *node, char message[256])
{
    char path[512], old_path[512];

    path_join(path, sizeof path, node->config.data, "keys/pseudonym.epochs");
    path_join(old_path, sizeof old_path, node->config.data, "keys/pseudonym.key");
    return epochs_open(path, old_path, (uint32_t)node->config.pseudonym_days,
                       (uint32_t)node->config.pseudonym_keep, clock_wall_us(), &node->epochs,
                       message);
}

static enum status open_orders(struct node *node, char message[256])
{
    char path[512];
    enum status status;

    path_join(path, sizeof path, node->config.data, "orders");
    status = orders_open(path, &node->orders, message);
    if (status == STATUS_OK)
        atomic_store(&node->ordered_readonly, orders_readonly(node->orders));
    return status;
}

enum status node_open(const struct config *config, const struct node_progress *progress,
                      struct node **result, struct node_report *report)
{
    struct node *node = calloc(1, sizeof *node);
    enum status status;

    *report = (struct node_report){0};
    if (node == NULL)
        return STATUS_NOMEMORY;
    node->config = *config;
    node->count = (uint16_t)config->partitions;
    node->stop_fd = eventfd(0, EFD_CLOEXEC);
    node->shards = calloc(node->count, sizeof *node->shards);
    node->started_wall_us = clock_wall_us();
    node->started_steady_us = clock_steady_us();
    node->rulebook = rulebook_open();
    if (node->shards == NULL || node->stop_fd < 0 || node->rulebook == NULL) {
        rulebook_close(node->rulebook);
        free(node);
        return STATUS_NOMEMORY;
    }
    status = load_files(node, report->message);
    if (status == STATUS_OK)
        status = make_data_dirs(config, report->message);
    if (status == STATUS_OK)
        status = open_epochs(node, report->message);
    if (status == STATUS_OK)
        status = open_orders(node, report->message);
    for (uint16_t i = 0; status == STATUS_OK && i < node->count; i++)
        status = shard_open(&node->shards[i], node, i);
    for (uint16_t i = 0; status == STATUS_OK && i < node->count; i++)
        status = open_partition(node, i, progress, report);
    if (status != STATUS_OK) {
        if (report->message[0] == '\0')
            snprintf(report->message, sizeof report->message, "%s", status_info(status)->text);
        node_close(node);
        return status;
    }
    *result = node;
    return STATUS_OK;
}

/* --- doors ---------------------------------------------------------------------------------------
 */

static void give_facts(void *context, struct facts *facts)
{
    node_facts(context, facts);
}

static bool give_setting(void *context, uint32_t i, const char **name, const char **value)
{
    /* Each thread that asks has its own room; the text is used before the next question. */
    static _Thread_local char text[CONFIG_TEXT];
    struct node *node = context;

    *value = text;
    return config_get(&node->config, i, name, text);
}

static void give_call(void *context, struct call *call)
{
    route_submit(context, call);
}

/* An administrator's order: kept on disk first, then carried out. */
static enum status take_order(void *context, const char *who, const char *what, const char *reason,
                              char message[256])
{
    struct node *node = context;
    bool resync = strcmp(what, "resync") == 0;
    bool lost = false;
    enum status status = orders_add(node->orders, clock_wall_us(), who, what, reason, message);

    if (status != STATUS_OK)
        return status;
    fprintf(stderr, "zan: order: %s, by %s: %s\n", what, who, reason);
    atomic_store(&node->ordered_readonly, orders_readonly(node->orders));
    for (uint16_t i = 0; i < node->count; i++) {
        if (resync)
            lost = log_mirror_resync(node->shards[i].partition.log) || lost;
        shard_wake(&node->shards[i]);
    }
    return resync && !lost ? STATUS_UNCHANGED : STATUS_OK;
}

static int64_t give_now(void *context)
{
    (void)context;
    return clock_wall_us();
}

static enum status open_doors(struct node *node, char message[256])
{
    struct serve_config resp = {
        .address = node->config.resp,
        .separate_planes = config_has_admin(&node->config),
        .admin_address =
            strcmp(node->config.admin_resp, "off") != 0 ? node->config.admin_resp : NULL,
        .share_port = node->count > 1,
        .connections_max = (uint32_t)(node->config.connections / node->count),
        .credentials = node->has_credentials ? &node->credentials : NULL,
        .tls = config_has_tls(&node->config, "resp") ? node->tls : NULL,
        .vouch = node->vouch,
        .epochs = node->epochs,
        .facts = give_facts,
        .facts_context = node,
        .setting = give_setting,
        .order = take_order,
    };
    struct http_config http = {
        .address = node->config.http,
        .plane = config_has_admin(&node->config) ? PLANE_DATA : PLANE_BOTH,
        .site = node->site,
        .credentials = resp.credentials,
        .tls = config_has_tls(&node->config, "http") ? node->tls : NULL,
        .vouch = node->vouch,
        .epochs = node->epochs,
        .connections_max = (uint32_t)node->config.connections,
        .submit = give_call,
        .submit_context = node,
        .now_us = give_now,
        .facts = give_facts,
        .facts_context = node,
    };
    enum status status = STATUS_OK;

    for (uint16_t i = 0; status == STATUS_OK && i < node->count; i++) {
        struct shard *shard = &node->shards[i];

        resp.ask = shard_ask;
        resp.ask_context = shard;
        status = serve_open(&resp, &shard->serve, message);
        if (status == STATUS_OK)
            status = serve_watch(shard->serve, shard->wake_fd);
        if (status == STATUS_OK)
            status = serve_watch(shard->serve, log_event_fd(shard->partition.log));
    }
    if (status == STATUS_OK && strcmp(node->config.http, "off") != 0)
        status = http_open(&http, &node->http, message);
    http.address = node->config.admin_http;
    http.plane = PLANE_ADMIN;
    http.beside = node->http;
    if (status == STATUS_OK && strcmp(node->config.admin_http, "off") != 0)
        status = http_open(&http, &node->http_admin, message);
    return status;
}

static enum status open_readers(struct node *node, char message[256])
{
    enum status status = STATUS_OK;

    for (int kind = 0; kind < READER_KINDS && status == STATUS_OK; kind++)
        status = follow_open(node, (enum reader_kind)kind, &node->follow[kind], message);
    return status;
}

static enum status start_readers(struct node *node)
{
    enum status status = STATUS_OK;

    for (int kind = 0; kind < READER_KINDS && status == STATUS_OK; kind++)
        status = follow_start(node->follow[kind]);
    return status;
}

void node_show(struct node *node, const struct site *site)
{
    assert(!node->started);
    node->site = site;
}

enum status node_start(struct node *node, char message[256])
{
    enum status status;

    message[0] = '\0';
    for (uint16_t i = 0; i < node->count; i++)
        audit_open(&node->shards[i].audit, &node->shards[i].partition,
                   (uint32_t)node->config.audit_rate,
                   (uint64_t)(node->started_wall_us ^ clock_steady_us()) + i);
    if ((status = open_readers(node, message)) != STATUS_OK ||
        (status = scrub_open(node, &node->scrub)) != STATUS_OK ||
        (status = start_readers(node)) != STATUS_OK)
        return status;
    /* The doors last: whoever comes in is told about all of the above. */
    if ((status = open_doors(node, message)) != STATUS_OK)
        return status;
    for (uint16_t i = 0; i < node->count; i++)
        shard_start(&node->shards[i]);
    node->started = true;
    return STATUS_OK;
}

uint16_t node_resp_port(const struct node *node)
{
    return serve_port(node->shards[0].serve);
}

uint16_t node_http_port(const struct node *node)
{
    return node->http == NULL ? 0 : http_port(node->http);
}

void node_submit(struct node *node, struct call *call)
{
    route_submit(node, call);
}

/* --- stopping ------------------------------------------------------------------------------------
 */

void node_stop(struct node *node)
{
    uint64_t one = 1;

    while (write(node->stop_fd, &one, sizeof one) < 0)
        continue;
}

static void wake_all(struct node *node)
{
    for (uint16_t i = 0; i < node->count; i++)
        shard_wake(&node->shards[i]);
}

static void join_all(struct node *node)
{
    wake_all(node);
    for (uint16_t i = 0; i < node->count && node->started; i++)
        pthread_join(node->shards[i].thread, NULL);
    node->started = false;
}

enum status node_wait(struct node *node, char message[256])
{
    uint64_t count;
    enum status status = STATUS_OK;

    while (read(node->stop_fd, &count, sizeof count) < 0)
        continue;
    message[0] = '\0';
    status = (enum status)atomic_load(&node->failure);
    if (status == STATUS_OK) {
        http_close(node->http_admin); /* waits for its calls, which the shards still answer */
        http_close(node->http);
        node->http = node->http_admin = NULL;
        atomic_store(&node->stopping_us, clock_steady_us());
        atomic_store(&node->stopping, true);
        join_all(node);
        status = (enum status)atomic_load(&node->failure);
    }
    if (status != STATUS_OK && !PLANTED("node.others_run_on"))
        join_all(node); /* one has failed: the others end as well, before what they use is freed */
    if (status != STATUS_OK) {
        snprintf(message, 256, "%s",
                 node->shards[atomic_load(&node->failed_shard)].partition.message);
        return status;
    }
    for (uint16_t i = 0; status == STATUS_OK && i < node->count; i++) {
        status = partition_flush_all(&node->shards[i].partition);
        if (status != STATUS_OK)
            snprintf(message, 256, "%s", node->shards[i].partition.message);
    }
    /* The log has everything; what is not at rest is replayed at the next start. */
    return status == STATUS_NOSPACE ? STATUS_OK : status;
}

void node_close(struct node *node)
{
    http_close(node->http_admin);
    http_close(node->http);
    scrub_close(node->scrub);
    for (int kind = 0; kind < READER_KINDS; kind++)
        follow_close(node->follow[kind]);
    for (uint16_t i = 0; i < node->count; i++)
        if (node->shards[i].node != NULL)
            shard_close(&node->shards[i]);
    if (node->stop_fd >= 0)
        close(node->stop_fd);
    vouch_close(node->vouch);
    tls_close(node->tls);
    orders_close(node->orders);
    epochs_close(node->epochs);
    free(node->shards);
    free(node->policy);
    free(node->policy_text);
    rulebook_close(node->rulebook);
    free(node);
}

/* --- reading keys again -------------------------------------------------------------------------
 */

enum status node_reload(struct node *node, char message[256])
{
    enum status status = node->tls == NULL ? STATUS_OK : tls_reload(node->tls, message);

    if (status == STATUS_OK && node->vouch != NULL)
        status = vouch_reload(node->vouch, message);
    return status;
}

/* --- facts ---------------------------------------------------------------------------------------
 */

static uint64_t resident_bytes(void)
{
    unsigned long long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu %llu", &pages, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void node_tell_sandbox(struct node *node, uint8_t parts)
{
    atomic_store(&node->sandbox, parts);
}

void node_facts(struct node *node, struct facts *facts)
{
    *facts = (struct facts){.store_filter_complete = true};
    snprintf(facts->version, sizeof facts->version, "%s", ZAN_VERSION);
    snprintf(facts->sync, sizeof facts->sync, "%s", node->config.sync);
    facts->started_s = (uint64_t)node->started_wall_us / 1000000;
    facts->uptime_s = (uint64_t)(clock_steady_us() - node->started_steady_us) / 1000000;
    facts->partitions = node->count;
    facts->sandbox = atomic_load(&node->sandbox);
    facts->resident_bytes = resident_bytes();
    for (uint16_t i = 0; i < node->count; i++)
        shard_facts(&node->shards[i], facts);
    scrub_facts(node->scrub, facts);
    for (int kind = 0; kind < READER_KINDS; kind++)
        follow_facts(node->follow[kind], facts);
}

/* --- rebuild -------------------------------------------------------------------------------------
 */

enum status node_rebuild(const struct config *config, const struct node_progress *progress,
                         struct node_report *report)
{
    struct node *node;
    char path[512];
    enum status status;

    *report = (struct node_report){0};
    path_join(path, sizeof path, config->data, "log.a");
    if (config->log_a[0] == '\0' && access(path, R_OK) != 0) {
        snprintf(report->message, sizeof report->message, "there is no log in %.180s",
                 config->data);
        return STATUS_BADDATA;
    }
    path_join(path, sizeof path, config->data, "store");
    tree_remove(path);
    status = node_open(config, progress, &node, report);
    if (status != STATUS_OK)
        return status;
    report->rebuilt = true;
    for (uint16_t i = 0; status == STATUS_OK && i < node->count; i++) {
        status = partition_flush_all(&node->shards[i].partition);
        if (status != STATUS_OK)
            memcpy(report->message, node->shards[i].partition.message, sizeof report->message);
    }
    node_close(node);
    return status;
}
