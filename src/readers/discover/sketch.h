/* sketch.h: how many different accounts, roughly, in 256 bytes.
 *
 * HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with 256 registers: standard error 1.04 / 16
 * = 6.5 %; below 640 linear counting of empty registers (Whang et al. 1990), which is closer there.
 * Adding twice changes nothing. A sketch can say that an account is *not* in it: nobody can be
 * listed from it.
 *
 * Pure; the caller owns the bytes. */
#ifndef ZAN_READERS_DISCOVER_SKETCH_H
#define ZAN_READERS_DISCOVER_SKETCH_H

#include <stdint.h>

#define SKETCH_REGISTERS 256
#define SKETCH_ERROR     0.065

struct sketch {
    uint8_t rank[SKETCH_REGISTERS];
};

/* Zeroed: empty. */
void sketch_add(struct sketch *sketch, uint64_t id);
double sketch_count(const struct sketch *sketch);
/* Who is in either of them. */
void sketch_join(struct sketch *sketch, const struct sketch *with);

#endif
