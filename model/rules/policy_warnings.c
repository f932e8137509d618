#include "model/rules/policy_warnings.h"

#include "base/json_read.h"

#include <inttypes.h>
#include <stdio.h>

enum { POINTER_MAX = 512 };

static void warn_of_months(const struct policy *p, const struct policy *before, enum stage s, struct faults *warnings)
{
	char at[POINTER_MAX];
	char mine[16];
	char theirs[16];

	if (!before || before->stages[s].months == p->stages[s].months)
		return;
	(void)snprintf(at, sizeof at, "/%s/months", stage_name(s));
	(void)snprintf(mine, sizeof mine, "%" PRId32, p->stages[s].months);
	(void)snprintf(theirs, sizeof theirs, "%" PRId32, before->stages[s].months);
	faults_add(warnings, at, CODE_LENGTH_CHANGES, mine, theirs, NULL);
}

/* The criteria below nodes[at], which is at `pointer`. */
static void warn_of_nodes(const struct requirement *r, size_t at, const char *pointer, struct faults *warnings)
{
	const struct node *node = &r->nodes[at];
	char list[POINTER_MAX];
	char next[POINTER_MAX];
	size_t index = 0;

	if (node->kind == NODE_CRITERION) {
		if (node->at_least == 0 && node->measure != MEASURE_MONTHLY_ORDER_GROWTH) /* no growth is still no decline */
			faults_add(warnings, json_pointer(list, sizeof list, pointer, "at_least"), CODE_THRESHOLD_ALWAYS_MET,
			           NULL);
		return;
	}
	(void)json_pointer(list, sizeof list, pointer, node->kind == NODE_ALL ? "all" : "any");
	for (size_t child = at + 1; child < node->end; child = r->nodes[child].end)
		warn_of_nodes(r, child, json_pointer_at(next, sizeof next, list, index++), warnings);
}

void policy_warnings(const struct policy *p, const struct policy *before, day today, struct faults *warnings)
{
	char text[DAY_TEXT];
	char at[POINTER_MAX];

	if (p->effective_from < today)
		faults_add(warnings, "/effective_from", CODE_EFFECTIVE_IN_PAST, day_text(today, text), NULL);
	if (p->example)
		faults_add(warnings, "/example", CODE_EXAMPLE_POLICY, NULL);
	if (!p->admission.deposit_configured)
		faults_add(warnings, "/admission/deposit_fen", CODE_DEPOSIT_UNSET, NULL);
	if (!p->admission.documents_configured)
		faults_add(warnings, "/admission/documents", CODE_DOCUMENTS_UNSET, NULL);
	for (int s = 0; s < STAGES; s++) {
		warn_of_months(p, before, (enum stage)s, warnings);
		(void)snprintf(at, sizeof at, "/%s/requires", stage_name((enum stage)s));
		warn_of_nodes(&p->stages[s].requires, 0, at, warnings);
	}
}
