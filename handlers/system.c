/* What the service tells of itself: health, readiness, metrics, and the API's description. */
#include "base/sha256.h"
#include "handlers/handlers.h"
#include "server/embedded.h"
#include "server/service.h"

#include <string.h>

enum { METRICS_BYTES_MAX = 4 * 1024 * 1024 };

void handle_healthz(struct request *rq)
{
	static const char body[] = "{\"status\":\"ok\"}";
	reply_header(rq, "Cache-Control", "no-store");
	reply_json_text(rq, 200, body, sizeof body - 1);
}

void handle_readyz(struct request *rq)
{
	bool usable;
	long long lag_ms, bound_ms;
	reply_header(rq, "Cache-Control", "no-store");
	if (!service_ready()) {
		reply_problem(rq, service_stopping() ? CODE_STOPPING : CODE_DATABASE_UNAVAILABLE, NULL, 0);
		return;
	}
	const char *body = "{\"status\":\"ready\"}";
	if (service_replica(&usable, &lag_ms, &bound_ms)) /* reads go to the primary while it is of no use: ready all the same */
		body = request_printf(rq, "{\"status\":\"ready\",\"replica\":{\"usable\":%s,\"lag_ms\":%s,\"lag_bound_ms\":%lld}}",
		                      usable ? "true" : "false", lag_ms < 0 ? "null" : request_printf(rq, "%lld", lag_ms), bound_ms);
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_metrics(struct request *rq)
{
	struct buf body = BUF_INIT(METRICS_BYTES_MAX);
	service_metrics(&body);
	reply_header(rq, "Cache-Control", "no-store");
	if (body.failed)
		reply_problem(rq, CODE_INTERNAL, NULL, 0);
	else
		reply_bytes(rq, 200, "text/plain; version=0.0.4; charset=utf-8", body.data, body.len, false);
	buf_free(&body);
}

static void reply_file(struct request *rq, const char *path, const char *content_type)
{
	const struct embedded_file *file = embedded_find(path);
	if (!file) {
		reply_not_found(rq);
		return;
	}
	char sum[SHA256_HEX];
	sha256_hex(file->data, file->size, sum);
	sum[16] = '\0';
	reply_etag(rq, sum);
	reply_header(rq, "X-Content-Type-Options", "nosniff");
	reply_bytes(rq, 200, content_type, file->data, file->size, true);
}

void handle_openapi(struct request *rq) { reply_file(rq, "openapi.yaml", "application/yaml"); }

void handle_docs(struct request *rq)
{
	if (strcmp(request_path(rq), "/docs") != 0) {
		reply_file(rq, "third_party/redoc/redoc.standalone.js", "text/javascript; charset=utf-8");
		return;
	}
	reply_header(rq, "X-Frame-Options", "DENY"); /* the page says the rest of its Content-Security-Policy itself */
	reply_file(rq, "docs/reference.html", "text/html; charset=utf-8");
}
