#include "cli/assertion.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "wire/token.h"

#define KEY_TEXT (TOKEN_PUBLIC_TEXT + 1)

static int complain(const char *path, const char *what)
{
    fprintf(stderr, "zan: %s: %s\n", path, what);
    return EXIT_FAILED;
}

static int usage(const char *expected)
{
    fprintf(stderr, "zan: expected: zan key %s\n", expected);
    return EXIT_USAGE;
}

static void key_text(const uint8_t key[SIGN_KEY_BYTES], char text[KEY_TEXT])
{
    text[token_encode(key, SIGN_KEY_BYTES, text, TOKEN_PUBLIC_TEXT)] = '\0';
}

static bool good_kid(const char *kid)
{
    size_t size = strlen(kid);

    return size > 0 && size <= TOKEN_KID_MAX && kid[0] != '#' &&
           strspn(kid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == size;
}

int key_pair(const struct options_words *words, uint16_t tenant)
{
    uint8_t secret[SIGN_KEY_BYTES], public_key[SIGN_KEY_BYTES];
    char text[KEY_TEXT];
    FILE *file;
    int fd;

    if (words->count != 3 || !good_kid(words->word[1]))
        return usage("pair KID FILE (KID: 1 to 63 letters, digits and . _ -)");
    fd = open(words->word[2], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return complain(words->word[2], strerror(errno));
    if ((file = fdopen(fd, "w")) == NULL) {
        close(fd);
        return complain(words->word[2], strerror(errno));
    }
    digest_random(secret, sizeof secret);
    sign_public(secret, public_key);
    key_text(secret, text);
    fprintf(file, "%s %u %s\n", words->word[1], (unsigned)tenant, text);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(text, sizeof text);
    if (fclose(file) != 0)
        return complain(words->word[2], strerror(errno));
    key_text(public_key, text);
    printf("%s %u %s\n", words->word[1], (unsigned)tenant, text);
    return EXIT_DONE;
}

/* The line of a pair; false if it is none. */
static bool read_pair(const char *path, struct token *token, uint8_t secret[SIGN_KEY_BYTES])
{
    char line[256] = "", *save = NULL;
    FILE *file = fopen(path, "re");
    const char *kid, *tenant, *key;
    bool good;

    if (file == NULL)
        return false;
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    fclose(file);
    kid = strtok_r(line, " \n", &save);
    tenant = strtok_r(NULL, " \n", &save);
    key = strtok_r(NULL, " \n", &save);
    good = key != NULL && good_kid(kid) &&
           token_decode(key, strlen(key), secret, SIGN_KEY_BYTES) == SIGN_KEY_BYTES;
    if (good) {
        memcpy(token->kid, kid, strlen(kid) + 1);
        token->tenant = (uint16_t)strtoul(tenant, NULL, 10);
    }
    explicit_bzero(line, sizeof line);
    return good;
}

static bool read_account(const char *text, uint64_t *account)
{
    char *end;

    errno = 0;
    *account = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

int key_sign(const struct options_words *words, uint32_t epoch, uint64_t life_s, uint64_t at_s)
{
    struct token token = {.for_zan = true, .epoch = epoch};
    uint8_t secret[SIGN_KEY_BYTES], signature[SIGN_BYTES], id[16];
    char text[TOKEN_BYTES_MAX + 1];
    size_t size;

    if (words->count != 4 || !read_account(words->word[2], &token.subject) ||
        (strcmp(words->word[3], "user") != 0 && strcmp(words->word[3], "creator") != 0))
        return usage("sign FILE ACCOUNT user|creator");
    if (!read_pair(words->word[1], &token, secret))
        return complain(words->word[1], "no private key of zan key pair");
    token.creator = strcmp(words->word[3], "creator") == 0;
    token.issued_s = at_s == UINT64_MAX ? (int64_t)time(NULL) : (int64_t)at_s;
    token.expires_s = token.issued_s + (int64_t)life_s;
    digest_random(id, sizeof id);
    token.jti[token_encode(id, sizeof id, token.jti, sizeof token.jti - 1)] = '\0';
    size = token_write(&token, text, TOKEN_BYTES_MAX);
    sign_make(secret, text, size, signature);
    explicit_bzero(secret, sizeof secret);
    size = token_finish(text, size, TOKEN_BYTES_MAX, signature);
    printf("%.*s\n", (int)size, text);
    return EXIT_DONE;
}
