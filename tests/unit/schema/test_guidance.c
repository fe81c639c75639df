/* Every client has every situation, and every word a text in both languages; what a client or a
 * region has of its own comes before what all have. */
#include "support.h"

#include <string.h>

#include "schema/guidance.h"
#include "schema/region.h"
#include "schema/tree.h"

static void texts_are_there(const char *const text[LANGUAGE_COUNT])
{
    bool other = false; /* Chinese is not ASCII */

    for (int language = 0; language < LANGUAGE_COUNT; language++)
        assert_true(strlen(text[language]) > 0 && strlen(text[language]) <= 200);
    for (const char *at = text[LANGUAGE_ZH]; *at != '\0'; at++)
        other = other || (unsigned char)*at >= 0x80;
    assert_true(other);
    for (const char *at = text[LANGUAGE_EN]; *at != '\0'; at++)
        assert_true(*at >= ' ' && *at < 0x7F);
}

static void every_client_has_every_situation(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < guidance_count; i++) {
        const struct guidance *row = &guidance_table[i];

        texts_are_there(row->text);
        assert_true(row->low_ms <= row->high_ms);
        for (int client = 0; client < CLIENT_COUNT; client++)
            if (guidance_of((enum client)client, row->situation) == NULL)
                fail_msg("%s has no %s", client_name((enum client)client), row->situation);
        for (uint32_t k = i + 1; k < guidance_count; k++) {
            const struct guidance *other = &guidance_table[k];

            if (row->client == other->client && strcmp(row->situation, other->situation) == 0)
                fail_msg("%s twice", row->situation);
            if (strcmp(row->key, other->key) == 0)
                for (int language = 0; language < LANGUAGE_COUNT; language++)
                    assert_string_equal(row->text[language], other->text[language]);
        }
    }
}

static void every_word_is_said_somewhere(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < wording_count; i++) {
        const struct wording *row = &wording_table[i];
        size_t size = strlen(row->region);
        uint64_t region;

        texts_are_there(row->text);
        assert_true(size == 0 || region_read(row->region, size, &region));
        assert_ptr_equal(wording_of(row->region, size, row->key), row); /* no row twice */
        assert_non_null(wording_of("", 0, row->key));
    }
}

static void the_nearest_row_is_told(void **state)
{
    (void)state;
    assert_int_equal(guidance_of(CLIENT_ANDROID, "animation")->low_ms, 300);
    assert_int_equal(guidance_of(CLIENT_IOS, "animation")->low_ms, 450);
    assert_false(guidance_of(CLIENT_PC, "animation")->can);
    assert_true(guidance_of(CLIENT_ANDROID, "confirm")->can);
    assert_false(guidance_of(CLIENT_WEB, "confirm")->can);
    assert_false(guidance_of(CLIENT_IPAD, "like-gesture")->can);
    assert_string_equal(wording_of("gb", 2, "word.favorite")->text[LANGUAGE_EN], "favourite");
    assert_string_equal(wording_of("gb-sct", 6, "word.favorite")->text[LANGUAGE_EN], "favourite");
    assert_string_equal(wording_of("fr", 2, "word.favorite")->text[LANGUAGE_EN], "favorite");
    assert_null(wording_of("gb", 2, "no such word"));
    assert_null(guidance_of(CLIENT_WEB, "no such situation"));
}

/* As it is asked for: of each client, in each language, with and without a region. */
static void answers_fit(void **state)
{
    static _Alignas(16) uint8_t storage[CALL_STORAGE_BYTES];

    (void)state;
    for (int client = 0; client < CLIENT_COUNT; client++)
        for (int language = 0; language <= LANGUAGE_COUNT; language++) {
            struct call call = {.request = {.verb = VERB_GUIDANCE},
                                .storage = storage,
                                .storage_size = sizeof storage};

            call.request.u.ask.words[0] = (uint8_t)(1 + client);
            call.request.u.ask.words[1] = (uint8_t)language;
            call.request.u.ask.text = language == 0 ? "" : "DE";
            call.request.u.ask.text_size = language == 0 ? 0 : 2;
            guidance_answer(&call);
            assert_int_equal(call.reply.kind, REPLY_TREE);
            call.request.u.ask.text = "x_y";
            call.request.u.ask.text_size = 3;
            guidance_answer(&call);
            assert_int_equal(call.reply.status, STATUS_BADVALUE);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_client_has_every_situation),
        cmocka_unit_test(every_word_is_said_somewhere),
        cmocka_unit_test(the_nearest_row_is_told),
        cmocka_unit_test(answers_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
