#include "model/rules/criterion_turn.h"
#include "tests/unit/rules_support.h"

/* The example's trial judged by these measures. */
static struct policy_result judged(json_t *policy, int64_t stores, int64_t gmv_fen, int64_t passes)
{
	struct policy_result result = {.policy = policy_of(policy)};
	result.measures = (struct measures){
	        .new_stores = stores, .new_store_gmv_fen = gmv_fen, .exam_passes = passes, .months = 3, .months_reached = 3};
	ck_assert(requirement_judge(&result.policy->stages[STAGE_TRIAL].requires, &result.measures, result.nodes));
	result.met = result.nodes[0].met;
	return result;
}

static size_t gaps_of(const struct policy_result *r, struct criterion_gap gaps[REQUIREMENT_NODES])
{
	return requirement_gaps(&r->policy->stages[STAGE_TRIAL].requires, &r->measures, r->nodes, day_at("2023-04-01"), gaps);
}

/* "measure/alternative" of each gap under `a`, with a + when it turned against `b`. */
static const char *turned(const struct policy_result *a, const struct policy_result *b)
{
	struct criterion_gap gaps[REQUIREMENT_NODES];
	struct buf out = BUF_INIT(4096);
	size_t n = gaps_of(a, gaps);

	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%s%s/%s%s", i ? " " : "", measure_name(gaps[i].measure),
		           gaps[i].alternative ? gaps[i].alternative : "-",
		           criterion_turned(&gaps[i], STAGE_TRIAL, b) ? "+" : "");
	return out.data ? kept(buf_take(&out)) : "";
}

START_TEST(what_is_met_under_the_other_turned)
{
	json_t *strict = example_policy();

	put(strict, "trial/requires/all/0/any/0/all/0/at_least", json_integer(12));
	struct policy_result own = judged(example_policy(), 10, 6000000, 2);
	struct policy_result tried = judged(strict, 10, 6000000, 2);
	ck_assert(own.met && !tried.met);
	ck_assert_str_eq(turned(&tried, &own),
	                 "new_stores/metric_1+ first_month_orders/metric_2 monthly_order_growth/metric_2");
}
END_TEST

START_TEST(what_the_other_does_not_ask_for_turned)
{
	json_t *lax = example_policy();

	ck_assert_int_eq(json_array_remove(look(lax, "trial/requires/all"), 1), 0); /* no exam */
	struct policy_result own = judged(example_policy(), 10, 6000000, 0);
	struct policy_result tried = judged(lax, 10, 6000000, 0);
	ck_assert(!own.met && tried.met);
	ck_assert_str_eq(turned(&own, &tried), "exam_passes/-+");
}
END_TEST

static json_t *written(struct turns *t)
{
	struct buf out = BUF_INIT(1 << 20);
	struct json_writer w = json_writer_on(&out);

	turns_write(&w, t);
	json_t *list = kept(json_loads(out.data, 0, NULL));
	buf_free(&out);
	return list;
}

START_TEST(when_nothing_turned_all_did)
{
	struct policy_result own = judged(example_policy(), 9, 6000000, 2);
	struct turns t = {.known = true};

	t.count = gaps_of(&own, t.gaps);
	ck_assert_uint_eq(t.count, 4);
	ck_assert(json_is_true(look(written(&t), "0/turned")) && json_is_true(look(written(&t), "3/turned")));
	t.turned[1] = true;
	ck_assert(json_is_false(look(written(&t), "0/turned")) && json_is_true(look(written(&t), "1/turned")));
	t.known = false;
	ck_assert(json_is_null(look(written(&t), "1/turned")));
	ck_assert_str_eq(json_string_value(look(written(&t), "3/month")), "2023-05");
	ck_assert(json_is_null(look(written(&t), "3/gap"))); /* nothing to grow from */
	ck_assert_int_eq(json_integer_value(look(written(&t), "0/gap")), 1);
}
END_TEST

CHECK_MAIN("rules_criterion_turn", what_is_met_under_the_other_turned, what_the_other_does_not_ask_for_turned,
           when_nothing_turned_all_did)
