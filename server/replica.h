/* Reads on streaming replicas: a loop's connections to them, and what is known of how far each has come.
 *
 * A replica takes a read when three things hold. It has replayed the log as far as the reader needs (read your writes). All that was
 * committed up to a moment no longer ago than the bound is in it. And it follows the very primary that the loop is connected to: that
 * shows in a mark which is written into the database whenever a primary has another timeline, so that a replica which was left behind
 * by a failover, with a log that went its own way, is never taken for one.
 *
 * What is known is a lower bound, asked for ten times a second, and at once when a read needed more. Everything else goes to the
 * primary: what a replica refused, cancelled, lost, or found nothing for. */
#ifndef ASSAY_SERVER_REPLICA_H
#define ASSAY_SERVER_REPLICA_H

#include "server/lane.h"
#include "server/positions.h"

/* Why a read went to the primary that a replica might have taken. */
enum replica_why {
	REPLICA_OK,
	REPLICA_DOWN, /* no connection, or what is connected is no replica of this primary */
	REPLICA_LAGS, /* by more than the bound */
	REPLICA_BEHIND, /* what its reader needs */
	REPLICA_BUSY,
	REPLICA_FAILED, /* it was asked, and did not answer: the connection broke, or replay cancelled the statement */
	REPLICA_EMPTY, /* it found nothing: that may be for want of the last moment */
	REPLICA_WHYS
};
extern const char *const replica_why_names[REPLICA_WHYS];

struct replica_stats { /* written by the loop, read by /metrics and /readyz */
	_Atomic unsigned long long reads; /* that replicas answered */
	_Atomic unsigned long long declined[REPLICA_WHYS];
	_Atomic int connections;
	_Atomic int64_t
	        covered_ms; /* when what its point reads see was the whole truth (now_ms); 0: not known, or no connection */
};

struct replica_config {
	const char *url; /* several hosts: each connection takes one, and another when that one is of no use */
	int64_t lag_ms; /* the bound */
	struct positions *positions;
};

struct replica;
struct replica *replica_new(struct poll *poll, const struct replica_config *config, struct read_lane *primary,
                            struct write_lanes *writes);
void replica_free(struct replica *r); /* after the lanes to the primary, which have questions of its own */
/* True: a replica has it. Otherwise it has to be asked of the primary. */
bool replica_submit(struct replica *r, struct lane_op *op, uint64_t needed);
void replica_answered(struct replica *r, enum replica_why how); /* REPLICA_OK, _FAILED or _EMPTY */
void replica_flush(struct replica *r);
void replica_tick(struct replica *r, int64_t now);
const struct replica_stats *replica_stats(const struct replica *r);

#endif
