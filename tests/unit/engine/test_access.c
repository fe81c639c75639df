/* The engine's part of who may do what. */
#include "support.h"

#include "engine/access.h"

static void an_item_is_its_creators(void **state)
{
    struct request request = {.object_rule = RULE_ITEM, .subject = 7};
    struct item_row item = {.has_creator = 1, .creator = 7};

    (void)state;
    assert_int_equal(access_check_item(&request, &item), STATUS_OK);
    item.creator = 8;
    assert_int_equal(access_check_item(&request, &item), STATUS_NOPERM);
    assert_int_equal(access_check_item(&request, NULL), STATUS_NOPERM);
    request.subject = 0;
    item = (struct item_row){.has_creator = 0, .creator = 0};
    assert_int_equal(access_check_item(&request, &item), STATUS_NOPERM); /* nobody's, not 0's */
    request.object_rule = RULE_TENANT;
    assert_int_equal(access_check_item(&request, NULL), STATUS_OK);
}

static void an_older_epoch_is_revoked(void **state)
{
    struct request request = {.asserted = 1, .epoch = 3};

    (void)state;
    assert_int_equal(access_check_epoch(&request, 2), STATUS_OK);
    assert_int_equal(access_check_epoch(&request, 3), STATUS_OK);
    assert_int_equal(access_check_epoch(&request, 4), STATUS_TOKENREVOKED);
    request.asserted = 0; /* a backend speaks for its users, whatever their epoch */
    assert_int_equal(access_check_epoch(&request, 4), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_is_its_creators),
        cmocka_unit_test(an_older_epoch_is_revoked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
