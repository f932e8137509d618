/* What every Check test file ends with. Each tests/unit/<name>.c and tests/property/<name>.c is an executable of its own:
 *
 *	START_TEST(a_month_end_is_kept) { ck_assert_int_eq(...); } END_TEST
 *	CHECK_MAIN("days", a_month_end_is_kept, leap_days)
 *
 * SOURCE_DIR is the project's root, for data files. CK_RUN_CASE and CK_FORK work as in Check's manual. */
#ifndef ASSAY_TESTS_CHECK_MAIN_H
#define ASSAY_TESTS_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

/* Runs the tests, each in its own process, with at most `seconds` for each. */
static inline int check_main(const char *name, const TTest *const *tests, size_t n, double seconds)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	tcase_set_timeout(tcase, seconds);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define CHECK_SECONDS 120.0
#define CHECK_MAIN(name, ...)                                                                                                    \
	int main(void)                                                                                                           \
	{                                                                                                                        \
		const TTest *const tests[] = {__VA_ARGS__};                                                                      \
		return check_main(name, tests, sizeof(tests) / sizeof(tests[0]), CHECK_SECONDS);                                 \
	}

/* For a file that builds its suite by itself (loops, fixtures, several cases): Suite *make(void). */
#define CHECK_MAIN_SUITE(make)                                                                                                   \
	int main(void)                                                                                                           \
	{                                                                                                                        \
		SRunner *runner = srunner_create(make());                                                                        \
		srunner_run_all(runner, CK_ENV);                                                                                 \
		int failed = srunner_ntests_failed(runner);                                                                      \
		srunner_free(runner);                                                                                            \
		return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                                                \
	}

#endif
