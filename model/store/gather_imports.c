/* The imports that the facts of each period came from: those that were noted, looked up, in the order of their ids. */
#include "model/store/array_param.h"
#include "model/store/gather_internal.h"

#include <stdlib.h>
#include <string.h>

static const struct statement GATHER_IMPORTS_OF = {
        .name = "gather_imports",
        .sql = "select u.n, i.import_id, i.sha256 from unnest($1::integer[], $2::text[]) u(n, id) join import i on i.import_id = u.id"
               " union all"
               " select u.n, i.import_id, i.sha256 from unnest($3::integer[], $4::bigint[]) u(n, seq)"
               "  join import_ref r on r.seq = u.seq join import i on i.import_id = r.import_id",
        .params = 4,
        .binary = true,
};

static const struct statement GATHER_MONTH_IMPORTS = {
        .name = "gather_month_imports",
        .sql = "select m.month - date '1970-01-01', i.import_id, i.sha256 from store_month_import m join import_ref r using (seq)"
               " join import i using (import_id) where m.month = any ($1::date[]) order by m.month, i.import_id collate \"C\"",
        .params = 1,
        .binary = true,
};

static int by_id(const void *left, const void *right)
{
	const struct document_import *a = left, *b = right;
	return strcmp(a->import_id, b->import_id);
}

/* ---- those that were noted one by one ---- */

static enum db_status look_up(struct db *db, struct gather_work *w)
{
	struct origins *o = &w->origins;
	struct array_param index = array_param(), ids = array_param(), seq_index = array_param(), seqs = array_param();
	for (size_t i = 0; i < o->count; i++) {
		bool by_seq = !o->items[i].id;
		array_int(by_seq ? &seq_index : &index, (int64_t)i);
		if (by_seq)
			array_int(&seqs, o->items[i].seq);
		else
			array_text(&ids, o->items[i].id);
	}
	const char *const params[] = {array_done(&index), array_done(&ids), array_done(&seq_index), array_done(&seqs)};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &GATHER_IMPORTS_OF, params, &res);
	for (int row = 0; status == DB_OK && row < PQntuples(res); row++) {
		struct origin *it = &o->items[gather_int(res, row, 0)];
		it->import_id = arena_text(&w->arena, PQgetvalue(res, row, 1));
		it->sha256 = PQgetisnull(res, row, 2) ? NULL : arena_text(&w->arena, PQgetvalue(res, row, 2));
	}
	PQclear(res);
	array_free(&index);
	array_free(&ids);
	array_free(&seq_index);
	array_free(&seqs);
	return w->arena.failed ? DB_FAILED : status;
}

/* Each period's list of each source, as long as what was noted for it, and still empty. */
static bool make_lists(struct gather_work *w)
{
	const struct origins *o = &w->origins;
	struct document_import *room = arena_take(&w->arena, o->use_count, sizeof *room);
	if (!room)
		return false;
	for (size_t i = 0; i < o->use_count; i++)
		w->out.periods[o->uses[i].period].origin.imports[o->items[o->uses[i].origin].source].count++;
	for (size_t p = 0; p < w->out.count; p++)
		for (int s = 0; s < SOURCE_STORE_MONTHS; s++) {
			struct document_imports *list = &w->out.periods[p].origin.imports[s];
			list->items = room;
			room += list->count;
			list->count = 0;
		}
	return true;
}

/* One that is not recorded (its rows were put in by hand) cannot be named. */
static void fill_lists(struct gather_work *w)
{
	const struct origins *o = &w->origins;
	for (size_t i = 0; i < o->use_count; i++) {
		const struct origin *from = &o->items[o->uses[i].origin];
		struct document_imports *list = &w->out.periods[o->uses[i].period].origin.imports[from->source];
		if (from->import_id)
			((struct document_import *)list->items)[list->count++] = (struct document_import){from->import_id, from->sha256};
	}
	for (size_t p = 0; p < w->out.count; p++)
		for (int s = 0; s < SOURCE_STORE_MONTHS; s++) {
			struct document_imports *list = &w->out.periods[p].origin.imports[s];
			qsort((struct document_import *)list->items, list->count, sizeof *list->items, by_id);
		}
}

/* ---- those of whole months ---- */

/* The imports with figures of each month, by month and id. */
struct month_imports {
	day *months; /* beside imports */
	struct document_import *imports;
	size_t count;
};

static enum db_status read_months(struct db *db, struct gather_work *w, struct month_imports *out)
{
	struct array_param months = array_param();
	for (size_t i = 0; i < w->origins.month_count; i++) {
		char text[DAY_TEXT];
		array_text(&months, day_text(w->origins.months[i].month, text));
	}
	PGresult *res = NULL;
	enum db_status status = db_run(db, &GATHER_MONTH_IMPORTS, (const char *const[]){array_done(&months)}, &res);
	array_free(&months);
	out->count = status == DB_OK ? (size_t)PQntuples(res) : 0;
	out->months = arena_take(&w->arena, out->count, sizeof *out->months);
	out->imports = arena_take(&w->arena, out->count, sizeof *out->imports);
	for (int row = 0; out->months && out->imports && row < (int)out->count; row++) {
		out->months[row] = gather_day(res, row, 0);
		out->imports[row] = (struct document_import){
		        .import_id = arena_text(&w->arena, PQgetvalue(res, row, 1)),
		        .sha256 = PQgetisnull(res, row, 2) ? NULL : arena_text(&w->arena, PQgetvalue(res, row, 2))};
	}
	PQclear(res);
	return w->arena.failed ? DB_FAILED : status;
}

static bool is_among(const struct document_imports *list, const struct document_import *it)
{
	return list->count && bsearch(it, list->items, list->count, sizeof *it, by_id);
}

/* What the months of one period add to its list, each import once, and none that its days name. */
static void keep_months(struct gathered_period *p, const struct month_imports *all, const struct origin_month *months, size_t count,
                        struct document_import *room)
{
	struct document_imports *list = &p->origin.imports[SOURCE_STORE_MONTHS];
	size_t n = 0;
	for (size_t i = 0; i < all->count; i++)
		for (size_t m = 0; m < count; m++)
			if (all->months[i] == months[m].month && !is_among(&p->origin.imports[SOURCE_STORE_DAYS], &all->imports[i]))
				room[n++] = all->imports[i];
	qsort(room, n, sizeof *room, by_id);
	list->items = room;
	for (size_t i = 0; i < n; i++)
		if (!list->count || strcmp(room[list->count - 1].import_id, room[i].import_id) != 0)
			room[list->count++] = room[i];
}

static enum db_status gather_month_imports(struct db *db, struct gather_work *w)
{
	const struct origins *o = &w->origins;
	struct month_imports all = {0};
	enum db_status status = read_months(db, w, &all);
	for (size_t i = 0, n; status == DB_OK && i < o->month_count; i += n) {
		for (n = 1; i + n < o->month_count && o->months[i + n].period == o->months[i].period;)
			n++;
		struct document_import *room = arena_take(&w->arena, all.count, sizeof *room);
		if (!room)
			return DB_FAILED;
		keep_months(&w->out.periods[o->months[i].period], &all, &o->months[i], n, room);
	}
	return status;
}

enum db_status gather_imports(struct db *db, struct gather_work *w)
{
	if (w->origins.failed)
		return DB_FAILED;
	enum db_status status = look_up(db, w);
	if (status != DB_OK)
		return status;
	if (!make_lists(w))
		return DB_FAILED;
	fill_lists(w);
	for (size_t p = 0; p < w->out.count; p++)
		w->out.periods[p].origin.imports_known = true;
	return w->origins.month_count ? gather_month_imports(db, w) : DB_OK;
}
