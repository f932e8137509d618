/* The deposit (4.1): what is there against what is owed, and the ledger's entries. */
#include "model/store/deposit.h"

#include "base/civil.h"
#include "handlers/handlers.h"
#include "handlers/input.h"
#include "model/rules/money.h"

#include <string.h>

static const char *const kinds[] = {"payment", "top_up", NULL};

static void check_kind(const char *kind, struct faults *f)
{
	if (kind && strcmp(kind, kinds[0]) != 0 && strcmp(kind, kinds[1]) != 0)
		faults_add(f, "/kind", CODE_INVALID_VALUE, kind, "payment, top_up", NULL);
}

void handle_deposit_entry_add(struct request *rq)
{
	const char *kind = NULL, *reference = NULL;
	int64_t amount_fen;
	int32_t effective_on;
	const struct field fields[] = {
	        {.name = "kind", .kind = FIELD_STRING, .out = &kind, .required = true},
	        {.name = "amount_fen", .kind = FIELD_INT, .out = &amount_fen, .required = true, .min = 1, .max = FIGURE_MAX},
	        {.name = "external_reference", .kind = FIELD_STRING, .out = &reference, .required = true, .min = 1, .max = 200},
	        {.name = "effective_on", .kind = FIELD_DAY, .out = &effective_on},
	};
	FAULTS_HERE(f);
	(void)!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f);
	check_kind(kind, &f);
	if (faults_any(&f))
		reply_faults(rq, &f);
	else
		request_write(rq, "deposit_entry", args_with_id(rq, "provider_id"));
}

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
	if (request_may_see(rq, id))
		request_read_key(rq, &DEPOSIT_BY_PROVIDER, id, deposit_reply);
	else
		reply_not_found(rq);
}

void handle_deposit_entry_list(struct request *rq)
{
	const char *kind = NULL;
	FAULTS_HERE(f);
	(void)request_query_word(rq, "kind", kinds, &kind, &f);
	const char *filters[] = {kind};
	list_of_provider(rq, &DEPOSIT_ENTRY_LIST, filters, COUNT_OF(filters), &f);
}
