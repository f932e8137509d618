#include "model/rules/policy_value.h"

#include <inttypes.h>
#include <string.h>

enum { SAID_MAX = 8 * 1024, BPS_PER_PERCENT = 100 };

struct value value_number(enum value_kind kind, int64_t n)
{
	return (struct value){.kind = kind, .number = n};
}

struct value value_optional(bool configured, enum value_kind kind, int64_t n)
{
	return value_number(configured ? kind : VALUE_UNSET, configured ? n : 0);
}

struct value value_text(const char *text)
{
	return (struct value){.kind = VALUE_TEXT, .text = text};
}

struct value value_bits(unsigned bits, const char *(*name)(int), int n)
{
	struct value v = {.kind = VALUE_LIST};

	for (int i = 0; i < n; i++) {
		if (bits & 1U << i)
			v.list[v.count++] = name(i);
	}
	return v;
}

struct value value_documents(const struct admission_policy *a)
{
	struct value v = {.kind = a->documents_configured ? VALUE_LIST : VALUE_UNSET, .count = a->document_count};

	memcpy(v.list, a->documents, a->document_count * sizeof v.list[0]);
	return v;
}

static bool same_list(const struct value *a, const struct value *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = strcmp(a->list[i], b->list[i]) == 0;
	return same;
}

bool value_same(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == VALUE_TEXT)
		return strcmp(a->text, b->text) == 0;
	return a->kind == VALUE_LIST ? same_list(a, b) : a->number == b->number;
}

void value_write(struct json_writer *w, const char *key, const struct value *v)
{
	jw_key(w, key);
	switch (v->kind) {
	case VALUE_UNSET:
		jw_null(w);
		break;
	case VALUE_INT:
	case VALUE_MONEY:
	case VALUE_BPS:
		jw_int(w, v->number);
		break;
	case VALUE_BOOL:
		jw_bool(w, v->number);
		break;
	case VALUE_TEXT:
		jw_string(w, v->text);
		break;
	case VALUE_LIST:
		jw_array(w);
		for (size_t i = 0; i < v->count; i++)
			jw_string(w, v->list[i]);
		jw_array_end(w);
	}
}

struct buf said(enum lang lang, enum code code, const char *a, const char *b)
{
	struct buf out = BUF_INIT(SAID_MAX);

	code_detail(&out, code, lang, (const char *const[]){a, b}, 2);
	return out;
}

const char *said_text(const struct buf *b)
{
	return b->data ? b->data : "";
}

static struct buf list_said(const struct value *v, enum lang lang)
{
	struct buf out = BUF_INIT(SAID_MAX);

	if (v->count == 0)
		return said(lang, CODE_POLICY_VALUE_NONE, NULL, NULL);
	for (size_t i = 0; i < v->count; i++) {
		buf_puts(&out, i ? ", " : "");
		buf_puts(&out, v->list[i]);
	}
	return out;
}

struct buf value_said(const struct value *v, enum lang lang)
{
	struct buf out = BUF_INIT(SAID_MAX);
	char yuan[FEN_TEXT];

	switch (v->kind) {
	case VALUE_UNSET:
		return said(lang, CODE_POLICY_VALUE_UNSET, NULL, NULL);
	case VALUE_BOOL:
		return said(lang, v->number ? CODE_POLICY_VALUE_YES : CODE_POLICY_VALUE_NO, NULL, NULL);
	case VALUE_MONEY:
		return said(lang, CODE_POLICY_VALUE_MONEY, fen_text(v->number, yuan), NULL);
	case VALUE_LIST:
		return list_said(v, lang);
	case VALUE_TEXT:
		buf_puts(&out, v->text);
		break;
	case VALUE_INT:
		buf_int(&out, v->number);
		break;
	case VALUE_BPS:
		buf_printf(&out, "%" PRId64 ".%02" PRId64 " %%", v->number / BPS_PER_PERCENT, v->number % BPS_PER_PERCENT);
	}
	return out;
}
