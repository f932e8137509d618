/* A request's work on a worker thread, and its mail from there. */
#include "server/request_internal.h"

#include "server/log.h"
#include "server/loop.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static void run_work(struct worker *w, void *arg)
{
	struct request *rq = arg;
	rq->work(w, rq);
	if (rq->upload)
		upload_drop_rest(rq->upload);
	poll_post(loop_poll(rq->loop), &rq->done_mail); /* the request is the loop's again */
}

static void done_mail(struct mail *mail)
{
	struct request *rq = (struct request *)((char *)mail - offsetof(struct request, done_mail));
	rq->in_worker = false;
	if (!rq->conn) {
		request_free(rq);
	} else if (rq->reply.staged) {
		request_replied(rq);
	} else {
		log_line(LOG_ERROR, "work ended without a reply", "operation", rq->operation->id, NULL);
		reply_problem(rq, CODE_INTERNAL, NULL, 0);
	}
}

static void room_mail(struct mail *mail)
{
	struct request *rq = (struct request *)((char *)mail - offsetof(struct request, room_mail));
	rq->waits_room = false;
	if (rq->conn)
		http_wake(rq);
}

void request_work_init(struct request *rq)
{
	rq->done_mail.run = done_mail;
	rq->room_mail.run = room_mail;
}

static void room_again(void *arg)
{
	struct request *rq = arg;
	poll_post(loop_poll(rq->loop), &rq->room_mail);
}

struct upload *request_upload(struct request *rq) { return rq->upload; }

static enum pool pool_of(const struct operation *operation)
{
	if (operation->body != BODY_STREAM)
		return POOL_ANSWERS;
	return operation->body_max == SIZE_MAX ? POOL_STREAMS : POOL_BODIES;
}

void request_work(struct request *rq, void (*work)(struct worker *w, struct request *rq))
{
	assert(!rq->op_pending && !rq->in_worker && !rq->reply.staged);
	bool streams = rq->operation->body == BODY_STREAM;
	if (streams && !rq->upload)
		rq->upload = upload_new(room_again, rq);
	rq->work = work;
	rq->wrote = strcmp(rq->operation->method, "GET") != 0;
	rq->in_worker = true;
	if ((streams && !rq->upload) || !pool_submit(pool_of(rq->operation), run_work, rq)) {
		rq->in_worker = false;
		upload_free(rq->upload);
		rq->upload = NULL;
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	}
}
