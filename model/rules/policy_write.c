/* A policy's one canonical form. */
#include "model/rules/policy.h"

#include "base/json_write.h"

static void write_optional(struct json_writer *w, const char *member, bool configured, int64_t value)
{
	if (configured)
		jw_kint(w, member, value);
	else
		jw_knull(w, member);
}

static void write_admission(struct json_writer *w, const struct admission_policy *a)
{
	jw_key(w, "admission");
	jw_object(w);
	jw_key(w, "service_categories");
	jw_array(w);
	for (int i = 0; i < SERVICE_CATEGORIES; i++) {
		if (a->service_categories & 1U << i)
			jw_string(w, service_category_name((enum service_category)i));
	}
	jw_array_end(w);
	write_optional(w, "deposit_fen", a->deposit_configured, a->deposit_fen);
	jw_key(w, "documents");
	if (a->documents_configured) {
		jw_array(w);
		for (size_t i = 0; i < a->document_count; i++)
			jw_string(w, a->documents[i]);
		jw_array_end(w);
	} else {
		jw_null(w);
	}
	jw_kint(w, "reapply_cooldown_days", a->reapply_cooldown_days);
	jw_kint(w, "trial_failed_cooldown_days", a->trial_failed_cooldown_days);
	write_optional(w, "deposit_due_days", a->deposit_due_configured, a->deposit_due_days);
	write_optional(w, "refund_request_days", a->refund_request_configured, a->refund_request_days);
	jw_object_end(w);
}

static void write_counting(struct json_writer *w, const struct counting_policy *c)
{
	jw_key(w, "counting");
	jw_object(w);
	jw_kint(w, "repeat_window_months", c->repeat_window_months);
	jw_kstring(w, "repeat_scope", repeat_scope_name(c->repeat_scope));
	jw_key(w, "store_statuses");
	jw_array(w);
	for (int i = 0; i < STORE_STATUSES; i++) {
		if (c->store_statuses & 1U << i)
			jw_string(w, store_status_name((enum store_status)i));
	}
	jw_array_end(w);
	jw_kbool(w, "require_bound_at_evaluation", c->require_bound_at_evaluation);
	jw_kstring(w, "gmv_window", gmv_window_name(c->gmv_window));
	jw_object_end(w);
}

void policy_json(struct buf *out, const struct policy *p)
{
	struct json_writer w = json_writer_on(out);
	char text[DAY_TEXT];

	jw_object(&w);
	jw_kstring(&w, "policy_id", p->policy_id);
	jw_kstring(&w, "version", p->version);
	jw_kstring(&w, "effective_from", day_text(p->effective_from, text));
	jw_kstring(&w, "industry", p->industry);
	jw_kbool(&w, "example", p->example);
	write_admission(&w, &p->admission);
	write_counting(&w, &p->counting);
	decisions_policy_write(&w, &p->decisions);
	for (int s = 0; s < STAGES; s++) {
		jw_key(&w, stage_name((enum stage)s));
		jw_object(&w);
		jw_kint(&w, "months", p->stages[s].months);
		jw_key(&w, "requires");
		requirement_write(&w, &p->stages[s].requires);
		jw_object_end(&w);
	}
	jw_object_end(&w);
}
