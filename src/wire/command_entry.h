/* command_entry.h: every command and subcommand as one row, for those who tell about them (COMMAND,
 * COMMAND DOCS, docs/commands.md): verbs.def and subcommands.def together. */
#ifndef ZAN_WIRE_COMMAND_ENTRY_H
#define ZAN_WIRE_COMMAND_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/verb.h"
#include "wire/command_spec.h"

struct command_entry {
    const char *name; /* "LIKE", "ITEM SET", "CLIENT ID" */
    const char *since;
    const char *summary;
    const char *arguments; /* NULL: a container, which takes its second word */
    uint8_t verb;          /* enum verb; of a container, a verb in it */
};

/* Entry i, or NULL past the last one. */
const struct command_entry *command_entry(uint32_t i);

/* Is name made of parent's name and one more word? */
bool command_entry_is_child(const struct command_entry *child, const struct command_entry *parent);

/* Has it only one word? */
bool command_entry_is_top(const struct command_entry *entry);

uint32_t command_entry_children(const struct command_entry *parent);

/* By the name that Redis clients use: "item|set" for ITEM SET, in any case. NULL if there is none. */
const struct command_entry *command_entry_find(struct resp_slice name);

/* What it costs, by the shape of its verb. */
const char *command_entry_complexity(const struct command_entry *entry);

#endif
