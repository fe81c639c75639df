/* Pseudonyms: the plain address or device ends here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "serve/credential.h"

#define BLOCK_BYTES 64  /* of SHA-256 */
#define TEXT_MAX    255 /* of an address or a device; a longer one is hashed first */

static enum status complain(char message[256], const char *path, const char *what)
{
    snprintf(message, 256, "%.180s: %.60s", path, what);
    return STATUS_BADDATA;
}

static enum status read_key(int fd, const char *path, struct pseudonym_key *key, char message[256])
{
    uint8_t bytes[sizeof key->bytes + 1];
    struct stat about;
    ssize_t size = read(fd, bytes, sizeof bytes);

    if (size != (ssize_t)sizeof key->bytes)
        return complain(message, path, "expected a key of 32 bytes");
    if (fstat(fd, &about) != 0 || (about.st_mode & 077) != 0)
        return complain(message, path, "others can read this key; chmod 600");
    memcpy(key->bytes, bytes, sizeof key->bytes);
    return STATUS_OK;
}

static bool write_whole(int fd, const struct pseudonym_key *key)
{
    return write(fd, key->bytes, sizeof key->bytes) == (ssize_t)sizeof key->bytes && fsync(fd) == 0;
}

static void sync_directory(const char *path)
{
    char directory[512];
    const char *slash = strrchr(path, '/');
    int fd;

    snprintf(directory, sizeof directory, "%.*s", slash != NULL ? (int)(slash - path) : 1,
             slash != NULL ? path : ".");
    fd = open(directory[0] != '\0' ? directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* Written whole under another name, then linked: either there is no key or a good one, and of two
 * processes that start together one wins and both use its key. */
static enum status make_key(const char *path, char message[256])
{
    struct pseudonym_key key;
    char other[512];
    int fd;
    bool good;

    if (snprintf(other, sizeof other, "%s.%ld", path, (long)getpid()) >= (int)sizeof other)
        return complain(message, path, "the path is too long");
    unlink(other);
    fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return complain(message, path, strerror(errno));
    digest_random(key.bytes, sizeof key.bytes);
    good = write_whole(fd, &key);
    explicit_bzero(&key, sizeof key);
    close(fd);
    if (good && link(other, path) != 0 && errno != EEXIST)
        good = false;
    unlink(other);
    if (!good)
        return complain(message, path, "cannot write the key");
    sync_directory(path);
    return STATUS_OK;
}

enum status pseudonym_key_load(const char *path, struct pseudonym_key *key, char message[256])
{
    enum status status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT) {
        if ((status = make_key(path, message)) != STATUS_OK)
            return status;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return complain(message, path, strerror(errno));
    status = read_key(fd, path, key, message);
    close(fd);
    return status;
}

/* HMAC of RFC 2104 out of the library's SHA-256, for a key of half a block. The library's own HMAC
 * looks the algorithm up at every call, 1.1 us beside 0.2 us here, and a LIKE with a CTX needs
 * three; the test holds the two against each other. */
static void hmac(const struct pseudonym_key *key, const uint8_t *bytes, size_t size,
                 uint8_t digest[DIGEST_BYTES])
{
    uint8_t inner[BLOCK_BYTES], outer[BLOCK_BYTES];

    memset(inner, 0x36, sizeof inner);
    memset(outer, 0x5C, sizeof outer);
    for (size_t i = 0; i < sizeof key->bytes; i++) {
        inner[i] ^= key->bytes[i];
        outer[i] ^= key->bytes[i];
    }
    digest_sha256(inner, sizeof inner, bytes, size, digest);
    digest_sha256(outer, sizeof outer, digest, DIGEST_BYTES, digest);
}

uint64_t pseudonym(const struct pseudonym_key *key, char kind, const char *text, size_t size)
{
    uint8_t bytes[1 + TEXT_MAX], digest[DIGEST_BYTES];
    uint64_t result;

    if (size == 0)
        return 0;
    bytes[0] = (uint8_t)kind;
    if (size <= TEXT_MAX) {
        memcpy(bytes + 1, text, size);
    } else {
        digest_sha256(text, size, NULL, 0, bytes + 1);
        size = DIGEST_BYTES;
    }
    hmac(key, bytes, 1 + size, digest);
    result = get_u64(digest);
    return result != 0 ? result : 1; /* 0 says that nothing was given. */
}
