/* Paths and parameters come from the tables. What answers look like is said once, in `members`
 * below: json_reply.c writes it, and every answer of the talk tests is checked against it.
 *
 * jansson's constructors take ownership also when they fail, and answer NULL; NULL travels up to
 * openapi_write, which is the only place that looks. */
#include "wire/openapi.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/access.h"
#include "schema/answers.h"
#include "wire/json.h"
#include "wire/problem.h"
#include "wire/route.h"

/* --- what answers look like ------------------------------------------------------------------ */

/* type: a name of types[] or schemas below; "?x": x or null; "[x]": an array; "-x": may be absent.
 */
static const struct answer_member members[] = {
#define MEMBER(schema_, name_, type_, tells_) {schema_, name_, type_, tells_},
#define ANSWER(verb, schema)
#include "schema/answers.def"
#undef MEMBER
#undef ANSWER
    {"StateWritten", "applied", "bool", "false: it was already so"},
    {"StateWritten", "sequence", "id", "of the record that holds the decision; 0: none was needed"},
    {"StateWritten", "on", "bool", "the state now"},
    {"StateWritten", "flips", "count", "changes of this state so far"},
    {"StateWritten", "intent", "-text",
     "of a like taken back, where rules looked at it: undo, cleanup, change or flood"},
    {"StateWritten", "replayed", "bool", "true: the Idempotency-Key was known; told as then"},
    {"StateWritten", "counts", "?Counters", "of what was acted on, after this"},
    {"Written", "applied", "bool", "false: it was already so"},
    {"Written", "sequence", "id", "of the record that holds the decision; 0: none was needed"},
    {"Written", "attested", "-bool",
     "of a view or a skip that brought a token: was it good?"},
    {"Written", "replayed", "bool", "true: the Idempotency-Key was known; told as then"},
    {"Written", "counts", "?Counters", "of what was acted on, after this"},
    {"ActionsWritten", "applied", "bool", "true: at least one action changed something"},
    {"ActionsWritten", "sequence", "id", "of the record that holds the decision"},
    {"ActionsWritten", "actions", "[bool]", "for each action: did it change something?"},
    {"ActionsWritten", "replayed", "bool", "true: the Idempotency-Key was known; told as then"},
    {"ActionsWritten", "counts", "?Counters", "of the item, after this"},
    {"State", "account", "id", "who"},
    {"State", "item", "id", "what"},
    {"State", "on", "bool", "is it so?"},
    {"FollowState", "account", "id", "who"},
    {"FollowState", "creator", "id", "whom"},
    {"FollowState", "on", "bool", "is it so?"},
    {"States", "account", "id", "who"},
    {"States", "verb", "text", "as asked"},
    {"States", "on", "[bool]", "in the order of targets"},
    {"Totals", "verb", "text", "as asked"},
    {"Totals", "counts", "[count]", "in the order of items; of the verb paused: until when, 0: it is not"},
    {"Totals", "paused", "[PausedItem]", "those whose growth is not in counts, for who is not to see it"},
    {"PausedItem", "item", "id", "as asked"},
    {"PausedItem", "until_ms", "time", "then it ends by itself"},
    {"Paused", "until_ms", "time", "growth of these totals is not shown until then"},
    {"Paused", "by", "text", "creator: his own switch; review: two people decided it"},
    {"Paused", "like", "count", "what is shown"},
    {"Paused", "favorite", "count", "what is shown"},
    {"Paused", "view", "count", "what is shown"},
    {"Paused", "share", "count", "what is shown"},
    {"Paused", "comment", "count", "what is shown"},
    {"Likes", "raw", "count", "accounts that like it"},
    {"Likes", "valid", "count", "raw less quarantined and voided"},
    {"Likes", "credited", "number", "sum of the weights of what is valid and not held"},
    {"Likes", "held", "count", "to be scored again after a delay"},
    {"Likes", "quarantined", "count", "in a window that a review will settle"},
    {"Likes", "voided", "count", "taken out by a decision with evidence"},
    {"Likes", "fading", "-number", "weight taken back that still stands and fades; of items only"},
    {"Likes", "frozen", "-number", "the same that waits until a freeze ends; of items only"},
    {"Likes", "peak", "-count", "the highest raw count so far; of items only"},
    {"Likes", "reasons", "-Reasons",
     "likes that do not count in full, by main reason; of items only"},
    {"Views", "raw", "count", "how often it was viewed"},
    {"Views", "credited", "number",
     "sum of the weights of these views; one that is held or quarantined weighs nothing"},
    {"Counts", "item", "id", "as asked"},
    {"Counts", "counts", "Counters", "every counter of the item"},
    {"Received", "creator", "id", "as asked"},
    {"Received", "received", "Counters", "what the creator and all its items got"},
    {"Budget", "creator", "id", "as asked"},
    {"Budget", "balance", "number", "may still be spent; in likes of full weight, as all of these"},
    {"Budget", "granted", "number", "in the last period of 30 days, of at most the policy's cap"},
    {"Budget", "spent", "number", "ever"},
    {"Budget", "owed", "number", "of what was spent: the likes came back; later grants pay it first"},
    {"Budget", "until_ms", "?time", "when the balance expires; null: there is none"},
    {"AccountEntry", "account", "id", "who"},
    {"AccountEntry", "time_ms", "time", "since when"},
    {"ItemEntry", "item", "id", "what"},
    {"ItemEntry", "time_ms", "time", "since when"},
    {"CreatorEntry", "creator", "id", "whom"},
    {"CreatorEntry", "time_ms", "time", "since when"},
    {"AccountPage", "entries", "[AccountEntry]", "newest first"},
    {"AccountPage", "cursor", "?id", "for the next page; null: this was the last"},
    {"ItemPage", "entries", "[ItemEntry]", "newest first"},
    {"ItemPage", "cursor", "?id", "for the next page; null: this was the last"},
    {"CreatorPage", "entries", "[CreatorEntry]", "newest first"},
    {"CreatorPage", "cursor", "?id", "for the next page; null: this was the last"},
    {"Item", "item", "id", "its id"},
    {"Item", "state", "text", "published, private or removed"},
    {"Item", "creator", "?id", "null: not known"},
    {"Item", "duration_ms", "count", "0: not known"},
    {"Item", "first_ms", "time", "when it was first seen"},
    {"Item", "watch_ms", "count", "sum over all views"},
    {"Item", "taken_back", "count", "likes taken back, ever"},
    {"Item", "original", "bool", "false: it was said to be somebody else's work"},
    {"Item", "published_ms", "?time", "when it was first published; null: nobody said"},
    {"Item", "campaign", "?Campaign", "exposure that was bought for it, over or not; null: never"},
    {"Item", "counts", "Counters", "every counter of the item"},
    {"Account", "account", "id", "its id"},
    {"Account", "state", "text", "active, like-banned, suspended or erased"},
    {"Account", "until_ms", "?time", "when the restriction ends; null: there is none"},
    {"Account", "first_ms", "time", "when it was first seen"},
    {"Account", "visible", "text", "who may see what it likes: nobody, mutuals, followers or all"},
    {"Account", "tier", "text", "ordinary, verified or elder"},
    {"Account", "epoch", "count", "assertions of an earlier one are revoked"},
    {"Account", "taken_back", "count", "likes taken back, ever"},
    {"Account", "standing", "Standing", "what restricts it now, and what was asked for"},
    {"Account", "case", "?OwnCase", "the newest case about it: rule, version, until when, appeal"},
    {"Account", "given", "Given", "what the account did"},
    {"Account", "received", "Counters", "what the account and its items got"},
    {"Case", "case", "id", "its id"},
    {"Case", "kind", "text", "review, sanction, quarantine, reports or disavowal"},
    {"Case", "state", "text",
     "gathering, open, proposed, applying, applied, appealed, restoring, restored, rejected or "
     "expired"},
    {"Case", "subject", "text", "account or item"},
    {"Case", "about", "id", "of the subject"},
    {"Case", "decision", "text", "what is in force; none: nothing"},
    {"Case", "value", "count", "of the decision: percent or points"},
    {"Case", "sanctions", "text",
     "like-ban, limit, cut, points: those it carries, with spaces between"},
    {"Case", "opened_ms", "?time", "when it was opened"},
    {"Case", "decided_ms", "?time", "when it was decided"},
    {"Case", "due_ms", "?time",
     "then it ends by itself, in favour of the subject; null: nothing is open"},
    {"Case", "until_ms", "?time", "when what was decided ends by itself"},
    {"Case", "points", "count", "taken"},
    {"Case", "granted_pct", "count", "exposure given, in percent of a like, as far as the cap allowed"},
    {"Case", "rule", "count", "place of the rule in its policy, from 1; 0: no rule"},
    {"Case", "policy", "count", "version of the rules"},
    {"Case", "decided_text", "text", "the reason given"},
    {"Case", "likes", "count", "changed by the decision"},
    {"Case", "restored", "count", "given back"},
    {"Case", "appealed", "bool", "an appeal waits for an answer"},
    {"Case", "appeals", "count", "how many there were"},
    {"Case", "can_appeal", "bool", "may it be appealed now?"},
    {"Case", "proposed", "text", "what waits for a second person; none: nothing"},
    {"Case", "proposed_value", "count", "percent or points"},
    {"Case", "only", "text", "of a void or credit: the main reason of the likes that are meant; none: all"},
    {"Case", "proposed_only", "text", "the same of what is proposed"},
    {"Case", "since_ms", "?time", "likes since then"},
    {"Case", "to_ms", "?time", "likes until then"},
    {"Case", "opened_text", "text", "why it was opened: what was counted against what"},
    {"Case", "appeal_text", "text", "what the subject says"},
    {"Case", "opener", "id", "caller; 0: the node"},
    {"Case", "proposer", "id", "caller; 0: nobody yet"},
    {"Case", "approver", "id", "caller; 0: nobody yet"},
    {"Case", "report_weight_pct", "count", "sum of the weights of reports, in percent"},
    {"Case", "opened_sequence", "id", "record in the log"},
    {"Case", "proposed_sequence", "id", "record in the log; 0: none"},
    {"Case", "decided_sequence", "id", "record in the log; 0: none"},
    {"Case", "appealed_sequence", "id", "record in the log; 0: none"},
    {"Case", "ended_sequence", "id", "record in the log; 0: none"},
    {"Case", "partition", "count", "whose log"},
    {"Case", "before", "id", "the case about the same before this one; 0: none"},
    {"OwnCase", "case", "id", "its id"},
    {"OwnCase", "kind", "text", "review, sanction, quarantine, reports or disavowal"},
    {"OwnCase", "state", "text",
     "gathering, open, proposed, applying, applied, appealed, restoring, restored, rejected or "
     "expired"},
    {"OwnCase", "subject", "text", "account or item"},
    {"OwnCase", "about", "id", "of the subject"},
    {"OwnCase", "decision", "text", "what is in force; none: nothing"},
    {"OwnCase", "value", "count", "of the decision: percent or points"},
    {"OwnCase", "sanctions", "text",
     "like-ban, limit, cut, points: those it carries, with spaces between"},
    {"OwnCase", "opened_ms", "?time", "when it was opened"},
    {"OwnCase", "decided_ms", "?time", "when it was decided"},
    {"OwnCase", "due_ms", "?time",
     "then it ends by itself, in favour of the subject; null: nothing is open"},
    {"OwnCase", "until_ms", "?time", "when what was decided ends by itself"},
    {"OwnCase", "points", "count", "taken"},
    {"OwnCase", "granted_pct", "count",
     "exposure given, in percent of a like, as far as the cap allowed"},
    {"OwnCase", "rule", "count", "place of the rule in its policy, from 1; 0: no rule"},
    {"OwnCase", "policy", "count", "version of the rules"},
    {"OwnCase", "decided_text", "text", "the reason given"},
    {"OwnCase", "likes", "count", "changed by the decision"},
    {"OwnCase", "restored", "count", "given back"},
    {"OwnCase", "appealed", "bool", "an appeal waits for an answer"},
    {"OwnCase", "appeals", "count", "how many there were"},
    {"OwnCase", "can_appeal", "bool", "may it be appealed now?"},
    {"CaseEntry", "case", "id", "its id"},
    {"CaseEntry", "kind", "text", "review, sanction, quarantine, reports or disavowal"},
    {"CaseEntry", "state", "text",
     "gathering, open, proposed, applying, applied, appealed, restoring, restored, rejected or "
     "expired"},
    {"CaseEntry", "subject", "text", "account or item"},
    {"CaseEntry", "about", "id", "of the subject"},
    {"CaseEntry", "decision", "text", "what is in force; none: nothing"},
    {"CaseEntry", "opened_ms", "?time", "when it was opened"},
    {"CaseEntry", "due_ms", "?time", "then it ends by itself; null: nothing is open"},
    {"CaseEntry", "until_ms", "?time", "when what was decided ends by itself"},
    {"WeighedLike", "account", "id", "who likes it"},
    {"WeighedLike", "time_ms", "?time", "since when"},
    {"WeighedLike", "weight_pct", "count", "of a held or quarantined like: what it seemed to be worth"},
    {"WeighedLike", "mark", "text", "plain, held, quarantined or voided; only plain ones are credited"},
    {"WeighedLike", "reason", "text", "the main one; none: nothing speaks against it"},
    {"WeighedLike", "before_mark", "?text", "of a voided like: its mark until then; else null"},
    {"WeighedLike", "before_reason", "?text", "of a voided like: its reason until then; else null"},
    {"WeighedPage", "entries", "[WeighedLike]", "newest first; may be empty before the last page"},
    {"WeighedPage", "cursor", "?id", "for the next page; null: this was the last"},
    {"CasePage", "entries", "[CaseEntry]", "newest first"},
    {"CasePage", "cursor", "?id", "for the next page; null: this was the last"},
    {"Standing", "limited", "text", "commands that are refused for now, with spaces between"},
    {"Standing", "limit_until_ms", "?time", "until when; null: none is"},
    {"Standing", "cut_pct", "count", "what its acts count for, of 100"},
    {"Standing", "cut_until_ms", "?time", "until when; null: they count in full"},
    {"Standing", "points", "signed", "of incentives; may be below 0"},
    {"Standing", "erase_ms", "?time", "somebody asked that it be erased: from when on it may be"},
    {"Standing", "minor", "bool", "nobody sees what it likes"},
    {"Standing", "personal", "bool", "may it be shown what suits it?"},
    {"Standing", "region", "text", "a code the platform gave it; empty: none"},
    {"ExportPage", "entries", "[ExportEntry]", "each with its kind"},
    {"ExportPage", "cursor", "?id", "for the next page; null: this was the last"},
    {"PolicyHead", "version", "id", "its number, as every verdict under it carries it"},
    {"PolicyHead", "name", "text", "what the text calls itself"},
    {"PolicyHead", "state", "text", "proposed, active, replaced, rejected or withdrawn"},
    {"PolicyHead", "digest", "text", "SHA-256 of the text"},
    {"PolicyHead", "text_bytes", "count", "of the text; 0: the setting's own, not kept here"},
    {"PolicyHead", "by_setting", "bool", "true: nobody proposed it, the setting was changed"},
    {"PolicyHead", "proposer", "id", "caller; 0: the setting"},
    {"PolicyHead", "decider", "id", "caller who approved, rejected or withdrew it; 0: nobody yet, or the setting"},
    {"PolicyHead", "proposed_ms", "?time", "when"},
    {"PolicyHead", "decided_ms", "?time", "when; null: not yet"},
    {"PolicyHead", "ended_ms", "?time", "when another one took its place"},
    {"PolicyHead", "reason", "text", "of the proposal"},
    {"PolicyHead", "decision", "text", "the reason of who decided"},
    {"PolicyHead", "proposed_sequence", "id", "record in the log; 0: none"},
    {"PolicyHead", "decided_sequence", "id", "record in the log; 0: none"},
    {"PolicyText", "version", "id", "its number, as every verdict under it carries it"},
    {"PolicyText", "name", "text", "what the text calls itself"},
    {"PolicyText", "state", "text", "proposed, active, replaced, rejected or withdrawn"},
    {"PolicyText", "digest", "text", "SHA-256 of the text"},
    {"PolicyText", "text_bytes", "count", "of the text; 0: the setting's own, not kept here"},
    {"PolicyText", "by_setting", "bool", "true: nobody proposed it, the setting was changed"},
    {"PolicyText", "proposer", "id", "caller; 0: the setting"},
    {"PolicyText", "decider", "id", "caller who approved, rejected or withdrew it; 0: nobody yet, or the setting"},
    {"PolicyText", "proposed_ms", "?time", "when"},
    {"PolicyText", "decided_ms", "?time", "when; null: not yet"},
    {"PolicyText", "ended_ms", "?time", "when another one took its place"},
    {"PolicyText", "reason", "text", "of the proposal"},
    {"PolicyText", "decision", "text", "the reason of who decided"},
    {"PolicyText", "proposed_sequence", "id", "record in the log; 0: none"},
    {"PolicyText", "decided_sequence", "id", "record in the log; 0: none"},
    {"PolicyText", "in_shadow", "bool", "runs without effect beside the rules in force"},
    {"PolicyText", "text", "text", "of the rules"},
    {"PolicyRules", "version", "id", "its number, as every verdict under it carries it"},
    {"PolicyRules", "name", "text", "what the text calls itself"},
    {"PolicyRules", "state", "text", "proposed, active, replaced, rejected or withdrawn"},
    {"PolicyRules", "digest", "text", "SHA-256 of the text"},
    {"PolicyRules", "text_bytes", "count", "of the text; 0: the setting's own, not kept here"},
    {"PolicyRules", "by_setting", "bool", "true: nobody proposed it, the setting was changed"},
    {"PolicyRules", "proposer", "id", "caller; 0: the setting"},
    {"PolicyRules", "decider", "id", "caller who approved, rejected or withdrew it; 0: nobody yet, or the setting"},
    {"PolicyRules", "proposed_ms", "?time", "when"},
    {"PolicyRules", "decided_ms", "?time", "when; null: not yet"},
    {"PolicyRules", "ended_ms", "?time", "when another one took its place"},
    {"PolicyRules", "reason", "text", "of the proposal"},
    {"PolicyRules", "decision", "text", "the reason of who decided"},
    {"PolicyRules", "proposed_sequence", "id", "record in the log; 0: none"},
    {"PolicyRules", "decided_sequence", "id", "record in the log; 0: none"},
    {"PolicyRules", "in_shadow", "bool", "runs without effect beside the rules in force"},
    {"PolicyRules", "counted_ms", "?time", "since when the figures count; null: they are not counted"},
    {"PolicyRules", "judged", "count", "acts that were looked at in shadow"},
    {"PolicyRules", "refused", "count", "of them would have been refused"},
    {"PolicyRules", "held", "count", "of them would have been held"},
    {"PolicyRules", "cut", "count", "of them would have weighed less"},
    {"PolicyRules", "more", "bool", "true: there are more rules than are told"},
    {"PolicyRules", "rules", "[PolicyRule]", "in the order of the text"},
    {"PolicyRule", "rule", "text", "its name"},
    {"PolicyRule", "change", "text", "against the rules in force: same, new, changed or gone"},
    {"PolicyRule", "shadow", "bool", "a rule without effect"},
    {"PolicyRule", "since_ms", "?time", "its windows have been counted since then; null: since before the rules were changed"},
    {"PolicyRule", "fired", "count", "how often it held"},
    {"PolicyRule", "refused", "count", "acts"},
    {"PolicyRule", "held", "count", "acts"},
    {"PolicyRule", "cut", "count", "acts"},
    {"PolicyList", "entries", "[PolicyHead]", "newest first"},
    {"Notice", "notice", "id", "its number in the inbox"},
    {"Notice", "kind", "text", "digest, act, sanction, lifted, decided, appeal, window or settled"},
    {"Notice", "what", "text", "which act, restriction, decision or answer"},
    {"Notice", "text", "text", "in a sentence"},
    {"Notice", "item", "?id", "of the item it is about"},
    {"Notice", "account", "?id", "who did it, where he may be named"},
    {"Notice", "count", "count", "how many acts"},
    {"Notice", "time_ms", "?time", "when, or since when"},
    {"Notice", "newest_ms", "?time", "of a digest, its newest act"},
    {"Notice", "until_ms", "?time", "when a restriction or a window ends"},
    {"Notice", "over", "bool", "that time has come"},
    {"Notice", "unread", "bool", "not read yet"},
    {"Notice", "quiet", "bool", "a mark, no message"},
    {"Notice", "case", "?id", "the case it comes from"},
    {"NoticePage", "unread", "count", "how many in the inbox are unread"},
    {"NoticePage", "entries", "[Notice]", "newest first"},
    {"NoticePage", "cursor", "?id", "for the next page; null: this was the last"},
    {"Campaign", "budget", "count", "impressions that were bought"},
    {"Campaign", "spent", "count", "impressions that were given out; never more"},
    {"Campaign", "until_ms", "time", "its end"},
    {"Campaign", "holdout_pct", "count", "of its audience, who do not see it"},
    {"Shield", "item", "Item", "the item and what its likes are worth, with reasons"},
    {"Shield", "window_until_ms", "?time", "a quarantine window is, or was, open until then; null: never"},
    {"Shield", "cases", "[OwnCase]", "newest first: windows, decisions, disavowals"},
    {"Shield", "quality", "?Quality", "of the likes of its likers; null on further pages"},
    {"Quality", "looked", "count", "the newest likes, so many were looked at"},
    {"Quality", "full", "?count", "count in full; null, of any band: too few to be told"},
    {"Quality", "most", "?count", "count half or more"},
    {"Quality", "some", "?count", "count less than half"},
    {"Quality", "none", "?count", "count nothing"},
    {"Quality", "waiting", "?count", "held or quarantined: not settled yet"},
    {"Quality", "voided", "?count", "taken out by a decision"},
    {"Points", "account", "id", "whose"},
    {"Points", "balance", "signed", "what was given less what was taken; nothing is refused by it"},
    {"Points", "entries", "[OwnCase]", "cases that took points, newest first; points: what is taken still"},
    {"Points", "cursor", "?id", "for the next page; null: this was the last"},
    {"Shield", "cursor", "?id", "for the next page; null: this was the last"},
    {"CleanUp", "cleanup", "count", "its number, to undo it; 0: there was nothing"},
    {"CleanUp", "changed", "count", "likes taken back, or brought back"},
    {"CleanUp", "more", "bool", "true: there are more, call again"},
    {"CleanUpPreview", "entries", "[ItemEntry]", "the newest of them"},
    {"CleanUpPreview", "count", "count",
     "likes that would be taken back; 20000: that many or more"},
    {"Sequences", "sequences", "[id]", "the last durable record, one per partition"},
    {"Problem", "type", "text", "a path of this server that tells about the problem"},
    {"Problem", "title", "text", "what happened, in one sentence"},
    {"Problem", "status", "count", "the HTTP status again"},
    {"Problem", "detail", "-text", "what was wrong with this request"},
    {"Problem", "code", "text", "stable; the same as over RESP"},
    {"Problem", "advice", "text", "what to do about it"},
    {"Problem", "certain", "bool",
     "true: certainly not applied; false: not known, ask again with the same Idempotency-Key"},
    {"Problem", "until_ms", "-time", "SUSPENDED: when the restriction ends"},
    {"Problem", "retry_ms", "-count", "when to try again"},
    {"Problem", "request_id", "text", "the same as in X-Request-Id"},
    {"ProblemKind", "type", "text", "a path of this server that tells about the problem"},
    {"ProblemKind", "title", "text", "what happened, in one sentence"},
    {"ProblemKind", "status", "count", "the HTTP status"},
    {"ProblemKind", "code", "text", "stable; the same as over RESP"},
    {"ProblemKind", "advice", "text", "what to do about it"},
    {"ProblemKind", "certain", "bool", "true: certainly not applied"},
    {"ProblemKind", "closes", "bool", "true: the connection is closed after it"},
    {"Problems", "problems", "[ProblemKind]", "every kind of problem"},
    {"Health", "mode", "text", "normal, shed, nospace, ..."},
    {"Health", "ready", "bool", "can it take writes?"},
    {"Health", "modes", "[ModeHeld]", "every mode that holds, the gravest first"},
    {"Health", "readers", "[ReaderHealth]", "what follows the log; none: they are off"},
    {"ReaderHealth", "name", "text", "of the reader"},
    {"ReaderHealth", "state", "text", "catching-up, following or stalled; likes do without"},
    {"ReaderHealth", "lag_records", "count", "durable and not read yet"},
    {"ReaderHealth", "late_ms", "count", "what it answers is at most so old"},
    {"Session", "open", "bool", "true: this node asks for no credentials"},
    {"Session", "role", "text", "everybody: no credentials are asked for; nobody: none were shown"},
    {"Session", "account", "?id", "whose assertion it is"},
    {"Session", "tenant", "count", "the caller's"},
    {"Session", "expires_ms", "?time", "when the assertion ends"},
    {"Session", "version", "text", "of the program"},
    {"ModeHeld", "mode", "text", "its name"},
    {"ModeHeld", "since", "count", "seconds since the epoch"},
    {"Index", "name", "text", "zan"},
    {"Index", "version", "text", "of the program"},
    {"Index", "links", "[text]", "where to read next"},
    {"Context", "address", "-text", "the viewer's network address; kept only as a keyed pseudonym"},
    {"Context", "device", "-text", "a device id; kept only as a keyed pseudonym"},
    {"Context", "network", "-text", "a network id; kept only as a keyed pseudonym"},
    {"Context", "source", "-Source", "what the like was made with"},
    {"Context", "client_ms", "-time", "the client's clock, at most 5 minutes ahead"},
    {"Context", "issued_ms", "-time", "when the request was sent; over 5 minutes from now: STALE"},
};

/* Paths that are no verbs. */
struct service {
    const char *path, *operation, *summary, *schema, *type;
    bool open, ready;
};

static const struct service services[] = {
    {"/", "index", "Tells where to read next.", "Index", "application/json", true, false},
    {"/healthz", "health", "Tells that the process lives, and its mode.", "Health",
     "application/json", true, false},
    {"/readyz", "ready", "200 if the node takes reads and writes, else 503 and why.", "Health",
     "application/json", true, true},
    {"/metrics", "metrics", "Numbers for Prometheus; open when the door is on loopback.", NULL,
     "text/plain", false, false},
    {"/openapi.json", "openapi", "This document.", NULL, "application/json", true, false},
    {"/session", "session", "Tells who the caller is.", "Session", "application/json", true, false},
    {"/problems", "problems", "Lists every problem there can be.", "Problems", "application/json",
     true, false},
};

static json_t *reference(const char *kind, const char *name)
{
    char text[96];

    snprintf(text, sizeof text, "#/components/%s/%s", kind, name);
    return json_pack("{s:s}", "$ref", text);
}

static json_t *schema_of(const char *type);

static json_t *schema_array(const char *type)
{
    char inner[32];
    size_t size = strlen(type) - 2;

    snprintf(inner, sizeof inner, "%.*s", (int)size, type + 1);
    return json_pack("{s:s,s:o}", "type", "array", "items", schema_of(inner));
}

static json_t *schema_of(const char *type)
{
    if (type[0] == '?')
        return json_pack("{s:[o,{s:s}]}", "oneOf", schema_of(type + 1), "type", "null");
    if (type[0] == '[')
        return schema_array(type);
    if (strcmp(type, "bool") == 0)
        return json_pack("{s:s}", "type", "boolean");
    if (strcmp(type, "text") == 0)
        return json_pack("{s:s}", "type", "string");
    if (strcmp(type, "count") == 0)
        return json_pack("{s:s,s:i}", "type", "integer", "minimum", 0);
    if (strcmp(type, "signed") == 0)
        return json_pack("{s:s}", "type", "integer");
    if (strcmp(type, "number") == 0)
        return json_pack("{s:s,s:i}", "type", "number", "minimum", 0);
    if (strcmp(type, "decimal") == 0)
        return json_pack("{s:s}", "type", "number");
    if (strcmp(type, "time") == 0)
        return json_pack("{s:s,s:s}", "type", "integer", "description", "ms since the epoch");
    return reference("schemas", strcmp(type, "id") == 0 ? "Id" : type);
}

/* A schema with a description beside it; 3.1 allows that next to a $ref too. */
static json_t *described(json_t *schema, const char *tells)
{
    if (schema != NULL && json_object_set_new(schema, "description", json_string(tells)) != 0) {
        json_decref(schema);
        return NULL;
    }
    return schema;
}

/* Adds value under key; frees both and answers NULL when something failed. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
    if (object == NULL || json_object_set_new(object, key, value) != 0) {
        if (object == NULL)
            json_decref(value);
        json_decref(object);
        return NULL;
    }
    return object;
}

/* The schema `name`, from its rows in members. */
static json_t *object_schema(const char *name)
{
    json_t *properties = json_object(), *required = json_array();
    bool context = strcmp(name, "Context") == 0;

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct answer_member *member = &members[i];
        bool absent = member->type[0] == '-';

        if (strcmp(member->schema, name) != 0)
            continue;
        properties = with(properties, member->name,
                          described(schema_of(member->type + absent), member->tells));
        if (!absent)
            json_array_append_new(required, json_string(member->name));
    }
    return json_pack("{s:s,s:o,s:o,s:b}", "type", "object", "properties", properties, "required",
                     required, "additionalProperties", context ? 0 : 1);
}

static json_t *reasons_schema(void)
{
    json_t *properties = json_object();

    for (unsigned i = 0; i < REASON_COUNT; i++)
        properties = with(properties, reason_name((enum reason)i), schema_of("count"));
    return json_pack("{s:s,s:o,s:b}", "type", "object", "properties", properties,
                     "additionalProperties", 0);
}

static json_t *counters_schema(bool likes)
{
    json_t *properties = json_object(), *required = json_array();

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        const char *name = counter_name((enum counter)i);

        properties = with(properties, name, schema_of("count"));
        if (i != COUNTER_FOLLOW)
            json_array_append_new(required, json_string(name));
    }
    if (likes) {
        properties = with(properties, "likes", schema_of("Likes"));
        properties = with(properties, "views", schema_of("Views"));
        properties = with(properties, "paused", schema_of("?Paused"));
        json_array_append_new(required, json_string("likes"));
    }
    return json_pack("{s:s,s:o,s:o,s:s}", "type", "object", "properties", properties, "required",
                     required, "description", "follow is told of accounts only, views and paused of items only");
}

static json_t *sources(void)
{
    json_t *names = json_array();

    for (unsigned i = 0; i < SOURCE_COUNT; i++)
        json_array_append_new(names, json_string(source_name((enum source)i)));
    return json_pack("{s:s,s:o}", "type", "string", "enum", names);
}

/* An account, a case, a notice, or an edge: what it is stands in its kind. */
static json_t *export_schema(void)
{
    return json_pack("{s:s,s:{s:{s:s,s:[s,s,s,s,s,s,s]},s:o,s:o,s:o,s:o,s:o,s:{s:s},s:{s:s},s:{s:s},"
                     "s:o},s:[s],s:b}",
                     "type", "object", "properties", "kind", "type", "string", "enum", "account",
                     "like", "favorite", "follow", "cleared", "case", "notice", "account",
                     reference("schemas", "Account"), "case", reference("schemas", "OwnCase"),
                     "notice", reference("schemas", "Notice"),
                     "target", reference("schemas", "Id"), "time_ms", schema_of("time"),
                     "weight_pct", "type", "integer", "mark", "type", "string", "reason", "type",
                     "string", "cleanup", schema_of("count"), "required", "kind",
                     "additionalProperties", 0);
}

static json_t *schemas(void)
{
    json_t *all = json_object();

    all = with(all, "Id",
               json_pack("{s:s,s:s,s:s}", "type", "string", "pattern", "^[0-9]{1,20}$",
                         "description", "an unsigned 64-bit integer in decimal digits"));
    all = with(all, "IdIn",
               json_pack("{s:[o,{s:s,s:i}]}", "oneOf", reference("schemas", "Id"), "type",
                         "integer", "minimum", 0));
    all = with(all, "Source", sources());
    all = with(all, "Counters", counters_schema(true));
    all = with(all, "Given", counters_schema(false));
    all = with(all, "Reasons", reasons_schema());
    all = with(all, "ExportEntry", export_schema());
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (i == 0 || strcmp(members[i].schema, members[i - 1].schema) != 0)
            all = with(all, members[i].schema, object_schema(members[i].schema));
    return all;
}

static const char *answer_of(const struct route *route)
{
    const struct verb_info *info = verb_info(route->verb);
    bool follow = info->edge == EDGE_FOLLOW;

    switch ((enum verb_shape)info->shape) {
    case SHAPE_SET:
        return "StateWritten";
    case SHAPE_ACT:
        return "ActionsWritten";
    case SHAPE_STATES:
        return route->choice[0] != 0 ? "States" : follow ? "FollowState" : "State";
    case SHAPE_TOTALS:
        return "Totals";
    case SHAPE_COUNTS:
        return "Counts";
    case SHAPE_RECEIVED:
        return route->verb == VERB_BUDGET ? "Budget" : "Received";
    case SHAPE_TAKEN:
        return "AccountPage";
    case SHAPE_GIVEN:
        return follow ? "CreatorPage" : "ItemPage";
    case SHAPE_CLEANUP:
        return "CleanUp";
    case SHAPE_CLEANUP_PREVIEW:
        return "CleanUpPreview";
    case SHAPE_ACTIVITY:
        return "ItemPage";
    case SHAPE_EXPORT:
        return "ExportPage";
    case SHAPE_ITEM_GET:
        return "Item";
    case SHAPE_ACCOUNT_GET:
        return "Account";
    case SHAPE_CASE_OPEN:
        return route->verb == VERB_DISAVOW ? "OwnCase" : "Case";
    case SHAPE_NOTICES:
        return "NoticePage";
    case SHAPE_SHIELD:
        return "Shield";
    case SHAPE_POINTS:
        return "Points";
    case SHAPE_CASE_STEP:
        return route->verb == VERB_CASE_APPEAL ? "OwnCase" : "Case";
    case SHAPE_CASE_GET:
        return route->verb == VERB_CASE_OWN ? "OwnCase" : "Case";
    case SHAPE_CASE_LIST:
    case SHAPE_CASE_OF:
        return "CasePage";
    case SHAPE_WEIGHED:
        return "WeighedPage";
    case SHAPE_POLICY_PROPOSE:
    case SHAPE_POLICY_STEP:
        return "PolicyHead";
    case SHAPE_POLICY_GET:
        return route->verb == VERB_POLICY_GET ? "PolicyText" : "PolicyRules";
    case SHAPE_POLICY_LIST:
        return "PolicyList";
    case SHAPE_SEQ:
        return "Sequences";
    case SHAPE_READER:
        return answer_schema(route->verb);
    default:
        return "Written";
    }
}

/* --- what requests look like ------------------------------------------------------------------ */

static json_t *words_schema(const char *words)
{
    json_t *list = json_array();

    while (*words != 0) {
        size_t size = strcspn(words, "|");

        json_array_append_new(list, json_stringn(words, size));
        words += size + (words[size] == '|');
    }
    return json_pack("{s:s,s:o}", "type", "string", "enum", list);
}

static json_t *field_schema(const struct route_field *field)
{
    switch (field->type) {
    case TYPE_ID:
        return reference("schemas", field->place == PLACE_BODY ? "IdIn" : "Id");
    case TYPE_MS:
        return json_pack("{s:s,s:i,s:i}", "type", "integer", "minimum", 0, "maximum",
                         (int)REQUEST_MS_MAX);
    case TYPE_TIME_MS:
        return json_pack("{s:s,s:i,s:s}", "type", "integer", "minimum", 0, "description",
                         "ms since the epoch");
    case TYPE_PAGE:
        return json_pack("{s:s,s:i,s:i,s:i}", "type", "integer", "minimum", 1, "maximum",
                         REQUEST_PAGE_MAX, "default", REQUEST_PAGE);
    case TYPE_CURSOR:
        return reference("schemas", "Id");
    case TYPE_WORD:
        return words_schema(field->words);
    case TYPE_AMOUNT:
        return json_pack("{s:s,s:i,s:i}", "type", "integer", "minimum", 0, "maximum",
                         field->slot == SLOT_STAGE ? UINT8_MAX : (int)REQUEST_AMOUNT_MAX);
    case TYPE_TOKEN:
        return json_pack("{s:s,s:s}", "type", "string", "description",
                         "of the impression, as the feed gave it; one that is not good (any more) "
                         "does not refuse the act, which then counts as not attested");
    case TYPE_POLICY:
        return json_pack("{s:s,s:i,s:i}", "type", "string", "minLength", 1, "maxLength",
                         POLICY_TEXT_KEPT);
    case TYPE_REGION:
        return json_pack("{s:s,s:s}", "type", "string", "pattern",
                         "^[A-Za-z][A-Za-z0-9-]{0,6}[A-Za-z0-9]$");
    case TYPE_REASON:
        return json_pack("{s:s,s:i,s:i}", "type", "string", "minLength", 1, "maxLength",
                         field->slot == SLOT_NAME ? REQUEST_NAME_MAX : CASE_TEXT_MAX);
    }
    return NULL;
}

static json_t *body_field(const struct route_field *field)
{
    json_t *one = field_schema(field);

    if (!field->many)
        return one;
    return json_pack("{s:s,s:o,s:i,s:i}", "type", "array", "items", one, "minItems", 1, "maxItems",
                     field->slot == SLOT_ACTIONS ? REQUEST_ACTIONS_MAX : REQUEST_IDS_MAX);
}

static json_t *choices_schema(const struct route *route)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < route_choices(route); i++)
        json_array_append_new(list, json_string(route[i].choice));
    return json_pack("{s:s,s:o}", "type", "string", "enum", list);
}

/* The requestBody, or NULL with *none set if there is nothing to send. */
static json_t *body_of(const struct route *route, const struct route_field *fields, uint32_t count,
                       bool *none)
{
    json_t *properties = json_object(), *required = json_array();
    size_t needed;

    if (route->choice[0] != 0) {
        properties = with(properties, "verb", choices_schema(route));
        json_array_append_new(required, json_string("verb"));
    }
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].place != PLACE_BODY)
            continue;
        properties = with(properties, fields[i].name, body_field(&fields[i]));
        if (fields[i].required)
            json_array_append_new(required, json_string(fields[i].name));
    }
    if (verb_info(route->verb)->group == GROUP_WRITE) {
        properties = with(properties, "confirmed", schema_of("bool"));
        properties = with(properties, "context", reference("schemas", "Context"));
    }
    needed = json_array_size(required);
    *none = json_object_size(properties) == 0;
    if (*none) {
        json_decref(properties);
        json_decref(required);
        return NULL;
    }
    return json_pack("{s:b,s:{s:{s:{s:s,s:o,s:o,s:b}}}}", "required", needed > 0, "content",
                     "application/json", "schema", "type", "object", "properties", properties,
                     "required", required, "additionalProperties", 0);
}

static json_t *parameters_of(const struct route *route, const struct route_field *fields,
                             uint32_t count)
{
    static const char *const headers[] = {"IdempotencyKey", "XZanAddress", "XZanDevice",
                                          "XZanNetwork",    "XZanSource",  "XZanClientMs",
                                          "XZanIssuedMs"};
    json_t *list = json_array();

    for (uint32_t i = 0; i < count; i++)
        if (fields[i].place != PLACE_BODY)
            json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:o}", "name", fields[i].name, "in",
                                                  fields[i].place == PLACE_PATH ? "path" : "query",
                                                  "required", fields[i].place == PLACE_PATH,
                                                  "schema", field_schema(&fields[i])));
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (verb_info(route->verb)->group == GROUP_WRITE)
            json_array_append_new(list, reference("parameters", headers[i]));
    return list;
}

static json_t *header_parameter(const char *name, json_t *schema, const char *tells)
{
    return json_pack("{s:s,s:s,s:b,s:s,s:o}", "name", name, "in", "header", "required", 0,
                     "description", tells, "schema", schema);
}

static json_t *parameters(void)
{
    json_t *key = json_pack("{s:s,s:i,s:i}", "type", "string", "minLength", 1, "maxLength", 66);

    return json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "IdempotencyKey",
        header_parameter("Idempotency-Key", key,
                         "The operation id, best a UUID version 7: makes any retry safe."),
        "XZanAddress",
        header_parameter("X-Zan-Address", schema_of("text"), "As address in context."),
        "XZanDevice", header_parameter("X-Zan-Device", schema_of("text"), "As device in context."),
        "XZanNetwork",
        header_parameter("X-Zan-Network", schema_of("text"), "As network in context."),
        "XZanSource",
        header_parameter("X-Zan-Source", schema_of("Source"), "As source in context."),
        "XZanClientMs",
        header_parameter("X-Zan-Client-Ms", schema_of("count"), "As client_ms in context."),
        "XZanIssuedMs",
        header_parameter("X-Zan-Issued-Ms", schema_of("count"), "As issued_ms in context."));
}

/* --- paths ------------------------------------------------------------------------------------ */

static json_t *success(json_t *schema, const char *type)
{
    return json_pack("{s:s,s:{s:{s:o}}}", "description", "done, or already so", "content", type,
                     "schema", schema);
}

/* {"backend": "tenant", "user": "own account", ...}: who may, and on what. */
static json_t *roles_of(enum verb verb)
{
    json_t *roles = json_object();

    for (int role = ROLE_BACKEND; role < ROLE_ALL; role++) {
        enum access_rule rule = access_rule((enum role)role, verb);

        if (rule != RULE_NO)
            json_object_set_new(roles, role_name((enum role)role),
                                json_string(access_rule_name(rule)));
    }
    return roles;
}

static json_t *operation_of(const struct route *route)
{
    const struct verb_info *info = verb_info(route->verb);
    bool many = route->choice[0] != 0, none;
    struct route_field fields[ROUTE_FIELDS_MAX];
    uint32_t count = route_fields(route, fields);
    json_t *body = body_of(route, fields, count, &none);
    json_t *operation = json_pack(
        "{s:s,s:s,s:[s],s:o,s:o,s:{s:o,s:o}}", "operationId", route->operation, "summary",
        many ? "Asks the same of many at once, for the verb in the body." : info->summary, "tags",
        info->group == GROUP_WRITE ? "write" : "read", "x-zan-roles", roles_of(route->verb),
        "parameters", parameters_of(route, fields, count), "responses", "200",
        success(reference("schemas", answer_of(route)), "application/json"), "default",
        reference("responses", "Problem"));

    if (!none)
        operation = with(operation, "requestBody", body);
    if (!many)
        operation = with(operation, "x-zan-verb", json_string(info->name));
    return operation;
}

static const char *method_key(enum route_method method)
{
    static const char *const keys[METHOD_COUNT] = {"get", "put", "post", "delete"};

    return keys[method];
}

/* Adds an operation to the path, which is made when it is not there yet. */
static json_t *add_operation(json_t *paths, const char *path, const char *method, json_t *operation)
{
    json_t *at = json_object_get(paths, path);

    if (at != NULL && json_object_set_new(at, method, operation) == 0)
        return paths;
    return with(paths, path, json_pack("{s:o}", method, operation));
}

static json_t *service_operation(const struct service *service)
{
    json_t *schema = service->schema != NULL   ? reference("schemas", service->schema)
                     : service->type[0] == 't' ? schema_of("text")
                                               : json_pack("{s:s}", "type", "object");
    json_t *operation =
        json_pack("{s:s,s:s,s:[s],s:{s:o,s:o}}", "operationId", service->operation, "summary",
                  service->summary, "tags", "service", "responses", "200",
                  success(schema, service->type), "default", reference("responses", "Problem"));

    if (service->ready)
        json_object_set_new(json_object_get(operation, "responses"), "503",
                            success(reference("schemas", "Health"), "application/json"));
    return service->open ? with(operation, "security", json_array()) : operation;
}

static json_t *problem_path(void)
{
    json_t *operation = json_pack(
        "{s:s,s:s,s:[s],s:[],s:[{s:s,s:s,s:b,s:o}],s:{s:o,s:o}}", "operationId", "problem",
        "summary", "Tells about one kind of problem.", "tags", "service", "security", "parameters",
        "name", "code", "in", "path", "required", 1, "schema", schema_of("text"), "responses",
        "200", success(reference("schemas", "ProblemKind"), "application/json"), "default",
        reference("responses", "Problem"));

    return operation;
}

static json_t *live_path(void)
{
    return json_pack(
        "{s:s,s:s,s:[s],s:[{s:s,s:s,s:b,s:s,s:o}],s:{s:o,s:o}}", "operationId", "liveTotals",
        "summary", "Public totals of items, and what they become: server-sent events.", "tags",
        "service", "parameters", "name", "items", "in", "query", "required", 1, "description",
        "1 to 64 ids between commas", "schema", schema_of("text"), "responses", "200",
        success(schema_of("text"), "text/event-stream"), "default",
        reference("responses", "Problem"));
}

static json_t *paths(void)
{
    json_t *all = json_object();

    for (uint32_t i = 0; i < route_count; i += route_choices(&route_table[i])) {
        const struct route *route = &route_table[i];

        all = add_operation(all, route->path, method_key(route->method), operation_of(route));
    }
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        all = add_operation(all, services[i].path, "get", service_operation(&services[i]));
    all = add_operation(all, "/live", "get", live_path());
    return add_operation(all, "/problems/{code}", "get", problem_path());
}

static json_t *components(void)
{
    json_t *problem =
        json_pack("{s:s,s:{s:{s:o}}}", "description", "why it was not done, and what to do",
                  "content", "application/problem+json", "schema", reference("schemas", "Problem"));

    return json_pack("{s:o,s:o,s:{s:o},s:{s:{s:s,s:s}}}", "schemas", schemas(), "parameters",
                     parameters(), "responses", "Problem", problem, "securitySchemes", "bearer",
                     "type", "http", "scheme", "bearer");
}

static json_t *document(const char *version)
{
    return json_pack(
        "{s:s,s:{s:s,s:s,s:s,s:s},s:[{s:[]}],s:o,s:o}", "openapi", "3.1.0", "info", "title", "Zan",
        "summary", "Likes and other reactions: exact, durable, provable.", "description",
        "Every write sets a state or counts an event, is durable before it is answered, and is "
        "safe to retry with the same Idempotency-Key. Ids are unsigned 64-bit integers: decimal "
        "strings in answers, strings or integers in requests.",
        "version", version, "security", "bearer", "paths", paths(), "components", components());
}

static int put(const char *bytes, size_t size, void *text)
{
    text_put(text, bytes, size);
    return 0;
}

void openapi_write(struct text *text, const char *version)
{
    json_t *root = document(version);

    if (root == NULL || json_dump_callback(root, put, text, JSON_INDENT(1)) != 0)
        text->failed = true;
    json_decref(root);
    text_puts(text, "\n");
}
