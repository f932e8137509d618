/* Stages what a request is answered with; http.c hands it to libmicrohttpd. */
#include "server/request_internal.h"

#include <assert.h>
#include <string.h>

static void stage(struct request *rq, int status, const char *content_type, const void *bytes, size_t len)
{
	assert(!rq->reply.staged); /* exactly one reply a request */
	rq->reply.staged = true;
	rq->reply.status = status;
	rq->reply.content_type = content_type;
	rq->reply.bytes = bytes;
	rq->reply.len = len;
	if (!rq->in_worker)
		request_replied(rq);
}

void reply_bytes(struct request *rq, int status, const char *content_type, const void *bytes, size_t len, bool is_static)
{
	if (!is_static)
		bytes = request_copy(rq, bytes, len);
	stage(rq, status, content_type, bytes, len);
}

void reply_json_text(struct request *rq, int status, const char *body, size_t len)
{
	reply_bytes(rq, status, "application/json", body, len, false);
}

void reply_json(struct request *rq, int status, struct buf *body)
{
	size_t len = body->len;
	char *bytes = buf_take(body);
	if (!bytes) {
		reply_problem(rq, CODE_INTERNAL, NULL, 0);
		return;
	}
	request_on_end(rq, free, bytes);
	stage(rq, status, "application/json", bytes, len);
}

void reply_header(struct request *rq, const char *name, const char *value)
{
	assert(rq->reply.headers_len < REPLY_HEADERS_MAX);
	rq->reply.headers[rq->reply.headers_len++] = (struct name_value){name, request_copy(rq, value, strlen(value))};
}

void reply_etag(struct request *rq, const char *etag) { rq->reply.etag = request_printf(rq, "\"%s\"", etag); }
