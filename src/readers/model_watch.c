/* model_watch.c: see model_watch.h. One helper thread; under the mutex what it and the answering
 * thread hand each other: "look", a model that was opened, what to tell. */
#include "readers/model_watch.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readers/recommend/model.h"

struct opened {
    struct recommend *recommend;
    struct model_used used;
};

/* What tells one file from another; the head has the checksum of all. */
struct face {
    uint64_t size;
    uint8_t head[MODEL_HEAD];
};

struct model_watch {
    const struct disk *disk;
    const char *path;
    bool started;
    int64_t looked_us;
    struct opened in_use;
    /* the helper's own */
    pthread_t thread;
    struct face face; /* of the file last opened, or refused */
    bool has_face, was_refused;
    int64_t refused_us;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    /* under the mutex */
    bool look, stop, has_fresh;
    int64_t now_us;
    struct opened fresh;
    struct model_told told;
};

static void drop(struct opened *opened)
{
    recommend_view_close(opened->used.view);
    recommend_close(opened->recommend);
    *opened = (struct opened){0};
}

/* --- the helper
 * -----------------------------------------------------------------------------------
 */

/* False: there is no such file, or it cannot be read. A short one has a head of zeros. */
static bool read_face(const struct model_watch *watch, struct face *face)
{
    const struct disk *disk = watch->disk;
    int handle;
    bool read;

    memset(face, 0, sizeof *face);
    if (disk->open(disk->context, watch->path, DISK_READ_ONLY, &handle) != 0)
        return false;
    read = disk->size(disk->context, handle, &face->size) == 0 &&
           (face->size < MODEL_HEAD ||
            disk->read(disk->context, handle, 0, face->head, MODEL_HEAD) == 0);
    disk->close(disk->context, handle);
    return read;
}

static enum status open_model(const struct model_watch *watch, struct opened *opened,
                              char message[RECOMMEND_MESSAGE])
{
    struct recommend_about about;
    enum status status = recommend_open(watch->disk, watch->path, &opened->recommend, message);

    if (status != STATUS_OK)
        return status;
    opened->used.view = recommend_view_open(opened->recommend);
    if (opened->used.view == NULL) {
        recommend_close(opened->recommend);
        *opened = (struct opened){0};
        snprintf(message, RECOMMEND_MESSAGE, "no memory for the model");
        return STATUS_NOMEMORY;
    }
    recommend_about(opened->recommend, &about);
    opened->used.version = about.version;
    opened->used.tenant = about.tenant;
    return STATUS_OK;
}

static void hand_over(struct model_watch *watch, struct opened *opened)
{
    struct opened passed_over;

    pthread_mutex_lock(&watch->mutex);
    passed_over = watch->fresh; /* nobody has taken it yet */
    watch->fresh = *opened;
    watch->has_fresh = true;
    watch->told.message[0] = '\0';
    pthread_mutex_unlock(&watch->mutex);
    drop(&passed_over);
}

static void refuse(struct model_watch *watch, const char *message, bool again)
{
    pthread_mutex_lock(&watch->mutex);
    snprintf(watch->told.message, sizeof watch->told.message, "%s", message);
    watch->told.refused += !again;
    pthread_mutex_unlock(&watch->mutex);
    if (!again)
        fprintf(stderr, "zan: note: a model is refused: %s; the one before it goes on\n", message);
}

static void look(struct model_watch *watch, int64_t now_us)
{
    char message[RECOMMEND_MESSAGE] = "memory ran out";
    struct opened opened = {0};
    struct face face;
    bool same;

    if (!read_face(watch, &face))
        return;
    same = watch->has_face && memcmp(&face, &watch->face, sizeof face) == 0;
    if (same && !(watch->was_refused && now_us - watch->refused_us >= MODEL_RETRY_US))
        return;
    watch->face = face;
    watch->has_face = true;
    watch->was_refused = open_model(watch, &opened, message) != STATUS_OK;
    watch->refused_us = now_us;
    if (watch->was_refused)
        refuse(watch, message, same);
    else
        hand_over(watch, &opened);
}

static void *watch_main(void *argument)
{
    struct model_watch *watch = argument;

    pthread_mutex_lock(&watch->mutex);
    while (!watch->stop) {
        int64_t now_us = watch->now_us;

        if (!watch->look) {
            pthread_cond_wait(&watch->wake, &watch->mutex);
            continue;
        }
        watch->look = false;
        pthread_mutex_unlock(&watch->mutex);
        look(watch, now_us);
        pthread_mutex_lock(&watch->mutex);
    }
    pthread_mutex_unlock(&watch->mutex);
    return NULL;
}

/* --- the answering thread
 * -------------------------------------------------------------------------
 */

enum status model_watch_open(const struct disk *disk, const char *path, struct model_watch **result)
{
    struct model_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL)
        return STATUS_NOMEMORY;
    watch->disk = disk;
    watch->path = path;
    watch->looked_us = INT64_MIN;
    pthread_mutex_init(&watch->mutex, NULL);
    pthread_cond_init(&watch->wake, NULL);
    *result = watch;
    return STATUS_OK;
}

void model_watch_close(struct model_watch *watch)
{
    if (watch == NULL)
        return;
    if (watch->started) {
        pthread_mutex_lock(&watch->mutex);
        watch->stop = true;
        pthread_cond_signal(&watch->wake);
        pthread_mutex_unlock(&watch->mutex);
        pthread_join(watch->thread, NULL);
    }
    drop(&watch->fresh);
    drop(&watch->in_use);
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->mutex);
    free(watch);
}

static bool is_due(const struct model_watch *watch, int64_t now_us)
{
    return now_us < watch->looked_us || watch->looked_us == INT64_MIN ||
           now_us - watch->looked_us >= MODEL_LOOK_US;
}

bool model_watch_turn(struct model_watch *watch, int64_t now_us, struct model_used *used)
{
    struct opened before = {0};
    bool due = is_due(watch, now_us), changed;

    if (!watch->started)
        watch->started = pthread_create(&watch->thread, NULL, watch_main, watch) == 0;
    if (due)
        watch->looked_us = now_us;
    pthread_mutex_lock(&watch->mutex);
    changed = watch->has_fresh;
    if (changed) {
        before = watch->in_use;
        watch->in_use = watch->fresh;
        watch->fresh = (struct opened){0};
        watch->has_fresh = false;
        watch->told.taken++;
    }
    if (due) {
        watch->look = true;
        watch->now_us = now_us;
        pthread_cond_signal(&watch->wake);
    }
    pthread_mutex_unlock(&watch->mutex);
    if (changed)
        *used = watch->in_use.used;
    drop(&before);
    return changed;
}

void model_watch_tell(struct model_watch *watch, struct model_told *told)
{
    pthread_mutex_lock(&watch->mutex);
    *told = watch->told;
    pthread_mutex_unlock(&watch->mutex);
}
