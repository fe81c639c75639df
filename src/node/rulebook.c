/* rulebook.c: texts of rules go from partition 0 to the others here, behind a mutex: an effect says
 * which version is in force, and who takes it reads the text. Partition 0 has published a version
 * before any effect can name it; at a start it is opened first. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "node/inner.h"
#include "node/rules.h"

struct rulebook {
    pthread_mutex_t mutex;
    struct policy_row rows[POLICY_SLOTS];
};

struct rulebook *rulebook_open(void)
{
    struct rulebook *rulebook = calloc(1, sizeof *rulebook);

    if (rulebook != NULL)
        pthread_mutex_init(&rulebook->mutex, NULL);
    return rulebook;
}

void rulebook_close(struct rulebook *rulebook)
{
    if (rulebook == NULL)
        return;
    pthread_mutex_destroy(&rulebook->mutex);
    free(rulebook);
}

static void publish(void *context, const struct policy_row *row)
{
    const struct shard *shard = context;
    struct rulebook *rulebook = shard->node->rulebook;

    if (shard->index != 0)
        return;
    pthread_mutex_lock(&rulebook->mutex);
    rulebook->rows[row->head.slot] = *row;
    pthread_mutex_unlock(&rulebook->mutex);
}

static bool find(void *context, uint32_t version, struct policy_row *row)
{
    struct rulebook *rulebook = ((struct shard *)context)->node->rulebook;
    bool found = false;

    pthread_mutex_lock(&rulebook->mutex);
    for (uint32_t i = 0; version != 0 && !found && i < POLICY_SLOTS; i++) {
        found = rulebook->rows[i].head.version == version;
        if (found)
            *row = rulebook->rows[i];
    }
    pthread_mutex_unlock(&rulebook->mutex);
    return found;
}

static struct judges *make_judges(void *context)
{
    return partition_judges(&((struct shard *)context)->partition);
}

/* As the shards published it last, some 50 ms ago; one that has not switched yet is not counted. */
static void add_tallies(struct shard *shard, bool shadow, struct policy_view *view,
                        struct policy_line *lines, uint32_t count)
{
    const struct facts *facts = &shard->facts;
    const struct rule_facts *rules = shadow ? facts->shadow_rules : facts->rules;

    if ((shadow ? facts->shadow_version : facts->policy_version) != view->head.version)
        return;
    if (shadow) {
        view->judged += facts->shadow_judged;
        view->refused += facts->shadow_refused;
        view->held += facts->shadow_held;
        view->cut += facts->shadow_cut;
    }
    for (uint32_t i = 0; i < count && i < (shadow ? facts->shadow_count : facts->rule_count); i++) {
        lines[i].fired += rules[i].fired;
        lines[i].refused += rules[i].refused;
        lines[i].held += rules[i].held;
        lines[i].cut += rules[i].cut;
    }
}

static void tallies(void *context, bool shadow, struct policy_view *view, struct policy_line *lines,
                    uint32_t count)
{
    struct node *node = ((struct shard *)context)->node;

    for (uint16_t i = 0; i < node->count; i++) {
        pthread_mutex_lock(&node->shards[i].facts_mutex);
        add_tallies(&node->shards[i], shadow, view, lines, count);
        pthread_mutex_unlock(&node->shards[i].facts_mutex);
    }
}

struct book_hooks rulebook_hooks(struct shard *shard)
{
    return (struct book_hooks){
        .context = shard,
        .preset = rules_preset,
        .publish = publish,
        .find = find,
        .judges = make_judges,
        .tallies = shard->node->count > 1 ? tallies : NULL,
    };
}
