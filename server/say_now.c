/* An answer while the body is still arriving. libmicrohttpd has no such thing: before a body it answers and closes, which loses the
 * answer of a caller that goes on sending, and in the middle of one it cannot answer at all. Nothing of an answer was sent yet, so
 * the staged one is written to the socket as it is. */
#include "server/loop.h"
#include "server/request_internal.h"

#include <sys/socket.h>

enum { HEAD_MAX = 8 * 1024, ANSWER_MAX = 64 * 1024 };

static void put_header(struct buf *out, const char *name, const char *value)
{
	if (value)
		buf_printf(out, "%s: %s\r\n", name, value);
}

static void put_reply(struct buf *out, const struct request *rq)
{
	const struct reply *reply = &rq->reply;
	buf_printf(out, "HTTP/1.1 %d %s\r\n", reply->status, MHD_get_reason_phrase_for((unsigned)reply->status));
	put_header(out, "Content-Type", reply->content_type);
	put_header(out, "X-Request-Id", rq->id);
	for (int i = 0; i < reply->headers_len; i++)
		put_header(out, reply->headers[i].name, reply->headers[i].value);
	put_header(out, "Access-Control-Allow-Origin", rq->origin);
	buf_printf(out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", reply->len);
	buf_add(out, reply->bytes, reply->len);
}

void say_now(struct request *rq)
{
	struct buf out = BUF_INIT(HEAD_MAX + ANSWER_MAX);
	int fd = connection_fd(rq->conn);
	put_reply(&out, rq);
	if (fd >= 0 && !out.failed) {
		ssize_t sent = send(fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)sent; /* a new connection's buffer takes it; and a caller that reads nothing gets nothing */
	}
	rq->said = true;
	buf_free(&out);
}

void hang_up(struct request *rq)
{
	int fd = connection_fd(rq->conn);
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR); /* libmicrohttpd sees the end, and closes */
}
