/* Lanes carry statements from a loop to PostgreSQL and results back, without ever blocking the loop.
 *
 * The read lane is one pipelined connection. What was submitted in one turn of the loop goes out in one flush under one sync;
 * reads by key of the same statement go as one `= ANY($1)`. At most READ_TURNS such turns are under way, so that the next one
 * gathers while they run. A statement that fails aborts those sent after it in its turn: these are sent again.
 *
 * The write lanes are a few connections that take one statement at a time from one queue, because one that waits for a row or
 * for the disk must not hold up the others. Statements marked `slow` go here too. Writes that may go together (`batch`) gather
 * while a batch is under way and go as the next one: one statement, one transaction, one wait for the disk. The database says of
 * each whether it was done; those that were not, and all of a batch that failed, go alone. */
#ifndef ASSAY_SERVER_LANE_H
#define ASSAY_SERVER_LANE_H

#include "server/poll.h"
#include "server/statement.h"

#include <stdatomic.h>

enum op_end {
	OP_OK,
	OP_UNAVAILABLE, /* no connection, or it was lost: whether a write happened is not known */
	OP_OVERLOADED,  /* the queue was full, or the statement ran into its timeout and did nothing */
	OP_FAILED       /* PostgreSQL refused it: our bug; it is in the log */
};

enum {
	READ_TURNS = 2,
	READ_QUEUE_MAX = 4096,
	READ_BATCH_MAX = 128,
	READ_TURN_OPS_MAX = 512,
	READ_TIMEOUT_MS = 2000,
	WRITE_QUEUE_MAX = 512,
	WRITE_BATCHES = 1,      /* under way at once; while one is, the next gathers */
	WRITE_GATHER_US = 1000, /* and after it for those who were in it, at most so long */
	WRITE_BATCH_MAX = 64,
	WRITE_BATCH_MAX_BYTES = 128 * 1024,
	WRITE_TIMEOUT_MS = 5000,
	LOCK_TIMEOUT_MS = 2000,
	WRITE_TRIES = 5
};

/* One statement on its way. Owned by the submitter, who keeps it and the parameters alive until `done`, which is called
 * exactly once, on the loop's thread, never from inside the submit call that succeeded. */
struct lane_op {
	struct lane_op *next; /* the lane's */
	const struct statement *st;
	const char *const *params; /* for by_keys statements: params[0] is one key */
	/* A write: the statement that does for many what `st` does for one, or NULL. Each of its parameters is an array, of what
	 * the members have there in `batch_params`. It answers a row a member, in their order: the columns of `st`, and last of all
	 * whether it was done. One that was not has left no trace, and goes as `st`. */
	const struct statement *batch;
	const char *const *batch_params;
	/* Makes `params`, when they are needed first: most that can go in a batch never need them. NULL: they are there. */
	void (*make_params)(struct lane_op *op);
	void (*done)(struct lane_op *op, enum op_end end, const struct rows *rows);
	unsigned tries;
	int64_t not_before_ms;
};

struct lane_stats { /* written by the loop, read by /metrics */
	_Atomic unsigned long long statements, batches, failures, retries;
	_Atomic long queued, running;
	_Atomic int connected;
};

struct read_lane;
struct read_lane *read_lane_new(struct poll *poll, const char *url);
struct read_lane *read_lane_to_replicas(struct poll *poll, const char *url, int timeout_ms);
unsigned read_lane_connection(const struct read_lane *lane); /* the number of the connection that it has, or had last */
int read_lane_busy(const struct read_lane *lane);            /* how much is waiting or under way */
void read_lane_other_host(struct read_lane *lane);           /* drops the connection; of several hosts another is tried first */
void read_lane_free(struct read_lane *lane); /* what is still queued is ended as OP_UNAVAILABLE */
enum op_end read_lane_submit(struct read_lane *lane, struct lane_op *op); /* OP_OK: accepted */
void read_lane_flush(struct read_lane *lane); /* once a turn, after everything was submitted */
void read_lane_tick(struct read_lane *lane, int64_t now);
const struct lane_stats *read_lane_stats(const struct read_lane *lane);

struct write_lanes;
struct write_lanes *write_lanes_new(struct poll *poll, const char *url, int connections);
void write_lanes_free(struct write_lanes *lanes);
enum op_end write_lanes_submit(struct write_lanes *lanes, struct lane_op *op);
void write_lanes_flush(struct write_lanes *lanes);
void write_lanes_tick(struct write_lanes *lanes, int64_t now);
int write_lanes_wait_ms(struct write_lanes *lanes, int64_t now); /* until a retry or a batch is due; -1: none */
const struct lane_stats *write_lanes_stats(const struct write_lanes *lanes);

/* What an SQLSTATE means for an operation that ended with it. */
enum op_end op_end_of(const char *sqlstate);
bool op_worth_retrying(const char *sqlstate);

#endif
