/* Decoding is strict: what it accepts, record_encode would write again byte for byte. Varints must
 * be in their shortest form, every enum must be in range, unknown field bits are refused. A
 * checksum guards the batch; this guards against a batch that was written wrong. */
#include "schema/record.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hook.h"
#include "schema/verb.h"

#define OPID_BYTES    24
#define CONTEXT_BYTES 33

#define VERDICT_BYTES (2 + 3 + 3 + 5) /* at most: 16, 16 and 32 bits as varints */
#define ACTOR_BYTES   9
#define BEFORE_BYTES  (2 + 5)
#define SHOWN_BYTES   3

static_assert(RECORD_BYTES_MAX >= 1 + 2 + 2 * VARINT_BYTES_MAX + 2 + 1 + OPID_BYTES +
                                      CONTEXT_BYTES + 3 * VARINT_BYTES_MAX + VERDICT_BYTES +
                                      ACTOR_BYTES + 1 + RECORD_TEXT_MAX + 1 + VARINT_BYTES_MAX +
                                      BEFORE_BYTES + SHOWN_BYTES,
              "the longest record must fit");
static_assert(RECORD_FIELDS_ALL < 1 << 14, "the field bits must fit two bytes of a varint");
static_assert(REASON_COUNT <= 16 && MARK_COUNT <= 16, "a nibble each");

static bool kind_is_known(uint8_t kind)
{
    if (kind < VERB_COUNT)
        return verb_table[kind].group == GROUP_WRITE;
    return kind >= RECORD_EFFECT && kind <= RECORD_POLICY;
}

static size_t verdict_put(uint8_t *bytes, const struct verdict *verdict)
{
    size_t size = 2;

    assert(verdict->weight_pct <= WEIGHT_FULL && verdict->mark < MARK_COUNT &&
           verdict->reason < REASON_COUNT);
    bytes[0] = verdict->weight_pct;
    bytes[1] = (uint8_t)(verdict->mark | verdict->reason << 4);
    size += varint_put(bytes + size, verdict->reasons);
    size += varint_put(bytes + size, verdict->rule);
    size += varint_put(bytes + size, verdict->policy);
    return size;
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

static size_t notice_put(uint8_t *bytes, const struct record *record)
{
    bytes[0] = record->notify;
    return record->notify & NOTIFY_BACK ? 1 + varint_put(bytes + 1, (uint64_t)record->since_us) : 1;
}

static bool before_is_good(const struct record *record)
{
    struct verdict before = record_before(record);

    return before.weight_pct <= WEIGHT_FULL && before.mark < MARK_COUNT &&
           before.reason < REASON_COUNT;
}

static size_t before_put(uint8_t *bytes, const struct record *record)
{
    assert(before_is_good(record));
    bytes[0] = record->before_pct;
    bytes[1] = record->before_marks;
    return 2 + varint_put(bytes + 2, record->before_age_s);
}

size_t record_encode(const struct record *record, uint8_t *bytes)
{
    uint32_t fields = record->fields;
    uint8_t *at = bytes;

    assert(kind_is_known(record->kind));
    assert(fields <= RECORD_FIELDS_ALL);
    *at++ = record->kind;
    at += varint_put(at, fields);
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
    if (fields & RECORD_HAS_VERDICT)
        at += verdict_put(at, &record->verdict);
    if (fields & RECORD_HAS_ACTOR) {
        put_u64(at, record->caller);
        at[8] = record->role;
        at += ACTOR_BYTES;
    }
    if (fields & RECORD_HAS_TEXT) {
        assert(record->text_size > 0 && record->text_size <= RECORD_TEXT_MAX);
        *at++ = record->text_size;
        memcpy(at, record->text, record->text_size);
        at += record->text_size;
    }
    if (fields & RECORD_HAS_NOTICE)
        at += notice_put(at, record);
    if (fields & RECORD_HAS_BEFORE)
        at += before_put(at, record);
    if (fields & RECORD_HAS_IMPRESSION) {
        *at++ = record->stage;
        *at++ = record->place;
        *at++ = record->age_min;
    }
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
    static const uint8_t nothing[RECORD_TEXT_MAX];
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

static uint64_t rest_number(struct rest *rest, uint64_t high)
{
    uint64_t value = rest_varint(rest);

    if (value > high)
        rest->good = false;
    return value;
}

static void verdict_get(struct rest *rest, struct verdict *verdict)
{
    const uint8_t *piece = rest_take(rest, 2);

    verdict->weight_pct = piece[0];
    verdict->mark = piece[1] & 15;
    verdict->reason = piece[1] >> 4;
    verdict->reasons = (uint16_t)rest_number(rest, UINT16_MAX);
    verdict->rule = (uint16_t)rest_number(rest, UINT16_MAX);
    verdict->policy = (uint32_t)rest_number(rest, UINT32_MAX);
    if (verdict->weight_pct > WEIGHT_FULL || verdict->mark >= MARK_COUNT ||
        verdict->reason >= REASON_COUNT)
        rest->good = false;
}

static void actor_get(struct rest *rest, struct record *record)
{
    const uint8_t *piece = rest_take(rest, ACTOR_BYTES);

    record->caller = get_u64(piece);
    record->role = piece[8];
}

static void text_get(struct rest *rest, struct record *record)
{
    record->text_size = *rest_take(rest, 1);
    if (record->text_size == 0 || record->text_size > RECORD_TEXT_MAX)
        rest->good = false;
    else
        record->text = (const char *)rest_take(rest, record->text_size);
}

static void notice_get(struct rest *rest, struct record *record)
{
    record->notify = *rest_take(rest, 1);
    if (record->notify & NOTIFY_BACK)
        record->since_us = (int64_t)rest_varint(rest);
}

static void before_get(struct rest *rest, struct record *record)
{
    const uint8_t *piece = rest_take(rest, 2);

    record->before_pct = piece[0];
    record->before_marks = piece[1];
    record->before_age_s = (uint32_t)rest_number(rest, UINT32_MAX);
    if (!before_is_good(record))
        rest->good = false;
}

static void impression_get(struct rest *rest, struct record *record)
{
    const uint8_t *piece = rest_take(rest, SHOWN_BYTES);

    record->stage = piece[0];
    record->place = piece[1];
    record->age_min = piece[2];
}

size_t record_decode(const uint8_t *bytes, size_t size, struct record *record)
{
    struct rest rest = {.bytes = bytes, .size = size, .good = true};
    struct record result = {.sequence = record->sequence, .time_us = record->time_us};

    result.kind = *rest_take(&rest, 1);
    result.fields = (uint32_t)rest_number(&rest, RECORD_FIELDS_ALL);
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
    if (result.fields & RECORD_HAS_VERDICT)
        verdict_get(&rest, &result.verdict);
    if (result.fields & RECORD_HAS_ACTOR)
        actor_get(&rest, &result);
    if (result.fields & RECORD_HAS_TEXT)
        text_get(&rest, &result);
    if (result.fields & RECORD_HAS_NOTICE)
        notice_get(&rest, &result);
    if (result.fields & RECORD_HAS_BEFORE)
        before_get(&rest, &result);
    if (result.fields & RECORD_HAS_IMPRESSION)
        impression_get(&rest, &result);

    if (!rest.good || !kind_is_known(result.kind))
        return 0;
    if (result.status >= STATUS_COUNT || result.context.source >= SOURCE_COUNT)
        return 0;
    if (PLANTED("schema.record_loses_status"))
        result.status = STATUS_OK;
    *record = result;
    return size - rest.size;
}
