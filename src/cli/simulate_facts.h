/* simulate_facts.h: what the real log shows; made by scripts/simulate-facts, do not edit.
 *
 *   source     KuaiRand-Pure (Gao et al., CIKM 2022), CC BY-SA 4.0, the part in data/kuairand
 *   *_ppm      millionths
 *   *_40       values at 41 places of the sorted list: the least, each 2.5 %, the greatest
 *
 * The log: 228329 impressions of 6361 videos to 25156 accounts, 2022-04-25 to 2022-05-08. */
#ifndef ZAN_CLI_SIMULATE_FACTS_H
#define ZAN_CLI_SIMULATE_FACTS_H

#include <stdint.h>

/* clang-format off */

/* Of the log: per impression. A view is a click or some play time. */
#define FACT_VIEW_PPM 904716
#define FACT_LIKE_PPM 17146
#define FACT_FOLLOW_PPM 1331
#define FACT_COMMENT_PPM 2536
#define FACT_FORWARD_PPM 854
#define FACT_HATE_PPM 832

/* Of the videos' own averages on the platform. */
#define FACT_TAKEN_BACK_PPM 81286 /* of likes */
#define FACT_DOUBLE_TAP_PPM 536892 /* of likes */
#define FACT_LIKE_PER_SHOW_PPM 21867
#define FACT_REPORT_PER_MILLIARD 483 /* of shows */
#define FACT_VIDEOS_PER_CREATOR_PPM 1164823

/* Impressions by the hour of the day, in China. */
static const uint32_t fact_hour_ppm[24] = {
    36509, 22774, 14773, 9429, 7840, 9806, 17724, 26558, 33758, 40179, 45951, 51535, 58591,
    55876, 50769, 52433, 55731, 59944, 56178, 54697, 56467, 60614, 64087, 57776,
};

/* Impressions of an account in the two weeks (the log is a sample of what it saw). */
static const uint32_t fact_activity_40[41] = {
    1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 6, 6, 7, 7, 7, 8, 8, 9, 9, 10, 10, 11,
    12, 13, 14, 15, 16, 18, 20, 22, 25, 32, 141,
};

/* Impressions of a video in the two weeks. */
static const uint32_t fact_popularity_40[41] = {
    1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 6, 6, 7, 8, 9, 10, 11, 12, 14, 15, 17, 19, 22,
    24, 28, 31, 37, 43, 49, 58, 71, 88, 114, 154, 242, 1518,
};

/* Likes per show of a video, of those shown 200 times a day or more. */
static const uint32_t fact_like_rate_ppm_40[41] = {
    190, 2465, 3220, 3769, 4244, 4655, 5141, 5523, 6000, 6453, 6891, 7383, 7820, 8293, 8768,
    9328, 9895, 10460, 11041, 11699, 12450, 13274, 14072, 14912, 16000, 17037, 18122, 19365,
    20599, 22308, 23927, 26180, 28509, 31539, 34726, 38334, 44222, 51675, 62771, 83428, 245195,
};

/* Days since an account was registered. */
static const uint32_t fact_age_days_40[41] = {
    14, 73, 124, 190, 265, 324, 405, 462, 541, 620, 683, 752, 794, 834, 870, 925, 980, 1029,
    1080, 1141, 1188, 1229, 1295, 1360, 1414, 1476, 1534, 1569, 1611, 1653, 1701, 1752, 1801,
    1870, 1929, 2003, 2108, 2235, 2381, 2574, 3624,
};

#endif
