/* The deposit's ledger (4.1): the kinds of entry that change a balance, and what each must say. How they move money between the
 * accounts is a check in the database (migrations/0002-ledger.sql). */
#ifndef ASSAY_MODEL_RULES_LEDGER_H
#define ASSAY_MODEL_RULES_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

enum ledger_need {
	LEDGER_FOREIGN, /* belongs to other kinds */
	LEDGER_OPTIONAL,
	LEDGER_REQUIRED
};

/* A kind that callers post; `refund` entries are made by settling a refund. */
struct ledger_kind {
	const char *name;
	enum ledger_need amount, external_reference, reason, reference, reverses;
	bool money_in; /* from outside: hardly anything can stand in its way */
};

#define LEDGER_KINDS_TEXT "payment, top_up, deduction, deduction_reversal"

extern const char *const LEDGER_KIND_WORDS[]; /* every kind that lists show, `refund` too; ended by NULL */

const struct ledger_kind *ledger_kind_by_name(const char *name); /* NULL: callers post no such kind */

#endif
