/* POST /v1/test-clock: in a sandbox, lives through the days up to the one asked for and answers when their jobs are done. */
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/keyed.h"
#include "model/store/daily.h"
#include "model/store/progress.h"

static bool stopping(void *arg)
{
	return worker_stopping(arg);
}

/* What the new day makes of the running periods, so that reads find it ready. */
static void refresh(struct worker *w, void *arg)
{
	(void)arg;
	enum db_status status = refresh_stale_progress(worker_db(w), stopping, w);
	(void)status; /* a read computes what is missing */
}

static json_t *clock_args(const struct clock_state *from, day target)
{
	char today[DAY_TEXT], came_from[DAY_TEXT];
	return json_pack("{s:s, s:s?}", "today", day_text(target, today), "came_from", from->set ? day_text(from->today, came_from) : NULL);
}

/* With the daily lock held: whatever the clock shows now stays until the answer. */
static void move_to(struct keyed *k, struct worker *w, day target)
{
	const struct daily_control control = {.stopping = stopping, .arg = w};
	struct clock_state from;
	bool finished = true;
	if (!work_ok(k->rq, k->db, clock_read(k->db, &from)))
		return;
	bool moves = !from.set || target > from.today;
	if (moves && !request_dry_run(k->rq) && !work_ok(k->rq, k->db, clock_walk(k->db, k->context, &from, target, &control, &finished)))
		return;
	if (!finished) /* the service stops, or somebody else holds what is due: the clock stands at a day on the way */
		reply_problem(k->rq, worker_stopping(w) ? CODE_STOPPING : CODE_OVERLOADED, NULL, 0);
	else if (keyed_write(k, "clock_set", clock_args(&from, target)) && moves)
		(void)workers_submit(refresh, NULL); /* full: a read computes it */
}

static void move(struct worker *w, struct request *rq)
{
	struct clock_state clock;
	struct keyed k;
	if (!work_ok(rq, worker_db(w), clock_read(worker_db(w), &clock)))
		return;
	if (clock.mode != CLOCK_TEST) {
		reply_not_found(rq);
		return;
	}
	if (!keyed_begin(&k, w, rq))
		return;
	if (work_ok(rq, k.db, daily_lock(k.db))) {
		move_to(&k, w, *(const int32_t *)request_state(rq));
		daily_unlock(k.db);
	}
	keyed_end(&k);
}

void handle_test_clock(struct request *rq)
{
	int32_t *today = request_alloc(rq, sizeof *today);
	const struct field fields[] = {{.name = "today", .kind = FIELD_DAY, .out = today, .required = true}};
	FAULTS_HERE(f);
	if (!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f)) {
		reply_faults(rq, &f);
		return;
	}
	request_set_state(rq, today);
	request_work(rq, move);
}
