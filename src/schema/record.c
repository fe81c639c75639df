/* Decoding is strict: what it accepts, record_encode would write again byte for byte. Varints must be
 * in their shortest form, every enum must be in range, unknown field bits are refused. A checksum
 * guards the batch; this guards against a batch that was written wrong. */
#include "schema/record.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hook.h"
#include "schema/verb.h"

#define OPID_BYTES    24
#define CONTEXT_BYTES 33

static_assert(RECORD_BYTES_MAX >= 1 + 1 + 2 * VARINT_BYTES_MAX + 2 + 1 + OPID_BYTES +
                                      CONTEXT_BYTES + 3 * VARINT_BYTES_MAX,
              "the longest record must fit");
static_assert(RECORD_FIELDS_ALL < 128, "the field bits must fit one byte of a varint");

static bool kind_is_known(uint8_t kind)
{
    if (kind < VERB_COUNT)
        return verb_table[kind].group == GROUP_WRITE;
    return kind == RECORD_EFFECT || kind == RECORD_CLAIM;
}

static size_t context_put(uint8_t *bytes, const struct context *context)
{
    bytes[0] = context->source;
    put_u64(bytes + 1, context->address);
    put_u64(bytes + 9, context->device);
    put_u64(bytes + 17, context->network);
    put_u64(bytes + 25, (uint64_t)context->client_us);
    return CONTEXT_BYTES;
}

static void context_get(const uint8_t *bytes, struct context *context)
{
    context->source = bytes[0];
    context->address = get_u64(bytes + 1);
    context->device = get_u64(bytes + 9);
    context->network = get_u64(bytes + 17);
    context->client_us = (int64_t)get_u64(bytes + 25);
}

size_t record_encode(const struct record *record, uint8_t *bytes)
{
    uint32_t fields = record->fields;
    uint8_t *at = bytes;

    assert(kind_is_known(record->kind));
    assert(fields <= RECORD_FIELDS_ALL);
    *at++ = record->kind;
    *at++ = (uint8_t)fields;
    at += varint_put(at, record->account);
    at += varint_put(at, record->target);
    if (fields & RECORD_HAS_TENANT) {
        put_u16(at, record->tenant);
        at += 2;
    }
    if (fields & RECORD_HAS_STATUS) {
        assert(record->status < STATUS_COUNT);
        *at++ = record->status;
    }
    if (fields & RECORD_HAS_OPID) {
        put_u64(at, record->opid[0]);
        put_u64(at + 8, record->opid[1]);
        put_u64(at + 16, record->content);
        at += OPID_BYTES;
    }
    if (fields & RECORD_HAS_CONTEXT) {
        assert(record->context.source < SOURCE_COUNT);
        at += context_put(at, &record->context);
    }
    if (fields & RECORD_HAS_ARGS) {
        at += varint_put(at, record->a);
        at += varint_put(at, record->b);
    }
    if (fields & RECORD_HAS_EXTRA)
        at += varint_put(at, record->c);
    assert((size_t)(at - bytes) <= RECORD_BYTES_MAX);
    return (size_t)(at - bytes);
}

/* The bytes not yet read. Once something is missing or wrong, good is false and stays so, every
 * further read gives 0, and the caller asks once, at the end. */
struct rest {
    const uint8_t *bytes;
    size_t size;
    bool good;
};

static const uint8_t *rest_take(struct rest *rest, size_t size)
{
    static const uint8_t nothing[CONTEXT_BYTES];
    const uint8_t *piece = rest->bytes;

    assert(size <= sizeof nothing);
    if (!rest->good || rest->size < size) {
        rest->good = false;
        return nothing;
    }
    rest->bytes += size;
    rest->size -= size;
    return piece;
}

static uint64_t rest_varint(struct rest *rest)
{
    uint64_t value = 0;
    size_t size = rest->good ? varint_get(rest->bytes, rest->size, &value) : 0;

    if (size == 0)
        rest->good = false;
    rest->bytes += size;
    rest->size -= size;
    return value;
}

size_t record_decode(const uint8_t *bytes, size_t size, struct record *record)
{
    struct rest rest = {.bytes = bytes, .size = size, .good = true};
    struct record result = {.sequence = record->sequence, .time_us = record->time_us};

    result.kind = *rest_take(&rest, 1);
    result.fields = *rest_take(&rest, 1);
    result.account = rest_varint(&rest);
    result.target = rest_varint(&rest);
    if (result.fields & RECORD_HAS_TENANT)
        result.tenant = get_u16(rest_take(&rest, 2));
    if (result.fields & RECORD_HAS_STATUS)
        result.status = *rest_take(&rest, 1);
    if (result.fields & RECORD_HAS_OPID) {
        const uint8_t *piece = rest_take(&rest, OPID_BYTES);

        result.opid[0] = get_u64(piece);
        result.opid[1] = get_u64(piece + 8);
        result.content = get_u64(piece + 16);
    }
    if (result.fields & RECORD_HAS_CONTEXT)
        context_get(rest_take(&rest, CONTEXT_BYTES), &result.context);
    if (result.fields & RECORD_HAS_ARGS) {
        result.a = rest_varint(&rest);
        result.b = rest_varint(&rest);
    }
    if (result.fields & RECORD_HAS_EXTRA)
        result.c = rest_varint(&rest);

    if (!rest.good || !kind_is_known(result.kind) || result.fields > RECORD_FIELDS_ALL)
        return 0;
    if (result.status >= STATUS_COUNT || result.context.source >= SOURCE_COUNT)
        return 0;
    if (PLANTED("schema.record_loses_status"))
        result.status = STATUS_OK;
    *record = result;
    return size - rest.size;
}
