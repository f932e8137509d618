#include "tests/property/world.h"

#include <string.h>

static const char *const ids[WORLD_STORES] = {"s-a", "s-b", "s-c", "s-d", "s-e", "s-f", "s-g",
                                              "s-h", "s-i", "s-j", "s-k", "s-l", "s-m", "s-n"};
static const char *const words[] = {"antiques_art", "jade", "home"};
static const char *const persons[] = {"p-1", "p-2", "p-3", "p-4"};
static const char *const versions[WORLD_POLICIES] = {"1", "2", "3"};
static const region regions[] = {420000, 420100, 420106, 420107, 360200, 360203, 360000, 440100};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ONE_OF(r, a) ((a)[random_in((r), 0, (int64_t)COUNT(a) - 1)])

/* ---- policies ---- */

static void make_criterion(struct node *node, struct random *r)
{
	static const int64_t most[MEASURES] = {[MEASURE_NEW_STORES] = 5,
	                                       [MEASURE_NEW_STORE_GMV_FEN] = 4000,
	                                       [MEASURE_FIRST_MONTH_ORDERS] = 300,
	                                       [MEASURE_MONTHLY_ORDER_GROWTH] = 3000,
	                                       [MEASURE_EXAM_PASSES] = 4};

	node->kind = NODE_CRITERION;
	node->measure = (enum measure)random_in(r, 0, MEASURES - 1);
	node->at_least = random_in(r, 0, most[node->measure]);
	if (random_one_in(r, 20))
		node->at_least = node->measure == MEASURE_MONTHLY_ORDER_GROWTH ? GROWTH_BPS_MAX : FIGURE_MAX;
	node->clause = random_one_in(r, 2) ? "3.2" : "3.4";
}

static void make_node(struct requirement *t, struct random *r, int depth)
{
	struct node *node = &t->nodes[t->len++];

	if (random_one_in(r, 2))
		node->name = ONE_OF(r, words);
	if (depth == 1 || random_one_in(r, 3)) {
		make_criterion(node, r);
	} else {
		node->kind = random_one_in(r, 2) ? NODE_ALL : NODE_ANY;
		for (int64_t members = random_in(r, 1, 3); members > 0; members--)
			make_node(t, r, depth - 1);
	}
	node->end = (uint8_t)t->len;
}

static void make_policy(struct policy *p, struct random *r, int32_t months)
{
	p->policy_id = "p";
	p->industry = "antiques_art";
	p->effective_from = day_of(2023, 4, 26);
	p->example = random_one_in(r, 3);
	p->admission.service_categories = 1;
	p->counting.repeat_window_months = (int32_t)(random_one_in(r, 3) ? random_in(r, 0, 13) : 6);
	p->counting.repeat_scope = random_one_in(r, 2) ? REPEAT_ANY : REPEAT_PROVIDER;
	p->counting.store_statuses = (unsigned)(random_one_in(r, 2) ? 1 : random_in(r, 1, 15));
	p->counting.require_bound_at_evaluation = !random_one_in(r, 3);
	p->counting.gmv_window = random_one_in(r, 2) ? GMV_SINCE_BINDING : GMV_PERIOD;
	for (int s = 0; s < STAGES; s++) {
		p->stages[s].months = months;
		make_node(&p->stages[s].requires, r, (int)random_in(r, 1, 4)); /* at most 1 + 3 + 9 + 27 nodes */
	}
}

static void make_policies(struct world *w, struct random *r)
{
	int32_t months = (int32_t)(random_one_in(r, 4) ? random_in(r, 1, 12) : 3);

	w->in.policy_count = (size_t)random_in(r, 1, WORLD_POLICIES);
	for (size_t i = 0; i < WORLD_POLICIES && i < w->in.policy_count; i++) {
		make_policy(&w->policies[i], r, months);
		w->policies[i].version = versions[i];
		memcpy(w->policies[i].ref, "p@", 2);
		w->policies[i].ref[2] = versions[i][0];
	}
}

/* ---- facts ---- */

/* A day from half a year and more before the period to a month after it; often on an edge of something. */
static day some_day(const struct world *w, struct random *r, day last)
{
	switch (random_in(r, 0, 9)) {
	case 0:
		return w->in.start;
	case 1:
		return w->in.start + (day)random_in(r, -1, 1);
	case 2:
		return last + (day)random_in(r, -1, 1);
	case 3: /* a 1st, or the day beside it */
		return day_month_start(w->in.start + (day)random_in(r, -200, 120)) + (day)random_in(r, -1, 1);
	case 4: /* about half a year before a day of the period */
		return day_add_months(w->in.start + (day)random_in(r, 0, last - w->in.start), -6) + (day)random_in(r, -1, 1);
	default:
		return w->in.start + (day)random_in(r, -400, last - w->in.start + 30);
	}
}

static int64_t some_figure(struct random *r, int64_t most)
{
	if (random_one_in(r, 200))
		return FIGURE_MAX - random_in(r, 0, 2);
	return random_one_in(r, 6) ? 0 : random_in(r, 0, most);
}

/* Own bindings never overlap: cuts in order, and some of the spans between them. */
static size_t make_own_bindings(const struct world *w, struct random *r, day last, struct binding *out, size_t room)
{
	day cuts[8];
	size_t n = (size_t)random_in(r, 0, 8);
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = i;
		day cut = some_day(w, r, last);

		for (; at > 0 && cuts[at - 1] > cut; at--)
			cuts[at] = cuts[at - 1];
		cuts[at] = cut;
	}
	for (size_t i = 0; i + 1 < n && count + 1 < room; i++) {
		if (!random_one_in(r, 3))
			out[count++] = (struct binding){true, cuts[i], cuts[i + 1]}; /* cuts that meet: of no days */
	}
	if (n > 0 && count < room && random_one_in(r, 2))
		out[count++] = (struct binding){true, cuts[n - 1], DAY_NONE};
	return count;
}

static size_t make_bindings(const struct world *w, struct random *r, day last, struct binding *out)
{
	size_t n = make_own_bindings(w, r, last, out, 5);

	while (n < WORLD_BINDINGS - 1 && random_one_in(r, 3)) {
		day from = some_day(w, r, last);
		day to = random_one_in(r, 3) ? DAY_NONE : from + (day)random_in(r, 0, 200);

		out[n++] = (struct binding){false, from, to};
	}
	return n;
}

static size_t make_days(const struct world *w, struct random *r, day last, struct day_fact *out)
{
	size_t n = 0;
	day on = w->in.start - (day)random_in(r, 0, 5);
	int64_t step = random_in(r, 1, 12);

	for (; n < WORLD_DAYS && on <= last + 5; on += (day)random_in(r, 1, step))
		out[n++] = (struct day_fact){on, some_figure(r, 40), some_figure(r, 900)};
	return random_one_in(r, 8) ? 0 : n;
}

static void make_store(struct world *w, struct random *r, day last, size_t i)
{
	struct evaluation_store *s = &w->stores[i];

	s->store_id = ids[i];
	s->unlisted = random_one_in(r, 15);
	s->industry = random_one_in(r, 4) ? ONE_OF(r, words) : "antiques_art";
	s->category = random_one_in(r, 4) ? ONE_OF(r, words) : "antiques_art";
	s->status = random_one_in(r, 4) ? (enum store_status)random_in(r, 0, STORE_STATUSES - 1) : STORE_NORMAL;
	s->registered_region = ONE_OF(r, regions);
	s->ship_from_count = (size_t)random_in(r, 0, WORLD_REGIONS);
	for (size_t k = 0; k < s->ship_from_count; k++)
		w->regions[i][k] = ONE_OF(r, regions);
	s->binding_count = make_bindings(w, r, last, w->bindings[i]);
	s->day_count = make_days(w, r, last, w->days[i]);
}

static void point_into(struct world *w)
{
	for (size_t i = 0; i < WORLD_POLICIES; i++)
		w->list[i] = &w->policies[i];
	w->in.policies = w->list;
	w->in.stores = w->stores;
	w->in.exam_passes = w->passes;
	for (size_t i = 0; i < WORLD_STORES; i++) {
		w->stores[i].bindings = w->bindings[i];
		w->stores[i].days = w->days[i];
		w->stores[i].months = w->months[i];
		w->stores[i].ship_from_regions = w->regions[i];
	}
}

void world_make(struct world *w, struct random *r)
{
	memset(w, 0, sizeof *w);
	w->in.stage = random_one_in(r, 2) ? STAGE_TRIAL : STAGE_REGULAR;
	w->in.start = day_of((int)random_in(r, 2022, 2025), (int)random_in(r, 1, 12), 1);
	make_policies(w, r);
	day end = period_end(w->in.start, w->policies[0].stages[w->in.stage].months);
	w->in.as_of = random_one_in(r, 3) ? end + (day)random_in(r, 0, 40) : (day)random_in(r, w->in.start, end);
	day last = w->in.as_of < end ? w->in.as_of : end;
	w->in.provider_region = random_one_in(r, 2) ? 420000 : ONE_OF(r, regions);
	w->in.provider_industry = "antiques_art";
	w->in.provider_main_category = random_one_in(r, 2) ? "antiques_art" : "jade";
	w->in.store_count = (size_t)random_in(r, 0, WORLD_STORES - 1);
	for (size_t i = 0; i < w->in.store_count; i++)
		make_store(w, r, last, i);
	w->in.exam_pass_count = (size_t)random_in(r, 0, WORLD_PASSES);
	for (size_t i = 0; i < w->in.exam_pass_count; i++)
		w->passes[i] = (struct exam_pass){ONE_OF(r, persons), some_day(w, r, last)};
	point_into(w);
}

void world_copy(struct world *to, const struct world *from)
{
	*to = *from;
	point_into(to);
}

/* ---- order ---- */

#define SHUFFLE(r, a, n, type)                                                                                                 \
	for (size_t i_ = (n); i_ > 1; i_--) {                                                                                  \
		size_t j_ = (size_t)random_in((r), 0, (int64_t)i_ - 1);                                                        \
		type keep_ = (a)[i_ - 1];                                                                                      \
		(a)[i_ - 1] = (a)[j_];                                                                                         \
		(a)[j_] = keep_;                                                                                               \
	}

void world_shuffle(struct world *w, struct random *r, size_t where[WORLD_STORES])
{
	const struct world before = *w;
	size_t order[WORLD_STORES];

	for (size_t i = 0; i < WORLD_STORES; i++)
		order[i] = i;
	SHUFFLE(r, order, w->in.store_count, size_t)
	for (size_t i = 0; i < w->in.store_count; i++) {
		size_t from = order[i];

		where[from] = i;
		w->stores[i] = before.stores[from];
		memcpy(w->bindings[i], before.bindings[from], sizeof w->bindings[i]);
		memcpy(w->days[i], before.days[from], sizeof w->days[i]);
		memcpy(w->months[i], before.months[from], sizeof w->months[i]);
		memcpy(w->regions[i], before.regions[from], sizeof w->regions[i]);
		SHUFFLE(r, w->bindings[i], w->stores[i].binding_count, struct binding)
		SHUFFLE(r, w->days[i], w->stores[i].day_count, struct day_fact)
		SHUFFLE(r, w->months[i], w->stores[i].month_count, struct month_fact)
		SHUFFLE(r, w->regions[i], w->stores[i].ship_from_count, region)
	}
	SHUFFLE(r, w->passes, w->in.exam_pass_count, struct exam_pass)
	point_into(w);
}
