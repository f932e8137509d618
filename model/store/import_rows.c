#include "model/store/import_rows.h"

#include "base/csv.h"
#include "base/ndjson.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct import_rows {
	struct import_rows_options o;
	const struct import_form *form;
	struct csv *csv;
	struct ndjson *ndjson;
	bool has_header, header_bad;
	size_t place[IMPORT_COLUMNS_MAX]; /* CSV: which field a column is */
	int64_t received, rejected;
	int64_t line; /* of the row at hand */
	bool row_bad;
	struct cell cells[IMPORT_COLUMNS_MAX];
};

static void report(struct import_rows *r, int seq, const char *column, const struct cell_fault *f)
{
	const char *const args[] = {f->args[0], f->args[1]};
	import_errors_add(r->o.errors, r->line, seq, column, f->code, args, f->nargs);
	r->row_bad = true;
}

/* A line that is no JSON at all. To a request that is a problem of its own (400); to an import it is one bad row of many. */
static void report_no_json(struct import_rows *r, int seq, const struct fault *found)
{
	struct cell_fault f = {.code = CODE_WRONG_FORMAT, .nargs = 1};
	(void)snprintf(f.args[0], sizeof f.args[0], "JSON (%s, column %s)", found->args[0] ? found->args[0] : "",
	               found->args[2] ? found->args[2] : "");
	report(r, seq, NULL, &f);
}

/* What another reader found, of columns that it names by `pointer`. */
static void report_all(struct import_rows *r, const struct faults *faults)
{
	for (size_t i = 0; i < faults->len; i++) {
		const struct fault *f = &faults->items[i];
		const char *column = f->pointer && *f->pointer == '/' ? f->pointer + 1 : f->pointer;
		size_t nargs = 0;
		if (f->code == CODE_INVALID_JSON) {
			report_no_json(r, (int)i, f);
			continue;
		}
		while (nargs < FAULT_ARGS && f->args[nargs])
			nargs++;
		import_errors_add(r->o.errors, r->line, (int)i, column && *column ? column : NULL, f->code,
		                  (const char *const *)f->args, nargs);
	}
	r->row_bad = true;
}

/* ---- rules that look at two columns ---- */

static void check_binding(struct import_rows *r)
{
	const struct cell *bound_on = &r->cells[2];
	const struct cell *unbound_on = &r->cells[3];
	char from[DAY_TEXT];
	char to[DAY_TEXT];
	struct cell_fault f;
	if (unbound_on->type == CELL_NONE || unbound_on->n >= bound_on->n)
		return;
	cell_fault_set(&f, CODE_MUST_BE_BEFORE, day_text((day)bound_on->n, from), day_text((day)unbound_on->n, to));
	report(r, 3, "unbound_on", &f);
}

static bool finish_row(struct import_rows *r)
{
	if (!r->row_bad && r->o.kind == IMPORT_BINDINGS)
		check_binding(r);
	r->received++;
	if (!r->row_bad)
		return r->o.row(r->o.arg, r->line, r->cells);
	r->rejected++;
	return true;
}

/* ---- CSV ---- */

static size_t column_named(const struct import_form *form, const char *p, size_t len)
{
	for (size_t i = 0; i < form->column_count; i++)
		if (strlen(form->columns[i].name) == len && memcmp(form->columns[i].name, p, len) == 0)
			return i;
	return form->column_count;
}

static void report_header(struct import_rows *r, int seq, enum code code, const char *p, size_t len)
{
	struct cell_fault f;
	cell_fault_quote(&f, code, p, len, NULL);
	report(r, seq, f.args[0], &f);
	r->header_bad = true;
}

static void read_header(struct import_rows *r, const struct csv_row *row)
{
	bool seen[IMPORT_COLUMNS_MAX] = {false};
	for (size_t i = 0; i < row->n; i++) {
		size_t c = column_named(r->form, row->fields[i].p, row->fields[i].len);
		if (c == r->form->column_count)
			report_header(r, (int)i, CODE_UNKNOWN_COLUMN, row->fields[i].p, row->fields[i].len);
		else if (seen[c])
			report_header(r, (int)i, CODE_DUPLICATE_COLUMN, row->fields[i].p, row->fields[i].len);
		else
			r->place[c] = i;
		if (c < r->form->column_count)
			seen[c] = true;
	}
	for (size_t c = 0; c < r->form->column_count; c++)
		if (!seen[c])
			report_header(r, CSV_COLUMNS_MAX + (int)c, CODE_MISSING_COLUMN, r->form->columns[c].name,
			              strlen(r->form->columns[c].name));
}

static void report_csv(struct import_rows *r, const struct csv_row *row)
{
	struct faults faults = {0};
	const char *column = NULL;
	for (size_t c = 0; row->column && r->has_header && !row->is_header && c < r->form->column_count; c++)
		if (r->place[c] == row->column - 1)
			column = r->form->columns[c].name;
	csv_fault_add(&faults, column ? column : "", row);
	report_all(r, &faults);
	faults_free(&faults);
}

static bool take_header(struct import_rows *r, const struct csv_row *row)
{
	r->has_header = true;
	if (row->fault) {
		report_csv(r, row);
		r->header_bad = true;
	} else {
		read_header(r, row);
	}
	return !r->header_bad;
}

static bool take_csv(void *arg, const struct csv_row *row)
{
	struct import_rows *r = arg;
	struct cell_fault f;
	r->line = (int64_t)row->line;
	r->row_bad = false;
	if (row->is_header)
		return take_header(r, row);
	if (row->fault) {
		report_csv(r, row);
		return finish_row(r);
	}
	for (size_t c = 0; c < r->form->column_count; c++) {
		const struct csv_field *field = &row->fields[r->place[c]];
		if (!cell_of_text(&r->cells[c], r->form->columns[c].kind, field->p, field->len, &r->o.limits, &f))
			report(r, (int)c, r->form->columns[c].name, &f);
	}
	return finish_row(r);
}

/* ---- NDJSON ---- */

static void check_members_known(struct import_rows *r, json_t *value)
{
	const char *name;
	json_t *member;
	struct cell_fault f;
	int seq = IMPORT_COLUMNS_MAX;
	json_object_foreach(value, name, member)
	{
		if (column_named(r->form, name, strlen(name)) < r->form->column_count)
			continue;
		cell_fault_set(&f, CODE_UNKNOWN_MEMBER, NULL, NULL);
		report(r, seq++, name, &f);
	}
}

static void read_object(struct import_rows *r, json_t *value)
{
	struct cell_fault f;
	for (size_t c = 0; c < r->form->column_count; c++) {
		const struct import_column *column = &r->form->columns[c];
		if (!cell_of_json(&r->cells[c], column->kind, json_object_get(value, column->name), &r->o.limits, &f))
			report(r, (int)c, column->name, &f);
	}
	check_members_known(r, value);
}

static bool take_json(void *arg, const struct ndjson_row *row)
{
	struct import_rows *r = arg;
	struct cell_fault f;
	r->line = (int64_t)row->line;
	r->row_bad = false;
	if (!row->value) {
		report_all(r, row->faults);
	} else if (!json_is_object(row->value)) {
		cell_fault_set(&f, CODE_WRONG_TYPE, "an object", NULL);
		report(r, 0, NULL, &f);
	} else {
		read_object(r, row->value);
	}
	return finish_row(r);
}

/* ---- ---- */

struct import_rows *import_rows_new(const struct import_rows_options *o)
{
	struct import_rows *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->o = *o;
	r->form = import_form_of(o->kind);
	if (o->ndjson)
		r->ndjson = ndjson_new(take_json, r);
	else
		r->csv = csv_new(take_csv, r);
	if (r->ndjson || r->csv)
		return r;
	free(r);
	return NULL;
}

void import_rows_free(struct import_rows *r)
{
	if (!r)
		return;
	csv_free(r->csv);
	ndjson_free(r->ndjson);
	free(r);
}

static enum import_rows_status verdict(const struct import_rows *r, bool go_on, bool no_memory)
{
	if (no_memory || r->o.errors->failed)
		return ROWS_NO_MEMORY;
	if (r->header_bad)
		return ROWS_BAD_HEADER;
	return go_on ? ROWS_GO_ON : ROWS_STOPPED;
}

enum import_rows_status import_rows_feed(struct import_rows *r, const char *p, size_t n)
{
	if (r->o.ndjson) {
		enum ndjson_status s = ndjson_feed(r->ndjson, p, n);
		return verdict(r, s == NDJSON_GO_ON, s == NDJSON_NO_MEMORY);
	}
	enum csv_status s = csv_feed(r->csv, p, n);
	return verdict(r, s == CSV_GO_ON, s == CSV_NO_MEMORY);
}

enum import_rows_status import_rows_end(struct import_rows *r)
{
	if (r->o.ndjson) {
		enum ndjson_status s = ndjson_end(r->ndjson);
		return verdict(r, s == NDJSON_GO_ON, s == NDJSON_NO_MEMORY);
	}
	enum csv_status s = csv_end(r->csv);
	if (s == CSV_GO_ON && !r->has_header) { /* nothing at all was sent: every column is missing */
		const struct csv_row nothing = {.line = 1, .is_header = true};
		r->line = 1;
		(void)take_header(r, &nothing);
	}
	return verdict(r, s == CSV_GO_ON, s == CSV_NO_MEMORY);
}

int64_t import_rows_received(const struct import_rows *r)
{
	return r->received;
}
int64_t import_rows_rejected(const struct import_rows *r)
{
	return r->rejected;
}
