/* Any bytes as what a caller sends to be evaluated: answered or refused, never worse. A document that is answered gives itself; a
 * request gives a document that does. */
#include "base/json_read.h"
#include "model/rules/document.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 1 << 26 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* False: it was refused. */
static bool answer(const char *data, size_t size, bool as_document, struct buf *out, bool *is_document)
{
	struct faults faults = {0};
	json_t *json = NULL;
	bool ok = json_read(data, size, JSON_DEPTH_MAX, &json, &faults) == JSON_OK;

	if (ok) {
		*is_document = document_is(json);
		ok = evaluation_answer(json, &(struct evaluating){.as_document = as_document}, out, &faults);
		require(ok != faults_any(&faults));
		json_decref(json);
	}
	faults_free(&faults);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = BUF_INIT(ANSWER_BYTES), again = BUF_INIT(ANSWER_BYTES);
	bool is_document;

	if (answer((const char *)data, size, true, &first, &is_document)) {
		require(answer(first.data, first.len, false, &again, &is_document) && is_document);
		require(first.len == again.len && memcmp(first.data, again.data, first.len) == 0);
	}
	buf_free(&first);
	buf_free(&again);
	return 0;
}
