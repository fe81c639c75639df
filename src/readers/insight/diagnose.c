/* diagnose.c: see diagnose.h. */
#include "readers/insight/diagnose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "readers/discover/signals.h"
#include "readers/insight/slots.h"

const char *const cause_group_names[] = {"algorithm", "audience", "content"};
const char *const cause_verdict_names[] = {"found", "likely", "fine", "unknown", "not_used"};

const struct cause_info cause_infos[CAUSE_COUNT] = {
    [CAUSE_GATE] = {"gate", "stage", CAUSE_OF_ALGORITHM},
    [CAUSE_ACCOUNT_WEIGHT] = {"account_weight", "first_budget", CAUSE_OF_ALGORITHM},
    [CAUSE_ASLEEP] = {"asleep", "activity_after_publication", CAUSE_OF_AUDIENCE},
    [CAUSE_REACH] = {"reach", "shown", CAUSE_OF_ALGORITHM},
    [CAUSE_WEAK_CLICK] = {"weak_click", "view_of_shown", CAUSE_OF_CONTENT},
    [CAUSE_MISMATCH] = {"mismatch", "hold_of_view", CAUSE_OF_CONTENT},
    [CAUSE_WEAK_START] = {"weak_start", "hold_of_view", CAUSE_OF_CONTENT},
    [CAUSE_WRONG_AUDIENCE] = {"wrong_audience", "fitting_viewers", CAUSE_OF_AUDIENCE},
    [CAUSE_WEAK_MIDDLE] = {"weak_middle", "finish_of_hold", CAUSE_OF_CONTENT},
    [CAUSE_SAMENESS] = {"sameness", "same_of_last_items", CAUSE_OF_CONTENT},
    [CAUSE_WEAK_LIKE] = {"weak_like", "like_of_hold", CAUSE_OF_CONTENT},
    [CAUSE_FEW_COMMENTS] = {"few_comments", "comment_of_view", CAUSE_OF_CONTENT},
};

/* One factor of the chain: s of n of the item, and of the others. */
struct factor {
    struct share own, others;
    double expected, actual; /* actual: drawn towards expected */
    double loss;             /* expected / actual - 1, where that is above 0 */
    enum cause_verdict verdict;
};

struct work {
    const struct comparison *comparison;
    const struct diagnose_facts *facts;
    struct diagnosis *diagnosis;
    double likes; /* by the chain, with drawn rates */
    double reach_loss;
    struct factor view, hold, like, finish, comment;
};

static enum cause_verdict verdict_of(const struct factor *factor)
{
    struct signal_rate rate;

    if (factor->own.n < TELLING_PCT || factor->others.n < TELLING_PCT)
        return CAUSE_UNKNOWN;
    rate = signals_rate((uint64_t)fmax(factor->own.s, 0), (uint64_t)factor->own.n);
    if (rate.high < factor->expected)
        return CAUSE_FOUND;
    return factor->loss > 0 && rate.rate < factor->expected ? CAUSE_LIKELY : CAUSE_FINE;
}

static struct factor factor_of(const struct comparison *comparison, enum step of, enum step by)
{
    struct factor factor = {.own = {comparison->s[of], comparison->s[by]},
                            .others = {comparison->others_s[of], comparison->others_s[by]}};

    if (by == STEP_SHOWN) {
        factor.own.n = comparison->n;
        factor.others.n = comparison->others_n;
    }
    factor.expected = factor.others.n > 0 ? factor.others.s / factor.others.n : 0;
    factor.actual =
        (factor.own.s + DIAGNOSE_PRIOR_PCT * factor.expected) / (factor.own.n + DIAGNOSE_PRIOR_PCT);
    factor.loss = factor.actual > 0 ? fmax(0, factor.expected / factor.actual - 1) : 0;
    factor.verdict = verdict_of(&factor);
    return factor;
}

static struct diagnosed *cause_at(struct work *work, enum cause cause)
{
    return &work->diagnosis->cause[cause];
}

static void told(struct work *work, enum cause cause, enum cause_verdict verdict, double lost,
                 double number, double compared, double n)
{
    bool loses = verdict == CAUSE_FOUND || verdict == CAUSE_LIKELY;

    *cause_at(work, cause) =
        (struct diagnosed){.cause = cause,
                           .verdict = loses && !(lost > 0) ? CAUSE_FINE : verdict,
                           .lost = loses ? fmax(0, lost) : 0,
                           .number = number,
                           .compared = compared,
                           .n = n};
}

/* A cause that explains all of a factor. */
static void told_factor(struct work *work, enum cause cause, const struct factor *factor,
                        enum cause_verdict verdict, double lost)
{
    double rate = factor->own.n > 0 ? factor->own.s / factor->own.n : 0;

    told(work, cause, verdict, lost, rate, factor->expected, factor->own.n / 100);
}

/* --- shown ---------------------------------------------------------------------------------------
 */

static enum cause_verdict reach_verdict(const struct work *work)
{
    const struct expected *shown = &work->comparison->step[STEP_SHOWN];

    return shown->had < shown->low      ? CAUSE_FOUND
           : shown->had < shown->middle ? CAUSE_LIKELY
                                        : CAUSE_FINE;
}

static double tell_gate(struct work *work)
{
    const struct diagnose_facts *facts = work->facts;
    double stage = work->comparison->stage, lost = work->likes * work->reach_loss;
    enum cause_verdict verdict = !facts->on_ladder      ? CAUSE_NOT_USED
                                 : facts->stopped       ? CAUSE_FOUND
                                 : facts->stage < stage ? CAUSE_LIKELY
                                                        : CAUSE_FINE;

    told(work, CAUSE_GATE, verdict, lost, facts->stage, stage, 0);
    return cause_at(work, CAUSE_GATE)->lost;
}

/* Impressions that were not given outright, each worth what one of the item's was. */
static double tell_weight(struct work *work)
{
    double number = work->facts->first_budget, compared = work->comparison->first_budget;
    double each = work->likes / (work->comparison->step[STEP_SHOWN].had + 1);
    enum cause_verdict verdict = number <= 0 || compared <= 0 ? CAUSE_NOT_USED
                                 : number < 0.9 * compared    ? CAUSE_FOUND
                                                              : CAUSE_FINE;

    told(work, CAUSE_ACCOUNT_WEIGHT, verdict, each * (compared - number), number, compared, 0);
    return cause_at(work, CAUSE_ACCOUNT_WEIGHT)->lost;
}

static double tell_asleep(struct work *work)
{
    const double usual = SLOTS_AFTER / 24.0;
    struct share awake = work->facts->awake;
    struct signal_rate rate = signals_rate((uint64_t)awake.s, (uint64_t)awake.n);
    enum cause_verdict verdict = !work->facts->hours_known ? CAUSE_UNKNOWN
                                 : rate.high < usual       ? CAUSE_FOUND
                                 : rate.rate < usual       ? CAUSE_LIKELY
                                                           : CAUSE_FINE;

    told(work, CAUSE_ASLEEP, verdict, work->likes * work->reach_loss * (1 - rate.rate / usual),
         rate.rate, usual, awake.n / 100);
    return cause_at(work, CAUSE_ASLEEP)->lost;
}

static void tell_shown(struct work *work)
{
    const struct expected *shown = &work->comparison->step[STEP_SHOWN];
    double explained = fmax(fmax(tell_gate(work), tell_weight(work)), tell_asleep(work));

    told(work, CAUSE_REACH, reach_verdict(work), work->likes * work->reach_loss - explained,
         shown->had, shown->middle, work->comparison->items);
}

/* --- views, the first seconds
 * ---------------------------------------------------------------------- */

/* Clicked more than expected, held less. */
static bool is_mismatch(const struct work *work)
{
    const struct factor *view = &work->view;
    struct signal_rate rate;

    if (view->verdict == CAUSE_UNKNOWN || work->hold.verdict != CAUSE_FOUND)
        return false;
    rate = signals_rate((uint64_t)fmax(view->own.s, 0), (uint64_t)view->own.n);
    return rate.low > view->expected;
}

static void tell_views(struct work *work)
{
    bool mismatch = is_mismatch(work);
    double lost = work->likes * work->hold.loss;
    enum cause_verdict known = work->hold.verdict == CAUSE_UNKNOWN ? CAUSE_UNKNOWN : CAUSE_FINE;

    told_factor(work, CAUSE_WEAK_CLICK, &work->view, work->view.verdict,
                work->likes * work->view.loss);
    told_factor(work, CAUSE_MISMATCH, &work->hold, mismatch ? CAUSE_FOUND : known, lost);
    told_factor(work, CAUSE_WEAK_START, &work->hold, mismatch ? CAUSE_FINE : work->hold.verdict,
                lost);
}

/* --- likes ---------------------------------------------------------------------------------------
 */

/* What the comparable items' share of fitting viewers would have brought. */
static double tell_audience(struct work *work)
{
    const struct diagnose_facts *facts = work->facts;
    const struct comparison *comparison = work->comparison;
    double unfit = facts->fit_known - facts->fit;
    struct share fit_like = {facts->fit_liked * 100, facts->fit * 100};
    struct share unfit_like = {facts->unfit_liked * 100, unfit * 100};
    struct share own = {facts->fit * 100, facts->fit_known * 100};
    struct share others = {comparison->fit * 100, comparison->fit_known * 100};
    double p = own.n > 0 ? own.s / own.n : 0, expected = others.n > 0 ? others.s / others.n : 0;
    enum cause_verdict verdict = CAUSE_UNKNOWN;
    double lost = 0;

    if (facts->fit_known >= FIT_MIN && comparison->fit_known >= FIT_MIN && facts->fit > 0 &&
        unfit > 0) {
        double liked = facts->fit_liked / facts->fit, not_liked = facts->unfit_liked / unfit;
        double now = p * liked + (1 - p) * not_liked;
        double then = expected * liked + (1 - expected) * not_liked;

        lost = now > 0 ? work->likes * (then / now - 1) : 0;
        verdict = p >= expected || liked <= not_liked ? CAUSE_FINE
                  : stats_z(others, own) > 1.96 && stats_z(fit_like, unfit_like) > 1.96
                      ? CAUSE_FOUND
                      : CAUSE_LIKELY;
    }
    told(work, CAUSE_WRONG_AUDIENCE, verdict, lost, p, expected, facts->fit_known);
    return cause_at(work, CAUSE_WRONG_AUDIENCE)->lost;
}

/* A part of what is lost in likes: at most all of it. */
static double part_of_like(const struct work *work, double ratio)
{
    return work->likes * fmin(fmax(0, ratio - 1), work->like.loss);
}

static double tell_middle(struct work *work)
{
    told_factor(work, CAUSE_WEAK_MIDDLE, &work->finish, work->finish.verdict,
                part_of_like(work, work->finish.loss + 1));
    return cause_at(work, CAUSE_WEAK_MIDDLE)->lost;
}

static double tell_sameness(struct work *work)
{
    const struct diagnose_facts *facts = work->facts;
    struct share now = {work->comparison->s[STEP_LIKE], work->comparison->n};
    double share = facts->before > 0 ? (double)facts->same / facts->before : 0;
    double was = facts->same_like.n > 0 ? facts->same_like.s / facts->same_like.n : 0;
    double is = (now.s + DIAGNOSE_PRIOR_PCT * was) / (now.n + DIAGNOSE_PRIOR_PCT);
    enum cause_verdict verdict = CAUSE_FINE;

    if (facts->before < SAME_MIN || now.n < TELLING_PCT)
        verdict = CAUSE_UNKNOWN;
    else if (share >= SAME_SHARE && was > is)
        verdict = stats_z(facts->same_like, now) > 1.96 ? CAUSE_FOUND : CAUSE_LIKELY;
    told(work, CAUSE_SAMENESS, verdict, is > 0 ? part_of_like(work, was / is) : 0, share,
         SAME_SHARE, facts->before);
    return cause_at(work, CAUSE_SAMENESS)->lost;
}

static void tell_likes(struct work *work)
{
    double explained = fmax(fmax(tell_audience(work), tell_middle(work)), tell_sameness(work));

    told_factor(work, CAUSE_WEAK_LIKE, &work->like, work->like.verdict,
                work->likes * work->like.loss - explained);
}

static void tell_comments(struct work *work)
{
    const struct factor *comment = &work->comment;
    double views = work->comparison->step[STEP_VIEW].had;

    told_factor(work, CAUSE_FEW_COMMENTS, comment, comment->verdict,
                (comment->expected - comment->actual) * views * COMMENT_LIKES);
}

/* --- all of them ---------------------------------------------------------------------------------
 */

static int by_rank(const void *a, const void *b)
{
    const struct diagnosed *left = a, *right = b;

    if (left->verdict != right->verdict)
        return left->verdict < right->verdict ? -1 : 1;
    if (left->lost != right->lost && !PLANTED("insight.any_rank"))
        return left->lost < right->lost ? 1 : -1;
    return left->cause < right->cause ? -1 : 1;
}

void diagnose(const struct comparison *comparison, const struct diagnose_facts *facts,
              struct diagnosis *diagnosis)
{
    const struct expected *shown = &comparison->step[STEP_SHOWN];
    struct work work = {.comparison = comparison, .facts = facts, .diagnosis = diagnosis};

    memset(diagnosis, 0, sizeof *diagnosis);
    diagnosis->likes = comparison->step[STEP_LIKE].had;
    if (comparison->items == 0) {
        for (enum cause cause = 0; cause < CAUSE_COUNT; cause++)
            told(&work, cause, CAUSE_UNKNOWN, 0, 0, 0, 0);
        return;
    }
    work.view = factor_of(comparison, STEP_VIEW, STEP_SHOWN);
    work.hold = factor_of(comparison, STEP_HOLD, STEP_VIEW);
    work.like = factor_of(comparison, STEP_LIKE, STEP_HOLD);
    work.finish = factor_of(comparison, STEP_FINISH, STEP_HOLD);
    work.comment = factor_of(comparison, STEP_COMMENT, STEP_VIEW);
    work.likes = shown->had * work.view.actual * work.hold.actual * work.like.actual;
    work.reach_loss = fmax(0, (shown->middle + 1) / (shown->had + 1) - 1);
    diagnosis->expected =
        shown->middle * work.view.expected * work.hold.expected * work.like.expected;
    diagnosis->lost = fmax(0, diagnosis->expected - diagnosis->likes);
    tell_shown(&work);
    tell_views(&work);
    tell_likes(&work);
    tell_comments(&work);
    qsort(diagnosis->cause, CAUSE_COUNT, sizeof diagnosis->cause[0], by_rank);
}
