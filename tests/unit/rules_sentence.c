/* The sentences of a decision's document: every kind of criterion, met and not met, in both languages. They are part of the format
 * assay-decision/1: what is written here never changes. */
#include "model/rules/sentence.h"
#include "tests/unit/rules_support.h"

/* A policy whose trial has `months` months and requires one criterion. */
static json_t *policy_requiring(const char *criterion, int months)
{
	json_t *policy = example_policy();

	put(policy, "trial/months", json_integer(months));
	put(policy, "trial/requires", json_of("%s", criterion));
	return policy;
}

struct asked {
	const char *criterion;
	int months, stores, persons;
	const char *as_of;
	int64_t orders[3]; /* of the first store, on the 5th of each month */
	int64_t gmv_fen; /* of the first store, in the first month */
};

static json_t *request_of_case(const struct asked *a)
{
	static const char *const fifths[] = {"2023-04-05", "2023-05-05", "2023-06-05"};
	json_t *request = trial_request(a->as_of);

	put(request, "policies/0", policy_requiring(a->criterion, a->months));
	put(request, "exam_passes", json_of("[]"));
	for (int i = 0; i < a->persons; i++)
		put(request, i ? "exam_passes/1" : "exam_passes/0",
		    json_of("{'person_id': 'p-%d', 'passed_on': '2023-04-01'}", i));
	add_stores(request, a->stores);
	for (size_t k = 0; a->stores && k < COUNT(fifths); k++)
		add_day(look(request, "stores/0"), fifths[k], a->orders[k], k ? 0 : a->gmv_fen);
	return request;
}

static const char *said(const struct asked *a, enum lang lang, bool whole)
{
	struct evaluation_request *request = request_of(request_of_case(a));
	struct evaluation e;
	struct faults faults = {0};
	struct buf out = BUF_INIT(4096);

	ck_assert(evaluation_run(evaluation_request_input(request), &e, &faults));
	if (whole)
		sentence_of_evaluation(&out, &e, lang);
	else
		sentence_of_criterion(&out, &e, &e.policies[0], 0, lang);
	ck_assert(!out.failed);
	evaluation_free(&e);
	return kept(buf_take(&out));
}

#define NEW_STORES "{'measure': 'new_stores', 'at_least': 3, 'clause': '3.2'}"
#define GMV "{'measure': 'new_store_gmv_fen', 'at_least': 5000000, 'clause': '3.3'}"
#define FIRST_MONTH "{'measure': 'first_month_orders', 'at_least': 10000, 'clause': '3.2'}"
#define GROWTH "{'measure': 'monthly_order_growth', 'at_least_bps': %s, 'clause': '3.4'}"
#define GROWTH_10 "{'measure': 'monthly_order_growth', 'at_least_bps': 1000, 'clause': '3.4'}"
#define EXAM "{'measure': 'exam_passes', 'at_least': 2, 'clause': '3.2'}"

START_TEST(every_criterion_met_and_not_met)
{
	static const struct {
		struct asked asked;
		const char *en, *zh;
	} cases[] = {
	        {{NEW_STORES, 3, 3, 0, "2023-06-30", {0}, 0},
	         "New stores: 3; clause 3.2 asks for at least 3: met.",
	         "新增店铺:3 家;条款 3.2 要求至少 3 家:已达标。"},
	        {{NEW_STORES, 3, 1, 0, "2023-06-30", {0}, 0},
	         "New stores: 1; clause 3.2 asks for at least 3: not met, 2 missing.",
	         "新增店铺:1 家;条款 3.2 要求至少 3 家:未达标,还差 2 家。"},
	        {{GMV, 3, 1, 0, "2023-06-30", {0}, 5000000},
	         "GMV of the new stores: 50,000.00 CNY; clause 3.3 asks for at least 50,000.00 CNY: met.",
	         "新增店铺 GMV:50,000.00 元;条款 3.3 要求至少 50,000.00 元:已达标。"},
	        {{GMV, 3, 1, 0, "2023-06-30", {0}, 4999999},
	         "GMV of the new stores: 49,999.99 CNY; clause 3.3 asks for at least 50,000.00 CNY: not met, 0.01 CNY missing.",
	         "新增店铺 GMV:49,999.99 元;条款 3.3 要求至少 50,000.00 元:未达标,还差 0.01 元。"},
	        {{FIRST_MONTH, 3, 1, 0, "2023-06-30", {10000}, 0},
	         "Orders in the first month (2023-04): 10000; clause 3.2 asks for at least 10000: met.",
	         "首月订单(2023-04):10000 单;条款 3.2 要求至少 10000 单:已达标。"},
	        {{FIRST_MONTH, 3, 1, 0, "2023-06-30", {9999}, 0},
	         "Orders in the first month (2023-04): 9999; clause 3.2 asks for at least 10000: not met, 1 missing.",
	         "首月订单(2023-04):9999 单;条款 3.2 要求至少 10000 单:未达标,还差 1 单。"},
	        {{EXAM, 3, 0, 2, "2023-06-30", {0}, 0},
	         "People who passed the exam: 2; clause 3.2 asks for at least 2: met.",
	         "通过考试人数:2 人;条款 3.2 要求至少 2 人:已达标。"},
	        {{EXAM, 3, 0, 1, "2023-06-30", {0}, 0},
	         "People who passed the exam: 1; clause 3.2 asks for at least 2: not met, 1 missing.",
	         "通过考试人数:1 人;条款 3.2 要求至少 2 人:未达标,还差 1 人。"},
	        {{GROWTH_10, 3, 1, 0, "2023-06-30", {10000, 11000, 12100}, 0},
	         "Orders month by month; clause 3.4 asks of each month at least 10 % more than the month before: 2023-05 has "
	         "11000 of the"
	         " 11000 needed, 2023-06 has 12100 of the 12100 needed: met.",
	         "逐月订单;条款 3.4 要求每月较上月至少增长 10%:2023-05 为 11000 单(需 11000 单),2023-06 为 12100 单(需 12100 "
	         "单):已达标。"},
	        {{GROWTH_10, 3, 1, 0, "2023-06-30", {10000, 11000, 12099}, 0},
	         "Orders month by month; clause 3.4 asks of each month at least 10 % more than the month before: 2023-05 has "
	         "11000 of the"
	         " 11000 needed, 2023-06 has 12099 of the 12100 needed: not met, 2023-06 lacks 1.",
	         "逐月订单;条款 3.4 要求每月较上月至少增长 10%:2023-05 为 11000 单(需 11000 单),2023-06 为 12099 单(需 12100 "
	         "单)"
	         ":未达标,2023-06 还差 1 单。"},
	        {{GROWTH_10, 3, 1, 0, "2023-05-31", {10000, 11000, 0}, 0},
	         "Orders month by month; clause 3.4 asks of each month at least 10 % more than the month before: 2023-05 has "
	         "11000 of the"
	         " 11000 needed, 2023-06 has not begun: not met, 2023-06 lacks 12100.",
	         "逐月订单;条款 3.4 要求每月较上月至少增长 10%:2023-05 为 11000 单(需 11000 单),2023-06 尚未开始"
	         ":未达标,2023-06 还差 12100 单。"},
	        {{GROWTH_10, 3, 1, 0, "2023-06-30", {0, 5, 6}, 0},
	         "Orders month by month; clause 3.4 asks of each month at least 10 % more than the month before: 2023-05 has 5 "
	         "after a"
	         " month without orders, 2023-06 has 6 of the 6 needed: not met, as 2023-05 cannot grow over a month without "
	         "orders.",
	         "逐月订单;条款 3.4 要求每月较上月至少增长 10%:2023-05 为 5 单,其上月没有订单,2023-06 为 6 单(需 6 单)"
	         ":未达标,2023-05 的上月没有订单,无从增长。"},
	        {{GROWTH_10, 1, 1, 0, "2023-04-30", {0}, 0},
	         "Orders month by month; clause 3.4 asks of each month at least 10 % more than the month before: met.",
	         "逐月订单;条款 3.4 要求每月较上月至少增长 10%:已达标。"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ck_assert_str_eq(said(&cases[i].asked, LANG_EN, false), cases[i].en);
		ck_assert_str_eq(said(&cases[i].asked, LANG_ZH, false), cases[i].zh);
	}
}
END_TEST

START_TEST(basis_points_in_percent)
{
	static const struct {
		const char *bps, *percent;
	} cases[] = {{"0", " 0 %"},       {"1", " 0.01 %"},     {"10", " 0.1 %"},
	             {"1050", " 10.5 %"}, {"1234", " 12.34 %"}, {"1000000", " 10000 %"}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char criterion[200];

		(void)snprintf(criterion, sizeof criterion, GROWTH, cases[i].bps);
		const struct asked a = {criterion, 3, 0, 0, "2023-06-30", {0}, 0};
		ck_assert_msg(strstr(said(&a, LANG_EN, false), cases[i].percent) != NULL, "%s", said(&a, LANG_EN, false));
	}
}
END_TEST

START_TEST(the_whole)
{
	const struct asked met = {NEW_STORES, 3, 3, 0, "2023-07-02", {0}, 0};
	const struct asked so_far = {NEW_STORES, 3, 1, 0, "2023-05-02", {0}, 0};

	ck_assert_str_eq(said(&met, LANG_EN, true),
	                 "Trial from 2023-04-01 to 2023-06-30, judged as of 2023-06-30 under antiques-art@2023-04-26: met.");
	ck_assert_str_eq(said(&met, LANG_ZH, true),
	                 "试跑(2023-04-01 至 2023-06-30),截至 2023-06-30 按规则 antiques-art@2023-04-26 评估:已达标。");
	ck_assert_str_eq(
	        said(&so_far, LANG_EN, true),
	        "Trial from 2023-04-01 to 2023-06-30, judged as of 2023-05-02 under antiques-art@2023-04-26: not met so far.");
	ck_assert_str_eq(said(&so_far, LANG_ZH, true),
	                 "试跑(2023-04-01 至 2023-06-30),截至 2023-05-02 按规则 antiques-art@2023-04-26 评估:目前未达标。");
}
END_TEST

CHECK_MAIN("rules/sentence", every_criterion_met_and_not_met, basis_points_in_percent, the_whole)
