/* base/buf: growth, the stated maximum, errors that stick. */
#include "base/buf.h"

#include "tests/support/check_main.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

START_TEST(appends_are_joined_and_terminated)
{
	struct buf b = BUF_INIT(100);

	ck_assert_ptr_null(b.data);
	buf_puts(&b, "ab");
	buf_putc(&b, 'c');
	buf_add(&b, "d\0e", 3);
	buf_add(&b, NULL, 0);
	ck_assert_uint_eq(b.len, 6);
	ck_assert_mem_eq(b.data, "abcd\0e", 7);
	ck_assert(!b.failed);
	buf_free(&b);
	ck_assert_ptr_null(b.data);
	buf_puts(&b, "again");
	ck_assert_str_eq(b.data, "again");
	buf_free(&b);
}
END_TEST

START_TEST(any_size_up_to_the_maximum_and_not_one_more)
{
	for (size_t max = 0; max < 600; max += 1) {
		struct buf b = BUF_INIT(max);

		for (size_t i = 0; i < max; i++)
			buf_putc(&b, (char)('a' + i % 26));
		ck_assert(!b.failed);
		ck_assert_uint_eq(b.len, max);
		ck_assert_uint_le(b.cap, max + 1);
		buf_putc(&b, 'x');
		ck_assert(b.failed);
		ck_assert_uint_eq(b.len, max);
		for (size_t i = 0; i < max; i++)
			ck_assert_int_eq(b.data[i], (char)('a' + i % 26));
		buf_free(&b);
	}
}
END_TEST

START_TEST(a_failure_sticks_until_reset)
{
	struct buf b = BUF_INIT(4);

	buf_puts(&b, "abc");
	buf_puts(&b, "de");
	ck_assert(b.failed);
	buf_puts(&b, "d");
	buf_int(&b, 1);
	buf_printf(&b, "%d", 1);
	ck_assert(!buf_reserve(&b, 0));
	ck_assert_str_eq(b.data, "abc");
	buf_reset(&b);
	ck_assert(!b.failed);
	ck_assert_str_eq(b.data, "");
	buf_puts(&b, "wxyz");
	ck_assert_str_eq(b.data, "wxyz");
	buf_puts(&b, "!");
	ck_assert_ptr_null(buf_take(&b));
	ck_assert_ptr_null(b.data);
	ck_assert(!b.failed);
}
END_TEST

START_TEST(sizes_that_would_overflow_fail)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	buf_puts(&b, "x");
	ck_assert(!buf_reserve(&b, SIZE_MAX));
	buf_reset(&b);
	ck_assert(!buf_reserve(&b, SIZE_MAX - b.len));
	buf_free(&b);
}
END_TEST

START_TEST(integers_are_decimal)
{
	const int64_t values[] = {0, 1, -1, 9, 10, -10, 99, 100, INT32_MIN, INT64_MAX, INT64_MIN, INT64_MIN + 1};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct buf b = BUF_INIT(64);
		char wanted[64];

		(void)snprintf(wanted, sizeof wanted, "%" PRId64, values[i]);
		buf_int(&b, values[i]);
		ck_assert_str_eq(b.data, wanted);
		buf_free(&b);
	}
}
END_TEST

START_TEST(printf_keeps_the_maximum)
{
	struct buf b = BUF_INIT(300);

	buf_printf(&b, "%s-%d", "a", 7);
	ck_assert_str_eq(b.data, "a-7");
	buf_printf(&b, "%*d", 297, 1);
	ck_assert(!b.failed);
	ck_assert_uint_eq(b.len, 300);
	buf_printf(&b, "%s", "");
	ck_assert(!b.failed);
	buf_printf(&b, "%c", 'x');
	ck_assert(b.failed);
	ck_assert_uint_eq(strlen(b.data), 300);
	buf_free(&b);
}
END_TEST

START_TEST(take_hands_the_bytes_over)
{
	struct buf b = BUF_INIT(10);
	char *text = buf_take(&b);

	ck_assert_str_eq(text, "");
	free(text);
	buf_puts(&b, "abc");
	text = buf_take(&b);
	ck_assert_str_eq(text, "abc");
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.max, 10);
	free(text);
}
END_TEST

CHECK_MAIN("base/buf", appends_are_joined_and_terminated, any_size_up_to_the_maximum_and_not_one_more,
           a_failure_sticks_until_reset, sizes_that_would_overflow_fail, integers_are_decimal, printf_keeps_the_maximum,
           take_hands_the_bytes_over)
