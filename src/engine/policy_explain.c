/* policy_explain.c: why a rule fired, in one sentence, with the numbers it saw.
 *
 *   rule unlikes-a-day of policy channels (version 1): unlike of this account in 24 h: 6, more
 * than 5. What follows: review, proposing limit for 7 d, weight 50 % for 7 d.
 *
 * Nothing about others is told but numbers: which device or network it was is not in a hit. */
#include <assert.h>

#include "engine/policy_inner.h"

struct telling {
    const struct policy *policy;
    struct words words;
    enum policy_language language;
};

static void tell(struct telling *telling, const char *english, const char *chinese)
{
    words_put(&telling->words, telling->language == POLICY_CHINESE ? chinese : english);
}

static void tell_time(struct telling *telling, uint64_t time_us)
{
    words_time(&telling->words, time_us, telling->language);
}

static void tell_verb(struct telling *telling, uint32_t verb)
{
    static const struct {
        uint8_t verb;
        const char *chinese;
    } names[] = {{VERB_LIKE, "点赞"},
                 {VERB_UNLIKE, "取消点赞"},
                 {VERB_FAVORITE, "收藏"},
                 {VERB_FOLLOW, "关注"},
                 {VERB_UNFAVORITE, "取消收藏"},
                 {VERB_REPORT, "举报"},
                 {VERB_UNFOLLOW, "取消关注"},
                 {VERB_VIEW, "观看"},
                 {VERB_SHARE, "分享"},
                 {VERB_COMMENT, "评论"},
                 {VERB_SKIP, "划走"}};

    for (uint32_t i = 0; telling->language == POLICY_CHINESE && i < sizeof names / sizeof *names;
         i++) {
        if (names[i].verb != verb)
            continue;
        words_put(&telling->words, names[i].chinese);
        return;
    }
    words_verb(&telling->words, verb);
}

static void tell_scope(struct telling *telling, uint32_t scope)
{
    static const char *const english[] = {
        [POLICY_ACCOUNT] = "this account", [POLICY_PAIR] = "this account on this item",
        [POLICY_ITEM] = "this item",       [POLICY_CREATOR] = "this creator",
        [POLICY_DEVICE] = "this device",   [POLICY_NETWORK] = "this network",
        [POLICY_ADDRESS] = "this address", [POLICY_CAMPAIGN] = "this campaign"};
    static const char *const chinese[] = {
        [POLICY_ACCOUNT] = "该账号", [POLICY_PAIR] = "该账号对该作品", [POLICY_ITEM] = "该作品",
        [POLICY_CREATOR] = "该作者", [POLICY_DEVICE] = "该设备",       [POLICY_NETWORK] = "该网络",
        [POLICY_ADDRESS] = "该地址", [POLICY_CAMPAIGN] = "该活动"};

    tell(telling, english[scope], chinese[scope]);
}

static void tell_of(struct telling *telling, uint32_t of)
{
    static const char *const english[] = {
        [POLICY_ACCOUNT] = "accounts",  [POLICY_PAIR] = "",
        [POLICY_ITEM] = "items",        [POLICY_CREATOR] = "creators",
        [POLICY_DEVICE] = "devices",    [POLICY_NETWORK] = "networks",
        [POLICY_ADDRESS] = "addresses", [POLICY_CAMPAIGN] = "campaigns"};
    static const char *const chinese[] = {
        [POLICY_ACCOUNT] = "账号", [POLICY_PAIR] = "",        [POLICY_ITEM] = "作品",
        [POLICY_CREATOR] = "作者", [POLICY_DEVICE] = "设备",  [POLICY_NETWORK] = "网络",
        [POLICY_ADDRESS] = "地址", [POLICY_CAMPAIGN] = "活动"};

    tell(telling, english[of], chinese[of]);
}

/* --- conditions ----------------------------------------------------------------------------------
 */

static void tell_op(struct telling *telling, uint32_t op)
{
    static const char *const english[] = {", more than ", ", at least ", ", less than ",
                                          ", at most ", ", equal to "};
    static const char *const chinese[] = {"，超过 ", "，不少于 ", "，少于 ", "，不超过 ",
                                          "，等于 "};

    tell(telling, english[op], chinese[op]);
}

/* What is counted: "unlike of this account in 24 h: ". */
static void tell_window(struct telling *telling, const struct policy_condition *condition)
{
    const struct policy_metric *metric = &telling->policy->metrics[condition->metric];

    if (telling->language == POLICY_CHINESE) {
        tell_scope(telling, metric->scope);
        words_put(&telling->words, "在 ");
        tell_time(telling, (uint64_t)metric->shape.span_us);
        words_put(&telling->words, "内");
        tell_verb(telling, metric->verb);
        if (condition->fact == POLICY_RATIO) {
            words_put(&telling->words, "占");
            tell_verb(telling, telling->policy->metrics[condition->base].verb);
            words_put(&telling->words, "的比例");
        } else if (condition->fact == POLICY_DISTINCT) {
            words_put(&telling->words, "的不同");
            tell_of(telling, metric->of);
            words_put(&telling->words, "数");
        } else {
            words_put(&telling->words, "次数");
        }
        words_put(&telling->words, "：");
        return;
    }
    if (condition->fact == POLICY_DISTINCT) {
        words_put(&telling->words, "different ");
        tell_of(telling, metric->of);
        words_put(&telling->words, " with ");
    }
    tell_verb(telling, metric->verb);
    if (condition->fact == POLICY_RATIO) {
        words_put(&telling->words, " as a share of ");
        tell_verb(telling, telling->policy->metrics[condition->base].verb);
    }
    words_put(&telling->words, " of ");
    tell_scope(telling, metric->scope);
    words_put(&telling->words, " in ");
    tell_time(telling, (uint64_t)metric->shape.span_us);
    words_put(&telling->words, ": ");
}

static void tell_row_fact(struct telling *telling, uint32_t fact)
{
    switch (fact) {
    case POLICY_SHARE:
        tell(telling, "likes this account has taken back of all it gave: ",
             "该账号取消的赞占全部所点赞的比例：");
        return;
    case POLICY_FLIPS:
        tell(telling, "changes of this account on this item: ", "该账号对该作品的变更次数：");
        return;
    case POLICY_TAKEBACKS:
        tell(telling,
             "times this account took it back from this item: ", "该账号对该作品的取消次数：");
        return;
    case POLICY_AGE:
        tell(telling, "age of the account: ", "账号年龄：");
        return;
    case POLICY_EDGE_AGE:
        tell(telling, "time since its last change on this item: ", "距该账号对该作品上次变更：");
        return;
    case POLICY_GIVEN:
        tell(telling, "likes this account has given: ", "该账号当前所点赞数：");
        return;
    default:
        tell(telling, "likes of this item: ", "该作品的赞数：");
    }
}

static void tell_share(struct telling *telling, uint64_t part, uint64_t whole)
{
    words_percent(&telling->words, whole == 0 ? 0 : part * 10000 / whole);
    tell(telling, " (", "（");
    words_number(&telling->words, part);
    tell(telling, " of ", " / ");
    words_number(&telling->words, whole);
    tell(telling, ")", "）");
}

static void tell_condition(struct telling *telling, const struct policy_condition *condition,
                           uint64_t value, uint64_t base)
{
    if (condition->fact <= POLICY_DISTINCT)
        tell_window(telling, condition);
    else
        tell_row_fact(telling, condition->fact);
    switch (condition->fact) {
    case POLICY_RATIO:
    case POLICY_SHARE:
        tell_share(telling, value, base);
        tell_op(telling, condition->op);
        words_percent(&telling->words, condition->threshold);
        return;
    case POLICY_AGE:
    case POLICY_EDGE_AGE:
        tell_time(telling, value);
        tell_op(telling, condition->op);
        tell_time(telling, condition->threshold);
        return;
    default:
        words_number(&telling->words, value);
        tell_op(telling, condition->op);
        words_number(&telling->words, condition->threshold);
    }
}

/* --- what follows --------------------------------------------------------------------------------
 */

static void tell_deed(struct telling *telling, const struct policy_deed *deed)
{
    static const char *const chinese[] = {
        [POLICY_ALLOW] = "放行",         [POLICY_ALERT] = "告警",
        [POLICY_CONFIRM] = "要求确认",   [POLICY_REVIEW] = "转人工复核",
        [POLICY_HOLD] = "暂缓计权",      [POLICY_WEIGHT] = "权重降为 ",
        [POLICY_POINTS] = "扣除积分 ",   [POLICY_REFUSE] = "拒绝本次操作",
        [POLICY_LIMIT] = "限制此类操作", [POLICY_LIKE_BAN] = "禁止点赞"};

    tell(telling, policy_action_words[deed->action], chinese[deed->action]);
    if (deed->action == POLICY_WEIGHT) {
        tell(telling, " ", "");
        words_percent(&telling->words, deed->percent * 100u);
    } else if (deed->action == POLICY_POINTS) {
        tell(telling, " -", "");
        words_number(&telling->words, deed->points);
    }
    if (deed->for_us > 0) {
        tell(telling, " for ", "，为期 ");
        tell_time(telling, (uint64_t)deed->for_us);
    }
}

static void tell_deeds(struct telling *telling, const struct policy_rule *rule)
{
    bool proposing = false;

    tell(telling, rule->shadow ? ". Would follow (shadow): " : ". What follows: ",
         rule->shadow ? "。若生效将执行（影子规则）：" : "。结果：");
    for (uint32_t i = 0; i < rule->deed_count; i++) {
        if (i > 0)
            tell(telling, ", ", "、");
        if (rule->deeds[i].proposed && !proposing)
            tell(telling, "proposing ", "建议");
        proposing |= rule->deeds[i].proposed != 0;
        tell_deed(telling, &rule->deeds[i]);
    }
    tell(telling, ".", "。");
}

size_t policy_explain(const struct policy *policy, const struct policy_hit *hit,
                      enum policy_language language, char *text, size_t size)
{
    struct telling telling = {policy, words_begin(text, size), language};
    const struct policy_rule *rule;

    assert(hit->rule < policy->rule_count);
    rule = &policy->rules[hit->rule];
    tell(&telling, "rule ", "规则 ");
    words_put(&telling.words, rule->name);
    tell(&telling, " of policy ", "（策略 ");
    words_put(&telling.words, policy->name);
    tell(&telling, " (version ", " 第 ");
    words_number(&telling.words, policy->version);
    tell(&telling, ")", " 版）");
    for (uint32_t i = 0; i < rule->condition_count; i++) {
        tell(&telling, i == 0 ? ": " : "; and ", i == 0 ? "：" : "；且");
        tell_condition(&telling, &rule->conditions[i], hit->value[i], hit->base[i]);
    }
    tell_deeds(&telling, rule);
    return telling.words.size;
}
