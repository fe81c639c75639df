/* bench_talk.c: see bench_talk.h. */
#include "cli/bench_talk.h"

#include <assert.h>
#include <string.h>

/* The edge both ways, each with its time, and the count: what Redis users do for likes. All in one
 * script, because it must be atomic and answer whether something changed. The keys are put together
 * in the script: that is 5 to 8 % less CPU for Redis than passing three keys (measured, 3 pairs),
 * so it is what Redis is compared with, though it would not do in a cluster. */
const char *talk_script(enum talk_work work)
{
    if (work == TALK_UNLIKE)
        return "local a,i=ARGV[1],ARGV[2] if redis.call('ZREM','a:'..a,i)==1 then "
               "redis.call('ZREM','i:'..i,a) redis.call('DECR','c:'..i) return 1 end return 0";
    return "local a,i,t=ARGV[1],ARGV[2],ARGV[3] if redis.call('ZADD','a:'..a,'NX',t,i)==1 then "
           "redis.call('ZADD','i:'..i,t,a) redis.call('INCR','c:'..i) return 1 end return 0";
}

static uint32_t digits_of(uint64_t value)
{
    uint32_t digits = 1;

    for (; value >= 10; value /= 10)
        digits++;
    return digits;
}

static char *put_text(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}

#define put_literal(at, text) put_text(at, text, sizeof(text) - 1)

static char *put_number(char *at, uint64_t value)
{
    uint32_t digits = digits_of(value);

    for (uint32_t i = digits; i > 0; i--) {
        at[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + digits;
}

/* "$size\r\nPREFIXvalue\r\n", with a prefix of a few bytes. */
static char *put_id(char *at, const char *prefix, uint32_t prefix_size, uint64_t value)
{
    *at++ = '$';
    at = put_number(at, digits_of(value) + prefix_size);
    at = put_literal(at, "\r\n");
    at = put_text(at, prefix, prefix_size);
    at = put_number(at, value);
    return put_literal(at, "\r\n");
}

static char *put_write_zan(const struct talk *talk, struct plan_pair pair, char *at)
{
    if (talk->work == TALK_LIKE)
        at = put_literal(at, "*3\r\n$4\r\nLIKE\r\n");
    else
        at = put_literal(at, "*3\r\n$6\r\nUNLIKE\r\n");
    at = put_id(at, "", 0, pair.account);
    return put_id(at, "", 0, pair.item);
}

static char *put_write_redis(const struct talk *talk, struct plan_pair pair, uint64_t now_ms,
                             char *at)
{
    at = put_literal(at, "*6\r\n$7\r\nEVALSHA\r\n$40\r\n");
    at = put_text(at, talk->script, sizeof talk->script);
    at = put_literal(at, "\r\n$1\r\n0\r\n");
    at = put_id(at, "", 0, pair.account);
    at = put_id(at, "", 0, pair.item);
    return put_id(at, "", 0, now_ms);
}

static uint64_t draw(struct talk *talk)
{
    return hash_two(talk->plan.seed ^ 0x72656164, talk->draw++);
}

/* Item i of a LIKED request: every second one is liked for sure (a round that is over), the others
 * are not (a round that has not begun). */
static uint64_t liked_item(struct talk *talk, uint64_t account, uint32_t i)
{
    uint64_t over = talk->stored >> talk->plan.account_bits;
    uint64_t begun = over + 1;
    uint64_t round;

    if (i % 2 == 0) {
        round = draw(talk) % over;
        talk->expected_hits++;
    } else {
        round = begun + draw(talk) % (plan_items(&talk->plan) - begun);
    }
    return plan_item_of_round(&talk->plan, account, round) + 1;
}

static char *put_liked(struct talk *talk, char *at)
{
    uint64_t account = draw(talk) & plan_mask(talk->plan.account_bits);

    *at++ = '*';
    at = put_number(at, talk->ids + 2);
    if (talk->side == TALK_ZAN) {
        at = put_literal(at, "\r\n$5\r\nLIKED\r\n");
        at = put_id(at, "", 0, account + 1);
    } else {
        at = put_literal(at, "\r\n$7\r\nZMSCORE\r\n");
        at = put_id(at, "a:", 2, account + 1);
    }
    for (uint32_t i = 0; i < talk->ids; i++)
        at = put_id(at, "", 0, liked_item(talk, account, i));
    return at;
}

static char *put_likes(struct talk *talk, char *at)
{
    const char *prefix = talk->side == TALK_ZAN ? "" : "c:";
    uint32_t prefix_size = talk->side == TALK_ZAN ? 0 : 2;

    *at++ = '*';
    at = put_number(at, talk->ids + 1);
    if (talk->side == TALK_ZAN)
        at = put_literal(at, "\r\n$5\r\nLIKES\r\n");
    else
        at = put_literal(at, "\r\n$4\r\nMGET\r\n");
    for (uint32_t i = 0; i < talk->ids; i++) {
        uint64_t item = 1 + draw(talk) % plan_item_ids(&talk->plan);

        talk->expected_sum += talk->counts[item];
        at = put_id(at, prefix, prefix_size, item);
    }
    return at;
}

size_t talk_request(struct talk *talk, uint64_t now_ms, char *bytes)
{
    char *end;

    assert(talk->ids <= TALK_IDS_MAX);
    if (talk->work == TALK_LIKED)
        end = put_liked(talk, bytes);
    else if (talk->work == TALK_LIKES)
        end = put_likes(talk, bytes);
    else if (talk->side == TALK_ZAN)
        end = put_write_zan(talk, plan_pair(&talk->plan, talk->next++), bytes);
    else
        end = put_write_redis(talk, plan_pair(&talk->plan, talk->next++), now_ms, bytes);
    assert((size_t)(end - bytes) <= talk_request_bound(talk));
    return (size_t)(end - bytes);
}

/* --- answers -----------------------------------------------------------------------------------
 */

/* Digits from bytes on, up to the first byte that is none. */
static uint64_t number_at(const char *bytes, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size && bytes[i] >= '0' && bytes[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(bytes[i] - '0');
    return value;
}

static void add_value(struct talk_sums *sums, uint64_t value)
{
    if (sums->each != NULL && sums->values < sums->each_max)
        sums->each[sums->values] = value;
    sums->values++;
    sums->hits += value != 0;
    sums->sum += value;
}

static void add_error(struct talk_sums *sums, const char *bytes, size_t size)
{
    if (sums->errors++ > 0)
        return;
    if (size >= sizeof sums->error)
        size = sizeof sums->error - 1;
    for (size_t i = 0; i < size; i++)
        sums->error[i] = (bytes[i] < ' ' || bytes[i] > '~' || bytes[i] == '"' || bytes[i] == '\\')
                             ? '.'
                             : bytes[i];
    sums->error[size] = '\0';
}

/* One value or element is there: it may have been the last of its answer. */
static void finish(struct talk_reader *reader, struct talk_sums *sums)
{
    if (reader->elements > 0)
        reader->elements--;
    if (reader->elements == 0)
        sums->replies++;
}

/* A bulk string whose first line ends at line; returns its end, 0 if it has not come whole. */
static size_t read_bulk(struct talk_sums *sums, const char *bytes, size_t line, size_t size)
{
    size_t length;

    if (bytes[1] == '-') {
        add_value(sums, 0);
        return line;
    }
    length = (size_t)number_at(bytes + 1, line - 1);
    if (size - line < length + 2)
        return 0;
    add_value(sums, number_at(bytes + line, length));
    return line + length + 2;
}

/* Returns the bytes of one answer or element or array head; 0: not whole; SIZE_MAX: none. */
static size_t read_one(struct talk_reader *reader, struct talk_sums *sums, const char *bytes,
                       size_t size)
{
    const char *newline = memchr(bytes, '\n', size);
    size_t line;

    if (newline == NULL)
        return 0;
    line = (size_t)(newline - bytes) + 1;
    switch (bytes[0]) {
    case ':':
        add_value(sums, bytes[1] == '-' ? 0 : number_at(bytes + 1, line - 1));
        break;
    case '-':
        add_error(sums, bytes, line - 2);
        break;
    case '$':
        line = read_bulk(sums, bytes, line, size);
        if (line == 0)
            return 0;
        break;
    case '*':
        if (reader->elements > 0)
            return SIZE_MAX; /* nothing that is asked for here answers arrays of arrays */
        reader->elements = (uint32_t)number_at(bytes + 1, line - 1);
        if (reader->elements > 0)
            return line;
        break;
    case '+':
    case '_':
        break;
    default:
        return SIZE_MAX;
    }
    finish(reader, sums);
    return line;
}

size_t talk_read(struct talk_reader *reader, struct talk_sums *sums, const char *bytes, size_t size)
{
    size_t used = 0;

    while (used < size) {
        size_t one = read_one(reader, sums, bytes + used, size - used);

        if (one == SIZE_MAX)
            return SIZE_MAX;
        if (one == 0)
            break;
        used += one;
    }
    return used;
}
