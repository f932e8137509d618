#include "model/store/import_errors.h"

#include "base/json_write.h"

#include <stdlib.h>
#include <string.h>

enum { DETAIL_MAX = 2048 };

static void item_free(struct import_error *e)
{
	free(e->column);
	for (int i = 0; i < FAULT_ARGS; i++)
		free(e->args[i]);
}

void import_errors_free(struct import_errors *e)
{
	for (size_t i = 0; i < e->len; i++)
		item_free(&e->items[i]);
	free(e->items);
	*e = (struct import_errors){0};
}

void import_errors_add(struct import_errors *e, int64_t line, int seq, const char *column, enum code code,
                       const char *const *args, size_t nargs)
{
	if (e->len == IMPORT_ERRORS_MAX || e->failed)
		return;
	if (!e->items)
		e->items = calloc(IMPORT_ERRORS_MAX, sizeof *e->items);
	struct import_error item = {.line = line, .seq = seq, .column = column ? strdup(column) : NULL, .code = code};
	e->failed = !e->items || (column && !item.column);
	for (size_t i = 0; i < nargs && i < FAULT_ARGS && args[i]; i++) {
		item.args[i] = strdup(args[i]);
		e->failed = e->failed || !item.args[i];
	}
	if (e->failed)
		item_free(&item);
	else
		e->items[e->len++] = item;
}

static size_t args_of(const struct import_error *e)
{
	size_t n = 0;
	while (n < FAULT_ARGS && e->args[n])
		n++;
	return n;
}

static bool comes_before(const struct import_error *x, const struct import_error *y)
{
	return x->line != y->line ? x->line < y->line : x->seq < y->seq;
}

void import_errors_merge(struct import_errors *out, const struct import_errors *a, const struct import_errors *b)
{
	size_t i = 0;
	size_t k = 0;
	while (i < a->len || k < b->len) {
		bool from_a = k == b->len || (i < a->len && comes_before(&a->items[i], &b->items[k]));
		const struct import_error *e = from_a ? &a->items[i++] : &b->items[k++];
		import_errors_add(out, e->line, e->seq, e->column, e->code, (const char *const *)e->args, args_of(e));
	}
	out->failed = out->failed || a->failed || b->failed;
}

void import_errors_for_sql(struct buf *out, const struct import_errors *e)
{
	struct json_writer w = json_writer_on(out);
	jw_array(&w);
	for (size_t i = 0; i < e->len; i++) {
		const struct import_error *item = &e->items[i];
		jw_object(&w);
		jw_kint(&w, "line", item->line);
		jw_kint(&w, "seq", item->seq);
		jw_kstring(&w, "column", item->column);
		jw_kstring(&w, "code", code_name(item->code));
		jw_key(&w, "args");
		jw_array(&w);
		for (size_t k = 0; k < args_of(item); k++)
			jw_string(&w, item->args[k]);
		jw_array_end(&w);
		jw_object_end(&w);
	}
	jw_array_end(&w);
}

void import_error_json(struct buf *out, const struct import_error *e, enum lang lang)
{
	struct buf text = BUF_INIT(DETAIL_MAX);
	struct json_writer w = json_writer_on(out);
	buf_printf(&text, "/%lld", (long long)e->line);
	if (e->column) {
		buf_putc(&text, '/');
		for (const char *c = e->column; *c; c++)
			buf_puts(&text, *c == '~' ? "~0" : *c == '/' ? "~1" : (const char[]){*c, '\0'});
	}
	jw_object(&w);
	jw_kstring(&w, "pointer", text.data);
	jw_kint(&w, "line", e->line);
	jw_kstring(&w, "column", e->column);
	jw_kstring(&w, "code", code_name(e->code));
	buf_reset(&text);
	code_detail(&text, e->code, lang, (const char *const *)e->args, args_of(e));
	jw_kstring(&w, "detail", text.data);
	jw_object_end(&w);
	buf_free(&text);
}
