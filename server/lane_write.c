#include "server/lane.h"

#include "server/link.h"
#include "server/log.h"
#include "server/op_queue.h"
#include "server/pg_error.h"

#include <stdlib.h>
#include <string.h>

enum {
	WRITE_LANES_MAX = 64,
	WRITE_ARRAY_MAX = 4 * WRITE_BATCH_MAX_BYTES /* what is quoted grows */
};

struct write_lane {
	struct write_lanes *all;
	struct link *link;
	const struct statement *st; /* running; NULL: free */
	struct lane_op *ops;        /* whom it runs for: one, or the members of a batch */
	int len;
	bool batch;
	bool preparing;   /* `st` is being prepared; it runs next */
	PGresult *result; /* the first of the running statement */
};

struct write_lanes {
	struct write_lane lane[WRITE_LANES_MAX];
	int len;
	struct op_queue alone, together; /* waiting */
	struct lane_op *delayed;         /* to be tried again at their not_before_ms */
	int delayed_len;
	int batches;      /* under way */
	int expected;     /* in the next one: who was in the last, and who waited when it ended */
	int64_t ended_us; /* when that was */
	bool alone_next;
	struct buf arrays[STATEMENT_PARAMS_MAX];
	struct lane_stats stats;
};

/* ---- who waits ---- */

static int queued(const struct write_lanes *all) { return all->alone.len + all->together.len + all->delayed_len; }

static void go_alone(struct write_lanes *all, struct lane_op *op)
{
	op->batch = NULL;
	op_queue_push(&all->alone, op);
}

/* ---- how it ended ---- */

static void end_op(struct write_lanes *all, struct lane_op *op, enum op_end end)
{
	all->stats.failures++;
	op->done(op, end, NULL);
}

static void end_all(struct write_lanes *all, struct lane_op *op, enum op_end end)
{
	for (struct lane_op *next; op; op = next) {
		next = op->next;
		end_op(all, op, end);
	}
}

static const char *sqlstate_of(const PGresult *res) { return res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL; }

static void log_failed(const char *what, const struct statement *st, const PGresult *res)
{
	char why[PG_ERROR_TEXT] = "no result";
	if (res)
		pg_error_text(res, why);
	log_line(LOG_ERROR, what, "statement", st->name, "sqlstate", sqlstate_of(res), "why", why, NULL);
}

/* A server that takes no writes (any more) is left. */
static void leave_if_read_only(struct write_lane *lane, const PGresult *res)
{
	const char *sqlstate = sqlstate_of(res);
	if (sqlstate && strcmp(sqlstate, "25006") == 0)
		link_refused_write(lane->link);
}

static void one_failed(struct write_lanes *all, struct lane_op *op, const PGresult *res)
{
	const char *sqlstate = sqlstate_of(res);
	if (op_worth_retrying(sqlstate) && ++op->tries < WRITE_TRIES) {
		op->not_before_ms = now_ms() + (2L << op->tries) + random() % (4L << op->tries);
		op->next = all->delayed;
		all->delayed = op;
		all->delayed_len++;
		all->stats.retries++;
	} else {
		log_failed("statement failed", op->st, res);
		end_op(all, op, op_end_of(sqlstate));
	}
}

static void one_done(struct write_lanes *all, struct lane_op *op, const PGresult *res, int first, int count)
{
	struct rows rows = {.pg = res, .first = first, .count = count};
	all->stats.statements++;
	op->done(op, OP_OK, &rows);
}

/* One of them was there already, or is twice among them, or there was a deadlock. */
static bool no_fault(const char *sqlstate) { return op_worth_retrying(sqlstate) || (sqlstate && strcmp(sqlstate, "23505") == 0); }

/* Nothing of it happened: whatever it was that did not suit, each is told alone. */
static void batch_failed(struct write_lanes *all, const struct statement *st, struct lane_op *op, const PGresult *res)
{
	if (!no_fault(sqlstate_of(res)))
		log_failed("batch failed", st, res);
	bool alone = op_end_of(sqlstate_of(res)) != OP_UNAVAILABLE;
	for (struct lane_op *next; op; op = next) {
		next = op->next;
		all->stats.retries += alone;
		if (alone)
			go_alone(all, op);
		else
			end_op(all, op, OP_UNAVAILABLE);
	}
}

static void batch_done(struct write_lanes *all, struct lane_op *op, const PGresult *res)
{
	int done = PQnfields(res) - 1;
	all->stats.batches++;
	struct lane_op *next;
	for (int row = 0; op; row++, op = next) {
		next = op->next;
		if (PQgetvalue(res, row, done)[0] == 't')
			one_done(all, op, res, row, 1);
		else
			go_alone(all, op);
	}
}

static struct lane_op *let_go(struct write_lane *lane)
{
	struct lane_op *ops = lane->ops;
	if (lane->batch) {
		lane->all->batches--;
		lane->all->expected = lane->len + lane->all->together.len;
		lane->all->ended_us = now_us();
	}
	lane->ops = NULL;
	lane->st = NULL;
	lane->batch = false;
	return ops;
}

static void finish(struct write_lane *lane)
{
	struct write_lane was = *lane;
	struct lane_op *ops = let_go(lane);
	PGresult *res = was.result;
	lane->result = NULL;
	bool ok = PQresultStatus(res) == PGRES_TUPLES_OK || PQresultStatus(res) == PGRES_COMMAND_OK;
	if (!was.batch && ok)
		one_done(was.all, ops, res, 0, PQntuples(res));
	else if (!was.batch)
		one_failed(was.all, ops, res);
	else if (ok && PQntuples(res) == was.len)
		batch_done(was.all, ops, res);
	else if (ok)
		end_all(was.all, ops, OP_UNAVAILABLE); /* it is done, and not known what */
	else
		batch_failed(was.all, was.st, ops, res);
	leave_if_read_only(lane, res);
	PQclear(res);
}

/* ---- sending ---- */

static bool send_batch(struct write_lane *lane, PGconn *pg)
{
	const char *params[STATEMENT_PARAMS_MAX];
	return op_list_arrays(lane->ops, lane->all->arrays, params) &&
	       PQsendQueryPrepared(pg, lane->st->name, lane->st->params, params, NULL, NULL, 0);
}

static void run_statement(struct write_lane *lane)
{
	PGconn *pg = link_pg(lane->link);
	const struct statement *st = lane->st;
	int sent;
	lane->preparing = !link_prepared(lane->link, st);
	if (lane->preparing)
		sent = PQsendPrepare(pg, st->name, st->sql, 0, NULL);
	else if (lane->batch)
		sent = send_batch(lane, pg);
	else
		sent = PQsendQueryPrepared(pg, st->name, st->params, lane->ops->params, NULL, NULL, 0);
	if (sent)
		link_flush(lane->link);
	else
		link_lost(lane->link);
}

static void statement_over(struct write_lane *lane)
{
	if (lane->preparing && PQresultStatus(lane->result) == PGRES_COMMAND_OK) {
		PQclear(lane->result);
		lane->result = NULL;
		link_set_prepared(lane->link, lane->st);
		run_statement(lane);
		return;
	}
	finish(lane);
}

/* ---- connections ---- */

static void lane_up(void *owner)
{
	struct write_lane *lane = owner;
	lane->all->stats.connected++;
}

static void lane_down(void *owner)
{
	struct write_lane *lane = owner;
	lane->all->stats.connected--;
	PQclear(lane->result);
	lane->result = NULL;
	end_all(lane->all, let_go(lane), OP_UNAVAILABLE);
}

static void lane_input(void *owner)
{
	struct write_lane *lane = owner;
	PGconn *pg = link_pg(lane->link);
	while (lane->st && pg && !PQisBusy(pg)) {
		PGresult *res = PQgetResult(pg);
		if (res && !lane->result) {
			lane->result = res;
			continue;
		}
		PQclear(res);
		if (!res)
			statement_over(lane);
		pg = link_pg(lane->link);
	}
	if (pg && PQstatus(pg) != CONNECTION_OK)
		link_lost(lane->link);
}

struct write_lanes *write_lanes_new(struct poll *poll, const char *url, int connections)
{
	static const struct link_owner calls = {lane_up, lane_input, lane_down};
	struct write_lanes *all = calloc(1, sizeof *all);
	if (!all)
		return NULL;
	char options[128];
	snprintf(options, sizeof options, "-c statement_timeout=%d -c lock_timeout=%d -c jit=off", WRITE_TIMEOUT_MS, LOCK_TIMEOUT_MS);
	op_queue_init(&all->alone);
	op_queue_init(&all->together);
	for (int i = 0; i < STATEMENT_PARAMS_MAX; i++)
		all->arrays[i] = BUF_INIT(WRITE_ARRAY_MAX);
	for (int i = 0; i < connections && i < WRITE_LANES_MAX; i++) {
		all->lane[i] = (struct write_lane){.all = all};
		all->lane[i].link = link_new(poll, url, "assay writes", options, &calls, &all->lane[i]);
		if (!all->lane[i].link) {
			write_lanes_free(all);
			return NULL;
		}
		all->len++;
	}
	return all;
}

static void drop_waiting(struct write_lanes *all)
{
	struct lane_op *alone = op_queue_take_all(&all->alone), *together = op_queue_take_all(&all->together);
	struct lane_op *delayed = all->delayed;
	all->delayed = NULL;
	all->delayed_len = 0;
	end_all(all, alone, OP_UNAVAILABLE);
	end_all(all, together, OP_UNAVAILABLE);
	end_all(all, delayed, OP_UNAVAILABLE);
}

void write_lanes_free(struct write_lanes *all)
{
	if (!all)
		return;
	for (int i = 0; i < all->len; i++) {
		PQclear(all->lane[i].result);
		link_free(all->lane[i].link);
		end_all(all, let_go(&all->lane[i]), OP_UNAVAILABLE);
	}
	drop_waiting(all);
	for (int i = 0; i < STATEMENT_PARAMS_MAX; i++)
		buf_free(&all->arrays[i]);
	free(all);
}

enum op_end write_lanes_submit(struct write_lanes *all, struct lane_op *op)
{
	if (all->stats.connected == 0)
		return OP_UNAVAILABLE;
	if (queued(all) >= WRITE_QUEUE_MAX)
		return OP_OVERLOADED;
	op->tries = 0;
	op_queue_push(op->batch ? &all->together : &all->alone, op);
	return OP_OK;
}

static void wake_delayed(struct write_lanes *all, int64_t now)
{
	for (struct lane_op **at = &all->delayed; *at;) {
		struct lane_op *op = *at;
		if (op->not_before_ms > now) {
			at = &op->next;
			continue;
		}
		*at = op->next;
		all->delayed_len--;
		op_queue_push(&all->alone, op);
	}
}

/* Whoever was in the last batch is back in a moment, if there is more: the next waits for them, but not for long. A few large
 * batches cost much less than many small ones. */
static int64_t batch_wait_us(const struct write_lanes *all)
{
	int64_t left = all->together.len < all->expected ? all->ended_us + WRITE_GATHER_US - now_us() : 0;
	return left > 0 ? left : 0;
}

static bool batch_may_start(const struct write_lanes *all)
{
	return all->together.first && all->batches < WRITE_BATCHES && batch_wait_us(all) == 0;
}

/* By turns, so that neither waits for ever where there are few lanes. */
static void start(struct write_lane *lane)
{
	struct write_lanes *all = lane->all;
	all->alone_next = !all->alone_next;
	if (batch_may_start(all) && (all->alone_next || !all->alone.first)) {
		lane->ops = op_queue_take_batch(&all->together, &lane->len);
		lane->batch = lane->len > 1; /* one by itself is done sooner alone */
	} else {
		lane->ops = op_queue_take(&all->alone);
		lane->len = 1;
	}
	lane->st = lane->batch ? lane->ops->batch : lane->ops->st;
	if (!lane->batch && lane->ops->make_params) {
		lane->ops->make_params(lane->ops);
		lane->ops->make_params = NULL;
	}
	all->batches += lane->batch;
	run_statement(lane);
}

static bool any_to_start(const struct write_lanes *all) { return all->alone.first || batch_may_start(all); }

static struct write_lane *free_lane(struct write_lanes *all)
{
	for (int i = 0; i < all->len; i++)
		if (!all->lane[i].st && link_pg(all->lane[i].link))
			return &all->lane[i];
	return NULL;
}

void write_lanes_flush(struct write_lanes *all)
{
	struct write_lane *lane;
	if (all->delayed)
		wake_delayed(all, now_ms());
	while (any_to_start(all) && (lane = free_lane(all)))
		start(lane);
}

void write_lanes_tick(struct write_lanes *all, int64_t now)
{
	long running = 0;
	for (int i = 0; i < all->len; i++) {
		link_tick(all->lane[i].link, now);
		running += all->lane[i].st != NULL;
	}
	all->stats.queued = queued(all);
	all->stats.running = running;
	if (all->stats.connected == 0)
		drop_waiting(all);
}

static int64_t earlier(int64_t wait, int64_t other) { return wait < 0 || other < wait ? other : wait; }

int write_lanes_wait_ms(struct write_lanes *all, int64_t now)
{
	int64_t wait = -1;
	for (const struct lane_op *op = all->delayed; op; op = op->next) {
		int64_t left = op->not_before_ms > now ? op->not_before_ms - now : 0;
		wait = earlier(wait, left);
	}
	if (all->together.first && all->batches < WRITE_BATCHES && free_lane(all))
		wait = earlier(wait, (batch_wait_us(all) + 999) / 1000);
	return (int)wait;
}

const struct lane_stats *write_lanes_stats(const struct write_lanes *all) { return &all->stats; }
