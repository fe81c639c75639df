#include "schema/status.h"

#include <assert.h>

#define YES   true
#define NO    false
#define KEEP  false
#define CLOSE true

static const struct status_info infos[STATUS_COUNT] = {
#define STATUS(symbol, code, http, certain, connection, text, advice)                              \
    [STATUS_##symbol] = {#symbol, code, http, certain, connection, text, advice},
#include "schema/status.def"
#undef STATUS
};

const struct status_info *status_info(enum status status)
{
    assert((unsigned)status < STATUS_COUNT);
    return &infos[status];
}
