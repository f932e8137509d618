/* server/op_queue: who goes together, in which order, and as which arrays. */
#include "server/op_queue.h"

#include "tests/support/check_main.h"

#include <stdio.h>
#include <string.h>

static const struct statement ONE_SET = {.name = "one", .params = 2}, ANOTHER_SET = {.name = "another", .params = 1};

enum { OPS = 3 * WRITE_BATCH_MAX };

static struct lane_op ops[OPS];
static const char *params[OPS][2];
static char names[OPS][12];
static struct op_queue q;

static void wait_in_line(int n, const struct statement *(*of)(int i), const char *heavy)
{
	op_queue_init(&q);
	for (int i = 0; i < n; i++) {
		(void)snprintf(names[i], sizeof names[i], "%d", i);
		params[i][0] = names[i];
		params[i][1] = heavy;
		ops[i] = (struct lane_op){.batch = of(i), .batch_params = params[i]};
		op_queue_push(&q, &ops[i]);
	}
}

static const struct statement *one(int i)
{
	(void)i;
	return &ONE_SET;
}

static const struct statement *by_turns(int i) { return i % 2 ? &ANOTHER_SET : &ONE_SET; }

/* The members are ops[first], ops[first + step] ... and `len` of them. */
static void check_members(const struct lane_op *op, int len, int first, int step, int expected)
{
	ck_assert_int_eq(len, expected);
	for (int i = 0; i < expected; i++, op = op->next)
		ck_assert_ptr_eq(op, &ops[first + i * step]);
	ck_assert_ptr_null(op);
}

START_TEST(a_batch_has_a_size)
{
	int len;
	wait_in_line(WRITE_BATCH_MAX + 3, one, NULL);
	const struct lane_op *batch = op_queue_take_batch(&q, &len);
	check_members(batch, len, 0, 1, WRITE_BATCH_MAX);
	ck_assert_int_eq(q.len, 3);
	batch = op_queue_take_batch(&q, &len);
	check_members(batch, len, WRITE_BATCH_MAX, 1, 3);
	ck_assert_ptr_null(q.first);
}
END_TEST

START_TEST(only_of_one_statement)
{
	int len;
	wait_in_line(10, by_turns, NULL);
	const struct lane_op *batch = op_queue_take_batch(&q, &len);
	check_members(batch, len, 0, 2, 5);
	batch = op_queue_take_batch(&q, &len);
	check_members(batch, len, 1, 2, 5);
}
END_TEST

START_TEST(a_batch_has_a_weight_but_for_one)
{
	static char half[WRITE_BATCH_MAX_BYTES / 2 - 4], more[WRITE_BATCH_MAX_BYTES + 1];
	int len;
	memset(half, 'x', sizeof half - 1);
	memset(more, 'x', sizeof more - 1);
	wait_in_line(3, one, half);
	const struct lane_op *batch = op_queue_take_batch(&q, &len);
	check_members(batch, len, 0, 1, 2);
	wait_in_line(2, one, more);
	batch = op_queue_take_batch(&q, &len);
	check_members(batch, len, 0, 1, 1);
	ck_assert_int_eq(q.len, 1);
}
END_TEST

START_TEST(as_arrays)
{
	struct buf arrays[2] = {BUF_INIT(100), BUF_INIT(100)};
	const char *literals[2];
	int len;
	wait_in_line(3, one, "a\"b\\c,{}");
	params[1][1] = NULL;
	params[2][1] = "NULL";
	const struct lane_op *batch = op_queue_take_batch(&q, &len);
	for (int again = 0; again < 2; again++) {
		ck_assert(op_list_arrays(batch, arrays, literals));
		ck_assert_str_eq(literals[0], "{\"0\",\"1\",\"2\"}");
		ck_assert_str_eq(literals[1], "{\"a\\\"b\\\\c,{}\",NULL,\"NULL\"}");
	}
	buf_free(&arrays[1]);
	arrays[1] = BUF_INIT(10);
	ck_assert(!op_list_arrays(batch, arrays, literals));
	buf_free(&arrays[0]);
	buf_free(&arrays[1]);
}
END_TEST

START_TEST(in_the_order_in_which_they_came)
{
	wait_in_line(4, one, NULL);
	ck_assert_ptr_eq(op_queue_take(&q), &ops[0]);
	op_queue_push(&q, &ops[0]);
	const struct lane_op *all = op_queue_take_all(&q);
	ck_assert_ptr_eq(all, &ops[1]);
	ck_assert_ptr_eq(all->next->next->next, &ops[0]);
	ck_assert_int_eq(q.len, 0);
	op_queue_push(&q, &ops[2]);
	ck_assert_ptr_eq(op_queue_take(&q), &ops[2]);
	ck_assert_ptr_null(q.first);
}
END_TEST

CHECK_MAIN("server/op_queue", a_batch_has_a_size, only_of_one_statement, a_batch_has_a_weight_but_for_one, as_arrays,
           in_the_order_in_which_they_came)
