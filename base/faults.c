#include "base/faults.h"

#include "base/json_write.h"
#include "base/utf8.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	const char *word; /* as in the catalogue: upper case */
	int status;
	const char *title[2]; /* by enum lang */
	const char *detail[2];
};

static const struct entry entries[CODE_COUNT] = {
#define PROBLEM(name, status, title_en, title_zh, detail_en, detail_zh)                                                        \
	[CODE_##name] = {#name, status, {title_en, title_zh}, {detail_en, detail_zh}},
#define FAULT(name, detail_en, detail_zh) [CODE_##name] = {#name, 0, {"", ""}, {detail_en, detail_zh}},
#include "base/catalogue.def"
#undef PROBLEM
#undef FAULT
};

enum { CODE_NAME_MAX = 48 };

static char names[CODE_COUNT][CODE_NAME_MAX];
static pthread_once_t names_made = PTHREAD_ONCE_INIT;

static void make_names(void)
{
	for (int c = CODE_NONE + 1; c < CODE_COUNT; c++) {
		const char *word = entries[c].word;

		assert(strlen(word) < CODE_NAME_MAX);
		for (size_t i = 0; word[i]; i++)
			names[c][i] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] - 'A' + 'a' : word[i]);
	}
}

const char *code_name(enum code c)
{
	(void)pthread_once(&names_made, make_names);
	assert(c >= CODE_NONE && c < CODE_COUNT);
	return names[c];
}

enum code code_by_name(const char *name)
{
	for (int c = CODE_NONE + 1; c < CODE_COUNT; c++) {
		if (strcmp(code_name((enum code)c), name) == 0)
			return (enum code)c;
	}
	return CODE_NONE;
}

int code_status(enum code c)
{
	assert(c > CODE_NONE && c < CODE_COUNT);
	return entries[c].status;
}

const char *code_title(enum code c, enum lang lang)
{
	assert(c > CODE_NONE && c < CODE_COUNT);
	return entries[c].title[lang == LANG_ZH];
}

static bool is_slot(const char *p)
{
	return p[0] == '{' && p[1] >= '0' && p[1] < '0' + FAULT_ARGS && p[2] == '}';
}

void code_detail(struct buf *out, enum code c, enum lang lang, const char *const *args, size_t nargs)
{
	assert(c > CODE_NONE && c < CODE_COUNT);
	for (const char *p = entries[c].detail[lang == LANG_ZH]; *p;) {
		size_t plain = strcspn(p, "{");

		buf_add(out, p, plain);
		p += plain;
		if (is_slot(p)) {
			size_t i = (size_t)(p[1] - '0');

			if (i < nargs && args[i])
				buf_puts(out, args[i]);
			p += 3;
		} else if (*p) {
			buf_putc(out, *p++);
		}
	}
}

/* A copy that is safe to show: what is not UTF-8 becomes U+FFFD, and what is too long is cut and ends in U+2026. NULL when
 * out of memory. */
static char *shown(const char *s)
{
	struct buf text = BUF_INIT(FAULT_TEXT_MAX + 4);
	size_t n = strlen(s);

	for (size_t i = 0; i < n;) {
		size_t step = utf8_char(s + i, n - i);

		if (text.len + (step ? step : 3) > FAULT_TEXT_MAX) {
			buf_puts(&text, "\xE2\x80\xA6");
			break;
		}
		if (step)
			buf_add(&text, s + i, step);
		else
			buf_puts(&text, "\xEF\xBF\xBD");
		i += step ? step : 1;
	}
	return buf_take(&text);
}

static void fault_free(struct fault *it)
{
	free(it->pointer);
	for (size_t i = 0; i < FAULT_ARGS; i++)
		free(it->args[i]);
}

void faults_free(struct faults *f)
{
	for (size_t i = 0; i < f->len; i++)
		fault_free(&f->items[i]);
	free(f->items);
	*f = (struct faults){.max = f->max};
}

static struct fault *next_slot(struct faults *f)
{
	size_t max = f->max ? f->max : FAULTS_MAX;

	if (f->len == max)
		return NULL;
	if (f->len == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 4;
		struct fault *items = realloc(f->items, cap * sizeof *items);

		if (!items)
			return NULL;
		f->items = items;
		f->cap = cap;
	}
	return &f->items[f->len];
}

/* Copies what was said into `it`; false, with nothing kept, when out of memory. */
static bool fill(struct fault *it, const char *pointer, enum code code, const char *const *args, size_t nargs)
{
	bool whole;

	*it = (struct fault){.code = code, .pointer = shown(pointer)};
	whole = it->pointer != NULL;
	for (size_t i = 0; i < nargs; i++) {
		it->args[i] = shown(args[i]);
		whole = whole && it->args[i];
	}
	if (!whole)
		fault_free(it);
	return whole;
}

void faults_add(struct faults *f, const char *pointer, enum code code, ...)
{
	const char *args[FAULT_ARGS];
	size_t nargs = 0;
	struct fault *it = next_slot(f);
	va_list ap;

	assert(code > CODE_NONE && code < CODE_COUNT);
	va_start(ap, code);
	for (const char *arg; (arg = va_arg(ap, const char *)) != NULL;) {
		assert(nargs < FAULT_ARGS);
		args[nargs++] = arg;
	}
	va_end(ap);
	f->total++; /* even when it cannot be kept: the input is wrong all the same */
	if (it && fill(it, pointer, code, args, nargs))
		f->len++;
}

static void fault_json(struct json_writer *w, const struct fault *it, enum lang lang)
{
	struct buf detail = BUF_INIT(FAULT_ARGS * (FAULT_TEXT_MAX + 4) + 1024);

	code_detail(&detail, it->code, lang, (const char *const *)it->args, FAULT_ARGS);
	jw_object(w);
	jw_kstring(w, "pointer", it->pointer);
	jw_kstring(w, "code", code_name(it->code));
	jw_key(w, "detail");
	jw_string_n(w, detail.data ? detail.data : "", detail.len);
	jw_object_end(w);
	if (detail.failed)
		w->out->failed = true;
	buf_free(&detail);
}

void faults_json(struct buf *out, const struct faults *f, enum lang lang)
{
	struct json_writer w = json_writer_on(out);

	jw_array(&w);
	for (size_t i = 0; i < f->len; i++)
		fault_json(&w, &f->items[i], lang);
	jw_array_end(&w);
}
