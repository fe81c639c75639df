/* model.c: the block is the file; the arrays point into it. */
#include "readers/recommend/model.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little endian");

#define PATH_MAX_BYTES 1024

uint64_t model_bytes(uint32_t items, uint32_t rank, uint32_t links)
{
    return MODEL_HEAD + 8 * (uint64_t)items + 4 * (uint64_t)items + 4 * ((uint64_t)items + 1) +
           8 * (uint64_t)links + 4 * (uint64_t)items * rank;
}

/* Rates begin at a multiple of 8: there are 64 bit numbers in them. */
static uint64_t rates_at(const struct model_head *head)
{
    return (model_bytes(head->items, head->rank, head->links) + 7) / 8 * 8;
}

static uint64_t whole_bytes(const struct model_head *head)
{
    return head->rates_bytes > 0 ? rates_at(head) + head->rates_bytes
                                 : model_bytes(head->items, head->rank, head->links);
}

/* Where each array begins, for the sizes the head says. */
static void lay_out(struct model *model)
{
    const struct model_head *head = model->head;
    uint8_t *at = (uint8_t *)model->head + MODEL_HEAD;

    model->bytes = (size_t)whole_bytes(head);
    model->id = (uint64_t *)(void *)at;
    model->degree = (uint32_t *)(void *)(model->id + head->items);
    model->link_start = model->degree + head->items;
    model->link_item = model->link_start + head->items + 1;
    model->link_weight = (float *)(void *)(model->link_item + head->links);
    model->factor = model->link_weight + head->links;
    model->rates = (uint8_t *)model->head + rates_at(head);
}

enum status model_add_rates(struct model *model, size_t bytes)
{
    size_t before = model->bytes;
    struct model_head *head;

    assert(model->head->rates_bytes == 0 && bytes > 0 && bytes <= UINT32_MAX);
    head = realloc(model->head, before + 8 + bytes);
    if (head == NULL)
        return STATUS_NOMEMORY;
    head->rates_bytes = (uint32_t)bytes;
    model->head = head;
    lay_out(model);
    memset((uint8_t *)head + before, 0, model->bytes - before);
    return STATUS_OK;
}

enum status model_make(uint32_t items, uint32_t rank, uint32_t links, struct model *model)
{
    struct model_head *head = calloc(1, (size_t)model_bytes(items, rank, links));

    assert(rank <= MODEL_RANK_MAX);
    if (head == NULL)
        return STATUS_NOMEMORY;
    memcpy(head->magic, "ZANMODEL", sizeof head->magic);
    head->format = MODEL_FORMAT;
    head->items = items;
    head->rank = rank;
    head->links = links;
    *model = (struct model){.head = head};
    lay_out(model);
    return STATUS_OK;
}

float model_factor_scale(const struct model *model, uint32_t item)
{
    float degree = (float)model->degree[item];

    return degree > 0 ? powf(degree, -2 * model->head->factor_power) : 0;
}

void model_free(struct model *model)
{
    free(model->head);
    *model = (struct model){0};
}

uint32_t model_find(const struct model *model, uint64_t id)
{
    uint32_t low = 0, high = model->head->items;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (model->id[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < model->head->items && model->id[low] == id ? low : MODEL_NONE;
}

static void work_out_digest(const struct model *model, uint8_t digest[DIGEST_BYTES])
{
    uint8_t body[DIGEST_BYTES];

    digest_sha256((const uint8_t *)model->head + MODEL_HEAD, model->bytes - MODEL_HEAD, NULL, 0,
                  body);
    digest_sha256(model->head, offsetof(struct model_head, digest), body, sizeof body, digest);
}

/* --- writing -------------------------------------------------------------------------------------
 */

static enum status io_failed(const char *path, const char *what, int error,
                             char message[MODEL_MESSAGE])
{
    snprintf(message, MODEL_MESSAGE, "%.160s: %s: %s", path, what, strerror(-error));
    return STATUS_IOFAIL;
}

static int write_new(const struct model *model, const struct disk *disk, const char *path)
{
    int handle, error, closed;

    disk->remove(disk->context, path); /* half of an earlier one, cut off */
    if ((error = disk->open(disk->context, path, DISK_CREATE, &handle)) != 0)
        return error;
    error = disk->write(disk->context, handle, 0, model->head, model->bytes);
    if (error == 0)
        error = disk->sync(disk->context, handle);
    closed = disk->close(disk->context, handle);
    return error != 0 ? error : closed;
}

static void directory_of(const char *path, char directory[PATH_MAX_BYTES])
{
    char *slash;

    snprintf(directory, PATH_MAX_BYTES, "%s", path);
    slash = strrchr(directory, '/');
    if (slash == NULL)
        snprintf(directory, PATH_MAX_BYTES, ".");
    else if (slash == directory)
        slash[1] = '\0';
    else
        *slash = '\0';
}

enum status model_save(struct model *model, const struct disk *disk, const char *path,
                       char message[MODEL_MESSAGE])
{
    char fresh[PATH_MAX_BYTES], directory[PATH_MAX_BYTES];
    int error;

    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh) {
        snprintf(message, MODEL_MESSAGE, "%.160s...: the path is too long", path);
        return STATUS_IOFAIL;
    }
    work_out_digest(model, model->head->digest);
    if ((error = write_new(model, disk, fresh)) != 0)
        return io_failed(fresh, "cannot be written", error, message);
    if ((error = disk->rename(disk->context, fresh, path)) != 0)
        return io_failed(path, "cannot be replaced", error, message);
    directory_of(path, directory);
    if ((error = disk->sync_dir(disk->context, directory)) != 0)
        return io_failed(directory, "cannot be synced", error, message);
    return STATUS_OK;
}

/* --- reading -------------------------------------------------------------------------------------
 */

static bool all_finite(const float *at, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (!isfinite(at[i]))
            return false;
    return true;
}

static bool all_zero(const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (at[i] != 0)
            return false;
    return true;
}

/* What a head may say before a byte of the body is looked at; NULL: it is fine. */
static const char *wrong_with_head(const struct model_head *head, uint64_t size)
{
    if (memcmp(head->magic, "ZANMODEL", sizeof head->magic) != 0)
        return "is no model";
    if (head->format != MODEL_FORMAT)
        return "has a format this version does not know";
    if (head->rank > MODEL_RANK_MAX || head->zero != 0 ||
        !all_zero(head->zeros, sizeof head->zeros))
        return "has a head that makes no sense";
    if (size != whole_bytes(head))
        return "is cut off, or longer than its head says";
    return NULL;
}

static const char *wrong_with_body(const struct model *model)
{
    const struct model_head *head = model->head;
    uint8_t digest[DIGEST_BYTES];

    work_out_digest(model, digest);
    if (memcmp(digest, head->digest, sizeof digest) != 0)
        return "is damaged: its checksum differs";
    for (uint32_t i = 1; i < head->items; i++)
        if (model->id[i - 1] >= model->id[i])
            return "has ids that do not ascend";
    for (uint32_t i = 0; i < head->items; i++)
        if (model->link_start[i] > model->link_start[i + 1])
            return "has links out of order";
    if (model->link_start[0] != 0 || model->link_start[head->items] != head->links)
        return "has links out of order";
    for (uint32_t i = 0; i < head->links; i++)
        if (model->link_item[i] >= head->items)
            return "has links to nothing";
    if (!all_finite(model->link_weight, head->links) ||
        !all_finite(model->factor, (uint64_t)head->items * head->rank) ||
        !all_finite(&head->share, 4) || !isfinite(head->factor_power))
        return "has a number that is none";
    return NULL;
}

static enum status refuse(const char *path, const char *what, char message[MODEL_MESSAGE])
{
    snprintf(message, MODEL_MESSAGE, "%.160s %s", path, what);
    return STATUS_BADDATA;
}

/* The whole file, after its head was found fit. */
static enum status read_all(const struct disk *disk, int handle, uint64_t size, const char *path,
                            struct model *model, char message[MODEL_MESSAGE])
{
    struct model_head *block = malloc((size_t)size);
    const char *wrong;
    int error;

    if (block == NULL) {
        snprintf(message, MODEL_MESSAGE, "%.160s: no memory for %llu bytes", path,
                 (unsigned long long)size);
        return STATUS_NOMEMORY;
    }
    *model = (struct model){.head = block};
    if ((error = disk->read(disk->context, handle, 0, block, (size_t)size)) != 0) {
        model_free(model);
        return io_failed(path, "cannot be read", error, message);
    }
    wrong = wrong_with_head(block, size); /* once more: it was read twice */
    if (wrong == NULL) {
        lay_out(model);
        wrong = wrong_with_body(model);
    }
    if (wrong == NULL)
        return STATUS_OK;
    model_free(model);
    return refuse(path, wrong, message);
}

enum status model_open(const struct disk *disk, const char *path, struct model *model,
                       char message[MODEL_MESSAGE])
{
    struct model_head head;
    struct model result = {0}; /* cppcheck cannot follow it to read_all */
    const char *wrong;
    enum status status;
    uint64_t size = 0;
    int handle, error;

    if ((error = disk->open(disk->context, path, DISK_READ_ONLY, &handle)) != 0)
        return io_failed(path, "cannot be opened", error, message);
    if ((error = disk->size(disk->context, handle, &size)) != 0) {
        status = io_failed(path, "has no size", error, message);
    } else if (size < MODEL_HEAD) {
        status = refuse(path, "is too short for a model", message);
    } else if ((error = disk->read(disk->context, handle, 0, &head, sizeof head)) != 0) {
        status = io_failed(path, "cannot be read", error, message);
    } else if ((wrong = wrong_with_head(&head, size)) != NULL) {
        status = refuse(path, wrong, message);
    } else {
        status = read_all(disk, handle, size, path, &result, message);
    }
    disk->close(disk->context, handle);
    if (status == STATUS_OK)
        *model = result;
    return status;
}
