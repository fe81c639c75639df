/* The credentials file, and who a key belongs to. */
#include "serve/credential.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

static enum role read_role(const char *text)
{
    if (strcmp(text, "reader") == 0)
        return ROLE_READER;
    if (strcmp(text, "writer") == 0)
        return ROLE_WRITER;
    if (strcmp(text, "admin") == 0)
        return ROLE_ADMIN;
    return ROLE_NONE;
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

static bool known(const struct credentials *credentials, const char *name)
{
    for (uint32_t i = 0; i < credentials->count; i++) {
        if (strcmp(credentials->list[i].name, name) == 0)
            return true;
    }
    return false;
}

/* One line, which is taken apart in place. */
static enum status read_line(char *text, unsigned line, struct credentials *credentials,
                             char message[256])
{
    static const char space[] = " \t\r\n";
    struct credential *credential = &credentials->list[credentials->count];
    char *save = NULL;
    const char *name = strtok_r(text, space, &save);

    if (name == NULL || name[0] == '#')
        return STATUS_OK;
    const char *role = strtok_r(NULL, space, &save);
    const char *digest = strtok_r(NULL, space, &save);
    const char *more = strtok_r(NULL, space, &save);

    if (credentials->count == CREDENTIALS_MAX)
        return complain(message, line, "more than %d callers", CREDENTIALS_MAX);
    if (role == NULL || digest == NULL || (more != NULL && more[0] != '#'))
        return complain(message, line, "expected NAME ROLE SHA256-OF-KEY");
    if (!good_name(name))
        return complain(message, line, "a name has 1 to 63 printable bytes, none of them '='");
    if (strcmp(name, "default") == 0)
        return complain(message, line, "clients say 'default' for no name; take another");
    if (known(credentials, name))
        return complain(message, line, "the name '%.63s' stands here twice", name);
    credential->role = (uint8_t)read_role(role);
    if (credential->role == ROLE_NONE)
        return complain(message, line, "role '%.40s': expected reader, writer or admin", role);
    if (!read_digest(digest, credential->digest))
        return complain(message, line, "expected the key's SHA-256 as 64 hexadecimal digits");
    memcpy(credential->name, name, strlen(name) + 1);
    credentials->count++;
    return STATUS_OK;
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

enum role credentials_check(const struct credentials *credentials, const char *name,
                            size_t name_size, const char *key, size_t key_size)
{
    uint8_t digest[DIGEST_BYTES];
    enum role role = ROLE_NONE;

    digest_sha256(key, key_size, NULL, 0, digest);
    for (uint32_t i = 0; i < credentials->count; i++) {
        const struct credential *credential = &credentials->list[i];
        bool named = name == NULL || (strlen(credential->name) == name_size &&
                                      memcmp(credential->name, name, name_size) == 0);

        /* Every line is compared, whichever fits: the time tells nothing. */
        if (digest_equal(digest, credential->digest, DIGEST_BYTES) && named && role == ROLE_NONE)
            role = (enum role)credential->role;
    }
    return role;
}
