#include "server/cors.h"

#include "server/log.h"
#include "server/request_internal.h"

#include <stdlib.h>
#include <string.h>

enum { ORIGINS_MAX = 64, ORIGIN_MAX = 255 + sizeof("https://:65535") };

/* What a page may send, and what it may read of an answer, beside the few that it always may. */
static const char may_send[] =
        "Accept, Accept-Language, Assay-Position, Authorization, Content-Encoding, Content-Type, Idempotency-Key, If-Match, "
        "If-None-Match, X-Request-Id, traceparent";
static const char may_read[] =
        "Assay-Position, Content-Disposition, Content-Language, ETag, Idempotency-Replayed, Link, Location, Policy-Status, "
        "Retry-After, WWW-Authenticate, X-Request-Id";
static const char preflight_seconds[] = "600"; /* a browser keeps the answer that long */

struct cors {
	char *text; /* the list, cut into its parts */
	const char *origins[ORIGINS_MAX];
	size_t len;
};

void cors_free(struct cors *cors)
{
	if (!cors)
		return;
	free(cors->text);
	free(cors);
}

/* Just as browsers send it, since it is compared as text: scheme, host in lower case, port if it is not the scheme's own. */
static bool is_origin(const char *text)
{
	size_t scheme = strncmp(text, "https://", 8) == 0 ? 8 : strncmp(text, "http://", 7) == 0 ? 7 : 0;
	const char *host = text + scheme;
	size_t host_len = strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_[]"), port_len;
	if (!scheme || !host_len || strlen(text) >= ORIGIN_MAX)
		return false;
	const char *rest = host + host_len;
	if (!*rest)
		return true;
	port_len = *rest == ':' ? strspn(rest + 1, "0123456789") : 0;
	return port_len >= 1 && port_len <= 5 && !rest[1 + port_len];
}

static bool add(struct cors *cors, const char *origin)
{
	if (!is_origin(origin) || cors->len == ORIGINS_MAX) {
		log_line(LOG_ERROR, "ASSAY_CORS_ORIGINS: not an origin such as https://host or http://host:port, or too many",
		         "value", origin, NULL);
		return false;
	}
	cors->origins[cors->len++] = origin;
	return true;
}

bool cors_new(const char *origins, struct cors **out)
{
	*out = NULL;
	if (!origins || !*origins)
		return true;
	struct cors *cors = calloc(1, sizeof *cors);
	if (cors)
		cors->text = strdup(origins);
	bool ok = cors && cors->text;
	for (char *rest = ok ? cors->text : NULL, *one; ok && (one = strsep(&rest, ", "));)
		ok = !*one || add(cors, one);
	if (ok)
		*out = cors;
	else
		cors_free(cors);
	return ok;
}

/* ---- of a request ---- */

void cors_read(struct request *rq, const struct cors *cors)
{
	const char *origin = cors ? request_header(rq, "Origin") : NULL;
	for (size_t i = 0; origin && i < cors->len; i++)
		if (strcmp(cors->origins[i], origin) == 0)
			rq->origin = cors->origins[i];
}

/* The page asks, by way of its browser, whether it may send the request at all. */
bool cors_preflight(struct request *rq)
{
	if (!rq->origin || strcmp(rq->method, "OPTIONS") != 0 || !request_header(rq, "Access-Control-Request-Method"))
		return false;
	const char *methods = route_methods(loop_routes(rq->loop), rq);
	if (!methods)
		return false;
	reply_header(rq, "Access-Control-Allow-Methods", methods);
	reply_header(rq, "Access-Control-Allow-Headers", may_send);
	reply_header(rq, "Access-Control-Max-Age", preflight_seconds);
	reply_bytes(rq, 204, NULL, "", 0, true);
	return true;
}

void cors_answer(const struct request *rq, struct MHD_Response *response)
{
	MHD_add_response_header(response, "Vary", "Origin"); /* or a cache would give one origin's answer to another */
	if (!rq->origin)
		return;
	MHD_add_response_header(response, "Access-Control-Allow-Origin", rq->origin);
	MHD_add_response_header(response, "Access-Control-Expose-Headers", may_read);
}
