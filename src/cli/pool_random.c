/* pool_random.c: the chance that zan pool eval draws from. See pool_eval.h. */
#include <math.h>

#include "base/hash.h"
#include "cli/pool_eval.h"

uint64_t pool_random_next(struct pool_random *random)
{
    random->state += 0x9E3779B97F4A7C15ULL;
    return hash_mix(random->state);
}

double pool_random_unit(struct pool_random *random)
{
    return ((double)(pool_random_next(random) >> 11) + 0.5) * 0x1p-53;
}

uint32_t pool_random_below(struct pool_random *random, uint32_t bound)
{
    return (uint32_t)(((pool_random_next(random) >> 32) * bound) >> 32);
}

uint32_t pool_random_round(struct pool_random *random, double x)
{
    return (uint32_t)(x + pool_random_unit(random));
}

static double normal(struct pool_random *random)
{
    double radius = sqrt(-2 * log(pool_random_unit(random)));

    return radius * cos(2 * acos(-1) * pool_random_unit(random));
}

/* Marsaglia and Tsang, "A simple method for generating gamma variables", 2000. */
static double gamma_of(struct pool_random *random, double shape)
{
    double boost = 1, d, c;

    if (shape < 1) {
        boost = pow(pool_random_unit(random), 1 / shape);
        shape += 1;
    }
    d = shape - 1.0 / 3;
    c = 1 / sqrt(9 * d);
    for (;;) {
        double x = normal(random), v = (1 + c * x) * (1 + c * x) * (1 + c * x);

        if (1 + c * x > 0 && log(pool_random_unit(random)) < x * x / 2 + d - d * v + d * log(v))
            return boost * d * v;
    }
}

double pool_random_beta(struct pool_random *random, struct gate_beta beta)
{
    double x = gamma_of(random, beta.a), y = gamma_of(random, beta.b);

    return x / (x + y);
}

/* By the gaps between successes, which are geometric: exact, and as quick as there are few. */
uint32_t pool_random_binomial(struct pool_random *random, uint32_t n, double p)
{
    uint32_t count = 0;
    double at = 0, step;

    if (p > 0.5)
        return n - pool_random_binomial(random, n, 1 - p);
    if (p <= 0)
        return 0;
    step = log1p(-p);
    for (;;) {
        at += floor(log(pool_random_unit(random)) / step) + 1;
        if (at > n)
            return count;
        count++;
    }
}
