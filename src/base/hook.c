#include "base/hook.h"

#ifdef ZAN_HOOKS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The environment is read once: getenv in the hot path would drown what is being tested. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char crash_name[64];
static atomic_long crash_left;
static char planted_name[64];

static void read_environment(void)
{
    const char *crash = getenv("ZAN_CRASH");
    const char *planted = getenv("ZAN_PLANT");

    if (crash != NULL) {
        const char *colon = strchr(crash, ':');
        size_t size = colon != NULL ? (size_t)(colon - crash) : strlen(crash);

        if (size < sizeof crash_name) {
            memcpy(crash_name, crash, size);
            atomic_store(&crash_left, colon != NULL ? strtol(colon + 1, NULL, 10) : 1);
        }
    }
    if (planted != NULL)
        strncpy(planted_name, planted, sizeof planted_name - 1);
}

void hook_crash_point(const char *name)
{
    pthread_once(&once, read_environment);
    if (crash_name[0] != '\0' && strcmp(name, crash_name) == 0 &&
        atomic_fetch_sub(&crash_left, 1) == 1)
        kill(getpid(), SIGKILL);
}

bool hook_planted(const char *name)
{
    pthread_once(&once, read_environment);
    return planted_name[0] != '\0' && strcmp(name, planted_name) == 0;
}

#else
typedef int hook_is_empty_here; /* ISO C wants a declaration in every file. */
#endif
