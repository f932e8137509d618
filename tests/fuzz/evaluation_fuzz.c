/* Any bytes as an evaluation request: read or refused, never worse; what was read evaluates, and its evidence gives the same
 * answer and the same evidence, byte for byte. */
#include "base/json_read.h"
#include "model/rules/evaluation_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 1 << 26 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct evaluation_request *read_request(const char *data, size_t size)
{
	struct faults faults = {0};
	json_t *json = NULL;
	struct evaluation_request *request = NULL;

	if (json_read(data, size, JSON_DEPTH_MAX, &json, &faults) == JSON_OK) {
		const char *refs[EVALUATION_POLICIES];

		(void)evaluation_policy_refs(json, refs);
		request = evaluation_request_read(json, NULL, &faults);
		require(!request == faults_any(&faults));
		json_decref(json);
	}
	faults_free(&faults);
	return request;
}

/* False: a sum was too large. */
static bool write_all(const struct evaluation_request *request, struct buf *answer, struct buf *evidence)
{
	const struct evaluation_input *in = evaluation_request_input(request);
	struct faults faults = {0};
	struct evaluation e;
	bool ok = evaluation_run(in, &e, &faults);

	require(ok != faults_any(&faults));
	faults_free(&faults);
	if (!ok)
		return false;
	struct criterion_gap gaps[REQUIREMENT_NODES];
	require((evaluation_gaps(&e, gaps) == 0) == e.met);
	evaluation_json(answer, in, &e, EVALUATION_WHOLE);
	evidence_json(evidence, in);
	evaluation_free(&e);
	require(!answer->failed && !evidence->failed);
	return true;
}

static void same(const struct buf *a, const struct buf *b)
{
	require(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evaluation_request *request = read_request((const char *)data, size);
	struct buf text[4] = {BUF_INIT(ANSWER_BYTES), BUF_INIT(ANSWER_BYTES), BUF_INIT(ANSWER_BYTES), BUF_INIT(ANSWER_BYTES)};

	if (request && write_all(request, &text[0], &text[1])) {
		struct evaluation_request *again = read_request(text[1].data, text[1].len);

		require(again != NULL && write_all(again, &text[2], &text[3]));
		same(&text[0], &text[2]);
		same(&text[1], &text[3]);
		evaluation_request_free(again);
	}
	evaluation_request_free(request);
	for (size_t i = 0; i < 4; i++)
		buf_free(&text[i]);
	return 0;
}
