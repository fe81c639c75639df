/* pool.c: the decision about one item. See pool.h; sharing out is pool_deal.c. */
#include "readers/discover/pool.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"

#define LEARN_FROM 100.0 /* impressions of an item that teaches */
#define RATE_MAX   0.98  /* a bar above is none */
#define DAY_US     (24LL * 3600 * 1000000)

const char *const pool_metric_names[POOL_METRICS] = {"long-view", "like", "comment", "share",
                                                     "negative"};
const char *const pool_verdict_names[POOL_VERDICTS] = {
    "first", "stay", "climb", "second", "stop", "stop-negative", "stop-literal"};

/* The ladder of default: five times more each time, from the 200 to 500 that are told of the first
 * pool (FEATURES F68, unofficial). bar, half and steep: docs/results/pool-*.md, table "designs". */
#define OURS                                                                                       \
    .version = 2, .stages = 8, .stage_end = {40, 200, 1000, 5000, 25000, 125000, 625000, 1e9},     \
    .first = 8, .floor = 8, .bar_quantile = 0.85, .half = 0.095, .steep = 2.5, .alpha = 0.05,      \
    .kin = 0.9, .break_rate = 0.15, .break_sure = 0.95, .break_from = 0.80, .negative_times = 5,   \
    .newcomer_share = 0.1, .author_decay = 0.5, .author_floor = 0.25, .author_cap = 0.05,          \
    .stop_us = 30 * DAY_US

const struct pool_rule pool_rules[] = {
    {.name = "default", .worth = {[POOL_LONG] = 1, [POOL_LIKE] = 1}, OURS},
    {.name = "likes", .worth = {[POOL_LIKE] = 1}, OURS},
    {
        .name = "douyin",
        .version = 1,
        .literal = true,
        .stages = 8,
        .stage_end = {100, 500, 3000, 15000, 75000, 375000, 1875000, 1e9},
        .first = 100,
        .floor = 100,
        .worth = {[POOL_LIKE] = 1},
        .bar_quantile = 0.85,
        .half = 0.15,
        .steep = 2,
        .alpha = 0.05,
        .kin = 1,
        .literal_rate = 0.03,
        .break_rate = 0.15,
        .break_sure = 0.95,
        .break_from = 0.80,
        .negative_times = 5,
        .author_decay = 1,
        .author_floor = 1,
        .author_cap = 1,
        .stop_us = 30 * DAY_US,
    },
};
const uint32_t pool_rule_count = sizeof pool_rules / sizeof pool_rules[0];

const struct pool_rule *pool_rule_of(const char *name)
{
    for (uint32_t i = 0; i < pool_rule_count; i++)
        if (strcmp(pool_rules[i].name, name) == 0)
            return &pool_rules[i];
    return NULL;
}

/* --- what the platform teaches -----------------------------------------------------------------
 */

/* Long views are three of ten by their definition (discovery.md), likes as X published them;
 * comments, shares and negatives a tenth of likes. */
static const struct gate_beta unlearnt[POOL_METRICS] = {
    [POOL_LONG] = {3, 7},
    [POOL_LIKE] = {0.75, 49.25},
    [POOL_COMMENT] = {0.075, 49.925},
    [POOL_SHARE] = {0.075, 49.925},
    [POOL_NEGATIVE] = {0.075, 49.925},
};

static double worth_sum(const struct pool_rule *rule)
{
    double sum = 0;

    for (uint32_t m = 0; m < POOL_METRICS; m++)
        sum += rule->worth[m];
    return sum;
}

static void set_weights(const struct pool_rule *rule, struct pool_platform *platform)
{
    for (uint32_t m = 0; m < POOL_METRICS; m++)
        platform->weight[m] = rule->worth[m] / gate_mean(platform->rate[m]);
}

/* Bars of single rates such that rates that are all under theirs make a value under bar. */
static void set_bars(const struct pool_rule *rule, struct pool_platform *platform, double bar)
{
    double times = bar / worth_sum(rule);

    platform->bar = bar;
    for (uint32_t m = 0; m < POOL_METRICS; m++)
        platform->rate_bar[m] = fmin(times * gate_mean(platform->rate[m]), RATE_MAX);
    platform->rate_bar[POOL_COMMENT] = rule->break_rate;
    platform->rate_bar[POOL_NEGATIVE] =
        fmin(rule->negative_times * gate_mean(platform->rate[POOL_NEGATIVE]), RATE_MAX);
}

void pool_unlearnt(const struct pool_rule *rule, struct pool_platform *platform)
{
    memcpy(platform->rate, unlearnt, sizeof unlearnt);
    for (uint32_t m = 0; m < POOL_METRICS; m++)
        platform->strength[m] = unlearnt[m].a + unlearnt[m].b;
    set_weights(rule, platform);
    set_bars(rule, platform, 1.5 * worth_sum(rule));
}

static bool teaches(const struct pool_past *past)
{
    return past->seen.n >= LEARN_FROM;
}

static double rate_of(const struct pool_past *past, uint32_t metric)
{
    return past->seen.s[metric] / past->seen.n;
}

/* As gate_learn does; here around the means that means() gives. */
struct spread {
    double away, chance, items;
};

static void spread_add(struct spread *spread, const struct pool_past *past, uint32_t metric,
                       double mean)
{
    double away = rate_of(past, metric) - mean;

    spread->away += away * away;
    spread->chance += mean * (1 - mean) / past->seen.n;
    spread->items += 1;
}

/* Sums by tag, and the mean of all. */
static double sum_rates(const struct pool_past *past, uint32_t count, uint32_t metric,
                        struct pool_tag *tags)
{
    double sum = 0, items = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (!teaches(&past[i]))
            continue;
        tags[past[i].tag].rates[metric] += rate_of(&past[i], metric);
        sum += rate_of(&past[i], metric);
        items += 1;
    }
    return items >= GATE_LEARN_ITEMS ? sum / items : 0;
}

static double tag_mean(const struct pool_tag *tag, uint32_t metric, double mean)
{
    double of_tag = (tag->rates[metric] + POOL_TAG_KIN * mean) / (tag->items + POOL_TAG_KIN);

    return fmin(fmax(of_tag, 1e-6), 1 - 1e-6);
}

/* Rates spread around the mean of all (rate), and around those of their tags without themselves
 * (strength). */
static bool learn_rate(const struct pool_past *past, uint32_t count, uint32_t metric,
                       struct pool_tag *tags, struct pool_platform *platform)
{
    double mean = sum_rates(past, count, metric, tags);
    struct spread all = {0, 0, 0}, within = {0, 0, 0};
    struct gate_beta alike;

    if (mean <= 0 || mean >= 1)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct pool_tag others;

        if (!teaches(&past[i]))
            continue;
        others = tags[past[i].tag];
        others.rates[metric] -= rate_of(&past[i], metric);
        others.items -= 1;
        spread_add(&all, &past[i], metric, mean);
        spread_add(&within, &past[i], metric, tag_mean(&others, metric, mean));
    }
    platform->rate[metric] = gate_of_moments(mean, (all.away - all.chance) / all.items);
    alike = gate_of_moments(mean, (within.away - within.chance) / within.items);
    platform->strength[metric] = alike.a + alike.b;
    return true;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* What the item's value probably is: rates drawn to the platform's. */
static double value_of(const struct pool_platform *platform, const struct pool_seen *seen)
{
    double value = 0;

    for (uint32_t m = 0; m < POOL_METRICS; m++)
        if (platform->weight[m] > 0)
            value += platform->weight[m] *
                     gate_mean(gate_posterior(platform->rate[m],
                                              (struct gate_count){seen->n, seen->s[m]}));
    return value;
}

bool pool_learn(const struct pool_rule *rule, const struct pool_past *past, uint32_t count,
                double *value, struct pool_tag *tags, uint32_t tag_count,
                struct pool_platform *platform)
{
    uint32_t used = 0;
    bool known;

    pool_unlearnt(rule, platform);
    memset(tags, 0, tag_count * sizeof *tags);
    for (uint32_t i = 0; i < count; i++) {
        assert(past[i].tag < tag_count);
        tags[past[i].tag].items += teaches(&past[i]);
    }
    known = learn_rate(past, count, POOL_LONG, tags, platform);
    known = learn_rate(past, count, POOL_LIKE, tags, platform) && known;
    for (uint32_t m = POOL_COMMENT; m < POOL_METRICS; m++)
        learn_rate(past, count, m, tags, platform);
    if (!known) {
        pool_unlearnt(rule, platform);
        return false;
    }
    set_weights(rule, platform);
    for (uint32_t i = 0; i < count; i++)
        if (teaches(&past[i]))
            value[used++] = value_of(platform, &past[i].seen);
    qsort(value, used, sizeof *value, by_size);
    pool_relevel(rule, value, used, platform);
    return true;
}

void pool_relevel(const struct pool_rule *rule, const double *value, uint32_t count,
                  struct pool_platform *platform)
{
    assert(count > 0);
    set_bars(rule, platform, value[(uint32_t)(rule->bar_quantile * (count - 1))]);
}

void pool_prior(const struct pool_platform *platform, const struct pool_tag *tag,
                struct gate_beta prior[POOL_METRICS])
{
    for (uint32_t m = 0; m < POOL_METRICS; m++) {
        double mean;

        prior[m] = platform->rate[m];
        if (tag == NULL)
            continue;
        mean = tag_mean(tag, m, gate_mean(platform->rate[m]));
        prior[m] =
            (struct gate_beta){mean * platform->strength[m], (1 - mean) * platform->strength[m]};
    }
}

/* --- chance and share --------------------------------------------------------------------------
 */

double pool_multiplier(double weight)
{
    return exp2((fmin(fmax(weight, 0), 100) - 50) / 50);
}

double pool_first(const struct pool_rule *rule, double weight, bool newcomer)
{
    double first = rule->first * pool_multiplier(weight);

    return newcomer ? fmax(first, rule->floor) : first;
}

double pool_share(const struct pool_rule *rule, double chance)
{
    double part = pow(fmin(fmax(chance, 0), 1), rule->steep), half = pow(rule->half, rule->steep);

    return fmin((1 + half) * part / (part + half), 1);
}

/* The audience's own counts, and of the other's the part kin. */
static struct gate_beta posterior_of(const struct pool_rule *rule, const struct gate_beta *prior,
                                     const struct pool_item *item, uint32_t audience,
                                     uint32_t metric)
{
    const struct pool_seen *own = &item->seen[audience], *other = &item->seen[1 - audience];
    double n = own->n + rule->kin * other->n, s = own->s[metric] + rule->kin * other->s[metric];

    return gate_posterior(prior[metric], (struct gate_count){n, s});
}

static struct gate_value value_in(const struct pool_rule *rule,
                                  const struct pool_platform *platform,
                                  const struct gate_beta *prior, const struct pool_item *item,
                                  uint32_t audience)
{
    struct gate_beta rate[POOL_METRICS];
    double weight[POOL_METRICS];
    uint32_t count = 0;

    for (uint32_t m = 0; m < POOL_METRICS; m++) {
        if (platform->weight[m] <= 0)
            continue;
        rate[count] = posterior_of(rule, prior, item, audience, m);
        weight[count++] = platform->weight[m];
    }
    return gate_sum(rate, weight, count);
}

/* Negative feedback dampens: the probability of being under its bar, which is a smooth thing too.
 */
static double harmless(const struct pool_rule *rule, const struct pool_platform *platform,
                       const struct gate_beta *prior, const struct pool_item *item,
                       uint32_t audience)
{
    struct gate_beta rate = posterior_of(rule, prior, item, audience, POOL_NEGATIVE);

    if (item->seen[0].s[POOL_NEGATIVE] + item->seen[1].s[POOL_NEGATIVE] <= 0)
        return 1; /* nobody said anything */
    return gate_cdf(rate, platform->rate_bar[POOL_NEGATIVE]);
}

void pool_look(const struct pool_rule *rule, const struct pool_platform *platform,
               const struct gate_beta *prior, const struct pool_item *item, struct pool_look *look)
{
    double best = -1;

    memset(look, 0, sizeof *look);
    for (uint32_t a = 0; a < POOL_AUDIENCES; a++) {
        struct gate_value value = value_in(rule, platform, prior, item, a);
        double chance =
            gate_sum_above(value, platform->bar) * harmless(rule, platform, prior, item, a);

        if (chance > best) { /* the same: the first */
            best = chance;
            look->chance = chance;
            look->value = value.mean;
            look->audience = (uint8_t)a;
        }
        if (rule->kin >= 1)
            break; /* one audience */
    }
    look->share = pool_share(rule, look->chance);
}

/* --- gates ---------------------------------------------------------------------------------------
 */

/* For being on the bad side, of that audience's own counts. */
static double evidence_of(const struct pool_platform *platform, const struct gate_beta *prior,
                          const struct pool_item *item, uint32_t a, uint32_t m)
{
    struct gate_count count = {item->seen[a].n, item->seen[a].s[m]};

    return m == POOL_NEGATIVE ? gate_over_log(prior[m], count, platform->rate_bar[m])
                              : gate_under_log(prior[m], count, platform->rate_bar[m]);
}

static bool is_proven(const struct pool_rule *rule, double evidence)
{
    return evidence >= -log(rule->alpha);
}

static void judge_gate(const struct pool_rule *rule, const struct pool_platform *platform,
                       const struct gate_beta *prior, const struct pool_item *item, uint32_t a,
                       uint32_t m, struct pool_gate *gate)
{
    const struct pool_seen *own = &item->seen[a];
    bool less_is_better = m == POOL_NEGATIVE;

    gate->count = (struct gate_count){own->n, own->s[m]};
    gate->posterior = posterior_of(rule, prior, item, a, m);
    gate->mean = gate_mean(gate->posterior);
    gate->low = gate_quantile(gate->posterior, 0.05);
    gate->high = gate_quantile(gate->posterior, 0.95);
    gate->bar = platform->rate_bar[m];
    gate->sure = less_is_better ? gate_cdf(gate->posterior, gate->bar)
                                : gate_above(gate->posterior, gate->bar);
    gate->evidence = evidence_of(platform, prior, item, a, m);
    gate->proven = is_proven(rule, gate->evidence);
}

/* Every metric of value proven under its bar. */
static bool all_under(const struct pool_rule *rule, const struct pool_platform *platform,
                      const struct gate_beta *prior, const struct pool_item *item, uint32_t a)
{
    for (uint32_t m = 0; m < POOL_METRICS; m++)
        if (platform->weight[m] > 0 && !is_proven(rule, evidence_of(platform, prior, item, a, m)))
            return false;
    return true;
}

static bool all_bad(const struct pool_rule *rule, const struct pool_platform *platform,
                    const struct gate_beta *prior, const struct pool_item *item)
{
    for (uint32_t a = 0; a < POOL_AUDIENCES; a++)
        if (!is_proven(rule, evidence_of(platform, prior, item, a, POOL_NEGATIVE)))
            return false;
    return true;
}

enum pool_verdict pool_proof(const struct pool_rule *rule, const struct pool_platform *platform,
                             const struct gate_beta *prior, const struct pool_item *item)
{
    bool one = PLANTED("discover.one_audience_stops");

    if (all_bad(rule, platform, prior, item))
        return POOL_STOP_NEGATIVE;
    if (all_under(rule, platform, prior, item, 0) &&
        (one || all_under(rule, platform, prior, item, 1)))
        return POOL_STOP;
    return POOL_STAY;
}

/* Comments over break_rate: a band, not an edge, between break_from and break_sure. */
static void widen(const struct pool_rule *rule, struct pool_decision *out)
{
    double sure = out->gate[out->audience][POOL_COMMENT].sure;

    out->widen =
        fmin(fmax((sure - rule->break_from) / (rule->break_sure - rule->break_from), 0), 1);
    out->breakout = out->gate[out->audience][POOL_COMMENT].low > rule->break_rate;
}

static double seen_of(const struct pool_item *item)
{
    return item->seen[0].n + item->seen[1].n;
}

static void stop(const struct pool_rule *rule, enum pool_verdict verdict, int64_t now_us,
                 struct pool_decision *out)
{
    out->verdict = verdict;
    out->share = out->budget = out->room = 0;
    out->expires_us = now_us + rule->stop_us;
    out->appeal =
        "CASE OPEN: two reviewers decide; a stop that is overturned goes back to its stage";
}

/* How many impressions the stage is. The first begins with nothing; the last, which has no end to
 * speak of, is as much longer as the one before it was. */
static double length_of(const struct pool_rule *rule, uint32_t stage)
{
    double before;

    if (stage == 0)
        return 0;
    if (stage + 1 < rule->stages)
        return rule->stage_end[stage] - rule->stage_end[stage - 1];
    before = length_of(rule, rule->stages - 2);
    return before * before / length_of(rule, rule->stages - 3);
}

double pool_room(const struct pool_rule *rule, uint32_t stage, double seen)
{
    double begin = stage > 0 ? rule->stage_end[stage - 1] : 0, end = rule->stage_end[stage];
    double part = fmin(fmax((seen - begin) / (end - begin), 0), 1);

    assert(stage < rule->stages);
    if (rule->literal || PLANTED("discover.stage_ends_on_an_edge"))
        return fmax(end - seen, 0);
    if (stage + 1 == rule->stages)
        return fmin(length_of(rule, stage), fmax(end - seen, 0));
    return (1 - part) * length_of(rule, stage) + part * length_of(rule, stage + 1);
}

/* A stage that is used up is passed. */
static void climb(const struct pool_rule *rule, const struct pool_item *item,
                  struct pool_decision *out)
{
    double seen = seen_of(item);

    while (out->stage + 1u < rule->stages && seen >= rule->stage_end[out->stage]) {
        out->stage++;
        out->verdict = POOL_CLIMB;
    }
    out->room = pool_room(rule, out->stage, seen);
}

static void step_literal(const struct pool_rule *rule, const struct pool_item *item, int64_t now_us,
                         struct pool_decision *out)
{
    const struct pool_seen *seen = &item->seen[0];

    out->share = 1;
    if (item->stage == 0 && seen->n >= rule->stage_end[0] &&
        seen->s[POOL_LIKE] < rule->literal_rate * seen->n) {
        stop(rule, POOL_STOP_LITERAL, now_us, out);
        return;
    }
    climb(rule, item, out);
    out->budget = out->room;
}

static void step_default(const struct pool_rule *rule, const struct pool_platform *platform,
                         const struct gate_beta *prior, const struct pool_item *item,
                         int64_t now_us, struct pool_decision *out)
{
    enum pool_verdict proof = pool_proof(rule, platform, prior, item);

    if (proof != POOL_STAY) {
        stop(rule, proof, now_us, out);
        return;
    }
    if (seen_of(item) < item->first) { /* given outright */
        out->verdict = POOL_FIRST;
        out->share = 1;
        out->room = item->first - seen_of(item);
        out->budget = out->room;
        return;
    }
    climb(rule, item, out);
    if (out->verdict == POOL_STAY && out->audience == 1 && item->seen[1].n <= 0)
        out->verdict = POOL_SECOND;
    out->budget = out->share * out->room;
}

void pool_step(const struct pool_rule *rule, const struct pool_platform *platform,
               const struct gate_beta *prior, const struct pool_item *item, int64_t now_us,
               struct pool_decision *out)
{
    struct pool_look look;

    assert(item->stage < rule->stages);
    pool_look(rule, platform, prior, item, &look);
    *out = (struct pool_decision){.verdict = POOL_STAY,
                                  .stage = item->stage,
                                  .audience = look.audience,
                                  .chance = look.chance,
                                  .share = look.share,
                                  .value = look.value,
                                  .bar = platform->bar,
                                  .rule = rule->name,
                                  .rule_version = rule->version,
                                  .gate_version = GATE_VERSION};
    for (uint32_t a = 0; a < POOL_AUDIENCES; a++)
        for (uint32_t m = 0; m < POOL_METRICS; m++)
            judge_gate(rule, platform, prior, item, a, m, &out->gate[a][m]);
    if (rule->literal)
        step_literal(rule, item, now_us, out);
    else
        step_default(rule, platform, prior, item, now_us, out);
    widen(rule, out);
    out->circle = (uint8_t)(out->stage + (out->breakout ? 1 : 0));
}

bool pool_suits(const struct pool_decision *decision, double fit, double explore)
{
    static const double least[] = {1.5, 1.2, 0.9};
    uint32_t circles = sizeof least / sizeof least[0];

    if (explore < POOL_EXPLORE)
        return true;
    if (decision->audience == 1)
        return fit < least[1];
    if (decision->circle >= circles)
        return true;
    /* Towards the next circle by as much as it has earned: no edge at a number of comments. */
    double next = decision->circle + 1u < circles ? least[decision->circle + 1] : 0.5;

    return fit >= least[decision->circle] + decision->widen * (next - least[decision->circle]);
}
