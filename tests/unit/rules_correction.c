#include "tests/unit/rules_support.h"

#include "model/rules/correction.h"

enum { ROOM = 8 };

static const char *const periods[] = {"prd_8", "prd_9"};
static const char *const refunds[] = {"rfd_1"};

static struct correction_facts failed_wrongly(void)
{
	return (struct correction_facts){.was_met = false,
	                                 .met = true,
	                                 .period_status = PERIOD_FAILED,
	                                 .provider_id = "prv_1",
	                                 .status = PROVIDER_REVOKED,
	                                 .own_application = true,
	                                 .application = "app_1"};
}

static struct correction_facts passed_wrongly(void)
{
	struct correction_facts f = failed_wrongly();

	f.was_met = true;
	f.met = false;
	f.period_status = PERIOD_PASSED;
	f.status = PROVIDER_CERTIFIED;
	return f;
}

/* The codes of all obstacles, one after the other. */
static const char *codes_of(const struct correction_facts *f)
{
	static char text[256];
	struct obstacle found[ROOM];

	ck_assert_uint_le(correction_obstacles_max(f), ROOM);
	size_t n = correction_obstacles(f, found);
	ck_assert_uint_le(n, correction_obstacles_max(f));
	size_t len = 0;
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		ck_assert_ptr_nonnull(found[i].subject);
		ck_assert_str_eq(code_name(found[i].detail), found[i].code);
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? " " : "", found[i].code);
		ck_assert_uint_lt(len, sizeof text);
	}
	return text;
}

START_TEST(what_the_right_decision_would_have_made)
{
	struct correction_facts f = failed_wrongly();

	ck_assert_int_eq(correction_consequence(&f), CORRECTION_RESTORED);
	f.met = false;
	ck_assert_int_eq(correction_consequence(&f), CORRECTION_NONE);
	f = passed_wrongly();
	ck_assert_int_eq(correction_consequence(&f), CORRECTION_FAILED);
	f.period_status = PERIOD_CONVERTED;
	ck_assert_int_eq(correction_consequence(&f), CORRECTION_TRIAL_RESUMED);
	f.met = true;
	ck_assert_int_eq(correction_consequence(&f), CORRECTION_NONE);
}
END_TEST

/* An exit stays, and so does what a provider made of itself after it had lost the certification anyway. */
START_TEST(what_rests_on_something_later_stays)
{
	struct correction_facts f = failed_wrongly();

	f.status = PROVIDER_EXITED;
	f.exited_since = true;
	ck_assert_int_eq(correction_consequence(&f), CORRECTION_RECORDED);
	f = passed_wrongly();
	f.exited_since = true;
	ck_assert_int_eq(correction_consequence(&f), CORRECTION_RECORDED);
	f.period_status = PERIOD_CONVERTED;
	ck_assert_int_eq(correction_consequence(&f), CORRECTION_RECORDED);
	f = passed_wrongly();
	f.status = PROVIDER_WITHDRAWN;
	f.own_application = false;
	ck_assert_int_eq(correction_consequence(&f), CORRECTION_RECORDED);
	f = failed_wrongly();
	f.status = PROVIDER_WITHDRAWN;
	f.own_application = false;
	ck_assert_int_eq(correction_consequence(&f), CORRECTION_RESTORED);
	ck_assert_str_eq(codes_of(&f), "");
}
END_TEST

START_TEST(every_obstacle_is_listed)
{
	struct correction_facts f = failed_wrongly();

	ck_assert_str_eq(codes_of(&f), "");
	f.status = PROVIDER_ADMITTED;
	f.own_application = false;
	f.later_periods = periods;
	f.later_period_count = 2;
	f.running_refunds = refunds;
	f.running_refund_count = 1;
	f.scope_changed = true;
	ck_assert_str_eq(codes_of(&f), "later_application later_period later_period refund_running scope_changed");
	f.met = false;
	ck_assert_str_eq(codes_of(&f), "");
}
END_TEST

/* Whoever is to be nothing any more may have any scope, and its money back. */
START_TEST(what_hinders_only_a_restoration)
{
	struct correction_facts f = passed_wrongly();

	f.running_refunds = refunds;
	f.running_refund_count = 1;
	f.scope_changed = true;
	ck_assert_str_eq(codes_of(&f), "");
	f.period_status = PERIOD_CONVERTED;
	ck_assert_str_eq(codes_of(&f), "refund_running scope_changed");
	f.exited_since = true;
	ck_assert_str_eq(codes_of(&f), "");
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(correction_consequence_name(CORRECTION_NONE), "none");
	ck_assert_str_eq(correction_consequence_name(CORRECTION_TRIAL_RESUMED), "trial_resumed");
	for (int c = 0; c < CORRECTION_CONSEQUENCES; c++)
		ck_assert_ptr_nonnull(correction_consequence_name((enum correction_consequence)c));
}
END_TEST

CHECK_MAIN("rules_correction", what_the_right_decision_would_have_made, what_rests_on_something_later_stays,
           every_obstacle_is_listed, what_hinders_only_a_restoration, names)
