#include "node/modes.h"

#include <stdio.h>
#include <string.h>

#include "node/inner.h"

#define SHED_ENDS_US (5 * 1000000) /* without which a node at its limit flickers */

static void note(struct modes *modes, enum mode mode, bool holds, int64_t wall_us,
                 const char *reason)
{
    struct mode_facts *now = &modes->now[mode];

    if (!holds) {
        now->since_s = 0;
        now->reason[0] = '\0';
        return;
    }
    if (now->since_s == 0)
        now->since_s = (uint64_t)(wall_us / 1000000);
    snprintf(now->reason, sizeof now->reason, "%.199s", reason);
}

static void look_at_shedding(struct modes *modes, const struct partition *partition,
                             int64_t wall_us, int64_t steady_us)
{
    bool shedding = partition->stalled_us != 0 || partition->paced_us != 0;

    if (shedding)
        modes->shed_us = steady_us;
    note(modes, MODE_SHED,
         shedding || (modes->shed_us != 0 && steady_us - modes->shed_us < SHED_ENDS_US), wall_us,
         partition->stalled_us != 0 ? "no room for writes until a flush ends"
         : partition->paced_us != 0 ? "a flush takes long: writes are slowed down"
                                    : "a moment ago writes were slowed down");
}

static void look_at_mirror(struct shard *shard, int64_t wall_us, struct facts *facts)
{
    struct modes *modes = &shard->modes;
    struct log_mirror mirror;
    char reason[FACTS_REASON];

    log_mirror(shard->partition.log, &mirror);
    snprintf(reason, sizeof reason, "copy %c of the log%s: %.150s", mirror.lost == 1 ? 'b' : 'a',
             mirror.state == LOG_MIRROR_RETURNING ? " comes back" : " is left out", mirror.message);
    note(modes, MODE_MIRROR_DEGRADED, mirror.state != LOG_MIRROR_BOTH, wall_us, reason);
    if (mirror.losses > modes->losses)
        fprintf(stderr,
                "zan: ALARM: partition %u: one copy of the log is lost, the other goes on: %s\n",
                (unsigned)shard->index, mirror.message);
    if (mirror.resyncs > modes->resyncs)
        fprintf(stderr, "zan: note: partition %u: both copies of the log are whole again\n",
                (unsigned)shard->index);
    modes->losses = mirror.losses;
    modes->resyncs = mirror.resyncs;
    facts->mirror_losses = mirror.losses;
    facts->mirror_resyncs = mirror.resyncs;
    facts->mirror_attempts = mirror.attempts;
    facts->mirror_allowed = mirror.degrade;
}

static void look_at_writes(struct shard *shard, int64_t wall_us)
{
    const struct partition *partition = &shard->partition;
    struct node *node = shard->node;
    char order[200], reason[FACTS_REASON];

    orders_tell(node->orders, order);
    if (partition->distrusted)
        snprintf(reason, sizeof reason, "audit: %.150s",
                 shard->audit.facts.alarm[0] != '\0' ? shard->audit.facts.alarm
                                                     : "a difference in another partition");
    else if (atomic_load(&node->log_lost))
        snprintf(reason, sizeof reason,
                 "both copies of the log are damaged: zan verify says where");
    else
        snprintf(reason, sizeof reason, "ordered %.150s", order);
    note(&shard->modes, MODE_READONLY, partition->readonly, wall_us, reason);
    note(&shard->modes, MODE_NOSPACE, partition->nospace, wall_us,
         partition->flush == FLUSH_RETRY ? "the store's disk is full" : "the log's disk is full");
}

/* Likes are held that nobody has scored: by the setting, or because something failed. */
static void look_at_scorer(struct shard *shard, int64_t wall_us)
{
    struct engine *engine = &shard->partition.engine;
    struct modes *modes = &shard->modes;
    struct judges *judges = engine->judges;
    enum judge_lack lack;
    char reason[FACTS_REASON] = "";

    if (judges == NULL) {
        note(modes, MODE_RISK_DEGRADED, false, wall_us, "");
        return;
    }
    if (!judges_check(judges, engine->now_us, JUDGE_CHECK_LINES))
        fprintf(stderr,
                "zan: ALARM: partition %u: what the scorer remembers is damaged; it begins "
                "anew, and likes are held meanwhile\n",
                (unsigned)shard->index);
    lack = judges_lack(judges, shard->partition.config.clock_requests ? engine->now_us : wall_us);
    if (lack == JUDGE_PENDING)
        snprintf(reason, sizeof reason, "%s",
                 "no scores: likes, views and reports are held and count when there are");
    else if (lack == JUDGE_BLIND)
        snprintf(reason, sizeof reason, "%s",
                 "the scorer has lost what it had seen: likes, views and reports are held until it "
                 "has seen enough again");
    else if (lack == JUDGE_MISSED)
        snprintf(reason, sizeof reason, "%s",
                 "held likes that wait in no queue are being found again");
    else if (lack == JUDGE_BACKLOG)
        snprintf(reason, sizeof reason, "%llu held likes wait to be scored",
                 (unsigned long long)judges->backlog);
    note(modes, MODE_RISK_DEGRADED, lack != JUDGE_LACKS_NOTHING, wall_us, reason);
}

void modes_look(struct shard *shard, int64_t wall_us, int64_t steady_us, struct facts *facts)
{
    const struct partition *partition = &shard->partition;
    struct modes *modes = &shard->modes;
    enum mode gravest = MODE_NORMAL;

    look_at_shedding(modes, partition, wall_us, steady_us);
    look_at_mirror(shard, wall_us, facts);
    look_at_writes(shard, wall_us);
    look_at_scorer(shard, wall_us);
    note(modes, MODE_STOPPING, atomic_load(&shard->node->stopping), wall_us, "told to stop");
    note(modes, MODE_FAILED, partition->failure != STATUS_OK, wall_us, partition->message);
    for (int mode = MODE_NORMAL + 1; mode < MODE_COUNT; mode++)
        if (modes->now[mode].since_s != 0)
            gravest = (enum mode)mode;
    note(modes, MODE_NORMAL, gravest == MODE_NORMAL, wall_us, "");
    facts->mode = (uint8_t)gravest;
    memcpy(facts->modes, modes->now, sizeof facts->modes);
}
