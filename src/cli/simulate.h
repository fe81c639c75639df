/* simulate.h: zan simulate: a seeded world, scenarios of attack and of honest crowds, what they
 * did.
 *
 *   world     people, creators, items, and the traffic of everybody (simulate_world.c)
 *   scene     one run of one scenario: the world's acts and its own, in order of time
 *             (simulate_scene.c)
 *   drive     a server of its own, the acts through its front door, what it shows
 * (simulate_drive.c) judge     measures, each beside its goal of docs/simulate.md
 * (simulate_judge.c)
 *
 *   time_ms   simulated unix milliseconds; the server takes its clock from the acts (--clock
 *             requests), so that the same seed ends with the same numbers
 *   *_ppm     millionths
 *
 * A scenario with an attack is run twice from the same seed, with it and without: the acts of
 * everybody else are the same, bit by bit, because each generator draws from a stream of its own.
 *
 * Memory:     a scene owns all it holds until scene_free. A command line tool that has no memory
 *             left can only stop. */
#ifndef ZAN_CLI_SIMULATE_H
#define ZAN_CLI_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/status.h"
#include "schema/verb.h"

#define SECOND_MS 1000LL
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* --- chance -------------------------------------------------------------------------------------
 */

/* splitmix64: a counter through a bijection (Steele et al. 2014). */
struct chance {
    uint64_t state;
};

/* Streams of one seed that know nothing of each other. */
struct chance chance_of(uint64_t seed, uint64_t stream);
uint64_t chance_bits(struct chance *chance);
uint64_t chance_below(struct chance *chance, uint64_t bound); /* 0 .. bound - 1; bound at least 1 */
double chance_part(struct chance *chance);                    /* 0 <= x < 1 */
bool chance_hit(struct chance *chance, double probability);

/* --- world -------------------------------------------------------------------------------------
 */

/* Where an act comes from. Sent as text: 10.x.y.z, d123, n7. */
struct place {
    uint32_t address, device, network;
};

#define PERSONAL_HOURS 6

struct person {
    uint64_t id;
    int64_t joined_ms;
    struct place home;             /* at home, on the own device */
    struct place carrier;          /* on the way: an address that some fifty share */
    uint8_t hours[PERSONAL_HOURS]; /* of the day, at which this person likes to be here */
    uint32_t impressions;          /* in two weeks */
    double eager;                  /* likes so many times as often as the average; mean 1 */
};

struct item {
    uint64_t id, creator;
    double like_rate; /* per view */
    double weight;    /* of popularity */
};

/* What happens at one moment. The verbs of the protocol, and: */
enum { EVENT_SAMPLE = VERB_COUNT, EVENT_CHECK };

struct event {
    int64_t time_ms;
    uint32_t order; /* of making: breaks ties */
    uint16_t kind;  /* enum verb, or EVENT_ */
    uint8_t source; /* enum source */
    uint64_t account, target;
    uint64_t extra; /* ITEM SET: creator; VIEW: watch_ms */
    struct place place;
};

struct events {
    struct event *event;
    uint32_t count, room;
};

struct world {
    uint64_t seed;
    double scale;
    uint64_t id_base; /* ids of this run are above it */
    int64_t warm_ms;  /* everybody's traffic begins */
    int64_t open_ms;  /* the scenario begins */
    int64_t quiet_ms; /* everybody's traffic ends */
    int64_t close_ms; /* everything is settled */
    struct person *people;
    uint32_t person_count;
    struct item *items;
    uint32_t item_count;
    double *item_sum;   /* running sums of the weights */
    double *person_sum; /* running sums of the impressions */
    uint64_t next_id;
    uint64_t looks; /* of everybody: most that end without a like are not played */
    struct events events;
};

/* People, creators, items and everybody's traffic from warm_ms to quiet_ms.
 * slot moves ids and times so that several worlds can be played into one server. */
void world_make(struct world *world, uint64_t seed, double scale, uint32_t slot);
void world_free(struct world *world);
#define WORLD_SLOTS 8

void events_add(struct events *events, const struct event *event);
void events_sort(struct events *events);

/* Somebody of the world, the busy ones more often. */
const struct person *world_person(const struct world *world, struct chance *chance);

/* A moment in [from_ms, to_ms) by the hours of the day as the log has them. */
int64_t world_moment(struct chance *chance, int64_t from_ms, int64_t to_ms);

/* A new account; its registration is an event. */
struct person world_register(struct world *world, int64_t joined_ms, struct place place);
struct item world_publish(struct world *world, uint64_t creator, int64_t time_ms, double like_rate);

struct place person_place(const struct person *person, struct chance *chance);

/* Looks at an item, and may like it, and may take that back (as often as the log does). Returns
 * whether it likes it in the end. */
bool person_visit(struct world *world, struct chance *chance, const struct person *person,
                  uint64_t item, int64_t time_ms, double like_rate);

/* One act. */
void person_act(struct world *world, const struct person *person, enum verb verb, uint64_t item,
                int64_t time_ms, struct place place);

/* --- what the server shows -----------------------------------------------------------------------
 */

struct counts {
    double raw, valid, credited, held, quarantined, voided;
    double fading, frozen; /* weight that was taken back and still stands */
    double by_reason; /* totals of all reasons */
    double views, views_credited;
    bool weighed; /* the server tells what views are worth; else all count in full */
    bool three; /* the server tells raw, valid and credited; else all are its one counter */
};

struct sample {
    int64_t time_ms;
    struct counts counts; /* of the victim */
};

#define MOB_AT (26 * HOUR_MS) /* after the video was published: its first day is over */

#define CODES_MAX 12
struct shown {
    struct sample *samples;
    uint32_t sample_count;
    struct counts *items;       /* of scene.watched, at the end */
    uint32_t sanctioned;        /* of scene.innocent, at one of the checks */
    uint32_t standings_changed; /* of scene.creators and their items, at one of the checks */
    uint64_t first_changed;     /* id of the first of them */
    uint32_t standings_checked;
    uint64_t acts, refused, refused_unlikes;
    struct {
        char code[16];
        uint64_t count;
    } refusal[CODES_MAX];
    /* Probing: how often a guess from the replies alone was right; below 0: nothing to guess. */
    double guessed;
    int verified; /* zan verify of the data directory: 1 clean, 0 not, -1 not asked */
};

/* --- scene -------------------------------------------------------------------------------------
 */

struct ids {
    uint64_t *id;
    uint32_t count, room;
};
void ids_add(struct ids *ids, uint64_t id);

struct probe {
    struct person person;
    int64_t time_ms;
    uint64_t item;
};

#define VARIANTS_MAX 8
struct scene {
    struct world world;
    struct item victim;
    uint32_t organic;      /* likes of the victim that everybody gave and kept */
    uint32_t fake;         /* likes bought or faked */
    uint32_t withdrawn;    /* honest likes taken back by the scenario */
    uint32_t honest_count; /* events made before the attack's first */
    uint64_t honest;       /* a sum of everybody's acts: the same with the attack and without */
    int64_t attack_ms, attack_end_ms;
    struct ids watched;   /* items; the first is the victim */
    struct ids innocent;  /* accounts that nobody may restrict */
    struct ids creators;  /* whose standing must not change */
    struct ids own_items; /* their items: state must stay published */
    struct probe *probes; /* played one by one after the events */
    uint32_t probe_count;
    bool verify;
};

struct judgement;

struct scenario {
    const char *name;
    const char *what;
    const char *variants[VARIANTS_MAX]; /* of the attack; NULL ends; an honest crowd has one */
    bool attack;                        /* each variant is set beside one run without */
    /* variant -1: without the attack. */
    void (*stage)(struct scene *scene, int variant);
    /* without is NULL for an honest crowd. */
    void (*judge)(struct judgement *judgement, int variant, const struct scene *scene,
                  const struct shown *with, const struct shown *without);
};

extern const struct scenario scenarios[]; /* in the order of the table; the last has no name */

void scene_make(struct scene *scene, const struct scenario *scenario, int variant, uint64_t seed,
                double scale, uint32_t slot, uint64_t sequences);
void scene_free(struct scene *scene);

/* --- drive --------------------------------------------------------------------------------------
 */

#define DRIVE_MESSAGE 512

/* Called now and then with the share of the run that is done; false stops it. */
struct drive_watch {
    void *argument;
    bool (*turn)(void *argument, double done, uint64_t acts);
};

struct drive_options {
    const char *to, *name, *key; /* a server that is there; NULL: one of its own */
    const char *const *settings; /* further options of zan serve */
    uint32_t setting_count;
};

/* Plays a scene. UNKNOWN: no server, or it was lost; BADCONFIG: it would not start; STOPPING: watch
 * said so. shown is filled only when it ends well, and is owned by the caller: shown_free. */
enum status drive_scene(const struct scene *scene, const struct drive_options *options,
                        const struct drive_watch *watch, struct shown *shown,
                        char message[DRIVE_MESSAGE]);
void shown_free(struct shown *shown);

/* --- judge --------------------------------------------------------------------------------------
 */

enum verdict { VERDICT_MET, VERDICT_MISSED, VERDICT_UNMEASURED, VERDICT_TOLD, VERDICT_COUNT };

/* One row of the table; with many seeds the worst of them. */
struct measure {
    const struct scenario *scenario;
    const char *variant;
    char key[48]; /* "x10.heat"; unique within the scenario */
    char text[96];
    char unit[12];
    const char *note; /* why it was not measured; or NULL */
    double limit, worst;
    bool at_least; /* the goal is the least allowed, else the greatest */
    bool gated;    /* has a goal */
    uint32_t met, missed, unmeasured, told;
};

#define MEASURES_MAX 128
struct judgement {
    const struct scenario *scenario;
    const char *variant; /* "" if there is but one */
    struct measure measure[MEASURES_MAX];
    uint32_t count;
};

enum verdict measure_verdict(const struct measure *measure);
extern const char *const verdict_names[VERDICT_COUNT]; /* "met", "MISSED", ... */

typedef void judge_of(struct judgement *judgement, int variant, const struct scene *scene,
                      const struct shown *with, const struct shown *without);
judge_of judge_world, judge_third_parties, judge_sabotage, judge_flood, judge_mob, judge_withdrawal,
    judge_brushing, judge_gate, judge_crowd, judge_install, judge_cleanup, judge_reports,
    judge_staged, judge_probing, judge_evidence;

#endif
