/* The table of access.def: what must never be true of it, and the judgement at the door. */
#include "support.h"

#include <string.h>

#include "schema/access.h"

static struct identity as(enum role role)
{
    return (struct identity){.role = (uint8_t)role, .subject = 7, .tenant = 3, .caller = 9};
}

static void separates_duties(void **state)
{
    (void)state;
    for (int verb = 0; verb < VERB_COUNT; verb++) {
        uint8_t access = verb_info((enum verb)verb)->access;
        enum verb v = (enum verb)verb;

        if (access == ACCESS_OPEN)
            continue;
        assert_int_equal(access_rule(ROLE_NONE, v), RULE_NO);
        assert_int_equal(access_rule(ROLE_ALL, v), RULE_TENANT);
        /* Who administers, judges or audits writes no reaction; only backend and the person see
         * what a person did, and the privacy officer for him. */
        for (int role = ROLE_OPERATOR; role < ROLE_ALL; role++)
            assert_false(access == ACCESS_REACT && access_rule((enum role)role, v) != RULE_NO);
        if (verb_info(v)->group == GROUP_WRITE)
            assert_int_equal(access_rule(ROLE_AUDITOR, v), RULE_NO);
        if (access == ACCESS_HOLDER || access == ACCESS_LIST)
            assert_int_equal(access_rule(ROLE_ADMINISTRATOR, v), RULE_NO);
        if (access == ACCESS_LIST) {
            assert_int_equal(access_rule(ROLE_USER, v), RULE_NO);
            assert_int_equal(access_rule(ROLE_CREATOR, v), RULE_NO);
        }
        /* Users never reach the whole tenant, but for public totals, and texts that tell of nobody. */
        if (access_rule(ROLE_USER, v) == RULE_TENANT && access != ACCESS_GUIDE)
            assert_int_equal(access, ACCESS_TOTALS);
    }
    const uint8_t *propose = access_table[ACCESS_PROPOSE].rules;
    const uint8_t *decide = access_table[ACCESS_DECIDE].rules;
    for (int role = 0; role < ROLE_ALL; role++) /* four eyes */
        assert_false(propose[role] != RULE_NO && decide[role] != RULE_NO);
}

static void names_every_role_once(void **state)
{
    (void)state;
    for (int role = ROLE_BACKEND; role < ROLE_ALL; role++)
        assert_int_equal(role_find(role_name((enum role)role)), role);
    assert_int_equal(role_find("nobody"), ROLE_NONE);
    assert_int_equal(role_find("everybody"), ROLE_NONE);
    assert_int_equal(role_find("admin"), ROLE_NONE);
}

static void writes_the_caller_into_the_request(void **state)
{
    struct identity who = as(ROLE_USER);
    struct request request = {.verb = VERB_LIKE, .account = 7, .tenant = 9, .role = ROLE_ALL};

    (void)state;
    who.epoch = 5;
    who.asserted = 1;
    who.expires_us = 100;
    assert_int_equal(access_judge(&who, 99, &request), STATUS_OK);
    assert_int_equal(request.tenant, 3);
    assert_int_equal(request.role, ROLE_USER);
    assert_int_equal(request.subject, 7);
    assert_int_equal(request.caller, 9);
    assert_int_equal(request.epoch, 5);
    assert_int_equal(request.asserted, 1);
    assert_int_equal(request.object_rule, RULE_ACCOUNT);
    assert_int_equal(access_judge(&who, 100, &request), STATUS_TOKENEXPIRED);
    assert_int_equal(access_verb(&who, 100, VERB_PING), STATUS_OK);
    request.account = 8;
    assert_int_equal(access_judge(&who, 99, &request), STATUS_NOPERM);
}

static void checks_what_the_door_can(void **state)
{
    struct request own = {.verb = VERB_RECEIVED, .account = 7, .target = 7};
    struct request other = {.verb = VERB_RECEIVED, .account = 8, .target = 8};
    struct request item = {.verb = VERB_COUNTS, .target = 1};
    struct identity creator = as(ROLE_CREATOR), nobody = as(ROLE_NONE);

    (void)state;
    assert_int_equal(access_judge(&creator, 0, &own), STATUS_OK);
    assert_int_equal(access_judge(&creator, 0, &other), STATUS_NOPERM);
    assert_int_equal(access_judge(&creator, 0, &item), STATUS_OK); /* the engine goes on */
    assert_int_equal(item.object_rule, RULE_ITEM);
    assert_int_equal(access_judge(&nobody, 0, &item), STATUS_NOAUTH);
}

/* A user looks as himself, whoever he says he is, and sets of himself only his visibility. */
static void people_look_and_speak_for_themselves(void **state)
{
    struct identity user = as(ROLE_USER), backend = as(ROLE_BACKEND);
    struct request look = {.verb = VERB_ACTIVITY, .account = 8};
    struct request set = {.verb = VERB_ACCOUNT_SET, .account = 7, .flags = REQUEST_HAS_VISIBLE};

    (void)state;
    assert_int_equal(access_judge(&user, 0, &look), STATUS_OK);
    assert_int_equal(look.target, 7);
    assert_int_equal(look.flags, REQUEST_HAS_VIEWER);
    look.target = 9;
    assert_int_equal(access_judge(&user, 0, &look), STATUS_NOPERM);
    assert_int_equal(access_judge(&backend, 0, &look), STATUS_OK);
    assert_int_equal(look.target, 9);
    assert_int_equal(access_judge(&user, 0, &set), STATUS_OK);
    for (int flag = REQUEST_HAS_TIER; flag <= REQUEST_HAS_CREATED; flag <<= 1) {
        set.flags = (uint16_t)(REQUEST_HAS_VISIBLE | flag);
        assert_int_equal(access_judge(&user, 0, &set), STATUS_NOPERM);
        assert_int_equal(access_judge(&backend, 0, &set), STATUS_OK);
    }
    set.flags = REQUEST_HAS_VISIBLE;
    set.u.portrait.has_region = 1; /* nor chooses whose rules hold for him */
    assert_int_equal(access_judge(&user, 0, &set), STATUS_NOPERM);
    assert_int_equal(access_judge(&backend, 0, &set), STATUS_OK);
    set.u.portrait.has_region = 0;
    set.account = 8;
    assert_int_equal(access_judge(&user, 0, &set), STATUS_NOPERM);
}

/* Every role comes in by one of the two doors, and by both where there is but one kind. */
static void each_role_has_its_door(void **state)
{
    (void)state;
    for (int role = ROLE_BACKEND; role <= ROLE_AUDITOR; role++) {
        bool data = role == ROLE_BACKEND || role == ROLE_USER || role == ROLE_CREATOR;

        assert_true(access_plane(PLANE_BOTH, (enum role)role));
        assert_int_equal(access_plane(PLANE_DATA, (enum role)role), data);
        assert_int_equal(access_plane(PLANE_ADMIN, (enum role)role), !data);
    }
    assert_false(access_plane(PLANE_DATA, ROLE_ALL)); /* nobody is everybody where they are apart */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separates_duties),
        cmocka_unit_test(names_every_role_once),
        cmocka_unit_test(writes_the_caller_into_the_request),
        cmocka_unit_test(checks_what_the_door_can),
        cmocka_unit_test(people_look_and_speak_for_themselves),
        cmocka_unit_test(each_role_has_its_door),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
