/* model/store/gaps: what is missing, kept as text beside a period. */
#include "model/store/gaps.h"

#include "tests/support/check_main.h"

#include <stdio.h>
#include <string.h>

static void write_and_read(const struct criterion_gap *in, size_t n, struct criterion_gap out[REQUIREMENT_NODES], char **text)
{
	struct buf b = BUF_INIT(100000);
	day on;
	size_t got;
	gaps_write(&b, 19497, in, n);
	*text = buf_take(&b);
	ck_assert_ptr_nonnull(*text);
	ck_assert_msg(gaps_read(*text, &on, out, &got), "what was written is not read");
	ck_assert_int_eq(on, 19497);
	ck_assert_uint_eq(got, n);
}

START_TEST(every_member_comes_back)
{
	const struct criterion_gap in[] = {
	        {MEASURE_NEW_STORES, "3.2", "metric_1", 10, 4, DAY_NONE},
	        {MEASURE_EXAM_PASSES, "3.2", NULL, 2, 2, DAY_NONE},
	        {MEASURE_MONTHLY_ORDER_GROWTH, "3.4", "", 1000, NEEDED_NONE, 19478},
	        {MEASURE_NEW_STORE_GMV_FEN, "", "a b\n1 2 -\t \xe4\xba\xa7", INT64_MAX, INT64_MAX, DAY_NONE},
	};
	struct criterion_gap out[REQUIREMENT_NODES];
	char *text;
	write_and_read(in, 4, out, &text);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(out[i].measure, in[i].measure);
		ck_assert_str_eq(out[i].clause, in[i].clause);
		ck_assert_pstr_eq(out[i].alternative, in[i].alternative);
		ck_assert_int_eq(out[i].at_least, in[i].at_least);
		ck_assert_int_eq(out[i].gap, in[i].gap);
		ck_assert_int_eq(out[i].month, in[i].month);
	}
	free(text);
}
END_TEST

START_TEST(none_and_as_many_as_a_tree_has)
{
	struct criterion_gap in[REQUIREMENT_NODES], out[REQUIREMENT_NODES];
	char *text;
	for (size_t i = 0; i < REQUIREMENT_NODES; i++)
		in[i] = (struct criterion_gap){MEASURE_NEW_STORES, "3.3", "m", (int64_t)i, 1, DAY_NONE};
	write_and_read(in, 0, out, &text);
	free(text);
	write_and_read(in, REQUIREMENT_NODES, out, &text);
	ck_assert_int_eq(out[REQUIREMENT_NODES - 1].at_least, REQUIREMENT_NODES - 1);
	free(text);
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const char *const bad[] = {
	        "",
	        "x\n",
	        "1",
	        "99999999999\n",
	        "1\nnew_stores",
	        "1\nno_measure 1 1 - 3 -1 3.2 \n",
	        "1\nnew_stores 1 1 - 3 -1 3.2 ",
	        "1\nnew_stores 1 1 - 99 -1 3.2 \n",
	        "1\nnew_stores 1 1 - -3 -1 3.2 \n",
	        "1\nnew_stores 1 1 - 3 8 3.2 metric_\n",
	        "1\nnew_stores 1 99999999999999999999 - 3 -1 3.2 \n",
	        "1\nnew_stores 1 1 x 3 -1 3.2 \n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct criterion_gap out[REQUIREMENT_NODES];
		char text[100];
		day on;
		size_t n;
		ck_assert_int_lt(snprintf(text, sizeof text, "%s", bad[i]), (int)sizeof text);
		ck_assert_msg(!gaps_read(text, &on, out, &n), "\"%s\" is read", bad[i]);
	}
}
END_TEST

START_TEST(one_more_than_a_tree_has_is_refused)
{
	struct criterion_gap in[REQUIREMENT_NODES + 1], out[REQUIREMENT_NODES];
	struct buf b = BUF_INIT(100000);
	day on;
	size_t n;
	for (size_t i = 0; i <= REQUIREMENT_NODES; i++)
		in[i] = (struct criterion_gap){MEASURE_NEW_STORES, "3.3", NULL, 1, 1, DAY_NONE};
	gaps_write(&b, 1, in, REQUIREMENT_NODES + 1);
	char *text = buf_take(&b);
	ck_assert(!gaps_read(text, &on, out, &n));
	free(text);
}
END_TEST

CHECK_MAIN("store/gaps", every_member_comes_back, none_and_as_many_as_a_tree_has, anything_else_is_refused,
           one_more_than_a_tree_has_is_refused)
