/* server/rate_limit: token buckets, by a clock of the test's own. */
#include "server/rate_limit.h"

#include "tests/support/check_main.h"

static const int64_t second = 1000000, start = 7 * 1000000;

START_TEST(a_full_bucket_holds_two_seconds)
{
	struct rate_limits *limits = rate_limits_new();
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(rate_limits_take(limits, 1, 5, start), 0);
	ck_assert_int_eq(rate_limits_take(limits, 1, 5, start), second / 5);
	rate_limits_free(limits);
}
END_TEST

START_TEST(what_it_says_to_wait_is_enough)
{
	static const unsigned rates[] = {1, 3, 7, 60, 999, 10000};
	for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
		struct rate_limits *limits = rate_limits_new();
		int64_t now = start, wait = 0;
		for (unsigned i = 0; i < 3 * rates[r] + 3; i++) {
			wait = rate_limits_take(limits, 1, rates[r], now);
			now += wait;
			if (wait)
				ck_assert_int_eq(rate_limits_take(limits, 1, rates[r], now), 0);
		}
		ck_assert_int_gt(wait, 0);
		rate_limits_free(limits);
	}
}
END_TEST

/* Asked far more often than it flows: never more than the burst and the rate, and not less. */
START_TEST(it_flows_at_its_rate)
{
	static const unsigned rates[] = {1, 3, 50, 999};
	for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
		struct rate_limits *limits = rate_limits_new();
		int64_t taken = 0;
		for (int64_t t = 0; t < 20 * second; t += 97)
			taken += rate_limits_take(limits, 42, rates[r], start + t) == 0;
		ck_assert_int_le(taken, 22 * rates[r]);
		ck_assert_int_ge(taken, 22 * rates[r] - 1);
		rate_limits_free(limits);
	}
}
END_TEST

START_TEST(what_was_refused_costs_nothing)
{
	struct rate_limits *limits = rate_limits_new();
	for (int i = 0; i < 1000; i++)
		(void)rate_limits_take(limits, 1, 1, start);
	ck_assert_int_eq(rate_limits_take(limits, 1, 1, start + second), 0);
	rate_limits_free(limits);
}
END_TEST

START_TEST(each_has_its_own)
{
	struct rate_limits *limits = rate_limits_new();
	while (rate_limits_take(limits, 256, 2, start) == 0)
		continue;
	ck_assert_int_eq(rate_limits_take(limits, 512, 2, start), 0); /* of the same set */
	ck_assert_int_gt(rate_limits_take(limits, 256, 2, start), 0);
	rate_limits_free(limits);
}
END_TEST

/* Far more callers than there are places: a busy one is not forgotten for those that come once and are idle again. */
START_TEST(many_callers)
{
	struct rate_limits *limits = rate_limits_new();
	int64_t taken = 0, now = start;
	for (uint64_t i = 1; i <= 200000; i++, now += 50) {
		ck_assert_int_eq(rate_limits_take(limits, i * 0x9e3779b97f4a7c15U, 1000, now), 0);
		taken += rate_limits_take(limits, 5, 10, now) == 0;
	}
	ck_assert_int_ge(taken, 119);
	ck_assert_int_le(taken, 120); /* 10 seconds */
	rate_limits_free(limits);
}
END_TEST

CHECK_MAIN("server/rate_limit", a_full_bucket_holds_two_seconds, what_it_says_to_wait_is_enough, it_flows_at_its_rate,
           what_was_refused_costs_nothing, each_has_its_own, many_callers)
