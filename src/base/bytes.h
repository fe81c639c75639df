/* bytes.h: little-endian integers and varints in byte buffers. */
#ifndef ZAN_BASE_BYTES_H
#define ZAN_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "formats are little endian and read in place; port bytes.h first"
#endif

static inline void put_u16(uint8_t *bytes, uint16_t value)
{
    memcpy(bytes, &value, sizeof value);
}
static inline void put_u32(uint8_t *bytes, uint32_t value)
{
    memcpy(bytes, &value, sizeof value);
}
static inline void put_u64(uint8_t *bytes, uint64_t value)
{
    memcpy(bytes, &value, sizeof value);
}
static inline uint16_t get_u16(const uint8_t *bytes)
{
    uint16_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}
static inline uint32_t get_u32(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}
static inline uint64_t get_u64(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}
/* Big endian: for keys, so that bytes sort as numbers do. */
static inline void put_u64_big(uint8_t *bytes, uint64_t value)
{
    put_u64(bytes, __builtin_bswap64(value));
}
static inline uint64_t get_u64_big(const uint8_t *bytes)
{
    return __builtin_bswap64(get_u64(bytes));
}
static inline void put_u16_big(uint8_t *bytes, uint16_t value)
{
    put_u16(bytes, __builtin_bswap16(value));
}
static inline uint16_t get_u16_big(const uint8_t *bytes)
{
    return __builtin_bswap16(get_u16(bytes));
}

#define VARINT_BYTES_MAX 10

/* LEB128; room for VARINT_BYTES_MAX; returns the size written. */
static inline size_t varint_put(uint8_t *bytes, uint64_t value)
{
    size_t size = 0;

    while (value >= 0x80) {
        bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    return size;
}

/* Returns the size read, or 0 if the bytes end early, overflow, or are not the shortest form. */
static inline size_t varint_get(const uint8_t *bytes, size_t size, uint64_t *value)
{
    uint64_t result = 0;

    for (size_t i = 0; i < size && i < VARINT_BYTES_MAX; i++) {
        uint64_t part = bytes[i] & 0x7F;

        if (i == VARINT_BYTES_MAX - 1 && bytes[i] > 1)
            return 0;
        result |= part << (7 * i);
        if ((bytes[i] & 0x80) == 0) {
            if (i > 0 && bytes[i] == 0)
                return 0;
            *value = result;
            return i + 1;
        }
    }
    return 0;
}

/* Two digits a byte, small letters, without a 0 behind them. */
static inline void hex_put(char *digits, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        digits[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        digits[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
}

#endif
