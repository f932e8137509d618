#include "tests/unit/rules_support.h"

static json_t *request_with(const char *path, const char *value)
{
	json_t *request = trial_request("2023-06-30");

	add_stores(request, 2);
	add_day(look(request, "stores/0"), "2023-04-03", 120, 356000);
	if (path)
		put(request, path, value ? json_of("%s", value) : NULL);
	return request;
}

START_TEST(each_wrong_value_is_refused_at_its_place)
{
	static const struct {
		const char *path, *value, *said;
	} cases[] = {
	        {"policies", NULL, "missing /policies"},
	        {"policies", "[]", "too_short /policies"},
	        {"policies", "{}", "wrong_type /policies"},
	        {"policies/0", "7", "wrong_type /policies/0"},
	        {"policies/0", "'antiques-art'", "wrong_format /policies/0"},
	        {"policies/0", "'antiques-art@2023-04-26'", "unknown_policy /policies/0"},
	        {"policies/0/trial/months", "13", "number_out_of_range /policies/0/trial/months"},
	        {"policies/0/extra", "1", "unknown_member /policies/0/extra"},
	        {"stage", NULL, "missing /stage"},
	        {"stage", "'probation'", "invalid_value /stage"},
	        {"period_start", "'2023-04-02'", "not_a_month_start /period_start"},
	        {"period_start", "'2023-04-31'", "invalid_day /period_start"},
	        {"period_start", NULL, "missing /period_start"},
	        {"as_of", "'2023-03-31'", "must_be_before /as_of"},
	        {"as_of", "20230630", "wrong_type /as_of"},
	        {"as_of", "null", "wrong_type /as_of"},
	        {"provider", NULL, "missing /provider"},
	        {"provider/region", "'420001'", "wrong_format /provider/region"},
	        {"provider/region", "420000", "wrong_type /provider/region"},
	        {"provider/industry", "''", "too_short /provider/industry"},
	        {"provider/name", "'x'", "unknown_member /provider/name"},
	        {"exam_passes/0/person_id", "7", "wrong_type /exam_passes/0/person_id"},
	        {"exam_passes/1/passed_on", "'2023-02-30'", "invalid_day /exam_passes/1/passed_on"},
	        {"exam_passes/1", "null", "wrong_type /exam_passes/1"},
	        {"exam_passes", "null", "wrong_type /exam_passes"},
	        {"stores", NULL, "missing /stores"},
	        {"stores", "{}", "wrong_type /stores"},
	        {"stores/1", "[]", "wrong_type /stores/1"},
	        {"stores/1/store_id", "'s-1'", "duplicate /stores/1/store_id"},
	        {"stores/1/store_id", NULL, "missing /stores/1/store_id"},
	        {"stores/1/registered_region", "'42010'", "wrong_format /stores/1/registered_region"},
	        {"stores/1/registered_region", "null", "wrong_type /stores/1/registered_region"},
	        {"stores/1/ship_from_regions/0", "'x'", "wrong_format /stores/1/ship_from_regions/0"},
	        {"stores/1/ship_from_regions/0", "420100", "wrong_type /stores/1/ship_from_regions/0"},
	        {"stores/1/ship_from_regions", NULL, "missing /stores/1/ship_from_regions"},
	        {"stores/1/industry", NULL, "missing /stores/1/industry"},
	        {"stores/1/category", "7", "wrong_type /stores/1/category"},
	        {"stores/1/status", "'open'", "invalid_value /stores/1/status"},
	        {"stores/1/status", "null", "wrong_type /stores/1/status"},
	        {"stores/1/bindings", NULL, "missing /stores/1/bindings"},
	        {"stores/1/bindings/0/by", "'me'", "invalid_value /stores/1/bindings/0/by"},
	        {"stores/1/bindings/0/by", NULL, "missing /stores/1/bindings/0/by"},
	        {"stores/1/bindings/0/bound_on", "null", "wrong_type /stores/1/bindings/0/bound_on"},
	        {"stores/1/bindings/0/unbound_on", "'2023-04-02'", "must_be_before /stores/1/bindings/0/unbound_on"},
	        {"stores/1/bindings/0/note", "''", "unknown_member /stores/1/bindings/0/note"},
	        {"stores/0/days/0/orders", "-1", "number_out_of_range /stores/0/days/0/orders"},
	        {"stores/0/days/0/orders", "1.0", "wrong_type /stores/0/days/0/orders"},
	        {"stores/0/days/0/gmv_fen", "9007199254740992", "number_out_of_range /stores/0/days/0/gmv_fen"},
	        {"stores/0/days/0/gmv_fen", NULL, "missing /stores/0/days/0/gmv_fen"},
	        {"stores/0/days/0/day", "'1989-12-31'", "invalid_day /stores/0/days/0/day"},
	        {"stores/0/days/0/gmv", "1", "unknown_member /stores/0/days/0/gmv"},
	        {"stores/0/days/0", "null", "wrong_type /stores/0/days/0"},
	        {"stores/0/days", "null", "wrong_type /stores/0/days"},
	        {"stores/0/unlisted", "'yes'", "wrong_type /stores/0/unlisted"},
	        {"stores/1/days/0", "{'day': '2023-04-03', 'orders': 1, 'gmv_fen': 1}", ""},
	        {"note", "'x'", "unknown_member /note"},
	        {"exam_passes", NULL, ""},
	        {"stores/0/days", NULL, ""},
	        {"stores/0/bindings/0/unbound_on", NULL, ""},
	        {"stores/0/bindings/0/unbound_on", "'2023-04-03'", ""}, /* of no days */
	        {"stores", "[]", ""},
	        {NULL, NULL, ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		ck_assert_msg(strcmp(refusals(request_with(cases[i].path, cases[i].value)), cases[i].said) == 0, "%s = %s: %s",
		              cases[i].path, cases[i].value ? cases[i].value : "(absent)",
		              refusals(request_with(cases[i].path, cases[i].value)));
	ck_assert_str_eq(refusals(json_of("7")), "wrong_type ");
	ck_assert_str_eq(refusals(json_of("{}")), "missing /policies\nmissing /stage\nmissing /period_start\nmissing /as_of\n"
	                                          "missing /provider\nmissing /stores");
}
END_TEST

START_TEST(every_problem_is_told_at_once)
{
	json_t *request = request_with(NULL, NULL);

	put(request, "as_of", json_string("2023-03-01"));
	put(request, "policies/0/trial/months", json_integer(0));
	put(request, "provider/region", json_string("x"));
	put(request, "exam_passes/0/passed_on", json_string("x"));
	put(request, "stores/0/status", json_string("x"));
	put(request, "stores/0/days/0/orders", json_integer(-1));
	put(request, "stores/1/store_id", json_string("s-1"));
	ck_assert_str_eq(refusals(request), "number_out_of_range /policies/0/trial/months\n"
	                                    "must_be_before /as_of\n"
	                                    "wrong_format /provider/region\n"
	                                    "invalid_day /exam_passes/0/passed_on\n"
	                                    "invalid_value /stores/0/status\n"
	                                    "number_out_of_range /stores/0/days/0/orders\n"
	                                    "duplicate /stores/1/store_id");
}
END_TEST

START_TEST(what_is_given_twice_is_refused)
{
	/* out of order, so that it takes sorting to see it */
	json_t *request = request_with("stores/1/days", "[{'day': '2023-05-02', 'orders': 1, 'gmv_fen': 1},"
	                                                " {'day': '2023-05-01', 'orders': 1, 'gmv_fen': 1},"
	                                                " {'day': '2023-05-02', 'orders': 1, 'gmv_fen': 1},"
	                                                " {'day': '2023-05-03', 'orders': 1, 'gmv_fen': 1},"
	                                                " {'day': '2023-05-02', 'orders': 2, 'gmv_fen': 1}]");
	ck_assert_str_eq(refusals(request), "given_twice /stores/1/days/2\ngiven_twice /stores/1/days/4");

	request = request_with("stores/1/months", "[{'month': '2023-05', 'orders': 1, 'gmv_fen': 1},"
	                                          " {'month': '2023-05', 'orders': 1, 'gmv_fen': 1}]");
	ck_assert_str_eq(refusals(request), "given_twice /stores/1/months/1");

	request = request_with("policies/1", "{}");
	put(request, "policies/1", example_policy());
	ck_assert_str_eq(refusals(request), "given_twice /policies/1");

	/* three stores of one name, apart from each other */
	request = request_with("stores/2", "{}");
	put(request, "stores/2", store_of("s-1", "2023-04-01"));
	put(request, "stores/3", store_of("s-1", "2023-04-01"));
	ck_assert_str_eq(refusals(request), "duplicate /stores/2/store_id\nduplicate /stores/3/store_id");

	/* the same person twice on one day says nothing new */
	request =
	        request_with("exam_passes",
	                     "[{'person_id': 'p', 'passed_on': '2023-04-20'}, {'person_id': 'p', 'passed_on': '2023-04-20'}]");
	ck_assert_str_eq(refusals(request), "");
}
END_TEST

START_TEST(own_bindings_do_not_overlap)
{
	static const struct {
		const char *bindings, *said;
	} cases[] = {
	        {"[{'by': 'self', 'bound_on': '2023-04-01'}, {'by': 'self', 'bound_on': '2023-05-01'}]",
	         "overlaps /stores/1/bindings/1"},
	        {"[{'by': 'self', 'bound_on': '2023-05-01'}, {'by': 'self', 'bound_on': '2023-04-01'}]",
	         "overlaps /stores/1/bindings/0"},
	        {"[{'by': 'self', 'bound_on': '2023-05-01'}, {'by': 'self', 'bound_on': '2023-04-01', 'unbound_on': "
	         "'2023-05-01'}]",
	         ""},
	        {"[{'by': 'self', 'bound_on': '2023-05-01'}, {'by': 'self', 'bound_on': '2023-04-01', 'unbound_on': "
	         "'2023-05-02'}]",
	         "overlaps /stores/1/bindings/0"},
	        {"[{'by': 'self', 'bound_on': '2023-04-01'}, {'by': 'self', 'bound_on': '2023-04-01'}]",
	         "overlaps /stores/1/bindings/1"},
	        {"[{'by': 'self', 'bound_on': '2023-04-01'}, {'by': 'other', 'bound_on': '2023-04-01'}]", ""},
	        {"[{'by': 'other', 'bound_on': '2023-04-01'}, {'by': 'other', 'bound_on': '2023-04-01'}]", ""},
	        /* one of no days has no day in common with any */
	        {"[{'by': 'self', 'bound_on': '2023-04-01'}, {'by': 'self', 'bound_on': '2023-05-01', 'unbound_on': "
	         "'2023-05-01'}]",
	         ""},
	        /* a long one over two that follow each other */
	        {"[{'by': 'self', 'bound_on': '2023-01-01', 'unbound_on': '2023-12-31'}, {'by': 'self', 'bound_on': "
	         "'2023-02-01', 'unbound_on': '2023-03-01'},"
	         " {'by': 'self', 'bound_on': '2023-04-01', 'unbound_on': '2023-05-01'}]",
	         "overlaps /stores/1/bindings/1\noverlaps /stores/1/bindings/2"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *request = request_with("stores/1/bindings", cases[i].bindings);
		ck_assert_msg(strcmp(refusals(request), cases[i].said) == 0, "%s: %s", cases[i].bindings, refusals(request));
	}
}
END_TEST

/* A month's total stands for its days when the month is over and no own binding begins or ends inside it. */
START_TEST(months_stand_for_days_only_where_they_say_the_same)
{
	static const struct {
		const char *month, *as_of, *bindings, *said;
	} cases[] = {
	        {"2023-04", "2023-06-30", "[{'by': 'self', 'bound_on': '2023-04-01'}]", ""},
	        {"2023-04", "2023-06-30", "[{'by': 'self', 'bound_on': '2023-04-02'}]", "month_not_whole /stores/1/months/0"},
	        {"2023-04", "2023-06-30", "[{'by': 'self', 'bound_on': '2023-04-30'}]", "month_not_whole /stores/1/months/0"},
	        {"2023-04", "2023-06-30", "[{'by': 'self', 'bound_on': '2023-05-01'}]", ""},
	        {"2023-04", "2023-06-30", "[{'by': 'self', 'bound_on': '2020-01-01', 'unbound_on': '2023-04-01'}]", ""},
	        {"2023-04", "2023-06-30", "[{'by': 'self', 'bound_on': '2020-01-01', 'unbound_on': '2023-04-02'}]",
	         "month_not_whole /stores/1/months/0"},
	        {"2023-04", "2023-06-30", "[{'by': 'self', 'bound_on': '2020-01-01', 'unbound_on': '2023-05-01'}]", ""},
	        {"2023-04", "2023-06-30", "[{'by': 'other', 'bound_on': '2023-04-02'}]", ""},
	        {"2023-04", "2023-04-30", "[]", ""},
	        {"2023-04", "2023-04-29", "[]", "month_not_whole /stores/1/months/0"},
	        {"2023-06", "2023-07-30", "[]", ""},
	        {"2023-07", "2023-07-31", "[]", "month_not_whole /stores/1/months/0"}, /* after the period's end */
	        {"2023-03", "2023-06-30", "[{'by': 'self', 'bound_on': '2023-04-01'}]", ""}, /* before it: counts nothing */
	        {"2023-13", "2023-06-30", "[]", "wrong_format /stores/1/months/0/month"},
	        {"2023-4", "2023-06-30", "[]", "wrong_format /stores/1/months/0/month"},
	        {"2023-04-01", "2023-06-30", "[]", "wrong_format /stores/1/months/0/month"},
	        {"23-04", "2023-06-30", "[]", "wrong_format /stores/1/months/0/month"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *request = request_with("stores/1/bindings", cases[i].bindings);

		put(request, "as_of", json_string(cases[i].as_of));
		put(request, "stores/1/months", json_of("[{'month': '%s', 'orders': 5, 'gmv_fen': 7}]", cases[i].month));
		ck_assert_msg(strcmp(refusals(request), cases[i].said) == 0, "case %zu: %s", i, refusals(request));
	}

	json_t *request = request_with("stores/0/bindings/0/bound_on", "'2023-04-01'");
	put(request, "stores/0/months", json_of("[{'month': '2023-04', 'orders': 5, 'gmv_fen': 7}]"));
	ck_assert_str_eq(refusals(request), "given_twice /stores/0/days/0"); /* both ways */
	put(request, "stores/0/days/0/day", json_string("2023-05-01"));
	json_t *answer = evaluated(request);
	ck_assert_int_eq(number(answer, "policies/0/stores/0/monthly_orders/0"), 5);
	ck_assert_int_eq(number(answer, "policies/0/stores/0/gmv_fen"), 356007);
	/* before the binding: no orders, but the period's GMV */
	put(request, "stores/0/bindings/0/bound_on", json_string("2023-05-01"));
	answer = evaluated(request);
	ck_assert_int_eq(number(answer, "policies/0/stores/0/monthly_orders/0"), 0);
	ck_assert_int_eq(number(answer, "policies/0/stores/0/gmv_fen"), 356007);
	put(request, "policies/0/counting/gmv_window", json_string("since_binding"));
	ck_assert_int_eq(number(evaluated(request), "policies/0/stores/0/gmv_fen"), 356000);
}
END_TEST

START_TEST(an_unlisted_store_has_no_attributes)
{
	json_t *request = request_with("stores/0/unlisted", "true");

	ck_assert_str_eq(refusals(request),
	                 "unknown_member /stores/0/registered_region\nunknown_member /stores/0/ship_from_regions\n"
	                 "unknown_member /stores/0/industry\nunknown_member /stores/0/category\n"
	                 "unknown_member /stores/0/status");
	put(request, "stores/0/unlisted", json_false());
	ck_assert_str_eq(refusals(request), "");
}
END_TEST

START_TEST(the_policies_of_one_period_have_its_months)
{
	json_t *request = request_with("policies/1", "{}");
	json_t *other = example_policy();

	put(other, "version", json_string("2"));
	put(other, "regular/months", json_integer(6));
	put(request, "policies/1", other);
	ck_assert_str_eq(refusals(request), "");
	put(request, "stage", json_string("regular"));
	ck_assert_str_eq(refusals(request), "months_differ /policies/1");
}
END_TEST

/* ---- references ---- */

struct known {
	const struct policy *policy;
	int asked;
};

static const struct policy *find_known(void *arg, const char *ref)
{
	struct known *known = arg;

	known->asked++;
	return strcmp(ref, known->policy->ref) == 0 ? known->policy : NULL;
}

START_TEST(references_are_asked_of_the_source)
{
	struct known known = {.policy = policy_of(example_policy())};
	const struct policy_source source = {find_known, &known};
	json_t *request = request_with("policies", "['antiques-art@2023-04-26', 'antiques-art@1']");
	struct faults faults = {0};
	const char *refs[EVALUATION_POLICIES];

	ck_assert_uint_eq(evaluation_policy_refs(request, refs), 2);
	ck_assert_str_eq(refs[1], "antiques-art@1");
	ck_assert_ptr_null(evaluation_request_read(request, &source, &faults));
	ck_assert_str_eq(faults_text(&faults), "unknown_policy /policies/1");
	faults_free(&faults);

	put(request, "policies/1", NULL);
	struct evaluation_request *r = evaluation_request_read(request, &source, &faults);
	ck_assert_ptr_nonnull(r);
	ck_assert_ptr_eq(evaluation_request_input(r)->policies[0], known.policy);
	ck_assert_int_eq(known.asked, 3);
	evaluation_request_free(r);

	ck_assert_uint_eq(evaluation_policy_refs(json_of("{'policies': ['x', 7, {}, 'a@1']}"), refs), 1);
	ck_assert_uint_eq(evaluation_policy_refs(json_of("[]"), refs), 0);
	ck_assert_uint_eq(evaluation_policy_refs(json_of("{'policies': 7}"), refs), 0);
}
END_TEST

/* ---- what is written ---- */

static char *answer_text(const struct evaluation_input *in, enum evaluation_form form)
{
	struct evaluation e;
	struct buf out = BUF_INIT(1 << 20);

	ck_assert_int_eq(evaluate(in, &e), EVALUATION_OK);
	evaluation_json(&out, in, &e, form);
	evaluation_free(&e);
	ck_assert(!out.failed);
	return kept(buf_take(&out));
}

static char *evidence_text(const struct evaluation_input *in)
{
	struct buf out = BUF_INIT(1 << 20);

	evidence_json(&out, in);
	ck_assert(!out.failed);
	return kept(buf_take(&out));
}

/* The contract's example, whole: member for member, in its order. */
START_TEST(the_answer_is_the_contracts)
{
	json_t *request = trial_request("2023-06-30");
	add_stores(request, 10);
	for (size_t i = 0; i < 10; i++) {
		json_t *store = json_array_get(look(request, "stores"), i);

		add_day(store, "2023-04-03", 1000, 356000);
		add_day(store, "2023-05-03", 1100, 100000);
		add_day(store, "2023-06-03", 1210, 44000);
	}
	put(request, "policies/0/example", json_false());
	const struct evaluation_input *in = evaluation_request_input(request_of(request));
	char *text = answer_text(in, EVALUATION_WHOLE);
	static const char head[] =
	        "{\"outcome\":\"met\",\"final\":true,\"stage\":\"trial\",\"period\":{\"start\":\"2023-04-01\",\"end\":\"2023-"
	        "06-30\"},"
	        "\"as_of\":\"2023-06-30\",\"evaluated_on\":\"2023-06-30\","
	        "\"policies\":[{\"policy\":\"antiques-art@2023-04-26\",\"outcome\":\"met\","
	        "\"measures\":{\"new_stores\":10,\"new_store_gmv_fen\":5000000,\"monthly_orders\":[10000,11000,12100],\"exam_"
	        "passes\":2},"
	        "\"requirement\":{\"all\":[{\"name\":\"assessment\",\"any\":["
	        "{\"name\":\"metric_1\",\"all\":["
	        "{\"measure\":\"new_stores\",\"clause\":\"3.2\",\"at_least\":10,\"measured\":10,\"gap\":0,\"met\":true},"
	        "{\"measure\":\"new_store_gmv_fen\",\"clause\":\"3.2\",\"at_least\":5000000,\"measured\":5000000,\"gap\":0,"
	        "\"met\":true}],"
	        "\"met\":true},"
	        "{\"name\":\"metric_2\",\"all\":["
	        "{\"measure\":\"new_stores\",\"clause\":\"3.2\",\"at_least\":10,\"measured\":10,\"gap\":0,\"met\":true},"
	        "{\"measure\":\"first_month_orders\",\"clause\":\"3.2\",\"at_least\":10000,\"measured\":10000,\"gap\":0,"
	        "\"met\":true},"
	        "{\"measure\":\"monthly_order_growth\",\"clause\":\"3.4\",\"at_least_bps\":1000,\"met\":true,\"months\":["
	        "{\"month\":\"2023-05\",\"orders\":11000,\"needed\":11000,\"met\":true},"
	        "{\"month\":\"2023-06\",\"orders\":12100,\"needed\":12100,\"met\":true}]}],\"met\":true}],\"met\":true},"
	        "{\"measure\":\"exam_passes\",\"clause\":\"3.2\",\"at_least\":2,\"measured\":2,\"gap\":0,\"met\":true}],"
	        "\"met\":true}";
	static const char first[] = ",\"stores\":[{\"store_id\":\"s-1\",\"counted\":true,\"reason\":null,\"gmv_fen\":500000,"
	                            "\"monthly_orders\":[1000,1100,1210]},{\"store_id\":\"s-2\"";

	ck_assert_int_eq(strncmp(text, head, strlen(head)), 0);
	ck_assert_int_eq(strncmp(text + strlen(head), first, strlen(first)), 0);
	ck_assert_str_eq(text + strlen(text) - 5, "}]}]}");

	char *brief = answer_text(in, EVALUATION_WITHOUT_STORES);
	ck_assert_int_eq(strncmp(brief, head, strlen(head)), 0);
	ck_assert_str_eq(brief + strlen(head), "}]}");
}
END_TEST

START_TEST(an_example_policy_is_marked)
{
	json_t *answer = evaluated(request_with(NULL, NULL));

	ck_assert(is_true(answer, "policies/0/example"));
	answer = evaluated(request_with("policies/0/example", "false"));
	ck_assert_ptr_null(look(answer, "policies/0/example"));
}
END_TEST

START_TEST(months_without_a_base_need_null)
{
	json_t *request = request_with("as_of", "'2023-04-30'");
	put(request, "stores/0/days", json_array());
	char *text = answer_text(evaluation_request_input(request_of(request)), EVALUATION_WHOLE);

	ck_assert_ptr_nonnull(strstr(text, "\"months\":[{\"month\":\"2023-05\",\"orders\":0,\"needed\":null,\"met\":false},"
	                                   "{\"month\":\"2023-06\",\"orders\":0,\"needed\":null,\"met\":false}]"));
	ck_assert_ptr_nonnull(strstr(text, "\"final\":false"));
}
END_TEST

/* Everything that a request may hold, in one. */
static json_t *full_request(void)
{
	json_t *request = request_with("stores/1/months", "[{'month': '2023-05', 'orders': 3, 'gmv_fen': 9}]");

	put(request, "policies/0/counting", NULL);
	put(request, "policies/1", example_policy());
	put(request, "policies/1/version", json_string("2"));
	put(request, "policies/1/admission/deposit_fen", json_null());
	put(request, "policies/1/regular/requires/any/0/name", json_string("\"quoted\" \\ \n 古董"));
	put(request, "stores/0/store_id", json_string("店铺 \"1\""));
	put(request, "stores/1/bindings/1", json_of("{'by': 'other', 'bound_on': '2022-04-03', 'unbound_on': '2022-04-03'}"));
	put(request, "stores/2", json_of("{'store_id': 's', 'unlisted': true, 'bindings': []}"));
	return request;
}

START_TEST(evidence_gives_the_same_answer_and_the_same_evidence)
{
	const struct evaluation_input *in = evaluation_request_input(request_of(full_request()));
	char *evidence = evidence_text(in);
	json_t *read = NULL;
	struct faults faults = {0};

	ck_assert_int_eq(json_read(evidence, strlen(evidence), JSON_DEPTH_MAX, &read, &faults), JSON_OK);
	const struct evaluation_input *again = evaluation_request_input(request_of(kept(read)));
	ck_assert_str_eq(evidence_text(again), evidence);
	ck_assert_str_eq(answer_text(again, EVALUATION_WHOLE), answer_text(in, EVALUATION_WHOLE));
	ck_assert_ptr_nonnull(
	        strstr(evidence, "{\"store_id\":\"s-2\",\"registered_region\":\"420106\",\"ship_from_regions\":[\"420100\"],"
	                         "\"industry\":\"antiques_art\",\"category\":\"antiques_art\",\"status\":\"normal\","
	                         "\"bindings\":[{\"by\":\"self\",\"bound_on\":\"2023-04-03\",\"unbound_on\":null},"
	                         "{\"by\":\"other\",\"bound_on\":\"2022-04-03\",\"unbound_on\":\"2022-04-03\"}],"
	                         "\"days\":[],\"months\":[{\"month\":\"2023-05\",\"orders\":3,\"gmv_fen\":9}]},"
	                         "{\"store_id\":\"s\",\"unlisted\":true,\"bindings\":[],\"days\":[]}]}"));
}
END_TEST

START_TEST(a_full_buffer_is_seen)
{
	const struct evaluation_input *in = evaluation_request_input(request_of(full_request()));
	struct evaluation e;

	ck_assert_int_eq(evaluate(in, &e), EVALUATION_OK);
	struct buf small = BUF_INIT(100);
	evaluation_json(&small, in, &e, EVALUATION_WHOLE);
	ck_assert(small.failed);
	buf_reset(&small);
	evidence_json(&small, in);
	ck_assert(small.failed);
	buf_free(&small);
	evaluation_free(&e);
}
END_TEST

/* ---- gaps, from both ends ---- */

static void same_gaps(const struct criterion_gap *a, const struct criterion_gap *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ck_assert(a[i].measure == b[i].measure && a[i].at_least == b[i].at_least && a[i].gap == b[i].gap &&
		          a[i].month == b[i].month);
		ck_assert_str_eq(a[i].clause, b[i].clause);
		ck_assert(!a[i].alternative == !b[i].alternative &&
		          (!a[i].alternative || strcmp(a[i].alternative, b[i].alternative) == 0));
	}
}

START_TEST(gaps_read_back_from_the_answer)
{
	json_t *request = request_with(NULL, NULL);
	put(request, "policies/1", example_policy()); /* with one gap less: chosen */
	put(request, "policies/1/version", json_string("2"));
	put(request, "policies/1/trial/requires", json_of("{'measure': 'new_stores', 'at_least': 3, 'clause': '9'}"));
	struct evaluation e;
	struct criterion_gap gaps[REQUIREMENT_NODES];
	struct criterion_gap read[REQUIREMENT_NODES];

	ck_assert_int_eq(evaluate(evaluation_request_input(request_of(request)), &e), EVALUATION_OK);
	ck_assert_uint_eq(evaluation_gaps(&e, gaps), 1);
	evaluation_free(&e);
	ck_assert_str_eq(gaps[0].clause, "9");
	ck_assert_uint_eq(evaluation_gaps_read(evaluated_as(request, EVALUATION_WITHOUT_STORES), read), 1);
	same_gaps(gaps, read, 1);

	put(request, "policies/1", NULL);
	ck_assert_int_eq(evaluate(evaluation_request_input(request_of(request)), &e), EVALUATION_OK);
	ck_assert_uint_eq(evaluation_gaps(&e, gaps), 5);
	evaluation_free(&e);
	ck_assert_uint_eq(evaluation_gaps_read(evaluated(request), read), 5);
	same_gaps(gaps, read, 5);
	ck_assert(read[4].month == day_at("2023-05-01") && read[4].gap == 132);

	/* met, by another policy: nothing is missing */
	put(request, "policies/1", example_policy());
	put(request, "policies/1/version", json_string("2"));
	put(request, "policies/1/trial/requires", json_of("{'measure': 'new_stores', 'at_least': 2, 'clause': '9'}"));
	ck_assert_int_eq(evaluate(evaluation_request_input(request_of(request)), &e), EVALUATION_OK);
	ck_assert_uint_eq(evaluation_gaps(&e, gaps), 0);
	evaluation_free(&e);
	ck_assert_uint_eq(evaluation_gaps_read(evaluated(request), read), 0);
	ck_assert_uint_eq(evaluation_gaps_read(
	                          json_of("{'outcome': 'not_met', 'policies': [7, {'requirement': {'measure': 'x'}}]}"), read),
	                  0);
	ck_assert_uint_eq(evaluation_gaps_read(json_of("[]"), read), 0);
}
END_TEST

CHECK_MAIN("rules_evaluation_json", each_wrong_value_is_refused_at_its_place, every_problem_is_told_at_once,
           what_is_given_twice_is_refused, own_bindings_do_not_overlap, months_stand_for_days_only_where_they_say_the_same,
           an_unlisted_store_has_no_attributes, the_policies_of_one_period_have_its_months, references_are_asked_of_the_source,
           the_answer_is_the_contracts, an_example_policy_is_marked, months_without_a_base_need_null,
           evidence_gives_the_same_answer_and_the_same_evidence, a_full_buffer_is_seen, gaps_read_back_from_the_answer)
