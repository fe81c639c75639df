#include "node/orders.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/hook.h"

#define LINE_BYTES 512
#define HASH_BYTES (2 * DIGEST_BYTES)

struct orders {
    char path[512];
    int fd;
    uint64_t bytes; /* of whole lines */
    char hash[HASH_BYTES + 1];
    bool readonly;
    char text[200];
    pthread_mutex_t mutex;
};

static void hash_line(const char *before, const char *line, size_t size, char hash[HASH_BYTES + 1])
{
    uint8_t digest[DIGEST_BYTES];

    digest_sha256(before, HASH_BYTES, line, size, digest);
    for (int i = 0; i < DIGEST_BYTES; i++)
        snprintf(hash + (ptrdiff_t)2 * i, 3, "%02x", digest[i]);
}

/* The line's effect on what is in force. fields: when, who, what, reason. */
static void take(struct orders *orders, const char *who, const char *what, const char *reason)
{
    if (strcmp(what, "resync") == 0)
        return;
    orders->readonly = strcmp(what, "readonly") == 0;
    snprintf(orders->text, sizeof orders->text, "by %.60s: %.120s", who, reason);
}

/* Cuts the next field off the line; NULL: there is none. */
static char *cut_field(char **at)
{
    char *field = *at;
    char *tab = field != NULL ? strchr(field, '\t') : NULL;

    if (tab != NULL)
        *tab = '\0';
    *at = tab != NULL ? tab + 1 : NULL;
    return field;
}

/* One whole line, without its end. False: it is not what was written. */
static bool take_line(struct orders *orders, char *line)
{
    char hash[HASH_BYTES + 1];
    char *end = strrchr(line, '\t');
    char *at = line;
    const char *who, *what, *reason;

    if (end == NULL)
        return false;
    hash_line(orders->hash, line, (size_t)(end - line), hash);
    if (strcmp(hash, end + 1) != 0 && !PLANTED("node.orders_unchecked"))
        return false;
    memcpy(orders->hash, hash, sizeof hash);
    *end = '\0';
    (void)cut_field(&at); /* when */
    who = cut_field(&at);
    what = cut_field(&at);
    reason = cut_field(&at);
    if (who == NULL || what == NULL || reason == NULL)
        return false;
    take(orders, who, what, reason);
    return true;
}

static enum status read_all(struct orders *orders, char message[256])
{
    FILE *file = fopen(orders->path, "r");
    char line[LINE_BYTES];
    int number = 0;
    bool good = true;

    if (file == NULL)
        return STATUS_OK;
    while (good && fgets(line, sizeof line, file) != NULL) {
        size_t size = strlen(line);

        number++;
        if (size == 0 || line[size - 1] != '\n')
            break; /* the end of an order that was never confirmed */
        line[size - 1] = '\0';
        good = take_line(orders, line);
        orders->bytes += size;
    }
    fclose(file);
    if (good)
        return STATUS_OK;
    snprintf(message, 256, "%.180s: line %d is not what was written", orders->path, number);
    return STATUS_BADDATA;
}

static enum status sync_above(const char *path)
{
    char above[512];
    char *slash;
    int fd;
    bool good;

    snprintf(above, sizeof above, "%s", path);
    if ((slash = strrchr(above, '/')) == NULL)
        return STATUS_OK;
    *slash = '\0';
    if ((fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return STATUS_IOFAIL;
    good = fsync(fd) == 0;
    close(fd);
    return good ? STATUS_OK : STATUS_IOFAIL;
}

enum status orders_open(const char *path, struct orders **result, char message[256])
{
    struct orders *orders = calloc(1, sizeof *orders);
    enum status status;

    if (orders == NULL)
        return STATUS_NOMEMORY;
    snprintf(orders->path, sizeof orders->path, "%s", path);
    memset(orders->hash, '0', HASH_BYTES);
    pthread_mutex_init(&orders->mutex, NULL);
    orders->fd = -1;
    status = read_all(orders, message);
    if (status != STATUS_OK) {
        orders_close(orders);
        return status;
    }
    *result = orders;
    return STATUS_OK;
}

void orders_close(struct orders *orders)
{
    if (orders == NULL)
        return;
    if (orders->fd >= 0)
        close(orders->fd);
    pthread_mutex_destroy(&orders->mutex);
    free(orders);
}

static bool is_fit(const char *text, size_t most)
{
    size_t size = strlen(text);

    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return size > 0 && size <= most;
}

static enum status refuse(char message[256], const struct orders *orders)
{
    enum status status = errno == ENOSPC || errno == EDQUOT ? STATUS_NOSPACE : STATUS_IOFAIL;

    snprintf(message, 256, "%.180s: %s", orders->path, strerror(errno));
    return status;
}

/* At the end of what is confirmed: over what a failure may have left there. */
static enum status append(struct orders *orders, const char *line, size_t size, char message[256])
{
    if (orders->fd < 0) {
        orders->fd = open(orders->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (orders->fd < 0 || sync_above(orders->path) != STATUS_OK)
            return refuse(message, orders);
    }
    if (ftruncate(orders->fd, (off_t)orders->bytes) != 0 ||
        pwrite(orders->fd, line, size, (off_t)orders->bytes) != (ssize_t)size ||
        fdatasync(orders->fd) != 0)
        return refuse(message, orders);
    orders->bytes += size;
    return STATUS_OK;
}

static enum status add(struct orders *orders, int64_t wall_us, const char *who, const char *what,
                       const char *reason, char message[256])
{
    char line[LINE_BYTES], hash[HASH_BYTES + 1], when[32];
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm utc;
    enum status status;
    int size;

    if (strcmp(what, "resync") != 0 && orders->readonly == (strcmp(what, "readonly") == 0))
        return STATUS_UNCHANGED;
    gmtime_r(&seconds, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    size = snprintf(line, sizeof line, "%s\t%.60s\t%.20s\t%.120s", when, who, what, reason);
    hash_line(orders->hash, line, (size_t)size, hash);
    size += snprintf(line + size, sizeof line - (size_t)size, "\t%s\n", hash);
    status = append(orders, line, (size_t)size, message);
    if (status != STATUS_OK)
        return status;
    memcpy(orders->hash, hash, sizeof hash);
    take(orders, who, what, reason);
    return STATUS_OK;
}

enum status orders_add(struct orders *orders, int64_t wall_us, const char *who, const char *what,
                       const char *reason, char message[256])
{
    enum status status;

    message[0] = '\0';
    if (!is_fit(reason, ORDERS_REASON) || !is_fit(who, 60)) {
        snprintf(message, 256, "a reason is needed: printable, at most %d bytes", ORDERS_REASON);
        return STATUS_BADVALUE;
    }
    pthread_mutex_lock(&orders->mutex);
    status = add(orders, wall_us, who, what, reason, message);
    pthread_mutex_unlock(&orders->mutex);
    return status;
}

bool orders_readonly(struct orders *orders)
{
    bool readonly;

    pthread_mutex_lock(&orders->mutex);
    readonly = orders->readonly;
    pthread_mutex_unlock(&orders->mutex);
    return readonly;
}

void orders_tell(struct orders *orders, char text[200])
{
    pthread_mutex_lock(&orders->mutex);
    memcpy(text, orders->text, sizeof orders->text);
    pthread_mutex_unlock(&orders->mutex);
}
