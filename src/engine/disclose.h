/* disclose.h: how exactly, how soon and to whom totals and lists are told, and how much an account
 * may ask for that costs far more than the asking.
 *
 * A viewer is a caller with the role user or creator, but for what is his own. To a viewer
 *   small    a total below this is told as 0, so that nobody is found out as one of a few
 *   delay    a total is told as it was at most so long ago, and no more often than that
 * Everybody else, the platform's backend first of all, is told what is.
 *
 * Who may read lists of people but is not the platform (operator, approver) has a budget: so many
 * entries an hour for a caller, in each partition; then RATE. A cursor does not help.
 *
 * A copy of an account (ACCOUNT EXPORT) and its clean-ups (CLEANUP RUN, UNDO, PREVIEW) have a
 * budget by account, whoever of user, creator and backend asks for it: one request may read, or
 * write, thousands of rows, and undoing and doing again has no end. So the backend of many accounts
 * has that of each. The privacy officer is not held up. What begins within the budget may pass it.
 *
 * Holds always: what a viewer is told was the truth, or the truth below small, at most delay ago.
 * Memory:       what was shown is kept in a table of fixed size (one slot by hash: who comes later
 *               takes it, and is told what is now); budgets in two others. Nothing of it is state:
 *               it is not recorded, and begins anew with a start. */
#ifndef ZAN_ENGINE_DISCLOSE_H
#define ZAN_ENGINE_DISCLOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/access.h"
#include "store/hot.h"

#define DISCLOSE_TENANTS_MAX 16
#define DISCLOSE_DELAY_MAX_S 900
#define DISCLOSE_SHOWN       32768 /* slots */
#define DISCLOSE_CALLERS     64    /* with a budget of their own; further ones share */
#define DISCLOSE_FLOWS       4096 /* accounts with a budget; of too many the least spent begin anew */

/* What an account may ask for so often: entries and pages told, likes looked at. */
enum disclose_flow { FLOW_EXPORT, FLOW_CLEANUP, FLOW_COUNT };

struct disclose_rule {
    uint32_t small;
    uint32_t list_budget;             /* 0: none */
    uint32_t flow_budget[FLOW_COUNT]; /* 0: none */
    uint32_t delay_s;                 /* of tenants that are not named */
    uint32_t tenant_count;
    struct {
        uint16_t tenant;
        uint16_t delay_s;
    } tenants[DISCLOSE_TENANTS_MAX];
};

struct disclose_shown {
    uint64_t id, value;
    int64_t time_us; /* 0: free */
    uint16_t tenant;
    uint8_t counter;
};

struct disclose_spent {
    uint64_t caller;
    int64_t hour;
    uint32_t entries;
};

struct disclose_flowed {
    uint64_t account;
    int64_t hour;
    uint32_t amount; /* 0: free */
    uint16_t tenant;
    uint8_t flow;
};

struct disclosure {
    struct disclose_rule rule;
    struct disclose_shown *shown; /* DISCLOSE_SHOWN of them; NULL: nothing is delayed */
    struct disclose_spent spent[DISCLOSE_CALLERS];
    struct disclose_flowed *flowed; /* DISCLOSE_FLOWS of them; NULL: nobody has a budget */
};

/* "300" for all tenants, or "0:300,7:60": seconds by tenant, the rest at once; "" and "0": at once.
 * False: it is neither, or more than DISCLOSE_DELAY_MAX_S, or too many. */
bool disclose_read_delays(const char *text, struct disclose_rule *rule);

/* Is anything delayed for anybody? */
bool disclose_delays(const struct disclose_rule *rule);

static inline bool disclose_is_viewer(const struct request *request)
{
    return request->role == ROLE_USER || request->role == ROLE_CREATOR;
}

/* What this caller is told of the total value of id. hot: knows whose the item is. */
uint64_t disclose_total(struct disclosure *disclosure, struct hot *hot,
                        const struct request *request, uint8_t counter, uint64_t id, uint64_t value,
                        int64_t now_us);

/* May this caller read on in lists of people? */
bool disclose_list(const struct disclosure *disclosure, const struct request *request,
                   int64_t now_us);
/* May the account of this request have more of that? */
bool disclose_flow(const struct disclosure *disclosure, const struct request *request,
                   enum disclose_flow flow, int64_t now_us);
/* It had so much. */
void disclose_flowed(struct disclosure *disclosure, const struct request *request,
                     enum disclose_flow flow, uint64_t amount, int64_t now_us);
/* When budgets begin anew, from 1. */
uint32_t disclose_retry_ms(int64_t now_us);
/* He was told so many entries. */
void disclose_listed(struct disclosure *disclosure, const struct request *request, uint32_t entries,
                     int64_t now_us);

#endif
