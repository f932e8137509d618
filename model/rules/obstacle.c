#include "model/rules/obstacle.h"

enum { DETAIL_MAX = 1024 };

void obstacles_json(struct json_writer *w, const struct obstacle *obstacles, size_t n, enum lang lang)
{
	struct buf detail = BUF_INIT(DETAIL_MAX);

	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		const struct obstacle *o = &obstacles[i];
		const char *const args[FAULT_ARGS] = {o->subject, o->on};

		buf_reset(&detail);
		code_detail(&detail, o->detail, lang, args, FAULT_ARGS);
		w->out->failed = w->out->failed || detail.failed;
		jw_object(w);
		jw_kstring(w, "code", o->code);
		jw_kstring(w, "clause", o->clause);
		jw_kstring(w, "subject", o->subject);
		jw_key(w, "detail");
		jw_string_n(w, detail.data ? detail.data : "", detail.len);
		jw_object_end(w);
	}
	jw_array_end(w);
	buf_free(&detail);
}
