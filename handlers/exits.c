/* Exit (5): every obstacle at once, or the end of certification or agreement and the refund of what is available. */
#include "model/rules/exit.h"

#include "handlers/handlers.h"
#include "handlers/input.h"
#include "model/store/exits.h"

#include <string.h>

enum { OBSTACLES_BYTES_MAX = 1024 * 1024 };

/* The strings of a JSON array; they live as long as the request. */
static const char *const *ids_of(struct request *rq, const char *text, size_t *n)
{
	json_t *list = json_loads(text, 0, NULL);
	*n = json_array_size(list);
	const char **ids = request_alloc(rq, (*n + 1) * sizeof *ids);
	for (size_t i = 0; i < *n; i++)
		ids[i] = request_printf(rq, "%s", json_string_value(json_array_get(list, i)));
	json_decref(list);
	return ids;
}

static size_t find_obstacles(struct request *rq, const struct rows *rows, struct obstacle **out)
{
	struct exit_facts facts = {.period = rows_text(rows, 0, EXIT_PERIOD), .today = (day)rows_int(rows, 0, EXIT_TODAY)};
	facts.open_deductions = ids_of(rq, rows_text(rows, 0, EXIT_OPEN_DEDUCTIONS), &facts.open_deduction_count);
	facts.running_refunds = ids_of(rq, rows_text(rows, 0, EXIT_RUNNING_REFUNDS), &facts.running_refund_count);
	if (facts.period) {
		(void)period_status_by_name(rows_text(rows, 0, EXIT_PERIOD_STATUS), &facts.period_status);
		facts.period_end = (day)rows_int(rows, 0, EXIT_PERIOD_END);
	}
	*out = request_alloc(rq, exit_obstacles_max(&facts) * sizeof **out);
	return exit_obstacles(&facts, *out);
}

static void refuse_blocked(struct request *rq, const struct obstacle *obstacles, size_t n)
{
	struct buf text = BUF_INIT(OBSTACLES_BYTES_MAX);
	struct json_writer w = json_writer_on(&text);
	obstacles_json(&w, obstacles, n, request_lang(rq));
	json_t *list = text.failed ? NULL : json_loads(text.data, 0, NULL);
	const char *args[] = {request_printf(rq, "%zu", n)};
	if (list)
		request_refuse(rq, CODE_EXIT_BLOCKED, args, 1, json_pack("{s:o}", "obstacles", list));
	else
		reply_problem(rq, CODE_OVERLOADED, NULL, 0);
	buf_free(&text);
}

/* The statuses from which a provider may exit, for people. */
static const char *may_exit(struct request *rq)
{
	const char *list = "";
	for (int s = 0; s < PROVIDER_STATUSES; s++)
		if (exit_may((enum provider_status)s))
			list = request_printf(rq, "%s%s%s", list, *list ? ", " : "",
			                      provider_status_name((enum provider_status)s));
	return list;
}

static void exit_on_snapshot(struct request *rq, const struct rows *rows)
{
	enum provider_status status;
	struct obstacle *obstacles;
	if (rows->count == 0) {
		reply_not_found(rq);
		return;
	}
	const char *status_name = rows_text(rows, 0, EXIT_STATUS);
	if (!provider_status_by_name(status_name, &status) || !exit_may(status)) {
		refuse(rq, CODE_WRONG_STATE, "provider", status_name, may_exit(rq), NULL);
		return;
	}
	size_t n = find_obstacles(rq, rows, &obstacles);
	if (n > 0) {
		refuse_blocked(rq, obstacles, n);
		return;
	}
	json_t *args = args_with_id(rq, "provider_id");
	json_object_set_new(args, "expected_version", json_integer(rows_int(rows, 0, EXIT_VERSION)));
	json_object_set_new(args, "today", json_string(rows_text(rows, 0, EXIT_TODAY_TEXT)));
	request_write(rq, "provider_exit", args);
}

void handle_provider_exit(struct request *rq)
{
	const char *reason = NULL;
	const struct field fields[] = {{.name = "reason", .kind = FIELD_STRING, .out = &reason, .min = 1, .max = 1000}};
	const char *params[] = {request_param(rq, "id")};
	FAULTS_HERE(f);
	if (!request_may_see(rq, params[0]))
		reply_not_found(rq);
	else if (!json_fields(request_body(rq), "", fields, COUNT_OF(fields), &f))
		reply_faults(rq, &f);
	else
		request_read(rq, &EXIT_SNAPSHOT, params, exit_on_snapshot);
}
