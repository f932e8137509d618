#include "model/rules/decisions_policy.h"

#include "base/json_read.h"

enum { DAYS_MAX = 3660 };

bool decisions_policy_read(const json_t *json, const char *pointer, struct decisions_policy *out, struct faults *faults)
{
	int64_t reopen = 0;
	int64_t appeal = 0;
	int64_t answer = 0;
	const struct field fields[] = {
	        {"reopen_days", FIELD_INT, &reopen, .nullable = true, .present = &out->reopen.configured, .min = 0,
	         .max = DAYS_MAX},
	        {"appeal_days", FIELD_INT, &appeal, .nullable = true, .present = &out->appeal.configured, .min = 0,
	         .max = DAYS_MAX},
	        {"appeal_answer_days", FIELD_INT, &answer, .nullable = true, .present = &out->appeal_answer.configured,
	         .min = 0, .max = DAYS_MAX},
	};

	if (!json)
		return true;
	bool ok = json_fields(json, pointer, fields, sizeof fields / sizeof fields[0], faults);
	out->reopen.days = (int32_t)reopen;
	out->appeal.days = (int32_t)appeal;
	out->appeal_answer.days = (int32_t)answer;
	return ok;
}

static void write_limit(struct json_writer *w, const char *member, const struct days_limit *limit)
{
	if (limit->configured)
		jw_kint(w, member, limit->days);
}

void decisions_policy_write(struct json_writer *w, const struct decisions_policy *d)
{
	if (!d->reopen.configured && !d->appeal.configured && !d->appeal_answer.configured)
		return;
	jw_key(w, "decisions");
	jw_object(w);
	write_limit(w, "reopen_days", &d->reopen);
	write_limit(w, "appeal_days", &d->appeal);
	write_limit(w, "appeal_answer_days", &d->appeal_answer);
	jw_object_end(w);
}
