/* compensate.c: see compensate.h. */
#include "engine/compensate.h"

#include "base/hook.h"

static uint32_t seconds(int64_t now_us)
{
    return now_us > 0 ? (uint32_t)(now_us / 1000000) : 0;
}

static uint32_t at_most(uint64_t amount, uint32_t bound)
{
    return amount < bound ? (uint32_t)amount : bound;
}

uint64_t compensate_of_loss(uint64_t loss_pct)
{
    return loss_pct - (loss_pct + 127) / 128;
}

void compensate_settle(struct compensation *row, int64_t now_us)
{
    if (seconds(now_us) < row->until_s || PLANTED("engine.compensation_never_ends"))
        return;
    row->balance_pct = 0;
    row->until_s = 0;
}

uint32_t compensate_grant(struct compensation *row, uint64_t amount_pct, uint32_t cap_likes,
                          int64_t now_us)
{
    uint32_t now_s = seconds(now_us), cap_pct = cap_likes * WEIGHT_FULL, granted, owed;

    compensate_settle(row, now_us);
    if (row->from_s == 0 || now_s - row->from_s >= COMPENSATE_PERIOD_S) {
        row->from_s = now_s;
        row->granted_pct = 0;
    }
    granted = at_most(amount_pct, cap_pct > row->granted_pct ? cap_pct - row->granted_pct : 0);
    if (PLANTED("engine.compensation_without_cap"))
        granted = at_most(amount_pct, UINT32_MAX / 2);
    if (granted == 0)
        return 0;
    owed = at_most(row->owed_pct, granted);
    row->owed_pct -= owed;
    row->granted_pct += granted;
    row->balance_pct += granted - owed;
    row->until_s = now_s + COMPENSATE_KEEP_S;
    return granted;
}

void compensate_owe(struct compensation *row, uint64_t amount_pct, int64_t now_us)
{
    uint32_t taken;

    compensate_settle(row, now_us);
    taken = at_most(amount_pct, row->balance_pct);
    row->balance_pct -= taken;
    /* No more than was ever had: what the cap kept back, or what expired, is no debt. */
    row->owed_pct = at_most(row->owed_pct + (amount_pct - taken), row->spent_pct);
}

bool compensate_spend(struct compensation *row, uint32_t amount_pct, int64_t now_us)
{
    compensate_settle(row, now_us);
    if (amount_pct > row->balance_pct)
        return false;
    row->balance_pct -= amount_pct;
    row->spent_pct = at_most((uint64_t)row->spent_pct + amount_pct, UINT32_MAX);
    return true;
}
