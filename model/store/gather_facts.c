/* What the platform said about the stores of each period, and who passed its exam: all as of the evaluation day. */
#include "model/store/array_param.h"
#include "model/store/gather_internal.h"

#include <stdlib.h>
#include <string.h>

static const struct statement GATHER_ATTRIBUTES_OF = {
        .name = "gather_attributes",
        .sql = "select s.k, v.registered_region, array_to_string(v.ship_from_regions, ' '), v.industry, v.category, v.status, v.import_id"
               " from unnest($1::integer[], $2::text[], $3::integer[]) s(k, store_id, e) cross join lateral ("
               "  select registered_region, ship_from_regions, industry, category, status, import_id from store_version v"
               "  where v.store_id = s.store_id and v.valid_from <= date '1970-01-01' + s.e order by v.valid_from desc limit 1) v"
               " order by s.k",
        .params = 3,
};

/* Both come store by store and in the order of their days, by the way they run; sorting them in SQL as well would cost more
 * than reading them. The reader makes sure. */
static const struct statement GATHER_MONTHS_OF = {
        .name = "gather_months",
        .sql = "select s.k, m.month - date '1970-01-01', m.orders, m.gmv_fen"
               " from unnest($1::integer[], $2::text[], $3::integer[], $4::integer[]) s(k, store_id, first, last) cross join lateral ("
               "  select month, orders, gmv_fen from store_month m where m.store_id = s.store_id"
               "  and m.month between date '1970-01-01' + s.first and date '1970-01-01' + s.last"
               "  and (m.orders > 0 or m.gmv_fen > 0) order by m.month offset 0) m",
        .params = 4,
};

static const struct statement GATHER_DAYS_OF = {
        .name = "gather_days",
        .sql = "select s.k, d.day - date '1970-01-01', d.orders, d.gmv_fen, d.import_seq"
               " from unnest($1::integer[], $2::text[], $3::integer[], $4::integer[]) s(k, store_id, first, last) cross join lateral ("
               "  select day, orders, gmv_fen, import_seq from store_day d where d.store_id = s.store_id"
               "  and d.day between date '1970-01-01' + s.first and date '1970-01-01' + s.last"
               "  and (d.orders > 0 or d.gmv_fen > 0) order by d.day offset 0) d",
        .params = 4,
};

static const struct statement GATHER_EXAM_PASSES_OF = {
        .name = "gather_exam_passes",
        .sql = "select w.i, e.person_id, e.passed_on - date '1970-01-01', e.import_id"
               " from unnest($1::integer[], $2::text[], $3::integer[]) w(i, provider_id, e_day) cross join lateral ("
               "  select person_id, passed_on, import_id from exam_pass e where e.provider_id = w.provider_id"
               "  and e.passed_on <= date '1970-01-01' + w.e_day offset 0) e"
               " order by w.i, e.person_id collate \"C\", e.passed_on",
        .params = 3,
};

/* ---- a statement over spans of days of stores: (k, store_id, first, last) ---- */

struct spans {
	struct array_param index, ids, first, last;
};

static struct spans spans_new(void)
{
	return (struct spans){array_param(), array_param(), array_param(), array_param()};
}

static void spans_add(struct spans *s, size_t k, const char *id, day first, day last)
{
	array_int(&s->index, (int64_t)k);
	array_text(&s->ids, id);
	array_int(&s->first, first);
	array_int(&s->last, last);
}

/* Runs it (with `last` only when the statement takes four) and frees the spans. */
static enum db_status spans_run(struct db *db, const struct statement *st, struct spans *s, PGresult **res)
{
	const char *const params[] = {array_done(&s->index), array_done(&s->ids), array_done(&s->first), array_done(&s->last)};
	enum db_status status = db_run(db, st, params, res);
	array_free(&s->index);
	array_free(&s->ids);
	array_free(&s->first);
	array_free(&s->last);
	return status;
}

/* ---- attributes ---- */

static bool read_ship_from(struct gather_work *w, struct evaluation_store *store, char *codes)
{
	size_t room = strlen(codes) / (REGION_TEXT - 1) + 1;
	region *list = arena_take(&w->arena, room, sizeof *list);
	if (!list)
		return false;
	store->ship_from_regions = list;
	char *rest = NULL;
	for (char *code = strtok_r(codes, " ", &rest); code && store->ship_from_count < room; code = strtok_r(NULL, " ", &rest))
		if (!region_parse(code, &list[store->ship_from_count++]))
			return false;
	return true;
}

static void read_attributes(struct gather_work *w, const PGresult *res, int row)
{
	size_t k = (size_t)gather_int(res, row, 0);
	struct evaluation_store *store = &w->stores[k];
	origins_note(&w->origins, SOURCE_STORES, w->period_of[k], PQgetvalue(res, row, 6));
	store->unlisted = false;
	store->industry = arena_text(&w->arena, PQgetvalue(res, row, 3));
	store->category = arena_text(&w->arena, PQgetvalue(res, row, 4));
	char *ship_from = arena_text(&w->arena, PQgetvalue(res, row, 2));
	if (!ship_from || !read_ship_from(w, store, ship_from) || !region_parse(PQgetvalue(res, row, 1), &store->registered_region) ||
	    !store_status_by_name(PQgetvalue(res, row, 5), &store->status))
		w->out.periods[w->period_of[k]].unreadable = "a store of it has a region or status that is none";
}

enum db_status gather_attributes(struct db *db, struct gather_work *w)
{
	struct spans spans = spans_new();
	for (size_t k = 0; k < w->store_count; k++)
		spans_add(&spans, k, w->stores[k].store_id, gather_evaluated_on(&w->out.periods[w->period_of[k]]), 0);
	PGresult *res = NULL;
	enum db_status status = spans_run(db, &GATHER_ATTRIBUTES_OF, &spans, &res);
	for (int row = 0; status == DB_OK && row < PQntuples(res); row++)
		read_attributes(w, res, row);
	PQclear(res);
	return w->arena.failed ? DB_FAILED : status;
}

/* ---- months and days ---- */

static bool month_suffices(const struct gather_work *w, size_t k, day month)
{
	if (w->by_days || w->watermark == DAY_NONE || day_month_end(month) > w->watermark)
		return false;
	const struct evaluation_store *store = &w->stores[k];
	day evaluated_on = gather_evaluated_on(&w->out.periods[w->period_of[k]]);
	return month_may_stand_for_days(store->bindings, store->binding_count, month, evaluated_on);
}

enum { FIGURE_SEQ = 4 }; /* the column that only days have */

/* A row of months or days. */
struct figure {
	size_t k;
	day on;
	int64_t orders;
	fen gmv_fen;
	int64_t import_seq; /* of days */
};

static int by_store_and_day(const void *left, const void *right)
{
	const struct figure *a = left, *b = right;
	if (a->k != b->k)
		return a->k < b->k ? -1 : 1;
	return (a->on > b->on) - (a->on < b->on);
}

/* The rows in the order of (store, day), from malloc(); NULL when out of memory. */
static struct figure *read_figures(const PGresult *res, size_t *count)
{
	size_t rows = (size_t)PQntuples(res);
	struct figure *list = calloc(rows + 1, sizeof *list);
	bool ordered = true, days = PQnfields(res) > FIGURE_SEQ;
	for (size_t i = 0; list && i < rows; i++) {
		int row = (int)i;
		list[i] = (struct figure){.k = (size_t)gather_int(res, row, 0), .on = gather_day(res, row, 1),
		                          .orders = gather_int(res, row, 2), .gmv_fen = gather_int(res, row, 3),
		                          .import_seq = days ? gather_int(res, row, FIGURE_SEQ) : 0};
		ordered = ordered && (i == 0 || by_store_and_day(&list[i - 1], &list[i]) < 0);
	}
	if (list && !ordered)
		qsort(list, rows, sizeof *list, by_store_and_day);
	*count = rows;
	return list;
}

static bool keep_months(struct gather_work *w, const struct figure *list, size_t count)
{
	struct month_fact *facts = arena_take(&w->arena, count, sizeof *facts);
	for (size_t i = 0; facts && i < count; i++) {
		struct evaluation_store *store = &w->stores[list[i].k];
		if (!month_suffices(w, list[i].k, list[i].on))
			continue;
		*facts = (struct month_fact){.month = list[i].on, .orders = list[i].orders, .gmv_fen = list[i].gmv_fen};
		if (!store->month_count++)
			store->months = facts;
		origins_note_month(&w->origins, w->period_of[list[i].k], facts->month);
		facts++;
	}
	return facts;
}

static bool keep_days(struct gather_work *w, const struct figure *list, size_t count)
{
	struct day_fact *facts = arena_take(&w->arena, count, sizeof *facts);
	for (size_t i = 0; facts && i < count; i++) {
		struct evaluation_store *store = &w->stores[list[i].k];
		facts[i] = (struct day_fact){.on = list[i].on, .orders = list[i].orders, .gmv_fen = list[i].gmv_fen};
		if (!store->day_count++)
			store->days = &facts[i];
		origins_note_seq(&w->origins, w->period_of[list[i].k], list[i].import_seq);
	}
	return facts;
}

/* Runs the statement and keeps its rows. */
static enum db_status gather_figures(struct db *db, struct gather_work *w, const struct statement *st, struct spans *spans,
                                     bool (*keep)(struct gather_work *w, const struct figure *list, size_t count))
{
	PGresult *res = NULL;
	enum db_status status = spans_run(db, st, spans, &res);
	size_t count = 0;
	struct figure *list = status == DB_OK ? read_figures(res, &count) : NULL;
	PQclear(res);
	if (status == DB_OK && (!list || !keep(w, list, count)))
		status = DB_FAILED;
	free(list);
	return status;
}

enum db_status gather_months(struct db *db, struct gather_work *w)
{
	struct spans spans = spans_new();
	for (size_t k = 0; k < w->store_count; k++) {
		const struct gathered_period *p = &w->out.periods[w->period_of[k]];
		spans_add(&spans, k, w->stores[k].store_id, p->input.start, gather_evaluated_on(p));
	}
	return gather_figures(db, w, &GATHER_MONTHS_OF, &spans, keep_months);
}

enum db_status gather_days(struct db *db, struct gather_work *w)
{
	struct spans spans = spans_new();
	for (size_t k = 0; k < w->store_count; k++) {
		const struct gathered_period *p = &w->out.periods[w->period_of[k]];
		day last = gather_evaluated_on(p);
		for (day month = p->input.start; month <= last; month = day_next_month_start(month))
			if (!month_suffices(w, k, month))
				spans_add(&spans, k, w->stores[k].store_id, month, day_month_end(month) < last ? day_month_end(month) : last);
	}
	return gather_figures(db, w, &GATHER_DAYS_OF, &spans, keep_days);
}

/* ---- exam passes ---- */

static void read_exam_passes(struct gather_work *w, const PGresult *res)
{
	int rows = PQntuples(res);
	struct exam_pass *passes = arena_take(&w->arena, (size_t)rows, sizeof *passes);
	for (int row = 0; passes && row < rows; row++) {
		struct evaluation_input *in = &w->out.periods[gather_int(res, row, 0)].input;
		passes[row] = (struct exam_pass){.person_id = arena_text(&w->arena, PQgetvalue(res, row, 1)), .passed_on = gather_day(res, row, 2)};
		if (!in->exam_pass_count++)
			in->exam_passes = &passes[row];
		origins_note(&w->origins, SOURCE_EXAM_PASSES, (size_t)gather_int(res, row, 0), PQgetvalue(res, row, 3));
	}
}

enum db_status gather_exam_passes(struct db *db, struct gather_work *w)
{
	struct spans spans = spans_new();
	for (size_t i = 0; i < w->out.count; i++)
		spans_add(&spans, i, w->out.periods[i].provider_id, gather_evaluated_on(&w->out.periods[i]), 0);
	PGresult *res = NULL;
	enum db_status status = spans_run(db, &GATHER_EXAM_PASSES_OF, &spans, &res);
	if (status == DB_OK)
		read_exam_passes(w, res);
	PQclear(res);
	return w->arena.failed ? DB_FAILED : status;
}
