#include "model/rules/policy_compare.h"
#include "model/rules/policy_warnings.h"
#include "tests/unit/rules_support.h"

/* The differences as a tree. */
static json_t *differences(json_t *from, json_t *to, enum lang lang)
{
	struct buf out = BUF_INIT(1 << 20);
	json_error_t error;
	size_t n = policy_compare(&out, policy_of(from), policy_of(to), lang);

	ck_assert(!out.failed);
	json_t *list = json_loads(out.data, JSON_DECODE_ANY, &error);
	ck_assert_msg(list != NULL, "%s in %s", error.text, out.data);
	ck_assert_uint_eq(n, json_array_size(list));
	buf_free(&out);
	return kept(list);
}

/* "pointer change from to" of each, one a line. */
static const char *in_short(json_t *list)
{
	struct buf out = BUF_INIT(1 << 20);
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		char *from = json_dumps(look(one, "from"), JSON_ENCODE_ANY | JSON_COMPACT);
		char *to = json_dumps(look(one, "to"), JSON_ENCODE_ANY | JSON_COMPACT);

		buf_printf(&out, "%s %s %s %s\n", json_string_value(look(one, "pointer")),
		           json_string_value(look(one, "change")), from, to);
		free(from);
		free(to);
	}
	return out.data ? kept(buf_take(&out)) : "";
}

static const char *detail(json_t *list, size_t i)
{
	return json_string_value(look(json_array_get(list, i), "detail"));
}

START_TEST(a_policy_is_the_same_as_itself_whatever_it_is_called)
{
	json_t *other = example_policy();

	put(other, "version", json_string("2"));
	ck_assert_str_eq(in_short(differences(example_policy(), other, LANG_EN)), "");
}
END_TEST

START_TEST(each_member_is_compared)
{
	json_t *to = json_of(
	        "{'policy_id':'p','version':'2','effective_from':'2024-01-01','industry':'tea','example':false,"
	        "'admission':{'service_categories':['practical_assistance','mall'],'deposit_fen':null,'documents':[],"
	        "'reapply_cooldown_days':90,'trial_failed_cooldown_days':30,'deposit_due_days':10,'refund_request_days':14},"
	        "'counting':{'repeat_window_months':12,'repeat_scope':'any','store_statuses':['normal','suspended'],"
	        "'require_bound_at_evaluation':false,'gmv_window':'since_binding'},"
	        "'decisions':{'reopen_days':400,'appeal_days':30,'appeal_answer_days':0},"
	        "'trial':{'months':2},'regular':{'months':6}}");
	put(to, "trial/requires", json_deep_copy(look(example_policy(), "trial/requires")));
	put(to, "regular/requires", json_deep_copy(look(example_policy(), "regular/requires")));
	ck_assert_str_eq(
	        in_short(differences(example_policy(), to, LANG_EN)),
	        "/effective_from changed \"2023-04-26\" \"2024-01-01\"\n"
	        "/industry changed \"antiques_art\" \"tea\"\n"
	        "/example changed true false\n"
	        "/admission/service_categories changed [\"practical_assistance\"] [\"practical_assistance\",\"mall\"]\n"
	        "/admission/deposit_fen changed 2000000 null\n"
	        "/admission/documents changed [\"business_license\"] []\n"
	        "/admission/reapply_cooldown_days changed 180 90\n"
	        "/admission/trial_failed_cooldown_days changed 0 30\n"
	        "/admission/deposit_due_days changed null 10\n"
	        "/admission/refund_request_days changed null 14\n"
	        "/counting/repeat_window_months changed 6 12\n"
	        "/counting/repeat_scope changed \"provider\" \"any\"\n"
	        "/counting/store_statuses changed [\"normal\"] [\"normal\",\"suspended\"]\n"
	        "/counting/require_bound_at_evaluation changed true false\n"
	        "/counting/gmv_window changed \"period\" \"since_binding\"\n"
	        "/decisions/reopen_days changed null 400\n"
	        "/decisions/appeal_days changed null 30\n"
	        "/decisions/appeal_answer_days changed null 0\n"
	        "/trial/months changed 3 2\n"
	        "/regular/months changed 3 6\n");
	json_t *said = differences(example_policy(), to, LANG_EN);
	ck_assert_str_eq(detail(said, 4), "The deposit (clause 4.1) is not set, where it was 20,000.00 CNY.");
	ck_assert_str_eq(detail(said, 5), "Documents that an application needs: none, where it was business_license.");
	said = differences(example_policy(), to, LANG_ZH);
	ck_assert_str_eq(detail(said, 4), "保证金(条款 4.1)由 20,000.00 元 变为 未设置。");
}
END_TEST

START_TEST(thresholds_are_said_in_their_unit_and_place)
{
	json_t *to = example_policy();

	put(to, "trial/requires/all/0/any/0/all/0/at_least", json_integer(8));
	put(to, "trial/requires/all/0/any/0/all/1/at_least", json_integer(6000000));
	put(to, "regular/requires/any/1/all/2/at_least_bps", json_integer(1250));
	put(to, "regular/requires/any/1/all/2/clause", json_string("3.9"));
	json_t *list = differences(example_policy(), to, LANG_EN);
	ck_assert_str_eq(in_short(list), "/trial/requires/all/0/any/0/all/0/at_least changed 10 8\n"
	                                 "/trial/requires/all/0/any/0/all/1/at_least changed 5000000 6000000\n"
	                                 "/regular/requires/any/1/all/2/at_least_bps changed 1000 1250\n"
	                                 "/regular/requires/any/1/all/2/clause changed \"3.4\" \"3.9\"\n");
	ck_assert_str_eq(detail(list, 0), "trial / assessment / metric_1 / new stores: at least 8, where it was 10.");
	ck_assert_str_eq(
	        detail(list, 1),
	        "trial / assessment / metric_1 / GMV of new stores: at least 60,000.00 CNY, where it was 50,000.00 CNY.");
	ck_assert_str_eq(
	        detail(list, 2),
	        "regular period / metric_2 / growth of orders over the month before: at least 12.50 %, where it was 10.00 %.");
	ck_assert_str_eq(detail(differences(example_policy(), to, LANG_ZH), 0),
	                 "试跑 / assessment / metric_1 / 新增店铺数:至少 8(原为 10)。");
}
END_TEST

START_TEST(nodes_are_found_where_they_went)
{
	json_t *to = example_policy();
	json_t *any = look(to, "trial/requires/all/0/any");

	ck_assert_int_eq(json_array_append_new(any, json_incref(json_array_get(any, 0))), 0); /* metric_1 after metric_2 */
	ck_assert_int_eq(json_array_remove(any, 0), 0);
	put(to, "trial/requires/all/0/any/1/all/1", json_of("{'measure':'exam_passes','at_least':3,'clause':'3.2'}"));
	put(to, "trial/requires/all/1", json_of("{'name':'extra','any':[{'measure':'new_stores','at_least':1,'clause':'9'}]}"));
	json_t *list = differences(example_policy(), to, LANG_EN);
	ck_assert_str_eq(
	        in_short(list),
	        "/trial/requires/all/0/any/1/all/1 added null {\"measure\":\"exam_passes\",\"at_least\":3,\"clause\":\"3.2\"}\n"
	        "/trial/requires/all/0/any/0/all/1 removed "
	        "{\"measure\":\"new_store_gmv_fen\",\"at_least\":5000000,\"clause\":\"3.2\"} null\n"
	        "/trial/requires/all/0 reordered [\"metric_1\",\"metric_2\"] [\"metric_2\",\"metric_1\"]\n"
	        "/trial/requires/all/1 added null "
	        "{\"name\":\"extra\",\"any\":[{\"measure\":\"new_stores\",\"at_least\":1,\"clause\":\"9\"}]}\n"
	        "/trial/requires/all/1 removed {\"measure\":\"exam_passes\",\"at_least\":2,\"clause\":\"3.2\"} null\n");
	ck_assert_str_eq(
	        detail(list, 0),
	        "trial / assessment / metric_1 / people who passed the exam: at least 3 is required, where nothing was.");
	ck_assert_str_eq(detail(list, 1),
	                 "trial / assessment / metric_1 / GMV of new stores: at least 50,000.00 CNY is not required any more.");
	ck_assert_str_eq(detail(list, 3), "trial / extra: a group of conditions that was not there.");
}
END_TEST

START_TEST(all_and_any_are_told_apart)
{
	json_t *to = example_policy();
	json_t *members = json_incref(look(to, "trial/requires/all/0/any"));

	put(to, "trial/requires/all/0", json_of("{'name':'assessment'}"));
	put(to, "trial/requires/all/0/all", members);
	put(to, "regular/requires", json_of("{'measure':'new_stores','at_least':1,'clause':'3.3'}"));
	json_t *list = differences(example_policy(), to, LANG_EN);
	ck_assert_uint_eq(json_array_size(list), 3);
	ck_assert_str_eq(detail(list, 0), "trial / assessment: all of the members are needed, where any one sufficed.");
	ck_assert_str_eq(json_string_value(look(list, "1/change")), "added");
	ck_assert_str_eq(json_string_value(look(list, "2/change")), "removed");
	ck_assert_str_eq(json_string_value(look(list, "2/pointer")), "/regular/requires");
	ck_assert_str_eq(detail(differences(to, example_policy(), LANG_EN), 0),
	                 "trial / assessment: any one of the members suffices, where all were needed.");
}
END_TEST

/* ---- warnings ---- */

static const char *warnings(json_t *json, json_t *before, const char *today)
{
	struct faults list = {0};
	policy_warnings(policy_of(json), before ? policy_of(before) : NULL, day_at(today), &list);
	const char *text = faults_text(&list);
	faults_free(&list);
	return text;
}

START_TEST(what_should_be_seen_is_warned_of)
{
	json_t *json = example_policy();

	put(json, "example", NULL);
	ck_assert_str_eq(warnings(json, example_policy(), "2023-04-26"), "");
	put(json, "example", json_true());
	put(json, "admission", json_object());
	put(json, "trial/months", json_integer(2));
	put(json, "regular/requires/any/0/all/1/at_least", json_integer(0));
	put(json, "regular/requires/any/1/all/2/at_least_bps", json_integer(0)); /* no decline: not always met */
	const char *all = warnings(json, example_policy(), "2023-04-27");
	ck_assert_str_eq(all, "effective_in_past /effective_from\n"
	                      "example_policy /example\n"
	                      "deposit_unset /admission/deposit_fen\n"
	                      "documents_unset /admission/documents\n"
	                      "length_changes /trial/months\n"
	                      "threshold_always_met /regular/requires/any/0/all/1/at_least");
	ck_assert_ptr_null(strstr(warnings(json, NULL, "2023-04-26"), "length_changes"));
}
END_TEST

CHECK_MAIN("rules_policy_compare", a_policy_is_the_same_as_itself_whatever_it_is_called, each_member_is_compared,
           thresholds_are_said_in_their_unit_and_place, nodes_are_found_where_they_went, all_and_any_are_told_apart,
           what_should_be_seen_is_warned_of)
