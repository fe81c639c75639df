/* From words to a verb.
 *
 * A name is at most 16 bytes, so it is compared as two integers, with bit 5 set in every byte, which
 * lets upper and lower case fall together. verbs.def is expanded once for every length of name; what
 * has another length the compiler drops, so that a look-up is a jump and a handful of compares with
 * constants, and there is no table to build or to keep in the cache. */
#include "wire/command.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "schema/verb.h"

#define NAME_MAX_BYTES 16
#define CASE_BITS      0x2020202020202020ULL

struct key {
    uint64_t low;
    uint64_t high;
};

/* The first eight bytes and the rest, little endian; 1 to 16 bytes, none read beyond. */
static inline struct key key_of(const char *text, size_t size)
{
    struct key key = {0, 0};

    if (size >= 8) {
        memcpy(&key.low, text, 8);
        memcpy(&key.high, text + size - 8, 8);
        key.high = size > 8 ? key.high >> (8 * (16 - size)) : 0;
    } else if (size >= 4) {
        uint32_t first;
        uint32_t last;

        memcpy(&first, text, 4);
        memcpy(&last, text + size - 4, 4);
        key.low = first | (uint64_t)last << (8 * (size - 4));
    } else {
        key.low = (uint64_t)(uint8_t)text[0] |
                  (uint64_t)(uint8_t)text[size / 2] << (8 * (size / 2)) |
                  (uint64_t)(uint8_t)text[size - 1] << (8 * (size - 1));
    }
    /* Bytes past the end get the bits too, in both keys that are compared. */
    key.low |= CASE_BITS;
    key.high |= CASE_BITS;
    return key;
}

static inline bool same_key(struct key a, struct key b)
{
    return a.low == b.low && a.high == b.high;
}

/* Spaces only match where the caller has put one: a single word "ITEM SET" names nothing. */
static inline enum verb look_up(const char *text, size_t size, bool two_words)
{
    struct key key;

    if (size == 0 || size > NAME_MAX_BYTES)
        return VERB_COUNT;
    key = key_of(text, size);
    switch (size) {
#define VERB(symbol, name, group, role, shape, edge, on, counter, since, summary, arguments)       \
    if (sizeof name - 1 == LENGTH && two_words == (strchr(name, ' ') != NULL) &&                   \
        same_key(key, key_of(name, sizeof name - 1)))                                              \
        return VERB_##symbol;
#define LENGTH 3
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 4
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 5
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 6
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 7
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 8
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 9
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 10
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 11
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 12
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 13
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 14
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 15
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#define LENGTH 16
    case LENGTH:
#include "schema/verbs.def"
        break;
#undef LENGTH
#undef VERB
    default:
        break;
    }
    return VERB_COUNT;
}

#define VERB(symbol, name, group, role, shape, edge, on, counter, since, summary, arguments)       \
    static_assert(sizeof name - 1 >= 3 && sizeof name - 1 <= NAME_MAX_BYTES,                                   \
                  "look_up has no case for the length of " name);
#include "schema/verbs.def"
#undef VERB

/* ITEM and ACCOUNT name nothing by themselves; with the word behind them they do. */
static enum verb look_up_two(const struct resp_slice *args)
{
    char joined[NAME_MAX_BYTES];
    size_t size = (size_t)args[0].size + 1 + args[1].size;

    if (size > sizeof joined || args[0].size == 0 || args[1].size == 0)
        return VERB_COUNT;
    memcpy(joined, args[0].bytes, args[0].size);
    joined[args[0].size] = ' ';
    memcpy(joined + args[0].size + 1, args[1].bytes, args[1].size);
    return look_up(joined, size, true);
}

enum verb command_verb(const struct resp_slice *args, uint32_t count, uint32_t *words)
{
    enum verb verb;

    if (count == 0)
        return VERB_COUNT;
    verb = look_up(args[0].bytes, args[0].size, false);
    *words = 1;
    if (verb != VERB_COUNT || count < 2)
        return verb;
    verb = look_up_two(args);
    if (verb != VERB_COUNT)
        *words = 2;
    return verb;
}
