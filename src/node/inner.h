/* inner.h: struct node, shared by the files of this room. */
#ifndef ZAN_NODE_INNER_H
#define ZAN_NODE_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "node/node.h"
#include "node/orders.h"
#include "node/scrub.h"
#include "node/shard.h"
#include "readers/reader.h"
#include "serve/credential.h"
#include "serve/http.h"

struct node {
    struct config config;
    struct shard *shards; /* config.partitions of them */
    uint16_t count;
    struct scrub *scrub;
    struct follow *follow[READER_KINDS]; /* of each reader; NULL: it is off */
    struct orders *orders;
    _Atomic bool ordered_readonly; /* as orders_readonly says, for the shards */
    struct http *http;
    struct http *http_admin; /* NULL: none */
    const struct site *site; /* the console; NULL: none */
    struct credentials credentials;
    bool has_credentials;
    struct vouch *vouch; /* NULL: nobody vouches */
    struct tls *tls;     /* NULL: plain */
    struct epochs *epochs;
    struct policy *policy; /* the setting's; NULL: no rules */
    uint8_t policy_digest[32];
    char *policy_text;
    size_t policy_size;
    struct rulebook *rulebook; /* versions as partition 0 has them */
    int stop_fd;
    _Atomic int64_t stopping_us;  /* since when */
    _Atomic bool stopping;        /* doors closed; shards end when nothing is outstanding */
    _Atomic uint32_t quiet;       /* shards whose doors send nothing any more */
    _Atomic uint64_t outstanding; /* calls and effects under way */
    _Atomic int failure;          /* enum status of the shard that failed first */
    _Atomic int failed_shard;
    _Atomic uint8_t sandbox; /* told by who started us */
    _Atomic bool distrusted; /* the audit of a partition found a difference */
    _Atomic bool log_lost;   /* the scrubber found what neither copy has */
    bool started;
    int64_t started_wall_us, started_steady_us;
};

/* route.c */
void route_submit(struct node *node, struct call *call);
/* Index of the partition that answers it; 0xFFFF if several do. */
uint16_t route_home(const struct node *node, const struct request *request);

/* rulebook.c: what the partitions' books need of each other, and of the node. */
struct rulebook *rulebook_open(void);
void rulebook_close(struct rulebook *rulebook);
struct book_hooks rulebook_hooks(struct shard *shard);

/* node.c */
/* What the judges of a partition remember by, in bytes. */
size_t node_signals_bytes(const struct partition_config *config);

/* verify.c */
/* LOCKED, with a message, if a node runs on it. */
enum status node_check_stopped(const struct partition_config *config, char message[256]);

/* paths.c */
void path_join(char *path, size_t size, const char *dir, const char *name);
enum status partition_config_from(const struct config *config, uint16_t index, bool read_only,
                                  struct partition_config *partition, char message[256]);

#endif
