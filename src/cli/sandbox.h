/* sandbox.h: the process gives up what it will not need, so that a hole in it is worth little.
 *
 *   sandbox_files   before the node opens: no new privileges, no core dumps, no capabilities, and
 *                   (landlock) no file but those of the data directory, the copies of the log and
 *                   the files that settings name
 *   sandbox_calls   after the node has started: (seccomp) an allow-list of system calls for every
 *                   thread; what is not on it kills the process (SIGSYS)
 *
 * The order matters: landlock holds for threads that are made later only, seccomp for all there
 * are.
 *
 * Setting sandbox: off does nothing; try goes on where kernel or container do not allow a part, and
 * says so; on refuses to start then. Neither can be undone: for the process, not for a test program
 * that wants to go on.
 *
 * Source: prctl(2), landlock(7), seccomp(2). */
#ifndef ZAN_CLI_SANDBOX_H
#define ZAN_CLI_SANDBOX_H

#include <stdbool.h>

#include "node/config.h"
#include "schema/status.h"

struct sandbox {
    bool wanted;                   /* the setting is not off */
    bool required;                 /* the setting is on */
    bool privileges, files, calls; /* what holds */
    char message[CONFIG_MESSAGE];  /* what does not hold and why; "" if nothing is to be said */
};

/* BADCONFIG: the setting is on and a part cannot be had; message says which. Nothing but privileges
 * may be given up then: the caller ends. */
enum status sandbox_files(struct sandbox *sandbox, const struct config *config);
enum status sandbox_calls(struct sandbox *sandbox);

#ifdef ZAN_HOOKS
/* Test builds: does what ZAN_FORBIDDEN names: execve, fork, socket, kill, core, memory, read:PATH,
 * write:PATH. */
void sandbox_try_forbidden(void);
#endif

#endif
