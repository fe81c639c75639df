/* block.c: see block.h. Only what the block may touch is looked at: the nodes with odds, all their
 * members, and nodes where two likely members meet. Odds of nodes and accounts move half of the way
 * each round, which keeps the two sides from swinging. */
#include "readers/detect/block.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "readers/detect/quick.h"

#define ROUNDS_MAX     40
#define ROUNDS_MIN     8
#define SETTLED        1e-3 /* the likes inside change by less than that share of them */
#define LEAST_INSIDE   2.0  /* fewer likes inside: the block is gone */
#define DISSOLVING     0.3
#define LEAST_SHARE    0.02 /* of a node's likes that are honest, at least */
#define LEAST_LAMBDA   0.2F
#define FIRST_ODDS     4.0F   /* of the nodes it begins with */
#define FORGOTTEN_ODDS -10.0F /* a node below says nothing */
#define MEETING_ODDS   -2.2F  /* an account of 0.1 and more brings its nodes in, if two meet */

struct side {
    uint32_t *list; /* touched */
    uint32_t count;
    uint8_t *on; /* touched in this round */
};

struct block_work {
    struct layer layer;
    const uint8_t *gone;
    float *said_to_account, *said_to_node; /* [likes] what a like says, in nats */
    float *account_odds, *node_odds, *lambda;
    struct side account, node;
    uint8_t *met;                   /* [nodes] likely members, up to 2 */
    double members, nodes, density; /* |A|, |C|, q */
    float rest;                     /* odds of an account that no node of the block has */
    double inside;
};

/* Weight of its likes that are there. */
static float live_weight(const struct block_work *work, uint32_t node)
{
    float weight = 0;

    for (uint32_t i = work->layer.like[node]; i < work->layer.like[node + 1]; i++)
        weight += work->gone[i] == 0 ? work->layer.graph->weight[i] : 0;
    return weight;
}

static float least_lambda(float size)
{
    float least = (float)LEAST_SHARE * size;

    return least > LEAST_LAMBDA ? least : LEAST_LAMBDA;
}

static void touch(struct side *side, uint32_t who)
{
    if (side->on[who] == 0) {
        side->on[who] = 1;
        side->list[side->count++] = who;
    }
}

static void forget(struct side *side)
{
    for (uint32_t i = 0; i < side->count; i++)
        side->on[side->list[i]] = 0;
    side->count = 0;
}

/* --- accounts listen to nodes --- */

static void hear_node(struct block_work *work, uint32_t c)
{
    const struct graph *graph = work->layer.graph;
    float strength = (float)(work->density * graph->weight_all) / work->lambda[c];

    for (uint32_t i = work->layer.like[c]; i < work->layer.like[c + 1]; i++) {
        uint32_t u = graph->account[i];

        if (work->gone[i] != 0)
            continue;
        if (work->account.on[u] == 0) {
            touch(&work->account, u);
            work->account_odds[u] = 0;
        }
        float echo = PLANTED("detect.own_voice") ? 0 : work->said_to_node[i];
        float belief = quick_share(work->node_odds[c] - echo);
        float said = graph->weight[i] * quick_log(1 + belief * strength / graph->account_weight[u]);

        work->said_to_account[i] = said;
        work->account_odds[u] += said;
    }
}

/* Sums, then odds. */
static void hear_nodes(struct block_work *work)
{
    double prior = log(work->members / work->layer.graph->accounts);
    float rest = (float)(prior - work->density * work->nodes), members;

    forget(&work->account);
    for (uint32_t k = 0; k < work->node.count; k++)
        if (work->node_odds[work->node.list[k]] > FORGOTTEN_ODDS)
            hear_node(work, work->node.list[k]);
    work->rest = rest;
    members = (float)(work->layer.graph->accounts - work->account.count) * quick_share(rest);
    for (uint32_t k = 0; k < work->account.count; k++) {
        uint32_t u = work->account.list[k];

        work->account_odds[u] += rest;
        members += quick_share(work->account_odds[u]);
    }
    work->members = members > 3 ? members : 3;
}

/* --- nodes listen to accounts --- */

static void find_meetings(struct block_work *work, uint32_t least)
{
    const struct graph *graph = work->layer.graph;

    for (uint32_t k = 0; k < work->account.count; k++) {
        uint32_t u = work->account.list[k];

        if (work->account_odds[u] < MEETING_ODDS)
            continue;
        for (uint32_t j = graph->account_like[u]; j < graph->account_like[u + 1]; j++) {
            uint32_t like = graph->like_of[j], c = layer_node(&work->layer, like);

            if (work->gone[like] != 0 || work->node.on[c] != 0)
                continue;
            if (++work->met[c] < least)
                continue;
            work->met[c] = 0;
            touch(&work->node, c);
            work->node_odds[c] = -INFINITY;
            work->lambda[c] = live_weight(work, c);
        }
    }
    for (uint32_t k = 0; k < work->account.count; k++) { /* met[] back to 0 */
        uint32_t u = work->account.list[k];

        if (work->account_odds[u] < MEETING_ODDS)
            continue;
        for (uint32_t j = graph->account_like[u]; j < graph->account_like[u + 1]; j++)
            work->met[layer_node(&work->layer, graph->like_of[j])] = 0;
    }
}

static float odds_of(const struct block_work *work, uint32_t u)
{
    return work->account.on[u] != 0 ? work->account_odds[u] : work->rest;
}

static void hear_members(struct block_work *work, uint32_t c)
{
    const struct graph *graph = work->layer.graph;
    float size = live_weight(work, c), lambda = work->lambda[c], all = 0, members = 0;
    float strength = (float)(work->density * graph->weight_all);

    for (uint32_t i = work->layer.like[c]; i < work->layer.like[c + 1]; i++) {
        uint32_t u = graph->account[i];

        if (work->gone[i] != 0)
            continue;
        float odds = odds_of(work, u), belief = quick_share(odds - work->said_to_account[i]);
        float ratio = (belief * strength / graph->account_weight[u] + (1 - belief) * lambda) / size;
        float said = graph->weight[i] * quick_log(ratio);

        work->said_to_node[i] = said;
        all += said;
        members += graph->weight[i] * quick_share(odds);
    }
    float odds = (float)log(work->nodes / work->layer.nodes) + all -
                 ((float)(work->density * work->members) + lambda - size);

    work->node_odds[c] =
        work->node_odds[c] == -INFINITY ? odds : 0.5F * (work->node_odds[c] + odds);
    work->lambda[c] = fmaxf(size - members, least_lambda(size));
    if (work->node_odds[c] > -30)
        work->inside += (double)(members * quick_share(work->node_odds[c]));
}

/* Nodes where `least` likely members meet are heard. Those that say nothing any more leave the
 * list, unless all are to stay: at the end, when each is told its odds. */
static void hear_accounts(struct block_work *work, uint32_t least, bool stay)
{
    double nodes = 0;
    uint32_t kept = 0;

    find_meetings(work, least);
    work->inside = 0;
    for (uint32_t k = 0; k < work->node.count; k++) {
        uint32_t c = work->node.list[k];

        hear_members(work, c);
        nodes += (double)quick_share(work->node_odds[c]);
        if (stay || work->node_odds[c] > FORGOTTEN_ODDS) {
            work->node.list[kept++] = c;
            continue;
        }
        work->node.on[c] = 0;
        for (uint32_t i = work->layer.like[c]; i < work->layer.like[c + 1]; i++)
            work->said_to_account[i] = work->said_to_node[i] = 0;
    }
    work->node.count = kept;
    work->nodes = nodes > 2 ? nodes : 2;
    work->density = work->inside / (work->members * work->nodes);
    if (work->density < 1e-5)
        work->density = 1e-5;
}

/* --- a fit --- */

static void begin(struct block_work *work, const uint8_t *account_in, const uint8_t *node_in,
                  bool widely)
{
    const struct graph *graph = work->layer.graph;
    double inside = 0;

    memset(work->said_to_account, 0, graph->likes * sizeof(float));
    memset(work->said_to_node, 0, graph->likes * sizeof(float));
    forget(&work->account);
    forget(&work->node);
    for (uint32_t c = 0; c < work->layer.nodes; c++) {
        float members = 0, size = 0;

        if (node_in[c] == 0)
            continue;
        touch(&work->node, c);
        for (uint32_t i = work->layer.like[c]; i < work->layer.like[c + 1]; i++)
            if (work->gone[i] == 0) {
                bool in = widely || account_in[graph->account[i]] != 0;

                size += graph->weight[i];
                members += in ? graph->weight[i] : 0;
                if (in)
                    touch(&work->account, graph->account[i]);
            }
        inside += (double)members;
        work->node_odds[c] = FIRST_ODDS;
        work->lambda[c] = fmaxf(size - members, least_lambda(size));
    }
    work->members = work->account.count;
    work->nodes = work->node.count;
    work->density = inside / (work->members * work->nodes);
}

static double xlog(double x, double y)
{
    return x > 0 ? x * log(x / y) : 0;
}

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* What the model says of the accounts, whoever of them is in it, and of its nodes' sizes. */
static void weigh(const struct block_work *work, struct block *out)
{
    double accounts = work->layer.graph->accounts, outside = 1 - work->members / accounts;

    out->likelihood = (accounts - work->account.count) * log(outside + exp((double)work->rest));
    for (uint32_t k = 0; k < work->account.count; k++) {
        double odds = (double)work->account_odds[work->account.list[k]];

        out->likelihood += odds > 30 ? odds : log(outside + exp(odds));
    }
    for (uint32_t k = 0; k < work->node.count; k++) {
        uint32_t c = work->node.list[k];
        double size = (double)live_weight(work, c), lambda = (double)work->lambda[c];

        if (work->node_odds[c] > 0)
            out->likelihood += size * log(lambda / size) - lambda + size;
    }
    out->paid = log_choose(work->layer.nodes, out->nodes) + 0.5 * (out->nodes + 2) * log(accounts);
}

static void judge(struct block_work *work, struct block *out)
{
    const struct graph *graph = work->layer.graph;
    double all = 0, sizes = 0, inside = 0;

    for (uint32_t k = 0; k < work->account.count; k++) {
        uint32_t u = work->account.list[k];

        if (work->account_odds[u] > 0) {
            out->accounts++;
            all += (double)graph->account_weight[u];
        }
    }
    for (uint32_t k = 0; k < work->node.count; k++) {
        uint32_t c = work->node.list[k];

        if (work->node_odds[c] <= 0)
            continue;
        out->nodes++;
        sizes += (double)layer_weight(&work->layer, c);
        for (uint32_t i = work->layer.like[c]; i < work->layer.like[c + 1]; i++)
            if (work->gone[i] == 0 && odds_of(work, graph->account[i]) > 0) {
                out->inside++;
                inside += (double)graph->weight[i];
            }
    }
    if (out->inside == 0) {
        out->accounts = out->nodes = 0;
        return;
    }
    out->expected = all * sizes / graph->weight_all;
    out->evidence = xlog(inside, out->expected) + xlog(all - inside, all - out->expected);
    out->cost =
        log_choose(graph->accounts, out->accounts) + log_choose(work->layer.nodes, out->nodes);
    weigh(work, out);
}

/* The odds of those that are not touched. */
static void fill(struct block_work *work, struct block *out)
{
    for (uint32_t u = 0; u < work->layer.graph->accounts; u++)
        if (work->account.on[u] == 0)
            work->account_odds[u] = work->rest;
    for (uint32_t c = 0; c < work->layer.nodes; c++)
        if (work->node.on[c] == 0)
            work->node_odds[c] = -INFINITY;
    out->account_odds = work->account_odds;
    out->node_odds = work->node_odds;
    out->rest = work->rest;
    out->density = work->density;
}

/* Losing most of its likes in a round while it gets thinner: that goes on until nothing is left. A
 * block that sheds others gets denser. */
static bool dissolves(const struct block_work *work, double inside_before, double density_before)
{
    return work->inside < DISSOLVING * inside_before && work->density < density_before;
}

void block_fit(struct block_work *work, const uint8_t *account_in, const uint8_t *node_in,
               bool widely, struct block *out)
{
    double before = 0, density;

    *out = (struct block){0};
    begin(work, account_in, node_in, widely);
    for (uint32_t round = 0; round < ROUNDS_MAX && work->account.count > 0; round++) {
        density = work->density;
        hear_nodes(work);
        hear_accounts(work, 2, false);
        if (work->inside < LEAST_INSIDE || (round > 0 && dissolves(work, before, density))) {
            forget(&work->node);
            break;
        }
        if (round >= ROUNDS_MIN && fabs(work->inside - before) < SETTLED * work->inside)
            break;
        before = work->inside;
    }
    if (work->node.count > 0) {
        hear_accounts(work, 1, true);
        hear_nodes(work);
    }
    judge(work, out);
    fill(work, out);
}

struct block_work *block_open(const struct layer *layer, const uint8_t *gone)
{
    const struct graph *graph = layer->graph;
    struct block_work *work = calloc(1, sizeof *work);

    if (work == NULL)
        return NULL;
    work->layer = *layer;
    work->gone = gone;
    work->said_to_account = malloc(graph->likes * sizeof(float));
    work->said_to_node = malloc(graph->likes * sizeof(float));
    work->account_odds = malloc(graph->accounts * sizeof(float));
    work->node_odds = malloc(layer->nodes * sizeof(float));
    work->lambda = malloc(layer->nodes * sizeof(float));
    work->met = calloc(layer->nodes, 1);
    work->account = (struct side){.list = malloc(graph->accounts * sizeof(uint32_t)),
                                  .on = calloc(graph->accounts, 1)};
    work->node = (struct side){.list = malloc(layer->nodes * sizeof(uint32_t)),
                               .on = calloc(layer->nodes, 1)};
    if (work->said_to_account != NULL && work->said_to_node != NULL && work->account_odds != NULL &&
        work->node_odds != NULL && work->lambda != NULL && work->met != NULL &&
        work->account.list != NULL && work->account.on != NULL && work->node.list != NULL &&
        work->node.on != NULL)
        return work;
    block_close(work);
    return NULL;
}

void block_close(struct block_work *work)
{
    if (work == NULL)
        return;
    free(work->said_to_account);
    free(work->said_to_node);
    free(work->account_odds);
    free(work->node_odds);
    free(work->lambda);
    free(work->met);
    free(work->account.list);
    free(work->account.on);
    free(work->node.list);
    free(work->node.on);
    free(work);
}
