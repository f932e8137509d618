/* The rule, clause by clause, through the contract's request and answer. */
#include "tests/unit/rules_support.h"

#define RESULT "policies/0/"

static const char *reason(json_t *answer, size_t store)
{
	char path[64];

	(void)snprintf(path, sizeof path, RESULT "stores/%zu/reason", store);
	return text_at(answer, path);
}

static int64_t measure(json_t *answer, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof path, RESULT "measures/%s", name);
	return number(answer, path);
}

/* Ten new stores with these orders in April, May and June, all by the first store, and this GMV in all. */
static json_t *ten_stores(int64_t april, int64_t may, int64_t june, int64_t gmv_fen)
{
	json_t *request = trial_request("2023-06-30");

	add_stores(request, 10);
	json_t *first = look(request, "stores/0");
	add_day(first, "2023-04-03", april, 0);
	add_day(first, "2023-05-31", may, gmv_fen);
	add_day(first, "2023-06-30", june, 0);
	return request;
}

/* A request of one store, with this member replaced (JSON with ' for "; NULL: as it is). */
static json_t *one_store(const char *as_of, const char *path, const char *value)
{
	json_t *request = trial_request(as_of);

	add_stores(request, 1);
	if (path)
		put(request, path, json_of("%s", value));
	return request;
}

static json_t *bound(const char *as_of, const char *bindings)
{
	return one_store(as_of, "stores/0/bindings", bindings);
}

/* ---- the worked cases of the rule ---- */

START_TEST(worked_case_1_metric_1)
{
	json_t *answer = evaluated(ten_stores(0, 0, 0, 5000000));

	ck_assert_str_eq(text_at(answer, "outcome"), "met");
	ck_assert(is_true(answer, "final"));
	ck_assert_str_eq(text_at(answer, "stage"), "trial");
	ck_assert_str_eq(text_at(answer, "period/start"), "2023-04-01");
	ck_assert_str_eq(text_at(answer, "period/end"), "2023-06-30");
	ck_assert_str_eq(text_at(answer, "evaluated_on"), "2023-06-30");
	ck_assert_int_eq(measure(answer, "new_stores"), 10);
	ck_assert_int_eq(measure(answer, "new_store_gmv_fen"), 5000000);
	ck_assert_int_eq(measure(answer, "exam_passes"), 2);
	ck_assert(is_true(answer, RESULT "requirement/all/0/any/0/met"));
	ck_assert(!is_true(answer, RESULT "requirement/all/0/any/1/met"));

	answer = evaluated(ten_stores(0, 0, 0, 4999999));
	ck_assert_str_eq(text_at(answer, "outcome"), "not_met");
	ck_assert_int_eq(number(answer, RESULT "requirement/all/0/any/0/all/1/gap"), 1);
}
END_TEST

START_TEST(worked_case_1_the_next_period_needs_ten_more)
{
	json_t *request = ten_stores(0, 0, 0, 5000000);
	put(request, "stage", json_string("regular"));
	put(request, "period_start", json_string("2023-07-01"));
	put(request, "as_of", json_string("2023-09-30"));
	json_t *answer = evaluated(request);
	ck_assert_int_eq(measure(answer, "new_stores"), 0);
	ck_assert_str_eq(reason(answer, 0), "not_new_in_period");

	for (int i = 0; i < 10; i++) {
		json_t *store = store_of("", "2023-07-01");
		char id[16];

		(void)snprintf(id, sizeof id, "n-%d", i);
		put(store, "store_id", json_string(id));
		add_day(store, "2023-09-30", 0, 500000);
		json_array_append_new(look(request, "stores"), store);
	}
	answer = evaluated(request);
	ck_assert_int_eq(measure(answer, "new_stores"), 10);
	ck_assert_str_eq(text_at(answer, "outcome"), "met");
	ck_assert_uint_eq(json_array_size(look(answer, RESULT "stores")), 20);
}
END_TEST

START_TEST(worked_case_2_metric_2)
{
	json_t *answer = evaluated(ten_stores(10000, 11000, 12100, 0));
	json_t *growth = look(answer, RESULT "requirement/all/0/any/1/all/2");

	ck_assert_str_eq(text_at(answer, "outcome"), "met");
	ck_assert_str_eq(text_at(growth, "months/0/month"), "2023-05");
	ck_assert_int_eq(number(growth, "months/0/needed"), 11000);
	ck_assert_int_eq(number(growth, "months/1/needed"), 12100);
	ck_assert(is_true(growth, "met"));

	answer = evaluated(ten_stores(10000, 11000, 12099, 0));
	growth = look(answer, RESULT "requirement/all/0/any/1/all/2");
	ck_assert_str_eq(text_at(answer, "outcome"), "not_met");
	ck_assert(is_true(growth, "months/0/met"));
	ck_assert(!is_true(growth, "months/1/met"));
	ck_assert_str_eq(text_at(evaluated(ten_stores(9999, 11000, 12100, 0)), "outcome"), "not_met");
	ck_assert_str_eq(text_at(evaluated(ten_stores(10000, 10999, 12100, 0)), "outcome"), "not_met");
}
END_TEST

START_TEST(worked_case_3_regions)
{
	json_t *request = one_store("2023-06-30", "stores/0/registered_region", "'440100'");
	put(request, "stores/0/ship_from_regions", json_of("['440300', '420100']"));
	ck_assert_str_eq(reason(evaluated(request), 0), "null");
	put(request, "stores/0/ship_from_regions", json_of("['440100']"));
	ck_assert_str_eq(reason(evaluated(request), 0), "region_mismatch");
	put(request, "stores/0/ship_from_regions", json_array());
	ck_assert_str_eq(reason(evaluated(request), 0), "region_mismatch");
	put(request, "stores/0/registered_region", json_string("420000"));
	ck_assert_str_eq(reason(evaluated(request), 0), "null");
}
END_TEST

/* ---- thresholds, one below, and the gap ---- */

START_TEST(ten_stores_are_enough_and_nine_are_not)
{
	json_t *request = ten_stores(10000, 11000, 12100, 5000000);
	put(request, "stores/9", NULL);
	json_t *answer = evaluated(request);

	ck_assert_str_eq(text_at(answer, "outcome"), "not_met");
	ck_assert_int_eq(measure(answer, "new_stores"), 9);
	json_t *criterion = look(answer, RESULT "requirement/all/0/any/0/all/0");
	ck_assert_str_eq(text_at(criterion, "measure"), "new_stores");
	ck_assert_str_eq(text_at(criterion, "clause"), "3.2");
	ck_assert_int_eq(number(criterion, "at_least"), 10);
	ck_assert_int_eq(number(criterion, "measured"), 9);
	ck_assert_int_eq(number(criterion, "gap"), 1);
}
END_TEST

START_TEST(two_people_pass_the_exam_by_the_day)
{
	json_t *request = ten_stores(0, 0, 0, 5000000);
	static const struct {
		const char *passes;
		int persons;
	} cases[] = {
	        {"[]", 0},
	        {"[{'person_id': 'p-1', 'passed_on': '2023-04-20'}, {'person_id': 'p-1', 'passed_on': '2023-05-20'}]", 1},
	        {"[{'person_id': 'p-1', 'passed_on': '2023-04-20'}, {'person_id': 'p-2', 'passed_on': '2023-06-30'}]", 2},
	        {"[{'person_id': 'p-1', 'passed_on': '2023-04-20'}, {'person_id': 'p-2', 'passed_on': '2023-07-01'}]", 1},
	        {"[{'person_id': 'p-1', 'passed_on': '2020-01-01'}, {'person_id': 'P-1', 'passed_on': '2020-01-01'}]", 2},
	        {"[{'person_id': 'p-2', 'passed_on': '2023-07-01'}, {'person_id': 'p-1', 'passed_on': '2023-04-20'},"
	         " {'person_id': 'p-2', 'passed_on': '2023-06-30'}]",
	         2},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		put(request, "exam_passes", json_of("%s", cases[i].passes));
		json_t *answer = evaluated(request);
		ck_assert_msg(measure(answer, "exam_passes") == cases[i].persons, "%s", cases[i].passes);
		ck_assert_str_eq(text_at(answer, "outcome"), cases[i].persons >= 2 ? "met" : "not_met");
	}
	put(request, "stage", json_string("regular")); /* 3.3: no exam */
	put(request, "exam_passes", NULL);
	ck_assert_str_eq(text_at(evaluated(request), "outcome"), "met");
}
END_TEST

/* ---- the day of evaluation ---- */

START_TEST(the_evaluation_day_is_the_earlier_of_as_of_and_the_end)
{
	static const struct {
		const char *as_of, *evaluated_on;
		bool final;
	} cases[] = {
	        {"2023-04-01", "2023-04-01", false}, {"2023-06-29", "2023-06-29", false}, {"2023-06-30", "2023-06-30", true},
	        {"2023-07-01", "2023-06-30", true},  {"2024-01-01", "2023-06-30", true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *answer = evaluated(trial_request(cases[i].as_of));

		ck_assert_str_eq(text_at(answer, "as_of"), cases[i].as_of);
		ck_assert_str_eq(text_at(answer, "evaluated_on"), cases[i].evaluated_on);
		ck_assert(is_true(answer, "final") == cases[i].final);
	}
}
END_TEST

START_TEST(facts_after_the_evaluation_day_or_before_the_period_do_not_count)
{
	json_t *request = one_store("2023-05-10", NULL, NULL);
	json_t *store = look(request, "stores/0");

	put(store, "bindings/0/bound_on", json_string("2023-04-01"));
	add_day(store, "2023-03-31", 1, 10);
	add_day(store, "2023-04-01", 2, 20);
	add_day(store, "2023-05-10", 4, 40);
	add_day(store, "2023-05-11", 8, 80);
	json_t *answer = evaluated(request);
	ck_assert_int_eq(measure(answer, "monthly_orders/0"), 2);
	ck_assert_int_eq(measure(answer, "monthly_orders/1"), 4);
	ck_assert_int_eq(measure(answer, "monthly_orders/2"), 0);
	ck_assert_int_eq(measure(answer, "new_store_gmv_fen"), 60);
	ck_assert_int_eq(number(answer, RESULT "stores/0/gmv_fen"), 60);
	ck_assert_int_eq(number(answer, RESULT "stores/0/monthly_orders/1"), 4);
}
END_TEST

START_TEST(periods_have_the_policys_months)
{
	static const struct {
		const char *start;
		int months;
		const char *end;
	} cases[] = {
	        {"2023-04-01", 1, "2023-04-30"},  {"2023-12-01", 3, "2024-02-29"}, {"2022-12-01", 3, "2023-02-28"},
	        {"2023-04-01", 12, "2024-03-31"}, {"2024-01-01", 2, "2024-02-29"}, {"2023-03-01", 12, "2024-02-29"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *request = trial_request("2025-01-01");

		put(request, "policies/0/trial/months", json_integer(cases[i].months));
		put(request, "period_start", json_string(cases[i].start));
		json_t *answer = evaluated(request);
		ck_assert_str_eq(text_at(answer, "period/end"), cases[i].end);
		ck_assert_uint_eq(json_array_size(look(answer, RESULT "measures/monthly_orders")), (size_t)cases[i].months);
		ck_assert_uint_eq(json_array_size(look(answer, RESULT "requirement/all/0/any/1/all/2/months")),
		                  (size_t)cases[i].months - 1);
	}
}
END_TEST

/* ---- 3.4 store: category and region ---- */

START_TEST(a_store_matches_by_industry_or_by_category)
{
	static const struct {
		const char *industry, *category;
		bool matches;
	} cases[] = {
	        {"antiques_art", "antiques_art", true},
	        {"antiques_art", "porcelain", true},
	        {"home", "jade", true},
	        {"home", "antiques_art", false}, /* the provider's industry is not its main category */
	        {"jade", "home", false},
	        {"home", "porcelain", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *request = one_store("2023-06-30", "provider/main_category", "'jade'");

		put(request, "stores/0/industry", json_string(cases[i].industry));
		put(request, "stores/0/category", json_string(cases[i].category));
		add_day(look(request, "stores/0"), "2023-04-05", 5, 7);
		json_t *answer = evaluated(request);
		ck_assert_str_eq(reason(answer, 0), cases[i].matches ? "null" : "category_mismatch");
		ck_assert(is_true(answer, RESULT "stores/0/counted") == cases[i].matches);
		/* what does not match adds nothing anywhere */
		ck_assert_int_eq(measure(answer, "monthly_orders/0"), cases[i].matches ? 5 : 0);
		ck_assert_int_eq(number(answer, RESULT "stores/0/monthly_orders/0"), cases[i].matches ? 5 : 0);
		ck_assert_int_eq(number(answer, RESULT "stores/0/gmv_fen"), cases[i].matches ? 7 : 0);
	}
}
END_TEST

START_TEST(a_store_without_attributes_matches_nothing)
{
	json_t *request = trial_request("2023-06-30");

	put(request, "stores/0",
	    json_of("{'store_id': 's', 'unlisted': true, 'bindings': [{'by': 'self', 'bound_on': '2023-04-01'}],"
	            " 'days': [{'day': '2023-04-01', 'orders': 5, 'gmv_fen': 5}]}"));
	json_t *answer = evaluated(request);
	ck_assert_str_eq(reason(answer, 0), "category_mismatch");
	ck_assert_int_eq(measure(answer, "monthly_orders/0"), 0);
}
END_TEST

/* ---- new bindings ---- */

START_TEST(a_new_binding_begins_in_the_period)
{
	static const struct {
		const char *bound_on, *as_of, *reason;
	} cases[] = {
	        {"2023-03-31", "2023-06-30", "not_new_in_period"},
	        {"2023-04-01", "2023-06-30", "null"},
	        {"2023-06-30", "2023-06-30", "null"},
	        {"2023-07-01", "2023-07-31", "not_new_in_period"},
	        {"2023-05-10", "2023-05-10", "null"},
	        {"2023-05-11", "2023-05-10", "not_new_in_period"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *request = one_store(cases[i].as_of, NULL, NULL);

		put(request, "stores/0/bindings/0/bound_on", json_string(cases[i].bound_on));
		ck_assert_msg(strcmp(reason(evaluated(request), 0), cases[i].reason) == 0, "%s as of %s", cases[i].bound_on,
		              cases[i].as_of);
	}
}
END_TEST

/* An earlier binding disqualifies when it reached into the six months before: to the day. */
START_TEST(a_repeat_within_six_months_is_not_new)
{
	static const struct {
		const char *start, *earlier_from, *earlier_to, *bound_on, *reason;
	} cases[] = {
	        {"2023-04-01", "2022-01-01", "2022-10-03", "2023-04-03", "null"}, /* ended exactly six months before */
	        {"2023-04-01", "2022-01-01", "2022-10-04", "2023-04-03", "repeat_binding"},
	        {"2023-04-01", "2022-01-01", "2023-04-03", "2023-04-03", "repeat_binding"}, /* touching */
	        {"2023-08-01", "2022-01-01", "2023-02-28", "2023-08-31", "null"}, /* 31 Aug - 6 months = 28 Feb */
	        {"2023-08-01", "2022-01-01", "2023-03-01", "2023-08-31", "repeat_binding"},
	        {"2024-08-01", "2022-01-01", "2024-02-29", "2024-08-31", "null"}, /* a leap year: 29 Feb */
	        {"2024-08-01", "2022-01-01", "2024-03-01", "2024-08-31", "repeat_binding"},
	        {"2024-08-01", "2022-01-01", "2024-02-29", "2024-08-29", "null"},
	        {"2024-08-01", "2022-01-01", "2024-02-29", "2024-08-28", "repeat_binding"}, /* 28 Feb */
	        {"2023-08-01", "2022-01-01", "2023-02-28", "2023-08-28", "null"},
	        {"2023-04-01", "2022-10-10", "2022-10-10", "2023-04-10", "null"}, /* of no days, on the edge */
	        {"2023-04-01", "2022-10-11", "2022-10-11", "2023-04-10", "repeat_binding"}, /* taken literally */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *request = bound("2030-01-01", "[]");

		put(request, "period_start", json_string(cases[i].start));
		put(request, "stores/0/bindings",
		    json_of("[{'by': 'self', 'bound_on': '%s', 'unbound_on': null}, {'by': 'self', 'bound_on': '%s', "
		            "'unbound_on': '%s'}]",
		            cases[i].bound_on, cases[i].earlier_from, cases[i].earlier_to));
		ck_assert_msg(strcmp(reason(evaluated(request), 0), cases[i].reason) == 0, "case %zu: %s", i,
		              reason(evaluated(request), 0));
	}
}
END_TEST

START_TEST(any_earlier_binding_counts_not_only_the_last)
{
	/* the one before the last is the one that reached into the window */
	json_t *answer = evaluated(bound("2023-06-30", "[{'by': 'self', 'bound_on': '2023-01-05', 'unbound_on': '2023-01-06'},"
	                                               " {'by': 'self', 'bound_on': '2022-05-01', 'unbound_on': '2022-06-01'},"
	                                               " {'by': 'self', 'bound_on': '2023-05-01', 'unbound_on': null}]"));
	ck_assert_str_eq(reason(answer, 0), "repeat_binding");
}
END_TEST

START_TEST(bound_again_inside_the_period_counts_once)
{
	/* new in April, ended, bound again in June: the first is new, so the store is; and it is bound on the day */
	json_t *request = bound("2023-06-30", "[{'by': 'self', 'bound_on': '2023-04-03', 'unbound_on': '2023-05-01'},"
	                                      " {'by': 'self', 'bound_on': '2023-06-10', 'unbound_on': null}]");
	json_t *store = look(request, "stores/0");
	add_day(store, "2023-04-30", 1, 10);
	add_day(store, "2023-05-01", 2, 20); /* not bound: no orders, but the GMV of the period */
	add_day(store, "2023-06-09", 4, 40);
	add_day(store, "2023-06-10", 8, 80);
	json_t *answer = evaluated(request);
	ck_assert_str_eq(reason(answer, 0), "null");
	ck_assert_int_eq(measure(answer, "new_stores"), 1);
	ck_assert_int_eq(measure(answer, "new_store_gmv_fen"), 150);
	ck_assert_int_eq(measure(answer, "monthly_orders/0"), 1);
	ck_assert_int_eq(measure(answer, "monthly_orders/1"), 0);
	ck_assert_int_eq(measure(answer, "monthly_orders/2"), 8);

	put(request, "policies/0/counting/gmv_window", json_string("since_binding"));
	ck_assert_int_eq(measure(evaluated(request), "new_store_gmv_fen"), 90);
}
END_TEST

START_TEST(a_binding_of_no_days_is_taken_literally)
{
	/* it began in the period and is new, but the store is not bound on the day */
	json_t *request = bound("2023-06-30", "[{'by': 'self', 'bound_on': '2023-05-05', 'unbound_on': '2023-05-05'}]");
	add_day(look(request, "stores/0"), "2023-05-05", 3, 30);
	json_t *answer = evaluated(request);
	ck_assert_str_eq(reason(answer, 0), "not_bound_at_evaluation");
	ck_assert_int_eq(measure(answer, "monthly_orders/1"), 0);

	put(request, "policies/0/counting/require_bound_at_evaluation", json_false());
	answer = evaluated(request);
	ck_assert_str_eq(reason(answer, 0), "null");
	ck_assert_int_eq(measure(answer, "new_store_gmv_fen"), 30);
	put(request, "policies/0/counting/gmv_window", json_string("since_binding"));
	ck_assert_int_eq(measure(evaluated(request), "new_store_gmv_fen"), 0);
}
END_TEST

START_TEST(bindings_are_half_open)
{
	static const struct {
		const char *unbound_on, *reason;
		int64_t orders;
	} cases[] = {
	        {"2023-06-30", "not_bound_at_evaluation", 1},
	        {"2023-07-01", "null", 3},
	        {"2023-06-29", "not_bound_at_evaluation", 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *request = one_store("2023-06-30", "stores/0/bindings/0/bound_on", "'2023-06-29'");
		json_t *store = look(request, "stores/0");

		put(store, "bindings/0/unbound_on", json_string(cases[i].unbound_on));
		add_day(store, "2023-06-28", 8, 0);
		add_day(store, "2023-06-29", 1, 0);
		add_day(store, "2023-06-30", 2, 0);
		json_t *answer = evaluated(request);
		ck_assert_str_eq(reason(answer, 0), cases[i].reason);
		ck_assert_int_eq(measure(answer, "monthly_orders/2"), cases[i].orders);
	}
}
END_TEST

/* ---- the reasons, in the rule's order ---- */

START_TEST(the_first_reason_that_applies_is_given)
{
	/* everything is wrong; then one thing after the other is put right */
	json_t *request = bound("2023-06-30", "[{'by': 'self', 'bound_on': '2023-01-01', 'unbound_on': '2023-02-01'}]");
	json_t *store = look(request, "stores/0");

	put(store, "industry", json_string("home"));
	put(store, "category", json_string("home"));
	put(store, "registered_region", json_string("440100"));
	put(store, "ship_from_regions", json_array());
	put(store, "status", json_string("closing"));
	ck_assert_str_eq(reason(evaluated(request), 0), "category_mismatch");
	put(store, "category", json_string("antiques_art"));
	ck_assert_str_eq(reason(evaluated(request), 0), "region_mismatch");
	put(store, "ship_from_regions", json_of("['429004']"));
	ck_assert_str_eq(reason(evaluated(request), 0), "not_new_in_period");
	put(store, "bindings/1", json_of("{'by': 'self', 'bound_on': '2023-04-01', 'unbound_on': '2023-05-01'}"));
	ck_assert_str_eq(reason(evaluated(request), 0), "repeat_binding");
	put(store, "bindings/0/unbound_on", json_string("2023-01-01"));
	put(store, "bindings/0/bound_on", json_string("2022-01-01"));
	ck_assert_str_eq(reason(evaluated(request), 0), "repeat_binding");
	put(store, "bindings/0/unbound_on", json_string("2022-10-01"));
	ck_assert_str_eq(reason(evaluated(request), 0), "not_bound_at_evaluation");
	put(store, "bindings/1/unbound_on", json_null());
	ck_assert_str_eq(reason(evaluated(request), 0), "status_not_normal");
	put(store, "status", json_string("normal"));
	ck_assert_str_eq(reason(evaluated(request), 0), "null");
}
END_TEST

START_TEST(only_normal_stores_are_counted_but_orders_of_all_matching_ones)
{
	static const char *const others[] = {"suspended", "closing", "closed"};

	for (size_t i = 0; i < COUNT(others); i++) {
		json_t *request = one_store("2023-06-30", NULL, NULL);

		put(request, "stores/0/status", json_string(others[i]));
		add_day(look(request, "stores/0"), "2023-04-05", 5, 7);
		json_t *answer = evaluated(request);
		ck_assert_str_eq(reason(answer, 0), "status_not_normal");
		ck_assert_int_eq(measure(answer, "new_store_gmv_fen"), 0);
		ck_assert_int_eq(measure(answer, "monthly_orders/0"), 5);
		put(request, "policies/0/counting/store_statuses", json_of("['normal', '%s']", others[i]));
		ck_assert_str_eq(reason(evaluated(request), 0), "null");
	}
}
END_TEST

START_TEST(orders_of_old_stores_count_too)
{
	json_t *request = bound("2023-06-30", "[{'by': 'self', 'bound_on': '2020-01-01', 'unbound_on': '2023-04-02'}]");

	add_day(look(request, "stores/0"), "2023-04-01", 5, 7);
	add_day(look(request, "stores/0"), "2023-04-02", 6, 8);
	json_t *answer = evaluated(request);
	ck_assert_str_eq(reason(answer, 0), "not_new_in_period");
	ck_assert_int_eq(measure(answer, "monthly_orders/0"), 5);
	ck_assert_int_eq(measure(answer, "new_store_gmv_fen"), 0);
}
END_TEST

/* ---- the options of a policy ---- */

START_TEST(another_providers_bindings_count_only_in_scope_any)
{
	static const struct {
		const char *scope, *bindings, *reason;
	} cases[] = {
	        {"provider",
	         "[{'by': 'other', 'bound_on': '2023-01-01', 'unbound_on': '2023-04-01'}, {'by': 'self', 'bound_on': "
	         "'2023-04-01'}]",
	         "null"},
	        {"any",
	         "[{'by': 'other', 'bound_on': '2023-01-01', 'unbound_on': '2023-04-01'}, {'by': 'self', 'bound_on': "
	         "'2023-04-01'}]",
	         "repeat_binding"},
	        {"any",
	         "[{'by': 'other', 'bound_on': '2020-01-01', 'unbound_on': '2022-10-01'}, {'by': 'self', 'bound_on': "
	         "'2023-04-01'}]",
	         "null"},
	        {"any", "[{'by': 'other', 'bound_on': '2020-01-01'}, {'by': 'self', 'bound_on': '2023-04-01'}]",
	         "repeat_binding"},
	        {"any", "[{'by': 'other', 'bound_on': '2023-04-01'}, {'by': 'self', 'bound_on': '2023-04-01'}]",
	         "null"}, /* not earlier */
	        {"any", "[{'by': 'other', 'bound_on': '2023-04-02'}, {'by': 'self', 'bound_on': '2023-04-01'}]", "null"},
	        {"any", "[{'by': 'other', 'bound_on': '2023-04-01'}]",
	         "not_new_in_period"}, /* only one's own make a store new */
	        {"provider", "[{'by': 'other', 'bound_on': '2023-04-01'}]", "not_new_in_period"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *request = bound("2023-06-30", cases[i].bindings);

		put(request, "policies/0/counting/repeat_scope", json_string(cases[i].scope));
		add_day(look(request, "stores/0"), "2023-04-05", 5, 7);
		json_t *answer = evaluated(request);
		ck_assert_msg(strcmp(reason(answer, 0), cases[i].reason) == 0, "case %zu: %s", i, reason(answer, 0));
		/* another's binding makes no order ours */
		ck_assert_int_eq(measure(answer, "monthly_orders/0"),
		                 strcmp(cases[i].reason, "not_new_in_period") == 0 ? 0 : 5);
	}
}
END_TEST

START_TEST(the_repeat_window_is_the_policys)
{
	static const struct {
		int months;
		const char *reason;
	} cases[] = {
	        {0, "null"}, {1, "null"}, {2, "null"}, {3, "repeat_binding"}, {12, "repeat_binding"}, {120, "repeat_binding"}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *request = bound("2023-06-30", "[{'by': 'self', 'bound_on': '2022-06-01', 'unbound_on': '2023-02-03'},"
		                                      " {'by': 'self', 'bound_on': '2023-04-03'}]");

		put(request, "policies/0/counting/repeat_window_months", json_integer(cases[i].months));
		ck_assert_msg(strcmp(reason(evaluated(request), 0), cases[i].reason) == 0, "%d months", cases[i].months);
	}
}
END_TEST

START_TEST(with_two_new_bindings_gmv_counts_from_the_first)
{
	/* a year's period and no window: both bindings are new */
	json_t *request = bound("2024-03-31", "[{'by': 'self', 'bound_on': '2023-11-01', 'unbound_on': null},"
	                                      " {'by': 'self', 'bound_on': '2023-04-10', 'unbound_on': '2023-04-20'}]");
	json_t *store = look(request, "stores/0");
	put(request, "policies/0/trial/months", json_integer(12));
	put(request, "policies/0/counting/gmv_window", json_string("since_binding"));
	add_day(store, "2023-04-09", 0, 1);
	add_day(store, "2023-04-10", 0, 2);
	add_day(store, "2023-04-20", 0, 4);
	add_day(store, "2023-11-01", 0, 8);
	add_day(store, "2024-03-31", 0, 16);
	ck_assert_int_eq(measure(evaluated(request), "new_store_gmv_fen"), 26);
}
END_TEST

START_TEST(meeting_any_one_policy_is_enough)
{
	json_t *request = ten_stores(0, 0, 0, 5000000);
	json_t *stricter = example_policy();

	put(stricter, "version", json_string("2023-06-01"));
	put(stricter, "trial/requires", json_of("{'measure': 'new_stores', 'at_least': 11, 'clause': '3.2'}"));
	put(request, "policies/1", stricter);
	json_t *answer = evaluated(request);
	ck_assert_str_eq(text_at(answer, "outcome"), "met");
	ck_assert_str_eq(text_at(answer, "policies/0/outcome"), "met");
	ck_assert_str_eq(text_at(answer, "policies/1/outcome"), "not_met");
	ck_assert_str_eq(text_at(answer, "policies/1/policy"), "antiques-art@2023-06-01");

	put(request, "policies/0/trial/requires", json_of("{'measure': 'exam_passes', 'at_least': 3, 'clause': '3.2'}"));
	ck_assert_str_eq(text_at(evaluated(request), "outcome"), "not_met");
	put(stricter, "trial/requires/at_least", json_integer(10));
	ck_assert_str_eq(text_at(evaluated(request), "outcome"), "met");
}
END_TEST

/* ---- growth as months go by ---- */

START_TEST(a_first_month_without_orders_never_grows)
{
	json_t *answer = evaluated(ten_stores(0, 100, 110, 0));
	json_t *growth = look(answer, RESULT "requirement/all/0/any/1/all/2");

	ck_assert(json_is_null(look(growth, "months/0/needed")));
	ck_assert(!is_true(growth, "months/0/met"));
	ck_assert(is_true(growth, "months/1/met"));
	ck_assert(!is_true(growth, "met"));
}
END_TEST

START_TEST(a_month_that_has_not_begun_is_not_met)
{
	/* with no growth asked for, nothing sold would do in May - once May has begun */
	json_t *request = ten_stores(1, 0, 0, 0);
	put(request, "policies/0/trial/requires",
	    json_of("{'measure': 'monthly_order_growth', 'at_least_bps': 0, 'clause': '3.4'}"));
	put(request, "stores/0/days", json_array());
	add_day(look(request, "stores/0"), "2023-04-03", 1, 0);
	add_day(look(request, "stores/0"), "2023-05-01", 1, 0);
	add_day(look(request, "stores/0"), "2023-06-01", 1, 0);
	static const struct {
		const char *as_of;
		bool may, june;
	} cases[] = {{"2023-04-30", false, false},
	             {"2023-05-01", true, false},
	             {"2023-05-31", true, false},
	             {"2023-06-01", true, true}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		put(request, "as_of", json_string(cases[i].as_of));
		json_t *answer = evaluated(request);
		ck_assert(is_true(answer, RESULT "requirement/months/0/met") == cases[i].may);
		ck_assert(is_true(answer, RESULT "requirement/months/1/met") == cases[i].june);
		ck_assert(is_true(answer, RESULT "requirement/met") == (cases[i].may && cases[i].june));
	}
}
END_TEST

/* ---- large figures ---- */

START_TEST(figures_near_2_to_the_53rd_are_exact)
{
	json_t *answer = evaluated(ten_stores(FIGURE_MAX, FIGURE_MAX, FIGURE_MAX, FIGURE_MAX));
	ck_assert_int_eq(measure(answer, "monthly_orders/0"), 9007199254740991);
	ck_assert_int_eq(number(answer, RESULT "requirement/all/0/any/1/all/2/months/0/needed"), 9907919180215091);

	/* sums beyond 2^53, odd ones too */
	json_t *request = one_store("2023-06-30", NULL, NULL);
	add_day(look(request, "stores/0"), "2023-04-03", FIGURE_MAX, FIGURE_MAX);
	add_day(look(request, "stores/0"), "2023-04-04", FIGURE_MAX, FIGURE_MAX);
	add_day(look(request, "stores/0"), "2023-04-05", 1, 3);
	answer = evaluated(request);
	ck_assert_int_eq(measure(answer, "monthly_orders/0"), 18014398509481983);
	ck_assert_int_eq(measure(answer, "new_store_gmv_fen"), 18014398509481985);
}
END_TEST

/* n stores, each with a whole month of the most. */
static json_t *most(int n)
{
	json_t *request = trial_request("2023-06-30");

	add_stores(request, n);
	for (int i = 0; i < n; i++) {
		json_t *store = json_array_get(look(request, "stores"), (size_t)i);

		put(store, "bindings/0/bound_on", json_string("2023-04-01"));
		put(store, "months",
		    json_of("[{'month': '2023-04', 'orders': 279223176896970721, 'gmv_fen': 279223176896970721}]"));
	}
	return request;
}

START_TEST(a_sum_past_2_to_the_63rd_is_refused_never_wrapped)
{
	static const char *const trees[] = {"{'measure': 'new_stores', 'at_least': 1, 'clause': '3.2'}",
	                                    "{'measure': 'monthly_order_growth', 'at_least_bps': 1000, 'clause': '3.4'}"};

	for (int n = 30; n <= 34; n++) {
		for (size_t t = 0; t < COUNT(trees); t++) {
			json_t *request = most(n);
			put(request, "policies/0/trial/requires", json_of("%s", trees[t]));
			struct evaluation_request *r = request_of(request);
			struct faults faults = {0};
			struct evaluation e;
			/* 33 x 31 x (2^53 - 1) < 2^63 - 1 < 34 x 31 x (2^53 - 1); a tenth more already at 31 */
			bool fits = t == 0 ? n <= 33 : n <= 30;
			ck_assert_msg(evaluation_run(evaluation_request_input(r), &e, &faults) == fits, "%d stores", n);
			ck_assert_str_eq(faults_text(&faults), fits ? "" : "number_out_of_range /stores");
			if (fits) {
				ck_assert_int_eq(e.policies[0].measures.monthly_orders[0], n * INT64_C(279223176896970721));
				ck_assert_int_eq(e.policies[0].measures.new_store_gmv_fen, n * INT64_C(279223176896970721));
				evaluation_free(&e);
			}
			faults_free(&faults);
		}
	}
}
END_TEST

/* ---- what cannot be evaluated ---- */

START_TEST(an_input_that_is_none_is_refused)
{
	struct evaluation_request *r = request_of(trial_request("2023-06-30"));
	struct evaluation_input in = *evaluation_request_input(r);
	struct evaluation e;

	in.as_of = in.start - 1;
	ck_assert_int_eq(evaluate(&in, &e), EVALUATION_INVALID);
	in.as_of = in.start;
	ck_assert_int_eq(evaluate(&in, &e), EVALUATION_OK);
	evaluation_free(&e);
	in.start++;
	in.as_of++;
	ck_assert_int_eq(evaluate(&in, &e), EVALUATION_INVALID);
	in.start--;
	in.policy_count = 0;
	ck_assert_int_eq(evaluate(&in, &e), EVALUATION_INVALID);

	json_t *shorter = example_policy();
	put(shorter, "trial/months", json_integer(2));
	const struct policy *const both[] = {policy_of(example_policy()), policy_of(shorter)};
	in.policies = both;
	in.policy_count = 2;
	ck_assert_int_eq(evaluate(&in, &e), EVALUATION_INVALID);
	in.policy_count = 1;
	ck_assert_int_eq(evaluate(&in, &e), EVALUATION_OK);
	evaluation_free(&e);
}
END_TEST

/* Plain structs may hold more than a request may: one store's sum is watched as well. */
START_TEST(one_stores_sum_is_watched_too)
{
	json_t *request = one_store("2023-06-30", NULL, NULL);
	struct evaluation_input in = *evaluation_request_input(request_of(request));
	struct evaluation_store store = in.stores[0];
	struct day_fact days[] = {
	        {day_at("2023-04-10"), INT64_MAX, 0}, {day_at("2023-04-11"), 0, INT64_MAX}, {day_at("2023-04-12"), 0, 0}};
	struct evaluation e;

	store.days = days;
	store.day_count = COUNT(days);
	in.stores = &store;
	ck_assert_int_eq(evaluate(&in, &e), EVALUATION_OUT_OF_RANGE); /* what growth needs */
	json_t *policy = example_policy();
	put(policy, "trial/requires", json_of("{'measure': 'new_stores', 'at_least': 1, 'clause': '3.2'}"));
	const struct policy *const list[] = {policy_of(policy)};
	in.policies = list;
	ck_assert_int_eq(evaluate(&in, &e), EVALUATION_OK);
	ck_assert_int_eq(e.policies[0].measures.new_store_gmv_fen, INT64_MAX);
	evaluation_free(&e);
	days[2].orders = 1;
	ck_assert_int_eq(evaluate(&in, &e), EVALUATION_OUT_OF_RANGE);
	days[2].orders = 0;
	days[2].gmv_fen = 1;
	ck_assert_int_eq(evaluate(&in, &e), EVALUATION_OUT_OF_RANGE);
}
END_TEST

CHECK_MAIN("rules_evaluation", worked_case_1_metric_1, worked_case_1_the_next_period_needs_ten_more, worked_case_2_metric_2,
           worked_case_3_regions, ten_stores_are_enough_and_nine_are_not, two_people_pass_the_exam_by_the_day,
           the_evaluation_day_is_the_earlier_of_as_of_and_the_end,
           facts_after_the_evaluation_day_or_before_the_period_do_not_count, periods_have_the_policys_months,
           a_store_matches_by_industry_or_by_category, a_store_without_attributes_matches_nothing,
           a_new_binding_begins_in_the_period, a_repeat_within_six_months_is_not_new,
           any_earlier_binding_counts_not_only_the_last, bound_again_inside_the_period_counts_once,
           a_binding_of_no_days_is_taken_literally, bindings_are_half_open, the_first_reason_that_applies_is_given,
           only_normal_stores_are_counted_but_orders_of_all_matching_ones, orders_of_old_stores_count_too,
           another_providers_bindings_count_only_in_scope_any, the_repeat_window_is_the_policys,
           with_two_new_bindings_gmv_counts_from_the_first, meeting_any_one_policy_is_enough,
           a_first_month_without_orders_never_grows, a_month_that_has_not_begun_is_not_met,
           figures_near_2_to_the_53rd_are_exact, a_sum_past_2_to_the_63rd_is_refused_never_wrapped,
           an_input_that_is_none_is_refused, one_stores_sum_is_watched_too)
