/* Lockstep: does the account meet the same others again and again?
 *
 * A busy window of an item is a token. An account keeps the TRUST_TOKENS of its last days with the
 * smallest hash: all accounts prefer the same ones, so two that shared windows keep shared ones.
 * When an account comes to a busy window, each pair (its token, this window) is counted. The count
 * is how many accounts made both. A crowd at one item has no pair in common; accounts that are sent
 * to the same items in the same windows collide in all of them.
 *
 * What chance explains is taken off: of N(t) accounts in one window and N(s) in the other,
 * N(t) N(s) / A meet if A accounts choose freely. They do not choose quite freely (active people
 * meet more often, evenings are fuller), so it is taken off CHANCE_TIMES. N(t) is read from the
 * highest rank any of the pair's accounts had. Where the window belongs to one network, A is that
 * network's accounts: a school has its own favourites.
 *
 * Windows of the creator whose item it is now do not make a second: followers come to each new
 * video within the hour. Nor do two windows of one other creator count twice. */
#include "base/hook.h"
#include "engine/trust_signals.h"

#define HORIZON_H       168 /* a week */
#define CHANCE_TIMES    4
#define NETWORK_TIMES   2
#define NETWORK_LEAST   500 /* accounts: a smaller network is not a crowd of its own */
#define CROWD_LEAST     64
#define EXCESS_LEAST_Q8 128 /* of one shared account, when chance is taken off */
#define EXCESS_POINTS   60
#define GROUP_LEAST     8 /* acts in a window before it is looked at as a group */
#define GROUP_TIMES     4 /* where everybody in the window has company, the points are five times */
#define FAN_POINTS      250
#define RECORD_ALONE    300 /* who kept such company is held even where nobody else is yet */
#define EVENING_H       6   /* windows closer together are one occasion: a match, a show */
#define EVENING_CAP     500
#define LOCKSTEP_CAP    700
#define EXCESS_CAP_Q8   (16 * 256)

uint64_t trust_token_id(uint32_t code, uint16_t start_h)
{
    return (uint64_t)(code >> 12) << 16 | start_h;
}

uint32_t trust_token_code(uint64_t item_key, uint32_t rank, const struct act *act)
{
    uint32_t power = rank < 2 ? 1 : 31u - (uint32_t)__builtin_clz(rank);
    uint64_t creator = act->has_creator ? hash_mix(act->creator) : hash_mix(item_key);

    return (uint32_t)(hash_mix(item_key) >> 44) << 12 | (power > 15 ? 15 : power) << 8 |
           (uint32_t)(creator & 0xFF);
}

/* The same whichever came first. */
uint64_t trust_token_pair(uint16_t tenant, uint64_t one, uint64_t other)
{
    return trust_key(tenant, 0xC0, hash_mix(one) + hash_mix(other));
}

bool trust_token_lives(uint32_t code, uint16_t start_h, uint32_t now_s)
{
    uint16_t age_h = (uint16_t)((uint16_t)(now_s / 3600) - start_h);

    return code != 0 && age_h <= HORIZON_H;
}

struct meeting {
    uint64_t excess_q8; /* shared accounts beyond chance, over all windows */
    uint32_t windows;   /* of creators of their own */
    uint32_t fans;      /* of this item's creator */
    uint32_t oldest_h;  /* hours from this window back to the oldest of them */
    uint8_t creator[TRUST_TOKENS];
};

static uint64_t crowd_of(const struct trust_view *view)
{
    struct trust_count count = {0, 0};

    if (view->crowd != NULL)
        count = trust_roll(view->crowd->accounts[0], view->crowd->accounts[1], view->crowd->last_s,
                           view->now_s, TRUST_DAY_S);
    count.now = trust_sliding(count, view->now_s, TRUST_DAY_S);
    return count.now < CROWD_LEAST ? CROWD_LEAST : count.now;
}

/* What chance explains of one pair, times how unfree the choice may be; in 1/256 accounts. */
static uint64_t by_chance_q8(uint64_t here, uint64_t there, uint64_t crowd, uint64_t network)
{
    uint64_t chance = CHANCE_TIMES * 256 * here * there / crowd, local;

    if (network == 0)
        return chance;
    local = NETWORK_TIMES * 256 * here * there / network;
    return local > chance ? local : chance;
}

/* Accounts of the network that the window belongs to; 0 if it does not belong to one. */
static uint64_t network_of(const struct trust_view *view)
{
    uint64_t accounts;

    if (view->network_key == 0 || trust_network_item_acts(view) * 2 < view->window.count)
        return 0;
    accounts = trust_network_accounts(view);
    return accounts < NETWORK_LEAST ? NETWORK_LEAST : accounts;
}

static void company_add(struct meeting *company, uint8_t creator, bool fan, uint64_t excess_q8)
{
    company->excess_q8 += excess_q8 < EXCESS_CAP_Q8 ? excess_q8 : EXCESS_CAP_Q8;
    if (excess_q8 < EXCESS_LEAST_Q8)
        return;
    if (fan) {
        company->fans++;
        return;
    }
    for (uint32_t i = 0; i < company->windows; i++)
        if (company->creator[i] == creator)
            return;
    company->creator[company->windows++] = creator;
}

static void company_reach(struct meeting *company, const struct trust_view *view, uint16_t start_h)
{
    uint16_t here_h = (uint16_t)(view->window.start_s / 3600);
    uint16_t after = (uint16_t)(here_h - start_h), before = (uint16_t)(start_h - here_h);
    uint16_t apart = after < before ? after : before;

    company->oldest_h = apart > company->oldest_h ? apart : company->oldest_h;
}

static void meet(const struct trust_view *view, struct meeting *company)
{
    const struct trust_account *account = view->account;
    uint32_t code = trust_token_code(view->item_key, view->window.count, view->act);
    uint64_t here = trust_token_id(code, (uint16_t)(view->window.start_s / 3600));
    uint64_t crowd = crowd_of(view), network = network_of(view);

    for (uint32_t i = 0; i < TRUST_TOKENS; i++) {
        uint32_t token = account->token[i];
        uint64_t there = trust_token_id(token, account->start_h[i]);
        uint64_t count_q8, chance_q8;
        const struct trust_pair *pair;

        if (!trust_token_lives(token, account->start_h[i], view->now_s) || there == here)
            continue;
        pair = trust_pair_get(view->trust, trust_token_pair(view->act->tenant, here, there));
        if (pair == NULL || pair->count <= (view->settling ? 1 : 0))
            continue;
        count_q8 = (uint64_t)(pair->count - (view->settling ? 1 : 0)) * 256;
        chance_q8 =
            by_chance_q8(view->window.count + 1ULL, 2ULL << (pair->rank & 31), crowd, network);
        if (count_q8 <= chance_q8)
            continue;
        if (count_q8 - chance_q8 >= EXCESS_LEAST_Q8)
            company_reach(company, view, account->start_h[i]);
        company_add(company, (uint8_t)token,
                    view->act->has_creator && (uint8_t)token == (uint8_t)code,
                    count_q8 - chance_q8);
    }
}

/* One other window in common is how a crowd moves on from video to video; two may still be; from
 * three on, of three creators, it is company. */
static const uint16_t cap_by_windows[TRUST_TOKENS + 1] = {0, 150, 350, 500, 600, 700, LOCKSTEP_CAP};

/* Which part of the window met somebody it knows, in 1/16. */
static uint32_t met_of(const struct trust_window *window)
{
    uint32_t met = window->met < window->count ? window->met : window->count;

    return window->count < GROUP_LEAST ? 0 : (uint32_t)((uint64_t)met * 16 / window->count);
}

static uint16_t points_of(const struct trust_view *view, const struct meeting *meeting)
{
    uint64_t points = meeting->excess_q8 * EXCESS_POINTS / 256;

    points += points * GROUP_TIMES * met_of(&view->window) / 16;
    points = trust_at_most(points, cap_by_windows[meeting->windows]);
    if (meeting->oldest_h < EVENING_H && points > EVENING_CAP &&
        !PLANTED("trust.evening_is_enough"))
        points = EVENING_CAP;
    if (points < FAN_POINTS && meeting->fans >= 2 && meeting->excess_q8 >= 4 * 256)
        points = FAN_POINTS;
    return (uint16_t)points;
}

/* What it does now, and half of what it used to do (or the other way round, if that is more). */
static uint16_t with_record(const struct trust_view *view, const struct trust_company *company)
{
    uint16_t now = company->met, before = (uint16_t)(view->account->lock * 2);

    if (view->window.count < TRUST_BUSY && before < RECORD_ALONE)
        return 0;
    return trust_at_most(now > before ? now + before / 2 : before + now / 2,
                         company->spread || now == 0 ? LOCKSTEP_CAP : EVENING_CAP);
}

void trust_company_look(const struct trust_view *view, struct trust_company *company)
{
    struct meeting meeting = {0};

    *company = (struct trust_company){0};
    if (view->account == NULL)
        return;
    if (view->window.count >= TRUST_BUSY) {
        meet(view, &meeting);
        company->met = points_of(view, &meeting);
        company->spread = meeting.oldest_h >= EVENING_H || PLANTED("trust.evening_is_enough");
        company->thin = meeting.windows >= 2 &&
                        view->act->given_likes <= 2ULL * (meeting.windows + meeting.fans);
    }
    company->points = with_record(view, company);
}
