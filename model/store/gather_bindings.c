/* The stores of each period and their bindings: every store that the provider was bound to at some time between the
 * period's first day and the evaluation day, with all its bindings up to then (the repeat check looks back, 3.2). */
#include "model/store/array_param.h"
#include "model/store/gather_internal.h"

#include <string.h>

static const struct statement GATHER_BINDINGS_OF = {
        .name = "gather_bindings",
        .sql = "with w as materialized (select i, provider_id, date '1970-01-01' + s as first_day, date '1970-01-01' + e as last_day, others"
               "  from unnest($1::integer[], $2::text[], $3::integer[], $4::integer[], $5::boolean[]) w(i, provider_id, s, e, others)),"
               " own as materialized (select w.i, w.provider_id, w.last_day, w.others, b.store_id, b.bound_on, b.unbound_on, b.import_id,"
               "   bool_or(b.bound_on >= w.first_day or b.unbound_on is null or b.unbound_on > w.first_day)"
               "    over (partition by w.i, b.store_id) as bound"
               "  from w cross join lateral (select b.store_id, b.bound_on, b.unbound_on, b.import_id from binding b"
               "   where b.provider_id = w.provider_id and (b.bound_on <= w.last_day or $6::boolean) offset 0) b),"
               " others as materialized (select distinct i, provider_id, last_day, store_id from own where bound and others)"
               " select i, store_id collate \"C\" as store_id, true as self, bound_on - date '1970-01-01', unbound_on - date '1970-01-01',"
               "  import_id from own where bound or $6::boolean"
               " union all"
               " select o.i, o.store_id collate \"C\", false, b.bound_on - date '1970-01-01', b.unbound_on - date '1970-01-01', b.import_id"
               "  from others o cross join lateral (select b.bound_on, b.unbound_on, b.import_id from binding b where b.store_id = o.store_id"
               "   and b.provider_id <> o.provider_id and b.bound_on <= o.last_day offset 0) b"
               " order by 1, 2, 3 desc, 4, 5",
        .params = 6,
        .binary = true,
};

static bool looks_at_others(const struct evaluation_input *in)
{
	for (size_t i = 0; i < in->policy_count; i++)
		if (in->policies[i]->counting.repeat_scope == REPEAT_ANY)
			return true;
	return false;
}

static enum db_status run(struct db *db, const struct gather_work *w, PGresult **res)
{
	struct array_param index = array_param(), providers = array_param(), starts = array_param(), ends = array_param(),
	                   others = array_param();
	for (size_t i = 0; i < w->out.count; i++) {
		const struct gathered_period *p = &w->out.periods[i];
		array_int(&index, (int64_t)i);
		array_text(&providers, p->provider_id);
		array_int(&starts, p->input.start);
		array_int(&ends, gather_evaluated_on(p));
		array_bool(&others, looks_at_others(&p->input));
	}
	const char *const params[] = {array_done(&index), array_done(&providers), array_done(&starts), array_done(&ends), array_done(&others),
	                              w->every_store ? "t" : "f"};
	enum db_status status = db_run(db, &GATHER_BINDINGS_OF, params, res);
	array_free(&index);
	array_free(&providers);
	array_free(&starts);
	array_free(&ends);
	array_free(&others);
	return status;
}

static bool begins_store(const PGresult *res, int row)
{
	return row == 0 || gather_int(res, row, 0) != gather_int(res, row - 1, 0) ||
	       strcmp(PQgetvalue(res, row, 1), PQgetvalue(res, row - 1, 1)) != 0;
}

static void read_store(struct gather_work *w, const PGresult *res, int row, const struct binding *bindings)
{
	size_t at = w->store_count++;
	size_t period = (size_t)gather_int(res, row, 0);
	struct evaluation_input *in = &w->out.periods[period].input;
	if (!in->store_count++)
		in->stores = &w->stores[at];
	w->period_of[at] = period;
	w->stores[at].store_id = arena_text(&w->arena, PQgetvalue(res, row, 1));
	w->stores[at].unlisted = true; /* until its attributes are found */
	w->stores[at].bindings = bindings;
}

enum db_status gather_bindings(struct db *db, struct gather_work *w)
{
	PGresult *res = NULL;
	enum db_status status = run(db, w, &res);
	if (status != DB_OK)
		return status;
	int rows = PQntuples(res);
	size_t stores = 0;
	for (int row = 0; row < rows; row++)
		stores += begins_store(res, row);
	struct binding *bindings = arena_take(&w->arena, (size_t)rows, sizeof *bindings);
	w->stores = arena_take(&w->arena, stores, sizeof *w->stores);
	w->period_of = arena_take(&w->arena, stores, sizeof *w->period_of);
	for (int row = 0; !w->arena.failed && row < rows; row++) {
		if (begins_store(res, row))
			read_store(w, res, row, &bindings[row]);
		w->stores[w->store_count - 1].binding_count++;
		origins_note(&w->origins, SOURCE_BINDINGS, w->period_of[w->store_count - 1], PQgetvalue(res, row, 5));
		bindings[row] = (struct binding){.self = gather_bool(res, row, 2),
		                                 .bound_on = gather_day(res, row, 3),
		                                 .unbound_on = gather_day(res, row, 4)};
	}
	PQclear(res);
	return w->arena.failed ? DB_FAILED : DB_OK;
}
