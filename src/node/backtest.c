/* backtest.c: see backtest.h.
 *
 * The two courses of things, as it was and as it would have been, are the same but for the edges in
 * `beside`: an entry there says what a like (or favorite, follow, report) would be. Without one it
 * would be as it is. */
#include "node/backtest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "node/backtest_table.h"
#include "node/inner.h"
#include "node/rules.h"
#include "node/tree.h"
#include "schema/reply.h"
#include "store/memory.h"

enum what {                              /* in the table; the kinds of edges come first */
            WHAT_EDGE_TIME = EDGE_COUNT, /* + kind: when an imported edge was set last */
            WHAT_FIRST_SEEN = WHAT_EDGE_TIME + EDGE_COUNT, /* of an account that was imported */
            WHAT_BAN,                                      /* until, -, rule */
            WHAT_LIMIT,                                    /* until, verbs, rule */
            WHAT_CUT,                                      /* until, percent, rule */
            WHAT_HIT,                                      /* an account */
            WHAT_ITEM,                                     /* raw, valid, credited: what is added */
            WHAT_RULE_ACCOUNT,
            WHAT_RULE_ITEM = WHAT_RULE_ACCOUNT + POLICY_RULES_MAX
};

/* value[0] of an edge's entry; [1] is weight | mark << 8, [2] when it was set. */
enum beside { BESIDE_SAME, BESIDE_OFF, BESIDE_ON };

/* A like that would be held, until it is scored again. */
struct waiting {
    struct act act;
    int64_t due_us;
    uint16_t reasons;
};

struct run {
    const struct backtest_options *options;
    const struct node_progress *progress;
    struct backtest *result;
    struct policy *policy; /* NULL: no rules */
    uint8_t digest[32];
    struct judges judges;
    void *region;
    size_t bytes;
    struct backtest_table beside;
    struct waiting *waiting; /* a queue: the oldest at `waiting_first` */
    size_t waiting_first, waiting_count, waiting_room;
    struct backtest_item *items;
    uint64_t item_count, item_room;
    int64_t now_us; /* of this partition's acts; never moves back */
    uint16_t index, count;
};

/* One act on its way through. */
struct seeing {
    struct run *run;
    const struct record *record;
    const struct verb_info *info;
    struct act act;
    const struct edge_row *edge; /* as it was before; NULL: none */
    bool was_refused;            /* as recorded */
    bool was_on, would_be_on;    /* before this act */
    struct verdict recorded, verdict;
    int64_t window_us;
    bool refused;
};

static const struct verdict full = {.weight_pct = WEIGHT_FULL};

const char *backtest_outcome_name(enum backtest_outcome outcome)
{
    static const char *const names[BACKTEST_OUTCOMES] = {"full", "cut", "held", "quarantined",
                                                         "refused"};

    return names[outcome];
}

/* --- what is kept beside -------------------------------------------------------------------------
 */

static struct backtest_key key_of(const struct act *act, uint32_t what, uint64_t b)
{
    return (struct backtest_key){
        .a = act->account, .b = b, .tenant = act->tenant, .what = (uint16_t)what};
}

static struct backtest_entry *get(const struct run *run, const struct act *act, uint32_t what,
                                  uint64_t b)
{
    struct backtest_key key = key_of(act, what, b);

    return backtest_table_get(&run->beside, &key);
}

static enum status put(struct run *run, const struct act *act, uint32_t what, uint64_t b,
                       const int64_t value[3], bool *fresh)
{
    struct backtest_key key = key_of(act, what, b);
    struct backtest_entry *entry = backtest_table_put(&run->beside, &key, fresh);

    if (entry == NULL)
        return STATUS_NOMEMORY;
    if (value != NULL)
        memcpy(entry->value, value, sizeof entry->value);
    return STATUS_OK;
}

static struct verdict verdict_beside(const struct backtest_entry *entry)
{
    return (struct verdict){.weight_pct = (uint8_t)(entry->value[1] & 0xFF),
                            .mark = (uint8_t)(entry->value[1] >> 8)};
}

static int64_t beside_verdict(const struct verdict *verdict)
{
    return verdict->weight_pct | (int64_t)verdict->mark << 8;
}

static struct verdict verdict_of_row(const struct edge_row *edge)
{
    if (edge == NULL || !edge->on)
        return full;
    return (struct verdict){.weight_pct = edge->weight_pct, .mark = edge_mark(edge)};
}

static bool waits(uint8_t mark)
{
    return mark == MARK_HELD || mark == MARK_QUARANTINED;
}

/* --- held likes, scored again --------------------------------------------------------------------
 */

static enum status wait_push(struct run *run, const struct seeing *seeing)
{
    int64_t delay_us = run->policy != NULL ? run->policy->settle_us : TRUST_SETTLE_US;
    int64_t due_us = seeing->act.now_us + delay_us;

    if (run->waiting_first > 0 && run->waiting_count == run->waiting_room) {
        run->waiting_count -= run->waiting_first;
        memmove(run->waiting, run->waiting + run->waiting_first,
                run->waiting_count * sizeof *run->waiting);
        run->waiting_first = 0;
    }
    if (run->waiting_count == run->waiting_room) {
        size_t room = run->waiting_room == 0 ? 256 : 2 * run->waiting_room;
        struct waiting *larger = realloc(run->waiting, room * sizeof *larger);

        if (larger == NULL)
            return STATUS_NOMEMORY;
        run->waiting = larger;
        run->waiting_room = room;
    }
    run->waiting[run->waiting_count++] = (struct waiting){
        .act = seeing->act,
        .due_us = due_us > seeing->window_us ? due_us : seeing->window_us,
        .reasons = seeing->verdict.reasons,
    };
    return STATUS_OK;
}

static uint8_t cut_of(const struct run *run, const struct act *act)
{
    const struct backtest_entry *cut = get(run, act, WHAT_CUT, 0);

    return cut != NULL && cut->value[0] > act->now_us ? (uint8_t)cut->value[1] : WEIGHT_FULL;
}

static void settle(struct run *run, const struct waiting *waiting)
{
    const struct act *act = &waiting->act;
    struct backtest_entry *entry = get(run, act, EDGE_LIKE, act->target);
    struct trust_verdict score = {.reasons = waiting->reasons, .weight_pct = WEIGHT_FULL};
    struct verdict verdict = full;
    uint8_t cut_pct = cut_of(run, act);

    if (entry == NULL || entry->value[0] != BESIDE_ON || entry->value[2] != act->now_us ||
        !waits(verdict_beside(entry).mark) || run->judges.unscored)
        return;
    if (run->judges.trust != NULL)
        trust_settle(run->judges.trust, act, &score);
    verdict.weight_pct = score.weight_pct < cut_pct ? score.weight_pct : cut_pct;
    entry->value[1] = beside_verdict(&verdict);
    run->result->settled++;
}

static void settle_due(struct run *run)
{
    while (run->waiting_first < run->waiting_count &&
           run->waiting[run->waiting_first].due_us <= run->now_us)
        settle(run, &run->waiting[run->waiting_first++]);
}

/* --- whom it hits --------------------------------------------------------------------------------
 */

static enum status count_once(struct run *run, const struct act *act, uint32_t what, uint64_t b,
                              uint64_t *counter)
{
    bool fresh;
    enum status status = put(run, act, what, b, NULL, &fresh);

    if (status == STATUS_OK && fresh)
        (*counter)++;
    return status;
}

static void take_sample(struct run *run, const struct act *act, const struct policy_hit *hit)
{
    struct backtest_rule *rule = &run->result->rules[hit->rule];
    char text[POLICY_EXPLAIN_BYTES];
    struct backtest_sample *sample;

    if (rule->sample_count >= run->options->samples)
        return;
    if (rule->samples == NULL)
        rule->samples = calloc(run->options->samples, sizeof *rule->samples);
    if (rule->samples == NULL)
        return; /* the counts are what matters */
    sample = &rule->samples[rule->sample_count++];
    *sample = (struct backtest_sample){.time_us = act->now_us,
                                       .account = act->account,
                                       .target = act->target,
                                       .tenant = act->tenant,
                                       .verb = act->verb};
    policy_explain(run->policy, hit, run->options->language, text, sizeof text);
    snprintf(sample->text, sizeof sample->text, "%.*s", BACKTEST_TEXT - 1, text);
}

static void count_deeds(struct backtest_rule *rule, const struct policy_rule *of)
{
    for (uint32_t i = 0; i < of->deed_count; i++) {
        rule->reviews += of->deeds[i].action == POLICY_REVIEW;
        rule->alerts += of->deeds[i].action == POLICY_ALERT;
        rule->confirms += of->deeds[i].action == POLICY_CONFIRM;
    }
}

static const struct policy_hit *hit_of(const struct policy_verdict *rules, uint32_t index)
{
    for (uint32_t i = 0; i < rules->hit_count; i++)
        if (rules->hits[i].rule == index)
            return &rules->hits[i];
    return NULL;
}

static enum status note_rule(struct seeing *seeing, uint32_t index)
{
    struct run *run = seeing->run;
    struct backtest_rule *rule = &run->result->rules[index];
    const struct policy_hit *hit = hit_of(&run->judges.rules, index);
    struct act whole = {.tenant = seeing->act.tenant}; /* an item is the same whoever acts */
    uint64_t accounts = rule->accounts;
    enum status status =
        count_once(run, &seeing->act, WHAT_RULE_ACCOUNT + index, 0, &rule->accounts);

    if (status == STATUS_OK)
        status = count_once(run, &whole, WHAT_RULE_ITEM + index, seeing->act.target, &rule->items);
    count_deeds(rule, &run->policy->rules[index]);
    if (hit != NULL && rule->accounts > accounts)
        take_sample(run, &seeing->act, hit);
    return status;
}

static enum status note_rules(struct seeing *seeing)
{
    const struct policy_verdict *rules = &seeing->run->judges.rules;
    enum status status = STATUS_OK;

    for (uint32_t word = 0; word < POLICY_RULES_MAX / 64; word++)
        for (uint64_t bits = rules->fired[word] | rules->shadow[word];
             bits != 0 && status == STATUS_OK; bits &= bits - 1)
            status = note_rule(seeing, 64 * word + (uint32_t)__builtin_ctzll(bits));
    return status;
}

/* A restriction begins, or goes on for longer. */
static enum status restrict_until(struct seeing *seeing, uint32_t what, int64_t until_us,
                                  int64_t amount, uint16_t rule)
{
    const struct backtest_entry *old = get(seeing->run, &seeing->act, what, 0);
    bool lasts = old != NULL && old->value[0] > seeing->act.now_us;
    int64_t value[3] = {until_us, amount, rule};

    if (lasts && what == WHAT_CUT && old->value[1] < amount)
        return STATUS_OK; /* the stronger one stays */
    if (lasts && what == WHAT_LIMIT)
        value[1] |= old->value[1];
    if (lasts && old->value[0] > until_us && (what != WHAT_CUT || old->value[1] == amount))
        value[0] = old->value[0];
    return put(seeing->run, &seeing->act, what, 0, value, NULL);
}

/* What the rules want done about the account; *hit is set if it is anything. */
static enum status note_standing(struct seeing *seeing, bool *hit)
{
    struct run *run = seeing->run;
    const struct policy_verdict *rules = &run->judges.rules;
    const uint16_t limit = rules->rule[POLICY_LIMIT], ban = rules->rule[POLICY_LIKE_BAN];
    enum status status = STATUS_OK;

    if (rules->rule[POLICY_POINTS] != POLICY_NONE)
        run->result->rules[rules->rule[POLICY_POINTS]].points += rules->points;
    *hit = rules->points > 0 || rules->rule[POLICY_REVIEW] != POLICY_NONE || limit != POLICY_NONE ||
           ban != POLICY_NONE || rules->account_weight_rule != POLICY_NONE;
    if (limit != POLICY_NONE)
        status = restrict_until(
            seeing, WHAT_LIMIT, rules->until_us[POLICY_LIMIT],
            (int64_t)(run->policy->rules[limit].verbs | 1ULL << seeing->act.verb), limit);
    if (status == STATUS_OK && ban != POLICY_NONE)
        status = restrict_until(seeing, WHAT_BAN, rules->until_us[POLICY_LIKE_BAN], 0, ban);
    if (status == STATUS_OK && rules->account_weight_rule != POLICY_NONE)
        status = restrict_until(seeing, WHAT_CUT, rules->until_us[POLICY_WEIGHT],
                                rules->account_weight_pct, rules->account_weight_rule);
    return status;
}

/* --- judging an act again ------------------------------------------------------------------------
 */

static bool is_restricted(struct seeing *seeing)
{
    const struct backtest_entry *limit = get(seeing->run, &seeing->act, WHAT_LIMIT, 0);
    const struct backtest_entry *ban = get(seeing->run, &seeing->act, WHAT_BAN, 0);
    const struct backtest_entry *by = NULL;

    if (limit != NULL && limit->value[0] > seeing->act.now_us &&
        (limit->value[1] >> seeing->act.verb & 1) != 0)
        by = limit;
    else if (ban != NULL && ban->value[0] > seeing->act.now_us && seeing->act.verb == VERB_LIKE)
        by = ban;
    if (by == NULL)
        return false;
    seeing->run->result->rules[by->value[2]].restricted++;
    return true;
}

static enum backtest_outcome outcome_of(bool refused, const struct verdict *verdict)
{
    if (refused)
        return BACKTEST_REFUSED;
    if (verdict->mark == MARK_HELD)
        return BACKTEST_HELD;
    if (verdict->mark == MARK_QUARANTINED || verdict->mark == MARK_VOIDED)
        return BACKTEST_QUARANTINED;
    return verdict->weight_pct < WEIGHT_FULL ? BACKTEST_CUT : BACKTEST_FULL;
}

static enum status note_outcome(struct seeing *seeing, bool hit)
{
    struct backtest *result = seeing->run->result;
    enum backtest_outcome was = outcome_of(seeing->was_refused, &seeing->recorded);
    enum backtest_outcome would_be = outcome_of(seeing->refused, &seeing->verdict);

    result->recorded[was][would_be]++;
    if (would_be != BACKTEST_FULL && would_be != BACKTEST_REFUSED)
        result->scored[seeing->verdict.reason]++;
    if (!hit && would_be <= was)
        return STATUS_OK;
    return count_once(seeing->run, &seeing->act, WHAT_HIT, 0, &result->accounts_hit);
}

static enum status judge(struct seeing *seeing)
{
    struct run *run = seeing->run;
    struct reply reply = {0};
    enum status status = STATUS_OK;
    bool hit = false;

    seeing->verdict = full;
    run->judges.act = seeing->act;
    run->result->judged++;
    run->result->exempt += seeing->act.exempt;
    if (is_restricted(seeing)) {
        seeing->refused = true;
        return note_outcome(seeing, true);
    }
    /* Whoever is asked whether he means it is taken to have meant it: it is in the log. */
    seeing->refused = judge_decide(&run->judges, true, cut_of(run, &seeing->act), &seeing->verdict,
                                   &seeing->window_us, &reply) != STATUS_OK;
    if (run->policy != NULL && run->judges.rules.fired_count > 0) {
        status = note_rules(seeing);
        if (status == STATUS_OK)
            status = note_standing(seeing, &hit);
    }
    return status == STATUS_OK ? note_outcome(seeing, hit) : status;
}

/* --- one record ----------------------------------------------------------------------------------
 */

/* What happened on this edge, where the two courses part or come together again. */
static enum status note_edge(struct seeing *seeing)
{
    const struct verb_info *info = seeing->info;
    struct backtest_entry *entry = get(seeing->run, &seeing->act, info->edge, seeing->act.target);
    bool is_on = seeing->was_refused ? seeing->was_on : info->on;
    bool would_be_on = seeing->refused ? seeing->would_be_on : info->on;
    bool like = info->edge == EDGE_LIKE;
    struct verdict is = seeing->was_refused ? verdict_of_row(seeing->edge) : seeing->recorded;
    struct verdict would_be = seeing->verdict;
    int64_t value[3] = {would_be_on ? BESIDE_ON : BESIDE_OFF, 0, seeing->act.now_us};

    if (seeing->refused) {
        bool differs = entry != NULL && entry->value[0] == BESIDE_ON;

        would_be = differs ? verdict_beside(entry) : verdict_of_row(seeing->edge);
        if (differs)
            value[2] = entry->value[2];
    }
    value[1] = beside_verdict(&would_be);
    if (is_on == would_be_on &&
        (!like || !is_on ||
         (is.weight_pct == would_be.weight_pct && is.mark == would_be.mark && !waits(is.mark))))
        value[0] = BESIDE_SAME;
    if (value[0] == BESIDE_SAME && entry == NULL)
        return STATUS_OK;
    return put(seeing->run, &seeing->act, info->edge, seeing->act.target, value, NULL);
}

/* It changes nothing in the other course: there the edge is so already. */
static enum status note_moot(struct seeing *seeing)
{
    struct backtest_entry *entry =
        get(seeing->run, &seeing->act, seeing->info->edge, seeing->act.target);

    seeing->run->result->moot++;
    if (!seeing->was_refused && !seeing->info->on && entry != NULL)
        entry->value[0] = BESIDE_SAME;
    return STATUS_OK;
}

/* An import tells when it happened; the rows know only when it came in. */
static enum status by_its_own_time(struct seeing *seeing)
{
    struct run *run = seeing->run;
    struct act *act = &seeing->act;
    const uint32_t what = WHAT_EDGE_TIME + seeing->info->edge;
    struct backtest_entry *entry;
    enum status status;
    bool fresh;

    if (seeing->record->context.client_us > 0)
        act->now_us = seeing->record->context.client_us;
    run->result->late += act->now_us < run->now_us;
    if (act->now_us < run->now_us)
        act->now_us = run->now_us;
    status = put(run, act, WHAT_FIRST_SEEN, 0, NULL, &fresh);
    if (status != STATUS_OK)
        return status;
    entry = get(run, act, WHAT_FIRST_SEEN, 0);
    if (fresh)
        entry->value[0] = act->now_us;
    if (act->account_first_us > entry->value[0])
        act->account_first_us = entry->value[0];
    if (seeing->info->edge != EDGE_NONE) {
        status = put(run, act, what, act->target, NULL, &fresh);
        if (status != STATUS_OK)
            return status;
        entry = get(run, act, what, act->target);
        act->edge_us = fresh ? 0 : entry->value[0];
        entry->value[0] = act->now_us;
    }
    act->exempt = judge_is_undo(run->policy, act);
    return STATUS_OK;
}

static void learn(struct seeing *seeing, const struct verdict *verdict)
{
    seeing->run->judges.act = seeing->act;
    judge_observe(&seeing->run->judges, verdict, seeing->window_us);
}

static enum status see_act(struct seeing *seeing)
{
    struct run *run = seeing->run;
    enum status status;

    run->result->acts++;
    if (seeing->act.source == SOURCE_IMPORT) {
        if (!run->options->imported) {
            run->result->imports++;
            return STATUS_OK;
        }
        status = by_its_own_time(seeing);
        if (status != STATUS_OK)
            return status;
    }
    if (seeing->act.now_us < run->now_us)
        seeing->act.now_us = run->now_us;
    run->now_us = seeing->act.now_us;
    settle_due(run);
    if (seeing->info->edge != EDGE_NONE && seeing->would_be_on == seeing->info->on)
        return note_moot(seeing);
    if (seeing->act.now_us < run->options->from_us) {
        run->result->earlier++;
        if (!seeing->was_refused)
            learn(seeing, &seeing->recorded);
        return STATUS_OK;
    }
    status = judge(seeing);
    if (status == STATUS_OK && seeing->info->edge != EDGE_NONE)
        status = note_edge(seeing);
    if (status != STATUS_OK || (seeing->refused && !PLANTED("node.backtest_learns_refused")))
        return status;
    learn(seeing, &seeing->verdict);
    if (seeing->act.verb == VERB_LIKE && waits(seeing->verdict.mark))
        return wait_push(run, seeing);
    return STATUS_OK;
}

/* A decision of people (a void, a restore) would have been the same. */
static void see_decision(struct run *run, const struct record *record)
{
    struct act act = {.account = record->account, .tenant = record->tenant};
    struct backtest_entry *entry = get(run, &act, EDGE_LIKE, record->target);
    struct verdict verdict = record_verdict(record);

    if ((record->a == 0 && verdict.mark != MARK_VOIDED) || entry == NULL ||
        entry->value[0] != BESIDE_ON)
        return;
    entry->value[1] = beside_verdict(&verdict);
}

static bool is_refusal(const struct record *record)
{
    return record->fields & RECORD_HAS_STATUS &&
           (record->status == STATUS_RATE || record->status == STATUS_SUSPENDED);
}

/* Before a record is applied: the rows are as they were when it was decided. */
static enum status see(void *argument, struct engine *engine, const struct record *record)
{
    struct run *run = argument;
    struct seeing seeing = {.run = run, .record = record, .recorded = record_verdict(record)};
    const struct backtest_entry *entry;

    if (record->kind == RECORD_SETTLE && record->fields & RECORD_CHANGED)
        see_decision(run, record);
    if (record->kind >= VERB_COUNT || !policy_verb(record->kind))
        return STATUS_OK;
    seeing.was_refused = is_refusal(record);
    if (!seeing.was_refused && !(record->fields & RECORD_CHANGED))
        return STATUS_OK;
    seeing.info = verb_info(record->kind);
    seeing.act = judge_act_of(engine, record, run->policy);
    if (seeing.info->edge != EDGE_NONE) {
        seeing.edge = hot_edge_find(engine->hot, record->tenant, seeing.info->edge, record->account,
                                    record->target);
        seeing.was_on = seeing.edge != NULL && seeing.edge->on;
        entry = get(run, &seeing.act, seeing.info->edge, record->target);
        seeing.would_be_on = entry != NULL && entry->value[0] != BESIDE_SAME
                                 ? entry->value[0] == BESIDE_ON
                                 : seeing.was_on;
    }
    return see_act(&seeing);
}

/* --- what likes come to --------------------------------------------------------------------------
 */

struct worth {
    int64_t raw, valid, credited;
};

static struct worth worth_of(bool on, const struct verdict *verdict)
{
    bool counts = verdict->mark == MARK_PLAIN;

    if (!on)
        return (struct worth){0};
    return (struct worth){.raw = 1,
                          .valid = counts || verdict->mark == MARK_HELD,
                          .credited = counts ? verdict->weight_pct : 0};
}

/* The like is worth that in this course, and what the store says in the other one. */
static enum status add_difference(struct backtest_table *items, const struct backtest_entry *beside,
                                  const struct edge_row *row, bool found)
{
    struct verdict would_be = verdict_beside(beside), is = verdict_of_row(row);
    struct worth there = worth_of(beside->value[0] == BESIDE_ON, &would_be);
    struct worth here = worth_of(found && row->on, &is);
    struct backtest_key key = {.b = beside->key.b, .tenant = beside->key.tenant, .what = WHAT_ITEM};
    struct backtest_entry *entry = backtest_table_put(items, &key, NULL);

    if (entry == NULL)
        return STATUS_NOMEMORY;
    entry->value[0] += there.raw - here.raw;
    entry->value[1] += there.valid - here.valid;
    entry->value[2] += there.credited - here.credited;
    return STATUS_OK;
}

/* Likes of accounts of this partition that would be something else. */
static enum status compare_likes(struct run *run, struct store *store, struct backtest_table *items)
{
    enum status status = STATUS_OK;

    for (uint64_t i = 0; i < run->beside.capacity && status == STATUS_OK; i++) {
        const struct backtest_entry *entry = &run->beside.entries[i];
        struct edge_row row = {.account = entry->key.a,
                               .target = entry->key.b,
                               .tenant = entry->key.tenant,
                               .kind = EDGE_LIKE};
        bool found = false;

        if (!entry->used || entry->key.what != EDGE_LIKE || entry->value[0] == BESIDE_SAME ||
            hash_partition(row.account, run->count) != run->index)
            continue;
        status = store_get_edges(store, &row, &found, 1);
        if (status == STATUS_OK)
            status = add_difference(items, entry, &row, found);
    }
    return status;
}

static enum status see_item(void *argument, const struct item_row *row)
{
    struct run *run = argument;

    if (run->item_count == run->item_room) {
        uint64_t room = run->item_room == 0 ? 1024 : 2 * run->item_room;
        struct backtest_item *larger = realloc(run->items, room * sizeof *larger);

        if (larger == NULL)
            return STATUS_NOMEMORY;
        run->items = larger;
        run->item_room = room;
    }
    run->items[run->item_count++] = (struct backtest_item){
        .id = row->id,
        .tenant = row->tenant,
        .raw = row->counts[COUNTER_LIKE],
        .valid = credit_valid(row->counts[COUNTER_LIKE], &row->credit),
        .credited_pct = row->credit.credited_pct,
    };
    return STATUS_OK;
}

/* --- one partition -------------------------------------------------------------------------------
 */

static void replay_progress(void *argument, uint64_t done, uint64_t total)
{
    const struct run *run = argument;

    if (run->progress != NULL)
        run->progress->report(run->progress->argument, "back-testing", done, total);
}

static void tally_add(struct run *run)
{
    for (uint32_t i = 0; run->policy != NULL && i < run->policy->rule_count; i++) {
        run->result->rules[i].fired += run->judges.tally[i].fired;
        run->result->rules[i].refused += run->judges.tally[i].refused;
        run->result->rules[i].held += run->judges.tally[i].held;
        run->result->rules[i].cut += run->judges.tally[i].cut;
    }
}

/* As many as a node of this configuration would remember. */
static enum status judges_begin(struct run *run, const struct partition_config *config)
{
    const char *trust = run->options->config->trust;

    run->bytes = node_signals_bytes(config);
    run->region = memory_take(1, run->bytes);
    if (run->region == NULL)
        return STATUS_NOMEMORY;
    (void)judges_open(&run->judges, run->region, run->bytes, run->policy, run->digest,
                      strcmp(trust, "on") == 0, false);
    run->judges.unscored = run->judges.pending = strcmp(trust, "pending") == 0;
    run->now_us = 0;
    run->waiting_first = run->waiting_count = 0;
    return STATUS_OK;
}

static enum status replay(struct run *run, const struct partition_config *config,
                          struct backtest_table *items)
{
    struct partition_open_hooks hooks = {
        .argument = run, .progress = replay_progress, .outbox = partition_no_outbox, .before = see};
    struct store_visitor visitor = {.argument = run, .item = see_item};
    struct partition *partition = malloc(sizeof *partition);
    struct partition_report report = {0};
    enum status status;

    if (partition == NULL)
        return STATUS_NOMEMORY;
    status = partition_open(partition, config, &hooks, &report);
    if (status == STATUS_OK) {
        run->result->records += report.log.last_sequence;
        tally_add(run);
        status = partition_flush_all(partition);
        if (status == STATUS_OK)
            status = compare_likes(run, partition->store, items);
        if (status == STATUS_OK)
            status = store_scan(partition->store, &visitor);
        partition_close(partition);
    }
    if (status != STATUS_OK)
        snprintf(run->result->message, sizeof run->result->message, "%s",
                 report.message[0] != '\0' ? report.message : status_info(status)->text);
    free(partition);
    return status;
}

static enum status run_partition(struct run *run, struct backtest_table *items)
{
    struct partition_config config;
    char message[256] = "";
    enum status status =
        partition_config_from(run->options->config, run->index, true, &config, message);

    if (status == STATUS_OK)
        status = node_check_stopped(&config, message);
    if (status == STATUS_OK)
        status = judges_begin(run, &config);
    if (status != STATUS_OK) {
        memcpy(run->result->message, message, sizeof message);
        return status;
    }
    run->count = config.count;
    snprintf(config.store_dir, sizeof config.store_dir, "%.400s/p%u", run->options->scratch,
             (unsigned)run->index);
    status = replay(run, &config, items);
    tree_remove(config.store_dir);
    memory_give(run->region, 1, run->bytes);
    return status;
}

/* --- ranks ---------------------------------------------------------------------------------------
 */

static int by_name(const struct backtest_item *a, const struct backtest_item *b)
{
    if (a->tenant != b->tenant)
        return a->tenant < b->tenant ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int by_credited(const void *first, const void *second)
{
    const struct backtest_item *a = first, *b = second;

    if (a->credited_pct != b->credited_pct)
        return a->credited_pct > b->credited_pct ? -1 : 1;
    return by_name(a, b);
}

static int by_would_credited(const void *first, const void *second)
{
    const struct backtest_item *a = first, *b = second;

    if (a->would_credited_pct != b->would_credited_pct)
        return a->would_credited_pct > b->would_credited_pct ? -1 : 1;
    return by_name(a, b);
}

static uint64_t moved(uint64_t count, int64_t by)
{
    int64_t result = (int64_t)count + by;

    return result > 0 ? (uint64_t)result : 0;
}

static void compare_item(struct backtest *result, struct backtest_item *item,
                         const struct backtest_table *items)
{
    struct backtest_key key = {.b = item->id, .tenant = item->tenant, .what = WHAT_ITEM};
    const struct backtest_entry *entry = backtest_table_get(items, &key);
    static const int64_t none[3];
    const int64_t *by = entry != NULL ? entry->value : none;

    item->would_raw = moved(item->raw, by[0]);
    item->would_valid = moved(item->valid, by[1]);
    item->would_credited_pct = moved(item->credited_pct, by[2]);
    result->items++;
    result->items_changed += by[0] != 0 || by[1] != 0 || by[2] != 0;
    result->total.raw += item->raw;
    result->total.valid += item->valid;
    result->total.credited_pct += item->credited_pct;
    result->total.would_raw += item->would_raw;
    result->total.would_valid += item->would_valid;
    result->total.would_credited_pct += item->would_credited_pct;
}

static enum status rank(struct run *run, const struct backtest_table *items)
{
    struct backtest *result = run->result;
    const uint32_t top = run->options->top;

    for (uint64_t i = 0; i < run->item_count; i++)
        compare_item(result, &run->items[i], items);
    result->top = calloc(2 * (size_t)top + 1, sizeof *result->top);
    if (result->top == NULL)
        return STATUS_NOMEMORY;
    if (run->item_count == 0)
        return STATUS_OK;
    qsort(run->items, run->item_count, sizeof *run->items, by_credited);
    for (uint64_t i = 0; i < run->item_count; i++)
        run->items[i].rank = i + 1;
    qsort(run->items, run->item_count, sizeof *run->items, by_would_credited);
    for (uint64_t i = 0; i < run->item_count; i++) {
        struct backtest_item *item = &run->items[i];

        item->would_rank = i + 1;
        if ((item->rank <= top || item->would_rank <= top) &&
            item->credited_pct + item->would_credited_pct > 0)
            result->top[result->top_count++] = *item;
    }
    return STATUS_OK;
}

/* --- the whole -----------------------------------------------------------------------------------
 */

enum status backtest_run(const struct backtest_options *options,
                         const struct node_progress *progress, struct backtest *backtest)
{
    struct run run = {.options = options, .progress = progress, .result = backtest};
    struct backtest_table items = {0};
    enum status status;

    *backtest = (struct backtest){0};
    status = rules_load(options->config->policy, &run.policy, run.digest, backtest->message);
    backtest->policy = run.policy;
    backtest->inside = run.policy;
    for (uint16_t i = 0; status == STATUS_OK && i < options->config->partitions; i++) {
        run.index = i;
        status = run_partition(&run, &items);
    }
    if (status == STATUS_OK)
        status = rank(&run, &items);
    if (status != STATUS_OK && backtest->message[0] == '\0')
        snprintf(backtest->message, sizeof backtest->message, "%s", status_info(status)->text);
    backtest_table_free(&items);
    backtest_table_free(&run.beside);
    free(run.waiting);
    free(run.items);
    return status;
}

void backtest_free(struct backtest *backtest)
{
    for (uint32_t i = 0; i < POLICY_RULES_MAX; i++)
        free(backtest->rules[i].samples);
    free(backtest->top);
    free(backtest->inside);
    *backtest = (struct backtest){0};
}
