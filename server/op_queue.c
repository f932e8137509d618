#include "server/op_queue.h"

#include "base/array_literal.h"

#include <assert.h>
#include <string.h>

void op_queue_init(struct op_queue *q)
{
	*q = (struct op_queue){.last = &q->first};
}

void op_queue_push(struct op_queue *q, struct lane_op *op)
{
	op->next = NULL;
	*q->last = op;
	q->last = &op->next;
	q->len++;
}

struct lane_op *op_queue_take(struct op_queue *q)
{
	struct lane_op *op = q->first;
	assert(op);
	q->first = op->next;
	if (!q->first)
		q->last = &q->first;
	q->len--;
	op->next = NULL;
	return op;
}

struct lane_op *op_queue_take_all(struct op_queue *q)
{
	struct lane_op *ops = q->first;
	op_queue_init(q);
	return ops;
}

static size_t bytes_of(const struct lane_op *op)
{
	size_t bytes = 0;
	for (int i = 0; i < op->batch->params; i++)
		bytes += op->batch_params[i] ? strlen(op->batch_params[i]) : 0;
	return bytes;
}

struct lane_op *op_queue_take_batch(struct op_queue *q, int *len)
{
	const struct statement *st = q->first->batch;
	struct lane_op *batch = NULL, **last = &batch;
	size_t bytes = 0;
	*len = 0;
	for (int n = q->len; n; n--) {
		struct lane_op *op = op_queue_take(q);
		size_t more = bytes_of(op);
		if (batch && (op->batch != st || *len == WRITE_BATCH_MAX || bytes + more > WRITE_BATCH_MAX_BYTES)) {
			op_queue_push(q, op);
			continue;
		}
		*last = op;
		last = &op->next;
		bytes += more;
		++*len;
	}
	return batch;
}

bool op_list_arrays(const struct lane_op *ops, struct buf arrays[], const char *params[])
{
	for (int i = 0; i < ops->batch->params; i++) {
		buf_reset(&arrays[i]);
		for (const struct lane_op *op = ops; op; op = op->next)
			array_literal_text(&arrays[i], op->batch_params[i]);
		array_literal_end(&arrays[i]);
		if (arrays[i].failed)
			return false;
		params[i] = arrays[i].data;
	}
	return true;
}
