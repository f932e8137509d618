/* Any bytes as a policy: it is read or refused, never worse; what was read is written so that it reads back the same; and a
 * period without stores can be evaluated under it. */
#include "base/json_read.h"
#include "model/rules/evaluation.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { POLICY_BYTES = 1 << 20 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct policy *read_policy(const char *data, size_t size)
{
	struct faults faults = {0};
	json_t *json = NULL;
	struct policy *policy = NULL;

	if (json_read(data, size, JSON_DEPTH_MAX, &json, &faults) == JSON_OK) {
		policy = policy_read(json, "", &faults);
		require(!policy == faults_any(&faults));
		json_decref(json);
	}
	faults_free(&faults);
	return policy;
}

static void evaluate_nothing(const struct policy *policy)
{
	const struct policy *const list[] = {policy};

	for (int s = 0; s < STAGES; s++) {
		const struct evaluation_input in = {.policies = list,
		                                    .policy_count = 1,
		                                    .stage = (enum stage)s,
		                                    .start = day_of(2023, 4, 1),
		                                    .as_of = day_of(2023, 5, 31),
		                                    .provider_region = 420000,
		                                    .provider_industry = "a",
		                                    .provider_main_category = "a"};
		struct evaluation e;

		require(evaluate(&in, &e) == EVALUATION_OK);
		evaluation_free(&e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *policy = read_policy((const char *)data, size);

	if (!policy)
		return 0;
	struct buf text = BUF_INIT(POLICY_BYTES);
	struct buf again = BUF_INIT(POLICY_BYTES);
	policy_json(&text, policy);
	require(!text.failed);
	struct policy *same = read_policy(text.data, text.len);
	require(same != NULL);
	policy_json(&again, same);
	require(again.len == text.len && memcmp(again.data, text.data, text.len) == 0);
	evaluate_nothing(policy);
	policy_free(policy);
	policy_free(same);
	buf_free(&text);
	buf_free(&again);
	return 0;
}
