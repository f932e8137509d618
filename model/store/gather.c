#include "model/store/gather.h"

#include "model/store/array_param.h"
#include "model/store/gather_internal.h"
#include "model/store/policy_cache.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* A big-endian integer of 4 or 8 bytes. */
int64_t gather_int(const PGresult *res, int row, int column)
{
	const char *value = PQgetvalue(res, row, column);
	if (PQgetlength(res, row, column) == (int)sizeof(int32_t)) {
		uint32_t net;
		memcpy(&net, value, sizeof net);
		return (int32_t)be32toh(net);
	}
	uint64_t net;
	assert(PQgetlength(res, row, column) == (int)sizeof net);
	memcpy(&net, value, sizeof net);
	return (int64_t)be64toh(net);
}

bool gather_bool(const PGresult *res, int row, int column)
{
	return *PQgetvalue(res, row, column) != 0;
}

day gather_day(const PGresult *res, int row, int column)
{
	return PQgetisnull(res, row, column) ? DAY_NONE : (day)gather_int(res, row, column);
}

struct gather_spans gather_spans(void)
{
	return (struct gather_spans){array_param(), array_param(), array_param(), array_param()};
}

void gather_spans_add(struct gather_spans *s, size_t k, const char *id, day first, day last)
{
	array_int(&s->index, (int64_t)k);
	array_text(&s->ids, id);
	array_int(&s->first, first);
	array_int(&s->last, last);
}

void gather_spans_free(struct gather_spans *s)
{
	array_free(&s->index);
	array_free(&s->ids);
	array_free(&s->first);
	array_free(&s->last);
}

void gather_spans_params(struct gather_spans *s, const char *params[GATHER_SPANS_PARAMS])
{
	params[0] = array_done(&s->index);
	params[1] = array_done(&s->ids);
	params[2] = array_done(&s->first);
	params[3] = array_done(&s->last);
}

static const struct statement GATHER_PERIODS = {
        .name = "gather_periods",
        .sql = "select w.i, d.period_id, d.provider_id, d.facts_version, d.stage, d.start_day - date '1970-01-01',"
               " w.as_of, array_to_string(d.policies, ' '), p.region, p.industry, p.main_category,"
               " (select day from watermark) - date '1970-01-01', (select assay_today()) - date '1970-01-01',"
               " (select store_day_kept_from()) - date '1970-01-01'"
               " from unnest($1::integer[], $2::text[], $3::integer[]) w(i, period_id, as_of)"
               " join period d on d.period_id = w.period_id join provider p on p.provider_id = d.provider_id"
               " order by w.i",
        .params = 3,
        .binary = true,
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

static void add_tried(struct gathered_period *p, const struct policy *tried)
{
	enum stage stage = p->input.stage;
	if (!p->input.policy_count || tried->stages[stage].months != p->policies[0]->stages[stage].months) {
		p->input.policy_count = 0;
		p->end = period_end(p->input.start, tried->stages[stage].months);
	}
	p->policies[p->input.policy_count++] = tried;
}

static enum db_status read_period(struct db *db, struct gather_work *w, const PGresult *res, int row, const struct gather_want *wants)
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
	enum db_status status = w->arena.failed ? DB_FAILED : read_policies(db, p, refs);
	const struct policy *tried = wants[gather_int(res, row, 0)].tried;
	if (status == DB_OK && tried)
		add_tried(p, tried);
	return status;
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
		status = read_period(db, w, res, row, wants);
	PQclear(res);
	return status;
}

/* ---- the stores ---- */

/* What does not need each other's results, so that one is worked on while another is read. */
static const struct {
	const struct statement *st;
	void (*want)(const struct gather_work *w, struct gather_spans *s);
	void (*read)(struct gather_work *w, const PGresult *res);
} OF_STORES[] = {
        {&GATHER_MONTHS, gather_want_months, gather_read_months},
        {&GATHER_ATTRIBUTES, gather_want_attributes, gather_read_attributes},
        {&GATHER_EXAM_PASSES, gather_want_exam_passes, gather_read_exam_passes},
};
enum { OF_STORES_LEN = sizeof OF_STORES / sizeof *OF_STORES };

static enum db_status ask_of_stores(struct db *db, const struct gather_work *w)
{
	struct gather_spans spans[OF_STORES_LEN];
	const char *params[OF_STORES_LEN][GATHER_SPANS_PARAMS];
	struct db_call calls[OF_STORES_LEN];
	for (size_t i = 0; i < OF_STORES_LEN; i++) {
		spans[i] = gather_spans();
		OF_STORES[i].want(w, &spans[i]);
		gather_spans_params(&spans[i], params[i]);
		calls[i] = (struct db_call){OF_STORES[i].st, params[i]};
	}
	enum db_status status = db_send(db, calls, OF_STORES_LEN);
	for (size_t i = 0; i < OF_STORES_LEN; i++)
		gather_spans_free(&spans[i]);
	return status;
}

static enum db_status gather_of_stores(struct db *db, struct gather_work *w)
{
	enum db_status status = ask_of_stores(db, w);
	if (status != DB_OK)
		return status;
	for (size_t i = 0; status == DB_OK && i < OF_STORES_LEN; i++) {
		PGresult *res = NULL;
		status = db_next(db, &res);
		if (status == DB_OK)
			OF_STORES[i].read(w, res);
		PQclear(res);
	}
	db_sent_end(db);
	return status == DB_OK && w->arena.failed ? DB_FAILED : status;
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
	w->by_days = count && wants[0].by_days;
	enum db_status status = db_exec(db, PLANS_BY_KEY);
	if (status == DB_OK)
		status = read_periods(db, w, wants, count);
	if (status == DB_OK)
		status = gather_bindings(db, w);
	if (status == DB_OK)
		status = gather_of_stores(db, w);
	if (status == DB_OK)
		status = gather_days(db, w);
	if (status == DB_OK && w->origins.wanted)
		status = gather_imports(db, w);
	wanted_days_free(w->wanted);
	w->wanted = NULL;
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
