/* What is remembered of an account for its feed: the newest first, each once. */
#include "support.h"

#include <string.h>

#include "readers/discover/viewer.h"

static void agrees_with_a_plain_list(void **state)
{
    struct test_random random = {test_seed(1)};
    struct viewer viewer = {0};
    uint64_t list[1000];
    uint32_t count = 0;

    (void)state;
    for (int step = 0; step < 20000; step++) {
        uint64_t item = test_random_below(&random, 60) + 1;
        uint32_t at = 0;

        while (at < count && list[at] != item)
            at++;
        if (at < count) {
            memmove(list + at, list + at + 1, (count - at - 1) * sizeof *list);
            count--;
        }
        if (test_random_below(&random, 3) > 0) {
            memmove(list + 1, list, count * sizeof *list);
            list[0] = item;
            count++;
            viewer_likes(&viewer, item);
        } else {
            viewer_unlikes(&viewer, item);
        }
        if (count > VIEWER_LIKED)
            count = VIEWER_LIKED;
        assert_int_equal(viewer.liked_count, count);
        assert_memory_equal(viewer.liked, list, count * sizeof *list);
        for (uint32_t i = count; i < VIEWER_LIKED; i++)
            assert_true(viewer.liked[i] == 0 || i < count); /* every byte is set */
    }
}

static void whom_it_follows(void **state)
{
    struct viewer viewer = {0};

    (void)state;
    for (uint64_t creator = 1; creator <= VIEWER_FOLLOWED + 3; creator++)
        viewer_follows(&viewer, creator);
    assert_int_equal(viewer.followed_count, VIEWER_FOLLOWED);
    assert_int_equal(viewer.followed[0], VIEWER_FOLLOWED + 3);
    viewer_unfollows(&viewer, 5);
    viewer_unfollows(&viewer, 5);
    viewer_unfollows(&viewer, 1); /* fell off */
    assert_int_equal(viewer.followed_count, VIEWER_FOLLOWED - 1);
    assert_int_equal(viewer.liked_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_plain_list),
        cmocka_unit_test(whom_it_follows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
