/* shard_facts.c: what a partition tells of itself.
 *
 * Its own thread gathers facts and publishes them as a whole, a few times a second; whoever asks,
 * on any thread, adds the published ones up. */
#include "node/shard.h"

#include <string.h>

#include "node/clock.h"
#include "node/inner.h"
#include "node/shard_inner.h"

#define FACTS_EVERY_US 50000

static void rule_facts(const struct policy *policy, const struct judge_tally *tally,
                       struct rule_facts *rules)
{
    static_assert(POLICY_RULES_MAX <= FACTS_RULES_MAX, "every rule has a place");
    static_assert(POLICY_NAME_MAX <= sizeof rules->name, "its name has, too");

    for (uint32_t i = 0; i < policy->rule_count; i++) {
        memcpy(rules[i].name, policy->rules[i].name, POLICY_NAME_MAX);
        rules[i].shadow = policy->rules[i].shadow;
        rules[i].fired = tally[i].fired;
        rules[i].refused = tally[i].refused;
        rules[i].held = tally[i].held;
        rules[i].cut = tally[i].cut;
    }
}

static void policy_facts(const struct judges *judges, struct facts *facts)
{
    const struct policy *policy = judges->policy, *shadow = judges->shadow.policy;

    if (policy != NULL) {
        memcpy(facts->policy, policy->name, sizeof facts->policy);
        memcpy(facts->policy_digest, judges->digest, sizeof facts->policy_digest);
        facts->policy_version = policy->version;
        facts->rule_count = policy->rule_count;
        rule_facts(policy, judges->tally, facts->rules);
    }
    if (shadow == NULL)
        return;
    memcpy(facts->shadow_policy, shadow->name, sizeof facts->shadow_policy);
    facts->shadow_version = shadow->version;
    facts->shadow_count = shadow->rule_count;
    facts->shadow_judged = judges->shadow.judged;
    facts->shadow_refused = judges->shadow.refused;
    facts->shadow_held = judges->shadow.held;
    facts->shadow_cut = judges->shadow.cut;
    rule_facts(shadow, judges->shadow.tally, facts->shadow_rules);
}

static void judge_facts(const struct partition *partition, struct facts *facts)
{
    const struct judges *judges = partition->engine.judges;

    if (judges == NULL)
        return;
    facts->judged = judges->judged;
    facts->judge_refused = judges->refused;
    facts->judge_devalued = judges->devalued;
    facts->judge_held = judges->held;
    facts->judge_quarantined = judges->quarantined;
    facts->judge_settled = judges->settled;
    facts->holds_waiting = judges->holds->count;
    facts->holds_early = judges->holds->early;
    facts->holds_missed = judges->holds->missed;
    facts->judge_failures = judges->failures;
    facts->signals_unsaved = partition->signals.unsaved;
    policy_facts(judges, facts);
}

static void publish_partition(struct shard *shard, struct facts *facts)
{
    struct partition *partition = &shard->partition;
    struct hot_stats hot;
    struct store_stats store;
    struct log_stats log;

    hot_stats(partition->hot, &hot);
    store_stats(partition->store, &store);
    log_stats(partition->log, &log);
    facts->turns = partition->turns;
    facts->accounts_hot = hot.accounts;
    facts->items_hot = hot.items;
    facts->edges_hot = hot.edges;
    facts->operations_hot = hot.operations;
    facts->edges_room = hot.edges_room;
    facts->cases_waiting = hot.cases_live;
    facts->cases_refused = partition->engine.cases_refused + hot.cases_unlisted;
    facts->sequence_decided = partition->engine.sequence;
    facts->sequence_durable = log_durable(partition->log);
    facts->sequence_at_rest = store_applied(partition->store);
    facts->log_batches = log.appended_batches;
    facts->log_bytes = log.appended_bytes;
    facts->log_segments = log.segments;
    facts->log_buffered_bytes = log.buffered_bytes;
    for (int copy = 0; copy < 2; copy++) {
        facts->log_syncs[copy] = log.syncs[copy];
        facts->log_sync_us_total[copy] = log.sync_us_total[copy];
        facts->log_sync_us_max[copy] = log.sync_us_max[copy];
    }
    facts->store_bytes = store.disk_bytes;
    facts->store_edges = store.edges_estimate;
    facts->store_flushes = store.flushes;
    facts->store_flush_us_total = store.flush_us_total;
    facts->store_rows = store.flush_rows;
    facts->store_filter_bytes = store.filter_bytes;
    facts->store_filter_checks = store.filter_checks;
    facts->store_filter_absent = store.filter_absent;
    facts->store_gets = store.gets;
    facts->store_filter_complete = store.filter_complete;
    judge_facts(partition, facts);
    facts->policy_unreadable = partition->engine.book->unreadable;
}

void shard_publish(struct shard *shard, int64_t steady_us)
{
    struct facts facts = {0};
    struct serve_stats serve;
    const struct engine *engine = &shard->partition.engine;

    if (steady_us - shard->facts_us < FACTS_EVERY_US)
        return;
    shard->facts_us = steady_us;
    publish_partition(shard, &facts);
    modes_look(shard, clock_wall_us(), steady_us, &facts);
    serve_stats(shard->serve, &serve);
    facts.connections_open = serve.connections_open;
    facts.connections_total = serve.connections_total;
    facts.connections_refused = serve.connections_refused;
    facts.bytes_in = serve.bytes_in;
    facts.bytes_out = serve.bytes_out;
    facts.logins = serve.logins;
    facts.tls_refused = serve.tls_refused;
    memcpy(facts.requests, engine->requests, sizeof facts.requests);
    for (unsigned verb = 0; verb < VERB_COUNT; verb++)
        if (verb_info(verb)->group == GROUP_SERVICE) /* the door answers them by itself */
            facts.requests[verb] = serve.requests[verb];
    /* The door counts what it answers, also what it refused by itself; with several partitions the
     * calls are its own. */
    for (int i = 0; i < STATUS_COUNT; i++)
        facts.answers[i] =
            serve.answered[i] + (shard->node->count == 1 ? shard->call_answers[i] : 0);
    memcpy(facts.latency, shard->latency, sizeof facts.latency);
    facts.audit = shard->audit.facts;
    facts.latency_sum_us = shard->latency_sum_us;
    facts.latency_count = shard->latency_count;
    pthread_mutex_lock(&shard->facts_mutex);
    shard->facts = facts;
    pthread_mutex_unlock(&shard->facts_mutex);
}

static void rules_add(const struct rule_facts *rules, uint32_t count, struct rule_facts *sum)
{
    for (uint32_t i = 0; i < count; i++) {
        sum[i].fired += rules[i].fired;
        sum[i].refused += rules[i].refused;
        sum[i].held += rules[i].held;
        sum[i].cut += rules[i].cut;
    }
}

/* Names are those of the first partition; one that has not switched yet is left out. */
static void rules_sum(const struct facts *one, struct facts *sum)
{
    if (sum->policy[0] == '\0' && one->policy[0] != '\0') {
        memcpy(sum->policy, one->policy, sizeof sum->policy);
        memcpy(sum->policy_digest, one->policy_digest, sizeof sum->policy_digest);
        sum->policy_version = one->policy_version;
        sum->rule_count = one->rule_count;
        memcpy(sum->rules, one->rules, sizeof sum->rules);
    } else if (sum->policy_version == one->policy_version) {
        rules_add(one->rules, one->rule_count, sum->rules);
    }
    sum->policy_unreadable += one->policy_unreadable;
    if (sum->shadow_policy[0] == '\0' && one->shadow_policy[0] != '\0') {
        memcpy(sum->shadow_policy, one->shadow_policy, sizeof sum->shadow_policy);
        sum->shadow_version = one->shadow_version;
        sum->shadow_count = one->shadow_count;
        memcpy(sum->shadow_rules, one->shadow_rules, sizeof sum->shadow_rules);
    } else if (sum->shadow_version == one->shadow_version) {
        rules_add(one->shadow_rules, one->shadow_count, sum->shadow_rules);
    } else {
        return;
    }
    sum->shadow_judged += one->shadow_judged;
    sum->shadow_refused += one->shadow_refused;
    sum->shadow_held += one->shadow_held;
    sum->shadow_cut += one->shadow_cut;
}

/* The gravest of all, and of each mode the partition that is in it for the longest time. */
static void sum_modes(struct facts *sum, const struct facts *one)
{
    if (one->mode > sum->mode)
        sum->mode = one->mode;
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        const struct mode_facts *now = &one->modes[mode];

        if (now->since_s != 0 &&
            (sum->modes[mode].since_s == 0 || now->since_s < sum->modes[mode].since_s))
            sum->modes[mode] = *now;
    }
    sum->mirror_allowed = sum->mirror_allowed || one->mirror_allowed;
    if (sum->mode != MODE_NORMAL)
        sum->modes[MODE_NORMAL].since_s = 0;
}

void shard_facts(struct shard *shard, struct facts *sum)
{
    struct facts one;

    pthread_mutex_lock(&shard->facts_mutex);
    one = shard->facts;
    pthread_mutex_unlock(&shard->facts_mutex);
#define SUM(field) sum->field += one.field
    SUM(connections_open), SUM(connections_total), SUM(connections_refused);
    SUM(logins), SUM(tls_refused);
    SUM(bytes_in), SUM(bytes_out), SUM(latency_sum_us), SUM(latency_count);
    SUM(turns), SUM(accounts_hot), SUM(items_hot), SUM(edges_hot), SUM(operations_hot);
    SUM(cases_waiting), SUM(cases_refused);
    SUM(edges_room), SUM(log_batches), SUM(log_bytes), SUM(log_segments), SUM(log_buffered_bytes);
    SUM(store_bytes), SUM(store_edges), SUM(store_flushes), SUM(store_flush_us_total);
    SUM(store_rows), SUM(store_filter_bytes), SUM(store_filter_checks), SUM(store_filter_absent);
    SUM(store_gets);
    SUM(audit.items), SUM(audit.accounts), SUM(audit.edges), SUM(audit.records);
    SUM(audit.retaken), SUM(audit.left_out), SUM(audit.unreadable), SUM(audit.rounds);
    SUM(audit.differences);
    SUM(judged), SUM(judge_refused), SUM(judge_devalued), SUM(judge_held), SUM(judge_quarantined);
    SUM(judge_settled), SUM(holds_waiting), SUM(holds_early), SUM(signals_unsaved);
    SUM(holds_missed), SUM(judge_failures);
    SUM(mirror_losses), SUM(mirror_resyncs), SUM(mirror_attempts);
    SUM(sequence_decided), SUM(sequence_durable), SUM(sequence_at_rest);
    for (int i = 0; i < VERB_COUNT; i++)
        SUM(requests[i]);
    for (int i = 0; i < STATUS_COUNT; i++)
        SUM(answers[i]);
    for (int i = 0; i < FACTS_LATENCY_BUCKETS; i++)
        SUM(latency[i]);
    rules_sum(&one, sum);
    for (int copy = 0; copy < 2; copy++) {
        SUM(log_syncs[copy]), SUM(log_sync_us_total[copy]);
        if (one.log_sync_us_max[copy] > sum->log_sync_us_max[copy])
            sum->log_sync_us_max[copy] = one.log_sync_us_max[copy];
    }
#undef SUM
    if (sum->audit.alarm[0] == '\0')
        memcpy(sum->audit.alarm, one.audit.alarm, sizeof sum->audit.alarm);
    if (one.audit.round_s > sum->audit.round_s)
        sum->audit.round_s = one.audit.round_s;
    sum->store_filter_complete = sum->store_filter_complete && one.store_filter_complete;
    sum_modes(sum, &one);
}
