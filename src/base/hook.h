/* hook.h: places where a test build can be told to die or to be wrong.
 *
 * CRASH_POINT("log.before_sync") ends the process at once if ZAN_CRASH=log.before_sync[:n] (the nth
 * time it is reached). PLANTED("log.ack_before_sync") is true if ZAN_PLANT names it: a bug kept on
 * purpose, to test the tests. In ordinary builds both are nothing. The lists are made by
 * `grep -rho 'CRASH_POINT("[^"]*")' src`. */
#ifndef ZAN_BASE_HOOK_H
#define ZAN_BASE_HOOK_H

#ifdef ZAN_HOOKS
#include <stdbool.h>
void hook_crash_point(const char *name);
bool hook_planted(const char *name);
#define CRASH_POINT(name) hook_crash_point(name)
#define PLANTED(name)     hook_planted(name)
#else
#define CRASH_POINT(name) ((void)0)
#define PLANTED(name)     0
#endif

#endif
