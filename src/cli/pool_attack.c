/* pool_attack.c: do fakes change a decision; and who gets the impressions. See pool_eval.h.
 *
 * Fakes are not played through the scorer here: zan simulate does that, and what it leaves of them
 * (docs/simulate.md, docs/results/simulate-*.md) is the weight they come with. The same item, the
 * same honest viewers: each look of the ladder is made twice, without the fakes and with them. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/pool_eval.h"

#define LOOKS 24
#define MUCH  0.1 /* of the room */

/* What the scorer leaves. Brushing ten times over: at the worst moment 3.94 % of the victim's
 * credit, so 0.39 % of each fake; settled 0 and less. Starved gate: fake views that count, 0.03 %
 * at most. The last two are what it would be like without a scorer. */
const struct pool_attack pool_attacks[] = {
    {"brushing", "10 fake likes for each real one, worst moment", 0.32, 0.32, 0.0039, 0.005},
    {"brushing, settled", "the same, three days after", 0.32, 0.32, 0, 0.005},
    {"starved", "a fake view for each real one, none likes", 1, 0, 0.0003, 0.005},
    {"starved x10", "ten fake views for each real one", 10, 0, 0.0003, 0.005},
    {"brushing, unweighed", "as if every fake counted", 0.32, 0.32, 1, -1},
    {"starved, unweighed", "as if every fake counted", 1, 0, 1, -1},
};
const uint32_t pool_attack_count = sizeof pool_attacks / sizeof pool_attacks[0];

/* A like without a view is none at a gate: fakes view as well. */
static void add_fakes(struct pool_item *item, const struct pool_attack *attack)
{
    for (uint32_t a = 0; a < POOL_AUDIENCES; a++) {
        struct pool_seen *seen = &item->seen[a];
        double real = seen->n;

        seen->n += attack->weight * attack->fake_views * real;
        seen->s[POOL_LIKE] += attack->weight * attack->fake_likes * real;
        seen->s[POOL_LONG] += attack->weight * attack->fake_likes * real; /* who brushes, watches */
    }
}

/* Stopped or not, broken out or not. Stages are compared one look later: fakes that count for a
 * fraction of an impression may end a stage by as much earlier. */
static bool same(const struct pool_decision *a, const struct pool_decision *b)
{
    bool stopped_a = a->share <= 0, stopped_b = b->share <= 0;

    return stopped_a == stopped_b && a->breakout == b->breakout;
}

static double show(struct pool_race *race, const struct pool_decision *decision)
{
    uint32_t viewers = pool_random_round(&race->random, fmax(decision->budget, 1));

    if (viewers > 2000)
        viewers = 2000;
    race->left = UINT32_MAX;
    race->shown[0] = 0; /* no end of viewers here */
    return pool_show(race, 0, decision->audience, viewers);
}

static bool attack_zan(struct pool_race *race, const struct pool_attack *attack, double *moved)
{
    const struct pool_world *world = race->world;
    struct pool_item *item = &race->item[0];
    bool changed = false;
    uint8_t before = 0;

    memset(item, 0, sizeof *item);
    item->first = world->rule->first;
    *moved = 0;
    for (uint32_t look = 0; look < LOOKS; look++) {
        struct pool_item with = *item;
        struct pool_decision one, two;

        add_fakes(&with, attack);
        pool_step(world->rule, &world->platform, world->item[0].prior, item, 0, &one);
        pool_step(world->rule, &world->platform, world->item[0].prior, &with, 0, &two);
        changed = changed || !same(&one, &two) || (look > 0 && before > one.stage);
        before = two.stage; /* by the next look the item is there without fakes as well */
        *moved = fmax(*moved, fabs(one.share - two.share));
        item->stage = one.stage;
        if (one.share <= 0)
            break;
        show(race, &one);
    }
    return changed;
}

/* The literal rule, on credited likes of credited views: 3 of 100 just pass, and a little less does
 * not. */
static bool attack_literal(struct pool_race *race, const struct pool_attack *attack)
{
    const struct pool_rule *rule = pool_rule_of("douyin");
    const struct pool_world *world = race->world;
    struct pool_decision one = {.budget = rule->first}, two;
    struct pool_item *item = &race->item[0], with;

    memset(item, 0, sizeof *item);
    show(race, &one);
    with = *item;
    add_fakes(&with, attack);
    pool_step(rule, &world->platform, world->platform.rate, item, 0, &one);
    pool_step(rule, &world->platform, world->platform.rate, &with, 0, &two);
    return !same(&one, &two);
}

void pool_attack_run(const struct pool_world *world, const struct pool_attack *attack,
                     uint64_t seed, struct pool_race *race, struct pool_attack_figures *figures)
{
    double moved;

    pool_race_begin(world, seed, race);
    figures->runs++;
    figures->changed += attack_zan(race, attack, &moved);
    figures->share_moved += moved;
    figures->moved_much += moved > MUCH;
    figures->changed_literal += attack_literal(race, attack);
}

/* --- who gets the impressions -------------------------------------------------------------------
 */

/* Authors publish as many items as Zipf has it; a fifth of the authors are newcomers, with an item
 * each. */
#define AUTHORS_PART 0.4
#define ROUNDS       60

const char *const pool_monopoly_names[POOL_MONOPOLY_KINDS] = {"best so far", "pool, unbounded",
                                                              "pool"};

struct shares {
    struct pool_entry entry[POOL_ITEMS_MAX];
    uint32_t author[POOL_ITEMS_MAX];
    bool newcomer[POOL_ITEMS_MAX];
    double of_author[POOL_ITEMS_MAX];
};

static void draw_authors(struct pool_race *race, struct shares *shares)
{
    uint32_t count = race->world->count, authors = (uint32_t)(AUTHORS_PART * count),
             newcomers = authors / 2;
    double whole = 0;

    for (uint32_t a = 0; a < authors; a++)
        whole += 1.0 / (a + 1);
    for (uint32_t i = 0; i < count; i++) {
        double at = pool_random_unit(&race->random) * whole;
        uint32_t a = 0;

        shares->newcomer[i] = i < newcomers;
        shares->author[i] = authors + i; /* a newcomer's only one */
        while (a + 1 < authors && (at -= 1.0 / (a + 1)) > 0)
            a++;
        if (!shares->newcomer[i])
            shares->author[i] = a;
    }
}

static void play_pool(struct pool_race *race, struct shares *shares, const struct pool_rule *rule,
                      double supply)
{
    const struct pool_world *world = race->world;

    for (uint32_t i = 0; i < world->count; i++) {
        if (race->looked[i] != race->shown[i] || race->shown[i] == 0)
            pool_look(rule, &world->platform, world->item[i].prior, &race->item[i], &race->look[i]);
        race->looked[i] = race->shown[i];
        shares->entry[i] = (struct pool_entry){.id = i,
                                               .author = shares->author[i],
                                               .newcomer = shares->newcomer[i],
                                               .share = race->look[i].share,
                                               .room = world->cap - race->shown[i]};
    }
    pool_deal(rule, shares->entry, world->count, supply);
    for (uint32_t k = 0; k < world->count; k++) {
        uint32_t i = (uint32_t)shares->entry[k].id;

        pool_show(race, i, race->look[i].audience,
                  pool_random_round(&race->random, shares->entry[k].budget));
    }
}

static double value_so_far(const struct pool_race *race, uint32_t i)
{
    const struct pool_seen *seen = &race->item[i].seen[0];
    const double *weight = race->world->platform.weight;

    return seen->n > 0
               ? (weight[POOL_LIKE] * seen->s[POOL_LIKE] + weight[POOL_LONG] * seen->s[POOL_LONG]) /
                     seen->n
               : 0;
}

/* Everything to what looks best, as many as one viewer is shown. */
static void play_best(struct pool_race *race, double supply)
{
    uint32_t each = (uint32_t)(supply / POOL_SLOTS);

    for (uint32_t slot = 0; slot < POOL_SLOTS; slot++) {
        uint32_t best = UINT32_MAX;

        for (uint32_t i = 0; i < race->world->count; i++)
            if (!race->ended[i] &&
                (best == UINT32_MAX || value_so_far(race, i) > value_so_far(race, best)))
                best = i;
        if (best == UINT32_MAX)
            return;
        race->ended[best] = true; /* shown in this round */
        pool_show(race, best, 0, each);
    }
    memset(race->ended, 0, sizeof race->ended);
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* 0: everybody the same; 1: one has all. */
static double gini(double *value, uint32_t count)
{
    double sum = 0, ranked = 0;

    qsort(value, count, sizeof *value, by_number);
    for (uint32_t i = 0; i < count; i++) {
        sum += value[i];
        ranked += (i + 1.0) * value[i];
    }
    return sum > 0 ? 2 * ranked / (count * sum) - (count + 1.0) / count : 0;
}

static void measure(const struct pool_race *race, struct shares *shares,
                    struct pool_monopoly *figures)
{
    uint32_t count = race->world->count, authors = 0;
    double all = 0, items[POOL_ITEMS_MAX] = {0}, who[2 * POOL_ITEMS_MAX] = {0};
    bool is_author[2 * POOL_ITEMS_MAX] = {0};

    memset(figures, 0, sizeof *figures);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = race->shown[i];
        all += race->shown[i];
        who[shares->author[i]] += race->shown[i];
        is_author[shares->author[i]] = true;
        figures->newcomers += shares->newcomer[i] ? race->shown[i] : 0;
    }
    for (uint32_t a = 0; a < 2 * POOL_ITEMS_MAX; a++)
        if (is_author[a])
            who[authors++] = who[a];
    figures->gini_items = gini(items, count);
    figures->gini_authors = gini(who, authors);
    figures->top_author = who[authors - 1] / all;
    figures->newcomers /= all;
}

void pool_monopoly_run(const struct pool_world *world, enum pool_monopoly_kind kind, uint64_t seed,
                       struct pool_race *race, struct pool_monopoly *figures)
{
    struct shares *shares = calloc(1, sizeof *shares);
    struct pool_rule rule = *world->rule;
    double supply;

    if (shares == NULL)
        abort();
    if (kind == POOL_WITHOUT) {
        rule.author_decay = rule.author_cap = 1;
        rule.newcomer_share = 0;
    }
    pool_race_begin(world, seed, race);
    supply = (double)race->left / ROUNDS;
    draw_authors(race, shares);
    for (uint32_t i = 0; i < world->count; i++)
        pool_show(race, i, 0, (uint32_t)rule.first);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        if (kind == POOL_GREEDY)
            play_best(race, supply);
        else
            play_pool(race, shares, &rule, supply);
    }
    measure(race, shares, figures);
    free(shares);
}
