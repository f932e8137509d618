#include "server/loop.h"

#include "base/json_write.h"
#include "server/log.h"
#include "server/priority.h"
#include "server/replica.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	TICK_MS = 100,
	CROWD = 8, /* requests under way in a loop: see priority_crowd() */
	WAIT_MAX_MS = 100,
	HELD_WAIT_MS = 1,
	DAEMON_RUNS_A_TURN = 8,
	LANE_DEADLINE_MS = 15000, /* a statement that has not answered by then is given up on */
	LOG_BYTES_MAX = 256 * 1024,
	LOG_FLUSH_MS = 200
};

struct loop {
	struct source daemon_source; /* first */
	pthread_t thread;
	struct poll *poll;
	struct MHD_Daemon *daemon;
	struct read_lane *reads;
	struct write_lanes *writes;
	struct replica *replica; /* NULL: none is configured */
	struct route_table *routes;
	struct auth_cache *auth;
	struct loop_config config;
	struct loop_counts counts;
	struct request *requests; /* those libmicrohttpd has shown us */
	struct visitors visitors;
	struct mail wake;
	struct buf log;
	int64_t log_written_ms, ticked_ms; /* when that was last so */
	int held; /* requests that wait without being suspended */
	bool run_daemon, quiesced, left_behind;
	_Atomic bool stopping;
	_Atomic int64_t give_up_at_ms;
};

struct read_lane *loop_reads(struct loop *loop) { return loop->reads; }
struct write_lanes *loop_writes(struct loop *loop) { return loop->writes; }
struct replica *loop_replica(struct loop *loop) { return loop->replica; }
struct positions *loop_positions(struct loop *loop) { return loop->config.positions; }
struct poll *loop_poll(struct loop *loop) { return loop->poll; }
struct route_table *loop_routes(struct loop *loop) { return loop->routes; }
struct auth_cache *loop_auth(struct loop *loop) { return loop->auth; }
struct visitors *loop_visitors(struct loop *loop) { return &loop->visitors; }
const struct cors *loop_cors(const struct loop *loop) { return loop->config.cors; }
bool loop_stopping(const struct loop *loop) { return atomic_load(&loop->stopping); }
void loop_daemon_due(struct loop *loop) { loop->run_daemon = true; }
void loop_held(struct loop *loop, int change) { loop->held += change; }
struct loop_counts *loop_counts(struct loop *loop) { return &loop->counts; }
const struct lane_stats *loop_read_stats(const struct loop *loop) { return read_lane_stats(loop->reads); }
const struct replica_stats *loop_replica_stats(const struct loop *loop) { return loop->replica ? replica_stats(loop->replica) : NULL; }
const struct lane_stats *loop_write_stats(const struct loop *loop) { return write_lanes_stats(loop->writes); }

void loop_add_request(struct loop *loop, struct request *rq)
{
	rq->next = loop->requests;
	if (rq->next)
		rq->next->prev = rq;
	loop->requests = rq;
	loop->counts.active++;
}

void loop_remove_request(struct loop *loop, struct request *rq)
{
	if (rq->prev)
		rq->prev->next = rq->next;
	else
		loop->requests = rq->next;
	if (rq->next)
		rq->next->prev = rq->prev;
	rq->next = rq->prev = NULL;
	loop->counts.active--;
}

/* ---- the request log, gathered and written in one piece ---- */

static void flush_log(struct loop *loop, int64_t now)
{
	if (!loop->log.len)
		return;
	log_write(&loop->log);
	buf_reset(&loop->log);
	loop->log_written_ms = now;
}

/* For values that need no escaping: our own words, and what head.c let through. */
static void put_member(struct buf *out, const char *name, const char *plain)
{
	buf_puts(out, ",\"");
	buf_puts(out, name);
	buf_puts(out, "\":\"");
	buf_puts(out, plain);
	buf_putc(out, '"');
}

static void put_number(struct buf *out, const char *name, int64_t value)
{
	buf_puts(out, ",\"");
	buf_puts(out, name);
	buf_puts(out, "\":");
	buf_int(out, value);
}

void loop_log_request(struct loop *loop, const struct request *rq, const struct reply *reply)
{
	int64_t micros = now_us() - rq->began_us;
	size_t index = rq->operation ? (size_t)(rq->operation - loop->config.operations) : OPERATIONS_MAX;
	metrics_count(&loop->counts.operations[index], reply->status, micros);
	if (!log_wants(LOG_INFO))
		return;
	struct buf *out = &loop->log;
	if (out->max - out->len < 8 * 1024)
		flush_log(loop, now_ms());
	log_begin(out, LOG_INFO, "request");
	struct json_writer w = json_writer_on(out);
	put_member(out, "method", rq->method);
	buf_puts(out, ",\"path\":");
	jw_string(&w, rq->path);
	put_member(out, "operation", rq->operation ? rq->operation->id : "");
	put_number(out, "status", reply->status);
	put_member(out, "code", reply->code ? code_name(reply->code) : "");
	put_number(out, "micros", micros);
	put_number(out, "bytes", (int64_t)reply->len);
	put_member(out, "request_id", rq->id);
	put_member(out, "key_id", rq->caller.key_id ? rq->caller.key_id : "");
	put_member(out, "traceparent", rq->traceparent ? rq->traceparent : "");
	buf_puts(out, "}\n");
}

/* ---- deadlines ---- */

static void cut_slow_sender(struct loop *loop, struct request *rq)
{
	if (!*rq->id)
		rq->id = request_id_make(rq); /* its headers have not arrived */
	if (!rq->reply.staged) {
		const char *args[] = {request_printf(rq, "%lld", (long long)(loop->config.body_ms / 1000))};
		reply_problem(rq, CODE_REQUEST_TIMEOUT, args, 1);
	}
	if (!rq->said)
		say_now(rq);
	hang_up(rq);
	loop->counts.connections_cut++;
}

static void check_deadline(struct loop *loop, struct request *rq, int64_t now)
{
	position_late(rq, now);
	int64_t age_ms = now - rq->began_us / 1000;
	bool endless = rq->upload && rq->operation->body_max == SIZE_MAX; /* an import has all the time, as long as it moves */
	bool arriving = rq->stage == STAGE_HEAD || (rq->stage == STAGE_BODY && !endless);
	if ((rq->stage == STAGE_HEAD || rq->stage == STAGE_BODY) && !rq->suspended && peer_gone(connection_fd(rq->conn))) {
		hang_up(rq); /* nobody is there to answer */
	} else if (arriving && !rq->in_worker && age_ms > loop->config.body_ms) {
		cut_slow_sender(loop, rq);
		rq->began_us = now_us(); /* once */
	} else if (arriving && age_ms > loop->config.body_ms) {
		hang_up(rq); /* its worker is waiting for more: the reply is the worker's */
		rq->began_us = now_us();
	} else if (rq->op_pending && !rq->reply.staged && now - rq->op_since_ms > LANE_DEADLINE_MS) {
		reply_problem(rq, CODE_DATABASE_UNAVAILABLE, NULL, 0); /* the lane lets go of it when its statement ends */
	}
}

static void check_deadlines(struct loop *loop, int64_t now)
{
	for (struct request *rq = loop->requests, *next; rq; rq = next) {
		next = rq->next;
		check_deadline(loop, rq, now);
	}
	loop->counts.connections_cut += visitors_cut_idle(&loop->visitors, now);
}

/* ---- turning ---- */

static void daemon_ready(struct source *source, uint32_t events)
{
	(void)events;
	((struct loop *)source)->run_daemon = true;
}

static bool daemon_wants_to_run(struct loop *loop, int *wait_ms)
{
	MHD_UNSIGNED_LONG_LONG timeout;
	if (MHD_get_timeout(loop->daemon, &timeout) != MHD_YES)
		return false;
	if (timeout < (unsigned long long)*wait_ms)
		*wait_ms = (int)timeout;
	return timeout == 0;
}

/* Runs libmicrohttpd until it has nothing to do at once. While requests are held it always says that it has; what else it may have to
 * do then is known from what it told us (loop_daemon_due()), or waits HELD_WAIT_MS. */
static void run_daemon(struct loop *loop)
{
	for (int i = 0; i < DAEMON_RUNS_A_TURN; i++) {
		int wait_ms = WAIT_MAX_MS;
		bool wants = daemon_wants_to_run(loop, &wait_ms);
		if (!loop->run_daemon && (!wants || loop->held))
			return;
		loop->run_daemon = false;
		MHD_run(loop->daemon);
	}
}

static int wait_of(struct loop *loop)
{
	int wait_ms = WAIT_MAX_MS;
	if (loop->run_daemon)
		return 0;
	if (daemon_wants_to_run(loop, &wait_ms))
		return loop->held ? HELD_WAIT_MS : 0;
	int retry_ms = write_lanes_wait_ms(loop->writes, now_ms());
	return retry_ms >= 0 && retry_ms < wait_ms ? retry_ms : wait_ms;
}

static void tick(struct loop *loop, int64_t now)
{
	read_lane_tick(loop->reads, now);
	write_lanes_tick(loop->writes, now);
	if (loop->counts.active >= CROWD)
		priority_crowd_seen(now);
	if (now - loop->ticked_ms < TICK_MS)
		return;
	loop->ticked_ms = now;
	check_deadlines(loop, now);
	loop->run_daemon |= loop->held > 0; /* what is held too long is suspended at the next run */
	if (now - loop->log_written_ms >= LOG_FLUSH_MS)
		flush_log(loop, now);
}

/* All that came in, then everything it led to, then one send a connection. */
static void turn(struct loop *loop)
{
	poll_run(loop->poll, wait_of(loop));
	run_daemon(loop);
	if (loop->replica) { /* first: what it cannot have is for the primary */
		replica_tick(loop->replica, now_ms());
		replica_flush(loop->replica);
	}
	read_lane_flush(loop->reads);
	write_lanes_flush(loop->writes);
	tick(loop, now_ms());
}

/* ---- stopping ---- */

static void stop_listening(struct loop *loop)
{
	int fd = MHD_quiesce_daemon(loop->daemon);
	if (fd >= 0)
		close(fd);
	loop->quiesced = true;
	loop->run_daemon = true;
}

/* What still waits is answered 503, so that no connection is suspended when the daemon stops. */
static void give_up(struct loop *loop)
{
	for (struct request *rq = loop->requests, *next; rq; rq = next) {
		next = rq->next;
		if (rq->in_worker)
			continue; /* cannot be taken from it */
		if (!rq->reply.staged)
			reply_problem(rq, CODE_STOPPING, NULL, 0);
		http_wake(rq);
	}
}

static bool any_in_worker(const struct loop *loop)
{
	for (const struct request *rq = loop->requests; rq; rq = rq->next)
		if (rq->in_worker)
			return true;
	return false;
}

static void abort_uploads(struct loop *loop)
{
	for (struct request *rq = loop->requests; rq; rq = rq->next)
		if (rq->upload && rq->in_worker && rq->stage == STAGE_BODY)
			upload_abort(rq->upload);
}

static void wind_down(struct loop *loop)
{
	stop_listening(loop);
	while (loop->requests && now_ms() < loop->give_up_at_ms) {
		abort_uploads(loop); /* also of those whose caller was still being looked up */
		turn(loop);
	}
	give_up(loop);
	for (int i = 0; i < 20; i++) {
		loop->run_daemon = true;
		turn(loop);
	}
	loop->left_behind = any_in_worker(loop);
}

static void *loop_main(void *arg)
{
	struct loop *loop = arg;
	while (!loop_stopping(loop))
		turn(loop);
	wind_down(loop);
	flush_log(loop, 0);
	return NULL;
}

/* ---- life ---- */

void loop_free(struct loop *loop)
{
	if (loop->daemon) {
		poll_forget(loop->poll, &loop->daemon_source);
		MHD_stop_daemon(loop->daemon);
	} else if (!loop->quiesced) {
		close(loop->config.listen_fd);
	}
	read_lane_free(loop->reads);
	write_lanes_free(loop->writes);
	replica_free(loop->replica);
	route_table_free(loop->routes);
	auth_cache_free(loop->auth);
	poll_free(loop->poll);
	buf_free(&loop->log);
	free(loop);
}

static bool start_replica(struct loop *loop)
{
	const struct replica_config replica = {
	        .url = loop->config.read_database_url, .lag_ms = loop->config.read_lag_ms, .positions = loop->config.positions};
	if (!replica.url || !loop->reads || !loop->writes)
		return !replica.url;
	loop->replica = replica_new(loop->poll, &replica, loop->reads, loop->writes);
	return loop->replica != NULL;
}

static bool watch_daemon(struct loop *loop)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	loop->daemon_source = (struct source){.ready = daemon_ready, .fd = -1};
	return info && poll_watch(loop->poll, &loop->daemon_source, info->epoll_fd, EPOLLIN);
}

struct loop *loop_start(const struct loop_config *config)
{
	assert(config->operations_len <= OPERATIONS_MAX);
	struct loop *loop = calloc(1, sizeof *loop);
	if (!loop)
		return NULL;
	loop->config = *config;
	loop->log = BUF_INIT(LOG_BYTES_MAX);
	loop->visitors = (struct visitors){.max = config->http.connections,
	                                   .max_per_address = config->http.connections_per_address,
	                                   .idle_ms = (int64_t)config->http.idle_seconds * 1000};
	loop->poll = poll_new();
	if (loop->poll) {
		loop->reads = read_lane_new(loop->poll, config->database_url);
		loop->writes = write_lanes_new(loop->poll, config->database_url, config->write_lanes);
	}
	loop->routes = route_table_new(config->operations, config->operations_len);
	loop->auth = auth_cache_new(&config->auth);
	if (loop->reads && loop->writes && start_replica(loop) && loop->routes && loop->auth)
		loop->daemon = http_start(loop, config->listen_fd, &config->http);
	if (loop->daemon && watch_daemon(loop) && pthread_create(&loop->thread, NULL, loop_main, loop) == 0)
		return loop;
	log_line(LOG_ERROR, "an event loop could not start", NULL);
	loop_free(loop);
	return NULL;
}

static void nothing(struct mail *mail) { (void)mail; }

void loop_ask_to_stop(struct loop *loop, int64_t give_up_at_ms)
{
	atomic_store(&loop->give_up_at_ms, give_up_at_ms);
	atomic_store(&loop->stopping, true);
	loop->wake.run = nothing;
	poll_post(loop->poll, &loop->wake); /* which it may leave where it is: it has seen the flag then */
}

bool loop_join(struct loop *loop)
{
	pthread_join(loop->thread, NULL);
	return !loop->left_behind;
}
