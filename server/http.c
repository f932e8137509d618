/* How a request goes through libmicrohttpd, top to bottom:
 *
 *   begun()     the request line is there: a struct request is made
 *   answer()    called once with the head, then for each piece of the body, then once at the end, and again after each resume:
 *     on_head()   route, check, find the caller         -> may suspend until the key was looked up
 *     on_piece()  keep or hand over a piece of the body -> may suspend until the worker made room
 *     on_end()    run the handler's first phase         -> waits until a reply is staged, then sends it: see await_reply()
 *   ended()     the reply is out, or the caller went away
 *
 * libmicrohttpd takes a reply only before the body or after all of it, so a refusal that is known early waits for the end of a
 * small body, and is written past it for a large one: see refuse_body(). */
#include "server/http.h"

#include "server/log.h"
#include "server/request_internal.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECTION_MEMORY = 8 * 1024, /* request line and headers; libmicrohttpd clears it for each request, and answers 431 past it */
	WAIT_MAX = 1024 * 1024,        /* a refused body up to this is awaited before the refusal is sent */
	HOLD_MS = 20,                  /* a connection whose statement takes longer is suspended */
	DRAIN_MAX = 64 * 1024 * 1024   /* a refused body is dropped up to here, so that the caller reads the refusal; then it is cut */
};

/* ---- waiting ---- */

static void let_go(struct request *rq)
{
	if (rq->held)
		loop_held(rq->loop, -1);
	rq->held = false;
}

static enum MHD_Result suspend(struct request *rq)
{
	assert(!rq->suspended);
	let_go(rq);
	rq->suspended = true;
	MHD_suspend_connection(rq->conn);
	return MHD_YES;
}

/* Not suspended while its statement may answer any moment: libmicrohttpd then asks again at each run, which costs less than to take
 * the connection out of its epoll set and put it back (two epoll_ctl, and a recv that finds nothing). */
static enum MHD_Result await_reply(struct request *rq)
{
	if (!rq->op_pending || now_ms() - rq->op_since_ms >= HOLD_MS)
		return suspend(rq);
	if (!rq->held)
		loop_held(rq->loop, 1);
	rq->held = true;
	return MHD_YES;
}

void http_wake(struct request *rq)
{
	if (!rq->conn)
		return;
	if (rq->suspended)
		MHD_resume_connection(rq->conn);
	rq->suspended = false;
	loop_daemon_due(rq->loop);
}

/* ---- replying ---- */

static bool matches_etag(const char *header, const char *etag)
{
	if (strcmp(header, "*") == 0)
		return true;
	for (const char *at = header; *at;) {
		at += strspn(at, " ,");
		if (strncmp(at, "W/", 2) == 0)
			at += 2;
		size_t len = strcspn(at, ",");
		if (len >= strlen(etag) && strncmp(at, etag, strlen(etag)) == 0)
			return true;
		at += len;
	}
	return false;
}

static void not_modified(struct request *rq)
{
	struct reply *reply = &rq->reply;
	const char *if_none_match = request_header(rq, "If-None-Match");
	bool is_read = strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "HEAD") == 0;
	if (reply->status == 200 && is_read && if_none_match && matches_etag(if_none_match, reply->etag)) {
		reply->status = 304;
		reply->len = 0;
	}
}

static void etag_of_body(struct request *rq)
{
	char sum[SHA256_HEX];
	sha256_hex(rq->reply.bytes, rq->reply.len, sum);
	sum[SHA256_HEX / 2] = '\0';
	reply_etag(rq, sum);
}

static enum MHD_Result send_reply(struct request *rq)
{
	struct reply *reply = &rq->reply;
	if (rq->operation && rq->operation->etag_of_body && reply->status == 200)
		etag_of_body(rq);
	if (reply->etag)
		not_modified(rq);
	/* The bytes live as long as the request, which ended() frees after the last of them was sent. */
	struct MHD_Response *response = MHD_create_response_from_buffer(reply->len, (void *)(uintptr_t)reply->bytes, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	if (reply->content_type && reply->status != 304)
		MHD_add_response_header(response, "Content-Type", reply->content_type);
	MHD_add_response_header(response, "X-Request-Id", rq->id);
	if (reply->etag)
		MHD_add_response_header(response, "ETag", reply->etag);
	for (int i = 0; i < reply->headers_len; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	if (loop_cors(rq->loop))
		cors_answer(rq, response);
	if (reply->close || loop_stopping(rq->loop))
		MHD_add_response_header(response, "Connection", "close");
	rq->stage = STAGE_SENDING;
	let_go(rq);
	loop_daemon_due(rq->loop); /* it sends at its next run */
	enum MHD_Result queued = MHD_queue_response(rq->conn, (unsigned)reply->status, response);
	MHD_destroy_response(response);
	return queued;
}

/* ---- head ---- */

/* Asked in this order: while a worker has the request, its reply is the worker's to stage. */
static bool refused(const struct request *rq) { return !rq->in_worker && rq->reply.staged; }

/* A small body is let in before the refusal is sent. Of a large one the caller is told at once, and what it sends all the same is
 * read and dropped, so that it finds the answer; one that waits to be asked for it (Expect) is simply not asked. */
static enum MHD_Result refuse_body(struct request *rq)
{
	if (rq->reply.close || (rq->body_bytes > WAIT_MAX && request_header(rq, "Expect"))) {
		rq->reply.close = true;
		return send_reply(rq);
	}
	if (rq->body_bytes > WAIT_MAX)
		say_now(rq);
	return MHD_YES;
}

/* What follows once the caller is known: a body that streams is begun before it arrives. */
static enum MHD_Result head_done(struct request *rq)
{
	rq->stage = STAGE_BODY;
	if (!refused(rq) && rq->operation->body == BODY_STREAM) {
		rq->handled_us = now_us();
		request_run_handler(rq);
	}
	return refused(rq) && rq->has_body ? refuse_body(rq) : MHD_YES;
}

/* One connection too many is answered, and closed: full means so at once. So is whoever asks something new of a service that
 * stops. */
static bool welcome(struct request *rq)
{
	enum code why = loop_stopping(rq->loop) ? CODE_STOPPING : rq->visitor ? rq->visitor->refused_with : CODE_NONE;
	if (why == CODE_NONE)
		return true;
	rq->reply.close = true;
	reply_problem(rq, why, NULL, 0);
	return false;
}

static enum MHD_Result on_head(struct request *rq, const char *method)
{
	rq->method = request_copy(rq, method, strlen(method)); /* a worker may outlive the connection */
	if (head_read(rq) && welcome(rq) && !cors_preflight(rq) && route_find(loop_routes(rq->loop), rq) && head_check(rq) &&
	         auth_begin(rq, loop_auth(rq->loop)) == AUTH_WAIT) {
		rq->stage = STAGE_AUTH;
		return suspend(rq);
	}
	return head_done(rq);
}

/* ---- body ---- */

static void too_large(struct request *rq, size_t max)
{
	if (!rq->reply.staged)
		reply_problem(rq, CODE_BODY_TOO_LARGE, (const char *const[]){request_printf(rq, "%zu", max)}, 1);
}

static enum MHD_Result on_piece(struct request *rq, const char *data, size_t *size)
{
	size_t n = *size;
	loop_daemon_due(rq->loop); /* there may be more of it */
	if (rq->upload) {
		size_t put = upload_put(rq->upload, data, n);
		rq->body_bytes += put;
		*size = n - put;
		if (*size) {
			rq->waits_room = true;
			return suspend(rq);
		}
		return MHD_YES;
	}
	*size = 0;
	if (refused(rq)) {
		return (rq->dropped += n) > DRAIN_MAX ? MHD_NO : MHD_YES; /* enough: the connection is cut */
	}
	if (rq->operation->body == BODY_NONE)
		return MHD_YES;
	buf_add(&rq->body, data, n);
	if (rq->body.failed)
		too_large(rq, rq->body.max);
	return MHD_YES;
}

static enum MHD_Result on_end(struct request *rq)
{
	if (rq->stage == STAGE_BODY) {
		rq->stage = STAGE_RUNNING;
		if (rq->upload) {
			upload_complete(rq->upload);
		} else if (!refused(rq) && !rq->in_worker) {
			rq->handled_us = now_us();
			request_run_handler(rq);
		}
	}
	if (rq->said)
		return MHD_NO; /* the answer is out; the connection ends */
	return refused(rq) && !rq->positioning ? send_reply(rq) : await_reply(rq);
}

/* ---- what libmicrohttpd calls ---- */

static enum MHD_Result answer(void *cls, struct MHD_Connection *conn, const char *url, const char *method, const char *version,
                              const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	struct request *rq = *con_cls;
	(void)cls;
	(void)url;
	(void)version;
	if (!rq)
		return MHD_NO; /* no memory for it */
	rq->conn = conn;
	switch (rq->stage) {
	case STAGE_HEAD:
		return on_head(rq, method);
	case STAGE_AUTH: /* the head once more, now with the caller known */
		return head_done(rq);
	case STAGE_BODY:
	case STAGE_RUNNING:
		return *upload_data_size ? on_piece(rq, upload_data, upload_data_size) : on_end(rq);
	case STAGE_SENDING:
		break;
	}
	return MHD_NO;
}

static struct visitor *visitor_of(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

static void came_or_left(void *cls, struct MHD_Connection *conn, void **socket_context, enum MHD_ConnectionNotificationCode what)
{
	struct visitor *visitor = *socket_context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		visitor = calloc(1, sizeof *visitor);
		*socket_context = visitor;
		if (visitor) {
			visitor->conn = conn;
			visitors_add(loop_visitors(cls), visitor);
		}
	} else if (visitor) {
		if (visitors_remove(loop_visitors(cls), visitor))
			loop_daemon_due(cls); /* full, libmicrohttpd accepts nobody; that there is room again it sees when it runs next */
		free(visitor);
		*socket_context = NULL;
	}
}

static void *begun(void *cls, const char *uri, struct MHD_Connection *conn)
{
	struct request *rq = request_new(cls, uri);
	if (rq) {
		rq->conn = conn;
		rq->visitor = visitor_of(conn);
		if (rq->visitor)
			rq->visitor->idle_since_ms = 0;
		loop_add_request(cls, rq);
	}
	return rq;
}

static void ended(void *cls, struct MHD_Connection *conn, void **con_cls, enum MHD_RequestTerminationCode why)
{
	struct request *rq = *con_cls;
	(void)conn;
	*con_cls = NULL;
	if (!rq)
		return;
	static const struct reply nothing;
	bool sent = why == MHD_REQUEST_TERMINATED_COMPLETED_OK || rq->stage == STAGE_SENDING;
	bool answered = !rq->in_worker && (sent || rq->said); /* a worker's reply is not ours to read */
	if (rq->visitor)
		rq->visitor->idle_since_ms = now_ms();
	let_go(rq);
	loop_daemon_due(cls); /* the next request may be here already */
	loop_log_request(cls, rq, answered ? &rq->reply : &nothing);
	loop_remove_request(cls, rq);
	rq->conn = NULL;
	if (rq->upload)
		upload_abort(rq->upload); /* does nothing to one that is complete and read */
	if (!rq->op_pending && !rq->in_worker)
		request_free(rq); /* otherwise by whoever holds it */
}

static size_t keep_escapes(void *cls, struct MHD_Connection *conn, char *text)
{
	(void)cls;
	(void)conn;
	return strlen(text); /* query.c and route.c decode, strictly */
}

__attribute__((format(printf, 2, 0))) static void complain(void *cls, const char *fmt, va_list args)
{
	char text[512];
	(void)cls;
	if (!log_wants(LOG_DEBUG))
		return;
	vsnprintf(text, sizeof text, fmt, args);
	text[strcspn(text, "\n")] = '\0';
	log_line(LOG_DEBUG, "libmicrohttpd", "what", text, NULL);
}

struct MHD_Daemon *http_start(struct loop *loop, int listen_fd, const struct http_settings *settings)
{
	unsigned spare = settings->connections / 8 + 8; /* for those that are told that it is full; beyond, they wait to be accepted */
	struct MHD_OptionItem options[] = {
	        {MHD_OPTION_LISTEN_SOCKET, listen_fd, NULL},
	        {MHD_OPTION_CONNECTION_LIMIT, settings->connections + spare, NULL},
	        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, settings->connections_per_address + spare, NULL},
	        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
	        {MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_seconds, NULL},
	        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
	        {MHD_OPTION_END, 0, NULL},
	};
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, answer, loop,
	                        MHD_OPTION_EXTERNAL_LOGGER, complain, NULL, MHD_OPTION_ARRAY, options, MHD_OPTION_URI_LOG_CALLBACK, begun,
	                        loop, MHD_OPTION_NOTIFY_COMPLETED, ended, loop, MHD_OPTION_NOTIFY_CONNECTION, came_or_left, loop,
	                        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
	                        MHD_OPTION_END);
}
