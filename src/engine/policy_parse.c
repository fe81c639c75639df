/* policy_parse.c: words, then statements, by hand: the language is small, and what it says to a
 * mistake is half of its worth. The first mistake ends it; its place is that of the word it is
 * about.
 *
 * Lines mean nothing: a statement begins with its keyword and ends where the next one begins. */
#include "engine/policy_parse.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"
#include "engine/policy_inner.h"
#include "engine/withdraw.h"
#include "schema/region.h"

#define NUMBER_MAX    1000000000ULL
#define PERCENT_MAX   1000000ULL /* 10,000 %, in 1/100 percent */
#define POINTS_MAX    1000000
#define DEED_US_MAX   (366LL * 86400 * 1000000)
#define UNDO_US_MAX   (3600LL * 1000000)
#define SETTLE_US_MAX (30LL * 86400 * 1000000)
#define SMOOTH_US_MAX (WITHDRAW_HORIZON_MAX_S * 1000000LL)
#define COMPENSATE_MAX 1000000
#define SETTLE_US     (600LL * 1000000)
#define QUOTE_MAX     24 /* characters of the text that a message repeats */

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NUMBER, TOKEN_SIGN, TOKEN_BAD };

struct token {
    enum token_kind kind;
    const char *at;
    size_t size;
    uint32_t line, column;
};

struct parser {
    const char *at, *end;
    uint32_t line, column;
    struct token token; /* the next one, not taken yet */
    struct policy *policy;
    struct policy_problem *problem;
    struct policy_rule *rule; /* being read */
    bool settled;
};

/* --- messages ------------------------------------------------------------------------------------
 */

static struct words problem_at(struct parser *parser, const struct token *token)
{
    parser->problem->line = token->line;
    parser->problem->column = token->column;
    return words_begin(parser->problem->text, sizeof parser->problem->text);
}

/* The token between quotes, so that it can be printed anywhere. */
static void words_quote(struct words *words, const struct token *token)
{
    if (token->kind == TOKEN_END) {
        words_put(words, "the end of the text");
        return;
    }
    words_put(words, "'");
    for (size_t i = 0; i < token->size && i < QUOTE_MAX; i++)
        words_bytes(words, token->at[i] >= ' ' && token->at[i] <= '~' ? &token->at[i] : "?", 1);
    words_put(words, token->size > QUOTE_MAX ? "...'" : "'");
}

static bool fail(struct parser *parser, const struct token *token, const char *text)
{
    struct words words = problem_at(parser, token);

    words_put(&words, text);
    return false;
}

static bool expected(struct parser *parser, const char *what)
{
    struct words words = problem_at(parser, &parser->token);

    words_put(&words, "expected ");
    words_put(&words, what);
    words_put(&words, ", found ");
    words_quote(&words, &parser->token);
    return false;
}

static bool expected_one_of(struct parser *parser, const char *what, const char *const *list,
                            uint32_t count)
{
    struct words words = problem_at(parser, &parser->token);

    words_put(&words, "expected ");
    words_put(&words, what);
    words_put(&words, " (");
    for (uint32_t i = 0; i < count; i++) {
        words_put(&words, i == 0 ? "" : i + 1 < count ? ", " : " or ");
        words_put(&words, list[i]);
    }
    words_put(&words, "), found ");
    words_quote(&words, &parser->token);
    return false;
}

static bool over(struct parser *parser, const struct token *token, const char *what, uint64_t most)
{
    struct words words = problem_at(parser, token);

    words_put(&words, what);
    words_number(&words, most);
    return false;
}

/* --- words of the text ---------------------------------------------------------------------------
 */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void step(struct parser *parser)
{
    if (*parser->at == '\n') {
        parser->line++;
        parser->column = 1;
    } else if (((uint8_t)*parser->at & 0xC0) != 0x80) { /* a character, not a byte within one */
        parser->column++;
    }
    parser->at++;
}

static void skip_space(struct parser *parser)
{
    bool comment = false;

    for (; parser->at < parser->end; step(parser)) {
        char c = *parser->at;

        if (c == '#')
            comment = true;
        else if (c == '\n')
            comment = false;
        else if (!comment && c != ' ' && c != '\t' && c != '\r')
            return;
    }
}

static size_t token_size(const struct parser *parser, enum token_kind *kind)
{
    const char *at = parser->at, *end = parser->end;

    if (is_letter(*at)) {
        *kind = TOKEN_WORD;
        while (at < end && (is_letter(*at) || is_digit(*at) || *at == '-' || *at == '_'))
            at++;
    } else if (is_digit(*at)) {
        *kind = TOKEN_NUMBER;
        while (at < end && (is_digit(*at) || is_letter(*at) || *at == '.' || *at == '%'))
            at++;
    } else if (strchr("(),-<>=", *at) != NULL && *at != 0) {
        *kind = TOKEN_SIGN;
        at += (*at == '<' || *at == '>') && at + 1 < end && at[1] == '=' ? 2 : 1;
    } else {
        *kind = TOKEN_BAD;
        at++;
        while (at < end && ((uint8_t)*at & 0xC0) == 0x80)
            at++;
    }
    return (size_t)(at - parser->at);
}

static void next(struct parser *parser)
{
    struct token *token = &parser->token;

    skip_space(parser);
    *token = (struct token){.at = parser->at, .line = parser->line, .column = parser->column};
    if (parser->at == parser->end)
        return;
    token->size = token_size(parser, &token->kind);
    for (size_t i = 0; i < token->size; i++)
        step(parser);
}

static bool is(const struct parser *parser, const char *word)
{
    return parser->token.kind != TOKEN_END && parser->token.size == strlen(word) &&
           memcmp(parser->token.at, word, parser->token.size) == 0;
}

/* Takes the word if it is the next one. */
static bool take(struct parser *parser, const char *word)
{
    bool found = is(parser, word);

    if (found)
        next(parser);
    return found;
}

static bool need(struct parser *parser, const char *word, const char *what)
{
    return take(parser, word) || expected(parser, what);
}

static bool take_one_of(struct parser *parser, const char *const *list, uint32_t count,
                        uint32_t *place)
{
    *place = parser->token.kind == TOKEN_WORD || parser->token.kind == TOKEN_SIGN
                 ? words_find(list, count, parser->token.at, parser->token.size)
                 : count;
    if (*place == count)
        return false;
    next(parser);
    return true;
}

/* --- numbers -------------------------------------------------------------------------------------
 */

/* Digits at the beginning of the token; *size: how many. False: more than NUMBER_MAX. */
static bool digits(const struct token *token, uint64_t *value, size_t *size)
{
    *value = 0;
    *size = 0;
    while (*size < token->size && is_digit(token->at[*size])) {
        *value = *value * 10 + (uint64_t)(token->at[(*size)++] - '0');
        if (*value > NUMBER_MAX)
            return false;
    }
    return true;
}

static bool take_number(struct parser *parser, const char *what, uint64_t most, uint64_t *value)
{
    struct token token = parser->token;
    size_t size;

    if (token.kind != TOKEN_NUMBER)
        return expected(parser, what);
    if (!digits(&token, value, &size) || (size == token.size && *value > most))
        return over(parser, &token, "the number is too large: at most ", most);
    if (size != token.size)
        return expected(parser, what);
    next(parser);
    return true;
}

#define A_TIME "a time: a whole number and s, m, h or d, like 30s, 10m, 24h, 7d"

static bool take_time(struct parser *parser, int64_t least_us, int64_t most_us, int64_t *time_us)
{
    static const struct {
        char letter;
        int64_t us;
    } units[] = {{'s', 1000000}, {'m', 60000000}, {'h', 3600000000LL}, {'d', 86400000000LL}};
    struct token token = parser->token;
    uint64_t value, unit = 0;
    struct words words;
    size_t size;

    if (token.kind != TOKEN_NUMBER)
        return expected(parser, A_TIME);
    if (!digits(&token, &value, &size))
        value = NUMBER_MAX;
    while (size < token.size && is_digit(token.at[size]))
        size++;
    if (size + 1 != token.size)
        return expected(parser, A_TIME);
    while (unit < 4 && units[unit].letter != token.at[size])
        unit++;
    if (unit == 4)
        return expected(parser, A_TIME);
    *time_us =
        (int64_t)value <= INT64_MAX / units[unit].us ? (int64_t)value * units[unit].us : INT64_MAX;
    if (*time_us < least_us || *time_us > most_us) {
        words = problem_at(parser, &token);
        words_put(&words, *time_us < least_us ? "the time is too short: at least "
                                              : "the time is too long: at most ");
        words_time(&words, (uint64_t)(*time_us < least_us ? least_us : most_us), POLICY_ENGLISH);
        return false;
    }
    next(parser);
    return true;
}

/* "20%", "12.5%", to 1/100 percent. */
static bool take_percent(struct parser *parser, uint64_t *hundredths)
{
    static const char *const what = "a share in percent, like 20% or 12.5%";
    struct token token = parser->token;
    uint64_t scale = 100;
    size_t size;

    if (token.kind != TOKEN_NUMBER)
        return expected(parser, what);
    if (!digits(&token, hundredths, &size))
        return over(parser, &token, "the share is too large: at most % ", PERCENT_MAX / 100);
    *hundredths *= 100;
    if (size < token.size && token.at[size] == '.') {
        for (size++; size < token.size && is_digit(token.at[size]) && scale > 1; size++) {
            scale /= 10;
            *hundredths += (uint64_t)(token.at[size] - '0') * scale;
        }
    }
    if (size + 1 != token.size || token.at[size] != '%')
        return expected(parser, what);
    if (*hundredths > PERCENT_MAX)
        return over(parser, &token, "the share is too large: at most % ", PERCENT_MAX / 100);
    next(parser);
    return true;
}

/* --- verbs and scopes ----------------------------------------------------------------------------
 */

static bool take_verb(struct parser *parser, uint8_t *verb)
{
    uint32_t found = VERB_COUNT;
    struct words words;
    bool first = true;

    if (parser->token.kind == TOKEN_WORD)
        found = words_verb_find(parser->token.at, parser->token.size);
    if (found < VERB_COUNT) {
        *verb = (uint8_t)found;
        next(parser);
        return true;
    }
    words = problem_at(parser, &parser->token);
    words_put(&words, "expected a verb (");
    for (uint32_t i = 0; i < VERB_COUNT; i++) {
        if (!policy_verb(i))
            continue;
        words_put(&words, first ? "" : ", ");
        words_verb(&words, i);
        first = false;
    }
    words_put(&words, "), found ");
    words_quote(&words, &parser->token);
    return false;
}

static bool take_scope(struct parser *parser, const struct token *token, uint8_t verb,
                       uint8_t *scope)
{
    bool account = edge_target_is_account(verb_info((enum verb)verb)->edge);
    uint32_t found;

    if (!take_one_of(parser, policy_scope_words, POLICY_SCOPE_COUNT, &found))
        return expected_one_of(parser, "a scope: whose acts are counted", policy_scope_words,
                               POLICY_SCOPE_COUNT);
    *scope = (uint8_t)found;
    if (account && found == POLICY_ITEM)
        return fail(parser, token,
                    "a creator is followed, not an item: write creator instead of item");
    return true;
}

static bool take_comma(struct parser *parser, const char *after)
{
    return need(parser, ",", after);
}

/* --- conditions ----------------------------------------------------------------------------------
 */

static bool add_metric(struct parser *parser, const struct token *token,
                       const struct policy_metric *metric, uint16_t *index)
{
    *index = policy_metric_add(parser->policy, metric);
    if (*index != POLICY_NONE)
        return true;
    return over(parser, token,
                "too many different windows; use the same verbs, scopes and times in several "
                "rules: at most ",
                POLICY_METRICS_MAX);
}

static bool take_op(struct parser *parser, uint8_t *op)
{
    uint32_t found;

    if (!take_one_of(parser, policy_op_words, POLICY_EQUAL + 1, &found))
        return expected(parser, "a comparison (>, >=, <, <= or =)");
    *op = (uint8_t)found;
    return true;
}

static bool take_window(struct parser *parser, int64_t *span_us)
{
    return take_comma(parser, "',' and a window, like ', 24h'") &&
           take_time(parser, WINDOW_SPAN_US_MIN, WINDOW_SPAN_US_MAX, span_us);
}

static bool take_close(struct parser *parser)
{
    return need(parser, ")", "')'");
}

/* "verb, scope, window" of count and distinct. */
static bool take_counted(struct parser *parser, struct policy_metric *metric)
{
    struct token scope;

    if (!take_verb(parser, &metric->verb) || !take_comma(parser, "',' and a scope"))
        return false;
    scope = parser->token;
    return take_scope(parser, &scope, metric->verb, &metric->scope) &&
           take_window(parser, &metric->shape.span_us);
}

static bool take_count(struct parser *parser, struct policy_condition *condition,
                       struct policy_metric *metric, const struct token *token)
{
    if (!take_counted(parser, metric) || !take_close(parser) || !take_op(parser, &condition->op) ||
        !take_number(parser, "a whole number", NUMBER_MAX, &condition->threshold))
        return false;
    metric->most = condition->threshold + 1;
    return add_metric(parser, token, metric, &condition->metric);
}

static bool take_distinct(struct parser *parser, struct policy_condition *condition,
                          const struct token *token)
{
    static const uint8_t scopes[] = {POLICY_ACCOUNT, POLICY_DEVICE, POLICY_NETWORK, POLICY_ADDRESS,
                                     POLICY_ITEM};
    static const char *const names[] = {"account", "device", "network", "address", "item"};
    struct policy_metric metric = {.fact = POLICY_DISTINCT};
    struct token of = parser->token;
    uint32_t found;

    if (!take_one_of(parser, names, 5, &found))
        return expected_one_of(parser, "what is to be told apart", names, 5);
    metric.of = scopes[found];
    if (!take_comma(parser, "',' and a verb") || !take_count(parser, condition, &metric, token))
        return false;
    if (metric.of == metric.scope ||
        (metric.scope == POLICY_PAIR && (metric.of == POLICY_ACCOUNT || metric.of == POLICY_ITEM)))
        return fail(parser, &of, "this is always 1: what is told apart is the scope itself");
    if (metric.of == POLICY_ITEM && edge_target_is_account(verb_info((enum verb)metric.verb)->edge))
        return fail(parser, &of,
                    "a creator is followed, not an item: there are no items to tell apart");
    return true;
}

static bool take_minimum(struct parser *parser, struct policy_condition *condition)
{
    uint64_t minimum;

    if (!take(parser, ",") || !is(parser, "minimum"))
        return expected(parser,
                        "', minimum' and a number: a share of two or three acts says nothing");
    next(parser);
    if (!take_number(parser, "the smallest sample, a whole number", NUMBER_MAX, &minimum))
        return false;
    condition->minimum = (uint32_t)minimum;
    return true;
}

static bool take_ratio(struct parser *parser, struct policy_condition *condition,
                       const struct token *token)
{
    struct policy_metric part = {.fact = POLICY_COUNT, .sum = 1}, whole;
    struct token second, scope;
    uint8_t other;

    if (!take_verb(parser, &part.verb) || !take_comma(parser, "',' and the verb to divide by"))
        return false;
    second = parser->token;
    if (!take_verb(parser, &other) || !take_comma(parser, "',' and a scope"))
        return false;
    if (other == part.verb)
        return fail(parser, &second, "this is always 100%: name another verb to divide by");
    scope = parser->token;
    if (!take_scope(parser, &scope, part.verb, &part.scope) ||
        !take_window(parser, &part.shape.span_us) || !take_minimum(parser, condition) ||
        !take_close(parser) || !take_op(parser, &condition->op) ||
        !take_percent(parser, &condition->threshold))
        return false;
    whole = part;
    whole.verb = other;
    if ((part.scope == POLICY_ITEM || part.scope == POLICY_PAIR) &&
        verb_info((enum verb)part.verb)->edge != verb_info((enum verb)other)->edge &&
        (edge_target_is_account(verb_info((enum verb)part.verb)->edge) ||
         edge_target_is_account(verb_info((enum verb)other)->edge)))
        return fail(parser, &second,
                    "one verb is about an item and the other about a creator: write account"
                    " or creator as the scope");
    return add_metric(parser, token, &part, &condition->metric) &&
           add_metric(parser, token, &whole, &condition->base);
}

static bool take_share(struct parser *parser, struct policy_condition *condition)
{
    if (!need(parser, "unlike",
              "unlike: only share(unlike, like, account, minimum N) is kept for life") ||
        !take_comma(parser, "', like'") ||
        !need(parser, "like",
              "like: only share(unlike, like, account, minimum N) is kept for life") ||
        !take_comma(parser, "', account'") ||
        !need(parser, "account",
              "account: only share(unlike, like, account, minimum N) is kept for life"))
        return false;
    return take_minimum(parser, condition) && take_close(parser) &&
           take_op(parser, &condition->op) && take_percent(parser, &condition->threshold);
}

static bool take_row_fact(struct parser *parser, struct policy_condition *condition)
{
    int64_t time_us;

    if (!take_op(parser, &condition->op))
        return false;
    if (condition->fact != POLICY_AGE && condition->fact != POLICY_EDGE_AGE)
        return take_number(parser, "a whole number", NUMBER_MAX, &condition->threshold);
    if (!take_time(parser, 0, 100 * DEED_US_MAX, &time_us))
        return false;
    condition->threshold = (uint64_t)time_us;
    return true;
}

static bool take_condition(struct parser *parser)
{
    struct policy_rule *rule = parser->rule;
    struct policy_condition *condition = &rule->conditions[rule->condition_count];
    struct policy_metric metric = {.fact = POLICY_COUNT};
    struct token token = parser->token;
    uint32_t fact;

    if (rule->condition_count == POLICY_CONDITIONS_MAX)
        return over(parser, &token, "too many conditions in one rule: at most ",
                    POLICY_CONDITIONS_MAX);
    if (is(parser, "tier"))
        return fail(parser, &token,
                    "a tier is no condition: write 'for tier verified' before 'when'");
    if (!take_one_of(parser, policy_fact_words, POLICY_FACT_COUNT, &fact))
        return expected_one_of(parser, "a condition", policy_fact_words, POLICY_FACT_COUNT);
    *condition = (struct policy_condition){.fact = (uint8_t)fact};
    rule->condition_count++;
    if (fact <= POLICY_SHARE && !need(parser, "(", "'('"))
        return false;
    switch (fact) {
    case POLICY_COUNT:
        return take_count(parser, condition, &metric, &token);
    case POLICY_DISTINCT:
        return take_distinct(parser, condition, &token);
    case POLICY_RATIO:
        return take_ratio(parser, condition, &token);
    case POLICY_SHARE:
        return take_share(parser, condition);
    default:
        return take_row_fact(parser, condition);
    }
}

static bool take_conditions(struct parser *parser)
{
    do {
        if (!take_condition(parser))
            return false;
    } while (take(parser, "and"));
    if (is(parser, "or"))
        return fail(parser, &parser->token, "there is no 'or': write a second rule");
    return true;
}

/* --- what follows --------------------------------------------------------------------------------
 */

static bool take_weight(struct parser *parser, struct policy_deed *deed)
{
    struct token token = parser->token;
    uint64_t value;
    size_t size;

    if (token.kind != TOKEN_NUMBER || !digits(&token, &value, &size) ||
        size + (token.at[token.size - 1] == '%') != token.size)
        return expected(parser, "the weight in percent, a whole number from 0 to 99");
    if (value > 99)
        return fail(parser, &token, "a weight of 100 or more changes nothing: write 0 to 99");
    deed->percent = (uint8_t)value;
    next(parser);
    return true;
}

static bool take_points(struct parser *parser, struct policy_deed *deed)
{
    uint64_t points;

    if (!need(parser, "-", "'-' and a number: rules take points, they do not give them"))
        return false;
    if (!take_number(parser, "how many points are taken, a whole number", POINTS_MAX, &points))
        return false;
    deed->points = (uint32_t)points;
    return true;
}

/* Each action says for how long, where it can and must. */
static bool take_for(struct parser *parser, const struct token *token, struct policy_deed *deed)
{
    bool lasts = deed->action == POLICY_LIMIT || deed->action == POLICY_LIKE_BAN;
    struct words words;

    if (is(parser, "for")) {
        if (!lasts && deed->action != POLICY_WEIGHT) {
            words = problem_at(parser, &parser->token);
            words_put(&words, "'");
            words_put(&words, policy_action_words[deed->action]);
            words_put(&words, "' takes no time: leave 'for' out");
            words_put(&words, deed->action == POLICY_POINTS
                                  ? ", and write 'once per 30d' at the end of"
                                    " the rule"
                              : deed->action == POLICY_REFUSE ? ", or write 'limit for'"
                                                              : "");
            return false;
        }
        next(parser);
        return take_time(parser, WINDOW_SPAN_US_MIN, DEED_US_MAX, &deed->for_us);
    }
    if ((lasts || (deed->action == POLICY_WEIGHT && deed->proposed)) &&
        !PLANTED("policy.limit_without_end")) {
        words = problem_at(parser, token);
        words_put(&words, "'");
        words_put(&words, policy_action_words[deed->action]);
        words_put(&words, "' needs an end: every restriction expires. Write '");
        words_put(&words, policy_action_words[deed->action]);
        words_put(&words, deed->action == POLICY_WEIGHT ? " 50 for 7d'" : " for 7d'");
        return false;
    }
    return true;
}

static bool deed_is_new(struct parser *parser, const struct token *token)
{
    const struct policy_rule *rule = parser->rule;
    const struct policy_deed *last = &rule->deeds[rule->deed_count - 1];
    bool allow = last->action == POLICY_ALLOW || rule->deeds[0].action == POLICY_ALLOW;

    for (uint32_t i = 0; i + 1 < rule->deed_count; i++)
        if (rule->deeds[i].action == last->action && rule->deeds[i].proposed == last->proposed)
            return fail(parser, token, "the rule says this already");
    if (allow && rule->deed_count > 1)
        return fail(parser, token,
                    "'allow' lets the act pass: nothing else can follow from the same rule");
    if (last->proposed && last->action != POLICY_LIMIT && last->action != POLICY_LIKE_BAN &&
        last->action != POLICY_WEIGHT && last->action != POLICY_POINTS)
        return fail(parser, token,
                    "a review can decide on limit, like-ban, weight or points: write this"
                    " before 'review proposing'");
    return true;
}

static bool take_deed(struct parser *parser, bool proposed)
{
    struct policy_rule *rule = parser->rule;
    struct policy_deed *deed = &rule->deeds[rule->deed_count];
    struct token token = parser->token;
    struct words words;
    uint32_t action;

    if (rule->deed_count == POLICY_ACTIONS_MAX)
        return over(parser, &token, "too many actions in one rule: at most ", POLICY_ACTIONS_MAX);
    if (!take_one_of(parser, policy_action_words, POLICY_ACTION_COUNT, &action))
        return expected_one_of(parser, "an action", policy_action_words, POLICY_ACTION_COUNT);
    *deed = (struct policy_deed){.action = (uint8_t)action, .proposed = proposed};
    rule->deed_count++;
    if (!deed_is_new(parser, &token))
        return false;
    if ((action == POLICY_WEIGHT && !take_weight(parser, deed)) ||
        (action == POLICY_POINTS && !take_points(parser, deed)) || !take_for(parser, &token, deed))
        return false;
    words = problem_at(parser, &token);
    return policy_fair(parser->policy, rule, deed, &words);
}

static bool take_deeds(struct parser *parser)
{
    bool proposed = false;

    do {
        if (!take_deed(parser, proposed))
            return false;
        if (parser->rule->deeds[parser->rule->deed_count - 1].action == POLICY_REVIEW &&
            take(parser, "proposing")) {
            proposed = true;
            if (!take_deed(parser, proposed))
                return false;
        }
    } while (take(parser, ","));
    return true;
}

/* --- rules ---------------------------------------------------------------------------------------
 */

static bool take_name(struct parser *parser, const char *what, char *name)
{
    struct token token = parser->token;

    if (token.kind != TOKEN_WORD)
        return expected(parser, what);
    for (size_t i = 0; i < token.size; i++)
        if (!(token.at[i] >= 'a' && token.at[i] <= 'z') && !is_digit(token.at[i]) &&
            token.at[i] != '-')
            return fail(parser, &token, "a name is made of small letters, digits and '-'");
    if (token.size >= POLICY_NAME_MAX)
        return over(parser, &token, "the name is too long; characters: at most ",
                    POLICY_NAME_MAX - 1);
    memset(name, 0, POLICY_NAME_MAX);
    memcpy(name, token.at, token.size);
    next(parser);
    return true;
}

static bool take_rule_name(struct parser *parser)
{
    struct token token = parser->token;
    struct words words;

    if (!take_name(parser, "a name for the rule", parser->rule->name))
        return false;
    parser->rule->line = token.line;
    for (uint32_t i = 0; i < parser->policy->rule_count; i++) {
        if (strcmp(parser->policy->rules[i].name, parser->rule->name) != 0)
            continue;
        words = problem_at(parser, &token);
        words_put(&words, "a rule of this name stands in line ");
        words_number(&words, parser->policy->rules[i].line);
        words_put(&words, ": give it another one");
        return false;
    }
    return true;
}

static bool take_tiers(struct parser *parser, uint8_t *tiers)
{
    uint32_t tier;

    *tiers = 0;
    do {
        if (!take_one_of(parser, policy_tier_words, TIER_COUNT, &tier))
            return expected_one_of(parser, "a tier", policy_tier_words, TIER_COUNT);
        *tiers |= (uint8_t)(1u << tier);
    } while (take(parser, ","));
    return true;
}

/* A region's place in the policy, made if it is new. */
static bool take_region(struct parser *parser, uint32_t *place)
{
    struct policy *policy = parser->policy;
    struct token token = parser->token;
    uint64_t region;

    if (token.kind != TOKEN_WORD || !region_read(token.at, token.size, &region) || region == 0)
        return expected(parser, "a region, a code of 2 to 8 letters, digits and '-' that begins"
                                " with a letter, like cn");
    *place = policy_region(policy, region);
    if (*place == POLICY_REGIONS_MAX) {
        if (policy->region_count == POLICY_REGIONS_MAX)
            return over(parser, &token, "too many different regions: at most ", POLICY_REGIONS_MAX);
        *place = policy->region_count++;
        policy->regions[*place] = region;
        memset(policy->notify_region[*place], POLICY_AS_ALL, sizeof policy->notify_region[0]);
        memset(policy->show_region[*place], POLICY_AS_ALL, sizeof policy->show_region[0]);
    }
    next(parser);
    return true;
}

static bool take_regions(struct parser *parser, uint16_t *regions)
{
    uint32_t place = 0;

    *regions = 0;
    do {
        if (!take_region(parser, &place))
            return false;
        *regions |= (uint16_t)(1u << place);
    } while (take(parser, ","));
    return true;
}

static bool take_verbs(struct parser *parser)
{
    uint8_t verb;

    do {
        if (!take_verb(parser, &verb))
            return false;
        parser->rule->verbs |= 1ULL << verb;
    } while (take(parser, ","));
    return true;
}

static bool take_whose(struct parser *parser)
{
    if (take(parser, "region"))
        return take_regions(parser, &parser->rule->regions);
    return need(parser, "tier",
                "'tier' or 'region': 'for tier verified' says whose acts the rule is for") &&
           take_tiers(parser, &parser->rule->tiers);
}

/* Clauses before 'when' and 'then'. */
static bool take_clauses(struct parser *parser)
{
    for (;;) {
        if (take(parser, "shadow")) {
            parser->rule->shadow = 1;
        } else if (take(parser, "on")) {
            if (!take_verbs(parser))
                return false;
        } else if (take(parser, "for")) {
            if (!take_whose(parser))
                return false;
        } else {
            return true;
        }
    }
}

/* Without 'on', a rule is asked about the verb that its conditions count. */
static bool find_verbs(struct parser *parser, const struct token *name)
{
    struct policy_rule *rule = parser->rule;

    if (rule->verbs != 0)
        return true;
    for (uint32_t i = 0; i < rule->condition_count; i++) {
        const struct policy_condition *condition = &rule->conditions[i];

        if (condition->fact == POLICY_SHARE)
            rule->verbs |= 1ULL << VERB_UNLIKE;
        else if (condition->fact <= POLICY_DISTINCT)
            rule->verbs |= 1ULL << parser->policy->metrics[condition->metric].verb;
    }
    if (rule->verbs == 0)
        return fail(parser, name,
                    "which act is the rule asked about? Write 'on like' or another verb"
                    " before 'when'");
    if ((rule->verbs & (rule->verbs - 1)) != 0)
        return fail(parser, name,
                    "the conditions count different verbs: write 'on like' or another verb"
                    " before 'when' to say which act the rule is asked about");
    return true;
}

static bool take_once(struct parser *parser, const struct token *name)
{
    struct policy_rule *rule = parser->rule;
    struct policy_metric metric = {.fact = POLICY_COUNT, .verb = VERB_COUNT, .most = 1, .salt = 1};

    rule->once = POLICY_NONE;
    if (take(parser, "once")) {
        if (!need(parser, "per", "'per' and a time, like 'once per 30d'") ||
            !take_time(parser, WINDOW_SPAN_US_MIN, WINDOW_SPAN_US_MAX, &metric.shape.span_us))
            return false;
        metric.scope = rule->subject;
        for (const char *c = rule->name; *c != 0; c++)
            metric.salt = hash_two(metric.salt, (uint8_t)*c);
        return add_metric(parser, name, &metric, &rule->once);
    }
    for (uint32_t i = 0; i < rule->deed_count; i++)
        if (rule->deeds[i].action == POLICY_POINTS && !rule->deeds[i].proposed)
            return fail(parser, name,
                        "points would be taken at every act: write how often at the end of the"
                        " rule, like 'once per 30d'");
    return true;
}

static bool take_rule(struct parser *parser)
{
    struct token name = parser->token;
    struct policy *policy = parser->policy;

    if (policy->rule_count == POLICY_RULES_MAX)
        return over(parser, &name, "too many rules: at most ", POLICY_RULES_MAX);
    parser->rule = &policy->rules[policy->rule_count];
    memset(parser->rule, 0, sizeof *parser->rule);
    parser->rule->tiers = (1u << TIER_COUNT) - 1;
    if (!take_rule_name(parser) || !take_clauses(parser))
        return false;
    if (take(parser, "when") && !take_conditions(parser))
        return false;
    if (!need(parser, "then",
              parser->rule->condition_count > 0
                  ? "'and' or 'then'"
                  : "'shadow', 'on', 'for tier', 'for region', 'when' or 'then' and an action") ||
        !find_verbs(parser, &name) || !take_deeds(parser))
        return false;
    parser->rule->subject = (uint8_t)policy_subject(policy, parser->rule);
    if (!take_once(parser, &name))
        return false;
    policy->rule_count++;
    return true;
}

/* --- settings ------------------------------------------------------------------------------------
 */

static bool take_undo(struct parser *parser)
{
    struct policy *policy = parser->policy;
    uint8_t tiers = (1u << TIER_COUNT) - 1;
    const char *sources[SOURCE_COUNT];
    int64_t undo_us;
    uint32_t source;
    uint16_t regions;

    if (!take_time(parser, 0, UNDO_US_MAX, &undo_us))
        return false;
    if (take(parser, "for")) {
        if (take(parser, "source")) {
            for (source = 0; source < SOURCE_COUNT; source++)
                sources[source] = source_name((enum source)source);
            do {
                if (!take_one_of(parser, sources, SOURCE_COUNT, &source))
                    return expected_one_of(parser, "a source", sources, SOURCE_COUNT);
                policy->undo_source_us[source] = undo_us;
            } while (take(parser, ","));
            return true;
        }
        if (take(parser, "region")) {
            if (!take_regions(parser, &regions))
                return false;
            for (uint32_t place = 0; place < policy->region_count; place++)
                if ((regions >> place & 1) != 0)
                    policy->undo_region_us[place] = undo_us;
            return true;
        }
        if (!need(parser, "tier", "'tier', 'region' or 'source'") || !take_tiers(parser, &tiers))
            return false;
    }
    for (uint32_t tier = 0; tier < TIER_COUNT; tier++)
        if ((tiers >> tier & 1) != 0)
            policy->undo_us[tier] = undo_us;
    return true;
}

static bool take_settle(struct parser *parser)
{
    if (parser->settled)
        return fail(parser, &parser->token, "settle stands above already");
    parser->settled = true;
    return take_time(parser, 0, SETTLE_US_MAX, &parser->policy->settle_us);
}

/* What was taken back: how long until it has taken effect. */
static bool take_smooth(struct parser *parser)
{
    return need(parser, "withdrawn", "'withdrawn' and a time") &&
           take_time(parser, 0, SMOOTH_US_MAX, &parser->policy->smooth_us);
}

static bool take_freeze(struct parser *parser)
{
    return need(parser, "withdrawn", "'withdrawn' and a time") &&
           take_time(parser, 0, WITHDRAW_FREEZE_MAX_US, &parser->policy->freeze_us);
}

static bool take_compensate(struct parser *parser)
{
    uint64_t most;

    if (!take_number(parser, "how many likes' worth a creator may be given in 30 days",
                     COMPENSATE_MAX, &most))
        return false;
    parser->policy->compensate = (uint32_t)most;
    return true;
}

struct cell {
    uint32_t relation, value; /* POLICY_RELATION_COUNT: any */
    uint8_t verb;             /* VERB_COUNT: any */
};

static void set_cells(uint8_t table[][VERB_COUNT], const struct cell *cell)
{
    for (uint32_t r = 0; r < POLICY_RELATION_COUNT; r++)
        for (uint32_t v = 0; v < VERB_COUNT; v++)
            if ((cell->relation == POLICY_RELATION_COUNT || cell->relation == r) &&
                (cell->verb == VERB_COUNT || cell->verb == v) && policy_verb(v))
                table[r][v] = (uint8_t)cell->value;
}

/* RELATION VERB WORD, each of the first two may be 'any'; then 'in region' and some. */
static bool take_cell(struct parser *parser, uint8_t table[][VERB_COUNT],
                      uint8_t by_region[][POLICY_RELATION_COUNT][VERB_COUNT], const char *what,
                      const char *const *list, uint32_t count)
{
    struct cell cell = {.relation = POLICY_RELATION_COUNT, .verb = VERB_COUNT};
    uint16_t regions;

    if (!take(parser, "any") &&
        !take_one_of(parser, policy_relation_words, POLICY_RELATION_COUNT, &cell.relation))
        return expected_one_of(parser, "'any' or a relation", policy_relation_words,
                               POLICY_RELATION_COUNT);
    if (!take(parser, "any") && !take_verb(parser, &cell.verb))
        return false;
    if (!take_one_of(parser, list, count, &cell.value))
        return expected_one_of(parser, what, list, count);
    if (!take(parser, "in")) {
        set_cells(table, &cell);
        return true;
    }
    if (!need(parser, "region", "'region' and its code, like 'in region cn'") ||
        !take_regions(parser, &regions))
        return false;
    for (uint32_t place = 0; place < parser->policy->region_count; place++)
        if ((regions >> place & 1) != 0)
            set_cells(by_region[place], &cell);
    return true;
}

static bool take_statement(struct parser *parser)
{
    static const char *const statements[] = {"rule",   "undo",   "settle", "notify",
                                             "show", "smooth", "freeze", "compensate"};
    uint32_t found, count = sizeof statements / sizeof *statements;

    if (!take_one_of(parser, statements, count, &found))
        return expected_one_of(parser, "a statement", statements, count);
    switch (found) {
    case 0:
        return take_rule(parser);
    case 1:
        return take_undo(parser);
    case 2:
        return take_settle(parser);
    case 3:
        return take_cell(parser, parser->policy->notify, parser->policy->notify_region,
                         "how it is told", policy_notice_words, POLICY_NOTICE_COUNT);
    case 4:
        return take_cell(parser, parser->policy->show, parser->policy->show_region, "what is shown",
                         policy_showing_words, POLICY_SHOWING_COUNT);
    case 5:
        return take_smooth(parser);
    case 6:
        return take_freeze(parser);
    default:
        return take_compensate(parser);
    }
}

static bool take_head(struct parser *parser)
{
    struct token token;
    uint64_t version;

    if (!need(parser, "policy", "'policy NAME version N' as the first line") ||
        !take_name(parser, "the policy's name", parser->policy->name) ||
        !need(parser, "version", "'version' and a number"))
        return false;
    token = parser->token;
    if (!take_number(parser, "the version, a whole number", NUMBER_MAX, &version))
        return false;
    if (version == 0)
        return fail(parser, &token, "versions begin with 1");
    parser->policy->version = (uint32_t)version;
    return true;
}

bool policy_parse(const char *text, size_t size, struct policy *policy,
                  struct policy_problem *problem)
{
    struct parser parser = {.at = text,
                            .end = text + size,
                            .line = 1,
                            .column = 1,
                            .policy = policy,
                            .problem = problem};

    memset(problem, 0, sizeof *problem);
    memset(policy, 0, sizeof *policy);
    policy->settle_us = SETTLE_US;
    if (size > POLICY_TEXT_MAX)
        return over(&parser, &(struct token){.line = 1, .column = 1},
                    "the text is too long; bytes: at most ", POLICY_TEXT_MAX);
    next(&parser);
    if (!take_head(&parser))
        return false;
    while (parser.token.kind != TOKEN_END)
        if (!take_statement(&parser))
            return false;
    policy_index(policy);
    memset(problem, 0, sizeof *problem); /* where the last rule was checked */
    return true;
}
