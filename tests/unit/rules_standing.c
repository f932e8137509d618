#include "tests/unit/rules_support.h"

#include "model/rules/standing.h"

static struct standing_facts facts_of(enum provider_status status)
{
	return (struct standing_facts){.status = status,
	                               .since = day_at("2023-04-01"),
	                               .today = day_at("2023-05-20"),
	                               .watermark = day_at("2023-05-19"),
	                               .policy = policy_of(example_policy()),
	                               .balance_fen = 2000000,
	                               .shortfall_since = DAY_NONE,
	                               .period_start = day_at("2023-04-01"),
	                               .period_end = day_at("2023-06-30"),
	                               .progress_as_of = day_at("2023-05-19"),
	                               .reapply_from = DAY_NONE};
}

/* The whole standing as one object. */
static json_t *standing_in(const struct standing_facts *f, enum lang lang)
{
	struct standing s;
	struct buf out = BUF_INIT(1 << 18);
	struct json_writer w = json_writer_on(&out);

	standing_derive(f, &s);
	jw_object(&w);
	jw_kbool(&w, "qualified", s.qualified);
	jw_key(&w, "reasons");
	standing_reasons_json(&w, &s, lang);
	jw_key(&w, "requirements");
	standing_requirements_json(&w, &s, lang);
	jw_key(&w, "next_events");
	standing_next_events_json(&w, &s, lang);
	jw_key(&w, "deposit");
	standing_deposit_json(&w, f, &s);
	jw_object_end(&w);
	ck_assert(!out.failed);
	json_t *json = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(json != NULL, "%s", out.data);
	buf_free(&out);
	return kept(json);
}

static json_t *standing_of(const struct standing_facts *f)
{
	return standing_in(f, LANG_EN);
}

/* "code,code" of a list. */
static const char *codes(json_t *json, const char *path)
{
	static char text[2048];
	size_t at = 0;
	size_t i;
	json_t *item;

	text[0] = '\0';
	json_array_foreach(look(json, path), i, item) at +=
	        (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? "," : "", text_at(item, "code"));
	return text;
}

static void says(const struct standing_facts *f, const char *reasons, const char *now, const char *later, const char *events)
{
	json_t *s = standing_of(f);

	ck_assert_str_eq(codes(s, "reasons"), reasons);
	ck_assert_str_eq(codes(s, "requirements/currently_due"), now);
	ck_assert_str_eq(codes(s, "requirements/eventually_due"), later);
	ck_assert_str_eq(codes(s, "next_events"), events);
	ck_assert(is_true(s, "qualified") == (f->status == PROVIDER_CERTIFIED && !is_true(s, "deposit/overdue")));
	/* every text is there, in both languages */
	for (int lang = LANG_EN; lang <= LANG_ZH; lang++) {
		static const char *const lists[] = {"reasons", "requirements/currently_due", "requirements/eventually_due",
		                                    "next_events"};
		json_t *all = standing_in(f, (enum lang)lang);

		for (size_t l = 0; l < COUNT(lists); l++) {
			size_t i;
			json_t *item;

			json_array_foreach(look(all, lists[l]), i, item)
			{
				ck_assert_msg(strlen(text_at(item, "message")) > 3, "%s", json_dumps(item, 0));
				ck_assert_msg(!strchr(text_at(item, "message"), '{'), "%s", text_at(item, "message"));
				ck_assert_str_ne(text_at(item, "clause"), "");
			}
		}
	}
}

START_TEST(before_applying)
{
	struct standing_facts f = facts_of(PROVIDER_REGISTERED);
	struct admission_facts lacking = {.service_categories = 1U << SERVICE_MALL, .today = f.today, .reapply_from = DAY_NONE};
	struct admission a;

	says(&f, "not_applied", "application_needed", "", "");
	f.balance_fen = 500000;
	says(&f, "not_applied", "application_needed", "deposit_short", "");
	admission_check(f.policy, &lacking, &a);
	f.admission = &a;
	says(&f, "not_applied", "application_needed,service_category_missing,document_missing", "deposit_short", "");
	json_t *s = standing_of(&f);
	ck_assert_str_eq(text_at(s, "requirements/currently_due/1/what"), "service_category");
	ck_assert_str_eq(text_at(s, "requirements/currently_due/2/message"), "Documents are missing: business_license.");
	ck_assert(json_is_null(look(s, "requirements/currently_due/2/missing")));
	f.policy = NULL;
	f.admission = NULL;
	says(&f, "not_applied", "application_needed", "", "");
	ck_assert(json_is_null(look(standing_of(&f), "deposit/required_fen")));
}
END_TEST

START_TEST(an_application_under_review)
{
	struct standing_facts f = facts_of(PROVIDER_APPLIED);
	struct admission_facts facts = {.service_categories = 1U << SERVICE_MALL,
	                                .today = f.today,
	                                .reapply_from = DAY_NONE,
	                                .open_application = "app_1"};
	struct admission a;

	f.balance_fen = 0;
	says(&f, "under_review", "", "deposit_short", "");
	admission_check(f.policy, &facts, &a);
	f.admission = &a;
	says(&f, "under_review", "service_category_missing,document_missing", "deposit_short", "");
}
END_TEST

START_TEST(a_refused_application_may_be_made_again)
{
	struct standing_facts f = facts_of(PROVIDER_REJECTED);
	says(&f, "application_rejected", "application_needed", "", "");
	f.status = PROVIDER_WITHDRAWN;
	says(&f, "application_withdrawn", "application_needed", "", "");
}
END_TEST

START_TEST(admitted_waits_for_the_deposit_then_for_the_first)
{
	struct standing_facts f = facts_of(PROVIDER_ADMITTED);
	json_t *s;

	f.since = f.today = day_at("2023-03-15");
	f.balance_fen = 1500000;
	f.held_fen = 100000;
	says(&f, "trial_not_begun,deposit_short", "deposit_short", "", "trial_begins");
	s = standing_of(&f);
	ck_assert_int_eq(number(s, "requirements/currently_due/0/missing"), 600000);
	ck_assert_str_eq(text_at(s, "requirements/currently_due/0/what"), "deposit_fen");
	ck_assert_str_eq(text_at(s, "reasons/1/message"), "6,000.00 CNY of the deposit are missing.");
	ck_assert_str_eq(text_at(s, "reasons/1/clause"), "4.1");
	ck_assert(json_is_null(look(s, "next_events/0/on")));
	ck_assert_int_eq(number(s, "deposit/shortfall_fen"), 600000);
	ck_assert_int_eq(number(s, "deposit/held_fen"), 100000);

	f.balance_fen = 2100000; /* exactly, with what is held */
	says(&f, "trial_not_begun", "", "", "trial_begins");
	s = standing_of(&f);
	ck_assert_str_eq(text_at(s, "next_events/0/on"), "2023-04-01");
	ck_assert_int_eq(number(s, "deposit/shortfall_fen"), 0);
	f.balance_fen--;
	ck_assert_int_eq(number(standing_of(&f), "deposit/shortfall_fen"), 1);

	f.balance_fen = 2100000;
	f.has_period = true;
	f.period_status = PERIOD_SCHEDULED;
	says(&f, "trial_not_begun", "", "measure_short,measure_short,measure_short,measure_short,measure_short,measure_short",
	     "trial_begins");
	ck_assert_str_eq(text_at(standing_of(&f), "requirements/eventually_due/0/by"), "2023-06-30");
}
END_TEST

START_TEST(an_unset_deposit_keeps_admission_waiting)
{
	struct standing_facts f = facts_of(PROVIDER_ADMITTED);
	json_t *json = example_policy();

	put(json, "admission/deposit_fen", json_null());
	f.policy = policy_of(json);
	says(&f, "trial_not_begun,deposit_not_configured", "deposit_not_configured", "", "trial_begins");
	json_t *s = standing_of(&f);
	ck_assert_ptr_nonnull(strstr(text_at(s, "reasons/1/message"), "antiques-art@2023-04-26"));
	ck_assert(json_is_null(look(s, "deposit/shortfall_fen")));
	ck_assert(json_is_null(look(s, "next_events/0/on")));
	ck_assert(json_is_null(look(s, "requirements/currently_due/0/missing")));
	f.status = PROVIDER_CERTIFIED; /* nothing waits for it any more */
	f.has_period = true;
	f.period_status = PERIOD_OPEN;
	f.progress_known = true;
	says(&f, "certified", "", "", "next_period");
}
END_TEST

static const struct criterion_gap running_gaps[] = {
        {MEASURE_NEW_STORES, "3.2", "metric_1", 10, 4, DAY_NONE},
        {MEASURE_NEW_STORE_GMV_FEN, "3.2", "metric_1", 5000000, 3170000, DAY_NONE},
        {MEASURE_FIRST_MONTH_ORDERS, "3.2", "metric_2", 10000, 250, DAY_NONE},
        {MEASURE_EXAM_PASSES, "3.2", NULL, 2, 1, DAY_NONE},
};

START_TEST(a_running_trial_says_what_is_missing_by_when)
{
	struct standing_facts f = facts_of(PROVIDER_TRIAL);
	struct criterion_gap gaps[6];

	memcpy(gaps, running_gaps, sizeof running_gaps);
	gaps[4] = (struct criterion_gap){MEASURE_MONTHLY_ORDER_GROWTH, "3.4", "metric_2", 1000, 3600, day_at("2023-05-01")};
	gaps[5] = (struct criterion_gap){MEASURE_MONTHLY_ORDER_GROWTH, "3.4", NULL, 1000, NEEDED_NONE, day_at("2023-06-01")};
	f.has_period = true;
	f.period_status = PERIOD_OPEN;
	f.progress_known = true;
	f.gaps = gaps;
	f.gap_count = 6;
	says(&f, "trial_running", "", "measure_short,measure_short,measure_missed,measure_short,measure_short,measure_short",
	     "trial_failed");
	json_t *s = standing_of(&f);
	json_t *due = look(s, "requirements/eventually_due");
	ck_assert_str_eq(text_at(s, "reasons/0/message"), "The trial runs until 2023-06-30 and is not met yet.");
	ck_assert_str_eq(text_at(due, "0/what"), "new_stores");
	ck_assert_str_eq(text_at(due, "0/alternative"), "metric_1");
	ck_assert_str_eq(text_at(due, "0/by"), "2023-06-30");
	ck_assert_str_eq(text_at(due, "0/message"), "4 more new stores by 2023-06-30.");
	ck_assert_int_eq(number(due, "1/missing"), 3170000);
	ck_assert_str_eq(text_at(due, "1/message"), "31,700.00 CNY more GMV of new stores by 2023-06-30.");
	ck_assert_str_eq(text_at(due, "2/by"), "2023-04-30"); /* the first month is over */
	ck_assert(json_is_null(look(due, "3/alternative")));
	ck_assert_str_eq(text_at(due, "4/by"), "2023-05-31");
	ck_assert_str_eq(text_at(due, "4/message"), "3600 more orders in 2023-05 for the growth over the month before.");
	ck_assert(json_is_null(look(due, "5/missing")));
	ck_assert_ptr_nonnull(strstr(text_at(due, "5/message"), "2023-06"));
	ck_assert_str_eq(text_at(s, "next_events/0/on"), "2023-07-01");

	/* still in the first month: its orders can still come */
	f.progress_as_of = day_at("2023-04-29");
	ck_assert_str_eq(text_at(standing_of(&f), "requirements/eventually_due/2/code"), "measure_short");
	f.progress_as_of = day_at("2023-04-30");
	ck_assert_str_eq(text_at(standing_of(&f), "requirements/eventually_due/2/code"), "measure_missed");
}
END_TEST

START_TEST(a_trial_met_early_may_convert)
{
	struct standing_facts f = facts_of(PROVIDER_TRIAL);

	f.has_period = true;
	f.period_status = PERIOD_OPEN;
	f.progress_known = true;
	says(&f, "trial_met_so_far", "", "", "early_conversion_possible,certified");
	json_t *s = standing_of(&f);
	ck_assert_str_eq(text_at(s, "next_events/0/on"), "2023-05-20");
	ck_assert_str_eq(text_at(s, "next_events/1/on"), "2023-07-01");
	f.balance_fen = 1999999;
	says(&f, "trial_met_so_far,deposit_short", "deposit_short", "", "early_conversion_possible,certified");
}
END_TEST

START_TEST(a_trial_without_figures_misses_everything)
{
	struct standing_facts f = facts_of(PROVIDER_TRIAL);

	f.has_period = true;
	f.period_status = PERIOD_OPEN;
	says(&f, "trial_running", "", "measure_short,measure_short,measure_short,measure_short,measure_short,measure_short",
	     "trial_failed");
	json_t *s = standing_of(&f);
	ck_assert_int_eq(number(s, "requirements/eventually_due/0/missing"), 10);
	ck_assert_int_eq(number(s, "requirements/eventually_due/1/missing"), 5000000);
	ck_assert_str_eq(text_at(s, "requirements/eventually_due/4/by"), "2023-05-31");
}
END_TEST

static struct standing_facts short_of_the_deposit(const char *policy_days)
{
	struct standing_facts f = facts_of(PROVIDER_CERTIFIED);
	json_t *json = example_policy();

	put(json, "admission/deposit_due_days", json_loads(policy_days, JSON_DECODE_ANY, NULL));
	f.policy = policy_of(json);
	f.balance_fen = 1980000;
	f.held_fen = 100000;
	f.shortfall_since = day_at("2023-05-10");
	return f;
}

START_TEST(a_shortfall_is_due_at_once_or_within_the_policys_days)
{
	struct standing_facts f = short_of_the_deposit("null");

	f.today = f.shortfall_since;
	says(&f, "certified,deposit_shortfall_overdue", "deposit_short", "", "");
	json_t *s = standing_of(&f);
	ck_assert(json_is_false(look(s, "qualified")) && json_is_true(look(s, "deposit/overdue")));
	ck_assert_str_eq(text_at(s, "deposit/due_on"), "2023-05-10");
	ck_assert_str_eq(text_at(s, "requirements/currently_due/0/by"), "2023-05-10");
	ck_assert_int_eq(number(s, "requirements/currently_due/0/missing"), 120000);

	f = short_of_the_deposit("10");
	f.today = day_at("2023-05-20"); /* the last of its days */
	says(&f, "certified,deposit_short", "deposit_short", "", "qualification_suspended");
	s = standing_of(&f);
	ck_assert(json_is_true(look(s, "qualified")) && json_is_false(look(s, "deposit/overdue")));
	ck_assert_str_eq(text_at(s, "next_events/0/on"), "2023-05-21");
	f.today++;
	says(&f, "certified,deposit_shortfall_overdue", "deposit_short", "", "");
	ck_assert(json_is_false(look(standing_of(&f), "qualified")));

	f = short_of_the_deposit("0"); /* until the end of the same day */
	f.today = f.shortfall_since;
	ck_assert(json_is_true(look(standing_of(&f), "qualified")));
	f.today++;
	ck_assert(json_is_false(look(standing_of(&f), "qualified")));

	f.balance_fen = 2100000;
	f.shortfall_since = DAY_NONE;
	says(&f, "certified", "", "", "");
	s = standing_of(&f);
	ck_assert(json_is_true(look(s, "qualified")) && json_is_null(look(s, "deposit/due_on")));
}
END_TEST

START_TEST(an_ended_period_awaits_its_data)
{
	struct standing_facts f = facts_of(PROVIDER_TRIAL);

	f.today = day_at("2023-07-02");
	f.has_period = true;
	f.period_status = PERIOD_AWAITING_DATA;
	f.progress_known = true;
	says(&f, "period_awaits_data", "", "", "period_awaits_data");
	ck_assert(json_is_null(look(standing_of(&f), "next_events/0/on")));
	f.status = PROVIDER_CERTIFIED;
	says(&f, "certified,period_awaits_data", "", "", "period_awaits_data");
}
END_TEST

START_TEST(a_failed_trial_may_apply_again_at_once_or_after_its_cool_down)
{
	struct standing_facts f = facts_of(PROVIDER_TRIAL_FAILED);

	says(&f, "trial_not_met", "application_needed", "", "");
	f.reapply_from = day_at("2023-06-01");
	f.reapply_cause = "trial_failed";
	says(&f, "trial_not_met,cooling_down", "", "application_needed", "application_possible");
	ck_assert_str_eq(text_at(standing_of(&f), "next_events/0/on"), "2023-06-01");
}
END_TEST

START_TEST(certified_says_what_the_period_needs)
{
	struct standing_facts f = facts_of(PROVIDER_CERTIFIED);

	f.stage = STAGE_REGULAR;
	f.has_period = true;
	f.period_status = PERIOD_OPEN;
	f.progress_known = true;
	says(&f, "certified", "", "", "next_period");
	ck_assert_str_eq(text_at(standing_of(&f), "next_events/0/on"), "2023-07-01");
	f.gaps = running_gaps;
	f.gap_count = 2;
	says(&f, "certified", "", "measure_short,measure_short", "revoked");
	ck_assert_str_eq(text_at(standing_of(&f), "next_events/0/on"), "2023-07-01");

	/* converted early: the first regular period begins on the next 1st */
	f.period_status = PERIOD_SCHEDULED;
	f.today = day_at("2023-03-20");
	f.progress_known = false;
	says(&f, "certified", "", "measure_short,measure_short,measure_short,measure_short,measure_short",
	     "period_begins,revoked");
	ck_assert_str_eq(text_at(standing_of(&f), "next_events/0/on"), "2023-04-01");
	ck_assert_str_eq(text_at(standing_of(&f), "requirements/eventually_due/0/clause"), "3.3");
}
END_TEST

START_TEST(revoked_cools_down_for_180_days_unless_waived)
{
	struct standing_facts f = facts_of(PROVIDER_REVOKED);

	f.reapply_from = day_at("2023-05-21");
	f.reapply_cause = "revoked";
	says(&f, "certification_cancelled,cooling_down", "", "application_needed", "application_possible");
	ck_assert_ptr_nonnull(strstr(text_at(standing_of(&f), "reasons/1/message"), "2023-05-21"));
	ck_assert_str_eq(text_at(standing_of(&f), "reasons/1/clause"), "5");
	f.today++; /* the day itself */
	says(&f, "certification_cancelled", "application_needed", "", "");
	f.today -= 10;
	f.status = PROVIDER_EXITED; /* which ends no cool-down */
	says(&f, "exited,cooling_down", "", "application_needed", "application_possible");
	f.status = PROVIDER_REVOKED;
	f.waiver = "wvr_0123456789ab0123456789abcdef";
	f.waiver_expires_on = f.today; /* its last day */
	says(&f, "certification_cancelled,cooldown_waived", "application_needed", "", "waiver_expires");
	ck_assert_ptr_nonnull(strstr(text_at(standing_of(&f), "reasons/1/message"), "wvr_0123456789ab0123456789abcdef lifts"));
	ck_assert_int_eq(day_at(text_at(standing_of(&f), "next_events/0/on")), f.today + 1);
	f.waiver_expires_on = f.reapply_from - 1; /* it covers all of it */
	says(&f, "certification_cancelled,cooldown_waived", "application_needed", "", "");
	f.reapply_from = DAY_NONE;
	f.waiver = NULL;
	f.status = PROVIDER_EXITED;
	says(&f, "exited", "application_needed", "", "");
}
END_TEST

CHECK_MAIN("rules_standing", before_applying, an_application_under_review, a_refused_application_may_be_made_again,
           admitted_waits_for_the_deposit_then_for_the_first, an_unset_deposit_keeps_admission_waiting,
           a_running_trial_says_what_is_missing_by_when, a_trial_met_early_may_convert,
           a_trial_without_figures_misses_everything, a_shortfall_is_due_at_once_or_within_the_policys_days,
           an_ended_period_awaits_its_data, a_failed_trial_may_apply_again_at_once_or_after_its_cool_down,
           certified_says_what_the_period_needs, revoked_cools_down_for_180_days_unless_waived)
