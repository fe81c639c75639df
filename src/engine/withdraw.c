/* withdraw.c: see withdraw.h.
 *
 * 2^-x: whole halvings are shifts; between two of them a table of 64 steps, linear within a step.
 * A coarser curve (one line from halving to halving) is not enough: it decays too slowly where it
 * is asked often, and an item that loses a like every minute would keep 3 % at the horizon. */
#include "engine/withdraw.h"

#include <assert.h>

#include "base/hook.h"

#define STEPS 64
#define ONE_BITS 31

__extension__ typedef unsigned __int128 u128;

/* 2^31 * 2^(-i / 64), rounded. */
static const uint32_t power[STEPS + 1] = {
    2147483648u, 2124350982u, 2101467502u, 2078830522u, 2056437387u, 2034285470u, 2012372174u,
    1990694927u, 1969251188u, 1948038440u, 1927054196u, 1906295993u, 1885761398u, 1865448001u,
    1845353420u, 1825475297u, 1805811301u, 1786359126u, 1767116489u, 1748081133u, 1729250827u,
    1710623359u, 1692196547u, 1673968228u, 1655936265u, 1638098541u, 1620452965u, 1602997467u,
    1585730000u, 1568648537u, 1551751076u, 1535035634u, 1518500250u, 1502142985u, 1485961921u,
    1469955159u, 1454120821u, 1438457051u, 1422962010u, 1407633882u, 1392470869u, 1377471191u,
    1362633090u, 1347954824u, 1333434672u, 1319070932u, 1304861917u, 1290805962u, 1276901417u,
    1263146652u, 1249540052u, 1236080024u, 1222764986u, 1209593378u, 1196563654u, 1183674286u,
    1170923762u, 1158310587u, 1145833280u, 1133490379u, 1121280436u, 1109202018u, 1097253708u,
    1085434106u, 1073741824u,
};

/* 2^31 * 2^(-part / whole), part below whole; whole is at most 30 days: below 2^42. */
static uint32_t power_of(uint64_t part, uint64_t whole)
{
    uint64_t at = part * ((uint64_t)STEPS << 16) / whole;
    uint32_t step = (uint32_t)(at >> 16), within = (uint32_t)(at & 0xFFFF);
    uint64_t drop = power[step] - power[step + 1];

    return power[step] - (uint32_t)(drop * within >> 16);
}

uint64_t withdraw_left(uint64_t value, int64_t age_us, uint32_t horizon_s)
{
    uint64_t age, whole = (uint64_t)horizon_s * 1000000, halvings;

    assert(age_us >= 0);
    if (horizon_s == 0)
        return 0;
    assert(horizon_s <= WITHDRAW_HORIZON_MAX_S);
    if (age_us / 1000000 / 64 > (int64_t)horizon_s)
        return 0;
    age = (uint64_t)age_us * WITHDRAW_HALVINGS;
    halvings = age / whole;
    if (halvings > 63)
        return 0; /* A shift by 64 is undefined in C, and 0 is the answer. */
    return (uint64_t)((u128)value * power_of(age % whole, whole) >> ONE_BITS) >> halvings;
}

/* What waited begins to fade at at_us, and is looked at at now_us. */
static void freeze_end(struct withdrawn *row, int64_t at_us, int64_t now_us)
{
    row->fading_q16 += withdraw_left(row->frozen_pct << 16, now_us - at_us, row->horizon_s);
    row->frozen_pct = 0;
    row->frozen_likes = 0;
}

void withdraw_settle(struct withdrawn *row, int64_t now_us)
{
    if (now_us < row->fading_us)
        now_us = row->fading_us; /* a log with a clock that went back: as if no time had passed */
    row->fading_q16 = PLANTED("engine.withdrawn_never_fades")
                          ? row->fading_q16
                          : withdraw_left(row->fading_q16, now_us - row->fading_us, row->horizon_s);
    row->fading_us = now_us;
    if (row->frozen_pct > 0 && !withdraw_is_frozen(row, now_us))
        freeze_end(row, row->freeze_until_us, now_us);
}

void withdraw_take(struct withdrawn *row, uint8_t weight_pct, uint32_t horizon_s, bool seasoned,
                   int64_t now_us)
{
    if (weight_pct == 0 || horizon_s == 0)
        return;
    withdraw_settle(row, now_us);
    row->horizon_s = horizon_s;
    if (!withdraw_is_frozen(row, now_us)) {
        row->fading_q16 += (uint64_t)weight_pct << 16;
        return;
    }
    row->frozen_likes++;
    row->frozen_pct += weight_pct;
    if (seasoned)
        row->loss_pct += weight_pct;
}

static uint64_t take_at_most(uint64_t *from, uint64_t amount)
{
    uint64_t taken = amount < *from ? amount : *from;

    *from -= taken;
    return taken;
}

/* When its weight began to fade. One from before the last freeze may have waited in an earlier one:
 * then it began at the latest when that one had to be over. */
static int64_t faded_since(const struct withdrawn *row, int64_t taken_us)
{
    int64_t latest_us = taken_us + WITHDRAW_FREEZE_MAX_US;

    if (row->freeze_from_us == 0 || taken_us >= row->freeze_until_us)
        return taken_us;
    if (taken_us >= row->freeze_from_us)
        return row->freeze_until_us;
    return latest_us < row->freeze_from_us ? latest_us : row->freeze_from_us;
}

uint64_t withdraw_return(struct withdrawn *row, uint8_t weight_pct, int64_t taken_us,
                         int64_t now_us)
{
    bool in_freeze = row->freeze_from_us != 0 && taken_us >= row->freeze_from_us &&
                     taken_us < row->freeze_until_us;

    if (weight_pct == 0 || PLANTED("engine.relike_keeps_what_fades"))
        return 0;
    withdraw_settle(row, now_us);
    if (in_freeze && withdraw_is_frozen(row, now_us)) {
        (void)take_at_most(&row->frozen_pct, weight_pct);
        row->frozen_likes -= row->frozen_likes > 0;
    } else {
        (void)take_at_most(&row->fading_q16,
                           withdraw_left((uint64_t)weight_pct << 16,
                                         now_us - faded_since(row, taken_us), row->horizon_s));
    }
    if (in_freeze)
        weight_pct = (uint8_t)(weight_pct - take_at_most(&row->loss_pct, weight_pct));
    return take_at_most(&row->paid_pct, weight_pct);
}

bool withdraw_freeze(struct withdrawn *row, int64_t until_us, int64_t now_us)
{
    bool is_new = !withdraw_is_frozen(row, now_us);
    int64_t longest_us;

    if (until_us <= now_us)
        return false;
    if (is_new) {
        if (row->freeze_until_us != 0 && now_us - row->freeze_until_us < WITHDRAW_FREEZE_MAX_US &&
            row->freeze_until_us - row->freeze_from_us >= WITHDRAW_FREEZE_MAX_US)
            return false;
        withdraw_settle(row, now_us);
        row->freeze_from_us = row->freeze_until_us = now_us;
        row->loss_pct = 0;
    }
    longest_us = row->freeze_from_us + WITHDRAW_FREEZE_MAX_US;
    if (until_us > longest_us && !PLANTED("engine.freeze_without_end"))
        until_us = longest_us;
    if (until_us > row->freeze_until_us)
        row->freeze_until_us = until_us;
    return is_new;
}

void withdraw_release(struct withdrawn *row, int64_t now_us)
{
    withdraw_settle(row, now_us);
    if (!withdraw_is_frozen(row, now_us))
        return;
    freeze_end(row, now_us, now_us);
    row->freeze_until_us = now_us;
}
