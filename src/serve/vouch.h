/* vouch.h: who may vouch for users and creators, and whether an assertion is to be believed.
 *
 * The file of assertion-keys has a line per key:   KID TENANT PUBLIC-KEY   (# starts a comment)
 * with the Ed25519 public key in base64url (43 letters; "x" of a JWK). A key vouches for its own
 * tenant only. Several keys at once make a rotation without a gap: add the new one, sign with it,
 * take the old one out when its last assertion has expired (5 minutes).
 *
 * Threads: any; vouch_reload replaces all keys at once. */
#ifndef ZAN_SERVE_VOUCH_H
#define ZAN_SERVE_VOUCH_H

#include "schema/access.h"
#include "schema/status.h"

#define VOUCH_KEYS_MAX 64
#define VOUCH_LIFE_S   300 /* longest time between iat and exp */
#define VOUCH_FUTURE_S 60  /* how far the issuer's clock may be ahead */

struct vouch;

/* BADCONFIG: message names the line. *vouch is owned until vouch_close. */
enum status vouch_open(const char *path, struct vouch **vouch, char message[256]);
/* The file again; if it is wrong, the keys stay as they were. */
enum status vouch_reload(struct vouch *vouch, char message[256]);
void vouch_close(struct vouch *vouch); /* NULL is allowed */

/* OK: *who is written. Else BADTOKEN, UNKNOWNKEY, TOKENAUDIENCE or TOKENEXPIRED, in this order, and
 * nothing is written. vouch NULL: every key is unknown. */
enum status vouch_check(struct vouch *vouch, const char *text, size_t size, int64_t now_us,
                        struct identity *who);

/* Has the text the form of an assertion, and not of a key? */
bool vouch_is_assertion(const char *text, size_t size);

#endif
