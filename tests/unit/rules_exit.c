#include "tests/unit/rules_support.h"

#include "model/rules/exit.h"

enum { ROOM = 8 };

static const char *const deductions[] = {"ent_1", "ent_2"};
static const char *const refunds[] = {"rfd_1"};

static json_t *obstacles_of(const struct exit_facts *facts, enum lang lang)
{
	struct obstacle found[ROOM];
	struct buf out = BUF_INIT(1 << 16);
	struct json_writer w = json_writer_on(&out);

	ck_assert_uint_le(exit_obstacles_max(facts), ROOM);
	size_t n = exit_obstacles(facts, found);
	ck_assert_uint_le(n, exit_obstacles_max(facts));
	obstacles_json(&w, found, n, lang);
	ck_assert(!out.failed);
	json_t *json = kept(json_loads(out.data, 0, NULL));
	buf_free(&out);
	return json;
}

START_TEST(certified_and_revoked_may_exit)
{
	for (int s = 0; s < PROVIDER_STATUSES; s++)
		ck_assert(exit_may((enum provider_status)s) == (s == PROVIDER_CERTIFIED || s == PROVIDER_REVOKED));
}
END_TEST

START_TEST(every_obstacle_is_listed)
{
	const struct exit_facts facts = {.open_deductions = deductions,
	                                 .open_deduction_count = 2,
	                                 .running_refunds = refunds,
	                                 .running_refund_count = 1,
	                                 .period = "prd_1",
	                                 .period_status = PERIOD_AWAITING_DATA,
	                                 .period_end = day_at("2023-09-30"),
	                                 .today = day_at("2023-10-02")};
	json_t *all = obstacles_of(&facts, LANG_EN);

	ck_assert_uint_eq(json_array_size(all), 4);
	ck_assert_str_eq(text_at(all, "0/code"), "deduction_open");
	ck_assert_str_eq(text_at(all, "0/subject"), "ent_1");
	ck_assert_str_eq(text_at(all, "0/clause"), "4.1");
	ck_assert_str_eq(text_at(all, "1/subject"), "ent_2");
	ck_assert_str_eq(text_at(all, "2/code"), "refund_running");
	ck_assert_str_eq(text_at(all, "2/subject"), "rfd_1");
	ck_assert_str_eq(text_at(all, "3/code"), "period_awaiting_data");
	ck_assert_str_eq(text_at(all, "3/subject"), "prd_1");
	ck_assert_str_eq(text_at(all, "3/detail"), "The period prd_1 ended on 2023-09-30 and is not decided yet.");
	ck_assert_ptr_nonnull(strstr(text_at(obstacles_of(&facts, LANG_ZH), "0/detail"), "扣款 ent_1"));
}
END_TEST

START_TEST(nothing_stands_in_the_way)
{
	const struct exit_facts facts = {.today = day_at("2023-10-02")};

	ck_assert_uint_eq(json_array_size(obstacles_of(&facts, LANG_EN)), 0);
}
END_TEST

/* A period that runs is cancelled; one that is over has to be decided first, whether the closing has looked at it or not. */
START_TEST(a_period_stands_in_the_way_from_the_day_after_its_end)
{
	static const struct {
		enum period_status status;
		const char *today;
		size_t obstacles;
	} cases[] = {{PERIOD_OPEN, "2023-09-29", 0},          {PERIOD_OPEN, "2023-09-30", 0},
	             {PERIOD_OPEN, "2023-10-01", 1},          {PERIOD_AWAITING_DATA, "2023-10-01", 1},
	             {PERIOD_AWAITING_DATA, "2023-09-30", 1}, {PERIOD_SCHEDULED, "2023-06-30", 0}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct exit_facts facts = {.period = "prd_1",
		                                 .period_status = cases[i].status,
		                                 .period_end = day_at("2023-09-30"),
		                                 .today = day_at(cases[i].today)};

		ck_assert_msg(json_array_size(obstacles_of(&facts, LANG_EN)) == cases[i].obstacles, "case %zu", i);
	}
}
END_TEST

CHECK_MAIN("rules_exit", certified_and_revoked_may_exit, every_obstacle_is_listed, nothing_stands_in_the_way,
           a_period_stands_in_the_way_from_the_day_after_its_end)
