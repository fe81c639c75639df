/* The credentials file, and who a key belongs to. */
#include "serve/credential.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/digest.h"

#define LINE_BYTES 512

__attribute__((format(printf, 3, 4))) static enum status complain(char message[256], unsigned line,
                                                                  const char *format, ...)
{
    va_list list;
    int size = snprintf(message, 256, "credentials, line %u: ", line);

    va_start(list, format);
    vsnprintf(message + size, 256 - (size_t)size, format, list);
    va_end(list);
    return STATUS_BADCONFIG;
}

static int hex(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

static bool read_digest(const char *text, uint8_t digest[DIGEST_BYTES])
{
    if (strlen(text) != 2 * (size_t)DIGEST_BYTES)
        return false;
    for (int i = 0; i < DIGEST_BYTES; i++) {
        int high = hex(text[2 * i]), low = hex(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        digest[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

/* Words of version 0.1, whose meaning was a ladder: refused by name, because none of the new roles
 * may do exactly what they did. */
static const char *new_word(const char *role)
{
    if (strcmp(role, "reader") == 0)
        return "'reader' is gone: take auditor (totals and figures) or backend (lists as well)";
    if (strcmp(role, "writer") == 0)
        return "'writer' is now backend";
    if (strcmp(role, "admin") == 0)
        return "'admin' is now backend (data) or administrator (settings and figures)";
    if (strcmp(role, "user") == 0 || strcmp(role, "creator") == 0)
        return "users and creators come with an assertion, not with a key";
    return NULL;
}

static enum status read_role(const char *text, unsigned line, struct credential *credential,
                             char message[256])
{
    const char *word = new_word(text);

    if (word != NULL)
        return complain(message, line, "role %s", word);
    credential->role = (uint8_t)role_find(text);
    if (credential->role == ROLE_NONE)
        return complain(message, line,
                        "role '%.40s': expected backend, operator, approver, privacy, "
                        "administrator or auditor",
                        text);
    return STATUS_OK;
}

static bool read_tenant(const char *text, uint16_t *tenant)
{
    static const char word[] = "tenant=";
    size_t size = sizeof word - 1;
    unsigned long value;

    if (strncmp(text, word, size) != 0)
        return false;
    text += size;
    if (text[0] == '\0' || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
        return false;
    value = strtoul(text, NULL, 10);
    *tenant = (uint16_t)value;
    return value <= UINT16_MAX;
}

/* Names go into CLIENT LIST: nothing that could pretend to be another field. */
static bool good_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || *at == '=')
            return false;
    }
    return name[0] != '\0' && strlen(name) < sizeof((struct credential *)0)->name;
}

static enum status read_words(char *words[5], unsigned count, unsigned line,
                              struct credentials *credentials, char message[256])
{
    struct credential *credential = &credentials->list[credentials->count];
    enum status status;

    if (count < 3 || count > 4 || (count == 4 && !read_tenant(words[3], &credential->tenant)))
        return complain(message, line, "expected NAME ROLE SHA256-OF-KEY [tenant=0..65535]");
    if (!good_name(words[0]))
        return complain(message, line, "a name has 1 to 63 printable bytes, none of them '='");
    if (strcmp(words[0], "default") == 0)
        return complain(message, line, "clients say 'default' for no name; take another");
    if (strcmp(words[0], "assertion") == 0)
        return complain(message, line,
                        "'assertion' announces a signed assertion; take another name");
    if (credentials_named(credentials, words[0]) != NULL)
        return complain(message, line, "the name '%.63s' stands here twice", words[0]);
    if ((status = read_role(words[1], line, credential, message)) != STATUS_OK)
        return status;
    credential->has_key = strcmp(words[2], "-") != 0;
    if (credential->has_key && !read_digest(words[2], credential->digest))
        return complain(message, line, "expected the key's SHA-256 as 64 hexadecimal digits, or -");
    memcpy(credential->name, words[0], strlen(words[0]) + 1);
    credential->caller = credential_number(words[0]);
    credentials->count++;
    return STATUS_OK;
}

/* One line, which is taken apart in place. */
static enum status read_line(char *text, unsigned line, struct credentials *credentials,
                             char message[256])
{
    static const char space[] = " \t\r\n";
    char *save = NULL, *words[5];
    unsigned count = 0;

    for (char *word = strtok_r(text, space, &save); word != NULL && word[0] != '#' && count < 5;
         word = strtok_r(NULL, space, &save))
        words[count++] = word;
    if (count == 0)
        return STATUS_OK;
    if (credentials->count == CREDENTIALS_MAX)
        return complain(message, line, "more than %d callers", CREDENTIALS_MAX);
    return read_words(words, count, line, credentials, message);
}

static enum status read_lines(FILE *file, struct credentials *credentials, char message[256])
{
    char text[LINE_BYTES];
    enum status status = STATUS_OK;
    unsigned line = 0;

    while (status == STATUS_OK && fgets(text, sizeof text, file) != NULL) {
        line++;
        if (strchr(text, '\n') == NULL && !feof(file))
            return complain(message, line, "longer than %d bytes", LINE_BYTES - 2);
        status = read_line(text, line, credentials, message);
    }
    if (status == STATUS_OK && ferror(file) != 0)
        return complain(message, line, "%s", strerror(errno));
    if (status == STATUS_OK && credentials->count == 0)
        return complain(message, line, "there is no caller in the file");
    return status;
}

enum status credentials_read(const char *path, struct credentials *credentials, char message[256])
{
    FILE *file = fopen(path, "re");
    struct stat about;
    enum status status;

    if (file == NULL) {
        snprintf(message, 256, "credentials %.150s: %s", path, strerror(errno));
        return STATUS_BADCONFIG;
    }
    memset(credentials, 0, sizeof *credentials);
    if (fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode)) {
        snprintf(message, 256, "credentials %.150s: expected a file", path);
        status = STATUS_BADCONFIG;
    } else if ((about.st_mode & 022) != 0) {
        snprintf(message, 256, "credentials %.150s: others can write it; chmod 600", path);
        status = STATUS_BADCONFIG;
    } else {
        status = read_lines(file, credentials, message);
    }
    fclose(file);
    return status;
}

const struct credential *credentials_check(const struct credentials *credentials, const char *name,
                                           size_t name_size, const char *key, size_t key_size)
{
    uint8_t digest[DIGEST_BYTES];
    const struct credential *found = NULL;

    digest_sha256(key, key_size, NULL, 0, digest);
    for (uint32_t i = 0; i < credentials->count; i++) {
        const struct credential *credential = &credentials->list[i];
        bool named = name == NULL || (strlen(credential->name) == name_size &&
                                      memcmp(credential->name, name, name_size) == 0);

        /* Every line is compared, whichever fits: the time tells nothing. */
        if (digest_equal(digest, credential->digest, DIGEST_BYTES) && named &&
            credential->has_key && found == NULL)
            found = credential;
    }
    return found;
}

const struct credential *credentials_named(const struct credentials *credentials, const char *name)
{
    for (uint32_t i = 0; i < credentials->count; i++) {
        if (strcmp(credentials->list[i].name, name) == 0)
            return &credentials->list[i];
    }
    return NULL;
}

struct identity credential_identity(const struct credential *credential)
{
    return (struct identity){
        .caller = credential->caller, .tenant = credential->tenant, .role = credential->role};
}

uint64_t credential_number(const char *name)
{
    uint8_t digest[DIGEST_BYTES];

    digest_sha256(name, strlen(name), NULL, 0, digest);
    return get_u64(digest);
}
