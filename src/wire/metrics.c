/* Single numbers come from one table of offsets into struct facts; what has labels is written by
 * hand below. Microseconds leave as seconds with six decimals, made from integers: no float can
 * round a counter. */
#include "wire/metrics.h"

#include <stddef.h>
#include <string.h>

struct metric {
    const char *name;
    const char *type;
    const char *help;
    size_t at; /* of a uint64_t in struct facts, or in struct reader_facts */
    bool is_us;
};

#define COUNTER(name, field, help)                                                                 \
    {                                                                                              \
        "zan_" name, "counter", help, offsetof(struct facts, field), false                         \
    }
#define GAUGE(name, field, help)                                                                   \
    {                                                                                              \
        "zan_" name, "gauge", help, offsetof(struct facts, field), false                           \
    }
#define SECONDS(name, type, field, help)                                                           \
    {                                                                                              \
        "zan_" name, type, help, offsetof(struct facts, field), true                               \
    }

static const struct metric metrics[] = {
    GAUGE("start_time_seconds", started_s, "When the process started, seconds since the epoch."),
    GAUGE("uptime_seconds", uptime_s, "How long the process has been running."),
    GAUGE("resident_memory_bytes", resident_bytes, "Memory of the process that is in RAM."),
    GAUGE("connections_open", connections_open, "Connections that are open now."),
    COUNTER("connections_total", connections_total, "Connections accepted."),
    COUNTER("connections_refused_total", connections_refused, "Connections refused at a limit."),
    COUNTER("received_bytes_total", bytes_in, "Bytes read from clients."),
    COUNTER("sent_bytes_total", bytes_out, "Bytes written to clients."),
    COUNTER("logins_total", logins, "Keys, assertions and certificates that were good, RESP."),
    COUNTER("tls_refused_total", tls_refused, "TLS handshakes that failed, RESP."),
    COUNTER("turns_total", turns, "Turns of the partitions' loops."),
    GAUGE("accounts_hot", accounts_hot, "Accounts in memory."),
    GAUGE("items_hot", items_hot, "Items in memory."),
    GAUGE("edges_hot", edges_hot, "Edges in memory, not yet at rest."),
    GAUGE("edges_room", edges_room, "Edges that fit into memory before a flush must end."),
    GAUGE("cases_waiting", cases_waiting, "Cases that somebody, or the node, has to see to."),
    COUNTER("cases_refused_total", cases_refused,
            "ALARM above 0: cases that found no room; restrictions by rules hold without one."),
    GAUGE("operations_hot", operations_hot, "Operation ids in memory."),
    GAUGE("sequence_decided", sequence_decided, "Last sequence that was decided, partition 0."),
    GAUGE("sequence_durable", sequence_durable, "Last sequence that is durable, partition 0."),
    GAUGE("sequence_at_rest", sequence_at_rest, "Last sequence the store holds, partition 0."),
    COUNTER("log_batches_total", log_batches, "Batches appended to the log."),
    COUNTER("log_written_bytes_total", log_bytes, "Bytes appended to the log, one copy."),
    GAUGE("log_segments", log_segments, "Segments of the log."),
    GAUGE("log_buffered_bytes", log_buffered_bytes, "Bytes of the log waiting to be written."),
    COUNTER("audit_items_total", audit.items, "Items whose edges were counted anew."),
    COUNTER("audit_accounts_total", audit.accounts, "Accounts whose edges were counted anew."),
    COUNTER("audit_edges_total", audit.edges, "Edges that were counted anew."),
    COUNTER("audit_records_total", audit.records, "Edges whose record was read back."),
    COUNTER("audit_retaken_total", audit.retaken, "Lists that changed while they were counted."),
    COUNTER("audit_left_out_total", audit.left_out,
            "Lists given up, because they change too fast."),
    COUNTER("audit_unreadable_total", audit.unreadable, "Records that could not be read back."),
    COUNTER("audit_rounds_total", audit.rounds, "Rounds over all items, of all partitions."),
    GAUGE("audit_round_end_seconds", audit.round_s,
          "When the last round ended, seconds since the epoch; 0: none has."),
    COUNTER("audit_differences_total", audit.differences,
            "ALARM above 0: the state is not what its edges or the log say."),
    COUNTER("scrub_bytes_total", scrub_bytes, "Bytes of the log read again, both copies."),
    COUNTER("scrub_segments_total", scrub_segments, "Segments of the log read again."),
    COUNTER("scrub_rounds_total", scrub_rounds, "Rounds over all segments, of all partitions."),
    COUNTER("mirror_losses_total", mirror_losses, "A copy of the log was left out."),
    COUNTER("mirror_resyncs_total", mirror_resyncs, "A copy of the log came back whole."),
    COUNTER("scrub_repaired_total", scrub_repaired, "Damages in one copy of the log, mended."),
    COUNTER("scrub_unrepaired_total", scrub_unrepaired,
            "ALARM above 0: damage in one copy of the log that could not be mended."),
    COUNTER("scrub_lost_total", scrub_lost, "ALARM above 0: damage in both copies of the log."),
    GAUGE("store_size_bytes", store_bytes, "Bytes of the store on disk."),
    GAUGE("store_edges", store_edges, "Edges in the store."),
    GAUGE("store_rows", store_rows, "Rows in the store."),
    COUNTER("store_flushes_total", store_flushes, "Flushes from memory to the store."),
    SECONDS("store_flush_seconds_total", "counter", store_flush_us_total, "Time spent flushing."),
    GAUGE("store_filter_bytes", store_filter_bytes, "Memory of the filter in front of the store."),
    COUNTER("store_filter_checks_total", store_filter_checks, "Questions asked of the filter."),
    COUNTER("store_filter_absent_total", store_filter_absent,
            "Questions the filter answered with absent, so that no read was needed."),
    COUNTER("store_gets_total", store_gets, "Reads that went to the store."),
    COUNTER("judged_total", judged, "Likes, views and reports that were judged."),
    COUNTER("judge_refused_total", judge_refused, "Acts that a rule refused."),
    COUNTER("judge_devalued_total", judge_devalued, "Acts that do not count in full."),
    COUNTER("judge_held_total", judge_held, "Acts that were held to be scored again."),
    COUNTER("judge_quarantined_total", judge_quarantined, "Acts in an open quarantine window."),
    COUNTER("judge_settled_total", judge_settled, "Held likes that were scored again."),
    GAUGE("holds_waiting", holds_waiting, "Held likes that wait."),
    COUNTER("holds_early_total", holds_early,
            "Held likes that were settled early for want of room."),
    GAUGE("holds_missed", holds_missed,
          "Held likes that wait in no queue, at least; they are being found again."),
    COUNTER("scorer_lost_total", judge_failures,
            "Times that what the scorer remembers was lost or found damaged."),
    COUNTER("signals_unsaved_total", signals_unsaved,
            "Times that what the judges had seen could not be written."),
};

/* Of each reader: label reader; where in struct reader_facts. */
#define GAUGE_OF(name, field, help)                                                                \
    {                                                                                              \
        "zan_" name, "gauge", help, offsetof(struct reader_facts, field), false                    \
    }
#define COUNTER_OF(name, field, help)                                                              \
    {                                                                                              \
        "zan_" name, "counter", help, offsetof(struct reader_facts, field), false                  \
    }
#define SECONDS_OF(name, type, field, help)                                                        \
    {                                                                                              \
        "zan_" name, type, help, offsetof(struct reader_facts, field), true                        \
    }

static const struct metric reader_metrics[] = {
    GAUGE_OF("reader_stalled", stalled,
             "ALARM above 0: what follows the log has stopped; see INFO readers."),
    GAUGE_OF("reader_lag_records", lag_records, "Durable records it has not read yet."),
    SECONDS_OF("reader_lag_seconds", "gauge", late_us, "How old what it answers is at most."),
    COUNTER_OF("reader_records_total", records, "Records it has read."),
    GAUGE_OF("reader_model", model, "When its model was trained, seconds since 1970; 0: none."),
    COUNTER_OF("reader_models_taken_total", models_taken, "Models it has taken into use."),
    COUNTER_OF("reader_models_refused_total", models_refused,
               "Model files it has refused; INFO readers tells why."),
    GAUGE_OF("reader_rows", rows, "Rows in its tables."),
    GAUGE_OF("reader_rows_max", rows_max, "Rows for which they have room."),
    GAUGE_OF("reader_bytes", bytes, "Memory it uses."),
    COUNTER_OF("reader_checkpoints_total", checkpoints, "Checkpoints it has written."),
    SECONDS_OF("reader_checkpoint_seconds", "gauge", checkpoint_us,
               "How long the last of them took; nothing is read or answered meanwhile."),
};

static uint64_t value_at(const void *facts, size_t at)
{
    uint64_t value;

    memcpy(&value, (const char *)facts + at, sizeof value);
    return value;
}

static void put_head(struct text *text, const char *name, const char *type, const char *help)
{
    text_puts(text, "# HELP ");
    text_puts(text, name);
    text_puts(text, " ");
    text_puts(text, help);
    text_puts(text, "\n# TYPE ");
    text_puts(text, name);
    text_puts(text, " ");
    text_puts(text, type);
    text_puts(text, "\n");
}

static void put_seconds(struct text *text, uint64_t us)
{
    char digits[7] = ".000000";

    text_u64(text, us / 1000000);
    us %= 1000000;
    for (size_t i = 6; i > 0; i--, us /= 10)
        digits[i] = (char)('0' + us % 10);
    text_put(text, digits, sizeof digits);
}

/* A label's value with its quotes; the format has three escapes and no others. */
static void put_value(struct text *text, const char *value, size_t size)
{
    text_puts(text, "\"");
    for (size_t i = 0; i < size; i++) {
        if (value[i] == '\n')
            text_puts(text, "\\n");
        else if (value[i] == '"' || value[i] == '\\')
            text_put(text, (const char[2]){'\\', value[i]}, 2);
        else
            text_put(text, &value[i], 1);
    }
    text_puts(text, "\"");
}

/* name{label="value"} */
static void put_labelled(struct text *text, const char *name, const char *label, const char *value)
{
    text_puts(text, name);
    text_puts(text, "{");
    text_puts(text, label);
    text_puts(text, "=");
    put_value(text, value, strlen(value));
    text_puts(text, "} ");
}

static void put_number(struct text *text, const struct metric *metric, const void *facts)
{
    if (metric->is_us)
        put_seconds(text, value_at(facts, metric->at));
    else
        text_u64(text, value_at(facts, metric->at));
    text_puts(text, "\n");
}

static void put_metric(struct text *text, const struct metric *metric, const struct facts *facts)
{
    put_head(text, metric->name, metric->type, metric->help);
    text_puts(text, metric->name);
    text_puts(text, " ");
    put_number(text, metric, facts);
}

static void put_readers(struct text *text, const struct facts *facts)
{
    for (size_t i = 0; i < sizeof reader_metrics / sizeof reader_metrics[0]; i++) {
        const struct metric *metric = &reader_metrics[i];

        put_head(text, metric->name, metric->type, metric->help);
        for (uint32_t at = 0; at < FACTS_READERS_MAX; at++) {
            if (!facts->readers[at].on)
                continue;
            put_labelled(text, metric->name, "reader", facts->readers[at].name);
            put_number(text, metric, &facts->readers[at]);
        }
    }
}

/* Several may hold at one time; zan_mode tells the gravest. */
static void put_modes(struct text *text, const struct facts *facts)
{
    put_head(text, "zan_mode_since_seconds", "gauge",
             "Since when the node is in a mode, with the reason; each that holds.");
    for (unsigned mode = 0; mode < MODE_COUNT; mode++) {
        const struct mode_facts *now = &facts->modes[mode];

        if (now->since_s == 0)
            continue;
        text_puts(text, "zan_mode_since_seconds{mode=");
        put_value(text, mode_name((enum mode)mode), strlen(mode_name((enum mode)mode)));
        text_puts(text, ",reason=");
        put_value(text, now->reason, strnlen(now->reason, sizeof now->reason));
        text_puts(text, "} ");
        text_u64(text, now->since_s);
        text_puts(text, "\n");
    }
}

static void put_info(struct text *text, const struct facts *facts)
{
    put_head(text, "zan_build_info", "gauge", "Always 1; the labels tell version and sync.");
    text_puts(text, "zan_build_info{version=");
    put_value(text, facts->version, strnlen(facts->version, sizeof facts->version));
    text_puts(text, ",sync=");
    put_value(text, facts->sync, strnlen(facts->sync, sizeof facts->sync));
    text_puts(text, "} 1\n");
    put_head(text, "zan_partitions", "gauge", "Partitions of this node.");
    text_puts(text, "zan_partitions ");
    text_u64(text, facts->partitions);
    text_puts(text, "\n");
    put_head(text, "zan_mode", "gauge", "1 for the mode the node is in, 0 for the others.");
    for (unsigned mode = 0; mode < MODE_COUNT; mode++) {
        put_labelled(text, "zan_mode", "mode", mode_name((enum mode)mode));
        text_puts(text, facts->mode == mode ? "1\n" : "0\n");
    }
    put_modes(text, facts);
    put_head(text, "zan_store_filter_complete", "gauge",
             "1 if the filter knows every edge of the store.");
    text_puts(text, "zan_store_filter_complete ");
    text_puts(text, facts->store_filter_complete ? "1\n" : "0\n");
}

static void put_sandbox(struct text *text, const struct facts *facts)
{
    static const char *const parts[] = {"privileges", "files", "calls"};

    put_head(text, "zan_sandbox", "gauge", "1 if the process has given this up (setting sandbox).");
    for (unsigned i = 0; i < 3; i++) {
        put_labelled(text, "zan_sandbox", "part", parts[i]);
        text_puts(text, (facts->sandbox >> i & 1) != 0 ? "1\n" : "0\n");
    }
}

static void put_requests(struct text *text, const struct facts *facts)
{
    put_head(text, "zan_requests_total", "counter", "Requests, by verb.");
    for (unsigned verb = 0; verb < VERB_COUNT; verb++) {
        put_labelled(text, "zan_requests_total", "verb", verb_table[verb].name);
        text_u64(text, facts->requests[verb]);
        text_puts(text, "\n");
    }
    put_head(text, "zan_answers_total", "counter", "Answers, by code.");
    for (unsigned status = 0; status < STATUS_COUNT; status++) {
        put_labelled(text, "zan_answers_total", "code", status_info((enum status)status)->code);
        text_u64(text, facts->answers[status]);
        text_puts(text, "\n");
    }
}

/* The numbers are read while others write them: what does not add up for a moment (count below
 * the sum of the buckets) is made to. */
static void put_latency(struct text *text, const struct facts *facts)
{
    static const char name[] = "zan_request_duration_seconds";
    uint64_t sum = 0, count;

    put_head(text, name, "histogram", "From reading a request to releasing its answer.");
    for (unsigned i = 0; i < FACTS_LATENCY_BUCKETS; i++) {
        sum += facts->latency[i];
        text_puts(text, name);
        text_puts(text, "_bucket{le=\"");
        put_seconds(text, 1ULL << i);
        text_puts(text, "\"} ");
        text_u64(text, sum);
        text_puts(text, "\n");
    }
    count = facts->latency_count > sum ? facts->latency_count : sum;
    put_labelled(text, "zan_request_duration_seconds_bucket", "le", "+Inf");
    text_u64(text, count);
    text_puts(text, "\nzan_request_duration_seconds_sum ");
    put_seconds(text, facts->latency_sum_us);
    text_puts(text, "\nzan_request_duration_seconds_count ");
    text_u64(text, count);
    text_puts(text, "\n");
}

static void put_copies(struct text *text, const struct facts *facts)
{
    static const char *const copies[2] = {"a", "b"};

    put_head(text, "zan_log_syncs_total", "counter", "Syncs of the log, by copy.");
    for (unsigned i = 0; i < 2; i++) {
        put_labelled(text, "zan_log_syncs_total", "copy", copies[i]);
        text_u64(text, facts->log_syncs[i]);
        text_puts(text, "\n");
    }
    put_head(text, "zan_log_sync_seconds_total", "counter", "Time spent in syncs, by copy.");
    for (unsigned i = 0; i < 2; i++) {
        put_labelled(text, "zan_log_sync_seconds_total", "copy", copies[i]);
        put_seconds(text, facts->log_sync_us_total[i]);
        text_puts(text, "\n");
    }
    put_head(text, "zan_log_sync_max_seconds", "gauge", "The longest sync so far, by copy.");
    for (unsigned i = 0; i < 2; i++) {
        put_labelled(text, "zan_log_sync_max_seconds", "copy", copies[i]);
        put_seconds(text, facts->log_sync_us_max[i]);
        text_puts(text, "\n");
    }
}

/* name{rule="...",shadow="yes"} */
static void put_rule(struct text *text, const char *name, const struct rule_facts *rule,
                     uint64_t value)
{
    text_puts(text, name);
    text_puts(text, "{rule=");
    put_value(text, rule->name, strnlen(rule->name, sizeof rule->name));
    text_puts(text, rule->shadow ? ",shadow=\"yes\"} " : ",shadow=\"no\"} ");
    text_u64(text, value);
    text_puts(text, "\n");
}

static void put_rules(struct text *text, const struct facts *facts)
{
    static const struct {
        const char *name, *help;
        size_t at;
    } counters[] = {
        {"zan_policy_rule_fired_total", "Acts that met a rule; a shadow rule only counts.",
         offsetof(struct rule_facts, fired)},
        {"zan_policy_rule_refused_total", "Acts that a rule refused, or in shadow would have.",
         offsetof(struct rule_facts, refused)},
        {"zan_policy_rule_held_total", "Acts that a rule held, or in shadow would have.",
         offsetof(struct rule_facts, held)},
        {"zan_policy_rule_cut_total", "Acts that a rule made count less, or in shadow would have.",
         offsetof(struct rule_facts, cut)},
    };
    uint64_t value;

    for (size_t c = 0; c < sizeof counters / sizeof *counters && facts->rule_count > 0; c++) {
        put_head(text, counters[c].name, "counter", counters[c].help);
        for (uint32_t i = 0; i < facts->rule_count; i++) {
            memcpy(&value, (const char *)&facts->rules[i] + counters[c].at, sizeof value);
            put_rule(text, counters[c].name, &facts->rules[i], value);
        }
    }
}

void metrics_write(struct text *text, const struct facts *facts)
{
    put_info(text, facts);
    put_sandbox(text, facts);
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        put_metric(text, &metrics[i], facts);
    put_readers(text, facts);
    put_requests(text, facts);
    put_latency(text, facts);
    put_copies(text, facts);
    put_rules(text, facts);
}

static void put_one(struct text *text, const char *name, const char *type, const char *help,
                    uint64_t value)
{
    put_head(text, name, type, help);
    text_puts(text, name);
    text_puts(text, " ");
    text_u64(text, value);
    text_puts(text, "\n");
}

/* The codes that say who is calling or what he may. */
static bool is_denial(const struct status_info *info)
{
    return info->http == 401 || (info->http == 403 && strcmp(info->code, "NOPERM") == 0);
}

static void put_denied(struct text *text, const struct metrics_http *http)
{
    put_head(text, "zan_http_denied_total", "counter",
             "HTTP requests of callers who proved too little, by code.");
    for (unsigned status = 0; status < STATUS_COUNT; status++) {
        if (!is_denial(status_info((enum status)status)))
            continue;
        put_labelled(text, "zan_http_denied_total", "code", status_info((enum status)status)->code);
        text_u64(text, http->denied[status]);
        text_puts(text, "\n");
    }
}

void metrics_http_write(struct text *text, const struct metrics_http *http)
{
    char label[4] = "0xx";

    put_one(text, "zan_http_connections_open", "gauge", "HTTP connections that are open now.",
            http->connections_open);
    put_one(text, "zan_http_connections_total", "counter", "HTTP connections accepted.",
            http->connections_total);
    put_one(text, "zan_http_connections_cut_total", "counter",
            "HTTP connections cut because a deadline passed.", http->cut_total);
    put_one(text, "zan_http_streams_open", "gauge", "Streams of live totals that are open now.",
            http->streams_open);
    put_one(text, "zan_http_tls_refused_total", "counter", "TLS handshakes that failed, HTTP.",
            http->tls_refused);
    put_denied(text, http);
    put_head(text, "zan_http_answers_total", "counter", "HTTP answers, by class of status.");
    for (unsigned class = 2; class < 6; class ++) {
        label[0] = (char)('0' + class);
        put_labelled(text, "zan_http_answers_total", "class", label);
        text_u64(text, http->answers[class]);
        text_puts(text, "\n");
    }
}
