/* What is read and checked of a request before its body is taken. */
#include "server/request_internal.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *request_header(const struct request *rq, const char *name)
{
	return rq->conn ? MHD_lookup_connection_value(rq->conn, MHD_HEADER_KIND, name) : NULL;
}

static bool made_of(const char *text, size_t min, size_t max, bool (*ok)(char c))
{
	size_t len = strlen(text);
	if (len < min || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!ok(text[i]))
			return false;
	return true;
}

static bool id_char(char c) { return isalnum((unsigned char)c) || strchr("._-:", c); }
static bool printable(char c) { return c >= 0x20 && c <= 0x7e; }

/* Unlike any other's: the second and microsecond, and a count that began at random in this process. */
const char *request_id_make(struct request *rq)
{
	static _Atomic unsigned count;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (!atomic_load(&count))
		atomic_store(&count, (unsigned)getpid() << 16 | (unsigned)(now.tv_nsec >> 8 & 0xffff) | 1);
	uint64_t at = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	unsigned char bytes[12];
	unsigned n = atomic_fetch_add(&count, 1);
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(at >> (56 - 8 * i));
	for (int i = 0; i < 4; i++)
		bytes[8 + i] = (unsigned char)(n >> (24 - 8 * i));
	char *id = request_alloc(rq, 4 + 2 * sizeof bytes + 1);
	memcpy(id, "req_", 4);
	hex_of(bytes, sizeof bytes, id + 4);
	return id;
}

static void read_ids(struct request *rq)
{
	const char *sent = request_header(rq, "X-Request-Id");
	if (sent && made_of(sent, 1, REQUEST_ID_MAX, id_char)) {
		rq->id = request_copy(rq, sent, strlen(sent));
	} else {
		rq->id = request_id_make(rq);
	}
	const char *traceparent = request_header(rq, "traceparent");
	if (traceparent && made_of(traceparent, 55, 55, id_char))
		rq->traceparent = request_copy(rq, traceparent, 55);
}

/* q of the best range of Accept-Language that names `prefix`; the first of equals wins, so it is told where it stood. */
static double language_q(const char *header, const char *prefix, const char **where)
{
	double best = -1;
	for (const char *at = header; *at;) {
		size_t len = strcspn(at, ",");
		const char *range = at + strspn(at, " \t");
		const char *q = memmem(at, len, ";q=", 3);
		double value = q ? strtod(q + 3, NULL) : 1;
		if (strncasecmp(range, prefix, strlen(prefix)) == 0 && value > best) {
			best = value;
			*where = range;
		}
		at += len + (at[len] == ',');
	}
	return best;
}

static enum lang read_lang(const struct request *rq)
{
	const char *header = request_header(rq, "Accept-Language");
	const char *zh_at = NULL, *en_at = NULL;
	if (!header)
		return LANG_EN;
	double zh = language_q(header, "zh", &zh_at), en = language_q(header, "en", &en_at);
	return zh > 0 && (zh > en || (zh == en && zh_at < en_at)) ? LANG_ZH : LANG_EN;
}

static enum MHD_Result count_name(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	int *counts = arg;
	(void)kind;
	(void)value;
	if (strcasecmp(name, "Content-Length") == 0)
		counts[0]++;
	else if (strcasecmp(name, "Transfer-Encoding") == 0)
		counts[1]++;
	return MHD_YES;
}

static bool bad_request(struct request *rq, const char *why)
{
	rq->reply.close = true;
	reply_problem(rq, CODE_BAD_REQUEST, &why, 1);
	return false;
}

/* Two lengths, or a length and an encoding, are how requests are smuggled past a proxy: refused. */
static bool read_framing(struct request *rq)
{
	int counts[2] = {0, 0};
	MHD_get_connection_values(rq->conn, MHD_HEADER_KIND, count_name, counts);
	const char *encoding = request_header(rq, "Transfer-Encoding"), *length = request_header(rq, "Content-Length");
	rq->has_body = encoding || (length && strcmp(length, "0") != 0);
	if (counts[0] > 1 || counts[1] > 1 || (counts[0] && counts[1]))
		return bad_request(rq, "more than one Content-Length or Transfer-Encoding");
	if (encoding && strcasecmp(encoding, "chunked") != 0)
		return bad_request(rq, "Transfer-Encoding must be chunked");
	if (length)
		rq->body_bytes = strtoull(length, NULL, 10); /* libmicrohttpd has checked its form */
	return true;
}

static bool method_char(char c) { return c >= 'A' && c <= 'Z'; }
static bool uri_char(char c) { return c > 0x20 && c < 0x7f; }

/* What is logged and answered as it came must be plain. */
static bool read_target(struct request *rq)
{
	if (!made_of(rq->method, 1, 32, method_char)) {
		rq->method = "";
		return bad_request(rq, "the method is not a word of capital letters");
	}
	if (!made_of(rq->uri, 1, SIZE_MAX, uri_char) || rq->uri[0] != '/')
		return bad_request(rq, "the target is not a path of printable ASCII");
	return true;
}

bool head_read(struct request *rq)
{
	read_ids(rq);
	rq->lang = read_lang(rq);
	cors_read(rq, loop_cors(rq->loop));
	if (!read_framing(rq) || !read_target(rq))
		return false;
	if (strlen(rq->uri) > URI_MAX) {
		const char *args[] = {"4096"};
		reply_problem(rq, CODE_URI_TOO_LONG, args, 1);
		return false;
	}
	rq->path = request_copy(rq, rq->uri, strcspn(rq->uri, "?"));
	return true;
}

/* ---- once the operation is known ---- */

static bool type_is(const char *header, const char *type)
{
	size_t len = strlen(type);
	return strncasecmp(header, type, len) == 0 && (!header[len] || strchr("; \t,", header[len]));
}

static bool check_content_type(struct request *rq)
{
	if ((rq->operation->body != BODY_JSON && !rq->operation->json_stream) || !rq->has_body)
		return true;
	const char *type = request_header(rq, "Content-Type");
	bool patch = strcmp(rq->operation->method, "PATCH") == 0;
	if (type && (type_is(type, "application/json") || (patch && type_is(type, "application/merge-patch+json")))) {
		if (!request_header(rq, "Content-Encoding"))
			return true;
	}
	const char *args[] = {patch ? "application/merge-patch+json or application/json, not encoded" : "application/json, not encoded"};
	reply_problem(rq, CODE_UNSUPPORTED_MEDIA_TYPE, args, 1);
	return false;
}

static bool accepts_json(const char *header)
{
	for (const char *at = header; *at;) {
		size_t len = strcspn(at, ",");
		const char *range = at + strspn(at, " \t");
		const char *q = memmem(at, len, "q=", 2);
		bool named = type_is(range, "*/*") || type_is(range, "application/*") || type_is(range, "application/json") ||
		             type_is(range, "application/problem+json");
		if (named && (!q || strtod(q + 2, NULL) > 0))
			return true;
		at += len + (at[len] == ',');
	}
	return false;
}

static bool check_accept(struct request *rq)
{
	const char *accept = request_header(rq, "Accept");
	if (!accept || strncmp(rq->operation->path, "/v1/", 4) != 0 || accepts_json(accept))
		return true;
	const char *args[] = {"application/json"};
	reply_problem(rq, CODE_NOT_ACCEPTABLE, args, 1);
	return false;
}

static bool check_idempotency_key(struct request *rq)
{
	const char *key = request_header(rq, "Idempotency-Key");
	if (strcmp(rq->operation->method, "POST") != 0)
		return true;
	if (!key && rq->operation->key_required && !rq->dry_run) {
		reply_problem(rq, CODE_IDEMPOTENCY_KEY_REQUIRED, NULL, 0);
		return false;
	}
	if (key && !made_of(key, 1, 255, printable)) {
		reply_problem(rq, CODE_IDEMPOTENCY_KEY_INVALID, NULL, 0);
		return false;
	}
	rq->idempotency_key = key ? request_copy(rq, key, strlen(key)) : NULL;
	return true;
}

static size_t body_max(const struct operation *operation)
{
	return operation->body_max ? operation->body_max : BODY_MAX_DEFAULT;
}

static bool check_length(struct request *rq)
{
	const struct operation *operation = rq->operation;
	if (operation->body == BODY_STREAM && !operation->body_max)
		return true;
	if (operation->body == BODY_NONE && rq->has_body)
		return bad_request(rq, "this operation takes no body");
	if (rq->body_bytes <= body_max(operation))
		return true;
	reply_problem(rq, CODE_BODY_TOO_LARGE, (const char *const[]){request_printf(rq, "%zu", body_max(operation))}, 1);
	return false;
}

static bool check_position(struct request *rq)
{
	const char *position = request_header(rq, "Assay-Position");
	return !position || position_read(position, &rq->needed) || bad_request(rq, "Assay-Position is not what an answer said");
}

bool head_check(struct request *rq)
{
	rq->body.max = body_max(rq->operation);
	return check_length(rq) && check_position(rq) && check_accept(rq) && check_content_type(rq) && query_read(rq) && check_idempotency_key(rq);
}
