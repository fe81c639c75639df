/* secret.h: a key for --key-file or from ZAN_KEY; never from the command line, which others see. */
#ifndef ZAN_CLI_SECRET_H
#define ZAN_CLI_SECRET_H

#include <stdbool.h>

#define SECRET_BYTES 256

/* path NULL: ZAN_KEY, or "" if that is not set. False after a message was printed. */
bool secret_read(const char *path, char key[SECRET_BYTES]);

#endif
