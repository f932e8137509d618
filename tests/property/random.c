#include "tests/property/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t random_seed(void)
{
	const char *given = getenv("ASSAY_SEED");
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000003U + (uint64_t)now.tv_nsec;
	(void)printf("ASSAY_SEED=%" PRIu64 "\n", seed);
	(void)fflush(stdout);
	return seed;
}

int random_cases(int otherwise)
{
	const char *given = getenv("ASSAY_CASES");
	long n = given ? strtol(given, NULL, 10) : 0;

	return n > 0 && n <= 100000000 ? (int)n : otherwise;
}

/* splitmix64 */
uint64_t random_bits(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

struct random random_for(uint64_t seed, uint64_t number)
{
	struct random r = {seed ^ (number * 0xd1342543de82ef95U)};

	(void)random_bits(&r);
	return r;
}

int64_t random_in(struct random *r, int64_t low, int64_t high)
{
	return low + (int64_t)(random_bits(r) % ((uint64_t)(high - low) + 1));
}

bool random_one_in(struct random *r, int64_t n)
{
	return random_in(r, 1, n) == 1;
}
