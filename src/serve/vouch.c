#include "serve/vouch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/hook.h"
#include "serve/credential.h"
#include "wire/token.h"

#define LINE_BYTES 256

struct key {
    char kid[TOKEN_KID_MAX + 1];
    uint64_t caller;
    uint16_t tenant;
    uint8_t bytes[SIGN_KEY_BYTES];
};

struct keys {
    uint32_t count;
    struct key list[VOUCH_KEYS_MAX];
};

struct vouch {
    char path[512];
    pthread_rwlock_t lock;
    struct keys keys; /* guarded */
};

/* --- the file -----------------------------------------------------------------------------------
 */

static bool read_tenant(const char *text, uint16_t *tenant)
{
    unsigned long value;

    if (strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
        return false;
    value = strtoul(text, NULL, 10);
    *tenant = (uint16_t)value;
    return value <= UINT16_MAX;
}

static const struct key *find(const struct keys *keys, const char *kid)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->list[i].kid, kid) == 0)
            return &keys->list[i];
    }
    return NULL;
}

/* NULL, or what is wrong with the line, which is taken apart in place. */
static const char *read_line(char *text, struct keys *keys)
{
    static const char space[] = " \t\r\n";
    char *save = NULL, *words[4];
    struct key *key = &keys->list[keys->count];
    unsigned count = 0;

    for (char *word = strtok_r(text, space, &save); word != NULL && word[0] != '#' && count < 4;
         word = strtok_r(NULL, space, &save))
        words[count++] = word;
    if (count == 0)
        return NULL;
    if (keys->count == VOUCH_KEYS_MAX)
        return "more than 64 keys";
    if (count != 3 || !read_tenant(words[1], &key->tenant))
        return "expected KID TENANT PUBLIC-KEY";
    if (strlen(words[0]) > TOKEN_KID_MAX)
        return "a key id has at most 63 bytes";
    if (find(keys, words[0]) != NULL)
        return "this key id stands here twice";
    if (token_decode(words[2], strlen(words[2]), key->bytes, sizeof key->bytes) !=
        sizeof key->bytes)
        return "expected a public key of 43 letters in base64url";
    memcpy(key->kid, words[0], strlen(words[0]) + 1);
    key->caller = credential_number(words[0]);
    keys->count++;
    return NULL;
}

static enum status read_file(const char *path, struct keys *keys, char message[256])
{
    FILE *file = fopen(path, "re");
    char text[LINE_BYTES];
    const char *wrong = NULL;
    unsigned line = 0;

    memset(keys, 0, sizeof *keys);
    if (file == NULL) {
        snprintf(message, 256, "assertion-keys %.150s: %s", path, strerror(errno));
        return STATUS_BADCONFIG;
    }
    while (wrong == NULL && fgets(text, sizeof text, file) != NULL) {
        line++;
        wrong = strchr(text, '\n') == NULL && !feof(file) ? "the line is too long"
                                                          : read_line(text, keys);
    }
    if (wrong == NULL && keys->count == 0)
        wrong = "there is no key in the file";
    fclose(file);
    if (wrong == NULL)
        return STATUS_OK;
    snprintf(message, 256, "assertion-keys, line %u: %s", line, wrong);
    return STATUS_BADCONFIG;
}

enum status vouch_open(const char *path, struct vouch **out, char message[256])
{
    struct vouch *vouch = calloc(1, sizeof *vouch);
    enum status status;

    if (vouch == NULL || pthread_rwlock_init(&vouch->lock, NULL) != 0) {
        free(vouch);
        return STATUS_NOMEMORY;
    }
    snprintf(vouch->path, sizeof vouch->path, "%s", path);
    status = vouch_reload(vouch, message);
    if (status != STATUS_OK)
        vouch_close(vouch);
    else
        *out = vouch;
    return status;
}

enum status vouch_reload(struct vouch *vouch, char message[256])
{
    struct keys keys;
    enum status status = read_file(vouch->path, &keys, message);

    if (status != STATUS_OK)
        return status;
    pthread_rwlock_wrlock(&vouch->lock);
    vouch->keys = keys;
    pthread_rwlock_unlock(&vouch->lock);
    return STATUS_OK;
}

void vouch_close(struct vouch *vouch)
{
    if (vouch == NULL)
        return;
    pthread_rwlock_destroy(&vouch->lock);
    free(vouch);
}

/* --- an assertion -------------------------------------------------------------------------------
 */

bool vouch_is_assertion(const char *text, size_t size)
{
    const char *dot = size > 3 && memcmp(text, "eyJ", 3) == 0 ? memchr(text, '.', size) : NULL;

    return dot != NULL && memchr(dot + 1, '.', size - (size_t)(dot + 1 - text)) != NULL;
}

static enum status find_key(struct vouch *vouch, const char *kid, struct key *key)
{
    const struct key *found = NULL;

    if (vouch == NULL)
        return STATUS_UNKNOWNKEY;
    pthread_rwlock_rdlock(&vouch->lock);
    if ((found = find(&vouch->keys, kid)) != NULL)
        *key = *found;
    pthread_rwlock_unlock(&vouch->lock);
    return found != NULL ? STATUS_OK : STATUS_UNKNOWNKEY;
}

/* What is signed is true; is it also for us, and now? */
static enum status judge(const struct token *token, const struct key *key, int64_t now_us)
{
    int64_t now_s = now_us / 1000000;

    if ((!token->for_zan && !PLANTED("vouch.any_audience")) ||
        (token->tenant != key->tenant && !PLANTED("vouch.any_tenant")))
        return STATUS_TOKENAUDIENCE;
    if (token->expires_s <= token->issued_s || token->expires_s - token->issued_s > VOUCH_LIFE_S ||
        token->issued_s > now_s + VOUCH_FUTURE_S)
        return STATUS_BADTOKEN;
    return token->expires_s <= now_s ? STATUS_TOKENEXPIRED : STATUS_OK;
}

enum status vouch_check(struct vouch *vouch, const char *text, size_t size, int64_t now_us,
                        struct identity *who)
{
    struct token token;
    struct key key;
    enum status status;

    if (!token_read(text, size, &token))
        return STATUS_BADTOKEN;
    if ((status = find_key(vouch, token.kid, &key)) != STATUS_OK)
        return status;
    if (!sign_check(key.bytes, text, token.covered, token.signature) &&
        !PLANTED("vouch.any_signature"))
        return STATUS_BADTOKEN;
    if ((status = judge(&token, &key, now_us)) != STATUS_OK)
        return status;
    *who = (struct identity){
        .caller = key.caller,
        .subject = token.subject,
        .expires_us = token.expires_s * 1000000,
        .epoch = token.epoch,
        .tenant = token.tenant,
        .role = token.creator ? ROLE_CREATOR : ROLE_USER,
        .asserted = 1,
    };
    return STATUS_OK;
}
