/* heat.h: how warm an item is, by forward decay.
 *
 *   heat(t) = sum over acts  weight(verb) * credited * match * depth * 2^((t_act - t) / half_life)
 *
 * Kept as of a landmark L: every act adds its worth * 2^((t_act - L) / half_life) once, and the
 * order of two items never changes by time alone. Only a question divides by
 * 2^((t - L) / half_life).
 * Source: Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE 2009.
 *
 *   forward    as of the landmark; a worth of w done at t is w * heat_forward(t)
 *   worth      in likes of full credit, match 1, depth 1, done now
 *
 * What is taken back (an un-like, a favorite taken away) leaves in steps: HEAT_STEPS to its
 * horizon, each at a whole multiple of horizon / HEAT_STEPS since the epoch and taking 1 -
 * 2^(-7/28) of what stands, so that half is gone after a seventh of the horizon and 99.2 % at the
 * horizon (engine/withdraw.h has the same curve without steps). Between two steps nothing moves:
 * each is an event that re-ranks. While an item is frozen (a flood), what is taken back waits.
 *
 * Holds always: live, fading, frozen >= 0; what a return brings back is what its withdrawal had
 *               taken, and no more than stands; rebasing multiplies by a power of two, so no order
 *               changes and no bit is lost (but below 2^-1022).
 * Memory:       the caller owns every struct. Pure. */
#ifndef ZAN_READERS_DISCOVER_HEAT_H
#define ZAN_READERS_DISCOVER_HEAT_H

#include <stdbool.h>
#include <stdint.h>

/* Of everything here and in the weights that an answer rests on; rises when one changes. */
#define HEAT_FORMULA "heat-1"

#define HEAT_STEPS         28
#define HEAT_HALVINGS      7
#define HEAT_REBASE        512   /* half-lives after which the landmark moves; doubles hold 1023 */
#define HEAT_DUST          0.001 /* worth below which what fades is gone */
#define HEAT_HORIZON_MAX_S (30u * 24 * 3600) /* of engine/withdraw.h */

/* What an act brings, and why. The order is of no format. */
enum heat_verb { HEAT_LIKE, HEAT_FAVORITE, HEAT_COMMENT, HEAT_SHARE, HEAT_LONG_VIEW, HEAT_VERBS };

struct heat_weight {
    const char *name;
    double weight;
    const char *source;
};

/* The defaults. heat.c says where each is from. */
extern const struct heat_weight heat_weights[HEAT_VERBS];

#define HEAT_HALF_LIFE_S (24u * 3600) /* default; docs/discovery.md */
#define HEAT_DEPTH       1.5          /* default */
#define HEAT_MATCH_MIN   0.5
#define HEAT_MATCH_MAX   2.0

struct heat_clock {
    int64_t half_life_us; /* above 0 */
    int64_t landmark_us;
};

struct heat {
    double live;             /* forward: acts that stand */
    double fading;           /* forward: taken back, and not yet gone */
    double frozen;           /* forward: taken back, and waiting */
    int64_t stepped_us;      /* steps until then have been made */
    int64_t frozen_until_us; /* 0: not frozen */
    uint32_t horizon_s;      /* of the latest withdrawal */
    uint32_t steps;          /* made so far; wraps */
    uint32_t thaws;          /* freezes that ended; wraps */
    uint32_t thaw_step;      /* steps when the last one did */
};

/* Where what was taken back stands, so that a return finds it. */
struct heat_taken {
    uint32_t step; /* of the item when it began to fade; frozen: thaws when it was taken */
    uint8_t frozen;
    uint8_t at_once; /* took effect at once: nothing stands */
};

/* 2^((time - landmark) / half_life), the whole halvings exactly. */
double heat_forward(const struct heat_clock *clock, int64_t time_us);

/* Moves the landmark if now is too far from it. Returns how many halvings it moved: every forward
 * number has to be multiplied by 2^-that (heat_rebase). 0: as a rule. */
uint32_t heat_advance(struct heat_clock *clock, int64_t now_us);
void heat_rebase(struct heat *heat, uint32_t halvings);

/* Everything that ranks. */
static inline double heat_sum(const struct heat *heat)
{
    return heat->live + heat->fading + heat->frozen;
}

/* Makes the steps up to now_us, and ends a freeze that is over. True if anything moved. */
bool heat_step(struct heat *heat, const struct heat_clock *clock, int64_t now_us);

/* When heat_step will next have something to do; INT64_MAX: nothing is fading. */
int64_t heat_due(const struct heat *heat);

void heat_add(struct heat *heat, double forward);

/* Takes forward out of what stands, at once (a void, a worth found to be less). */
void heat_drop(struct heat *heat, double forward);

/* It was taken back at now_us, to be gone at its horizon (0: at once); heat_step has been called.
 */
struct heat_taken heat_take(struct heat *heat, double forward, uint32_t horizon_s, int64_t now_us);

/* It is there again: what of it had not yet gone leaves what fades, and all of it is live. */
void heat_return(struct heat *heat, struct heat_taken taken, double forward);

/* Withdrawals wait until then. Never shortens a freeze. */
void heat_freeze(struct heat *heat, int64_t until_us);

#endif
