/* tuning.c: see tuning.h. */
#include "readers/discover/tuning.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* A number that can be set, at this place of its struct: a double, a uint32_t, an int64_t of
 * microseconds. */
enum knob_kind { KNOB_NUMBER, KNOB_WHOLE, KNOB_HOURS };
struct knob {
    const char *name;
    size_t offset;
    double low, high;
    enum knob_kind kind;
};

#define WEIGHT(name, verb)                                                                         \
    {                                                                                              \
        name, offsetof(struct discover_rules, weight[verb]), 0, 100, KNOB_NUMBER                   \
    }

static const struct knob heat_knobs[] = {
    WEIGHT("like", HEAT_LIKE),
    WEIGHT("favorite", HEAT_FAVORITE),
    WEIGHT("comment", HEAT_COMMENT),
    WEIGHT("share", HEAT_SHARE),
    WEIGHT("long-view", HEAT_LONG_VIEW),
    {"depth", offsetof(struct discover_rules, depth), 1, 10, KNOB_NUMBER},
    {"half-life-hours", offsetof(struct discover_rules, half_life_us), 1, 8760, KNOB_HOURS},
};

#define FEED(name, member, low, high, kind)                                                        \
    {                                                                                              \
        name, offsetof(struct feed_settings, member), low, high, kind                              \
    }

static const struct knob feed_knobs[] = {
    FEED("prior", prior, 1, 100000, KNOB_NUMBER),
    FEED("followed", followed, 1, 10, KNOB_NUMBER),
    FEED("explore", explore, 0, 2, KNOB_NUMBER),
    FEED("diversity", rule.diversity, 0, 10, KNOB_NUMBER),
    FEED("author-decay", rule.author_decay, 0, 1, KNOB_NUMBER),
    FEED("author-floor", rule.author_floor, 0, 1, KNOB_NUMBER),
    FEED("author-cap", rule.author_cap, 1, FEED_PLACES_MAX, KNOB_WHOLE),
    FEED("streak", rule.streak, 1, 1000, KNOB_WHOLE),
    FEED("pool", rule.pool_share, 0, 1, KNOB_NUMBER),
    FEED("newcomers", rule.newcomer_share, 0, 1, KNOB_NUMBER),
    FEED("campaigns", rule.campaign_share, 0, 1, KNOB_NUMBER),
    FEED("gifts", rule.gift_share, 0, 0.2, KNOB_NUMBER),
};

#define POOL(name, member, low, high)                                                              \
    {                                                                                              \
        name, offsetof(struct pool_rule, member), low, high, KNOB_NUMBER                           \
    }

static const struct knob pool_knobs[] = {
    POOL("first", first, 1, 1e6),
    POOL("floor", floor, 0, 1e6),
    POOL("bar", bar_quantile, 0.01, 0.99),
    POOL("half", half, 0.001, 1),
    POOL("steep", steep, 1, 10),
    POOL("alpha", alpha, 0.000001, 0.5),
    POOL("kin", kin, 0, 1),
    POOL("likes-from", literal_rate, 0, 1),
    POOL("break-out", break_rate, 0.001, 1),
    POOL("negative", negative_times, 1, 100),
    POOL("newcomers", newcomer_share, 0, 1),
    POOL("author-decay", author_decay, 0, 1),
    POOL("author-floor", author_floor, 0, 1),
    POOL("author-cap", author_cap, 0.001, 1),
    {"stop-hours", offsetof(struct pool_rule, stop_us), 1, 8760, KNOB_HOURS},
};

struct knobs {
    const struct knob *knob;
    uint32_t count;
};
static const struct knobs heat_all = {heat_knobs, sizeof heat_knobs / sizeof heat_knobs[0]};
static const struct knobs feed_all = {feed_knobs, sizeof feed_knobs / sizeof feed_knobs[0]};
static const struct knobs pool_all = {pool_knobs, sizeof pool_knobs / sizeof pool_knobs[0]};

#define HOUR_US 3600000000.0

static void knob_set(const struct knob *knob, void *values, double value)
{
    char *at = (char *)values + knob->offset;
    uint32_t whole = (uint32_t)value;
    int64_t us = (int64_t)(value * HOUR_US);

    if (knob->kind == KNOB_NUMBER)
        memcpy(at, &value, sizeof value);
    else if (knob->kind == KNOB_WHOLE)
        memcpy(at, &whole, sizeof whole);
    else
        memcpy(at, &us, sizeof us);
}

/* Its bits, for a hash. */
static uint64_t knob_bits(const struct knob *knob, const void *values)
{
    uint64_t bits = 0;

    memcpy(&bits, (const char *)values + knob->offset,
           knob->kind == KNOB_WHOLE ? sizeof(uint32_t) : sizeof bits);
    return bits;
}

/* --- reading -------------------------------------------------------------------------------------
 */

static void list_names(const struct knobs *knobs, char *text, size_t size)
{
    size_t at = 0;

    for (uint32_t i = 0; i < knobs->count && at < size; i++)
        at +=
            (size_t)snprintf(text + at, size - at, "%s%s", i > 0 ? ", " : "", knobs->knob[i].name);
}

static const struct knob *knob_named(const struct knobs *knobs, const char *name, size_t size)
{
    for (uint32_t i = 0; i < knobs->count; i++)
        if (strlen(knobs->knob[i].name) == size && memcmp(knobs->knob[i].name, name, size) == 0)
            return &knobs->knob[i];
    return NULL;
}

#define DIGITS_MAX 15 /* so many are exact in a double */

/* No sign, no exponent, and no locale: 0.05 is five hundredths everywhere. */
static bool read_value(const char *text, size_t size, double *value)
{
    double number = 0, scale = 1;
    uint32_t digits = 0, points = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] == '.' && points == 0) {
            points++;
            continue;
        }
        if (text[i] < '0' || text[i] > '9' || ++digits > DIGITS_MAX)
            return false;
        number = number * 10 + (text[i] - '0');
        scale *= points > 0 ? 10 : 1;
    }
    *value = number / scale;
    return digits > 0;
}

/* One NAME=NUMBER of so many bytes. */
static bool read_pair(const struct knobs *knobs, const char *pair, size_t size, void *values,
                      char message[TUNING_MESSAGE])
{
    const char *equals = memchr(pair, '=', size);
    size_t name_size = equals != NULL ? (size_t)(equals - pair) : size;
    const struct knob *knob = knob_named(knobs, pair, name_size);
    char names[112];
    double value;

    if (knob == NULL || equals == NULL) {
        list_names(knobs, names, sizeof names);
        snprintf(message, TUNING_MESSAGE, "default, or NAME=NUMBER,... of %s", names);
        return false;
    }
    if (!read_value(equals + 1, size - name_size - 1, &value) || value < knob->low ||
        value > knob->high || (knob->kind == KNOB_WHOLE && value != floor(value))) {
        snprintf(message, TUNING_MESSAGE, "%s=NUMBER from %g to %g%s", knob->name, knob->low,
                 knob->high, knob->kind == KNOB_WHOLE ? ", a whole one" : "");
        return false;
    }
    knob_set(knob, values, value);
    return true;
}

static bool read_all(const struct knobs *knobs, const char *text, void *values,
                     char message[TUNING_MESSAGE])
{
    if (strcmp(text, "default") == 0)
        return true;
    for (const char *at = text;; at++) {
        size_t size = strcspn(at, ","), blank = strspn(at, " ");

        if (blank > size)
            blank = size;
        if (!read_pair(knobs, at + blank, size - blank, values, message))
            return false;
        at += size;
        if (*at == '\0')
            return true;
    }
}

bool tuning_read_heat(const char *text, struct discover_rules *rules, char message[TUNING_MESSAGE])
{
    struct discover_rules read = discover_defaults;

    if (!read_all(&heat_all, text, &read, message))
        return false;
    *rules = read;
    return true;
}

bool tuning_read_feed(const char *text, struct feed_settings *settings,
                      char message[TUNING_MESSAGE])
{
    struct feed_settings read = feed_settings_default();

    if (!read_all(&feed_all, text, &read, message))
        return false;
    if (read.rule.pool_share + read.rule.newcomer_share + read.rule.campaign_share +
            GIFTS * read.rule.gift_share >
        1) {
        snprintf(message, TUNING_MESSAGE,
                 "pool, newcomers, campaigns and twice gifts together at most 1");
        return false;
    }
    *settings = read;
    return true;
}

#define LADDER     "ladder="
#define LADDER_MAX 1e8 /* impressions; a stage without an end has 1e9 */
#define ENDLESS    1e9

/* N/N/...: ends of stages. */
static bool read_ladder(const char *text, size_t size, struct pool_rule *rule)
{
    double before = 0;

    rule->stages = 0;
    for (size_t at = 0; at <= size;) {
        size_t piece = 0;
        double end;

        while (at + piece < size && text[at + piece] != '/')
            piece++;
        if (rule->stages == POOL_STAGES_MAX - 1 || !read_value(text + at, piece, &end) ||
            end != floor(end) || end <= before || end > LADDER_MAX)
            return false;
        rule->stage_end[rule->stages++] = before = end;
        at += piece + 1;
    }
    rule->stage_end[rule->stages++] = ENDLESS;
    return true;
}

static bool read_pool_pair(const char *pair, size_t size, struct pool_rule *rule,
                           char message[TUNING_MESSAGE])
{
    const size_t skip = sizeof LADDER - 1;

    if (size < skip || memcmp(pair, LADDER, skip) != 0)
        return read_pair(&pool_all, pair, size, rule, message);
    if (read_ladder(pair + skip, size - skip, rule))
        return true;
    snprintf(message, TUNING_MESSAGE,
             "ladder=N/N/..., 1 to %d whole numbers that rise, at most 100000000",
             POOL_STAGES_MAX - 1);
    return false;
}

/* The preset whose name text begins with. */
static const struct pool_rule *read_preset(const char *text, size_t size)
{
    for (uint32_t i = 0; i < pool_rule_count; i++)
        if (strlen(pool_rules[i].name) == size && memcmp(pool_rules[i].name, text, size) == 0)
            return &pool_rules[i];
    return NULL;
}

bool tuning_read_pool(const char *text, struct pool_rule *rule, char message[TUNING_MESSAGE])
{
    size_t size = strcspn(text, ",");
    const struct pool_rule *preset = read_preset(text, size);
    struct pool_rule read;

    if (preset == NULL) {
        snprintf(message, TUNING_MESSAGE,
                 "off, default, likes or douyin, then what is to be other: default,first=20");
        return false;
    }
    read = *preset;
    for (const char *at = text + size; *at == ','; at += size) {
        size_t blank = strspn(++at, " ");

        size = strcspn(at, ",");
        blank = blank < size ? blank : size;
        if (!read_pool_pair(at + blank, size - blank, &read, message))
            return false;
    }
    if (read.floor > read.first || read.first > read.stage_end[0]) {
        snprintf(message, TUNING_MESSAGE,
                 "floor at most first, and first at most the end of the first stage (%g)",
                 read.stage_end[0]);
        return false;
    }
    *rule = read;
    return true;
}

/* --- names ---------------------------------------------------------------------------------------
 */

static uint64_t hash_of(const struct knobs *knobs, const void *values)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < knobs->count; i++)
        hash = hash_two(hash, knob_bits(&knobs->knob[i], values));
    return hash;
}

static uint32_t tuning_of(const struct knobs *knobs, const void *values, const void *defaults)
{
    uint64_t hash = hash_of(knobs, values);

    if (hash == hash_of(knobs, defaults))
        return 0;
    return (uint32_t)hash != 0 ? (uint32_t)hash : 1;
}

uint32_t tuning_of_heat(const struct discover_rules *rules)
{
    return tuning_of(&heat_all, rules, &discover_defaults);
}

uint32_t tuning_of_feed(const struct feed_settings *settings)
{
    struct feed_settings defaults = feed_settings_default();

    return tuning_of(&feed_all, settings, &defaults);
}

static uint64_t hash_of_rule(const struct pool_rule *rule)
{
    uint64_t hash = hash_two(hash_of(&pool_all, rule), rule->stages);

    for (uint32_t i = 0; i < rule->stages; i++)
        hash = hash_two(hash, (uint64_t)rule->stage_end[i]);
    return hash;
}

uint32_t tuning_of_pool(const struct pool_rule *rule)
{
    uint64_t hash = hash_of_rule(rule);

    if (hash == hash_of_rule(pool_rule_of(rule->name)))
        return 0;
    return (uint32_t)hash != 0 ? (uint32_t)hash : 1;
}

void tuning_formula(const char *name, uint32_t tuning, char text[TUNING_FORMULA])
{
    assert(strlen(name) + 10 <= TUNING_FORMULA);
    if (tuning == 0)
        snprintf(text, TUNING_FORMULA, "%s", name);
    else
        snprintf(text, TUNING_FORMULA, "%s+%08x", name, tuning);
}
