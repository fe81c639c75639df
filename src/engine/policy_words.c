#include "engine/policy_words.h"

#include <assert.h>
#include <string.h>

const char *const policy_scope_words[] = {
    [POLICY_ACCOUNT] = "account", [POLICY_PAIR] = "pair",         [POLICY_ITEM] = "item",
    [POLICY_CREATOR] = "creator", [POLICY_DEVICE] = "device",     [POLICY_NETWORK] = "network",
    [POLICY_ADDRESS] = "address", [POLICY_CAMPAIGN] = "campaign",
};
const char *const policy_fact_words[] = {
    [POLICY_COUNT] = "count", [POLICY_RATIO] = "ratio",       [POLICY_DISTINCT] = "distinct",
    [POLICY_SHARE] = "share", [POLICY_FLIPS] = "flips",       [POLICY_TAKEBACKS] = "takebacks",
    [POLICY_AGE] = "age",     [POLICY_EDGE_AGE] = "edge-age", [POLICY_GIVEN] = "given",
    [POLICY_LIKES] = "likes",
};
const char *const policy_action_words[] = {
    [POLICY_ALLOW] = "allow",       [POLICY_ALERT] = "alert",   [POLICY_CONFIRM] = "confirm",
    [POLICY_REVIEW] = "review",     [POLICY_HOLD] = "hold",     [POLICY_WEIGHT] = "weight",
    [POLICY_POINTS] = "points",     [POLICY_REFUSE] = "refuse", [POLICY_LIMIT] = "limit",
    [POLICY_LIKE_BAN] = "like-ban",
};
const char *const policy_op_words[] = {
    [POLICY_GREATER] = ">",  [POLICY_AT_LEAST] = ">=", [POLICY_LESS] = "<",
    [POLICY_AT_MOST] = "<=", [POLICY_EQUAL] = "=",
};
const char *const policy_relation_words[] = {
    [POLICY_STRANGER] = "stranger", [POLICY_FOLLOWER] = "follower",    [POLICY_MUTUAL] = "mutual",
    [POLICY_COMMON] = "common",     [POLICY_ITEM_CREATOR] = "creator",
};
const char *const policy_notice_words[] = {
    [POLICY_SILENT] = "silent",
    [POLICY_DIGEST] = "digest",
    [POLICY_EXPLICIT] = "explicit",
};
const char *const policy_showing_words[] = {
    [POLICY_HIDDEN] = "hidden",
    [POLICY_STATE] = "state",
    [POLICY_TRACE] = "trace",
};
const char *const policy_tier_words[] = {
    [TIER_ORDINARY] = "ordinary",
    [TIER_VERIFIED] = "verified",
    [TIER_ELDER] = "elder",
};

#define NAME_OF(function, type, list, count)                                                       \
    const char *function(type value)                                                               \
    {                                                                                              \
        assert((uint32_t)value < (count));                                                         \
        return list[value];                                                                        \
    }
NAME_OF(policy_scope_name, enum policy_scope, policy_scope_words, POLICY_SCOPE_COUNT)
NAME_OF(policy_fact_name, enum policy_fact, policy_fact_words, POLICY_FACT_COUNT)
NAME_OF(policy_action_name, enum policy_action, policy_action_words, POLICY_ACTION_COUNT)
NAME_OF(policy_op_name, enum policy_op, policy_op_words, POLICY_EQUAL + 1)
NAME_OF(policy_relation_name, enum policy_relation, policy_relation_words, POLICY_RELATION_COUNT)
NAME_OF(policy_notice_name, enum policy_notice, policy_notice_words, POLICY_NOTICE_COUNT)
NAME_OF(policy_showing_name, enum policy_showing, policy_showing_words, POLICY_SHOWING_COUNT)
NAME_OF(policy_tier_name, enum tier, policy_tier_words, TIER_COUNT)

bool policy_verb(uint32_t verb)
{
    uint8_t shape;

    if (verb >= VERB_COUNT || verb_info((enum verb)verb)->group != GROUP_WRITE)
        return false;
    shape = verb_info((enum verb)verb)->shape;
    return shape == SHAPE_SET || shape == SHAPE_EVENT || shape == SHAPE_VIEW;
}

/* --- finding -------------------------------------------------------------------------------------
 */

uint32_t words_find(const char *const *list, uint32_t count, const char *word, size_t size)
{
    uint32_t i = 0;

    while (i < count && (strlen(list[i]) != size || memcmp(list[i], word, size) != 0))
        i++;
    return i;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_verb_name(const char *verb, const char *name, size_t size)
{
    if (strlen(verb) != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (lower(verb[i]) != name[i])
            return false;
    return true;
}

uint32_t words_verb_find(const char *name, size_t size)
{
    for (uint32_t verb = 0; verb < VERB_COUNT; verb++)
        if (policy_verb(verb) && is_verb_name(verb_info((enum verb)verb)->name, name, size))
            return verb;
    return VERB_COUNT;
}

/* --- writing -------------------------------------------------------------------------------------
 */

struct words words_begin(char *text, size_t room)
{
    assert(room > 0);
    text[0] = 0;
    return (struct words){.text = text, .room = room};
}

void words_bytes(struct words *words, const char *bytes, size_t size)
{
    size_t left = words->room - 1 - words->size;

    if (words->full)
        return;
    if (size > left) {
        words->full = true;
        size = left;
        while (size > 0 && ((uint8_t)bytes[size] & 0xC0) == 0x80) /* not within a character */
            size--;
    }
    memcpy(words->text + words->size, bytes, size);
    words->size += size;
    words->text[words->size] = 0;
}

void words_put(struct words *words, const char *string)
{
    words_bytes(words, string, strlen(string));
}

void words_number(struct words *words, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    words_bytes(words, digits + at, sizeof digits - at);
}

void words_time(struct words *words, uint64_t time_us, enum policy_language language)
{
    static const struct {
        uint64_t us;
        const char *name[2];
    } units[] = {{86400000000ULL, {" d", " 天"}},
                 {3600000000ULL, {" h", " 小时"}},
                 {60000000ULL, {" min", " 分钟"}},
                 {1000000ULL, {" s", " 秒"}}};
    uint32_t unit = 0;

    /* A span that was set has no rest in its unit; an age is told in the largest unit it fills. */
    while (unit < 3 && (time_us < units[unit].us ||
                        (time_us % units[unit].us != 0 && time_us < 2 * units[unit].us)))
        unit++;
    if (unit == 0 && time_us == units[0].us) /* people say 24 h */
        unit = 1;
    words_number(words, time_us / units[unit].us);
    words_put(words, units[unit].name[language]);
}

void words_percent(struct words *words, uint64_t hundredths)
{
    words_number(words, hundredths / 100);
    if (hundredths % 100 != 0) {
        words_put(words, ".");
        words_number(words, hundredths % 100 / 10);
        if (hundredths % 10 != 0)
            words_number(words, hundredths % 10);
    }
    words_put(words, " %");
}

void words_verb(struct words *words, uint32_t verb)
{
    const char *name = verb_info((enum verb)verb)->name;

    for (; *name != 0; name++) {
        char c = lower(*name);

        words_bytes(words, &c, 1);
    }
}
