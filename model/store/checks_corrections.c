/* What must hold of corrected decisions: their chains, and that none is unmarked which today's facts differ from. */
#include "model/store/checks.h"
#include "model/store/checks_internal.h"
#include "model/store/review.h"

#include <stdio.h>

enum db_status check_corrections(struct db *db, struct check_report *r)
{
	static const struct statement st = {
	        .name = "check_corrections",
	        .sql = "select (select count(*) from decision where supersedes is not null), x.decision_id, x.why from "
	               "(select) one left join ("
	               "  select d.decision_id, case"
	               "    when (d.provider_id, d.period_id) <> (o.provider_id, o.period_id) then 'it supersedes a decision "
	               "on something else'"
	               "    when c.correction_id is null then 'no correction was confirmed that it comes from'"
	               "    when c.decision_id <> d.supersedes then 'its correction was of another decision'"
	               "    when (c.document, c.sha256, c.outcome) <> (d.document, d.sha256, d.outcome)"
	               "     then 'it is not what its correction proposed'"
	               "    when c.decided_by = c.proposed_by then 'one person proposed and confirmed it' end as why"
	               "  from decision d join decision o on o.decision_id = d.supersedes"
	               "  left join correction c on c.superseding_id = d.decision_id and c.status = 'confirmed'"
	               "  union all"
	               "  select p.decision_id, case"
	               "    when s.decision_id is not null then 'its period rests on it although another superseded it'"
	               "    when p.status in ('passed', 'converted') and d.outcome <> 'met' or p.status = 'failed' and "
	               "d.outcome <> 'not_met'"
	               "     then 'its period ended otherwise than it says'"
	               "    when v.decision_id is not null and p.status <> 'cancelled' then 'it is void, and its period "
	               "stands' end"
	               "  from period p join decision d on d.decision_id = p.decision_id"
	               "  left join decision s on s.supersedes = p.decision_id left join decision_void v on v.decision_id = "
	               "p.decision_id"
	               "  union all"
	               "  select r.decision_id, 'it is marked, and does not hold any more' from decision_review r"
	               "  where not exists (select from period p where p.decision_id = r.decision_id and p.status in "
	               "('passed', 'failed', 'converted'))"
	               " ) x on x.why is not null",
	};
	return check_by_sql(db, &st, r);
}

/* ---- late figures ---- */

/* Every decision that holds, and what is known of it: whether it counts as stale, and whether that was computed since the last mark. */
static const struct statement CHECK_MARKS = {
        .name = "check_marks",
        .sql = "select p.decision_id, r.decision_id is not null and r.differs is distinct from false,"
               " r.decision_id is null or r.marks = r.reviewed from period p left join decision_review r using (decision_id)"
               " where p.status in ('passed', 'failed', 'converted') and p.decision_id > $1 order by p.decision_id limit "
               "$2::integer",
        .params = 2,
};

struct marks {
	struct check_report *report;
	char after[64];
	int looked_at;
};

static void check_mark(struct check_report *r, const char *id, const struct reviewed *now, bool stale, bool computed)
{
	r->looked_at++;
	if (!now->readable)
		check_wrong(r, id, "it cannot be evaluated on today's facts");
	else if (now->differs && !stale && computed)
		check_wrong(r, id, "today's facts give another decision, and it is not marked");
	else if (!now->differs && stale && computed)
		check_wrong(r, id, "today's facts give the same decision, and it is marked");
}

static enum db_status check_chunk(struct db *db, void *arg)
{
	struct marks *m = arg;
	const char *ids[REVIEW_DECISIONS_MAX];
	struct reviewed now[REVIEW_DECISIONS_MAX];
	char limit[12];
	PGresult *res = NULL;
	snprintf(limit, sizeof limit, "%d", REVIEW_DECISIONS_MAX);
	enum db_status status = db_run(db, &CHECK_MARKS, (const char *const[]){m->after, limit}, &res);
	m->looked_at = status == DB_OK ? PQntuples(res) : 0;
	for (int row = 0; row < m->looked_at; row++)
		ids[row] = PQgetvalue(res, row, 0);
	if (m->looked_at)
		status = review(db, ids, (size_t)m->looked_at, false, now);
	for (int row = 0; row < m->looked_at; row++) {
		if (status == DB_OK)
			check_mark(m->report, ids[row], &now[row], PQgetvalue(res, row, 1)[0] == 't',
			           PQgetvalue(res, row, 2)[0] == 't');
		reviewed_free(&now[row]);
	}
	if (status == DB_OK && m->looked_at)
		snprintf(m->after, sizeof m->after, "%s", ids[m->looked_at - 1]);
	PQclear(res);
	return status;
}

enum db_status check_marks(struct db *db, struct check_report *r)
{
	struct marks m = {.report = r};
	enum db_status status;
	do
		status = db_transaction(db, "repeatable read", check_chunk,
		                        &m); /* one snapshot has an import and what it marked, or neither */
	while (status == DB_OK && m.looked_at == REVIEW_DECISIONS_MAX);
	return status;
}
