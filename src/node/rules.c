#include "node/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "engine/policy_parse.h"

/* The files of policies/, as they are, in the program: one place for their text. */
#define PRESET(name)                                                                               \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global preset_" #name "\npreset_" #name ":\n.incbin \"" ZAN_POLICIES "/" #name       \
            ".policy\"\n"                                                                          \
            ".global preset_" #name "_end\npreset_" #name "_end:\n.byte 0\n.popsection\n");        \
    extern const char preset_##name[], preset_##name##_end[];

PRESET(default)
PRESET(channels)
PRESET(douyin)
PRESET(bilibili)
PRESET(kuaishou)
PRESET(weibo)

static const struct preset {
    const char *name, *text, *end;
} presets[] = {
    {"default", preset_default, preset_default_end},
    {"channels", preset_channels, preset_channels_end},
    {"douyin", preset_douyin, preset_douyin_end},
    {"bilibili", preset_bilibili, preset_bilibili_end},
    {"kuaishou", preset_kuaishou, preset_kuaishou_end},
    {"weibo", preset_weibo, preset_weibo_end},
};

const char *rules_preset(uint32_t i, const char **text, size_t *size)
{
    if (i >= sizeof presets / sizeof *presets)
        return NULL;
    if (text != NULL) {
        *text = presets[i].text;
        *size = (size_t)(presets[i].end - presets[i].text);
    }
    return presets[i].name;
}

static enum status read_file(const char *path, char *text, size_t *size, char message[512])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, POLICY_TEXT_MAX + 1);

    if (got < 0)
        snprintf(message, 512,
                 "policy %.200s: %s; give a file, none, or one of: default, channels, douyin, "
                 "bilibili, kuaishou, weibo",
                 path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (got > POLICY_TEXT_MAX) {
        snprintf(message, 512, "policy %.200s: longer than %u bytes", path, POLICY_TEXT_MAX);
        got = -1;
    }
    *size = got < 0 ? 0 : (size_t)got;
    return got < 0 ? STATUS_BADCONFIG : STATUS_OK;
}

static enum status parse(const char *name, const char *text, size_t size, struct policy **policy,
                         uint8_t digest[32], char message[512])
{
    struct policy_problem problem;

    *policy = calloc(1, sizeof **policy);
    if (*policy == NULL)
        return STATUS_NOMEMORY;
    digest_sha256(text, size, NULL, 0, digest);
    if (policy_parse(text, size, *policy, &problem))
        return STATUS_OK;
    snprintf(message, 512, "policy %.150s, line %u, column %u: %s", name, problem.line,
             problem.column, problem.text);
    free(*policy);
    *policy = NULL;
    return STATUS_BADCONFIG;
}

enum status rules_read(const char *name, struct policy **policy, uint8_t digest[32], char **text,
                       size_t *text_size, char message[512])
{
    const char *preset, *known;
    enum status status = STATUS_OK;
    size_t size;
    char *bytes;

    *policy = NULL;
    *text = NULL;
    *text_size = 0;
    memset(digest, 0, 32);
    if (strcmp(name, "none") == 0)
        return STATUS_OK;
    if ((bytes = malloc(POLICY_TEXT_MAX + 1)) == NULL)
        return STATUS_NOMEMORY;
    for (uint32_t i = 0; (preset = rules_preset(i, &known, &size)) != NULL; i++)
        if (strcmp(name, preset) == 0)
            break;
    if (preset != NULL)
        memcpy(bytes, known, size);
    else
        status = read_file(name, bytes, &size, message);
    if (status == STATUS_OK)
        status = parse(name, bytes, size, policy, digest, message);
    if (status != STATUS_OK) {
        free(bytes);
        return status;
    }
    *text = bytes;
    *text_size = size;
    return STATUS_OK;
}

enum status rules_load(const char *name, struct policy **policy, uint8_t digest[32],
                       char message[512])
{
    char *text;
    size_t size;
    enum status status = rules_read(name, policy, digest, &text, &size, message);

    free(text);
    return status;
}

void rules_mark(const char *name, const uint8_t digest[32], uint8_t mark[32])
{
    const char *preset;

    memcpy(mark, digest, 32);
    for (uint32_t i = 0; (preset = rules_preset(i, NULL, NULL)) != NULL; i++)
        if (strcmp(name, preset) == 0)
            digest_sha256("preset ", 7, name, strlen(name), mark);
}
