/* bench_load.c: see bench_load.h. */
#include "cli/bench_load.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define INPUT_BYTES (256u << 10)
#define EVENTS_MAX  256
#define WAITING_MAX 4096 /* open loop: unanswered requests on one connection; a power of two */
#define SECOND_NS   1000000000ULL

/* One connection. */
struct lane {
    int fd;
    bool polled_out; /* EPOLLOUT is armed because the socket was full */
    bool dirty;      /* open loop: has something to send at the end of this turn */
    struct talk_reader reader;
    uint32_t waiting; /* requests sent and not answered */
    uint64_t sent_ns; /* closed loop: when the group was sent */
    uint64_t head;    /* open loop: answers so far; due[head % WAITING_MAX] is the next one's */
    uint64_t *due;
    char *out;
    size_t out_used, out_sent;
    char *in;
    size_t in_used;
};

struct load {
    const struct load_config *config;
    struct talk *talk;
    struct load_result *result;
    struct lane *lanes;
    uint32_t *dirty;
    uint32_t dirty_count;
    bool blocked; /* open loop: a request is due, but its lane is full: only an answer can help */
    size_t out_size;
    int epoll;
    uint64_t issued;
    uint64_t start_ns;
    uint64_t now_ms; /* wall clock, for Redis' scores */
};

static uint64_t clock_ns(clockid_t id)
{
    struct timespec time;

    clock_gettime(id, &time);
    return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_nsec;
}

static bool fail(struct load *load, const char *what, int error)
{
    snprintf(load->result->message, sizeof load->result->message, "%s%s%s", what,
             error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
    return false;
}

/* --- connecting ----------------------------------------------------------------------------------
 */

/* Splits host:port or [host]:port. */
static bool split_address(const char *address, char host[64], char port[8])
{
    const char *colon = strrchr(address, ':');
    const char *begin = address;
    const char *end = colon;

    if (colon == NULL || strlen(colon + 1) >= 8)
        return false;
    if (*begin == '[' && end > begin && end[-1] == ']') {
        begin++;
        end--;
    }
    if (end <= begin || end - begin >= 64)
        return false;
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return true;
}

int load_connect(const char *address, char message[256])
{
    char host[64];
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    int one = 1;
    int fd;

    if (!split_address(address, host, port) || getaddrinfo(host, port, &hints, &found) != 0) {
        snprintf(message, 256, "not an address: %.100s (expected 127.0.0.1:6390)", address);
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        snprintf(message, 256, "cannot connect to %.100s: %s", address, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    } else {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    freeaddrinfo(found);
    return fd;
}

size_t load_ask(int fd, const char *request, size_t request_size, struct talk_sums *sums,
                char *answer, size_t size)
{
    struct talk_reader reader = {0};
    size_t used = 0;
    size_t read_up_to = 0;
    uint64_t replies = sums->replies;

    for (size_t sent = 0; sent < request_size;) {
        ssize_t n = send(fd, request + sent, request_size - sent, MSG_NOSIGNAL);

        if (n <= 0)
            return 0;
        sent += (size_t)n;
    }
    while (sums->replies == replies && used < size) {
        ssize_t n = recv(fd, answer + used, size - used, 0);
        size_t taken;

        if (n <= 0)
            return 0;
        used += (size_t)n;
        taken = talk_read(&reader, sums, answer + read_up_to, used - read_up_to);
        if (taken == SIZE_MAX)
            return 0;
        read_up_to += taken;
    }
    return sums->replies > replies ? used : 0;
}

/* --- sending -------------------------------------------------------------------------------------
 */

static bool arm(struct load *load, struct lane *lane, bool out)
{
    struct epoll_event event = {.events = EPOLLIN | (out ? (uint32_t)EPOLLOUT : 0u),
                                .data.ptr = lane};

    lane->polled_out = out;
    if (epoll_ctl(load->epoll, EPOLL_CTL_MOD, lane->fd, &event) != 0)
        return fail(load, "epoll_ctl", errno);
    return true;
}

/* Sends what the lane has; the rest when the socket has room again. */
static bool flush(struct load *load, struct lane *lane)
{
    while (lane->out_sent < lane->out_used) {
        ssize_t n = send(lane->fd, lane->out + lane->out_sent, lane->out_used - lane->out_sent,
                         MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return lane->polled_out || arm(load, lane, true);
        if (n < 0)
            return fail(load, "send", errno);
        lane->out_sent += (size_t)n;
    }
    lane->out_sent = lane->out_used = 0;
    return !lane->polled_out || arm(load, lane, false);
}

static void write_request(struct load *load, struct lane *lane)
{
    lane->out_used += talk_request(load->talk, load->now_ms, lane->out + lane->out_used);
    lane->waiting++;
    load->issued++;
}

/* Closed loop: the next group of a connection whose last one is answered. */
static bool send_group(struct load *load, struct lane *lane)
{
    uint64_t left = load->config->count - load->issued;
    uint32_t group = left < load->config->pipeline ? (uint32_t)left : load->config->pipeline;

    if (group == 0)
        return true;
    for (uint32_t i = 0; i < group; i++)
        write_request(load, lane);
    lane->sent_ns = clock_ns(CLOCK_MONOTONIC);
    return flush(load, lane);
}

/* Open loop: may a request be put on this lane? */
static bool lane_has_room(const struct load *load, const struct lane *lane)
{
    return lane->waiting < WAITING_MAX &&
           lane->out_used + talk_request_bound(load->talk) <= load->out_size;
}

static uint64_t due_ns(const struct load *load, uint64_t i)
{
    uint64_t rate = load->config->rate;

    return load->start_ns + i / rate * SECOND_NS + i % rate * SECOND_NS / rate;
}

/* Open loop: everything that is due by now. A lane without room holds its request back, and those
 * after it; their time runs from when they were due. */
static bool send_due(struct load *load)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    load->blocked = false;
    while (load->issued < load->config->count && due_ns(load, load->issued) <= now) {
        uint32_t at = (uint32_t)(load->issued % load->config->connections);
        struct lane *lane = &load->lanes[at];
        uint64_t due = due_ns(load, load->issued);

        load->blocked = !lane_has_room(load, lane);
        if (load->blocked)
            break;
        if (now - due > load->result->late_ns_max)
            load->result->late_ns_max = now - due;
        lane->due[(lane->head + lane->waiting) % WAITING_MAX] = due;
        write_request(load, lane);
        if (!lane->dirty)
            load->dirty[load->dirty_count++] = at;
        lane->dirty = true;
    }
    for (uint32_t i = 0; i < load->dirty_count; i++) {
        struct lane *lane = &load->lanes[load->dirty[i]];

        lane->dirty = false;
        if (!flush(load, lane))
            return false;
    }
    load->dirty_count = 0;
    return true;
}

/* --- receiving -----------------------------------------------------------------------------------
 */

static bool count_answers(struct load *load, struct lane *lane, uint64_t answers)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (answers > lane->waiting)
        return fail(load, "more answers than questions", 0);
    lane->waiting -= (uint32_t)answers;
    if (load->config->rate == 0) {
        if (answers > 0)
            histogram_add(&load->result->times, now - lane->sent_ns, answers);
        return lane->waiting > 0 || send_group(load, lane);
    }
    for (uint64_t i = 0; i < answers; i++)
        histogram_add(&load->result->times, now - lane->due[lane->head++ % WAITING_MAX], 1);
    return true;
}

/* One read; level-triggered epoll comes back if there is more. */
static bool receive(struct load *load, struct lane *lane)
{
    struct talk_sums *sums = &load->result->sums;
    uint64_t before = sums->replies;
    ssize_t n = recv(lane->fd, lane->in + lane->in_used, INPUT_BYTES - lane->in_used, 0);
    size_t used;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0)
        return fail(load, n == 0 ? "the server closed a connection" : "recv", n == 0 ? 0 : errno);
    lane->in_used += (size_t)n;
    used = talk_read(&lane->reader, sums, lane->in, lane->in_used);
    if (used == SIZE_MAX || (used == 0 && lane->in_used == INPUT_BYTES))
        return fail(load, "the answer is not RESP", 0);
    lane->in_used -= used;
    if (lane->in_used > 0 && used > 0)
        memmove(lane->in, lane->in + used, lane->in_used);
    return count_answers(load, lane, sums->replies - before);
}

static bool handle(struct load *load, const struct epoll_event *event)
{
    struct lane *lane = event->data.ptr;

    if ((event->events & EPOLLOUT) != 0 && !flush(load, lane))
        return false;
    if ((event->events & ~(uint32_t)EPOLLOUT) != 0)
        return receive(load, lane);
    return true;
}

/* Waits for events, in the open loop at most until the next request is due. */
static int wait_events(struct load *load, struct epoll_event *events)
{
    struct timespec timeout = {.tv_sec = LOAD_SILENCE_S};

    if (load->config->rate > 0 && load->issued < load->config->count && !load->blocked) {
        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        uint64_t due = due_ns(load, load->issued);
        uint64_t wait = due > now ? due - now : 0;

        timeout.tv_sec = (time_t)(wait / SECOND_NS);
        timeout.tv_nsec = (long)(wait % SECOND_NS);
    }
    return epoll_pwait2(load->epoll, events, EVENTS_MAX, &timeout, NULL);
}

static bool turn(struct load *load, uint64_t *heard_ns)
{
    struct epoll_event events[EVENTS_MAX];
    int count = wait_events(load, events);

    if (count < 0 && errno != EINTR)
        return fail(load, "epoll_wait", errno);
    for (int i = 0; i < count; i++)
        if (!handle(load, &events[i]))
            return false;
    if (load->config->rate > 0 && !send_due(load))
        return false;
    if (count > 0)
        *heard_ns = clock_ns(CLOCK_MONOTONIC);
    else if (clock_ns(CLOCK_MONOTONIC) - *heard_ns > LOAD_SILENCE_S * SECOND_NS)
        return fail(load, "no answer for 60 seconds", 0);
    return true;
}

/* --- the run -------------------------------------------------------------------------------------
 */

static uint64_t cpu_us(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static bool run_clock(struct load *load)
{
    struct load_result *result = load->result;
    struct rusage before, after;
    uint64_t heard;
    bool good = true;

    getrusage(RUSAGE_SELF, &before);
    load->now_ms = clock_ns(CLOCK_REALTIME) / 1000000;
    load->start_ns = heard = clock_ns(CLOCK_MONOTONIC);
    for (uint32_t i = 0; good && load->config->rate == 0 && i < load->config->connections; i++)
        good = send_group(load, &load->lanes[i]);
    while (good && result->sums.replies < load->config->count)
        good = turn(load, &heard);
    result->elapsed_ns = clock_ns(CLOCK_MONOTONIC) - load->start_ns;
    getrusage(RUSAGE_SELF, &after);
    result->cpu_user_us = cpu_us(after.ru_utime) - cpu_us(before.ru_utime);
    result->cpu_system_us = cpu_us(after.ru_stime) - cpu_us(before.ru_stime);
    return good;
}

static bool open_lane(struct load *load, struct lane *lane)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = lane};

    lane->fd = load_connect(load->config->address, load->result->message);
    if (lane->fd < 0)
        return false;
    lane->out = malloc(load->out_size);
    lane->in = malloc(INPUT_BYTES);
    lane->due = load->config->rate > 0 ? calloc(WAITING_MAX, sizeof *lane->due) : NULL;
    if (lane->out == NULL || lane->in == NULL || (load->config->rate > 0 && lane->due == NULL))
        return fail(load, "memory", ENOMEM);
    /* Touched now, so that page faults are not measured. */
    memset(lane->out, 0, load->out_size);
    memset(lane->in, 0, INPUT_BYTES);
    if (fcntl(lane->fd, F_SETFL, O_NONBLOCK) != 0 ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, lane->fd, &event) != 0)
        return fail(load, "epoll_ctl", errno);
    return true;
}

static void close_lanes(struct load *load)
{
    for (uint32_t i = 0; load->lanes != NULL && i < load->config->connections; i++) {
        if (load->lanes[i].fd >= 0)
            close(load->lanes[i].fd);
        free(load->lanes[i].out);
        free(load->lanes[i].in);
        free(load->lanes[i].due);
    }
    free(load->lanes);
    free(load->dirty);
    if (load->epoll >= 0)
        close(load->epoll);
}

bool load_run(const struct load_config *config, struct talk *talk, struct load_result *result)
{
    struct load load = {.config = config, .talk = talk, .result = result};
    uint32_t group = config->rate > 0 ? 64 : config->pipeline;
    bool good = true;

    *result = (struct load_result){0};
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* 50 us by default: more than what is measured */
    load.out_size = talk_request_bound(talk) * group;
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.lanes = calloc(config->connections, sizeof *load.lanes);
    load.dirty = calloc(config->connections, sizeof *load.dirty);
    if (load.epoll < 0 || load.lanes == NULL || load.dirty == NULL)
        good = fail(&load, "start", errno);
    for (uint32_t i = 0; load.lanes != NULL && i < config->connections; i++)
        load.lanes[i].fd = -1;
    for (uint32_t i = 0; good && i < config->connections; i++)
        good = open_lane(&load, &load.lanes[i]);
    if (good)
        good = run_clock(&load);
    close_lanes(&load);
    return good;
}
