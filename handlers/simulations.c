/* Simulations: what a policy, or one with some of its values changed, would have made of a past span of all providers. They run in
 * the background of whichever instance finds them first (model/store/simulations.h). */
#include "model/store/simulations.h"

#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/policy_documents.h"
#include "model/rules/words.h"
#include "model/store/policies.h"

#include <string.h>

static const char *const STAGE_WORDS[] = {"trial", "regular"};

struct simulation_request {
	int32_t from, through;
	unsigned stages; /* bit 1u << enum stage */
	struct tried_policy tried;
};

/* ---- ask for one ---- */

static bool check_span(const struct simulation_request *s, bool has_from, bool has_through, struct faults *f)
{
	char from[DAY_TEXT], through[DAY_TEXT];
	if (has_from && has_through && s->from > s->through)
		faults_add(f, "/from", CODE_MUST_BE_BEFORE, day_text(s->from, from), day_text(s->through, through), NULL);
	return !faults_any(f);
}

static bool read_body(const struct request *rq, struct simulation_request *s, struct faults *f)
{
	bool has_from = false, has_through = false;
	json_t *stages = NULL;
	const struct field fields[] = {
	        {.name = "from", .kind = FIELD_DAY, .out = &s->from, .required = true, .present = &has_from},
	        {.name = "through", .kind = FIELD_DAY, .out = &s->through, .required = true, .present = &has_through},
	        {.name = "stages", .kind = FIELD_ARRAY, .out = &stages, .min = 1, .max = STAGES},
	        TRIED_POLICY_FIELDS(&s->tried),
	};
	(void)!json_fields(request_body(rq), "", fields, COUNT_OF(fields), f);
	s->stages = (1u << STAGES) - 1;
	if (stages)
		(void)!word_set_read(stages, "/stages", STAGE_WORDS, STAGES, &s->stages, f);
	return check_span(s, has_from, has_through, f);
}

static json_t *simulation_args(struct request *rq, const struct simulation_request *s, const struct policy *p)
{
	char from[DAY_TEXT], through[DAY_TEXT];
	json_t *args = policy_args(p), *stages = json_array();
	for (int i = 0; i < STAGES; i++)
		if (s->stages & 1u << i)
			json_array_append_new(stages, json_string(STAGE_WORDS[i]));
	json_t *rest =
	        json_pack("{s:s, s:s, s:s, s:o, s:O*}", "policy", policy_ref_in_path(rq), "from", day_text(s->from, from),
	                  "through", day_text(s->through, through), "stages", stages, "changes", s->tried.changes);
	if (!args || !rest || json_object_update(args, rest) != 0) {
		json_decref(args);
		args = NULL;
	}
	json_decref(rest);
	return args;
}

static void base_found(struct request *rq, const struct rows *rows)
{
	const struct simulation_request *s = request_state(rq);
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	FAULTS_HERE(f);
	struct policy *base = policy_parse(rows_text(rows, 0, 1), &f);
	struct policy *p = base ? tried_policy_read(&s->tried, base, &f) : NULL;
	json_t *args = p ? simulation_args(rq, s, p) : NULL;
	if (faults_any(&f))
		reply_faults(rq, &f);
	else if (args)
		request_write(rq, "simulation_create", json_incref(args));
	else
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	json_decref(args);
	policy_free(p);
	policy_free(base);
}

void handle_simulate(struct request *rq)
{
	struct simulation_request *s = request_alloc(rq, sizeof *s);
	FAULTS_HERE(f);
	if (!read_body(rq, s, &f)) {
		reply_faults(rq, &f);
		return;
	}
	request_set_state(rq, s);
	request_read_key(rq, &POLICY_BY_REF, policy_ref_in_path(rq), base_found);
}

/* ---- reads ---- */

static void simulation_found(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, 0);
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_simulation_get(struct request *rq)
{
	const char *const params[] = {request_param(rq, "id")};
	request_read(rq, &SIMULATION_BY_ID, params, simulation_found);
}

void handle_simulation_list(struct request *rq)
{
	static const char *const statuses[] = {"queued", "running", "done", "failed", NULL};
	const char *status = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "status", statuses, &status, &f);
	list_of_all(rq, &SIMULATION_LIST, &status, 1, &f);
}

static void results_of(struct request *rq, const struct rows *rows)
{
	const struct listing *l = request_state(rq);
	if (rows->count == 0)
		reply_not_found(rq);
	else
		request_read(rq, l->list, l->params, page_reply);
}

void handle_simulation_results(struct request *rq)
{
	static const char *const differences[] = {"would_pass", "would_fail", "not_judged", NULL};
	const char *difference = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "difference", differences, &difference, &f);
	struct listing *l = listing_below(rq, &SIMULATION_RESULT_LIST, &difference, 1, &f);
	if (l)
		request_read(rq, &SIMULATION_BY_ID, l->params, results_of);
}
