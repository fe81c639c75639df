/* data_set.h: where the real log is that comes with Zan (data/kuairand). */
#ifndef ZAN_CLI_DATA_SET_H
#define ZAN_CLI_DATA_SET_H

#include <stdbool.h>

#define DATA_SET_PATH 4096

/* As given; else where a checkout or an installation keeps it, seen from this binary. False: it is
 * not there, and a message was printed. */
bool data_set_find(const char *given, char dir[DATA_SET_PATH]);

#endif
