/* data_set.c: see data_set.h. */
#include "cli/data_set.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_log(const char *dir)
{
    char path[DATA_SET_PATH];
    struct stat info;

    snprintf(path, sizeof path, "%.3800s/impressions.tsv.gz", dir);
    if (stat(path, &info) == 0)
        return true;
    snprintf(path, sizeof path, "%.3800s/impressions.tsv", dir);
    return stat(path, &info) == 0;
}

bool data_set_find(const char *given, char dir[DATA_SET_PATH])
{
    static const char *const places[] = {"../data/kuairand", "../share/zan/kuairand"};
    char self[DATA_SET_PATH];
    ssize_t size;
    char *slash;

    if (given != NULL) {
        snprintf(dir, DATA_SET_PATH, "%s", given);
        if (has_log(dir))
            return true;
        fprintf(stderr, "zan: there is no impressions.tsv.gz in %s\n", given);
        return false;
    }
    size = readlink("/proc/self/exe", self, sizeof self - 1);
    self[size > 0 ? size : 0] = '\0';
    if ((slash = strrchr(self, '/')) != NULL)
        *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(dir, DATA_SET_PATH, "%.3800s/%s", self, places[i]);
        if (has_log(dir))
            return true;
    }
    fprintf(stderr, "zan: no log to play was found; name its directory with --data-set\n");
    return false;
}
