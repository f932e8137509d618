/* Random numbers for property tests: our own generator, so that a seed gives the same cases everywhere. The seed is printed;
 * ASSAY_SEED sets it, ASSAY_CASES says how many cases. */
#ifndef ASSAY_TESTS_PROPERTY_RANDOM_H
#define ASSAY_TESTS_PROPERTY_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

uint64_t random_seed(void); /* ASSAY_SEED, else new; prints it */
int random_cases(int otherwise); /* ASSAY_CASES, else `otherwise` */
struct random random_for(uint64_t seed, uint64_t number); /* the generator of one case */
uint64_t random_bits(struct random *r);
int64_t random_in(struct random *r, int64_t low, int64_t high); /* both ends included */
bool random_one_in(struct random *r, int64_t n);

#endif
