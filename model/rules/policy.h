/* A policy: the rule as configuration. Read strictly from JSON, with every problem by its pointer.
 *
 *   member                                 required  absent means
 *   policy_id                              yes       a-z 0-9 -, at most 64; begins with a letter or digit
 *   version                                yes       A-Z a-z 0-9 . -, at most 32; begins with a letter or digit
 *   effective_from, industry               yes       industry: a word (a-z 0-9 _, at most 64; begins with a letter)
 *   example                                no        false
 *   admission                              yes
 *   admission.service_categories           no        ["practical_assistance"] (2); each of them is needed; 1.. and no repeats
 *   admission.deposit_fen                  no        null = the platform has not told us: not_configured; 0..2^53-1
 *   admission.documents                    no        null = not_configured; words; [] = none are needed; at most 50
 *   admission.reapply_cooldown_days        no        180 (5); 0..3660
 *   admission.trial_failed_cooldown_days   no        0 (D); 0..3660
 *   admission.deposit_due_days             no        null = a shortfall is due at once (4.1); 0..3660
 *   admission.refund_request_days          no        null = a refund that nobody decides never expires; 0..3660
 *   counting (and each member of it)       no        the rule's reading marked (D):
 *     .repeat_window_months                          6; 0..120
 *     .repeat_scope                                  provider; or any
 *     .store_statuses                                ["normal"]; 1.. of the four, no repeats
 *     .require_bound_at_evaluation                   true
 *     .gmv_window                                    period; or since_binding
 *   decisions (and each member of it)      no        how long decisions can be argued about; see decisions_policy.h
 *   trial, regular                         yes
 *     .months                              no        3 (D); 1..12
 *     .requires                            yes       see requirement.h
 *
 * Unknown members are refused everywhere. A policy is immutable once read and may be shared between threads. */
#ifndef ASSAY_MODEL_RULES_POLICY_H
#define ASSAY_MODEL_RULES_POLICY_H

#include "base/buf.h"
#include "base/faults.h"
#include "model/rules/day.h"
#include "model/rules/decisions_policy.h"
#include "model/rules/money.h"
#include "model/rules/requirement.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stage { STAGE_TRIAL, STAGE_REGULAR, STAGES };

const char *stage_name(enum stage s); /* "trial" */
bool stage_by_name(const char *name, enum stage *out);

enum store_status { STORE_NORMAL, STORE_SUSPENDED, STORE_CLOSING, STORE_CLOSED, STORE_STATUSES };

const char *store_status_name(enum store_status s); /* "normal" */
bool store_status_by_name(const char *name, enum store_status *out);

enum service_category { SERVICE_PRACTICAL_ASSISTANCE, SERVICE_MALL, SERVICE_CATEGORIES };

const char *service_category_name(enum service_category c); /* "practical_assistance" */
bool service_category_by_name(const char *name, enum service_category *out);

enum repeat_scope { REPEAT_PROVIDER, REPEAT_ANY };
enum gmv_window { GMV_PERIOD, GMV_SINCE_BINDING };

const char *repeat_scope_name(enum repeat_scope s); /* "provider" */
const char *gmv_window_name(enum gmv_window w);     /* "period" */

enum {
	POLICY_MONTHS_MAX = 12,
	POLICY_DOCUMENTS_MAX = 50,
	POLICY_WORD_MAX = 64,   /* policy_id, industry, a document's kind: characters */
	POLICY_VERSION_MAX = 32,
	POLICY_REF = POLICY_WORD_MAX + POLICY_VERSION_MAX + 2 /* "id@version" and a NUL */
};

struct admission_policy {
	unsigned service_categories; /* bit 1u << enum service_category: each is needed (2) */
	bool deposit_configured;
	fen deposit_fen; /* 0 when not configured */
	bool documents_configured;
	const char *documents[POLICY_DOCUMENTS_MAX];
	size_t document_count;
	int32_t reapply_cooldown_days;
	int32_t trial_failed_cooldown_days;
	bool deposit_due_configured;
	int32_t deposit_due_days; /* 0 when not configured */
	bool refund_request_configured;
	int32_t refund_request_days; /* 0 when not configured */
};

struct counting_policy {
	int32_t repeat_window_months;
	enum repeat_scope repeat_scope;
	unsigned store_statuses; /* bit 1u << enum store_status */
	bool require_bound_at_evaluation;
	enum gmv_window gmv_window;
};

struct stage_policy {
	int32_t months;
	struct requirement requires;
};

struct policy {
	const char *policy_id; /* strings are borrowed from `source` */
	const char *version;
	char ref[POLICY_REF]; /* "antiques-art@2023-04-26" */
	day effective_from;
	const char *industry;
	bool example; /* invented values: every answer that rests on it says so */
	struct admission_policy admission;
	struct counting_policy counting;
	struct decisions_policy decisions;
	struct stage_policy stages[STAGES];
	json_t *source; /* owned */
};

/* Reads one policy; keeps a reference to `json`. NULL when a fault was added (at pointers below `pointer`, "" for the root)
 * - or, with no fault, when out of memory. The caller frees. */
struct policy *policy_read(json_t *json, const char *pointer, struct faults *faults) __attribute__((warn_unused_result));
void policy_free(struct policy *p); /* NULL is fine */

/* Appends the policy's one canonical form: compact, the contract's member order, every default written out, unset as null.
 * Read again it gives an equal policy, and the same bytes. */
void policy_json(struct buf *out, const struct policy *p);

bool policy_id_valid(const char *text);
bool policy_version_valid(const char *text);
/* True when `text` may be "id@version". */
bool policy_ref_valid(const char *text);

#endif
