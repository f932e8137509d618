#include "model/rules/policy_change.h"
#include "tests/unit/rules_support.h"

/* The value at `path` after the changes; NULL with *faults set to what is wrong. */
static json_t *changed(json_t *changes, const char *path, const char **wrong)
{
	struct faults faults = {0};
	struct policy *policy = policy_changed(policy_of(example_policy()), changes, "/changes", &faults);

	ck_assert(!policy == faults_any(&faults));
	*wrong = faults_text(&faults);
	faults_free(&faults);
	if (!policy)
		return NULL;
	struct buf text = BUF_INIT(1 << 20);
	policy_json(&text, policy);
	json_t *json = kept(json_loads(text.data, 0, NULL));
	buf_free(&text);
	policy_free(policy);
	return look(json, path);
}

static int64_t becomes(const char *changes, const char *path)
{
	const char *wrong;
	json_t *value = changed(json_of("%s", changes), path, &wrong);

	ck_assert_str_eq(wrong, "");
	return json_integer_value(value);
}

static const char *refused(const char *changes)
{
	const char *wrong;

	ck_assert_ptr_null(changed(json_of("%s", changes), "", &wrong));
	return wrong;
}

START_TEST(what_is_pointed_at_is_replaced)
{
	ck_assert_int_eq(becomes("[]", "trial/months"), 3);
	ck_assert_int_eq(becomes("[{'pointer':'/trial/months','value':2}]", "trial/months"), 2);
	ck_assert_int_eq(
	        becomes("[{'pointer':'/trial/months','value':2},{'pointer':'/trial/months','value':4}]", "trial/months"), 4);
	ck_assert_int_eq(becomes("[{'pointer':'/regular/requires/any/1/all/2/at_least_bps','value':5}]",
	                         "regular/requires/any/1/all/2/at_least_bps"),
	                 5);
	ck_assert_int_eq(becomes("[{'pointer':'/admission','value':{'deposit_fen':7}}]", "admission/deposit_fen"), 7);
	ck_assert_int_eq(becomes("[{'pointer':'/trial/requires','value':{'measure':'new_stores','at_least':1,'clause':'x'}},"
	                         "{'pointer':'/trial/requires/at_least','value':6}]",
	                         "trial/requires/at_least"),
	                 6);
}
END_TEST

START_TEST(the_policy_it_was_made_from_stays)
{
	struct policy *base = policy_of(example_policy());
	struct faults faults = {0};
	struct policy *policy = policy_changed(base, json_of("[{'pointer':'/trial/months','value':2}]"), "/changes", &faults);

	ck_assert_int_eq(policy->stages[STAGE_TRIAL].months, 2);
	ck_assert_int_eq(base->stages[STAGE_TRIAL].months, 3);
	policy_free(policy);
}
END_TEST

START_TEST(a_place_that_is_not_there_is_refused)
{
	ck_assert_str_eq(refused("[{'pointer':'trial','value':1}]"), "wrong_format /changes/0/pointer");
	ck_assert_str_eq(refused("[{'pointer':'/trial~2','value':1}]"), "wrong_format /changes/0/pointer");
	static const char *const nowhere[] = {"/no/where",
	                                      "/trial/requires/all/2",
	                                      "/trial/requires/all/00",
	                                      "/trial/requires/all/-",
	                                      "/trial/requires/all/x",
	                                      "/trial/months/1",
	                                      "/trial/requires/all/99999999999999999999/a"};
	for (size_t i = 0; i < COUNT(nowhere); i++) {
		char changes[256];

		(void)snprintf(changes, sizeof changes, "[{'pointer':'%s','value':1}]", nowhere[i]);
		ck_assert_msg(strcmp(refused(changes), "unknown_member /changes/0/pointer") == 0, "%s", nowhere[i]);
	}
}
END_TEST

START_TEST(what_is_wrong_is_told_at_the_change_that_it_is_about)
{
	ck_assert_str_eq(refused("[{'pointer':'/trial/months','value':13},{'pointer':'/admission','value':{'a~b':1}},"
	                         "{'pointer':'/a~1b','value':1}]"),
	                 "unknown_member /changes/2/value\n"
	                 "unknown_member /changes/1/value/a~0b\n"
	                 "number_out_of_range /changes/0/value");
	/* the longest pointer that it is below */
	ck_assert_str_eq(refused("[{'pointer':'/trial','value':{'requires':{'measure':'x','at_least':1,'clause':'c'}}},"
	                         "{'pointer':'/trial/requires/measure','value':'y'}]"),
	                 "invalid_value /changes/1/value");
	ck_assert_str_eq(refused("[{'pointer':'/trial','value':{}}]"), "missing /changes/0/value/requires");
	ck_assert_str_eq(refused("[{'value':1},3,{'pointer':'/x'}]"),
	                 "missing /changes/0/pointer\nwrong_type /changes/1\nmissing /changes/2/value");
}
END_TEST

CHECK_MAIN("rules_policy_change", what_is_pointed_at_is_replaced, the_policy_it_was_made_from_stays,
           a_place_that_is_not_there_is_refused, what_is_wrong_is_told_at_the_change_that_it_is_about)
