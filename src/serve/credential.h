/* credential.h: names, keys, roles and tenants; and pseudonyms of addresses, devices, networks.
 *
 * A credentials file has a line per caller:   NAME ROLE SHA256-OF-KEY [tenant=N]   (# starts a
 * comment) with a role of access.def and the digest in hex, or - for one who comes by client
 * certificate only (whose common name is NAME). Keys are long random strings (`zan key NAME ROLE`
 * makes one), so a plain digest is enough: there is nothing to guess. No caller is named "default":
 * clients say that when they were given a key and no name. Users and creators have no line: a
 * backend vouches for them (serve/vouch.h). */
#ifndef ZAN_SERVE_CREDENTIAL_H
#define ZAN_SERVE_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/access.h"
#include "schema/status.h"

#define CREDENTIALS_MAX 256

struct credential {
    char name[64];
    uint8_t digest[32];
    uint64_t caller; /* the name as a number */
    uint16_t tenant;
    uint8_t role; /* enum role */
    bool has_key; /* else by certificate only */
};

struct credentials {
    uint32_t count;
    struct credential list[CREDENTIALS_MAX];
};

/* Reads a file. BADCONFIG: message names line and what was expected. Refuses a file others can
 * write. */
enum status credentials_read(const char *path, struct credentials *credentials, char message[256]);

/* NULL if name or key is wrong. name may be NULL: any name with that key. Constant time in the key.
 */
const struct credential *credentials_check(const struct credentials *credentials, const char *name,
                                           size_t name_size, const char *key, size_t key_size);

/* The caller of a name that was proved otherwise (a client certificate); NULL if there is none. */
const struct credential *credentials_named(const struct credentials *credentials, const char *name);

struct identity credential_identity(const struct credential *credential);

/* A name of anything that vouches, as a number for records and counters. */
uint64_t credential_number(const char *name);

/* Turns addresses and devices into pseudonyms; where keys come from is in epochs.h. */
struct pseudonym_key {
    uint8_t bytes[32];
};

/* 64 bits of HMAC-SHA-256; kind ('a', 'd', 'n') keeps addresses, devices and networks apart.
 * Empty text is 0; nothing else is. */
uint64_t pseudonym(const struct pseudonym_key *key, char kind, const char *text, size_t size);

#endif
