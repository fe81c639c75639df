#include "wire/token.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define SECONDS_MAX 253402300799LL /* the end of the year 9999 */

/* --- base64url (RFC 4648, 5) --------------------------------------------------------------------
 */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int value_of(char c)
{
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

    return at != NULL ? (int)(at - alphabet) : -1;
}

size_t token_encode(const uint8_t *bytes, size_t size, char *text, size_t room)
{
    uint32_t bits = 0, count = 0;
    size_t used = 0;

    if (room < (size * 4 + 2) / 3)
        return 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 6; count -= 6)
            text[used++] = alphabet[bits >> (count - 6) & 63];
    }
    if (count > 0)
        text[used++] = alphabet[bits << (6 - count) & 63];
    return used;
}

size_t token_decode(const char *text, size_t size, uint8_t *bytes, size_t room)
{
    uint32_t bits = 0, count = 0;
    size_t used = 0;

    if (size % 4 == 1)
        return SIZE_MAX;
    for (size_t i = 0; i < size; i++) {
        int value = value_of(text[i]);

        if (value < 0)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8)
            continue;
        if (used == room)
            return SIZE_MAX;
        count -= 8;
        bytes[used++] = (uint8_t)(bits >> count);
    }
    /* Bits that say nothing must be zero, or one token would have several spellings. */
    return (bits & ((1u << count) - 1)) == 0 ? used : SIZE_MAX;
}

/* --- members ------------------------------------------------------------------------------------
 */

/* A text of printable bytes that fits; optional members are "" if absent. */
static bool read_text(const json_t *object, const char *name, char *to, size_t room)
{
    const json_t *member = json_object_get(object, name);
    const char *text = json_string_value(member);
    size_t size = json_string_length(member);

    if (text == NULL || size == 0 || size >= room)
        return false;
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    memcpy(to, text, size + 1);
    return true;
}

static bool read_number(const json_t *object, const char *name, int64_t max, bool needed,
                        int64_t *value)
{
    const json_t *member = json_object_get(object, name);

    *value = 0;
    if (member == NULL)
        return !needed;
    if (!json_is_integer(member))
        return false;
    *value = json_integer_value(member);
    return *value >= 0 && *value <= max;
}

/* The account: digits of one spelling. */
static bool read_subject(const json_t *object, uint64_t *subject)
{
    char digits[21];
    uint64_t value = 0;

    if (!read_text(object, "sub", digits, sizeof digits))
        return false;
    for (const char *at = digits; *at != '\0'; at++) {
        unsigned digit = (unsigned)(*at - '0');

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *subject = value;
    return digits[0] != '0' || digits[1] == '\0';
}

/* A text, or a list of texts (RFC 7519, 4.1.3). */
static bool read_audience(const json_t *object, bool *for_zan)
{
    const json_t *member = json_object_get(object, "aud"), *one;
    size_t i;

    *for_zan = json_is_string(member) && strcmp(json_string_value(member), "zan") == 0;
    if (json_is_string(member))
        return true;
    if (!json_is_array(member))
        return false;
    json_array_foreach(member, i, one)
    {
        if (!json_is_string(one))
            return false;
        *for_zan |= strcmp(json_string_value(one), "zan") == 0;
    }
    return true;
}

static bool read_role(const json_t *object, bool *creator)
{
    const char *role = json_string_value(json_object_get(object, "role"));

    if (role == NULL)
        return false;
    *creator = strcmp(role, "creator") == 0;
    return *creator || strcmp(role, "user") == 0;
}

static bool read_payload(const json_t *payload, struct token *token)
{
    int64_t tenant, epoch;

    if (!read_audience(payload, &token->for_zan) || !read_subject(payload, &token->subject) ||
        !read_role(payload, &token->creator) ||
        !read_number(payload, "iat", SECONDS_MAX, true, &token->issued_s) ||
        !read_number(payload, "exp", SECONDS_MAX, true, &token->expires_s) ||
        !read_number(payload, "tenant", UINT16_MAX, false, &tenant) ||
        !read_number(payload, "epoch", UINT32_MAX, false, &epoch) ||
        !read_text(payload, "jti", token->jti, sizeof token->jti))
        return false;
    token->tenant = (uint16_t)tenant;
    token->epoch = (uint32_t)epoch;
    return true;
}

/* Nothing but what is known: a header decides how the rest is to be read. */
static bool read_header(const json_t *header, struct token *token)
{
    const char *algorithm = json_string_value(json_object_get(header, "alg"));
    const json_t *type = json_object_get(header, "typ");

    if (algorithm == NULL || strcmp(algorithm, "EdDSA") != 0)
        return false;
    if (type != NULL && (!json_is_string(type) || strcmp(json_string_value(type), "JWT") != 0))
        return false;
    return json_object_size(header) == (type != NULL ? 3u : 2u) &&
           read_text(header, "kid", token->kid, sizeof token->kid);
}

/* --- whole --------------------------------------------------------------------------------------
 */

static json_t *read_object(const char *text, size_t size)
{
    uint8_t bytes[TOKEN_BYTES_MAX];
    size_t length = token_decode(text, size, bytes, sizeof bytes);
    json_t *root;

    if (length == SIZE_MAX)
        return NULL;
    root = json_loadb((const char *)bytes, length, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

bool token_read(const char *text, size_t size, struct token *token)
{
    const char *first = size <= TOKEN_BYTES_MAX ? memchr(text, '.', size) : NULL;
    const char *end = text + size, *second;
    json_t *header, *payload;
    bool good;

    if (first == NULL || (second = memchr(first + 1, '.', (size_t)(end - first - 1))) == NULL)
        return false;
    if (token_decode(second + 1, (size_t)(end - second - 1), token->signature,
                     sizeof token->signature) != sizeof token->signature)
        return false;
    header = read_object(text, (size_t)(first - text));
    payload = read_object(first + 1, (size_t)(second - first - 1));
    good = header != NULL && payload != NULL && read_header(header, token) &&
           read_payload(payload, token);
    json_decref(header);
    json_decref(payload);
    token->covered = (size_t)(second - text);
    return good;
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\')
            return false;
    return true;
}

size_t token_write(const struct token *token, char *text, size_t room)
{
    char header[128], payload[512];
    size_t used;
    int first, second;

    if (!is_plain(token->kid) || !is_plain(token->jti))
        return 0;
    first = snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
                     token->kid);
    second = snprintf(
        payload, sizeof payload,
        "{\"aud\":\"%s\",\"sub\":\"%" PRIu64 "\",\"role\":\"%s\",\"tenant\":%u,"
        "\"epoch\":%" PRIu32 ",\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"jti\":\"%s\"}",
        token->for_zan ? "zan" : "other", token->subject, token->creator ? "creator" : "user",
        (unsigned)token->tenant, token->epoch, token->issued_s, token->expires_s, token->jti);
    used = token_encode((const uint8_t *)header, (size_t)first, text, room);
    if (used == 0 || used == room)
        return 0;
    text[used++] = '.';
    size_t more = token_encode((const uint8_t *)payload, (size_t)second, text + used, room - used);
    return more != 0 ? used + more : 0;
}

size_t token_finish(char *text, size_t size, size_t room, const uint8_t signature[TOKEN_SIGNATURE])
{
    size_t more;

    if (size >= room)
        return 0;
    text[size++] = '.';
    more = token_encode(signature, TOKEN_SIGNATURE, text + size, room - size);
    return more != 0 ? size + more : 0;
}
