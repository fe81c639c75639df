/* model.h: what training makes and serving reads, in memory and on disk the same bytes.
 *
 * score(account, j) = sum over i of its history of  weight(i -> j)
 *                     + share * < sum over i of factor_i / degree_i^2p , factor_j >
 *
 * weight: ridge.h, by the item one has (links of i, the strongest first); factor_j = degree_j^p
 * times row j of the eigenvectors (lowpass.h; p is its b), so the second line is the low-pass
 * filter.
 *
 * The file (docs/formats.md), little endian:
 *
 *   offset  size
 *        0     8  "ZANMODEL"
 *        8     4  version of the format, 1
 *       12     4  items n
 *       16     4  rank r
 *       20     4  links m
 *       24     4  version of the model: when it was trained, seconds since 1970
 *       28     2  tenant
 *       30     2  0
 *       32     4  share (float)
 *       36    12  account power, item power, penalty of the ridge (floats)
 *       48     4  neighbours of an item, at most
 *       52     4  accounts it was trained on
 *       56     8  pairs it was trained on
 *       64     4  p, of factors (float)
 *       68     4  bytes of rates s
 *       72    24  0
 *       96    32  SHA-256 of bytes 0..95 and of the SHA-256 of all that follows
 *      128   8 n  ids, ascending
 *          4 n    degree: accounts of each item
 *          4 n+4  where the links of each item begin, and m
 *          4 m    links: places of items
 *          4 m    links: weights (floats)
 *          4 n r  factors (floats)
 *          s      rates (rank.h, rank_write), or nothing; before them zeros to a multiple of 8
 *
 * Holds always (model_open refuses what does not): ids ascend; starts do not descend and end with
 * m; places are below n; no float is infinite or no number. Memory: one block, of the file's size.
 */
#ifndef ZAN_READERS_RECOMMEND_MODEL_H
#define ZAN_READERS_RECOMMEND_MODEL_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"
#include "schema/status.h"

#define MODEL_FORMAT   1
#define MODEL_HEAD     128
#define MODEL_MESSAGE  256
#define MODEL_RANK_MAX 1024
#define MODEL_NONE     UINT32_MAX /* no such item */

struct model_head {
    char magic[8];
    uint32_t format, items, rank, links, version;
    uint16_t tenant, zero;
    float share, account_power, item_power, penalty;
    uint32_t neighbours, accounts;
    uint64_t pairs;
    float factor_power;
    uint32_t rates_bytes;
    uint8_t zeros[24];
    uint8_t digest[32];
};
static_assert(sizeof(struct model_head) == MODEL_HEAD, "the byte table above");

struct model {
    struct model_head *head; /* the block begins here; owned */
    size_t bytes;
    uint64_t *id;
    uint32_t *degree;
    uint32_t *link_start;
    uint32_t *link_item;
    float *link_weight;
    float *factor;
    uint8_t *rates; /* head->rates_bytes of them */
};

/* A block of zeros with magic, format and the three sizes. NOMEMORY. */
enum status model_make(uint32_t items, uint32_t rank, uint32_t links, struct model *model);
void model_free(struct model *model);
/* Room for rates at its end. NOMEMORY: it is as it was. */
enum status model_add_rates(struct model *model, size_t bytes);

uint64_t model_bytes(uint32_t items, uint32_t rank, uint32_t links);

/* degree^-2p of an item: what its factor is multiplied with in a history. */
float model_factor_scale(const struct model *model, uint32_t item);

/* The place of an id; MODEL_NONE. */
uint32_t model_find(const struct model *model, uint64_t id);

/* Writes PATH.new, syncs it, gives it its name, syncs the directory: a reader finds the old model
 * or the new one, whole. IOFAIL: message says what; the old one is as it was. */
enum status model_save(struct model *model, const struct disk *disk, const char *path,
                       char message[MODEL_MESSAGE]);

/* IOFAIL, NOMEMORY, BADDATA: message names the file and what is wrong with it. *model is written on
 * OK. */
enum status model_open(const struct disk *disk, const char *path, struct model *model,
                       char message[MODEL_MESSAGE]);

#endif
