/* route.c: which partition a request belongs to, and requests that belong to several.
 *
 * With one partition everything goes there. With several, a request is answered by the home of its
 * account, or of its target if only that is asked about. Counts of many items, and SEQ, are asked
 * in parts and put together; a write with RETURN asks the target's home for the counters once it is
 * done. Such a job lives from route_submit until the last of its parts is done. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "node/follow.h"
#include "node/inner.h"
#include "schema/guidance.h"
#include "schema/tree.h"

struct part {
    struct call call;
    uint64_t *ids;    /* TOTALS: the ids of this partition */
    uint16_t *places; /* and where each stood in the request */
    uint16_t count;
    struct job *job;
};

struct job {
    struct node *node;
    struct call *call; /* what was asked */
    _Atomic uint32_t open;
    uint16_t part_count;
    struct part parts[];
};

static struct shard *home_of(struct node *node, uint64_t id)
{
    return &node->shards[hash_partition(id, node->count)];
}

static void submit(struct node *node, struct shard *shard, struct call *call)
{
    atomic_fetch_add(&node->outstanding, 1);
    shard_mail_call(shard, call);
}

/* No memory for the job: the request was not begun. */
static void refuse(struct call *call)
{
    struct reply reply = {.kind = REPLY_ERROR, .status = STATUS_NOMEMORY, .retry_ms = 1000};

    call_answer(call, &reply);
    call->done(call);
}

static struct job *job_make(struct node *node, struct call *call, uint16_t parts)
{
    struct job *job = calloc(1, sizeof *job + parts * sizeof(struct part));

    if (job == NULL)
        return NULL;
    job->node = node;
    job->call = call;
    job->part_count = parts;
    atomic_store(&job->open, parts);
    for (uint16_t i = 0; i < parts; i++) {
        job->parts[i].job = job;
        job->parts[i].call.owner = &job->parts[i];
    }
    return job;
}

static void job_free(struct job *job)
{
    for (uint16_t i = 0; i < job->part_count; i++) {
        free(job->parts[i].ids);
        free(job->parts[i].places);
        free(job->parts[i].call.storage);
    }
    free(job);
}

static void job_end(struct job *job)
{
    struct call *call = job->call;

    job_free(job);
    call->done(call);
}

static bool part_storage(struct part *part, size_t size)
{
    part->call.storage = malloc(size);
    part->call.storage_size = size;
    return part->call.storage != NULL;
}

/* --- many values, in parts -----------------------------------------------------------------------
 */

/* Until when each is held; of a partition that said nothing of it, none is. */
static void held_merge(const struct job *job, uint64_t *until_ms)
{
    for (uint16_t p = 0; p < job->part_count; p++) {
        const struct part *part = &job->parts[p];

        for (uint16_t i = 0; i < part->count; i++)
            until_ms[part->places[i]] =
                part->call.reply.held ? part->call.reply.u.values[part->count + i] : 0;
    }
}

static void values_merge(struct job *job)
{
    struct call *call = job->call;
    uint64_t *values = call->storage;
    struct reply reply = {.kind = REPLY_INTEGERS};

    for (uint16_t p = 0; p < job->part_count; p++) {
        struct part *part = &job->parts[p];

        if (part->call.reply.kind != REPLY_INTEGERS) {
            call_answer(call, &part->call.reply);
            return;
        }
        for (uint16_t i = 0; i < part->count; i++)
            values[part->places[i]] = part->call.reply.u.values[i];
        reply.count = (uint16_t)(reply.count + part->count);
        reply.held |= part->call.reply.held;
    }
    if (reply.held)
        held_merge(job, values + reply.count);
    reply.u.values = values;
    call->reply = reply;
}

static void values_done(struct call *call)
{
    struct part *part = call->owner;
    struct job *job = part->job;

    if (atomic_fetch_sub(&job->open, 1) > 1)
        return;
    values_merge(job);
    job_end(job);
}

/* Splits the ids over the partitions; for SEQ each gets the question once. */
static bool values_split(struct job *job, const struct request *request)
{
    for (uint16_t p = 0; p < job->part_count; p++) {
        struct part *part = &job->parts[p];

        part->ids = malloc((request->count + 1u) * sizeof *part->ids);
        part->places = malloc((request->count + 1u) * sizeof *part->places);
        if (part->ids == NULL || part->places == NULL ||
            !part_storage(part, 2 * (request->count + 1u) * sizeof(uint64_t) + 64))
            return false;
        if (request->verb == VERB_SEQ) {
            part->places[0] = p;
            part->count = 1;
        }
    }
    for (uint16_t i = 0; request->verb != VERB_SEQ && i < request->count; i++) {
        struct part *part = &job->parts[hash_partition(request->u.ids[i], job->part_count)];

        part->ids[part->count] = request->u.ids[i];
        part->places[part->count++] = i;
    }
    return true;
}

static void values_submit(struct node *node, struct call *call)
{
    struct job *job = job_make(node, call, node->count);

    if (job == NULL) {
        refuse(call);
        return;
    }
    if (!values_split(job, &call->request)) {
        job_free(job);
        refuse(call);
        return;
    }
    for (uint16_t p = 0; p < node->count; p++) {
        struct part *part = &job->parts[p];

        part->call.request = call->request;
        part->call.request.u.ids = part->ids;
        part->call.request.count = part->count;
        part->call.done = values_done;
        submit(node, &node->shards[p], &part->call);
    }
}

/* --- a write with RETURN: the counters live with the target --------------------------------------
 */

static void counters_done(struct call *call)
{
    struct part *part = call->owner;
    struct job *job = part->job;
    struct reply reply = job->parts[0].call.reply;

    if (part->call.reply.kind != REPLY_ERROR) {
        reply.item = part->call.reply.item;
        reply.account = part->call.reply.account;
    }
    call_answer(job->call, &reply);
    job_end(job);
}

static void write_done(struct call *call)
{
    struct part *part = call->owner;
    struct job *job = part->job;
    struct part *counters = &job->parts[1];
    const struct request *request = &job->call->request;
    bool follow = edge_target_is_account(verb_info(request->verb)->edge);

    if (call->reply.kind == REPLY_ERROR || call->reply.item != NULL ||
        call->reply.account != NULL) {
        call_answer(job->call, &call->reply);
        job_end(job);
        return;
    }
    counters->call.request = (struct request){
        .verb = follow ? VERB_RECEIVED : VERB_COUNTS,
        .tenant = request->tenant,
        .account = request->target,
        .target = request->target,
    };
    counters->call.done = counters_done;
    submit(job->node, home_of(job->node, request->target), &counters->call);
}

static void write_submit(struct node *node, struct call *call)
{
    struct job *job = job_make(node, call, 2);
    size_t size = sizeof(struct item_row) + sizeof(struct account_row) + 256;

    if (job == NULL) {
        refuse(call);
        return;
    }
    if (!part_storage(&job->parts[0], size) || !part_storage(&job->parts[1], size)) {
        job_free(job);
        refuse(call);
        return;
    }
    job->parts[0].call.request = call->request;
    job->parts[0].call.done = write_done;
    submit(node, home_of(node, call->request.account), &job->parts[0].call);
}

/* --- all
 * ------------------------------------------------------------------------------------------ */

uint16_t route_home(const struct node *node, const struct request *request)
{
    uint64_t id = request->account;

    switch (verb_info(request->verb)->shape) {
    case SHAPE_POLICY_PROPOSE: /* the rules live in partition 0, the others follow it */
    case SHAPE_POLICY_STEP:
    case SHAPE_POLICY_GET:
    case SHAPE_POLICY_LIST:
        return 0;
    case SHAPE_TOTALS:
    case SHAPE_SEQ:
        return node->count == 1 ? 0 : 0xFFFF;
    case SHAPE_CASE_STEP: /* the low byte of an id, and of a cursor, is the partition */
    case SHAPE_CASE_GET:
        return (uint16_t)((request->target & 0xFF) % node->count);
    case SHAPE_CASE_LIST:
        return request->flags & REQUEST_HAS_CURSOR
                   ? (uint16_t)((request->u.list.cursor & 0xFF) % node->count)
                   : 0;
    case SHAPE_CASE_OF:
        id = request->verb == VERB_CASES ? request->account : request->target;
        break;
    case SHAPE_NOTE: /* about no item: where 0 is at home */
    case SHAPE_ITEM_NOTE:
    case SHAPE_CASE_OPEN:
    case SHAPE_ITEM_SET:
    case SHAPE_ITEM_STATE:
    case SHAPE_ITEM_GET:
    case SHAPE_SHIELD:
    case SHAPE_COUNTS:
    case SHAPE_TAKEN:
    case SHAPE_WEIGHED:
        id = request->target;
        break;
    default:
        break;
    }
    return hash_partition(id, node->count);
}

/* Nothing of it enters the engine. */
static void ask_reader(struct node *node, struct call *call)
{
    struct follow *follow = node->follow[reader_of(&call->request)];

    if (call->request.verb == VERB_GUIDANCE) { /* needs nothing that a reader has */
        guidance_answer(call);
        call->done(call);
        return;
    }
    if (follow != NULL) {
        follow_ask(follow, call);
        return;
    }
    tree_refuse(call, STATUS_OFF);
    call->done(call);
}

void route_submit(struct node *node, struct call *call)
{
    const struct request *request = &call->request;
    uint16_t home;

    if (verb_info(request->verb)->group == GROUP_READER) {
        ask_reader(node, call);
        return;
    }
    home = route_home(node, request);
    if (home == 0xFFFF)
        values_submit(node, call);
    else if (request->flags & REQUEST_RETURN && verb_info(request->verb)->group == GROUP_WRITE &&
             hash_partition(request->target, node->count) != home &&
             verb_info(request->verb)->shape != SHAPE_CASE_OPEN &&
             verb_info(request->verb)->shape != SHAPE_CASE_STEP &&
             !verb_is_of_account(request->verb) && !verb_is_of_policy(request->verb))
        write_submit(node, call);
    else
        submit(node, &node->shards[home], call);
}
