#include "model/rules/forecast.h"

#include "base/json_write.h"

#include <assert.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide; /* 2^63 x 366 x 10,000 fits */

struct projecting {
	const struct evaluation *e;
	const struct policy_result *result;
	const struct requirement *r;
	struct forecast *out;
};

/* What a node comes to. */
struct outlook {
	enum pace pace;
	int32_t missing_bps;
};

/* `measured` over [from, E], as it comes to over [from, last]. Once that is over, what it came to. */
static int64_t extend(int64_t measured, day from, day last, day evaluated_on)
{
	if (evaluated_on >= last)
		return measured;
	wide extended = (wide)measured * (wide)(last - from + 1) / (wide)(evaluated_on - from + 1);

	return extended > (wide)INT64_MAX ? INT64_MAX : (int64_t)extended;
}

static int32_t share_missing(int64_t needed, int64_t projected)
{
	if (needed == NEEDED_NONE)
		return FORECAST_ALL_BPS;
	assert(needed > projected);
	return (int32_t)(((wide)(needed - projected) * FORECAST_ALL_BPS + (wide)needed - 1) / (wide)needed);
}

static void judge(struct forecast_criterion *c)
{
	bool met = c->needed != NEEDED_NONE && c->projected >= c->needed;

	c->pace = met ? PACE_MET : PACE_SHORT;
	c->missing_bps = met ? 0 : share_missing(c->needed, c->projected);
}

/* ---- growth ---- */

/* Month k, which has begun. */
static void project_month(const struct projecting *p, int32_t k, int64_t bps, struct forecast_criterion *c)
{
	struct growth_month month;
	bool counted = growth_of_month(&p->result->measures, k, bps, &month);

	assert(counted); /* it was judged before */
	(void)counted;
	c->month = day_add_months(p->e->start, k);
	c->by = day_month_end(c->month);
	c->needed = month.needed;
	c->projected = extend(month.orders, c->month, c->by, p->e->evaluated_on);
	c->missing = month.needed == NEEDED_NONE ? NEEDED_NONE : month.needed > month.orders ? month.needed - month.orders : 0;
	judge(c);
}

/* About the first month that does not come to it; else the last that has begun; else, of which nothing can be said, the second. */
static void project_growth(const struct projecting *p, int64_t bps, struct forecast_criterion *c)
{
	const struct measures *m = &p->result->measures;

	if (m->months == 1) { /* none to fail */
		*c = (struct forecast_criterion){
		        .node = c->node, .alternative = c->alternative, .pace = PACE_MET, .month = DAY_NONE, .by = p->e->end};
		return;
	}
	c->pace = PACE_OPEN;
	c->month = day_add_months(p->e->start, 1);
	c->by = day_month_end(c->month);
	c->needed = c->projected = c->missing = NEEDED_NONE;
	for (int32_t k = 1; k < m->months_reached && c->pace != PACE_SHORT; k++)
		project_month(p, k, bps, c);
	if (c->pace == PACE_MET && m->months_reached < m->months)
		c->pace = PACE_OPEN;
}

/* ---- the tree ---- */

static int64_t measured_of(const struct projecting *p, size_t at)
{
	return p->result->nodes[at].measured;
}

static void project_plain(const struct projecting *p, size_t at, struct forecast_criterion *c)
{
	const struct node *node = &p->r->nodes[at];
	day start = p->e->start;

	c->month = DAY_NONE;
	c->by = node->measure == MEASURE_FIRST_MONTH_ORDERS ? day_month_end(start) : p->e->end;
	c->needed = node->at_least;
	c->missing = p->result->nodes[at].gap;
	c->projected = node->measure == MEASURE_EXAM_PASSES ? measured_of(p, at)
	                                                    : extend(measured_of(p, at), start, c->by, p->e->evaluated_on);
	judge(c);
}

static struct outlook project_criterion(const struct projecting *p, size_t at, const char *alternative)
{
	struct forecast_criterion *c = &p->out->criteria[p->out->count++];

	*c = (struct forecast_criterion){.node = at, .alternative = alternative};
	if (p->r->nodes[at].measure == MEASURE_MONTHLY_ORDER_GROWTH)
		project_growth(p, p->r->nodes[at].at_least, c);
	else
		project_plain(p, at, c);
	return (struct outlook){c->pace, c->missing_bps};
}

static struct outlook project(const struct projecting *p, size_t at, const char *alternative);

static struct outlook project_group(const struct projecting *p, size_t at, const char *alternative)
{
	const struct node *node = &p->r->nodes[at];
	bool all = node->kind == NODE_ALL;
	struct outlook whole = {all ? PACE_MET : PACE_SHORT, all ? 0 : FORECAST_ALL_BPS};

	for (size_t child = at + 1; child < node->end; child = p->r->nodes[child].end) {
		const char *name = all ? NULL : p->r->nodes[child].name;
		struct outlook one = project(p, child, name ? name : alternative);

		if (all ? one.pace < whole.pace : one.pace > whole.pace)
			whole.pace = one.pace;
		if (all ? one.missing_bps > whole.missing_bps : one.missing_bps < whole.missing_bps)
			whole.missing_bps = one.missing_bps;
	}
	return whole;
}

static struct outlook project(const struct projecting *p, size_t at, const char *alternative)
{
	return p->r->nodes[at].kind == NODE_CRITERION ? project_criterion(p, at, alternative)
	                                              : project_group(p, at, alternative);
}

static void forecast_under(const struct evaluation *e, const struct policy_result *result, struct forecast *out)
{
	const struct projecting p = {e, result, &result->policy->stages[e->stage].requires, out};

	out->policy = result->policy;
	out->stage = e->stage;
	out->as_of = e->evaluated_on;
	out->count = 0;
	struct outlook whole = project(&p, 0, NULL);
	out->pace = whole.pace;
	out->missing_bps = whole.missing_bps;
}

/* The nearer one: by pace, then by what is missing. */
static bool is_nearer(const struct forecast *a, const struct forecast *b)
{
	return a->pace != b->pace ? a->pace > b->pace : a->missing_bps < b->missing_bps;
}

void forecast_make(const struct evaluation *e, struct forecast *out)
{
	struct forecast other;

	assert(e->policy_count > 0);
	forecast_under(e, &e->policies[0], out);
	for (size_t i = 1; i < e->policy_count; i++) {
		forecast_under(e, &e->policies[i], &other);
		if (is_nearer(&other, out))
			memcpy(out, &other, sizeof other);
	}
}

/* ---- as JSON ---- */

enum { MONTH_TEXT = 7 }; /* of "2023-04-01" */

static void write_count(struct json_writer *w, const char *key, int64_t v)
{
	if (v == NEEDED_NONE)
		jw_knull(w, key);
	else
		jw_kint(w, key, v);
}

static void write_pace(struct json_writer *w, enum pace pace)
{
	if (pace == PACE_OPEN)
		jw_knull(w, "met");
	else
		jw_kbool(w, "met", pace == PACE_MET);
}

static void write_criterion(struct json_writer *w, const struct forecast *f, const struct forecast_criterion *c)
{
	const struct node *node = &f->policy->stages[f->stage].requires.nodes[c->node];
	char text[DAY_TEXT];

	jw_object(w);
	jw_kstring(w, "measure", measure_name(node->measure));
	jw_kstring(w, "clause", node->clause);
	jw_kstring(w, "alternative", c->alternative);
	jw_key(w, "month");
	if (c->month == DAY_NONE)
		jw_null(w);
	else
		jw_string_n(w, day_text(c->month, text), MONTH_TEXT);
	jw_kstring(w, "by", day_text(c->by, text));
	write_count(w, "needed", c->needed);
	write_count(w, "projected", c->projected);
	write_count(w, "missing", c->missing);
	write_pace(w, c->pace);
	jw_kint(w, "missing_bps", c->missing_bps);
	jw_object_end(w);
}

void forecast_json(struct buf *out, const struct forecast *f)
{
	struct json_writer w = json_writer_on(out);
	char as_of[DAY_TEXT];

	jw_object(&w);
	jw_kstring(&w, "as_of", day_text(f->as_of, as_of));
	jw_kstring(&w, "policy", f->policy->ref);
	write_pace(&w, f->pace);
	jw_kint(&w, "missing_bps", f->missing_bps);
	jw_key(&w, "criteria");
	jw_array(&w);
	for (size_t i = 0; i < f->count; i++)
		write_criterion(&w, f, &f->criteria[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}
