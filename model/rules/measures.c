#include "model/rules/measures.h"

#include <assert.h>

enum { BPS = 10000 };

__extension__ typedef unsigned __int128 wide; /* 2^63 x (10,000 + GROWTH_BPS_MAX) fits */

bool growth_needed(int64_t before, int64_t bps, int64_t *needed)
{
	assert(before >= 0 && bps >= 0 && bps <= GROWTH_BPS_MAX);
	wide least = ((wide)before * (wide)(BPS + bps) + (BPS - 1)) / BPS;

	if (least > (wide)INT64_MAX)
		return false;
	*needed = before > 0 ? (int64_t)least : NEEDED_NONE;
	return true;
}

bool growth_met(int64_t before, int64_t now, int64_t bps)
{
	assert(before >= 0 && now >= 0 && bps >= 0 && bps <= GROWTH_BPS_MAX);
	return before > 0 && (wide)now * BPS >= (wide)before * (wide)(BPS + bps);
}

bool growth_of_month(const struct measures *m, int32_t k, int64_t bps, struct growth_month *out)
{
	assert(k >= 1 && k < m->months);
	int64_t before = m->monthly_orders[k - 1];

	out->orders = m->monthly_orders[k];
	out->met = k < m->months_reached && growth_met(before, out->orders, bps);
	return growth_needed(before, bps, &out->needed);
}

/* Every month after the first meets the growth (3.4); of a period of one month there is none to fail. */
static bool judge_growth(const struct measures *m, int64_t bps, bool *met)
{
	*met = true;
	for (int32_t k = 1; k < m->months; k++) {
		struct growth_month month;

		if (!growth_of_month(m, k, bps, &month))
			return false;
		*met = *met && month.met;
	}
	return true;
}

static int64_t measured(const struct measures *m, enum measure which)
{
	switch (which) {
	case MEASURE_NEW_STORES:
		return m->new_stores;
	case MEASURE_NEW_STORE_GMV_FEN:
		return m->new_store_gmv_fen;
	case MEASURE_FIRST_MONTH_ORDERS:
		return m->monthly_orders[0];
	case MEASURE_EXAM_PASSES:
		return m->exam_passes;
	case MEASURE_MONTHLY_ORDER_GROWTH:
	case MEASURES:
		break;
	}
	assert(false); /* growth has no one figure */
	return 0;
}

static bool judge_criterion(const struct node *node, const struct measures *m, struct node_result *result)
{
	if (node->measure == MEASURE_MONTHLY_ORDER_GROWTH)
		return judge_growth(m, node->at_least, &result->met);
	result->measured = measured(m, node->measure);
	result->gap = result->measured < node->at_least ? node->at_least - result->measured : 0;
	result->met = result->gap == 0;
	return true;
}

static bool judge_group(const struct requirement *r, size_t at, const struct node_result *results)
{
	bool all = r->nodes[at].kind == NODE_ALL;

	for (size_t child = at + 1; child < r->nodes[at].end; child = r->nodes[child].end) {
		if (results[child].met != all)
			return !all;
	}
	return all;
}

bool requirement_judge(const struct requirement *r, const struct measures *m, struct node_result *results)
{
	/* in preorder a node stands before its members: judged from the end, they are there when the group asks */
	for (size_t at = r->len; at-- > 0;) {
		results[at] = (struct node_result){0};
		if (r->nodes[at].kind != NODE_CRITERION)
			results[at].met = judge_group(r, at, results);
		else if (!judge_criterion(&r->nodes[at], m, &results[at]))
			return false;
	}
	return true;
}

/* ---- gaps ---- */

struct gathering {
	const struct requirement *r;
	const struct measures *m;
	const struct node_result *results;
	day start;
	struct criterion_gap *gaps;
	size_t len;
};

static void growth_gap(const struct gathering *g, int64_t bps, struct criterion_gap *gap)
{
	struct growth_month month;

	for (int32_t k = 1; k < g->m->months; k++) {
		bool counted = growth_of_month(g->m, k, bps, &month);

		assert(counted); /* it was judged before */
		(void)counted;
		if (month.met)
			continue;
		gap->month = day_add_months(g->start, k);
		gap->gap = month.needed == NEEDED_NONE ? NEEDED_NONE : month.needed - month.orders;
		return;
	}
}

static void gather(struct gathering *g, size_t at, const char *alternative)
{
	const struct node *node = &g->r->nodes[at];

	if (g->results[at].met)
		return;
	if (node->kind == NODE_CRITERION) {
		struct criterion_gap *gap = &g->gaps[g->len++];

		*gap = (struct criterion_gap){node->measure,  node->clause,       alternative,
		                              node->at_least, g->results[at].gap, DAY_NONE};
		if (node->measure == MEASURE_MONTHLY_ORDER_GROWTH)
			growth_gap(g, node->at_least, gap);
		return;
	}
	for (size_t child = at + 1; child < node->end; child = g->r->nodes[child].end) {
		const char *name = node->kind == NODE_ANY ? g->r->nodes[child].name : NULL;

		gather(g, child, name ? name : alternative);
	}
}

size_t requirement_gaps(const struct requirement *r, const struct measures *m, const struct node_result *results, day start,
                        struct criterion_gap *gaps)
{
	struct gathering g = {.r = r, .m = m, .results = results, .start = start, .gaps = gaps};

	gather(&g, 0, NULL);
	return g.len;
}
