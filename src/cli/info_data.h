/* info_data.h: what lies in a data directory; for zan info --data. */
#ifndef ZAN_CLI_INFO_DATA_H
#define ZAN_CLI_INFO_DATA_H

#include <stdbool.h>

#include "node/config.h"

/* Prints, and returns the exit code. Changes nothing; the node may run. */
int info_data(const struct config *config, bool json);

#endif
