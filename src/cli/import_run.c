/* import_run.c: a window of commands under way, the newest last, next to the client's own queue.
 *
 * Whatever happens to the connection, a command leaves the window only by an answer; one that was
 * BUSY goes to the end of the window and is asked again with the same operation id. */
#include "cli/import.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/progress.h"
#include "schema/request.h"

#define TURN_MS   50
#define PAUSE_US  20000    /* after BUSY, nothing new for so long */
#define SILENT_US 30000000 /* a node that owes answers and says nothing for so long is gone */

struct import {
    const struct import_options *options;
    const struct import_watch *watch;
    struct import_result *result;
    struct history *history;
    struct client *client;
    struct history_command window[2 * CLIENT_WINDOW];
    uint32_t first, count;
    struct history_command next; /* read and not yet due */
    bool has_next, ended;
    int64_t start_us, pause_until_us;
    int64_t asked_us;     /* since when answers are owed */
    int64_t connected_us; /* again */
    int64_t answered_us;  /* when the last answer came: a node that only connects is away, too */
    int64_t first_time_ms;
};

#define ROOM (2 * CLIENT_WINDOW)

/* --- from a command to words --------------------------------------------------------------------
 */

struct words {
    const char *word[24];
    uint32_t count;
    char number[8][24];
    uint32_t numbers;
};

static void add_word(struct words *words, const char *word)
{
    assert(words->count < 24);
    words->word[words->count++] = word;
}

static void add_number(struct words *words, uint64_t number)
{
    assert(words->numbers < 8);
    snprintf(words->number[words->numbers], 24, "%llu", (unsigned long long)number);
    add_word(words, words->number[words->numbers++]);
}

static void add_item(const struct history_command *command, struct words *words)
{
    add_word(words, "ITEM");
    add_word(words, command->verb == VERB_ITEM_SET ? "SET" : "TAG");
    add_number(words, command->target);
    if (command->verb == VERB_ITEM_TAG)
        add_word(words, command->tags);
    if (command->has_creator) {
        add_word(words, "CREATOR");
        add_number(words, command->creator);
    }
    if (command->has_duration) {
        add_word(words, "DURATION");
        add_number(words, command->duration_ms);
    }
    if (command->published_ms > 0) {
        add_word(words, "PUBLISHED");
        add_number(words, (uint64_t)command->published_ms);
    }
}

static void add_act(const struct history_command *command, struct words *words)
{
    add_word(words, verb_info((enum verb)command->verb)->name);
    add_number(words, command->account);
    add_number(words, command->target);
    if (command->verb == VERB_VIEW) {
        add_number(words, command->watch_ms);
        add_number(words, command->duration_ms);
    }
}

static void make_words(const struct history_command *command, struct words *words)
{
    memset(words, 0, sizeof *words);
    if (command->verb == VERB_ITEM_SET || command->verb == VERB_ITEM_TAG) {
        add_item(command, words);
    } else if (command->verb == VERB_ACCOUNT_SET) {
        add_word(words, "ACCOUNT");
        add_word(words, "SET");
        add_number(words, command->account);
    } else {
        add_act(command, words);
    }
    add_word(words, "OPID");
    add_word(words, command->opid);
    add_word(words, "CTX");
    add_word(words, "SOURCE");
    add_word(words, source_name(SOURCE_IMPORT));
    if (command->time_ms > 0) {
        add_word(words, "TIME");
        add_number(words, (uint64_t)command->time_ms);
    }
}

/* --- the window ---------------------------------------------------------------------------------
 */

static void push(struct import *import, const struct history_command *command)
{
    assert(import->count < ROOM);
    if (import->count == 0)
        import->asked_us = progress_now_us();
    import->window[(import->first + import->count) % ROOM] = *command;
    import->count++;
}

static struct history_command pop(struct import *import)
{
    struct history_command command = import->window[import->first];

    assert(import->count > 0);
    import->first = (import->first + 1) % ROOM;
    import->count--;
    return command;
}

static void note_refusal(struct import_result *result, const char *text, size_t size)
{
    size_t code_size = 0;

    if (result->first_refusal[0] == '\0')
        snprintf(result->first_refusal, sizeof result->first_refusal, "%.*s",
                 (int)(size < 240 ? size : 240), text);
    while (code_size < size && code_size < 15 && text[code_size] != ' ')
        code_size++;
    for (uint32_t i = 0; i < IMPORT_CODES_MAX; i++) {
        if (result->refusal[i].count == 0)
            memcpy(result->refusal[i].code, text, code_size);
        if (strlen(result->refusal[i].code) != code_size ||
            memcmp(result->refusal[i].code, text, code_size) != 0)
            continue;
        result->refusal[i].count++;
        return;
    }
}

/* Comes back later with the same id: it certainly did not happen, or nobody knows. */
static bool is_passing(const struct client_value *value)
{
    return client_is_error(value, "BUSY") || client_is_error(value, "NOSPACE") ||
           client_is_error(value, "UNKNOWN") || client_is_error(value, "STOPPING") ||
           client_is_error(value, "READONLY") || client_is_error(value, "NOMEMORY");
}

/* Tags that overtook their item: it was BUSY, and waits to be asked again. */
static bool overtook(const struct import *import, const struct history_command *command,
                     const struct client_value *value)
{
    if (command->verb != VERB_ITEM_TAG || !client_is_error(value, "NOITEM"))
        return false;
    for (uint32_t i = 0; i < import->count; i++) {
        const struct history_command *other = &import->window[(import->first + i) % ROOM];

        if (other->verb == VERB_ITEM_SET && other->target == command->target)
            return true;
    }
    return false;
}

static enum status take_answer(struct import *import, const struct client_value *value,
                               char message[CLIENT_MESSAGE])
{
    struct history_command command = pop(import);
    struct import_tally *tally = &import->result->verb[command.verb];

    import->answered_us = progress_now_us();
    if (is_passing(value) || overtook(import, &command, value)) {
        import->result->retried++;
        import->pause_until_us = progress_now_us() + PAUSE_US;
        client_again(import->client);
        push(import, &command);
        return STATUS_OK;
    }
    if (client_is_error(value, "NOAUTH") || client_is_error(value, "NOPERM")) {
        snprintf(message, CLIENT_MESSAGE, "%.*s", (int)(value->size < 240 ? value->size : 240),
                 value->text);
        return STATUS_NOAUTH;
    }
    if (command.time_ms > import->result->time_ms)
        import->result->time_ms = command.time_ms;
    if (value->kind != CLIENT_INTEGER) {
        tally->refused++;
        note_refusal(import->result, value->text != NULL ? value->text : "?",
                     value->text != NULL ? value->size : 1);
        return STATUS_OK;
    }
    if (value->integer != 0)
        tally->applied++;
    else
        tally->unchanged++;
    if (import->watch != NULL && import->watch->answered != NULL)
        import->watch->answered(import->watch->argument, &command, value->integer != 0);
    return STATUS_OK;
}

/* --- what comes next ----------------------------------------------------------------------------
 */

static void read_next(struct import *import)
{
    struct import_result *result = import->result;
    char message[HISTORY_MESSAGE];

    while (!import->has_next && !import->ended) {
        enum status status = history_next(import->history, &import->next, message);

        history_progress(import->history, &result->read);
        if (status != STATUS_OK) {
            result->bad_rows++;
            if (result->first_refusal[0] == '\0')
                snprintf(result->first_refusal, sizeof result->first_refusal, "%s", message);
        } else if (import->next.verb == VERB_COUNT ||
                   (import->options->limit > 0 && result->read.rows > import->options->limit)) {
            if (import->next.verb != VERB_COUNT)
                result->read.rows = import->options->limit; /* the row too many is not played */
            import->ended = true;
        } else {
            import->has_next = true;
        }
    }
}

/* Microseconds until the next command is due; 0: now. */
static int64_t wait_us(struct import *import)
{
    int64_t now_us = progress_now_us(), due_us;

    if (now_us < import->pause_until_us)
        return import->pause_until_us - now_us;
    if (import->options->speed <= 0 || import->next.time_ms == 0)
        return 0;
    if (import->first_time_ms == 0) {
        import->first_time_ms = import->next.time_ms;
        import->start_us = now_us; /* what came before had no time of its own */
    }
    due_us = import->start_us + (int64_t)((double)(import->next.time_ms - import->first_time_ms) *
                                          1000 / import->options->speed);
    return due_us > now_us ? due_us - now_us : 0;
}

/* Fills the window; returns how long the next turn may wait for answers. */
static int fill(struct import *import)
{
    struct words words;
    int64_t us;

    for (;;) {
        read_next(import);
        if (!import->has_next || import->count >= CLIENT_WINDOW)
            return TURN_MS;
        if ((us = wait_us(import)) > 0)
            return us > TURN_MS * 1000 ? TURN_MS : (int)(us / 1000) + 1;
        make_words(&import->next, &words);
        client_add(import->client, words.word, words.count);
        push(import, &import->next);
        import->result->commands++;
        import->has_next = false;
    }
}

/* --- the connection -----------------------------------------------------------------------------
 */

static void sleep_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static bool watch_turn(struct import *import)
{
    return import->watch == NULL || import->watch->turn == NULL ||
           import->watch->turn(import->watch->argument, import->result);
}

/* Since when nothing has come that is owed. */
static int64_t waits_since(const struct import *import)
{
    return import->asked_us > import->answered_us ? import->asked_us : import->answered_us;
}

static enum status reconnect(struct import *import, char message[CLIENT_MESSAGE])
{
    int64_t until_us = waits_since(import) + (int64_t)import->options->retry_seconds * 1000000;
    enum status status = STATUS_UNKNOWN;

    import->result->reconnects++;
    for (long ms = 20; progress_now_us() < until_us && watch_turn(import);
         ms = ms < 1000 ? ms * 2 : 1000) {
        sleep_ms(ms);
        status = client_connect(import->client, message);
        if (status != STATUS_UNKNOWN)
            break;
    }
    import->connected_us = progress_now_us();
    return status;
}

static enum status take_answers(struct import *import, char message[CLIENT_MESSAGE])
{
    const struct client_value *values;
    enum status status;

    while ((status = client_take(import->client, &values)) == STATUS_OK)
        if ((status = take_answer(import, values, message)) != STATUS_OK)
            return status;
    return status == STATUS_BUSY ? STATUS_OK : status;
}

static bool is_silent(const struct import *import)
{
    int64_t since_us = waits_since(import);

    if (since_us < import->connected_us)
        since_us = import->connected_us;
    return import->count > 0 && progress_now_us() - since_us > SILENT_US;
}

static enum status play(struct import *import, char message[CLIENT_MESSAGE])
{
    enum status status = STATUS_OK;

    while (status == STATUS_OK) {
        int timeout_ms = fill(import);

        if (import->ended && !import->has_next && import->count == 0)
            return STATUS_OK;
        if (!watch_turn(import))
            return STATUS_OK;
        status = client_turn(import->client, timeout_ms, message);
        if (status == STATUS_OK)
            status = take_answers(import, message);
        if (status == STATUS_OK && is_silent(import)) {
            snprintf(message, CLIENT_MESSAGE, "%s does not answer", import->options->to);
            status = STATUS_UNKNOWN;
        }
        if (status == STATUS_PROTO)
            snprintf(message, CLIENT_MESSAGE, "what %s answers is not RESP", import->options->to);
        if (status == STATUS_UNKNOWN || status == STATUS_PROTO)
            status = reconnect(import, message);
    }
    return status;
}

/* One small question first: a node that wants credentials says so at once, not once a row. */
static enum status ask_to_come_in(struct import *import, char message[CLIENT_MESSAGE])
{
    const struct client_value *reply;
    enum status status = client_call(import->client, (const char *[]){"SEQ"}, 1, &reply, message);

    if (status != STATUS_OK || reply->kind != CLIENT_ERROR)
        return status;
    snprintf(message, CLIENT_MESSAGE, "%.*s", (int)(reply->size < 240 ? reply->size : 240),
             reply->text);
    return client_is_error(reply, "NOAUTH") || client_is_error(reply, "NOPERM") ? STATUS_NOAUTH
                                                                                : STATUS_INTERNAL;
}

enum status import_run(const struct import_options *options, const struct import_watch *watch,
                       struct import_result *result, char message[CLIENT_MESSAGE])
{
    struct import *import = calloc(1, sizeof *import);
    int64_t start_us = progress_now_us();
    enum status status;

    if (import == NULL)
        abort();
    memset(result, 0, sizeof *result);
    import->options = options;
    import->watch = watch;
    import->result = result;
    status = history_open(options->format, options->path, &import->history, message);
    if (status == STATUS_OK)
        status = client_open(options->to, options->name, options->key, &import->client, message);
    if (status == STATUS_OK)
        status = ask_to_come_in(import, message);
    import->answered_us = progress_now_us();
    if (status == STATUS_OK)
        status = play(import, message);
    result->seconds = (double)(progress_now_us() - start_us) / 1e6;
    client_close(import->client);
    history_close(import->history);
    free(import);
    return status;
}

uint64_t import_refused(const struct import_result *result)
{
    uint64_t refused = result->bad_rows;

    for (uint32_t i = 0; i < VERB_COUNT; i++)
        refused += result->verb[i].refused;
    return refused;
}
