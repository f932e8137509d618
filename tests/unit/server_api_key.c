/* server/api_key: keys, and the one function that hashes them. */
#include "server/api_key.h"

#include "tests/support/check_main.h"

#include <string.h>

START_TEST(keys_are_of_one_form_and_different)
{
	struct api_key one, other;
	ck_assert(api_key_make(&one));
	ck_assert(api_key_make(&other));
	ck_assert_uint_eq(strlen(one.text), API_KEY_TEXT - 1);
	ck_assert_uint_eq(strspn(one.text + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
	ck_assert_int_eq(strncmp(one.text, "ask_", 4), 0);
	ck_assert_int_eq(strncmp(one.text, one.prefix, API_KEY_PREFIX - 1), 0);
	ck_assert_uint_eq(strlen(one.prefix), API_KEY_PREFIX - 1);
	ck_assert_str_ne(one.text, other.text);
}
END_TEST

/* Of Python's hmac.new(key, text, "sha256"). */
START_TEST(hashes_are_hmac_sha256)
{
	unsigned char pepper[PEPPER_BYTES];
	char hex[SHA256_HEX];
	for (int i = 0; i < PEPPER_BYTES; i++)
		pepper[i] = (unsigned char)i;
	struct key_hasher *hasher = key_hasher_new(pepper);
	ck_assert_ptr_nonnull(hasher);
	for (int again = 0; again < 3; again++) {
		key_hash_hex(hasher, "", hex);
		ck_assert_str_eq(hex, "d38b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb");
		key_hash_hex(hasher, "ask_0123456789012345678901234567890123456789012", hex);
		ck_assert_str_eq(hex, "ba6a9cb1bba60d4cd2b82acfa350290280576f88a03f7bc80737030ef6d2bd95");
	}
	key_hasher_free(hasher);
}
END_TEST

START_TEST(another_pepper_gives_another_hash)
{
	unsigned char pepper[PEPPER_BYTES] = {1};
	char first[SHA256_HEX], second[SHA256_HEX];
	struct key_hasher *one = key_hasher_new(pepper);
	pepper[PEPPER_BYTES - 1] = 1;
	struct key_hasher *other = key_hasher_new(pepper);
	key_hash_hex(one, "ask_x", first);
	key_hash_hex(other, "ask_x", second);
	ck_assert_str_ne(first, second);
	key_hasher_free(one);
	key_hasher_free(other);
}
END_TEST

CHECK_MAIN("server/api_key", keys_are_of_one_form_and_different, hashes_are_hmac_sha256, another_pepper_gives_another_hash)
