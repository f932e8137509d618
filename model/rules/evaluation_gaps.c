/* What is still missing, from an evaluation or from an answer that was written before. */
#include "model/rules/evaluation_json.h"

#include <stdio.h>
#include <string.h>

/* Takes `candidate` over `best` when it is the first or has fewer gaps. */
static size_t choose(struct criterion_gap *best, size_t best_count, const struct criterion_gap *candidate, size_t count,
                     bool is_first)
{
	if (!is_first && count >= best_count)
		return best_count;
	memcpy(best, candidate, count * sizeof *best);
	return count;
}

size_t evaluation_gaps(const struct evaluation *e, struct criterion_gap gaps[REQUIREMENT_NODES])
{
	struct criterion_gap candidate[REQUIREMENT_NODES];
	size_t len = 0;

	for (size_t i = 0; i < e->policy_count && !e->met; i++) {
		const struct policy_result *p = &e->policies[i];
		size_t n = requirement_gaps(&p->policy->stages[e->stage].requires, &p->measures, p->nodes, e->start, candidate);

		len = choose(gaps, len, candidate, n, i == 0);
	}
	return len;
}

/* ---- read back ---- */

struct reading {
	struct criterion_gap *gaps;
	size_t len;
};

/* The first month that does not meet the growth. */
static void read_growth(const json_t *months, struct criterion_gap *gap)
{
	for (size_t i = 0; i < json_array_size(months); i++) {
		const json_t *month = json_array_get(months, i);
		const json_t *needed = json_object_get(month, "needed");
		const char *name = json_string_value(json_object_get(month, "month"));
		char first[DAY_TEXT];

		if (json_is_true(json_object_get(month, "met")) || !name)
			continue;
		if (snprintf(first, sizeof first, "%s-01", name) != DAY_TEXT - 1 || !day_parse(first, &gap->month))
			continue;
		gap->gap = json_is_integer(needed)
		                   ? json_integer_value(needed) - json_integer_value(json_object_get(month, "orders"))
		                   : NEEDED_NONE;
		return;
	}
}

static void read_criterion(struct reading *r, const json_t *node, const char *alternative)
{
	const char *measure = json_string_value(json_object_get(node, "measure"));
	const char *clause = json_string_value(json_object_get(node, "clause"));
	struct criterion_gap gap = {.clause = clause, .alternative = alternative, .month = DAY_NONE};

	if (!measure || !clause || !measure_by_name(measure, &gap.measure) || r->len == REQUIREMENT_NODES)
		return;
	if (gap.measure == MEASURE_MONTHLY_ORDER_GROWTH) {
		gap.at_least = json_integer_value(json_object_get(node, "at_least_bps"));
		read_growth(json_object_get(node, "months"), &gap);
	} else {
		gap.at_least = json_integer_value(json_object_get(node, "at_least"));
		gap.gap = json_integer_value(json_object_get(node, "gap"));
	}
	r->gaps[r->len++] = gap;
}

static void read_node(struct reading *r, const json_t *node, const char *alternative, unsigned depth)
{
	const json_t *all = json_object_get(node, "all");
	const json_t *members = all ? all : json_object_get(node, "any");

	if (depth > REQUIREMENT_DEPTH || json_is_true(json_object_get(node, "met")))
		return;
	if (!members) {
		read_criterion(r, node, alternative);
		return;
	}
	for (size_t i = 0; i < json_array_size(members); i++) {
		const json_t *member = json_array_get(members, i);
		const char *name = all ? NULL : json_string_value(json_object_get(member, "name"));

		read_node(r, member, name ? name : alternative, depth + 1);
	}
}

size_t evaluation_gaps_read(const json_t *json, struct criterion_gap gaps[REQUIREMENT_NODES])
{
	const json_t *policies = json_object_get(json, "policies");
	const char *outcome = json_string_value(json_object_get(json, "outcome"));
	struct criterion_gap candidate[REQUIREMENT_NODES];
	size_t len = 0;

	if (!outcome || strcmp(outcome, "not_met") != 0)
		return 0;
	for (size_t i = 0; i < json_array_size(policies); i++) {
		struct reading r = {.gaps = candidate};

		read_node(&r, json_object_get(json_array_get(policies, i), "requirement"), NULL, 1);
		len = choose(gaps, len, candidate, r.len, i == 0);
	}
	return len;
}
