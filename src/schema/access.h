/* access.h: who is calling, and what that role may do: access.def as code.
 *
 * Two steps. At the door, access_judge: the role's rule for the verb, and whether account or
 * creator are the caller himself. In the engine (engine/access.h), in the same step as the answer:
 * whether the item is the caller's own, and whether his assertion has been revoked.
 *
 * Always: a verb a role has no rule for is refused; an object of somebody else is refused with the
 * same code and text whether it exists or not; tenant, subject and role of a request come from the
 *         caller's proof, never from its arguments. */
#ifndef ZAN_SCHEMA_ACCESS_H
#define ZAN_SCHEMA_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/request.h"
#include "schema/status.h"
#include "schema/verb.h"

/* NONE has proved nothing. ALL is everybody while a node asks for no credentials (loopback only).
 * The rest are the columns of access.def. */
enum role {
    ROLE_NONE,
    ROLE_BACKEND,
    ROLE_USER,
    ROLE_CREATOR,
    ROLE_OPERATOR,
    ROLE_APPROVER,
    ROLE_PRIVACY,
    ROLE_ADMINISTRATOR,
    ROLE_AUDITOR,
    ROLE_ALL,
    ROLE_COUNT
};

/* Doors (RELIABILITY 4.2: admin and data planes on different listeners). BOTH: there is no door for
 * administration, every role comes in here. DATA: the platform, users and creators. ADMIN:
 * operators, approvers, privacy officers, administrators and auditors. */
enum plane { PLANE_BOTH, PLANE_DATA, PLANE_ADMIN };

enum access_rule { RULE_NO, RULE_TENANT, RULE_ACCOUNT, RULE_CREATOR, RULE_ITEM, RULE_VIEWER,
                   RULE_COUNT };

struct access_info {
    const char *symbol, *what, *why;
    uint8_t rules[ROLE_COUNT]; /* enum access_rule */
};

extern const struct access_info access_table[ACCESS_COUNT];

/* Who is calling, as proved at the door. Zeroed: nobody. */
struct identity {
    uint64_t caller;  /* 64 bits of a digest of the credential's name, or of the key that vouched */
    uint64_t subject; /* the account, for USER and CREATOR */
    int64_t expires_us; /* 0: never */
    uint32_t epoch;     /* of the assertion; see engine/access.h */
    uint16_t tenant;
    uint8_t role;     /* enum role */
    uint8_t asserted; /* 1: by a signed assertion, which expires and may be revoked */
};

/* "backend", ...; "nobody" and "everybody" for NONE and ALL. */
const char *role_name(enum role role);
/* ROLE_NONE if there is no such role that a credential may have. */
enum role role_find(const char *name);

/* May who has proved this role come in there? */
bool access_plane(enum plane plane, enum role role);

enum access_rule access_rule(enum role role, enum verb verb);
const char *access_rule_name(enum access_rule rule);

/* Does the answer to a write tell every counter of its target? Not to users: skips, reports and what
 * likes are worth are not for them (LIKES and the like are). */
bool access_tells_counts(const struct request *request);

/* Writes who is calling into a request and judges it. OK: it may go to the engine. NOAUTH: nobody
 * has proved anything. TOKENEXPIRED. NOPERM. */
enum status access_judge(const struct identity *who, int64_t now_us, struct request *request);

/* The same without an object, for what the door answers by itself and for heads that came without
 * their body yet: would some request with this verb go through? */
enum status access_verb(const struct identity *who, int64_t now_us, enum verb verb);

#endif
