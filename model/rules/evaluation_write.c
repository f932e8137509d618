/* An evaluation as the contract's answer, and its input as evidence. */
#include "model/rules/evaluation_json.h"

#include <assert.h>

enum { MONTH_TEXT = 7 }; /* of "2023-04-01" */

static void write_day(struct json_writer *w, const char *key, day d)
{
	char text[DAY_TEXT];

	if (d == DAY_NONE)
		jw_knull(w, key);
	else
		jw_kstring(w, key, day_text(d, text));
}

static void write_month(struct json_writer *w, const char *key, day d)
{
	char text[DAY_TEXT];

	jw_key(w, key);
	jw_string_n(w, day_text(d, text), MONTH_TEXT);
}

static void write_outcome(struct json_writer *w, bool met)
{
	jw_kstring(w, "outcome", met ? "met" : "not_met");
}

static void write_monthly(struct json_writer *w, const int64_t *orders, int32_t months)
{
	jw_key(w, "monthly_orders");
	jw_array(w);
	for (int32_t k = 0; k < months; k++)
		jw_int(w, orders[k]);
	jw_array_end(w);
}

/* ---- the answer ---- */

struct answer {
	struct json_writer *w;
	const struct evaluation *e;
	const struct policy_result *result;
	const struct requirement *requires;
};

static void write_growth(const struct answer *a, const struct node *node, const struct node_result *result)
{
	jw_kint(a->w, "at_least_bps", node->at_least);
	jw_kbool(a->w, "met", result->met);
	jw_key(a->w, "months");
	jw_array(a->w);
	for (int32_t k = 1; k < a->e->months; k++) {
		struct growth_month month;
		bool counted = growth_of_month(&a->result->measures, k, node->at_least, &month);

		assert(counted); /* it was judged before */
		(void)counted;
		jw_object(a->w);
		write_month(a->w, "month", day_add_months(a->e->start, k));
		jw_kint(a->w, "orders", month.orders);
		if (month.needed == NEEDED_NONE)
			jw_knull(a->w, "needed");
		else
			jw_kint(a->w, "needed", month.needed);
		jw_kbool(a->w, "met", month.met);
		jw_object_end(a->w);
	}
	jw_array_end(a->w);
}

static void write_criterion(const struct answer *a, const struct node *node, const struct node_result *result)
{
	jw_kstring(a->w, "measure", measure_name(node->measure));
	jw_kstring(a->w, "clause", node->clause);
	if (node->measure == MEASURE_MONTHLY_ORDER_GROWTH) {
		write_growth(a, node, result);
		return;
	}
	jw_kint(a->w, "at_least", node->at_least);
	jw_kint(a->w, "measured", result->measured);
	jw_kint(a->w, "gap", result->gap);
	jw_kbool(a->w, "met", result->met);
}

static void write_node(const struct answer *a, size_t at)
{
	const struct node *node = &a->requires->nodes[at];
	const struct node_result *result = &a->result->nodes[at];

	jw_object(a->w);
	if (node->name)
		jw_kstring(a->w, "name", node->name);
	if (node->kind == NODE_CRITERION) {
		write_criterion(a, node, result);
	} else {
		jw_key(a->w, node->kind == NODE_ALL ? "all" : "any");
		jw_array(a->w);
		for (size_t child = at + 1; child < node->end; child = a->requires->nodes[child].end)
			write_node(a, child);
		jw_array_end(a->w);
		jw_kbool(a->w, "met", result->met);
	}
	jw_object_end(a->w);
}

static void write_measures(const struct answer *a)
{
	const struct measures *m = &a->result->measures;

	jw_key(a->w, "measures");
	jw_object(a->w);
	jw_kint(a->w, "new_stores", m->new_stores);
	jw_kint(a->w, "new_store_gmv_fen", m->new_store_gmv_fen);
	write_monthly(a->w, m->monthly_orders, m->months);
	jw_kint(a->w, "exam_passes", m->exam_passes);
	jw_object_end(a->w);
}

static void write_verdicts(const struct answer *a, const struct evaluation_input *in)
{
	jw_key(a->w, "stores");
	jw_array(a->w);
	for (size_t i = 0; i < a->e->store_count; i++) {
		const struct store_verdict *verdict = &a->result->stores[i];

		jw_object(a->w);
		jw_kstring(a->w, "store_id", in->stores[i].store_id);
		jw_kbool(a->w, "counted", verdict->reason == REASON_NONE);
		jw_kstring(a->w, "reason", store_reason_name(verdict->reason));
		jw_kint(a->w, "gmv_fen", verdict->gmv_fen);
		write_monthly(a->w, a->e->orders[i].monthly, a->e->months);
		jw_object_end(a->w);
	}
	jw_array_end(a->w);
}

static void write_result(const struct answer *a, const struct evaluation_input *in, enum evaluation_form form)
{
	jw_object(a->w);
	jw_kstring(a->w, "policy", a->result->policy->ref);
	if (a->result->policy->example)
		jw_kbool(a->w, "example", true);
	write_outcome(a->w, a->result->met);
	write_measures(a);
	jw_key(a->w, "requirement");
	write_node(a, 0);
	if (form == EVALUATION_WHOLE)
		write_verdicts(a, in);
	jw_object_end(a->w);
}

void evaluation_members(struct json_writer *w, const struct evaluation_input *in, const struct evaluation *e,
                        enum evaluation_form form)
{
	write_outcome(w, e->met);
	jw_kbool(w, "final", e->final);
	jw_kstring(w, "stage", stage_name(e->stage));
	jw_key(w, "period");
	jw_object(w);
	write_day(w, "start", e->start);
	write_day(w, "end", e->end);
	jw_object_end(w);
	write_day(w, "as_of", e->as_of);
	write_day(w, "evaluated_on", e->evaluated_on);
	jw_key(w, "policies");
	jw_array(w);
	for (size_t i = 0; i < e->policy_count; i++) {
		const struct policy_result *result = &e->policies[i];

		write_result(&(struct answer){w, e, result, &result->policy->stages[e->stage].requires}, in, form);
	}
	jw_array_end(w);
}

void evaluation_json(struct buf *out, const struct evaluation_input *in, const struct evaluation *e, enum evaluation_form form)
{
	struct json_writer w = json_writer_on(out);

	jw_object(&w);
	evaluation_members(&w, in, e, form);
	jw_object_end(&w);
}

/* ---- evidence ---- */

static void write_figures(struct json_writer *w, int64_t orders, fen gmv_fen)
{
	jw_kint(w, "orders", orders);
	jw_kint(w, "gmv_fen", gmv_fen);
	jw_object_end(w);
}

static void write_attributes(struct json_writer *w, const struct evaluation_store *s)
{
	char code[REGION_TEXT];

	jw_kstring(w, "registered_region", region_text(s->registered_region, code));
	jw_key(w, "ship_from_regions");
	jw_array(w);
	for (size_t i = 0; i < s->ship_from_count; i++)
		jw_string(w, region_text(s->ship_from_regions[i], code));
	jw_array_end(w);
	jw_kstring(w, "industry", s->industry);
	jw_kstring(w, "category", s->category);
	jw_kstring(w, "status", store_status_name(s->status));
}

static void write_bindings(struct json_writer *w, const struct evaluation_store *s)
{
	jw_key(w, "bindings");
	jw_array(w);
	for (size_t i = 0; i < s->binding_count; i++) {
		jw_object(w);
		jw_kstring(w, "by", s->bindings[i].self ? "self" : "other");
		write_day(w, "bound_on", s->bindings[i].bound_on);
		write_day(w, "unbound_on", s->bindings[i].unbound_on);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_facts(struct json_writer *w, const struct evaluation_store *s)
{
	jw_key(w, "days");
	jw_array(w);
	for (size_t i = 0; i < s->day_count; i++) {
		jw_object(w);
		write_day(w, "day", s->days[i].on);
		write_figures(w, s->days[i].orders, s->days[i].gmv_fen);
	}
	jw_array_end(w);
	if (s->month_count == 0)
		return;
	jw_key(w, "months");
	jw_array(w);
	for (size_t i = 0; i < s->month_count; i++) {
		jw_object(w);
		write_month(w, "month", s->months[i].month);
		write_figures(w, s->months[i].orders, s->months[i].gmv_fen);
	}
	jw_array_end(w);
}

static void write_store(struct json_writer *w, const struct evaluation_store *s)
{
	jw_object(w);
	jw_kstring(w, "store_id", s->store_id);
	if (s->unlisted)
		jw_kbool(w, "unlisted", true);
	else
		write_attributes(w, s);
	write_bindings(w, s);
	write_facts(w, s);
	jw_object_end(w);
}

static void write_provider(struct json_writer *w, const struct evaluation_input *in)
{
	char code[REGION_TEXT];

	jw_key(w, "provider");
	jw_object(w);
	jw_kstring(w, "region", region_text(in->provider_region, code));
	jw_kstring(w, "industry", in->provider_industry);
	jw_kstring(w, "main_category", in->provider_main_category);
	jw_object_end(w);
}

static void write_exam_passes(struct json_writer *w, const struct evaluation_input *in)
{
	jw_key(w, "exam_passes");
	jw_array(w);
	for (size_t i = 0; i < in->exam_pass_count; i++) {
		jw_object(w);
		jw_kstring(w, "person_id", in->exam_passes[i].person_id);
		write_day(w, "passed_on", in->exam_passes[i].passed_on);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_policies(struct json_writer *w, const struct evaluation_input *in)
{
	jw_key(w, "policies");
	jw_array(w);
	for (size_t i = 0; i < in->policy_count; i++) {
		jw_raw(w, "", 0); /* the comma, if any: the policy writes itself */
		policy_json(w->out, in->policies[i]);
	}
	jw_array_end(w);
}

void evidence_json(struct buf *out, const struct evaluation_input *in)
{
	struct json_writer w = json_writer_on(out);

	jw_object(&w);
	write_policies(&w, in);
	jw_kstring(&w, "stage", stage_name(in->stage));
	write_day(&w, "period_start", in->start);
	write_day(&w, "as_of", in->as_of);
	write_provider(&w, in);
	write_exam_passes(&w, in);
	jw_key(&w, "stores");
	jw_array(&w);
	for (size_t i = 0; i < in->store_count; i++)
		write_store(&w, &in->stores[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}
