#include "cli/progress.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUIET_US    2000000  /* before the first sign of life */
#define TERMINAL_US 200000   /* between two drawings */
#define PLAIN_US    10000000 /* between two lines of a file */
#define BAR         24

int64_t progress_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const char *progress_number(uint64_t number, char text[32])
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number), used = 0;

    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

static void time_left(char text[32], uint64_t part, uint64_t whole, int64_t elapsed_us)
{
    double left_s = (double)elapsed_us / 1e6 * (double)(whole - part) / (double)part;
    uint64_t s = left_s < 360000 ? (uint64_t)left_s : 360000;

    if (s >= 3600)
        snprintf(text, 32, "%u:%02u:%02u", (unsigned)(s / 3600), (unsigned)(s / 60 % 60),
                 (unsigned)(s % 60));
    else
        snprintf(text, 32, "%u:%02u", (unsigned)(s / 60), (unsigned)(s % 60));
}

void progress_line(char line[PROGRESS_LINE], const char *what, const char *unit, uint64_t part,
                   uint64_t whole, uint64_t count, int64_t elapsed_us, bool bar)
{
    char number[32], rate[32], left[32] = "", drawn[BAR + 3] = "", share[16] = "";

    assert(elapsed_us > 0);
    progress_number(count, number);
    progress_number((uint64_t)((double)count * 1e6 / (double)elapsed_us), rate);
    if (whole > 0) {
        if (part > whole)
            part = whole;
        snprintf(share, sizeof share, " %3u %%", (unsigned)((double)part * 100 / (double)whole));
        if (part > 0)
            time_left(left, part, whole, elapsed_us);
    }
    if (bar && whole > 0) {
        unsigned full = (unsigned)((double)part * BAR / (double)whole);

        drawn[0] = '[';
        for (unsigned i = 0; i < BAR; i++)
            drawn[1 + i] = i < full ? '#' : '.';
        drawn[BAR + 1] = ']';
    }
    snprintf(line, PROGRESS_LINE, "%.40s%s%s%s  %s %.16s  %s/s%s%s", what, drawn[0] != 0 ? " " : "",
             drawn, share, number, unit, rate, left[0] != '\0' ? "  left " : "", left);
}

void progress_begin(struct progress *progress, const char *what, const char *unit, bool quiet)
{
    memset(progress, 0, sizeof *progress);
    progress->what = what;
    progress->unit = unit;
    progress->quiet = quiet;
    progress->terminal = isatty(STDERR_FILENO);
    progress->start_us = progress_now_us();
    progress->told_us = progress->start_us;
}

void progress_step(struct progress *progress, uint64_t part, uint64_t whole, uint64_t count)
{
    int64_t now_us = progress_now_us();
    char line[PROGRESS_LINE];

    if (progress->quiet || now_us - progress->start_us < QUIET_US)
        return;
    if (now_us - progress->told_us < (progress->terminal ? TERMINAL_US : PLAIN_US))
        return;
    progress->told_us = now_us;
    progress_line(line, progress->what, progress->unit, part, whole, count,
                  now_us - progress->start_us, progress->terminal);
    if (progress->terminal)
        fprintf(stderr, "\r\033[K%s", line);
    else
        fprintf(stderr, "%s\n", line);
    progress->drawn = progress->terminal;
}

void progress_report(void *argument, const char *what, uint64_t done, uint64_t total)
{
    struct progress *progress = argument;

    progress->what = what;
    progress_step(progress, done, total, done);
}

void progress_end(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}
