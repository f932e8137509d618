/* What follows when a decision is found to be wrong: pure, plain facts in. What the provider becomes is what the right decision would
 * have made of it then, where that can be done; where it cannot, every obstacle is said. */
#ifndef ASSAY_MODEL_RULES_CORRECTION_H
#define ASSAY_MODEL_RULES_CORRECTION_H

#include "model/rules/lifecycle.h"
#include "model/rules/obstacle.h"
#include "model/rules/policy.h"

#include <stdbool.h>
#include <stddef.h>

enum correction_consequence {
	CORRECTION_NONE, /* the same outcome on other measures */
	CORRECTION_RESTORED, /* met after all: certified as of then, and the next period begins */
	CORRECTION_FAILED, /* not met after all: trial failed or revoked as of then, and what came after is cancelled */
	CORRECTION_TRIAL_RESUMED, /* an early conversion that was not met: the trial goes on as if it had been refused */
	CORRECTION_RECORDED, /* the provider's status rests on something later, and stays; the cool-down is what it would have been */
	CORRECTION_CONSEQUENCES
};

const char *correction_consequence_name(enum correction_consequence c); /* "restored" */

struct correction_facts {
	bool was_met, met; /* by the decision; by today's facts */
	enum period_status period_status; /* of its period: passed, failed or converted */
	const char *provider_id;
	enum provider_status status;
	bool own_application; /* the provider's status rests on the application that the period belongs to */
	const char *application; /* the one that it rests on */
	bool exited_since; /* at some time after the decision */
	bool scope_changed; /* region, industry, main category or service categories are not what it was certified for */
	const char *const *later_periods; /* ids: of later applications, that began and were not cancelled */
	size_t later_period_count;
	const char *const *running_refunds; /* ids: neither settled nor given up */
	size_t running_refund_count;
};

enum correction_consequence correction_consequence(const struct correction_facts *f);

/* Room for all there may be. */
size_t correction_obstacles_max(const struct correction_facts *f);
/* Writes what stands in the way of the consequence; answers how many there are. */
size_t correction_obstacles(const struct correction_facts *f, struct obstacle *out);

#endif
