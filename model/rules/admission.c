#include "model/rules/admission.h"

#include <stdio.h>
#include <string.h>

static struct admission_check *check(struct admission *out, enum admission_check_kind kind)
{
	return &out->checks[kind];
}

/* Marks a check unmet, with why. */
static void refuse(struct admission *out, enum admission_check_kind kind, enum code detail, const char *first,
                   const char *second)
{
	struct admission_check *c = check(out, kind);

	c->met = false;
	c->detail = detail;
	c->args[0] = first;
	c->args[1] = second;
	out->unmet++;
}

/* Appends `item` to a list "a, b" that has room for all there may be. */
static void append(char *list, size_t size, const char *item)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, size - len, "%s%s", len ? ", " : "", item);
}

static void check_service_category(const struct policy *policy, const struct admission_facts *facts, struct admission *out)
{
	for (int c = 0; c < SERVICE_CATEGORIES; c++) {
		if (policy->admission.service_categories & ~facts->service_categories & 1U << c)
			append(out->missing_categories, sizeof out->missing_categories,
			       service_category_name((enum service_category)c));
	}
	if (out->missing_categories[0])
		refuse(out, CHECK_SERVICE_CATEGORY, CODE_SERVICE_CATEGORY_MISSING, out->missing_categories, NULL);
}

static void check_cooldown(const struct admission_facts *facts, struct admission *out)
{
	struct admission_check *c = check(out, CHECK_COOLDOWN);

	if (facts->reapply_from == DAY_NONE || facts->today >= facts->reapply_from)
		return;
	(void)day_text(facts->reapply_from, out->until);
	if (!facts->waiver) {
		refuse(out, CHECK_COOLDOWN, CODE_COOLING_DOWN, out->until, facts->reapply_cause ? facts->reapply_cause : "");
		return;
	}
	c->waiver = facts->waiver;
	c->detail = CODE_COOLDOWN_WAIVED;
	c->args[0] = facts->waiver;
	c->args[1] = out->until;
	c->args[2] = day_text(facts->waiver_expires_on, out->waived_through);
}

static bool is_submitted(const struct admission_facts *facts, const char *kind)
{
	for (size_t i = 0; i < facts->document_count; i++) {
		if (strcmp(facts->documents[i], kind) == 0)
			return true;
	}
	return false;
}

static void check_documents(const struct policy *policy, const struct admission_facts *facts, struct admission *out)
{
	if (!policy->admission.documents_configured) {
		out->not_configured = true;
		refuse(out, CHECK_DOCUMENTS, CODE_NOT_CONFIGURED, policy->ref, "admission.documents");
		return;
	}
	for (size_t i = 0; i < policy->admission.document_count; i++) {
		if (!is_submitted(facts, policy->admission.documents[i]))
			append(out->missing, sizeof out->missing, policy->admission.documents[i]);
	}
	if (out->missing[0])
		refuse(out, CHECK_DOCUMENTS, CODE_DOCUMENT_MISSING, out->missing, NULL);
}

void admission_check(const struct policy *policy, const struct admission_facts *facts, struct admission *out)
{
	*out = (struct admission){.checks = {
	                                  [CHECK_SERVICE_CATEGORY] = {"service_category", "2", true, CODE_CHECK_MET, {NULL}, NULL},
	                                  [CHECK_COOLDOWN] = {"cooldown", "5", true, CODE_CHECK_MET, {NULL}, NULL},
	                                  [CHECK_DOCUMENTS] = {"documents", "2", true, CODE_CHECK_MET, {NULL}, NULL},
	                                  [CHECK_OPEN_APPLICATION] = {"open_application", "2", true, CODE_CHECK_MET, {NULL}, NULL},
	                          }};
	check_service_category(policy, facts, out);
	check_cooldown(facts, out);
	check_documents(policy, facts, out);
	if (facts->open_application)
		refuse(out, CHECK_OPEN_APPLICATION, CODE_ALREADY_OPEN, facts->open_application, NULL);
}

void admission_checks_json(struct json_writer *w, const struct admission *a, enum lang lang)
{
	struct buf detail = BUF_INIT(ADMISSION_MISSING + 1024);

	jw_array(w);
	for (size_t i = 0; i < ADMISSION_CHECKS; i++) {
		const struct admission_check *c = &a->checks[i];

		buf_reset(&detail);
		code_detail(&detail, c->detail, lang, c->args, FAULT_ARGS);
		w->out->failed = w->out->failed || detail.failed;
		jw_object(w);
		jw_kstring(w, "code", c->code);
		jw_kstring(w, "clause", c->clause);
		jw_kbool(w, "met", c->met);
		jw_key(w, "detail");
		jw_string_n(w, detail.data ? detail.data : "", detail.len);
		if (c->waiver)
			jw_kstring(w, "waiver_id", c->waiver);
		jw_object_end(w);
	}
	jw_array_end(w);
	buf_free(&detail);
}

/* ---- cool-downs ---- */

static day after(day from, int32_t days)
{
	return days > 0 ? from + days : DAY_NONE;
}

day reapply_from_revoked(const struct policy *policy, day revoked_on)
{
	return after(revoked_on, policy->admission.reapply_cooldown_days);
}

day reapply_from_trial_failed(const struct policy *policy, day failed_on)
{
	return after(failed_on, policy->admission.trial_failed_cooldown_days);
}
