/* A decision's document: how it is written, and which engines and formats there are. */
#include "model/rules/document_internal.h"

#include "model/rules/sentence.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MAX = 64 * 1024 };

const char *document_source_name(enum document_source s)
{
	static const char *const names[DOCUMENT_SOURCES] = {
	        [SOURCE_STORES] = "stores",
	        [SOURCE_BINDINGS] = "bindings",
	        [SOURCE_EXAM_PASSES] = "exam_passes",
	        [SOURCE_STORE_DAYS] = "store_days",
	        [SOURCE_STORE_MONTHS] = "store_months",
	};
	return names[s];
}

/* ---- sentences ---- */

struct sentences {
	struct json_writer *w;
	const struct evaluation *e;
	struct buf text; /* of the one at hand */
};

static void write_text(struct sentences *s, const char *key)
{
	jw_key(s->w, key);
	jw_string_n(s->w, s->text.data ? s->text.data : "", s->text.len);
	s->w->out->failed = s->w->out->failed || s->text.failed;
	buf_reset(&s->text);
}

static void write_whole(struct sentences *s)
{
	jw_object(s->w);
	jw_kstring(s->w, "at", "");
	sentence_of_evaluation(&s->text, s->e, LANG_EN);
	write_text(s, "en");
	sentence_of_evaluation(&s->text, s->e, LANG_ZH);
	write_text(s, "zh");
	jw_object_end(s->w);
}

/* The criteria of the node at `at`, in the tree's order; `pointer` is the node's. */
static void write_criteria(struct sentences *s, const struct policy_result *result, size_t at, const char *pointer)
{
	const struct requirement *r = &result->policy->stages[s->e->stage].requires;
	const struct node *node = &r->nodes[at];
	char inner[FAULT_TEXT_MAX];
	size_t i = 0;

	if (node->kind == NODE_CRITERION) {
		jw_object(s->w);
		jw_kstring(s->w, "at", pointer);
		sentence_of_criterion(&s->text, s->e, result, at, LANG_EN);
		write_text(s, "en");
		sentence_of_criterion(&s->text, s->e, result, at, LANG_ZH);
		write_text(s, "zh");
		jw_object_end(s->w);
		return;
	}
	for (size_t child = at + 1; child < node->end; child = r->nodes[child].end) {
		int length = snprintf(inner, sizeof inner, "%s/%s/%zu", pointer, node->kind == NODE_ALL ? "all" : "any", i++);

		assert(length < (int)sizeof inner); /* at most REQUIREMENT_DEPTH steps */
		(void)length;
		write_criteria(s, result, child, inner);
	}
}

static void write_sentences(struct json_writer *w, const struct evaluation *e)
{
	struct sentences s = {.w = w, .e = e, .text = BUF_INIT(SENTENCE_MAX)};
	char pointer[FAULT_TEXT_MAX];

	jw_key(w, "sentences");
	jw_array(w);
	write_whole(&s);
	for (size_t i = 0; i < e->policy_count; i++) {
		(void)snprintf(pointer, sizeof pointer, "/policies/%zu/requirement", i);
		write_criteria(&s, &e->policies[i], 0, pointer);
	}
	jw_array_end(w);
	buf_free(&s.text);
}

/* ---- where it comes from ---- */

static void write_day(struct json_writer *w, const char *key, day d)
{
	char text[DAY_TEXT];

	jw_kstring(w, key, d == DAY_NONE ? NULL : day_text(d, text));
}

static void write_clock(struct json_writer *w, const struct document_origin *origin)
{
	jw_key(w, "clock");
	jw_object(w);
	write_day(w, "decided_on", origin->decided_on);
	write_day(w, "watermark", origin->watermark);
	jw_object_end(w);
}

static void write_imports(struct json_writer *w, const struct document_origin *origin)
{
	jw_key(w, "imports");
	if (!origin->imports_known) {
		jw_null(w);
		return;
	}
	jw_object(w);
	for (int s = 0; s < DOCUMENT_SOURCES; s++) {
		const struct document_imports *list = &origin->imports[s];

		jw_key(w, document_source_name((enum document_source)s));
		jw_array(w);
		for (size_t i = 0; i < list->count; i++) {
			jw_object(w);
			jw_kstring(w, "import_id", list->items[i].import_id);
			jw_kstring(w, "sha256", list->items[i].sha256);
			jw_object_end(w);
		}
		jw_array_end(w);
	}
	jw_object_end(w);
}

/* ---- formats and engines ---- */

/* assay-decision/1 */
static void write_1(struct buf *out, const struct document_content *c)
{
	struct json_writer w = json_writer_on(out);

	jw_object(&w);
	evaluation_members(&w, c->in, c->e, EVALUATION_WHOLE);
	write_sentences(&w, c->e);
	write_clock(&w, c->origin);
	write_imports(&w, c->origin);
	jw_kstring(&w, "engine", c->engine);
	jw_kstring(&w, "format", "assay-decision/1");
	jw_key(&w, "request");
	jw_raw(&w, "", 0); /* it writes itself */
	evidence_json(out, c->in);
	jw_object_end(&w);
}

static const struct document_format formats[] = {{"assay-decision/1", write_1}};
static const struct document_engine engines[] = {{"assay-evaluator/1", evaluation_run}};

const struct document_format *document_format_named(const char *name)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

const struct document_engine *document_engine_named(const char *name)
{
	for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
		if (strcmp(engines[i].name, name) == 0)
			return &engines[i];
	return NULL;
}

void document_json(struct buf *out, const struct evaluation_input *in, const struct evaluation *e,
                   const struct document_origin *origin)
{
	const struct document_format *format = document_format_named(DOCUMENT_FORMAT);

	assert(format);
	format->write(out, &(struct document_content){in, e, origin, DOCUMENT_ENGINE});
}
