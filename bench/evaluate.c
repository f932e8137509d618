/* How many evaluations a core does in a second, on made-up trials of thirteen stores and 91 days each: bench/evaluate has it beside
 * two rule engines.
 *
 *	build/bench_evaluate POLICY measures N             N sets of measures, one JSON object a line, and whether they are met
 *	build/bench_evaluate POLICY request N              the last of the N as the body of POST /v1/evaluations
 *	build/bench_evaluate POLICY judge|evaluate|document N SECONDS     over these N again and again: evaluations a second, and how
 *	                                                  many of the N are met
 *
 * judge: the requirement on measures that are there already. evaluate: evaluate(), which sums them from stores, bindings and days
 * first. document: from a request's bytes to the answer's, as POST /v1/evaluations and replay do it. */
#include "base/buf.h"
#include "base/json_read.h"
#include "bench/months.h"
#include "model/rules/evaluation_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STORES = 13, DAYS = 91, CASES_MAX = 100000, TEXT_MAX = 1 << 20, BATCH = 16 };

static const region home = 420000, county = 420106;

/* A provider's trial, as evaluate() takes it, and the same as bytes. */
struct trial {
	struct evaluation_input input;
	struct evaluation_store stores[STORES];
	char ids[STORES][16];
	struct binding bindings[STORES];
	struct day_fact days[STORES][DAYS];
	struct exam_pass passes[2];
	struct buf request;
};

struct bench {
	const struct policy *policy;
	struct trial *trials;
	struct measures *measures;
	size_t len;
};

static const struct months months = {
        .seed = 1, .providers = 1, .stores = CASES_MAX * STORES, .first = 19448, .last = 19448 + DAYS - 1};

static void make_store(struct trial *t, int32_t number, int i)
{
	struct shop shop = shop_of(&months, number);
	struct bound bound[BINDINGS_MAX];
	int n = shop_bindings(&months, number, &shop, bound);
	snprintf(t->ids[i], sizeof t->ids[i], "s-%08d", number);
	t->bindings[i] = (struct binding){true, bound[n - 1].from, bound[n - 1].until};
	for (int d = 0; d < DAYS; d++) {
		struct figure f = figure_of(&months, number, &shop, months.first + d, 1000);
		t->days[i][d] = (struct day_fact){months.first + d, f.orders * 8, f.gmv_fen};
	}
	t->stores[i] = (struct evaluation_store){
	        .store_id = t->ids[i],
	        .registered_region = county,
	        .ship_from_regions = &county,
	        .ship_from_count = 1,
	        .industry = "antiques_art",
	        .category = "antiques_art",
	        .status = STORE_NORMAL,
	        .bindings = &t->bindings[i],
	        .binding_count = 1,
	        .days = t->days[i],
	        .day_count = DAYS,
	};
}

static bool make_trial(struct bench *b, size_t number)
{
	struct trial *t = &b->trials[number];
	for (int i = 0; i < STORES; i++)
		make_store(t, (int32_t)number * STORES + i, i);
	t->passes[0] = (struct exam_pass){"p-1", months.first};
	t->passes[1] = (struct exam_pass){"p-2", months.first + 5};
	t->input = (struct evaluation_input){
	        .policies = &b->policy,
	        .policy_count = 1,
	        .stage = STAGE_TRIAL,
	        .start = months.first,
	        .as_of = months.last,
	        .provider_region = home,
	        .provider_industry = "antiques_art",
	        .provider_main_category = "antiques_art",
	        .exam_passes = t->passes,
	        .exam_pass_count = number % 5 ? 2 : 1,
	        .stores = t->stores,
	        .store_count = STORES,
	};
	t->request = BUF_INIT(TEXT_MAX);
	evidence_json(&t->request, &t->input);
	struct evaluation e;
	if (t->request.failed || evaluate(&t->input, &e) != EVALUATION_OK)
		return false;
	b->measures[number] = e.policies[0].measures;
	evaluation_free(&e);
	return true;
}

static bool make(struct bench *b, size_t len)
{
	b->len = len;
	b->trials = calloc(len, sizeof *b->trials);
	b->measures = calloc(len, sizeof *b->measures);
	bool ok = b->trials && b->measures;
	for (size_t i = 0; ok && i < len; i++)
		ok = make_trial(b, i);
	return ok;
}

/* ---- what is measured: each says whether trial i is met ---- */

static bool judge(const struct bench *b, size_t i)
{
	struct node_result results[REQUIREMENT_NODES];
	return requirement_judge(&b->policy->stages[STAGE_TRIAL].requires, &b->measures[i], results) && results[0].met;
}

static bool evaluate_facts(const struct bench *b, size_t i)
{
	struct evaluation e;
	if (evaluate(&b->trials[i].input, &e) != EVALUATION_OK)
		return false;
	bool met = e.met;
	evaluation_free(&e);
	return met;
}

static bool document(const struct bench *b, size_t i)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	struct evaluation e;
	json_t *json = NULL;
	bool met = false;
	struct faults f = {0};
	if (json_read(b->trials[i].request.data, b->trials[i].request.len, JSON_DEPTH_MAX, &json, &f) != JSON_OK)
		return false;
	struct evaluation_request *request = evaluation_request_read(json, NULL, &f);
	if (request && evaluation_run(evaluation_request_input(request), &e, &f)) {
		met = e.met;
		evaluation_json(&out, evaluation_request_input(request), &e, EVALUATION_WHOLE);
		evaluation_free(&e);
	}
	evaluation_request_free(request);
	json_decref(json);
	buf_free(&out);
	return met;
}

static const struct {
	const char *name;
	bool (*one)(const struct bench *b, size_t i);
} ways[] = {{"judge", judge}, {"evaluate", evaluate_facts}, {"document", document}};

/* ---- commands ---- */

static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(const struct bench *b, bool (*one)(const struct bench *b, size_t i), double seconds)
{
	size_t met = 0, done = 0;
	for (size_t i = 0; i < b->len; i++)
		met += one(b, i);
	size_t again = 0; /* how many of all that was judged were met: as many as before, or it was not judged */
	double from = seconds_now(), now = from;
	for (; now - from < seconds; now = seconds_now())
		for (int k = 0; k < BATCH; k++, done++)
			again += one(b, done % b->len);
	if (again < done / b->len * met)
		abort();
	printf("%.0f %zu\n", (double)done / (now - from), met);
}

static void print_measures(const struct bench *b)
{
	for (size_t i = 0; i < b->len; i++) {
		const struct measures *m = &b->measures[i];
		printf("{\"new_stores\":%" PRId64 ",\"new_store_gmv_fen\":%" PRId64 ",\"monthly_orders\":[%" PRId64 ",%" PRId64
		       ",%" PRId64 "],\"exam_passes\":%" PRId64 ",\"met\":%s}\n",
		       m->new_stores, m->new_store_gmv_fen, m->monthly_orders[0], m->monthly_orders[1], m->monthly_orders[2],
		       m->exam_passes, judge(b, i) ? "true" : "false");
	}
}

static struct policy *read_policy(const char *path)
{
	struct faults f = {0};
	json_t *json = json_load_file(path, 0, NULL);
	struct policy *p = json ? policy_read(json, "", &f) : NULL;
	json_decref(json);
	return p;
}

static int usage(void)
{
	fprintf(stderr,
	        "Usage: bench_evaluate POLICY measures|request N | bench_evaluate POLICY judge|evaluate|document N SECONDS\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	size_t len = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	bool list = argc == 4 && strcmp(argv[2], "measures") == 0;
	bool request = argc == 4 && strcmp(argv[2], "request") == 0;
	bool (*one)(const struct bench *b, size_t i) = NULL;
	for (size_t i = 0; argc == 5 && i < sizeof ways / sizeof ways[0]; i++)
		if (strcmp(argv[2], ways[i].name) == 0)
			one = ways[i].one;
	if ((!list && !request && !one) || len < 1 || len > CASES_MAX)
		return usage();
	struct policy *policy = read_policy(argv[1]);
	b.policy = policy;
	if (!policy || !make(&b, len)) {
		fprintf(stderr, "bench_evaluate: %s is no policy, or out of memory\n", argv[1]);
		return EXIT_FAILURE;
	}
	if (list)
		print_measures(&b);
	else if (request)
		puts(b.trials[len - 1].request.data);
	else
		run(&b, one, strtod(argv[4], NULL));
	for (size_t i = 0; i < b.len; i++)
		buf_free(&b.trials[i].request);
	free(b.trials);
	free(b.measures);
	policy_free(policy);
	return EXIT_SUCCESS;
}
