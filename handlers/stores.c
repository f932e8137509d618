/* A store, as the platform describes it. */
#include "model/store/stores.h"

#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/known.h"

static void store_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0)
		reply_not_found(rq);
	else
		known_reply(rq, rows_text(rows, 0, 0));
}

static void read_store(struct worker *w, struct request *rq)
{
	const char *params[] = {request_param(rq, "id"), whose_alone(rq)};
	struct rows rows;
	if (work_read(w, rq, &STORE_BY_ID, params, &rows))
		store_reply(rq, &rows);
}

static void read_as_known(struct worker *w, struct request *rq)
{
	known_read(w, rq, read_store);
}

void handle_store_get(struct request *rq)
{
	const char *params[] = {request_param(rq, "id"), whose_alone(rq)};
	FAULTS_HERE(f);
	bool as_known = known_at_asked(rq, &f);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else if (as_known)
		request_work(rq, read_as_known);
	else
		request_read(rq, &STORE_BY_ID, params, store_reply);
}
