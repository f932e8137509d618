/* Published policies: list, read. */
#include "model/store/policies.h"

#include "handlers/handlers.h"
#include "handlers/input.h"

#include <string.h>

void handle_policy_list(struct request *rq)
{
	const char *industry = request_query(rq, "industry");
	FAULTS_HERE(f);
	check_word(industry, "industry", &f);
	const char *filters[] = {industry};
	list_of_all(rq, &POLICY_LIST, filters, COUNT_OF(filters), &f);
}

static void policy_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *document = rows_text(rows, 0, 1);
	reply_etag(rq, rows_text(rows, 0, 2));
	reply_json_text(rq, 200, document, strlen(document));
}

void handle_policy_get(struct request *rq)
{
	const char *ref = request_printf(rq, "%s@%s", request_param(rq, "id"), request_param(rq, "version"));
	request_read_key(rq, &POLICY_BY_REF, ref, policy_reply);
}
