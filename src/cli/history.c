#include "cli/history.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "cli/lines.h"
#include "cli/moment.h"
#include "schema/request.h"
#include "schema/tags.h"

/* The columns of each file, by the names its makers gave them. */
enum { VIDEO_ID, VIDEO_AUTHOR, VIDEO_DURATION, VIDEO_UPLOAD, VIDEO_TAG };
static const char *const video_columns[] = {"video_id",  "author_id", "video_duration",
                                            "upload_dt", "tag",       NULL};

enum { USER_ID };
static const char *const user_columns[] = {"user_id", NULL};

enum {
    ROW_TIME,
    ROW_USER,
    ROW_VIDEO,
    ROW_AUTHOR,
    ROW_CLICK,
    ROW_LIKE,
    ROW_FOLLOW,
    ROW_COMMENT,
    ROW_FORWARD,
    ROW_HATE,
    ROW_PLAY,
    ROW_DURATION
};
static const char *const row_columns[] = {
    "time_ms",    "user_id",    "video_id", "author_id",    "is_click",    "is_like", "is_follow",
    "is_comment", "is_forward", "is_hate",  "play_time_ms", "duration_ms", NULL};

enum {
    TSV_VERB,
    TSV_ACCOUNT,
    TSV_TARGET,
    TSV_WATCH,
    TSV_DURATION,
    TSV_TIME,
    TSV_CREATOR,
    TSV_OPID,
    TSV_PUBLISHED,
    TSV_TAGS
};
static const char *const tsv_columns[] = {"verb",         "account", "target",  "watch_ms",
                                          "duration_ms",  "time_ms", "creator", "opid",
                                          "published_ms", "tags",    NULL};

enum file_kind { FILE_VIDEOS, FILE_USERS, FILE_ROWS, FILE_TSV };

struct file {
    enum file_kind kind;
    const char *name; /* within the directory */
    const char *const *columns;
    uint32_t required;
    bool optional;
};

static const struct file kuairand_files[] = {
    {FILE_VIDEOS, "videos.tsv", video_columns, 1, true},
    {FILE_USERS, "accounts.tsv", user_columns, 1, true},
    {FILE_ROWS, "impressions.tsv", row_columns, 12, false},
};
static const struct file tsv_file = {FILE_TSV, NULL, tsv_columns, 3, false};

#define FILES_MAX        3
#define ROW_COMMANDS_MAX 6

struct history {
    const struct file *file[FILES_MAX];
    struct lines *lines[FILES_MAX];
    uint32_t file_count, at; /* which file is being read */
    uint64_t rows, registered;
    /* What the last row became, and how much of it was given out. */
    struct history_command ready[ROW_COMMANDS_MAX];
    uint32_t ready_count, ready_at;
};

/* --- words to numbers ---------------------------------------------------------------------------
 */

static bool read_id(const char *text, uint64_t *id)
{
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *id = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool read_flag(const char *text, bool *flag)
{
    *flag = text[0] == '1';
    return (text[0] == '0' || text[0] == '1') && text[1] == '\0';
}

/* Milliseconds, also as 1.08763e+06; more than a day counts as a day. */
static bool read_ms(const char *text, uint32_t *ms)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= 0))
        return false;
    *ms = value > REQUEST_MS_MAX ? REQUEST_MS_MAX : (uint32_t)(value + 0.5);
    return true;
}

static bool read_tags(const char *text, char tags[HISTORY_TAGS])
{
    struct tag tag[TAGS_MAX];

    if (tags_read(text, strlen(text), tag) == 0)
        return false;
    assert(strlen(text) < HISTORY_TAGS);
    snprintf(tags, HISTORY_TAGS, "%s", text);
    return true;
}

/* --- operation ids ------------------------------------------------------------------------------
 */

/* A UUID of version 8 (RFC 9562: bits of one's own choosing): SHA-256 of file, row number, verb and
 * the row's bytes. The version keeps it apart from ids that carry a time. */
static void make_opid(const struct history *history, enum verb verb, char opid[40])
{
    const struct lines *lines = history->lines[history->at];
    uint8_t hash[DIGEST_BYTES];
    char head[96];
    size_t size;
    const char *line = lines_text(lines, &size);
    int head_size = snprintf(head, sizeof head, "zan import %d %llu %s\n",
                             (int)history->file[history->at]->kind,
                             (unsigned long long)lines_number(lines), verb_info(verb)->name);

    digest_sha256(head, (size_t)head_size, line, size, hash);
    hash[6] = (uint8_t)(0x80 | (hash[6] & 0x0F));
    hash[8] = (uint8_t)(0x80 | (hash[8] & 0x3F));
    for (int i = 0, at = 0; i < 16; i++)
        at += snprintf(opid + at, (size_t)(40 - at), "%s%02x",
                       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", hash[i]);
}

static struct history_command *add(struct history *history, enum verb verb)
{
    struct history_command *command;

    assert(history->ready_count < ROW_COMMANDS_MAX);
    command = &history->ready[history->ready_count++];
    memset(command, 0, sizeof *command);
    command->verb = (uint16_t)verb;
    make_opid(history, verb, command->opid);
    return command;
}

/* --- KuaiRand -----------------------------------------------------------------------------------
 */

/* What is not known of a video is left out: its day of upload (taken as midnight UTC, as the files'
 * own column in nanoseconds has it), its tags ("unknown"). */
static const char *video_row(struct history *history, const struct lines *lines)
{
    const char *upload = lines_field(lines, VIDEO_UPLOAD), *tags = lines_field(lines, VIDEO_TAG);
    struct history_command *command;
    uint64_t item, creator;
    uint32_t duration_ms;
    int64_t upload_us = 0;

    if (!read_id(lines_field(lines, VIDEO_ID), &item))
        return "video_id is no id";
    if (upload[0] != '\0' && !moment_read(upload, &upload_us))
        return "upload_dt is no day";
    command = add(history, VERB_ITEM_SET);
    command->published_ms = upload_us / 1000;
    command->target = item;
    if (read_id(lines_field(lines, VIDEO_AUTHOR), &creator)) {
        command->has_creator = true;
        command->creator = creator;
    }
    /* 239 of them are empty: then the duration stays unknown. */
    if (read_ms(lines_field(lines, VIDEO_DURATION), &duration_ms)) {
        command->has_duration = true;
        command->duration_ms = duration_ms;
    }
    if (tags[0] == '\0' || strcmp(tags, "unknown") == 0)
        return NULL;
    command = add(history, VERB_ITEM_TAG);
    command->target = item;
    return read_tags(tags, command->tags) ? NULL : "tag is not 1 to 8 tags between commas";
}

static const char *user_row(struct history *history, const struct lines *lines)
{
    uint64_t account;

    if (!read_id(lines_field(lines, USER_ID), &account))
        return "user_id is no id";
    add(history, VERB_ACCOUNT_SET)->account = account;
    return NULL;
}

static void add_event(struct history *history, enum verb verb, uint64_t account, uint64_t target,
                      int64_t time_ms)
{
    struct history_command *command = add(history, verb);

    command->account = account;
    command->target = target;
    command->time_ms = time_ms;
}

/* One video shown to one viewer. A click, or any time played, is a VIEW; then what the viewer did
 * with it. "Hate" (the platform's "not interested") is our SKIP: a private signal, no report. */
static const char *impression_row(struct history *history, const struct lines *lines)
{
    uint64_t time_ms, account, item, author;
    uint32_t watch_ms, duration_ms;
    bool click, flag[5];
    static const struct {
        int column;
        enum verb verb;
    } marks[5] = {{ROW_LIKE, VERB_LIKE},
                  {ROW_FOLLOW, VERB_FOLLOW},
                  {ROW_COMMENT, VERB_COMMENT},
                  {ROW_FORWARD, VERB_SHARE},
                  {ROW_HATE, VERB_SKIP}};

    if (!read_id(lines_field(lines, ROW_TIME), &time_ms) || time_ms > INT64_MAX)
        return "time_ms is no time";
    if (!read_id(lines_field(lines, ROW_USER), &account) ||
        !read_id(lines_field(lines, ROW_VIDEO), &item) ||
        !read_id(lines_field(lines, ROW_AUTHOR), &author))
        return "user_id, video_id or author_id is no id";
    if (!read_ms(lines_field(lines, ROW_PLAY), &watch_ms) ||
        !read_ms(lines_field(lines, ROW_DURATION), &duration_ms))
        return "play_time_ms or duration_ms is no number";
    if (!read_flag(lines_field(lines, ROW_CLICK), &click))
        return "is_click is not 0 or 1";
    for (int i = 0; i < 5; i++)
        if (!read_flag(lines_field(lines, (uint32_t)marks[i].column), &flag[i]))
            return "an is_ column is not 0 or 1";
    if (click || watch_ms > 0) {
        add_event(history, VERB_VIEW, account, item, (int64_t)time_ms);
        history->ready[0].watch_ms = watch_ms;
        history->ready[0].duration_ms = duration_ms;
    }
    for (int i = 0; i < 5; i++)
        if (flag[i])
            add_event(history, marks[i].verb, account, marks[i].verb == VERB_FOLLOW ? author : item,
                      (int64_t)time_ms);
    return NULL;
}

/* --- our own form -------------------------------------------------------------------------------
 */

static enum verb verb_named(const char *name)
{
    for (uint32_t i = 0; i < VERB_COUNT; i++)
        if (verb_table[i].group == GROUP_WRITE && strcasecmp(verb_table[i].name, name) == 0)
            return (enum verb)i;
    return VERB_COUNT;
}

static bool is_opid(const char *text)
{
    size_t size = strlen(text);

    for (size_t i = 0; i < size; i++)
        if (!isgraph((unsigned char)text[i]))
            return false;
    return size > 0 && size < 40;
}

static const char *tsv_row(struct history *history, const struct lines *lines)
{
    enum verb verb = verb_named(lines_field(lines, TSV_VERB));
    struct history_command made = {0}, *command;
    const char *opid = lines_field(lines, TSV_OPID), *creator = lines_field(lines, TSV_CREATOR);
    const char *watch = lines_field(lines, TSV_WATCH), *duration = lines_field(lines, TSV_DURATION);
    const char *time = lines_field(lines, TSV_TIME), *tags = lines_field(lines, TSV_TAGS);
    const char *published = lines_field(lines, TSV_PUBLISHED);
    uint64_t time_ms = 0, published_ms = 0;

    if (verb == VERB_COUNT || verb == VERB_ACT || verb == VERB_ITEM_STATE ||
        verb == VERB_ACCOUNT_STATE)
        return "verb is not one that can be imported";
    if (verb != VERB_ITEM_SET && verb != VERB_ITEM_TAG &&
        !read_id(lines_field(lines, TSV_ACCOUNT), &made.account))
        return "account is no id";
    if (verb != VERB_ACCOUNT_SET && !read_id(lines_field(lines, TSV_TARGET), &made.target))
        return "target is no id";
    if (watch[0] != '\0' && !read_ms(watch, &made.watch_ms))
        return "watch_ms is no number";
    if (duration[0] != '\0' && !read_ms(duration, &made.duration_ms))
        return "duration_ms is no number";
    if (time[0] != '\0' && (!read_id(time, &time_ms) || time_ms > INT64_MAX))
        return "time_ms is no time";
    if (creator[0] != '\0' && !read_id(creator, &made.creator))
        return "creator is no id";
    if (published[0] != '\0' && (!read_id(published, &published_ms) || published_ms > INT64_MAX))
        return "published_ms is no time";
    if (verb == VERB_ITEM_TAG && !read_tags(tags, made.tags))
        return "tags are not 1 to 8 tags between commas";
    if (opid[0] != '\0' && !is_opid(opid))
        return "opid is not 1 to 39 printable bytes";
    command = add(history, verb);
    memcpy(made.opid, command->opid, sizeof made.opid);
    made.verb = command->verb;
    made.time_ms = (int64_t)time_ms;
    made.published_ms = (int64_t)published_ms;
    made.has_creator = creator[0] != '\0';
    made.has_duration = duration[0] != '\0';
    if (opid[0] != '\0')
        snprintf(made.opid, sizeof made.opid, "%s", opid);
    *command = made;
    return NULL;
}

/* --- the row of files ---------------------------------------------------------------------------
 */

static enum status open_file(struct history *history, const struct file *file, const char *path,
                             char message[HISTORY_MESSAGE])
{
    uint32_t at = history->file_count;
    enum status status =
        lines_open(path, file->columns, file->required, &history->lines[at], message);

    if (status == STATUS_IOFAIL && file->optional)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    history->file[at] = file;
    history->file_count++;
    return STATUS_OK;
}

enum status history_open(const char *format, const char *path, struct history **result,
                         char message[HISTORY_MESSAGE])
{
    struct history *history = calloc(1, sizeof *history);
    enum status status = STATUS_OK;
    char whole[600];

    if (history == NULL)
        abort();
    if (strcmp(format, "tsv") == 0)
        status = open_file(history, &tsv_file, path, message);
    for (uint32_t i = 0; i < 3 && status == STATUS_OK && strcmp(format, "kuairand") == 0; i++) {
        snprintf(whole, sizeof whole, "%.500s/%s", path, kuairand_files[i].name);
        status = open_file(history, &kuairand_files[i], whole, message);
    }
    if (status != STATUS_OK) {
        history_close(history);
        return status;
    }
    *result = history;
    return STATUS_OK;
}

void history_close(struct history *history)
{
    if (history == NULL)
        return;
    for (uint32_t i = 0; i < history->file_count; i++)
        lines_close(history->lines[i]);
    free(history);
}

/* Turns the row just read into commands; NULL or what is wrong with it. */
static const char *take_row(struct history *history)
{
    const struct lines *lines = history->lines[history->at];

    switch (history->file[history->at]->kind) {
    case FILE_VIDEOS:
        return video_row(history, lines);
    case FILE_USERS:
        return user_row(history, lines);
    case FILE_ROWS:
        return impression_row(history, lines);
    case FILE_TSV:
        return tsv_row(history, lines);
    }
    return "no such file";
}

static void count_row(struct history *history)
{
    enum file_kind kind = history->file[history->at]->kind;

    if (kind == FILE_VIDEOS || kind == FILE_USERS)
        history->registered++;
    else
        history->rows++;
}

static enum status bad_row(struct history *history, const char *what, char message[HISTORY_MESSAGE])
{
    const struct file *file = history->file[history->at];

    history->ready_count = 0;
    snprintf(message, HISTORY_MESSAGE, "%s:%llu: %s", file->name != NULL ? file->name : "row",
             (unsigned long long)lines_number(history->lines[history->at]), what);
    return STATUS_BADDATA;
}

enum status history_next(struct history *history, struct history_command *command,
                         char message[HISTORY_MESSAGE])
{
    const char *wrong;

    while (history->ready_at == history->ready_count) {
        history->ready_at = history->ready_count = 0;
        if (history->at == history->file_count) {
            command->verb = VERB_COUNT;
            return STATUS_OK;
        }
        switch (lines_next(history->lines[history->at], message)) {
        case LINES_END:
            history->at++;
            break;
        case LINES_BAD:
            count_row(history);
            return STATUS_BADDATA;
        case LINES_ROW:
            count_row(history);
            if ((wrong = take_row(history)) != NULL)
                return bad_row(history, wrong, message);
        }
    }
    *command = history->ready[history->ready_at++];
    return STATUS_OK;
}

void history_progress(const struct history *history, struct history_progress *progress)
{
    memset(progress, 0, sizeof *progress);
    progress->rows = history->rows;
    progress->registered = history->registered;
    for (uint32_t i = 0; i < history->file_count; i++) {
        progress->whole += lines_whole(history->lines[i]);
        if (i < history->at)
            progress->done += lines_whole(history->lines[i]);
        else if (i == history->at)
            progress->done += lines_done(history->lines[i]);
    }
}
