/* attest.c: see attest.h. */
#include "serve/attest.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/hook.h"
#include "wire/token.h"

#define MINUTE_US  60000000
#define MAC_BYTES  8
#define SAID_BYTES (2 + 8 + 8 + 8 + 1 + 1)

static_assert(4 + MAC_BYTES == REQUEST_TOKEN_BYTES, "a token");
static_assert(IMPRESSION_LIFE_MIN <= UINT8_MAX, "the age of an impression is a byte of its record");

struct said {
    uint64_t account, item;
    int64_t minute;
    uint16_t tenant;
    uint8_t stage, place;
};

/* As pseudonyms are made, by another kind and another key: a fifth of the time that the library's
 * HMAC takes, and the same bytes. (Where they would be all 0, the last bit differs.) */
static void mac(const uint8_t key[DIGEST_BYTES], const struct said *said, uint8_t out[MAC_BYTES])
{
    struct pseudonym_key made;
    uint8_t bytes[SAID_BYTES];

    memcpy(made.bytes, key, sizeof made.bytes);
    put_u16(bytes, said->tenant);
    put_u64(bytes + 2, PLANTED("attest.any_account") ? 0 : said->account);
    put_u64(bytes + 10, PLANTED("attest.any_item") ? 0 : said->item);
    put_u64(bytes + 18, (uint64_t)said->minute);
    bytes[26] = said->stage;
    bytes[27] = said->place;
    put_u64(out, pseudonym(&made, 'i', (const char *)bytes, sizeof bytes));
}

void attest_make(struct epochs *epochs, const struct impression *impression,
                 char text[IMPRESSION_TEXT])
{
    struct said said = {.account = impression->account,
                        .item = impression->item,
                        .minute = impression->at_us / MINUTE_US,
                        .tenant = impression->tenant,
                        .stage = impression->stage,
                        .place =
                            impression->place < UINT8_MAX ? (uint8_t)impression->place : UINT8_MAX};
    uint8_t token[REQUEST_TOKEN_BYTES], key[DIGEST_BYTES];
    bool found = epochs_impression_key(epochs, 0, key);
    size_t size;

    assert(found);
    put_u16(token, (uint16_t)said.minute);
    token[2] = said.stage;
    token[3] = said.place;
    mac(key, &said, token + 4);
    size = token_encode(token, sizeof token, text, IMPRESSION_TEXT);
    assert(size == IMPRESSION_TEXT);
}

/* The minute a token names: the last one with these low bits, but for the one that begins just now:
 * another thread's clock may have been there already. */
static int64_t minute_of(const uint8_t *token, int64_t now)
{
    return now + 1 - (uint16_t)((uint64_t)now + 1 - get_u16(token));
}

static bool is_good(const struct epochs *epochs, int64_t now_us, const struct request *request,
                    uint8_t *age_min)
{
    const uint8_t *token = request->u.view.token;
    int64_t now = now_us / MINUTE_US;
    struct said said = {.account = request->account,
                        .item = request->target,
                        .minute = minute_of(token, now),
                        .tenant = request->tenant,
                        .stage = token[2],
                        .place = token[3]};
    uint8_t expected[MAC_BYTES], key[DIGEST_BYTES];
    bool good = false;

    if (now - said.minute > IMPRESSION_LIFE_MIN && !PLANTED("attest.token_for_ever"))
        return false;
    *age_min = now > said.minute ? (uint8_t)(now - said.minute) : 0;
    for (uint32_t back = 0; !good && back < 2 && epochs_impression_key(epochs, back, key); back++) {
        mac(key, &said, expected);
        good = digest_equal(expected, token + 4, MAC_BYTES) == 1;
    }
    return good;
}

void attest_check(const struct epochs *epochs, int64_t now_us, struct request *request)
{
    struct request_view *view = &request->u.view;
    uint8_t age_min = 0;

    if ((request->verb != VERB_VIEW && request->verb != VERB_SKIP) || view->attest == ATTEST_NONE)
        return;
    if (view->attest != ATTEST_GIVEN || epochs == NULL ||
        !is_good(epochs, now_us, request, &age_min)) {
        view->attest = ATTEST_BAD;
        return;
    }
    view->attest = ATTEST_GOOD;
    view->stage = view->token[2];
    view->place = view->token[3];
    view->age_min = age_min;
}
