/* INFO: the facts of the node as text, in Redis' sections, with one of our own.
 *
 * redis_version is there because clients choose by it what to send: it names the version whose
 * handshake and COMMAND DOCS are spoken here. zan_version is the truth. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "serve/service.h"

#define INFO_BYTES     65536
#define SPOKEN_VERSION "7.2.0"

struct info {
    char bytes[INFO_BYTES];
    size_t size;
    const struct serve *serve;
    struct facts facts;
};

__attribute__((format(printf, 2, 3))) static void put(struct info *info, const char *format, ...)
{
    va_list list;
    int size;

    va_start(list, format);
    size = vsnprintf(info->bytes + info->size, INFO_BYTES - info->size, format, list);
    va_end(list);
    assert(size >= 0 && (size_t)size < INFO_BYTES - info->size);
    info->size += (size_t)size;
}

static void put_number(struct info *info, const char *name, uint64_t value)
{
    put(info, "%s:%" PRIu64 "\r\n", name, value);
}

static void put_server(struct info *info)
{
    put(info, "redis_version:%s\r\n", SPOKEN_VERSION);
    put(info, "redis_mode:standalone\r\n");
    put(info, "zan_version:%s\r\n", info->facts.version);
    put(info, "arch_bits:%d\r\n", (int)(8 * sizeof(void *)));
    put_number(info, "process_id", (uint64_t)getpid());
    put_number(info, "tcp_port", info->serve->port);
    put_number(info, "uptime_in_seconds", info->facts.uptime_s);
    put_number(info, "uptime_in_days", info->facts.uptime_s / 86400);
}

static void put_clients(struct info *info)
{
    put_number(info, "connected_clients", info->facts.connections_open);
    put_number(info, "maxclients", info->serve->config.connections_max);
}

static void put_memory(struct info *info)
{
    put_number(info, "used_memory", info->facts.resident_bytes);
    put_number(info, "used_memory_rss", info->facts.resident_bytes);
    put_number(info, "connection_buffers", info->serve->pool.lent_bytes);
}

static void put_persistence(struct info *info)
{
    put_number(info, "loading", info->facts.mode == MODE_STARTING);
    put_number(info, "log_batches", info->facts.log_batches);
    put_number(info, "log_bytes", info->facts.log_bytes);
    put_number(info, "log_segments", info->facts.log_segments);
    put_number(info, "sequence_durable", info->facts.sequence_durable);
    put_number(info, "sequence_at_rest", info->facts.sequence_at_rest);
}

static void put_stats(struct info *info)
{
    uint64_t all = 0;

    for (int verb = 0; verb < VERB_COUNT; verb++)
        all += info->facts.requests[verb];
    put_number(info, "total_connections_received", info->facts.connections_total);
    put_number(info, "rejected_connections", info->facts.connections_refused);
    put_number(info, "total_commands_processed", all);
    put_number(info, "total_net_input_bytes", info->facts.bytes_in);
    put_number(info, "total_net_output_bytes", info->facts.bytes_out);
    put_number(info, "logins", info->facts.logins);
    put_number(info, "tls_refused", info->facts.tls_refused);
}

static void put_replication(struct info *info)
{
    put(info, "role:master\r\nconnected_slaves:0\r\n");
}

static void put_keyspace(struct info *info)
{
    (void)info; /* There are no keys: see the section Zan. */
}

/* "ITEM SET" as requests_item_set */
static void put_verb(struct info *info, enum verb verb)
{
    char name[64] = "requests_";
    size_t size = strlen(name);

    for (const char *at = verb_info(verb)->name; *at != '\0' && size < sizeof name - 1; at++)
        name[size++] = (char)(*at == ' ' ? '_' : *at | 0x20);
    put_number(info, name, info->facts.requests[verb]);
}

/* "mode_shed:1763820187 a flush takes long": every mode that holds, since when (seconds), why. */
static void put_modes(struct info *info)
{
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        const struct mode_facts *now = &info->facts.modes[mode];
        char name[40];

        if (now->since_s == 0)
            continue;
        snprintf(name, sizeof name, "mode_%s", mode_name((enum mode)mode));
        for (char *at = name; *at != '\0'; at++)
            *at = *at == '-' ? '_' : *at;
        put(info, "%s:%" PRIu64 " %s\r\n", name, now->since_s, now->reason);
    }
    put(info, "mirror:%s\r\n", info->facts.mirror_allowed ? "degrade" : "require");
    put_number(info, "mirror_losses", info->facts.mirror_losses);
    put_number(info, "mirror_resyncs", info->facts.mirror_resyncs);
}

static void put_zan(struct info *info)
{
    const struct facts *facts = &info->facts;

    put(info, "mode:%s\r\n", mode_name((enum mode)facts->mode));
    put(info, "sync:%s\r\n", facts->sync);
    put_number(info, "partitions", facts->partitions);
    put(info, "sandbox:%s\r\n",
        facts->sandbox == FACTS_SANDBOX_ALL ? "on"
        : facts->sandbox != 0               ? "partly"
                                            : "off");
    put_modes(info);
    put_number(info, "turns", facts->turns);
    put_number(info, "sequence_decided", facts->sequence_decided);
    put_number(info, "accounts_hot", facts->accounts_hot);
    put_number(info, "items_hot", facts->items_hot);
    put_number(info, "edges_hot", facts->edges_hot);
    put_number(info, "operations_hot", facts->operations_hot);
    put_number(info, "edges_room", facts->edges_room);
    put_number(info, "cases_waiting", facts->cases_waiting);
    put_number(info, "cases_refused", facts->cases_refused);
    put_number(info, "log_buffered_bytes", facts->log_buffered_bytes);
    put_number(info, "store_rows", facts->store_rows);
    put_number(info, "store_edges", facts->store_edges);
    put_number(info, "store_bytes", facts->store_bytes);
    put_number(info, "store_flushes", facts->store_flushes);
    put_number(info, "store_filter_bytes", facts->store_filter_bytes);
    put_number(info, "audit_items", facts->audit.items);
    put_number(info, "audit_records", facts->audit.records);
    put_number(info, "audit_rounds", facts->audit.rounds);
    put_number(info, "audit_differences", facts->audit.differences);
    put_number(info, "scrub_bytes", facts->scrub_bytes);
    put_number(info, "scrub_repaired", facts->scrub_repaired);
    put_number(info, "scrub_unrepaired", facts->scrub_unrepaired);
    put_number(info, "scrub_lost", facts->scrub_lost);
    if (facts->audit.alarm[0] != '\0')
        put(info, "alarm:%s\r\n", facts->audit.alarm);
    for (int verb = 0; verb < VERB_COUNT; verb++) {
        if (facts->requests[verb] > 0)
            put_verb(info, (enum verb)verb);
    }
    for (int status = 0; status < STATUS_COUNT; status++) {
        if (facts->answers[status] > 0)
            put(info, "answers_%s:%" PRIu64 "\r\n", status_info((enum status)status)->symbol,
                facts->answers[status]);
    }
}

/* Lines of each reader begin with its name: discover_lag_ms:0. */
static void put_figure(struct info *info, const struct reader_facts *reader, const char *figure,
                       uint64_t value)
{
    put(info, "%s_%s:%" PRIu64 "\r\n", reader->name, figure, value);
}

static void put_reader(struct info *info, const struct reader_facts *reader)
{
    put(info, "%s_state:%s\r\n", reader->name, reader->state);
    if (reader->reason[0] != '\0')
        put(info, "%s_reason:%s\r\n", reader->name, reader->reason);
    put_figure(info, reader, "lag_records", reader->lag_records);
    put_figure(info, reader, "lag_ms", reader->late_us / 1000);
    put_figure(info, reader, "records", reader->records);
    put_figure(info, reader, "rows", reader->rows);
    put_figure(info, reader, "rows_max", reader->rows_max);
    put_figure(info, reader, "bytes", reader->bytes);
    put_figure(info, reader, "bytes_max", reader->bytes_max);
    put_figure(info, reader, "formula", reader->formula);
    put_figure(info, reader, "model", reader->model);
    put_figure(info, reader, "models_taken", reader->models_taken);
    put_figure(info, reader, "models_refused", reader->models_refused);
    if (reader->model_message[0] != '\0')
        put(info, "%s_model_message:%s\r\n", reader->name, reader->model_message);
    put_figure(info, reader, "checkpoints", reader->checkpoints);
    put_figure(info, reader, "checkpoint_bytes", reader->checkpoint_bytes);
    put_figure(info, reader, "checkpoint_us", reader->checkpoint_us);
    put_figure(info, reader, "checkpoint_time", reader->checkpoint_s);
    put_figure(info, reader, "checkpoint_refused", reader->checkpoint_refused);
}

static void put_readers(struct info *info)
{
    const struct reader_facts *readers = info->facts.readers;
    const char *between = "";

    put(info, "readers:");
    for (uint32_t i = 0; i < FACTS_READERS_MAX; i++) {
        if (!readers[i].on)
            continue;
        put(info, "%s%s", between, readers[i].name);
        between = ",";
    }
    put(info, "%s\r\n", *between == '\0' ? "off" : "");
    for (uint32_t i = 0; i < FACTS_READERS_MAX; i++)
        if (readers[i].on)
            put_reader(info, &readers[i]);
}

/* As Redis tells of commands: cmdstat_get:calls=1,... */
static void put_rules(struct info *info, const char *kind, const struct rule_facts *rules,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct rule_facts *rule = &rules[i];

        put(info,
            "%s_%s:shadow=%s,fired=%" PRIu64 ",refused=%" PRIu64 ",held=%" PRIu64 ",cut=%" PRIu64
            "\r\n",
            kind, rule->name, rule->shadow ? "yes" : "no", rule->fired, rule->refused, rule->held,
            rule->cut);
    }
}

/* Proposed rules that run beside those in force. */
static void put_shadow(struct info *info)
{
    const struct facts *facts = &info->facts;

    if (facts->shadow_policy[0] == '\0')
        return;
    put(info, "shadow_policy:%s\r\n", facts->shadow_policy);
    put_number(info, "shadow_version", facts->shadow_version);
    put_number(info, "shadow_judged", facts->shadow_judged);
    put_number(info, "shadow_refused", facts->shadow_refused);
    put_number(info, "shadow_held", facts->shadow_held);
    put_number(info, "shadow_cut", facts->shadow_cut);
    put_rules(info, "shadow_rule", facts->shadow_rules, facts->shadow_count);
}

static void put_policy(struct info *info)
{
    const struct facts *facts = &info->facts;

    put(info, "policy:%s\r\n", facts->policy[0] != '\0' ? facts->policy : "none");
    put_number(info, "policy_unreadable", facts->policy_unreadable);
    put_shadow(info);
    if (facts->policy[0] == '\0')
        return;
    put_number(info, "policy_version", facts->policy_version);
    put(info, "policy_digest:");
    for (size_t i = 0; i < sizeof facts->policy_digest; i++)
        put(info, "%02x", facts->policy_digest[i]);
    put(info, "\r\n");
    put_rules(info, "rule", facts->rules, facts->rule_count);
}

static const struct section {
    const char *name;
    void (*put)(struct info *info);
} sections[] = {
    {"Server", put_server},           {"Clients", put_clients}, {"Memory", put_memory},
    {"Persistence", put_persistence}, {"Stats", put_stats},     {"Replication", put_replication},
    {"Keyspace", put_keyspace},       {"Zan", put_zan},         {"Policy", put_policy},
    {"Readers", put_readers},
};

static bool wanted(const struct service *service, const char *name)
{
    if (service->count == 1)
        return true;
    for (uint32_t i = 1; i < service->count; i++) {
        if (service_word(service, i, name) || service_word(service, i, "all") ||
            service_word(service, i, "everything") || service_word(service, i, "default"))
            return true;
    }
    return false;
}

void service_facts(const struct serve *serve, struct facts *facts)
{
    memset(facts, 0, sizeof *facts);
    memcpy(facts->version, ZAN_VERSION, sizeof ZAN_VERSION);
    if (serve->config.facts != NULL)
        serve->config.facts(serve->config.facts_context, facts);
}

void service_info(struct service *service)
{
    struct info info;

    info.size = 0;
    info.bytes[0] = '\0';
    info.serve = service->serve;
    service_facts(service->serve, &info.facts);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (!wanted(service, sections[i].name))
            continue;
        put(&info, "%s# %s\r\n", info.size > 0 ? "\r\n" : "", sections[i].name);
        sections[i].put(&info);
    }
    service_verbatim(service, info.bytes, info.size);
}
