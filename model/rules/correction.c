#include "model/rules/correction.h"

static const char *const names[CORRECTION_CONSEQUENCES] = {
        [CORRECTION_NONE] = "none",         [CORRECTION_RESTORED] = "restored",
        [CORRECTION_FAILED] = "failed",     [CORRECTION_TRIAL_RESUMED] = "trial_resumed",
        [CORRECTION_RECORDED] = "recorded",
};

const char *correction_consequence_name(enum correction_consequence c)
{
	return names[c];
}

/* An exit was the provider's own act, and stays. An application that it made after it was wrongly failed would not have been made, and
 * led to nothing (what led to something is an obstacle); one that it made after it lost a certification, rightly or not, stays. */
enum correction_consequence correction_consequence(const struct correction_facts *f)
{
	if (f->was_met == f->met)
		return CORRECTION_NONE;
	if (f->exited_since)
		return CORRECTION_RECORDED;
	if (f->met)
		return CORRECTION_RESTORED;
	if (f->period_status == PERIOD_CONVERTED)
		return CORRECTION_TRIAL_RESUMED;
	return f->own_application ? CORRECTION_FAILED : CORRECTION_RECORDED;
}

size_t correction_obstacles_max(const struct correction_facts *f)
{
	return f->later_period_count + f->running_refund_count + 2;
}

static bool makes_it_run_again(enum correction_consequence c)
{
	return c == CORRECTION_RESTORED || c == CORRECTION_TRIAL_RESUMED;
}

size_t correction_obstacles(const struct correction_facts *f, struct obstacle *out)
{
	enum correction_consequence c = correction_consequence(f);
	size_t n = 0;

	if (c == CORRECTION_NONE)
		return 0;
	if (!f->own_application && (f->status == PROVIDER_APPLIED || f->status == PROVIDER_ADMITTED))
		out[n++] = (struct obstacle){.code = "later_application",
		                             .clause = "2",
		                             .subject = f->application,
		                             .detail = CODE_LATER_APPLICATION};
	for (size_t i = 0; i < f->later_period_count; i++)
		out[n++] = (struct obstacle){
		        .code = "later_period", .clause = "3.2", .subject = f->later_periods[i], .detail = CODE_LATER_PERIOD};
	for (size_t i = 0; makes_it_run_again(c) && i < f->running_refund_count; i++)
		out[n++] = (struct obstacle){.code = "refund_running",
		                             .clause = "5",
		                             .subject = f->running_refunds[i],
		                             .detail = CODE_REFUND_RUNNING};
	if (makes_it_run_again(c) && f->scope_changed)
		out[n++] = (struct obstacle){
		        .code = "scope_changed", .clause = "2", .subject = f->provider_id, .detail = CODE_SCOPE_CHANGED};
	return n;
}
