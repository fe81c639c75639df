#include "cli/running.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/console.h"
#include "cli/progress.h"

/* --- signals -----------------------------------------------------------------------------------
 */

static void read_keys_again(struct running *running)
{
    char message[256] = "";

    if (node_reload(running->node, message) != STATUS_OK)
        fprintf(stderr, "zan: keys not read again: %s\n", message);
    else
        fprintf(stderr, "zan: keys read again\n");
}

static void *watch_signals(void *argument)
{
    struct running *running = argument;
    int number;

    /* Ended by a signal of its own: a thread that is cancelled unwinds past what sanitizers watch.
     */
    for (;;) {
        if (sigwait(&running->set, &number) != 0)
            continue;
        if (atomic_load(&running->ending))
            return NULL;
        if (number == SIGHUP) {
            read_keys_again(running);
            continue;
        }
        if (atomic_exchange(&running->stopping, true))
            _exit(128 + number); /* the second one means it */
        node_stop(running->node);
    }
}

/* Before the node starts threads: they inherit the mask, and only the watcher gets signals. */
static void block_signals(struct running *running)
{
    sigemptyset(&running->set);
    sigaddset(&running->set, SIGTERM);
    sigaddset(&running->set, SIGINT);
    sigaddset(&running->set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &running->set, NULL);
}

static void unblock_signals(struct running *running)
{
    pthread_sigmask(SIG_UNBLOCK, &running->set, NULL);
}

/* --- systemd -----------------------------------------------------------------------------------
 */

static bool notify_address(struct sockaddr_un *address, socklen_t *address_size)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t size;

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        (size = strlen(path)) >= sizeof address->sun_path)
        return false;
    memcpy(address->sun_path, path, size);
    if (path[0] == '@')
        address->sun_path[0] = '\0'; /* an abstract name */
    *address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    return true;
}

/* Opened at once: later no socket may be made. */
static int notify_open(void)
{
    struct sockaddr_un address;
    socklen_t size;

    return notify_address(&address, &size) ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
}

/* --- start -------------------------------------------------------------------------------------
 */

/* HOST:PORT as configured, with the port that was really bound. */
static void bound_address(char bound[CONFIG_TEXT + 8], const char *configured, uint16_t port)
{
    char host[CONFIG_TEXT];
    uint16_t asked;

    bound[0] = '\0';
    if (!config_address(configured, host, &asked))
        return;
    if (strchr(host, ':') != NULL)
        snprintf(bound, CONFIG_TEXT + 8, "[%.200s]:%u", host, port);
    else
        snprintf(bound, CONFIG_TEXT + 8, "%.200s:%u", host, port);
}

static void warn_of_sync(const char *sync)
{
    if (strcmp(sync, "none") == 0)
        fprintf(stderr, "zan: WARNING: sync is none: a power cut LOSES the last seconds of "
                        "acknowledged writes\n");
    else if (strncmp(sync, "group:", 6) == 0)
        fprintf(stderr,
                "zan: note: sync is %s: as safe as always, but an answer may wait %s ms "
                "longer\n",
                sync, sync + 6);
}

/* Confined twice: files before there are threads, calls when all is open. */
static enum status confine_calls(struct running *running, char message[CONFIG_MESSAGE])
{
    const struct sandbox *sandbox = &running->sandbox;
    enum status status = sandbox_calls(&running->sandbox);

    if (status != STATUS_OK)
        snprintf(message, CONFIG_MESSAGE, "sandbox: %.240s", sandbox->message);
    node_tell_sandbox(running->node,
                      (uint8_t)((sandbox->privileges ? FACTS_SANDBOX_PRIVILEGES : 0) |
                                (sandbox->files ? FACTS_SANDBOX_FILES : 0) |
                                (sandbox->calls ? FACTS_SANDBOX_CALLS : 0)));
    return status;
}

static enum status open_and_start(struct running *running, bool quiet, char message[CONFIG_MESSAGE])
{
    struct progress progress;
    struct node_progress opening = {.argument = &progress, .report = progress_report};
    enum status status = node_check(&running->config, message);

    if (status != STATUS_OK)
        return status;
    status = sandbox_files(&running->sandbox, &running->config);
    if (status != STATUS_OK) {
        snprintf(message, CONFIG_MESSAGE, "sandbox: %.240s", running->sandbox.message);
        return status;
    }
    progress_begin(&progress, "opening", "records", quiet);
    status = node_open(&running->config, &opening, &running->node, &running->report);
    progress_end(&progress);
    if (status != STATUS_OK) {
        memcpy(message, running->report.message, CONFIG_MESSAGE);
        return status;
    }
    node_show(running->node, &console_site);
    status = node_start(running->node, message);
    if (status != STATUS_OK)
        node_close(running->node);
    return status;
}

enum status running_start(struct running *running, const struct config *config, bool quiet,
                          bool warn)
{
    char message[CONFIG_MESSAGE] = "";
    enum status status;

    memset(running, 0, sizeof *running);
    running->config = *config;
    running->notify_fd = notify_open();
    atomic_init(&running->stopping, false);
    atomic_init(&running->ending, false);
    if (warn)
        warn_of_sync(config->sync);
    block_signals(running);
    status = open_and_start(running, quiet, message);
    if (status != STATUS_OK) {
        fprintf(stderr, "zan: %s: %s\n", status_info(status)->code, message);
        unblock_signals(running);
        return status;
    }
    bound_address(running->resp, config->resp, node_resp_port(running->node));
    if (strcmp(config->http, "off") != 0)
        bound_address(running->http, config->http, node_http_port(running->node));
    if (pthread_create(&running->signals, NULL, watch_signals, running) != 0)
        abort();
    status = confine_calls(running, message);
    if (status != STATUS_OK) {
        char ignored[CONFIG_MESSAGE];

        fprintf(stderr, "zan: %s: %s\n", status_info(status)->code, message);
        running_stop(running);
        running_wait(running, ignored);
        running_end(running);
    } else if (warn && running->sandbox.message[0] != '\0') {
        fprintf(stderr, "zan: note: sandbox: %s\n", running->sandbox.message);
    }
    return status;
}

bool running_stopping(const struct running *running)
{
    return atomic_load(&running->stopping);
}

void running_stop(struct running *running)
{
    atomic_store(&running->stopping, true);
    node_stop(running->node);
}

enum status running_wait(struct running *running, char message[CONFIG_MESSAGE])
{
    return node_wait(running->node, message);
}

void running_end(struct running *running)
{
    atomic_store(&running->ending, true);
    pthread_kill(running->signals, SIGTERM);
    pthread_join(running->signals, NULL);
    node_close(running->node);
    unblock_signals(running);
}

/* --- what it says ------------------------------------------------------------------------------
 */

static void print_recovery(const struct node_report *report, FILE *out)
{
    char number[32];

    fprintf(out, "  log        %s records", progress_number(report->records, number));
    if (report->replayed > 0)
        fprintf(out, ", %s applied again", progress_number(report->replayed, number));
    if (report->torn_bytes > 0)
        fprintf(out, ", %s bytes of an unfinished batch cut off (never acknowledged)",
                progress_number(report->torn_bytes, number));
    fputc('\n', out);
    if (report->repaired_bytes > 0)
        fprintf(out, "  REPAIRED   %s bytes of one copy of the log, from the other\n",
                progress_number(report->repaired_bytes, number));
    if (report->signals_lost)
        fprintf(
            out,
            "  ANEW       rules and scoring: what they had seen lately was not found; likes are "
            "held until they have seen enough (mode risk-degraded)\n");
    if (report->rebuilt)
        fprintf(out, "  REBUILT    the store, from the log\n");
}

static const char *sync_text(const char *sync)
{
    if (strcmp(sync, "always") == 0)
        return "always: an answer means synced on both copies";
    if (strcmp(sync, "none") == 0)
        return "NONE: A POWER CUT LOSES THE LAST SECONDS";
    return sync;
}

static const char *sandbox_text(const struct sandbox *sandbox)
{
    if (sandbox->privileges && sandbox->files && sandbox->calls)
        return "on: only its own files, only the calls it needs";
    return sandbox->privileges || sandbox->files || sandbox->calls ? "NOT WHOLE" : "off";
}

/* What people decided stands before the setting, unless that was changed since. */
static void print_rules(const struct running *running, FILE *out)
{
    const struct node_report *report = &running->report;

    if (report->rules_version == 0 || report->setting_takes)
        fprintf(out, "  judged     policy %s, scoring %s\n", running->config.policy,
                running->config.trust);
    else
        fprintf(out, "  judged     policy %s, version %u as decided; scoring %s\n",
                report->rules_name, (unsigned)report->rules_version, running->config.trust);
    if (report->setting_takes)
        fprintf(out,
                "  RULES      the setting policy was changed: it takes the place of version %u, "
                "which people had decided; this is recorded\n",
                (unsigned)report->rules_version);
    if (report->rules_unreadable > 0)
        fprintf(out, "  RULES      an approved version cannot be read by this program: the setting "
                     "policy stands in\n");
}

void running_banner(const struct running *running, FILE *out)
{
    char host[CONFIG_TEXT];
    uint16_t port;

    fprintf(out,
            "zan %s is ready\n  resp       %s\n  http       %s%s\n  data       %s\n"
            "  sync       %s\n",
            ZAN_VERSION, running->resp, running->http[0] != '\0' ? "http://" : "off", running->http,
            running->config.data, sync_text(running->config.sync));
    if (running->http[0] != '\0' && console_site.count > 0)
        fprintf(out, "  pages      http://%s%s\n", running->http, SITE_ROOT);
    if (running->config.credentials[0] == '\0')
        fprintf(out, "  callers    everybody on this machine\n");
    else
        fprintf(out, "  callers    those in %s\n", running->config.credentials);
    if (config_has_admin(&running->config))
        fprintf(out, "  admin      resp %s, http %s\n", running->config.admin_resp,
                running->config.admin_http);
    print_rules(running, out);
    fprintf(out, "  sandbox    %s\n", sandbox_text(&running->sandbox));
    print_recovery(&running->report, out);
    if (config_address(running->resp, host, &port))
        fprintf(out, "  try        redis-cli%s%s -p %u LIKE 7 42\n",
                strcmp(host, "127.0.0.1") == 0 ? "" : " -h ",
                strcmp(host, "127.0.0.1") == 0 ? "" : host, port);
    fflush(out);
}

void running_notify(const struct running *running, const char *state)
{
    struct sockaddr_un address;
    socklen_t size;

    if (running->notify_fd < 0 || !notify_address(&address, &size))
        return;
    /* Not told is not a failure of ours: systemd will say that it waited in vain. */
    (void)!sendto(running->notify_fd, state, strlen(state), MSG_NOSIGNAL,
                  (struct sockaddr *)&address, size);
}
