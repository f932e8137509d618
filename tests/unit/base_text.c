/* base/utf8, base/civil, base/decimal, base/base64url: strict text. */
#include "base/base64url.h"
#include "base/civil.h"
#include "base/decimal.h"
#include "base/utf8.h"

#include "tests/support/check_main.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- utf8 ---- */

/* The plain encoding of a number, whether it is a character or not. */
static size_t encode(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* ck_assert() writes to a pipe: too slow for a million times. */
#define MUST(condition, number)                                                                                                \
	do {                                                                                                                   \
		if (!(condition))                                                                                              \
			ck_abort_msg("%s fails at %ld", #condition, (long)(number));                                           \
	} while (0)

START_TEST(exactly_the_unicode_scalar_values_are_characters)
{
	for (uint32_t c = 0; c < 0x200000; c++) {
		char text[4];
		size_t n = encode(c, text);
		bool is_char = c < 0xD800 || (c > 0xDFFF && c < 0x110000);

		MUST(utf8_char(text, n) == (is_char ? n : 0), c);
		for (size_t cut = 0; cut < n; cut++)
			MUST(utf8_char(text, cut) == 0, c);
		MUST(utf8_check(text, n, NULL) == (!c ? UTF8_NUL : is_char ? UTF8_OK : UTF8_INVALID), c);
	}
}
END_TEST

/* There are as many well-formed sequences of a length as characters that take it, so none is overlong. */
START_TEST(no_other_bytes_are_characters)
{
	unsigned found[5] = {0};

	for (uint32_t lead = 0; lead < 0x1000000; lead++) {
		const char text[3] = {(char)(lead >> 16), (char)(lead >> 8), (char)lead};
		size_t n = utf8_char(text, 3);

		found[n] += (n == 1 && (lead & 0xFFFF) == 0) || (n == 2 && (lead & 0xFF) == 0) || n == 3;
	}
	for (uint32_t lead = 0; lead < 0x1000000; lead++) {
		const char text[4] = {(char)(lead >> 16), (char)(lead >> 8), (char)lead, (char)0xBF};

		found[4] += utf8_char(text, 4) == 4;
	}
	ck_assert_uint_eq(found[1], 0x80);
	ck_assert_uint_eq(found[2], 0x800 - 0x80);
	ck_assert_uint_eq(found[3], 0x10000 - 0x800 - 0x800);
	ck_assert_uint_eq(found[4], 0x100000 / 64);
}
END_TEST

START_TEST(the_first_fault_is_found_at_any_offset)
{
	static const char *const bad[] = {"\x80",         "\xC3",         "\xC3(",           "\xC0\xAF",
	                                  "\xE0\x80\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80"};

	for (size_t kind = 0; kind < sizeof bad / sizeof bad[0]; kind++) {
		for (size_t before = 0; before < 40; before++) {
			char text[64];
			size_t at;

			memset(text, 'a', sizeof text);
			memcpy(text + before, bad[kind], strlen(bad[kind]));
			ck_assert_int_eq(utf8_check(text, before + strlen(bad[kind]), &at), UTF8_INVALID);
			ck_assert_uint_eq(at, before);
			ck_assert_int_eq(utf8_check(text, sizeof text, &at), UTF8_INVALID);
			ck_assert_uint_eq(at, before);
			memset(text, 'a', sizeof text);
			text[before] = '\0';
			text[before + 1] = '\x80';
			ck_assert_int_eq(utf8_check(text, sizeof text, &at), UTF8_NUL);
			ck_assert_uint_eq(at, before);
			ck_assert_int_eq(utf8_check(text, before, &at), UTF8_OK);
			ck_assert_uint_eq(at, before);
		}
	}
	for (size_t n = 0; n < 40; n++) { /* on the heap, so that a sanitizer sees a read past the end */
		char *text = calloc(n, 1);

		memset(text, 'a', n);
		ck_assert_int_eq(utf8_check(text, n, NULL), UTF8_OK);
		free(text);
	}
	ck_assert_int_eq(utf8_check("\x01\x01\x01\x01\x01\x01\x01\x01\x01", 9, NULL), UTF8_OK);
	ck_assert_uint_eq(utf8_count("a中😀é", strlen("a中😀é")), 4);
	ck_assert_uint_eq(utf8_count("", 0), 0);
}
END_TEST

/* ---- civil ---- */

START_TEST(every_day_agrees_with_the_c_library)
{
	for (int32_t d = CIVIL_MIN; d <= CIVIL_MAX; d++) {
		time_t t = (time_t)d * 86400;
		struct tm tm;
		int year;
		int month;
		int dom;
		char text[CIVIL_TEXT];
		char wanted[32];
		int32_t back = 0;

		MUST(gmtime_r(&t, &tm) != NULL, d);
		civil_split(d, &year, &month, &dom);
		MUST(year == tm.tm_year + 1900 && month == tm.tm_mon + 1 && dom == tm.tm_mday, d);
		MUST(civil_days(year, month, dom) == d, d);
		MUST(strftime(wanted, sizeof wanted, "%Y-%m-%d", &tm) == 10, d);
		MUST(strcmp(civil_text(d, text), wanted) == 0, d);
		MUST(civil_parse(text, &back) && back == d, d);
	}
}
END_TEST

START_TEST(the_range_is_exact)
{
	int32_t d = 0;

	ck_assert(civil_parse("1990-01-01", &d));
	ck_assert_int_eq(d, CIVIL_MIN);
	ck_assert(civil_parse("2199-12-31", &d));
	ck_assert_int_eq(d, CIVIL_MAX);
	ck_assert_int_eq(civil_days(1970, 1, 1), 0);
	ck_assert_int_eq(civil_days(1, 1, 1), -719162);
	ck_assert_int_eq(civil_days(9999, 12, 31), 2932896);
}
END_TEST

START_TEST(what_is_no_day_is_refused)
{
	static const char *const bad[] = {
	        "",           "2023",       "2023-04",    "2023-4-01",  "2023-04-1",   "2023-04-011", "2023/04/01",
	        "20230401",   "2023-00-01", "2023-13-01", "2023-04-00", "2023-04-31",  "2023-02-29",  "1900-02-29",
	        "2100-02-29", "1989-12-31", "2200-01-01", "0000-01-01", "9999-12-31",  " 2023-04-01", "2023-04-01 ",
	        "+023-04-01", "-023-04-01", "2023-+4-01", "2023-04- 1", "2023-04-0x1", "２023-04-01", "2023-0a-01",
	};
	int32_t d = 77;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!civil_parse(bad[i], &d), "%s is taken for a day", bad[i]);
	ck_assert(!civil_parse(NULL, &d));
	ck_assert(!civil_parse_n("2023-04-01", 9, &d));
	ck_assert_int_eq(d, 77);
	ck_assert(civil_parse_n("2023-04-01,rest", 10, &d));
	ck_assert(civil_parse("2000-02-29", &d));
}
END_TEST

/* Changing any one byte of a day to any other gives a day only when it is one by the calendar. */
START_TEST(every_byte_is_judged)
{
	for (size_t at = 0; at < 10; at++) {
		for (int c = 0; c < 256; c++) {
			char text[CIVIL_TEXT] = "2024-02-29";
			bool digit = c >= '0' && c <= '9';
			int32_t d;

			text[at] = (char)c;
			if (civil_parse_n(text, 10, &d))
				ck_assert(at == 4 || at == 7 ? c == '-' : digit);
		}
	}
}
END_TEST

/* ---- decimal ---- */

static enum decimal_verdict decimal(const char *text, int64_t *out)
{
	return decimal_parse_n(text, strlen(text), INT64_MIN, INT64_MAX, out);
}

START_TEST(whole_numbers)
{
	const int64_t values[] = {0, 1, -1, 9, 10, -10, 1234567890, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1};
	char text[32];
	int64_t v;

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		(void)snprintf(text, sizeof text, "%" PRId64, values[i]);
		ck_assert_int_eq(decimal(text, &v), DECIMAL_OK);
		ck_assert_int_eq(v, values[i]);
	}
	ck_assert_int_eq(decimal_parse_n("12345", 2, 0, 100, &v), DECIMAL_OK);
	ck_assert_int_eq(v, 12);
}
END_TEST

START_TEST(what_is_no_whole_number_is_refused)
{
	static const char *const bad[] = {"",    "-",   "+1",  " 1",  "1 ",    "01", "-0", "00",
	                                  "1.0", "1e3", "0x1", "--1", "1,000", "１", "-01"};
	static const char *const out[] = {"9223372036854775808", "-9223372036854775809", "99999999999999999999999999"};
	int64_t v = 77;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(decimal(bad[i], &v) == DECIMAL_MALFORMED, "%s is taken for a number", bad[i]);
	for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
		ck_assert_int_eq(decimal(out[i], &v), DECIMAL_OUT_OF_RANGE);
	ck_assert_int_eq(decimal_parse_n("-1", 2, 0, 5, &v), DECIMAL_OUT_OF_RANGE);
	ck_assert_int_eq(decimal_parse_n("6", 1, 0, 5, &v), DECIMAL_OUT_OF_RANGE);
	ck_assert_int_eq(v, 77);
	ck_assert_int_eq(decimal_parse_n("5", 1, 0, 5, &v), DECIMAL_OK);
}
END_TEST

/* ---- base64url ---- */

START_TEST(the_rfcs_vectors)
{
	static const struct {
		const char *bytes, *text;
	} list[] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
	            {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xef\xff", "--__"}};

	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		char text[32];
		char bytes[32];
		size_t len = 99;

		base64url_encode(list[i].bytes, strlen(list[i].bytes), text);
		ck_assert_str_eq(text, list[i].text);
		ck_assert(base64url_decode(text, strlen(text), bytes, strlen(list[i].bytes), &len));
		ck_assert_uint_eq(len, strlen(list[i].bytes));
		ck_assert_mem_eq(bytes, list[i].bytes, len);
	}
}
END_TEST

START_TEST(all_bytes_go_there_and_back)
{
	unsigned char bytes[256];
	unsigned char back[256];
	char text[BASE64URL_TEXT(256)];

	for (size_t i = 0; i < 256; i++)
		bytes[i] = (unsigned char)(255 - i);
	for (size_t n = 0; n <= 256; n++) {
		size_t len = 999;

		base64url_encode(bytes, n, text);
		ck_assert_uint_eq(strlen(text) + 1, BASE64URL_TEXT(n));
		ck_assert_uint_ge(BASE64URL_BYTES(strlen(text)), n);
		ck_assert(base64url_decode(text, strlen(text), back, n, &len));
		ck_assert_uint_eq(len, n);
		ck_assert_mem_eq(back, bytes, n);
		if (n)
			ck_assert(!base64url_decode(text, strlen(text), back, n - 1, &len));
	}
	ck_assert_uint_eq(BASE64URL_TEXT(32), 44);
}
END_TEST

START_TEST(only_one_text_is_accepted)
{
	static const char *const bad[] = {"Z",    "Zg==",  "Zh",    "Zm9",   "Zm9vY", "Zm+v",
	                                  "Zm/v", "Zm9v ", " Zm9v", "Zm\n9", "Zg=",   "Z\xc3\xa9"};
	char bytes[16];
	size_t len = 99;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!base64url_decode(bad[i], strlen(bad[i]), bytes, sizeof bytes, &len), "%s is taken", bad[i]);
	ck_assert(!base64url_decode("Zm\0v", 4, bytes, sizeof bytes, &len));
	ck_assert_uint_eq(len, 99);
}
END_TEST

CHECK_MAIN("base/text", exactly_the_unicode_scalar_values_are_characters, no_other_bytes_are_characters,
           the_first_fault_is_found_at_any_offset, every_day_agrees_with_the_c_library, the_range_is_exact,
           what_is_no_day_is_refused, every_byte_is_judged, whole_numbers, what_is_no_whole_number_is_refused, the_rfcs_vectors,
           all_bytes_go_there_and_back, only_one_text_is_accepted)
