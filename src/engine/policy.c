/* policy.c: judging and observing.
 *
 * Rules are listed by verb, so that an act meets only those that speak of it; a window is looked up
 * when the first condition asks for it and remembered for the rest of the act. Most rules fail at
 * their first condition: a plain like under the default policy costs a lookup or three.
 *
 * Judging counts the act itself (the 51st un-like trips "> 50") by asking each window what it would
 * tell with it, so that state stays const until the act is carried out. */
#include "engine/policy.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"

/* --- signals -------------------------------------------------------------------------------------
 */

static const uint8_t table_magic[8] = {'Z', 'A', 'N', 'P',
                                       'T', 'A', 'B', '0' + POLICY_TABLE_VERSION};

static uint64_t sets_in(size_t bytes)
{
    return (bytes - sizeof(struct policy_table)) / 512;
}

size_t policy_bytes(uint64_t blocks)
{
    return sizeof(struct policy_table) + (size_t)(blocks / POLICY_TABLE_WAYS + 1) * 512;
}

enum policy_opened policy_open(void *region, size_t bytes, const uint8_t *digest)
{
    static const uint8_t none[POLICY_TABLE_DIGEST];
    static const uint8_t empty[sizeof table_magic];
    struct policy_table *table = region;
    enum policy_opened opened = POLICY_OPENED_KEPT;

    assert((uintptr_t)region % POLICY_TABLE_ALIGN == 0);
    assert(bytes >= policy_bytes(1));
    if (digest == NULL)
        digest = none;
    if (memcmp(table->magic, empty, sizeof empty) == 0) {
        memset(region, 0, bytes);
        memcpy(table->magic, table_magic, sizeof table_magic);
        table->bytes = bytes;
        table->sets = sets_in(bytes);
        opened = POLICY_OPENED_NEW;
    } else if (memcmp(table->magic, table_magic, sizeof table_magic) != 0 ||
               table->bytes != bytes || table->sets != sets_in(bytes)) {
        return POLICY_OPENED_FOREIGN;
    } else if (memcmp(table->digest, digest, sizeof table->digest) != 0) {
        opened = POLICY_OPENED_CHANGED;
    }
    memcpy(table->digest, digest, sizeof table->digest);
    return opened;
}

/* --- what a window is about ----------------------------------------------------------------------
 */

/* False: the act does not say. */
static inline bool scope_id(const struct act *act, uint32_t scope, uint64_t *id)
{
    switch (scope) {
    case POLICY_ACCOUNT:
        *id = act->account;
        return true;
    case POLICY_PAIR:
        *id = hash_two(act->account, act->target);
        return true;
    case POLICY_ITEM:
        *id = act->target;
        return true;
    case POLICY_CREATOR: /* who is followed is the creator */
        *id = edge_target_is_account(verb_info(act->verb)->edge) ? act->target : act->creator;
        return act->has_creator != 0 || edge_target_is_account(verb_info(act->verb)->edge);
    case POLICY_DEVICE:
        *id = act->device;
        return *id != 0;
    case POLICY_NETWORK:
        *id = act->network;
        return *id != 0;
    case POLICY_ADDRESS:
        *id = act->address;
        return *id != 0;
    default:
        *id = act->campaign;
        return *id != 0;
    }
}

/* Ids of the act, spread over all bits; each made when it is first needed. */
struct places {
    const struct act *act;
    uint32_t made, missing; /* bit per enum policy_scope */
    uint64_t place[POLICY_SCOPE_COUNT];
};

static inline void places_begin(struct places *places, const struct act *act)
{
    *places = (struct places){.act = act};
}

static void place_make(struct places *places, uint32_t scope)
{
    uint64_t id;

    places->made |= 1u << scope;
    if (scope_id(places->act, scope, &id))
        places->place[scope] =
            hash_mix(id * 0x9E3779B97F4A7C15ULL + places->act->tenant * 0xD6E8FEB86659FD93ULL);
    else
        places->missing |= 1u << scope;
}

/* False: the act does not say whose. */
static inline bool metric_key(const struct policy_metric *metric, struct places *places,
                              uint64_t *key)
{
    uint32_t scope = metric->scope;

    if ((places->made >> scope & 1) == 0)
        place_make(places, scope);
    if ((places->missing >> scope & 1) != 0)
        return false;
    *key = (places->place[scope] + metric->salt) * 0x9E3779B97F4A7C15ULL;
    return true;
}

/* Does the act add to the metric, and what? */
static inline bool metric_element(const struct policy_metric *metric, const struct act *act,
                                  uint64_t *element)
{
    *element = 0;
    if (metric->verb != act->verb)
        return false;
    return metric->fact != POLICY_DISTINCT || scope_id(act, metric->of, element);
}

/* What is known while one act is judged. */
struct judging {
    const struct policy *policy;
    const struct policy_table *state;
    const struct act *act;
    uint16_t region; /* its bit in rules' regions; 0: none that the policy names */
    struct places places;
    uint64_t known[POLICY_METRICS_MAX / 64]; /* value is set */
    uint64_t value[POLICY_METRICS_MAX];      /* MISSING: the act does not say whose */
};
#define MISSING UINT64_MAX

/* The build zeroes every variable; 2 KB of memory for what is mostly one or two values would cost
 * more than the judging. known says what has been set. */
#define UNSET __attribute__((uninitialized))

static uint64_t metric_read(const struct judging *judging, const struct policy_metric *metric,
                            uint64_t key)
{
    static const uint64_t nothing[2 * WINDOW_BYTES / sizeof(uint64_t)];
    const struct act *act = judging->act;
    const void *block = policy_table_find(judging->state, key, metric->shape.wide);
    uint64_t element;

    if (block == NULL)
        block = nothing;
    if (metric_element(metric, act, &element) && !PLANTED("policy.judges_without_the_act"))
        return window_value_with(&metric->shape, block, act->now_us, element);
    return block == nothing ? 0 : window_value(&metric->shape, block, act->now_us);
}

/* False: the act does not say whose. */
static bool metric_value(struct judging *judging, uint32_t index, uint64_t *value)
{
    uint64_t bit = 1ULL << (index & 63), key;

    if ((judging->known[index >> 6] & bit) == 0) {
        const struct policy_metric *metric = &judging->policy->metrics[index];

        judging->known[index >> 6] |= bit;
        judging->value[index] = metric_key(metric, &judging->places, &key)
                                    ? metric_read(judging, metric, key)
                                    : MISSING;
    }
    *value = judging->value[index];
    return *value != MISSING;
}

/* --- conditions ----------------------------------------------------------------------------------
 */

static inline bool compare(uint32_t op, uint64_t value, uint64_t threshold)
{
    switch (op) {
    case POLICY_GREATER:
        return value > threshold;
    case POLICY_AT_LEAST:
        return value >= threshold;
    case POLICY_LESS:
        return value < threshold;
    case POLICY_AT_MOST:
        return value <= threshold;
    default:
        return value == threshold;
    }
}

static inline uint64_t since(int64_t now_us, int64_t then_us)
{
    return now_us > then_us ? (uint64_t)now_us - (uint64_t)then_us : 0;
}

/* What the rows know. False: they do not. */
static bool row_value(const struct act *act, uint32_t fact, uint64_t *value, uint64_t *base)
{
    bool like = act->verb == VERB_LIKE, unlike = act->verb == VERB_UNLIKE;
    uint64_t flips = act->flips + (verb_info(act->verb)->edge != EDGE_NONE ? 1u : 0u);

    switch (fact) {
    case POLICY_SHARE:
        *value = act->taken_back + unlike;
        *base = act->given_likes + act->taken_back + like;
        return true;
    case POLICY_FLIPS:
        *value = flips;
        return true;
    case POLICY_TAKEBACKS: /* on, off, on, off: every second change */
        *value = flips / 2;
        return true;
    case POLICY_AGE:
        *value = since(act->now_us, act->account_first_us);
        return true;
    case POLICY_EDGE_AGE:
        *value = since(act->now_us, act->edge_us);
        return act->edge_us != 0;
    case POLICY_GIVEN:
        *value = act->given_likes + like - (unlike && act->given_likes > 0);
        return true;
    default:
        *value = act->target_likes;
        return true;
    }
}

static bool condition_holds(struct judging *judging, const struct policy_condition *condition,
                            uint64_t *value, uint64_t *base)
{
    *base = 0;
    switch (condition->fact) {
    case POLICY_COUNT:
    case POLICY_DISTINCT:
        return metric_value(judging, condition->metric, value) &&
               compare(condition->op, *value, condition->threshold);
    case POLICY_RATIO:
        if (!metric_value(judging, condition->metric, value) ||
            !metric_value(judging, condition->base, base))
            return false;
        break;
    case POLICY_SHARE:
        row_value(judging->act, POLICY_SHARE, value, base);
        break;
    default:
        return row_value(judging->act, condition->fact, value, base) &&
               compare(condition->op, *value, condition->threshold);
    }
    /* In 1/100 percent, without dividing: values are far below 2^50. */
    return *base > 0 && *base >= condition->minimum &&
           compare(condition->op, *value * 10000, condition->threshold * *base);
}

/* Has the rule fired for this subject in its "once per" time? */
static bool fired_lately(struct judging *judging, const struct policy_rule *rule)
{
    const struct policy_metric *metric;
    const void *block;
    uint64_t key;

    if (rule->once == POLICY_NONE || PLANTED("policy.once_is_always"))
        return false;
    metric = &judging->policy->metrics[rule->once];
    if (!metric_key(metric, &judging->places, &key))
        return false;
    block = policy_table_find(judging->state, key, metric->shape.wide);
    return block != NULL && window_value(&metric->shape, block, judging->act->now_us) > 0;
}

static bool rule_fires(struct judging *judging, const struct policy_rule *rule,
                       struct policy_hit *hit)
{
    if ((rule->tiers >> judging->act->tier & 1) == 0 ||
        (rule->regions != 0 && (rule->regions & judging->region) == 0))
        return false;
    for (uint32_t i = 0; i < rule->condition_count; i++)
        if (!condition_holds(judging, &rule->conditions[i], &hit->value[i], &hit->base[i]))
            return false;
    return !fired_lately(judging, rule);
}

/* --- what follows --------------------------------------------------------------------------------
 */

/* When a refusing rule will let the act pass: its first condition that fails by waiting. */
static int64_t rule_retry_us(struct judging *judging, const struct policy_rule *rule)
{
    const struct act *act = judging->act;
    int64_t retry_us = 0, at;

    for (uint32_t i = 0; i < rule->condition_count; i++) {
        const struct policy_condition *condition = &rule->conditions[i];
        const struct policy_metric *metric = &judging->policy->metrics[condition->metric];
        uint64_t most = condition->threshold + (condition->op == POLICY_GREATER), key, element;
        const void *block;

        if (condition->fact != POLICY_COUNT || condition->op > POLICY_AT_LEAST ||
            !metric_key(metric, &judging->places, &key))
            continue;
        block = policy_table_find(judging->state, key, metric->shape.wide);
        if (block == NULL)
            continue;
        if (metric_element(metric, act, &element)) /* leave room for the act itself */
            most--;
        at = window_room_us(&metric->shape, block, act->now_us, most);
        if (retry_us == 0 || at < retry_us)
            retry_us = at;
    }
    return retry_us;
}

static void weigh(struct policy_verdict *verdict, const struct policy_deed *deed, uint16_t rule,
                  int64_t until_us)
{
    if (deed->for_us == 0) {
        if (deed->percent < verdict->weight_pct) {
            verdict->weight_pct = deed->percent;
            verdict->rule[POLICY_WEIGHT] = rule;
        }
        return;
    }
    if (deed->percent < verdict->account_weight_pct ||
        (deed->percent == verdict->account_weight_pct &&
         until_us > verdict->until_us[POLICY_WEIGHT])) {
        verdict->account_weight_pct = deed->percent;
        verdict->account_weight_rule = rule;
        verdict->until_us[POLICY_WEIGHT] = until_us;
    }
}

static uint16_t proposals(const struct policy_rule *rule)
{
    uint16_t actions = 0;

    for (uint32_t i = 0; i < rule->deed_count; i++)
        if (rule->deeds[i].proposed)
            actions |= (uint16_t)(1u << rule->deeds[i].action);
    return actions;
}

static void deed_apply(struct judging *judging, struct policy_verdict *verdict,
                       const struct policy_deed *deed, uint16_t index)
{
    const struct act *act = judging->act;
    int64_t until_us = deed->for_us > 0 ? act->now_us + deed->for_us : 0, retry_us;
    bool first = (verdict->actions >> deed->action & 1) == 0;

    verdict->actions |= (uint16_t)(1u << deed->action);
    switch (deed->action) {
    case POLICY_WEIGHT:
        weigh(verdict, deed, index, until_us);
        return;
    case POLICY_POINTS:
        if (deed->points > verdict->points) {
            verdict->points = deed->points;
            verdict->rule[POLICY_POINTS] = index;
        }
        return;
    case POLICY_REFUSE:
        verdict->refused = 1;
        retry_us = rule_retry_us(judging, &judging->policy->rules[index]);
        if (first || retry_us > verdict->retry_us) {
            verdict->retry_us = retry_us;
            verdict->rule[POLICY_REFUSE] = index;
        }
        return;
    case POLICY_LIMIT:
    case POLICY_LIKE_BAN:
        if (deed->action == POLICY_LIMIT || act->verb == VERB_LIKE)
            verdict->refused = 1;
        if (first || until_us > verdict->until_us[deed->action]) {
            verdict->until_us[deed->action] = until_us;
            verdict->rule[deed->action] = index;
        }
        return;
    case POLICY_REVIEW: /* the first that proposes something, else the first */
        if (first || verdict->proposed == 0) {
            uint16_t proposed = proposals(&judging->policy->rules[index]);

            if (first || proposed != 0)
                verdict->rule[POLICY_REVIEW] = index;
            verdict->proposed = proposed;
        }
        return;
    default:
        if (first)
            verdict->rule[deed->action] = index;
    }
}

/* Returns whether the rules below are to be asked. */
static bool rule_apply(struct judging *judging, struct policy_verdict *verdict, uint16_t index,
                       struct policy_hit *hit)
{
    const struct policy_rule *rule = &judging->policy->rules[index];
    uint64_t bit = 1ULL << (index & 63);
    bool shadow = rule->shadow && !PLANTED("policy.shadow_acts");

    verdict->fired_count++;
    hit->rule = index;
    hit->shadow = rule->shadow;
    if (verdict->hit_count < POLICY_HITS_MAX)
        verdict->hits[verdict->hit_count++] = *hit;
    if (shadow) {
        verdict->shadow[index >> 6] |= bit;
        return true;
    }
    verdict->fired[index >> 6] |= bit;
    for (uint32_t i = 0; i < rule->deed_count; i++)
        if (!rule->deeds[i].proposed || PLANTED("policy.proposals_act"))
            deed_apply(judging, verdict, &rule->deeds[i], index);
    return (verdict->actions >> POLICY_ALLOW & 1) == 0;
}

static void verdict_clear(struct policy_verdict *verdict)
{
    memset(verdict, 0, offsetof(struct policy_verdict, hits)); /* hits are behind hit_count */
    verdict->weight_pct = 100;
    verdict->account_weight_pct = 100;
    memset(verdict->rule, 0xFF, sizeof verdict->rule);
    verdict->account_weight_rule = POLICY_NONE;
}

/* Values are left as they are: known says which are set. */
static void judging_begin(struct judging *judging, const struct policy *policy,
                          const struct policy_table *state, const struct act *act)
{
    judging->policy = policy;
    judging->state = state;
    judging->act = act;
    judging->region =
        policy->region_count == 0 ? 0 : (uint16_t)(1u << policy_region(policy, act->region));
    places_begin(&judging->places, act);
    memset(judging->known, 0, sizeof judging->known);
}

void policy_judge(const struct policy *policy, const struct policy_table *state,
                  const struct act *act, struct policy_verdict *verdict)
{
    UNSET struct judging judging;
    UNSET struct policy_hit hit;
    uint32_t at, end;

    assert(act->verb < VERB_COUNT && act->tier < TIER_COUNT);
    verdict_clear(verdict);
    at = policy->by_verb.first[act->verb];
    end = policy->by_verb.first[act->verb + 1];
    if (at == end || (act->exempt && !PLANTED("policy.exempt_is_judged")))
        return;
    judging_begin(&judging, policy, state, act);
    for (; at < end; at++) {
        uint16_t index = policy->by_verb.at[at];

        if (rule_fires(&judging, &policy->rules[index], &hit) &&
            !rule_apply(&judging, verdict, index, &hit))
            break;
    }
    if (verdict->refused && verdict->points > 0 &&
        !PLANTED("policy.points_for_refused")) { /* nothing is taken for what was not done */
        verdict->points = 0;
        verdict->actions &= (uint16_t) ~(1u << POLICY_POINTS);
        verdict->rule[POLICY_POINTS] = POLICY_NONE;
    }
}

/* --- observing -----------------------------------------------------------------------------------
 */

static void metric_add(const struct policy_metric *metric, struct policy_table *state,
                       struct places *places, uint64_t element)
{
    int64_t now_us = places->act->now_us;
    uint64_t key;

    if (metric_key(metric, places, &key))
        window_add(&metric->shape, policy_table_take(state, key, &metric->shape, now_us), now_us,
                   element);
}

static bool ends_asking(const struct policy_rule *rule)
{
    return rule->deeds[0].action == POLICY_ALLOW && !rule->shadow;
}

/* Rules with "once per" that this act made fire. Judged before it is counted, as it was then. */
static void observe_once(const struct policy *policy, struct policy_table *state,
                         const struct act *act)
{
    UNSET struct judging judging;
    UNSET struct policy_hit hit;

    judging_begin(&judging, policy, state, act);
    for (uint32_t at = policy->by_verb.first[act->verb]; at < policy->by_verb.first[act->verb + 1];
         at++) {
        const struct policy_rule *rule = &policy->rules[policy->by_verb.at[at]];

        if (rule->once == POLICY_NONE && !ends_asking(rule))
            continue;
        if (!rule_fires(&judging, rule, &hit))
            continue;
        if (rule->once != POLICY_NONE)
            metric_add(&policy->metrics[rule->once], state, &judging.places, 0);
        if (ends_asking(rule))
            return;
    }
}

void policy_observe(const struct policy *policy, struct policy_table *state, const struct act *act)
{
    struct places places;
    uint64_t element;

    assert(act->verb < VERB_COUNT && act->tier < TIER_COUNT);
    if (act->exempt && !PLANTED("policy.exempt_is_counted"))
        return;
    places_begin(&places, act);
    if (policy->has_once[act->verb])
        observe_once(policy, state, act);
    for (uint32_t at = policy->counted.first[act->verb]; at < policy->counted.first[act->verb + 1];
         at++) {
        const struct policy_metric *metric = &policy->metrics[policy->counted.at[at]];

        if (metric_element(metric, act, &element))
            metric_add(metric, state, &places, element);
    }
}

void policy_prefetch(const struct policy *policy, const struct policy_table *state,
                     const struct act *act)
{
    struct places places;
    uint64_t key;

    places_begin(&places, act);
    for (uint32_t at = policy->needed.first[act->verb]; at < policy->needed.first[act->verb + 1];
         at++)
        if (metric_key(&policy->metrics[policy->needed.at[at]], &places, &key))
            policy_table_prefetch(state, key);
}

void policy_prefetch_windows(const struct policy *policy, const struct policy_table *state,
                             const struct act *act)
{
    struct places places;
    const char *block;
    uint64_t key;

    places_begin(&places, act);
    for (uint32_t at = policy->needed.first[act->verb]; at < policy->needed.first[act->verb + 1];
         at++) {
        const struct policy_metric *metric = &policy->metrics[policy->needed.at[at]];

        if (!metric_key(metric, &places, &key))
            continue;
        block = policy_table_way(state, key, metric->shape.wide);
        if (block == NULL)
            continue;
        __builtin_prefetch(block);
        if (metric->shape.wide)
            __builtin_prefetch(block + WINDOW_BYTES);
    }
}

/* --- by region -----------------------------------------------------------------------------------
 */

uint32_t policy_region(const struct policy *policy, uint64_t region)
{
    for (uint32_t i = 0; region != 0 && i < policy->region_count; i++)
        if (policy->regions[i] == region)
            return i;
    return POLICY_REGIONS_MAX;
}

int64_t policy_undo_us(const struct policy *policy, enum tier tier, enum source source,
                       uint64_t region)
{
    int64_t undo_us = policy->undo_us[tier];
    uint32_t place;

    if (policy->undo_source_us[source] > undo_us)
        undo_us = policy->undo_source_us[source];
    if (policy->region_count == 0)
        return undo_us;
    place = policy_region(policy, region);
    if (place < POLICY_REGIONS_MAX && policy->undo_region_us[place] > undo_us)
        undo_us = policy->undo_region_us[place];
    return undo_us;
}

enum policy_notice policy_notify_of(const struct policy *policy, uint32_t place,
                                    enum policy_relation relation, enum verb verb)
{
    if (place < POLICY_REGIONS_MAX && policy->notify_region[place][relation][verb] != POLICY_AS_ALL)
        return (enum policy_notice)policy->notify_region[place][relation][verb];
    return (enum policy_notice)policy->notify[relation][verb];
}

enum policy_showing policy_show_of(const struct policy *policy, uint32_t place,
                                   enum policy_relation relation, enum verb verb)
{
    if (place < POLICY_REGIONS_MAX && policy->show_region[place][relation][verb] != POLICY_AS_ALL)
        return (enum policy_showing)policy->show_region[place][relation][verb];
    return (enum policy_showing)policy->show[relation][verb];
}
