/* pg_load.c: the same likes put into PostgreSQL, in batches, as one would who wants it fast.
 *
 *   pg_load CONNINFO BATCHES BATCH CONNECTIONS FIRST ACCOUNT_BITS ITEM_BITS SEED [setup]
 *
 * One statement, and so one transaction, a batch: the pairs arrive as two arrays; pairs that are
 * there already are passed over; each new one adds to its item's count; the answer is how many
 * were new. Some connections in turn keep the server busy while others wait for the disk (group
 * commit). synchronous_commit is on: the server's own default, and what Zan promises.
 *
 * Prints one JSON line: likes, seconds, new. The plan of pairs is the one of zan bench load.
 * Built by bench/run, not by the product's build: the product needs no libpq. */
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "cli/bench_plan.h"

#define CONNECTIONS_MAX 64
#define ID_TEXT         21

static const char *const setup_text =
    "DROP TABLE IF EXISTS likes, counts;"
    "CREATE TABLE likes (account bigint NOT NULL, item bigint NOT NULL,"
    " at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (account, item));"
    "CREATE INDEX likers ON likes (item, at);"
    "CREATE TABLE counts (item bigint PRIMARY KEY, likes bigint NOT NULL) WITH (fillfactor = 50);";

/* Counts in the order of ids, so that two batches never wait for each other in a circle. */
static const char *const like_text =
    "WITH new AS (INSERT INTO likes (account, item)"
    "  SELECT * FROM unnest($1::bigint[], $2::bigint[])"
    "  ON CONFLICT DO NOTHING RETURNING item),"
    " sums AS (SELECT item, count(*) AS n FROM new GROUP BY item ORDER BY item),"
    " added AS (INSERT INTO counts SELECT item, n FROM sums"
    "  ON CONFLICT (item) DO UPDATE SET likes = counts.likes + excluded.likes)"
    " SELECT count(*) FROM new";

struct pg_load {
    struct plan plan;
    uint64_t next, last; /* likes of the plan still to send */
    uint32_t batch;
    uint64_t new_count;
    char *accounts, *items; /* the two arrays, as text */
};

static void stop(const char *what, PGconn *connection)
{
    fprintf(stderr, "pg_load: %s: %s", what,
            connection != NULL ? PQerrorMessage(connection) : "\n");
    exit(1);
}

static PGconn *open_connection(const char *conninfo)
{
    PGconn *connection = PQconnectdb(conninfo);
    PGresult *result;

    if (PQstatus(connection) != CONNECTION_OK)
        stop("connect", connection);
    result = PQexec(connection, "SET synchronous_commit = on; SET client_min_messages = error");
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        stop("set", connection);
    PQclear(result);
    return connection;
}

static void prepare(PGconn *connection)
{
    PGresult *result = PQprepare(connection, "like", like_text, 2, NULL);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        stop("prepare", connection);
    PQclear(result);
}

static void set_up(const char *conninfo)
{
    PGconn *connection = open_connection(conninfo);
    PGresult *result = PQexec(connection, setup_text);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        stop("setup", connection);
    PQclear(result);
    PQfinish(connection);
}

/* Sends the next batch; false if there is none. */
static bool send_batch(struct pg_load *load, PGconn *connection)
{
    const char *parameters[2] = {load->accounts, load->items};
    size_t account_at = 0, item_at = 0;

    if (load->next >= load->last)
        return false;
    for (uint32_t i = 0; i < load->batch && load->next < load->last; i++) {
        struct plan_pair pair = plan_pair(&load->plan, load->next++);
        char before = i == 0 ? '{' : ',';

        account_at += (size_t)snprintf(load->accounts + account_at, ID_TEXT + 1, "%c%llu", before,
                                       (unsigned long long)pair.account);
        item_at += (size_t)snprintf(load->items + item_at, ID_TEXT + 1, "%c%llu", before,
                                    (unsigned long long)pair.item);
    }
    memcpy(load->accounts + account_at, "}", 2);
    memcpy(load->items + item_at, "}", 2);
    if (PQsendQueryPrepared(connection, "like", 2, parameters, NULL, NULL, 0) != 1)
        stop("send", connection);
    return true;
}

/* Takes what has come; true if the batch is answered whole. */
static bool take_answer(struct pg_load *load, PGconn *connection)
{
    PGresult *result;

    if (PQconsumeInput(connection) != 1)
        stop("read", connection);
    if (PQisBusy(connection))
        return false;
    while ((result = PQgetResult(connection)) != NULL) {
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            stop("like", connection);
        load->new_count += strtoull(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
    }
    return true;
}

static void run(struct pg_load *load, PGconn **connections, uint32_t count)
{
    struct pollfd polls[CONNECTIONS_MAX];
    uint32_t busy = 0;

    for (uint32_t i = 0; i < count; i++) {
        polls[i] = (struct pollfd){.fd = PQsocket(connections[i]), .events = POLLIN};
        if (send_batch(load, connections[i]))
            busy++;
        else
            polls[i].fd = -1;
    }
    while (busy > 0) {
        if (poll(polls, count, 60000) <= 0)
            stop("no answer for 60 seconds", NULL);
        for (uint32_t i = 0; i < count; i++) {
            if (polls[i].revents == 0 || !take_answer(load, connections[i]))
                continue;
            if (send_batch(load, connections[i]))
                continue;
            polls[i].fd = -1;
            busy--;
        }
    }
}

static double seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint64_t number(const char *text, uint64_t low, uint64_t high)
{
    uint64_t value = strtoull(text, NULL, 10);

    if (value >= low && value <= high)
        return value;
    fprintf(stderr, "pg_load: not in %llu..%llu: %s\n", (unsigned long long)low,
            (unsigned long long)high, text);
    exit(2);
}

int main(int argc, char **argv)
{
    struct pg_load load = {0};
    PGconn *connections[CONNECTIONS_MAX];
    uint32_t count;
    uint64_t likes;
    double start, elapsed;

    if (argc != 9 && !(argc == 10 && strcmp(argv[9], "setup") == 0)) {
        fprintf(stderr, "usage: pg_load CONNINFO BATCHES BATCH CONNECTIONS FIRST ACCOUNT_BITS "
                        "ITEM_BITS SEED [setup]\n");
        return 2;
    }
    load.batch = (uint32_t)number(argv[3], 1, 100000);
    likes = number(argv[2], 1, 1u << 30) * load.batch;
    count = (uint32_t)number(argv[4], 1, CONNECTIONS_MAX);
    load.next = number(argv[5], 0, UINT64_MAX / 2);
    load.last = load.next + likes;
    load.plan = (struct plan){.account_bits = (uint32_t)number(argv[6], 1, 32),
                              .item_bits = (uint32_t)number(argv[7], 1, 31),
                              .seed = number(argv[8], 0, UINT64_MAX)};
    load.accounts = malloc((size_t)load.batch * ID_TEXT + ID_TEXT);
    load.items = malloc((size_t)load.batch * ID_TEXT + ID_TEXT);
    if (load.accounts == NULL || load.items == NULL || load.last > plan_size(&load.plan))
        stop("memory, or not that many pairs", NULL);
    if (argc == 10)
        set_up(argv[1]);
    for (uint32_t i = 0; i < count; i++) {
        connections[i] = open_connection(argv[1]);
        prepare(connections[i]);
    }
    start = seconds();
    run(&load, connections, count);
    elapsed = seconds() - start;
    printf("{\"likes\": %llu, \"new\": %llu, \"seconds\": %.6f, \"per_second\": %.1f}\n",
           (unsigned long long)likes, (unsigned long long)load.new_count, elapsed,
           (double)likes / elapsed);
    for (uint32_t i = 0; i < count; i++)
        PQfinish(connections[i]);
    free(load.accounts);
    free(load.items);
    return 0;
}
