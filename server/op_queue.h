/* Statements that wait for a lane, in the order in which they came. */
#ifndef ASSAY_SERVER_OP_QUEUE_H
#define ASSAY_SERVER_OP_QUEUE_H

#include "base/buf.h"
#include "server/lane.h"

struct op_queue {
	struct lane_op *first, **last;
	int len;
};

void op_queue_init(struct op_queue *q);
void op_queue_push(struct op_queue *q, struct lane_op *op);
struct lane_op *op_queue_take(struct op_queue *q); /* the first, of one that is not empty */
struct lane_op *op_queue_take_all(struct op_queue *q); /* as a list */
/* The first and what may go with it in one statement, as a list: the same `batch`, not too many, not too large. */
struct lane_op *op_queue_take_batch(struct op_queue *q, int *len);

/* The parameters of the members of a batch as array literals, in `arrays`, whose bytes `params` borrows. False: out of memory. */
bool op_list_arrays(const struct lane_op *ops, struct buf arrays[], const char *params[]);

#endif
