/* A decision's document, read and evaluated again. Only what it was made from is read; all else is what it must give. */
#include "model/rules/document_internal.h"

#include "base/json_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { ID_CHARS = 64, SHA256_CHARS = 64 };

struct reading {
	const struct document_format *format;
	const struct document_engine *engine;
	struct document_origin origin;
	struct document_import *items; /* of all sources; each has its stretch */
	struct evaluation_request *request;
	struct faults *faults;
};

bool document_is(const json_t *json)
{
	return json_object_get(json, "format") || json_object_get(json, "request");
}

/* ---- by whom and in which form ---- */

static bool read_edition(struct reading *r, const char *format, const char *engine)
{
	r->format = format ? document_format_named(format) : NULL;
	r->engine = engine ? document_engine_named(engine) : NULL;
	if (format && !r->format)
		faults_add(r->faults, "/format", CODE_UNKNOWN_EDITION, format, NULL);
	if (engine && !r->engine)
		faults_add(r->faults, "/engine", CODE_UNKNOWN_EDITION, engine, NULL);
	return r->format && r->engine;
}

/* ---- where it comes from ---- */

static bool read_clock(struct reading *r, const json_t *json)
{
	const struct field fields[] = {
	        {"decided_on", FIELD_DAY, &r->origin.decided_on, .required = true, .nullable = true},
	        {"watermark", FIELD_DAY, &r->origin.watermark, .required = true, .nullable = true},
	};

	return json_fields(json, "/clock", fields, COUNT(fields), r->faults);
}

static bool read_list(struct reading *r, const json_t *array, enum document_source source, struct document_import *items)
{
	char list[FAULT_TEXT_MAX];
	char at[FAULT_TEXT_MAX];
	bool ok = true;

	(void)json_pointer(list, sizeof list, "/imports", document_source_name(source));
	for (size_t i = 0; i < json_array_size(array); i++) {
		const struct field fields[] = {
		        {"import_id", FIELD_STRING, &items[i].import_id, .required = true, .min = 1, .max = ID_CHARS},
		        {"sha256", FIELD_STRING, &items[i].sha256, .required = true, .nullable = true, .min = 1,
		         .max = SHA256_CHARS},
		};

		ok = json_fields(json_array_get(array, i), json_pointer_at(at, sizeof at, list, i), fields, COUNT(fields),
		                 r->faults) &&
		     ok;
	}
	r->origin.imports[source] = (struct document_imports){items, json_array_size(array)};
	return ok;
}

/* False, with no fault: out of memory. */
static bool read_imports(struct reading *r, const json_t *json)
{
	json_t *lists[DOCUMENT_SOURCES] = {NULL};
	struct field fields[DOCUMENT_SOURCES];
	size_t total = 0;

	for (int s = 0; s < DOCUMENT_SOURCES; s++)
		fields[s] =
		        (struct field){document_source_name((enum document_source)s), FIELD_ARRAY, &lists[s], .required = true};
	if (!json_fields(json, "/imports", fields, COUNT(fields), r->faults))
		return false;
	for (int s = 0; s < DOCUMENT_SOURCES; s++)
		total += json_array_size(lists[s]);
	r->items = calloc(total + 1, sizeof *r->items);
	if (!r->items)
		return false;
	r->origin.imports_known = true;
	bool ok = true;
	size_t at = 0;
	for (int s = 0; s < DOCUMENT_SOURCES; s++) {
		ok = read_list(r, lists[s], (enum document_source)s, r->items + at) && ok;
		at += json_array_size(lists[s]);
	}
	return ok;
}

/* ---- what it was evaluated from ---- */

/* The faults of the request, at their place in the document. */
static void pass_on(struct faults *to, const struct faults *from)
{
	char at[FAULT_TEXT_MAX];

	for (size_t i = 0; i < from->len; i++) {
		const struct fault *f = &from->items[i];

		(void)snprintf(at, sizeof at, "/request%s", f->pointer);
		faults_add(to, at, f->code, f->args[0], f->args[1], f->args[2], NULL);
	}
	to->total += from->total - from->len;
}

static bool read_request(struct reading *r, json_t *json)
{
	struct faults faults = {0};

	r->request = evaluation_request_read(json, NULL, &faults); /* its policies are whole */
	pass_on(r->faults, &faults);
	faults_free(&faults);
	return r->request;
}

/* ---- the whole ---- */

static bool read_document(struct reading *r, json_t *json)
{
	json_t *clock = NULL;
	json_t *imports = NULL;
	json_t *request = NULL;
	json_t *rest = NULL; /* what it must give: not looked at here */
	const char *engine = NULL;
	const char *format = NULL;
	const struct field fields[] = {
	        {"clock", FIELD_OBJECT, &clock, .required = true},
	        {"imports", FIELD_OBJECT, &imports, .required = true, .nullable = true},
	        {"engine", FIELD_STRING, &engine, .required = true},
	        {"format", FIELD_STRING, &format, .required = true},
	        {"request", FIELD_OBJECT, &request, .required = true},
	        {"outcome", FIELD_ANY, &rest, .required = true},
	        {"final", FIELD_ANY, &rest, .required = true},
	        {"stage", FIELD_ANY, &rest, .required = true},
	        {"period", FIELD_ANY, &rest, .required = true},
	        {"as_of", FIELD_ANY, &rest, .required = true},
	        {"evaluated_on", FIELD_ANY, &rest, .required = true},
	        {"policies", FIELD_ANY, &rest, .required = true},
	        {"sentences", FIELD_ANY, &rest, .required = true},
	};

	r->origin.decided_on = r->origin.watermark = DAY_NONE;
	/* another form may have other members: only that it is unknown is said then */
	if (!read_edition(r, json_string_value(json_object_get(json, "format")),
	                  json_string_value(json_object_get(json, "engine"))) &&
	    faults_any(r->faults))
		return false;
	bool ok = json_fields(json, "", fields, COUNT(fields), r->faults);
	ok = clock && read_clock(r, clock) && ok;
	ok = (!imports || read_imports(r, imports)) && ok;
	return request && read_request(r, request) && ok;
}

bool document_again(json_t *json, struct buf *out, bool *met, struct faults *faults)
{
	struct reading r = {.faults = faults};
	struct evaluation e;
	bool ok = read_document(&r, json);
	const struct evaluation_input *in = ok ? evaluation_request_input(r.request) : NULL;

	ok = ok && r.engine->run(in, &e, faults);
	if (ok) {
		r.format->write(out, &(struct document_content){in, &e, &r.origin, r.engine->name});
		*met = e.met;
		evaluation_free(&e);
	}
	evaluation_request_free(r.request);
	free(r.items);
	return ok && !out->failed;
}

/* ---- what a caller sent ---- */

static bool answer_request(json_t *json, const struct evaluating *how, struct buf *out, struct faults *faults)
{
	static const struct document_origin nobody = {.decided_on = DAY_NONE, .watermark = DAY_NONE};
	struct evaluation_request *request = evaluation_request_read(json, how->source, faults);
	struct evaluation e;
	bool ok = request && evaluation_run(evaluation_request_input(request), &e, faults);

	if (ok && how->as_document)
		document_json(out, evaluation_request_input(request), &e, &nobody);
	else if (ok)
		evaluation_json(out, evaluation_request_input(request), &e, EVALUATION_WHOLE);
	if (ok)
		evaluation_free(&e);
	evaluation_request_free(request);
	return ok && !out->failed;
}

static bool answer_document(json_t *json, struct buf *out, struct faults *faults)
{
	json_t *again = NULL;
	bool met;
	bool ok = document_again(json, out, &met, faults) &&
	          json_read(out->data, out->len, JSON_DEPTH_MAX, &again, faults) == JSON_OK &&
	          document_agrees(json, again, faults);

	json_decref(again);
	return ok;
}

bool evaluation_answer(json_t *json, const struct evaluating *how, struct buf *out, struct faults *faults)
{
	return document_is(json) ? answer_document(json, out, faults) : answer_request(json, how, out, faults);
}
