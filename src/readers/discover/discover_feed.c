/* discover_feed.c: see discover_feed.h. */
#include "readers/discover/discover_feed.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"
#include "readers/discover/discover_inner.h"
#include "readers/recommend/rank.h"

#define MARKS         4096 /* of rows that are candidates already: a hash of at most a quarter full */
#define FROM_MODEL    240
#define FROM_TAGS     4
#define FROM_TAG      40
#define FROM_CREATOR  6
#define FROM_TOP      100
#define FROM_REGION   40
#define FROM_NEW      60
#define FROM_POOL     120
#define FROM_GIFT     24
#define TAG_TRAIT     1.0f
#define CREATOR_TRAIT 0.5f
#define OTHERS        2.5 /* fit is 0.5 .. 2 */
#define ILL_LEAST     0.5
#define DEAL_TRIES    64  /* draws for one place */
#define CIRCLE_SHARE  0.5 /* tags of more of all interests make no circle: fit is 2 at most */
/* Further up no ladder goes, and a token could not say that it is a credit. */
#define FEED_STAGE_MAX (STAGE_COMPENSATION - STAGE_CREDIT - 1)
#define RATE_PRIOR     20.0 /* as rank.c has it for items */

static_assert(FROM_MODEL + FROM_TAGS * FROM_TAG + VIEWER_FOLLOWED * FROM_CREATOR + FROM_TOP +
                      FROM_REGION + FROM_NEW + FROM_POOL + CAMPAIGNS_MAX + GIFTS * FROM_GIFT <=
                  FEED_CANDIDATES_MAX,
              "every source has its room");
static_assert(FEED_CANDIDATES_MAX * 4 <= MARKS, "marks stay short");
static_assert(1 + INTEREST_ITEM_TAGS <= FEED_TRAITS + 1, "the creator takes the last tag's place");

struct served {
    struct table_head head; /* {account, 0, tenant} */
    uint64_t item[FEED_SERVED];
    int64_t at_us[FEED_SERVED];
    uint32_t next, unused;
};

struct feeder {
    struct feed_settings set;
    const struct deal *deal; /* NULL: nobody decides about what is in trial */
    struct recommend_view *view;
    const struct rank *rank; /* NULL: the model has no rates */
    uint32_t view_tenant;
    struct table served;
    struct feed_work work;
    struct feed_item items[FEED_CANDIDATES_MAX];
    uint32_t rows[FEED_CANDIDATES_MAX];
    float model[FEED_CANDIDATES_MAX]; /* its score; below 0: not asked */
    bool beyond[FEED_CANDIDATES_MAX];
    double rate[FEED_CANDIDATES_MAX][RANK_OUTCOMES];
    uint32_t marks[MARKS]; /* row + 1 */
    uint32_t places[FEED_PLACES_MAX];
    uint32_t list[TOP_READ_MAX];
    struct recommend_found found[RECOMMEND_BEST_MAX];
    void *memory;
};

/* One page in the making. */
struct page {
    struct feeder *feeder;
    struct discover *discover;
    const struct feed_asked *asked;
    const struct viewer *viewer;   /* NULL: nothing known, or not to be looked at */
    const struct account *account; /* the same */
    const struct served *served;   /* NULL: nothing was */
    uint64_t random;
    uint32_t count;
    bool personal;
    bool looked;             /* the model knows some of the account's history */
    const struct rank *rank; /* NULL: no rates are asked */
};

struct feed_settings feed_settings_default(void)
{
    return (struct feed_settings){
        .rule = feed_rule_default(), .prior = 50, .followed = 2, .explore = 0.5};
}

void feeder_tune(struct feeder *feeder, const struct feed_settings *settings)
{
    feeder->set = *settings;
}

struct feeder *feeder_open(uint32_t accounts)
{
    struct feeder *feeder = calloc(1, sizeof *feeder);
    size_t bytes = (table_bytes(sizeof(struct served), accounts) + 63) / 64 * 64;

    if (feeder == NULL)
        return NULL;
    feeder->set = feed_settings_default();
    feeder->memory = aligned_alloc(64, bytes);
    if (feeder->memory == NULL) {
        free(feeder);
        return NULL;
    }
    table_open(&feeder->served, feeder->memory, sizeof(struct served), accounts);
    return feeder;
}

void feeder_close(struct feeder *feeder)
{
    if (feeder == NULL)
        return;
    free(feeder->memory);
    free(feeder);
}

void feeder_deal(struct feeder *feeder, const struct deal *deal)
{
    feeder->deal = deal;
}

void feeder_model(struct feeder *feeder, struct recommend_view *view, uint32_t tenant)
{
    feeder->view = view;
    feeder->rank = view == NULL ? NULL : recommend_rates(view);
    feeder->view_tenant = tenant;
}

bool feeder_has_model(const struct feeder *feeder, uint32_t tenant)
{
    return feeder->view != NULL && feeder->view_tenant == tenant;
}

static uint32_t random_below(struct page *page, uint32_t bound)
{
    page->random = hash_two(page->random, bound);
    return (uint32_t)(page->random >> 32) % bound;
}

/* --- who may come
 * ---------------------------------------------------------------------------------
 */

static bool was_served(const struct page *page, uint64_t item)
{
    if (page->served == NULL)
        return false;
    for (uint32_t i = 0; i < FEED_SERVED; i++)
        if (page->served->item[i] == item && page->served->at_us[i] != 0 &&
            page->asked->now_us - page->served->at_us[i] < FEED_SERVED_US)
            return true;
    return false;
}

static bool was_seen(const struct page *page, const struct item *item)
{
    struct table_key key = {item->head.a, page->asked->account, page->asked->tenant};

    return table_find(&page->discover->exposures, key, false) != TABLE_NONE ||
           was_served(page, item->head.a);
}

static bool may_come(const struct page *page, uint32_t row)
{
    const struct item *item = item_at(page->discover, row);

    return item->state == ITEM_PUBLISHED && !discover_is_hidden(page->discover, row) &&
           !(item->has_creator && item->creator == page->asked->account) && !was_seen(page, item);
}

static bool is_in_trial(const struct page *page, uint32_t row)
{
    return page->discover->trial.place[row] != 0;
}

static bool follows(const struct page *page, uint64_t creator)
{
    for (uint32_t i = 0; page->viewer != NULL && i < page->viewer->followed_count; i++)
        if (page->viewer->followed[i] == creator)
            return true;
    return false;
}

static bool is_followed(const struct page *page, const struct item *item)
{
    return item->has_creator && follows(page, item->creator);
}

/* Is the viewer of the audience that the item is shown to? See discover_feed.h. */
static bool is_in_circle(const struct page *page, uint32_t row)
{
    const struct item *item = item_at(page->discover, row);
    const struct deal_item *dealt = deal_find(page->feeder->deal, row);
    struct pool_decision decision = {.audience = item->stage & STAGE_AUDIENCE ? 1 : 0,
                                     .circle = item->stage & (STAGE_AUDIENCE - 1)};
    double share;

    if (page->account == NULL || page->account->interest.whole <= 0 || item->tag_count == 0)
        return true;
    if (is_followed(page, item) || PLANTED("discover.no_circles"))
        return true;
    if (dealt != NULL && dealt->item == item->head.a) {
        decision.circle = dealt->circle;
        decision.widen = dealt->widen;
    }
    if (decision.audience == 0 && pool_suits(&decision, HEAT_MATCH_MIN, 1))
        return true; /* everybody is */
    share = discover_tag_share(page->discover, item);
    if (share <= 0 || share > CIRCLE_SHARE)
        return true;
    return pool_suits(&decision,
                      discover_fit(page->discover, page->asked->tenant, page->asked->account, item,
                                   page->asked->now_us),
                      1);
}

/* False: it is a candidate already. */
static bool mark(struct page *page, uint32_t row)
{
    uint32_t at = (uint32_t)hash_two(row, 0) % MARKS;

    for (; page->feeder->marks[at] != 0; at = (at + 1) % MARKS)
        if (page->feeder->marks[at] == row + 1)
            return false;
    page->feeder->marks[at] = row + 1;
    return true;
}

static uint32_t trait_of(uint64_t id)
{
    uint32_t trait = (uint32_t)(hash_two(id, 1) >> 32);

    return trait != 0 ? trait : 1;
}

static void put_traits(struct feed_item *out, const struct item *item)
{
    uint32_t tags = item->tag_count;

    if (tags > FEED_TRAITS - 1)
        tags = FEED_TRAITS - 1;
    for (uint32_t i = 0; i < tags; i++)
        out->traits[out->trait_count++] = (struct feed_trait){trait_of(item->tag[i]), TAG_TRAIT};
    if (item->has_creator)
        out->traits[out->trait_count++] =
            (struct feed_trait){trait_of(~item->creator), CREATOR_TRAIT};
}

/* What is in trial comes to its circle alone, but for what is drawn or paid for. */
static bool may_come_from(const struct page *page, uint32_t row, enum feed_source source)
{
    return may_come(page, row) &&
           (page->feeder->deal == NULL || source == FEED_POOL || source == FEED_CAMPAIGN ||
            !is_in_trial(page, row) || is_in_circle(page, row));
}

static void add(struct page *page, uint32_t row, enum feed_source source, float model)
{
    const struct item *item = item_at(page->discover, row);
    struct feed_item *out = &page->feeder->items[page->count];

    if (page->count == FEED_CANDIDATES_MAX || !may_come_from(page, row, source) || !mark(page, row))
        return;
    /* Who has no creator is by nobody else either. */
    *out = (struct feed_item){.item = item->head.a,
                              .creator = item->has_creator ? item->creator : ~item->head.a,
                              .source = (uint8_t)source};
    put_traits(out, item);
    page->feeder->rows[page->count] = row;
    page->feeder->beyond[page->count] = false;
    page->feeder->model[page->count++] = model;
}

/* --- where from
 * -----------------------------------------------------------------------------------
 */

static void add_scope(struct page *page, enum scope_kind kind, uint64_t id, uint32_t want,
                      enum feed_source source)
{
    uint64_t refused;
    uint32_t count = discover_top(page->discover, page->asked->tenant, kind, id, want,
                                  page->feeder->list, &refused);

    for (uint32_t i = 0; i < count; i++)
        add(page, page->feeder->list[i], source, -1);
}

static bool is_for(const struct page *page, const struct campaign_offer *campaign)
{
    if (campaign_holds_out(campaign, page->asked->account))
        return false;
    if (!page->personal || page->account == NULL)
        return !page->personal;
    return interest_mass(&page->account->interest, campaign->tag, campaign->tag_count) > 0;
}

static void add_campaigns(struct page *page)
{
    const struct campaign_book *book = page->discover->campaigns;

    for (uint32_t i = 0; i < CAMPAIGNS_MAX; i++) {
        const struct campaign_offer *campaign = &book->at[i];
        uint32_t row;

        if (campaign->budget == 0 || campaign->tenant != page->asked->tenant ||
            !campaign_runs(campaign, page->asked->now_us) || !is_for(page, campaign))
            continue;
        row = item_find(page->discover, campaign->tenant, campaign->item);
        if (row != TABLE_NONE)
            add(page, row, FEED_CAMPAIGN, -1);
    }
}

static double random_unit(struct page *page)
{
    page->random = hash_two(page->random, 0);
    return (double)(page->random >> 11) / (double)(1ULL << 53);
}

/* Is it still what was dealt to, and the viewer's tenant's? */
static bool is_dealt(const struct page *page, const struct deal_item *dealt)
{
    const struct item *item = item_at(page->discover, dealt->row);

    return dealt->tenant == page->asked->tenant && item->head.used && item->head.a == dealt->item &&
           item->head.c == dealt->tenant && is_in_trial(page, dealt->row);
}

/* One place of the deal: to who is in the circle, or, one in ten, to anybody. */
static void add_dealt(struct page *page)
{
    bool explores = random_unit(page) < POOL_EXPLORE;

    for (uint32_t tries = 0; tries < DEAL_TRIES; tries++) {
        const struct deal_item *dealt = deal_draw(page->feeder->deal, random_unit(page));
        uint32_t before = page->count;
        bool inside;

        if (dealt == NULL)
            return;
        if (!is_dealt(page, dealt))
            continue;
        inside = is_in_circle(page, dealt->row);
        if (inside || explores)
            add(page, dealt->row, FEED_POOL, -1);
        if (page->count == before)
            continue;
        page->feeder->beyond[before] = !inside;
        return;
    }
}

/* As many as the page has places for them, so that the deal decides, and not which of them score
 * best. */
static void add_deal(struct page *page)
{
    uint32_t places =
        feed_owed(page->feeder->set.rule.pool_share, page->asked->seed, page->asked->want);

    for (uint32_t i = 0; i < places; i++)
        add_dealt(page);
}

/* tried: for a gate that counts it. */
static double fit_of(const struct page *page, const struct item *item, bool tried)
{
    double fit = page->personal ? discover_fit(page->discover, page->asked->tenant,
                                               page->asked->account, item, page->asked->now_us)
                                : 1;

    /* Its second audience is who the first was not. */
    return tried && item->stage & STAGE_AUDIENCE ? OTHERS - fit : fit;
}

static double wanted(const struct page *page, const struct item *item)
{
    struct taste_item about = discover_taste_item(item);

    return page->viewer == NULL ? 1
                                : taste_factor(&page->viewer->taste, &about, page->asked->now_us);
}

/* Of the creator's hottest the one that fits best; TABLE_NONE: none may come. */
static uint32_t gift_row_of(struct page *page, uint64_t creator, enum feed_source source)
{
    uint64_t refused;
    uint32_t best = TABLE_NONE,
             count = discover_top(page->discover, page->asked->tenant, SCOPE_CREATOR, creator,
                                  FROM_CREATOR, page->feeder->list, &refused);
    double fits = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = page->feeder->list[i];
        const struct item *item = item_at(page->discover, row);
        double fit = fit_of(page, item, source == FEED_CREDIT) * wanted(page, item);

        if ((item->stopped_us == 0 || PLANTED("discover.gives_the_stopped")) &&
            item->stage <= FEED_STAGE_MAX && may_come_from(page, row, source) && fit > fits) {
            best = row;
            fits = fit;
        }
    }
    return fits >= 1 || random_below(page, FEED_MISFIT) == 0 ? best : TABLE_NONE;
}

/* Before what would bring them anyway: as many as the page has places for. Of one creator there is
 * one on a page, for he may have no more left: drawn again, he has the same item, which is a
 * candidate already. */
static void add_gifts(struct page *page, enum gift gift, enum feed_source source)
{
    struct gift_book *book = &page->discover->gifts;
    uint32_t want =
        feed_owed(page->feeder->set.rule.gift_share, page->asked->seed, page->asked->want);

    if (want > FROM_GIFT)
        want = FROM_GIFT;
    for (uint32_t tries = 2 * want; want > 0 && tries > 0; tries--) {
        const struct gift_row *from =
            gifts_pick(book, gift, page->asked->tenant, page->random, page->asked->now_us);
        uint32_t row, before = page->count;

        page->random = hash_two(page->random, gift);
        if (from == NULL)
            return;
        if (follows(page, from->head.a))
            continue; /* who follows him is shown what he makes */
        row = gift_row_of(page, from->head.a, source);
        if (row != TABLE_NONE)
            add(page, row, source, -1);
        want -= page->count - before;
    }
}

/* A random sample of what is in trial, so that no order of ours decides who is tried. */
static void add_pool(struct page *page)
{
    const struct trial *trial = &page->discover->trial;
    uint32_t want = trial->count < FROM_POOL ? trial->count : FROM_POOL;
    uint32_t at = trial->count > 0 ? random_below(page, trial->count) : 0;

    for (uint32_t i = 0; i < want; i++) {
        uint32_t row = trial->rows[at];

        if (item_at(page->discover, row)->head.c == page->asked->tenant)
            add(page, row, FEED_POOL, -1);
        /* All of them one after the other, or by random jumps. */
        at = want == trial->count ? (at + 1) % trial->count : random_below(page, trial->count);
    }
}

static void add_by_model(struct page *page)
{
    struct feeder *feeder = page->feeder;
    uint32_t count;

    if (!feeder_has_model(feeder, page->asked->tenant) || page->viewer == NULL ||
        page->viewer->liked_count == 0 ||
        recommend_look(feeder->view, page->viewer->liked, page->viewer->liked_count) == 0)
        return;
    page->looked = true;
    count = recommend_best(feeder->view, FROM_MODEL, feeder->found);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = item_find(page->discover, page->asked->tenant, feeder->found[i].item);

        if (row != TABLE_NONE)
            add(page, row, FEED_MODEL, feeder->found[i].score);
    }
    for (uint32_t i = 0; i < page->count; i++)
        if (feeder->model[i] < 0)
            feeder->model[i] = recommend_score(feeder->view, feeder->items[i].item);
}

static void add_interests(struct page *page)
{
    const struct interest *interest = &page->account->interest;
    bool taken[INTEREST_TAGS] = {false};

    for (uint32_t turn = 0; turn < FROM_TAGS && turn < interest->count; turn++) {
        uint32_t best = INTEREST_TAGS;

        for (uint32_t i = 0; i < interest->count; i++)
            if (!taken[i] && (best == INTEREST_TAGS || interest->mass[i] > interest->mass[best]))
                best = i;
        assert(best < INTEREST_TAGS); /* fewer turns than tags */
        taken[best] = true;
        add_scope(page, SCOPE_TAG, interest->tag[best], FROM_TAG, FEED_INTEREST);
    }
}

static void gather(struct page *page)
{
    uint64_t region = discover_region(page->discover, page->asked->tenant, page->asked->account);

    memset(page->feeder->marks, 0, sizeof page->feeder->marks);
    add_campaigns(page);
    add_gifts(page, GIFT_COMPENSATION, FEED_COMPENSATION);
    add_gifts(page, GIFT_CREDIT, FEED_CREDIT);
    if (page->feeder->deal != NULL)
        add_deal(page);
    else
        add_pool(page);
    add_scope(page, SCOPE_NEWCOMERS, 0, FROM_NEW, FEED_NEWCOMER);
    if (page->account != NULL)
        add_interests(page);
    for (uint32_t i = 0; page->viewer != NULL && i < page->viewer->followed_count; i++)
        add_scope(page, SCOPE_CREATOR, page->viewer->followed[i], FROM_CREATOR, FEED_FOLLOW);
    add_scope(page, SCOPE_ALL, 0, FROM_TOP, FEED_TOP);
    if (region != 0)
        add_scope(page, SCOPE_REGION, region, FROM_REGION, FEED_TOP);
    add_by_model(page); /* last: it scores all the others, too */
}

/* --- what they are worth
 * --------------------------------------------------------------------------
 */

/* The item's rate by the platform's; 1 for who has no impressions yet. */
static double beside(const struct page *page, const struct signals *item, enum signal signal)
{
    const struct signals *platform = page->discover->platform;
    double prior = page->feeder->set.prior;
    double usual =
        signals_rate(platform->tally[signal].success_pct, platform->impressions_pct).rate;
    double n = (double)item->impressions_pct / 100;

    if (usual <= 0)
        return 1;
    return ((double)item->tally[signal].success_pct / 100 / usual + prior) / (n + prior);
}

/* What viewers took ill, of their credited impressions. */
static struct signal_rate ill_of(const struct signals *signals)
{
    return signals_rate(signals->tally[SIGNAL_SKIP].success_pct +
                            (uint64_t)TASTE_STRONG * signals->tally[SIGNAL_REPORT].success_pct,
                        signals->impressions_pct);
}

/* Only what is beyond doubt, and only beside what is usual: nobody loses by a few, or by a crowd
 * whose views are worth nothing. */
static double unharmed(const struct page *page, const struct signals *item)
{
    double usual = fmin(0.9, ill_of(page->discover->platform).rate), low = ill_of(item).low;

    return low > usual ? fmax(ILL_LEAST, (1 - low) / (1 - usual)) : 1;
}

static double value_of(const struct page *page, const struct item *item)
{
    return (beside(page, &item->signals, SIGNAL_LIKE) +
            beside(page, &item->signals, SIGNAL_LONG_VIEW)) /
           2 * unharmed(page, &item->signals);
}

/* --- by learnt rates */

static void side_from(const struct taste_counts *counts, struct rank_side *side)
{
    side->shown = (double)counts->shown / TASTE_ONE;
    side->hits[RANK_CLICK] = (double)counts->clicked / TASTE_ONE;
    side->hits[RANK_LONG_VIEW] = (double)counts->watched / TASTE_ONE;
    side->hits[RANK_LIKE] = (double)counts->liked / TASTE_ONE;
}

static void side_of(const struct taste *taste, enum taste_kind kind, uint64_t id,
                    struct rank_side *side)
{
    const struct taste_trait *trait = taste_find(taste, kind, id);

    if (trait != NULL)
        side_from(&trait->counts, side);
}

/* What the account did before; all 0 where nothing may be known of it. */
static void sides_of(const struct page *page, const struct item *item,
                     struct rank_side side[RANK_SIDES])
{
    const struct taste *taste = page->viewer == NULL ? NULL : &page->viewer->taste;

    memset(side, 0, RANK_SIDES * sizeof *side);
    if (taste == NULL)
        return;
    side_from(&taste->all, &side[RANK_OF_ACCOUNT]);
    if (item->tag_count > 0)
        side_of(taste, TASTE_TAG, item->tag[0], &side[RANK_OF_TAG]);
    if (item->has_creator)
        side_of(taste, TASTE_CREATOR, item->creator, &side[RANK_OF_CREATOR]);
    if (item->duration_ms != 0)
        side_of(taste, TASTE_LENGTH, taste_length(item->duration_ms), &side[RANK_OF_DURATION]);
}

static void ask_rates(const struct page *page, uint32_t i, const struct item *item,
                      double rate[RANK_OUTCOMES])
{
    struct rank_side side[RANK_SIDES];
    struct rank_impression shown = {.item = item->head.a,
                                    .creator = item->has_creator ? item->creator : 0,
                                    .tag = item->tag_count > 0 ? rank_tag(item->tag[0]) : 0,
                                    .duration_ms = item->duration_ms,
                                    .has_affinity = page->looked,
                                    .affinity = page->looked ? page->feeder->model[i] : 0,
                                    .side = side};

    sides_of(page, item, side);
    rank_predict(page->rank, &shown, rate);
}

/* About normal, of mean 0 and deviation 1, between -3 and 3; the same for the same page and item.
 */
static double chance(const struct page *page, uint64_t item)
{
    uint64_t bits = hash_two(page->asked->seed, item);
    double sum = -6;

    for (int i = 0; i < 12; i++, bits = hash_mix(bits))
        sum += (double)(bits >> 11) / (double)(1ULL << 53);
    return fmin(3, fmax(-3, sum));
}

static double expected(const struct page *page, const struct item *item,
                       const double rate[RANK_OUTCOMES])
{
    double p = rate[RANK_LONG_VIEW], n = rank_shown(page->rank, item->head.a);
    double value = (p / rank_usual(page->rank, RANK_LONG_VIEW) +
                    rate[RANK_LIKE] / rank_usual(page->rank, RANK_LIKE)) /
                   2;
    double error = sqrt((1 - p) / (p * (n + RATE_PRIOR)));

    return value * unharmed(page, &item->signals) *
           fmax(0.1, 1 + page->feeder->set.explore * error * chance(page, item->head.a));
}

static double tie_of(const struct page *page, const struct item *item)
{
    return is_followed(page, item) ? page->feeder->set.followed : 1;
}

/* Where no rates are asked: by what viewers did, interests, model and heat. */
static double guessed(const struct page *page, const struct item *item, bool tried, double model,
                      double heat)
{
    return value_of(page, item) * fit_of(page, item, tried) * (0.5 + model) * (0.5 + heat);
}

static void score(struct page *page)
{
    struct feeder *feeder = page->feeder;
    double hottest = 0;
    float best = 0;

    for (uint32_t i = 0; i < page->count; i++) {
        double heat = discover_heat(page->discover, item_at(page->discover, feeder->rows[i]),
                                    page->asked->now_us);

        feeder->items[i].score = log1p(heat > 0 ? heat : 0);
        hottest = fmax(hottest, feeder->items[i].score);
        best = fmaxf(best, feeder->model[i]);
    }
    for (uint32_t i = 0; i < page->count; i++) {
        const struct item *item = item_at(page->discover, feeder->rows[i]);
        bool tried = feeder->items[i].source == FEED_POOL || feeder->items[i].source == FEED_CREDIT;
        double heat = hottest > 0 && !tried ? feeder->items[i].score / hottest : 0.5;
        double model = best > 0 && !tried ? fmax(0, (double)(feeder->model[i] / best)) : 0.5;
        double worth;

        if (page->rank != NULL)
            ask_rates(page, i, item, feeder->rate[i]);
        worth = page->rank != NULL && !tried ? expected(page, item, feeder->rate[i])
                                             : guessed(page, item, tried, model, heat);
        feeder->items[i].score = worth * wanted(page, item) * tie_of(page, item) *
                                     discover_boost_of(page->discover, item) +
                                 1e-9; /* a page needs an order even of what nobody likes */
    }
}

/* --- the page
 * -------------------------------------------------------------------------------------
 */

static struct served *served_of(struct page *page, bool make)
{
    struct table *table = &page->feeder->served;
    struct table_key key = {page->asked->account, 0, page->asked->tenant};
    uint32_t row = table_find(table, key, true);

    if (row == TABLE_NONE && make) {
        uint32_t victim = table_victim(table);

        if (victim != TABLE_NONE)
            table_remove(table, victim);
        row = table_add(table, key);
    }
    return row == TABLE_NONE ? NULL : table_row(table, row);
}

static void past_of(const struct page *page, struct feed_past *past)
{
    const struct served *served = page->served;

    past->count = 0;
    for (uint32_t i = 1; served != NULL && i <= FEED_SERVED && past->count < FEED_PAST; i++) {
        uint32_t at = (served->next + FEED_SERVED - i) % FEED_SERVED;
        const struct item *item;

        if (served->at_us[at] == 0 || page->asked->now_us - served->at_us[at] >= FEED_SERVED_US)
            break;
        item = discover_item(page->discover, page->asked->tenant, served->item[at]);
        if (item == NULL)
            continue;
        past->at[past->count].creator = item->has_creator ? item->creator : ~item->head.a;
        past->at[past->count++].trait = item->tag_count > 0 ? trait_of(item->tag[0]) : 0;
    }
}

static void serve(struct page *page, uint64_t item)
{
    struct served *served = served_of(page, true);

    served->item[served->next] = item;
    served->at_us[served->next] = page->asked->now_us;
    served->next = (served->next + 1) % FEED_SERVED;
}

/* Who likes less and less of it gets more of what is different. */
static struct feed_rule rule_for(const struct page *page)
{
    struct feed_rule rule = page->feeder->set.rule;
    double tired =
        page->viewer == NULL ? 0 : taste_tired(&page->viewer->taste, page->asked->now_us);

    rule.diversity *= 1 + 2 * tired;
    rule.streak = (uint32_t)fmax(1, round(rule.streak / (1 + tired)));
    return rule;
}

/* What a place was given out for is not given to the next who asks. */
static void give(struct page *page, const struct feed_entry *entry)
{
    enum gift gift = feed_gift(entry->source);
    const struct gift_row *row;

    if (gift == GIFT_NONE)
        return;
    row = gifts_find(&page->discover->gifts, page->asked->tenant,
                     item_at(page->discover, entry->row)->creator);
    gifts_given(&page->discover->gifts, row, gift, page->asked->now_us);
}

uint32_t feeder_page(struct feeder *feeder, struct discover *discover,
                     const struct feed_asked *asked, struct feed_entry *entries, bool *personal)
{
    struct page page = {.feeder = feeder,
                        .discover = discover,
                        .asked = asked,
                        .random = asked->seed,
                        .personal =
                            discover_may_personalise(discover, asked->tenant, asked->account)};
    struct feed_past past;
    struct feed_rule rule;
    uint32_t count;

    assert(asked->want > 0 && asked->want <= FEED_PLACES_MAX);
    *personal = page.personal;
    if (page.personal) {
        page.viewer = discover_viewer(discover, asked->tenant, asked->account);
        page.account = discover_account(discover, asked->tenant, asked->account);
    }
    if (feeder_has_model(feeder, asked->tenant))
        page.rank = feeder->rank;
    page.served = served_of(&page, false);
    gather(&page);
    score(&page);
    past_of(&page, &past);
    rule = rule_for(&page);
    count = feed_rank(&rule, &past, feeder->items, page.count, asked->seed, &feeder->work,
                      feeder->places, asked->want);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = feeder->places[i];

        entries[i] = (struct feed_entry){
            .item = feeder->items[at].item,
            .row = feeder->rows[at],
            .score = feeder->items[at].score,
            .long_view = page.rank != NULL ? feeder->rate[at][RANK_LONG_VIEW] : -1,
            .like = page.rank != NULL ? feeder->rate[at][RANK_LIKE] : -1,
            .source = feeder->items[at].source,
            .beyond = feeder->beyond[at]};
        serve(&page, entries[i].item);
        give(&page, &entries[i]);
    }
    return count;
}

/* --- alike
 * ----------------------------------------------------------------------------------------
 */

static uint32_t similar_by_tags(struct feeder *feeder, struct discover *discover, uint32_t tenant,
                                uint64_t id, uint32_t want, struct feed_entry *entries)
{
    const struct item *item = discover_item(discover, tenant, id);
    uint32_t count = 0;

    for (uint32_t tag = 0; item != NULL && tag < item->tag_count; tag++) {
        uint64_t refused;
        uint32_t found = discover_top(discover, tenant, SCOPE_TAG, item->tag[tag], want + 1,
                                      feeder->list, &refused);

        for (uint32_t i = 0; i < found && count < want; i++) {
            uint64_t other = item_at(discover, feeder->list[i])->head.a;
            uint32_t at = 0;

            while (at < count && entries[at].item != other)
                at++;
            if (at == count && other != id)
                entries[count++] = (struct feed_entry){
                    .item = other, .row = feeder->list[i], .source = FEED_INTEREST};
        }
    }
    return count;
}

uint32_t feeder_similar(struct feeder *feeder, struct discover *discover, uint32_t tenant,
                        uint64_t item, uint32_t want, struct feed_entry *entries, bool *by_model)
{
    uint32_t found = 0, count = 0;

    assert(want > 0 && want <= FEED_PLACES_MAX);
    if (feeder_has_model(feeder, tenant))
        found = recommend_similar(feeder->view, item, FROM_MODEL, feeder->found);
    for (uint32_t i = 0; i < found && count < want; i++) {
        uint32_t row = item_find(discover, tenant, feeder->found[i].item);

        if (row != TABLE_NONE && item_at(discover, row)->state == ITEM_PUBLISHED &&
            !discover_is_hidden(discover, row))
            entries[count++] = (struct feed_entry){.item = feeder->found[i].item,
                                                   .row = row,
                                                   .score = (double)feeder->found[i].score,
                                                   .source = FEED_MODEL};
    }
    *by_model = count > 0;
    return count > 0 ? count : similar_by_tags(feeder, discover, tenant, item, want, entries);
}
