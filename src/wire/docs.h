/* docs.h: the pages that are made from the tables: docs/commands.md from verbs.def and
 * subcommands.def, docs/errors.md from status.def, docs/access.md from access.def,
 * docs/guidance.md from guidance.def. zan docs writes
 * them; a test compares them with what is in the tree. */
#ifndef ZAN_WIRE_DOCS_H
#define ZAN_WIRE_DOCS_H

#include <stdio.h>

void docs_commands(FILE *out);
void docs_errors(FILE *out);
void docs_access(FILE *out);
void docs_guidance(FILE *out);

#endif
