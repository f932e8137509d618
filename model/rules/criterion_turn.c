#include "model/rules/criterion_turn.h"

#include <string.h>

enum { MONTH_TEXT = 7 }; /* of "2023-04-01" */

struct search {
	const struct criterion_gap *gap;
	const struct requirement *r;
	const struct node_result *results;
	bool asked;
	bool met;
};

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* `alternative` as in requirement_gaps(): the name of the innermost named branch of an `any`. */
static void look_at(struct search *s, size_t at, const char *alternative)
{
	const struct node *node = &s->r->nodes[at];

	if (node->kind == NODE_CRITERION) {
		if (node->measure == s->gap->measure && same_text(alternative, s->gap->alternative)) {
			s->asked = true;
			s->met = s->met || s->results[at].met;
		}
		return;
	}
	for (size_t child = at + 1; child < node->end; child = s->r->nodes[child].end) {
		const char *name = node->kind == NODE_ANY ? s->r->nodes[child].name : NULL;

		look_at(s, child, name ? name : alternative);
	}
}

bool criterion_turned(const struct criterion_gap *gap, enum stage stage, const struct policy_result *other)
{
	struct search s = {.gap = gap, .r = &other->policy->stages[stage].requires, .results = other->nodes};

	look_at(&s, 0, NULL);
	return s.met || !s.asked;
}

static void write_turned(struct json_writer *w, const struct turns *t, size_t i)
{
	bool any = false;

	for (size_t k = 0; k < t->count; k++)
		any = any || t->turned[k];
	if (t->known)
		jw_kbool(w, "turned", t->turned[i] || !any);
	else
		jw_knull(w, "turned");
}

void turns_write(struct json_writer *w, const struct turns *t)
{
	char month[DAY_TEXT];

	jw_array(w);
	for (size_t i = 0; i < t->count; i++) {
		const struct criterion_gap *gap = &t->gaps[i];

		jw_object(w);
		jw_kstring(w, "measure", measure_name(gap->measure));
		jw_kstring(w, "clause", gap->clause);
		jw_kstring(w, "alternative", gap->alternative);
		jw_kint(w, "at_least", gap->at_least);
		if (gap->gap == NEEDED_NONE)
			jw_knull(w, "gap");
		else
			jw_kint(w, "gap", gap->gap);
		jw_key(w, "month");
		if (gap->month == DAY_NONE)
			jw_null(w);
		else
			jw_string_n(w, day_text(gap->month, month), MONTH_TEXT);
		write_turned(w, t, i);
		jw_object_end(w);
	}
	jw_array_end(w);
}
