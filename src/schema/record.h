/* record.h: a decision, as it stands in the log for good.
 *
 * The engine makes a record per decision; applying records in order gives the state, always the
 * same (replay). A record says what was decided, not only what was asked.
 *
 * Bytes of one record in a batch body (integers are LEB128 varints unless a width is given):
 *
 *   1        kind      enum verb, or RECORD_EFFECT, RECORD_CLAIM
 *   varint   fields    which of the following are there (enum record_field)
 *   varint   account
 *   varint   target
 *   [2]      tenant                          RECORD_HAS_TENANT   (absent: 0)
 *   [1]      status    enum status           RECORD_HAS_STATUS   (absent: OK)
 *   [16+8]   opid, content                   RECORD_HAS_OPID     little endian
 *   [1+8*3+8] source, address, device, network, client_us         RECORD_HAS_CONTEXT
 *   [varint varint] a, b                     RECORD_HAS_ARGS
 *   [varint] c                               RECORD_HAS_EXTRA
 *
 * What a, b, c mean, by kind: VIEW watch_ms, duration_ms. ITEM SET creator, duration_ms, mask|state<<8.
 * ITEM STATE state. ACCOUNT STATE state, until_us. ACT: one record for each action that changed
 * something, in one batch. EFFECT: source partition, source sequence, verb.
 *
 * A record's number is first_seq of its batch plus its place; its time is its batch's time. */
#ifndef ZAN_SCHEMA_RECORD_H
#define ZAN_SCHEMA_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "schema/request.h"
#include "schema/status.h"

enum {
    RECORD_EFFECT = 0xF0, /* an account's partition tells a target's what happened */
    RECORD_CLAIM = 0xF1   /* a new owner of the partition takes over */
};

enum record_field {
    RECORD_HAS_TENANT = 1,
    RECORD_HAS_STATUS = 2,
    RECORD_HAS_OPID = 4,
    RECORD_HAS_CONTEXT = 8,
    RECORD_HAS_ARGS = 16,
    RECORD_HAS_EXTRA = 32,
    RECORD_CHANGED = 64, /* the decision changed state (absent: unchanged or refused) */
    RECORD_FIELDS_ALL = 127
};

#define RECORD_BYTES_MAX 160 /* no encoded record is longer; asserted by record_encode */

struct record {
    uint64_t sequence; /* not in the bytes: from the batch */
    int64_t time_us;   /* not in the bytes: from the batch */
    uint8_t kind;
    uint8_t status;
    uint16_t tenant;
    uint32_t fields;
    uint64_t account;
    uint64_t target;
    uint64_t a;
    uint64_t b;
    uint64_t c;
    uint64_t opid[2];
    uint64_t content;
    struct context context;
};

/* Writes record to bytes (room for RECORD_BYTES_MAX); returns how many were written. */
size_t record_encode(const struct record *record, uint8_t *bytes);

/* Reads one record from bytes; returns its size, or 0 if the bytes are no record.
 * sequence and time_us of the result are left alone. */
size_t record_decode(const uint8_t *bytes, size_t size, struct record *record);

#endif
