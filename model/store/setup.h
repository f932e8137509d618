/* What a database needs before it can be served from: its clock's mode, the example policy, a first key. */
#ifndef ASSAY_MODEL_STORE_SETUP_H
#define ASSAY_MODEL_STORE_SETUP_H

#include "server/api_key.h"
#include "server/db.h"

#include <stdbool.h>

enum { KEY_TEXT_MAX = 64 };

/* Fixes the mode of the database's clock at the first start. False, with the reason told, when it was fixed the other way. */
bool setup_clock(struct db *db, bool sandbox, void (*tell)(const char *line)) __attribute__((warn_unused_result));

/* Publishes the policy in `text`. False, with every problem told. The same policy again changes nothing. */
bool setup_policy(struct db *db, const char *text, size_t len, void (*tell)(const char *line)) __attribute__((warn_unused_result));

/* Only says what is wrong with it. */
bool setup_policy_check(const char *text, size_t len, void (*tell)(const char *line)) __attribute__((warn_unused_result));

bool setup_has_policies(struct db *db, bool *any) __attribute__((warn_unused_result));

/* Makes a key; its secret goes to `key`, and nowhere else. False, with the reason told. */
bool setup_key(struct db *db, struct key_hasher *hasher, const char *role, const char *name, const char *provider_id,
               char key[KEY_TEXT_MAX], void (*tell)(const char *line)) __attribute__((warn_unused_result));

/* True when `key` is one that may be used now. */
bool setup_key_valid(struct db *db, struct key_hasher *hasher, const char *key);

#endif
