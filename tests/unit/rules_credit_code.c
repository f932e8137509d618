#include "model/rules/credit_code.h"
#include "tests/support/check_main.h"

#include <stddef.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Codes of well-known companies and public bodies, as they print them. */
static const char *const good[] = {"91350100M000100Y43", "91110000802100433B", "91440300708461136T", "914403001922038216",
                                   "91330100799655058B"};

START_TEST(real_codes_are_taken)
{
	for (size_t i = 0; i < COUNT(good); i++)
		ck_assert_msg(credit_code_check(good[i]) == CREDIT_CODE_OK, "%s", good[i]);
}
END_TEST

/* Any one character wrong, or two neighbours swapped, is seen. */
START_TEST(one_wrong_character_is_seen)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	char code[CREDIT_CODE_LENGTH + 1];

	for (int place = 0; place < CREDIT_CODE_LENGTH; place++) {
		for (size_t c = 0; c < sizeof alphabet - 1; c++) {
			memcpy(code, good[0], sizeof code);
			code[place] = alphabet[c];
			ck_assert_int_eq(credit_code_check(code) == CREDIT_CODE_OK, alphabet[c] == good[0][place]);
		}
	}
	for (int place = 0; place + 1 < CREDIT_CODE_LENGTH; place++) {
		memcpy(code, good[0], sizeof code);
		code[place] = good[0][place + 1];
		code[place + 1] = good[0][place];
		if (code[place] != code[place + 1])
			ck_assert_msg(credit_code_check(code) != CREDIT_CODE_OK, "%s", code);
	}
}
END_TEST

START_TEST(what_is_wrong_is_told_apart)
{
	static const char *const malformed[] = {
	        "",
	        "91350100M000100Y4", /* one short */
	        "91350100M000100Y433", /* one long */
	        "91350100m000100y43", /* lower case */
	        "9135O100M000100Y43", /* a letter that the alphabet does not have */
	        "91350100I000100Y43",
	        "91350100S000100Y43",
	        "91350100V000100Y43",
	        "91350100Z000100Y43",
	        "91A50100M000100Y43", /* a region has digits */
	        "91350100M000100Y4I",
	        "91350100M 00100Y43",
	};

	for (size_t i = 0; i < COUNT(malformed); i++)
		ck_assert_msg(credit_code_check(malformed[i]) == CREDIT_CODE_BAD_FORMAT, "%s", malformed[i]);
	ck_assert_int_eq(credit_code_check("91350100M000100Y44"), CREDIT_CODE_BAD_CHECK);
	ck_assert_int_eq(credit_code_check_character("91350100M000100Y4"), '3');
	ck_assert_int_eq(credit_code_check_character("91110000802100433"), 'B');
	ck_assert_int_eq(credit_code_check_character("9111"), '\0');
}
END_TEST

CHECK_MAIN("rules_credit_code", real_codes_are_taken, one_wrong_character_is_seen, what_is_wrong_is_told_apart)
