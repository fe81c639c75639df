#include "serve/site.h"

#include <string.h>

const struct site_file *site_find(const struct site *site, const char *path)
{
    uint32_t from = 0, to = site != NULL ? site->count : 0;

    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        int order = strcmp(path, site->files[middle].path);

        if (order == 0)
            return &site->files[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}
