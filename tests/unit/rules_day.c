#include "tests/unit/rules_support.h"

static void is_day(day d, const char *text)
{
	char found[DAY_TEXT];

	ck_assert_str_eq(day_text(d, found), text);
}

START_TEST(months_are_added_and_clamped_to_the_months_last_day)
{
	static const struct {
		const char *from;
		int months;
		const char *to;
	} cases[] = {
	        {"2023-08-31", -6, "2023-02-28"}, /* the rule's own case */
	        {"2024-08-31", -6, "2024-02-29"},   {"2023-08-30", -6, "2023-02-28"},    {"2023-08-28", -6, "2023-02-28"},
	        {"2023-08-27", -6, "2023-02-27"},   {"2023-12-31", -6, "2023-06-30"},    {"2023-03-31", -1, "2023-02-28"},
	        {"2024-03-30", -1, "2024-02-29"},   {"2023-01-31", 1, "2023-02-28"},     {"2023-01-15", -1, "2022-12-15"},
	        {"2023-01-01", -13, "2021-12-01"},  {"2023-11-30", 3, "2024-02-29"},     {"2023-04-03", 0, "2023-04-03"},
	        {"2000-02-29", 12, "2001-02-28"},   {"2000-02-29", -1200, "1900-02-28"}, /* 1900 was no leap year */
	        {"1990-01-01", -120, "1980-01-01"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		is_day(day_add_months(day_at(cases[i].from), cases[i].months), cases[i].to);
}
END_TEST

START_TEST(months_begin_and_end)
{
	is_day(day_month_start(day_at("2023-04-30")), "2023-04-01");
	is_day(day_month_start(day_at("2023-04-01")), "2023-04-01");
	is_day(day_month_end(day_at("2023-04-01")), "2023-04-30");
	is_day(day_month_end(day_at("2024-02-10")), "2024-02-29");
	is_day(day_month_end(day_at("2023-02-28")), "2023-02-28");
	is_day(day_month_end(day_at("2023-12-31")), "2023-12-31");
	is_day(day_next_month_start(day_at("2023-12-31")), "2024-01-01");
	is_day(day_next_month_start(day_at("2023-04-01")), "2023-05-01");
	is_day(day_first_on_or_after(day_at("2023-04-01")), "2023-04-01"); /* 3.2: the first 1st on or after */
	is_day(day_first_on_or_after(day_at("2023-04-02")), "2023-05-01");
	is_day(day_first_on_or_after(day_at("2023-12-02")), "2024-01-01");
	ck_assert(day_is_month_start(day_at("2023-04-01")));
	ck_assert(!day_is_month_start(day_at("2023-04-02")));
}
END_TEST

START_TEST(days_are_read_strictly)
{
	static const char *const bad[] = {"",           "2023-04-31",  "2023-02-29",  "2023-4-01",  "2023-04-1",
	                                  "2023/04/01", "2023-04-01 ", " 2023-04-01", "2023-13-01", "2023-00-01",
	                                  "2023-04-00", "20230401",    "1989-12-31",  "2200-01-01", "+023-04-01",
	                                  "2023-04-0x", "2023-04-011"};
	day d = 7;

	for (size_t i = 0; i < COUNT(bad); i++) {
		ck_assert_msg(!day_parse(bad[i], &d), "%s was taken", bad[i]);
		ck_assert_int_eq(d, 7);
	}
	ck_assert_int_eq(day_of(1970, 1, 1), 0);
	ck_assert_int_eq(day_at("1990-01-01"), DAY_MIN);
	ck_assert_int_eq(day_at("2199-12-31"), DAY_MAX);
}
END_TEST

/* Every day of the range, in order: each is the day after the one before, and reads back as itself. */
START_TEST(every_day_follows_the_one_before)
{
	int year = 1990;
	int month = 1;
	int dom = 1;
	char text[DAY_TEXT];

	for (day d = DAY_MIN; d <= DAY_MAX; d++) {
		int y;
		int m;
		int n;
		day parsed;

		day_split(d, &y, &m, &n);
		ck_assert(y == year && m == month && n == dom);
		ck_assert(day_parse(day_text(d, text), &parsed) && parsed == d && day_of(y, m, n) == d);
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
		int days[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
		if (++dom > days[month - 1]) {
			dom = 1;
			year += month == 12;
			month = month % 12 + 1;
		}
	}
	ck_assert_int_eq(year, 2200);
}
END_TEST

CHECK_MAIN("rules_day", months_are_added_and_clamped_to_the_months_last_day, months_begin_and_end, days_are_read_strictly,
           every_day_follows_the_one_before)
