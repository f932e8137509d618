/* The service as a whole: loops, workers, and what /healthz, /readyz and /metrics tell of them. */
#ifndef ASSAY_SERVER_SERVICE_H
#define ASSAY_SERVER_SERVICE_H

#include "base/buf.h"
#include "server/request.h"
#include "server/settings.h"

struct service_config {
	const struct settings *settings;
	const char *database_url, *read_database_url; /* the latter NULL: no replicas */
	const struct operation *operations;
	size_t operations_len;
	/* by_keys: keyed hashes of keys, in hex. Columns: hash, key_id, name, role, provider_id, milliseconds until it expires (null:
	 * never), revoked, used lately, actor_id, requests_per_second (null: no limit). */
	const struct statement *auth_by_hash;
	const struct statement *auth_key_used; /* $1 key_id: notes that it was used */
	const unsigned char *pepper;           /* PEPPER_BYTES of server/api_key.h; kept by the caller */
};

/* Listens and serves. False, with the reason in the log, when it cannot. */
bool service_start(const struct service_config *config) __attribute__((warn_unused_result));
const char *service_address(void); /* "127.0.0.1:8080": where it listens, with the real port when 0 was asked for */

/* No new connections; what runs is finished; what cannot be within the settings' stop_seconds is answered 503. False when work
 * was left that did not return in time: the process should exit without further ado. */
bool service_stop(void);

bool service_ready(void); /* at least one loop can read and write */
bool service_stopping(void);
/* For /readyz: whether every loop can read from a replica now, and how far behind the one furthest behind is, -1 when that is not
 * known. False: none is configured. */
bool service_replica(bool *usable, long long *lag_ms, long long *bound_ms);
void service_metrics(struct buf *out);

#endif
