/* bench_instr.h: likes in this process, for callgrind. */
#ifndef ZAN_CLI_BENCH_INSTR_H
#define ZAN_CLI_BENCH_INSTR_H

#include <stdbool.h>
#include <stdint.h>

#define BENCH_INSTR_WORKS "new|again|liked|flush"

/* count likes (a multiple of 1000) in a fresh data directory at path.
 *   new     likes of pairs that are not there
 *   again   the same once more: nothing changes
 *   liked   then 1000 times LIKED of 50 items
 *   flush   the likes, then memory is brought to rest
 * False: a message was printed. */
bool bench_instr(const char *path, uint64_t count, const char *work);

#endif
