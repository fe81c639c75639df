/* clients_hiredis.c: Zan through hiredis: blocking, pipelined, RESP3 where it can. Run by
 * t_clients_hiredis.py with the port; prints what went wrong and ends with 1. */
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int line_of_failure;

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "line %d: %s\n", __LINE__, #what);                                     \
            line_of_failure = __LINE__;                                                            \
        }                                                                                          \
    } while (0)

static redisReply *ask(redisContext *context, const char *format, ...)
{
    va_list list;
    redisReply *reply;

    va_start(list, format);
    reply = redisvCommand(context, format, list);
    va_end(list);
    if (reply == NULL) {
        fprintf(stderr, "%s: %s\n", format, context->errstr);
        exit(1);
    }
    return reply;
}

static void ask_one_by_one(redisContext *context)
{
    redisReply *reply = ask(context, "LIKE %d %d", 7, 42);

    CHECK(reply->type == REDIS_REPLY_INTEGER && reply->integer == 1);
    freeReplyObject(reply);
    reply = ask(context, "LIKE %s %b", "7", "42", (size_t)2);
    CHECK(reply->type == REDIS_REPLY_INTEGER && reply->integer == 0);
    freeReplyObject(reply);
    reply = ask(context, "LIKED 7 41 42 43");
    CHECK(reply->type == REDIS_REPLY_ARRAY && reply->elements == 3);
    CHECK(reply->elements == 3 && reply->element[1]->integer == 1);
    freeReplyObject(reply);
    reply = ask(context, "LIKE seven 42");
    CHECK(reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "BADID ", 6) == 0);
    freeReplyObject(reply);
    reply = ask(context, "PING");
    CHECK(reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "PONG") == 0);
    freeReplyObject(reply);
}

static void ask_many_at_once(redisContext *context)
{
    enum { MANY = 20000 };
    redisReply *reply;
    long long made = 0;

    for (int i = 0; i < MANY; i++)
        redisAppendCommand(context, "LIKE %d 9", i % (MANY / 2));
    for (int i = 0; i < MANY; i++) {
        if (redisGetReply(context, (void **)&reply) != REDIS_OK) {
            fprintf(stderr, "reply %d: %s\n", i, context->errstr);
            exit(1);
        }
        CHECK(reply->type == REDIS_REPLY_INTEGER && reply->integer == (i < MANY / 2));
        made += reply->integer;
        freeReplyObject(reply);
    }
    CHECK(made == MANY / 2);
}

static void shake_hands(redisContext *context)
{
    redisReply *reply = ask(context, "HELLO 2 SETNAME hiredis");

    CHECK(reply->type == REDIS_REPLY_ARRAY && reply->elements == 14);
    freeReplyObject(reply);
    reply = ask(context, "COUNTS 42");
    CHECK(reply->type == REDIS_REPLY_ARRAY);
    CHECK(reply->elements >= 2 && strcmp(reply->element[0]->str, "like") == 0 &&
          reply->element[1]->integer == 1);
    freeReplyObject(reply);
    reply = ask(context, "CLIENT GETNAME");
    CHECK(reply->type == REDIS_REPLY_STRING && strcmp(reply->str, "hiredis") == 0);
    freeReplyObject(reply);
}

/* Debian 12 has hiredis 0.14, which does not know RESP3 yet. */
static void ask_in_resp3(redisContext *context)
{
#ifdef REDIS_REPLY_MAP
    redisReply *reply = ask(context, "HELLO 3");

    CHECK(reply->type == REDIS_REPLY_MAP && reply->elements == 14);
    freeReplyObject(reply);
    reply = ask(context, "COUNTS 42");
    CHECK(reply->type == REDIS_REPLY_MAP);
    freeReplyObject(reply);
    reply = ask(context, "INFO server");
    CHECK(reply->type == REDIS_REPLY_VERB && strcmp(reply->vtype, "txt") == 0);
    freeReplyObject(reply);
    reply = ask(context, "COMMAND DOCS like unlike");
    CHECK(reply->type == REDIS_REPLY_MAP && reply->elements == 4);
    freeReplyObject(reply);
#else
    (void)context;
#endif
}

static void start_again(redisContext *context)
{
    redisReply *reply = ask(context, "RESET");

    CHECK(reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "RESET") == 0);
    freeReplyObject(reply);
    reply = ask(context, "CLIENT GETNAME");
    CHECK(reply->type == REDIS_REPLY_NIL);
    freeReplyObject(reply);
}

int main(int argc, char **argv)
{
    redisContext *context = argc == 2 ? redisConnect("127.0.0.1", atoi(argv[1])) : NULL;

    if (context == NULL || context->err != 0) {
        fprintf(stderr, "cannot connect\n");
        return 1;
    }
    ask_one_by_one(context);
    ask_many_at_once(context);
    shake_hands(context);
    ask_in_resp3(context);
    start_again(context);
    freeReplyObject(ask(context, "QUIT"));
    redisFree(context);
    return line_of_failure != 0;
}
