#include "engine/policy_book.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/hook.h"
#include "engine/inner.h"
#include "engine/policy_change.h"
#include "engine/policy_parse.h"
#include "engine/policy_words.h"

/* Room for a text in pieces, its digest, the setting's, and the record they belong to. */
#define BOOK_RECORDS_MAX (POLICY_TEXT_KEPT / RECORD_TEXT_MAX + 5)

/* --- rows ---------------------------------------------------------------------------------------
 */

static struct policy_row *row_of(struct policy_book *book, uint64_t version)
{
    for (uint32_t i = 0; version != 0 && i < POLICY_SLOTS; i++)
        if (book->rows[i].head.version == version)
            return &book->rows[i];
    return NULL;
}

static bool is_closed(const struct policy_head *head)
{
    return head->state == RULES_REPLACED || head->state == RULES_REJECTED ||
           head->state == RULES_WITHDRAWN;
}

/* An empty one, or the oldest that is over: the log has it still. NULL: none. */
static struct policy_row *row_free(struct policy_book *book)
{
    struct policy_row *oldest = NULL;

    for (uint32_t i = 0; i < POLICY_SLOTS; i++) {
        struct policy_row *row = &book->rows[i];

        if (row->head.version == 0)
            return row;
        if (is_closed(&row->head) && (oldest == NULL || row->head.version < oldest->head.version))
            oldest = row;
    }
    return oldest;
}

static void mark(struct policy_book *book, const struct policy_row *row)
{
    book->dirty |= 1ULL << (row - book->rows);
}

static void mark_state(struct policy_book *book)
{
    book->dirty |= 1ULL << POLICY_STATE_SLOT;
}

void policy_book_restore(struct policy_book *book, const struct policy_row *row)
{
    assert(row->head.slot <= POLICY_STATE_SLOT);
    if (row->head.slot == POLICY_STATE_SLOT) {
        book->state = row->head;
        book->state.slot = 0; /* that is of the row */
        return;
    }
    book->rows[row->head.slot] = *row;
    if (book->hooks.publish != NULL && row->head.state != RULES_DRAFT)
        book->hooks.publish(book->hooks.context, row);
}

void policy_book_freeze(struct policy_book *book)
{
    book->frozen_count = 0;
    for (uint32_t i = 0; i < POLICY_SLOTS; i++)
        if (book->dirty >> i & 1)
            book->frozen[book->frozen_count++] = book->rows[i];
    if (book->dirty >> POLICY_STATE_SLOT & 1) {
        struct policy_row *row = &book->frozen[book->frozen_count++];

        *row = (struct policy_row){.head = book->state};
        row->head.slot = POLICY_STATE_SLOT;
    }
    book->dirty = 0;
}

/* --- in force -----------------------------------------------------------------------------------
 */

/* The text of a version, wherever it is. */
static const struct policy_row *row_anywhere(struct policy_book *book, uint32_t version,
                                             struct policy_row *room)
{
    const struct policy_row *row = row_of(book, version);

    if (row != NULL)
        return row;
    return book->hooks.find != NULL && book->hooks.find(book->hooks.context, version, room) ? room
                                                                                            : NULL;
}

/* Reads a version into policy. False: it has no text of its own, or cannot be read. */
static bool read_version(struct policy_book *book, const struct policy_row *row,
                         struct policy *policy)
{
    struct policy_problem problem;

    if (row == NULL || row->head.text_size == 0)
        return false;
    if (!policy_parse(row->text, row->head.text_size, policy, &problem)) {
        book->unreadable++;
        return false;
    }
    policy->version = row->head.version;
    return true;
}

static void enforce_active(struct policy_book *book, uint8_t digest[32])
{
    struct policy_row room;
    const struct policy_row *row = row_anywhere(book, book->state.version, &room);

    memcpy(digest, book->setting_digest, 32);
    book->current = book->setting;
    if (read_version(book, row, &book->scratch)) {
        book->active = book->scratch;
        memcpy(digest, row->head.digest, 32);
        book->current = &book->active;
    } else if (book->state.version != 0 && book->setting != NULL) {
        book->active = *book->setting;
        book->active.version = book->state.version;
        book->current = &book->active;
    }
}

static const struct policy *enforce_shadow(struct policy_book *book)
{
    struct policy_row room;

    if (book->state.shadow == 0 ||
        !read_version(book, row_anywhere(book, book->state.shadow, &room), &book->scratch))
        return NULL;
    book->shadow = book->scratch;
    policy_beside(&book->shadow, book->current);
    return &book->shadow;
}

void policy_book_enforce(struct engine *engine)
{
    struct policy_book *book = engine->book;
    const struct policy *shadow;
    uint8_t digest[32];

    enforce_active(book, digest);
    shadow = enforce_shadow(book);
    if (engine->judges == NULL && (book->current != NULL || shadow != NULL) &&
        book->hooks.judges != NULL)
        engine->judges = book->hooks.judges(book->hooks.context);
    if (engine->judges == NULL)
        return;
    if (judge_enforce(engine->judges, book->current, digest))
        book->counted_us = engine->now_us;
    if (book->shadow_running != book->state.shadow)
        book->shadow_counted_us = engine->now_us;
    judge_enforce_shadow(engine->judges, shadow, book->shadow_running != book->state.shadow);
    book->shadow_running = book->state.shadow;
}

/* --- applied ------------------------------------------------------------------------------------
 */

static void tell_others(struct engine *engine, const struct record *record)
{
    const struct policy_head *state = &engine->book->state;

    for (uint16_t to = PLANTED("engine.rules_reach_one") ? UINT16_MAX : 1;
         engine->partition == 0 && to < engine->partition_count; to++)
        effect_emit(engine, record, to, EFFECT_RULES, 0, state->version, state->shadow, 0, NULL);
}

static bool from_digits(const struct record *record, uint8_t digest[32])
{
    if (record->text_size != 64)
        return false;
    for (int i = 0; i < 32; i++) {
        uint8_t value = 0;

        for (int k = 0; k < 2; k++) {
            char digit = record->text[2 * i + k];

            value = (uint8_t)(value << 4 | (digit <= '9' ? digit - '0' : digit - 'a' + 10));
        }
        digest[i] = value;
    }
    return true;
}

/* The row of a version whose text is being told. */
static struct policy_row *draft(struct policy_book *book, uint64_t version)
{
    struct policy_row *row = row_of(book, version);

    if (row == NULL && (row = row_free(book)) != NULL) {
        *row = (struct policy_row){.head = {.version = (uint32_t)version}};
        row->head.slot = (uint8_t)(row - book->rows);
    }
    return row;
}

static void name_it(struct policy_row *row, struct policy *scratch)
{
    struct policy_problem problem;

    if (row->head.text_size > 0 && policy_parse(row->text, row->head.text_size, scratch, &problem))
        memcpy(row->head.name, scratch->name, sizeof row->head.name);
}

/* Its text is there in full. */
static void complete(struct engine *engine, struct policy_row *row, const struct record *record)
{
    struct policy_book *book = engine->book;
    struct policy_head *head = &row->head;

    head->state = RULES_PROPOSED;
    head->proposer = record->caller;
    head->proposed_us = record->time_us;
    head->proposed_sequence = record->sequence;
    head->reason_size = record->fields & RECORD_HAS_TEXT ? record->text_size : 0;
    if (head->reason_size > 0)
        memcpy(head->reason, record->text, head->reason_size);
    name_it(row, &book->scratch);
    if (head->version > book->state.last)
        book->state.last = head->version;
    mark(book, row);
    mark_state(book);
    if (book->hooks.publish != NULL)
        book->hooks.publish(book->hooks.context, row);
}

static void activate(struct engine *engine, struct policy_row *row, const struct record *record)
{
    struct policy_book *book = engine->book;
    struct policy_row *before = row_of(book, book->state.version);

    if (before != NULL) {
        before->head.state = RULES_REPLACED;
        before->head.ended_us = record->time_us;
        mark(book, before);
    }
    row->head.state = RULES_ACTIVE;
    row->head.decided_us = record->time_us;
    row->head.decided_sequence = record->sequence;
    book->state.version = row->head.version;
    book->state.decided_us = record->time_us;
    if (book->state.shadow == row->head.version)
        book->state.shadow = 0;
    mark(book, row);
    mark_state(book);
    policy_book_enforce(engine);
    tell_others(engine, record);
}

/* The setting's version, as it was until now: who looks back finds it, since nobody knows when. The
 * approval in the same batch takes its place. */
static void was_apply(struct engine *engine, struct policy_row *row, const struct record *record)
{
    struct policy_book *book = engine->book;

    complete(engine, row, record);
    row->head.state = RULES_ACTIVE;
    row->head.by_setting = 1;
    row->head.proposed_us = 0;
    book->state.version = row->head.version;
}

/* Whoever runs the node, not a person, brought it: its record has a name in place of a reason. */
static void name_setting(struct policy_row *row, const struct record *record)
{
    if (row->head.text_size == 0 && record->text_size < sizeof row->head.name)
        memcpy(row->head.name, record->text, record->text_size);
    row->head.by_setting = 1;
    row->head.reason_size = 0;
    memset(row->head.reason, 0, sizeof row->head.reason);
}

static void part_apply(struct engine *engine, const struct record *record)
{
    struct policy_book *book = engine->book;
    struct policy_row *row;

    if (record->a == RULES_SETTING) {
        if (from_digits(record, book->state.digest))
            mark_state(book);
        return;
    }
    if (record->target == 0 || record->target > UINT32_MAX ||
        (row = draft(book, record->target)) == NULL)
        return;
    mark(book, row);
    if (record->a == RULES_TEXT && record->b == row->head.text_size &&
        record->b + record->text_size <= POLICY_TEXT_KEPT) {
        memcpy(row->text + record->b, record->text, record->text_size);
        row->head.text_size += record->text_size;
    } else if (record->a == RULES_DIGEST) {
        from_digits(record, row->head.digest);
    } else if (record->a == RULES_TAKES) {
        complete(engine, row, record);
        name_setting(row, record);
        activate(engine, row, record);
    } else if (record->a == RULES_WAS) {
        was_apply(engine, row, record);
        name_setting(row, record);
    }
}

static void close_apply(struct engine *engine, struct policy_row *row, const struct record *record)
{
    struct policy_book *book = engine->book;

    row->head.state = record->kind == VERB_POLICY_REJECT ? RULES_REJECTED : RULES_WITHDRAWN;
    row->head.decided_us = record->time_us;
    row->head.decided_sequence = record->sequence;
    mark(book, row);
    if (book->state.shadow != row->head.version)
        return;
    book->state.shadow = 0;
    mark_state(book);
    policy_book_enforce(engine);
    tell_others(engine, record);
}

static void shadow_apply(struct engine *engine, struct policy_row *row, const struct record *record)
{
    struct policy_book *book = engine->book;
    struct policy_row *before = row_of(book, book->state.shadow);

    if (before != NULL) {
        before->head.shadow_us = 0;
        mark(book, before);
    }
    row->head.shadow_us = record->time_us;
    book->state.shadow = row->head.version;
    book->state.shadow_us = record->time_us;
    mark(book, row);
    mark_state(book);
    policy_book_enforce(engine);
    tell_others(engine, record);
}

void policy_apply(struct engine *engine, const struct record *record)
{
    struct policy_book *book = engine->book;
    struct policy_row *row;

    if (book == NULL)
        return;
    if (record->kind == RECORD_POLICY) {
        part_apply(engine, record);
        return;
    }
    if ((row = row_of(book, record->target)) == NULL)
        return;
    if (record->kind == VERB_POLICY_PROPOSE) {
        complete(engine, row, record);
        return;
    }
    if (record->kind == VERB_POLICY_SHADOW) {
        shadow_apply(engine, row, record);
        return;
    }
    row->head.decider = record->caller;
    row->head.decision_size = record->fields & RECORD_HAS_TEXT ? record->text_size : 0;
    if (row->head.decision_size > 0)
        memcpy(row->head.decision, record->text, row->head.decision_size);
    if (record->kind == VERB_POLICY_APPROVE)
        activate(engine, row, record);
    else
        close_apply(engine, row, record);
}

void policy_take(struct engine *engine, const struct record *effect)
{
    struct policy_book *book = engine->book;

    if (book == NULL)
        return;
    book->state.version = (uint32_t)effect->account;
    book->state.shadow = (uint32_t)effect->target;
    book->state.decided_us = effect->time_us;
    mark_state(book);
    policy_book_enforce(engine);
}

/* --- recorded -----------------------------------------------------------------------------------
 */

static struct record part(uint64_t version, enum rules_event event, uint64_t b, const char *text,
                          size_t size)
{
    return (struct record){
        .kind = RECORD_POLICY,
        .fields = RECORD_HAS_ARGS | RECORD_CHANGED | (size > 0 ? RECORD_HAS_TEXT : 0),
        .target = version,
        .a = event,
        .b = b,
        .text = text,
        .text_size = (uint8_t)size,
    };
}

static void commit_digest(struct engine *engine, uint64_t version, enum rules_event event,
                          const uint8_t digest[32])
{
    char digits[64];
    struct record record = part(version, event, 0, digits, sizeof digits);

    hex_put(digits, digest, 32);
    record_commit(engine, &record);
}

static void commit_text(struct engine *engine, uint64_t version, const char *text, size_t size)
{
    uint8_t digest[32];

    for (size_t at = 0, some; at < size; at += some) {
        struct record record;

        some = size - at < RECORD_TEXT_MAX ? size - at : RECORD_TEXT_MAX;
        record = part(version, RULES_TEXT, at, text + at, some);
        record_commit(engine, &record);
    }
    digest_sha256(text, size, NULL, 0, digest);
    commit_digest(engine, version, RULES_DIGEST, digest);
}

static uint32_t next_version(const struct policy_book *book)
{
    uint32_t last = book->state.last;

    if (book->current != NULL && book->current->version > last)
        last = book->current->version;
    if (book->setting != NULL && book->setting->version > last)
        last = book->setting->version;
    return last + 1;
}

/* The setting as a version: its text where it fits, else its digest, and what became of it. */
static void commit_setting(struct engine *engine, uint32_t version, enum rules_event event)
{
    struct policy_book *book = engine->book;
    const char *name = book->setting != NULL ? book->setting->name : "none";
    bool keeps = book->setting != NULL && book->setting_size > 0 &&
                 book->setting_size <= POLICY_TEXT_KEPT &&
                 engine->body_max >= BOOK_RECORDS_MAX * (size_t)RECORD_BYTES_MAX;
    struct record record;

    if (keeps)
        commit_text(engine, version, book->setting_text, book->setting_size);
    else
        commit_digest(engine, version, RULES_DIGEST, book->setting_digest);
    commit_digest(engine, 0, RULES_SETTING, book->setting_mark);
    record = part(version, event, keeps ? book->setting_size : 0, name, strlen(name));
    record_commit(engine, &record);
}

/* Proposals are numbered above the setting as it was then. So a number below all of them is free,
 * as long as no version was forgotten; one that the setting was raised to since may be theirs. */
static bool is_free_number(const struct policy_book *book, uint32_t version)
{
    for (uint32_t i = 0; i < POLICY_SLOTS; i++)
        if (book->rows[i].head.version != 0 && book->rows[i].head.version <= version)
            return false;
    return book->rows[POLICY_SLOTS - 1].head.version == 0; /* they are filled in order */
}

/* What was in force until somebody decides for the first time. */
static void commit_what_was(struct engine *engine)
{
    const struct policy_book *book = engine->book;
    uint32_t version;

    if (book->state.version != 0 || book->setting == NULL || PLANTED("engine.what_was_is_lost"))
        return;
    version = book->setting->version;
    if (!is_free_number(book, version))
        version = next_version(book);
    commit_setting(engine, version, RULES_WAS);
}

bool policy_setting_takes(struct engine *engine)
{
    struct policy_book *book = engine->book;

    if (book == NULL || engine->partition != 0 || book->state.version == 0 ||
        memcmp(book->state.digest, book->setting_mark, 32) == 0 ||
        PLANTED("engine.changed_setting_is_ignored"))
        return false;
    commit_setting(engine, next_version(book), RULES_TAKES);
    return true;
}

/* --- decided ------------------------------------------------------------------------------------
 */

uint32_t policy_records(const struct request *request)
{
    return request->verb == VERB_POLICY_PROPOSE || request->verb == VERB_POLICY_APPROVE
               ? BOOK_RECORDS_MAX
               : 3;
}

/* The setting's rules, as long as nobody has decided anything. */
static struct policy_head setting_head(const struct policy_book *book)
{
    struct policy_head head = {.state = RULES_ACTIVE, .by_setting = 1};

    memcpy(head.digest, book->setting_digest, 32);
    memcpy(head.name, book->setting != NULL ? book->setting->name : "none",
           book->setting != NULL ? sizeof head.name : 5);
    if (book->setting != NULL)
        head.version = book->setting->version;
    if (book->setting_size <= POLICY_TEXT_KEPT)
        head.text_size = (uint32_t)book->setting_size;
    return head;
}

/* The head and text of a version; of 0: of the one in force. False: there is none. */
static bool find_version(struct policy_book *book, uint64_t version, struct policy_head *head,
                         const char **text)
{
    const struct policy_row *row = row_of(book, version != 0 ? version : book->state.version);

    if (row != NULL && row->head.state != RULES_DRAFT) {
        *head = row->head;
        *text = row->text;
        return true;
    }
    if (book->state.version != 0)
        return false;
    *head = setting_head(book);
    *text = book->setting_text;
    return version == 0 || head->version == version;
}

static bool is_word(const struct request *request, const char *word)
{
    return strlen(word) == request->u.rules.text_size &&
           memcmp(word, request->u.rules.text, request->u.rules.text_size) == 0;
}

/* What is proposed: a text, or what the name of a preset or the number of a version stands for.
 * NOPOLICY: a number, and no version that has a text. The setting counts as one while it is in
 * force. */
static enum status text_meant(struct policy_book *book, const struct request *request,
                              const char **text, size_t *size)
{
    struct policy_head head;
    const char *name;
    uint64_t version = 0;

    *text = request->u.rules.text;
    *size = request->u.rules.text_size;
    for (uint32_t i = 0;
         book->hooks.preset != NULL && (name = book->hooks.preset(i, NULL, NULL)) != NULL; i++)
        if (is_word(request, name)) {
            book->hooks.preset(i, text, size);
            return STATUS_OK;
        }
    if (*size == 0)
        return STATUS_OK;
    for (uint32_t i = 0; i < request->u.rules.text_size; i++) {
        char digit = request->u.rules.text[i];

        if (digit < '0' || digit > '9')
            return STATUS_OK;
        if (version > UINT32_MAX)
            return STATUS_NOPOLICY;
        version = 10 * version + (uint64_t)(digit - '0');
    }
    if (version == 0 || !find_version(book, version, &head, text) || head.text_size == 0)
        return STATUS_NOPOLICY;
    *size = head.text_size;
    return STATUS_OK;
}

/* A single word is no text of rules; who wrote it meant a name. */
static void tell_presets(const struct policy_book *book, const struct request *request,
                         struct words *words)
{
    const char *name;

    for (uint32_t i = 0; i < request->u.rules.text_size; i++)
        if (strchr(" \t\r\n", request->u.rules.text[i]) != NULL)
            return;
    words_put(words, "; no preset has that name, there are: ");
    for (uint32_t i = 0;
         book->hooks.preset != NULL && (name = book->hooks.preset(i, NULL, NULL)) != NULL; i++) {
        words_put(words, i > 0 ? ", " : "");
        words_put(words, name);
    }
}

/* "line 2, column 9: expected ..." */
static void tell_problem(struct engine *engine, const struct request *request,
                         const struct policy_problem *problem, struct reply *reply)
{
    size_t room = sizeof problem->text + 192;
    char *detail = arena_take(&engine->arena, room);
    struct words words;

    reply->u.detail = detail;
    if (detail == NULL)
        return;
    words = words_begin(detail, room);
    words_put(&words, "line ");
    words_number(&words, problem->line);
    words_put(&words, ", column ");
    words_number(&words, problem->column);
    words_put(&words, ": ");
    words_put(&words, problem->text);
    tell_presets(engine->book, request, &words);
}

static uint32_t count_open(const struct policy_book *book)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < POLICY_SLOTS; i++)
        count += book->rows[i].head.version != 0 && book->rows[i].head.state == RULES_PROPOSED;
    return count;
}

static enum status propose_decide(struct engine *engine, const struct request *request,
                                  const char **text, size_t *size, struct reply *reply)
{
    struct policy_book *book = engine->book;
    struct policy_problem problem;

    if (text_meant(book, request, text, size) != STATUS_OK)
        return STATUS_NOPOLICY;
    if (*size > POLICY_TEXT_KEPT || engine->body_max < BOOK_RECORDS_MAX * (size_t)RECORD_BYTES_MAX)
        return STATUS_TOOBIG;
    if (!policy_parse(*text, *size, &book->scratch, &problem) &&
        !PLANTED("engine.unfair_rules_are_proposed")) {
        tell_problem(engine, request, &problem, reply);
        return STATUS_BADPOLICY;
    }
    if (count_open(book) >= POLICY_OPEN_MAX || row_free(book) == NULL)
        return STATUS_POLICYSTATE; /* not BUSY: asking again does not help */
    return STATUS_OK;
}

/* Two persons: each with a credential of his own, and not the same. */
static bool four_eyes(const struct request *request, const struct policy_head *head)
{
    return (request->caller != 0 && head->proposer != 0 && request->caller != head->proposer) ||
           PLANTED("engine.one_person_makes_rules");
}

static enum status step_decide(struct engine *engine, const struct request *request)
{
    struct policy_book *book = engine->book;
    const struct policy_row *row =
        request->target <= UINT32_MAX ? row_of(book, request->target) : NULL;

    if (row == NULL || row->head.state == RULES_DRAFT)
        return STATUS_NOPOLICY;
    if (row->head.state != RULES_PROPOSED)
        return STATUS_POLICYSTATE;
    if (request->verb == VERB_POLICY_SHADOW && book->state.shadow == row->head.version)
        return STATUS_UNCHANGED;
    if (request->verb == VERB_POLICY_APPROVE && !four_eyes(request, &row->head))
        return STATUS_FOUREYES;
    return STATUS_OK;
}

static void commit_parts(struct engine *engine, const struct request *request,
                         struct record *record, const char *text, size_t size)
{
    if (request->verb == VERB_POLICY_PROPOSE) {
        record->target = next_version(engine->book);
        record->a = size;
        commit_text(engine, record->target, text, size);
    } else if (request->verb == VERB_POLICY_APPROVE) {
        commit_what_was(engine);
        commit_digest(engine, 0, RULES_SETTING, engine->book->setting_mark);
    }
}

enum status policy_write(struct engine *engine, const struct request *request, uint64_t content,
                         struct reply *reply)
{
    const char *text = NULL;
    struct record record;
    enum status status;
    size_t size = 0;

    record_begin(&record, request, (uint8_t)request->verb);
    record.fields |= RECORD_HAS_ARGS;
    record_reasoned(&record, request, request->u.rules.reason, request->u.rules.reason_size);
    if (engine->book == NULL || engine->partition != 0)
        status = STATUS_POLICYSTATE;
    else if (request->tenant != 0)
        status = STATUS_ALLTENANTS;
    else if (request->verb == VERB_POLICY_PROPOSE)
        status = propose_decide(engine, request, &text, &size, reply);
    else
        status = step_decide(engine, request);
    if (status != STATUS_OK && !(request->flags & REQUEST_OPID))
        return status;
    if (status == STATUS_OK) {
        record.fields |= RECORD_CHANGED;
        commit_parts(engine, request, &record, text, size);
    }
    record_operation(&record, request, content, status);
    record_commit(engine, &record);
    reply->sequence = record.sequence;
    reply->applied = status == STATUS_OK;
    return status;
}

/* --- answers ------------------------------------------------------------------------------------
 */

static bool answer_error(struct reply *reply, enum status status)
{
    reply->kind = REPLY_ERROR;
    reply->status = (uint8_t)status;
    return true;
}

static struct policy_view *view_take(struct engine *engine, const struct policy_head *head,
                                     struct reply *reply)
{
    struct policy_view *view = arena_take(&engine->arena, sizeof *view);

    if (view == NULL)
        return NULL;
    *view = (struct policy_view){.head = *head};
    view->in_shadow = head->version != 0 && engine->book->state.shadow == head->version;
    reply->kind = REPLY_POLICY;
    reply->u.policy = view;
    return view;
}

bool policy_reply(struct engine *engine, const struct request *request, struct reply *reply)
{
    struct policy_book *book = engine->book;
    const struct policy_row *row = NULL;

    for (uint32_t i = 0; request->verb == VERB_POLICY_PROPOSE && i < POLICY_SLOTS; i++)
        if (book->rows[i].head.version != 0 &&
            book->rows[i].head.proposed_sequence == reply->sequence)
            row = &book->rows[i];
    if (request->verb != VERB_POLICY_PROPOSE)
        row = row_of(book, request->target);
    if (row != NULL && request->flags & REQUEST_RETURN)
        return view_take(engine, &row->head, reply) != NULL;
    reply->kind = REPLY_INTEGER;
    reply->u.value = request->verb != VERB_POLICY_PROPOSE ? reply->applied
                     : row != NULL                        ? (int64_t)row->head.version
                                                          : 0;
    return true;
}

static void tally_lines(struct engine *engine, bool shadow, struct policy_view *view,
                        struct policy_line *lines, uint32_t count)
{
    struct policy_book *book = engine->book;
    const struct judges *judges = engine->judges;
    const struct judge_tally *tally;

    if (judges == NULL)
        return;
    view->counted_us = shadow ? book->shadow_counted_us : book->counted_us;
    if (book->hooks.tallies != NULL) {
        book->hooks.tallies(book->hooks.context, shadow, view, lines, count);
        return;
    }
    tally = shadow ? judges->shadow.tally : judges->tally;
    if (shadow) {
        view->judged = judges->shadow.judged;
        view->refused = judges->shadow.refused;
        view->held = judges->shadow.held;
        view->cut = judges->shadow.cut;
    }
    for (uint32_t i = 0; i < count; i++) {
        lines[i].fired = tally[i].fired;
        lines[i].refused = tally[i].refused;
        lines[i].held = tally[i].held;
        lines[i].cut = tally[i].cut;
    }
}

/* What was in force first, if its text was too long to be kept. */
static bool is_setting_untold(const struct policy_head *head)
{
    return head->by_setting && head->decided_us == 0 && head->text_size == 0;
}

/* Since when a window has been counted: as far back as versions in force have had it without a gap.
 * 0: since before anybody changed the rules. */
static int64_t metric_since(struct policy_book *book, uint64_t salt)
{
    int64_t since_us = 0, before_us = INT64_MAX;

    for (;;) {
        const struct policy_row *newest = NULL;

        for (uint32_t i = 0; i < POLICY_SLOTS; i++) {
            const struct policy_head *head = &book->rows[i].head;

            if (head->version != 0 &&
                (head->state == RULES_ACTIVE || head->state == RULES_REPLACED) &&
                head->decided_us < before_us &&
                (newest == NULL || head->decided_us > newest->head.decided_us))
                newest = &book->rows[i];
        }
        if (newest == NULL || is_setting_untold(&newest->head))
            break;
        if (!read_version(book, newest, &book->scratch) || !policy_has_metric(&book->scratch, salt))
            return since_us;
        since_us = newest->head.shadow_us != 0 ? newest->head.shadow_us : newest->head.decided_us;
        before_us = newest->head.decided_us;
    }
    return book->setting != NULL && policy_has_metric(book->setting, salt) ? 0 : since_us;
}

static int64_t rule_since(struct policy_book *book, const struct policy *policy,
                          const struct policy_rule *rule)
{
    int64_t since_us = 0;

    for (uint32_t i = 0; i < rule->condition_count; i++) {
        const struct policy_condition *condition = &rule->conditions[i];
        int64_t one_us;

        if (condition->fact > POLICY_DISTINCT)
            continue;
        one_us = metric_since(book, policy->metrics[condition->metric].salt);
        since_us = one_us > since_us ? one_us : since_us;
        if (condition->fact != POLICY_RATIO)
            continue;
        one_us = metric_since(book, policy->metrics[condition->base].salt);
        since_us = one_us > since_us ? one_us : since_us;
    }
    return since_us;
}

static void put_line(struct policy_view *view, struct policy_line *lines,
                     const struct policy_rule *rule, enum rules_change change)
{
    struct policy_line *line;

    if (view->line_count == POLICY_LINES_MAX) {
        view->more = 1;
        return;
    }
    line = &lines[view->line_count++];
    *line = (struct policy_line){.shadow = rule->shadow, .change = (uint8_t)change};
    memcpy(line->name, rule->name, sizeof line->name);
}

static_assert(POLICY_RULES_MAX <= POLICY_LINES_MAX, "every rule in force is told");

static bool show_answer(struct engine *engine, struct reply *reply)
{
    struct policy_line *lines = arena_take(&engine->arena, POLICY_LINES_MAX * sizeof *lines);
    struct policy_book *book = engine->book;
    struct policy_view *view;
    struct policy_head head;
    const char *text;

    if (lines == NULL)
        return false;
    if (!find_version(book, 0, &head, &text))
        return answer_error(reply, STATUS_NOPOLICY);
    if ((view = view_take(engine, &head, reply)) == NULL)
        return false;
    view->has_lines = 1;
    view->lines = lines;
    for (uint32_t i = 0; book->current != NULL && i < book->current->rule_count; i++) {
        put_line(view, lines, &book->current->rules[i], RULES_SAME);
        lines[i].since_us = rule_since(book, book->current, &book->current->rules[i]);
    }
    tally_lines(engine, false, view, lines, view->line_count);
    return true;
}

static bool diff_answer(struct engine *engine, const struct policy_head *head, const char *text,
                        struct reply *reply)
{
    struct policy_line *lines = arena_take(&engine->arena, POLICY_LINES_MAX * sizeof *lines);
    struct policy_book *book = engine->book;
    struct policy_problem problem;
    struct policy_view *view;
    uint32_t own;

    if (lines == NULL || (view = view_take(engine, head, reply)) == NULL)
        return false;
    view->has_lines = 1;
    view->lines = lines;
    if (head->text_size == 0 || !policy_parse(text, head->text_size, &book->scratch, &problem))
        return answer_error(reply, STATUS_POLICYSTATE);
    for (uint32_t i = 0; i < book->scratch.rule_count; i++)
        put_line(view, lines, &book->scratch.rules[i],
                 policy_rule_change(&book->scratch, &book->scratch.rules[i], book->current));
    own = view->line_count;
    for (uint32_t i = 0; book->current != NULL && i < book->current->rule_count; i++)
        if (policy_rule_named(&book->scratch, book->current->rules[i].name) == NULL)
            put_line(view, lines, &book->current->rules[i], RULES_GONE);
    if (view->in_shadow)
        tally_lines(engine, true, view, lines, own);
    return true;
}

static bool get_answer(struct engine *engine, const struct policy_head *head, const char *text,
                       struct reply *reply)
{
    struct policy_view *view = view_take(engine, head, reply);
    char *copy = arena_take(&engine->arena, head->text_size + 1);

    if (view == NULL || copy == NULL)
        return false;
    view->has_text = 1;
    view->text = memcpy(copy, head->text_size > 0 ? text : "", head->text_size);
    return true;
}

static bool list_answer(struct engine *engine, struct reply *reply)
{
    struct policy_head *heads = arena_take(&engine->arena, POLICY_SLOTS * sizeof *heads);
    const struct policy_book *book = engine->book;
    uint16_t count = 0;

    if (heads == NULL)
        return false;
    for (uint32_t i = 0; i < POLICY_SLOTS; i++) {
        const struct policy_head *head = &book->rows[i].head;
        uint16_t at = count;

        if (head->version == 0 || head->state == RULES_DRAFT)
            continue;
        for (; at > 0 && heads[at - 1].version < head->version; at--)
            heads[at] = heads[at - 1];
        heads[at] = *head;
        count++;
    }
    if (book->state.version == 0 && count < POLICY_SLOTS)
        heads[count++] = setting_head(book);
    reply->kind = REPLY_POLICIES;
    reply->count = count;
    reply->u.policies = heads;
    return true;
}

bool policy_read(struct engine *engine, const struct request *request, struct reply *reply)
{
    struct policy_head head;
    const char *text;

    if (engine->book == NULL || engine->partition != 0)
        return answer_error(reply, STATUS_NOPOLICY);
    if (request->tenant != 0)
        return answer_error(reply, STATUS_ALLTENANTS);
    if (request->verb == VERB_POLICY_LIST)
        return list_answer(engine, reply);
    if (request->verb == VERB_POLICY_SHOW)
        return show_answer(engine, reply);
    if (request->target == 0 || !find_version(engine->book, request->target, &head, &text))
        return answer_error(reply, STATUS_NOPOLICY);
    return request->verb == VERB_POLICY_DIFF ? diff_answer(engine, &head, text, reply)
                                             : get_answer(engine, &head, text, reply);
}
