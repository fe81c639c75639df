/* rules.h: the policy that is in force: a preset that comes with the program, or a file. */
#ifndef ZAN_NODE_RULES_H
#define ZAN_NODE_RULES_H

#include <stdint.h>

#include "engine/policy.h"
#include "schema/status.h"

/* "default", ...; NULL past the last one. Sets the text if text is not NULL. */
const char *rules_preset(uint32_t i, const char **text, size_t *size);

/* name: a preset, a path, or "none". *policy is owned by the caller (free), NULL for none. Not OK:
 * message has file, line, column, what was expected and what to write instead. */
enum status rules_load(const char *name, struct policy **policy, uint8_t digest[32],
                       char message[512]);
/* The same with the text, owned by the caller (free); NULL for none. */
enum status rules_read(const char *name, struct policy **policy, uint8_t digest[32], char **text,
                       size_t *text_size, char message[512]);

/* What was set: the digest of a file's text, or of a preset's name: its text may change with the
 * program, and nobody has set anything else by that. */
void rules_mark(const char *name, const uint8_t digest[32], uint8_t mark[32]);

#endif
