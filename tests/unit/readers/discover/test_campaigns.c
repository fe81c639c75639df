/* Exposure that was bought: as its records tell it. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "readers/discover/campaigns.h"

#define SECOND 1000000LL

static struct campaign_book book;
static int64_t now_us = 1700000000 * SECOND;

static uint64_t number(const char *name, size_t size)
{
    return (uint64_t)name[0] << 8 | size;
}

static struct record record_of(uint8_t kind, uint64_t item)
{
    static uint64_t sequence;

    return (struct record){.kind = kind,
                           .sequence = ++sequence,
                           .time_us = now_us,
                           .fields = RECORD_CHANGED | RECORD_HAS_ARGS,
                           .target = item};
}

static void open_one(uint64_t item, uint32_t budget, uint32_t seconds, const char *label,
                     const char *tags, uint8_t holdout)
{
    struct record record = record_of(VERB_CAMPAIGN_OPEN, item);
    static char text[256];

    snprintf(text, sizeof text, "%s%s", label, tags);
    record.fields |= RECORD_HAS_TEXT;
    record.text = text;
    record.text_size = (uint8_t)strlen(text);
    record.a = budget | (uint64_t)holdout << 32;
    record.b = (uint64_t)(now_us / SECOND + seconds) | (uint64_t)strlen(label) << 32;
    campaigns_apply(&book, &record, number);
}

static void spend(uint64_t item, uint32_t amount)
{
    struct record record = record_of(VERB_SPEND_CAMPAIGN, item);

    record.a = amount;
    campaigns_apply(&book, &record, number);
}

static int clear(void **state)
{
    (void)state;
    memset(&book, 0, sizeof book);
    return 0;
}

static void begins_is_spent_and_ends(void **state)
{
    const struct campaign_offer *campaign;
    struct record stop = record_of(VERB_CAMPAIGN_STOP, 7);

    (void)state;
    open_one(7, 100, 60, "paid by Acme", "cats,slow food", 10);
    campaign = campaigns_find(&book, 0, 7);
    assert_non_null(campaign);
    assert_int_equal(campaign->tag_count, 2);
    assert_int_equal(campaign->tag[1], number("slow food", 9));
    assert_int_equal(campaign->label_size, 12);
    assert_memory_equal(campaign->label, "paid by Acme", 12);
    assert_true(campaign_runs(campaign, now_us));
    assert_false(campaign_runs(campaign, now_us + 60 * SECOND));
    spend(7, 99);
    assert_true(campaign_runs(campaign, now_us));
    spend(7, 1);
    assert_false(campaign_runs(campaign, now_us));
    spend(8, 1);                              /* nobody's */
    assert_null(campaigns_find(&book, 1, 7)); /* another tenant's */
    campaigns_apply(&book, &stop, number);
    assert_true(campaigns_find(&book, 0, 7)->stopped); /* for its figures */
    assert_false(campaign_runs(campaigns_find(&book, 0, 7), now_us));
}

/* A text that is none, a label longer than the text: the campaign is for nobody, not for all. */
static void damaged_texts_are_for_nobody(void **state)
{
    struct record record = record_of(VERB_CAMPAIGN_OPEN, 9);

    (void)state;
    record.a = 5;
    record.b = 250ULL << 32 | 1900000000u;
    record.fields |= RECORD_HAS_TEXT;
    record.text = "a,b";
    record.text_size = 3;
    campaigns_apply(&book, &record, number);
    assert_int_equal(campaigns_find(&book, 0, 9)->tag_count, 0);
    assert_int_equal(campaigns_find(&book, 0, 9)->label_size, 0);
}

static void a_full_book_refuses_and_those_that_are_over_make_room(void **state)
{
    (void)state;
    for (uint64_t item = 1; item <= CAMPAIGNS_MAX; item++)
        open_one(item, 10, 100, "l", "a", 0);
    open_one(1000, 10, 100, "l", "a", 0);
    assert_int_equal(book.refused, 1);
    assert_null(campaigns_find(&book, 0, 1000));
    spend(30, 10);
    open_one(1000, 10, 100, "l", "a", 0);
    assert_non_null(campaigns_find(&book, 0, 1000));
    assert_null(campaigns_find(&book, 0, 30));
    open_one(5, 20, 100, "l", "a", 0); /* again: the newest counts */
    assert_int_equal(campaigns_find(&book, 0, 5)->budget, 20);
    assert_int_equal(book.count, CAMPAIGNS_MAX);
}

static void so_many_percent_are_held_out(void **state)
{
    uint32_t out = 0, both = 0, other = 0;

    (void)state;
    open_one(7, 100, 60, "l", "a", 30);
    open_one(8, 100, 60, "l", "a", 30);
    for (uint64_t account = 1; account <= 10000; account++) {
        bool first = campaign_holds_out(campaigns_find(&book, 0, 7), account);
        bool second = campaign_holds_out(campaigns_find(&book, 0, 8), account);

        out += first;
        other += second;
        both += first && second;
    }
    assert_in_range(out, 2800, 3200); /* 30 %: sd 46 */
    assert_in_range(other, 2800, 3200);
    assert_in_range(both, 750, 1050); /* 9 %: each campaign has its own */
}

static const struct campaign_act shown = {.shown = true, .saw = true, .pct = 100};

static void see(uint64_t account, struct campaign_act act)
{
    act.account = account;
    act.time_us = now_us;
    campaigns_see(&book, 0, 7, &act);
}

static void owes_what_was_shown_and_is_not_spent(void **state)
{
    const struct campaign_offer *campaign;
    struct campaign_act act = shown;

    (void)state;
    see(1, shown); /* before there is one */
    open_one(7, 5, 600, "l", "a", 0);
    campaign = campaigns_find(&book, 0, 7);
    assert_int_equal(campaign_owes(campaign), 0);
    act.age_min = 2; /* of a token that is older than the campaign */
    see(1, act);
    act = shown;
    act.pct = 0; /* of who is not believed */
    see(2, act);
    assert_int_equal(campaign_owes(campaign), 0);
    for (uint64_t account = 1; account <= 3; account++)
        see(account, shown);
    assert_int_equal(campaign_owes(campaign), 3);
    spend(7, 2);
    assert_int_equal(campaign_owes(campaign), 1);
    for (uint64_t account = 4; account <= 9; account++)
        see(account, shown);
    assert_int_equal(campaign_owes(campaign), 3); /* never more than was bought */
    assert_false(campaign_runs(campaign, now_us));
    spend(7, 3);
    assert_int_equal(campaign_owes(campaign), 0);
}

static void the_guard_knows_whose_likes_come_back(void **state)
{
    const struct campaign_offer *campaign;
    struct campaign_act like = {.like = true, .pct = 100, .like_us = now_us};
    struct campaign_act unlike = {.unlike = true, .like_pct = 100, .like_us = now_us};
    struct campaign_act relike = {.relike = true, .pct = 100, .like_pct = 100, .like_us = now_us};

    (void)state;
    open_one(7, 500, 600, "l", "a", 50);
    campaign = campaigns_find(&book, 0, 7);
    for (uint64_t account = 1; account <= 19; account++)
        see(account, like);
    for (uint64_t account = 1; account <= 19; account++)
        see(account, unlike);
    assert_false(campaign_is_bad(campaign)); /* too few to say */
    see(20, like);
    assert_true(campaign_is_bad(campaign));
    for (uint64_t account = 1; account <= 13; account++)
        see(account, relike);
    assert_int_equal(campaign->unlike_pct, 600); /* 6 of 20: 30 %, but 14.5 % may be the truth */
    assert_false(campaign_is_bad(campaign));
    see(14, unlike);
    assert_true(campaign_is_bad(campaign));
    unlike.like_us = now_us - 1; /* of a like that is older */
    see(30, unlike);
    assert_int_equal(campaign->unlike_pct, 700);
    assert_int_equal(campaign->group[0].likes + campaign->group[1].likes, 20);
    assert_in_range(campaign->group[1].likes, 3, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(begins_is_spent_and_ends, clear),
        cmocka_unit_test_setup(damaged_texts_are_for_nobody, clear),
        cmocka_unit_test_setup(a_full_book_refuses_and_those_that_are_over_make_room, clear),
        cmocka_unit_test_setup(owes_what_was_shown_and_is_not_spent, clear),
        cmocka_unit_test_setup(the_guard_knows_whose_likes_come_back, clear),
        cmocka_unit_test_setup(so_many_percent_are_held_out, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
