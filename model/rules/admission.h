/* The admission checks (clauses 2 and 5), pure: plain facts in, every check out, met or not. */
#ifndef ASSAY_MODEL_RULES_ADMISSION_H
#define ASSAY_MODEL_RULES_ADMISSION_H

#include "base/faults.h"
#include "base/json_write.h"
#include "model/rules/day.h"
#include "model/rules/policy.h"

#include <stdbool.h>
#include <stddef.h>

struct admission_facts {
	unsigned service_categories;  /* the provider's: bit 1u << enum service_category */
	const char *const *documents; /* kinds submitted; repeats are fine */
	size_t document_count;
	day today;
	day reapply_from;             /* new applications are refused before this day; DAY_NONE: no cool-down */
	const char *reapply_cause;    /* "revoked", "trial_failed"; NULL without a cool-down */
	const char *waiver;           /* id of the waiver that lifts the cool-down today; NULL: none does */
	day waiver_expires_on;        /* its last day */
	const char *open_application; /* another application that is open; NULL: none */
};

enum admission_check_kind { CHECK_SERVICE_CATEGORY, CHECK_COOLDOWN, CHECK_DOCUMENTS, CHECK_OPEN_APPLICATION, ADMISSION_CHECKS };

enum { ADMISSION_ARG = 96, ADMISSION_MISSING = (POLICY_WORD_MAX + 2) * POLICY_DOCUMENTS_MAX };

struct admission_check {
	const char *code;   /* "service_category", "cooldown", "documents", "open_application" */
	const char *clause; /* "2" or "5" */
	bool met;
	enum code detail; /* the catalogue's text: why not, or CODE_CHECK_MET */
	const char *args[FAULT_ARGS]; /* point into the struct admission, the facts or the policy */
	const char *waiver; /* id of the waiver that it is met by; NULL: none was needed */
};

/* Not to be copied: the checks' args point into it. */
struct admission {
	struct admission_check checks[ADMISSION_CHECKS]; /* in the order of enum admission_check_kind */
	size_t unmet;
	bool not_configured; /* the policy does not say which documents are needed: admission waits */
	char missing[ADMISSION_MISSING]; /* what the details name: documents, ... */
	char missing_categories[ADMISSION_ARG];
	char until[DAY_TEXT];
	char waived_through[DAY_TEXT];
};

void admission_check(const struct policy *policy, const struct admission_facts *facts, struct admission *out);

/* Writes `[{"code","clause","met","detail"},...]`, details in the caller's language; with "waiver_id" where a waiver counted. */
void admission_checks_json(struct json_writer *w, const struct admission *a, enum lang lang);

/* When a provider that lost its certification, or failed its trial, may apply again; DAY_NONE when at once (no days). */
day reapply_from_revoked(const struct policy *policy, day revoked_on);
day reapply_from_trial_failed(const struct policy *policy, day failed_on);

#endif
