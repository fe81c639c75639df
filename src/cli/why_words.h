/* why_words.h: what zan why says of each cause of DIAGNOSE, in English and Chinese. */
#ifndef ZAN_CLI_WHY_WORDS_H
#define ZAN_CLI_WHY_WORDS_H

#include <stdbool.h>

enum why_language { WHY_ENGLISH, WHY_CHINESE, WHY_LANGUAGES };

struct why_cause {
    const char *name; /* as DIAGNOSE has it */
    bool percent;     /* number and compared are shares */
    const char *title[WHY_LANGUAGES];
    const char
        *number[WHY_LANGUAGES]; /* what the number is: "%s", then "%s" of what it is held against */
    const char *advice[WHY_LANGUAGES];
};

/* NULL: a newer node knows a cause that this program does not. */
const struct why_cause *why_cause(const char *name);

enum why_word {
    WHY_HEAD,   /* item, age in days, how many, of what */
    WHY_ALONE,  /* item, age in days */
    WHY_BY_TAG, /* tag */
    WHY_BY_LENGTH,
    WHY_BY_ALL,
    WHY_LIKES, /* likes, expected, lost */
    WHY_COSTS, /* likes */
    WHY_TRY,
    WHY_EVIDENCE,
    WHY_NOTHING,
    WHY_ALSO_FINE,
    WHY_NOT_KNOWN,
    WHY_NOT_USED,
    WHY_FOUND,
    WHY_LIKELY,
    WHY_OF_ALGORITHM,
    WHY_OF_AUDIENCE,
    WHY_OF_CONTENT,
    WHY_PART,    /* of the creator's weight that would raise it most */
    WHY_BETWEEN, /* of the names in a list */
    WHY_WORDS
};
extern const char *const why_words[WHY_WORDS][WHY_LANGUAGES];

#endif
