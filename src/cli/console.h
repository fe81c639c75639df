/* console.h: the console as the build has made it; empty with -DZAN_CONSOLE=OFF (docs/console.md).
 */
#ifndef ZAN_CLI_CONSOLE_H
#define ZAN_CLI_CONSOLE_H

#include "serve/site.h"

extern const struct site console_site;

#endif
