#include "model/rules/counting.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool counter_init(struct counter *c, const struct evaluation_input *in, day evaluated_on, int32_t months)
{
	size_t longest = 1;

	*c = (struct counter){.in = in, .start = in->start, .evaluated_on = evaluated_on, .months = months};
	c->day_count = (uint32_t)(evaluated_on - in->start + 1);
	assert(c->day_count <= PERIOD_DAYS_MAX);
	for (int32_t k = 0; k < months; k++) {
		int32_t from = day_add_months(in->start, k) - in->start;
		int32_t to = day_add_months(in->start, k + 1) - in->start;

		memset(c->month_of + from, k, (size_t)(to - from));
	}
	for (size_t i = 0; i < in->store_count; i++) {
		if (in->stores[i].binding_count > longest)
			longest = in->stores[i].binding_count;
	}
	c->bindings = calloc(longest, sizeof *c->bindings);
	return c->bindings != NULL;
}

void counter_free(struct counter *c)
{
	free(c->bindings);
	c->bindings = NULL;
}

/* ---- matching (3.4) ---- */

bool store_matches_category(const struct evaluation_input *in, const struct evaluation_store *store)
{
	return !store->unlisted && (strcmp(store->industry, in->provider_industry) == 0 ||
	                            strcmp(store->category, in->provider_main_category) == 0);
}

bool store_matches_region(const struct evaluation_input *in, const struct evaluation_store *store)
{
	if (store->unlisted)
		return false;
	if (region_covers(in->provider_region, store->registered_region))
		return true;
	for (size_t i = 0; i < store->ship_from_count; i++) {
		if (region_covers(in->provider_region, store->ship_from_regions[i]))
			return true;
	}
	return false;
}

/* ---- one store's figures ---- */

static int by_bound_on(const void *a, const void *b)
{
	const struct binding *x = a;
	const struct binding *y = b;

	return (x->bound_on > y->bound_on) - (x->bound_on < y->bound_on);
}

static void sort_bindings(struct counter *c, const struct evaluation_store *store)
{
	bool sorted = true;

	c->binding_count = store->binding_count;
	for (size_t i = 0; i < store->binding_count; i++) {
		c->bindings[i] = store->bindings[i];
		sorted = sorted && (i == 0 || c->bindings[i - 1].bound_on <= c->bindings[i].bound_on);
	}
	if (!sorted)
		qsort(c->bindings, c->binding_count, sizeof *c->bindings, by_bound_on);
}

static void mark_bound_days(struct counter *c)
{
	memset(c->bound, 0, c->day_count);
	for (size_t i = 0; i < c->binding_count; i++) {
		const struct binding *b = &c->bindings[i];
		day from = b->bound_on > c->start ? b->bound_on : c->start;
		day to = b->unbound_on <= c->evaluated_on ? b->unbound_on : c->evaluated_on + 1; /* half-open */

		if (b->self && from < to)
			memset(c->bound + (from - c->start), 1, (size_t)(to - from));
	}
}

static bool add(int64_t *sum, int64_t v)
{
	return !__builtin_add_overflow(*sum, v, sum);
}

bool month_may_stand_for_days(const struct binding *bindings, size_t count, day month, day evaluated_on)
{
	day next = day_next_month_start(month);

	if (!day_is_month_start(month) || next > evaluated_on + 1)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct binding *b = &bindings[i];

		if (b->self && ((b->bound_on > month && b->bound_on < next) || (b->unbound_on > month && b->unbound_on < next)))
			return false;
	}
	return true;
}

static enum evaluation_status add_days(struct counter *c, const struct evaluation_store *store, struct store_orders *orders)
{
	for (size_t i = 0; i < store->day_count; i++) {
		const struct day_fact *f = &store->days[i];
		uint32_t at = (uint32_t)f->on - (uint32_t)c->start; /* a day before the start is a large number */

		if (at >= c->day_count)
			continue;
		if (!add(&c->period_gmv, f->gmv_fen) || (c->bound[at] && !add(&orders->monthly[c->month_of[at]], f->orders)))
			return EVALUATION_OUT_OF_RANGE;
	}
	return EVALUATION_OK;
}

/* In the period: months before it do not count, and one that may not stand for its days is refused. */
static enum evaluation_status add_months(struct counter *c, const struct evaluation_store *store, struct store_orders *orders)
{
	for (size_t i = 0; i < store->month_count; i++) {
		const struct month_fact *f = &store->months[i];

		if (f->month < c->start)
			continue;
		if (!month_may_stand_for_days(store->bindings, store->binding_count, f->month, c->evaluated_on))
			return EVALUATION_INVALID;
		uint32_t at = (uint32_t)(f->month - c->start);
		if (!add(&c->period_gmv, f->gmv_fen) || (c->bound[at] && !add(&orders->monthly[c->month_of[at]], f->orders)))
			return EVALUATION_OUT_OF_RANGE;
	}
	return EVALUATION_OK;
}

enum evaluation_status counter_take(struct counter *c, const struct evaluation_store *store, bool matching,
                                    struct store_orders *orders)
{
	sort_bindings(c, store);
	mark_bound_days(c);
	c->period_gmv = 0;
	if (!matching)
		return EVALUATION_OK;
	enum evaluation_status status = add_days(c, store, orders);
	return status == EVALUATION_OK ? add_months(c, store, orders) : status;
}

/* ---- does it count? ---- */

/* The store's own bindings that began in the period: any at all, and the first day of the first new one, or DAY_NONE. */
struct novelty {
	bool began;
	day new_from;
};

/* A binding is new unless an earlier one reached into the months before it (3.2/3.3 repeat). One pass over the bindings by
 * bound_on: `reach` is the furthest end among those that began on an earlier day. */
static struct novelty find_new_binding(const struct counter *c, const struct counting_policy *policy)
{
	struct novelty found = {.began = false, .new_from = DAY_NONE};
	day reach = INT32_MIN;
	day reach_with_same_day = INT32_MIN;

	for (size_t i = 0; i < c->binding_count && found.new_from == DAY_NONE; i++) {
		const struct binding *b = &c->bindings[i];

		if (b->bound_on > c->evaluated_on)
			break;
		if (i > 0 && b->bound_on > c->bindings[i - 1].bound_on)
			reach = reach_with_same_day;
		if (b->self && b->bound_on >= c->start) {
			found.began = true;
			if (reach <= day_add_months(b->bound_on, -policy->repeat_window_months))
				found.new_from = b->bound_on;
		}
		if ((b->self || policy->repeat_scope == REPEAT_ANY) && b->unbound_on > reach_with_same_day)
			reach_with_same_day = b->unbound_on;
	}
	return found;
}

/* The rule's order of reasons; the first that applies is the answer. */
static enum store_reason reason_of(const struct counter *c, const struct evaluation_store *store,
                                   const struct counting_policy *policy, const struct novelty *novelty)
{
	if (!store_matches_category(c->in, store))
		return REASON_CATEGORY_MISMATCH;
	if (!store_matches_region(c->in, store))
		return REASON_REGION_MISMATCH;
	if (!novelty->began)
		return REASON_NOT_NEW_IN_PERIOD;
	if (novelty->new_from == DAY_NONE)
		return REASON_REPEAT_BINDING;
	if (policy->require_bound_at_evaluation && !c->bound[c->day_count - 1])
		return REASON_NOT_BOUND_AT_EVALUATION;
	if (!(policy->store_statuses & 1U << store->status))
		return REASON_STATUS_NOT_NORMAL;
	return REASON_NONE;
}

/* GMV of the days on or after the new binding on which the store was bound. */
static bool gmv_since(const struct counter *c, const struct evaluation_store *store, day new_from, fen *gmv)
{
	bool ok = true;

	for (size_t i = 0; i < store->day_count && ok; i++) {
		const struct day_fact *f = &store->days[i];

		if (f->on >= new_from && f->on <= c->evaluated_on && c->bound[f->on - c->start])
			ok = add(gmv, f->gmv_fen);
	}
	for (size_t i = 0; i < store->month_count && ok; i++) {
		const struct month_fact *f = &store->months[i];

		if (f->month >= new_from && f->month <= c->evaluated_on && c->bound[f->month - c->start])
			ok = add(gmv, f->gmv_fen);
	}
	return ok;
}

enum evaluation_status counter_judge(const struct counter *c, const struct evaluation_store *store,
                                     const struct counting_policy *policy, struct store_verdict *verdict)
{
	struct novelty novelty = find_new_binding(c, policy);

	*verdict = (struct store_verdict){.reason = reason_of(c, store, policy, &novelty)};
	if (verdict->reason != REASON_NONE)
		return EVALUATION_OK;
	if (policy->gmv_window == GMV_PERIOD)
		verdict->gmv_fen = c->period_gmv;
	else if (!gmv_since(c, store, novelty.new_from, &verdict->gmv_fen))
		return EVALUATION_OUT_OF_RANGE;
	return EVALUATION_OK;
}
