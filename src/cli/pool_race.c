/* pool_race.c: the policies, each in a few lines, and what is measured. See pool_eval.h.
 *
 * The rivals are given what can be said for them: they see every result at once or after ten
 * viewers, keep the rule that a viewer sees an item once, choose their tenth by their own numbers,
 * and the forms of them that look at ours (value instead of likes) run in the same table. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/pool_eval.h"

#define CHUNK       10  /* viewers who are shown the same twenty before anything is learnt */
#define GREEDY_PART 0.1 /* epsilon */
#define ROUND_FIRST 1.0 /* impressions an item in the first round after the first budgets */
#define ROUND_GROWS 1.06
#define ROUND_LAST  3.0 /* impressions an item in a round, at most */

/* --- what an impression brings -------------------------------------------------------------- */

static void show_drawn(struct pool_race *race, uint32_t item, uint32_t audience, uint32_t viewers)
{
    const double *rate = race->world->item[item].rate[audience];
    struct pool_seen *seen = &race->item[item].seen[audience];
    uint32_t longs = pool_random_binomial(&race->random, viewers, rate[POOL_LONG]);
    double without = rate[POOL_LIKE] / (1 + (POOL_LIKE_LIFT - 1) * rate[POOL_LONG]);

    seen->s[POOL_LONG] += longs;
    seen->s[POOL_LIKE] +=
        pool_random_binomial(&race->random, longs, fmin(POOL_LIKE_LIFT * without, 1)) +
        pool_random_binomial(&race->random, viewers - longs, without);
    for (uint32_t m = POOL_COMMENT; m < POOL_METRICS; m++)
        seen->s[m] += pool_random_binomial(&race->random, viewers, rate[m]);
    seen->n += viewers;
}

/* The next of the real ones; the tape goes round. */
static void show_tape(struct pool_race *race, uint32_t item, uint32_t audience, uint32_t viewers)
{
    const struct pool_video *video = race->world->item[item].video;
    const uint8_t *tape = race->world->data->tape + video->tape;
    struct pool_seen *seen = &race->item[item].seen[audience];

    for (uint32_t i = 0; i < viewers; i++) {
        uint8_t bits = tape[(race->begin[item] + race->shown[item] + i) % video->shown];

        for (uint32_t m = 0; m < POOL_METRICS; m++)
            seen->s[m] += bits >> m & 1;
    }
    seen->n += viewers;
}

static uint32_t cap_of(const struct pool_race *race, uint32_t item)
{
    const struct pool_world *world = race->world;
    uint32_t shown = world->item[item].video->shown;

    return world->tapes && shown < world->cap ? shown : world->cap;
}

uint32_t pool_show(struct pool_race *race, uint32_t item, uint32_t audience, uint32_t viewers)
{
    uint32_t room = cap_of(race, item) - race->shown[item];

    if (viewers > room)
        viewers = room;
    if (viewers > race->left)
        viewers = race->left;
    if (race->world->tapes)
        show_tape(race, item, audience, viewers);
    else
        show_drawn(race, item, audience, viewers);
    race->shown[item] += viewers;
    race->left -= viewers;
    return viewers;
}

/* --- order -------------------------------------------------------------------------------------
 */

struct ranked {
    double score;
    uint32_t item;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->item < y->item ? -1 : 1;
}

static void rank(const double *score, uint32_t count, struct ranked *order)
{
    for (uint32_t i = 0; i < count; i++)
        order[i] = (struct ranked){score[i], i};
    qsort(order, count, sizeof *order, by_score);
}

static const struct pool_seen *seen_of(const struct pool_race *race, uint32_t i)
{
    return &race->item[i].seen[0];
}

/* Likes, or value, of impressions; as counted. */
static double rate_of(const struct pool_race *race, const struct pool_policy *policy, uint32_t i)
{
    const struct pool_seen *seen = seen_of(race, i);
    const double *weight = race->world->platform.weight;

    if (seen->n <= 0)
        return 0;
    if (!policy->by_value)
        return seen->s[POOL_LIKE] / seen->n;
    return (weight[POOL_LIKE] * seen->s[POOL_LIKE] + weight[POOL_LONG] * seen->s[POOL_LONG]) /
           seen->n;
}

static void score_by_rate(struct pool_race *race, const struct pool_policy *policy)
{
    for (uint32_t i = 0; i < race->world->count; i++)
        race->score[i] = rate_of(race, policy, i);
}

static void show_each(struct pool_race *race, uint32_t viewers)
{
    for (uint32_t i = 0; i < race->world->count; i++)
        pool_show(race, i, 0, viewers);
}

/* Evenly over those that are left, until there is nothing left to give (or nobody to see it). */
static void show_rest(struct pool_race *race, const bool *out)
{
    uint32_t before;

    do {
        uint32_t in = 0, each;

        before = race->left;
        for (uint32_t i = 0; i < race->world->count; i++)
            in += !out[i] && race->shown[i] < cap_of(race, i);
        if (in == 0)
            return;
        each = race->left / in > 0 ? race->left / in : 1;
        for (uint32_t i = 0; i < race->world->count; i++)
            if (!out[i])
                pool_show(race, i, 0, each);
    } while (race->left > 0 && race->left < before);
}

/* --- the rivals ------------------------------------------------------------------------------- */

/* Of the first 100 impressions under 3 % likes: stop. The rest goes to those that passed. */
static void play_literal(struct pool_race *race, const struct pool_policy *policy)
{
    const struct pool_rule *rule = pool_rule_of(policy->rule);
    struct pool_platform platform;
    struct pool_decision decision;

    pool_unlearnt(rule, &platform);
    show_each(race, (uint32_t)rule->first);
    for (uint32_t i = 0; i < race->world->count; i++) {
        pool_step(rule, &platform, platform.rate, &race->item[i], 0, &decision);
        race->ended[i] = decision.verdict == POOL_STOP_LITERAL;
    }
    show_rest(race, race->ended);
    score_by_rate(race, policy);
    for (uint32_t i = 0; i < race->world->count; i++)
        race->score[i] -= race->ended[i] ? 1e6 : 0; /* a stopped item is not chosen */
}

/* Karnin, Koren, Somekh, "Almost optimal exploration in multi-armed bandits", ICML 2013; halved
 * until the tenth is left. */
static void play_halving(struct pool_race *race, const struct pool_policy *policy)
{
    uint32_t count = race->world->count, in = count, last = count / 10, rounds = 1;
    struct ranked order[POOL_ITEMS_MAX] = {0};
    bool everybody[POOL_ITEMS_MAX] = {0};

    for (uint32_t i = count; i > last; i = (i + 1) / 2)
        rounds++;
    for (uint32_t r = 0; r < rounds; r++) {
        uint32_t each = race->left / (rounds - r) / in;

        for (uint32_t i = 0; i < count; i++)
            if (!race->ended[i])
                pool_show(race, i, 0, each);
        score_by_rate(race, policy);
        for (uint32_t i = 0; i < count; i++)
            race->score[i] -= race->ended[i] ? 1e6 : 0;
        rank(race->score, count, order);
        if (in == last)
            break;
        in = (in + 1) / 2 > last ? (in + 1) / 2 : last;
        for (uint32_t k = in; k < count; k++)
            race->ended[order[k].item] = true;
    }
    show_rest(race, race->ended);
    show_rest(race, everybody);
}

/* Ten viewers are shown the best twenty by the numbers so far, but each slot is any item with 10 %.
 */
static void play_greedy(struct pool_race *race, const struct pool_policy *policy)
{
    struct ranked order[POOL_ITEMS_MAX] = {0};
    uint32_t count = race->world->count, before;

    show_each(race, CHUNK);
    do {
        before = race->left;
        score_by_rate(race, policy);
        rank(race->score, count, order);
        for (uint32_t slot = 0, k = 0; slot < POOL_SLOTS; slot++) {
            if (pool_random_unit(&race->random) < GREEDY_PART) {
                pool_show(race, pool_random_below(&race->random, count), 0, CHUNK);
                continue;
            }
            while (k < count && pool_show(race, order[k++].item, 0, CHUNK) == 0)
                continue;
        }
    } while (race->left > 0 && (race->left < before || count > 0));
    score_by_rate(race, policy);
}

static double sample(struct pool_race *race, const struct pool_policy *policy, uint32_t i)
{
    const struct pool_world *world = race->world;
    const struct gate_beta *prior = policy->no_tags ? world->platform.rate : world->item[i].prior;
    const struct pool_seen *seen = seen_of(race, i);
    struct gate_count likes = {seen->n, seen->s[POOL_LIKE]}, longs = {seen->n, seen->s[POOL_LONG]};

    if (!policy->by_value)
        return pool_random_beta(&race->random, gate_posterior(gate_prior_x, likes));
    return world->platform.weight[POOL_LIKE] *
               pool_random_beta(&race->random, gate_posterior(prior[POOL_LIKE], likes)) +
           world->platform.weight[POOL_LONG] *
               pool_random_beta(&race->random, gate_posterior(prior[POOL_LONG], longs));
}

static double expected(const struct pool_race *race, const struct pool_policy *policy, uint32_t i)
{
    const struct pool_world *world = race->world;
    const struct gate_beta *prior = policy->no_tags ? world->platform.rate : world->item[i].prior;
    const struct pool_seen *one = &race->item[i].seen[0], *two = &race->item[i].seen[1];
    double value = 0;

    if (!policy->by_value)
        return gate_mean(
            gate_posterior(gate_prior_x, (struct gate_count){one->n, one->s[POOL_LIKE]}));
    for (uint32_t m = 0; m < POOL_METRICS; m++)
        value += world->platform.weight[m] *
                 gate_mean(gate_posterior(
                     prior[m], (struct gate_count){one->n + two->n, one->s[m] + two->s[m]}));
    return value;
}

/* Ten viewers are shown the twenty with the best samples (Thompson 1933; several plays: Komiyama et
 * al., ICML 2015). */
static void play_thompson(struct pool_race *race, const struct pool_policy *policy)
{
    struct ranked order[POOL_ITEMS_MAX] = {0};
    uint32_t count = race->world->count, before;

    do {
        before = race->left;
        for (uint32_t i = 0; i < count; i++)
            race->score[i] = sample(race, policy, i);
        rank(race->score, count, order);
        for (uint32_t slot = 0, k = 0; slot < POOL_SLOTS; slot++)
            while (k < count && pool_show(race, order[k++].item, 0, CHUNK) == 0)
                continue;
    } while (race->left > 0 && race->left < before);
    for (uint32_t i = 0; i < count; i++)
        race->score[i] = expected(race, policy, i);
}

/* --- ours ---------------------------------------------------------------------------------------
 */

static struct pool_rule rule_of(const struct pool_world *world, const struct pool_policy *policy)
{
    struct pool_rule rule = *world->rule;

    if (policy->bar_quantile > 0)
        rule.bar_quantile = policy->bar_quantile;
    if (policy->half > 0)
        rule.half = policy->half;
    if (policy->steep > 0)
        rule.steep = policy->steep;
    if (policy->one_audience)
        rule.kin = 1;
    rule.author_decay = rule.author_cap = 1; /* a cohort of strangers */
    rule.newcomer_share = 0;
    return rule;
}

static void give(struct pool_race *race, const struct pool_entry *entry, const uint8_t *audience)
{
    for (uint32_t k = 0; k < race->world->count; k++) {
        uint32_t i = (uint32_t)entry[k].id;

        pool_show(race, i, audience[i], pool_random_round(&race->random, entry[k].budget));
    }
}

/* What its stage and its viewers leave. */
static double room_of(const struct pool_race *race, const struct pool_rule *rule, uint32_t i)
{
    uint32_t stage = 0;

    while (stage + 1 < rule->stages && race->shown[i] >= rule->stage_end[stage])
        stage++;
    return fmin(pool_room(rule, stage, race->shown[i]), cap_of(race, i) - race->shown[i]);
}

/* One round: everybody is looked at, and what there is is shared out. */
static void play_round(struct pool_race *race, const struct pool_policy *policy,
                       const struct pool_rule *rule, const struct pool_platform *platform,
                       double supply)
{
    const struct pool_world *world = race->world;
    struct pool_entry entry[POOL_ITEMS_MAX];
    uint8_t audience[POOL_ITEMS_MAX];

    for (uint32_t i = 0; i < world->count; i++) {
        const struct gate_beta *prior = policy->no_tags ? platform->rate : world->item[i].prior;
        struct pool_look *look = &race->look[i];

        if (race->looked[i] != race->shown[i]) /* what did not change is not looked at again */
            pool_look(rule, platform, prior, &race->item[i], look);
        race->looked[i] = race->shown[i];
        audience[i] = look->audience;
        entry[i] = (struct pool_entry){
            .id = i, .author = i, .share = look->share, .room = room_of(race, rule, i)};
        if (policy->plain_share)
            entry[i].share = look->chance;
        if (race->ended[i])
            entry[i].share = 0;
    }
    pool_deal(rule, entry, world->count, supply);
    give(race, entry, audience);
}

static void look_for_ends(struct pool_race *race, const struct pool_policy *policy,
                          const struct pool_rule *rule, const struct pool_platform *platform)
{
    for (uint32_t i = 0; i < race->world->count; i++) {
        const struct gate_beta *prior =
            policy->no_tags ? platform->rate : race->world->item[i].prior;

        race->ended[i] =
            race->ended[i] || pool_proof(rule, platform, prior, &race->item[i]) != POOL_STAY;
    }
}

static void play_zan(struct pool_race *race, const struct pool_policy *policy)
{
    const struct pool_world *world = race->world;
    struct pool_rule rule = rule_of(world, policy);
    struct pool_platform platform = world->platform;
    double supply = ROUND_FIRST * world->count, most = ROUND_LAST * world->count;
    bool nobody[POOL_ITEMS_MAX] = {0};

    if (policy->bar_quantile > 0)
        pool_relevel(&rule, world->values, world->learnt, &platform);
    show_each(race, (uint32_t)rule.first);
    for (uint32_t round = 0; race->left > world->count / 2; round++) {
        play_round(race, policy, &rule, &platform, fmin(supply, race->left));
        supply = fmin(supply * ROUND_GROWS, most);
        if (round % 8 == 7)
            look_for_ends(race, policy, &rule, &platform);
    }
    show_rest(race, race->left > 0 ? nobody : race->ended);
    for (uint32_t i = 0; i < world->count; i++)
        race->score[i] = expected(race, policy, i);
}

/* --- the table ----------------------------------------------------------------------------------
 */

const struct pool_policy pool_policies[] = {
    {.name = "zan",

     .what = "the preset default, or what the scenario says",
     .play = play_zan,
     .by_value = true},
    {.name = "literal",
     .what = "under 3 % likes of the first 100: stop; the rest evenly",
     .rival = true,

     .play = play_literal,
     .rule = "douyin"},
    {.name = "halving",
     .what = "successive halving by likes",
     .rival = true,

     .play = play_halving},
    {.name = "greedy",
     .what = "epsilon-greedy (0.1) by likes",
     .rival = true,

     .play = play_greedy},
    {.name = "thompson",
     .what = "Thompson sampling, likes, Beta(0.75, 49.25)",
     .rival = true,

     .play = play_thompson},
    {.name = "halving+",

     .what = "halving by value",
     .play = play_halving,
     .by_value = true},
    {.name = "greedy+",

     .what = "epsilon-greedy by value",
     .play = play_greedy,
     .by_value = true},
    {.name = "thompson+",

     .what = "Thompson by value, learnt priors",
     .play = play_thompson,
     .by_value = true,
     .no_tags = true},
    {.name = "thompson++",

     .what = "the same, priors by tag",
     .play = play_thompson,
     .by_value = true},
    {.name = "chance",
     .what = "ours, share = chance of the best tenth",
     .play = play_zan,
     .by_value = true,
     .plain_share = true,
     .bar_quantile = 0.9},
    {.name = "no tags",
     .what = "ours, one prior for all",
     .play = play_zan,
     .by_value = true,
     .no_tags = true},
    {.name = "one audience",
     .what = "ours, without a second audience",
     .play = play_zan,
     .by_value = true,
     .one_audience = true},
    {.name = "0.8 0.2 2.5",
     .what = "ours, other bar and half",
     .play = play_zan,
     .by_value = true,
     .bar_quantile = 0.8,
     .half = 0.2},
    {.name = "0.9 0.02 2.5",
     .what = "ours, other bar and half",
     .play = play_zan,
     .by_value = true,
     .bar_quantile = 0.9,
     .half = 0.02},
    {.name = "0.85 0.15 2.5",
     .what = "ours, other half",
     .play = play_zan,
     .by_value = true,
     .half = 0.15},
    {.name = "0.85 0.09 2",
     .what = "ours, less steep",
     .play = play_zan,
     .by_value = true,
     .steep = 2},
};
const uint32_t pool_policy_count = sizeof pool_policies / sizeof pool_policies[0];

static void judge(const struct pool_race *race, struct pool_figures *figures)
{
    const struct pool_world *world = race->world;
    struct ranked order[POOL_ITEMS_MAX] = {0};
    double best = 0, all = 0;

    memset(figures, 0, sizeof *figures);
    rank(race->score, world->count, order);
    for (uint32_t i = 0; i < world->count; i++) {
        const struct pool_entrant *item = &world->item[i];

        all += race->shown[i];
        figures->wasted += item->worst ? race->shown[i] : 0;
        if (!item->best)
            continue;
        best += 1;
        figures->stopped += race->shown[i] < world->even;
        figures->ended += race->ended[i];
        figures->best_share += race->shown[i];
    }
    for (uint32_t k = 0; k < world->count / 10; k++)
        figures->found += world->item[order[k].item].best;
    figures->found /= best;
    figures->stopped /= best;
    figures->ended /= best;
    figures->wasted /= all;
    figures->best_share /= all;
}

void pool_race_begin(const struct pool_world *world, uint64_t seed, struct pool_race *race)
{
    memset(race, 0, sizeof *race);
    race->world = world;
    race->random = (struct pool_random){hash_two(seed, 2)};
    race->left = world->count * world->even;
    for (uint32_t i = 0; i < world->count && world->tapes; i++)
        race->begin[i] = pool_random_below(&race->random, world->item[i].video->shown);
}

void pool_race_run(const struct pool_world *world, const struct pool_policy *policy, uint64_t seed,
                   struct pool_race *race, struct pool_figures *figures)
{
    pool_race_begin(world, seed, race);
    policy->play(race, policy);
    judge(race, figures);
}
