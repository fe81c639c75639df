/* The signals but lockstep. Each is a small function of the view; constants are explained in
 * docs/trust.md, "Constants". */
#include "base/hook.h"
#include "engine/trust_signals.h"

/* Kinds of key; a verb stands for itself (items). */
#define KEY_PLATFORM     0xF0
#define KEY_ACCOUNT      0xE0
#define KEY_DEVICE       0xD0
#define KEY_DEVICE_ITEM  0xD1
#define KEY_NETWORK      0xD2
#define KEY_NETWORK_ITEM 0xD3
static_assert(VERB_COUNT < KEY_DEVICE, "a verb is a kind of key");

/* --- tempo --- */
#define FAST_LEAST   12 /* acts a minute that are never surprising: one each five seconds */
#define FAST_VIEWS   90 /* views and skips a minute: swiping */
#define FAST_DEVICE  24
#define FAST_TYPICAL 4 /* times the platform's usual pace */
#define FAST_OWN     8 /* times the account's own pace over the last day */
#define NETWORK_FAST 120
#define NETWORK_CAP                                                                                \
    150 /* below TRUST_STRONG: the pace of a network never is a signal of its own                  \
         */
/* --- newcomers --- */
#define SAMPLE_LEAST  200    /* acts that must be known before anything is unusual */
#define SHARE_LEAST   20000  /* ppm: newcomers are never expected to be fewer */
#define SHARE_FADES   200000 /* ppm: where more are new, it says less and less to be new, */
#define SHARE_MOST    500000 /* ppm: and here nothing */
#define LIKELY_PCT    60
#define LIKELY_CAP    350 /* holds; with a surge it still is under TRUST_SURE */
#define YOUNG_POINTS  150
#define YOUNG_SHARE   100000 /* ppm: where so many are new, being young says nothing */
#define NEWCOMER_CAP  700
#define DELIVERY_PART 4  /* a quarter of the window: part of what goes on beside it */
#define PAST_LIKES    16 /* likes that are no part of a surge: so many are a past */
/* --- habit --- */
#define HOURS_LEAST   24
#define UNLIKER_LEAST 10
/* --- place --- */
#define PLACE_ACTS 4 /* a family with one tablet is three */
#define RACK_BAD                                                                                   \
    8 /* so many bad acts, a quarter of the window: then two on one device are enough */
#define NETWORK_ACTS 8
/* --- surge --- */
#define SURGE_LEAST 16
#define SURGE_TIMES 4

static enum trust_kind kind_of(uint8_t verb)
{
    switch (verb) {
    case VERB_UNLIKE:
    case VERB_UNFAVORITE:
    case VERB_UNFOLLOW:
        return KIND_TAKE;
    case VERB_VIEW:
    case VERB_SKIP:
        return KIND_VIEW;
    case VERB_REPORT:
        return KIND_REPORT;
    default:
        return KIND_GIVE;
    }
}

uint64_t trust_account_key(uint16_t tenant, uint64_t account)
{
    return trust_key(tenant, KEY_ACCOUNT, account);
}

void trust_keys_main(const struct act *act, struct trust_view *view)
{
    view->act = act;
    view->now_s = trust_seconds(act->now_us);
    view->kind = kind_of(act->verb);
    view->account_key = trust_account_key(act->tenant, act->account);
    view->item_key = trust_key(act->tenant, act->verb, act->target);
}

void trust_keys(const struct act *act, struct trust_view *view)
{
    uint16_t tenant = act->tenant;

    trust_keys_main(act, view);
    view->platform_key = trust_key(tenant, KEY_PLATFORM, view->kind);
    view->crowd_key =
        view->kind == KIND_GIVE ? view->platform_key : trust_key(tenant, KEY_PLATFORM, KIND_GIVE);
    if (act->device != 0) {
        view->device_key = trust_key(tenant, KEY_DEVICE, act->device);
        view->device_item_key = trust_key(tenant, KEY_DEVICE_ITEM, act->device ^ view->item_key);
    }
    if (act->network != 0) {
        view->network_key = trust_key(tenant, KEY_NETWORK, act->network);
        view->network_item_key = trust_key(tenant, KEY_NETWORK_ITEM, act->network ^ view->item_key);
    }
}

/* The window that was open at `at_s`. */
static struct trust_window window_at(const struct trust_item *item, uint32_t at_s)
{
    if (item != NULL)
        for (int i = 0; i < 2; i++) {
            const struct trust_window *window = &item->window[i];

            if (window->count > 0 && at_s >= window->start_s &&
                at_s - window->start_s < TRUST_WINDOW_S)
                return *window;
        }
    return (struct trust_window){.start_s = at_s};
}

void trust_look_window(struct trust_view *view)
{
    view->window = window_at(view->item, view->now_s);
}

void trust_look(const struct trust *trust, const struct act *act, bool settling,
                struct trust_view *view)
{
    *view = (struct trust_view){.trust = trust, .settling = settling};
    trust_keys(act, view);
    view->again =
        (view->kind == KIND_GIVE && act->flips > 0) || (view->kind == KIND_TAKE && act->flips > 1);
    view->platform = trust_platform_get(trust, view->platform_key);
    view->crowd =
        view->kind == KIND_GIVE ? view->platform : trust_platform_get(trust, view->crowd_key);
    view->account = trust_account_get(trust, view->account_key);
    view->item = trust_item_get(trust, view->item_key);
    if (act->device != 0) {
        view->device = trust_place_get(trust, view->device_key);
        view->device_item = trust_place_get(trust, view->device_item_key);
    }
    if (act->network != 0) {
        view->network = trust_place_get(trust, view->network_key);
        view->network_item = trust_place_get(trust, view->network_item_key);
    }
    trust_look_window(view);
}

/* A place's count of the last minute, or over its long width. */
static uint32_t place_fast(const struct trust_view *view, const struct trust_place *place)
{
    struct trust_count count;

    if (place == NULL)
        return 0;
    count = trust_roll(place->fast[0], place->fast[1], place->last_s, view->now_s, TRUST_FAST_S);
    return trust_sliding(count, view->now_s, TRUST_FAST_S);
}

static uint32_t place_slow(const struct trust_view *view, const struct trust_place *place,
                           uint32_t width_s)
{
    struct trust_count count;

    if (place == NULL)
        return 0;
    count = trust_roll(place->slow[0], place->slow[1], place->last_s, view->now_s, width_s);
    return trust_sliding(count, view->now_s, width_s);
}

uint32_t trust_network_accounts(const struct trust_view *view)
{
    return place_slow(view, view->network, TRUST_DAY_S);
}

uint32_t trust_network_item_acts(const struct trust_view *view)
{
    return place_slow(view, view->network_item, TRUST_PLACE_S);
}

/* 200 points at the bound, 200 more for each doubling. */
static uint64_t pace_points(uint64_t pace, uint64_t bound)
{
    if (pace <= bound)
        return 0;
    return 200 + (uint64_t)(trust_log2_q4(pace * 16) - trust_log2_q4(bound * 16)) * 200 / 16;
}

static uint64_t account_pace(const struct trust_view *view)
{
    const struct trust_account *account = view->account;
    uint64_t bound = FAST_LEAST;
    struct trust_count fast, slow;

    if (account == NULL)
        return 0;
    if (view->kind == KIND_VIEW) {
        fast = trust_roll(account->views[0], account->views[1], account->last_s, view->now_s,
                          TRUST_FAST_S);
        return pace_points(trust_sliding(fast, view->now_s, TRUST_FAST_S) + 1, FAST_VIEWS);
    }
    fast =
        trust_roll(account->fast[0], account->fast[1], account->last_s, view->now_s, TRUST_FAST_S);
    slow =
        trust_roll(account->slow[0], account->slow[1], account->last_s, view->now_s, TRUST_DAY_S);
    if (view->platform != NULL &&
        FAST_TYPICAL * (uint64_t)view->platform->typical_q20 >> 20 > bound)
        bound = FAST_TYPICAL * (uint64_t)view->platform->typical_q20 >> 20;
    if (FAST_OWN * (uint64_t)slow.before / (TRUST_DAY_S / TRUST_FAST_S) > bound)
        bound = FAST_OWN * (uint64_t)slow.before / (TRUST_DAY_S / TRUST_FAST_S);
    return pace_points(trust_sliding(fast, view->now_s, TRUST_FAST_S) + 1, bound);
}

uint16_t trust_velocity_points(const struct trust_view *view)
{
    uint16_t account = trust_at_most(account_pace(view), 600);
    uint32_t bound = view->kind == KIND_VIEW ? FAST_VIEWS : FAST_DEVICE;
    uint16_t device = trust_at_most(pace_points(place_fast(view, view->device), bound), 600);
    uint64_t usual = place_slow(view, view->network, TRUST_DAY_S) / 16 + NETWORK_FAST;
    uint16_t network =
        trust_at_most(pace_points(place_fast(view, view->network), usual), NETWORK_CAP);
    uint16_t most = account > device ? account : device;

    return most > network ? most : network;
}

/* All that it ever did it did today or yesterday. */
static bool began_lately(const struct trust_view *view, uint64_t given)
{
    const struct trust_account *account = view->account;
    struct trust_count days =
        trust_roll(account->slow[0], account->slow[1], account->last_s, view->now_s, TRUST_DAY_S);
    uint64_t lately = (uint64_t)days.now + days.before;

    return given <= lately && trust_acts_seen(account) <= lately;
}

/* Nobody here has seen it do anything for its own sake: it never liked before, began to lately, or
 * half and more of what it did was liking what surged, as what is bought does. Who gave many likes
 * has a past, even if it was forgotten here; who gave few and was forgotten has none, and as many
 * of those as there are everywhere are expected (newcomer_share). */
static bool without_a_past(const struct trust_view *view)
{
    const struct trust_account *account = view->account;
    uint64_t given = view->act->given_likes + view->act->taken_back, burst = 0, seen = 0;

    given -= view->settling && given > 0;
    if (view->act->verb != VERB_LIKE || PLANTED("trust.a_like_is_a_past"))
        return false;
    if (account != NULL) {
        seen = trust_acts_seen(account);
        seen -= view->settling && seen > 0;
        burst = account->burst;
        burst -= view->settling && view->window.surged && burst > 0;
    }
    if (given >= burst + PAST_LIKES)
        return false;
    return seen <= 2 * burst || began_lately(view, given);
}

/* Who views is new if it never looked at anything here, nor liked anything. */
static bool is_first_look(const struct act *act)
{
    return (act->verb == VERB_VIEW || act->verb == VERB_SKIP) &&
           act->given_looks + act->given_likes + act->taken_back == 0 &&
           !PLANTED("trust.first_looks_are_nothing");
}

/* New to the platform this hour, or liking (looking) for the first time. On a young platform an
 * hour is less. */
static bool is_first(const struct trust_view *view)
{
    const struct act *act = view->act;
    int64_t age_us = act->now_us - act->account_first_us;
    int64_t bound_us = 3600LL * 1000000;

    if (act->verb == VERB_LIKE && act->given_likes + act->taken_back <= (view->settling ? 1u : 0u))
        return true;
    if (is_first_look(act))
        return true;
    if (view->platform != NULL && view->now_s > view->platform->oldest_s) {
        int64_t share_us = (int64_t)(view->now_s - view->platform->oldest_s) * 1000000 / 64;

        bound_us = share_us < bound_us ? share_us : bound_us;
    }
    return age_us < bound_us;
}

/* Part of the sampled acts of this kind, in ppm; 1000000 (all) while that is not known. */
static uint32_t share_of(const struct trust_view *view, const uint32_t by_day[2])
{
    const struct trust_platform *platform = view->platform;
    struct trust_count acts, part;
    uint64_t share;

    acts = trust_roll(platform->sampled[0], platform->sampled[1], platform->last_s, view->now_s,
                      TRUST_DAY_S);
    part = trust_roll(by_day[0], by_day[1], platform->last_s, view->now_s, TRUST_DAY_S);
    if ((uint64_t)acts.now + acts.before < SAMPLE_LEAST)
        return 1000000;
    share = ((uint64_t)part.now + part.before) * 1000000 / ((uint64_t)acts.now + acts.before);
    return share < SHARE_LEAST ? SHARE_LEAST : (uint32_t)share;
}

/* To have no past says something only where that is rare; elsewhere newcomers are those who come
 * for the first time. */
static bool pasts_are_usual(const struct trust_view *view)
{
    return view->platform != NULL && share_of(view, view->platform->newcomers) <= SHARE_FADES;
}

bool trust_is_first(const struct trust_view *view)
{
    return view->was_new || is_first(view);
}

bool trust_is_stranger(const struct trust_view *view)
{
    return trust_is_first(view) || without_a_past(view);
}

bool trust_is_newcomer(const struct trust_view *view)
{
    return trust_is_first(view) || (without_a_past(view) && pasts_are_usual(view));
}

/* Newcomers among the acts of this kind. */
static uint32_t newcomer_share(const struct trust_view *view)
{
    if (view->platform == NULL)
        return 1000000;
    return share_of(view,
                    pasts_are_usual(view) ? view->platform->newcomers : view->platform->first);
}

static bool is_beside(const struct trust_window *before, const struct trust_window *after)
{
    return before->count > 0 && before->start_s < after->start_s &&
           after->start_s - before->start_s < 2 * TRUST_WINDOW_S;
}

/* What is known of the item's newcomers: its window, and those beside it: a delivery does not end
 * where a window does. When it is settled, only if it shows in its own window, too: who comes after
 * the flood is no part of it. */
static void newcomer_counts(const struct trust_view *view, uint64_t *count, uint64_t *fresh)
{
    uint64_t self = view->settling ? 0 : 1;
    bool alone;

    *count = view->window.count + self;
    *fresh = view->window.newcomers + self;
    alone = view->item == NULL || (view->settling && *fresh * DELIVERY_PART < *count);
    for (int i = 0; !alone && i < 2; i++) {
        const struct trust_window *other = &view->item->window[i];

        if (!is_beside(other, &view->window) && !is_beside(&view->window, other))
            continue;
        *count += other->count;
        *fresh += other->newcomers;
    }
    if (*count > 1000000) { /* keeps the squares below in 64 bits */
        *fresh = *fresh * 1000000 / *count;
        *count = 1000000;
    }
}

/* More newcomers in the item's window than the platform's share explains: how sure that is (chi
 * squared), times how much of the window they are beyond the share. Before it is settled, what
 * counts is rather how likely one newcomer is one too many: that is enough to wait, and not enough
 * for more. Where the platform's share is high it says less and less. */
uint16_t trust_newcomer_points(const struct trust_view *view)
{
    uint64_t share = newcomer_share(view), count, fresh;
    uint64_t expected, beyond, chi_q4, base, part, likely; /* the first two in 1/1000000 */

    if (share >= SHARE_MOST || (!trust_is_newcomer(view) && !PLANTED("trust.old_accounts_blamed")))
        return 0;
    newcomer_counts(view, &count, &fresh);
    expected = count * share;
    if (fresh < 2 || fresh > count || fresh * 1000000 <= 2 * expected)
        return 0;
    beyond = fresh * 1000000 - expected;
    chi_q4 = (beyond / 1000) * (beyond / 1000) * 16 /
             (expected / 1000 * ((1000000 - share) / 1000) + 1000000);
    base = 200 + (uint64_t)trust_log2_q4(chi_q4) * 100 / 16;
    base = base > 600 ? base - 400 : 200; /* chi is in 1/16 */
    base = base > NEWCOMER_CAP ? NEWCOMER_CAP : base;
    if (share > SHARE_FADES)
        base = base * (SHARE_MOST - share) / (SHARE_MOST - SHARE_FADES);
    part = 100 * (beyond / 1000) / ((count * 1000000 - expected) / 1000);
    part = base * part / 100;
    likely = base * LIKELY_PCT / 100 * (beyond / 1000) / (fresh * 1000);
    likely = likely > LIKELY_CAP ? LIKELY_CAP : likely;
    if (view->settling ? !view->reviewing : view->kind == KIND_VIEW)
        return (uint16_t)part;
    return (uint16_t)(likely > part ? likely : part);
}

/* Younger than a day, or than an eighth of what the platform is old. */
uint16_t trust_young_points(const struct trust_view *view)
{
    uint64_t bound_s = TRUST_DAY_S, age_s, share = newcomer_share(view);
    int64_t age_us = view->act->now_us - view->act->account_first_us;

    if (view->platform == NULL || share > YOUNG_SHARE)
        return 0;
    if (view->now_s <= view->platform->oldest_s)
        return 0;
    if ((view->now_s - view->platform->oldest_s) / 8 < bound_s)
        bound_s = (view->now_s - view->platform->oldest_s) / 8;
    age_s = age_us > 0 ? (uint64_t)age_us / 1000000 : 0;
    return age_s < bound_s ? (uint16_t)(YOUNG_POINTS * (YOUNG_SHARE - share) / YOUNG_SHARE) : 0;
}

/* Never before within three hours of this time of day. */
uint16_t trust_hour_points(const struct trust_view *view)
{
    const struct trust_account *account = view->account;
    uint32_t bin = view->now_s % TRUST_DAY_S / (TRUST_DAY_S / 8), sum = 0, near = 0;

    if (account == NULL)
        return 0;
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t count = account->hours[i];

        sum += count;
        if (i == bin || i == (bin + 1) % 8 || i == (bin + 7) % 8)
            near += count;
    }
    return sum >= HOURS_LEAST && near == 0 ? TRUST_STRONG : 0;
}

uint16_t trust_unliker_points(const struct trust_view *view)
{
    uint64_t taken = view->act->taken_back, all = view->act->given_likes + taken;

    if (taken < UNLIKER_LEAST || taken * 10 < all * 6)
        return 0;
    return trust_at_most(taken * 1000 / all - 400, 400); /* 60 %: 200, 80 % and more: 400 */
}

/* Many accounts of one device at one item within the hour: shared and in synchrony. */
uint16_t trust_device_points(const struct trust_view *view)
{
    uint64_t acts = place_slow(view, view->device_item, TRUST_PLACE_S) + (view->settling ? 0 : 1);

    if (view->kind == KIND_VIEW || acts < 2)
        return 0;
    if (acts < PLACE_ACTS)
        return view->window.bad >= RACK_BAD && view->window.bad * 4u >= view->window.count ? 400
                                                                                           : 0;
    return trust_at_most(TRUST_HOLD + (acts - PLACE_ACTS) * 75, 600);
}

/* A quarter of the window or more comes from one network that is a small part of the platform.
 * Asked only where the window is already out of step (trust_weigh): a shared network alone says
 * nothing. */
uint16_t trust_network_points(const struct trust_view *view)
{
    uint64_t acts = trust_network_item_acts(view), count = view->window.count;
    uint64_t here = trust_network_accounts(view), all = 0;

    if (view->crowd != NULL)
        all = trust_sliding(trust_roll(view->crowd->accounts[0], view->crowd->accounts[1],
                                       view->crowd->last_s, view->now_s, TRUST_DAY_S),
                            view->now_s, TRUST_DAY_S);
    if (acts < NETWORK_ACTS || acts * 4 < count || acts * all < 4 * here * count)
        return 0;
    return 300;
}

bool trust_surges(const struct trust_view *view)
{
    struct trust_count days;
    uint64_t usual, count = view->window.count;

    if (view->item == NULL || count < SURGE_LEAST)
        return false;
    days = trust_roll(view->item->days[0], view->item->days[1], view->item->last_s, view->now_s,
                      TRUST_DAY_S);
    usual = ((uint64_t)days.now + days.before) / (TRUST_DAY_S / TRUST_WINDOW_S);
    return count >= SURGE_TIMES * (usual + 1);
}
