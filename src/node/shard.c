/* shard.c: the loop of one partition.
 *
 *   wait -> mail -> effects of others -> calls -> requests of the door -> flush -> release answers
 *
 * With one partition the door's requests go straight into the engine. With several, every request
 * becomes a call to the partition it belongs to (route.c), and a batch of the door is answered when
 * the last of its calls is. */
#include "node/shard.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/hook.h"
#include "node/clock.h"
#include "node/inner.h"

#define EFFECTS_AT_ONCE 1024
#define FACTS_EVERY_US  50000
#define GOODBYE_US      3000000 /* a clean stop waits so long for callers to take their answers */
#define STORAGE_BYTES   (16u << 20) /* replies of one door turn, several partitions only */

/* --- mail ----------------------------------------------------------------------------------------
 */

void shard_wake(struct shard *shard)
{
    uint64_t one = 1;

    /* The write is saved while the loop is awake: it looks here before it sleeps again. */
    atomic_store(&shard->signalled, true);
    if (atomic_exchange(&shard->asleep, false))
        while (write(shard->wake_fd, &one, sizeof one) < 0)
            continue;
}

void shard_mail_call(struct shard *shard, struct call *call)
{
    call->next = atomic_load(&shard->calls);
    while (!atomic_compare_exchange_weak(&shard->calls, &call->next, call))
        continue;
    shard_wake(shard);
}

void shard_mail_effect(struct shard *shard, struct effect_mail *mail)
{
    mail->next = atomic_load(&shard->effects);
    while (!atomic_compare_exchange_weak(&shard->effects, &mail->next, mail))
        continue;
    shard_wake(shard);
}

/* Empties the mail into the waiting lists, oldest first. */
static void take_mail(struct shard *shard)
{
    struct call *call = atomic_exchange(&shard->calls, NULL), *calls = NULL;
    struct effect_mail *mail = atomic_exchange(&shard->effects, NULL), *mails = NULL;

    while (call != NULL) {
        struct call *next = call->next;

        call->next = calls;
        calls = call;
        call = next;
    }
    for (; calls != NULL; calls = calls->next) {
        *shard->calls_tail = calls;
        shard->calls_tail = &calls->next;
    }
    while (mail != NULL) {
        struct effect_mail *next = mail->next;

        mail->next = mails;
        mails = mail;
        mail = next;
    }
    for (; mails != NULL; mails = mails->next) {
        *shard->effects_tail = mails;
        shard->effects_tail = &mails->next;
    }
}

/* --- entries -------------------------------------------------------------------------------------
 */

static struct entry *entry_take(struct shard *shard, uint64_t need)
{
    struct entry *entry = shard->free_entries;

    assert(entry != NULL); /* the caller looked */
    shard->free_entries = entry->next;
    *entry = (struct entry){.first = shard->partition.engine.first_sequence, .need = need};
    *shard->entries_tail = entry;
    shard->entries_tail = &entry->next;
    return entry;
}

/* Effects the partition has just made, on account of entry. They leave once their cause is durable
 * (release): one that was durable where it went, while a crash took its cause, would stay for ever,
 * and its number would be given again to another one, which the receiver would then drop. */
static void send_effects(struct shard *shard, struct entry *entry)
{
    struct engine *engine = &shard->partition.engine;
    struct effect_mail **tail = &entry->unsent;

    while (*tail != NULL)
        tail = &(*tail)->next;
    for (uint32_t i = 0; i < engine->effect_count; i++) {
        const struct effect *effect = &engine->effects[i];
        struct effect_mail *mail = malloc(sizeof *mail);

        if (mail == NULL)
            abort(); /* the record is in the log: start again from there */
        *mail = (struct effect_mail){
            .record = effect->record, .from = shard, .entry = entry, .to = effect->to};
        atomic_fetch_add(&entry->open, 1);
        atomic_fetch_add(&shard->node->outstanding, 1);
        *tail = mail;
        tail = &mail->next;
    }
    engine->effect_count = 0;
}

static void mail_unsent(struct shard *shard, struct entry *entry)
{
    for (struct effect_mail *mail = entry->unsent, *next; mail != NULL; mail = next) {
        next = mail->next;
        shard_mail_effect(&shard->node->shards[mail->to], mail);
    }
    entry->unsent = NULL;
}

static void count_latency(struct shard *shard, const struct entry *entry, int64_t now_us)
{
    uint64_t us = now_us > entry->taken_us ? (uint64_t)(now_us - entry->taken_us) : 0;
    int bucket = us <= 1 ? 0 : 64 - __builtin_clzll(us - 1);

    if (bucket >= FACTS_LATENCY_BUCKETS)
        bucket = FACTS_LATENCY_BUCKETS - 1;
    shard->latency[bucket] += entry->answers;
    shard->latency_sum_us += us * entry->answers;
    shard->latency_count += entry->answers;
}

static void entry_tell(struct shard *shard, struct entry *entry)
{
    struct node *node = shard->node;

    for (struct call *call = entry->calls, *next; call != NULL; call = next) {
        next = call->next;
        call->done(call);
        atomic_fetch_sub(&node->outstanding, 1);
    }
    for (struct effect_mail *mail = entry->mails, *next; mail != NULL; mail = next) {
        struct shard *from = mail->from;

        next = mail->next;
        atomic_fetch_sub(&mail->entry->open, 1);
        shard_wake(from);
        free(mail);
        atomic_fetch_sub(&node->outstanding, 1);
    }
}

/* Lets go what is durable. With one partition entries end in order; with several, one that waits
 * for other partitions must not hold up one that they wait for. */
static void release(struct shard *shard)
{
    uint64_t durable = log_durable(shard->partition.log);
    uint64_t turn = 0, hold = UINT64_MAX;
    int64_t now_us = 0;
    struct entry **link = &shard->entries;

    if (PLANTED("node.answer_before_durable"))
        durable = UINT64_MAX;
    if (atomic_load(&shard->replayed.open) > 0)
        hold = shard->replayed.first - 1;
    while (*link != NULL && (*link)->need <= durable) {
        struct entry *entry = *link;

        mail_unsent(shard, entry);
        if (atomic_load(&entry->open) > 0) {
            if (entry->first - 1 < hold)
                hold = entry->first - 1;
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        if (*link == NULL)
            shard->entries_tail = link;
        if (entry->answers > 0) {
            if (now_us == 0)
                now_us = clock_steady_us();
            count_latency(shard, entry, now_us);
        }
        if (entry->turn > turn)
            turn = entry->turn;
        entry_tell(shard, entry);
        entry->next = shard->free_entries;
        shard->free_entries = entry;
    }
    shard->partition.flush_hold = hold;
    if (turn > 0)
        serve_release(shard->serve, turn);
}

/* --- effects and calls ---------------------------------------------------------------------------
 */

static void do_effects(struct shard *shard, int64_t now_us)
{
    while (shard->effects_waiting != NULL && shard->free_entries != NULL) {
        const struct record *records[EFFECTS_AT_ONCE];
        struct effect_mail *mail = shard->effects_waiting, *last = NULL;
        struct entry *entry;
        uint32_t count = 0, taken;
        uint64_t need;

        for (; mail != NULL && count < EFFECTS_AT_ONCE; mail = mail->next)
            records[count++] = &mail->record;
        taken = partition_take(&shard->partition, records, count, now_us, &need);
        if (taken == 0)
            return;
        entry = entry_take(shard, need);
        entry->mails = shard->effects_waiting;
        mail = shard->effects_waiting;
        for (uint32_t i = 0; i < taken; i++) {
            last = mail;
            mail = mail->next;
        }
        last->next = NULL;
        shard->effects_waiting = mail;
        if (mail == NULL)
            shard->effects_tail = &shard->effects_waiting;
        send_effects(shard, entry);
    }
}

/* Held likes whose time has come; nobody waits for an answer. */
static void do_settle(struct shard *shard, int64_t now_us)
{
    uint64_t need;

    shard->more_due = partition_has_due(&shard->partition, now_us);
    if (shard->more_due && shard->free_entries != NULL &&
        partition_settle(&shard->partition, now_us, &need) > 0)
        send_effects(shard, entry_take(shard, need));
}

/* Fills the mailed batch from the waiting calls. */
static uint32_t gather_calls(struct shard *shard)
{
    struct call *call = shard->calls_waiting;
    uint32_t count = 0;

    for (; call != NULL && count < BATCH_MAX; call = call->next) {
        shard->mailed.requests[count] = call->request;
        shard->mailed_calls[count++] = call;
    }
    shard->mailed.count = count;
    return count;
}

static void do_calls(struct shard *shard, int64_t now_us, int64_t steady_us)
{
    while (shard->calls_waiting != NULL && shard->free_entries != NULL) {
        uint32_t count = gather_calls(shard), done;
        struct entry *entry;
        struct call **tail;
        uint64_t need;

        done = partition_turn(&shard->partition, &shard->mailed, 0, now_us, &need);
        if (done == 0) {
            /* The first one may be a clean-up that goes on in the next round. */
            if (shard->partition.engine.effect_count > 0)
                send_effects(shard, entry_take(shard, need));
            return;
        }
        assert(done <= count);
        entry = entry_take(shard, need);
        entry->answers = done;
        entry->taken_us = steady_us;
        tail = &entry->calls;
        shard->calls_waiting = shard->mailed_calls[done - 1]->next;
        if (shard->calls_waiting == NULL)
            shard->calls_tail = &shard->calls_waiting;
        for (uint32_t i = 0; i < done; i++) {
            call_answer(shard->mailed_calls[i], &shard->mailed.replies[i]);
            shard->call_answers[shard->mailed.replies[i].status]++;
            *tail = shard->mailed_calls[i];
            tail = &shard->mailed_calls[i]->next;
        }
        *tail = NULL;
        send_effects(shard, entry);
    }
}

/* Before anybody is answered: a setting that was changed is in force from here on. */
static void do_setting(struct shard *shard, int64_t now_us)
{
    uint64_t need;

    if (!shard->setting_open || shard->free_entries == NULL)
        return;
    if (partition_setting(&shard->partition, now_us, &need, &shard->setting_open))
        send_effects(shard, entry_take(shard, need));
}

/* What cases ask for: nobody waits for it, but its effects are accounted for like any other's. */
static void do_cases(struct shard *shard, int64_t now_us, int64_t steady_us)
{
    uint64_t need;

    if (shard->free_entries == NULL || atomic_load(&shard->node->stopping) ||
        !partition_cases(&shard->partition, now_us, steady_us, &need))
        return;
    send_effects(shard, entry_take(shard, need));
}

/* --- the door, one partition ---------------------------------------------------------------------
 */

static struct batch view_of(const struct batch *batch, uint32_t from, uint32_t to)
{
    return (struct batch){
        .count = to - from,
        .requests = batch->requests + from,
        .replies = batch->replies + from,
        .origins = batch->origins + from,
    };
}

static void door_refill(struct shard *shard, int64_t now_us, int64_t steady_us)
{
    if (shard->door_from < shard->door.count)
        return; /* the last batch is not through yet */
    shard->door.count = 0;
    shard->door_from = 0;
    if (atomic_load(&shard->node->stopping))
        return; /* what was not taken was not begun; its connection is closed */
    arena_reset(&shard->door.arena);
    serve_take(shard->serve, &shard->door, now_us);
    shard->door_taken_us = steady_us;
}

/* --clock requests: days may pass within one batch. What is due is settled before the next time,
 * not at the end of the batch, when the scorer has forgotten the hour it was about; and so that the
 * same requests end the same however they came in. False: not all could be. */
static bool settled_so_far(struct shard *shard, int64_t now_us)
{
    uint64_t need;

    if (!shard->partition.config.clock_requests)
        return true;
    while (partition_has_due(&shard->partition, now_us)) {
        if (shard->free_entries == NULL || partition_settle(&shard->partition, now_us, &need) == 0)
            return false;
        send_effects(shard, entry_take(shard, need));
    }
    return shard->free_entries != NULL;
}

static void do_door(struct shard *shard, int64_t now_us, int64_t steady_us)
{
    door_refill(shard, now_us, steady_us);
    while (shard->door_from < shard->door.count && shard->free_entries != NULL &&
           settled_so_far(shard, now_us)) {
        uint64_t need;
        uint32_t from = shard->door_from;
        uint32_t to = partition_turn(&shard->partition, &shard->door, from, now_us, &need);
        struct batch view;
        struct entry *entry;

        if (to == from)
            return;
        view = view_of(&shard->door, from, to);
        entry = entry_take(shard, need);
        entry->turn = ++shard->turn;
        entry->answers = to - from;
        entry->taken_us = shard->door_taken_us;
        serve_reply(shard->serve, &view, entry->turn);
        shard->door_from = to;
    }
}

/* --- the door, several partitions ----------------------------------------------------------------
 */

static void door_call_done(struct call *call)
{
    struct shard *shard = call->owner;

    if (atomic_fetch_sub(&shard->door_turn.open, 1) == 1)
        shard_wake(shard);
}

static size_t storage_for(const struct request *request)
{
    const struct verb_info *info = verb_info(request->verb);

    switch (info->shape) {
    case SHAPE_STATES:
    case SHAPE_TOTALS:
        return request->count * sizeof(uint64_t) + 64;
    case SHAPE_TAKEN:
    case SHAPE_GIVEN:
    case SHAPE_ACTIVITY:
    case SHAPE_CLEANUP_PREVIEW:
        return request->count * sizeof(struct reply_entry) + 64;
    case SHAPE_EXPORT:
        return request->count * sizeof(struct edge_row) + sizeof(struct account_row) +
               sizeof(struct case_row) + 128;
    case SHAPE_ACCOUNT_GET:
        return sizeof(struct account_row) + sizeof(struct case_row) + 64;
    case SHAPE_CASE_LIST:
    case SHAPE_CASE_OF:
        return REQUEST_CASES_MAX * sizeof(struct case_brief) + 64;
    case SHAPE_NOTICES:
        return NOTICES_MAX * sizeof(struct notice_view) + 64;
    case SHAPE_SHIELD:
        return REQUEST_SHIELD_MAX * sizeof(struct case_row) + sizeof(struct item_row) + 64;
    case SHAPE_CASE_OPEN:
    case SHAPE_CASE_STEP:
    case SHAPE_CASE_GET:
        return sizeof(struct case_row) + 64;
    case SHAPE_POLICY_PROPOSE:
    case SHAPE_POLICY_STEP:
    case SHAPE_POLICY_GET:
    case SHAPE_POLICY_LIST:
        return CALL_STORAGE_BYTES;
    default:
        return sizeof(struct item_row) + sizeof(struct account_row) +
               ENGINE_PARTITIONS_MAX * sizeof(uint64_t) + 64;
    }
}

/* Requests of one connection that are under way at the same time may overtake each other on
 * different partitions. So they go together only if nobody could tell: interactions (they commute:
 * each has its account's order, counts are sums), or reads, or all to one partition, which keeps
 * their order. */
struct wave {
    uint32_t connection; /* + 1; 0: free */
    uint16_t home;       /* HOME_SEVERAL: not all to one */
    bool interactions, reads;
};
#define WAVE_SLOTS   4096
#define HOME_SEVERAL 0xFFFF

static bool wave_join(struct wave *waves, const struct origin *origin,
                      const struct request *request, uint16_t home)
{
    const struct verb_info *info = verb_info(request->verb);
    struct wave *wave = &waves[origin->connection % WAVE_SLOTS];
    bool read = info->group == GROUP_READ;
    bool interaction = (info->shape == SHAPE_SET || info->shape == SHAPE_EVENT ||
                        info->shape == SHAPE_VIEW || info->shape == SHAPE_ACT) &&
                       !(request->flags & REQUEST_RETURN);

    /* What a creator received comes by way of the items' partitions: also from an account of its
     * own. */
    if (info->shape == SHAPE_RECEIVED || info->shape == SHAPE_ACCOUNT_GET ||
        info->shape == SHAPE_EXPORT)
        home = HOME_SEVERAL;
    if (wave->connection == 0) {
        *wave = (struct wave){origin->connection + 1, home, interaction, read};
        return true;
    }
    if (wave->connection != origin->connection + 1)
        return false;
    wave->interactions = wave->interactions && interaction;
    wave->reads = wave->reads && read;
    if (wave->home != home)
        wave->home = HOME_SEVERAL;
    return wave->interactions || wave->reads || wave->home != HOME_SEVERAL;
}

/* Sends requests from .. of the door's batch on their way, as many as may go together and as there
 * is storage for. */
static void door_send(struct shard *shard, int64_t steady_us)
{
    struct door_turn *turn = &shard->door_turn;
    struct wave waves[WAVE_SLOTS] = {0};
    uint32_t to = turn->from;

    arena_reset(&turn->storage);
    turn->taken_us = steady_us;
    atomic_store(&turn->open, 1); /* so that it cannot reach 0 before all are sent */
    for (; to < shard->door.count; to++) {
        struct request *request = &shard->door.requests[to];
        struct call *call = &turn->calls[to];
        size_t size;

        if (request->verb >= VERB_COUNT)
            continue;
        if (!wave_join(waves, &shard->door.origins[to], request, route_home(shard->node, request)))
            break;
        size = storage_for(request);
        *call = (struct call){
            .request = *request,
            .done = door_call_done,
            .owner = shard,
            .storage = arena_take(&turn->storage, size),
            .storage_size = size,
        };
        if (call->storage == NULL)
            break;
        atomic_fetch_add(&turn->open, 1);
        route_submit(shard->node, call);
    }
    turn->to = to;
    turn->under_way = true;
    atomic_fetch_sub(&turn->open, 1);
}

static void door_answer(struct shard *shard)
{
    struct door_turn *turn = &shard->door_turn;
    struct batch view = view_of(&shard->door, turn->from, turn->to);
    struct entry entry = {.answers = view.count, .taken_us = turn->taken_us};

    for (uint32_t i = turn->from; i < turn->to; i++)
        if (shard->door.requests[i].verb < VERB_COUNT)
            shard->door.replies[i] = turn->calls[i].reply;
    serve_reply(shard->serve, &view, ++shard->turn);
    serve_release(shard->serve, shard->turn);
    count_latency(shard, &entry, clock_steady_us());
    turn->from = turn->to;
    turn->under_way = false;
}

static void do_door_calls(struct shard *shard, int64_t now_us, int64_t steady_us)
{
    struct door_turn *turn = &shard->door_turn;

    if (turn->under_way) {
        if (atomic_load(&turn->open) > 0)
            return;
        door_answer(shard);
    }
    if (turn->from == shard->door.count) {
        shard->door_from = shard->door.count;
        door_refill(shard, now_us, steady_us);
        turn->from = 0;
    }
    if (turn->from < shard->door.count)
        door_send(shard, steady_us);
}

/* --- facts ---------------------------------------------------------------------------------------
 */

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

/* Between two turns: a look at what is there already. */
static void look_after(struct shard *shard, int64_t steady_us)
{
    /* One is enough: what went wrong there may have gone wrong everywhere, and a like may touch
     * several. */
    if (shard->audit.facts.differences > 0)
        atomic_store(&shard->node->distrusted, true);
    if (atomic_load(&shard->node->distrusted))
        partition_distrust(&shard->partition);
    /* With a damaged log the store may be all there is: it is kept. */
    shard->partition.readonly = shard->partition.distrusted ||
                                atomic_load(&shard->node->log_lost) ||
                                atomic_load(&shard->node->ordered_readonly);
    audit_turn(&shard->audit, steady_us);
}

static void publish(struct shard *shard, int64_t steady_us)
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

/* --- the loop ------------------------------------------------------------------------------------
 */

static bool has_work(struct shard *shard)
{
    return shard->calls_waiting != NULL || shard->effects_waiting != NULL || shard->more_due ||
           (!shard->door_turn.under_way && shard->door_from < shard->door.count) ||
           (shard->door_turn.under_way && atomic_load(&shard->door_turn.open) == 0) ||
           (!shard->door_turn.under_way && serve_has_input(shard->serve));
}

static int sleep_ms(struct shard *shard)
{
    int limit = partition_sleep_ms(&shard->partition);

    if (atomic_load(&shard->node->stopping))
        return 1;
    /* Work that could not be done a moment ago: wait for the flush or the log to say so, and not
     * for long. */
    if (has_work(shard))
        return shard->partition.stalled_us != 0 || shard->partition.paced_us != 0 ||
                       shard->free_entries == NULL
                   ? 1
                   : 0;
    return audit_sleep_ms(&shard->audit, clock_steady_us(), limit);
}

static void drain_wake(struct shard *shard)
{
    uint64_t count;

    if (read(shard->wake_fd, &count, sizeof count) < 0)
        return; /* nobody had written: fine */
}

static void wait_for_work(struct shard *shard)
{
    int timeout = sleep_ms(shard);

    if (timeout != 0) {
        atomic_store(&shard->asleep, true);
        if (atomic_exchange(&shard->signalled, false))
            timeout = 0;
    }
    if (serve_wait(shard->serve, timeout)) {
        drain_wake(shard);
        log_event_clear(shard->partition.log);
    }
    atomic_store(&shard->asleep, false);
}

/* A shard may end once no door sends calls any more (each says so once) and none are under way:
 * before that another shard might still need it. */
static bool ended(struct shard *shard, int64_t steady_us)
{
    struct node *node = shard->node;

    if (!atomic_load(&node->stopping))
        return false;
    if (!shard->quiet && !shard->door_turn.under_way && shard->door_from >= shard->door.count) {
        shard->quiet = true;
        atomic_fetch_add(&node->quiet, 1);
    }
    return atomic_load(&node->quiet) == node->count && atomic_load(&node->outstanding) == 0 &&
           shard->entries == NULL &&
           (serve_idle(shard->serve) || steady_us - atomic_load(&node->stopping_us) > GOODBYE_US);
}

void *shard_main(void *argument)
{
    struct shard *shard = argument;
    bool several = shard->node->count > 1;
    bool closed = false;
    int64_t steady_us = clock_steady_us();
    char name[16];

    snprintf(name, sizeof name, "zan-p%u", (unsigned)shard->index);
    pthread_setname_np(pthread_self(), name);
    while (!ended(shard, steady_us)) {
        int64_t now_us;

        wait_for_work(shard);
        now_us = clock_wall_us();
        steady_us = clock_steady_us();
        take_mail(shard);
        do_setting(shard, now_us);
        do_settle(shard, now_us);
        do_effects(shard, now_us);
        do_calls(shard, now_us, steady_us);
        if (several)
            do_door_calls(shard, now_us, steady_us);
        else
            do_door(shard, now_us, steady_us);
        do_cases(shard, now_us, steady_us);
        release(shard);
        if (!partition_tend(&shard->partition, steady_us)) {
            int none = STATUS_OK;

            atomic_store(&shard->node->failed_shard, shard->index);
            atomic_compare_exchange_strong(&shard->node->failure, &none,
                                           (int)shard->partition.failure);
            node_stop(shard->node);
            return NULL; /* nothing is answered any more */
        }
        look_after(shard, steady_us);
        publish(shard, steady_us);
        if (!closed && atomic_load(&shard->node->stopping)) {
            closed = true;
            serve_stop_listening(shard->serve);
        }
    }
    return NULL;
}

/* --- opening and closing -------------------------------------------------------------------------
 */

static bool batch_open(struct batch *batch, size_t arena_bytes)
{
    batch->requests = calloc(BATCH_MAX, sizeof *batch->requests);
    batch->replies = calloc(BATCH_MAX, sizeof *batch->replies);
    batch->origins = calloc(BATCH_MAX, sizeof *batch->origins);
    batch->arena = (struct arena){.size = arena_bytes};
    if (arena_bytes > 0)
        batch->arena.bytes = malloc(arena_bytes);
    return batch->requests != NULL && batch->replies != NULL && batch->origins != NULL &&
           (arena_bytes == 0 || batch->arena.bytes != NULL);
}

static void batch_close(struct batch *batch)
{
    free(batch->requests);
    free(batch->replies);
    free(batch->origins);
    free(batch->arena.bytes);
}

enum status shard_open(struct shard *shard, struct node *node, uint16_t index)
{
    bool ok;

    *shard = (struct shard){.node = node, .index = index, .wake_fd = -1, .setting_open = true};
    shard->calls_tail = &shard->calls_waiting;
    shard->effects_tail = &shard->effects_waiting;
    shard->entries_tail = &shard->entries;
    pthread_mutex_init(&shard->facts_mutex, NULL);
    ok = batch_open(&shard->door, BATCH_ARENA_BYTES) && batch_open(&shard->mailed, 0);
    shard->mailed_calls = calloc(BATCH_MAX, sizeof(struct call *));
    shard->entry_memory = calloc(SHARD_ENTRIES, sizeof *shard->entry_memory);
    shard->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (node->count > 1) {
        shard->door_turn.calls = calloc(BATCH_MAX, sizeof(struct call));
        shard->door_turn.storage =
            (struct arena){.bytes = malloc(STORAGE_BYTES), .size = STORAGE_BYTES};
        ok = ok && shard->door_turn.calls != NULL && shard->door_turn.storage.bytes != NULL;
    }
    if (!ok || shard->mailed_calls == NULL || shard->entry_memory == NULL || shard->wake_fd < 0)
        return STATUS_NOMEMORY;
    for (uint32_t i = 0; i < SHARD_ENTRIES; i++) {
        shard->entry_memory[i].next = shard->free_entries;
        shard->free_entries = &shard->entry_memory[i];
    }
    return STATUS_OK;
}

void shard_close(struct shard *shard)
{
    serve_close(shard->serve);
    partition_close(&shard->partition);
    batch_close(&shard->door);
    batch_close(&shard->mailed);
    free(shard->mailed_calls);
    free(shard->entry_memory);
    free(shard->door_turn.calls);
    free(shard->door_turn.storage.bytes);
    if (shard->wake_fd >= 0)
        close(shard->wake_fd);
    pthread_mutex_destroy(&shard->facts_mutex);
}
