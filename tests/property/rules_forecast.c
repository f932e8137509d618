/* What holds of every forecast, on random inputs. */
#include "model/rules/forecast.h"
#include "tests/property/world.h"
#include "tests/support/check_main.h"

enum { CASES = 4000 };

static uint64_t seed;
static int cases;

/* When all is known the pace is what was decided; how far off it is is said exactly when it is. */
START_TEST(a_forecast_ends_with_the_decision)
{
	static struct world w;
	int paces[3] = {0};

	for (int number = 0; number < cases; number++) {
		struct random r = random_for(seed, (uint64_t)number);
		struct evaluation e;
		struct forecast f;

		world_make(&w, &r);
		if (evaluate(&w.in, &e) != EVALUATION_OK)
			continue;
		forecast_make(&e, &f);
		ck_assert_msg((f.pace == PACE_SHORT) == (f.missing_bps > 0), "case %d", number);
		ck_assert_msg(f.missing_bps >= 0 && f.missing_bps <= FORECAST_ALL_BPS, "case %d", number);
		for (size_t i = 0; i < f.count; i++)
			ck_assert_msg((f.criteria[i].pace == PACE_SHORT) == (f.criteria[i].missing_bps > 0), "case %d", number);
		if (e.final)
			ck_assert_msg(f.pace == (e.met ? PACE_MET : PACE_SHORT), "case %d", number);
		paces[f.pace]++;
		evaluation_free(&e);
	}
	for (int i = 0; i < 3 && cases >= CASES; i++)
		ck_assert_int_gt(paces[i], 10);
}
END_TEST

static Suite *make(void)
{
	Suite *suite = suite_create("rules_forecast");
	TCase *tcase = tcase_create("properties");

	seed = random_seed();
	cases = random_cases(CASES);
	tcase_set_timeout(tcase, 240);
	tcase_add_test(tcase, a_forecast_ends_with_the_decision);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN_SUITE(make)
