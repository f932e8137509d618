#include "server/lane.h"

#include "server/link.h"
#include "server/log.h"
#include "server/pg_error.h"

#include <stdlib.h>
#include <string.h>

enum { WRITE_LANES_MAX = 64 };

struct write_lane {
	struct write_lanes *all;
	struct link *link;
	struct lane_op *op; /* running; NULL: free */
	bool preparing;     /* the statement of `op` is being prepared; it runs next */
	PGresult *result;   /* the first of the running statement */
};

struct write_lanes {
	struct write_lane lane[WRITE_LANES_MAX];
	int len;
	struct lane_op *first, **last;
	struct lane_op *delayed; /* to be tried again at their not_before_ms */
	int queued;
	struct lane_stats stats;
};

enum op_end op_end_of(const char *sqlstate)
{
	if (!sqlstate || strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "57P0", 4) == 0 || strcmp(sqlstate, "25006") == 0)
		return OP_UNAVAILABLE; /* connection, shutdown, or a server that has become read-only */
	if (strcmp(sqlstate, "57014") == 0 || strcmp(sqlstate, "55P03") == 0 || strcmp(sqlstate, "40001") == 0 ||
	    strcmp(sqlstate, "40P01") == 0 || strncmp(sqlstate, "53", 2) == 0)
		return OP_OVERLOADED; /* timed out, locked out, or out of resources: nothing happened */
	return OP_FAILED;
}

static void push(struct write_lanes *all, struct lane_op *op)
{
	op->next = NULL;
	*all->last = op;
	all->last = &op->next;
	all->queued++;
}

static void end_op(struct write_lanes *all, struct lane_op *op, enum op_end end)
{
	all->stats.failures++;
	op->done(op, end, NULL);
}

static bool worth_retrying(const char *sqlstate)
{
	return sqlstate && (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0);
}

static void finish(struct write_lane *lane)
{
	struct write_lanes *all = lane->all;
	struct lane_op *op = lane->op;
	PGresult *res = lane->result;
	lane->op = NULL;
	lane->result = NULL;
	ExecStatusType status = PQresultStatus(res);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		struct rows rows = {.pg = res, .count = PQntuples(res)};
		all->stats.statements++;
		op->done(op, OP_OK, &rows);
		PQclear(res);
		return;
	}
	const char *sqlstate = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	if (worth_retrying(sqlstate) && ++op->tries < WRITE_TRIES) {
		op->not_before_ms = now_ms() + (2L << op->tries) + random() % (4L << op->tries);
		op->next = all->delayed;
		all->delayed = op;
		all->queued++;
		all->stats.retries++;
	} else {
		char why[PG_ERROR_TEXT] = "no result";
		if (res)
			pg_error_text(res, why);
		log_line(LOG_ERROR, "statement failed", "statement", op->st->name, "sqlstate", sqlstate, "why", why, NULL);
		end_op(all, op, op_end_of(sqlstate));
		if (sqlstate && strcmp(sqlstate, "25006") == 0)
			link_refused_write(lane->link);
	}
	PQclear(res);
}

static void run_statement(struct write_lane *lane)
{
	PGconn *pg = link_pg(lane->link);
	const struct lane_op *op = lane->op;
	lane->preparing = !link_prepared(lane->link, op->st);
	int sent = lane->preparing ? PQsendPrepare(pg, op->st->name, op->st->sql, 0, NULL)
	                           : PQsendQueryPrepared(pg, op->st->name, op->st->params, op->params, NULL, NULL, 0);
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
		link_set_prepared(lane->link, lane->op->st);
		run_statement(lane);
		return;
	}
	finish(lane);
}

static void lane_up(void *owner)
{
	struct write_lane *lane = owner;
	lane->all->stats.connected++;
}

static void lane_down(void *owner)
{
	struct write_lane *lane = owner;
	lane->all->stats.connected--;
	struct lane_op *op = lane->op;
	lane->op = NULL;
	PQclear(lane->result);
	lane->result = NULL;
	if (op)
		end_op(lane->all, op, OP_UNAVAILABLE);
}

static void lane_input(void *owner)
{
	struct write_lane *lane = owner;
	PGconn *pg = link_pg(lane->link);
	while (lane->op && pg && !PQisBusy(pg)) {
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
	all->last = &all->first;
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

static void end_all(struct write_lanes *all, struct lane_op *op)
{
	while (op) {
		struct lane_op *next = op->next;
		end_op(all, op, OP_UNAVAILABLE);
		op = next;
	}
}

static void drop_queue(struct write_lanes *all)
{
	struct lane_op *waiting = all->first, *delayed = all->delayed;
	all->first = all->delayed = NULL;
	all->last = &all->first;
	all->queued = 0;
	end_all(all, waiting);
	end_all(all, delayed);
}

void write_lanes_free(struct write_lanes *all)
{
	if (!all)
		return;
	for (int i = 0; i < all->len; i++) {
		struct lane_op *op = all->lane[i].op;
		all->lane[i].op = NULL;
		PQclear(all->lane[i].result);
		link_free(all->lane[i].link);
		if (op)
			end_op(all, op, OP_UNAVAILABLE);
	}
	drop_queue(all);
	free(all);
}

enum op_end write_lanes_submit(struct write_lanes *all, struct lane_op *op)
{
	if (all->stats.connected == 0)
		return OP_UNAVAILABLE;
	if (all->queued >= WRITE_QUEUE_MAX)
		return OP_OVERLOADED;
	op->tries = 0;
	push(all, op);
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
		all->queued--;
		push(all, op);
	}
}

void write_lanes_flush(struct write_lanes *all)
{
	if (all->delayed)
		wake_delayed(all, now_ms());
	for (int i = 0; i < all->len && all->first; i++) {
		struct write_lane *lane = &all->lane[i];
		if (lane->op || !link_pg(lane->link))
			continue;
		lane->op = all->first;
		all->first = lane->op->next;
		if (!all->first)
			all->last = &all->first;
		all->queued--;
		run_statement(lane);
	}
}

void write_lanes_tick(struct write_lanes *all, int64_t now)
{
	long running = 0;
	for (int i = 0; i < all->len; i++) {
		link_tick(all->lane[i].link, now);
		running += all->lane[i].op != NULL;
	}
	all->stats.queued = all->queued;
	all->stats.running = running;
	if (all->stats.connected == 0 && all->queued)
		drop_queue(all);
}

int write_lanes_wait_ms(const struct write_lanes *all, int64_t now)
{
	int64_t wait = -1;
	for (const struct lane_op *op = all->delayed; op; op = op->next) {
		int64_t left = op->not_before_ms > now ? op->not_before_ms - now : 0;
		if (wait < 0 || left < wait)
			wait = left;
	}
	return (int)wait;
}

const struct lane_stats *write_lanes_stats(const struct write_lanes *all) { return &all->stats; }
