/* interest.c: see interest.h. */
#include "readers/discover/interest.h"

#include <math.h>

static uint32_t place_of(const struct interest *interest, uint64_t tag)
{
    uint32_t i = 0;

    while (i < interest->count && interest->tag[i] != tag)
        i++;
    return i;
}

static uint32_t lightest_of(const struct interest *interest)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < interest->count; i++)
        if (interest->mass[i] < interest->mass[best])
            best = i;
    return best;
}

static void tag_add(struct interest *interest, uint64_t tag, double mass)
{
    uint32_t at = place_of(interest, tag);

    if (at == INTEREST_TAGS) {
        at = lightest_of(interest);
        if (interest->mass[at] > mass)
            return; /* lighter than what is there */
        interest->tag[at] = tag;
        interest->mass[at] = 0;
    } else if (at == interest->count) {
        interest->count++;
        interest->tag[at] = tag;
        interest->mass[at] = 0;
    }
    interest->mass[at] += mass;
}

void interest_add(struct interest *interest, const uint64_t *tags, uint32_t count, double weight,
                  double forward)
{
    if (count == 0 || weight <= 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        tag_add(interest, tags[i], weight * forward / count);
    interest->whole += weight * forward;
}

double interest_mass(const struct interest *interest, const uint64_t *tags, uint32_t count)
{
    double mass = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = place_of(interest, tags[i]);

        if (at < interest->count)
            mass += interest->mass[at];
    }
    return mass;
}

double interest_fit(const struct interest *interest, const uint64_t *tags, uint32_t count,
                    double share, double forward)
{
    if (count == 0 || share <= 0 || interest->whole <= 0)
        return 1;
    double prior = INTEREST_PRIOR * forward;
    double own = interest_mass(interest, tags, count);
    double fit = (own + prior * share) / (interest->whole + prior) / share;

    return fmin(HEAT_MATCH_MAX, fmax(HEAT_MATCH_MIN, fit));
}

int interest_delete(struct interest *interest, uint64_t tag)
{
    uint32_t at = place_of(interest, tag);

    if (at == interest->count)
        return 0;
    interest->whole = fmax(0, interest->whole - interest->mass[at]);
    interest->count--;
    interest->tag[at] = interest->tag[interest->count];
    interest->mass[at] = interest->mass[interest->count];
    return 1;
}

void interest_rebase(struct interest *interest, uint32_t halvings)
{
    interest->whole = ldexp(interest->whole, -(int)halvings);
    for (uint32_t i = 0; i < interest->count; i++)
        interest->mass[i] = ldexp(interest->mass[i], -(int)halvings);
}
