#include "tests/unit/rules_support.h"

#include "model/rules/admission.h"

static const char *const license[] = {"business_license"};

/* Everything as it should be, on 2023-03-15. */
static struct admission_facts good_facts(void)
{
	return (struct admission_facts){.service_categories = 1U << SERVICE_PRACTICAL_ASSISTANCE,
	                                .documents = license,
	                                .document_count = 1,
	                                .today = day_at("2023-03-15"),
	                                .reapply_from = DAY_NONE};
}

static json_t *checks_of(const struct admission *a, enum lang lang)
{
	struct buf out = BUF_INIT(1 << 16);
	struct json_writer w = json_writer_on(&out);

	admission_checks_json(&w, a, lang);
	ck_assert(!out.failed);
	json_t *json = kept(json_loads(out.data, 0, NULL));
	buf_free(&out);
	return json;
}

START_TEST(all_checks_are_reported_when_met)
{
	struct admission_facts facts = good_facts();
	struct admission a;

	admission_check(policy_of(example_policy()), &facts, &a);
	ck_assert_uint_eq(a.unmet, 0);
	ck_assert(!a.not_configured);
	char *text = kept(json_dumps(checks_of(&a, LANG_EN), JSON_COMPACT));
	ck_assert_str_eq(text, "[{\"code\":\"service_category\",\"clause\":\"2\",\"met\":true,\"detail\":\"Met.\"},"
	                       "{\"code\":\"cooldown\",\"clause\":\"5\",\"met\":true,\"detail\":\"Met.\"},"
	                       "{\"code\":\"documents\",\"clause\":\"2\",\"met\":true,\"detail\":\"Met.\"},"
	                       "{\"code\":\"open_application\",\"clause\":\"2\",\"met\":true,\"detail\":\"Met.\"}]");
}
END_TEST

START_TEST(every_unmet_check_is_reported_not_the_first)
{
	struct admission_facts facts = {.service_categories = 1U << SERVICE_MALL,
	                                .today = day_at("2023-09-30"),
	                                .reapply_from = day_at("2023-10-01"),
	                                .reapply_cause = "revoked",
	                                .open_application = "app_1"};
	struct admission a;

	admission_check(policy_of(example_policy()), &facts, &a);
	ck_assert_uint_eq(a.unmet, 4);
	json_t *checks = checks_of(&a, LANG_EN);
	for (size_t i = 0; i < ADMISSION_CHECKS; i++)
		ck_assert(!a.checks[i].met && json_is_false(json_object_get(json_array_get(checks, i), "met")));
	ck_assert_ptr_nonnull(strstr(text_at(checks, "0/detail"), "practical_assistance"));
	ck_assert_ptr_nonnull(strstr(text_at(checks, "1/detail"), "2023-10-01"));
	ck_assert_ptr_nonnull(strstr(text_at(checks, "1/detail"), "revoked"));
	ck_assert_ptr_nonnull(strstr(text_at(checks, "2/detail"), "business_license"));
	ck_assert_ptr_nonnull(strstr(text_at(checks, "3/detail"), "app_1"));
	ck_assert_ptr_nonnull(strstr(text_at(checks_of(&a, LANG_ZH), "1/detail"), "2023-10-01 之前"));
}
END_TEST

/* Clause 2: practical assistance, alone or with mall; mall alone cannot be certified. */
START_TEST(mall_alone_cannot_be_certified)
{
	static const struct {
		unsigned has;
		bool met;
	} cases[] = {{1U << SERVICE_PRACTICAL_ASSISTANCE, true},
	             {1U << SERVICE_PRACTICAL_ASSISTANCE | 1U << SERVICE_MALL, true},
	             {1U << SERVICE_MALL, false},
	             {0, false}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct admission_facts facts = good_facts();
		struct admission a;

		facts.service_categories = cases[i].has;
		admission_check(policy_of(example_policy()), &facts, &a);
		ck_assert(a.checks[CHECK_SERVICE_CATEGORY].met == cases[i].met);
		ck_assert_uint_eq(a.unmet, cases[i].met ? 0 : 1);
	}
}
END_TEST

START_TEST(every_category_that_the_policy_lists_is_needed)
{
	json_t *json = example_policy();
	put(json, "admission/service_categories", json_of("['practical_assistance', 'mall']"));
	struct admission_facts facts = good_facts();
	struct admission a;

	facts.service_categories = 0;
	admission_check(policy_of(json), &facts, &a);
	ck_assert_str_eq(a.checks[CHECK_SERVICE_CATEGORY].args[0], "practical_assistance, mall");
}
END_TEST

/* Clause 5: 180 days from the cancellation; applied for again on the day it says. */
START_TEST(the_cool_down_ends_on_its_day)
{
	const struct policy *policy = policy_of(example_policy());
	day from = reapply_from_revoked(policy, day_at("2023-10-01"));
	static const struct {
		const char *today;
		bool met;
	} cases[] = {{"2023-10-01", false}, {"2024-03-28", false}, {"2024-03-29", true}, {"2024-03-30", true}, {"2025-01-01", true}};

	ck_assert_int_eq(from, day_at("2024-03-29")); /* 180 days later */
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct admission_facts facts = good_facts();
		struct admission a;

		facts.today = day_at(cases[i].today);
		facts.reapply_from = from;
		admission_check(policy, &facts, &a);
		ck_assert_msg(a.checks[CHECK_COOLDOWN].met == cases[i].met, "%s", cases[i].today);
	}
	ck_assert_int_eq(reapply_from_trial_failed(policy, day_at("2023-07-01")), DAY_NONE); /* at once (D) */

	json_t *json = example_policy();
	put(json, "admission/trial_failed_cooldown_days", json_integer(30));
	put(json, "admission/reapply_cooldown_days", json_integer(0));
	ck_assert_int_eq(reapply_from_trial_failed(policy_of(json), day_at("2023-07-01")), day_at("2023-07-31"));
	ck_assert_int_eq(reapply_from_revoked(policy_of(json), day_at("2023-07-01")), DAY_NONE);
}
END_TEST

/* Day 179 is refused; day 180 is open; and a waiver is named only while there is a cool-down to lift. */
START_TEST(a_waiver_lifts_the_cool_down_and_is_named)
{
	struct admission_facts facts = good_facts();
	struct admission a;

	facts.reapply_from = day_at("2024-03-29");
	facts.reapply_cause = "revoked";
	facts.waiver = "wvr_0123456789ab0123456789abcdef";
	facts.waiver_expires_on = day_at("2024-01-31");
	facts.today = day_at("2024-01-31");
	admission_check(policy_of(example_policy()), &facts, &a);
	ck_assert_uint_eq(a.unmet, 0);
	json_t *checks = checks_of(&a, LANG_EN);
	ck_assert_str_eq(text_at(checks, "1/waiver_id"), "wvr_0123456789ab0123456789abcdef");
	ck_assert_str_eq(text_at(checks, "1/detail"), "The waiver wvr_0123456789ab0123456789abcdef lifts the cool-down that lasts "
	                                              "until 2024-03-29; it holds through 2024-01-31.");
	ck_assert_ptr_null(json_object_get(json_array_get(checks, 0), "waiver_id"));

	facts.today = day_at("2024-03-29");
	admission_check(policy_of(example_policy()), &facts, &a);
	ck_assert_ptr_null(json_object_get(json_array_get(checks_of(&a, LANG_EN), 1), "waiver_id"));
	ck_assert_int_eq(a.checks[CHECK_COOLDOWN].detail, CODE_CHECK_MET);
}
END_TEST

START_TEST(each_missing_document_is_named)
{
	static const char *const some[] = {"b", "other", "b"};
	json_t *json = example_policy();
	put(json, "admission/documents", json_of("['a', 'b', 'c']"));
	struct admission_facts facts = good_facts();
	struct admission a;

	facts.documents = some;
	facts.document_count = 3;
	admission_check(policy_of(json), &facts, &a);
	ck_assert_str_eq(a.checks[CHECK_DOCUMENTS].args[0], "a, c");
	ck_assert_uint_eq(a.unmet, 1);

	put(json, "admission/documents", json_array()); /* none are needed */
	facts.document_count = 0;
	admission_check(policy_of(json), &facts, &a);
	ck_assert_uint_eq(a.unmet, 0);
}
END_TEST

START_TEST(all_documents_that_a_policy_may_ask_for_can_be_missing)
{
	json_t *kinds = json_array();
	for (int i = 0; i < POLICY_DOCUMENTS_MAX; i++) {
		char kind[POLICY_WORD_MAX + 1] = "d00_";

		memset(kind + 4, '0', POLICY_WORD_MAX - 4);
		kind[1] = (char)('0' + i / 10);
		kind[2] = (char)('0' + i % 10);
		json_array_append_new(kinds, json_string(kind));
	}
	json_t *json = example_policy();
	put(json, "admission/documents", kinds);
	struct admission_facts facts = good_facts();
	struct admission a;

	admission_check(policy_of(json), &facts, &a);
	ck_assert_uint_eq(strlen(a.missing), POLICY_DOCUMENTS_MAX * (POLICY_WORD_MAX + 2) - 2);
	ck_assert_ptr_nonnull(strstr(text_at(checks_of(&a, LANG_ZH), "2/detail"), "d49_"));
}
END_TEST

START_TEST(unset_documents_are_not_configured)
{
	json_t *json = example_policy();
	put(json, "admission/documents", json_null());
	struct admission_facts facts = good_facts();
	struct admission a;

	admission_check(policy_of(json), &facts, &a);
	ck_assert(a.not_configured);
	ck_assert_uint_eq(a.unmet, 1);
	ck_assert_int_eq(a.checks[CHECK_DOCUMENTS].detail, CODE_NOT_CONFIGURED);
	ck_assert_str_eq(a.checks[CHECK_DOCUMENTS].args[0], "antiques-art@2023-04-26");
}
END_TEST

CHECK_MAIN("rules_admission", all_checks_are_reported_when_met, every_unmet_check_is_reported_not_the_first,
           mall_alone_cannot_be_certified, every_category_that_the_policy_lists_is_needed, the_cool_down_ends_on_its_day,
           a_waiver_lifts_the_cool_down_and_is_named,
           each_missing_document_is_named, all_documents_that_a_policy_may_ask_for_can_be_missing,
           unset_documents_are_not_configured)
