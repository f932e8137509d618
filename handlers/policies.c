/* Policies, drafts and published versions: list, read, compare, and what is to be said of one before it is published. Drafts are the
 * back office's: for a partner there are none. */
#include "model/store/policies.h"

#include "base/json_write.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/policy_documents.h"
#include "model/rules/policy_compare.h"
#include "model/rules/policy_warnings.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 4 * 1024 * 1024 };

static bool may_see(const struct request *rq, const char *status)
{
	return strcmp(status, "published") == 0 || request_caller(rq)->role != ROLE_PARTNER;
}

void handle_policy_list(struct request *rq)
{
	static const char *const statuses[] = {"draft", "published", NULL};
	const char *industry = request_query(rq, "industry"), *policy_id = request_query(rq, "policy_id"), *status = NULL;
	FAULTS_HERE(f);
	check_word(industry, "industry", &f);
	if (policy_id && !policy_id_valid(policy_id))
		faults_add(&f, "policy_id", CODE_WRONG_FORMAT, "[a-z0-9][a-z0-9-]{0,63}", NULL);
	(void)request_query_word(rq, "status", statuses, &status, &f);
	if (request_caller(rq)->role == ROLE_PARTNER)
		status = status && strcmp(status, "draft") == 0 ? "" : "published";
	const char *filters[] = {industry, status, policy_id};
	list_of_all(rq, &POLICY_LIST, filters, COUNT_OF(filters), &f);
}

static void policy_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0 || !may_see(rq, rows_text(rows, 0, 3))) {
		reply_not_found(rq);
		return;
	}
	const char *document = rows_text(rows, 0, 1);
	reply_header(rq, "Policy-Status", rows_text(rows, 0, 3));
	reply_etag(rq, rows_text(rows, 0, 2));
	reply_json_text(rq, 200, document, strlen(document));
}

void handle_policy_get(struct request *rq)
{
	request_read_key(rq, &POLICY_BY_REF, policy_ref_in_path(rq), policy_reply);
}

/* ---- compare ---- */

struct comparison {
	const char *refs[2]; /* the one in the path, and what it is compared with */
};

static void write_comparison(struct buf *out, const struct request *rq, const struct policy *from, const struct policy *to)
{
	struct json_writer w = json_writer_on(out);
	struct buf differences = BUF_INIT(ANSWER_MAX);
	size_t n = policy_compare(&differences, from, to, request_lang(rq));
	jw_object(&w);
	jw_kstring(&w, "policy", to->ref);
	jw_kstring(&w, "with", from->ref);
	jw_kbool(&w, "example", from->example || to->example);
	jw_kbool(&w, "same", n == 0);
	jw_key(&w, "differences");
	jw_raw(&w, differences.data, differences.len);
	jw_object_end(&w);
	out->failed = out->failed || differences.failed;
	buf_free(&differences);
}

static void compare(struct request *rq, const char *this, const char *other)
{
	FAULTS_HERE(f);
	struct buf out = BUF_INIT(ANSWER_MAX);
	struct policy *to = policy_parse(this, &f), *from = policy_parse(other, &f);
	if (from && to) {
		write_comparison(&out, rq, from, to);
		reply_json(rq, 200, &out);
	} else {
		reply_problem(rq, CODE_INTERNAL, NULL, 0); /* what is kept was checked before it was */
	}
	policy_free(from);
	policy_free(to);
}

static void pair_found(struct request *rq, const struct rows *rows)
{
	const struct comparison *c = request_state(rq);
	const char *other = rows->count ? rows_text(rows, 0, 2) : NULL;
	if (rows->count == 0 || !may_see(rq, rows_text(rows, 0, 1))) {
		reply_not_found(rq);
	} else if (!other || !may_see(rq, rows_text(rows, 0, 3))) {
		FAULTS_HERE(f);
		faults_add(&f, "with", CODE_UNKNOWN_ID, c->refs[1], NULL);
		reply_faults(rq, &f);
	} else {
		compare(rq, rows_text(rows, 0, 0), other);
	}
}

void handle_policy_compare(struct request *rq)
{
	const char *with = request_query(rq, "with");
	struct comparison *c = request_alloc(rq, sizeof *c);
	FAULTS_HERE(f);
	if (!with)
		faults_add(&f, "with", CODE_MISSING, NULL);
	else if (!policy_version_valid(with) && !policy_ref_valid(with))
		faults_add(&f, "with", CODE_WRONG_FORMAT, "version | id@version", NULL);
	if (!with || faults_any(&f)) {
		reply_faults(rq, &f);
		return;
	}
	c->refs[0] = policy_ref_in_path(rq);
	c->refs[1] = strchr(with, '@') ? with : request_printf(rq, "%s@%s", request_param(rq, "id"), with);
	request_set_state(rq, c);
	request_read(rq, &POLICY_PAIR, c->refs, pair_found);
}

/* ---- before it is published ---- */

static void write_prospect(struct buf *out, struct request *rq, const char *status, const struct faults *errors,
                           const struct faults *warnings)
{
	struct json_writer w = json_writer_on(out);
	jw_object(&w);
	jw_kstring(&w, "policy", policy_ref_in_path(rq));
	jw_kstring(&w, "status", status);
	jw_kbool(&w, "publishable", strcmp(status, "draft") == 0 && !faults_any(errors));
	jw_key(&w, "errors");
	jw_raw(&w, "", 0); /* what follows writes itself */
	faults_json(out, errors, request_lang(rq));
	jw_key(&w, "warnings");
	jw_raw(&w, "", 0);
	faults_json(out, warnings, request_lang(rq));
	jw_object_end(&w);
}

static void prospect_found(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *status = rows_text(rows, 0, 1), *taken_by = rows_text(rows, 0, 2), *earlier = rows_text(rows, 0, 4);
	FAULTS_HERE(errors);
	FAULTS_HERE(warnings);
	FAULTS_HERE(of_earlier);
	struct buf out = BUF_INIT(ANSWER_MAX);
	struct policy *p = policy_parse(rows_text(rows, 0, 0), &errors);
	struct policy *before = earlier ? policy_parse(earlier, &of_earlier) : NULL;
	if (p)
		policy_warnings(p, before, (day)rows_int(rows, 0, 3), &warnings);
	if (taken_by && strcmp(status, "draft") == 0)
		faults_add(&errors, "/effective_from", CODE_GIVEN_TWICE, taken_by, NULL);
	write_prospect(&out, rq, status, &errors, &warnings);
	reply_json(rq, 200, &out);
	policy_free(p);
	policy_free(before);
}

void handle_policy_validate(struct request *rq)
{
	const char *const params[] = {policy_ref_in_path(rq)};
	request_read(rq, &POLICY_PROSPECT, params, prospect_found);
}
