#include "model/store/decisions.h"

#include "base/json_read.h"
#include "model/rules/document.h"
#include "model/store/verdict.h"

#include <string.h>

const struct statement DECISION_BY_ID = {
        .name = "decision_by_id",
        .sql = "select provider_id, decision_body(d), decision_etag(d) from decision d where decision_id = $1",
        .params = 1,
        .slow = true, /* its document may be large */
};

const struct statement DECISION_EVIDENCE = {
        .name = "decision_evidence",
        .sql = "select provider_id, coalesce(evidence, document), case when evidence is null then sha256"
               " else encode(sha256(convert_to(evidence, 'UTF8')), 'hex') end from decision where decision_id = $1",
        .params = 1,
        .slow = true,
};

const struct statement DECISION_REPLAY = {
        .name = "decision_replay",
        .sql = "select provider_id, coalesce(evidence, document), document, sha256 from decision where decision_id = $1",
        .params = 1,
};

const struct statement DECISION_LIST = {
        .name = "decision_list",
        .sql = "select cursor, body from decision_list($1, $2::integer, null, null, $3)",
        .params = 3,
        .slow = true,
};

const struct statement DECISION_LIST_OF_PROVIDER = {
        .name = "decision_list_of_provider",
        .sql = "select cursor, body from decision_list($1, $2::integer, $4, null, $3)",
        .params = 4,
        .slow = true,
};

const struct statement DECISION_LIST_OF_PERIOD = {
        .name = "decision_list_of_period",
        .sql = "select cursor, body from decision_list($1, $2::integer, $5, $4, $3)",
        .params = 5,
        .slow = true,
};

const struct statement DECISION_LIST_STALE = {
        .name = "decision_list_stale",
        .sql = "select d.decision_id, decision_summary(d) from decision_review r join decision d using (decision_id)"
               " where r.differs is distinct from false and r.decision_id < coalesce($1, 'dec_g') and ($3::text is null or d.outcome = $3)"
               " and ($4::text is null or d.provider_id = $4) and ($5::text is null or d.period_id = $5)"
               " order by r.decision_id desc limit $2::integer",
        .params = 5,
        .slow = true,
};

/* The evidence of one made before documents stood alone. */
static bool evaluate_evidence(json_t *json, struct replay *out, struct faults *faults)
{
	struct evaluation e;
	struct evaluation_request *request = evaluation_request_read(json, NULL, faults);
	bool ok = request && evaluation_run(evaluation_request_input(request), &e, faults);
	if (ok) {
		evaluation_json(&out->document, evaluation_request_input(request), &e, EVALUATION_WHOLE);
		out->met = e.met;
		evaluation_free(&e);
		ok = !out->document.failed;
	}
	evaluation_request_free(request);
	return ok;
}

static bool evaluate_again(json_t *json, struct replay *out, struct faults *faults)
{
	return document_is(json) ? document_again(json, &out->document, &out->met, faults) : evaluate_evidence(json, out, faults);
}

bool replay_decision(const char *evidence, size_t len, const char *document, struct replay *out)
{
	struct faults faults = {0};
	json_t *json = NULL;
	*out = (struct replay){.document = BUF_INIT(VERDICT_BYTES_MAX)};
	bool ok = json_read(evidence, len, JSON_DEPTH_MAX, &json, &faults) == JSON_OK && evaluate_again(json, out, &faults);
	json_decref(json);
	faults_free(&faults);
	if (!ok)
		return false;
	sha256_hex(out->document.data, out->document.len, out->sha256);
	out->identical = strcmp(out->document.data, document) == 0;
	return true;
}

void replay_free(struct replay *r)
{
	buf_free(&r->document);
}
