/* Decisions that imports marked, looked at again in the background. */
#include "model/store/review.h"

#include "model/store/array_param.h"

#include <stdlib.h>
#include <string.h>

static const struct statement REVIEWS_DUE = {
        .name = "reviews_due",
        .sql = "select decision_id, marks from decision_review where marks <> reviewed and decision_id > $1"
               " order by decision_id limit $2::integer",
        .params = 2,
};

static const struct statement DECISIONS_REVIEWED = {
        .name = "decisions_reviewed",
        .sql = "select decisions_reviewed(closing_ctx(null), $1::text[], $2::bigint[], $3::boolean[], $4::text[], $5::text[], "
               "$6::text[])",
        .params = 6,
};

/* What came of a chunk: arrays of one length. */
struct findings {
	struct array_param ids, marks, differ, outcomes, changes, evaluations;
};

struct marked {
	char after[64]; /* the last decision looked at */
	int looked_at;
	struct findings found;
};

static struct findings findings_new(void)
{
	return (struct findings){array_param(), array_param(), array_param(), array_param(), array_param(), array_param()};
}

static void findings_free(struct findings *f)
{
	array_free(&f->ids);
	array_free(&f->marks);
	array_free(&f->differ);
	array_free(&f->outcomes);
	array_free(&f->changes);
	array_free(&f->evaluations);
}

/* What could not be judged is stale still; nobody knows what it would be. */
static void add(struct findings *f, const char *id, int64_t marks, const struct reviewed *r)
{
	array_text(&f->ids, id);
	array_int(&f->marks, marks);
	array_bool(&f->differ, !r->readable || r->differs);
	array_text(&f->outcomes, !r->readable ? NULL : r->met ? "met" : "not_met");
	array_text(&f->changes, r->readable ? r->changes.data : NULL);
	array_text(&f->evaluations, r->readable ? r->evaluation_sha256 : NULL);
}

static enum db_status look_at(struct db *db, struct marked *m, const PGresult *due)
{
	const char *ids[REVIEW_DECISIONS_MAX];
	struct reviewed seen[REVIEW_DECISIONS_MAX];
	size_t n = (size_t)PQntuples(due);
	for (size_t i = 0; i < n; i++)
		ids[i] = PQgetvalue(due, (int)i, 0);
	enum db_status status = review(db, ids, n, false, seen);
	for (size_t i = 0; i < n; i++) {
		if (status == DB_OK)
			add(&m->found, ids[i], strtoll(PQgetvalue(due, (int)i, 1), NULL, 10), &seen[i]);
		reviewed_free(&seen[i]);
	}
	return status;
}

static enum db_status chunk_body(struct db *db, void *arg)
{
	struct marked *m = arg;
	char limit[12];
	PGresult *due = NULL;
	findings_free(&m->found);
	m->found = findings_new();
	snprintf(limit, sizeof limit, "%d", REVIEW_DECISIONS_MAX);
	enum db_status status = db_run(db, &REVIEWS_DUE, (const char *const[]){m->after, limit}, &due);
	m->looked_at = status == DB_OK ? PQntuples(due) : 0;
	if (m->looked_at)
		status = look_at(db, m, due);
	if (m->looked_at && status == DB_OK)
		snprintf(m->after, sizeof m->after, "%s", PQgetvalue(due, m->looked_at - 1, 0));
	PQclear(due);
	return status;
}

static enum db_status store(struct db *db, struct findings *f)
{
	PGresult *res = NULL;
	const char *const params[] = {array_done(&f->ids),      array_done(&f->marks),   array_done(&f->differ),
	                              array_done(&f->outcomes), array_done(&f->changes), array_done(&f->evaluations)};
	enum db_status status = db_run(db, &DECISIONS_REVIEWED, params, &res);
	PQclear(res);
	return status;
}

enum db_status review_marked_decisions(struct db *db, bool (*stopping)(void *arg), void *arg)
{
	struct marked m = {.found = findings_new()};
	enum db_status status;
	do {
		status = db_transaction(db, "repeatable read", chunk_body, &m);
		if (status == DB_OK && m.looked_at)
			status = store(db, &m.found);
	} while (status == DB_OK && m.looked_at == REVIEW_DECISIONS_MAX && !(stopping && stopping(arg)));
	findings_free(&m.found);
	return status;
}
