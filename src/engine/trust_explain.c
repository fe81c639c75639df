/* A verdict as one sentence. The words are for reviewers; an account that acts never sees them. */
#include "engine/trust.h"

#include <assert.h>
#include <string.h>

struct text {
    char *bytes;
    size_t used;
};

static const char *const reasons_english[REASON_COUNT] = {
    [REASON_VELOCITY] = "surprising speed",
    [REASON_LOCKSTEP] = "lockstep with the same others",
    [REASON_FIRST_TIMERS] = "too many first-time likers on this item",
    [REASON_YOUNG] = "a new account",
    [REASON_HOUR] = "an hour unusual for this account",
    [REASON_UNLIKER] = "takes most likes back",
    [REASON_DEVICE] = "many accounts of one device at once",
    [REASON_NETWORK] = "one network out of step",
    [REASON_POLICY] = "a rule",
    [REASON_INCENTIVE] = "made for a reward",
    [REASON_QUARANTINE] = "a quarantine window is open",
    [REASON_REVIEW] = "a review",
    [REASON_UNSCORED] = "not scored",
};

static const char *const reasons_chinese[REASON_COUNT] = {
    [REASON_VELOCITY] = "速度异常",
    [REASON_LOCKSTEP] = "与同一批账号同步行动",
    [REASON_FIRST_TIMERS] = "该内容首次点赞者占比过高",
    [REASON_YOUNG] = "新账号",
    [REASON_HOUR] = "非该账号惯常时段",
    [REASON_UNLIKER] = "多数点赞会被撤回",
    [REASON_DEVICE] = "同一设备多账号同时操作",
    [REASON_NETWORK] = "同一网络步调异常",
    [REASON_POLICY] = "规则",
    [REASON_INCENTIVE] = "有奖励诱导",
    [REASON_QUARANTINE] = "隔离窗口已开启",
    [REASON_REVIEW] = "人工复核",
    [REASON_UNSCORED] = "尚未评分",
};

/* The bound holds for every verdict: twelve reasons of at most 40 bytes, their points, the frame.
 */
static void put(struct text *text, const char *words)
{
    size_t size = strlen(words);

    assert(text->used + size < TRUST_EXPLAIN_BYTES);
    memcpy(text->bytes + text->used, words, size);
    text->used += size;
    text->bytes[text->used] = 0;
}

static void put_number(struct text *text, uint32_t value)
{
    char digits[12];
    size_t at = sizeof digits - 1;

    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put(text, digits + at);
}

static void put_outcome(struct text *text, const struct trust_verdict *verdict, bool chinese)
{
    switch (verdict->mark) {
    case MARK_HELD:
        put(text, chinese ? "暂缓计入，稍后复评" : "Held, to be scored again");
        break;
    case MARK_QUARANTINED:
        put(text, chinese ? "已隔离，待复核" : "Quarantined until reviewed");
        break;
    default:
        put(text, chinese ? "按 " : "Counts ");
        put_number(text, verdict->weight_pct);
        put(text, chinese ? "% 计入" : " %");
        break;
    }
}

static void put_reasons(struct text *text, const struct trust_verdict *verdict, bool chinese)
{
    const char *between = chinese ? "：" : ": ";

    for (unsigned i = 1; i < REASON_COUNT; i++) {
        if ((verdict->reasons >> i & 1) == 0)
            continue;
        put(text, between);
        put(text, chinese ? reasons_chinese[i] : reasons_english[i]);
        if (verdict->points[i] > 0) {
            put(text, chinese ? "（" : " (");
            put_number(text, verdict->points[i]);
            put(text, chinese ? "）" : ")");
        }
        between = chinese ? "、" : ", ";
    }
}

size_t trust_explain(const struct trust_verdict *verdict, enum trust_language language,
                     char text[TRUST_EXPLAIN_BYTES])
{
    struct text out = {.bytes = text};
    bool chinese = language == TRUST_CHINESE;

    text[0] = 0;
    put_outcome(&out, verdict, chinese);
    put(&out, chinese ? "，得分 " : ", score ");
    put_number(&out, verdict->score);
    put(&out, chinese ? "/1000" : " of 1000");
    put_reasons(&out, verdict, chinese);
    put(&out, chinese ? "。" : ".");
    return out.used;
}
