#include "model/rules/exit.h"

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

size_t exit_obstacles(const struct exit_facts *facts, struct obstacle *out)
{
	size_t n = 0;

	for (size_t i = 0; i < facts->open_deduction_count; i++)
		out[n++] = (struct obstacle){.code = "deduction_open",
		                                  .clause = "4.1",
		                                  .subject = facts->open_deductions[i],
		                                  .detail = CODE_DEDUCTION_OPEN};
	for (size_t i = 0; i < facts->running_refund_count; i++)
		out[n++] = (struct obstacle){.code = "refund_running",
		                                  .clause = "5",
		                                  .subject = facts->running_refunds[i],
		                                  .detail = CODE_REFUND_RUNNING};
	if (is_undecided(facts)) {
		out[n] = (struct obstacle){.code = "period_awaiting_data",
		                                .clause = "3.4",
		                                .subject = facts->period,
		                                .detail = CODE_PERIOD_UNDECIDED};
		(void)day_text(facts->period_end, out[n++].on);
	}
	return n;
}
