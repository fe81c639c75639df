/* detect.h: rings of accounts whose likes were bought, found over a whole graph of likes.
 *
 * Two layers are looked at (graph.h): accounts and bursts, which shows deliveries, and accounts and
 * items, which shows what was dripped. In each a block is sought (peel.h, block.h); the one whose
 * evidence goes farthest beyond its cost is a *group*. Its likes are taken out, and it begins anew,
 * until what is left is no more than chance. Then items are looked at whose likers are newcomers
 * beyond what the platform is used to (newcomer.h): campaigns by accounts that act once.
 *
 * A group is a finding about likes (evidence class E0): they may be worth less. It says nothing
 * about the creator, who may be a victim, and an account may have been taken over.
 *
 * Scores are log odds in nats, of being one of a group, by whatever speaks most for it.
 *
 * docs/detect.md: method, sources, figures, limits. */
#ifndef ZAN_READERS_DETECT_DETECT_H
#define ZAN_READERS_DETECT_DETECT_H

#include "readers/detect/graph.h"

#define DETECT_GROUPS_MAX 64 /* groups and communities */

/* A group is named when fewer than that are to be expected by chance (nats: e^-14 is 1 in 1.2 M),
 * and its evidence is so many times its cost: honest accounts are not chosen at random quite. */
#define DETECT_GAIN_MIN     14.0
#define DETECT_MARGIN       1.1
#define DETECT_WIDE_MARGIN  2.0 /* the same of a wide group's likelihood (block.h) */
#define DETECT_ACCOUNTS_MIN 3

/* An item is told as a campaign when so much of it looks like one. */
#define DETECT_CAMPAIGN_SHARE 0.5

/* Of the likes of a group, how unevenly its accounts share them: Theil's index, less what chance
 * makes. More than that is a *community*: people of one place or taste, of whom some do a hundred
 * times what others do. Those who take orders do about the same. */
#define DETECT_UNEVEN_MAX 0.15

enum detect_kind {
    DETECT_BURSTS,    /* the same accounts in bursts of several items */
    DETECT_ITEMS,     /* the same accounts at the same items, at any time */
    DETECT_NEWCOMERS, /* items liked by accounts that do hardly anything else */
    DETECT_KIND_COUNT
};

struct detect_place {
    uint32_t item, first_s, last_s;
    uint32_t likes; /* of members */
    float odds;     /* of NEWCOMERS: the item's surprise, nats */
};

struct detect_member {
    uint32_t account;
    uint32_t likes; /* in the group's places */
    float odds;
};

struct detect_group {
    enum detect_kind kind;
    uint32_t members, places;
    struct detect_member *member; /* greatest odds first */
    struct detect_place *place;
    uint64_t likes;        /* of members at places */
    double expected;       /* as many by chance */
    double evidence, cost; /* nats; at most e^(cost - evidence) such groups are to be expected */
    double uneven;         /* Theil's index of the members' likes, less what chance makes */
};

struct detect {
    float *account_score;         /* [accounts] */
    float *item_score;            /* [items] */
    uint32_t groups, communities; /* communities: dense parts that were left alone */
    struct detect_group group[DETECT_GROUPS_MAX]; /* in the order they were found */
};

/* told, if not NULL, is called with how much of about whole is done. NOMEMORY leaves nothing. */
struct detect_progress {
    void (*told)(void *with, const char *what, uint64_t done, uint64_t whole);
    void *with;
};

enum status detect_run(const struct graph *graph, const struct detect_progress *progress,
                       struct detect *detect);
void detect_free(struct detect *detect);

#endif
