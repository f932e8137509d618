/* What holds of every evaluation, on random inputs. A failure names its case: run it again with the seed that was printed. */
#include "base/json_read.h"
#include "model/rules/evaluation_json.h"
#include "tests/property/naive.h"
#include "tests/property/world.h"
#include "tests/support/check_main.h"

#include <string.h>

enum { CASES = 4000 };

static uint64_t seed; /* of this run; the same for every test, each in its own process */
static int cases;

#define CASE(number) ((struct random[]){random_for(seed, (uint64_t)(number))})

static void same(const struct naive *n, const struct evaluation *e, const struct evaluation_input *in, int number)
{
#define SAME(a, b) ck_assert_msg((a) == (b), "case %d: %s is not %s", number, #a, #b)
	SAME(e->met, n->met);
	SAME(e->final, n->final);
	SAME(e->end, n->end);
	SAME(e->evaluated_on, n->evaluated_on);
	for (size_t p = 0; p < in->policy_count; p++) {
		const struct policy_result *a = &e->policies[p];
		const struct naive_policy *b = &n->policies[p];
		const struct requirement *tree = &in->policies[p]->stages[in->stage].requires;

		SAME(a->met, b->met);
		SAME(a->measures.new_stores, b->new_stores);
		SAME(a->measures.new_store_gmv_fen, b->gmv);
		SAME(a->measures.exam_passes, b->exam_passes);
		for (int k = 0; k < e->months; k++)
			SAME(a->measures.monthly_orders[k], b->monthly[k]);
		for (size_t s = 0; s < in->store_count; s++) {
			const char *why = store_reason_name(a->stores[s].reason);

			ck_assert_msg(strcmp(why ? why : "", b->reason[s]) == 0, "case %d, store %zu: %s, not %s", number, s,
			              why ? why : "counted", b->reason[s]);
			SAME(a->stores[s].gmv_fen, b->store_gmv[s]);
			for (int k = 0; k < e->months; k++)
				SAME(e->orders[s].monthly[k], n->store_monthly[s][k]);
		}
		for (size_t at = 0; at < tree->len; at++) {
			SAME(a->nodes[at].met, b->node_met[at]);
			SAME(a->nodes[at].gap, b->node_gap[at]);
			if (tree->nodes[at].kind != NODE_CRITERION || tree->nodes[at].measure != MEASURE_MONTHLY_ORDER_GROWTH)
				continue;
			for (int32_t k = 1; k < e->months; k++) {
				struct growth_month month;

				ck_assert(growth_of_month(&a->measures, k, tree->nodes[at].at_least, &month));
				SAME(month.met, b->node_months[at][k].met);
				SAME(month.needed, b->node_months[at][k].needed);
			}
		}
	}
#undef SAME
}

START_TEST(it_decides_as_the_naive_evaluator_does)
{
	static struct world w;
	static struct naive n;
	int met = 0;
	int counted = 0;
	int reasons[STORE_REASONS] = {0};

	for (int number = 0; number < cases; number++) {
		struct evaluation e;

		world_make(&w, CASE(number));
		naive_evaluate(&w.in, &n);
		enum evaluation_status status = evaluate(&w.in, &e);
		ck_assert_msg(status == (n.too_large ? EVALUATION_OUT_OF_RANGE : EVALUATION_OK), "case %d: status %d", number,
		              (int)status);
		if (status != EVALUATION_OK)
			continue;
		same(&n, &e, &w.in, number);
		met += e.met;
		for (size_t s = 0; s < w.in.store_count; s++) {
			reasons[e.policies[0].stores[s].reason]++;
			counted += e.policies[0].stores[s].reason == REASON_NONE && e.policies[0].stores[s].gmv_fen > 0;
		}
		evaluation_free(&e);
	}
	/* the cases are worth something: every reason, and met and not met, come up */
	if (cases >= CASES) {
		for (int i = 0; i < STORE_REASONS; i++)
			ck_assert_msg(reasons[i] > 50, "reason %d came up %d times", i, reasons[i]);
		ck_assert_int_gt(met, CASES / 20);
		ck_assert_int_lt(met, cases - CASES / 20);
		ck_assert_int_gt(counted, 200);
	}
}
END_TEST

static bool same_nodes(const struct node_result *x, const struct node_result *y)
{
	bool ok = true;

	for (size_t i = 0; i < REQUIREMENT_NODES; i++)
		ok = ok && x[i].met == y[i].met && x[i].measured == y[i].measured && x[i].gap == y[i].gap;
	return ok;
}

static bool same_measures(const struct measures *x, const struct measures *y)
{
	bool ok = x->new_stores == y->new_stores && x->new_store_gmv_fen == y->new_store_gmv_fen &&
	          x->exam_passes == y->exam_passes;

	for (int k = 0; k < POLICY_MONTHS_MAX; k++)
		ok = ok && x->monthly_orders[k] == y->monthly_orders[k];
	return ok;
}

/* The same figures and verdicts, store i of `a` being store where[i] of `b`. */
static bool agree(const struct evaluation *a, const struct evaluation *b, const size_t *where)
{
	bool ok = a->met == b->met && a->final == b->final && a->evaluated_on == b->evaluated_on;

	for (size_t p = 0; p < a->policy_count; p++) {
		const struct policy_result *x = &a->policies[p];
		const struct policy_result *y = &b->policies[p];

		ok = ok && x->met == y->met && same_measures(&x->measures, &y->measures) && same_nodes(x->nodes, y->nodes);
		for (size_t s = 0; s < a->store_count; s++)
			ok = ok && x->stores[s].reason == y->stores[where[s]].reason &&
			     x->stores[s].gmv_fen == y->stores[where[s]].gmv_fen;
	}
	for (size_t s = 0; s < a->store_count; s++)
		ok = ok && memcmp(&a->orders[s], &b->orders[where[s]], sizeof a->orders[s]) == 0;
	return ok;
}

static size_t in_place[WORLD_STORES];

START_TEST(the_order_of_the_input_never_matters)
{
	static struct world w;
	static struct world other;

	for (int number = 0; number < cases; number++) {
		struct random *r = CASE(number);
		struct evaluation a;
		struct evaluation b;
		size_t where[WORLD_STORES];

		world_make(&w, r);
		world_copy(&other, &w);
		world_shuffle(&other, r, where);
		enum evaluation_status status = evaluate(&w.in, &a);
		ck_assert_int_eq(evaluate(&other.in, &b), status);
		if (status != EVALUATION_OK)
			continue;
		ck_assert_msg(agree(&a, &b, where), "case %d", number);
		evaluation_free(&a);
		evaluation_free(&b);
	}
}
END_TEST

START_TEST(a_counted_store_more_never_lowers_a_measure)
{
	static struct world w;
	int added = 0;

	for (int number = 0; number < cases; number++) {
		struct random *r = CASE(number);
		struct evaluation a;
		struct evaluation b;

		world_make(&w, r);
		if (evaluate(&w.in, &a) != EVALUATION_OK)
			continue;
		size_t at = w.in.store_count++;
		struct evaluation_store *s = &w.stores[at];
		s->store_id = "s-new";
		s->industry = s->category = "antiques_art";
		s->registered_region = w.in.provider_region;
		s->status = STORE_NORMAL;
		w.bindings[at][0] = (struct binding){true, (day)random_in(r, w.in.start, a.evaluated_on), DAY_NONE};
		s->binding_count = 1;
		for (; s->day_count < 20; s->day_count++)
			w.days[at][s->day_count] = (struct day_fact){w.in.start + (day)s->day_count * 4, random_in(r, 0, 50),
			                                             random_in(r, 0, 500)};
		ck_assert_int_eq(evaluate(&w.in, &b), EVALUATION_OK);
		for (size_t p = 0; p < w.in.policy_count; p++) {
			const struct measures *x = &a.policies[p].measures;
			const struct measures *y = &b.policies[p].measures;
			bool counts = w.policies[p].counting.store_statuses & 1U << STORE_NORMAL;

			ck_assert_int_eq(y->new_stores, x->new_stores + counts);
			ck_assert_int_ge(y->new_store_gmv_fen, x->new_store_gmv_fen);
			ck_assert_int_eq(y->exam_passes, x->exam_passes);
			for (int k = 0; k < a.months; k++)
				ck_assert_int_ge(y->monthly_orders[k], x->monthly_orders[k]);
			for (size_t i = 0; i < at; i++)
				ck_assert(a.policies[p].stores[i].reason == b.policies[p].stores[i].reason);
			added += counts;
		}
		evaluation_free(&a);
		evaluation_free(&b);
	}
	ck_assert_int_gt(added, 0);
}
END_TEST

/* Splits an own binding of more than a day into two that touch. False: there is none. */
static bool split_one(struct world *w, struct random *r, size_t *store, struct binding *whole, day *cut)
{
	if (w->in.store_count == 0)
		return false;
	*store = (size_t)random_in(r, 0, (int64_t)w->in.store_count - 1);
	struct evaluation_store *s = &w->stores[*store];
	for (size_t i = 0; i < s->binding_count; i++) {
		struct binding *b = &w->bindings[*store][i];
		day end = b->unbound_on == DAY_NONE ? b->bound_on + 300 : b->unbound_on;

		if (!b->self || end - b->bound_on < 2)
			continue;
		*whole = *b;
		*cut = (day)random_in(r, b->bound_on + 1, end - 1);
		w->bindings[*store][s->binding_count++] = (struct binding){true, *cut, b->unbound_on};
		b->unbound_on = *cut;
		return true;
	}
	return false;
}

/* The second half is a repeat of the first, so it makes no store new. All that may change: a store whose binding began before
 * the period now has one that began in it, and is a repeat instead of not new. (With a window of no months a repeat is new.) */
START_TEST(splitting_a_binding_changes_only_what_the_rule_says)
{
	static struct world w;
	int split = 0;
	int changed = 0;

	for (int number = 0; number < cases; number++) {
		struct random *r = CASE(number);
		struct evaluation a;
		struct evaluation b;
		size_t store;
		struct binding whole;
		day cut;

		world_make(&w, r);
		for (size_t p = 0; p < w.in.policy_count; p++)
			w.policies[p].counting.repeat_window_months += w.policies[p].counting.repeat_window_months == 0;
		if (evaluate(&w.in, &a) != EVALUATION_OK)
			continue;
		if (!split_one(&w, r, &store, &whole, &cut)) {
			evaluation_free(&a);
			continue;
		}
		ck_assert_int_eq(evaluate(&w.in, &b), EVALUATION_OK);
		bool newly_begun = whole.bound_on < w.in.start && cut >= w.in.start && cut <= a.evaluated_on;
		for (size_t p = 0; p < w.in.policy_count && newly_begun; p++) {
			enum store_reason *was = &a.policies[p].stores[store].reason;

			changed += *was == REASON_NOT_NEW_IN_PERIOD;
			if (*was == REASON_NOT_NEW_IN_PERIOD)
				*was = REASON_REPEAT_BINDING;
		}
		ck_assert_msg(agree(&a, &b, in_place), "case %d", number);
		split++;
		evaluation_free(&a);
		evaluation_free(&b);
	}
	ck_assert_int_gt(split, cases / 4);
	ck_assert_int_gt(changed, 0);
}
END_TEST

/* Puts the totals of some months in place of their days, wherever that is allowed. */
static int total_months(struct world *w, struct random *r, day evaluated_on)
{
	int made = 0;

	for (size_t i = 0; i < w->in.store_count; i++) {
		struct evaluation_store *s = &w->stores[i];

		for (day month = w->in.start; month <= evaluated_on; month = day_next_month_start(month)) {
			struct month_fact total = {.month = month};
			size_t left = 0;

			if (!month_may_stand_for_days(s->bindings, s->binding_count, month, evaluated_on) ||
			    random_one_in(r, 4))
				continue;
			for (size_t d = 0; d < s->day_count; d++) {
				const struct day_fact f = w->days[i][d];

				if (f.on < month || f.on > day_month_end(month)) {
					w->days[i][left++] = f;
				} else {
					total.orders += f.orders;
					total.gmv_fen += f.gmv_fen;
				}
			}
			s->day_count = left;
			w->months[i][s->month_count++] = total;
			made++;
		}
	}
	return made;
}

START_TEST(months_say_the_same_as_their_days)
{
	static struct world w;
	int made = 0;

	for (int number = 0; number < cases; number++) {
		struct random *r = CASE(number);
		struct evaluation a;
		struct evaluation b;

		world_make(&w, r);
		if (evaluate(&w.in, &a) != EVALUATION_OK)
			continue;
		made += total_months(&w, r, a.evaluated_on);
		ck_assert_int_eq(evaluate(&w.in, &b), EVALUATION_OK);
		ck_assert_msg(agree(&a, &b, in_place), "case %d", number);
		evaluation_free(&a);
		evaluation_free(&b);
	}
	ck_assert_int_gt(made, cases);
}
END_TEST

static char *answer_of(const struct evaluation_input *in, const struct evaluation *e, enum evaluation_form form)
{
	struct buf out = BUF_INIT(1 << 20);

	evaluation_json(&out, in, e, form);
	ck_assert(!out.failed);
	return buf_take(&out);
}

static char *evidence_of(const struct evaluation_input *in)
{
	struct buf out = BUF_INIT(1 << 20);

	evidence_json(&out, in);
	ck_assert(!out.failed);
	return buf_take(&out);
}

static struct evaluation_request *read_back(const char *evidence, int number)
{
	struct faults faults = {0};
	json_t *json = NULL;

	ck_assert_int_eq(json_read(evidence, strlen(evidence), JSON_DEPTH_MAX, &json, &faults), JSON_OK);
	struct evaluation_request *request = evaluation_request_read(json, NULL, &faults);
	ck_assert_msg(request != NULL, "case %d: %s at %s", number, faults.len ? code_name(faults.items[0].code) : "memory",
	              faults.len ? faults.items[0].pointer : "");
	json_decref(json);
	faults_free(&faults);
	return request;
}

static void gaps_agree(const struct evaluation *e, const char *answer, int number)
{
	struct criterion_gap gaps[REQUIREMENT_NODES];
	struct criterion_gap read[REQUIREMENT_NODES];
	json_t *json = json_loads(answer, 0, NULL);
	size_t n = evaluation_gaps(e, gaps);

	ck_assert_ptr_nonnull(json);
	ck_assert_msg(evaluation_gaps_read(json, read) == n, "case %d", number);
	ck_assert(e->met == (n == 0));
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(gaps[i].measure == read[i].measure && gaps[i].gap == read[i].gap &&
		                      gaps[i].at_least == read[i].at_least && gaps[i].month == read[i].month,
		              "case %d, gap %zu", number, i);
		ck_assert(!gaps[i].alternative == !read[i].alternative);
		ck_assert(gaps[i].gap != 0);
	}
	json_decref(json);
}

/* Also of months in place of days, and of every policy. */
START_TEST(evidence_gives_the_same_bytes_again)
{
	static struct world w;

	for (int number = 0; number < cases; number++) {
		struct random *r = CASE(number);
		struct evaluation e;

		world_make(&w, r);
		if (evaluate(&w.in, &e) != EVALUATION_OK)
			continue;
		if (random_one_in(r, 2)) {
			(void)total_months(&w, r, e.evaluated_on);
			evaluation_free(&e);
			ck_assert_int_eq(evaluate(&w.in, &e), EVALUATION_OK);
		}
		char *answer = answer_of(&w.in, &e, EVALUATION_WHOLE);
		char *brief = answer_of(&w.in, &e, EVALUATION_WITHOUT_STORES);
		char *evidence = evidence_of(&w.in);
		gaps_agree(&e, brief, number);
		evaluation_free(&e);

		struct evaluation_request *request = read_back(evidence, number);
		const struct evaluation_input *in = evaluation_request_input(request);
		ck_assert_int_eq(evaluate(in, &e), EVALUATION_OK);
		char *answer_again = answer_of(in, &e, EVALUATION_WHOLE);
		char *evidence_again = evidence_of(in);
		ck_assert_msg(strcmp(answer, answer_again) == 0, "case %d", number);
		ck_assert_msg(strcmp(evidence, evidence_again) == 0, "case %d", number);
		evaluation_free(&e);
		evaluation_request_free(request);
		free(answer);
		free(brief);
		free(evidence);
		free(answer_again);
		free(evidence_again);
	}
}
END_TEST

static Suite *make(void)
{
	static const TTest *const *const tests[] = {
	        &it_decides_as_the_naive_evaluator_does,      &the_order_of_the_input_never_matters,
	        &a_counted_store_more_never_lowers_a_measure, &splitting_a_binding_changes_only_what_the_rule_says,
	        &months_say_the_same_as_their_days,           &evidence_gives_the_same_bytes_again};
	Suite *suite = suite_create("rules_evaluation");
	TCase *tcase = tcase_create("properties");

	seed = random_seed();
	cases = random_cases(CASES);
	for (size_t i = 0; i < WORLD_STORES; i++)
		in_place[i] = i;
	tcase_set_timeout(tcase, 240);
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		tcase_add_test(tcase, *tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN_SUITE(make)
