/* A provider's standing: what GET .../qualification answers in substance. Pure: plain facts in; whether it is qualified, why,
 * what is missing, how much and by when, and what happens next if nothing changes. */
#ifndef ASSAY_MODEL_RULES_STANDING_H
#define ASSAY_MODEL_RULES_STANDING_H

#include "base/faults.h"
#include "base/json_write.h"
#include "model/rules/admission.h"
#include "model/rules/day.h"
#include "model/rules/lifecycle.h"
#include "model/rules/measures.h"
#include "model/rules/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct standing_facts {
	enum provider_status status;
	day since;     /* the day the status began */
	day today;
	day watermark; /* DAY_NONE: no figures yet */
	const struct policy *policy; /* the one that governs now; NULL when no policy covers the provider */

	/* the deposit; what is required is the policy's */
	fen balance_fen;
	fen held_fen; /* part of the balance that an open refund holds */
	day shortfall_since; /* less than required is there since this day; DAY_NONE: it is not, or not in trial or certified */

	/* admission: what the checks would say to an application now (registered and the statuses that may apply again);
	 * NULL when not known. */
	const struct admission *admission;

	/* the current period; has_period false: none. A provider in trial has one */
	bool has_period;
	enum stage stage;
	enum period_status period_status;
	day period_start, period_end;
	bool progress_known; /* gaps say something: the period was evaluated, as of progress_as_of */
	day progress_as_of;
	const struct criterion_gap *gaps; /* what is not met yet; see evaluation_gaps(), evaluation_gaps_read() */
	size_t gap_count;

	day reapply_from;          /* DAY_NONE: no cool-down */
	const char *reapply_cause; /* as in admission.h, as the next two */
	const char *waiver;
	day waiver_expires_on;
};

enum { STANDING_TEXT = 32, STANDING_REASONS = 8, STANDING_DUE = REQUIREMENT_NODES + 8, STANDING_EVENTS = 4 };

/* A text of the catalogue with its arguments (kept inside). */
struct standing_note {
	const char *code; /* the word that callers see */
	enum code text;
	const char *clause;
	char args[FAULT_ARGS][STANDING_TEXT];
	const char *borrowed; /* in place of args[0] when it is not NULL; from the facts */
};

/* One thing that is missing. */
struct standing_due {
	struct standing_note note;
	const struct admission_check *check; /* an admission check that is not met, from the facts: it explains itself; else NULL */
	const char *what;        /* a measure's name, "deposit_fen", "application", or an admission check's code */
	const char *alternative; /* the branch of an `any` it belongs to: another branch would do; NULL: it is needed itself */
	bool counted;            /* `missing` says how much */
	int64_t missing;
	day by; /* DAY_NONE: no day is set */
};

struct standing_event {
	struct standing_note note;
	day on; /* DAY_NONE: as soon as what the note names is there */
};

struct standing {
	bool qualified;
	struct standing_note reasons[STANDING_REASONS];
	size_t reason_count;
	struct standing_due currently_due[STANDING_DUE];
	size_t currently_due_count;
	struct standing_due eventually_due[STANDING_DUE];
	size_t eventually_due_count;
	struct standing_event events[STANDING_EVENTS];
	size_t event_count;
	bool deposit_configured;
	fen deposit_required_fen;
	fen deposit_shortfall_fen; /* max(0, required - (balance - held)); 0 when not configured */
	day deposit_due_on;    /* by when a shortfall must be made good; DAY_NONE: no day is set */
	bool deposit_overdue;  /* that day has passed, or the shortfall is due at once */
};

/* What is borrowed stays the facts' and must live as long as `out`. */
void standing_derive(const struct standing_facts *f, struct standing *out);

/* Each writes one value; the member's name is the caller's. */
void standing_reasons_json(struct json_writer *w, const struct standing *s, enum lang lang);      /* [{"code","clause","message"}] */
/* {"currently_due":[{"code","clause","what","missing","by","alternative","message"}],"eventually_due":[...]} */
void standing_requirements_json(struct json_writer *w, const struct standing *s, enum lang lang);
void standing_next_events_json(struct json_writer *w, const struct standing *s, enum lang lang); /* [{"code","on","clause","message"}] */
/* {"required_fen","balance_fen","held_fen","shortfall_fen","due_on","overdue"}; required and shortfall are null when not configured */
void standing_deposit_json(struct json_writer *w, const struct standing_facts *f, const struct standing *s);

#endif
