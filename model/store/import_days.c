/* Day facts: the session that staged them sends what is new to the session of the transaction by COPY, sorted, so that one
 * sorts while the other stores. What changed, and what that does to the roll-up, goes the same way. */
#include "model/store/copy.h"
#include "model/store/import_merge.h"

#include <stdio.h>
#include <stdlib.h>

enum { QUERY_MAX = 1024 };

static const struct statement check = {
        .name = "import_check_store_days",
        .sql = "select bad, repeated, known, changed from import_check_store_days($1, $2, $3, $4, $5)",
        .params = 5};
static const struct statement open_days = {
        .name = "import_open_days", .sql = "select import_open_store_days($1, $2::date[])", .params = 2};
static const struct statement apply = {.name = "import_apply_days", .sql = "select import_apply_store_days($1)", .params = 1};
static const struct statement frontier = {
        .name = "import_frontier",
        .sql = "select (select day from watermark) - date '1970-01-01', rolled_up_until() - date '1970-01-01'"};

struct days {
	const struct import_merge *m;
	char seq[24]; /* the import's number in store_day */
	day watermark; /* before this import; DAY_NONE: there is none */
	day rolled_until; /* months before this day have their roll-up */
};

static int64_t number(const PGresult *res, int column)
{
	return strtoll(PQgetvalue(res, 0, column), NULL, 10);
}

enum db_status import_days_check(struct import_merge *m, int64_t *bad)
{
	char rows[24];
	char first[DAY_TEXT];
	char last[DAY_TEXT];
	snprintf(rows, sizeof rows, "%lld", (long long)m->stage->rows);
	const char *const params[] = {rows, day_text(m->stage->first_day, first), day_text(m->stage->last_day, last),
	                              import_stage_ordered(m->stage) ? "t" : "f", m->trusted ? "t" : "f"};
	PGresult *res = NULL;
	m->known = m->changed = m->fresh = 0;
	if (m->stage->rows == 0)
		return DB_OK;
	enum db_status status = db_run(m->staged, &check, params, &res);
	if (status == DB_OK) {
		*bad = number(res, 0);
		m->known = number(res, 2);
		m->changed = number(res, 3);
		m->fresh = m->stage->rows - *bad - number(res, 1) - m->known;
	}
	PQclear(res);
	return status;
}

static enum db_status open_store_days(struct days *d)
{
	struct buf list = BUF_INIT((size_t)(DAY_MAX - DAY_MIN + 2) * DAY_TEXT + 2);
	PGresult *res = NULL;
	import_stage_days(d->m->stage, &list);
	const char *const params[] = {d->m->report->import_id, list.data};
	enum db_status status = list.failed ? DB_FAILED : db_run(d->m->tx, &open_days, params, &res);
	if (status == DB_OK)
		snprintf(d->seq, sizeof d->seq, "%s", PQgetvalue(res, 0, 0));
	PQclear(res);
	buf_free(&list);
	return status;
}

static enum db_status find_frontier(struct days *d)
{
	PGresult *res = NULL;
	enum db_status status = db_run(d->m->tx, &frontier, NULL, &res);
	if (status == DB_OK) {
		bool none = PQgetisnull(res, 0, 0);
		d->watermark = none ? DAY_NONE : (day)strtol(PQgetvalue(res, 0, 0), NULL, 10);
		d->rolled_until = none ? DAY_MIN : (day)strtol(PQgetvalue(res, 0, 1), NULL, 10);
	}
	PQclear(res);
	return status;
}

/* From the session that staged to that of the transaction. */
static enum db_status send(const struct days *d, const char *query, const char *into, int64_t *rows)
{
	char copy_out[QUERY_MAX + 64];
	char copy_in[256];
	struct copy_relay relay = {.from = d->m->staged,
	                           .out = copy_out,
	                           .to = d->m->tx,
	                           .in = copy_in,
	                           .stopping = d->m->o->stopping,
	                           .arg = d->m->o->stopping_arg};
	snprintf(copy_out, sizeof copy_out, "copy (%s) to stdout (format binary)", query);
	snprintf(copy_in, sizeof copy_in, "copy %s from stdin (format binary)", into);
	enum db_status status = copy_relay(&relay);
	*rows = relay.rows;
	return status;
}

static enum db_status send_new(struct days *d)
{
	char query[QUERY_MAX];
	int64_t stored = 0;
	snprintf(query, sizeof query, "select store_id, day, orders, gmv_fen, %s::bigint from import_stage s%s%s", d->seq,
	         d->m->known ? " where not exists (select from import_known k where k.line = s.line)" : "",
	         import_stage_ordered(d->m->stage) ? "" : " order by day, store_id collate \"C\"");
	enum db_status status = send(d, query, "store_day (store_id, day, orders, gmv_fen, import_seq)", &stored);
	return status == DB_OK && stored != d->m->fresh ? DB_FAILED : status;
}

static enum db_status send_changed(struct days *d)
{
	int64_t sent;
	return send(d,
	            "select s.store_id, s.day, s.orders, s.gmv_fen, k.orders, k.gmv_fen, k.import_seq"
	            " from import_stage s join import_known k using (line) where k.changed",
	            "import_changed", &sent);
}

/* Rows that add or change something. Where no row is new, import_known has all of them; else it has every row that is not. */
static const char *effective(const struct days *d)
{
	return d->m->fresh ? "import_stage s left join import_known k using (line) where k.changed is distinct from false"
	                   : "import_stage s join import_known k using (line) where k.changed";
}

/* What months that are rolled up gain or lose. */
static enum db_status send_month_deltas(struct days *d)
{
	char query[QUERY_MAX];
	char until[DAY_TEXT];
	int64_t sent;
	snprintf(query, sizeof query,
	         "select s.store_id, date_trunc('month', s.day)::date, sum(s.orders - coalesce(k.orders, 0))::bigint,"
	         " sum(s.gmv_fen - coalesce(k.gmv_fen, 0))::bigint from %s and s.day < '%s' group by 1, 2",
	         effective(d), day_text(d->rolled_until, until));
	return send(d, query, "import_month_delta", &sent);
}

/* The stores whose figures up to the watermark differ now. Where the watermark moves on, every period that it moves through is
 * stale anyway: then only what lies behind it counts. */
static enum db_status send_touched(struct days *d, bool watermark_moves)
{
	char query[QUERY_MAX];
	char last[DAY_TEXT];
	int64_t sent;
	day through = watermark_moves && d->watermark != DAY_NONE ? d->watermark : DAY_MAX;
	if (watermark_moves && (d->watermark == DAY_NONE || d->m->stage->first_day > d->watermark))
		return DB_OK;
	snprintf(query, sizeof query, "select s.store_id, min(s.day), max(s.day) from %s and s.day <= '%s' group by 1", effective(d),
	         day_text(through, last));
	return send(d, query, "import_touched (store_id, first_day, last_day)", &sent);
}

static enum db_status let_in(struct days *d)
{
	const struct import_merge *m = d->m;
	bool moves = m->o->complete_through != DAY_NONE && m->report->rows.rejected == 0;
	const char *const params[] = {d->seq};
	PGresult *res = NULL;
	enum db_status status = open_store_days(d);
	if (status == DB_OK)
		status = find_frontier(d);
	moves = moves && (d->watermark == DAY_NONE || m->o->complete_through > d->watermark);
	if (status == DB_OK && m->fresh)
		status = send_new(d);
	if (status == DB_OK && m->changed)
		status = send_changed(d);
	if (status == DB_OK && m->stage->first_day < d->rolled_until)
		status = send_month_deltas(d);
	if (status == DB_OK)
		status = send_touched(d, moves);
	if (status == DB_OK)
		status = db_run(m->tx, &apply, params, &res);
	PQclear(res);
	return status;
}

enum db_status import_days_apply(struct import_merge *m)
{
	struct days d = {.m = m};
	m->report->rows.inserted = m->fresh;
	m->report->rows.changed = m->changed;
	return m->fresh || m->changed ? let_in(&d) : DB_OK;
}
