/* discover_answer_reach.c: CAMPAIGN REACH: how many accounts a campaign for these tags could
 * reach (discover_feed.c asks the same of each who looks), and nothing that tells of one of them.
 *
 * What is told is the number with noise of a Laplace distribution, scale 2, in whole tens, and
 * nothing under 50: whether one account is in it changes the chance of any answer by a factor of
 * e^0.5 at most. The noise is made of a secret of the node (a token that nobody is given), the tags
 * and the week: asked again it is the same, so asking often tells no more. With no secret (a node
 * that attests nothing) it is made of the rest.
 *
 * Cost: AUDIENCE_LOOKS accounts are looked at, at most; of more, evenly spread ones. */
#include <math.h>

#include "base/hash.h"
#include "readers/discover/discover_answer_inner.h"
#include "schema/impression.h"
#include "schema/tags.h"

#define AUDIENCE_LEAST 50
#define AUDIENCE_STEP  10
#define AUDIENCE_NOISE 2.0
#define AUDIENCE_LOOKS (1u << 16)
#define WEEK_US        (7LL * 24 * 3600 * 1000000)

struct audience {
    double interested, known;
};

static struct audience look(const struct discover *discover, uint32_t tenant, const uint64_t *tag,
                            uint32_t tags)
{
    const struct table *accounts = &discover->accounts;
    uint32_t every = accounts->fresh / AUDIENCE_LOOKS + 1;
    struct audience audience = {0};

    for (uint32_t row = 0; row < accounts->fresh; row += every) {
        const struct account *account = table_row(accounts, row);

        if (!account->head.used || account->head.c != tenant || account->interest.count == 0)
            continue;
        audience.known += every;
        if (interest_mass(&account->interest, tag, tags) > 0)
            audience.interested += every;
    }
    return audience;
}

/* The same for the same tags in any order, within a week. */
static uint64_t secret_of(const struct answer *answer, const uint64_t *tag, uint32_t tags)
{
    const struct reader_tokens *tokens = &answer->by->tokens;
    int64_t week = answer->now->now_us / WEEK_US;
    struct impression nobodys = {.at_us = week * WEEK_US, .tenant = answer->call->request.tenant};
    char text[IMPRESSION_TEXT] = {0};
    uint64_t seed;

    for (uint32_t i = 0; i < tags; i++)
        nobodys.item += hash_mix(tag[i]);
    if (tokens->make != NULL)
        tokens->make(tokens->context, &nobodys, text);
    seed = hash_two(nobodys.item, (uint64_t)week);
    for (uint32_t i = 0; i < IMPRESSION_TEXT; i++)
        seed = hash_two(seed, (uint8_t)text[i]);
    return seed;
}

static double laplace(uint64_t seed)
{
    /* Between -0.5 and 0.5, neither of them. */
    double u = ((double)(hash_mix(seed) >> 12) + 0.5) / (double)(1ULL << 52) - 0.5;

    return -AUDIENCE_NOISE * copysign(log(1 - 2 * fabs(u)), u);
}

static void put_about(struct answer *answer, const char *name, double count, uint64_t seed)
{
    double told = floor((count + laplace(seed)) / AUDIENCE_STEP) * AUDIENCE_STEP;

    if (told < AUDIENCE_LEAST)
        tree_null(&answer->tree, name);
    else
        tree_counter(&answer->tree, name, (uint64_t)told);
}

void answer_reach(struct answer *answer)
{
    const struct request *request = &answer->call->request;
    struct tag tags[TAGS_MAX];
    uint64_t id[TAGS_MAX], secret;
    uint32_t count = tags_read(request->u.ask.text, request->u.ask.text_size, tags);
    struct audience audience;

    if (count == 0) {
        tree_refuse(answer->call, STATUS_BADTAGS);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        id[i] = tags_id(tags[i].bytes, tags[i].size);
    audience = look(answer->discover, request->tenant, id, count);
    secret = secret_of(answer, id, count);
    tree_begin(&answer->tree, answer->call);
    tree_word(&answer->tree, "formula", answer->by->heat_formula);
    tree_text(&answer->tree, "tags", request->u.ask.text, request->u.ask.text_size);
    put_about(answer, "accounts", audience.interested, secret);
    put_about(answer, "of", audience.known, secret + 1);
    answer_finish(answer);
}
