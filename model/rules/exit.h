/* What stands in the way of a provider's exit (5), pure: plain facts in, every obstacle out, not the first. */
#ifndef ASSAY_MODEL_RULES_EXIT_H
#define ASSAY_MODEL_RULES_EXIT_H

#include "model/rules/day.h"
#include "model/rules/lifecycle.h"
#include "model/rules/obstacle.h"

#include <stdbool.h>
#include <stddef.h>

struct exit_facts {
	const char *const *open_deductions; /* ids of ledger entries */
	size_t open_deduction_count;
	const char *const *running_refunds; /* ids of refunds that are neither settled nor given up */
	size_t running_refund_count;
	const char *period; /* id of the running or scheduled period; NULL: none, and what follows says nothing */
	enum period_status period_status;
	day period_end;
	day today;
};

bool exit_may(enum provider_status s); /* an exit is possible from here, obstacles aside */

/* Room for all there may be. */
size_t exit_obstacles_max(const struct exit_facts *facts);

/* Writes every obstacle, and answers how many there are: none, and the provider may go. `out` has room for
 * exit_obstacles_max(). */
size_t exit_obstacles(const struct exit_facts *facts, struct obstacle *out);

#endif
