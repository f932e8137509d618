/* One value of a policy, as policy_compare.c handles it: to compare, to write as JSON, and to say in a sentence. */
#ifndef ASSAY_MODEL_RULES_POLICY_VALUE_H
#define ASSAY_MODEL_RULES_POLICY_VALUE_H

#include "base/faults.h"
#include "base/json_write.h"
#include "model/rules/policy.h"

enum value_kind {
	VALUE_UNSET, /* null: not told yet */
	VALUE_INT,
	VALUE_MONEY, /* fen */
	VALUE_BPS, /* hundredths of a percent */
	VALUE_BOOL,
	VALUE_TEXT,
	VALUE_LIST
};

struct value {
	enum value_kind kind;
	int64_t number;
	const char *text; /* borrowed, as are the list's */
	const char *list[POLICY_DOCUMENTS_MAX];
	size_t count;
};

struct value value_number(enum value_kind kind, int64_t n);
struct value value_optional(bool configured, enum value_kind kind, int64_t n);
struct value value_text(const char *text);
struct value value_bits(unsigned bits, const char *(*name)(int), int n); /* the names of the bits 1u << 0..n-1 */
struct value value_documents(const struct admission_policy *a);

bool value_same(const struct value *a, const struct value *b);
void value_write(struct json_writer *w, const char *key, const struct value *v);
/* For people: "20,000.00 CNY", "10.00 %", "not set". The caller frees. */
struct buf value_said(const struct value *v, enum lang lang);

/* A text of the catalogue with up to two arguments (NULL: none). The caller frees. */
struct buf said(enum lang lang, enum code code, const char *a, const char *b);
const char *said_text(const struct buf *b); /* never NULL */

#endif
