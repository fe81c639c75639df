#include "engine/disclose.h"

#include "base/hash.h"
#include "base/hook.h"

#define SECOND_US 1000000LL
#define HOUR_US   (3600 * SECOND_US)

/* --- the setting -------------------------------------------------------------------------------
 */

/* A number up to high; what follows it, or NULL. */
static const char *read_number(const char *text, uint32_t high, uint32_t *number)
{
    const char *begin = text;

    for (*number = 0; *text >= '0' && *text <= '9'; text++) {
        *number = *number * 10 + (uint32_t)(*text - '0');
        if (*number > high)
            return NULL;
    }
    return text == begin ? NULL : text;
}

bool disclose_read_delays(const char *text, struct disclose_rule *rule)
{
    uint32_t tenant, delay_s;
    const char *at;

    rule->delay_s = rule->tenant_count = 0;
    if (text[0] == '\0')
        return true;
    at = read_number(text, DISCLOSE_DELAY_MAX_S, &delay_s);
    if (at != NULL && *at == '\0') {
        rule->delay_s = delay_s;
        return true;
    }
    for (at = text;; at++) {
        at = read_number(at, UINT16_MAX, &tenant);
        if (at == NULL || *at != ':' || rule->tenant_count == DISCLOSE_TENANTS_MAX)
            return false;
        at = read_number(at + 1, DISCLOSE_DELAY_MAX_S, &delay_s);
        if (at == NULL)
            return false;
        rule->tenants[rule->tenant_count].tenant = (uint16_t)tenant;
        rule->tenants[rule->tenant_count++].delay_s = (uint16_t)delay_s;
        if (*at == '\0')
            return true;
        if (*at != ',')
            return false;
    }
}

bool disclose_delays(const struct disclose_rule *rule)
{
    uint32_t most = rule->delay_s;

    for (uint32_t i = 0; i < rule->tenant_count; i++)
        most |= rule->tenants[i].delay_s;
    return most > 0;
}

static int64_t delay_of(const struct disclose_rule *rule, uint16_t tenant)
{
    for (uint32_t i = 0; i < rule->tenant_count; i++)
        if (rule->tenants[i].tenant == tenant)
            return rule->tenants[i].delay_s * SECOND_US;
    return rule->delay_s * SECOND_US;
}

/* --- totals ------------------------------------------------------------------------------------
 */

static bool is_own(struct hot *hot, const struct request *request, uint8_t counter, uint64_t id)
{
    uint32_t slot;

    if (counter == COUNTER_FOLLOW)
        return id == request->subject;
    slot = hot_item_find(hot, request->tenant, id);
    return slot != HOT_NONE && hot_item(hot, slot)->has_creator &&
           hot_item(hot, slot)->creator == request->subject;
}

static uint64_t delayed(struct disclosure *disclosure, const struct request *request,
                        uint8_t counter, uint64_t id, uint64_t value, int64_t now_us)
{
    int64_t delay_us = delay_of(&disclosure->rule, request->tenant);
    struct disclose_shown *shown;

    if (delay_us == 0 || disclosure->shown == NULL || PLANTED("engine.viewer_sees_at_once"))
        return value;
    shown = &disclosure
                 ->shown[hash_two(id ^ (uint64_t)counter << 56, request->tenant) % DISCLOSE_SHOWN];
    if (shown->time_us != 0 && shown->id == id && shown->tenant == request->tenant &&
        shown->counter == counter && now_us - shown->time_us < delay_us)
        return shown->value;
    *shown = (struct disclose_shown){
        .id = id, .value = value, .time_us = now_us, .tenant = request->tenant, .counter = counter};
    return value;
}

uint64_t disclose_total(struct disclosure *disclosure, struct hot *hot,
                        const struct request *request, uint8_t counter, uint64_t id, uint64_t value,
                        int64_t now_us)
{
    if (!disclose_is_viewer(request) || is_own(hot, request, counter, id))
        return value;
    value = delayed(disclosure, request, counter, id, value, now_us);
    return value < disclosure->rule.small && !PLANTED("engine.small_counts_told") ? 0 : value;
}

/* --- lists -------------------------------------------------------------------------------------
 */

static bool has_budget(const struct disclosure *disclosure, const struct request *request)
{
    return disclosure->rule.list_budget > 0 &&
           (request->role == ROLE_OPERATOR || request->role == ROLE_APPROVER);
}

/* The caller's place; SIZE_MAX: none is his yet. */
static size_t place_of(const struct disclosure *disclosure, uint64_t caller, int64_t hour)
{
    size_t begin = hash_mix(caller) % DISCLOSE_CALLERS;

    for (size_t i = 0; i < DISCLOSE_CALLERS; i++) {
        const struct disclose_spent *spent = &disclosure->spent[(begin + i) % DISCLOSE_CALLERS];

        if (spent->caller == caller && spent->hour == hour)
            return (begin + i) % DISCLOSE_CALLERS;
    }
    return SIZE_MAX;
}

bool disclose_list(const struct disclosure *disclosure, const struct request *request,
                   int64_t now_us)
{
    size_t place;

    if (!has_budget(disclosure, request) || PLANTED("engine.lists_without_end"))
        return true;
    place = place_of(disclosure, request->caller, now_us / HOUR_US);
    return place == SIZE_MAX || disclosure->spent[place].entries < disclosure->rule.list_budget;
}

uint32_t disclose_retry_ms(int64_t now_us)
{
    return (uint32_t)((HOUR_US - now_us % HOUR_US + 999) / 1000);
}

/* A place for a new caller: one of an hour that is over, or, if all are taken, the first one: its
 * holder and he share what is left. */
static size_t place_take(struct disclosure *disclosure, uint64_t caller, int64_t hour)
{
    size_t begin = hash_mix(caller) % DISCLOSE_CALLERS;

    for (size_t i = 0; i < DISCLOSE_CALLERS; i++) {
        struct disclose_spent *spent = &disclosure->spent[(begin + i) % DISCLOSE_CALLERS];

        if (spent->hour != hour) {
            *spent = (struct disclose_spent){.caller = caller, .hour = hour};
            return (begin + i) % DISCLOSE_CALLERS;
        }
    }
    disclosure->spent[begin].caller = caller;
    return begin;
}

void disclose_listed(struct disclosure *disclosure, const struct request *request, uint32_t entries,
                     int64_t now_us)
{
    int64_t hour = now_us / HOUR_US;
    size_t place;

    if (!has_budget(disclosure, request))
        return;
    place = place_of(disclosure, request->caller, hour);
    if (place == SIZE_MAX)
        place = place_take(disclosure, request->caller, hour);
    disclosure->spent[place].entries = entries > UINT32_MAX - disclosure->spent[place].entries
                                           ? UINT32_MAX
                                           : disclosure->spent[place].entries + entries;
}

/* --- what an account asks for ------------------------------------------------------------------
 */

#define PROBES 8 /* places that an account may have */

static bool has_flow(const struct disclosure *disclosure, const struct request *request,
                     enum disclose_flow flow)
{
    return disclosure->flowed != NULL && disclosure->rule.flow_budget[flow] > 0 &&
           (disclose_is_viewer(request) || request->role == ROLE_BACKEND);
}

static size_t probe(const struct request *request, enum disclose_flow flow, uint32_t i)
{
    return (hash_two(request->account, request->tenant * 256ULL + flow) + i) % DISCLOSE_FLOWS;
}

static bool is_his(const struct disclose_flowed *place, const struct request *request,
                   enum disclose_flow flow, int64_t hour)
{
    return place->amount > 0 && place->account == request->account &&
           place->tenant == request->tenant && place->flow == flow && place->hour == hour;
}

bool disclose_flow(const struct disclosure *disclosure, const struct request *request,
                   enum disclose_flow flow, int64_t now_us)
{
    if (!has_flow(disclosure, request, flow) || PLANTED("engine.copies_without_end"))
        return true;
    for (uint32_t i = 0; i < PROBES; i++) {
        const struct disclose_flowed *place = &disclosure->flowed[probe(request, flow, i)];

        if (is_his(place, request, flow, now_us / HOUR_US))
            return place->amount < disclosure->rule.flow_budget[flow];
    }
    return true;
}

/* His, or one of an hour that is over, or that of who had least: who has spent most is not let go
 * by others who come after him. */
static struct disclose_flowed *flow_place(struct disclosure *disclosure,
                                          const struct request *request, enum disclose_flow flow,
                                          int64_t hour)
{
    struct disclose_flowed *least = NULL;

    for (uint32_t i = 0; i < PROBES; i++) {
        struct disclose_flowed *place = &disclosure->flowed[probe(request, flow, i)];

        if (is_his(place, request, flow, hour))
            return place;
        if (place->hour != hour)
            place->amount = 0;
        if (least == NULL || place->amount < least->amount)
            least = place;
    }
    *least = (struct disclose_flowed){.account = request->account,
                                      .hour = hour,
                                      .tenant = request->tenant,
                                      .flow = (uint8_t)flow};
    return least;
}

void disclose_flowed(struct disclosure *disclosure, const struct request *request,
                     enum disclose_flow flow, uint64_t amount, int64_t now_us)
{
    struct disclose_flowed *place;
    uint64_t sum;

    if (!has_flow(disclosure, request, flow))
        return;
    place = flow_place(disclosure, request, flow, now_us / HOUR_US);
    sum = place->amount + amount;
    place->amount = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}
