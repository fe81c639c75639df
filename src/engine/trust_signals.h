/* trust_signals.h: what an act looks like beside the memory; points for each reason. */
#ifndef ZAN_ENGINE_TRUST_SIGNALS_H
#define ZAN_ENGINE_TRUST_SIGNALS_H

#include "engine/trust_table.h"

/* Kinds of act: what is usual is learnt for each apart. */
enum trust_kind { KIND_GIVE, KIND_TAKE, KIND_VIEW, KIND_REPORT };

/* One act and the rows that concern it; a row that is unknown is NULL. Borrowed until the next
 * change. */
struct trust_view {
    const struct trust *trust;
    const struct act *act;
    uint32_t now_s;
    enum trust_kind kind;
    bool settling;  /* the act is in the counts already */
    bool again;     /* the same account did this to the same target before */
    bool reviewing; /* settling, but it may still wait */
    bool was_new;   /* settling: at the time it was a newcomer's */
    uint64_t platform_key, crowd_key, account_key, item_key;
    uint64_t device_key, device_item_key, network_key, network_item_key; /* 0: not given */
    const struct trust_platform *platform;                               /* of this kind of act */
    const struct trust_platform *crowd; /* of KIND_GIVE: how many accounts are active */
    const struct trust_account *account;
    const struct trust_item *item;
    const struct trust_place *device, *device_item, *network, *network_item;
    struct trust_window window; /* of the item, at the time of the act; zero if none is open */
};

/* With whom the account came. */
struct trust_company {
    uint16_t met;    /* points of this act alone */
    uint16_t points; /* with the account's record */
    bool spread;     /* on several occasions, not in one evening */
    bool thin;       /* at least half of what it ever liked */
};

/* Points of one act, before and after weighing. */
struct trust_points {
    uint16_t reason[REASON_COUNT];
    struct trust_company company;
    uint16_t score;
    uint8_t families;
};

#define TRUST_STRONG 200 /* a family speaks from here on */
#define TRUST_HOLD   300 /* held from here on */
#define TRUST_CUT    600 /* with two families: devalued at settlement */
#define TRUST_SURE   800 /* with two families: devalued at once */

/* The shared token of a busy window: see trust_company.c. */
#define TRUST_BUSY 2 /* a window is busy when so many were there before */
uint64_t trust_token_id(uint32_t code, uint16_t start_h);
uint32_t trust_token_code(uint64_t item_key, uint32_t rank, const struct act *act);
uint64_t trust_token_pair(uint16_t tenant, uint64_t one, uint64_t other);
bool trust_token_lives(uint32_t code, uint16_t start_h, uint32_t now_s);

void trust_look(const struct trust *trust, const struct act *act, bool settling,
                struct trust_view *view);
/* Fills the keys of account and item; of everything. */
void trust_keys_main(const struct act *act, struct trust_view *view);
void trust_keys(const struct act *act, struct trust_view *view);
uint64_t trust_account_key(uint16_t tenant, uint64_t account);
/* The item's window that was open at now_s. */
void trust_look_window(struct trust_view *view);
/* first: bits of reasons that held at the first judging; 0 unless settling. */
void trust_weigh(const struct trust_view *view, uint16_t first, struct trust_points *points);

uint16_t trust_velocity_points(const struct trust_view *view);

void trust_company_look(const struct trust_view *view, struct trust_company *company);

uint16_t trust_newcomer_points(const struct trust_view *view);
uint16_t trust_young_points(const struct trust_view *view);
uint16_t trust_hour_points(const struct trust_view *view);
uint16_t trust_unliker_points(const struct trust_view *view);
uint16_t trust_device_points(const struct trust_view *view);
uint16_t trust_network_points(const struct trust_view *view);
/* The item gets far more than it is used to. Speaks for nothing alone. */
bool trust_surges(const struct trust_view *view);
/* Here for the first time; or with nothing done for its own sake before; of the two, what is meant
 * by a newcomer here. */
bool trust_is_first(const struct trust_view *view);
bool trust_is_stranger(const struct trust_view *view);
bool trust_is_newcomer(const struct trust_view *view);
uint32_t trust_network_accounts(const struct trust_view *view);
uint32_t trust_network_item_acts(const struct trust_view *view);

/* log2 of value in 1/16, linear between powers of two; 0 for 0 and 1. */
static inline uint32_t trust_log2_q4(uint64_t value)
{
    uint32_t power;

    if (value < 2)
        return 0;
    power = 63u - (uint32_t)__builtin_clzll(value);
    return power * 16 +
           (uint32_t)(power >= 4 ? (value >> (power - 4)) & 15 : (value << (4 - power)) & 15);
}

static inline uint16_t trust_at_most(uint64_t value, uint16_t bound)
{
    return value < bound ? (uint16_t)value : bound;
}

#endif
