#include "model/rules/exit.h"

enum { DETAIL_MAX = 1024 };

bool exit_may(enum provider_status s)
{
	return lifecycle_allows(s, PROVIDER_EXITED);
}

size_t exit_obstacles_max(const struct exit_facts *facts)
{
	return facts->open_deduction_count + facts->running_refund_count + 1;
}

/* It ended, and is not decided: what becomes of the provider is not known yet. */
static bool is_undecided(const struct exit_facts *facts)
{
	return facts->period && facts->period_status != PERIOD_SCHEDULED &&
	       (facts->period_status == PERIOD_AWAITING_DATA || facts->period_end < facts->today);
}

size_t exit_obstacles(const struct exit_facts *facts, struct exit_obstacle *out)
{
	size_t n = 0;

	for (size_t i = 0; i < facts->open_deduction_count; i++)
		out[n++] = (struct exit_obstacle){.code = "deduction_open",
		                                  .clause = "4.1",
		                                  .subject = facts->open_deductions[i],
		                                  .detail = CODE_DEDUCTION_OPEN};
	for (size_t i = 0; i < facts->running_refund_count; i++)
		out[n++] = (struct exit_obstacle){.code = "refund_running",
		                                  .clause = "5",
		                                  .subject = facts->running_refunds[i],
		                                  .detail = CODE_REFUND_RUNNING};
	if (is_undecided(facts)) {
		out[n] = (struct exit_obstacle){.code = "period_awaiting_data",
		                                .clause = "3.4",
		                                .subject = facts->period,
		                                .detail = CODE_PERIOD_UNDECIDED};
		(void)day_text(facts->period_end, out[n++].on);
	}
	return n;
}

void exit_obstacles_json(struct json_writer *w, const struct exit_obstacle *obstacles, size_t n, enum lang lang)
{
	struct buf detail = BUF_INIT(DETAIL_MAX);

	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		const struct exit_obstacle *o = &obstacles[i];
		const char *const args[FAULT_ARGS] = {o->subject, o->on};

		buf_reset(&detail);
		code_detail(&detail, o->detail, lang, args, FAULT_ARGS);
		w->out->failed = w->out->failed || detail.failed;
		jw_object(w);
		jw_kstring(w, "code", o->code);
		jw_kstring(w, "clause", o->clause);
		jw_kstring(w, "subject", o->subject);
		jw_key(w, "detail");
		jw_string_n(w, detail.data ? detail.data : "", detail.len);
		jw_object_end(w);
	}
	jw_array_end(w);
	buf_free(&detail);
}
