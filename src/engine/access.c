#include "engine/access.h"

#include "base/hook.h"

enum status access_check_item(const struct request *request, const struct item_row *item)
{
    if (request->object_rule != RULE_ITEM || PLANTED("access.any_item"))
        return STATUS_OK;
    if (item != NULL && item->has_creator && item->creator == request->subject)
        return STATUS_OK;
    return STATUS_NOPERM;
}

enum status access_check_epoch(const struct request *request, uint32_t epoch)
{
    if (!request->asserted || request->epoch >= epoch || PLANTED("access.old_epoch"))
        return STATUS_OK;
    return STATUS_TOKENREVOKED;
}
