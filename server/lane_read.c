#include "server/lane.h"

#include "base/array_literal.h"
#include "server/link.h"
#include "server/log.h"
#include "server/pg_error.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SENDS_MAX = 1536, KEYS_MAX_BYTES = 64 * 1024 };

enum send_kind { SEND_SETUP, SEND_PREPARE, SEND_QUERY, SEND_SYNC };

/* One thing sent over the pipeline whose result is awaited, in order. */
struct send {
	enum send_kind kind;
	const struct statement *st;
	struct lane_op *ops, **last; /* one, or those of one batch */
	int count;
};

struct read_lane {
	struct link *link;
	bool of_replica;
	unsigned connection; /* counts those made */
	struct lane_op *first, **last; /* waiting to be sent */
	int queued;
	struct send sends[SENDS_MAX]; /* a ring */
	unsigned head, tail;          /* tail - head are in flight */
	int turns;                    /* syncs in flight */
	struct buf keys;
	struct lane_stats stats;
};

static void end_ops(struct read_lane *lane, struct lane_op *op, enum op_end end)
{
	while (op) {
		struct lane_op *next = op->next;
		if (end != OP_OK)
			lane->stats.failures++;
		op->done(op, end, NULL);
		op = next;
	}
}

static struct lane_op *take_queue(struct read_lane *lane)
{
	struct lane_op *ops = lane->first;
	lane->first = NULL;
	lane->last = &lane->first;
	lane->queued = 0;
	return ops;
}

static void lane_down(void *owner)
{
	struct read_lane *lane = owner;
	atomic_store(&lane->stats.connected, 0);
	while (lane->head != lane->tail) {
		struct send *send = &lane->sends[lane->head++ % SENDS_MAX];
		end_ops(lane, send->ops, OP_UNAVAILABLE);
	}
	lane->turns = 0;
	end_ops(lane, take_queue(lane), OP_UNAVAILABLE);
}

/* ---- results ---- */

static void deliver_row_by_key(struct read_lane *lane, struct lane_op *op, const PGresult *res, int rows)
{
	struct rows one = {.pg = res};
	for (int i = 0; i < rows && !one.count; i++) {
		if (strcmp(PQgetvalue(res, i, 0), op->params[0]) == 0) {
			one.first = i;
			one.count = 1;
		}
	}
	lane->stats.statements++;
	op->done(op, OP_OK, &one);
}

static void deliver(struct read_lane *lane, struct send *send, const PGresult *res)
{
	int rows = PQntuples(res);
	struct lane_op *op = send->ops;
	send->ops = NULL;
	if (!send->st->by_keys) {
		struct rows all = {.pg = res, .count = rows};
		lane->stats.statements++;
		op->done(op, OP_OK, &all);
		return;
	}
	lane->stats.batches++;
	while (op) {
		struct lane_op *next = op->next;
		deliver_row_by_key(lane, op, res, rows);
		op = next;
	}
}

static void queue_op(struct read_lane *lane, struct lane_op *op)
{
	op->next = NULL;
	*lane->last = op;
	lane->last = &op->next;
	lane->queued++;
}

/* Something before it in its turn failed, so it did not run: once more, unless it was so before. */
static void send_again(struct read_lane *lane, struct send *send)
{
	struct lane_op *op = send->ops;
	send->ops = NULL;
	while (op) {
		struct lane_op *next = op->next;
		if (op->tries++ < 2) {
			lane->stats.retries++;
			queue_op(lane, op);
		} else {
			op->next = NULL;
			end_ops(lane, op, OP_FAILED);
		}
		op = next;
	}
}

static void failed(struct read_lane *lane, struct send *send, const PGresult *res)
{
	const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	char why[PG_ERROR_TEXT];
	if (sqlstate && strcmp(sqlstate, "26000") == 0) { /* it was to be prepared in an earlier turn that something else aborted */
		send_again(lane, send);
		return;
	}
	struct lane_op *ops = send->ops;
	send->ops = NULL;
	pg_error_text(res, why);
	log_line(lane->of_replica ? LOG_WARN : LOG_ERROR, "read failed", "statement", send->st ? send->st->name : "sync", "sqlstate", sqlstate, "why", why, NULL);
	end_ops(lane, ops, op_end_of(sqlstate));
}

static void take_result(struct read_lane *lane, struct send *send, const PGresult *res)
{
	switch (PQresultStatus(res)) {
	case PGRES_PIPELINE_SYNC:
		assert(send->kind == SEND_SYNC);
		lane->turns--;
		break;
	case PGRES_COMMAND_OK:
		assert(send->kind == SEND_PREPARE || send->kind == SEND_SETUP);
		if (send->kind == SEND_PREPARE)
			link_set_prepared(lane->link, send->st);
		break;
	case PGRES_TUPLES_OK:
		deliver(lane, send, res);
		break;
	case PGRES_PIPELINE_ABORTED:
		send_again(lane, send);
		break;
	default:
		failed(lane, send, res);
	}
}

/* In pipeline mode libpq puts a NULL after the results of each query, and none after a sync; NULLs are passed over, but not
 * for ever. */
static void lane_input(void *owner)
{
	struct read_lane *lane = owner;
	PGconn *pg = link_pg(lane->link);
	int nulls = 0;
	while (lane->head != lane->tail && !PQisBusy(pg) && nulls < 3) {
		PGresult *res = PQgetResult(pg);
		if (!res) {
			nulls++;
			continue;
		}
		nulls = 0;
		struct send *send = &lane->sends[lane->head % SENDS_MAX];
		take_result(lane, send, res);
		PQclear(res);
		lane->head++;
	}
	if (PQstatus(pg) != CONNECTION_OK)
		link_lost(lane->link);
}

/* ---- sending ---- */

static struct send *add_send(struct read_lane *lane, enum send_kind kind, const struct statement *st)
{
	assert(lane->tail - lane->head < SENDS_MAX);
	struct send *send = &lane->sends[lane->tail++ % SENDS_MAX];
	*send = (struct send){.kind = kind, .st = st};
	send->last = &send->ops;
	return send;
}

static void append(struct send *send, struct lane_op *op)
{
	op->next = NULL;
	*send->last = op;
	send->last = &op->next;
	send->count++;
}

/* The waiting batch of this turn that takes another key of `st`, or NULL. */
static struct send *open_batch(struct read_lane *lane, unsigned turn_start, const struct statement *st)
{
	for (unsigned i = turn_start; i != lane->tail; i++) {
		struct send *send = &lane->sends[i % SENDS_MAX];
		if (send->kind == SEND_QUERY && send->st == st && st->by_keys && send->count < READ_BATCH_MAX)
			return send;
	}
	return NULL;
}

/* Prepared, or about to be by what was sent before: statements run in the order in which they were sent. */
static bool will_be_prepared(struct read_lane *lane, const struct statement *st)
{
	if (link_prepared(lane->link, st))
		return true;
	for (unsigned i = lane->head; i != lane->tail; i++) {
		const struct send *send = &lane->sends[i % SENDS_MAX];
		if (send->kind == SEND_PREPARE && send->st == st)
			return true;
	}
	return false;
}

/* Sorts what waits into sends: one a statement, one a batch; a statement not yet prepared here is prepared before. */
static void plan_turn(struct read_lane *lane)
{
	unsigned turn_start = lane->tail;
	for (int n = 0; lane->first && n < READ_TURN_OPS_MAX; n++) {
		struct lane_op *op = lane->first;
		lane->first = op->next;
		if (!lane->first)
			lane->last = &lane->first;
		lane->queued--;
		struct send *send = open_batch(lane, turn_start, op->st);
		if (!send) {
			if (!will_be_prepared(lane, op->st))
				add_send(lane, SEND_PREPARE, op->st);
			send = add_send(lane, SEND_QUERY, op->st);
		}
		append(send, op);
	}
}

/* An array literal of the batch's keys. */
static const char *keys_literal(struct buf *out, const struct send *send)
{
	buf_reset(out);
	for (const struct lane_op *op = send->ops; op; op = op->next)
		array_literal_text(out, op->params[0]);
	array_literal_end(out);
	return out->failed ? NULL : out->data;
}

static bool send_one(struct read_lane *lane, PGconn *pg, struct send *send)
{
	if (send->kind == SEND_PREPARE)
		return PQsendPrepare(pg, send->st->name, send->st->sql, 0, NULL);
	if (!send->st->by_keys)
		return PQsendQueryPrepared(pg, send->st->name, send->st->params, send->ops->params, NULL, NULL, 0);
	const char *keys = keys_literal(&lane->keys, send);
	return keys && PQsendQueryPrepared(pg, send->st->name, 1, &keys, NULL, NULL, 0);
}

void read_lane_flush(struct read_lane *lane)
{
	PGconn *pg = link_pg(lane->link);
	if (!pg || !lane->first || lane->turns >= READ_TURNS)
		return;
	unsigned turn_start = lane->tail;
	plan_turn(lane);
	bool sent = true;
	for (unsigned i = turn_start; i != lane->tail && sent; i++)
		sent = send_one(lane, pg, &lane->sends[i % SENDS_MAX]);
	add_send(lane, SEND_SYNC, NULL);
	lane->turns++;
	if (sent && PQpipelineSync(pg))
		link_flush(lane->link);
	else
		link_lost(lane->link);
}

/* ---- life ---- */

/* What a connection is told first. Not among the options it is made with: libpq would take the server for one that is read-only,
 * and pass it over where one that takes writes is asked for. */
static bool set_up(struct read_lane *lane, PGconn *pg)
{
	add_send(lane, SEND_SETUP, NULL);
	add_send(lane, SEND_SYNC, NULL);
	lane->turns++;
	return PQsendQueryParams(pg, "set default_transaction_read_only = on", 0, NULL, NULL, NULL, NULL, 0) &&
	       PQpipelineSync(pg);
}

static void lane_up(void *owner)
{
	struct read_lane *lane = owner;
	PGconn *pg = link_pg(lane->link);
	int entered = PQenterPipelineMode(pg);
	assert(entered);
	(void)entered;
	atomic_store(&lane->stats.connected, 1);
	lane->connection++;
	if (set_up(lane, pg))
		link_flush(lane->link);
	else
		link_lost(lane->link);
}

static struct read_lane *make(struct poll *poll, const char *url, bool of_replica, int timeout_ms)
{
	static const struct link_owner calls = {lane_up, lane_input, lane_down};
	struct read_lane *lane = calloc(1, sizeof *lane);
	if (!lane)
		return NULL;
	char options[160]; /* a short array of keys would be planned anew each time, which costs more than running it */
	snprintf(options, sizeof options, "-c statement_timeout=%d -c jit=off -c plan_cache_mode=force_generic_plan", timeout_ms);
	lane->last = &lane->first;
	lane->keys = BUF_INIT(KEYS_MAX_BYTES);
	lane->of_replica = of_replica;
	lane->link = of_replica ? link_to_replicas(poll, url, "assay replica reads", options, &calls, lane)
	                        : link_new(poll, url, "assay reads", options, &calls, lane);
	if (lane->link)
		return lane;
	free(lane);
	return NULL;
}

struct read_lane *read_lane_new(struct poll *poll, const char *url) { return make(poll, url, false, READ_TIMEOUT_MS); }

struct read_lane *read_lane_to_replicas(struct poll *poll, const char *url, int timeout_ms) { return make(poll, url, true, timeout_ms); }

unsigned read_lane_connection(const struct read_lane *lane) { return lane->connection; }

int read_lane_busy(const struct read_lane *lane) { return lane->queued + (int)(lane->tail - lane->head); }

void read_lane_other_host(struct read_lane *lane) { link_other_host(lane->link); }

void read_lane_free(struct read_lane *lane)
{
	if (!lane)
		return;
	lane_down(lane);
	link_free(lane->link);
	buf_free(&lane->keys);
	free(lane);
}

enum op_end read_lane_submit(struct read_lane *lane, struct lane_op *op)
{
	if (!link_pg(lane->link))
		return OP_UNAVAILABLE;
	if (lane->queued >= READ_QUEUE_MAX)
		return OP_OVERLOADED;
	op->tries = 0;
	queue_op(lane, op);
	return OP_OK;
}

void read_lane_tick(struct read_lane *lane, int64_t now)
{
	lane->stats.queued = lane->queued;
	lane->stats.running = (long)(lane->tail - lane->head);
	link_tick(lane->link, now);
}

const struct lane_stats *read_lane_stats(const struct read_lane *lane) { return &lane->stats; }
