/* Imports as they are read: one, a list of them, what is wrong with the rows of one. */
#include "model/store/import_reads.h"

#include "handlers/handlers.h"
#include "handlers/input.h"
#include "model/store/import_errors.h"
#include "model/store/import_kinds.h"

#include <stdlib.h>
#include <string.h>

enum { ERROR_JSON_MAX = 8192 };

static const char *const statuses[] = {"running", "applied", "rejected", "failed", NULL};

void handle_import_list(struct request *rq)
{
	const char *kind = NULL;
	const char *status = NULL;
	FAULTS_HERE(f);
	request_query_word(rq, "kind", import_kind_names, &kind, &f);
	request_query_word(rq, "status", statuses, &status, &f);
	const char *filters[] = {kind, status};
	list_of_all(rq, &IMPORT_LIST, filters, COUNT_OF(filters), &f);
}

static void import_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, 1);
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_import_get(struct request *rq)
{
	request_read_key(rq, &IMPORT_BY_ID, request_param(rq, "id"), import_reply);
}

/* ---- errors ---- */

/* One row as callers see it, in their language; lives as long as the request. */
static char *error_text(struct request *rq, const struct rows *rows, int row)
{
	struct buf text = BUF_INIT(ERROR_JSON_MAX);
	struct import_error e = {.line = rows_int(rows, row, 1),
	                         .column = (char *)rows_text(rows, row, 2),
	                         .code = code_by_name(rows_text(rows, row, 3))};
	for (int i = 0; i < FAULT_ARGS; i++)
		e.args[i] = (char *)rows_text(rows, row, 4 + i);
	import_error_json(&text, &e, request_lang(rq));
	char *copy = request_printf(rq, "%s", text.failed ? "null" : text.data);
	buf_free(&text);
	return copy;
}

static void errors_reply(struct request *rq, const struct rows *rows)
{
	static char cursor_name[] = "cursor";
	static char item_name[] = "item";
	static PGresAttDesc columns[] = {{.name = cursor_name}, {.name = item_name}};
	const struct page *page = request_state(rq);
	PGresult *shown = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	bool ok = shown && PQsetResultAttrs(shown, (int)COUNT_OF(columns), columns);
	for (int i = 0; ok && i < rows->count; i++) {
		char *cursor = (char *)rows_text(rows, i, 0);
		char *item = error_text(rq, rows, i);
		ok = PQsetvalue(shown, i, 0, cursor, (int)strlen(cursor)) && PQsetvalue(shown, i, 1, item, (int)strlen(item));
	}
	const struct rows rendered = {.pg = shown, .first = 0, .count = rows->count};
	if (ok)
		reply_page(rq, page, &rendered);
	else
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	PQclear(shown);
}

static void errors_read(struct request *rq, const struct rows *rows)
{
	const struct page *page = request_state(rq);
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *params[] = {request_param(rq, "id"), page->after, request_printf(rq, "%d", page->limit + 1)};
	request_read(rq, &IMPORT_ERROR_LIST, params, errors_reply);
}

void handle_import_errors(struct request *rq)
{
	struct page *page = request_alloc(rq, sizeof *page);
	FAULTS_HERE(f);
	if (!request_page(rq, page, &f)) {
		reply_faults(rq, &f);
		return;
	}
	request_set_state(rq, page);
	request_read_key(rq, &IMPORT_BY_ID, request_param(rq, "id"), errors_read);
}
