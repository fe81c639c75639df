/* quality.c: see quality.h. */
#include "engine/quality.h"

#include "base/hook.h"
#include "engine/inner.h"

enum quality_band quality_band(const struct edge_row *like)
{
    switch ((enum edge_mark)edge_mark(like)) {
    case MARK_HELD:
    case MARK_QUARANTINED:
        return QUALITY_WAITING;
    case MARK_VOIDED:
        return QUALITY_VOIDED;
    default:
        break;
    }
    if (like->weight_pct >= WEIGHT_FULL)
        return QUALITY_FULL;
    return like->weight_pct >= WEIGHT_FULL / 2 ? QUALITY_MOST
           : like->weight_pct > 0              ? QUALITY_SOME
                                               : QUALITY_NONE;
}

/* The smallest band that is told and not empty; QUALITY_BANDS: there is none. */
static uint32_t smallest(const struct quality *quality)
{
    uint32_t found = QUALITY_BANDS;

    for (uint32_t band = 0; band < QUALITY_BANDS; band++)
        if (quality->likes[band] > 0 && (quality->hidden >> band & 1) == 0 &&
            (found == QUALITY_BANDS || quality->likes[band] < quality->likes[found]))
            found = band;
    return found;
}

void quality_hide(struct quality *quality)
{
    uint32_t together = 0;

    quality->hidden = 0;
    for (uint32_t band = smallest(quality);
         band < QUALITY_BANDS && !PLANTED("engine.small_bands_told"); band = smallest(quality)) {
        bool small = quality->likes[band] < QUALITY_LEAST;

        if (!small && (together == 0 || together >= QUALITY_LEAST))
            return;
        together += quality->likes[band];
        quality->hidden |= (uint8_t)(1u << band);
    }
    if (quality->hidden != 0) /* none is left to be told: which are empty would tell of the rest */
        quality->hidden = (1u << QUALITY_BANDS) - 1;
}

bool quality_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    struct reply_entry entries[READ_EDGES_MAX];
    struct edge_row likes[READ_EDGES_MAX];
    struct quality *quality = arena_take(&engine->arena, sizeof *quality);
    uint64_t below = UINT64_MAX;
    uint32_t count = 1;
    bool more = true;

    if (quality == NULL)
        return false;
    *quality = (struct quality){0};
    while (more && count > 0 && quality->looked < QUALITY_LOOKS) {
        enum status status = read_list(engine, request->tenant, true, EDGE_LIKE, request->target,
                                       entries, READ_EDGES_MAX, &below, &count, &more);

        if (status == STATUS_OK)
            status = read_edges(engine, request->tenant, true, EDGE_LIKE, request->target, entries,
                                count, likes);
        if (status != STATUS_OK) {
            reply->kind = REPLY_ERROR;
            reply->status = (uint8_t)status;
            return true;
        }
        for (uint32_t i = 0; i < count; i++)
            quality->likes[quality_band(&likes[i])]++;
        quality->looked += count;
    }
    quality_hide(quality);
    reply->quality = quality;
    return true;
}
