/* key.c: zan key: a key for a caller, and the line for the credentials file.
 *
 * The line goes to standard output and the key to standard error, so that
 * `zan key app backend >> credentials` shows the key once and keeps only its digest. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "cli/assertion.h"
#include "cli/command.h"
#include "cli/epochs.h"
#include "cli/options.h"
#include "cli/report.h"
#include "schema/access.h"
#include "serve/credential.h"

#define KEY_BYTES 32

struct values {
    bool json;
    uint64_t tenant, epoch, seconds, at;
};

static const struct option_row rows[] = {
    {"json", NULL, "prints key and line as JSON on standard output", OPTION_FLAG,
     offsetof(struct values, json), 0, 0},
    {"tenant", "N", "the tenant whose data the caller works on; without: 0", OPTION_NUMBER,
     offsetof(struct values, tenant), 0, UINT16_MAX},
    {"epoch", "N", "sign: the account's epoch; without: 0", OPTION_NUMBER,
     offsetof(struct values, epoch), 0, UINT32_MAX},
    {"seconds", "N", "sign: how long the assertion holds; without: 300, which is the most",
     OPTION_NUMBER, offsetof(struct values, seconds), 1, 1000000},
    {"at", "SECONDS", "sign: from when on, in seconds since 1970; without: now", OPTION_NUMBER,
     offsetof(struct values, at), 0, 253402300799},
};

static void to_hex(const uint8_t *bytes, size_t size, char *hex)
{
    hex_put(hex, bytes, size);
    hex[2 * size] = '\0';
}

static bool is_name(const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || size > 63 || strcmp(name, "default") == 0 || strcmp(name, "assertion") == 0)
        return false; /* words that clients say in place of a name */
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL)
            return false;
    return true;
}

static bool is_role(const char *word)
{
    enum role role = role_find(word);

    return role != ROLE_NONE && role != ROLE_USER && role != ROLE_CREATOR;
}

static void print(const char *name, const char *role, const char *key, const char *digest,
                  const struct values *values)
{
    char line[256], tenant[16] = "";
    struct report *report;

    if (values->tenant != 0)
        snprintf(tenant, sizeof tenant, " tenant=%u", (unsigned)values->tenant);
    snprintf(line, sizeof line, "%s %s %s%s", name, role, digest, tenant);
    if (values->json) {
        report = report_new();
        report_text(report, "name", name);
        report_text(report, "role", role);
        report_text(report, "key", key);
        report_text(report, "line", line);
        report_print(report, stdout);
        return;
    }
    fprintf(stderr, "key of %s, shown this once:\n%s\n", name, key);
    fflush(stderr);
    printf("%s\n", line);
}

/* What a record and a case call a person: proposer, approver, opener. */
static int key_number(const char *name)
{
    printf("%" PRIu64 "\n", credential_number(name));
    return EXIT_DONE;
}

static int key(int argc, char **argv)
{
    struct values values = {.seconds = 300, .at = UINT64_MAX};
    struct options_words words;
    uint8_t secret[KEY_BYTES], digest[DIGEST_BYTES];
    char secret_hex[2 * KEY_BYTES + 1], digest_hex[2 * DIGEST_BYTES + 1];
    int code = options_parse(&cli_command_key, argc, argv, &values, NULL, &words);

    if (code != OPTIONS_GO)
        return code;
    if (strcmp(words.word[0], "pair") == 0)
        return key_pair(&words, (uint16_t)values.tenant);
    if (strcmp(words.word[0], "sign") == 0)
        return key_sign(&words, (uint32_t)values.epoch, values.seconds, values.at);
    if (strcmp(words.word[0], "epochs") == 0)
        return key_epochs(&words);
    if (strcmp(words.word[0], "pseudonym") == 0)
        return key_pseudonym(&words);
    if (strcmp(words.word[0], "number") == 0 && words.count == 2)
        return key_number(words.word[1]);
    if (words.count != 2) {
        fprintf(stderr, "zan: key takes NAME ROLE\n");
        return EXIT_USAGE;
    }
    if (!is_name(words.word[0])) {
        fprintf(stderr, "zan: a name is 1 to 63 letters, digits and . _ - (but not \"default\")\n");
        return EXIT_USAGE;
    }
    if (!is_role(words.word[1])) {
        fprintf(
            stderr,
            "zan: a role is backend, operator, approver, privacy, administrator or auditor, not "
            "'%s'\n",
            words.word[1]);
        return EXIT_USAGE;
    }
    digest_random(secret, sizeof secret);
    to_hex(secret, sizeof secret, secret_hex);
    digest_sha256(secret_hex, 2 * KEY_BYTES, NULL, 0, digest);
    to_hex(digest, sizeof digest, digest_hex);
    print(words.word[0], words.word[1], secret_hex, digest_hex, &values);
    return EXIT_DONE;
}

const struct command cli_command_key = {
    .name = "key",
    .words = "NAME ROLE | pair KID FILE | sign FILE ACCOUNT ROLE | epochs DIR | pseudonym DIR "
             "EPOCH KIND | number NAME",
    .summary = "makes keys for callers, key pairs for issuers, and assertions",
    .details =
        "ROLE is backend, operator, approver, privacy, administrator or auditor. The file keeps "
        "a digest, never the key:\n"
        "  zan key app backend >> credentials    (the key appears on the terminal, once)\n"
        "  zan serve --credentials credentials\n"
        "A pair is for a backend that vouches for its users: the private key goes to FILE, the "
        "line for\nthe file of assertion-keys to standard output. sign makes an assertion "
        "with it, for an ACCOUNT\nas user or creator:\n"
        "  zan key pair 2026-07 issuer.key >> assertion-keys\n"
        "  zan key sign issuer.key 42 user\n"
        "epochs tells which keys a data directory has that turn addresses into pseudonyms, and "
        "until when.\npseudonym reads an address, device or network (KIND) from standard input "
        "and prints what it was\ncalled in an EPOCH. number tells by which number cases "
        "and records know the caller NAME.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .words_min = 2,
    .words_max = 4,
    .run = key,
};
