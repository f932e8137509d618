#include "model/store/gather.h"

#include "model/store/array_param.h"
#include "model/store/gather_internal.h"
#include "model/store/policy_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int64_t gather_int(const PGresult *res, int row, int column)
{
	return strtoll(PQgetvalue(res, row, column), NULL, 10);
}

day gather_day(const PGresult *res, int row, int column)
{
	return PQgetisnull(res, row, column) ? DAY_NONE : (day)gather_int(res, row, column);
}

static const struct statement GATHER_PERIODS = {
        .name = "gather_periods",
        .sql = "select w.i, d.period_id, d.provider_id, d.facts_version, d.stage, d.start_day - date '1970-01-01',"
               " w.as_of, array_to_string(d.policies, ' '), p.region, p.industry, p.main_category,"
               " (select day from watermark) - date '1970-01-01', assay_today() - date '1970-01-01',"
               " store_day_kept_from() - date '1970-01-01'"
               " from unnest($1::integer[], $2::text[], $3::integer[]) w(i, period_id, as_of)"
               " join period d on d.period_id = w.period_id join provider p on p.provider_id = d.provider_id"
               " order by w.i",
        .params = 3,
};

/* The policies that judge a period, in its order. Versions of another length than the first cannot judge it: they are left out. */
static enum db_status read_policies(struct db *db, struct gathered_period *p, char *refs)
{
	p->input.policies = p->policies;
	char *rest = NULL;
	for (char *ref = strtok_r(refs, " ", &rest); ref && p->input.policy_count < GATHER_POLICIES_MAX; ref = strtok_r(NULL, " ", &rest)) {
		const struct policy *policy;
		enum db_status status = policy_cache_get(db, ref, &policy);
		if (status != DB_OK)
			return status;
		enum stage stage = p->input.stage;
		if (!policy)
			p->unreadable = "one of its policies is not published";
		else if (!p->input.policy_count || policy->stages[stage].months == p->policies[0]->stages[stage].months)
			p->policies[p->input.policy_count++] = policy;
	}
	if (!p->input.policy_count)
		p->unreadable = "it has no published policy";
	else
		p->end = period_end(p->input.start, p->policies[0]->stages[p->input.stage].months);
	return DB_OK;
}

static enum db_status read_period(struct db *db, struct gather_work *w, const PGresult *res, int row)
{
	struct gathered_period *p = &w->out.periods[w->out.count++];
	struct evaluation_input *in = &p->input;
	p->period_id = arena_text(&w->arena, PQgetvalue(res, row, 1));
	p->provider_id = arena_text(&w->arena, PQgetvalue(res, row, 2));
	p->facts_version = gather_int(res, row, 3);
	in->start = gather_day(res, row, 5);
	in->as_of = gather_day(res, row, 6);
	p->end = in->as_of; /* until the policies say */
	w->watermark = gather_day(res, row, 11);
	p->origin = (struct document_origin){.decided_on = gather_day(res, row, 12), .watermark = w->watermark};
	day kept_from = gather_day(res, row, 13);
	if (kept_from != DAY_NONE && in->start < kept_from)
		p->unreadable = "figures of its days were put away"; /* what is missing must not count as nothing */
	in->provider_industry = arena_text(&w->arena, PQgetvalue(res, row, 9));
	in->provider_main_category = arena_text(&w->arena, PQgetvalue(res, row, 10));
	if (!stage_by_name(PQgetvalue(res, row, 4), &in->stage) || !region_parse(PQgetvalue(res, row, 8), &in->provider_region))
		p->unreadable = "its stage or region is none";
	char *refs = arena_text(&w->arena, PQgetvalue(res, row, 7));
	return w->arena.failed ? DB_FAILED : read_policies(db, p, refs);
}

static enum db_status read_periods(struct db *db, struct gather_work *w, const struct gather_want *wants, size_t count)
{
	struct array_param index = array_param(), ids = array_param(), days = array_param();
	for (size_t i = 0; i < count; i++) {
		array_int(&index, (int64_t)i);
		array_text(&ids, wants[i].period_id);
		array_int(&days, wants[i].as_of);
	}
	const char *const params[] = {array_done(&index), array_done(&ids), array_done(&days)};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &GATHER_PERIODS, params, &res);
	array_free(&index);
	array_free(&ids);
	array_free(&days);
	int rows = status == DB_OK ? PQntuples(res) : 0;
	w->out.periods = arena_take(&w->arena, (size_t)rows, sizeof *w->out.periods);
	if (!w->out.periods && status == DB_OK)
		status = DB_FAILED;
	for (int row = 0; status == DB_OK && row < rows; row++)
		status = read_period(db, w, res, row);
	PQclear(res);
	return status;
}

/* Everything here is read by key, whatever the statistics make of the arrays: one plan for all, and nothing compiled. */
#define PLANS_BY_KEY "set local plan_cache_mode = force_generic_plan; set local jit = off"

enum db_status gather(struct db *db, const struct gather_want *wants, size_t count, struct gathered **out)
{
	assert(count <= GATHER_PERIODS_MAX);
	*out = NULL;
	struct gather_work *w = calloc(1, sizeof *w);
	if (!w)
		return DB_FAILED;
	w->arena = ARENA_INIT(GATHER_BYTES_MAX);
	w->every_store = count && wants[0].every_store;
	w->origins.wanted = count && wants[0].imports;
	enum db_status status = db_exec(db, PLANS_BY_KEY);
	if (status == DB_OK)
		status = read_periods(db, w, wants, count);
	if (status == DB_OK)
		status = gather_bindings(db, w);
	if (status == DB_OK)
		status = gather_attributes(db, w);
	if (status == DB_OK)
		status = gather_months(db, w);
	if (status == DB_OK)
		status = gather_days(db, w);
	if (status == DB_OK)
		status = gather_exam_passes(db, w);
	if (status == DB_OK && w->origins.wanted)
		status = gather_imports(db, w);
	origins_free(&w->origins);
	if (status == DB_OK)
		*out = &w->out;
	else
		gathered_free(&w->out);
	return status;
}

void gathered_free(struct gathered *g)
{
	struct gather_work *w = (struct gather_work *)g; /* its first member */
	if (!w)
		return;
	arena_free(&w->arena);
	free(w);
}
