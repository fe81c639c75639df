/* discover_answer_campaign.c: CAMPAIGN GET (schema/answers.def says what it has). */
#include "readers/discover/discover_answer_inner.h"

static const char *state_of(const struct campaign_offer *campaign, int64_t now_us)
{
    if (campaign->stopped)
        return "stopped";
    if (now_us >= campaign->until_us)
        return "over";
    return campaign_runs(campaign, now_us) ? "running" : "spent";
}

static void put_group(struct answer *answer, const struct campaign_group *group, bool held_out,
                      uint8_t share_pct)
{
    tree_map(&answer->tree, NULL);
    tree_bool(&answer->tree, "held_out", held_out);
    tree_counter(&answer->tree, "share_percent", share_pct);
    tree_counter(&answer->tree, "likes", group->likes);
    tree_counter(&answer->tree, "follows", group->follows);
    tree_end(&answer->tree);
}

static void put_groups(struct answer *answer, const struct campaign_offer *campaign)
{
    uint8_t out_pct = campaign->holdout_pct;

    tree_list(&answer->tree, "groups");
    put_group(answer, &campaign->group[0], false, (uint8_t)(100 - out_pct));
    put_group(answer, &campaign->group[1], true, out_pct);
    tree_end(&answer->tree);
    if (campaign->group[1].likes > 0 && out_pct > 0)
        answer_number(answer, "lift",
                      (double)campaign->group[0].likes / (100 - out_pct) /
                          ((double)campaign->group[1].likes / out_pct),
                      3);
    else
        tree_null(&answer->tree, "lift");
}

void answer_campaign(struct answer *answer)
{
    static const struct campaign_offer none;
    const struct request *request = &answer->call->request;
    const struct campaign_offer *campaign =
        campaigns_find(answer->discover->campaigns, request->tenant, request->target);
    bool known = campaign != NULL;

    if (!known)
        campaign = &none;
    tree_begin(&answer->tree, answer->call);
    tree_id(&answer->tree, "item", request->target);
    tree_bool(&answer->tree, "known", known);
    if (known) {
        tree_word(&answer->tree, "state", state_of(campaign, answer->now->now_us));
        tree_text(&answer->tree, "label", campaign->label, campaign->label_size);
    } else {
        tree_null(&answer->tree, "state");
        tree_null(&answer->tree, "label");
    }
    tree_counter(&answer->tree, "budget", campaign->budget);
    tree_counter(&answer->tree, "spent", campaign->spent);
    tree_counter(&answer->tree, "shown", campaign->shown);
    tree_counter(&answer->tree, "paid_likes", campaign->paid_likes);
    answer_number(answer, "likes", (double)campaign->like_pct / 100, 2);
    answer_number(answer, "taken_back", (double)campaign->unlike_pct / 100, 2);
    put_groups(answer, campaign);
    answer_finish(answer);
}
