/* simulate_judge.c: measures, each beside its goal (docs/simulate.md, "The table").
 *
 * The sum of credited weights stands for heat, which is made of them, and pools are told as not
 * measured: what attacks do to them is zan pool eval's. A percentage is of what the run without the
 * attack showed at the same moment of simulated time. */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/simulate.h"
#include "cli/simulate_facts.h"
#include "schema/request.h"

const char *const verdict_names[VERDICT_COUNT] = {
    [VERDICT_MET] = "met",
    [VERDICT_MISSED] = "MISSED",
    [VERDICT_UNMEASURED] = "not measured",
    [VERDICT_TOLD] = "told",
};

/* --- rows --------------------------------------------------------------------------------------
 */

static struct measure *row_of(struct judgement *judgement, const char *key, const char *text)
{
    struct measure *measure;
    char full[48];

    snprintf(full, sizeof full, "%s%s%s", judgement->variant, judgement->variant[0] ? "." : "",
             key);
    for (uint32_t i = 0; i < judgement->count; i++) {
        measure = &judgement->measure[i];
        if (measure->scenario == judgement->scenario && strcmp(measure->key, full) == 0)
            return measure;
    }
    assert(judgement->count < MEASURES_MAX);
    measure = &judgement->measure[judgement->count++];
    *measure = (struct measure){.scenario = judgement->scenario, .variant = judgement->variant};
    snprintf(measure->key, sizeof measure->key, "%s", full);
    snprintf(measure->text, sizeof measure->text, "%s", text);
    return measure;
}

static void note_value(struct measure *measure, double value)
{
    bool first = measure->met + measure->missed + measure->told == 0;

    if (first || (measure->at_least ? value < measure->worst : value > measure->worst))
        measure->worst = value;
}

static void put(struct judgement *judgement, const char *key, const char *text, const char *unit,
                bool at_least, double limit, double value)
{
    struct measure *measure = row_of(judgement, key, text);

    measure->gated = true;
    measure->at_least = at_least;
    measure->limit = limit;
    snprintf(measure->unit, sizeof measure->unit, "%s", unit);
    note_value(measure, value);
    if (at_least ? value >= limit : value <= limit)
        measure->met++;
    else
        measure->missed++;
}

static void at_most(struct judgement *judgement, const char *key, const char *text,
                    const char *unit, double limit, double value)
{
    put(judgement, key, text, unit, false, limit, value);
}

static void at_least(struct judgement *judgement, const char *key, const char *text,
                     const char *unit, double limit, double value)
{
    put(judgement, key, text, unit, true, limit, value);
}

static void tell(struct judgement *judgement, const char *key, const char *text, const char *unit,
                 double value)
{
    struct measure *measure = row_of(judgement, key, text);

    snprintf(measure->unit, sizeof measure->unit, "%s", unit);
    note_value(measure, value);
    measure->told++;
}

static void unmeasured(struct judgement *judgement, const char *key, const char *text,
                       const char *why)
{
    struct measure *measure = row_of(judgement, key, text);

    measure->note = why;
    measure->unmeasured++;
}

enum verdict measure_verdict(const struct measure *measure)
{
    if (measure->missed > 0)
        return VERDICT_MISSED;
    if (measure->met > 0)
        return VERDICT_MET;
    return measure->told > 0 ? VERDICT_TOLD : VERDICT_UNMEASURED;
}

/* --- what is compared ---------------------------------------------------------------------------
 */

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

/* At the end, when all is settled. */
static double end_gain(const struct shown *with, const struct shown *without)
{
    return percent(with->items[0].credited - without->items[0].credited,
                   without->items[0].credited);
}

enum side { GAIN, LOSS };

/* The worst moment from from_ms on, of what the run without showed in the end: early in a video's
 * life a single like would be many per cent of what it has. */
static double worst_moment(const struct shown *with, const struct shown *without, int64_t from_ms,
                           enum side side)
{
    double worst = 0;

    assert(with->sample_count == without->sample_count);
    for (uint32_t i = 0; i < with->sample_count; i++) {
        double gain = with->samples[i].counts.credited - without->samples[i].counts.credited;

        if (with->samples[i].time_ms >= from_ms)
            worst = fmax(worst, side == GAIN ? gain : -gain);
    }
    return percent(worst, without->items[0].credited);
}

/* From the first fake like until its fakes are worth less than a twentieth of their number for
 * good; the samples are ten seconds apart at first. */
static double neutral_after_s(const struct scene *scene, const struct shown *with,
                              const struct shown *without)
{
    int64_t last_ms = scene->attack_ms;

    for (uint32_t i = 0; i < with->sample_count; i++) {
        double fakes = with->samples[i].counts.raw - without->samples[i].counts.raw;
        double worth = with->samples[i].counts.credited - without->samples[i].counts.credited;

        if (fakes > 0 && worth > fakes / 20 && with->samples[i].time_ms > last_ms)
            last_ms =
                i + 1 < with->sample_count ? with->samples[i + 1].time_ms : scene->world.close_ms;
    }
    return (double)(last_ms - scene->attack_ms) / 1000;
}

static void standing(struct judgement *judgement, const struct shown *with)
{
    at_most(judgement, "standing", "creators whose standing others' acts changed", "", 0,
            with->standings_changed);
}

#define NO_POOLS "there are no pools yet"

/* --- one for each scenario ----------------------------------------------------------------------
 */

/* What the generator made, beside what it was to make (simulate_facts.h). */
struct made {
    double looks, views, likes, taken_back, double_taps, hours[24];
};

static struct made made_of(const struct scene *scene)
{
    const struct events *events = &scene->world.events;
    struct made made = {0};

    for (uint32_t i = 0; i < events->count; i++) {
        const struct event *event = &events->event[i];

        if (event->time_ms < scene->world.warm_ms)
            continue;
        made.likes += event->kind == VERB_LIKE;
        made.views += event->kind == VERB_VIEW;
        made.hours[(event->time_ms / HOUR_MS + 8) % 24] += event->kind == VERB_VIEW;
        made.taken_back += event->kind == VERB_UNLIKE;
        made.double_taps += event->kind == VERB_LIKE && event->source == SOURCE_DOUBLE_TAP;
    }
    made.looks = (double)scene->world.looks;
    return made;
}

/* Half the sum of what each hour has too much or too little. */
static double hours_apart(const struct made *made)
{
    double apart = 0;

    for (unsigned hour = 0; hour < 24; hour++)
        apart += fabs(percent(made->hours[hour], made->views) - fact_hour_ppm[hour] / 1e4) / 2;
    return apart;
}

static double apart(double is, double should)
{
    return percent(fabs(is - should), should);
}

/* What chance alone may do to a share of count things, three deviations, and a twentieth. */
static double leeway(double count)
{
    return 5 + 300 / sqrt(fmax(count, 1));
}

static void crowd(struct judgement *judgement, const struct scene *scene,
                  const struct shown *shown);

void judge_world(struct judgement *judgement, int variant, const struct scene *scene,
                 const struct shown *with, const struct shown *without)
{
    struct made made = made_of(scene);

    (void)variant;
    (void)without;
    at_most(judgement, "like-rate", "likes per view, away from the log's", "%",
            round(leeway(made.looks * FACT_LIKE_PPM / FACT_VIEW_PPM)),
            apart(made.likes / made.looks, FACT_LIKE_PPM / (double)FACT_VIEW_PPM));
    at_most(judgement, "taken-back", "share of likes taken back, away from the log's", "%",
            round(leeway(made.likes * FACT_TAKEN_BACK_PPM / 1e6)),
            apart(made.taken_back / made.likes, FACT_TAKEN_BACK_PPM / 1e6));
    at_most(judgement, "double-tap", "share of double taps, away from the log's", "%",
            round(leeway(made.likes)),
            apart(made.double_taps / made.likes, FACT_DOUBLE_TAP_PPM / 1e6));
    at_most(judgement, "hours", "views at other hours than the log's", "%",
            round(3 + 150 / sqrt(scene->world.person_count)), hours_apart(&made));
    crowd(judgement, scene, with);
    tell(judgement, "refused", "acts of honest people that were refused", "%",
         percent((double)with->refused, (double)with->acts));
}

void judge_third_parties(struct judgement *judgement, int variant, const struct scene *scene,
                         const struct shown *with, const struct shown *without)
{
    (void)variant;
    (void)without;
    standing(judgement, with);
    tell(judgement, "creators", "creators and items whose state was looked at", "",
         scene->creators.count + scene->own_items.count);
    tell(judgement, "checks", "looks at a state", "", with->standings_checked);
}

void judge_sabotage(struct judgement *judgement, int variant, const struct scene *scene,
                    const struct shown *with, const struct shown *without)
{
    (void)variant;
    (void)scene;
    at_most(judgement, "heat", "change of the victim's heat, settled", "%", 1,
            fabs(end_gain(with, without)));
    standing(judgement, with);
    unmeasured(judgement, "pool", "pool level as without the attack", NO_POOLS);
}

void judge_flood(struct judgement *judgement, int variant, const struct scene *scene,
                 const struct shown *with, const struct shown *without)
{
    if (variant == 0)
        at_most(judgement, "loss", "heat lost at the worst moment", "%", 1,
                worst_moment(with, without, scene->attack_ms, LOSS));
    else
        at_most(judgement, "net", "heat won or lost in the end, to a tenth", "%", 0,
                round(fabs(end_gain(with, without)) * 10) / 10);
    standing(judgement, with);
}

static double stands(const struct counts *counts)
{
    return counts->credited + counts->fading + counts->frozen;
}

/* The most that any minute from from_ms on took of what stands, of what stood before it. Looks
 * that are further apart are taken as evenly spread. */
static double worst_minute(const struct shown *with, int64_t from_ms)
{
    double worst = 0;

    for (uint32_t i = 0; i + 1 < with->sample_count; i++) {
        const struct sample *one = &with->samples[i], *next = one + 1;
        double minutes = (double)(next->time_ms - one->time_ms) / 60000;

        if (one->time_ms >= from_ms)
            worst = fmax(worst, percent(stands(&one->counts) - stands(&next->counts),
                                        stands(&one->counts) * fmax(minutes, 1)));
    }
    return worst;
}

static double most_frozen(const struct shown *with)
{
    double most = 0;

    for (uint32_t i = 0; i < with->sample_count; i++)
        most = fmax(most, with->samples[i].counts.frozen);
    return most;
}

/* By how much credited fell between then and the next looks, an hour in all. */
static double fell(const struct shown *with, int64_t from_ms)
{
    double before = 0, after = -1;

    for (uint32_t i = 0; i < with->sample_count; i++) {
        if (with->samples[i].time_ms <= from_ms)
            before = with->samples[i].counts.credited;
        if (with->samples[i].time_ms <= from_ms + HOUR_MS)
            after = with->samples[i].counts.credited;
    }
    return before - after;
}

void judge_mob(struct judgement *judgement, int variant, const struct scene *scene,
               const struct shown *with, const struct shown *without)
{
    const struct counts *end = &with->items[0];
    int64_t from_ms = scene->world.open_ms + MOB_AT;
    double gone = fell(with, from_ms);

    (void)variant;
    (void)without;
    tell(judgement, "fell", "credited likes that fell away within the hour", "", gone);
    at_most(judgement, "minute", "weight that stands, lost in the worst minute", "%", 1,
            worst_minute(with, from_ms));
    at_most(judgement, "left", "of what was taken back, what stands when settled", "%", 1,
            percent(end->fading + end->frozen, gone));
    tell(judgement, "waited", "of what was taken back, what waited: seen as a flood", "%",
         percent(most_frozen(with), gone));
    standing(judgement, with);
}

void judge_withdrawal(struct judgement *judgement, int variant, const struct scene *scene,
                      const struct shown *with, const struct shown *without)
{
    const struct counts *there = &without->items[0], *gone = &with->items[0];
    double weight = there->raw > 0 ? scene->withdrawn * there->credited / there->raw : 0;

    (void)variant;
    at_least(judgement, "effect", "effect of honest withdrawal, of its weight, settled", "%", 99,
             percent(there->credited - gone->credited, weight));
    at_most(judgement, "left", "what of it still stands, settled", "%", 1,
            percent(gone->fading + gone->frozen, weight));
}

void judge_brushing(struct judgement *judgement, int variant, const struct scene *scene,
                    const struct shown *with, const struct shown *without)
{
    static const bool cheap[] = {false, true, false, true, true, false, false};
    static const bool paid[] = {false, false, false, false, false, false, true};

    if (paid[variant]) { /* real people: made unprofitable, not found (RELIABILITY 5.4) */
        tell(judgement, "settled", "heat gained by paid real people, settled", "%",
             end_gain(with, without));
        return;
    }
    at_most(judgement, "settled", "heat gained by own brushing, settled", "%", 2,
            end_gain(with, without));
    at_most(judgement, "worst", "heat gained by own brushing at the worst moment", "%", 5,
            worst_moment(with, without, scene->attack_ms, GAIN));
    if (cheap[variant])
        at_most(judgement, "neutral", "time until the fakes are worth nothing", "s", 60,
                neutral_after_s(scene, with, without));
}

/* Likes and views are weighed by the same function: what it does not believe is in neither. */
static bool passes_gate(const struct counts *counts)
{
    return counts->views_credited > 0 && counts->credited >= 0.03 * counts->views_credited;
}

void judge_gate(struct judgement *judgement, int variant, const struct scene *scene,
                const struct shown *with, const struct shown *without)
{
    uint32_t changed = 0, passed = 0, gates = scene->watched.count - 1;
    double lost = 0, fake = 0, believed = 0, views = 0;

    (void)variant;
    for (uint32_t i = 1; i <= gates; i++) {
        passed += passes_gate(&without->items[i]);
        changed += passes_gate(&with->items[i]) != passes_gate(&without->items[i]);
        views += without->items[i].views;
        lost += without->items[i].views - without->items[i].views_credited;
        fake += with->items[i].views - without->items[i].views;
        believed += with->items[i].views_credited - without->items[i].views_credited;
    }
    at_most(judgement, "decision",
            "videos whose gate (3 % likes of views, credited) went otherwise", "%", 0.5,
            percent(changed, gates));
    tell(judgement, "passed", "videos that pass without the attack", "%", percent(passed, gates));
    tell(judgement, "believed", "fake views that count", "%", percent(believed, fake));
    tell(judgement, "views", "honest views that count less, without the attack", "%",
         percent(lost, views));
    unmeasured(judgement, "pool", "the decision of a pool", NO_POOLS);
}

/* Honest likes that count less: by weight, or by number where the server tells reasons. */
static void crowd(struct judgement *judgement, const struct scene *scene, const struct shown *shown)
{
    double raw = 0, lost = 0, reasons = 0, views = 0, unseen = 0;

    for (uint32_t i = 0; i < scene->watched.count; i++) {
        raw += shown->items[i].raw;
        lost += shown->items[i].raw - shown->items[i].credited;
        reasons += shown->items[i].by_reason;
        views += shown->items[i].views;
        unseen += shown->items[i].views - shown->items[i].views_credited;
    }
    at_most(judgement, "devalued", "honest likes that count less, settled", "%", 0.1,
            percent(fmax(lost, reasons), raw));
    at_most(judgement, "views", "honest views that count less", "%", 0.1, percent(unseen, views));
    at_most(judgement, "sanctions", "honest people and creators restricted", "", 0,
            shown->sanctioned + shown->standings_changed);
    tell(judgement, "likes", "honest likes", "", raw);
}

void judge_crowd(struct judgement *judgement, int variant, const struct scene *scene,
                 const struct shown *with, const struct shown *without)
{
    (void)variant;
    (void)without;
    crowd(judgement, scene, with);
}

/* From new accounts that are fakes nothing sets these apart but their lines and phones: told, not
 * gated; that nobody is restricted is. */
void judge_install(struct judgement *judgement, int variant, const struct scene *scene,
                   const struct shown *with, const struct shown *without)
{
    const struct counts *counts = &with->items[0];

    (void)variant;
    (void)without;
    (void)scene;
    tell(judgement, "devalued", "weight that honest likes lost, half of them newcomers'", "%",
         percent(counts->raw - counts->credited, counts->raw));
    tell(judgement, "views", "weight that honest views lost, half of them newcomers'", "%",
         percent(counts->views - counts->views_credited, counts->views));
    at_most(judgement, "sanctions", "honest people and creators restricted", "", 0,
            with->sanctioned + with->standings_changed);
}

void judge_cleanup(struct judgement *judgement, int variant, const struct scene *scene,
                   const struct shown *with, const struct shown *without)
{
    (void)variant;
    (void)without;
    (void)scene;
    at_most(judgement, "sanctions", "people restricted for removing their own likes", "", 0,
            with->sanctioned);
    at_most(judgement, "refused", "removals that were refused", "", 0,
            (double)with->refused_unlikes);
}

void judge_reports(struct judgement *judgement, int variant, const struct scene *scene,
                   const struct shown *with, const struct shown *without)
{
    (void)variant;
    (void)scene;
    at_most(judgement, "heat", "change of the victim's heat, settled", "%", 1,
            fabs(end_gain(with, without)));
    standing(judgement, with);
}

void judge_staged(struct judgement *judgement, int variant, const struct scene *scene,
                  const struct shown *with, const struct shown *without)
{
    (void)variant;
    (void)scene;
    at_most(judgement, "gain", "net gain in heat, settled, to a tenth", "%", 0,
            round(end_gain(with, without) * 10) / 10);
    /* The measured loss is a part of what waits: a case cannot grant more. */
    at_most(judgement, "compensation", "compensation that could be claimed, at most, in likes", "",
            0, most_frozen(with));
}

void judge_probing(struct judgement *judgement, int variant, const struct scene *scene,
                   const struct shown *with, const struct shown *without)
{
    (void)variant;
    (void)scene;
    (void)without;
    if (with->guessed < 0)
        unmeasured(judgement, "guess", "verdicts guessed right from the answers",
                   "all likes were judged alike: nothing to guess");
    else
        at_most(judgement, "guess", "verdicts guessed right from the answers", "%", 55,
                100 * with->guessed);
}

void judge_evidence(struct judgement *judgement, int variant, const struct scene *scene,
                    const struct shown *with, const struct shown *without)
{
    const struct counts *counts = &with->items[0];
    double lost = counts->raw - counts->credited;

    (void)variant;
    (void)scene;
    (void)without;
    if (lost < 0.5)
        unmeasured(judgement, "reasons", "likes that count less, with a reason",
                   "no like counted less");
    else
        at_least(judgement, "reasons", "likes that count less, with a reason", "%", 100,
                 fmin(100, percent(counts->by_reason, ceil(lost - 0.005))));
    if (with->verified < 0)
        unmeasured(judgement, "replay", "the log replays to the same state (zan verify)",
                   "only with a server of its own");
    else
        at_least(judgement, "replay", "the log replays to the same state (zan verify)", "%", 100,
                 with->verified ? 100 : 0);
}
