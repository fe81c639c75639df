/* epochs.h (cli): zan key epochs and zan key pseudonym: what became of an address, without showing
 * a key. */
#ifndef ZAN_CLI_EPOCHS_H
#define ZAN_CLI_EPOCHS_H

#include "cli/options.h"

/* words: "epochs" DIR. Returns the exit code. */
int key_epochs(const struct options_words *words);

/* words: "pseudonym" DIR EPOCH KIND; the text is a line of standard input. */
int key_pseudonym(const struct options_words *words);

#endif
