/* Which reads a replica may answer, and how a caller is never shown a state from before their own writes.
 *
 * The answer to a write waits for the primary to say how far its log is: one small statement, shared by all writes of a turn of the
 * loop. That position is remembered for the caller in this process, and is in the answer (Assay-Position), so that a client can send
 * it back to any instance. */
#include "server/replica.h"
#include "server/request_internal.h"

#include <assert.h>
#include <string.h>

enum { POSITION_WAIT_MS = 1000 };

/* By key, so that those of one turn go as one: all have the same. */
static const struct statement POSITION = {
        .name = "position",
        .sql = "select k, case when current_setting('synchronous_commit') = 'off' then pg_current_wal_insert_lsn()"
               " else pg_current_wal_flush_lsn() end - '0/0' from unnest($1::text[]) k limit 1",
        .params = 1,
        .by_keys = true,
};

/* ---- reads ---- */

static bool may(const struct request *rq)
{
	return rq->stage == STAGE_RUNNING && !rq->off_replica && !rq->operation->from_primary &&
	       strcmp(rq->operation->method, "GET") == 0;
}

bool replica_takes(struct request *rq)
{
	struct replica *replica = loop_replica(rq->loop);
	if (!replica || !may(rq))
		return false;
	uint64_t own = positions_of(loop_positions(rq->loop), rq->actor);
	rq->on_replica = replica_submit(replica, &rq->op, own > rq->needed ? own : rq->needed);
	return rq->on_replica;
}

/* What a replica does not find may have come into being a moment ago: nothing is ever not found for its sake. */
bool replica_failed(struct request *rq, enum op_end end, const struct rows *rows)
{
	if (!rq->on_replica)
		return false;
	enum replica_why how = end != OP_OK ? REPLICA_FAILED : rows->count == 0 ? REPLICA_EMPTY : REPLICA_OK;
	replica_answered(loop_replica(rq->loop), how);
	rq->on_replica = false;
	rq->off_replica = how != REPLICA_OK;
	return rq->off_replica;
}

/* ---- writes ---- */

void position_lost(struct request *rq)
{
	if (rq->wrote && loop_positions(rq->loop))
		positions_unknown(loop_positions(rq->loop), rq->actor);
	rq->wrote = false;
}

static void positioned(struct lane_op *op, enum op_end end, const struct rows *rows)
{
	struct request *rq = (struct request *)op;
	bool waited = rq->positioning;
	char text[POSITION_TEXT];
	rq->op_pending = rq->positioning = false;
	if (end == OP_OK && rows->count == 1) {
		uint64_t position = (uint64_t)rows_int(rows, 0, 1);
		positions_wrote(loop_positions(rq->loop), rq->actor, position);
		rq->wrote = false;
		if (waited && rq->conn) {
			position_text(position, text);
			reply_header(rq, "Assay-Position", text);
		}
	}
	position_lost(rq);
	if (!rq->conn)
		request_free(rq);
	else if (waited)
		http_wake(rq);
}

static bool ask_position(struct request *rq)
{
	rq->params_of_op[0] = "primary";
	rq->op.st = &POSITION;
	rq->op.params = rq->params_of_op;
	rq->op.done = positioned;
	rq->op.batch = NULL;
	if (read_lane_submit(loop_reads(rq->loop), &rq->op) != OP_OK)
		return false;
	rq->op_pending = rq->positioning = true;
	rq->op_since_ms = now_ms();
	return true;
}

void request_replied(struct request *rq)
{
	bool sent_later = (rq->suspended || rq->held) && !rq->said && rq->stage == STAGE_RUNNING;
	if (rq->wrote && loop_positions(rq->loop) && sent_later && rq->reply.status < 500 && !rq->op_pending &&
	    ask_position(rq))
		return;
	position_lost(rq);
	http_wake(rq);
}

void position_late(struct request *rq, int64_t now)
{
	if (!rq->positioning || now - rq->op_since_ms <= POSITION_WAIT_MS)
		return;
	rq->positioning = false; /* the lane still has the question; the answer counts for the caller's next reads */
	if (loop_positions(rq->loop))
		positions_unknown(loop_positions(rq->loop), rq->actor);
	http_wake(rq);
}
