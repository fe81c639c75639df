/* quick.h: logarithm and logistic function in float, in a few instructions, for the rounds of
 * block.c, which spend most of their time on them.
 *
 * quick_log is within 2e-5 of ln x for normal x > 0, quick_share within 2e-5 of 1 / (1 + e^-x). The
 * exponent is split off, the rest is a short series. */
#ifndef ZAN_READERS_DETECT_QUICK_H
#define ZAN_READERS_DETECT_QUICK_H

#include <stdint.h>
#include <string.h>

static inline float quick_log(float x)
{
    uint32_t bits;
    float m, t;

    memcpy(&bits, &x, sizeof bits);
    int32_t exponent = (int32_t)(bits - 0x3F3504F3u) >> 23; /* m from sqrt(1/2) to sqrt(2) */

    bits -= (uint32_t)exponent << 23;
    memcpy(&m, &bits, sizeof m);
    t = (m - 1) / (m + 1);
    float t2 = t * t;

    /* ln m = 2 atanh t, |t| < 0.172: the rest of the series is below 2e-7. */
    return (float)exponent * 0.693147181F +
           2 * t * (1 + t2 * (0.333333333F + t2 * (0.2F + t2 * 0.142857143F)));
}

static inline float quick_exp(float x)
{
    float scaled = x * 1.44269504F;
    float whole = (float)(int32_t)(scaled + (scaled < 0 ? -0.5F : 0.5F));
    float r = (scaled - whole) * 0.693147181F; /* |r| < 0.347 */
    float part =
        1 + r * (1 + r * (0.5F + r * (0.166666667F + r * (0.0416666667F + r * 0.00833333F))));
    uint32_t bits = (uint32_t)((int32_t)whole + 127) << 23;
    float power;

    memcpy(&power, &bits, sizeof power);
    return part * power;
}

static inline float quick_share(float odds)
{
    return odds > 20 ? 1 : odds < -20 ? 0 : 1 / (1 + quick_exp(-odds));
}

#endif
