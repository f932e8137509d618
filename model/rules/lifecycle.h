/* The life of a provider: its statuses and the one table of moves between them; and the statuses of a period.
 * The database enforces the same table (lifecycle_transition); a test holds the two against each other. */
#ifndef ASSAY_MODEL_RULES_LIFECYCLE_H
#define ASSAY_MODEL_RULES_LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>

enum provider_status {
	PROVIDER_REGISTERED,
	PROVIDER_APPLIED,
	PROVIDER_REJECTED,
	PROVIDER_WITHDRAWN,
	PROVIDER_ADMITTED,
	PROVIDER_TRIAL,
	PROVIDER_TRIAL_FAILED,
	PROVIDER_CERTIFIED,
	PROVIDER_REVOKED,
	PROVIDER_EXITED,
	PROVIDER_STATUSES
};

const char *provider_status_name(enum provider_status s); /* "trial_failed" */
bool provider_status_by_name(const char *name, enum provider_status *out);

struct transition {
	enum provider_status from, to;
	const char *clause; /* the rule's clause the move rests on */
};

extern const struct transition lifecycle_transitions[];
extern const size_t lifecycle_transition_count;

/* Moves that nothing makes but the correction of a decision, to what the right one would have made of the provider. The database
 * takes them only in the transaction that writes a superseding decision (lifecycle_correction). */
extern const struct transition lifecycle_corrections[];
extern const size_t lifecycle_correction_count;

bool lifecycle_allows(enum provider_status from, enum provider_status to);
bool lifecycle_corrects(enum provider_status from, enum provider_status to);
bool lifecycle_may_apply(enum provider_status s); /* a new application may start from here (cool-down aside) */

enum period_status {
	PERIOD_SCHEDULED, /* begins on a later day */
	PERIOD_OPEN,
	PERIOD_AWAITING_DATA, /* ended; the watermark has not reached its end */
	PERIOD_PASSED,
	PERIOD_FAILED,
	PERIOD_CONVERTED, /* a trial that ended early (3.2) */
	PERIOD_CANCELLED, /* the provider exited while it ran (5), or a correction took it away */
	PERIOD_STATUSES
};

const char *period_status_name(enum period_status s);
bool period_status_by_name(const char *name, enum period_status *out);

#endif
