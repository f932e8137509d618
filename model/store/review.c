#include "model/store/review.h"

#include "base/json_read.h"
#include "base/json_write.h"
#include "model/rules/document.h"
#include "model/store/array_param.h"
#include "server/log.h"

#include <assert.h>
#include <string.h>

static const struct statement DECISIONS_TO_REVIEW = {
        .name = "decisions_to_review",
        .sql = "select x.i, d.decision_id, d.period_id, d.outcome, coalesce(d.evidence, d.document) from unnest($1::text[]) "
               "with ordinality x(id, i)"
               " join decision d on d.decision_id = x.id order by x.i",
        .params = 1,
};

/* A decision, what it was made on, and the same period as gathered now. */
struct second_look {
	struct reviewed *out;
	const char *decision_id;
	struct evaluation_request *made_on; /* NULL: unreadable */
	struct gathered_period *now;
};

/* ---- what it was made on ---- */

/* A document has its request inside; of a decision made before documents stood alone it is kept beside. */
static struct evaluation_request *read_request(const char *text, size_t len)
{
	struct faults faults = {0};
	json_t *json = NULL;
	struct evaluation_request *request = NULL;
	if (json_read(text, len, JSON_DEPTH_MAX, &json, &faults) == JSON_OK)
		request = evaluation_request_read(document_is(json) ? json_object_get(json, "request") : json, NULL, &faults);
	json_decref(json);
	faults_free(&faults);
	return request;
}

/* The facts are today's; for what, as of when and by which policies they are judged is the decision's. */
static void judge_as_then(struct second_look *look)
{
	struct evaluation_input *now = &look->now->input;
	const struct evaluation_input *then = evaluation_request_input(look->made_on);
	look->out->scope_changed = now->provider_region != then->provider_region ||
	                           strcmp(now->provider_industry, then->provider_industry) != 0 ||
	                           strcmp(now->provider_main_category, then->provider_main_category) != 0;
	now->policies = then->policies;
	now->policy_count = then->policy_count;
	now->provider_region = then->provider_region;
	now->provider_industry = then->provider_industry;
	now->provider_main_category = then->provider_main_category;
}

/* ---- what is another ---- */

static void put_change(struct json_writer *w, const struct policy *policy, const char *measure, int64_t before, int64_t after)
{
	if (before == after)
		return;
	jw_object(w);
	jw_kstring(w, "policy", policy->ref);
	jw_kstring(w, "measure", measure);
	jw_kint(w, "before", before);
	jw_kint(w, "after", after);
	jw_object_end(w);
}

static void put_months(struct json_writer *w, const char *key, const struct measures *m)
{
	jw_key(w, key);
	jw_array(w);
	for (int32_t k = 0; k < m->months; k++)
		jw_int(w, m->monthly_orders[k]);
	jw_array_end(w);
}

static void put_orders(struct json_writer *w, const struct policy *policy, const struct measures *before,
                       const struct measures *after)
{
	if (memcmp(before->monthly_orders, after->monthly_orders, (size_t)before->months * sizeof before->monthly_orders[0]) ==
	    0)
		return;
	jw_object(w);
	jw_kstring(w, "policy", policy->ref);
	jw_kstring(w, "measure", "monthly_orders");
	put_months(w, "before", before);
	put_months(w, "after", after);
	jw_object_end(w);
}

/* Of the same policies, one by one. */
static void put_changes(struct buf *out, const struct evaluation *then, const struct evaluation *now)
{
	struct json_writer w = json_writer_on(out);
	jw_array(&w);
	for (size_t i = 0; i < then->policy_count; i++) {
		const struct policy *policy = then->policies[i].policy;
		const struct measures *before = &then->policies[i].measures, *after = &now->policies[i].measures;
		put_change(&w, policy, "new_stores", before->new_stores, after->new_stores);
		put_change(&w, policy, "new_store_gmv_fen", before->new_store_gmv_fen, after->new_store_gmv_fen);
		put_orders(&w, policy, before, after);
		put_change(&w, policy, "exam_passes", before->exam_passes, after->exam_passes);
	}
	jw_array_end(&w);
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Both evaluated by the same evaluator, this one: what it would say otherwise than an older one is no correction. */
static bool compare(struct second_look *look, const struct evaluation *then, const struct evaluation *now)
{
	struct buf before = BUF_INIT(VERDICT_BYTES_MAX), after = BUF_INIT(VERDICT_BYTES_MAX);
	evaluation_json(&before, evaluation_request_input(look->made_on), then, EVALUATION_WHOLE);
	evaluation_json(&after, &look->now->input, now, EVALUATION_WHOLE);
	put_changes(&look->out->changes, then, now);
	bool ok = !before.failed && !after.failed && !look->out->changes.failed;
	if (ok) {
		look->out->differs = !same_bytes(&before, &after);
		look->out->was_met = then->met;
		look->out->met = now->met;
		sha256_hex(after.data, after.len, look->out->evaluation_sha256);
	}
	buf_free(&before);
	buf_free(&after);
	return ok;
}

static bool evaluate_both(struct second_look *look)
{
	struct evaluation then, now;
	if (evaluate(evaluation_request_input(look->made_on), &then) != EVALUATION_OK)
		return false;
	bool ok = evaluate(&look->now->input, &now) == EVALUATION_OK;
	if (ok) {
		ok = compare(look, &then, &now);
		evaluation_free(&now);
	}
	evaluation_free(&then);
	return ok;
}

static void look_again(struct second_look *look, bool with_verdict)
{
	look->out->decided_on = look->now->origin.decided_on;
	judge_as_then(look);
	look->out->readable = !look->now->unreadable && evaluate_both(look);
	if (look->out->readable && with_verdict)
		look->out->readable = verdict_of(look->now, VERDICT_DECISION, &look->out->verdict);
	if (!look->out->readable)
		log_line(LOG_ERROR, "a decision cannot be evaluated on today's facts", "decision_id", look->decision_id, "why",
		         look->now->unreadable ? look->now->unreadable : "its facts, or what it was made on", NULL);
}

/* ---- all of them ---- */

static size_t read_decisions(const PGresult *res, bool with_verdict, struct reviewed *out, struct second_look *looks,
                             struct gather_want *wants)
{
	size_t n = 0;
	for (int row = 0; row < PQntuples(res); row++) {
		struct second_look look = {.out = &out[strtol(PQgetvalue(res, row, 0), NULL, 10) - 1],
		                           .decision_id = PQgetvalue(res, row, 1)};
		look.made_on = read_request(PQgetvalue(res, row, 4), (size_t)PQgetlength(res, row, 4));
		if (!look.made_on) {
			log_line(LOG_ERROR, "a decision cannot be read", "decision_id", look.decision_id, NULL);
			continue;
		}
		wants[n] = (struct gather_want){.period_id = PQgetvalue(res, row, 2),
		                                .as_of = evaluation_request_input(look.made_on)->as_of,
		                                .imports = with_verdict};
		looks[n++] = look;
	}
	return n;
}

static enum db_status look_at(struct db *db, const PGresult *res, bool with_verdict, struct reviewed *out)
{
	struct second_look looks[REVIEW_DECISIONS_MAX];
	struct gather_want wants[REVIEW_DECISIONS_MAX];
	struct gathered *g = NULL;
	size_t n = read_decisions(res, with_verdict, out, looks, wants);
	enum db_status status = n ? gather(db, wants, n, &g) : DB_OK;
	assert(!g || g->count == n); /* the periods of decisions that were read in the same snapshot */
	for (size_t i = 0; i < n; i++) {
		if (status == DB_OK) {
			looks[i].now = &g->periods[i];
			look_again(&looks[i], with_verdict);
		}
		evaluation_request_free(looks[i].made_on);
	}
	gathered_free(g);
	return status;
}

enum db_status review(struct db *db, const char *const *decision_ids, size_t count, bool with_verdict, struct reviewed *out)
{
	struct array_param ids = array_param();
	PGresult *res = NULL;
	assert(count <= REVIEW_DECISIONS_MAX);
	for (size_t i = 0; i < count; i++) {
		out[i] = (struct reviewed){.changes = BUF_INIT(VERDICT_BYTES_MAX)};
		array_text(&ids, decision_ids[i]);
	}
	enum db_status status = db_run(db, &DECISIONS_TO_REVIEW, (const char *const[]){array_done(&ids)}, &res);
	array_free(&ids);
	if (status == DB_OK)
		status = look_at(db, res, with_verdict, out);
	PQclear(res);
	return status;
}

void reviewed_free(struct reviewed *r)
{
	buf_free(&r->changes);
	verdict_free(&r->verdict);
}
