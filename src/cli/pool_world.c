/* pool_world.c: the real videos, and cohorts drawn from them. See pool_eval.h. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/pool_eval.h"

#define VIDEOS_MAX   20000
#define BUCKETS      10
#define TAPE_TEACHES 100
#define PATH_MAX_    4096

/* --- data --------------------------------------------------------------------------------------
 */

enum column {
    ID,
    DURATION,
    TAG,
    PLAYS,
    LONG,
    LIKE,
    COMMENT,
    SHARE,
    REPORT,
    REDUCE,
    DAYS,
    VIDEO_COLUMNS
};

static const char *const video_columns[] = {"video_id",
                                            "video_duration",
                                            "tag",
                                            "play_cnt",
                                            "long_time_play_cnt",
                                            "like_user_num",
                                            "direct_comment_user_num",
                                            "share_user_num",
                                            "report_user_num",
                                            "reduce_similar_user_num",
                                            "counts",
                                            NULL};

struct tag_names {
    char name[POOL_TAGS_MAX][48];
    uint32_t count;
};

static double number(const struct lines *lines, enum column column)
{
    return strtod(lines_field(lines, column), NULL);
}

/* More tags than there is room for (111 are there) are one. */
static uint32_t tag_index(struct tag_names *names, const char *name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i], name) == 0)
            return i;
    if (names->count == POOL_TAGS_MAX)
        return POOL_TAGS_MAX - 1;
    snprintf(names->name[names->count], sizeof names->name[0], "%.47s", name);
    return names->count++;
}

static double share(double part, double whole)
{
    return fmin(fmax(part / whole, 0), 0.95);
}

static bool read_video(const struct lines *lines, struct tag_names *names, struct pool_video *video)
{
    double plays = number(lines, PLAYS);

    if (plays * number(lines, DAYS) < 2000) /* no rate to speak of */
        return false;
    *video = (struct pool_video){.id = strtoull(lines_field(lines, ID), NULL, 10),
                                 .duration_s = number(lines, DURATION) / 1000,
                                 .plays = plays * number(lines, DAYS),
                                 .kind = tag_index(names, lines_field(lines, TAG))};
    video->rate[POOL_LONG] = share(number(lines, LONG), plays);
    video->rate[POOL_LIKE] = share(number(lines, LIKE), plays);
    video->rate[POOL_COMMENT] = share(number(lines, COMMENT), plays);
    video->rate[POOL_SHARE] = share(number(lines, SHARE), plays);
    video->rate[POOL_NEGATIVE] = share(number(lines, REPORT) + number(lines, REDUCE), plays);
    video->past = (hash_mix(video->id) & 1) != 0;
    return true;
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static uint32_t bucket_of(const double edge[BUCKETS], double duration)
{
    uint32_t bucket = 0;

    while (bucket + 1 < BUCKETS && duration > edge[bucket])
        bucket++;
    return bucket;
}

/* Items are alike in kind: tag and quarter of duration. */
static void find_kinds(struct pool_data *data, const double *sorted)
{
    for (uint32_t i = 0; i < data->count; i++) {
        uint32_t quarter = 0;

        while (quarter < 3 &&
               data->video[i].duration_s > sorted[(uint64_t)(quarter + 1) * (data->count - 1) / 4])
            quarter++;
        data->video[i].kind = data->video[i].kind * 4 + quarter;
    }
}

/* Long views against those of the same length. */
static void level_durations(struct pool_data *data)
{
    double edge[BUCKETS], sum[BUCKETS] = {0}, items[BUCKETS] = {0};
    double *sorted = malloc(data->count * sizeof *sorted);

    if (sorted == NULL)
        abort();
    for (uint32_t i = 0; i < data->count; i++)
        sorted[i] = data->video[i].duration_s;
    qsort(sorted, data->count, sizeof *sorted, by_number);
    for (uint32_t b = 0; b < BUCKETS; b++)
        edge[b] = sorted[(uint64_t)(b + 1) * (data->count - 1) / BUCKETS];
    find_kinds(data, sorted);
    free(sorted);
    for (uint32_t i = 0; i < data->count; i++) {
        uint32_t bucket = bucket_of(edge, data->video[i].duration_s);

        sum[bucket] += data->video[i].rate[POOL_LONG];
        items[bucket] += 1;
    }
    for (uint32_t i = 0; i < data->count; i++) {
        uint32_t bucket = bucket_of(edge, data->video[i].duration_s);
        double usual = sum[bucket] / items[bucket];

        data->video[i].rate[POOL_LONG] =
            share(POOL_LONG_SHARE * data->video[i].rate[POOL_LONG], usual);
    }
}

static void find_means(struct pool_data *data)
{
    for (uint32_t m = 0; m < POOL_METRICS; m++) {
        data->mean[m] = 0;
        for (uint32_t i = 0; i < data->count; i++)
            data->mean[m] += data->video[i].rate[m] / data->count;
    }
}

static enum status load_videos(const char *path, struct pool_data *data,
                               char message[LINES_MESSAGE])
{
    struct tag_names *names = calloc(1, sizeof *names);
    struct lines *lines;
    enum lines_end end = LINES_END;
    enum status status = lines_open(path, video_columns, VIDEO_COLUMNS, &lines, message);

    if (status != STATUS_OK) {
        free(names);
        return status;
    }
    data->video = calloc(VIDEOS_MAX, sizeof *data->video);
    if (names == NULL || data->video == NULL)
        abort();
    while (data->count < VIDEOS_MAX && (end = lines_next(lines, message)) == LINES_ROW)
        data->count += read_video(lines, names, &data->video[data->count]);
    lines_close(lines);
    data->kinds = 4 * names->count;
    free(names);
    if (end == LINES_BAD || data->count < 4 * BUCKETS) {
        if (end != LINES_BAD)
            snprintf(message, LINES_MESSAGE, "%.200s: too few videos", path);
        return STATUS_BADDATA;
    }
    level_durations(data);
    find_means(data);
    return STATUS_OK;
}

enum { SEEN_VIDEO, SEEN_LIKE, SEEN_COMMENT, SEEN_FORWARD, SEEN_HATE, SEEN_LONG, SEEN_COLUMNS };
static const char *const seen_columns[] = {"video_id", "is_like",   "is_comment", "is_forward",
                                           "is_hate",  "long_view", NULL};

static struct pool_video *video_of(const struct pool_data *data, uint64_t id)
{
    for (uint32_t low = 0, high = data->count; low < high;) { /* the file is in the order of ids */
        uint32_t middle = (low + high) / 2;

        if (data->video[middle].id == id)
            return &data->video[middle];
        if (data->video[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static uint8_t bits_of(const struct lines *lines)
{
    static const uint8_t metric_of[SEEN_COLUMNS] = {0,          POOL_LIKE,     POOL_COMMENT,
                                                    POOL_SHARE, POOL_NEGATIVE, POOL_LONG};
    uint8_t bits = 0;

    for (uint32_t c = SEEN_LIKE; c < SEEN_COLUMNS; c++)
        if (lines_field(lines, c)[0] == '1')
            bits |= (uint8_t)(1u << metric_of[c]);
    return bits;
}

/* Twice over the file: how many of each video, then what. */
static enum status read_tapes(const char *path, struct pool_data *data, uint32_t *at,
                              char message[LINES_MESSAGE])
{
    struct lines *lines;
    enum lines_end end;
    enum status status = lines_open(path, seen_columns, SEEN_COLUMNS, &lines, message);

    if (status != STATUS_OK)
        return status;
    while ((end = lines_next(lines, message)) == LINES_ROW) {
        struct pool_video *video =
            video_of(data, strtoull(lines_field(lines, SEEN_VIDEO), NULL, 10));

        if (video == NULL)
            continue;
        if (at == NULL)
            video->shown++;
        else
            data->tape[at[video - data->video]++] = bits_of(lines);
    }
    lines_close(lines);
    return end == LINES_BAD ? STATUS_BADDATA : STATUS_OK;
}

static enum status load_tapes(const char *path, struct pool_data *data, char message[LINES_MESSAGE])
{
    uint32_t *at = calloc(data->count, sizeof *at), sum = 0;
    enum status status = read_tapes(path, data, NULL, message);

    if (at == NULL)
        abort();
    for (uint32_t i = 0; i < data->count; i++) {
        data->video[i].tape = at[i] = sum;
        sum += data->video[i].shown;
    }
    data->tape = malloc(sum + 1);
    if (data->tape == NULL)
        abort();
    if (status == STATUS_OK)
        status = read_tapes(path, data, at, message);
    free(at);
    return status;
}

enum status pool_data_load(const char *directory, bool tapes, struct pool_data *data,
                           char message[LINES_MESSAGE])
{
    char path[PATH_MAX_];
    enum status status;

    memset(data, 0, sizeof *data);
    snprintf(path, sizeof path, "%.4000s/videos.tsv", directory);
    status = load_videos(path, data, message);
    snprintf(path, sizeof path, "%.4000s/impressions.tsv", directory);
    if (status == STATUS_OK && tapes)
        status = load_tapes(path, data, message);
    return status;
}

void pool_data_free(struct pool_data *data)
{
    free(data->video);
    free(data->tape);
}

/* --- worlds --------------------------------------------------------------------------------------
 */

static double true_value(const struct pool_data *data, const struct pool_video *video,
                         enum pool_truth truth)
{
    double likes = video->rate[POOL_LIKE] / data->mean[POOL_LIKE];
    double longs = video->rate[POOL_LONG] / data->mean[POOL_LONG];

    return truth == POOL_BY_LIKES ? likes : truth == POOL_BY_LONG ? longs : likes + longs;
}

/* Tapes need videos that were really shown often; they never teach. */
static bool may_enter(const struct pool_video *video, const struct pool_world_options *options)
{
    return options->tapes ? video->shown >= options->even * 5 / 3 : !video->past;
}

/* Of a video that teaches: drawn, or with tapes what was really seen of it. False: it does not
 * teach. */
static bool past_of(const struct pool_data *data, const struct pool_video *video,
                    const struct pool_world_options *options, struct pool_random *random,
                    struct pool_seen *seen)
{
    memset(seen, 0, sizeof *seen);
    if (options->tapes) {
        seen->n = video->shown;
        for (uint32_t i = 0; i < video->shown; i++)
            for (uint32_t m = 0; m < POOL_METRICS; m++)
                seen->s[m] += data->tape[video->tape + i] >> m & 1;
        return video->shown >= TAPE_TEACHES && !may_enter(video, options);
    }
    seen->n = POOL_PAST_SEEN;
    for (uint32_t m = 0; m < POOL_METRICS && video->past; m++)
        seen->s[m] = pool_random_binomial(random, POOL_PAST_SEEN, video->rate[m]);
    return video->past;
}

static void learn(struct pool_world *world, const struct pool_world_options *options,
                  struct pool_random *random)
{
    const struct pool_data *data = world->data;
    uint32_t used = 0;

    for (uint32_t i = 0; i < data->count; i++) {
        world->past[used].tag = data->video[i].kind;
        used += past_of(data, &data->video[i], options, random, &world->past[used].seen);
    }
    world->learnt = used;
    pool_learn(world->rule, world->past, used, world->values, world->tags, data->kinds,
               &world->platform);
}

static void enter(struct pool_world *world, struct pool_entrant *item,
                  const struct pool_video *video, const struct pool_world_options *options,
                  struct pool_random *random)
{
    *item = (struct pool_entrant){.video = video,
                                  .truth = true_value(world->data, video, options->truth)};
    item->mismatched = pool_random_unit(random) < options->mismatched;
    for (uint32_t m = 0; m < POOL_METRICS; m++) {
        item->rate[0][m] = item->rate[1][m] = video->rate[m];
        if (item->mismatched && m != POOL_NEGATIVE)
            item->rate[0][m] *= 0.4;
    }
    pool_prior(&world->platform, &world->tags[video->kind], item->prior);
}

/* Without replacement: a partial shuffle. */
static void draw(struct pool_world *world, const struct pool_world_options *options,
                 struct pool_random *random)
{
    uint32_t *at = malloc(world->data->count * sizeof *at), pool = 0;

    if (at == NULL)
        abort();
    for (uint32_t i = 0; i < world->data->count; i++)
        if (may_enter(&world->data->video[i], options))
            at[pool++] = i;
    world->count = options->items < pool ? options->items : pool;
    for (uint32_t i = 0; i < world->count; i++) {
        uint32_t other = i + pool_random_below(random, pool - i), keep = at[i];

        at[i] = at[other];
        at[other] = keep;
        enter(world, &world->item[i], &world->data->video[at[i]], options, random);
    }
    free(at);
}

static void mark(struct pool_world *world)
{
    double sorted[POOL_ITEMS_MAX] = {0};
    uint32_t count = world->count;

    for (uint32_t i = 0; i < count; i++)
        sorted[i] = world->item[i].truth;
    qsort(sorted, count, sizeof *sorted, by_number);
    for (uint32_t i = 0; i < count; i++) {
        world->item[i].best = world->item[i].truth >= sorted[count - count / 10];
        world->item[i].worst = world->item[i].truth < sorted[count / 2];
    }
}

void pool_world_make(struct pool_world *world, const struct pool_data *data,
                     const struct pool_rule *rule, const struct pool_world_options *options,
                     uint64_t seed)
{
    struct pool_random random = {hash_two(seed, 1)};

    assert(options->items <= POOL_ITEMS_MAX);
    if (world->past == NULL) {
        world->past = malloc(data->count * sizeof *world->past);
        world->values = malloc(data->count * sizeof *world->values);
        if (world->past == NULL || world->values == NULL)
            abort();
    }
    world->data = data;
    world->rule = rule;
    world->even = options->even;
    world->tapes = options->tapes;
    learn(world, options, &random);
    draw(world, options, &random);
    world->cap = world->count * options->even / POOL_SLOTS;
    mark(world);
}

void pool_world_free(struct pool_world *world)
{
    free(world->past);
    free(world->values);
}
