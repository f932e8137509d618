/* A store, as the platform describes it. */
#include "model/store/stores.h"

#include "handlers/handlers.h"
#include "handlers/input.h"

#include <string.h>

static void store_reply(struct request *rq, const struct rows *rows)
{
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *body = rows_text(rows, 0, 0);
	reply_json_text(rq, 200, body, strlen(body));
}

void handle_store_get(struct request *rq)
{
	const struct caller *caller = request_caller(rq);
	const char *whose = caller->role != ROLE_PARTNER ? NULL : caller->provider_id ? caller->provider_id : "";
	const char *params[] = {request_param(rq, "id"), whose};
	request_read(rq, &STORE_BY_ID, params, store_reply);
}
