/* site.h: files of the console, which are part of the program (docs/console.md).
 *
 * Made by the build (console/pack.mjs) and linked into zan; whoever opens the HTTP door hands them
 * over. They are gzip already, and told so: no client that can show them cannot read that.
 *
 * Memory: constant, for as long as the process lives. */
#ifndef ZAN_SERVE_SITE_H
#define ZAN_SERVE_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SITE_ROOT "/console/" /* where the page itself is */

struct site_file {
    const char *path; /* "/console/assets/main-1a2b3c.js" */
    const char *type; /* Content-Type */
    const char *etag; /* with its quotes */
    bool forever;     /* the name has a hash of the content: it never changes */
    size_t size;
    const uint8_t *bytes; /* gzip */
};

/* Files in the order of their paths (strcmp); count 0: built without a console. */
struct site {
    const struct site_file *files;
    uint32_t count;
};

/* NULL: there is none. site may be NULL. */
const struct site_file *site_find(const struct site *site, const char *path);

#endif
