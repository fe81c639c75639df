/* model_watch.h: the model that is served: found in a file, changed when the file is.
 *
 * Every MODEL_LOOK_US a thread of its own reads the head of the file. If size or checksum are not
 * those of the last look, it opens the model beside the one in use, the whole of it checked; then
 * model_watch_turn hands it over. So nobody who is answered waits for a disk or a checksum; what
 * the answering thread does is a lock that is held for a moment.
 *
 *   none       there is no such file: no model, and nothing wrong
 *   refused    it is there and is no good (damaged, cut off, being written, no memory): the model
 *              before it goes on; it is tried again when the file changes, and every
 *              MODEL_RETRY_US. A file that goes away leaves the model in use, too
 *
 * How it ends: model_watch_close waits for an opening under way. Memory: twice the model's file
 * while one takes the place of another. */
#ifndef ZAN_READERS_MODEL_WATCH_H
#define ZAN_READERS_MODEL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/disk.h"
#include "readers/recommend/recommend.h"
#include "schema/status.h"

#define MODEL_LOOK_US  1000000LL
#define MODEL_RETRY_US 30000000LL

struct model_watch;

/* What is in use. */
struct model_used {
    struct recommend_view *view; /* NULL: none */
    uint32_t version;            /* 0: none */
    uint16_t tenant;
};

struct model_told {
    uint64_t taken;   /* models that were taken into use */
    uint64_t refused; /* files that were not */
    char
        message[RECOMMEND_MESSAGE]; /* why the newest was not; "": it is in use, or there is none */
};

/* path and disk: borrowed until close. NOMEMORY. No thread yet: the first turn starts it. */
enum status model_watch_open(const struct disk *disk, const char *path, struct model_watch **watch);
void model_watch_close(struct model_watch *watch); /* NULL is allowed */

/* Every now and then; now_us may jump. True: *used is another than before. The view before it
 * is closed: nobody may look into it after this. */
bool model_watch_turn(struct model_watch *watch, int64_t now_us, struct model_used *used);
void model_watch_tell(struct model_watch *watch, struct model_told *told);

#endif
