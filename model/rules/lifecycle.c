#include "model/rules/lifecycle.h"

#include "model/rules/words.h"

static const char *const provider_names[PROVIDER_STATUSES] = {
        [PROVIDER_REGISTERED] = "registered",     [PROVIDER_APPLIED] = "applied",
        [PROVIDER_REJECTED] = "rejected",         [PROVIDER_WITHDRAWN] = "withdrawn",
        [PROVIDER_ADMITTED] = "admitted",         [PROVIDER_TRIAL] = "trial",
        [PROVIDER_TRIAL_FAILED] = "trial_failed", [PROVIDER_CERTIFIED] = "certified",
        [PROVIDER_REVOKED] = "revoked",           [PROVIDER_EXITED] = "exited",
};

static const char *const period_names[PERIOD_STATUSES] = {
        [PERIOD_SCHEDULED] = "scheduled", [PERIOD_OPEN] = "open",     [PERIOD_AWAITING_DATA] = "awaiting_data",
        [PERIOD_PASSED] = "passed",       [PERIOD_FAILED] = "failed", [PERIOD_CONVERTED] = "converted",
        [PERIOD_CANCELLED] = "cancelled",
};

const struct transition lifecycle_transitions[] = {
        {PROVIDER_REGISTERED, PROVIDER_APPLIED, "2"},   {PROVIDER_APPLIED, PROVIDER_ADMITTED, "2"},
        {PROVIDER_APPLIED, PROVIDER_REJECTED, "2"},     {PROVIDER_APPLIED, PROVIDER_WITHDRAWN, "2"},
        {PROVIDER_ADMITTED, PROVIDER_TRIAL, "3.2"},     {PROVIDER_ADMITTED, PROVIDER_WITHDRAWN, "2"},
        {PROVIDER_TRIAL, PROVIDER_CERTIFIED, "3.2"},    {PROVIDER_TRIAL, PROVIDER_TRIAL_FAILED, "3.2"},
        {PROVIDER_CERTIFIED, PROVIDER_REVOKED, "3.3"},  {PROVIDER_CERTIFIED, PROVIDER_EXITED, "5"},
        {PROVIDER_REVOKED, PROVIDER_APPLIED, "5"},      {PROVIDER_REVOKED, PROVIDER_EXITED, "5"},
        {PROVIDER_REJECTED, PROVIDER_APPLIED, "2"},     {PROVIDER_WITHDRAWN, PROVIDER_APPLIED, "2"},
        {PROVIDER_TRIAL_FAILED, PROVIDER_APPLIED, "2"}, {PROVIDER_EXITED, PROVIDER_APPLIED, "2"},
};
const size_t lifecycle_transition_count = sizeof lifecycle_transitions / sizeof lifecycle_transitions[0];

const struct transition lifecycle_corrections[] = {
        {PROVIDER_REVOKED, PROVIDER_CERTIFIED, "3.3"},      {PROVIDER_TRIAL_FAILED, PROVIDER_CERTIFIED, "3.2"},
        {PROVIDER_REJECTED, PROVIDER_CERTIFIED, "3.3"},     {PROVIDER_WITHDRAWN, PROVIDER_CERTIFIED, "3.3"},
        {PROVIDER_CERTIFIED, PROVIDER_TRIAL_FAILED, "3.2"}, {PROVIDER_REVOKED, PROVIDER_TRIAL_FAILED, "3.2"},
        {PROVIDER_CERTIFIED, PROVIDER_TRIAL, "3.2"},        {PROVIDER_REVOKED, PROVIDER_TRIAL, "3.2"},
        {PROVIDER_REJECTED, PROVIDER_TRIAL, "3.2"},         {PROVIDER_WITHDRAWN, PROVIDER_TRIAL, "3.2"},
};
const size_t lifecycle_correction_count = sizeof lifecycle_corrections / sizeof lifecycle_corrections[0];

const char *provider_status_name(enum provider_status s)
{
	return provider_names[s];
}

bool provider_status_by_name(const char *name, enum provider_status *out)
{
	int i = word_index(provider_names, PROVIDER_STATUSES, name);

	if (i >= 0)
		*out = (enum provider_status)i;
	return i >= 0;
}

static bool is_among(const struct transition *moves, size_t n, enum provider_status from, enum provider_status to)
{
	for (size_t i = 0; i < n; i++) {
		if (moves[i].from == from && moves[i].to == to)
			return true;
	}
	return false;
}

bool lifecycle_allows(enum provider_status from, enum provider_status to)
{
	return is_among(lifecycle_transitions, lifecycle_transition_count, from, to);
}

bool lifecycle_corrects(enum provider_status from, enum provider_status to)
{
	return is_among(lifecycle_corrections, lifecycle_correction_count, from, to);
}

bool lifecycle_may_apply(enum provider_status s)
{
	return lifecycle_allows(s, PROVIDER_APPLIED);
}

const char *period_status_name(enum period_status s)
{
	return period_names[s];
}

bool period_status_by_name(const char *name, enum period_status *out)
{
	int i = word_index(period_names, PERIOD_STATUSES, name);

	if (i >= 0)
		*out = (enum period_status)i;
	return i >= 0;
}
