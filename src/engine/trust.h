/* trust.h: how far one act is believed, from what was seen shortly before it.
 *
 * Scores likes, un-likes, views, reports and the other acts with one function. It devalues acts,
 * never items or creators; a weight under 50 needs two independent signals; unsure means held, not
 * zero. How each signal is counted, where every constant comes from and what is not found:
 * docs/trust.md.
 *
 *   points        0..1000: how strong one reason speaks; score is their sum by family, at most 1000
 *   family        reasons that measure the same thing are one family: tempo (velocity), company
 *                 (lockstep), newcomers (first timers, young), habit (hour, unliker), place
 * (device, network). Two signals are independent if they are of two families.
 *   *_us          microseconds since the epoch, from act.now_us; *_s the same in seconds
 *
 * Holds always: integers only; trust_judge and trust_settle change nothing; trust_observe reads the
 * act and the memory alone, so the same acts leave the same bytes on every build. A fixed number of
 * cache lines per act (trust_table.h). Memory:       one flat region of the caller, 64 byte
 * aligned, no pointers inside: it may be written to disk and read back. Whatever its bytes are, no
 * call reads or writes outside of it. Order:        trust_prefetch for some acts,
 * trust_prefetch_deep for the same, then trust_judge and trust_observe one act after the other. The
 * first two are hints and may be left out. */
#ifndef ZAN_ENGINE_TRUST_H
#define ZAN_ENGINE_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/act.h"
#include "schema/row.h"

#define TRUST_VERSION 3

/* A held like is scored again after this long: by then most of a burst has arrived. The caller's
 * clock decides; trust_settle may be called earlier or later. */
#define TRUST_SETTLE_US (3600LL * 1000000)

/* How many of each are remembered; the oldest make room. Rounded up to powers of two. */
struct trust_config {
    uint32_t accounts; /* 64 bytes each */
    uint32_t items;    /* 64 bytes each; one per item and verb */
    uint32_t places;   /* 16 bytes each; devices, networks, and each with an item */
    uint32_t pairs;    /* 8 bytes each; two busy windows that share accounts */
    uint32_t likes;    /* 68 bytes each; the last likes that may have to be looked at again */
};

/* A like as it is remembered for a while: 64 bytes. */
struct trust_like {
    uint64_t account, target;
    uint64_t address, device, network;
    int64_t time_us;
    uint32_t number;   /* from 1 on, in the order of the acts; 0: none */
    uint32_t previous; /* the one before it that shares its chain */
    uint16_t tenant;
    uint16_t reasons; /* what cannot be read again later: bit FIRST_TIMERS if it was a newcomer's */
    uint8_t source;
    uint8_t zero[3];
};

struct trust_verdict {
    uint8_t weight_pct; /* 0..100; of a held act: what it would be worth if nothing more came */
    uint8_t mark;       /* MARK_PLAIN, MARK_HELD, MARK_QUARANTINED */
    uint8_t reason;     /* the strongest, or REASON_NONE */
    uint8_t families;   /* how many families speak */
    uint16_t reasons;   /* bit 1 << enum reason */
    uint16_t score;     /* 0..1000 */
    uint16_t points[REASON_COUNT];
    /* Of a view that two families speak against, one of them that the window is one of newcomers:
     * what newcomers' views before it in that window count, in halves of a view. What is found out
     * about this one holds for them; they count no longer. */
    uint8_t along;
};

struct trust; /* the region, seen through its header */

/* A configuration whose memory is at most `bytes` (at least TRUST_BYTES_MIN). */
#define TRUST_BYTES_MIN (1u << 20)
struct trust_config trust_config_for(size_t bytes);

size_t trust_bytes(const struct trust_config *config);

/* Makes an empty memory in region (64 byte aligned, at least trust_bytes). */
struct trust *trust_open(void *region, size_t bytes, const struct trust_config *config);

/* Takes a region that holds what a run before left there; NULL if it was made by another version or
 * for another configuration. That the bytes are undamaged is the caller's check. */
struct trust *trust_restore(void *region, size_t bytes, const struct trust_config *config);

/* Is what is remembered still what trust_* leave there? Looks at the header and at `lines` cache
 * lines from *hand on, which goes round. Only what can never be is found: damage that looks like
 * something that was seen is not. now_us: at least the time of every act that was observed. */
bool trust_check(const struct trust *trust, const struct trust_config *config, int64_t now_us,
                 uint64_t *hand, uint32_t lines);

void trust_prefetch(const struct trust *trust, const struct act *act);
void trust_prefetch_deep(const struct trust *trust, const struct act *act);

/* What the act is worth, before it is recorded. */
void trust_judge(const struct trust *trust, const struct act *act, struct trust_verdict *verdict);

/* The act was recorded: learns from it. true: what it shows speaks against likes that its target
 * got shortly before, too; they are to be looked at again (trust_recent, then trust_review). That
 * is so for a handful of the acts of a window, each time when there are four times as many of the
 * kind. */
bool trust_observe(struct trust *trust, const struct act *act);

/* The likes that act->target got in the window before act->now_us and that are still remembered,
 * newest first, at most room of them; how many. A chain of TRUST_RECENT_STEPS is followed. */
#define TRUST_RECENT_STEPS 128
uint32_t trust_recent(const struct trust *trust, const struct act *act, struct trust_like *likes,
                      uint32_t room);
/* Who did the likes that are still remembered of this account is forgotten; they count for their items as
 * before. Goes over all of them. */
void trust_forget(struct trust *trust, uint16_t tenant, uint64_t account);

/* One of them; false: it is forgotten. */
bool trust_recall(const struct trust *trust, uint16_t tenant, uint64_t account, uint64_t target,
                  int64_t time_us, struct trust_like *like);

/* Scores an act again, later. act: as it was judged, now_us the time it was done; given_likes may
 * be that of today. verdict->reasons on entry: bits of the first verdict (0 if lost): what was seen
 * at the moment alone (velocity, hour, device) cannot be read again. Answers MARK_PLAIN, never HELD
 * again. */
void trust_settle(const struct trust *trust, const struct act *act, struct trust_verdict *verdict);

/* Looks at an act again that counted in full: MARK_HELD if it would be held by what is known now,
 * else MARK_PLAIN. act and verdict->reasons as for trust_settle. */
void trust_review(const struct trust *trust, const struct act *act, struct trust_verdict *verdict);

/* Until when the target's window for this verb is under a coordinated flood; 0: it is not. */
int64_t trust_flood_us(const struct trust *trust, uint16_t tenant, uint8_t verb, uint64_t target,
                       int64_t now_us);

/* Does the act belong to a flood on its target that is one of accounts that are suspected, each, for
 * more than the flood? Asked of un-likes, which are not weighed: they wait (withdraw.h). */
bool trust_floods(const struct trust *trust, const struct act *act);

enum trust_language { TRUST_ENGLISH, TRUST_CHINESE };
#define TRUST_EXPLAIN_BYTES 1024

/* One sentence: the outcome, its reasons, the points of each. Ends with 0; returns its length. */
size_t trust_explain(const struct trust_verdict *verdict, enum trust_language language,
                     char text[TRUST_EXPLAIN_BYTES]);

#endif
