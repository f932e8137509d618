#include "tests/unit/rules_support.h"

/* What policy_read() says of a policy, as faults_text(); "" when it is taken. */
static const char *read_of(json_t *json)
{
	struct faults faults = {0};
	struct policy *policy = policy_read(json, "", &faults);
	const char *text = faults_text(&faults);

	ck_assert_msg(!policy == faults_any(&faults), "a policy or faults, not both: %s", text);
	policy_free(policy);
	faults_free(&faults);
	return text;
}

static char *canonical(const struct policy *policy)
{
	struct buf out = BUF_INIT(1 << 20);

	policy_json(&out, policy);
	ck_assert(!out.failed);
	return kept(buf_take(&out));
}

START_TEST(the_example_is_read_as_it_says)
{
	const struct policy *p = policy_of(example_policy());

	ck_assert_str_eq(p->ref, "antiques-art@2023-04-26");
	ck_assert_str_eq(p->industry, "antiques_art");
	ck_assert_int_eq(p->effective_from, day_at("2023-04-26"));
	ck_assert(p->example);
	ck_assert_uint_eq(p->admission.service_categories, 1U << SERVICE_PRACTICAL_ASSISTANCE);
	ck_assert(p->admission.deposit_configured && p->admission.deposit_fen == 2000000);
	ck_assert(p->admission.documents_configured && p->admission.document_count == 1);
	ck_assert_str_eq(p->admission.documents[0], "business_license");
	ck_assert_int_eq(p->admission.reapply_cooldown_days, 180);
	ck_assert_int_eq(p->admission.trial_failed_cooldown_days, 0);
	ck_assert_int_eq(p->stages[STAGE_TRIAL].months, 3);
	ck_assert_uint_eq(p->stages[STAGE_TRIAL].requires.len, 10);
	ck_assert_uint_eq(p->stages[STAGE_REGULAR].requires.len, 8);
	const struct node *nodes = p->stages[STAGE_TRIAL].requires.nodes;
	ck_assert(nodes[0].kind == NODE_ALL && nodes[0].end == 10 && !nodes[0].name);
	ck_assert(nodes[1].kind == NODE_ANY && nodes[1].end == 9);
	ck_assert_str_eq(nodes[1].name, "assessment");
	ck_assert(nodes[2].kind == NODE_ALL && nodes[2].end == 5);
	ck_assert(nodes[8].measure == MEASURE_MONTHLY_ORDER_GROWTH && nodes[8].at_least == 1000);
	ck_assert_str_eq(nodes[8].clause, "3.4");
	ck_assert(nodes[9].measure == MEASURE_EXAM_PASSES && nodes[9].end == 10);
}
END_TEST

/* What is not set is not written: a policy from before this was known keeps its bytes. */
START_TEST(how_long_decisions_can_be_argued_about)
{
	json_t *json = example_policy();
	const struct policy *p = policy_of(json);

	ck_assert(!p->decisions.reopen.configured && !p->decisions.appeal.configured && !p->decisions.appeal_answer.configured);
	ck_assert_ptr_null(strstr(canonical(p), "decisions"));
	put(json, "decisions", json_of("{'appeal_days': null}"));
	ck_assert_ptr_null(strstr(canonical(policy_of(json)), "decisions"));
	put(json, "decisions", json_of("{'appeal_answer_days': 30, 'reopen_days': 0}"));
	p = policy_of(json);
	ck_assert(p->decisions.reopen.configured && p->decisions.reopen.days == 0);
	ck_assert(p->decisions.appeal_answer.configured && p->decisions.appeal_answer.days == 30);
	ck_assert_ptr_nonnull(strstr(canonical(p), ",\"decisions\":{\"reopen_days\":0,\"appeal_answer_days\":30},\"trial\""));
}
END_TEST

/* rules.md's (D), and unset where the platform has told nothing. */
START_TEST(what_is_absent_has_the_rules_reading)
{
	json_t *json = example_policy();
	put(json, "counting", NULL);
	put(json, "admission", json_object());
	put(json, "example", NULL);
	put(json, "trial/months", NULL);
	const struct policy *p = policy_of(json);

	ck_assert_int_eq(p->counting.repeat_window_months, 6);
	ck_assert_int_eq(p->counting.repeat_scope, REPEAT_PROVIDER);
	ck_assert_uint_eq(p->counting.store_statuses, 1U << STORE_NORMAL);
	ck_assert(p->counting.require_bound_at_evaluation);
	ck_assert_int_eq(p->counting.gmv_window, GMV_PERIOD);
	ck_assert_uint_eq(p->admission.service_categories, 1U << SERVICE_PRACTICAL_ASSISTANCE);
	ck_assert(!p->admission.deposit_configured && !p->admission.documents_configured);
	ck_assert_int_eq(p->admission.reapply_cooldown_days, 180);
	ck_assert_int_eq(p->admission.trial_failed_cooldown_days, 0);
	ck_assert(!p->admission.deposit_due_configured && !p->admission.refund_request_configured);
	ck_assert_int_eq(p->stages[STAGE_TRIAL].months, 3);
	ck_assert(!p->example);
}
END_TEST

START_TEST(unset_is_not_zero_and_no_documents_are_not_unset)
{
	json_t *json = example_policy();
	put(json, "admission/deposit_fen", json_null());
	put(json, "admission/documents", json_null());
	const struct policy *unset = policy_of(json);
	ck_assert(!unset->admission.deposit_configured && !unset->admission.documents_configured);
	ck_assert_ptr_nonnull(strstr(canonical(unset), "\"deposit_fen\":null,\"documents\":null,"));

	json = example_policy();
	put(json, "admission/deposit_fen", json_integer(0));
	put(json, "admission/documents", json_array());
	const struct policy *none = policy_of(json);
	ck_assert(none->admission.deposit_configured && none->admission.documents_configured);
	ck_assert_ptr_nonnull(strstr(canonical(none), "\"deposit_fen\":0,\"documents\":[],"));
}
END_TEST

START_TEST(every_option_is_read_and_written)
{
	json_t *json = example_policy();
	put(json, "counting",
	    json_of("{'repeat_window_months': 0, 'repeat_scope': 'any', 'store_statuses': ['closed', 'normal', 'closing', "
	            "'suspended'],"
	            " 'require_bound_at_evaluation': false, 'gmv_window': 'since_binding'}"));
	put(json, "admission/service_categories", json_of("['mall', 'practical_assistance']"));
	put(json, "trial/months", json_integer(12));
	put(json, "regular/months", json_integer(1));
	const struct policy *p = policy_of(json);

	ck_assert_int_eq(p->counting.repeat_window_months, 0);
	ck_assert_int_eq(p->counting.repeat_scope, REPEAT_ANY);
	ck_assert_uint_eq(p->counting.store_statuses, 15);
	ck_assert(!p->counting.require_bound_at_evaluation);
	ck_assert_int_eq(p->counting.gmv_window, GMV_SINCE_BINDING);
	ck_assert_uint_eq(p->admission.service_categories, 3);
	ck_assert_ptr_nonnull(strstr(canonical(p),
	                             "\"counting\":{\"repeat_window_months\":0,\"repeat_scope\":\"any\",\"store_statuses\":"
	                             "[\"normal\",\"suspended\",\"closing\",\"closed\"],"
	                             "\"require_bound_at_evaluation\":false,\"gmv_window\":\"since_binding\"}"));
}
END_TEST

START_TEST(the_canonical_form_is_the_contracts_and_reads_back_the_same)
{
	json_t *json = example_policy();
	char *text = canonical(policy_of(json));
	char *members = kept(json_dumps(json, JSON_COMPACT)); /* jansson keeps the file's order, which is the contract's */

	ck_assert_str_eq(text, members);
	ck_assert_str_eq(canonical(policy_of(kept(json_loads(text, 0, NULL)))), text);
}
END_TEST

START_TEST(each_wrong_value_is_refused_at_its_place)
{
	static const struct {
		const char *path, *value, *said;
	} cases[] = {
	        {"policy_id", "''", "too_short /policy_id"},
	        {"policy_id", "'Antiques'", "wrong_format /policy_id"},
	        {"policy_id", "'a@b'", "wrong_format /policy_id"},
	        {"policy_id", "'-a'", "wrong_format /policy_id"},
	        {"policy_id", "7", "wrong_type /policy_id"},
	        {"policy_id", NULL, "missing /policy_id"},
	        {"version", "'.1'", "wrong_format /version"},
	        {"version", "'123456789012345678901234567890123'", "wrong_format /version"},
	        {"version", "'1/2'", "wrong_format /version"},
	        {"effective_from", "'2023-02-29'", "invalid_day /effective_from"},
	        {"effective_from", "null", "wrong_type /effective_from"},
	        {"industry", "'Antiques Art'", "wrong_format /industry"},
	        {"example", "'yes'", "wrong_type /example"},
	        {"note", "'x'", "unknown_member /note"},
	        {"admission", NULL, "missing /admission"},
	        {"admission", "[]", "wrong_type /admission"},
	        {"admission/deposit_fen", "-1", "number_out_of_range /admission/deposit_fen"},
	        {"admission/deposit_fen", "9007199254740992", "number_out_of_range /admission/deposit_fen"},
	        {"admission/deposit_fen", "1.5", "wrong_type /admission/deposit_fen"},
	        {"admission/deposit_fen", "'1'", "wrong_type /admission/deposit_fen"},
	        {"admission/documents", "['a', 'b', 'a']", "duplicate /admission/documents/2"},
	        {"admission/documents", "['a', 7, 'A']",
	         "wrong_type /admission/documents/1\nwrong_format /admission/documents/2"},
	        {"admission/service_categories", "[]", "too_short /admission/service_categories"},
	        {"admission/service_categories", "['shop']", "invalid_value /admission/service_categories/0"},
	        {"admission/service_categories", "['mall', 'mall']", "duplicate /admission/service_categories/1"},
	        {"admission/service_categories", "[1]", "wrong_type /admission/service_categories/0"},
	        {"admission/service_categories", "null", "wrong_type /admission/service_categories"},
	        {"admission/reapply_cooldown_days", "-1", "number_out_of_range /admission/reapply_cooldown_days"},
	        {"admission/reapply_cooldown_days", "3661", "number_out_of_range /admission/reapply_cooldown_days"},
	        {"admission/trial_failed_cooldown_days", "3661", "number_out_of_range /admission/trial_failed_cooldown_days"},
	        {"admission/deposit_due_days", "-1", "number_out_of_range /admission/deposit_due_days"},
	        {"admission/deposit_due_days", "3661", "number_out_of_range /admission/deposit_due_days"},
	        {"admission/refund_request_days", "'7'", "wrong_type /admission/refund_request_days"},
	        {"admission/fee", "1", "unknown_member /admission/fee"},
	        {"counting/repeat_window_months", "-1", "number_out_of_range /counting/repeat_window_months"},
	        {"counting/repeat_window_months", "121", "number_out_of_range /counting/repeat_window_months"},
	        {"counting/repeat_scope", "'all'", "invalid_value /counting/repeat_scope"},
	        {"counting/repeat_scope", "null", "wrong_type /counting/repeat_scope"},
	        {"counting/store_statuses", "[]", "too_short /counting/store_statuses"},
	        {"counting/store_statuses", "['open']", "invalid_value /counting/store_statuses/0"},
	        {"counting/require_bound_at_evaluation", "1", "wrong_type /counting/require_bound_at_evaluation"},
	        {"counting/gmv_window", "'all'", "invalid_value /counting/gmv_window"},
	        {"decisions", "[]", "wrong_type /decisions"},
	        {"decisions", "{'reopen_days': -1, 'appeal_days': 3661, 'appeal_answer_days': '7', 'days': 1}",
	         "number_out_of_range /decisions/reopen_days\nnumber_out_of_range /decisions/appeal_days\n"
	         "wrong_type /decisions/appeal_answer_days\nunknown_member /decisions/days"},
	        {"trial", NULL, "missing /trial"},
	        {"regular", NULL, "missing /regular"},
	        {"trial/months", "0", "number_out_of_range /trial/months"},
	        {"trial/months", "13", "number_out_of_range /trial/months"},
	        {"trial/months", "3.0", "wrong_type /trial/months"},
	        {"trial/weeks", "12", "unknown_member /trial/weeks"},
	        {"trial/requires", NULL, "missing /trial/requires"},
	        {"trial/requires", "[]", "wrong_type /trial/requires"},
	        {"trial/requires", "{}", "wrong_format /trial/requires"},
	        {"trial/requires/all", "[]", "too_short /trial/requires/all"},
	        {"trial/requires/all", "{}", "wrong_type /trial/requires/all"},
	        {"trial/requires/any", "[]", "unknown_member /trial/requires/any"},
	        {"trial/requires/all/1", "7", "wrong_type /trial/requires/all/1"},
	        {"trial/requires/all/1/measure", "'sales'", "invalid_value /trial/requires/all/1/measure"},
	        {"trial/requires/all/1/measure", "7", "wrong_type /trial/requires/all/1/measure"},
	        {"trial/requires/all/1/clause", NULL, "missing /trial/requires/all/1/clause"},
	        {"trial/requires/all/1/clause", "''", "too_short /trial/requires/all/1/clause"},
	        {"trial/requires/all/1/at_least", "-1", "number_out_of_range /trial/requires/all/1/at_least"},
	        {"trial/requires/all/1/at_least", "9007199254740992", "number_out_of_range /trial/requires/all/1/at_least"},
	        {"trial/requires/all/1/at_least", NULL, "missing /trial/requires/all/1/at_least"},
	        {"trial/requires/all/1/at_least_bps", "1", "unknown_member /trial/requires/all/1/at_least_bps"},
	        {"trial/requires/all/1/all", "[]", "unknown_member /trial/requires/all/1/all"},
	        {"trial/requires/all/1/name", "''", "too_short /trial/requires/all/1/name"},
	        {"trial/requires/all/0/any/1/all/2/at_least_bps", "1000001",
	         "number_out_of_range /trial/requires/all/0/any/1/all/2/at_least_bps"},
	        {"trial/requires/all/0/any/1/all/2/at_least", "10",
	         "unknown_member /trial/requires/all/0/any/1/all/2/at_least"},
	        {"regular/requires/any/0/all/0/at_least", "'10'", "wrong_type /regular/requires/any/0/all/0/at_least"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *json = example_policy();

		put(json, cases[i].path, cases[i].value ? json_of("%s", cases[i].value) : NULL);
		ck_assert_msg(strcmp(read_of(json), cases[i].said) == 0, "%s = %s: %s", cases[i].path,
		              cases[i].value ? cases[i].value : "(absent)", read_of(json));
	}
	ck_assert_str_eq(read_of(json_of("[]")), "wrong_type ");
}
END_TEST

START_TEST(every_problem_is_told_at_once)
{
	json_t *json = example_policy();
	put(json, "policy_id", NULL);
	put(json, "admission/deposit_fen", json_of("-1"));
	put(json, "admission/documents/0", json_of("'X'"));
	put(json, "counting/gmv_window", json_of("'x'"));
	put(json, "trial/months", json_of("13"));
	put(json, "trial/requires/all/0/any/0/all/0/measure", json_of("'x'"));
	put(json, "trial/requires/all/1/clause", NULL);
	put(json, "regular/requires/any/1/all/2/at_least_bps", json_of("-1"));
	ck_assert_str_eq(read_of(json), "missing /policy_id\n"
	                                "number_out_of_range /admission/deposit_fen\n"
	                                "wrong_format /admission/documents/0\n"
	                                "invalid_value /counting/gmv_window\n"
	                                "number_out_of_range /trial/months\n"
	                                "invalid_value /trial/requires/all/0/any/0/all/0/measure\n"
	                                "missing /trial/requires/all/1/clause\n"
	                                "number_out_of_range /regular/requires/any/1/all/2/at_least_bps");
}
END_TEST

/* `depth` nodes one below the other, the last one a criterion. */
static json_t *tower(int depth)
{
	json_t *node = json_of("{'measure': 'exam_passes', 'at_least': 2, 'clause': '3.2'}");

	for (int i = 1; i < depth; i++)
		node = json_pack("{s:[o]}", i % 2 ? "all" : "any", node);
	return node;
}

START_TEST(a_tree_is_at_most_8_deep_and_has_at_most_64_nodes)
{
	json_t *json = example_policy();
	put(json, "trial/requires", tower(8));
	ck_assert_str_eq(read_of(json), "");
	put(json, "trial/requires", tower(9));
	ck_assert_str_eq(read_of(json), "too_deep /trial/requires/any/0/all/0/any/0/all/0/any/0/all/0/any/0/all/0");

	json_t *members = json_array();
	for (int i = 0; i < 63; i++)
		json_array_append_new(members, tower(1));
	put(json, "trial/requires", json_pack("{s:o}", "any", members));
	ck_assert_str_eq(read_of(json), "");
	json_array_append_new(members, tower(1));
	ck_assert_str_eq(read_of(json), "too_long /trial/requires/any/63");
	json_array_append_new(members, tower(1));
	ck_assert_str_eq(read_of(json), "too_long /trial/requires/any/63"); /* once */
}
END_TEST

START_TEST(references_are_id_at_version)
{
	ck_assert(policy_ref_valid("antiques-art@2023-04-26"));
	ck_assert(policy_ref_valid("a@1.0-B"));
	static const char *const bad[] = {"",      "@",    "a@",   "@1",   "a",     "a@1@2", "A@1",
	                                  "a b@1", "a@1 ", "a@-1", "-a@1", "a_b@1", "a@1_2"};
	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(!policy_ref_valid(bad[i]), "%s", bad[i]);
}
END_TEST

CHECK_MAIN("rules_policy", the_example_is_read_as_it_says, how_long_decisions_can_be_argued_about, what_is_absent_has_the_rules_reading,
           unset_is_not_zero_and_no_documents_are_not_unset, every_option_is_read_and_written,
           the_canonical_form_is_the_contracts_and_reads_back_the_same, each_wrong_value_is_refused_at_its_place,
           every_problem_is_told_at_once, a_tree_is_at_most_8_deep_and_has_at_most_64_nodes, references_are_id_at_version)
