/* policy_words.h: the words of the language, and text that grows in a buffer of fixed size. */
#ifndef ZAN_ENGINE_POLICY_WORDS_H
#define ZAN_ENGINE_POLICY_WORDS_H

#include "engine/policy.h"

/* Text in the caller's bytes: always ends with a 0; what does not fit is left out from there on. */
struct words {
    char *text;
    size_t room; /* with the 0; at least 1 */
    size_t size;
    bool full;
};

struct words words_begin(char *text, size_t room);
void words_put(struct words *words, const char *string);
void words_bytes(struct words *words, const char *bytes, size_t size);
void words_number(struct words *words, uint64_t number);
/* "24 h" or "24 小时": in the largest unit that leaves no rest. */
void words_time(struct words *words, uint64_t time_us, enum policy_language language);
/* 1/100 percent: "12.5 %". */
void words_percent(struct words *words, uint64_t hundredths);
/* The verb as policies write it: "like". */
void words_verb(struct words *words, uint32_t verb);

/* The verb with that name, or VERB_COUNT. */
uint32_t words_verb_find(const char *name, size_t size);
/* The place of a word in a list of count, or count. */
uint32_t words_find(const char *const *list, uint32_t count, const char *word, size_t size);

extern const char *const policy_scope_words[POLICY_SCOPE_COUNT];
extern const char *const policy_fact_words[POLICY_FACT_COUNT];
extern const char *const policy_action_words[POLICY_ACTION_COUNT];
extern const char *const policy_op_words[POLICY_EQUAL + 1];
extern const char *const policy_relation_words[POLICY_RELATION_COUNT];
extern const char *const policy_notice_words[POLICY_NOTICE_COUNT];
extern const char *const policy_showing_words[POLICY_SHOWING_COUNT];
extern const char *const policy_tier_words[TIER_COUNT];

#endif
