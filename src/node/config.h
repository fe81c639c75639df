/* config.h: every setting, in one table (config.def): file, command line, CONFIG GET and the manual
 * come from it. */
#ifndef ZAN_NODE_CONFIG_H
#define ZAN_NODE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/status.h"

#define CONFIG_TEXT    256
#define CONFIG_MESSAGE 256

struct config {
    char data[CONFIG_TEXT];       /* the data directory */
    char log_a[CONFIG_TEXT];      /* first copy of the log; empty: DATA/log.a */
    char log_b[CONFIG_TEXT];      /* second copy; empty: DATA/log.b; best on another disk */
    char resp[CONFIG_TEXT];       /* 127.0.0.1:6390 */
    char http[CONFIG_TEXT];       /* 127.0.0.1:8090; "off" for none */
    char admin_resp[CONFIG_TEXT]; /* "off", or where administration is done instead */
    char admin_http[CONFIG_TEXT];
    char credentials[CONFIG_TEXT];    /* file; empty: none, loopback only */
    char assertion_keys[CONFIG_TEXT]; /* file; empty: nobody vouches for users */
    char tls_cert[CONFIG_TEXT];       /* PEM; empty: plain */
    char tls_key[CONFIG_TEXT];
    char tls_client_ca[CONFIG_TEXT];
    char tls_client_crl[CONFIG_TEXT];
    char tls_doors[8];                /* both, resp, http */
    char tls_least[8];                /* 1.3, 1.2 */
    char plain_remote[8];             /* no, yes: doors without TLS beyond loopback */
    uint64_t pseudonym_days;          /* 7 */
    uint64_t pseudonym_keep;          /* 30 */
    char sync[32];                    /* always, group:MS, none */
    char mirror[32];                  /* degrade, require */
    uint64_t partitions;              /* 1 */
    uint64_t memory_bytes;            /* for hot state, filter and cache together; 1 GiB */
    uint64_t discover_memory;         /* beside it; 0: no discovery */
    uint64_t insight_memory;          /* beside both; 0: no insight */
    char discover_model[CONFIG_TEXT]; /* config_model_path */
    char heat[CONFIG_TEXT];           /* default, or weights (readers/discover/tuning.h) */
    char feed[CONFIG_TEXT];           /* the same */
    char pool[CONFIG_TEXT];           /* off, or a rule (readers/discover/tuning.h) */
    uint64_t newcomer_credits;
    uint64_t connections;            /* 10000 */
    uint64_t operation_hours;        /* how long operation ids are kept: 24 */
    uint64_t small_counts;           /* totals below it are not told to viewers: 0 */
    char display_delay[CONFIG_TEXT]; /* seconds, or by tenant; see engine/disclose.h */
    uint64_t list_budget;            /* entries an hour: 100000 */
    uint64_t export_budget;          /* entries an hour of an account's copy: 100000 */
    uint64_t cleanup_budget;         /* likes an hour that its clean-ups look at: 200000 */
    uint64_t erase_wait_hours;       /* between asking and erasing: 168 */
    uint64_t flush_seconds;          /* at most this long until state is at rest: 30 */
    uint64_t segment_mb;             /* of the log: 64 */
    uint64_t audit_rate;             /* items a second: 10 */
    uint64_t scrub_mb_s;             /* of the log: 4 */
    char sandbox[8];                 /* try, on, off */
    char clock[16];                  /* machine, requests */
    char policy[CONFIG_TEXT];        /* preset, file, or none */
    char trust[16];                  /* on, off */
    char unknown[16];                /* accounts and items nobody registered: create, refuse */
};

/* One row of config.def. */
struct config_item {
    const char *name;     /* "memory" */
    const char *form;     /* "SIZE", "N", "DIR", "HOST:PORT", "always|group:MS|none" */
    const char *fallback; /* the default, as text */
    const char *description;
};
extern const struct config_item config_items[];
extern const uint32_t config_item_count;

void config_default(struct config *config);
/* Where the model is that is served, and that zan recommend train writes if nothing else is said.
 */
void config_model_path(const struct config *config, char *path, size_t size);

/* Sets one by name; '_' and '-' in it are the same. BADCONFIG: message says what was expected, and
 * nothing has changed. */
enum status config_set(struct config *config, const char *name, const char *value,
                       char message[CONFIG_MESSAGE]);

/* Reads an ini file (name = value; no sections). BADCONFIG: message begins with file:line, and
 * config is partly set. */
enum status config_read(struct config *config, const char *path, char message[CONFIG_MESSAGE]);

/* The value of setting i as text, for CONFIG GET; false past the last. */
bool config_get(const struct config *config, uint32_t i, const char **name,
                char value[CONFIG_TEXT]);

/* Checks that hold between settings (loopback without credentials, ...). */
enum status config_check(const struct config *config, char message[CONFIG_MESSAGE]);

/* Splits HOST:PORT ([HOST]:PORT for IPv6); host gets at most CONFIG_TEXT bytes, without brackets.
 * False if it is no address. */
bool config_address(const char *text, char host[CONFIG_TEXT], uint16_t *port);

/* Does this door ("resp", "http") speak TLS? */
bool config_has_tls(const struct config *config, const char *door);

/* Is administration kept apart from what the platform does? */
bool config_has_admin(const struct config *config);

/* Is value one of the words of "a|b|c"? */
bool config_is_choice(const char *words, const char *value);

/* Does this host name only this machine: 127.0.0.0/8, ::1, localhost? */
bool config_is_loopback(const char *host);

#endif
