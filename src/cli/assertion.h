/* assertion.h: zan key pair and zan key sign: what a backend does in its own language, for
 * operators and tests. The file of a pair is one line,  KID TENANT PRIVATE-KEY , readable by its
 * owner only. */
#ifndef ZAN_CLI_ASSERTION_H
#define ZAN_CLI_ASSERTION_H

#include <stdint.h>

#include "cli/options.h"

/* words: "pair" KID FILE. FILE must not exist. Returns the exit code. */
int key_pair(const struct options_words *words, uint16_t tenant);

/* words: "sign" FILE ACCOUNT ROLE. at_s UINT64_MAX: now. Prints the assertion. */
int key_sign(const struct options_words *words, uint32_t epoch, uint64_t life_s, uint64_t at_s);

#endif
