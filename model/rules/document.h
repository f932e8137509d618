/* A decision as a document that stands alone: what anybody needs to see what was decided, why, on which facts, and to compute it
 * again, elsewhere and years later. Canonical JSON: the members of the evaluation's answer, exactly as evaluation_json() writes
 * them, and after them
 *
 *   sentences  what it came to in English and Chinese: [{"at": JSON pointer of the criterion in this document ("": the whole),
 *              "en", "zh"}]
 *   clock      {"decided_on", "watermark"}: days, or null where nobody decided
 *   imports    what the facts came from, by what they are (enum document_source): {"stores": [{"import_id", "sha256" of the
 *              body as it was received}], ...}; null where that is not known
 *   engine     which evaluator decided
 *   format     which form this text has
 *   request    the evidence, as evidence_json() writes it: policies whole, the provider, exam passes, every bound store
 *
 * It is a fixed point: evaluating it evaluates its request and gives the same document, byte for byte. A document of which
 * something was changed gives another one, and what differs is said.
 *
 * For that to hold years later, what a pair of engine and format makes of a request never changes. When the rule's evaluation
 * changes, it is a new engine beside the old one; when the text changes (a sentence, a member, the form of a policy), a new
 * format beside the old one; the tables in document.c have them all, and tests/golden has documents of each that every build must
 * give again. An engine or format that is not in the tables (of a later version) is refused, never guessed. */
#ifndef ASSAY_MODEL_RULES_DOCUMENT_H
#define ASSAY_MODEL_RULES_DOCUMENT_H

#include "base/buf.h"
#include "base/faults.h"
#include "model/rules/evaluation_json.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What decisions are made by and written in now. */
#define DOCUMENT_ENGINE "assay-evaluator/1"
#define DOCUMENT_FORMAT "assay-decision/1"

enum document_source {
	SOURCE_STORES,
	SOURCE_BINDINGS,
	SOURCE_EXAM_PASSES,
	SOURCE_STORE_DAYS, /* figures of single days */
	SOURCE_STORE_MONTHS, /* and where a month stands for its days: every other import with figures of that month, of any store */
	DOCUMENT_SOURCES
};

const char *document_source_name(enum document_source s); /* "stores" */

struct document_import {
	const char *import_id;
	const char *sha256; /* of its body; NULL: not known */
};

struct document_imports {
	const struct document_import *items; /* by import_id */
	size_t count;
};

/* What a document says that the evaluation does not know. */
struct document_origin {
	day decided_on; /* DAY_NONE: nobody decided */
	day watermark; /* DAY_NONE: none */
	bool imports_known;
	struct document_imports imports[DOCUMENT_SOURCES];
};

/* Appends the document, in the format of now. `e` is what `in` evaluates to by the engine of now. */
void document_json(struct buf *out, const struct evaluation_input *in, const struct evaluation *e,
                   const struct document_origin *origin);

/* True when this is a document, or means to be one, rather than a request. */
bool document_is(const json_t *json);

/* What a document evaluates to, by its own engine and in its own format. False: a fault was added (it cannot be read), or, with
 * none, out of memory. *met as evaluated. */
bool document_again(json_t *json, struct buf *out, bool *met, struct faults *faults) __attribute__((warn_unused_result));

/* What a caller sent, evaluated. A request gives its answer, or, `as_document`, a document in which nothing is decided; a document
 * gives itself. False: faults were added - of a document also at everything that it evaluates to otherwise, in its order -, or,
 * with none, out of memory. */
struct evaluating {
	const struct policy_source *source; /* for a request's policies; may be NULL. A document has its own */
	bool as_document;
};
bool evaluation_answer(json_t *json, const struct evaluating *how, struct buf *out, struct faults *faults)
        __attribute__((warn_unused_result));

#endif
