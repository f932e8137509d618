/* An event loop: a thread with its own listening socket, libmicrohttpd daemon and lanes to the database. Loops share nothing. */
#ifndef ASSAY_SERVER_LOOP_H
#define ASSAY_SERVER_LOOP_H

#include "server/http.h"
#include "server/lane.h"
#include "server/metrics.h"
#include "server/replica.h"
#include "server/request_internal.h"

struct loop_config {
	const char *database_url;
	const char *read_database_url; /* NULL: no replicas */
	int64_t read_lag_ms;
	struct positions *positions; /* of all loops; NULL: no replicas */
	int listen_fd; /* taken over */
	int write_lanes;
	int64_t body_ms;
	struct http_settings http;
	const struct operation *operations;
	size_t operations_len;
	struct auth_config auth;
	const struct cors *cors; /* NULL: none */
};

struct loop *loop_start(const struct loop_config *config); /* NULL: could not */
void loop_ask_to_stop(struct loop *loop, int64_t give_up_at_ms); /* from any thread */
/* False: a worker still holds a request, whose memory, and the daemon that it belongs to, must stay: it cannot be freed. */
bool loop_join(struct loop *loop) __attribute__((warn_unused_result));
void loop_free(struct loop *loop); /* of one that was joined, and once no other runs: they look at each other's counts */
struct loop_counts *loop_counts(struct loop *loop);
const struct lane_stats *loop_read_stats(const struct loop *loop);
const struct replica_stats *loop_replica_stats(const struct loop *loop); /* NULL: none is configured */
const struct lane_stats *loop_write_stats(const struct loop *loop);

#endif
