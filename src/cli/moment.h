/* moment.h: a point in time as people write it.
 *
 * "2026-01-31" (midnight), "2026-01-31T08:00:00Z", or seconds since 1970; all UTC. */
#ifndef ZAN_CLI_MOMENT_H
#define ZAN_CLI_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_FORMS "2026-01-31, 2026-01-31T08:00:00Z or seconds since 1970"
#define MOMENT_TEXT  32

/* Microseconds since the epoch. False: it is none of these. */
bool moment_read(const char *text, int64_t *us);

/* "2026-01-31T08:00:00Z", without the part of a second. */
void moment_write(int64_t us, char text[MOMENT_TEXT]);

#endif
