#include "model/rules/region.h"
#include "tests/support/check_main.h"

#include <stddef.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static region region_at(const char *text)
{
	region r;

	ck_assert_msg(region_parse(text, &r), "%s is no region", text);
	return r;
}

START_TEST(a_code_covers_every_code_below_it)
{
	static const struct {
		const char *approved, *code;
		bool covered;
	} cases[] = {
	        {"420000", "420000", true},  {"420000", "420100", true},  {"420000", "420106", true},
	        {"420000", "429004", true},  {"420000", "430000", false}, {"420000", "410106", false},
	        {"420000", "440100", false}, {"360200", "360200", true},  {"360200", "360203", true},
	        {"360200", "360000", false}, {"360200", "360300", false}, {"360200", "360302", false},
	        {"420106", "420106", true},  {"420106", "420100", false}, {"420106", "420000", false},
	        {"420106", "420107", false}, {"110000", "110101", true},  {"500000", "500101", true},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		ck_assert_msg(region_covers(region_at(cases[i].approved), region_at(cases[i].code)) == cases[i].covered,
		              "%s and %s", cases[i].approved, cases[i].code);
	ck_assert(!region_covers(REGION_NONE, region_at("420106")));
	ck_assert(!region_covers(region_at("420000"), REGION_NONE));
	ck_assert(!region_covers(REGION_NONE, REGION_NONE));
}
END_TEST

START_TEST(codes_are_read_strictly)
{
	static const char *const good[] = {"110000", "150000", "230000", "370000", "460000", "500000",
	                                   "540000", "650000", "710000", "810000", "820000", "429004"};
	static const char *const bad[] = {"",       "42",     "42000",  "4200000", "42010a", "000000", "100000", "160000",
	                                  "240000", "380000", "470000", "550000",  "660000", "720000", "800000", "830000",
	                                  "900000", "990000", " 42000", "420001",  "-42000", "42 000"};
	char text[REGION_TEXT];

	for (size_t i = 0; i < COUNT(good); i++)
		ck_assert_str_eq(region_text(region_at(good[i]), text), good[i]);
	for (size_t i = 0; i < COUNT(bad); i++) {
		region r = 7;

		ck_assert_msg(!region_parse(bad[i], &r) && r == 7, "%s was taken", bad[i]);
	}
}
END_TEST

CHECK_MAIN("rules_region", a_code_covers_every_code_below_it, codes_are_read_strictly)
