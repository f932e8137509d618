/* handlers/key_seal and handlers/instant: a new key's secret, and the instant at which a key expires. */
#include "handlers/instant.h"
#include "handlers/key_seal.h"

#include "tests/support/check_main.h"

#include <string.h>

static const char bearer[] = "ask_0123456789012345678901234567890123456789012";

START_TEST(a_secret_is_of_the_keys_form)
{
	char seal[KEY_SEAL_TEXT], secret[KEY_SECRET_TEXT];
	ck_assert(key_seal_new(bearer, seal));
	ck_assert(key_seal_open(bearer, seal, secret));
	ck_assert_uint_eq(strlen(secret), 4 + 43);
	ck_assert_int_eq(strncmp(secret, "ask_", 4), 0);
	ck_assert_ptr_null(strstr(secret, seal));
}
END_TEST

START_TEST(the_same_key_opens_a_seal_to_the_same_secret)
{
	char seal[KEY_SEAL_TEXT], first[KEY_SECRET_TEXT], second[KEY_SECRET_TEXT];
	ck_assert(key_seal_new(bearer, seal));
	ck_assert(key_seal_open(bearer, seal, first));
	ck_assert(key_seal_open(bearer, seal, second));
	ck_assert_str_eq(first, second);
}
END_TEST

START_TEST(another_seal_gives_another_secret)
{
	char seal[KEY_SEAL_TEXT], other_seal[KEY_SEAL_TEXT], mine[KEY_SECRET_TEXT], other[KEY_SECRET_TEXT];
	ck_assert(key_seal_new(bearer, seal));
	ck_assert(key_seal_new(bearer, other_seal));
	ck_assert_str_ne(seal, other_seal);
	ck_assert(key_seal_open(bearer, seal, mine));
	ck_assert(key_seal_open(bearer, other_seal, other));
	ck_assert_str_ne(mine, other);
}
END_TEST

START_TEST(another_key_does_not_open_it)
{
	char seal[KEY_SEAL_TEXT], mine[KEY_SECRET_TEXT], other[KEY_SECRET_TEXT];
	ck_assert(key_seal_new(bearer, seal));
	ck_assert(key_seal_open(bearer, seal, mine));
	ck_assert(!key_seal_open("ask_another", seal, other));
	for (size_t i = 0; seal[i]; i++) {
		char was = seal[i];
		seal[i] = was == 'A' ? 'B' : 'A';
		ck_assert(!key_seal_open(bearer, seal, other));
		seal[i] = was;
	}
}
END_TEST

START_TEST(what_is_no_seal_does_not_open)
{
	char secret[KEY_SECRET_TEXT];
	ck_assert(!key_seal_open(bearer, "", secret));
	ck_assert(!key_seal_open(bearer, "AAAA", secret));
	ck_assert(!key_seal_open(bearer, "not base64url!", secret));
}
END_TEST

START_TEST(instants)
{
	static const char *const good[] = {"2027-01-01T00:00:00Z", "2027-12-31T23:59:59.123456Z", "2024-02-29T00:00:00.5Z"};
	static const char *const bad[] = {
	        "",
	        "2027-01-01",
	        "2027-01-01T00:00:00",
	        "2027-01-01 00:00:00Z",
	        "2027-02-29T00:00:00Z",
	        "2027-01-01T24:00:00Z",
	        "2027-01-01T00:60:00Z",
	        "2027-01-01T00:00:60Z",
	        "2027-01-01T00:00:00z",
	        "2027-01-01T00:00:00.Z",
	        "2027-01-01T00:00:00.1234567Z",
	        "2024-02-29T00:00:00+08:00",
	        "2027-01-01T00:00:00-00:00",
	        "2027-01-01T00:00:00+08:00Z",
	        "2027-01-01T00:00:0",
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert_msg(instant_valid(good[i]), "%s is refused", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!instant_valid(bad[i]), "%s is taken", bad[i]);
}
END_TEST

CHECK_MAIN("handlers/keys", a_secret_is_of_the_keys_form, the_same_key_opens_a_seal_to_the_same_secret,
           another_seal_gives_another_secret, another_key_does_not_open_it, what_is_no_seal_does_not_open, instants)
