/* moment.c: see moment.h. */
#include "cli/moment.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* Reads `digits` digits, and the character behind them if it is not 0. */
static bool take_number(const char **at, int digits, char behind, int *number)
{
    *number = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *number = 10 * *number + (**at - '0');
    }
    if (behind != '\0' && *(*at)++ != behind)
        return false;
    return true;
}

static bool date_from(const char *at, int64_t *us)
{
    struct tm tm = {0};

    if (!take_number(&at, 4, '-', &tm.tm_year) || !take_number(&at, 2, '-', &tm.tm_mon) ||
        !take_number(&at, 2, '\0', &tm.tm_mday))
        return false;
    if (*at != '\0' &&
        (*at++ != 'T' || !take_number(&at, 2, ':', &tm.tm_hour) ||
         !take_number(&at, 2, ':', &tm.tm_min) || !take_number(&at, 2, 'Z', &tm.tm_sec)))
        return false;
    if (*at != '\0' || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *us = (int64_t)timegm(&tm) * 1000000;
    return true;
}

bool moment_read(const char *text, int64_t *us)
{
    char *end;
    long long seconds;

    if (date_from(text, us))
        return true;
    errno = 0;
    seconds = strtoll(text, &end, 10);
    *us = (int64_t)seconds * 1000000;
    return end != text && *end == '\0' && errno == 0 && seconds >= 0 && seconds < 1LL << 40;
}

void moment_write(int64_t us, char text[MOMENT_TEXT])
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;

    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(text, MOMENT_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        text[0] = '\0';
}
