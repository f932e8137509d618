/* Everything that decides a period, gathered for many periods at once: a handful of statements a chunk, whatever its size.
 *
 * Whole months come from the roll-up; day facts are read only for the months in which one of the provider's own bindings of
 * the store begins or ends, and for the month that the evaluation day cuts (see month_may_stand_for_days()). What is gathered
 * is ordered by its keys, so that the same facts give the same evidence, byte for byte.
 *
 * Run it inside a REPEATABLE READ transaction: its statements must see one state. */
#ifndef ASSAY_MODEL_STORE_GATHER_H
#define ASSAY_MODEL_STORE_GATHER_H

#include "model/rules/document.h"
#include "model/rules/evaluation.h"
#include "server/db.h"

enum {
	GATHER_PERIODS_MAX = 200,              /* a chunk */
	GATHER_POLICIES_MAX = 16,              /* of one period */
	GATHER_BYTES_MAX = 1024 * 1024 * 1024, /* what one chunk may take; one that needs more fails */
};

struct gather_want {
	const char *period_id;
	day as_of; /* >= the period's start */
	const struct policy *tried; /* judges as well, as the last one; alone where its periods have another length. NULL: none is tried */
	/* The same in a whole chunk: */
	bool every_store; /* those too whose bindings all ended before the period or begin after as_of */
	bool imports;     /* which imports the facts came from is wanted too: for a decision */
	bool by_days;     /* no month's total in place of its days */
};

struct gathered_period {
	const char *period_id;
	const char *provider_id;
	int64_t facts_version;
	day end;                       /* the period's last day as scheduled */
	const char *unreadable;        /* not NULL: `input` cannot be evaluated, and why (for the log) */
	const struct policy *policies[GATHER_POLICIES_MAX + 1]; /* and the one that is tried */
	struct evaluation_input input; /* its policies are those above */
	struct document_origin origin; /* today, the watermark, and, where they were wanted, the imports */
};

struct gathered {
	size_t count;
	struct gathered_period *periods; /* in the order they were wanted; periods that do not exist are left out */
};

/* DB_OK: *out is the caller's to free. Policies are the cache's (model/store/policy_cache.h). */
enum db_status gather(struct db *db, const struct gather_want *wants, size_t count, struct gathered **out)
        __attribute__((warn_unused_result));
void gathered_free(struct gathered *g); /* NULL is fine */

#endif
