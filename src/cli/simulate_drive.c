/* simulate_drive.c: a server of our own, the acts through its front door, what it shows.
 *
 * One connection, so that the server sees the acts in the order of their times; a window of them is
 * under way at once, and what each answer is for stands in a ring beside the client's own queue.
 * SIGINT and SIGTERM are blocked while a scene is played and asked after between acts: the server
 * and its directory must not stay behind. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/simulate.h"
#include "node/config.h"
#include "node/tree.h"
#include "schema/request.h"

#define WINDOW     (CLIENT_WINDOW - 8)
#define RING       1024
#define TURN_MS    1000
#define START_MS   60000
#define SILENT_MAX 60 /* turns without an answer */
#define WATCH_EACH 2048
#define ARGS_MAX   64

/* --- a server of its own ------------------------------------------------------------------------
 */

struct own {
    pid_t pid; /* 0: none */
    char dir[CONFIG_TEXT];
    char address[CONFIG_TEXT];
};

static void die_as_server(const char *const *words, int out, const char *log)
{
    char self[4096];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    int err = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    if (err >= 0)
        dup2(err, STDERR_FILENO);
    if (size > 0) {
        self[size] = '\0';
        execv(self, (char *const *)(uintptr_t)words);
    }
    _exit(127);
}

static pid_t spawn(const char *const *words, const char *log, int *out)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    if ((pid = fork()) == 0)
        die_as_server(words, ends[1], log);
    close(ends[1]);
    if (pid < 0)
        close(ends[0]);
    *out = ends[0];
    return pid;
}

/* Reads the banner up to its "resp" line; what follows fits into the pipe. */
static bool read_address(int out, char address[CONFIG_TEXT])
{
    char text[4096];
    size_t used = 0;
    ssize_t size;

    while (used < sizeof text - 1 && (size = read(out, text + used, sizeof text - 1 - used)) > 0) {
        char *at, *end;

        used += (size_t)size;
        text[used] = '\0';
        at = strstr(text, "  resp ");
        if (at == NULL || (end = strchr(at, '\n')) == NULL)
            continue;
        at += strspn(at + 7, " ") + 7;
        snprintf(address, CONFIG_TEXT, "%.*s", (int)(end - at), at);
        return true;
    }
    return false;
}

static void tell_last_words(const char *log, char message[DRIVE_MESSAGE])
{
    char text[400] = "";
    FILE *file = fopen(log, "r");
    size_t size = 0;

    if (file != NULL) {
        size = fread(text, 1, sizeof text - 1, file);
        fclose(file);
    }
    text[size] = '\0';
    text[strcspn(text, "\n")] = '\0';
    snprintf(message, DRIVE_MESSAGE, "the server did not start: %s", text);
}

static void end_own(struct own *own)
{
    int state;

    if (own->pid > 0) {
        kill(own->pid, SIGTERM);
        while (waitpid(own->pid, &state, 0) < 0 && errno == EINTR)
            ;
    }
    own->pid = 0;
}

/* Pseudonyms of places rest on a key that a server draws at its first start; another key, and other
 * places would share a row of a table of fixed size. So that a run can be repeated it finds one, in
 * the file that version 0.1.0 had. It hides nothing here. */
static void give_fixed_key(const char *data)
{
    static const char key[] = "zan simulate: this is no secret.";
    char path[CONFIG_TEXT + 40];
    FILE *file;

    static_assert(sizeof key - 1 == 32, "a key has 32 bytes");
    mkdir(data, 0700);
    snprintf(path, sizeof path, "%s/keys", data);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/keys/pseudonym.key", data);
    if ((file = fopen(path, "w")) == NULL)
        return; /* the server says why it cannot write there */
    fwrite(key, 1, sizeof key - 1, file);
    fclose(file);
    chmod(path, 0600);
}

static enum status start_own(struct own *own, const struct drive_options *options, int *out,
                             char message[DRIVE_MESSAGE])
{
    const char *root = getenv("TMPDIR");
    char data[CONFIG_TEXT + 8], log[CONFIG_TEXT + 8];
    const char *words[ARGS_MAX] = {"zan",         "serve",    "--data",   data,     "--resp",
                                   "127.0.0.1:0", "--http",   "off",      "--sync", "none",
                                   "--clock",     "requests", "--memory", "256MiB"};
    uint32_t count = 14;

    snprintf(own->dir, sizeof own->dir, "%.200s/zan-simulate-XXXXXX", root != NULL ? root : "/tmp");
    if (mkdtemp(own->dir) == NULL) {
        snprintf(message, DRIVE_MESSAGE, "%s: %s", own->dir, strerror(errno));
        own->dir[0] = '\0';
        return STATUS_IOFAIL;
    }
    snprintf(data, sizeof data, "%.240s/data", own->dir);
    snprintf(log, sizeof log, "%.240s/errors", own->dir);
    for (uint32_t i = 0; i < options->setting_count && count < ARGS_MAX - 1; i++)
        words[count++] = options->settings[i];
    give_fixed_key(data);
    own->pid = spawn(words, log, out);
    if (own->pid > 0 && read_address(*out, own->address))
        return STATUS_OK;
    end_own(own);
    tell_last_words(log, message);
    return STATUS_BADCONFIG;
}

/* zan verify of what the server left: 1 clean, 0 not. */
static int verify(const struct own *own)
{
    char data[CONFIG_TEXT + 8], log[CONFIG_TEXT + 8], ignored[4096];
    const char *words[] = {"zan", "verify", "--quiet", "--data", data, NULL};
    int out, state = -1;
    pid_t pid;

    snprintf(data, sizeof data, "%.240s/data", own->dir);
    snprintf(log, sizeof log, "%.240s/errors", own->dir);
    if ((pid = spawn(words, log, &out)) <= 0)
        return 0;
    while (read(out, ignored, sizeof ignored) > 0)
        ;
    close(out);
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

/* --- the reading of replies ---------------------------------------------------------------------
 */

static double number_of(const struct client_value *value)
{
    char text[40];

    if (value->kind == CLIENT_INTEGER)
        return (double)value->integer;
    if (value->kind != CLIENT_TEXT || value->size >= sizeof text)
        return 0;
    memcpy(text, value->text, value->size);
    text[value->size] = '\0';
    return strtod(text, NULL);
}

static bool named(const struct client_value *value, const char *name)
{
    return value->kind == CLIENT_TEXT && value->size == strlen(name) &&
           memcmp(value->text, name, value->size) == 0;
}

/* Numbers of a map within: by reason, whatever the reasons are called. */
static double sum_of(const struct client_value *values, uint32_t at)
{
    double sum = 0;

    for (uint32_t i = at + 1; i < values[at].next;) {
        uint32_t value = values[i].next;

        sum += number_of(&values[value]);
        i = values[value].next;
    }
    return sum;
}

static bool is_reasons(const struct client_value *key)
{
    return named(key, "reasons") || named(key, "by_reason");
}

static void read_views(const struct client_value *values, uint32_t at, struct counts *counts)
{
    for (uint32_t i = at + 1; values[at].kind == CLIENT_LIST && i < values[at].next;) {
        uint32_t value = values[i].next;

        if (named(&values[i], "credited")) {
            counts->views_credited = number_of(&values[value]);
            counts->weighed = true;
        }
        i = values[value].next;
    }
}

/* The one place that knows how COUNTS is answered (docs/protocol.md): a map whose keys may be
 * counters, the three numbers of a like, those of a view, and maps of them. */
static void read_map(const struct client_value *values, uint32_t at, struct counts *counts)
{
    for (uint32_t i = at + 1; values[at].kind == CLIENT_LIST && i < values[at].next;) {
        uint32_t key = i, value = values[key].next;

        if (named(&values[key], "view"))
            counts->views = number_of(&values[value]);
        else if (named(&values[key], "like") && !counts->three)
            counts->raw = number_of(&values[value]);
        else if (named(&values[key], "raw"))
            counts->raw = number_of(&values[value]);
        else if (named(&values[key], "valid"))
            counts->valid = number_of(&values[value]);
        else if (named(&values[key], "held"))
            counts->held = number_of(&values[value]);
        else if (named(&values[key], "quarantined"))
            counts->quarantined = number_of(&values[value]);
        else if (named(&values[key], "fading"))
            counts->fading = number_of(&values[value]);
        else if (named(&values[key], "frozen"))
            counts->frozen = number_of(&values[value]);
        else if (named(&values[key], "voided"))
            counts->voided = number_of(&values[value]);
        else if (is_reasons(&values[key]))
            counts->by_reason = sum_of(values, value);
        else if (named(&values[key], "credited")) {
            counts->credited = number_of(&values[value]);
            counts->three = true;
        }
        if (named(&values[key], "views"))
            read_views(values, value, counts);
        else if (values[value].kind == CLIENT_LIST && !is_reasons(&values[key]))
            read_map(values, value, counts);
        i = values[value].next;
    }
}

static struct counts counts_of(const struct client_value *values)
{
    struct counts counts = {0};

    read_map(values, 0, &counts);
    if (!counts.three)
        counts.valid = counts.credited = counts.raw; /* one number is all that is told */
    if (!counts.weighed)
        counts.views_credited = counts.views;
    return counts;
}

/* Of ACCOUNT GET and ITEM GET. */
static bool state_is(const struct client_value *values, const char *state)
{
    for (uint32_t i = 1; values[0].kind == CLIENT_LIST && i < values[0].next;) {
        uint32_t value = values[i].next;

        if (named(&values[i], "state"))
            return named(&values[value], state);
        i = values[value].next;
    }
    return false;
}

/* --- the play -----------------------------------------------------------------------------------
 */

enum asked {
    ASKED_ACT,
    ASKED_UNLIKE,
    ASKED_TICK,
    ASKED_SAMPLE,
    ASKED_ITEM,     /* counts of a watched item, at the end */
    ASKED_INNOCENT, /* its state */
    ASKED_CREATOR,
    ASKED_OWN_ITEM
};

struct question {
    uint8_t asked; /* enum asked */
    uint32_t at;
};

struct play {
    const struct scene *scene;
    const struct drive_watch *watch;
    struct shown *shown;
    struct client *client;
    struct question ring[RING];
    uint32_t first, count;
    uint32_t samples_asked;
    bool *changed; /* by place: creators, then own items, then innocent */
    char *message; /* DRIVE_MESSAGE */
};

struct words {
    const char *word[24];
    char number[10][32];
    uint32_t count, numbers;
};

static void add_word(struct words *words, const char *word)
{
    assert(words->count < 24);
    words->word[words->count++] = word;
}

static void add_number(struct words *words, const char *before, uint64_t number)
{
    assert(words->numbers < 10);
    snprintf(words->number[words->numbers], 32, "%s%llu", before, (unsigned long long)number);
    add_word(words, words->number[words->numbers++]);
}

static void add_context(struct words *words, int64_t time_ms, uint8_t source,
                        const struct place *place)
{
    add_word(words, "CTX");
    add_word(words, "TIME");
    add_number(words, "", (uint64_t)time_ms);
    if (source != SOURCE_NONE) {
        add_word(words, "SOURCE");
        add_word(words, source_name(source));
    }
    if (place->device == 0)
        return;
    add_word(words, "ADDRESS");
    snprintf(words->number[words->numbers], 32, "10.%u.%u.%u", place->address >> 16,
             place->address >> 8 & 255, place->address & 255);
    add_word(words, words->number[words->numbers++]);
    add_word(words, "DEVICE");
    add_number(words, "d", place->device);
    add_word(words, "NETWORK");
    add_number(words, "n", place->network);
}

static void make_words(const struct event *event, struct words *words)
{
    words->count = words->numbers = 0;
    if (event->kind == VERB_ITEM_SET) {
        add_word(words, "ITEM");
        add_word(words, "SET");
        add_number(words, "", event->target);
        add_word(words, "CREATOR");
        add_number(words, "", event->extra);
    } else if (event->kind == VERB_ACCOUNT_SET) {
        add_word(words, "ACCOUNT");
        add_word(words, "SET");
        add_number(words, "", event->account);
    } else {
        add_word(words, verb_info(event->kind)->name);
        add_number(words, "", event->account);
        add_number(words, "", event->target);
        if (event->kind == VERB_VIEW) {
            add_number(words, "", event->extra);
            add_word(words, "30000");
        }
    }
    add_context(words, event->time_ms, event->source, &event->place);
}

static void note_refusal(struct shown *shown, const struct client_value *value)
{
    size_t size = 0;

    shown->refused++;
    while (size < value->size && size < 15 && value->text[size] != ' ')
        size++;
    for (uint32_t i = 0; i < CODES_MAX; i++) {
        if (shown->refusal[i].count == 0)
            memcpy(shown->refusal[i].code, value->text, size);
        if (strlen(shown->refusal[i].code) != size ||
            memcmp(shown->refusal[i].code, value->text, size) != 0)
            continue;
        shown->refusal[i].count++;
        return;
    }
}

static void note_change(struct play *play, uint32_t place, uint64_t id, uint32_t *total)
{
    if (play->changed[place])
        return;
    play->changed[place] = true;
    if (*total == 0 && total == &play->shown->standings_changed)
        play->shown->first_changed = id;
    (*total)++;
}

static void take_one(struct play *play, const struct client_value *values)
{
    struct question question = play->ring[play->first];
    const struct scene *scene = play->scene;
    struct shown *shown = play->shown;

    assert(play->count > 0);
    play->first = (play->first + 1) % RING;
    play->count--;
    switch ((enum asked)question.asked) {
    case ASKED_UNLIKE:
        shown->refused_unlikes += values[0].kind == CLIENT_ERROR;
        /* fall through */
    case ASKED_ACT:
        if (values[0].kind == CLIENT_ERROR)
            note_refusal(shown, &values[0]);
        break;
    case ASKED_TICK:
        break;
    case ASKED_SAMPLE:
        shown->samples[question.at].counts = counts_of(values);
        break;
    case ASKED_ITEM:
        shown->items[question.at] = counts_of(values);
        break;
    case ASKED_CREATOR:
        shown->standings_checked++;
        if (!state_is(values, "active"))
            note_change(play, question.at, scene->creators.id[question.at],
                        &shown->standings_changed);
        break;
    case ASKED_OWN_ITEM:
        shown->standings_checked++;
        if (!state_is(values, "published"))
            note_change(play, scene->creators.count + question.at, scene->own_items.id[question.at],
                        &shown->standings_changed);
        break;
    case ASKED_INNOCENT:
        if (!state_is(values, "active"))
            note_change(play, scene->creators.count + scene->own_items.count + question.at,
                        scene->innocent.id[question.at], &shown->sanctioned);
        break;
    }
}

/* Takes answers until at most left are owed. */
static enum status settle(struct play *play, uint32_t left)
{
    const struct client_value *values;
    unsigned silent = 0;
    enum status status;

    while (play->count > left) {
        if ((status = client_turn(play->client, TURN_MS, play->message)) != STATUS_OK)
            return status;
        silent++;
        while ((status = client_take(play->client, &values)) == STATUS_OK) {
            take_one(play, values);
            silent = 0;
        }
        if (status != STATUS_BUSY || silent > SILENT_MAX) {
            snprintf(play->message, DRIVE_MESSAGE, "the server does not answer as RESP does");
            return STATUS_UNKNOWN;
        }
    }
    return STATUS_OK;
}

static enum status ask(struct play *play, const struct words *words, enum asked asked, uint32_t at)
{
    client_add(play->client, words->word, words->count);
    play->ring[(play->first + play->count) % RING] = (struct question){(uint8_t)asked, at};
    play->count++;
    return play->count < WINDOW ? STATUS_OK : settle(play, WINDOW / 2);
}

static enum status ask_of(struct play *play, const char *verb, const char *more, uint64_t id,
                          enum asked asked, uint32_t at)
{
    struct words words = {0};

    add_word(&words, verb);
    if (more != NULL)
        add_word(&words, more);
    add_number(&words, "", id);
    return ask(play, &words, asked, at);
}

/* An account of ours that does nothing but carry the time: a read has none. */
static enum status tick(struct play *play, int64_t time_ms)
{
    struct event event = {.time_ms = time_ms,
                          .kind = VERB_ACCOUNT_SET,
                          .account = play->scene->world.id_base + (1ULL << 39)};
    struct words words;

    make_words(&event, &words);
    return ask(play, &words, ASKED_TICK, 0);
}

static enum status sample(struct play *play, int64_t time_ms)
{
    uint32_t at = play->samples_asked++;
    enum status status = tick(play, time_ms);

    play->shown->samples[at].time_ms = time_ms;
    return status == STATUS_OK
               ? ask_of(play, "COUNTS", NULL, play->scene->victim.id, ASKED_SAMPLE, at)
               : status;
}

static enum status check(struct play *play, int64_t time_ms)
{
    const struct scene *scene = play->scene;
    enum status status = tick(play, time_ms);

    for (uint32_t i = 0; i < scene->creators.count && status == STATUS_OK; i++)
        status = ask_of(play, "ACCOUNT", "GET", scene->creators.id[i], ASKED_CREATOR, i);
    for (uint32_t i = 0; i < scene->own_items.count && status == STATUS_OK; i++)
        status = ask_of(play, "ITEM", "GET", scene->own_items.id[i], ASKED_OWN_ITEM, i);
    for (uint32_t i = 0; i < scene->innocent.count && status == STATUS_OK; i++)
        status = ask_of(play, "ACCOUNT", "GET", scene->innocent.id[i], ASKED_INNOCENT, i);
    return status;
}

static bool stop_asked(void)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1;
}

static enum status look_up(struct play *play, uint32_t done)
{
    if (!stop_asked() &&
        play->watch->turn(play->watch->argument,
                          (double)done / (double)(play->scene->world.events.count + 1), done))
        return STATUS_OK;
    snprintf(play->message, DRIVE_MESSAGE, "stopped");
    return STATUS_STOPPING;
}

static enum status play_events(struct play *play)
{
    const struct events *events = &play->scene->world.events;
    enum status status = STATUS_OK;

    for (uint32_t i = 0; i < events->count && status == STATUS_OK; i++) {
        const struct event *event = &events->event[i];
        struct words words;

        if (i % WATCH_EACH == 0 && (status = look_up(play, i)) != STATUS_OK)
            break;
        if (event->kind == EVENT_SAMPLE) {
            status = sample(play, event->time_ms);
        } else if (event->kind == EVENT_CHECK) {
            status = check(play, event->time_ms);
        } else {
            make_words(event, &words);
            status = ask(play, &words, event->kind == VERB_UNLIKE ? ASKED_UNLIKE : ASKED_ACT, 0);
            play->shown->acts++;
        }
    }
    for (uint32_t i = 0; i < play->scene->watched.count && status == STATUS_OK; i++)
        status = ask_of(play, "COUNTS", NULL, play->scene->watched.id[i], ASKED_ITEM, i);
    return status == STATUS_OK ? settle(play, 0) : status;
}

/* --- probing ------------------------------------------------------------------------------------
 */

#define SEEN_MAX 64

/* How often each answer was seen with each verdict. */
struct seen {
    char text[160];
    uint32_t count[2];
};

static enum status call(struct play *play, const char *verb, uint64_t account, uint64_t item,
                        const struct client_value **values)
{
    struct words words = {0};

    add_word(&words, verb);
    if (account > 0)
        add_number(&words, "", account);
    add_number(&words, "", item);
    return client_call(play->client, words.word, words.count, values, play->message);
}

static enum status call_event(struct play *play, const struct probe *probe,
                              const struct client_value **values)
{
    struct event event = {.time_ms = probe->time_ms,
                          .kind = VERB_LIKE,
                          .source = SOURCE_BUTTON,
                          .account = probe->person.id,
                          .target = probe->item,
                          .place = probe->person.home};
    struct words words;

    make_words(&event, &words);
    return client_call(play->client, words.word, words.count, values, play->message);
}

static void append(char text[160], const struct client_value *values)
{
    size_t used = strlen(text);

    if (values[0].kind == CLIENT_LIST && values[0].count > 0)
        values++;
    if (values[0].text != NULL)
        snprintf(text + used, 160 - used, "%.*s ", (int)(values[0].size < 20 ? values[0].size : 20),
                 values[0].text);
}

/* What an end user's app is told of a like: the answer, the state, the item's public count. What
 * the like is worth is asked of COUNTS, which is for the platform. */
static enum status probe_one(struct play *play, const struct probe *probe, char text[160],
                             int *verdict)
{
    const struct client_value *values;
    double credited, likes;
    enum status status;

    text[0] = '\0';
    if ((status = call(play, "COUNTS", 0, probe->item, &values)) != STATUS_OK)
        return status;
    credited = counts_of(values).credited;
    if ((status = call(play, "LIKES", 0, probe->item, &values)) != STATUS_OK)
        return status;
    likes = values[0].kind == CLIENT_LIST && values[0].count > 0 ? number_of(&values[1]) : 0;
    if ((status = call_event(play, probe, &values)) != STATUS_OK)
        return status;
    *verdict = values[0].kind == CLIENT_INTEGER && values[0].integer == 1 ? 0 : -1;
    append(text, values);
    if ((status = call(play, "LIKED", probe->person.id, probe->item, &values)) != STATUS_OK)
        return status;
    append(text, values);
    if ((status = call(play, "LIKES", 0, probe->item, &values)) != STATUS_OK)
        return status;
    if (values[0].kind == CLIENT_LIST && values[0].count > 0) {
        size_t used = strlen(text);

        snprintf(text + used, 160 - used, "%+.0f", number_of(&values[1]) - likes);
    }
    if ((status = call(play, "COUNTS", 0, probe->item, &values)) != STATUS_OK)
        return status;
    if (*verdict == 0 && counts_of(values).credited - credited >= 0.5)
        *verdict = 1;
    return STATUS_OK;
}

static void note_seen(struct seen seen[SEEN_MAX], const char *text, int verdict)
{
    for (uint32_t i = 0; i < SEEN_MAX; i++) {
        if (seen[i].text[0] == '\0')
            snprintf(seen[i].text, sizeof seen[i].text, "%s", text);
        if (strcmp(seen[i].text, text) != 0)
            continue;
        seen[i].count[verdict]++;
        return;
    }
}

/* The best guess there is knows how often each answer comes with each verdict; both verdicts are
 * taken as equally likely, so that guessing the commoner one is worth nothing. */
static double best_guess(const struct seen seen[SEEN_MAX])
{
    double total[2] = {0, 0}, right = 0;

    for (uint32_t i = 0; i < SEEN_MAX; i++)
        for (int verdict = 0; verdict < 2; verdict++)
            total[verdict] += seen[i].count[verdict];
    if (total[0] < 20 || total[1] < 20)
        return -1; /* all likes were judged the same: there is nothing to guess */
    for (uint32_t i = 0; i < SEEN_MAX; i++) {
        double counted = seen[i].count[1] / total[1], ignored = seen[i].count[0] / total[0];

        right += (counted > ignored ? counted : ignored) / 2;
    }
    return right;
}

static enum status play_probes(struct play *play)
{
    struct seen *seen = calloc(SEEN_MAX, sizeof *seen);
    enum status status = STATUS_OK;

    if (seen == NULL)
        abort();
    for (uint32_t i = 0; i < play->scene->probe_count && status == STATUS_OK; i++) {
        char text[160];
        int verdict;

        status = probe_one(play, &play->scene->probes[i], text, &verdict);
        if (status == STATUS_OK && verdict >= 0)
            note_seen(seen, text, verdict);
    }
    play->shown->guessed = best_guess(seen);
    free(seen);
    return status;
}

/* --- a run --------------------------------------------------------------------------------------
 */

static void shown_make(struct shown *shown, const struct scene *scene)
{
    uint32_t samples = 0;

    *shown = (struct shown){.guessed = -1, .verified = -1};
    for (uint32_t i = 0; i < scene->world.events.count; i++)
        samples += scene->world.events.event[i].kind == EVENT_SAMPLE;
    shown->sample_count = samples;
    shown->samples = calloc(samples + 1, sizeof *shown->samples);
    shown->items = calloc(scene->watched.count + 1, sizeof *shown->items);
    if (shown->samples == NULL || shown->items == NULL)
        abort();
}

void shown_free(struct shown *shown)
{
    free(shown->samples);
    free(shown->items);
    *shown = (struct shown){0};
}

static enum status play_scene(const struct scene *scene, const struct drive_options *options,
                              const char *address, const struct drive_watch *watch,
                              struct shown *shown, char message[DRIVE_MESSAGE])
{
    struct play *play = calloc(1, sizeof *play);
    enum status status;

    if (play == NULL)
        abort();
    *play = (struct play){.scene = scene, .watch = watch, .shown = shown, .message = message};
    play->changed =
        calloc(scene->creators.count + scene->own_items.count + scene->innocent.count + 1,
               sizeof *play->changed);
    if (play->changed == NULL)
        abort();
    status = client_open(address, options->name, options->key, &play->client, message);
    if (status == STATUS_OK) {
        status = play_events(play);
        if (status == STATUS_OK)
            status = play_probes(play);
        client_close(play->client);
    }
    free(play->changed);
    free(play);
    return status;
}

static enum status drive_own(const struct scene *scene, const struct drive_options *options,
                             const struct drive_watch *watch, struct shown *shown,
                             char message[DRIVE_MESSAGE])
{
    struct own own = {0};
    int out = -1;
    enum status status = start_own(&own, options, &out, message);

    if (status == STATUS_OK)
        status = play_scene(scene, options, own.address, watch, shown, message);
    end_own(&own);
    if (status == STATUS_OK && scene->verify)
        shown->verified = verify(&own);
    if (out >= 0)
        close(out);
    if (own.dir[0] != '\0')
        tree_remove(own.dir);
    return status;
}

enum status drive_scene(const struct scene *scene, const struct drive_options *options,
                        const struct drive_watch *watch, struct shown *shown,
                        char message[DRIVE_MESSAGE])
{
    sigset_t stops, before;
    enum status status;

    static_assert(DRIVE_MESSAGE >= CLIENT_MESSAGE, "a client's message fits");
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    sigprocmask(SIG_BLOCK, &stops, &before);
    message[0] = '\0';
    shown_make(shown, scene);
    if (options->to != NULL)
        status = play_scene(scene, options, options->to, watch, shown, message);
    else
        status = drive_own(scene, options, watch, shown, message);
    if (status != STATUS_OK)
        shown_free(shown);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
