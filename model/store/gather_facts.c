/* What the platform said about the stores of each period, and who passed its exam: all as of the evaluation day. */
#include "model/store/gather_internal.h"

#include <string.h>

const struct statement GATHER_ATTRIBUTES = {
        .name = "gather_attributes",
        .sql = "select s.k, v.registered_region, array_to_string(v.ship_from_regions, ' '), v.industry, v.category, v.status, v.import_id"
               " from unnest($1::integer[], $2::text[], $3::integer[]) s(k, store_id, e) cross join lateral ("
               "  select registered_region, ship_from_regions, industry, category, status, import_id from store_version v"
               "  where v.store_id = s.store_id and v.valid_from <= date '1970-01-01' + s.e order by v.valid_from desc limit 1) v"
               " order by s.k",
        .params = 3,
        .binary = true,
};

const struct statement GATHER_EXAM_PASSES = {
        .name = "gather_exam_passes",
        .sql = "select w.i, e.person_id, e.passed_on - date '1970-01-01', e.import_id"
               " from unnest($1::integer[], $2::text[], $3::integer[]) w(i, provider_id, e_day) cross join lateral ("
               "  select person_id, passed_on, import_id from exam_pass e where e.provider_id = w.provider_id"
               "  and e.passed_on <= date '1970-01-01' + w.e_day offset 0) e"
               " order by w.i, e.person_id collate \"C\", e.passed_on",
        .params = 3,
        .binary = true,
};

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

static void read_store(struct gather_work *w, const PGresult *res, int row)
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

void gather_want_attributes(const struct gather_work *w, struct gather_spans *s)
{
	for (size_t k = 0; k < w->store_count; k++)
		gather_spans_add(s, k, w->stores[k].store_id, gather_evaluated_on(&w->out.periods[w->period_of[k]]), 0);
}

void gather_read_attributes(struct gather_work *w, const PGresult *res)
{
	for (int row = 0; row < PQntuples(res); row++)
		read_store(w, res, row);
}

/* ---- exam passes ---- */

void gather_want_exam_passes(const struct gather_work *w, struct gather_spans *s)
{
	for (size_t i = 0; i < w->out.count; i++)
		gather_spans_add(s, i, w->out.periods[i].provider_id, gather_evaluated_on(&w->out.periods[i]), 0);
}

void gather_read_exam_passes(struct gather_work *w, const PGresult *res)
{
	int rows = PQntuples(res);
	struct exam_pass *passes = arena_take(&w->arena, (size_t)rows, sizeof *passes);
	for (int row = 0; passes && row < rows; row++) {
		struct evaluation_input *in = &w->out.periods[gather_int(res, row, 0)].input;
		passes[row] = (struct exam_pass){.person_id = arena_text(&w->arena, PQgetvalue(res, row, 1)),
		                                 .passed_on = gather_day(res, row, 2)};
		if (!in->exam_pass_count++)
			in->exam_passes = &passes[row];
		origins_note(&w->origins, SOURCE_EXAM_PASSES, (size_t)gather_int(res, row, 0), PQgetvalue(res, row, 3));
	}
}
