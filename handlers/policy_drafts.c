/* A policy's way to being published: drafted, replaced, deleted, published. Each check of the rules' own (model/rules/policy.c) is made
 * here, and what is kept is the canonical form. */
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/policy_documents.h"
#include "model/store/policies.h"

#include <string.h>

/* The policy in the body; NULL: the reply is staged. */
static struct policy *policy_in_body(struct request *rq, struct faults *f)
{
	struct policy *p = policy_read(request_body(rq), "", f);
	if (!p && !faults_any(f))
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	else if (faults_any(f))
		reply_faults(rq, f);
	else
		return p;
	policy_free(p);
	return NULL;
}

/* Writes the policy with what else the operation takes. Takes `more`, which may be NULL. */
static void write(struct request *rq, const char *op, const struct policy *p, json_t *more)
{
	json_t *args = policy_args(p);
	if (args && (!more || json_object_update(args, more) == 0))
		request_write(rq, op, json_incref(args));
	else
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	json_decref(args);
	json_decref(more);
}

void handle_policy_draft(struct request *rq)
{
	FAULTS_HERE(f);
	struct policy *p = policy_in_body(rq, &f);
	if (p)
		write(rq, "policy_draft", p, NULL);
	policy_free(p);
}

static json_t *name_in_path(const struct request *rq, json_t *if_match /* taken */)
{
	return json_pack("{s:s, s:s, s:o}", "policy_id", request_param(rq, "id"), "version", request_param(rq, "version"),
	                 "if_match", if_match);
}

/* A draft keeps its name: to rename one is to draft another. */
static void check_name(const struct request *rq, const char *member, const char *param, struct faults *f)
{
	const char *given = json_string_value(json_object_get(request_body(rq), member));
	const char *pointer[] = {"/policy_id", "/version"};
	if (given && strcmp(given, request_param(rq, param)) != 0)
		faults_add(f, pointer[strcmp(param, "version") == 0], CODE_INVALID_VALUE, given, request_param(rq, param),
		           NULL);
}

void handle_policy_replace(struct request *rq)
{
	FAULTS_HERE(f);
	json_t *if_match;
	if (!if_match_required(rq, &if_match, &f))
		return;
	check_name(rq, "policy_id", "id", &f);
	check_name(rq, "version", "version", &f);
	struct policy *p = policy_in_body(rq, &f);
	if (p)
		write(rq, "policy_replace", p, name_in_path(rq, json_incref(if_match)));
	json_decref(if_match);
	policy_free(p);
}

void handle_policy_delete(struct request *rq)
{
	FAULTS_HERE(f);
	json_t *if_match = if_match_read(rq, &f);
	if (if_match)
		request_write(rq, "policy_delete", name_in_path(rq, if_match));
	else
		reply_faults(rq, &f);
}

/* ---- publish ---- */

struct publication {
	bool has_day;
	int32_t effective_from;
	json_t *if_match;
};

static void drop(void *json)
{
	json_decref(json);
}

/* Publishes the draft as it was just read; when it is another one meanwhile, all of this is done again. */
static void publish_found(struct request *rq, const struct rows *rows)
{
	const struct publication *wanted = request_state(rq);
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	FAULTS_HERE(f);
	struct policy *p = policy_parse(rows_text(rows, 0, 1), &f);
	if (!p) {
		reply_faults(
		        rq, &f); /* it was drafted under an earlier version of the service, which took what this one does not */
		return;
	}
	if (wanted->has_day)
		p->effective_from = wanted->effective_from;
	json_t *more = name_in_path(rq, json_incref(wanted->if_match));
	json_object_set_new(more, "draft_sha256", json_string(rows_text(rows, 0, 4)));
	write(rq, "policy_publish", p, more);
	policy_free(p);
}

void handle_policy_publish(struct request *rq)
{
	struct publication *wanted = request_alloc(rq, sizeof *wanted);
	const struct field fields[] = {
	        {.name = "effective_from", .kind = FIELD_DAY, .out = &wanted->effective_from, .present = &wanted->has_day}};
	FAULTS_HERE(f);
	(void)!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f);
	wanted->if_match = if_match_read(rq, &f);
	request_on_end(rq, drop, wanted->if_match);
	request_set_state(rq, wanted);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else
		request_read_key(rq, &POLICY_BY_REF, policy_ref_in_path(rq), publish_found);
}
