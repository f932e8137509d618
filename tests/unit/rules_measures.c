#include "tests/unit/rules_support.h"

/* 3.4: (this month - last month) / last month, exactly. */
START_TEST(growth_is_exact)
{
	static const struct {
		int64_t before, now, bps;
		bool met;
		int64_t needed;
	} cases[] = {
	        {10000, 11000, 1000, true, 11000},
	        {10000, 10999, 1000, false, 11000},
	        {11000, 12100, 1000, true, 12100}, /* the rule's example */
	        {11000, 12099, 1000, false, 12100},
	        {0, 0, 1000, false, NEEDED_NONE}, /* nothing grows from nothing */
	        {0, 1000000, 1000, false, NEEDED_NONE},
	        {0, 0, 0, false, NEEDED_NONE},
	        {1, 1, 1000, false, 2}, /* 1.1 is not there at 1 */
	        {1, 2, 1000, true, 2},
	        {9, 9, 1000, false, 10}, /* 9.9 */
	        {9, 10, 1000, true, 10},
	        {7, 7, 0, true, 7},
	        {7, 6, 0, false, 7},
	        {3, 3, 1, false, 4},
	        {10001, 11001, 1000, false, 11002}, /* 11001.1 */
	        {10001, 11002, 1000, true, 11002},
	        {1, 100, 1000000, false, 101},
	        {1, 101, 1000000, true, 101},
	        /* near 2^53, where a double would round: 2^53 - 1, and a tenth more is 9907919180215090.1 */
	        {9007199254740991, 9907919180215090, 1000, false, 9907919180215091},
	        {9007199254740991, 9907919180215091, 1000, true, 9907919180215091},
	        {9007199254740990, 9907919180215089, 1000, true, 9907919180215089},
	        {9007199254740990, 9907919180215088, 1000, false, 9907919180215089},
	        /* near 2^63, where 64 bits would overflow */
	        {INT64_MAX, INT64_MAX, 0, true, INT64_MAX},
	        {INT64_MAX, INT64_MAX - 1, 0, false, INT64_MAX},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t needed = 0;

		ck_assert_msg(growth_met(cases[i].before, cases[i].now, cases[i].bps) == cases[i].met, "case %zu", i);
		ck_assert(growth_needed(cases[i].before, cases[i].bps, &needed));
		ck_assert_msg(needed == cases[i].needed, "case %zu: %lld", i, (long long)needed);
	}
}
END_TEST

START_TEST(what_growth_needs_never_wraps)
{
	int64_t needed = 7;

	/* the most of which a tenth more still fits */
	ck_assert(growth_needed(8384883669867978006, 1000, &needed));
	ck_assert_int_eq(needed, 9223372036854775807);
	ck_assert(!growth_needed(8384883669867978007, 1000, &needed));
	ck_assert(!growth_needed(INT64_MAX, 1, &needed));
	ck_assert(!growth_needed(INT64_MAX, GROWTH_BPS_MAX, &needed));
	ck_assert(growth_needed(INT64_MAX / 101, GROWTH_BPS_MAX, &needed));
	ck_assert(!growth_met(INT64_MAX, INT64_MAX, GROWTH_BPS_MAX));
}
END_TEST

START_TEST(a_month_that_has_not_begun_does_not_grow)
{
	struct measures m = {.monthly_orders = {10, 11, 0}, .months = 3, .months_reached = 2};
	struct growth_month month;

	ck_assert(growth_of_month(&m, 1, 1000, &month));
	ck_assert(month.met && month.orders == 11 && month.needed == 11);
	ck_assert(growth_of_month(&m, 2, 1000, &month));
	ck_assert(!month.met && month.orders == 0 && month.needed == 13);
	m.months_reached = 1;
	ck_assert(growth_of_month(&m, 1, 1000, &month));
	ck_assert(!month.met);
}
END_TEST

static const struct requirement *tree(const char *text)
{
	static struct requirement r;
	struct faults faults = {0};

	ck_assert_msg(requirement_read(json_of("%s", text), "", &r, &faults), "%s", faults_text(&faults));
	return &r;
}

#define NEW_STORES(n) "{'measure': 'new_stores', 'clause': '3.2', 'at_least': " #n "}"
#define EXAM(n) "{'measure': 'exam_passes', 'clause': '3.2', 'at_least': " #n "}"
#define GROWTH "{'measure': 'monthly_order_growth', 'clause': '3.4', 'at_least_bps': 1000}"

START_TEST(all_and_any_say_what_their_names_say)
{
	static const struct {
		const char *tree;
		bool met;
	} cases[] = {
	        {NEW_STORES(10), true},
	        {NEW_STORES(11), false},
	        {"{'all': [" NEW_STORES(10) "," EXAM(2) "]}", true},
	        {"{'all': [" NEW_STORES(10) "," EXAM(3) "]}", false},
	        {"{'all': [" NEW_STORES(11) "," EXAM(2) "]}", false},
	        {"{'any': [" NEW_STORES(11) "," EXAM(2) "]}", true},
	        {"{'any': [" NEW_STORES(10) "," EXAM(3) "]}", true},
	        {"{'any': [" NEW_STORES(11) "," EXAM(3) "]}", false},
	        {"{'any': [{'all': [" NEW_STORES(11) "," EXAM(0) "]}, {'all': [" NEW_STORES(0) "," EXAM(2) "]}]}", true},
	        {"{'all': [{'any': [" NEW_STORES(11) "," EXAM(0) "]}, {'any': [" NEW_STORES(11) "," EXAM(3) "]}]}", false},
	        {GROWTH, false},
	};
	const struct measures m = {
	        .new_stores = 10, .exam_passes = 2, .months = 3, .months_reached = 3, .monthly_orders = {10, 11, 12}};
	struct node_result results[REQUIREMENT_NODES];

	for (size_t i = 0; i < COUNT(cases); i++) {
		ck_assert(requirement_judge(tree(cases[i].tree), &m, results));
		ck_assert_msg(results[0].met == cases[i].met, "%s", cases[i].tree);
	}
}
END_TEST

START_TEST(growth_in_a_period_of_one_month_has_no_month_to_fail)
{
	const struct measures m = {.months = 1, .months_reached = 1};
	struct node_result results[REQUIREMENT_NODES];

	ck_assert(requirement_judge(tree(GROWTH), &m, results));
	ck_assert(results[0].met);
}
END_TEST

START_TEST(gaps_leave_out_what_is_met)
{
	const struct policy *p = policy_of(example_policy());
	const struct requirement *r = &p->stages[STAGE_TRIAL].requires;
	struct measures m = {.new_stores = 6,
	                     .new_store_gmv_fen = 1830000,
	                     .monthly_orders = {10000, 7400, 0},
	                     .exam_passes = 1,
	                     .months = 3,
	                     .months_reached = 2};
	struct node_result results[REQUIREMENT_NODES];
	struct criterion_gap gaps[REQUIREMENT_NODES];
	day start = day_at("2023-04-01");

	ck_assert(requirement_judge(r, &m, results));
	ck_assert_uint_eq(requirement_gaps(r, &m, results, start, gaps), 5);
	ck_assert(gaps[0].measure == MEASURE_NEW_STORES && gaps[0].gap == 4 && gaps[0].at_least == 10);
	ck_assert_str_eq(gaps[0].alternative, "metric_1");
	ck_assert(gaps[1].measure == MEASURE_NEW_STORE_GMV_FEN && gaps[1].gap == 3170000 && gaps[1].month == DAY_NONE);
	ck_assert(gaps[2].measure == MEASURE_NEW_STORES);
	ck_assert_str_eq(gaps[2].alternative, "metric_2");
	ck_assert(gaps[3].measure == MEASURE_MONTHLY_ORDER_GROWTH && gaps[3].gap == 3600 &&
	          gaps[3].month == day_at("2023-05-01"));
	ck_assert(gaps[4].measure == MEASURE_EXAM_PASSES && gaps[4].gap == 1 && !gaps[4].alternative);

	/* metric 1 met: of metric 2 nothing is missing */
	m.new_stores = 10;
	m.new_store_gmv_fen = 5000000;
	ck_assert(requirement_judge(r, &m, results));
	ck_assert_uint_eq(requirement_gaps(r, &m, results, start, gaps), 1);
	ck_assert(gaps[0].measure == MEASURE_EXAM_PASSES);

	m.exam_passes = 2;
	ck_assert(requirement_judge(r, &m, results));
	ck_assert_uint_eq(requirement_gaps(r, &m, results, start, gaps), 0);

	/* a month before without orders */
	m = (struct measures){.months = 3, .months_reached = 1};
	ck_assert(requirement_judge(r, &m, results));
	ck_assert_uint_eq(requirement_gaps(r, &m, results, start, gaps), 6);
	ck_assert(gaps[4].measure == MEASURE_MONTHLY_ORDER_GROWTH && gaps[4].gap == NEEDED_NONE);
}
END_TEST

CHECK_MAIN("rules_measures", growth_is_exact, what_growth_needs_never_wraps, a_month_that_has_not_begun_does_not_grow,
           all_and_any_say_what_their_names_say, growth_in_a_period_of_one_month_has_no_month_to_fail,
           gaps_leave_out_what_is_met)
