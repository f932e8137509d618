/* From what api_write() answered to what the caller reads. */
#include "server/request_internal.h"

#include "base/json_write.h"

#include <stdlib.h>
#include <string.h>

enum { ERRORS_MAX_BYTES = 1024 * 1024 };

static size_t text_args(const json_t *list, const char *args[FAULT_ARGS])
{
	size_t n = 0;
	for (; n < json_array_size(list) && n < FAULT_ARGS; n++)
		args[n] = json_string_value(json_array_get(list, n));
	return n;
}

/* [{"pointer","code","args"}] as the database keeps it, to [{"pointer","code","detail"}] in the caller's language. */
static void render_errors(struct buf *out, const json_t *errors, enum lang lang)
{
	struct json_writer w = json_writer_on(out);
	size_t i;
	json_t *one;
	jw_array(&w);
	json_array_foreach(errors, i, one)
	{
		const char *args[FAULT_ARGS];
		const char *code = json_string_value(json_object_get(one, "code"));
		size_t n = text_args(json_object_get(one, "args"), args);
		struct buf detail = BUF_INIT(4096);
		code_detail(&detail, code_by_name(code ? code : ""), lang, args, n);
		jw_object(&w);
		jw_kstring(&w, "pointer", json_string_value(json_object_get(one, "pointer")));
		jw_kstring(&w, "code", code);
		jw_kstring(&w, "detail", detail.data ? detail.data : "");
		jw_object_end(&w);
		buf_free(&detail);
	}
	jw_array_end(&w);
}

static void reply_refusal(struct request *rq, const struct rows *rows)
{
	const char *args[FAULT_ARGS];
	const char *args_text = rows_text(rows, 0, 2), *errors_text = rows_text(rows, 0, 3);
	json_t *list = args_text ? json_loads(args_text, 0, NULL) : NULL;
	json_t *errors = errors_text ? json_loads(errors_text, 0, NULL) : NULL;
	enum lang lang = strcmp(rows_text(rows, 0, 10), "zh") == 0 ? LANG_ZH : LANG_EN;
	struct buf errors_json = BUF_INIT(ERRORS_MAX_BYTES);
	if (errors)
		render_errors(&errors_json, errors, lang);
	struct problem p = {
	        .code = code_by_name(rows_text(rows, 0, 1)),
	        .args = args,
	        .nargs = text_args(list, args),
	        .errors_json = errors ? errors_json.data : NULL,
	        .extra_json = rows_text(rows, 0, 4),
	        .request_id = rows_text(rows, 0, 9),
	        .lang = lang,
	};
	if (code_status(p.code) == 0)
		p.code = CODE_INTERNAL; /* the SQL named a code that the catalogue does not have */
	reply_problem_rendered(rq, &p);
	buf_free(&errors_json);
	json_decref(list);
	json_decref(errors);
}

void reply_written(struct request *rq, const struct rows *rows)
{
	const char *etag = rows_text(rows, 0, 6), *location = rows_text(rows, 0, 7);
	if (rows_bool(rows, 0, 8))
		reply_header(rq, "Idempotency-Replayed", "true");
	if (location)
		reply_header(rq, "Location", location);
	if (etag)
		reply_etag(rq, etag);
	if (rows_text(rows, 0, 1)) {
		reply_refusal(rq, rows);
		return;
	}
	const char *body = rows_text(rows, 0, 5);
	int status = (int)rows_int(rows, 0, 0);
	if (body)
		reply_json_text(rq, status, body, strlen(body));
	else
		reply_bytes(rq, status, NULL, "", 0, true);
}
