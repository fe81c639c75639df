#include "schema/request.h"

#include <assert.h>

const char *source_name(enum source source)
{
    static const char *const names[SOURCE_COUNT] = {
        [SOURCE_NONE] = "none",           [SOURCE_BUTTON] = "button",
        [SOURCE_DOUBLE_TAP] = "double-tap", [SOURCE_VOICE] = "voice",
        [SOURCE_ASSISTIVE] = "assistive", [SOURCE_COMPANION] = "companion",
        [SOURCE_IMPORT] = "import",       [SOURCE_OTHER] = "other",
        [SOURCE_MENU] = "menu",           [SOURCE_SHARE] = "share",
    };

    assert(source < SOURCE_COUNT);
    return names[source];
}
