#include "model/rules/standing.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- notes ---- */

static struct standing_note note(const char *code, enum code text, const char *clause)
{
	return (struct standing_note){.code = code, .text = text, .clause = clause};
}

static void arg_day(struct standing_note *n, size_t at, day d)
{
	if (d != DAY_NONE)
		(void)day_text(d, n->args[at]);
}

static void arg_count(struct standing_note *n, size_t at, int64_t v)
{
	(void)snprintf(n->args[at], sizeof n->args[at], "%" PRId64, v);
}

static struct standing_note dated(const char *code, enum code text, const char *clause, day d)
{
	struct standing_note n = note(code, text, clause);

	arg_day(&n, 0, d);
	return n;
}

static_assert((int)STANDING_TEXT >= (int)FEN_TEXT && (int)STANDING_TEXT >= (int)DAY_TEXT, "room for every argument");

static void reason(struct standing *out, struct standing_note n)
{
	assert(out->reason_count < STANDING_REASONS);
	out->reasons[out->reason_count++] = n;
}

static void event(struct standing *out, struct standing_note n, day on)
{
	assert(out->event_count < STANDING_EVENTS);
	out->events[out->event_count++] = (struct standing_event){n, on};
}

static struct standing_due *due_now(struct standing *out)
{
	assert(out->currently_due_count < STANDING_DUE);
	return &out->currently_due[out->currently_due_count++];
}

static struct standing_due *due_later(struct standing *out)
{
	assert(out->eventually_due_count < STANDING_DUE);
	return &out->eventually_due[out->eventually_due_count++];
}

/* ---- the deposit (4.1) ---- */

/* A shortfall is due at once, unless the policy gives days; then it is overdue from the day after the last of them. */
static void derive_deposit_due(const struct standing_facts *f, struct standing *out)
{
	const struct admission_policy *a = &f->policy->admission;

	if (out->deposit_shortfall_fen == 0 || f->shortfall_since == DAY_NONE)
		return;
	out->deposit_due_on = f->shortfall_since + a->deposit_due_days;
	out->deposit_overdue = !a->deposit_due_configured || f->today > out->deposit_due_on;
}

static void derive_deposit(const struct standing_facts *f, struct standing *out)
{
	fen free_fen = f->balance_fen - f->held_fen;

	out->deposit_due_on = DAY_NONE;
	if (!f->policy || !f->policy->admission.deposit_configured)
		return;
	out->deposit_configured = true;
	out->deposit_required_fen = f->policy->admission.deposit_fen;
	if (free_fen < out->deposit_required_fen)
		out->deposit_shortfall_fen = out->deposit_required_fen - free_fen;
	derive_deposit_due(f, out);
}

static struct standing_due deposit_due(const struct standing_facts *f, const struct standing *out)
{
	struct standing_due due = {
	        .note = note("deposit_short", CODE_DEPOSIT_SHORT, "4.1"), .what = "deposit_fen", .by = out->deposit_due_on};

	if (out->deposit_configured) {
		(void)fen_text(out->deposit_shortfall_fen, due.note.args[0]);
		due.counted = true;
		due.missing = out->deposit_shortfall_fen;
	} else {
		due.note = note("deposit_not_configured", CODE_DEPOSIT_NOT_CONFIGURED, "4.1");
		due.note.borrowed = f->policy ? f->policy->ref : NULL;
	}
	return due;
}

/* What is short of the deposit is due from the day of approval on; where it is not configured, admission waits. */
static void require_deposit(const struct standing_facts *f, struct standing *out)
{
	if (out->deposit_configured ? out->deposit_shortfall_fen == 0 : f->status != PROVIDER_ADMITTED)
		return;
	struct standing_due due = deposit_due(f, out);
	*due_now(out) = due;
	if (f->status == PROVIDER_CERTIFIED && out->deposit_overdue) {
		due.note.code = "deposit_shortfall_overdue";
		due.note.text = CODE_DEPOSIT_OVERDUE;
		arg_day(&due.note, 1, out->deposit_due_on);
		out->qualified = false;
	}
	reason(out, due.note);
	if (f->status == PROVIDER_CERTIFIED && out->deposit_due_on != DAY_NONE && !out->deposit_overdue)
		event(out, dated("qualification_suspended", CODE_QUALIFICATION_SUSPENDED, "4.1", out->deposit_due_on),
		      out->deposit_due_on + 1);
}

/* Before that it is known to come. */
static void announce_deposit(const struct standing_facts *f, struct standing *out)
{
	if (out->deposit_configured && out->deposit_shortfall_fen > 0)
		*due_later(out) = deposit_due(f, out);
}

/* ---- applying (2, 5) ---- */

static bool is_cooling_down(const struct standing_facts *f)
{
	return f->reapply_from != DAY_NONE && f->today < f->reapply_from;
}

/* A waiver lifts the cool-down through its last day; then it counts again. */
static void note_waiver(const struct standing_facts *f, struct standing *out)
{
	struct standing_note n = note("cooldown_waived", CODE_COOLDOWN_WAIVED, "5");

	n.borrowed = f->waiver;
	arg_day(&n, 1, f->reapply_from);
	arg_day(&n, 2, f->waiver_expires_on);
	reason(out, n);
	if (f->waiver_expires_on + 1 >= f->reapply_from)
		return;
	n = dated("waiver_expires", CODE_WAIVER_EXPIRES, "5", f->waiver_expires_on);
	arg_day(&n, 1, f->reapply_from);
	event(out, n, f->waiver_expires_on + 1);
}

/* The cool-down is said with its day, and that an application is open is no fault of a provider that has one. */
static void require_checks(const struct standing_facts *f, struct standing *out)
{
	for (size_t i = 0; f->admission && i < ADMISSION_CHECKS; i++) {
		const struct admission_check *c = &f->admission->checks[i];

		if (c->met || i == CHECK_COOLDOWN || i == CHECK_OPEN_APPLICATION)
			continue;
		*due_now(out) = (struct standing_due){
		        .note = note(code_name(c->detail), c->detail, c->clause), .check = c, .what = c->code, .by = DAY_NONE};
	}
}

static void require_application(const struct standing_facts *f, struct standing *out)
{
	struct standing_due due = {
	        .note = note("application_needed", CODE_APPLICATION_NEEDED, "2"), .what = "application", .by = DAY_NONE};

	if (is_cooling_down(f) && f->waiver)
		note_waiver(f, out);
	if (!is_cooling_down(f) || f->waiver) {
		*due_now(out) = due;
		require_checks(f, out);
		announce_deposit(f, out);
		return;
	}
	struct standing_note n = dated("cooling_down", CODE_COOLING_DOWN, "5", f->reapply_from);
	(void)snprintf(n.args[1], sizeof n.args[1], "%s", f->reapply_cause ? f->reapply_cause : "");
	reason(out, n);
	*due_later(out) = due;
	event(out, dated("application_possible", CODE_APPLICATION_POSSIBLE, "5", f->reapply_from), f->reapply_from);
}

/* ---- what the period still needs (3.2, 3.3, 3.4) ---- */

/* The last day on which a gap can be filled. */
static day gap_by(const struct standing_facts *f, const struct criterion_gap *gap)
{
	if (gap->month != DAY_NONE)
		return day_month_end(gap->month);
	return gap->measure == MEASURE_FIRST_MONTH_ORDERS ? day_month_end(f->period_start) : f->period_end;
}

static struct standing_note growth_note(const struct criterion_gap *gap)
{
	char first[DAY_TEXT];
	struct standing_note n;

	n = note("measure_short", gap->gap == NEEDED_NONE ? CODE_ORDER_GROWTH_WITHOUT_BASE : CODE_ORDER_GROWTH_SHORT,
	         gap->clause);
	if (gap->gap != NEEDED_NONE)
		arg_count(&n, 0, gap->gap);
	(void)snprintf(n.args[gap->gap == NEEDED_NONE ? 0 : 1], STANDING_TEXT, "%.7s", day_text(gap->month, first));
	return n;
}

static struct standing_note gap_note(const struct criterion_gap *gap, day by)
{
	static const enum code texts[MEASURES] = {
	        [MEASURE_NEW_STORES] = CODE_NEW_STORES_SHORT,
	        [MEASURE_NEW_STORE_GMV_FEN] = CODE_NEW_STORE_GMV_SHORT,
	        [MEASURE_FIRST_MONTH_ORDERS] = CODE_FIRST_MONTH_ORDERS_SHORT,
	        [MEASURE_EXAM_PASSES] = CODE_EXAM_PASSES_SHORT,
	};
	struct standing_note n;

	if (gap->month != DAY_NONE)
		return growth_note(gap);
	n = note("measure_short", texts[gap->measure], gap->clause);
	if (gap->measure == MEASURE_NEW_STORE_GMV_FEN)
		(void)fen_text(gap->gap, n.args[0]);
	else
		arg_count(&n, 0, gap->gap);
	arg_day(&n, 1, by);
	return n;
}

static struct standing_note missed_note(const struct criterion_gap *gap, day by)
{
	struct standing_note n = note("measure_missed", CODE_MEASURE_MISSED, gap->clause);

	if (gap->measure == MEASURE_NEW_STORE_GMV_FEN)
		(void)fen_text(gap->gap, n.args[0]);
	else
		arg_count(&n, 0, gap->gap == NEEDED_NONE ? 0 : gap->gap);
	arg_day(&n, 1, by);
	return n;
}

static void require_gap(const struct standing_facts *f, const struct criterion_gap *gap, struct standing *out)
{
	day by = gap_by(f, gap);
	bool missed = f->progress_known && by <= f->progress_as_of && by < f->period_end;

	*due_later(out) = (struct standing_due){.note = missed ? missed_note(gap, by) : gap_note(gap, by),
	                                        .what = measure_name(gap->measure),
	                                        .alternative = gap->alternative,
	                                        .counted = gap->gap != NEEDED_NONE,
	                                        .missing = gap->gap,
	                                        .by = by};
}

/* Before the first figures of a period everything that it requires is missing. */
static size_t gaps_of_nothing(const struct standing_facts *f, struct criterion_gap gaps[REQUIREMENT_NODES])
{
	const struct stage_policy *stage = &f->policy->stages[f->stage];
	const struct measures none = {.months = stage->months, .months_reached = 1};
	struct node_result results[REQUIREMENT_NODES];
	bool judged = requirement_judge(&stage->requires, &none, results);

	assert(judged); /* nothing is large */
	(void)judged;
	return requirement_gaps(&stage->requires, &none, results, f->period_start, gaps);
}

static void require_measures(const struct standing_facts *f, struct standing *out)
{
	struct criterion_gap all[REQUIREMENT_NODES];
	const struct criterion_gap *gaps = f->gaps;
	size_t n = f->gap_count;

	if (!f->progress_known) {
		gaps = all;
		n = f->policy ? gaps_of_nothing(f, all) : 0;
	}
	for (size_t i = 0; i < n; i++)
		require_gap(f, &gaps[i], out);
}

static bool is_met_so_far(const struct standing_facts *f)
{
	return f->progress_known && f->gap_count == 0;
}

/* ---- status by status ---- */

static void derive_awaiting_data(const struct standing_facts *f, struct standing *out)
{
	struct standing_note n = dated("period_awaits_data", CODE_PERIOD_AWAITS_DATA, "3.4", f->period_end);

	reason(out, n);
	event(out, n, DAY_NONE);
}

static void derive_admitted(const struct standing_facts *f, struct standing *out)
{
	reason(out, dated("trial_not_begun", CODE_TRIAL_NOT_BEGUN, "3.2", f->since));
	require_deposit(f, out);
	if (f->has_period) {
		event(out, dated("trial_begins", CODE_TRIAL_BEGINS, "3.2", f->period_start), f->period_start);
		require_measures(f, out);
	} else if (out->currently_due_count > 0) {
		event(out, note("trial_begins", CODE_TRIAL_BEGINS_AFTER_DEPOSIT, "3.2"), DAY_NONE);
	} else {
		day start = day_first_on_or_after(f->today);

		event(out, dated("trial_begins", CODE_TRIAL_BEGINS, "3.2", start), start);
	}
}

static void derive_trial(const struct standing_facts *f, struct standing *out)
{
	bool met = is_met_so_far(f);

	if (!f->has_period || f->period_status == PERIOD_AWAITING_DATA) {
		derive_awaiting_data(f, out);
		require_deposit(f, out);
		return;
	}
	reason(out, dated(met ? "trial_met_so_far" : "trial_running", met ? CODE_TRIAL_MET_SO_FAR : CODE_TRIAL_RUNNING, "3.2",
	                  f->period_end));
	require_deposit(f, out);
	require_measures(f, out);
	if (met && f->watermark != DAY_NONE && f->watermark >= f->period_start)
		event(out, dated("early_conversion_possible", CODE_EARLY_CONVERSION_POSSIBLE, "3.2", f->progress_as_of),
		      f->today); /* it is granted on complete figures only */
	if (met) {
		event(out, dated("certified", CODE_CERTIFIED_NEXT, "3.2", f->period_end), f->period_end + 1);
	} else {
		event(out, dated("trial_failed", CODE_TRIAL_FAILED_NEXT, "3.2", f->period_end), f->period_end + 1);
	}
}

static void derive_certified(const struct standing_facts *f, struct standing *out)
{
	reason(out, dated("certified", CODE_CERTIFIED, "3.3", f->since));
	if (f->has_period && f->period_status == PERIOD_AWAITING_DATA)
		derive_awaiting_data(f, out);
	require_deposit(f, out);
	if (!f->has_period || f->period_status == PERIOD_AWAITING_DATA)
		return;
	if (f->period_status == PERIOD_SCHEDULED)
		event(out, dated("period_begins", CODE_PERIOD_BEGINS, "3.3", f->period_start), f->period_start);
	require_measures(f, out);
	if (is_met_so_far(f))
		event(out, dated("next_period", CODE_NEXT_PERIOD, "3.3", f->period_end + 1), f->period_end + 1);
	else
		event(out, dated("revoked", CODE_REVOKED_NEXT, "3.3", f->period_end), f->period_end + 1);
}

void standing_derive(const struct standing_facts *f, struct standing *out)
{
	memset(out, 0, sizeof *out);
	out->qualified = f->status == PROVIDER_CERTIFIED;
	derive_deposit(f, out);
	switch (f->status) {
	case PROVIDER_REGISTERED:
		reason(out, note("not_applied", CODE_NOT_APPLIED, "2"));
		break;
	case PROVIDER_APPLIED:
		reason(out, note("under_review", CODE_UNDER_REVIEW, "2"));
		require_checks(f, out);
		announce_deposit(f, out);
		break;
	case PROVIDER_REJECTED:
		reason(out, dated("application_rejected", CODE_APPLICATION_REJECTED, "2", f->since));
		break;
	case PROVIDER_WITHDRAWN:
		reason(out, dated("application_withdrawn", CODE_APPLICATION_WITHDRAWN, "2", f->since));
		break;
	case PROVIDER_ADMITTED:
		derive_admitted(f, out);
		break;
	case PROVIDER_TRIAL:
		derive_trial(f, out);
		break;
	case PROVIDER_TRIAL_FAILED:
		reason(out, dated("trial_not_met", CODE_TRIAL_NOT_MET, "3.2", f->since));
		break;
	case PROVIDER_CERTIFIED:
		derive_certified(f, out);
		break;
	case PROVIDER_REVOKED:
		reason(out, dated("certification_cancelled", CODE_CERTIFICATION_CANCELLED, "3.3", f->since));
		break;
	case PROVIDER_EXITED:
		reason(out, dated("exited", CODE_EXITED, "5", f->since));
		break;
	case PROVIDER_STATUSES:
		assert(false); /* no status */
		break;
	}
	if (lifecycle_may_apply(f->status))
		require_application(f, out);
}
