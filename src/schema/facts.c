#include "schema/facts.h"

#include <assert.h>

const char *mode_name(enum mode mode)
{
    static const char *const names[MODE_COUNT] = {
        [MODE_NORMAL] = "normal",
        [MODE_SHED] = "shed",
        [MODE_NOSPACE] = "nospace",
        [MODE_RISK_DEGRADED] = "risk-degraded",
        [MODE_MIRROR_DEGRADED] = "mirror-degraded",
        [MODE_READONLY] = "readonly",
        [MODE_STARTING] = "starting",
        [MODE_STOPPING] = "stopping",
        [MODE_FAILED] = "failed",
    };

    assert(mode < MODE_COUNT);
    return names[mode];
}
