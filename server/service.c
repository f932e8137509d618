#include "server/service.h"

#include "server/cors.h"
#include "server/jwt.h"
#include "server/log.h"
#include "server/loop.h"
#include "server/rate_limit.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOPS_MAX = 64, BACKLOG = 1024, BODY_THREADS = 2, BACKGROUND_THREADS = 2 };

static struct {
	struct service_config config;
	struct jwt *jwt;
	struct cors *cors;
	struct rate_limits *limits;
	struct positions *positions; /* NULL: no replicas */
	struct loop *loops[LOOPS_MAX];
	struct loop_counts *counts[LOOPS_MAX];
	_Atomic size_t len; /* loops that are there; the first may ask while the others start */
	char address[300];
	_Atomic bool stopping;
} service;

/* ---- listening ---- */

static bool split_address(const char *listen_on, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(listen_on, ':');
	size_t len = colon ? (size_t)(colon - listen_on) : 0;
	if (!colon || len >= size)
		return false;
	if (len >= 2 && listen_on[0] == '[' && listen_on[len - 1] == ']') {
		listen_on++;
		len -= 2;
	}
	memcpy(host, listen_on, len);
	host[len] = '\0';
	*port = colon + 1;
	return **port != '\0';
}

static int listen_at(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
	    bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

/* SO_REUSEPORT lets two copies of one user share a port by mistake: so it is first bound without, to see that it is free. */
static bool is_free(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	bool is = bind(fd, at->ai_addr, at->ai_addrlen) == 0;
	int why = errno;
	close(fd);
	errno = why;
	return is;
}

static void remember_address(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	char host[256], port[16];
	if (getsockname(fd, (struct sockaddr *)&name, &len) == 0 &&
	    getnameinfo((struct sockaddr *)&name, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(service.address, sizeof service.address, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static bool open_sockets(const char *listen_on, int *fds, size_t n)
{
	char host[256];
	const char *port;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *at = NULL;
	if (!split_address(listen_on, host, sizeof host, &port) || getaddrinfo(*host ? host : NULL, port, &hints, &at) != 0) {
		log_line(LOG_ERROR, "ASSAY_LISTEN is not an address that can be listened on", "address", listen_on, NULL);
		return false;
	}
	size_t opened = 0;
	if (is_free(at)) {
		for (; opened < n; opened++) {
			fds[opened] = listen_at(at);
			if (fds[opened] < 0)
				break;
			if (opened == 0) {
				/* port 0 was given a number: the others take the same */
				socklen_t len = at->ai_addrlen;
				getsockname(fds[0], at->ai_addr, &len);
				remember_address(fds[0]);
			}
		}
	}
	if (opened < n)
		log_line(LOG_ERROR, "cannot listen", "address", listen_on, "why", strerror(errno), NULL);
	for (size_t i = 0; opened < n && i < opened; i++)
		close(fds[i]);
	freeaddrinfo(at);
	return opened == n;
}

/* ---- starting and stopping ---- */

static size_t loops_wanted(const struct settings *s)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	long long n = s->loops ? s->loops : processors;
	return n < 1 ? 1 : n > LOOPS_MAX ? LOOPS_MAX : (size_t)n;
}

static bool start_loops(const struct service_config *config, const int *fds, size_t n)
{
	const struct settings *s = config->settings;
	struct loop_config one = {
	        .database_url = config->database_url,
	        .read_database_url = config->read_database_url,
	        .read_lag_ms = s->read_lag_ms,
	        .positions = service.positions,
	        .write_lanes = (int)s->write_lanes,
	        .body_ms = s->body_seconds * 1000,
	        .http = {(unsigned)((size_t)s->connections / n), (unsigned)s->connections_per_address, (unsigned)s->idle_seconds},
	        .operations = config->operations,
	        .operations_len = config->operations_len,
	        .auth = {.by_hash = config->auth_by_hash,
	                 .key_used = config->auth_key_used,
	                 .pepper = config->pepper,
	                 .jwt = service.jwt,
	                 .jwt_per_second = (unsigned)s->jwt_requests_per_second,
	                 .limits = service.limits},
	        .cors = service.cors,
	};
	for (size_t i = 0; i < n; i++) {
		one.listen_fd = fds[i];
		service.loops[i] = loop_start(&one);
		if (!service.loops[i])
			return false;
		service.counts[i] = loop_counts(service.loops[i]);
		service.len++;
	}
	return true;
}

/* What all loops share, and none changes but for the buckets. */
static bool prepare_access(const struct settings *s, bool replicas)
{
	const struct jwt_settings jwt = {.key_file = s->jwt_public_key_file,
	                                 .issuer = s->jwt_issuer,
	                                 .audience = s->jwt_audience,
	                                 .role_claim = s->jwt_role_claim,
	                                 .provider_claim = s->jwt_provider_claim};
	service.limits = rate_limits_new();
	if (replicas && !(service.positions = positions_new()))
		return false;
	return service.limits && cors_new(s->cors_origins, &service.cors) && jwt_new(&jwt, &service.jwt);
}

static void drop_access(void)
{
	rate_limits_free(service.limits);
	positions_free(service.positions);
	service.positions = NULL;
	cors_free(service.cors);
	jwt_free(service.jwt);
	service.limits = NULL;
	service.cors = NULL;
	service.jwt = NULL;
}

bool service_start(const struct service_config *config)
{
	const struct settings *s = config->settings;
	int fds[LOOPS_MAX];
	size_t n = loops_wanted(s);
	service.config = *config;
	if (!prepare_access(s, config->read_database_url != NULL))
		return false;
	struct workers_settings workers = {
	        .database_url = config->database_url,
	        .threads = {[POOL_ANSWERS] = (int)s->workers, [POOL_BODIES] = BODY_THREADS, [POOL_STREAMS] = (int)s->stream_workers,
	                    [POOL_BACKGROUND] = BACKGROUND_THREADS},
	};
	return open_sockets(s->listen, fds, n) && workers_start(&workers) && start_loops(config, fds, n);
}

const char *service_address(void) { return service.address; }

bool service_stop(void)
{
	int64_t limit_ms = service.config.settings->stop_seconds * 1000;
	int64_t give_up_at_ms = now_ms() + limit_ms;
	atomic_store(&service.stopping, true);
	workers_ask_to_stop();
	for (size_t i = 0; i < service.len; i++)
		loop_ask_to_stop(service.loops[i], give_up_at_ms);
	bool joined[LOOPS_MAX] = {false}, clean = true;
	for (size_t i = 0; i < service.len; i++) {
		joined[i] = loop_join(service.loops[i]);
		clean = joined[i] && clean;
	}
	for (size_t i = 0; i < service.len; i++)
		if (joined[i])
			loop_free(service.loops[i]);
	clean = workers_stop(clean ? limit_ms : 0) && clean;
	if (clean)
		drop_access();
	return clean;
}

/* ---- telling ---- */

bool service_stopping(void) { return atomic_load(&service.stopping); }

bool service_ready(void)
{
	for (size_t i = 0; i < service.len; i++)
		if (!loop_read_stats(service.loops[i])->connected || !loop_write_stats(service.loops[i])->connected)
			return false;
	return service.len > 0 && !service_stopping();
}

static void lane_metrics(struct buf *out, const char *name, const struct lane_stats *(*of)(const struct loop *loop))
{
	unsigned long long statements = 0, batches = 0, failures = 0, retries = 0;
	long queued = 0, connected = 0;
	for (size_t i = 0; i < service.len; i++) {
		const struct lane_stats *s = of(service.loops[i]);
		statements += s->statements;
		batches += s->batches;
		failures += s->failures;
		retries += s->retries;
		queued += s->queued;
		connected += s->connected;
	}
	buf_printf(out, "assay_lane_statements_total{lane=\"%s\"} %llu\nassay_lane_batches_total{lane=\"%s\"} %llu\n", name, statements, name, batches);
	buf_printf(out, "assay_lane_failures_total{lane=\"%s\"} %llu\nassay_lane_retries_total{lane=\"%s\"} %llu\n", name, failures, name, retries);
	buf_printf(out, "assay_lane_queued{lane=\"%s\"} %ld\nassay_lane_connections{lane=\"%s\"} %ld\n", name, queued, name, connected);
}

bool service_replica(bool *usable, long long *lag_ms, long long *bound_ms)
{
	*usable = service.len > 0;
	*lag_ms = 0;
	*bound_ms = service.config.settings->read_lag_ms;
	int64_t now = now_ms();
	for (size_t i = 0; i < service.len; i++) {
		const struct replica_stats *s = loop_replica_stats(service.loops[i]);
		if (!s)
			return false;
		int64_t covered = s->covered_ms, lag = covered ? now - covered : -1;
		*usable = *usable && covered && lag <= *bound_ms;
		if (*lag_ms >= 0 && (lag < 0 || lag > *lag_ms))
			*lag_ms = lag;
	}
	return service.len > 0;
}

static void replica_metrics(struct buf *out)
{
	bool usable;
	long long lag_ms, bound_ms;
	if (!service_replica(&usable, &lag_ms, &bound_ms))
		return;
	unsigned long long reads = 0, declined[REPLICA_WHYS] = {0};
	long connections = 0;
	for (size_t i = 0; i < service.len; i++) {
		const struct replica_stats *s = loop_replica_stats(service.loops[i]);
		reads += s->reads;
		connections += s->connections;
		for (int why = 1; why < REPLICA_WHYS; why++)
			declined[why] += s->declined[why];
	}
	metrics_gauge(out, "assay_replica_usable", "1 when every loop can read from a replica.", "", usable);
	metrics_gauge(out, "assay_replica_connections", NULL, "", connections);
	if (lag_ms >= 0)
		buf_printf(out, "# HELP assay_replica_lag_seconds How old what replicas show is, at most.\n# TYPE assay_replica_lag_seconds gauge\n"
		                "assay_replica_lag_seconds %.3f\n", (double)lag_ms / 1000);
	buf_printf(out, "# HELP assay_replica_lag_bound_seconds Beyond this the primary is read.\n# TYPE assay_replica_lag_bound_seconds gauge\n"
	                "assay_replica_lag_bound_seconds %.3f\n", (double)bound_ms / 1000);
	buf_printf(out, "# HELP assay_replica_reads_total Statements that a replica answered.\n# TYPE assay_replica_reads_total counter\n"
	                "assay_replica_reads_total %llu\n", reads);
	buf_puts(out, "# HELP assay_replica_declined_total Statements for the primary instead, and why.\n# TYPE assay_replica_declined_total counter\n");
	for (int why = 1; why < REPLICA_WHYS; why++)
		buf_printf(out, "assay_replica_declined_total{why=\"%s\"} %llu\n", replica_why_names[why], declined[why]);
}

void service_metrics(struct buf *out)
{
	static const char *const pools[POOLS] = {"answers", "bodies", "streams", "background"};
	unsigned long long cut = 0, limited = 0;
	long active = 0;
	metrics_operations(out, service.counts, service.len, service.config.operations, service.config.operations_len);
	lane_metrics(out, "read", loop_read_stats);
	lane_metrics(out, "write", loop_write_stats);
	for (size_t i = 0; i < service.len; i++) {
		active += service.counts[i]->active;
		cut += service.counts[i]->connections_cut;
		limited += service.counts[i]->rate_limited;
	}
	metrics_gauge(out, "assay_requests_active", "Requests under way.", "", active);
	metrics_gauge(out, "assay_ready", "1 when reads and writes reach the database.", "", service_ready());
	replica_metrics(out);
	buf_printf(out, "# TYPE assay_connections_cut_total counter\nassay_connections_cut_total %llu\n", cut);
	buf_printf(out, "# TYPE assay_rate_limited_total counter\nassay_rate_limited_total %llu\n", limited);
	for (int pool = 0; pool < POOLS; pool++) {
		buf_printf(out, "assay_workers_waiting{pool=\"%s\"} %ld\n", pools[pool], workers_waiting((enum pool)pool));
		buf_printf(out, "assay_workers_running{pool=\"%s\"} %ld\n", pools[pool], workers_running((enum pool)pool));
	}
}
