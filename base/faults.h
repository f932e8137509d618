/* What is wrong with an input: every problem of it, each with where, which and why, in the caller's language.
 *
 * The codes and both languages' texts are one table, base/catalogue.def. A fault keeps its code and arguments; the text is
 * rendered when the language is known. */
#ifndef ASSAY_BASE_FAULTS_H
#define ASSAY_BASE_FAULTS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum lang { LANG_EN, LANG_ZH };

/* PROBLEM rows are whole answers (an HTTP status); FAULT rows are single entries of errors[] (no status of their own). */
enum code {
	CODE_NONE = 0,
#define PROBLEM(name, status, title_en, title_zh, detail_en, detail_zh) CODE_##name,
#define FAULT(name, detail_en, detail_zh) CODE_##name,
#include "base/catalogue.def"
#undef PROBLEM
#undef FAULT
	CODE_COUNT
};

const char *code_name(enum code c);          /* the stable lower_snake word that callers see */
enum code code_by_name(const char *name);    /* CODE_NONE when unknown */
int code_status(enum code c);                /* HTTP status; 0 for a FAULT */
const char *code_title(enum code c, enum lang lang);
/* Appends the detail text with {0}, {1}, {2} replaced by the arguments (a missing one by nothing). */
void code_detail(struct buf *out, enum code c, enum lang lang, const char *const *args, size_t nargs);

enum {
	FAULT_ARGS = 3,
	FAULT_TEXT_MAX = 512 /* bytes kept of a pointer or an argument */
};

struct fault {
	char *pointer; /* JSON pointer (RFC 6901) into the input, or the query parameter's name, or a column */
	enum code code;
	char *args[FAULT_ARGS]; /* NULL-padded */
};

/* A list with a stated bound: the first `max` are kept, all are counted. */
struct faults {
	struct fault *items;
	size_t len;
	size_t cap;
	size_t max;   /* 0 means FAULTS_MAX */
	size_t total; /* all that were added, kept or not */
};

enum { FAULTS_MAX = 100 };

void faults_free(struct faults *f);
/* Adds one; up to three string arguments, ended by NULL, copied: faults_add(f, "/name", CODE_TOO_LONG, "200", NULL).
 * Arguments may quote the input as it came: what is not UTF-8 is replaced, what is longer than FAULT_TEXT_MAX is cut. */
void faults_add(struct faults *f, const char *pointer, enum code code, ...) __attribute__((sentinel));
static inline bool faults_any(const struct faults *f) { return f->total > 0; }
/* Appends `[{"pointer":..,"code":..,"detail":..},...]`. */
void faults_json(struct buf *out, const struct faults *f, enum lang lang);

#endif
