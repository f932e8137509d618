#include "handlers/known.h"

#include "handlers/instant.h"

#include <assert.h>
#include <string.h>

enum { SESSION_SQL_MAX = 100 };

static const struct statement KNOWN_REFUSED = {
        .name = "known_refused",
        .sql = "select code, asked, compared_with from known_refused()",
};

bool known_at_asked(const struct request *rq, struct faults *f)
{
	const char *known_at = request_query(rq, "known_at");
	if (known_at && !instant_valid(known_at))
		faults_add(f, "known_at", CODE_WRONG_FORMAT, "YYYY-MM-DDThh:mm:ssZ", NULL);
	return known_at;
}

static bool nothing_refused(struct worker *w, struct request *rq)
{
	struct rows rows;
	if (!work_read(w, rq, &KNOWN_REFUSED, NULL, &rows))
		return false;
	const char *code = rows_text(&rows, 0, 0);
	if (!code)
		return true;
	struct faults f = {0};
	faults_add(&f, "known_at", code_by_name(code), rows_text(&rows, 0, 1), rows_text(&rows, 0, 2), NULL);
	reply_faults(rq, &f);
	faults_free(&f);
	return false;
}

/* On a connection that only looks back, so that it can never answer for now what was asked about then, nor the other way round. */
void known_read(struct worker *w, struct request *rq, void (*read)(struct worker *w, struct request *rq))
{
	char session[SESSION_SQL_MAX];
	int len = snprintf(session, sizeof session, "select known_begin('%s')",
	                   request_query(rq, "known_at")); /* valid: no quote */
	assert(len > 0 && len < SESSION_SQL_MAX);
	(void)len;
	struct db *db = worker_second_db(w);
	if (!db) {
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
		return;
	}
	if (!work_ok(rq, db, db_set_up(db, session)))
		return;
	worker_use(w, db);
	if (nothing_refused(w, rq))
		read(w, rq);
	worker_use(w, NULL);
}

void known_reply(struct request *rq, const char *body)
{
	const char *known_at = request_query(rq, "known_at");
	size_t len = strlen(body);
	if (known_at) {
		body = request_printf(rq, "%.*s,\"known_at\":\"%s\"}", (int)(len - 1), body, known_at);
		len = strlen(body);
	}
	reply_json_text(rq, 200, body, len);
}
