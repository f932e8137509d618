/* The figures of the stores of each period: totals of whole months from the roll-up where they may stand for their days, else the
 * days. Those lie beside the month's total where a binding cuts it and it was rolled up (store_month.days); the rest is read from
 * the day facts themselves, a page for each night. */
#include "model/store/gather_internal.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { PACKED_DAY = 2 + 8 + 8 + 8 }; /* store_day_packed() in SQL: day of the month, orders, gmv_fen, import_seq */

/* Both come store by store and in the order of their days, by the way they run; sorting them in SQL as well would cost more
 * than reading them. The reader makes sure. */
const struct statement GATHER_MONTHS = {
        .name = "gather_months",
        .sql = "select s.k, m.month - date '1970-01-01', m.orders, m.gmv_fen, m.days"
               " from unnest($1::integer[], $2::text[], $3::integer[], $4::integer[]) s(k, store_id, first, last) cross join "
               "lateral ("
               "  select month, orders, gmv_fen, days from store_month m where m.store_id = s.store_id"
               "  and m.month between date '1970-01-01' + s.first and date '1970-01-01' + s.last"
               "  and (m.orders > 0 or m.gmv_fen > 0) order by m.month offset 0) m",
        .params = 4,
        .binary = true,
};

static const struct statement GATHER_DAYS = {
        .name = "gather_days",
        .sql = "select s.k, d.day - date '1970-01-01', d.orders, d.gmv_fen, d.import_seq"
               " from unnest($1::integer[], $2::text[], $3::integer[], $4::integer[]) s(k, store_id, first, last) cross join "
               "lateral ("
               "  select day, orders, gmv_fen, import_seq from store_day d where d.store_id = s.store_id"
               "  and d.day between date '1970-01-01' + s.first and date '1970-01-01' + s.last"
               "  and (d.orders > 0 or d.gmv_fen > 0) order by d.day offset 0) d",
        .params = 4,
        .binary = true,
};

/* A row of months or days. */
struct figure {
	size_t k;
	day on;
	int64_t orders;
	fen gmv_fen;
	int64_t import_seq; /* of a day */
	const char *days; /* of a month: its days, or NULL when they are not kept with it. The result's */
	size_t day_count;
};

struct figures {
	struct figure *list; /* from malloc() */
	size_t count, room;
	bool failed; /* out of memory */
};

static int by_store_and_day(const void *left, const void *right)
{
	const struct figure *a = left, *b = right;
	if (a->k != b->k)
		return a->k < b->k ? -1 : 1;
	return (a->on > b->on) - (a->on < b->on);
}

/* Room for so many more; NULL when out of memory. */
static struct figure *figures_add(struct figures *f, size_t more)
{
	if (f->failed)
		return NULL;
	if (more > f->room - f->count) {
		size_t room = f->room * 2 > f->count + more ? f->room * 2 : f->count + more;
		struct figure *list = reallocarray(f->list, room, sizeof *list);
		if (!list) {
			f->failed = true;
			return NULL;
		}
		f->list = list;
		f->room = room;
	}
	f->count += more;
	return f->list + f->count - more;
}

/* In order from `first` on. */
static void figures_sort(struct figures *f, size_t first)
{
	bool ordered = true;
	for (size_t i = first + 1; ordered && i < f->count; i++)
		ordered = by_store_and_day(&f->list[i - 1], &f->list[i]) < 0;
	if (!ordered)
		qsort(f->list + first, f->count - first, sizeof *f->list, by_store_and_day);
}

/* The column that differs: what is kept of a month's days, or the import that a day came with. */
enum { FIGURE_DAYS = 4, FIGURE_SEQ = 4 };

static void figures_read(struct figures *f, const PGresult *res, bool months)
{
	int rows = PQntuples(res);
	struct figure *list = figures_add(f, (size_t)rows);
	for (int row = 0; list && row < rows; row++) {
		bool kept = months && !PQgetisnull(res, row, FIGURE_DAYS);
		list[row] = (struct figure){.k = (size_t)gather_int(res, row, 0), .on = gather_day(res, row, 1),
		                            .orders = gather_int(res, row, 2), .gmv_fen = gather_int(res, row, 3),
		                            .import_seq = months ? 0 : gather_int(res, row, FIGURE_SEQ),
		                            .days = kept ? PQgetvalue(res, row, FIGURE_DAYS) : NULL,
		                            .day_count = kept ? (size_t)PQgetlength(res, row, FIGURE_DAYS) / PACKED_DAY : 0};
	}
	if (list)
		figures_sort(f, 0);
}

/* ---- the months, and which days are needed ---- */

static bool rolled_up(const struct gather_work *w, day month)
{
	return w->watermark != DAY_NONE && day_month_end(month) <= w->watermark;
}

static bool month_suffices(const struct gather_work *w, size_t k, day month)
{
	const struct evaluation_store *store = &w->stores[k];
	day evaluated_on = gather_evaluated_on(&w->out.periods[w->period_of[k]]);
	return !w->by_days && rolled_up(w, month) && month_may_stand_for_days(store->bindings, store->binding_count, month, evaluated_on);
}

static int64_t packed_int(const char *at)
{
	uint64_t net;
	memcpy(&net, at, sizeof net);
	return (int64_t)be64toh(net);
}

static void unpack_days(struct figures *out, const struct figure *month, day last)
{
	size_t first = out->count;
	for (size_t i = 0; i < month->day_count; i++) {
		const char *at = month->days + i * PACKED_DAY;
		day on = month->on + ((unsigned char)at[0] << 8 | (unsigned char)at[1]) - 1;
		struct figure *f = on <= last ? figures_add(out, 1) : NULL;
		if (f)
			*f = (struct figure){.k = month->k, .on = on, .orders = packed_int(at + 2), .gmv_fen = packed_int(at + 10),
			                     .import_seq = packed_int(at + 18)};
	}
	figures_sort(out, first);
}

/* What the walk over the months gives. */
struct wanted_days {
	struct figures days;
	struct gather_spans spans; /* of the days that lie elsewhere */
	bool elsewhere;
	struct month_fact *months; /* room for as many as there are */
};

static void want_days(struct gather_work *w, struct wanted_days *out, size_t k, day month, day last)
{
	day end = day_month_end(month);
	gather_spans_add(&out->spans, k, w->stores[k].store_id, month, end < last ? end : last);
	out->elsewhere = true;
}

static void keep_month(struct gather_work *w, struct wanted_days *out, const struct figure *f)
{
	struct evaluation_store *store = &w->stores[f->k];
	*out->months = (struct month_fact){.month = f->on, .orders = f->orders, .gmv_fen = f->gmv_fen};
	if (!store->month_count++)
		store->months = out->months;
	out->months++;
	origins_note_month(&w->origins, w->period_of[f->k], f->on);
}

/* `f`: what the roll-up has of the month, or NULL: nothing. */
static void take_month(struct gather_work *w, struct wanted_days *out, size_t k, day month, const struct figure *f)
{
	day last = gather_evaluated_on(&w->out.periods[w->period_of[k]]);
	if (month_suffices(w, k, month)) {
		if (f)
			keep_month(w, out, f);
	} else if (!rolled_up(w, month)) {
		want_days(w, out, k, month, last);
	} else if (f && f->days) {
		unpack_days(&out->days, f, last);
	} else if (f) {
		want_days(w, out, k, month, last);
	}
}

static void take_months(struct gather_work *w, struct wanted_days *out, const struct figures *months)
{
	const struct figure *at = months->list, *end = at + months->count;
	for (size_t k = 0; k < w->store_count; k++) {
		const struct gathered_period *p = &w->out.periods[w->period_of[k]];
		day last = gather_evaluated_on(p);
		for (day month = p->input.start; month <= last; month = day_next_month_start(month)) {
			bool there = at < end && at->k == k && at->on == month;
			take_month(w, out, k, month, there ? at : NULL);
			at += there;
		}
	}
}

/* ---- the days ---- */

static bool keep_days(struct gather_work *w, const struct figures *days)
{
	struct day_fact *facts = arena_take(&w->arena, days->count, sizeof *facts);
	for (size_t i = 0; facts && i < days->count; i++) {
		const struct figure *f = &days->list[i];
		struct evaluation_store *store = &w->stores[f->k];
		facts[i] = (struct day_fact){.on = f->on, .orders = f->orders, .gmv_fen = f->gmv_fen};
		if (!store->day_count++)
			store->days = &facts[i];
		origins_note_seq(&w->origins, w->period_of[f->k], f->import_seq);
	}
	return facts;
}

static enum db_status read_days(struct db *db, struct wanted_days *wanted)
{
	const char *params[GATHER_SPANS_PARAMS];
	PGresult *res = NULL;
	if (!wanted->elsewhere)
		return DB_OK;
	gather_spans_params(&wanted->spans, params);
	enum db_status status = db_run(db, &GATHER_DAYS, params, &res);
	if (status == DB_OK)
		figures_read(&wanted->days, res, false);
	PQclear(res);
	return status;
}

void wanted_days_free(struct wanted_days *wanted)
{
	if (!wanted)
		return;
	gather_spans_free(&wanted->spans);
	free(wanted->days.list);
	free(wanted);
}

void gather_want_months(const struct gather_work *w, struct gather_spans *s)
{
	for (size_t k = 0; k < w->store_count; k++) {
		const struct gathered_period *p = &w->out.periods[w->period_of[k]];
		gather_spans_add(s, k, w->stores[k].store_id, p->input.start, gather_evaluated_on(p));
	}
}

void gather_read_months(struct gather_work *w, const PGresult *res)
{
	struct figures months = {0};
	struct wanted_days *wanted = calloc(1, sizeof *wanted);
	figures_read(&months, res, true);
	if (wanted) {
		wanted->spans = gather_spans();
		wanted->months = arena_take(&w->arena, months.count, sizeof *wanted->months);
		wanted->days.failed = months.failed || !wanted->months;
	}
	if (wanted && !wanted->days.failed)
		take_months(w, wanted, &months);
	free(months.list);
	w->wanted = wanted;
}

enum db_status gather_days(struct db *db, struct gather_work *w)
{
	struct wanted_days *wanted = w->wanted;
	enum db_status status = wanted && !wanted->days.failed ? read_days(db, wanted) : DB_FAILED;
	if (status == DB_OK && (wanted->days.failed || !keep_days(w, &wanted->days)))
		status = DB_FAILED;
	return status;
}
