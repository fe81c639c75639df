/* Any bytes to record_decode: what it accepts, record_encode writes again byte for byte. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "schema/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record record = {.sequence = 1, .time_us = 2};
    uint8_t bytes[RECORD_BYTES_MAX];
    uint8_t *copy = malloc(size);
    size_t used;

    if (size > 0)
        memcpy(copy, data, size);
    used = record_decode(copy, size, &record);
    assert(used <= size && used <= RECORD_BYTES_MAX);
    assert(record.sequence == 1 && record.time_us == 2);
    if (used > 0) {
        assert(record_encode(&record, bytes) == used);
        assert(memcmp(bytes, copy, used) == 0);
        for (size_t part = 0; part < used; part++)
            assert(record_decode(copy, part, &record) == 0);
    }
    free(copy);
    return 0;
}
