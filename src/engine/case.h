/* case.h: what people have to decide, step by step, with two persons and an end.
 *
 *   GATHERING -(reports weigh enough)-> OPEN -(propose, approve)-> APPLYING -(sweep)-> APPLIED
 *   OPEN -(reject, or dismissed)-> REJECTED
 *   OPEN -(nobody in CASE_DUE_US)-> EXPIRED
 *   APPLIED -(appeal)-> APPLIED, appealed
 *   APPLIED -(restore: proposed, approved)-> RESTORING -(sweep)-> RESTORED
 *
 * An appeal that nobody answers in APPEAL_DUE_US is granted; a quarantine that nobody settles ends
 * and its likes count; a case that expires, is dismissed or restored lifts the sanctions it
 * carries. Everything is a record, so the case of a log is where its records lead to.
 *
 * A case that came with a quarantine window of the scorer's (flood.h) is due when the window ends,
 * and EXPIRED once its likes have been scored again.
 *
 * A case lives with what it is about: id = sequence of the opening record << 8 | partition.
 *
 * Holds always: who approves is not who proposed. What touches an account beyond its own acts by
 * rules in force, or an item, has an approver. Reports alone do nothing but open a case. Pure, as
 * the rest of the engine. Rows must be in memory (engine_gather and the two that follow). */
#ifndef ZAN_ENGINE_CASE_H
#define ZAN_ENGINE_CASE_H

#include "engine/engine.h"

#define CASE_DUE_US      (7LL * 24 * 3600 * 1000000)
#define APPEAL_DUE_US    (14LL * 24 * 3600 * 1000000)
#define CASE_APPEALS_MAX 3
#define CASE_REPORTS_OPEN                                                                          \
    300 /* weight of reports that opens a case: three that were always right,                      \
           or six of nobody knows */

struct case_opening {
    uint16_t tenant;
    uint8_t kind, subject; /* enum case_kind, case_subject */
    uint64_t about;
    uint16_t rule; /* 1 + index; 0: none */
    uint32_t policy;
    const char *text;
    uint8_t text_size; /* may be 0 */
};

/* Opens one by rule, and returns its id: of the one that is already open about this for the same
 * rule, if there is one (a restriction always gets its own: it is applied, not open); 0: there is
 * no room for more (counted in engine.cases_refused). The row of what it is about must be in
 * memory, and it must live here. */
uint64_t case_open(struct engine *engine, const struct case_opening *opening);

/* A CASE verb; OK, UNCHANGED or why not. */
enum status case_write(struct engine *engine, const struct request *request, uint64_t content,
                       struct reply *reply);
/* The answer to a write with RETURN. False: no room in the arena. */
bool case_reply(struct engine *engine, const struct request *request, struct reply *reply);
/* The newest case about an account goes into the reply as the account may see it, if there is one.
 * False: no room in the arena. */
bool case_newest(struct engine *engine, const struct request *request, struct reply *reply);
/* Is it kept from a caller who is whom it is about? A review that is open and restricts nothing:
 * it may be nothing, and who probes would learn by it what is seen. */
bool case_is_hidden(const struct request *request, const struct case_row *row);
/* From id on along the links to the ones before: the first that is not hidden; 0: none. Also a
 * cursor names no other. */
uint64_t case_shown_from(struct engine *engine, const struct request *request, uint64_t id);
/* The case with that id, about that account; found: there is one. */
enum status case_about(struct engine *engine, uint16_t tenant, uint64_t account, uint64_t id,
                       struct case_row *row, bool *found);
/* CASE GET, LIST, OF, OWN, CASES, SHIELD, POINTS. */
bool case_read(struct engine *engine, const struct request *request, struct reply *reply);

/* A like of an item that two people have put under quarantine waits for their decision. */
void case_quarantine(struct engine *engine, uint16_t tenant, uint64_t item,
                     struct verdict *verdict);

void case_apply(struct engine *engine, const struct record *record);
/* A sanction belongs to a case: it is written down there. */
void case_sanctioned(struct engine *engine, const struct record *record);
/* Somebody reported an item that lives here; weight in hundredths. */
void case_reported(struct engine *engine, const struct record *record, uint32_t item,
                   uint64_t reporter, uint32_t weight);

#endif
