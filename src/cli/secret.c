#include "cli/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool take(const char *from, char key[SECRET_BYTES])
{
    size_t size = strcspn(from, "\r\n");

    if (size == 0 || size >= SECRET_BYTES) {
        fprintf(stderr, "zan: the key is empty or longer than %d bytes\n", SECRET_BYTES - 1);
        return false;
    }
    memcpy(key, from, size);
    key[size] = '\0';
    return true;
}

bool secret_read(const char *path, char key[SECRET_BYTES])
{
    const char *environment = getenv("ZAN_KEY");
    char line[SECRET_BYTES + 2] = "";
    FILE *file;

    key[0] = '\0';
    if (path == NULL)
        return environment == NULL || environment[0] == '\0' || take(environment, key);
    if ((file = fopen(path, "re")) == NULL) {
        fprintf(stderr, "zan: %s: %s\n", path, strerror(errno));
        return false;
    }
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    fclose(file);
    return take(line, key);
}
