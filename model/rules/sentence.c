#include "model/rules/sentence.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { LANGS = 2, MONTH_TEXT = 7 /* of "2023-04-01" */ };

static const char *month_text(day month, char out[DAY_TEXT])
{
	(void)day_text(month, out);
	out[MONTH_TEXT] = '\0';
	return out;
}

/* ---- the whole ---- */

void sentence_of_evaluation(struct buf *out, const struct evaluation *e, enum lang lang)
{
	static const char *const stages[STAGES][LANGS] = {
	        [STAGE_TRIAL] = {"Trial", "试跑"}, [STAGE_REGULAR] = {"Regular period", "常规考核期"}};
	static const char *const outcomes[2][2][LANGS] = {
	        {{": not met so far.", "评估:目前未达标。"}, {": met so far.", "评估:目前已达标。"}},
	        {{": not met.", "评估:未达标。"}, {": met.", "评估:已达标。"}}};
	char start[DAY_TEXT];
	char end[DAY_TEXT];
	char on[DAY_TEXT];

	buf_printf(out, lang == LANG_ZH ? "%s(%s 至 %s),截至 %s 按规则 " : "%s from %s to %s, judged as of %s under ",
	           stages[e->stage][lang], day_text(e->start, start), day_text(e->end, end), day_text(e->evaluated_on, on));
	for (size_t i = 0; i < e->policy_count; i++) {
		buf_puts(out, i == 0 ? "" : lang == LANG_ZH ? "、" : ", ");
		buf_puts(out, e->policies[i].policy->ref);
	}
	buf_puts(out, lang == LANG_ZH ? " " : "");
	buf_puts(out, outcomes[e->final][e->met][lang]);
}

/* ---- a criterion with one figure ---- */

/* A figure with its unit. */
static void put_figure(struct buf *out, enum measure measure, int64_t v, enum lang lang)
{
	static const char *const units[MEASURES][LANGS] = {[MEASURE_NEW_STORES] = {"", " 家"},
	                                                   [MEASURE_NEW_STORE_GMV_FEN] = {" CNY", " 元"},
	                                                   [MEASURE_FIRST_MONTH_ORDERS] = {"", " 单"},
	                                                   [MEASURE_MONTHLY_ORDER_GROWTH] = {"", " 单"},
	                                                   [MEASURE_EXAM_PASSES] = {"", " 人"}};
	char text[FEN_TEXT];

	if (measure == MEASURE_NEW_STORE_GMV_FEN)
		buf_puts(out, fen_text(v, text));
	else
		buf_int(out, v);
	buf_puts(out, units[measure][lang]);
}

static void put_subject(struct buf *out, enum measure measure, day start, enum lang lang)
{
	static const char *const subjects[MEASURES][LANGS] = {
	        [MEASURE_NEW_STORES] = {"New stores", "新增店铺"},
	        [MEASURE_NEW_STORE_GMV_FEN] = {"GMV of the new stores", "新增店铺 GMV"},
	        [MEASURE_FIRST_MONTH_ORDERS] = {"Orders in the first month", "首月订单"},
	        [MEASURE_MONTHLY_ORDER_GROWTH] = {"Orders month by month", "逐月订单"},
	        [MEASURE_EXAM_PASSES] = {"People who passed the exam", "通过考试人数"}};
	char month[DAY_TEXT];

	buf_puts(out, subjects[measure][lang]);
	if (measure == MEASURE_FIRST_MONTH_ORDERS)
		buf_printf(out, lang == LANG_ZH ? "(%s)" : " (%s)", month_text(start, month));
}

static void put_met(struct buf *out, enum lang lang)
{
	buf_puts(out, lang == LANG_ZH ? ":已达标。" : ": met.");
}

static void put_missing(struct buf *out, enum measure measure, int64_t gap, enum lang lang)
{
	buf_puts(out, lang == LANG_ZH ? ":未达标,还差 " : ": not met, ");
	put_figure(out, measure, gap, lang);
	buf_puts(out, lang == LANG_ZH ? "。" : " missing.");
}

static void put_plain(struct buf *out, const struct node *node, const struct node_result *result, day start, enum lang lang)
{
	put_subject(out, node->measure, start, lang);
	buf_puts(out, lang == LANG_ZH ? ":" : ": ");
	put_figure(out, node->measure, result->measured, lang);
	buf_printf(out, lang == LANG_ZH ? ";条款 %s 要求至少 " : "; clause %s asks for at least ", node->clause);
	put_figure(out, node->measure, node->at_least, lang);
	if (result->met)
		put_met(out, lang);
	else
		put_missing(out, node->measure, result->gap, lang);
}

/* ---- growth ---- */

/* 1,250 basis points are "12.5". */
static void put_percent(struct buf *out, int64_t bps)
{
	buf_int(out, bps / 100);
	if (bps % 100 == 0)
		return;
	buf_printf(out, bps % 10 ? ".%02" PRId64 : ".%" PRId64, bps % 10 ? bps % 100 : bps % 100 / 10);
}

struct growth {
	const struct measures *m;
	day start;
	int64_t bps;
};

static struct growth_month growth_at(const struct growth *g, int32_t k)
{
	struct growth_month month;
	bool counted = growth_of_month(g->m, k, g->bps, &month);

	assert(counted); /* it was judged before */
	(void)counted;
	return month;
}

static void put_growth_month(struct buf *out, const struct growth *g, int32_t k, enum lang lang)
{
	struct growth_month month = growth_at(g, k);
	char name[DAY_TEXT];

	(void)month_text(day_add_months(g->start, k), name);
	if (k >= g->m->months_reached)
		buf_printf(out, lang == LANG_ZH ? "%s 尚未开始" : "%s has not begun", name);
	else if (month.needed == NEEDED_NONE)
		buf_printf(out,
		           lang == LANG_ZH ? "%s 为 %" PRId64 " 单,其上月没有订单"
		                           : "%s has %" PRId64 " after a month without orders",
		           name, month.orders);
	else
		buf_printf(out,
		           lang == LANG_ZH ? "%s 为 %" PRId64 " 单(需 %" PRId64 " 单)"
		                           : "%s has %" PRId64 " of the %" PRId64 " needed",
		           name, month.orders, month.needed);
}

/* The first month that does not meet it. */
static void put_growth_missing(struct buf *out, const struct growth *g, enum lang lang)
{
	char name[DAY_TEXT];
	int32_t k = 1;

	while (growth_at(g, k).met)
		k++;
	struct growth_month month = growth_at(g, k);
	(void)month_text(day_add_months(g->start, k), name);
	if (month.needed == NEEDED_NONE)
		buf_printf(out,
		           lang == LANG_ZH ? ":未达标,%s 的上月没有订单,无从增长。"
		                           : ": not met, as %s cannot grow over a month without orders.",
		           name);
	else
		buf_printf(out, lang == LANG_ZH ? ":未达标,%s 还差 %" PRId64 " 单。" : ": not met, %s lacks %" PRId64 ".", name,
		           month.needed - month.orders);
}

static void put_growth(struct buf *out, const struct growth *g, const char *clause, bool met, enum lang lang)
{
	put_subject(out, MEASURE_MONTHLY_ORDER_GROWTH, g->start, lang);
	buf_printf(out, lang == LANG_ZH ? ";条款 %s 要求每月较上月至少增长 " : "; clause %s asks of each month at least ",
	           clause);
	put_percent(out, g->bps);
	buf_puts(out, lang == LANG_ZH ? "%" : " % more than the month before");
	for (int32_t k = 1; k < g->m->months; k++) {
		buf_puts(out, lang == LANG_ZH ? k == 1 ? ":" : "," : k == 1 ? ": " : ", ");
		put_growth_month(out, g, k, lang);
	}
	if (met)
		put_met(out, lang);
	else
		put_growth_missing(out, g, lang);
}

void sentence_of_criterion(struct buf *out, const struct evaluation *e, const struct policy_result *result, size_t node,
                           enum lang lang)
{
	const struct node *n = &result->policy->stages[e->stage].requires.nodes[node];
	const struct growth g = {&result->measures, e->start, n->at_least};

	assert(n->kind == NODE_CRITERION);
	if (n->measure == MEASURE_MONTHLY_ORDER_GROWTH)
		put_growth(out, &g, n->clause, result->nodes[node].met, lang);
	else
		put_plain(out, n, &result->nodes[node], e->start, lang);
}
