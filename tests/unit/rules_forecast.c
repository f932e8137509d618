/* The forecast, by worked examples: each figure here was computed by hand. The trial is 2023-04-01 to 2023-06-30, 91 days (30, 31,
 * 30). */
#include "model/rules/forecast.h"
#include "tests/unit/rules_support.h"

#define NEW_STORES "{'measure': 'new_stores', 'at_least': 10, 'clause': '3.2'}"
#define GMV "{'measure': 'new_store_gmv_fen', 'at_least': 5000000, 'clause': '3.2'}"
#define FIRST_MONTH "{'measure': 'first_month_orders', 'at_least': 10000, 'clause': '3.2'}"
#define GROWTH "{'measure': 'monthly_order_growth', 'at_least_bps': 1000, 'clause': '3.4'}"
#define EXAM "{'measure': 'exam_passes', 'at_least': 2, 'clause': '3.2'}"

struct known {
	const char *requires, *as_of;
	int stores, persons;
	int64_t orders[3]; /* of one of the stores, on the 3rd, 1st and 1st of the months */
	int64_t gmv_fen; /* of it, on 2023-04-03 */
};

static struct forecast forecast_of(const struct known *k)
{
	static const char *const on[] = {"2023-04-03", "2023-05-01", "2023-06-01"};
	json_t *request = trial_request(k->as_of);
	struct evaluation e;
	struct faults faults = {0};
	struct forecast f;

	put(request, "policies/0/trial/requires", json_of("%s", k->requires));
	put(request, "exam_passes", json_of("[]"));
	for (int i = 0; i < k->persons; i++)
		put(request, i ? "exam_passes/1" : "exam_passes/0",
		    json_of("{'person_id': 'p-%d', 'passed_on': '2023-04-01'}", i));
	add_stores(request, k->stores);
	for (size_t m = 0; k->stores && m < COUNT(on); m++)
		add_day(look(request, "stores/0"), on[m], k->orders[m], m ? 0 : k->gmv_fen);
	ck_assert(evaluation_run(evaluation_request_input(request_of(request)), &e, &faults));
	forecast_make(&e, &f);
	evaluation_free(&e);
	return f;
}

START_TEST(one_criterion)
{
	static const struct {
		struct known known;
		enum pace pace;
		int64_t needed, projected, missing;
		int bps;
		const char *by, *month; /* NULL: none */
	} cases[] = {
	        /* 45 of 91 days: 4 x 91 / 45 = 8.09; 5 x 91 / 45 = 10.1 */
	        {{NEW_STORES, "2023-05-15", 4, 0, {0}, 0}, PACE_SHORT, 10, 8, 6, 2000, "2023-06-30", NULL},
	        {{NEW_STORES, "2023-05-15", 5, 0, {0}, 0}, PACE_MET, 10, 10, 5, 0, "2023-06-30", NULL},
	        /* the first day: 1 x 91; nothing yet */
	        {{NEW_STORES, "2023-04-01", 0, 0, {0}, 0}, PACE_SHORT, 10, 0, 10, 10000, "2023-06-30", NULL},
	        /* the last day but one: 9 x 91 / 90 = 9.1; the last: what there is */
	        {{NEW_STORES, "2023-06-29", 9, 0, {0}, 0}, PACE_SHORT, 10, 9, 1, 1000, "2023-06-30", NULL},
	        {{NEW_STORES, "2023-06-30", 9, 0, {0}, 0}, PACE_SHORT, 10, 9, 1, 1000, "2023-06-30", NULL},
	        {{NEW_STORES, "2023-06-30", 10, 0, {0}, 0}, PACE_MET, 10, 10, 0, 0, "2023-06-30", NULL},
	        /* 30 of 91 days: 1,648,351 x 91 / 30 = 4,999,998.03; one fen more is 5,000,001.07 */
	        {{GMV, "2023-04-30", 1, 0, {0}, 1648351}, PACE_SHORT, 5000000, 4999998, 3351649, 1, "2023-06-30", NULL},
	        {{GMV, "2023-04-30", 1, 0, {0}, 1648352}, PACE_MET, 5000000, 5000001, 3351648, 0, "2023-06-30", NULL},
	        /* 10 of 30 days: 3,333 x 3 = 9,999; once the month is over, what it had */
	        {{FIRST_MONTH, "2023-04-10", 1, 0, {3333}, 0}, PACE_SHORT, 10000, 9999, 6667, 1, "2023-04-30", NULL},
	        {{FIRST_MONTH, "2023-04-10", 1, 0, {3334}, 0}, PACE_MET, 10000, 10002, 6666, 0, "2023-04-30", NULL},
	        {{FIRST_MONTH, "2023-04-30", 1, 0, {9999}, 0}, PACE_SHORT, 10000, 9999, 1, 1, "2023-04-30", NULL},
	        {{FIRST_MONTH, "2023-06-15", 1, 0, {9999}, 0}, PACE_SHORT, 10000, 9999, 1, 1, "2023-04-30", NULL},
	        {{FIRST_MONTH, "2023-06-15", 1, 0, {10000}, 0}, PACE_MET, 10000, 10000, 0, 0, "2023-04-30", NULL},
	        /* nobody passes at a pace */
	        {{EXAM, "2023-04-10", 0, 1, {0}, 0}, PACE_SHORT, 2, 1, 1, 5000, "2023-06-30", NULL},
	        {{EXAM, "2023-04-10", 0, 2, {0}, 0}, PACE_MET, 2, 2, 0, 0, "2023-06-30", NULL},
	        /* growth: in the first month nothing can be said, up to its last day */
	        {{GROWTH, "2023-04-01", 1, 0, {0}, 0}, PACE_OPEN, -1, -1, -1, 0, "2023-05-31", "2023-05"},
	        {{GROWTH, "2023-04-30", 1, 0, {10000}, 0}, PACE_OPEN, -1, -1, -1, 0, "2023-05-31", "2023-05"},
	        /* May 10th of 31 days: 11,000 are needed; 3,548 x 3.1 = 10,998.8 (2 of 11,000: 1.8 bps), 3,549 x 3.1 = 11,001.9 */
	        {{GROWTH, "2023-05-10", 1, 0, {10000, 3548}, 0}, PACE_SHORT, 11000, 10998, 7452, 2, "2023-05-31", "2023-05"},
	        {{GROWTH, "2023-05-10", 1, 0, {10000, 3549}, 0}, PACE_OPEN, 11000, 11001, 7451, 0, "2023-05-31", "2023-05"},
	        /* the first of a month: 300 x 30 = 9,000 of the 12,100 that 11,000 in May need; 404 x 30 = 12,120 */
	        {{GROWTH, "2023-06-01", 1, 0, {10000, 11000, 300}, 0},
	         PACE_SHORT,
	         12100,
	         9000,
	         11800,
	         2562,
	         "2023-06-30",
	         "2023-06"},
	        {{GROWTH, "2023-06-01", 1, 0, {10000, 11000, 404}, 0},
	         PACE_MET,
	         12100,
	         12120,
	         11696,
	         0,
	         "2023-06-30",
	         "2023-06"},
	        /* May missed it: June cannot mend that */
	        {{GROWTH, "2023-06-20", 1, 0, {10000, 10999, 99999}, 0},
	         PACE_SHORT,
	         11000,
	         10999,
	         1,
	         1,
	         "2023-05-31",
	         "2023-05"},
	        /* a month without orders: nothing grows over it */
	        {{GROWTH, "2023-05-02", 1, 0, {0, 7}, 0}, PACE_SHORT, -1, 108, -1, 10000, "2023-05-31", "2023-05"},
	        {{GROWTH, "2023-06-02", 1, 0, {10, 0, 7}, 0}, PACE_SHORT, 11, 0, 11, 10000, "2023-05-31", "2023-05"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct forecast f = forecast_of(&cases[i].known);
		const struct forecast_criterion *c = &f.criteria[0];

		ck_assert_uint_eq(f.count, 1);
		ck_assert_msg(c->pace == cases[i].pace && f.pace == c->pace, "case %zu: pace %d", i, (int)c->pace);
		ck_assert_msg(c->needed == cases[i].needed && c->projected == cases[i].projected &&
		                      c->missing == cases[i].missing && c->missing_bps == cases[i].bps &&
		                      f.missing_bps == cases[i].bps,
		              "case %zu: needed %lld, projected %lld, missing %lld, %d bps", i, (long long)c->needed,
		              (long long)c->projected, (long long)c->missing, (int)c->missing_bps);
		ck_assert_int_eq(c->by, day_at(cases[i].by));
		ck_assert_int_eq(c->month, cases[i].month ? day_month_start(day_at(cases[i].by)) : DAY_NONE);
	}
}
END_TEST

/* A branch is as far off as the worst of all-of, the whole as the best of any-of; what cannot be said yet is not held against it. */
START_TEST(a_tree)
{
	static const struct {
		const char *requires;
		enum pace pace;
		int bps;
	} cases[] = {
	        /* on May 15th: 4 stores, 20 % short; GMV 1,000,000 x 91 / 45 = 2,022,222, 59.56 % short; exams half; growth open */
	        {"{'all': [" NEW_STORES ", " GMV "]}", PACE_SHORT, 5956},
	        {"{'any': [" NEW_STORES ", " GMV "]}", PACE_SHORT, 2000},
	        {"{'any': [{'all': [" NEW_STORES ", " GMV "]}, " EXAM "]}", PACE_SHORT, 5000},
	        {"{'all': [" NEW_STORES ", " GROWTH "]}", PACE_SHORT, 2000},
	        {"{'any': [" NEW_STORES ", " GROWTH "]}", PACE_OPEN, 0},
	        {"{'all': [" FIRST_MONTH ", " GROWTH "]}", PACE_OPEN, 0},
	        {"{'any': [" FIRST_MONTH ", " GROWTH "]}", PACE_MET, 0},
	        {"{'all': [" FIRST_MONTH "]}", PACE_MET, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		/* May: 10,000 in 15 of 31 days go on to 20,666 */
		const struct known known = {cases[i].requires, "2023-05-15", 4, 1, {10000, 10000, 0}, 1000000};
		struct forecast f = forecast_of(&known);

		ck_assert_msg(f.pace == cases[i].pace && f.missing_bps == cases[i].bps, "case %zu: pace %d, %d bps", i,
		              (int)f.pace, (int)f.missing_bps);
	}
}
END_TEST

START_TEST(of_several_policies_the_nearest)
{
	json_t *request = trial_request("2023-05-15");
	struct evaluation e;
	struct faults faults = {0};
	struct forecast f;

	put(request, "policies/0/trial/requires", json_of(NEW_STORES));
	put(request, "policies/1", json_deep_copy(look(request, "policies/0")));
	put(request, "policies/1/version", json_string("later"));
	put(request, "policies/1/trial/requires/at_least", json_integer(9));
	add_stores(request, 4);
	ck_assert(evaluation_run(evaluation_request_input(request_of(request)), &e, &faults));
	forecast_make(&e, &f);
	ck_assert_str_eq(f.policy->version, "later");
	ck_assert_int_eq(f.missing_bps, 1112); /* 1 of 9, rounded up */
	evaluation_free(&e);
}
END_TEST

START_TEST(as_json)
{
	const struct known known = {"{'any': [{'name': 'metric_1', 'all': [" NEW_STORES
	                            "]}, {'name': 'metric_2', 'all': [" GROWTH "]}]}",
	                            "2023-05-10",
	                            4,
	                            0,
	                            {10000, 3548},
	                            0};
	struct forecast f = forecast_of(&known);
	struct buf out = BUF_INIT(10000);

	forecast_json(&out, &f);
	ck_assert_str_eq(
	        out.data,
	        "{\"as_of\":\"2023-05-10\",\"policy\":\"antiques-art@2023-04-26\",\"met\":false,\"missing_bps\":2,\"criteria\":"
	        "["
	        "{\"measure\":\"new_stores\",\"clause\":\"3.2\",\"alternative\":\"metric_1\",\"month\":null,\"by\":\"2023-06-"
	        "30\","
	        "\"needed\":10,\"projected\":9,\"missing\":6,\"met\":false,\"missing_bps\":1000},"
	        "{\"measure\":\"monthly_order_growth\",\"clause\":\"3.4\",\"alternative\":\"metric_2\",\"month\":\"2023-05\","
	        "\"by\":\"2023-05-31\",\"needed\":11000,\"projected\":10998,\"missing\":7452,\"met\":false,\"missing_bps\":2}]"
	        "}");
	buf_free(&out);
}
END_TEST

CHECK_MAIN("rules/forecast", one_criterion, a_tree, of_several_policies_the_nearest, as_json)
