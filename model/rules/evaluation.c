#include "model/rules/evaluation.h"

#include "model/rules/counting.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *store_reason_name(enum store_reason r)
{
	static const char *const names[STORE_REASONS] = {
	        [REASON_NONE] = NULL,
	        [REASON_CATEGORY_MISMATCH] = "category_mismatch",
	        [REASON_REGION_MISMATCH] = "region_mismatch",
	        [REASON_NOT_NEW_IN_PERIOD] = "not_new_in_period",
	        [REASON_REPEAT_BINDING] = "repeat_binding",
	        [REASON_NOT_BOUND_AT_EVALUATION] = "not_bound_at_evaluation",
	        [REASON_STATUS_NOT_NORMAL] = "status_not_normal",
	};
	return names[r];
}

day period_end(day start, int32_t months)
{
	return day_add_months(start, months) - 1;
}

static bool is_valid(const struct evaluation_input *in)
{
	if (in->policy_count == 0 || !day_is_month_start(in->start) || in->as_of < in->start)
		return false;
	for (size_t i = 1; i < in->policy_count; i++) {
		if (in->policies[i]->stages[in->stage].months != in->policies[0]->stages[in->stage].months)
			return false;
	}
	return true;
}

/* ---- memory: all of the output is allocated here ---- */

/* Of n items, also for n = 0. */
static void *array_of(size_t n, size_t size)
{
	return calloc(n ? n : 1, size);
}

static bool allocate(const struct evaluation_input *in, struct evaluation *out)
{
	assert(in->policy_count > 0); /* is_valid() */
	out->orders = array_of(in->store_count, sizeof *out->orders);
	out->policies = array_of(in->policy_count, sizeof *out->policies);
	if (!out->orders || !out->policies)
		return false;
	out->store_count = in->store_count;
	for (size_t i = 0; i < in->policy_count; i++) {
		out->policies[i].policy = in->policies[i];
		out->policies[i].stores = array_of(in->store_count, sizeof *out->policies[i].stores);
		out->policy_count = i + 1;
		if (!out->policies[i].stores)
			return false;
	}
	return true;
}

void evaluation_free(struct evaluation *e)
{
	for (size_t i = 0; i < e->policy_count; i++)
		free(e->policies[i].stores);
	free(e->policies);
	free(e->orders);
	*e = (struct evaluation){0};
}

/* ---- exam passes ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Distinct persons with a pass on a day <= evaluated_on. False: out of memory. */
static bool count_persons(const struct evaluation_input *in, day evaluated_on, int64_t *count)
{
	const char **persons = array_of(in->exam_pass_count, sizeof *persons);
	size_t n = 0;

	if (!persons)
		return false;
	for (size_t i = 0; i < in->exam_pass_count; i++) {
		if (in->exam_passes[i].passed_on <= evaluated_on)
			persons[n++] = in->exam_passes[i].person_id;
	}
	qsort(persons, n, sizeof *persons, by_text);
	*count = 0;
	for (size_t i = 0; i < n; i++)
		*count += i == 0 || strcmp(persons[i - 1], persons[i]) != 0;
	free(persons);
	return true;
}

/* ---- stores ---- */

static bool add(int64_t *sum, int64_t v)
{
	return !__builtin_add_overflow(*sum, v, sum);
}

static bool add_orders(struct measures *m, const struct store_orders *orders)
{
	for (int32_t k = 0; k < m->months; k++) {
		if (!add(&m->monthly_orders[k], orders->monthly[k]))
			return false;
	}
	return true;
}

static enum evaluation_status take_store(struct counter *c, size_t index, struct evaluation *out)
{
	const struct evaluation_store *store = &c->in->stores[index];
	struct store_orders *orders = &out->orders[index];
	bool matching = store_matches_category(c->in, store) && store_matches_region(c->in, store);
	enum evaluation_status status = counter_take(c, store, matching, orders);

	for (size_t p = 0; p < out->policy_count && status == EVALUATION_OK; p++) {
		struct policy_result *result = &out->policies[p];
		struct store_verdict *verdict = &result->stores[index];

		status = counter_judge(c, store, &result->policy->counting, verdict);
		if (status != EVALUATION_OK)
			break;
		result->measures.new_stores += verdict->reason == REASON_NONE;
		if (!add(&result->measures.new_store_gmv_fen, verdict->gmv_fen) || !add_orders(&result->measures, orders))
			status = EVALUATION_OUT_OF_RANGE;
	}
	return status;
}

static enum evaluation_status take_stores(const struct evaluation_input *in, struct evaluation *out)
{
	struct counter c;
	enum evaluation_status status = EVALUATION_OK;

	if (!counter_init(&c, in, out->evaluated_on, out->months))
		return EVALUATION_NO_MEMORY;
	for (size_t i = 0; i < in->store_count && status == EVALUATION_OK; i++)
		status = take_store(&c, i, out);
	counter_free(&c);
	return status;
}

/* ---- the whole ---- */

static int32_t months_reached(day start, day evaluated_on, int32_t months)
{
	int32_t reached = 1;

	while (reached < months && day_add_months(start, reached) <= evaluated_on)
		reached++;
	return reached;
}

static enum evaluation_status judge(const struct evaluation_input *in, struct evaluation *out)
{
	int64_t persons;

	if (!count_persons(in, out->evaluated_on, &persons))
		return EVALUATION_NO_MEMORY;
	for (size_t p = 0; p < out->policy_count; p++) {
		struct policy_result *result = &out->policies[p];

		result->measures.exam_passes = persons;
		if (!requirement_judge(&result->policy->stages[in->stage].requires, &result->measures, result->nodes))
			return EVALUATION_OUT_OF_RANGE;
		result->met = result->nodes[0].met;
		out->met = out->met || result->met;
	}
	return EVALUATION_OK;
}

enum evaluation_status evaluate(const struct evaluation_input *in, struct evaluation *out)
{
	enum evaluation_status status = EVALUATION_NO_MEMORY;

	*out = (struct evaluation){0};
	if (!is_valid(in))
		return EVALUATION_INVALID;
	out->stage = in->stage;
	out->months = in->policies[0]->stages[in->stage].months;
	out->start = in->start;
	out->end = period_end(in->start, out->months);
	out->as_of = in->as_of;
	out->final = in->as_of >= out->end;
	out->evaluated_on = out->final ? out->end : in->as_of;
	if (allocate(in, out)) {
		for (size_t p = 0; p < out->policy_count; p++) {
			out->policies[p].measures.months = out->months;
			out->policies[p].measures.months_reached = months_reached(out->start, out->evaluated_on, out->months);
		}
		status = take_stores(in, out);
	}
	if (status == EVALUATION_OK)
		status = judge(in, out);
	if (status != EVALUATION_OK)
		evaluation_free(out);
	return status;
}
