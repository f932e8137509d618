#include "tests/property/naive.h"

#include <string.h>

/* ---- a calendar that counts ---- */

struct date {
	int y, m, d;
};

static int days_in(int y, int m)
{
	switch (m) {
	case 2:
		return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0 ? 29 : 28;
	case 4:
	case 6:
	case 9:
	case 11:
		return 30;
	default:
		return 31;
	}
}

/* Day 7305 is 1990-01-01; from there on a year and a month at a time. Before it (bindings reach back) backwards. */
static struct date date_of(day number)
{
	struct date at = {1990, 1, 1};
	int left = number - 7305;

	while (left < 0) {
		at.y--;
		left += days_in(at.y, 2) == 29 ? 366 : 365;
	}
	for (int year; left >= (year = days_in(at.y, 2) == 29 ? 366 : 365); at.y++)
		left -= year;
	for (; left >= days_in(at.y, at.m); at.m++)
		left -= days_in(at.y, at.m);
	at.d = 1 + left;
	return at;
}

static int compare(struct date a, struct date b)
{
	if (a.y != b.y)
		return a.y < b.y ? -1 : 1;
	if (a.m != b.m)
		return a.m < b.m ? -1 : 1;
	return (a.d > b.d) - (a.d < b.d);
}

static struct date months_before(struct date at, int n)
{
	for (; n > 0; n--) {
		at.m = at.m == 1 ? 12 : at.m - 1;
		at.y -= at.m == 12;
	}
	if (at.d > days_in(at.y, at.m))
		at.d = days_in(at.y, at.m);
	return at;
}

/* Which month of the period a day is in, 0.. */
static int month_of(day start, day on)
{
	struct date a = date_of(start);
	struct date b = date_of(on);

	return (b.y - a.y) * 12 + b.m - a.m;
}

/* ---- the rule ---- */

/* 1. Period end = last day of the n-th month. */
static day period_end_of(day start, int months)
{
	day end = start;

	while (month_of(start, end + 1) < months)
		end++;
	return end;
}

static bool active(const struct binding *b, day d)
{
	return b->bound_on <= d && (b->unbound_on == DAY_NONE || d < b->unbound_on);
}

static bool bound_to_provider(const struct evaluation_store *s, day d)
{
	for (size_t i = 0; i < s->binding_count; i++) {
		if (s->bindings[i].self && active(&s->bindings[i], d))
			return true;
	}
	return false;
}

static bool covered(region approved, region code)
{
	if (approved % 10000 == 0)
		return approved / 10000 == code / 10000;
	if (approved % 100 == 0)
		return approved / 100 == code / 100;
	return approved == code;
}

static bool region_fits(const struct evaluation_input *in, const struct evaluation_store *s)
{
	bool fits = covered(in->provider_region, s->registered_region);

	for (size_t i = 0; i < s->ship_from_count; i++)
		fits = fits || covered(in->provider_region, s->ship_from_regions[i]);
	return fits && !s->unlisted;
}

static bool category_fits(const struct evaluation_input *in, const struct evaluation_store *s)
{
	return !s->unlisted &&
	       (strcmp(s->industry, in->provider_industry) == 0 || strcmp(s->category, in->provider_main_category) == 0);
}

static bool in_period(const struct binding *b, day start, day last)
{
	return b->self && start <= b->bound_on && b->bound_on <= last;
}

/* 4. */
static bool is_new(const struct evaluation_store *s, const struct binding *b, const struct counting_policy *c)
{
	struct date window = months_before(date_of(b->bound_on), c->repeat_window_months);

	for (size_t i = 0; i < s->binding_count; i++) {
		const struct binding *earlier = &s->bindings[i];

		if (!earlier->self && c->repeat_scope != REPEAT_ANY)
			continue;
		if (earlier->bound_on >= b->bound_on)
			continue;
		if (earlier->unbound_on == DAY_NONE || compare(date_of(earlier->unbound_on), window) > 0)
			return false;
	}
	return true;
}

/* 5., in the order of the reasons. */
static const char *why_not(const struct evaluation_input *in, const struct evaluation_store *s, const struct counting_policy *c,
                           day last)
{
	bool began = false;
	bool fresh = false;

	for (size_t i = 0; i < s->binding_count; i++) {
		if (!in_period(&s->bindings[i], in->start, last))
			continue;
		began = true;
		fresh = fresh || is_new(s, &s->bindings[i], c);
	}
	if (!category_fits(in, s))
		return "category_mismatch";
	if (!region_fits(in, s))
		return "region_mismatch";
	if (!began)
		return "not_new_in_period";
	if (!fresh)
		return "repeat_binding";
	if (c->require_bound_at_evaluation && !bound_to_provider(s, last))
		return "not_bound_at_evaluation";
	if (!(c->store_statuses & 1U << s->status))
		return "status_not_normal";
	return "";
}

static const struct day_fact *fact_of(const struct evaluation_store *s, day d)
{
	for (size_t i = 0; i < s->day_count; i++) {
		if (s->days[i].on == d)
			return &s->days[i];
	}
	return NULL;
}

/* 6. Some new binding had begun by that day. */
static bool since_new_binding(const struct evaluation_input *in, const struct evaluation_store *s,
                              const struct counting_policy *c, day last, day d)
{
	for (size_t i = 0; i < s->binding_count; i++) {
		if (in_period(&s->bindings[i], in->start, last) && is_new(s, &s->bindings[i], c) &&
		    s->bindings[i].bound_on <= d)
			return true;
	}
	return false;
}

static naive_sum gmv_of(const struct evaluation_input *in, const struct evaluation_store *s, const struct counting_policy *c,
                        day last)
{
	naive_sum sum = 0;

	for (day d = in->start; d <= last; d++) {
		const struct day_fact *fact = fact_of(s, d);

		if (!fact)
			continue;
		if (c->gmv_window == GMV_PERIOD || (bound_to_provider(s, d) && since_new_binding(in, s, c, last, d)))
			sum += fact->gmv_fen;
	}
	return sum;
}

static naive_sum persons_of(const struct evaluation_input *in, day last)
{
	naive_sum n = 0;

	for (size_t i = 0; i < in->exam_pass_count; i++) {
		bool known = false;

		for (size_t j = 0; j < i; j++)
			known = known || (in->exam_passes[j].passed_on <= last &&
			                  strcmp(in->exam_passes[j].person_id, in->exam_passes[i].person_id) == 0);
		n += in->exam_passes[i].passed_on <= last && !known;
	}
	return n;
}

static bool judge_growth(const struct evaluation_input *in, struct naive_policy *p, size_t at, int months, day last)
{
	naive_sum bps = p->node_gap[at];
	bool met = true;

	for (int k = 1; k < months; k++) {
		struct naive_month *month = &p->node_months[at][k];
		naive_sum before = p->monthly[k - 1];
		bool begun = month_of(in->start, last) >= k;

		month->met = begun && before > 0 && p->monthly[k] * 10000 >= before * (10000 + bps);
		month->needed = -1;
		if (before > 0) {
			/* the smallest count that meets it: from a guess just below */
			month->needed = before + before * bps / 10000 - 1;
			while (month->needed * 10000 < before * (10000 + bps))
				month->needed++;
		}
		p->too_large = p->too_large || month->needed > INT64_MAX;
		met = met && month->met;
	}
	p->node_gap[at] = 0;
	return met;
}

/* 10., from the root down. */
static bool judge(const struct evaluation_input *in, const struct requirement *r, size_t at, struct naive_policy *p, int months,
                  day last)
{
	const struct node *node = &r->nodes[at];
	bool all = true;
	bool any = false;
	naive_sum measured = 0;

	if (node->kind != NODE_CRITERION) {
		for (size_t child = at + 1; child < node->end; child = r->nodes[child].end) {
			bool met = judge(in, r, child, p, months, last);

			all = all && met;
			any = any || met;
		}
		return p->node_met[at] = node->kind == NODE_ALL ? all : any;
	}
	if (node->measure == MEASURE_MONTHLY_ORDER_GROWTH) {
		p->node_gap[at] = node->at_least;
		return p->node_met[at] = judge_growth(in, p, at, months, last);
	}
	if (node->measure == MEASURE_NEW_STORES)
		measured = p->new_stores;
	if (node->measure == MEASURE_NEW_STORE_GMV_FEN)
		measured = p->gmv;
	if (node->measure == MEASURE_FIRST_MONTH_ORDERS)
		measured = p->monthly[0];
	if (node->measure == MEASURE_EXAM_PASSES)
		measured = p->exam_passes;
	p->node_gap[at] = measured >= node->at_least ? 0 : node->at_least - measured;
	return p->node_met[at] = measured >= node->at_least;
}

/* 7. */
static void count_orders(const struct evaluation_input *in, day last, struct naive *out)
{
	for (size_t s = 0; s < in->store_count; s++) {
		for (day d = in->start; d <= last; d++) {
			const struct day_fact *fact = fact_of(&in->stores[s], d);

			if (fact && category_fits(in, &in->stores[s]) && region_fits(in, &in->stores[s]) &&
			    bound_to_provider(&in->stores[s], d))
				out->store_monthly[s][month_of(in->start, d)] += fact->orders;
		}
	}
}

void naive_evaluate(const struct evaluation_input *in, struct naive *out)
{
	int months = in->policies[0]->stages[in->stage].months;

	memset(out, 0, sizeof *out);
	out->end = period_end_of(in->start, months);
	out->evaluated_on = in->as_of < out->end ? in->as_of : out->end;
	out->final = in->as_of >= out->end;
	count_orders(in, out->evaluated_on, out);
	for (size_t i = 0; i < in->policy_count; i++) {
		struct naive_policy *p = &out->policies[i];
		const struct counting_policy *c = &in->policies[i]->counting;

		for (size_t s = 0; s < in->store_count; s++) {
			p->reason[s] = why_not(in, &in->stores[s], c, out->evaluated_on);
			p->store_gmv[s] = p->reason[s][0] ? 0 : gmv_of(in, &in->stores[s], c, out->evaluated_on);
			p->new_stores += !p->reason[s][0];
			p->gmv += p->store_gmv[s];
			for (int k = 0; k < months; k++)
				p->monthly[k] += out->store_monthly[s][k];
		}
		p->exam_passes = persons_of(in, out->evaluated_on);
		p->too_large = p->gmv > INT64_MAX;
		for (int k = 0; k < months; k++)
			p->too_large = p->too_large || p->monthly[k] > INT64_MAX;
		p->met = judge(in, &in->policies[i]->stages[in->stage].requires, 0, p, months, out->evaluated_on);
		out->met = out->met || p->met;
		out->too_large = out->too_large || p->too_large;
	}
}
