/* POST /v1/providers/{id}/what-if: a period's evaluation as it is, and as it would be with some facts or some of the policy changed
 * inline. Nothing of it is stored. */
#include "model/rules/what_if.h"

#include "base/json_write.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/keyed.h"
#include "handlers/policy_documents.h"
#include "model/store/gather.h"
#include "model/store/periods.h"
#include "model/store/policy_cache.h"
#include "model/store/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STORES_MAX = 1000, PASSES_MAX = 1000 };

struct what_if_request {
	const char *period_id;
	bool has_as_of;
	int32_t as_of;
	json_t *stores, *exam_passes;
	struct tried_policy tried;

	/* in hand while it is worked on */
	struct keyed *k;
	PGresult *period;
	struct policy *policy; /* that is tried; NULL: the period's own judge */
	struct gathered *g;
};

enum { PERIOD, STATUS_OF_PROVIDER, START, AS_OF, NEWEST_POLICY, STAGE };

static bool tries_a_policy(const struct what_if_request *r)
{
	return r->tried.changes || r->tried.policy;
}

static day day_at(const struct what_if_request *r, int column)
{
	return (day)strtol(PQgetvalue(r->period, 0, column), NULL, 10);
}

/* ---- what it is about. Each: false, the reply is staged ---- */

static bool find_period(struct what_if_request *r)
{
	struct request *rq = r->k->rq;
	const char *const params[] = {request_param(rq, "id"), r->period_id};
	if (!work_ok(rq, r->k->db, db_run(r->k->db, &PERIOD_TO_TRY, params, &r->period)))
		return false;
	FAULTS_HERE(f);
	if (PQntuples(r->period) == 0) {
		reply_not_found(rq);
		return false;
	}
	if (PQgetisnull(r->period, 0, PERIOD) && !r->period_id) {
		reply_problem(
		        rq, CODE_WRONG_STATE,
		        (const char *const[]){"provider", PQgetvalue(r->period, 0, STATUS_OF_PROVIDER), "trial, certified"}, 3);
		return false;
	}
	char start[DAY_TEXT], as_of[DAY_TEXT];
	if (PQgetisnull(r->period, 0, PERIOD))
		faults_add(&f, "/period_id", CODE_UNKNOWN_ID, r->period_id, NULL);
	else if (r->has_as_of && r->as_of < day_at(r, START))
		faults_add(&f, "/as_of", CODE_MUST_BE_BEFORE, day_text(day_at(r, START), start), day_text(r->as_of, as_of),
		           NULL);
	if (faults_any(&f))
		reply_faults(rq, &f);
	return !faults_any(&f);
}

/* A period has one length: a policy of another cannot judge it. */
static void check_months(const struct what_if_request *r, const struct policy *own, struct faults *f)
{
	enum stage stage = STAGE_TRIAL;
	char mine[16], theirs[16];
	(void)!stage_by_name(PQgetvalue(r->period, 0, STAGE), &stage);
	if (r->policy->stages[stage].months == own->stages[stage].months)
		return;
	snprintf(mine, sizeof mine, "%" PRId32, r->policy->stages[stage].months);
	snprintf(theirs, sizeof theirs, "%" PRId32, own->stages[stage].months);
	faults_add(f, r->tried.policy ? "/policy" : "/changes", CODE_MONTHS_DIFFER, mine, theirs, NULL);
}

static bool find_policy(struct what_if_request *r)
{
	struct request *rq = r->k->rq;
	const struct policy *own = NULL;
	if (!tries_a_policy(r))
		return true;
	if (!work_ok(rq, r->k->db, policy_cache_get(r->k->db, PQgetvalue(r->period, 0, NEWEST_POLICY), &own)))
		return false;
	FAULTS_HERE(f);
	r->policy = own ? tried_policy_read(&r->tried, own, &f) : NULL;
	if (r->policy)
		check_months(r, own, &f);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else if (!r->policy)
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	return r->policy && !faults_any(&f);
}

static enum db_status gather_body(struct db *db, void *arg)
{
	struct what_if_request *r = arg;
	const struct gather_want want = {.period_id = PQgetvalue(r->period, 0, PERIOD),
	                                 .as_of = r->has_as_of ? r->as_of : day_at(r, AS_OF),
	                                 .by_days = true,
	                                 .tried = r->policy};
	gathered_free(r->g);
	return gather(db, &want, 1, &r->g);
}

static bool find_facts(struct what_if_request *r)
{
	if (!work_ok(r->k->rq, r->k->db, db_transaction(r->k->db, "repeatable read", gather_body, r)))
		return false;
	bool readable = r->g->count == 1 && !r->g->periods[0].unreadable;
	if (!readable)
		reply_problem(r->k->rq, CODE_CONFLICT, NULL, 0); /* gone meanwhile, or the log says why */
	return readable;
}

/* ---- the answer ---- */

static const struct policy_result *newest(const struct evaluation *e)
{
	return &e->policies[e->policy_count - 1];
}

static void write_count(struct json_writer *w, const char *measure, int64_t from, int64_t to)
{
	if (from == to)
		return;
	jw_object(w);
	jw_kstring(w, "measure", measure);
	jw_kint(w, "from", from);
	jw_kint(w, "to", to);
	jw_object_end(w);
}

static void write_measures(struct json_writer *w, const struct measures *is, const struct measures *would)
{
	jw_key(w, "measures");
	jw_array(w);
	write_count(w, "new_stores", is->new_stores, would->new_stores);
	write_count(w, "new_store_gmv_fen", is->new_store_gmv_fen, would->new_store_gmv_fen);
	for (int32_t k = 0; k < is->months; k++) {
		char name[32];
		snprintf(name, sizeof name, "monthly_orders/%" PRId32, k);
		write_count(w, name, is->monthly_orders[k], would->monthly_orders[k]);
	}
	write_count(w, "exam_passes", is->exam_passes, would->exam_passes);
	jw_array_end(w);
}

static void write_verdict(struct json_writer *w, const char *key, const struct store_verdict *v)
{
	jw_key(w, key);
	if (!v) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kbool(w, "counted", v->reason == REASON_NONE);
	jw_kstring(w, "reason", store_reason_name(v->reason));
	jw_kint(w, "gmv_fen", v->gmv_fen);
	jw_object_end(w);
}

static int by_id(const void *key, const void *store)
{
	return strcmp(key, ((const struct evaluation_store *)store)->store_id);
}

/* The stores that count otherwise, or add another amount. */
static void write_stores(struct json_writer *w, const struct evaluation_input *in, const struct evaluation *is,
                         const struct evaluation_input *in_would, const struct evaluation *would)
{
	jw_key(w, "stores");
	jw_array(w);
	for (size_t i = 0; i < in_would->store_count; i++) {
		const char *id = in_would->stores[i].store_id;
		const struct evaluation_store *known = in->store_count
		                                               ? bsearch(id, in->stores, in->store_count, sizeof *known, by_id)
		                                               : NULL; /* gathered in this order */
		const struct store_verdict *was = known ? &newest(is)->stores[known - in->stores] : NULL,
		                           *v = &newest(would)->stores[i];
		if (was && was->reason == v->reason && was->gmv_fen == v->gmv_fen)
			continue;
		jw_object(w);
		jw_kstring(w, "store_id", id);
		write_verdict(w, "from", was);
		write_verdict(w, "to", v);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_evaluation(struct json_writer *w, const char *key, const struct evaluation_input *in,
                             const struct evaluation *e)
{
	jw_key(w, key);
	jw_raw(w, "", 0); /* it writes itself */
	evaluation_json(w->out, in, e, EVALUATION_WITHOUT_STORES);
}

static void write_answer(struct buf *out, const struct what_if_request *r, const struct evaluation_input *in,
                         const struct evaluation *is, const struct evaluation_input *in_would, const struct evaluation *would)
{
	struct json_writer w = json_writer_on(out);
	jw_object(&w);
	jw_kstring(&w, "provider_id", r->g->periods[0].provider_id);
	jw_kstring(&w, "period_id", r->g->periods[0].period_id);
	write_evaluation(&w, "as_is", in, is);
	write_evaluation(&w, "as_would_be", in_would, would);
	jw_key(&w, "changed");
	jw_object(&w);
	jw_kbool(&w, "outcome", is->met != would->met);
	write_measures(&w, &newest(is)->measures, &newest(would)->measures);
	write_stores(&w, in, is, in_would, would);
	jw_object_end(&w);
	jw_object_end(&w);
}

static void answer(struct what_if_request *r, const struct evaluation_input *in, const struct evaluation_input *in_would)
{
	FAULTS_HERE(f);
	struct evaluation is, would;
	struct buf out = BUF_INIT(VERDICT_BYTES_MAX);
	if (evaluation_run(in, &is, &f)) {
		if (evaluation_run(in_would, &would, &f)) {
			write_answer(&out, r, in, &is, in_would, &would);
			evaluation_free(&would);
			keyed_answer(r->k, 200, &out, NULL);
			evaluation_free(&is);
			return;
		}
		evaluation_free(&is);
	}
	if (faults_any(&f))
		reply_faults(r->k->rq, &f);
	else
		reply_problem(r->k->rq, CODE_OVERLOADED, NULL, 0);
}

static void compare(struct what_if_request *r)
{
	FAULTS_HERE(f);
	struct evaluation_input in = r->g->periods[0].input;
	in.policy_count -= r->policy ? 1 : 0; /* the last one is the one that is tried */
	const struct what_if_changes changes = {.stores = r->stores, .exam_passes = r->exam_passes, .policy = r->policy};
	struct what_if *w = what_if_read(&in, &changes, &f);
	if (w)
		answer(r, &in, what_if_input(w));
	else if (faults_any(&f))
		reply_faults(r->k->rq, &f);
	else
		reply_problem(r->k->rq, CODE_OVERLOADED, NULL, 0);
	what_if_free(w);
}

static void work(struct worker *w, struct request *rq)
{
	struct what_if_request *r = request_state(rq);
	struct keyed k;
	if (!keyed_begin(&k, w, rq))
		return;
	r->k = &k;
	if (find_period(r) && find_policy(r) && find_facts(r))
		compare(r);
	gathered_free(r->g);
	policy_free(r->policy);
	PQclear(r->period);
	keyed_end(&k);
}

void handle_what_if(struct request *rq)
{
	struct what_if_request *r = request_alloc(rq, sizeof *r);
	const struct field fields[] = {
	        {.name = "period_id", .kind = FIELD_STRING, .out = &r->period_id, .min = 1, .max = 64},
	        {.name = "as_of", .kind = FIELD_DAY, .out = &r->as_of, .present = &r->has_as_of},
	        {.name = "stores", .kind = FIELD_ARRAY, .out = &r->stores, .min = 0, .max = STORES_MAX},
	        {.name = "exam_passes", .kind = FIELD_ARRAY, .out = &r->exam_passes, .min = 0, .max = PASSES_MAX},
	        TRIED_POLICY_FIELDS(&r->tried),
	};
	FAULTS_HERE(f);
	request_set_state(rq, r);
	if (!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f))
		reply_faults(rq, &f);
	else if (!request_may_see(rq, request_param(rq, "id")))
		reply_not_found(rq);
	else
		request_work(rq, work);
}
