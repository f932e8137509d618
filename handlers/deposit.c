/* The deposit (4.1): what is there against what is owed, now or as of a day, and the ledger's entries. */
#include "model/store/deposit.h"

#include "base/civil.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "handlers/known.h"
#include "model/rules/ledger.h"
#include "model/rules/money.h"

#include <inttypes.h>
#include <string.h>

/* ---- posting ---- */

/* What a kind must have is missing, or it has what belongs to another kind. */
static void check_member(const json_t *body, const char *pointer, enum ledger_need need, struct faults *f)
{
	bool there = json_object_get(body, pointer + 1) != NULL;
	if (!there && need == LEDGER_REQUIRED)
		faults_add(f, pointer, CODE_MISSING, NULL);
	else if (there && need == LEDGER_FOREIGN)
		faults_add(f, pointer, CODE_UNKNOWN_MEMBER, NULL);
}

static void check_kind(const json_t *body, const char *name, struct faults *f)
{
	const struct ledger_kind *kind = ledger_kind_by_name(name);
	if (!kind) {
		faults_add(f, "/kind", CODE_INVALID_VALUE, name, LEDGER_KINDS_TEXT, NULL);
		return;
	}
	check_member(body, "/amount_fen", kind->amount, f);
	check_member(body, "/external_reference", kind->external_reference, f);
	check_member(body, "/reason", kind->reason, f);
	check_member(body, "/reference", kind->reference, f);
	check_member(body, "/reverses", kind->reverses, f);
}

void handle_deposit_entry_add(struct request *rq)
{
	const char *kind = NULL, *external_reference = NULL, *reason = NULL, *text = NULL;
	int64_t amount_fen = 0;
	int32_t effective_on;
	const struct field fields[] = {
	        {.name = "kind", .kind = FIELD_STRING, .out = &kind, .required = true},
	        {.name = "amount_fen", .kind = FIELD_INT, .out = &amount_fen, .min = 1, .max = FIGURE_MAX},
	        {.name = "external_reference", .kind = FIELD_STRING, .out = &external_reference, .min = 1, .max = 200},
	        {.name = "reason", .kind = FIELD_STRING, .out = &reason, .min = 1, .max = 1000},
	        {.name = "reference", .kind = FIELD_STRING, .out = &text, .min = 1, .max = 200},
	        {.name = "reverses", .kind = FIELD_STRING, .out = &text, .min = 1, .max = 64},
	        {.name = "effective_on", .kind = FIELD_DAY, .out = &effective_on},
	};
	FAULTS_HERE(f);
	(void)!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f);
	if (kind)
		check_kind(request_body(rq), kind, &f);
	if (faults_any(&f)) {
		reply_faults(rq, &f);
		return;
	}
	json_t *args = args_with_id(rq, "provider_id");
	if (!ledger_kind_by_name(kind)->money_in) {
		request_write(rq, "deposit_entry", args);
		return;
	}
	const char *columns[DEPOSIT_PAYMENT_COLUMNS] = {
	        [DEPOSIT_PAYMENT_PROVIDER] = request_param(rq, "id"),
	        [DEPOSIT_PAYMENT_KIND] = kind,
	        [DEPOSIT_PAYMENT_AMOUNT] = request_printf(rq, "%" PRId64, amount_fen),
	        [DEPOSIT_PAYMENT_EXTERNAL_REFERENCE] = external_reference,
	        [DEPOSIT_PAYMENT_REASON] = reason,
	        [DEPOSIT_PAYMENT_EFFECTIVE_ON] = json_string_value(json_object_get(request_body(rq), "effective_on")),
	};
	request_write_together(rq, "deposit_entry", args, &DEPOSIT_PAYMENTS, columns); /* payments come in crowds */
}

void handle_deduction_close(struct request *rq)
{
	const char *note = NULL;
	const struct field fields[] = {{.name = "note", .kind = FIELD_STRING, .out = &note, .min = 1, .max = 1000}};
	FAULTS_HERE(f);
	if (!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f)) {
		reply_faults(rq, &f);
		return;
	}
	json_t *args = args_with_id(rq, "provider_id");
	json_object_set_new(args, "entry_id", json_string(request_param(rq, "entry_id")));
	request_write(rq, "deduction_close", args);
}

/* ---- reading ---- */

static void deposit_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, 1);
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_deposit_get(struct request *rq)
{
	const char *id = request_param(rq, "id");
	int32_t day;
	FAULTS_HERE(f);
	const char *as_of = request_query_day(rq, "as_of", &day, &f) ? request_query(rq, "as_of") : NULL;
	const char *known_at = known_at_asked(rq, &f) ? request_query(rq, "known_at") : NULL;
	if (faults_any(&f)) {
		reply_faults(rq, &f);
		return;
	}
	if (!request_may_see(rq, id)) {
		reply_not_found(rq);
	} else if (as_of || known_at) {
		const char *const params[] = {id, as_of, known_at};
		request_read(rq, &DEPOSIT_AS_OF, params, deposit_reply);
	} else {
		request_read_key(rq, &DEPOSIT_BY_PROVIDER, id, deposit_reply);
	}
}

void handle_deposit_entry_list(struct request *rq)
{
	const char *kind = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "kind", LEDGER_KIND_WORDS, &kind, &f);
	const char *filters[] = {kind};
	list_of_provider(rq, &DEPOSIT_ENTRY_LIST, filters, COUNT_OF(filters), &f);
}

static void statement_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *csv = rows_text(rows, 0, 1);
	reply_header(rq, "Content-Disposition",
	             request_printf(rq, "attachment; filename=\"%s.statement.csv\"", request_param(rq, "id")));
	reply_bytes(rq, 200, "text/csv; charset=utf-8", csv, strlen(csv), false);
}

void handle_deposit_statement(struct request *rq)
{
	const char *id = request_param(rq, "id");
	const char *from, *through;
	FAULTS_HERE(f);
	query_span(rq, &from, &through, &f);
	const char *const params[] = {id, from, through};
	if (faults_any(&f))
		reply_faults(rq, &f);
	else if (request_may_see(rq, id))
		request_read(rq, &DEPOSIT_STATEMENT, params, statement_reply);
	else
		reply_not_found(rq);
}
